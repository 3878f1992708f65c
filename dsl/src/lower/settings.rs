//! The settings, with every default filled in.

use std::collections::{BTreeMap, BTreeSet};

use super::notes::Named;
use super::values::environment_name;
use super::{Context, Lowerer};
use crate::diagnostic::Diagnostic;
use crate::model::{
    Channel, Deliver, FrequencyCap, Http, InvalidData, OnUnknown, Rate, Retention, Retry, Secret, Settings, Topic,
};
use crate::place::At;
use crate::surface::{self, MapOr, SettingsFile};
use crate::template::Library;
use crate::time::{Duration, Window};

const STORE: &str = "state/campaignd.db";
const OUTBOX: &str = "outbox/";
const LISTEN: &str = "127.0.0.1:8420";
const CONNECTIONS: u32 = 16;

/// What the checks want to know of the settings.
#[derive(Debug, Default)]
pub(crate) struct SettingsNotes {
    /// Topics that frequency caps name.
    pub topics: Vec<Named>,
    /// Channels that are configured, usable in this release or not.
    pub channels: BTreeSet<String>,
}

/// Lowers settings whose shape is right.
pub(crate) fn lower_settings(file: &SettingsFile, root: &At<'_>, out: &mut Vec<Diagnostic>) -> (Settings, SettingsNotes) {
    let library = Library::default();
    let mut lowerer = Lowerer::new(&Context { library: &library, zone: "UTC", whole: true });
    let mut notes = SettingsNotes::default();
    let settings = lowerer.settings(file, root, &mut notes);
    out.append(&mut lowerer.diagnostics);
    (settings, notes)
}

impl Lowerer<'_> {
    fn settings(&mut self, file: &SettingsFile, root: &At<'_>, notes: &mut SettingsNotes) -> Settings {
        self.name(&file.project, "a project", &root.key("project"));
        let limits = file.limits.as_ref();
        let limits_at = root.key("limits");
        let quiet_hours = limits.and_then(|limits| limits.quiet_hours.as_ref());
        self.later(file, root);
        Settings {
            project: file.project.clone(),
            time_zone: self.project_zone(file, root),
            locale: self.locale(file.locale.as_deref(), &root.key("locale")),
            url: file.url.as_ref().map(|url| self.url(url, &root.key("url"))),
            store: self.store(file.store.as_deref(), &root.key("store")),
            channels: self.channels(file, root, notes),
            topics: self.topics(file, root),
            quiet_hours: quiet_hours.and_then(|text| self.quiet_hours(text, &limits_at.key("quiet_hours"))),
            frequency: self.frequency(limits, &limits_at.key("frequency"), notes),
            spread: self.or(
                limits.and_then(|limits| limits.spread.as_ref()),
                &limits_at.key("spread"),
                15 * Duration::MINUTE.millis(),
            ),
            http: self.http(file.http.as_ref(), &root.key("http")),
            stop_within: self.or(file.stop_within.as_ref(), &root.key("stop_within"), 20 * Duration::SECOND.millis()),
            grace: self.or(file.grace.as_ref(), &root.key("grace"), Duration::HOUR.millis()),
            retention: self.retention(file.retention.as_ref(), &root.key("retention")),
            invalid_data: match file.invalid_data {
                Some(surface::InvalidData::Accept) => InvalidData::Accept,
                Some(surface::InvalidData::Reject) | None => InvalidData::Reject,
            },
            open_contract: matches!(file.contract, Some(surface::ContractMode::Open)),
        }
    }

    fn or(&mut self, text: Option<&String>, at: &At<'_>, default: i64) -> Duration {
        text.map_or(Duration(default), |text| self.duration(text, at))
    }

    fn project_zone(&mut self, file: &SettingsFile, root: &At<'_>) -> String {
        match &file.time_zone {
            Some(name) => {
                self.zone(name, &root.key("time_zone"));
                name.clone()
            }
            None if root.key("time_zone").is_written() => "UTC".to_owned(),
            None => {
                let message = "the project names no `time_zone`; UTC is used";
                let diagnostic = Diagnostic::warning("no-time-zone", root.key("project").key_location(), message);
                self.diagnostics.push(diagnostic.help("add one, such as `time_zone: Europe/Berlin`"));
                "UTC".to_owned()
            }
        }
    }

    /// A language tag: letters and digits in groups of at most eight (RFC 5646 section 2.1).
    fn locale(&mut self, written: Option<&str>, at: &At<'_>) -> String {
        let locale = written.unwrap_or("en");
        let mut groups = locale.split('-');
        let language = groups.next().unwrap_or_default();
        let good = (2..=3).contains(&language.len())
            && language.chars().all(|c| c.is_ascii_alphabetic())
            && groups.all(|group| (1..=8).contains(&group.len()) && group.chars().all(|c| c.is_ascii_alphanumeric()));
        if !good {
            self.error_help("invalid-locale", at, format!("`{locale}` is no language tag"), "write `en`, `de` or `pt-BR`");
        }
        locale.to_owned()
    }

    fn url(&mut self, url: &str, at: &At<'_>) -> String {
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
        let good = rest.is_some_and(|rest| {
            !rest.trim_matches('/').is_empty() && !rest.contains(|c: char| c.is_whitespace() || "?#".contains(c))
        });
        if !good {
            self.error_help(
                "invalid-url",
                at,
                format!("`{url}` is no public address"),
                "write one such as https://mail.shop.example",
            );
        }
        url.trim_end_matches('/').to_owned()
    }

    fn store(&mut self, written: Option<&str>, at: &At<'_>) -> String {
        match written {
            None => STORE.to_owned(),
            Some(text) => match text.strip_prefix("sqlite:").filter(|path| !path.trim().is_empty()) {
                Some(path) => path.to_owned(),
                None => {
                    self.error_help("invalid-store", at, format!("`{text}` is no store"), format!("write `sqlite:{STORE}`"));
                    STORE.to_owned()
                }
            },
        }
    }

    fn channels(&mut self, file: &SettingsFile, root: &At<'_>, notes: &mut SettingsNotes) -> BTreeMap<String, Channel> {
        let mut channels = BTreeMap::new();
        for (name, form) in file.channels.iter().flatten() {
            let at = root.key("channels").key(name);
            self.key_name(name, "a channel", &at);
            notes.channels.insert(name.clone());
            if name == "email" {
                channels.insert(name.clone(), self.channel(form, &at));
            } else {
                self.not_yet(&at, "channels other than email come");
            }
        }
        notes.channels.insert("email".to_owned());
        channels.entry("email".to_owned()).or_insert_with(|| Channel {
            from: None,
            deliver: Deliver::Outbox(OUTBOX.to_owned()),
            connections: CONNECTIONS as usize,
            rate: None,
            retry: default_retry(),
            on_unknown: OnUnknown::Hold,
        });
        channels
    }

    fn channel(&mut self, form: &surface::Channel, at: &At<'_>) -> Channel {
        let deliver = match &form.deliver {
            None => Deliver::Outbox(OUTBOX.to_owned()),
            Some(MapOr::Short(text)) => self.deliver(text, &at.key("deliver")),
            Some(MapOr::Map(_)) => {
                self.not_yet(&at.key("deliver"), "delivery by HTTP comes");
                Deliver::Null
            }
        };
        if matches!(deliver, Deliver::Smtp(_)) && !at.key("from").is_written() {
            let message = "delivery over SMTP needs a sender";
            let diagnostic = Diagnostic::error("missing-key", at.key("deliver").location(), message);
            self.diagnostics.push(diagnostic.help("add one, such as `from: Shop <hello@shop.example>`"));
        }
        if let Some(from) = &form.from {
            self.sender(from, &at.key("from"));
        }
        if form.dkim.is_some() {
            self.no_effect(&at.key("dkim"));
        }
        let connections = form.connections.unwrap_or(CONNECTIONS);
        if connections == 0 {
            self.error("invalid-number", &at.key("connections"), "at least one connection is needed");
        }
        Channel {
            from: form.from.clone(),
            deliver,
            connections: connections.max(1) as usize,
            rate: form.rate.as_ref().and_then(|text| self.rate(text, &at.key("rate"))),
            retry: form.retry.as_ref().map_or_else(default_retry, |retry| self.retry(retry, &at.key("retry"))),
            on_unknown: match form.on_unknown {
                Some(surface::OnUnknown::Resend) => OnUnknown::Resend,
                Some(surface::OnUnknown::Hold) | None => OnUnknown::Hold,
            },
        }
    }

    fn deliver(&mut self, text: &str, at: &At<'_>) -> Deliver {
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
            return Deliver::Smtp(Secret(text.to_owned()));
        }
        let help = "write `outbox:outbox/`, `smtp://HOST:PORT`, `smtps://USER:${SMTP_PASSWORD}@HOST:465` or `null:`";
        // The text is not shown: a password may stand in it.
        self.error_help("invalid-deliver", at, "this is no way to deliver", help);
        Deliver::Null
    }

    fn environment_in_path(&mut self, text: &str, at: &At<'_>) {
        if let Some(name) = environment_name(text) {
            self.error("environment", at, format!("`${{{name}}}` cannot stand in a folder's name"));
        }
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

    fn retry(&mut self, form: &surface::Retry, at: &At<'_>) -> Retry {
        let default = default_retry();
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

    fn topics(&mut self, file: &SettingsFile, root: &At<'_>) -> BTreeMap<String, Topic> {
        let mut topics = BTreeMap::new();
        for (name, form) in file.topics.iter().flatten() {
            let at = root.key("topics").key(name);
            self.key_name(name, "a topic", &at);
            if matches!(name.as_str(), "all" | "any") {
                let message = format!("`{name}` is no name for a topic: it stands for every topic");
                self.diagnostics.push(Diagnostic::error("invalid-name", at.key_location(), message));
            }
            let confirm = form.confirm.unwrap_or_default();
            if confirm {
                self.no_effect(&at.key("confirm"));
            }
            let subscribed_by_default = matches!(form.default, Some(surface::TopicDefault::Subscribed));
            topics.insert(name.clone(), Topic { title: form.title.clone(), subscribed_by_default, confirm });
        }
        topics
    }

    fn quiet_hours(&mut self, text: &str, at: &At<'_>) -> Option<Window> {
        match Window::parse(text) {
            Ok(window) => Some(window),
            Err(error) => {
                self.error("invalid-time", at, error.to_string());
                None
            }
        }
    }

    fn frequency(&mut self, limits: Option<&surface::Limits>, at: &At<'_>, notes: &mut SettingsNotes) -> Vec<FrequencyCap> {
        let caps = limits.and_then(|limits| limits.frequency.as_ref()).into_iter().flatten();
        caps.enumerate()
            .map(|(index, form)| {
                let here = at.item(index);
                let topic = form.topic.clone().filter(|topic| topic != "any");
                notes.topics.extend(topic.iter().map(|topic| Named { name: topic.clone(), at: here.key("topic").location() }));
                FrequencyCap { at_most: form.at_most, per: self.span(&form.per, &here.key("per")), topic }
            })
            .collect()
    }

    fn http(&mut self, form: Option<&surface::Http>, at: &At<'_>) -> Http {
        let listen = form.and_then(|form| form.listen.as_deref()).unwrap_or(LISTEN);
        let port = listen.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
        if !matches!(port, Some(Ok(_))) {
            self.error_help(
                "invalid-listen",
                &at.key("listen"),
                format!("`{listen}` is no place to listen"),
                format!("write `{LISTEN}`"),
            );
        }
        let keys = form.and_then(|form| form.keys.as_ref()).into_iter().flatten().map(|key| Secret(key.clone())).collect();
        Http { listen: listen.to_owned(), keys }
    }

    /// What is read and has no effect in this release.
    fn later(&mut self, file: &SettingsFile, root: &At<'_>) {
        let tracking = root.key("tracking");
        let (opens, clicks) = file.tracking.as_ref().map_or((None, None), |form| (form.opens, form.clicks));
        for (key, on) in [("opens", opens), ("clicks", clicks)] {
            if on == Some(true) {
                self.no_effect(&tracking.key(key));
            }
        }
    }

    fn retention(&mut self, form: Option<&surface::Retention>, at: &At<'_>) -> Retention {
        let mut part = |text: Option<&String>, at: At<'_>| {
            let before = self.diagnostics.len();
            let span = self.optional_span(text, &at)?;
            if span < Duration::DAY && self.diagnostics.len() == before {
                let help = "write at least `1 day`, or leave it out to keep everything";
                self.error_help("invalid-duration", &at, "what happened is kept for at least a day", help);
            }
            Some(span)
        };
        Retention {
            events: part(form.and_then(|form| form.events.as_ref()), at.key("events")),
            messages: part(form.and_then(|form| form.messages.as_ref()), at.key("messages")),
        }
    }

    fn no_effect(&mut self, at: &At<'_>) {
        let message = format!("`{}` has no effect in this release of campaignd", at.name());
        self.diagnostics.push(Diagnostic::warning("not-yet", at.key_location(), message));
    }
}

fn default_retry() -> Retry {
    Retry { first: Duration::SECOND, most: Duration(5 * Duration::MINUTE.millis()), for_: Duration(2 * Duration::DAY.millis()) }
}
