//! Literals: the smallest facts, and which of them cannot both be.

use super::event::{Happened, Reach, of_template};
use super::value::Test;
use super::{Conflict, Place};
use crate::model::{MessageCondition, Path, WorkflowState};

/// What a literal is about: only literals about the same can exclude each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum About<'a> {
    /// Under `event`: of which event, and whether that is one that is looked for.
    Value(&'a Path, Option<&'a str>, bool),
    Event(&'a str),
    Messages,
    Segment(&'a str),
    Listed(&'a str),
    Topic(&'a str),
    Workflow(&'a str),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum What<'a> {
    Test(Test<'a>),
    Event(Happened<'a>),
    Message { message: &'a MessageCondition, reach: Reach, own: bool, so: bool },
    Stands(WorkflowState, bool),
    Is(bool),
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Literal<'a> {
    pub about: About<'a>,
    pub what: What<'a>,
    pub at: Place<'a>,
}

/// Whether two literals about the same thing cannot both be.
pub(super) fn exclude(one: &What<'_>, other: &What<'_>) -> bool {
    match (one, other) {
        (What::Is(one), What::Is(other)) => one != other,
        (What::Event(one), What::Event(other)) => one.excludes(other),
        (What::Stands(one, true), What::Stands(other, true)) => {
            one != other && [one, other].into_iter().any(|state| *state == WorkflowState::Never)
        }
        (What::Stands(one, so), What::Stands(other, other_so)) => so != other_so && one == other,
        (What::Message { so: true, .. }, What::Message { so: false, .. }) => told(one, other),
        (What::Message { so: false, .. }, What::Message { so: true, .. }) => told(other, one),
        _ => false,
    }
}

/// Whether what the one message tells is what the other denies.
fn told(one: &What<'_>, other: &What<'_>) -> bool {
    let (What::Message { message: this, reach, own, .. }, What::Message { message: denied, reach: there, own: own_there, .. }) =
        (one, other)
    else {
        return false;
    };
    this.is == denied.is
        && of_template(this.template.as_ref(), denied.template.as_ref())
        && reach.inside(*there)
        && (*own || !own_there)
}

/// Whether a contact would stand to a workflow in no way at all.
pub(super) fn no_state<'a>(group: &[Literal<'a>]) -> Option<Conflict<'a>> {
    let denied =
        |state: WorkflowState| group.iter().find(|literal| matches!(literal.what, What::Stands(other, false) if other == state));
    let first = denied(WorkflowState::Never)?;
    denied(WorkflowState::Active)?;
    denied(WorkflowState::Completed)?;
    let last = denied(WorkflowState::Exited)?;
    Some(Conflict { at: last.at, with: first.at, of_contract: false })
}
