//! Messages per day, by workflow: columns that stand on each other.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::super::figures::Figures;
use super::super::summary::{counted, grouped};
use super::charts::{axis, place_of};
use crate::page::{escape, open, push};

/// What the chart is drawn in; the page scales it.
const WIDTH: f64 = 700.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 72.0;
const TOP: f64 = 26.0;
const BOTTOM: f64 = 26.0;
/// More columns than this could not be told apart: then a column is several days.
const MOST_COLUMNS: i32 = 400;
/// Colours there are; what is more shares the last.
pub const COLOURS: usize = 8;

/// The days from `first` to `last`, both included. Empty where nothing was sent.
pub fn chart(figures: &Figures, first: Date, last: Date) -> String {
    let days = first.until(last).map_or(0, |span| span.get_days()) + 1;
    let per_column = (days + MOST_COLUMNS - 1) / MOST_COLUMNS;
    let columns = ((days + per_column - 1) / per_column).max(1) as usize;
    let column = |date: &str| {
        let date: Date = date.parse().ok()?;
        usize::try_from(first.until(date).ok()?.get_days() / per_column).ok().filter(|column| *column < columns)
    };
    let mut sums = vec![0u64; columns];
    for (date, count) in &figures.days {
        if let Some(sum) = column(date).and_then(|column| sums.get_mut(column)) {
            *sum += count;
        }
    }
    let Some((busiest, most)) = figures.busiest() else { return String::new() };
    let (top, ticks) = axis(sums.iter().copied().max().unwrap_or(1));
    let said = format!("{} in all, the most on {busiest}: {}", counted(figures.sent(), "message"), grouped(most));
    let unit = if per_column == 1 { "day".to_owned() } else { format!("{per_column} days") };
    let mut svg = open(&format!("Messages per {unit}, by workflow"), &said, HEIGHT);
    let floor = HEIGHT - BOTTOM;
    let y = |count: u64| floor - count as f64 / top as f64 * (floor - TOP);
    for tick in ticks {
        let at = y(tick);
        push(&mut svg, format_args!("<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>\n"));
        let text = grouped(tick);
        push(&mut svg, format_args!("<text class=\"quiet end\" x=\"{:.1}\" y=\"{:.1}\">{text}</text>\n", LEFT - 8.0, at + 4.0));
    }
    let width = (WIDTH - LEFT) / columns as f64;
    stacks(&mut svg, figures, &column, (columns, width), &y);
    labels(&mut svg, first, last, |date| {
        LEFT + f64::from(first.until(date).map_or(0, |span| span.get_days()) / per_column) * width
    });
    if let Some(column) = column(busiest) {
        let (x, class) = place_of(LEFT + (column as f64 + 0.5) * width, LEFT, WIDTH);
        let text = format!("{} on {}", grouped(most), long(busiest));
        push(&mut svg, format_args!("<text class=\"peak {class}\" x=\"{x:.1}\" y=\"14\">{}</text>\n", escape(&text)));
        let (x, from, to) = (LEFT + (column as f64 + 0.5) * width, 18.0, y(sums.get(column).copied().unwrap_or(most)) - 1.0);
        if to > from {
            push(&mut svg, format_args!("<path class=\"pointer\" d=\"M{x:.1} {from}V{to:.1}\"/>\n"));
        }
    }
    svg.push_str("</svg></div>\n");
    svg
}

/// One path for each workflow, from the floor up in their order.
fn stacks(
    svg: &mut String,
    figures: &Figures,
    column: &impl Fn(&str) -> Option<usize>,
    (columns, width): (usize, f64),
    y: &impl Fn(u64) -> f64,
) {
    let mut below = vec![0u64; columns];
    // Wide columns stand apart, narrow ones touch.
    let gap = if width > 6.0 { 1.5 } else { 0.0 };
    for (index, (name, workflow)) in figures.workflows.iter().filter(|(_, workflow)| !workflow.days.is_empty()).enumerate() {
        let mut counts: BTreeMap<usize, u64> = BTreeMap::new();
        for (date, count) in &workflow.days {
            column(date).into_iter().for_each(|column| *counts.entry(column).or_default() += count);
        }
        let mut path = String::new();
        for (column, count) in counts {
            let Some(base) = below.get_mut(column) else { continue };
            let (bottom, top) = (y(*base), y(*base + count));
            *base += count;
            let x = LEFT + column as f64 * width;
            push(&mut path, format_args!("M{x:.1} {bottom:.1}V{top:.1}h{:.1}V{bottom:.1}z", width - gap));
        }
        let colour = index.min(COLOURS - 1);
        push(svg, format_args!("<path class=\"s{colour}\" d=\"{path}\"><title>{}</title></path>\n", escape(name)));
    }
}

/// The beginnings of months; of a short span, those of weeks.
fn labels(svg: &mut String, first: Date, last: Date, x: impl Fn(Date) -> f64) {
    let months = first.until(last).is_ok_and(|span| span.get_days() > 62);
    let mut date = first;
    let mut free = 0.0;
    let mut year = None;
    while date <= last {
        let begins = if months { date.day() == 1 } else { date.weekday() == Weekday::Monday };
        if begins {
            let at = x(date);
            push(svg, format_args!("<path class=\"axis\" d=\"M{at:.1} {:.1}v5\"/>\n", HEIGHT - BOTTOM));
            let text = match (months, year == Some(date.year())) {
                (true, true) => date.strftime("%b").to_string(),
                (true, false) => date.strftime("%b %Y").to_string(),
                (false, _) => date.strftime("%-d %b").to_string(),
            };
            let length = text.chars().count() as f64 * 6.4 + 8.0;
            if at >= free && at + length - 8.0 <= WIDTH {
                push(
                    svg,
                    format_args!("<text class=\"quiet\" x=\"{at:.1}\" y=\"{:.1}\">{text}</text>\n", HEIGHT - BOTTOM + 18.0),
                );
                free = at + length;
                year = Some(date.year());
            }
        }
        let Ok(next) = date.checked_add(1.day()) else { break };
        date = next;
    }
    push(svg, format_args!("<path class=\"axis\" d=\"M{LEFT} {:.1}H{WIDTH}\"/>\n", HEIGHT - BOTTOM));
}

/// `Thu 3 Dec 2026`
pub fn long(date: &str) -> String {
    date.parse::<Date>().map_or_else(|_| date.to_owned(), |date| date.strftime("%a %-d %b %Y").to_string())
}
