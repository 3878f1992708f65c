//! Differences between variants, as a chart in the page.

use super::experiments::Lift;
use crate::page::{LABELS, ROW, WIDTH, escape, open, push, short, tick};

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

/// Points, without decimals that say nothing.
fn label(points: f64) -> String {
    let text = format!("{points:+.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_have_no_decimals_that_say_nothing() {
        let labels = [5.0, -2.5, 10.0, 0.25].map(label);
        assert_eq!(labels, ["+5", "-2.5", "+10", "+0.25"]);
    }
}
