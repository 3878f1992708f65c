//! The settings, with every default filled in.

use std::collections::{BTreeMap, BTreeSet};

use super::notes::Named;
use super::topics::tracking;
use super::{Context, Lowerer};
use crate::diagnostic::{Diagnostic, Location};
use crate::model::{FrequencyCap, Http, InvalidData, Retention, Secret, Settings, Tracking};
use crate::place::At;
use crate::surface::{self, RuleLevel, SettingsFile};
use crate::template::Library;
use crate::time::{Duration, Window};

const STORE: &str = "state/campaignd.db";
const LISTEN: &str = "127.0.0.1:8420";

/// What the checks want to know of the settings.
#[derive(Debug, Default)]
pub(crate) struct SettingsNotes {
    /// Topics that frequency caps name.
    pub topics: Vec<Named>,
    /// Channels that frequency caps name.
    pub limited: Vec<Named>,
    /// Channels that are configured.
    pub channels: BTreeSet<String>,
    /// Senders of mails.
    pub senders: Vec<SenderNote>,
    /// Where each frequency cap is written.
    pub caps: Vec<Location>,
    /// Where secrets are written that should come from the environment.
    pub written_secrets: Vec<Location>,
    /// Where the quiet hours are written.
    pub quiet_hours: Option<Location>,
    /// What diagnostics are in this project.
    pub rules: Vec<RuleNote>,
}

/// A code under `rules:`.
#[derive(Debug)]
pub(crate) struct RuleNote {
    pub code: String,
    pub at: Location,
    pub level: RuleLevel,
}

/// A sender of mails.
#[derive(Debug)]
pub(crate) struct SenderNote {
    /// Without the name and angle brackets.
    pub address: String,
    pub at: Location,
    /// Answers go to another address.
    pub answered_elsewhere: bool,
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
        let rules = root.key("rules");
        let note = |(code, level): (&String, &RuleLevel)| RuleNote {
            code: code.clone(),
            at: rules.key(code).key_location(),
            level: *level,
        };
        notes.rules = file.rules.iter().flatten().map(note).collect();
        let limits = file.limits.as_ref();
        let limits_at = root.key("limits");
        notes.quiet_hours =
            limits.and_then(|limits| limits.quiet_hours.as_ref()).map(|_| limits_at.key("quiet_hours").location());
        let quiet_hours = limits.and_then(|limits| limits.quiet_hours.as_ref());
        Settings {
            project: file.project.clone(),
            time_zone: self.project_zone(file, root),
            locale: self.locale(file.locale.as_deref(), &root.key("locale")),
            url: file.url.as_ref().map(|url| self.url(url, &root.key("url"))),
            store: self.store(file.store.as_deref(), &root.key("store")),
            channels: self.channels(file, root, notes),
            topics: self.topics(file, root, notes),
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
            tracking: tracking(file.tracking.as_ref(), Tracking::default()),
            bounces: self.bounces(file.bounces.as_ref(), &root.key("bounces")),
            secrets: self.secrets(file.secrets.as_ref(), &root.key("secrets")),
            private_hosts: self.private_hosts(file.private_hosts.as_ref(), &root.key("private_hosts")),
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
                notes.caps.push(here.location());
                let topic = form.topic.clone().filter(|topic| topic != "any");
                notes.topics.extend(topic.iter().map(|topic| Named { name: topic.clone(), at: here.key("topic").location() }));
                let channel = form.channel.clone().filter(|channel| channel != "any");
                notes.limited.extend(channel.iter().map(|name| Named { name: name.clone(), at: here.key("channel").location() }));
                FrequencyCap { at_most: form.at_most, per: self.span(&form.per, &here.key("per")), topic, channel }
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

    fn secrets(&mut self, form: Option<&BTreeMap<String, String>>, at: &At<'_>) -> BTreeMap<String, Secret> {
        let mut secrets = BTreeMap::new();
        for (name, text) in form.into_iter().flatten() {
            self.key_name(name, "a secret", &at.key(name));
            secrets.insert(name.clone(), Secret(text.clone()));
        }
        secrets
    }

    /// Names and addresses, without scheme, port and path.
    fn private_hosts(&mut self, form: Option<&Vec<String>>, at: &At<'_>) -> Vec<String> {
        let mut hosts = Vec::new();
        for (index, host) in form.into_iter().flatten().enumerate() {
            let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok();
            let name = !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
            if !address && !name {
                let help = "write a name or an address alone, such as `crm.internal` or `127.0.0.1`";
                self.error_help("invalid-host", &at.item(index), format!("`{host}` is no host"), help);
            }
            hosts.push(host.trim_matches(['[', ']']).to_ascii_lowercase());
        }
        hosts
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
}
