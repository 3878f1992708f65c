//! What charts with columns need, and the histogram of message pressure.

use std::collections::BTreeMap;

use super::super::summary::{grouped, people};
use crate::page::{WIDTH, open, push};

const HEIGHT: f64 = 210.0;
const TOP: f64 = 22.0;
const BOTTOM: f64 = 44.0;
/// Whoever gets more in a week counts as this many.
pub const MOST: u32 = 20;

/// A round end of an axis that goes from 0 up to at least `most`, and its ticks but for 0.
pub fn axis(most: u64) -> (u64, Vec<u64>) {
    let most = most.max(1);
    let mut step = 1u64;
    while most.div_ceil(step) > 5 {
        // 1, 2, 5, 10, 20, 50 …
        let leading = step / 10u64.pow(step.ilog10());
        step = if leading == 2 { step / 2 * 5 } else { step * 2 };
    }
    let count = most.div_ceil(step);
    (count * step, (1..=count).map(|tick| tick * step).collect())
}

/// Where a text about a place stands so that it stays between the edges, and the class that says how it is anchored.
pub fn place_of(x: f64, left: f64, right: f64) -> (f64, &'static str) {
    if x < left + 90.0 {
        (left, "")
    } else if x > right - 90.0 {
        (right, "end")
    } else {
        (x, "middle")
    }
}

/// How many people got at most so many messages in any seven days. Empty for nobody.
pub fn pressure(histogram: &BTreeMap<u32, u64>) -> String {
    let Some(most) = histogram.keys().next_back().map(|most| (*most).min(MOST)) else { return String::new() };
    let mut counts: BTreeMap<u32, u64> = (1..=most).map(|messages| (messages, 0)).collect();
    for (messages, count) in histogram {
        *counts.entry((*messages).min(MOST)).or_default() += count;
    }
    let whole: u64 = counts.values().sum();
    let highest = counts.values().copied().max().unwrap_or(1).max(1);
    let said: Vec<String> = counts.iter().map(|(messages, count)| format!("{messages}: {}", people(*count))).collect();
    let mut svg = open("People by the most messages they got in any 7 days", &said.join(", "), HEIGHT);
    let floor = HEIGHT - BOTTOM;
    let width = (WIDTH / counts.len() as f64).min(90.0);
    let bar = (width - 10.0).max(width * 0.7);
    for (index, (messages, count)) in counts.iter().enumerate() {
        let middle = (index as f64 + 0.5) * width;
        let height = *count as f64 / highest as f64 * (floor - TOP);
        let (x, y) = (middle - bar / 2.0, floor - height);
        push(
            &mut svg,
            format_args!(
                "<rect class=\"entered\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{bar:.1}\" height=\"{height:.1}\" rx=\"2\"/>\n"
            ),
        );
        let share = *count as f64 / whole as f64 * 100.0;
        let text = if counts.len() <= 10 && *count > 0 { format!("{} · {share:.1}%", grouped(*count)) } else { grouped(*count) };
        push(&mut svg, format_args!("<text class=\"quiet middle\" x=\"{middle:.1}\" y=\"{:.1}\">{text}</text>\n", y - 6.0));
        let more = if *messages == MOST { "+" } else { "" };
        push(
            &mut svg,
            format_args!("<text class=\"middle\" x=\"{middle:.1}\" y=\"{:.1}\">{messages}{more}</text>\n", floor + 17.0),
        );
    }
    let end = width * counts.len() as f64;
    push(&mut svg, format_args!("<path class=\"axis\" d=\"M0 {floor:.1}H{end:.1}\"/>\n"));
    push(
        &mut svg,
        format_args!("<text class=\"quiet\" x=\"0\" y=\"{:.1}\">messages in the fullest 7 days</text>\n", floor + 36.0),
    );
    svg.push_str("</svg></div>\n");
    svg
}
