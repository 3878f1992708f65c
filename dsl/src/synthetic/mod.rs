//! Reading a synthetic audience: a file beside the project, about what the project knows.

mod events;
mod known;
mod values;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::compile::{document, typed};
use crate::diagnostic::{Diagnostic, Severity};
use crate::lower::values::is_name;
use crate::model::{Catalog, Profile, SyntheticAudience};
use crate::place::{At, suggestion};
use crate::structure::{self, Form};
use crate::surface::{self, AudienceFile};
use crate::template::canonical_locale;
use crate::time::{Duration, known_zone};
use values::{ALL, NOBODY};

/// Reads an audience and holds it against the project it is for; `file` is what diagnostics call it. `None` where anything is an error; what is
/// only odd is a warning beside it.
pub fn read_audience(file: &str, text: &str, catalog: &Catalog) -> (Option<SyntheticAudience>, Vec<Diagnostic>) {
    let mut out = Vec::new();
    let audience = read(file, text, catalog, &mut out);
    out.sort_by(|a, b| (&a.location, a.code, &a.message).cmp(&(&b.location, b.code, &b.message)));
    out.dedup();
    let sound = !out.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    (audience.filter(|_| sound), out)
}

fn read(file: &str, text: &str, catalog: &Catalog, out: &mut Vec<Diagnostic>) -> Option<SyntheticAudience> {
    let mut document = document(file, text, "an audience, beginning with `audience: NAME`", out)?;
    let usable = structure::check(&mut document, Form::audience(), out);
    let written = if usable { typed::<AudienceFile>(&document, out) } else { None }?;
    let whole = !out.iter().any(|found| found.severity == Severity::Error);
    let root = At::root(&document);
    let audience = Reading { catalog, out }.audience(&written, &root, whole);
    Some(audience)
}

/// The state of reading one file.
struct Reading<'a> {
    catalog: &'a Catalog,
    out: &'a mut Vec<Diagnostic>,
}

impl Reading<'_> {
    /// `whole`: nothing of the file was left out because its shape is wrong.
    fn audience(&mut self, file: &AudienceFile, root: &At<'_>, whole: bool) -> SyntheticAudience {
        if !is_name(&file.audience) {
            let help = "use lower-case letters, digits, and - or _ between them, beginning with a letter";
            self.error(
                "invalid-name",
                &root.key("audience"),
                format!("`{}` is no good name for an audience", file.audience),
                help,
            );
        }
        let crowd = root.key("contacts");
        let audience = SyntheticAudience {
            name: file.audience.clone(),
            at_start: file.contacts.at_start.unwrap_or_default(),
            history: file.contacts.history.as_ref().map_or(Duration::default(), |text| self.span(text, &crowd.key("history"))),
            arrive: file.contacts.arrive.as_ref().map_or(0.0, |text| self.rate(text, &crowd.key("arrive"))),
            profile: self.profile(file.profile.as_ref(), &root.key("profile")),
            sources: self.sources(file.events.as_deref().unwrap_or_default(), &root.key("events")),
            reactions: self.reactions(file.reactions.as_deref().unwrap_or_default(), &root.key("reactions")),
        };
        self.check_follows(&audience, &root.key("events"));
        // What is missing because it could not be read breaks no contract.
        if whole {
            self.hold_against_contract(&audience, root);
        }
        audience
    }

    fn profile(&mut self, profile: Option<&surface::Profile>, at: &At<'_>) -> Profile {
        let default = surface::Profile::default();
        let form = profile.unwrap_or(&default);
        let share = |reading: &mut Self, value: Option<&surface::Scalar>, key: &str, default: f64| {
            value.map_or(default, |value| reading.chance(value, &at.key(key)))
        };
        let profile = Profile {
            email: share(self, form.email.as_ref(), "email", ALL),
            phone: share(self, form.phone.as_ref(), "phone", NOBODY),
            locale: form.locale.as_ref().map(|value| self.drawn(value, &at.key("locale"))),
            time_zone: form.time_zone.as_ref().map(|value| self.drawn(value, &at.key("time_zone"))),
            topics: self.topics(form.topics.as_ref(), &at.key("topics")),
            attributes: form.attributes.as_ref().map_or_else(Vec::new, |map| self.all_drawn(map, &at.key("attributes"))),
        };
        for (key, drawn) in [("locale", &profile.locale), ("time_zone", &profile.time_zone)] {
            let Some(drawn) = drawn else { continue };
            for value in values::samples(&drawn.how) {
                self.own_field(key, &value, &at.key(key));
            }
        }
        profile
    }

    fn own_field(&mut self, key: &str, value: &serde_json::Value, at: &At<'_>) {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if key == "time_zone" && !value.as_str().is_some_and(known_zone) {
            self.error("invalid-zone", at, format!("`{text}` is no time zone"), "write an IANA name, such as Europe/Berlin");
        }
        if key == "locale" && value.as_str().and_then(canonical_locale).is_none() {
            self.error("invalid-locale", at, format!("`{text}` is no language tag"), "write `en`, `de` or `pt-BR`");
        }
    }

    fn topics(&mut self, topics: Option<&BTreeMap<String, surface::Scalar>>, at: &At<'_>) -> BTreeMap<String, f64> {
        let mut shares = BTreeMap::new();
        let known = self.catalog.settings.clone();
        for (name, share) in topics.into_iter().flatten() {
            let here = at.key(name);
            if !known.topics.contains_key(name) {
                let help = suggestion(name, known.topics.keys().map(String::as_str), "topics");
                let diagnostic = Diagnostic::error(
                    "unknown-topic",
                    here.key_location(),
                    format!("there is no topic `{name}` in campaignd.yaml"),
                );
                self.out.push(Diagnostic { help, ..diagnostic });
            }
            shares.insert(name.clone(), self.chance(share, &here));
        }
        shares
    }

    fn error(&mut self, code: &'static str, at: &At<'_>, message: impl Into<String>, help: impl Into<String>) {
        self.out.push(Diagnostic::error(code, at.location(), message).help(help));
    }
}
