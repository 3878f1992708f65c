//! Firebase Cloud Messaging: notifications to a device by its HTTP v1 API, with a service account's access token (RFC 7523) that is kept while it
//! is good.

use std::collections::BTreeMap;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use dsl::model::Secret;
use hyper::header::AUTHORIZATION;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;

use super::super::draft::{Body, Draft, form};
use super::super::verdict::{self, Verdict, code};
use super::super::{Carried, HttpError, Message, PATIENCE, judged};
use super::Options;
use crate::channels::{Outcome, RefusalKind};
use crate::http_client::{Answer, Connections, Request};

const SCOPE: &str = "https://www.googleapis.com/auth/firebase.messaging";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// How long what asks for a token is good for, in seconds: the longest that is taken.
const ASSERTED: i64 = 3600;
/// A token is renewed this long before it ends, in milliseconds.
const BEFORE: i64 = 60_000;

pub struct Fcm {
    url: String,
    account: Account,
    key: KeyPair,
    token: Mutex<Option<Token>>,
}

/// A service account's key file.
#[derive(Deserialize)]
struct Account {
    project_id: String,
    client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: Option<String>,
    #[serde(default = "token_uri")]
    token_uri: String,
}

fn token_uri() -> String {
    "https://oauth2.googleapis.com/token".to_owned()
}

#[derive(Clone)]
struct Token {
    text: String,
    /// ms since 1970 UTC.
    until: i64,
}

impl Fcm {
    pub fn read(options: &BTreeMap<String, Secret>) -> Result<Fcm, HttpError> {
        let options = Options(options);
        let wrong = || HttpError::ServiceAccount;
        let account: Account = serde_json::from_str(&options.get("service_account")?).map_err(|_| wrong())?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(account.private_key.as_bytes()).map_err(|_| wrong())?;
        let key = KeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| wrong())?;
        let base = options.base("https://fcm.googleapis.com");
        let project = utf8_percent_encode(&account.project_id, NON_ALPHANUMERIC).to_string().replace("%2D", "-");
        Ok(Fcm { url: format!("{base}/v1/projects/{project}/messages:send"), account, key, token: Mutex::new(None) })
    }

    pub async fn carry(&self, connections: &mut Connections, message: &Message<'_>) -> Carried {
        let token = match self.token(connections, message).await {
            Ok(token) => token,
            Err(why) => return Carried::of(Outcome::Deferred(why)),
        };
        let request = match self.draft(message, &token).ready(message.id, None, message.now) {
            Ok(request) => request,
            Err(why) => return Carried::failed(why),
        };
        let exchanged = connections.send(request, PATIENCE).await;
        if exchanged.as_ref().is_ok_and(|answer| answer.status == 401) {
            *self.token.lock().await = None;
        }
        judged(exchanged, verdict)
    }

    fn draft(&self, message: &Message<'_>, token: &str) -> Draft {
        let mut notification = json!({ "body": message.body });
        if let Some(title) = message.subject {
            notification["title"] = Value::from(title);
        }
        let body = json!({ "message": { "token": message.to, "notification": notification } });
        Draft::post(self.url.clone(), Body::Json(body.to_string())).header(AUTHORIZATION, format!("Bearer {token}"))
    }

    /// The access token: the kept one, or a new one. Who comes while one is fetched waits for it.
    async fn token(&self, connections: &mut Connections, message: &Message<'_>) -> Result<String, String> {
        let mut kept = self.token.lock().await;
        if let Some(token) = kept.as_ref().filter(|token| message.now < token.until - BEFORE) {
            return Ok(token.text.clone());
        }
        let answer = connections.ask(self.question(message)?, PATIENCE).await;
        let answer = answer.map_err(|trouble| format!("no access token for the service account: {trouble}"))?;
        let token = understood(&answer, message.now);
        let token = token.ok_or_else(|| format!("no access token for the service account: {}", verdict::described(&answer)))?;
        *kept = Some(token.clone());
        Ok(token.text)
    }

    /// What a token is asked for with (RFC 7523 section 2.1).
    fn question(&self, message: &Message<'_>) -> Result<Request, String> {
        let now = message.now.div_euclid(1000);
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.account.private_key_id });
        let claims = json!({
            "iss": self.account.client_email, "scope": SCOPE, "aud": self.account.token_uri, "iat": now, "exp": now + ASSERTED,
        });
        let encoded = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encoded(&header), encoded(&claims));
        let mut signature = vec![0; self.key.public_modulus_len()];
        let done = self.key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature);
        done.map_err(|_| "the service account's key cannot sign".to_owned())?;
        let assertion = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
        let fields = form([("grant_type", GRANT), ("assertion", assertion.as_str())]);
        Draft::post(self.account.token_uri.clone(), Body::Form(fields)).ready(message.id, None, message.now)
    }
}

fn understood(answer: &Answer, now: i64) -> Option<Token> {
    #[derive(Deserialize)]
    struct Given {
        access_token: String,
        expires_in: i64,
    }
    let given: Given = serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == 200)?;
    Some(Token { text: given.access_token, until: now.saturating_add(given.expires_in.saturating_mul(1000)) })
}

fn verdict(answer: &Answer) -> Verdict {
    let mut verdict = verdict::by_status(answer);
    if answer.status == 401 {
        return Verdict::later(verdict::described(answer));
    }
    if let Some(refusal) = &mut verdict.refusal {
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let details = body.pointer("/error/details").and_then(Value::as_array).into_iter().flatten();
        let own = details.filter_map(|detail| detail.get("errorCode")).find_map(code);
        let status = own.or_else(|| body.pointer("/error/status").and_then(code));
        // The app was removed from the device.
        if status.as_deref() == Some("UNREGISTERED") {
            refusal.kind = RefusalKind::Hard;
        }
        if let Some(status) = status {
            verdict.outcome = Outcome::Failed(format!("the provider refused it with {status}"));
            refusal.status = Some(status);
        }
    }
    verdict
}
