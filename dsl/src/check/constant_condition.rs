//! Warns of conditions that never hold, or always.
//!
//! # What it does
//! Looks at `audience`, `where`, `exit_when`, `goal`, `wait_for`, `when`, `until` and the conditions of traits and segments, and at each part of them: at tests of one
//! value and numbers of one event that exclude each other or leave nothing out, at something and its opposite, and at what the segments that are named ask for
//! themselves. What is sure where a condition is asked counts, too: what the `where` of the only trigger asked for, which segment somebody has just entered, and that
//! nothing has happened yet when a wait begins; and that `exit_when`, or a goal, has not ended the run.
//!
//! A value may always be missing, even one that the data contract requires: a contact that only an event brought has nothing but its id.
//!
//! # Why is this bad
//! A wait whose condition never holds always ends by its timeout, a case that never holds is never taken, and an audience that never holds lets nobody in.
//!
//! # Example
//! ```yaml
//! - wait_for: { event: order_completed, where: { event.total: { above: 100, below: 50 } } }
//!   within: 3 days
//! ```
//!
//! # Use instead
//! ```yaml
//! - wait_for: { event: order_completed, where: { event.total: { above: 50, below: 100 } } }
//!   within: 3 days
//! ```

use super::certain::wholes::{self, Role, Whole};
use super::certain::{Certain, Conflict, Fact, Given, Place};
use super::{Project, Report};
use crate::diagnostic::Diagnostic;

pub(super) fn check(project: &Project<'_>, report: &mut Report<'_>) {
    let certain = Certain::new(project);
    for unit in project.workflows() {
        let all = wholes::of_workflow(project, unit);
        let sure = wholes::sure(project, unit, &all);
        let waiting: Vec<Given<'_>> = sure.iter().copied().chain(wholes::while_waiting(unit, &all)).collect();
        for whole in &all {
            let given = match whole.role {
                Role::Trigger => &[],
                // Where nothing is done for those who come through, that nobody does is no harm.
                Role::WaitFor if whole.leads => waiting.as_slice(),
                _ => sure.as_slice(),
            };
            let constant = self::whole(&certain, given, whole, report);
            if whole.role == Role::Audience
                && !constant
                && let Some(ways) = wholes::ways_in(project, unit, &all, whole.key)
                && ways.iter().all(|way| refuted(&certain, &[*way], whole.fact).is_some())
                && !ways.is_empty()
            {
                let message = "nobody who comes in by the trigger can be in this audience";
                let help = "what starts the workflow and the audience exclude each other";
                report.warning("constant-condition", &whole.key.location(), message, help);
            }
        }
    }
    for whole in project.traits().flat_map(wholes::of_trait) {
        self::whole(&certain, &[], &whole, report);
    }
    let parted = project.segments().filter(|segment| !certain.is_constant(&segment.name));
    for fact in parted.filter_map(Fact::of_segment) {
        parts(&certain, &[], fact, report);
    }
}

/// Looks at a condition, and at its parts where it is not constant itself; says whether it is.
fn whole<'a>(certain: &Certain<'_, 'a>, given: &[Given<'a>], whole: &Whole<'a>, report: &mut Report<'_>) -> bool {
    let (never, always) = consequences(whole.role);
    let fact = whole.fact;
    if let Some(conflict) = refuted(certain, given, fact) {
        say_never(&conflict, whole.key, never, report);
        return true;
    }
    let at_first = Fact { asked: fact.asked.at(whole.moment), ..fact };
    let message = if refuted(certain, given, fact.not()).is_some() {
        "this always holds"
    } else if whole.moment.is_some() && refuted(certain, given, at_first.not()).is_some() {
        "this holds at once, before anything can happen"
    } else {
        parts(certain, given, fact, report);
        return false;
    };
    report.warning("constant-condition", &whole.key.location(), message, always);
    true
}

/// The outermost parts that are constant.
fn parts<'a>(certain: &Certain<'_, 'a>, given: &[Given<'a>], fact: Fact<'a>, report: &mut Report<'_>) {
    for inner in fact.inside() {
        if let Some(conflict) = refuted(certain, given, inner) {
            say_never(&conflict, inner.place(), "leave this part out, or correct it", report);
        } else if refuted(certain, given, inner.not()).is_some() {
            let help = "leave this part out, or correct it";
            report.warning("constant-condition", &inner.place().location(), "this always holds", help);
        } else {
            parts(certain, given, inner, report);
        }
    }
}

/// What the data contract alone rules out is said by another rule.
fn refuted<'a>(certain: &Certain<'_, 'a>, given: &[Given<'a>], fact: Fact<'a>) -> Option<Conflict<'a>> {
    certain.refute(given, &[fact]).filter(|conflict| !conflict.of_contract)
}

fn say_never(conflict: &Conflict<'_>, key: Place<'_>, help: &str, report: &mut Report<'_>) {
    let diagnostic = if conflict.with == conflict.at {
        Diagnostic::warning("constant-condition", conflict.at.location(), "this can never hold")
    } else {
        let message = "this can never hold together with what else is asked for";
        Diagnostic::warning("constant-condition", conflict.at.location(), message)
            .related(conflict.with.location(), "the two exclude each other")
    };
    let apart = [conflict.at, conflict.with].iter().all(|place| place.span.start.line != key.span.start.line);
    let diagnostic = if apart { diagnostic.related(key.location(), "so that this never holds") } else { diagnostic };
    report.push(diagnostic.help(help));
}

/// What it comes to when such a condition never holds, and when it always does.
fn consequences(role: Role) -> (&'static str, &'static str) {
    match role {
        Role::Trigger => ("the event starts nobody's run", "every such event starts a run: leave it out, or correct it"),
        Role::Audience => ("nobody can enter", "everybody can enter: leave it out, or correct it"),
        Role::ExitWhen => ("it ends nobody's run", "every run would end at once"),
        Role::Goal => ("nobody can meet the goal", "everybody would meet the goal at once"),
        Role::WaitFor => ("everybody waits in vain", "nobody would wait here"),
        Role::When => ("nobody takes this case", "everybody who comes as far as this case takes it"),
        Role::Until => ("the passes never end early", "there would be no pass at all"),
        Role::Trait => ("nobody has it", "everybody has it: leave it out, or correct it"),
    }
}
