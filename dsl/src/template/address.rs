//! Where an address begins in an HTML attribute: `<a href="`.
//!
//! Escaping does not help there: `javascript:…` holds no character to escape. The checker and the renderer both walk a text with this.

/// Attributes that hold an address (HTML Living Standard, section "Attributes", and the old `background`).
const ATTRIBUTES: [&str; 6] = ["href", "src", "action", "formaction", "background", "poster"];
/// How much of the text before a place matters, in bytes.
const TAIL: usize = 64;

/// The text before a place, as far as it matters.
#[derive(Debug, Clone, Default)]
pub struct Before {
    tail: String,
}

impl Before {
    /// Goes past text of the template.
    pub fn text(&mut self, text: &str) {
        self.tail.push_str(text);
        let surplus = self.tail.len().saturating_sub(TAIL);
        let cut = (surplus..=self.tail.len()).find(|at| self.tail.is_char_boundary(*at));
        self.tail.drain(..cut.unwrap_or(0));
    }

    /// Goes past a value. At the beginning of an address it may be empty, so that the address may begin after it.
    pub fn value(&mut self) {
        if !self.begins_address() {
            self.tail.clear();
        }
    }

    /// Whether an address begins here.
    pub fn begins_address(&self) -> bool {
        let before = self.tail.trim_end();
        let before = before.strip_suffix(['"', '\'']).unwrap_or(before).trim_end();
        let Some(before) = before.strip_suffix('=') else {
            return false;
        };
        let before = before.trim_end();
        let name = before.rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(before, |at| &before[at..]);
        let name = name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        ATTRIBUTES.iter().any(|attribute| name.eq_ignore_ascii_case(attribute))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_attributes_are_recognised() {
        let check = |texts: &[&str], expected: bool| {
            let mut before = Before::default();
            texts.iter().for_each(|text| before.text(text));
            assert_eq!(before.begins_address(), expected, "{texts:?}");
        };
        for text in ["<a href=\"", "<a href='", "<img SRC = \"", "<a\nhref=", "<form action=\" "] {
            check(&[text], true);
        }
        for text in ["", "<a href=\"https://x/", "<a title=\"", "href", "<p>\"", "ä="] {
            check(&[text], false);
        }
        check(&["<a href=", "\""], true);
        check(&[&"ä".repeat(100), "<a href=\""], true);
    }

    #[test]
    fn a_value_may_be_empty_only_at_the_beginning() {
        let mut before = Before::default();
        before.text("<a href=\"");
        before.value();
        assert!(before.begins_address());
        before.text("/x=");
        before.value();
        assert!(!before.begins_address());
    }
}
