//! Names that come with the data: they may be shown only where they look like names, as anything can stand in a key.

/// The longest name that is shown, in characters.
const LONGEST: usize = 64;
/// The most digits that a name of digits alone may have: a place in a list, but no telephone number.
const MOST_DIGITS: usize = 5;

/// The name, if it says what it names and not what somebody wrote in its place: no address, no number, no control characters.
pub(super) fn shown(name: &str) -> Option<&str> {
    let good = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '$' | '/');
    let length = name.chars().count();
    let digits = name.chars().filter(char::is_ascii_digit).count();
    let number = digits > MOST_DIGITS && name.chars().all(|c| !c.is_alphabetic());
    ((1..=LONGEST).contains(&length) && name.chars().all(good) && !number).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_shown() {
        for (name, is_shown) in [
            ("first_name", true),
            ("Vorname (alt)", false),
            ("First Name", true),
            ("größe", true),
            ("0", true),
            ("12345", true),
            ("4917012345678", false),
            ("+49 170 12345678", false),
            ("0170-1234 567", false),
            ("ada@example.com", false),
            ("a\nb", false),
            ("", false),
        ] {
            assert_eq!(shown(name).is_some(), is_shown, "{name:?}");
        }
        assert_eq!(shown(&"x".repeat(65)), None);
    }
}
