//! A place in a document: the value there and what a diagnostic about it points at.

use serde_json::Value;

use crate::diagnostic::{Diagnostic, Location};
use crate::yaml::{Document, Span, push_segment};

/// A node of a document, by its pointer. Cheap to move down from.
#[derive(Debug, Clone)]
pub(crate) struct At<'a> {
    document: &'a Document,
    pointer: String,
}

impl<'a> At<'a> {
    pub(crate) fn root(document: &'a Document) -> At<'a> {
        At { document, pointer: String::new() }
    }

    pub(crate) fn new(document: &'a Document, pointer: &str) -> At<'a> {
        At { document, pointer: pointer.to_owned() }
    }

    pub(crate) fn key(&self, key: &str) -> At<'a> {
        let mut pointer = self.pointer.clone();
        push_segment(&mut pointer, key);
        At { document: self.document, pointer }
    }

    pub(crate) fn item(&self, index: usize) -> At<'a> {
        At { document: self.document, pointer: format!("{}/{index}", self.pointer) }
    }

    pub(crate) fn value(&self) -> Option<&'a Value> {
        self.document.value.pointer(&self.pointer)
    }

    /// Whether something was written here, even if it was wrong and set aside.
    pub(crate) fn is_written(&self) -> bool {
        self.document.spans.has(&self.pointer)
    }

    pub(crate) fn file(&self) -> &'a str {
        &self.document.file
    }

    /// The same value where it was written out: behind an alias, at its anchor.
    pub(crate) fn written(&self) -> At<'a> {
        At { document: self.document, pointer: self.document.spans.written_out(&self.pointer).into_owned() }
    }

    /// Whether this is written here, or an alias that stands here: not something inside of what an alias stands for.
    pub(crate) fn is_its_own(&self) -> bool {
        self.document.spans.is_own(&self.pointer)
    }

    /// The alias that stands for the value; without width, where it stands for what the value is in.
    pub(crate) fn alias(&self) -> Option<Location> {
        let alias = self.document.spans.written_out(&self.pointer) != self.pointer;
        let width = |span: Location| match self.is_its_own() {
            true => span,
            false => Location { end_line: span.line, end_column: span.column, ..span },
        };
        alias.then(|| width(self.span()))
    }

    /// The value, where it is written on one line; else what stands for it: its key, or its first key.
    pub(crate) fn location(&self) -> Location {
        self.shown().at(&self.document.file)
    }

    /// The same in this file.
    pub(crate) fn shown(&self) -> Span {
        let span = self.document.spans.get(&self.pointer);
        if span.value.start.line == span.value.end.line { span.value } else { span.first_key.or(span.key).unwrap_or(span.value) }
    }

    /// The key, for a value in a mapping; else like [`At::location`].
    pub(crate) fn key_location(&self) -> Location {
        self.shown_key().at(&self.document.file)
    }

    /// The same in this file.
    pub(crate) fn shown_key(&self) -> Span {
        self.document.spans.get(&self.pointer).key.unwrap_or_else(|| self.shown())
    }

    /// The whole value, however many lines it takes.
    pub(crate) fn span(&self) -> Location {
        self.document.spans.get(&self.pointer).value.at(&self.document.file)
    }

    /// Where a text's own characters begin: line and column.
    pub(crate) fn content(&self) -> (usize, usize) {
        let content = self.document.spans.get(&self.pointer).content;
        (content.line, content.column)
    }

    /// The keys of the mapping here, in the order they are written.
    pub(crate) fn keys<'k>(&self, keys: impl Iterator<Item = &'k String>) -> Vec<&'k String> {
        let mut keys: Vec<_> = keys.map(|key| (self.document.spans.written(&self.key(key).pointer), key)).collect();
        keys.sort_unstable();
        keys.into_iter().map(|(_, key)| key).collect()
    }

    pub(crate) fn pointer(&self) -> &str {
        &self.pointer
    }
}

impl Diagnostic {
    /// The name that was probably meant, where what to do is to write that: `help` then begins with "did you mean".
    pub fn replacement(&self) -> Option<&str> {
        let (name, _) = self.help.as_deref()?.strip_prefix("did you mean `")?.split_once('`')?;
        Some(name)
    }
}

/// Longer names are not compared with each other: comparing takes the product of their lengths.
const LONGEST_NAME: usize = 100;
/// Of more names than this the first are looked at.
const MOST_NAMES: usize = 2_000;

/// The candidate that the user most likely meant.
pub(crate) fn did_you_mean<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let length = written.chars().count();
    if length > LONGEST_NAME {
        return None;
    }
    let candidates: Vec<&'a str> = candidates.into_iter().take(MOST_NAMES).collect();
    // The same words in another way of writing: `Cart_Reminder`, `cartReminder`, `cart-reminder.html`.
    let letters = |name: &str| name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let (plain, file) = (letters(written), letters(written.split('.').next().unwrap_or_default()));
    let short = |candidate: &&&str| candidate.len() <= 4 * LONGEST_NAME;
    let same = |candidate: &&&str| !plain.is_empty() && letters(candidate) == plain;
    let last = |candidate: &&&str| candidate.rsplit_once('/').is_some_and(|(_, last)| letters(last) == file);
    let rewritten = candidates.iter().filter(short).find(same).or_else(|| candidates.iter().filter(short).find(last));
    if let Some(candidate) = rewritten {
        return Some(candidate);
    }
    candidates
        .into_iter()
        // What is much longer or shorter is no misspelling, and need not be compared.
        .filter(|candidate| candidate.len() <= 4 * LONGEST_NAME)
        .filter(|candidate| {
            let other = candidate.chars().count();
            length.abs_diff(other) <= 1 + length.max(other) / 4
        })
        .map(|candidate| (strsim::damerau_levenshtein(written, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + length.max(candidate.chars().count()) / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", else the list of what there is, else nothing.
pub(crate) fn suggestion<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>, kind: &str) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    if let Some(meant) = did_you_mean(written, candidates.iter().copied()) {
        return Some(format!("did you mean `{meant}`?"));
    }
    (!candidates.is_empty()).then(|| format!("{kind}: {}", list(&candidates)))
}

/// Names as a list in a sentence, in back-quotes, cut where it gets long.
pub(crate) fn list(names: &[&str]) -> String {
    const MOST: usize = 24;
    let mut shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    if names.len() > MOST {
        shown.push(format!("and {} more", names.len() - MOST));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_probably_meant() {
        let known = ["cart-reminder", "welcome", "big_spenders", "shop/price-drop", "first_name", "VIP"];
        for (written, expected) in [
            ("cart-remidner", Some("cart-reminder")),
            ("cart-reminders", Some("cart-reminder")),
            ("cart_reminder", Some("cart-reminder")),
            ("CART_REMINDER", Some("cart-reminder")),
            ("cartReminder", Some("cart-reminder")),
            ("cart-reminder.html", Some("cart-reminder")),
            ("price_drop", Some("shop/price-drop")),
            ("Price-Drop.html", Some("shop/price-drop")),
            ("wellcome", Some("welcome")),
            ("big-spender", Some("big_spenders")),
            ("firstName", Some("first_name")),
            ("vip", Some("VIP")),
            ("goodbye", None),
            ("-", None),
        ] {
            assert_eq!(did_you_mean(written, known), expected, "{written}");
        }
    }
}
