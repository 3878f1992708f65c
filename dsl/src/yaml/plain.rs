//! What the YAML specification says of characters and plain scalars.

use super::spans::Position;

/// What the YAML 1.2 core schema (section 10.3.2) makes of a plain scalar.
pub(super) enum Plain {
    Text,
    NotFinite,
    Other,
}

pub(super) fn resolve(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" | "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => return Plain::Other,
        ".nan" | ".NaN" | ".NAN" => return Plain::NotFinite,
        _ => {}
    }
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(number, ".inf" | ".Inf" | ".INF") {
        return Plain::NotFinite;
    }
    if !number.starts_with(|c: char| c.is_ascii_digit() || c == '.') || !number.contains(|c: char| c.is_ascii_digit()) {
        return Plain::Text;
    }
    let digits = |rest: &str, radix| !rest.is_empty() && rest.chars().all(|c| c.is_digit(radix));
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = number.strip_prefix(prefix) {
            return if digits(rest, radix) { Plain::Other } else { Plain::Text };
        }
    }
    if number.len() > 1 && number.starts_with('0') && digits(number, 10) {
        return Plain::Text;
    }
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() => Plain::Other,
        Ok(_) => Plain::NotFinite,
        Err(_) => Plain::Text,
    }
}

/// The first character that YAML does not let stand for itself (YAML 1.2.2, section 5.1).
pub(super) fn unprintable(text: &str) -> Option<(Position, char)> {
    let bad = |c: &char| match *c {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        c => c.is_control() || matches!(c, '\u{feff}' | '\u{fffe}' | '\u{ffff}'),
    };
    let c = text.chars().find(bad)?;
    let before = text.split(c).next().unwrap_or_default();
    let line = 1 + before.matches('\n').count();
    let column = 1 + before.chars().rev().take_while(|c| *c != '\n').count();
    Some((Position { line, column }, c))
}
