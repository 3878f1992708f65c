//! Mails that come back: when an address is given up, and where reports arrive.

use std::collections::BTreeMap;

use super::Lowerer;
use crate::diagnostic::Diagnostic;
use crate::model::{Bounces, Provider, Secret, Webhook};
use crate::place::At;
use crate::surface;

impl Lowerer<'_> {
    pub(super) fn bounces(&mut self, form: Option<&surface::Bounces>, at: &At<'_>) -> Bounces {
        let default = Bounces::default();
        let Some(form) = form else { return default };
        let soft = form.soft.as_ref();
        let webhooks = form.webhooks.iter().flatten();
        let webhooks: BTreeMap<String, Webhook> =
            webhooks.map(|(name, form)| (name.clone(), self.webhook(name, form, &at.key("webhooks").key(name)))).collect();
        Bounces {
            soft_count: soft.and_then(|soft| soft.count).unwrap_or(default.soft_count).max(1),
            soft_within: match soft.and_then(|soft| soft.within.as_ref()) {
                Some(text) => self.span(text, &at.key("soft").key("within")),
                None => default.soft_within,
            },
            maildir: form.maildir.clone(),
            webhooks,
        }
    }

    fn webhook(&mut self, name: &str, form: &surface::Webhook, at: &At<'_>) -> Webhook {
        self.key_name(name, "a webhook", at);
        let provider = match form.provider {
            surface::Provider::Ses => Provider::Ses,
            surface::Provider::Sendgrid => Provider::Sendgrid,
            surface::Provider::Mailgun => Provider::Mailgun,
            surface::Provider::Postmark => Provider::Postmark,
            surface::Provider::Dsn => Provider::Dsn,
        };
        match (provider, &form.key) {
            (Provider::Dsn, Some(_)) => {
                self.error("misplaced-key", &at.key("key"), "raw messages come with one of the write keys (`http.keys`)");
            }
            (Provider::Dsn, None) | (_, Some(_)) => {}
            (_, None) => {
                let message = "without a `key` anybody could send this";
                let help = "ses: the topic's ARN; sendgrid: the public key; mailgun: the signing key; postmark: `user:password`";
                self.diagnostics.push(Diagnostic::error("missing-key", at.key_location(), message).help(help));
            }
        }
        Webhook { provider, key: form.key.as_ref().map(|key| Secret(key.clone())) }
    }
}
