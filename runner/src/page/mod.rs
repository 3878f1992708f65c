//! The pieces of pages that need nothing else (no script, no font, nothing from elsewhere): their style, their charts, and how text gets into
//! them. Each chart says in words what it shows, for those who do not see it.

use std::fmt::Write;

/// Holds for every page; a page may add its own.
pub const STYLE: &str = include_str!("page.css");

/// The width that everything is drawn in; the page scales it.
pub const WIDTH: f64 = 700.0;
/// Of the labels on the left.
pub const LABELS: f64 = 170.0;
/// The height of a bar with the space around it.
pub const ROW: f64 = 26.0;

/// One bar, with a class of the page's style.
pub struct Bar {
    label: String,
    number: i64,
    class: &'static str,
}

impl Bar {
    pub fn new(label: &str, number: i64, class: &'static str) -> Bar {
        Bar { label: label.to_owned(), number, class }
    }
}

/// Bars side by side, the first of them the whole.
pub fn bars(title: &str, bars: &[Bar]) -> String {
    let room = WIDTH - LABELS - 110.0;
    let whole = bars.iter().map(|bar| bar.number).max().unwrap_or_default().max(1) as f64;
    let first = bars.first().map_or(0, |bar| bar.number);
    let said: Vec<String> = bars.iter().map(|bar| format!("{} {}", bar.label, bar.number)).collect();
    let mut svg = open(title, &said.join(", "), bars.len() as f64 * ROW + 4.0);
    for (row, bar) in bars.iter().enumerate() {
        let (top, length) = (row as f64 * ROW + 4.0, bar.number.max(0) as f64 / whole * room);
        let middle = top + 14.0;
        let share = match (row, first) {
            (0, _) | (_, 0) => String::new(),
            _ => format!(" · {:.1}%", bar.number as f64 / first as f64 * 100.0),
        };
        push(
            &mut svg,
            format_args!("<text class=\"end\" x=\"{:.1}\" y=\"{middle:.1}\">{}</text>\n", LABELS - 10.0, short(&bar.label)),
        );
        push(
            &mut svg,
            format_args!(
                "<rect class=\"{}\" x=\"{LABELS:.1}\" y=\"{top:.1}\" width=\"{length:.1}\" height=\"18\" rx=\"2\"/>\n",
                bar.class
            ),
        );
        push(
            &mut svg,
            format_args!(
                "<text class=\"quiet\" x=\"{:.1}\" y=\"{middle:.1}\">{}{share}</text>\n",
                LABELS + length + 8.0,
                bar.number
            ),
        );
    }
    svg.push_str("</svg></div>\n");
    svg
}

/// As much of a label as there is room for.
pub fn short(label: &str) -> String {
    const MOST: usize = 22;
    if label.chars().count() <= MOST {
        return escape(label);
    }
    let begin: String = label.chars().take(MOST - 1).collect();
    escape(&format!("{begin}…"))
}

/// The beginning of a chart of this height; `said` is what it shows, in words.
pub fn open(title: &str, said: &str, height: f64) -> String {
    let (name, label) = (escape(title), escape(&format!("{title}. {said}.")));
    // It scrolls where there is little room, by keyboard, too.
    format!(
        "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"{name}\"><svg viewBox=\"0 0 {WIDTH:.0} {height:.0}\" role=\"img\" aria-label=\"{label}\">\n"
    )
}

/// A round distance between ticks: two to five of them on either side of 0.
pub fn tick(edge: f64) -> f64 {
    let power = 10f64.powf((edge / 2.0).log10().floor());
    let round = [5.0, 2.0, 1.0].into_iter().find(|round| round * power * 2.0 <= edge);
    round.unwrap_or(1.0) * power
}

/// Writes to a page.
pub fn push(page: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    let _ = page.write_fmt(text);
}

/// As text or an attribute of HTML.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        for (edge, expected) in [(0.058, 0.02), (0.1, 0.05), (1.0, 0.5), (0.009, 0.002), (0.33, 0.1), (0.001, 0.0005)] {
            let found = tick(edge);
            assert!((found / expected - 1.0).abs() < 1e-9, "{edge}: {found}");
            assert!((2.0..=5.0).contains(&(edge / found).ceil()), "{edge}");
        }
    }

    #[test]
    fn text_stays_text() {
        assert_eq!(escape("<a href=\"x\">'&'</a>"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
        assert_eq!(short("a label that is much longer than its room"), "a label that is much …");
    }
}
