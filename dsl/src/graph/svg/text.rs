//! Text in a picture: how wide it is at most, and where to break it. Nobody knows which font the reader has, so widths are those of a wide one.

use super::drawing::Style;

/// The text as a line in this style, in pixels: an upper bound for the usual sans-serif fonts.
pub fn width(text: &str, style: Style) -> f64 {
    text.chars().map(em).sum::<f64>() * style.size() * if style.bold() { 1.1 } else { 1.0 }
}

/// In parts of the font's size, as wide as in DejaVu Sans.
fn em(c: char) -> f64 {
    match c {
        'i' | 'l' | 'j' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | ' ' | '/' | '‘' | '’' => 0.36,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '!' | '"' => 0.46,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' | '—' | '=' | '+' | '<' | '>' => 1.0,
        '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' => 0.0,
        // Of the planes above the first, most are emoji and ideographs.
        '\u{1100}'..='\u{11ff}'
        | '\u{2e80}'..='\u{d7ff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ffe0}' => 1.05,
        '\u{1f000}'.. => 1.45,
        c if c.is_ascii_uppercase() => 0.78,
        c if c.is_ascii() => 0.65,
        _ => 0.82,
    }
}

/// The text in lines that are no wider; words that are too long are broken.
pub fn wrapped(text: &str, style: Style, limit: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&longer, style) <= limit {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            if width(&format!("{line}{c}"), style) > limit && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// For XML: markup escaped, and what XML 1.0 (section 2.2) does not allow left out.
pub fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push('\n'),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}
