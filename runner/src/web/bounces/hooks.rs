//! The webhooks that the settings name, with their keys made ready.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dsl::model::{Provider, Settings};
use sha2::{Digest, Sha256};

use crate::secrets::{SecretError, Secrets};
use crate::web::problem::Problem;

/// By name.
pub type Hooks = BTreeMap<String, Hook>;

/// Why a webhook cannot be taken from.
#[derive(Debug, thiserror::Error)]
pub enum HookError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("bounces.webhooks.{name}.key is no {what}; copy it anew from the provider's pages")]
    Key { name: String, what: &'static str },
}

/// A webhook, and what tells its provider from others.
#[derive(Clone)]
pub enum Hook {
    /// Raw messages, with a write key.
    Dsn,
    Ses {
        /// The topic's ARN: whoever can make a topic of their own gets signatures of Amazon, too.
        topic: String,
    },
    /// A public key: SubjectPublicKeyInfo in DER.
    Sendgrid(Vec<u8>),
    Mailgun(Arc<hmac::Key>),
    Postmark(BasicKey),
}

/// What `user:password` must be, as a hash.
#[derive(Clone)]
pub struct BasicKey([u8; 32]);

impl BasicKey {
    /// # Errors
    /// 401.
    pub fn admits(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let given =
            headers.get(header::AUTHORIZATION).and_then(|given| given.to_str().ok()).and_then(|given| given.split_once(' '));
        let pair = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
        let pair = pair.and_then(|(_, pair)| STANDARD.decode(pair.trim()).ok()).unwrap_or_default();
        let given: [u8; 32] = Sha256::digest(&pair).into();
        verify_slices_are_equal(&self.0, &given).map_err(|_| {
            let words = "the user and the password of Basic authentication must be those of the webhook's `key`";
            Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", words)
        })
    }
}

impl Hook {
    /// All that the settings name.
    ///
    /// # Errors
    /// When a key is nowhere to be found, or is not of the kind that the provider gives.
    pub fn all(settings: &Settings, secrets: &Secrets) -> Result<Hooks, HookError> {
        let mut hooks = Hooks::new();
        for (name, webhook) in &settings.bounces.webhooks {
            let key = match &webhook.key {
                Some(key) => secrets.resolve(key, &format!("bounces.webhooks.{name}.key"))?,
                None => String::new(),
            };
            hooks.insert(name.clone(), Hook::of(name, webhook.provider, key.trim())?);
        }
        Ok(hooks)
    }

    fn of(name: &str, provider: Provider, key: &str) -> Result<Hook, HookError> {
        let wrong = |what| HookError::Key { name: name.to_owned(), what };
        match provider {
            Provider::Dsn => Ok(Hook::Dsn),
            Provider::Ses if key.starts_with("arn:") && key.split(':').count() == 6 => Ok(Hook::Ses { topic: key.to_owned() }),
            Provider::Ses => Err(wrong("ARN of a topic (arn:aws:sns:…)")),
            Provider::Sendgrid => {
                let key = STANDARD.decode(key).ok().filter(|key| !key.is_empty());
                key.map(Hook::Sendgrid).ok_or_else(|| wrong("public key in base64"))
            }
            Provider::Mailgun if !key.is_empty() => {
                Ok(Hook::Mailgun(Arc::new(hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()))))
            }
            Provider::Mailgun => Err(wrong("signing key: it is empty")),
            Provider::Postmark
                if key.split_once(':').is_some_and(|(user, password)| !user.is_empty() && !password.is_empty()) =>
            {
                Ok(Hook::Postmark(BasicKey(Sha256::digest(key).into())))
            }
            Provider::Postmark => Err(wrong("`user:password`")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(provider: Provider, key: &str, expected: bool) {
        assert_eq!(Hook::of("x", provider, key).is_ok(), expected, "{provider:?} {key}");
    }

    #[test]
    fn keys_are_of_the_providers_kind() {
        check(Provider::Ses, "arn:aws:sns:eu-west-1:123456789012:bounces", true);
        check(Provider::Ses, "bounces", false);
        check(Provider::Sendgrid, "MFkw", true);
        for key in ["", "ä", "MFk"] {
            check(Provider::Sendgrid, key, false);
        }
        check(Provider::Mailgun, "x", true);
        check(Provider::Mailgun, "", false);
        check(Provider::Postmark, "user:pass:word", true);
        for key in ["", "user", "user:", ":password"] {
            check(Provider::Postmark, key, false);
        }
    }

    #[test]
    fn basic_authentication_needs_both() {
        let Ok(Hook::Postmark(key)) = Hook::of("x", Provider::Postmark, "user:pass") else { panic!() };
        let admits = |given: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(given) = given {
                headers.insert(header::AUTHORIZATION, given.parse().unwrap());
            }
            key.admits(&headers).is_ok()
        };
        assert!(admits(Some("Basic dXNlcjpwYXNz")) && admits(Some("basic  dXNlcjpwYXNz")));
        for wrong in [None, Some("Basic"), Some("Basic dXNlcg=="), Some("Bearer dXNlcjpwYXNz"), Some("Basic dXNlcjpwYXNzIA==")] {
            assert!(!admits(wrong), "{wrong:?}");
        }
    }
}
