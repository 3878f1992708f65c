//! Everything that was read of a project, as the rules look at it.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use crate::contract::{Contract, Declared};
use crate::lower::{EventScope, Notes, SegmentUnit, SettingsNotes, StepNote, TraitUnit, Unit, ValueNote, WorkflowUnit};
use crate::model::{Path, Root, Send, Settings};
use crate::template::Library;

pub(crate) struct Project<'a> {
    /// `None` if campaignd.yaml is wrong.
    pub settings: Option<&'a Settings>,
    pub settings_notes: &'a SettingsNotes,
    /// `None` if not even the topics' names are known.
    pub topics: Option<&'a BTreeSet<String>>,
    pub contract: &'a Contract,
    pub library: &'a Library,
    /// Names of all files under templates/, also of those with errors.
    pub template_names: &'a BTreeSet<String>,
    pub units: &'a [Unit],
    pub set_aside: &'a SetAside,
    /// Workflows that a `start` step of any workflow names.
    pub started: BTreeSet<&'a str>,
    /// Segments that nobody, or everybody, is in: worked out once.
    pub constant_segments: OnceLock<BTreeSet<String>>,
}

/// What is known of files that could not be read to the end.
#[derive(Debug, Default)]
pub(crate) struct SetAside {
    /// Some file gave nothing at all.
    pub files: bool,
    pub workflows: BTreeSet<String>,
    pub segments: BTreeSet<String>,
    pub traits: BTreeSet<String>,
    /// A file that gave nothing at all speaks of traits.
    pub unread_traits: bool,
}

impl SetAside {
    pub(crate) fn join(&mut self, other: SetAside) {
        self.files |= other.files;
        self.workflows.extend(other.workflows);
        self.segments.extend(other.segments);
        self.traits.extend(other.traits);
        self.unread_traits |= other.unread_traits;
    }
}

impl<'a> Project<'a> {
    pub(super) fn workflows(&self) -> impl Iterator<Item = &'a WorkflowUnit> + use<'a> {
        self.units.iter().filter_map(|unit| unit.workflow.as_ref())
    }

    pub(super) fn segments(&self) -> impl Iterator<Item = &'a SegmentUnit> + use<'a> {
        self.units.iter().flat_map(|unit| &unit.segments)
    }

    pub(super) fn traits(&self) -> impl Iterator<Item = &'a TraitUnit> + use<'a> {
        self.units.iter().flat_map(|unit| &unit.traits)
    }

    /// The name of the trait that a path leads to.
    pub(super) fn trait_of<'p>(&self, path: &'p Path) -> Option<&'p str> {
        let name = path.keys.first().filter(|_| path.root == Root::Contact)?;
        self.contract.is_trait(name).then_some(name)
    }

    /// The notes of every workflow, segment and trait.
    pub(super) fn notes(&self) -> impl Iterator<Item = &'a Notes> + use<'a> {
        self.units.iter().flat_map(|unit| {
            let workflow = unit.workflow.iter().map(|workflow| &workflow.notes);
            workflow.chain(shared(unit))
        })
    }

    /// The same, with the events that can start the run: `None` if any may.
    pub(super) fn notes_with_events(&self) -> impl Iterator<Item = (&'a Notes, Option<BTreeSet<String>>)> {
        self.units.iter().flat_map(move |unit| {
            let workflow = unit.workflow.iter().map(move |workflow| (&workflow.notes, self.events_of(workflow)));
            workflow.chain(shared(unit).map(|notes| (notes, None)))
        })
    }

    pub(super) fn steps(&self) -> impl Iterator<Item = &'a StepNote> + use<'a> {
        self.workflows().flat_map(|workflow| &workflow.notes.steps)
    }

    /// The events that can start this workflow; `None` if `enroll` or another workflow's `start` can, with any properties.
    pub(super) fn events_of(&self, workflow: &WorkflowUnit) -> Option<BTreeSet<String>> {
        let open = workflow.notes.open_event || workflow.notes.partial || self.started.contains(workflow.model.name.as_str());
        (!open).then(|| workflow.notes.triggers.clone())
    }

    /// The channel that a send tries first.
    pub(super) fn channel_of<'s>(&self, send: &'s Send) -> &'s str
    where
        'a: 's,
    {
        let of_template = || self.library.templates.get(&send.template).filter(|_| !send.inline)?.channel.as_deref();
        send.channel.as_deref().or_else(of_template).unwrap_or("email")
    }

    /// `contract: open`: what the data contract does not know is a warning.
    pub(super) fn open(&self) -> bool {
        self.settings.is_some_and(|settings| settings.open_contract)
    }

    /// What the contract says of a value, for each event it may be about. Without `names`, nobody asks for those that are declared.
    pub(super) fn declared(&self, value: &ValueNote, events: Option<&BTreeSet<String>>, names: bool) -> Vec<Declared> {
        let keys = &value.path.keys;
        let property = |event: &String| match self.contract.declares_event(event) {
            // Said once, of the event itself.
            false => Declared::Open,
            true => self.contract.event_property_with(event, keys, names),
        };
        match (value.path.root, &value.scope) {
            (Root::Contact, _) => vec![self.contract.contact_attribute_with(keys, names)],
            (Root::Vars, _) | (Root::Event, EventScope::Nothing) => Vec::new(),
            (Root::Event, EventScope::Named(event)) => vec![property(event)],
            (Root::Event, EventScope::Run) => events.into_iter().flatten().map(property).collect(),
        }
    }
}

/// The notes of what a file shares with others.
fn shared(unit: &Unit) -> impl Iterator<Item = &Notes> {
    unit.segments.iter().map(|segment| &segment.notes).chain(unit.traits.iter().map(|unit| &unit.notes))
}
