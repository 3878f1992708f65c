//! The report's charts, as SVG in the page. Each says in words what it shows, for those who do not see it.

use super::experiments::Lift;
use super::html::{escape, push};

/// The width that everything is drawn in; the page scales it.
const WIDTH: f64 = 700.0;
/// Of the labels on the left.
const LABELS: f64 = 170.0;
const ROW: f64 = 26.0;

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

/// A forest plot: each variant's difference from another one in points, with its interval; right of 0 is better.
pub fn forest(what: &str, against: &str, lifts: &[(String, &Lift)]) -> String {
    let room = WIDTH - LABELS - 20.0;
    let edge = lifts.iter().flat_map(|(_, lift)| [lift.low.abs(), lift.high.abs()]).fold(0.001, f64::max);
    let step = tick(edge);
    let ticks = (edge / step).ceil();
    let place = |difference: f64| LABELS + room / 2.0 * (1.0 + difference / (ticks * step));
    let bottom = lifts.len() as f64 * ROW + 6.0;
    let points = |part: f64| format!("{:+.1}", part * 100.0);
    let said = lifts
        .iter()
        .map(|(name, lift)| format!("{name}: {} points, {} to {}", points(lift.difference), points(lift.low), points(lift.high)));
    let title = format!("{what}: difference from {against} in percentage points, with 95% intervals");
    let mut svg = open(&title, &said.collect::<Vec<_>>().join("; "), bottom + 40.0);
    let ticks = ticks as i32;
    for number in -ticks..=ticks {
        let (x, class) = (place(f64::from(number) * step), if number == 0 { "zero" } else { "grid" });
        push(&mut svg, format_args!("<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"0\" y2=\"{bottom:.1}\"/>\n"));
        let label = if number == 0 { "0".to_owned() } else { label(f64::from(number) * step * 100.0) };
        push(&mut svg, format_args!("<text class=\"quiet middle\" x=\"{x:.1}\" y=\"{:.1}\">{label}</text>\n", bottom + 14.0));
    }
    for (row, (name, lift)) in lifts.iter().enumerate() {
        let y = row as f64 * ROW + ROW / 2.0 + 2.0;
        let class = if lift.low > 0.0 { "up" } else { "open" };
        let (low, high, x) = (place(lift.low), place(lift.high), place(lift.difference));
        push(
            &mut svg,
            format_args!("<text class=\"end\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n", LABELS - 10.0, y + 4.0, short(name)),
        );
        push(
            &mut svg,
            format_args!(
                "<g class=\"{class}\"><path class=\"range\" d=\"M{low:.1} {y:.1}H{high:.1}M{low:.1} {:.1}v8M{high:.1} {:.1}v8\"/>\
                 <rect class=\"point\" x=\"{:.1}\" y=\"{:.1}\" width=\"9\" height=\"9\"/></g>\n",
                y - 4.0,
                y - 4.0,
                x - 4.5,
                y - 4.5
            ),
        );
    }
    let middle = LABELS + room / 2.0;
    push(
        &mut svg,
        format_args!(
            "<text class=\"quiet middle\" x=\"{middle:.1}\" y=\"{:.1}\">points against {}</text>\n</svg></div>\n",
            bottom + 32.0,
            escape(against)
        ),
    );
    svg
}

/// As much of a label as there is room for.
fn short(label: &str) -> String {
    const MOST: usize = 22;
    if label.chars().count() <= MOST {
        return escape(label);
    }
    let begin: String = label.chars().take(MOST - 1).collect();
    escape(&format!("{begin}…"))
}

fn open(title: &str, said: &str, height: f64) -> String {
    let label = escape(&format!("{title}. {said}."));
    format!("<div class=\"wide\"><svg viewBox=\"0 0 {WIDTH:.0} {height:.0}\" role=\"img\" aria-label=\"{label}\">\n")
}

/// A round distance between ticks: two to five of them on either side of 0.
fn tick(edge: f64) -> f64 {
    let power = 10f64.powf((edge / 2.0).log10().floor());
    let round = [5.0, 2.0, 1.0].into_iter().find(|round| round * power * 2.0 <= edge);
    round.unwrap_or(1.0) * power
}

/// Points, without decimals that say nothing.
fn label(points: f64) -> String {
    let text = format!("{points:+.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
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
        assert_eq!(
            (label(5.0), label(-2.5), label(10.0), label(0.25)),
            ("+5".to_owned(), "-2.5".to_owned(), "+10".to_owned(), "+0.25".to_owned())
        );
    }
}
