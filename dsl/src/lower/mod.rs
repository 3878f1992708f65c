//! From the written forms to the model: texts become durations, times and patterns, steps get ids and become a flat list.
//! Names are not looked up here: what a file names is noted, with its place, for the checks.

mod bounces;
mod calls;
mod channels;
mod condition;
mod flow;
mod ids;
mod notes;
mod predicate;
mod segment;
mod settings;
mod steps;
mod topics;
mod traits;
mod trigger;
pub(crate) mod values;
mod waits;
mod workflow;

use std::collections::BTreeMap;

use crate::diagnostic::{Diagnostic, Location};
use crate::model::{Condition, TemplateSource, Trait, Workflow};
use crate::pattern::Budget;
use crate::place::At;
pub(crate) use crate::surface::RuleLevel;
use crate::surface::WorkflowFile;
use crate::template::Library;
pub(crate) use ids::step_ids;
pub(crate) use notes::{ConditionNote, EventScope, Named, Notes, Places, StepNote, TestNote, ValueNote, Wants};
pub(crate) use settings::{RuleNote, SettingsNotes, lower_settings};

/// The folder into which mails are written where the settings name no way to deliver.
const OUTBOX: &str = "outbox/";

/// One file under workflows/, lowered.
#[derive(Debug)]
pub(crate) struct Unit {
    pub file: String,
    pub workflow: Option<WorkflowUnit>,
    pub segments: Vec<SegmentUnit>,
    pub traits: Vec<TraitUnit>,
    /// Where secrets are written.
    pub secrets: Vec<Location>,
}

#[derive(Debug)]
pub(crate) struct WorkflowUnit {
    pub model: Workflow,
    /// Where its name stands.
    pub at: Location,
    pub notes: Notes,
    /// Inline messages, by step id.
    pub inline: BTreeMap<String, TemplateSource>,
    /// By step id.
    pub step_lines: BTreeMap<String, usize>,
    /// Of each step of the model, in its order.
    pub step_places: Vec<Location>,
}

#[derive(Debug)]
pub(crate) struct SegmentUnit {
    pub name: String,
    /// Where its name stands.
    pub at: Location,
    pub condition: Condition,
    /// After an edit, `enter` fires also for those who match already.
    pub backfill: bool,
    pub notes: Notes,
}

#[derive(Debug)]
pub(crate) struct TraitUnit {
    pub name: String,
    /// Where its name stands.
    pub at: Location,
    pub model: Trait,
    pub notes: Notes,
}

/// Lowers a file whose shape is right.
pub(crate) fn lower_file(file: &WorkflowFile, root: &At<'_>, context: &Context<'_>, out: &mut Vec<Diagnostic>) -> Unit {
    let mut lowerer = Lowerer::new(context);
    let segments = lowerer.segments(file, root);
    let traits = lowerer.traits(file, root);
    let workflow = lowerer.workflow(file, root);
    out.append(&mut lowerer.diagnostics);
    Unit { file: root.file().to_owned(), workflow, segments, traits, secrets: Vec::new() }
}

/// What a file is lowered with.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub library: &'a Library,
    /// The project's zone.
    pub zone: &'a str,
    /// Nothing was set aside: what seems to be missing is missing.
    pub whole: bool,
}

/// The state of lowering one file.
pub(crate) struct Lowerer<'a> {
    context: Context<'a>,
    diagnostics: Vec<Diagnostic>,
    notes: Notes,
    /// What its regular expressions may still weigh.
    patterns: Budget,
}

impl<'a> Lowerer<'a> {
    fn new(context: &Context<'a>) -> Lowerer<'a> {
        Lowerer { context: *context, diagnostics: Vec::new(), notes: Notes::default(), patterns: Budget::default() }
    }

    fn error(&mut self, code: &'static str, at: &At<'_>, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, at.location(), message));
    }

    fn error_help(&mut self, code: &'static str, at: &At<'_>, message: impl Into<String>, help: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, at.location(), message).help(help));
    }
}
