//! Whom a message is made for: their language and zone, which decide how dates and numbers look.

use std::cell::RefCell;
use std::rc::Rc;

use jiff::tz::TimeZone;

use super::formats::Formats;

/// Whom one message is made for, and how it reaches them.
#[derive(Debug, Clone)]
pub struct Addressee<'a> {
    pub channel: &'a str,
    /// The contact's language, as their data has it.
    pub locale: Option<&'a str>,
    /// The language that the project's settings name.
    pub project_locale: &'a str,
    /// The contact's zone, else the project's.
    pub zone: TimeZone,
    /// It needs consent, and a way out of it.
    pub marketing: bool,
    /// When it is made: ms since 1970 UTC.
    pub now: i64,
}

impl Default for Addressee<'_> {
    /// A mail without marketing, in English and UTC.
    fn default() -> Self {
        Addressee { channel: "email", locale: None, project_locale: "en", zone: TimeZone::UTC, marketing: false, now: 0 }
    }
}

impl Addressee<'_> {
    /// The language of what has no languages to choose from: theirs, else the project's.
    pub(super) fn language(&self) -> String {
        let known = self.locale.and_then(dsl::template::canonical_locale);
        known.or_else(|| dsl::template::canonical_locale(self.project_locale)).unwrap_or_else(|| "en".to_owned())
    }
}

/// How the message at hand writes dates and numbers.
#[derive(Clone)]
pub(super) struct Manner {
    pub formats: Rc<Formats>,
    pub zone: TimeZone,
}

thread_local! {
    /// Handlebars gives helpers nothing of the call's own; one message is made on one thread.
    static PRESENT: RefCell<Option<Manner>> = const { RefCell::new(None) };
}

/// Begins a message in this language and zone.
pub(super) fn begin(language: &str, zone: &TimeZone) {
    let manner = Manner { formats: Formats::of(language), zone: zone.clone() };
    PRESENT.with_borrow_mut(|present| *present = Some(manner));
}

/// How the message at hand writes dates and numbers; in English and UTC where none was begun.
pub(super) fn manner() -> Manner {
    PRESENT.with_borrow(Clone::clone).unwrap_or_else(|| Manner { formats: Formats::of("en"), zone: TimeZone::UTC })
}
