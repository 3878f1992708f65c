//! The channels: how messages leave, and within which limits.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::settings::{SenderNote, SettingsNotes};
use super::values::environment_name;
use super::{Lowerer, OUTBOX};
use crate::diagnostic::Diagnostic;
use crate::model::{
    Channel, Deliver, DeliveryBody, Dkim, DomainLimit, HttpDelivery, OnUnknown, Path, Preset, Rate, Retry, Root, Secret,
};
use crate::place::At;
use crate::surface::{self, MapOr, OneOrMany, SettingsFile};
use crate::time::Duration;

const CONNECTIONS: u32 = 16;
/// How long the other side of a request may take, unless the settings say otherwise.
const TIMEOUT: Duration = Duration(10 * Duration::SECOND.millis());

impl Lowerer<'_> {
    pub(super) fn channels(
        &mut self,
        file: &SettingsFile,
        root: &At<'_>,
        notes: &mut SettingsNotes,
    ) -> BTreeMap<String, Channel> {
        let mut channels = BTreeMap::new();
        for (name, form) in file.channels.iter().flatten() {
            let at = root.key("channels").key(name);
            self.key_name(name, "a channel", &at);
            if matches!(name.as_str(), "any" | "call" | "html" | "txt" | "mjml") {
                let message = format!("`{name}` is no name for a channel: it means something else already");
                self.diagnostics.push(Diagnostic::error("invalid-name", at.key_location(), message));
            }
            notes.channels.insert(name.clone());
            channels.insert(name.clone(), self.channel(name, form, &at, notes));
        }
        notes.channels.insert("email".to_owned());
        channels.entry("email".to_owned()).or_insert_with(|| Channel {
            from: None,
            reply_to: None,
            return_path: None,
            to: Some(contact(&["email"])),
            deliver: Deliver::Outbox(OUTBOX.to_owned()),
            connections: CONNECTIONS as usize,
            rate: None,
            per_domain: DomainLimit::default(),
            domains: BTreeMap::new(),
            dkim: Vec::new(),
            retry: default_retry(),
            on_unknown: OnUnknown::Hold,
        });
        channels
    }

    fn channel(&mut self, name: &str, form: &surface::Channel, at: &At<'_>, notes: &mut SettingsNotes) -> Channel {
        let email = name == "email";
        let deliver = match &form.deliver {
            None if email => Deliver::Outbox(OUTBOX.to_owned()),
            None => {
                let message = format!("the channel `{name}` does not say how it delivers");
                let help =
                    "add `deliver: { post: \"https://…\", json: { … } }`, or `deliver: { preset: twilio, options: { … } }`";
                self.diagnostics.push(Diagnostic::error("missing-key", at.key_location(), message).help(help));
                Deliver::Null
            }
            Some(MapOr::Short(text)) => self.deliver(text, email, &at.key("deliver")),
            Some(MapOr::Map(form)) => self.request(form, &at.key("deliver")),
        };
        if matches!(deliver, Deliver::Smtp(_)) && !at.key("from").is_written() {
            let message = "delivery over SMTP needs a sender";
            let diagnostic = Diagnostic::error("missing-key", at.key("deliver").location(), message);
            self.diagnostics.push(diagnostic.help("add one, such as `from: Shop <hello@shop.example>`"));
        }
        if email {
            self.senders(form.from.as_ref(), form.reply_to.as_ref(), at, notes);
        }
        if let Some(address) = &form.return_path {
            self.sender(address, &at.key("return_path"));
        }
        let connections = form.connections.unwrap_or(CONNECTIONS);
        if connections == 0 {
            self.error("invalid-number", &at.key("connections"), "at least one connection is needed");
        }
        Channel {
            from: form.from.clone(),
            reply_to: form.reply_to.clone(),
            return_path: form.return_path.clone(),
            to: self.reached_at(form, &deliver, email, at),
            connections: connections.max(1) as usize,
            rate: form.rate.as_ref().and_then(|text| self.rate(text, &at.key("rate"))),
            per_domain: form
                .per_domain
                .as_ref()
                .map_or_else(DomainLimit::default, |form| self.domain_limit(form, &at.key("per_domain"))),
            domains: self.domains(form, at),
            dkim: self.dkim(form.dkim.as_ref(), &at.key("dkim")),
            retry: form.retry.as_ref().map_or_else(default_retry, |retry| self.retry(retry, default_retry(), &at.key("retry"))),
            on_unknown: match form.on_unknown {
                Some(surface::OnUnknown::Resend) => OnUnknown::Resend,
                Some(surface::OnUnknown::Hold) | None => OnUnknown::Hold,
            },
            deliver,
        }
    }

    /// Where a contact is reached: as written, else what the way of delivery needs.
    fn reached_at(&mut self, form: &surface::Channel, deliver: &Deliver, email: bool, at: &At<'_>) -> Option<Path> {
        if let Some(text) = &form.to {
            return self.path(text, &[Root::Contact], &at.key("to"));
        }
        match deliver {
            _ if email => Some(contact(&["email"])),
            Deliver::Preset(Preset::Twilio | Preset::Vonage | Preset::AliyunSms, _) => Some(contact(&["phone"])),
            Deliver::Preset(Preset::Fcm, _) => Some(contact(&["push_token"])),
            Deliver::Preset(Preset::Slack | Preset::Wecom, _) => None,
            Deliver::Http(request) => first_named(request),
            Deliver::Outbox(_) | Deliver::Smtp(_) | Deliver::Null => Some(contact(&["phone"])),
        }
    }

    fn deliver(&mut self, text: &str, email: bool, at: &At<'_>) -> Deliver {
        if text == "null:" {
            return Deliver::Null;
        }
        if let Some(folder) = text.strip_prefix("outbox:").filter(|folder| !folder.trim().is_empty()) {
            self.environment_in_path(folder, at);
            return Deliver::Outbox(folder.to_owned());
        }
        let host = text.strip_prefix("smtp://").or_else(|| text.strip_prefix("smtps://"));
        if host.is_some_and(|host| !host.trim_matches('/').is_empty() && !host.contains(char::is_whitespace))
            || environment_name(text).is_some()
        {
            if !email {
                let help = "write a request: `deliver: { post: \"https://…\", json: { … } }`, or `outbox:sms/`";
                self.error_help("invalid-deliver", at, "only the channel `email` delivers by SMTP", help);
            }
            return Deliver::Smtp(Secret(text.to_owned()));
        }
        let help = "write `outbox:outbox/`, `smtp://HOST:PORT`, `smtps://USER:${SMTP_PASSWORD}@HOST:465` or `null:`";
        // The text is not shown: a password may stand in it.
        self.error_help("invalid-deliver", at, "this is no way to deliver", help);
        Deliver::Null
    }

    fn request(&mut self, form: &surface::DeliverCall, at: &At<'_>) -> Deliver {
        let timeout = form.timeout.as_ref().map_or(TIMEOUT, |text| self.timeout(text, &at.key("timeout")));
        let options = || form.options.iter().flatten().map(|(name, text)| (name.clone(), Secret(text.clone()))).collect();
        match (&form.post, form.preset) {
            (None, Some(preset)) => Deliver::Preset(self.preset(preset, form, at), options()),
            (Some(url), None) => {
                let body = match (&form.json, &form.form) {
                    (Some(_), Some(_)) => {
                        self.error("misplaced-key", &at.key("form"), "a request has `json` or `form`, not both");
                        DeliveryBody::Json(Map::new())
                    }
                    (json, None) => DeliveryBody::Json(json.clone().unwrap_or_default()),
                    (None, Some(form)) => {
                        DeliveryBody::Form(form.iter().map(|(name, text)| (name.clone(), Secret(text.clone()))).collect())
                    }
                };
                self.web_address(url, &at.key("post"));
                self.header_names(form.headers.as_ref(), &at.key("headers"));
                let headers = form.headers.iter().flatten().map(|(name, text)| (name.clone(), Secret(text.clone()))).collect();
                let sign = form.sign.as_ref().map(|text| Secret(text.clone()));
                Deliver::Http(HttpDelivery { url: Secret(url.clone()), headers, body, sign, timeout })
            }
            (Some(_), Some(_)) => {
                self.error("misplaced-key", &at.key("preset"), "a request is written out (`post`) or a `preset`, not both");
                Deliver::Null
            }
            (None, None) => {
                self.error_help("missing-key", at, "this says not where to deliver", "add `post: \"https://…\"`, or a `preset`");
                Deliver::Null
            }
        }
    }

    fn preset(&mut self, preset: surface::Preset, form: &surface::DeliverCall, at: &At<'_>) -> Preset {
        let preset = match preset {
            surface::Preset::Twilio => Preset::Twilio,
            surface::Preset::Vonage => Preset::Vonage,
            surface::Preset::AliyunSms => Preset::AliyunSms,
            surface::Preset::Fcm => Preset::Fcm,
            surface::Preset::Slack => Preset::Slack,
            surface::Preset::Wecom => Preset::Wecom,
        };
        let (needed, allowed) = preset.options();
        let at = at.key("options");
        for name in needed {
            if form.options.as_ref().is_none_or(|options| !options.contains_key(*name)) {
                let message = format!("this preset needs `options.{name}`");
                let help = format!("it takes {}", needed.iter().chain(allowed).copied().collect::<Vec<_>>().join(", "));
                self.diagnostics.push(Diagnostic::error("missing-key", at.key_location(), message).help(help));
            }
        }
        for name in form.options.iter().flatten().map(|(name, _)| name) {
            if !needed.iter().chain(allowed).any(|known| known == name) {
                let message = format!("this preset has no option `{name}`");
                let help = format!("it takes {}", needed.iter().chain(allowed).copied().collect::<Vec<_>>().join(", "));
                self.diagnostics.push(Diagnostic::error("unknown-key", at.key(name).key_location(), message).help(help));
            }
        }
        preset
    }

    /// An address that can be called; its host may come from a template or the environment.
    pub(super) fn web_address(&mut self, url: &str, at: &At<'_>) {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let whole = url.starts_with("${") || url.starts_with("{{");
        if !whole && rest.is_none_or(|rest| rest.trim_matches('/').is_empty()) {
            // The text is not shown: a password may stand in it.
            self.error_help("invalid-url", at, "this is no address to call", "write `https://HOST/PATH`");
        }
    }

    /// Field names (RFC 9110 section 5.1) that are not the runner's own.
    pub(super) fn header_names(&mut self, headers: Option<&BTreeMap<String, String>>, at: &At<'_>) {
        for name in headers.into_iter().flatten().map(|(name, _)| name) {
            let token =
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
            let own = ["host", "content-length", "transfer-encoding", "connection", "content-type"];
            if !token || own.contains(&name.to_ascii_lowercase().as_str()) {
                let message = format!("`{name}` cannot be a header here");
                self.diagnostics.push(Diagnostic::error("invalid-name", at.key(name).key_location(), message));
            }
        }
    }

    /// Above nothing, and at most a minute.
    pub(super) fn timeout(&mut self, text: &str, at: &At<'_>) -> Duration {
        let span = self.span(text, at);
        if span > Duration::MINUTE {
            self.error_help(
                "invalid-duration",
                at,
                format!("`{text}` is too long to wait for an answer"),
                "write at most `1 minute`",
            );
        }
        span
    }

    fn environment_in_path(&mut self, text: &str, at: &At<'_>) {
        if let Some(name) = environment_name(text) {
            self.error("environment", at, format!("`${{{name}}}` cannot stand in a folder's name"));
        }
    }

    pub(super) fn senders(&mut self, from: Option<&String>, reply_to: Option<&String>, at: &At<'_>, notes: &mut SettingsNotes) {
        for (text, key) in [(from, "from"), (reply_to, "reply_to")] {
            if let Some(text) = text {
                self.sender(text, &at.key(key));
            }
        }
        notes.senders.extend(from.map(|from| SenderNote {
            address: from.split_once('<').map_or(from.as_str(), |(_, rest)| rest.trim_end_matches('>')).trim().to_owned(),
            at: at.key("from").location(),
            answered_elsewhere: reply_to.is_some(),
        }));
    }

    /// `Shop <hello@shop.example>` or `hello@shop.example` (RFC 5322 section 3.4, without comments and groups).
    fn sender(&mut self, text: &str, at: &At<'_>) {
        let address = match text.split_once('<') {
            Some((_, rest)) => rest.strip_suffix('>').unwrap_or_default(),
            None => text,
        };
        let good = address.split_once('@').is_some_and(|(local, domain)| {
            let bad = |c: char| c.is_whitespace() || c.is_control() || "<>@,;".contains(c);
            !local.is_empty() && !domain.is_empty() && !local.contains(bad) && !domain.contains(bad)
        });
        if !good || text.chars().any(char::is_control) {
            self.error_help("invalid-address", at, format!("`{text}` is no sender"), "write `Shop <hello@shop.example>`");
        }
    }

    fn domains(&mut self, form: &surface::Channel, at: &At<'_>) -> BTreeMap<String, DomainLimit> {
        let at = at.key("domains");
        let limits = form.domains.iter().flatten();
        limits.map(|(domain, form)| (domain.to_ascii_lowercase(), self.domain_limit(form, &at.key(domain)))).collect()
    }

    fn domain_limit(&mut self, form: &surface::DomainLimit, at: &At<'_>) -> DomainLimit {
        if form.connections == Some(0) {
            self.error("invalid-number", &at.key("connections"), "at least one connection is needed");
        }
        DomainLimit {
            connections: form.connections.map(|connections| connections.max(1) as usize),
            rate: form.rate.as_ref().and_then(|text| self.rate(text, &at.key("rate"))),
        }
    }

    fn dkim(&mut self, form: Option<&OneOrMany<surface::Dkim>>, at: &At<'_>) -> Vec<Dkim> {
        let one = |form: &surface::Dkim| Dkim {
            domain: form.domain.to_ascii_lowercase(),
            selector: form.selector.clone(),
            key: Secret(form.key.clone()),
        };
        let (forms, places): (Vec<&surface::Dkim>, Vec<At<'_>>) = match form {
            None => return Vec::new(),
            Some(OneOrMany::One(form)) => (vec![form], vec![at.clone()]),
            Some(OneOrMany::Many(forms)) => (forms.iter().collect(), (0..forms.len()).map(|index| at.item(index)).collect()),
        };
        for (form, at) in forms.iter().zip(&places) {
            for (text, key) in [(&form.domain, "domain"), (&form.selector, "selector")] {
                let label = |label: &str| {
                    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
                };
                if !text.split('.').all(label) {
                    let help =
                        "write a domain such as `shop.example`, in punycode where it has other letters; a selector such as `s1`";
                    self.error_help("invalid-name", &at.key(key), format!("`{text}` is no {key} for DKIM"), help);
                }
            }
        }
        forms.into_iter().map(one).collect()
    }

    /// "50 per second", "600 per minute".
    fn rate(&mut self, text: &str, at: &At<'_>) -> Option<Rate> {
        let rate = text.split_once(" per ").and_then(|(count, unit)| {
            let count: u32 = count.trim().parse().ok().filter(|count| *count > 0)?;
            let per = match unit.trim() {
                "second" => Duration::SECOND,
                "minute" => Duration::MINUTE,
                "hour" => Duration::HOUR,
                "day" => Duration::DAY,
                _ => return None,
            };
            Some(Rate { count, per })
        });
        if rate.is_none() {
            self.error_help(
                "invalid-rate",
                at,
                format!("`{text}` is no rate"),
                "write `50 per second`, `600 per minute` or `1000 per hour`",
            );
        }
        rate
    }

    pub(super) fn retry(&mut self, form: &surface::Retry, default: Retry, at: &At<'_>) -> Retry {
        let mut part = |text: &Option<String>, key: &str, default: Duration| match text {
            Some(text) => self.span(text, &at.key(key)),
            None => default,
        };
        Retry {
            first: part(&form.first, "first", default.first),
            most: part(&form.most, "most", default.most),
            for_: part(&form.span, "for", default.for_),
        }
    }
}

pub(super) fn default_retry() -> Retry {
    Retry { first: Duration::SECOND, most: Duration(5 * Duration::MINUTE.millis()), for_: Duration(2 * Duration::DAY.millis()) }
}

fn contact(keys: &[&str]) -> Path {
    Path { root: Root::Contact, keys: keys.iter().map(|key| (*key).to_owned()).collect() }
}

/// The first `contact.…` that a template of the request names, looked for in the body, the URL and the headers, in this order.
fn first_named(request: &HttpDelivery) -> Option<Path> {
    fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::String(text) => found.push(text),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(map) => map.values().for_each(|item| texts(item, found)),
            _ => {}
        }
    }
    let mut all = Vec::new();
    match &request.body {
        DeliveryBody::Json(map) => map.values().for_each(|value| texts(value, &mut all)),
        DeliveryBody::Form(fields) => all.extend(fields.values().map(|text| text.0.as_str())),
    }
    all.push(&request.url.0);
    all.extend(request.headers.values().map(|text| text.0.as_str()));
    all.into_iter().find_map(named_contact)
}

fn named_contact(text: &str) -> Option<Path> {
    let expressions = text.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(expression, _)| expression);
    let word = |c: char| c.is_alphanumeric() || c == '_' || c == '.' || c == '-';
    expressions
        .flat_map(|expression| expression.split(move |c: char| !word(c)))
        .find_map(|name| name.strip_prefix("contact."))
        .map(|rest| contact(&rest.split('.').collect::<Vec<_>>()))
}
