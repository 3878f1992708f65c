//! A report as one page that needs nothing else: no script, no font, nothing from elsewhere.

use super::chart::forest;
use super::experiments::{ExperimentReport, VariantReport, plural};
use super::figures::{MessageReport, Report, WorkflowReport};
use super::human::{amount, lift_text, percent, range, shown_metrics, variant_name, verdict};
use crate::page::{Bar, STYLE, bars, escape, push};

pub fn page(report: &Report) -> String {
    let project = escape(&report.project);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{project}: report</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>{project}</h1>\n\
         <p>As of <time datetime=\"{at}\">{at}</time></p>\n</header>\n<main>\n",
        at = escape(&report.at)
    );
    if report.workflows.is_empty() {
        page.push_str("<p>Nothing has run yet.</p>\n");
    }
    for (index, one) in report.workflows.iter().enumerate() {
        workflow(&mut page, one, index);
    }
    page.push_str(
        "</main>\n<footer>\n<p>Rates with Wilson’s score intervals, differences with Newcombe’s, relative lifts by the logarithm of the ratio; \
         all of 95%.</p>\n</footer>\n</body>\n</html>\n",
    );
    page
}

fn workflow(page: &mut String, workflow: &WorkflowReport, index: usize) {
    let name = escape(&workflow.name);
    let status = escape(&workflow.status);
    push(page, format_args!("<section aria-labelledby=\"w{index}\">\n<h2 id=\"w{index}\">{name} <small>{status}</small></h2>\n"));
    let mut all = vec![Bar::new("entered", workflow.entered, "entered")];
    if let Some(goal) = &workflow.goal {
        all.push(Bar::new("goal met", goal.met, "goal"));
    }
    all.push(Bar::new("completed", workflow.completed, "left"));
    all.extend(workflow.exited.iter().map(|(reason, number)| Bar::new(&format!("left: {reason}"), *number, "left")));
    all.push(Bar::new("inside", workflow.active, "inside"));
    page.push_str(&bars(&format!("{} in numbers", workflow.name), &all));
    if let Some(value) = workflow.goal.as_ref().and_then(|goal| goal.value) {
        push(page, format_args!("<p>The goals were worth <strong>{}</strong>.</p>\n", amount(value)));
    }
    if !workflow.messages.is_empty() {
        messages(page, &workflow.messages);
    }
    for one in &workflow.experiments {
        experiment(page, one);
    }
    page.push_str("</section>\n");
}

fn messages(page: &mut String, messages: &[MessageReport]) {
    let head = ["Sent", "Delivered", "Opened", "Clicked", "Bounced", "Complained", "Unsubscribed", "Failed", "Skipped"];
    page.push_str("<h3>Messages</h3>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Messages\">\n<table>\n<thead><tr><th scope=\"col\">Message</th>");
    head.iter().for_each(|title| push(page, format_args!("<th scope=\"col\" class=\"n\">{title}</th>")));
    page.push_str("</tr></thead>\n<tbody>\n");
    for message in messages {
        let (template, step) = (escape(&message.template), escape(&message.step));
        push(page, format_args!("<tr><th scope=\"row\">{template} <small>{step}</small></th>"));
        let rate = |number: u64| match (number, message.sent) {
            (0, _) | (_, 0) => number.to_string(),
            (_, sent) => format!("{number} <small>{}</small>", percent(number as f64 / sent as f64)),
        };
        let skipped: u64 = message.skipped.values().sum();
        let reasons: Vec<String> =
            message.skipped.iter().map(|(reason, number)| format!("{} {number}", escape(reason))).collect();
        let skipped = if skipped == 0 { "0".to_owned() } else { format!("{skipped} <small>{}</small>", reasons.join(", ")) };
        let cells = [
            message.sent.to_string(),
            message.delivered.to_string(),
            rate(message.opened),
            rate(message.clicked),
            message.bounced.to_string(),
            message.complained.to_string(),
            message.unsubscribed.to_string(),
            message.failed.to_string(),
            skipped,
        ];
        cells.iter().for_each(|cell| push(page, format_args!("<td class=\"n\">{cell}</td>")));
        page.push_str("</tr>\n");
    }
    page.push_str("</tbody>\n</table>\n</div>\n");
}

fn experiment(page: &mut String, experiment: &ExperimentReport) {
    let name = escape(&experiment.name);
    push(page, format_args!("<h3>Experiment {name} <small>{} contacts</small></h3>\n", experiment.assigned));
    push(page, format_args!("<p class=\"verdict\">{}</p>\n", escape(&verdict(experiment))));
    for (metric, of) in shown_metrics(experiment) {
        let what = plural(metric);
        push(
            page,
            format_args!(
                "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"{name}: {what}\">\n<table>\n<caption>{what}</caption>\n\
                 <thead><tr><th scope=\"col\">Variant</th><th scope=\"col\" class=\"n\">Contacts</th><th scope=\"col\" class=\"n\">{what}</th>\
                 <th scope=\"col\" class=\"n\">Rate</th><th scope=\"col\">Lift</th></tr></thead>\n<tbody>\n"
            ),
        );
        let mut lifts = Vec::new();
        for variant in &experiment.variants {
            let Some(figures) = of(variant) else { continue };
            let rate = figures.rate.map(|rate| format!("{} <small>{}</small>", percent(rate), range(figures.low, figures.high)));
            let lift = figures.lift.as_ref().map_or_else(|| "–".to_owned(), |lift| escape(&lift_text(lift)));
            push(
                page,
                format_args!(
                    "<tr{}><th scope=\"row\">{}</th><td class=\"n\">{}</td><td class=\"n\">{}</td><td class=\"n\">{}</td><td>{lift}</td></tr>\n",
                    if is_winner(experiment, variant) { " class=\"won\"" } else { "" },
                    escape(&variant_name(variant)),
                    variant.assigned,
                    figures.count,
                    rate.unwrap_or_default(),
                ),
            );
            lifts.extend(figures.lift.as_ref().map(|lift| (variant_name(variant), lift)));
        }
        page.push_str("</tbody>\n</table>\n</div>\n");
        if let Some((_, first)) = lifts.first() {
            page.push_str(&forest(what, &first.against, &lifts));
        }
    }
}

fn is_winner(experiment: &ExperimentReport, variant: &VariantReport) -> bool {
    experiment.winner.as_ref().is_some_and(|winner| winner.variant == variant.name)
}
