//! Names of the project, as suggestions.

use std::collections::BTreeSet;

use dsl::contract::{CONSENT_EVENTS, CONTACT_FIELDS, MESSAGE_EVENTS, TRACKING_EVENTS, event_properties};
use dsl::index::{Index, Kind, Occurrence};
use lsp_types::CompletionItemKind;

use super::Suggestion;

/// Every name of a kind.
pub(super) fn of_kind(index: &Index, kind: Kind) -> Vec<Suggestion> {
    let mut found: Vec<Suggestion> = index
        .names(kind)
        .into_iter()
        .map(|(name, place)| {
            let about = place.definition.as_deref();
            Suggestion {
                detail: about.and_then(|about| about.detail.clone()),
                about: about.and_then(|about| about.description.clone()),
                ..Suggestion::new(name, symbol(kind))
            }
        })
        .collect();
    let more: &[&str] = match kind {
        Kind::Event => &[MESSAGE_EVENTS.as_slice(), CONSENT_EVENTS.as_slice(), TRACKING_EVENTS.as_slice()].concat(),
        Kind::Channel => &["email"],
        _ => &[],
    };
    for name in more.iter().filter(|name| !index.names(kind).contains_key(**name)) {
        found.push(Suggestion { detail: Some("built in".to_owned()), rank: 7, ..Suggestion::new(*name, symbol(kind)) });
    }
    found
}

/// Paths: `contact.` with its attributes and traits, `event.` with the properties of these events (none: of all), `vars.`.
pub(super) fn paths(index: &Index, events: &BTreeSet<&str>) -> Vec<Suggestion> {
    let mut found = Vec::new();
    let attributes = index.names(Kind::Attribute);
    for field in CONTACT_FIELDS.iter().filter(|field| !attributes.contains_key(**field)) {
        let detail = Some("built in".to_owned());
        found.push(Suggestion { detail, rank: 6, ..Suggestion::new(format!("contact.{field}"), CompletionItemKind::FIELD) });
    }
    for suggestion in of_kind(index, Kind::Attribute) {
        found.push(Suggestion { label: format!("contact.{}", suggestion.label), ..suggestion });
    }
    for (property, about) in properties(index, events) {
        let label = format!("event.{property}");
        found.push(Suggestion { detail: about.0, about: about.1, ..Suggestion::new(label, CompletionItemKind::PROPERTY) });
    }
    for suggestion in of_kind(index, Kind::Variable) {
        found.push(Suggestion { label: format!("vars.{}", suggestion.label), ..suggestion });
    }
    found
}

/// Names of properties alone, as keys of what an event has with it.
pub(super) fn property_keys(index: &Index, events: &BTreeSet<&str>) -> Vec<Suggestion> {
    let one = |(name, about): (String, About)| {
        let insert = Some(format!("{name}: "));
        Suggestion { detail: about.0, about: about.1, insert, ..Suggestion::new(name, CompletionItemKind::PROPERTY) }
    };
    properties(index, events).into_iter().map(one).collect()
}

/// Names of attributes that a contact is given, as keys: what is worked out is none.
pub(super) fn attribute_keys(index: &Index, built_in: bool) -> Vec<Suggestion> {
    let mut found = of_kind(index, Kind::Attribute);
    let computed = index.all().filter(|place| place.kind == Kind::Attribute && place.definition.is_some());
    let computed: BTreeSet<&str> =
        computed.filter(|place| place.at.file.starts_with("workflows/")).map(|place| place.name.as_str()).collect();
    found.retain(|suggestion| !computed.contains(suggestion.label.as_str()));
    let known: BTreeSet<String> = found.iter().map(|suggestion| suggestion.label.clone()).collect();
    for field in CONTACT_FIELDS.iter().filter(|field| built_in && !known.contains(**field)) {
        let detail = Some("built in".to_owned());
        found.push(Suggestion { detail, rank: 6, ..Suggestion::new(*field, CompletionItemKind::FIELD) });
    }
    found.into_iter().map(|one| Suggestion { insert: Some(format!("{}: ", one.label)), ..one }).collect()
}

/// The texts that are listed for an attribute or trait (`contact.tier`), or for a property of one of these events (`event.source`).
pub(super) fn options(index: &Index, path: &str, events: &BTreeSet<&str>) -> Vec<Suggestion> {
    let (kind, name) = match path.split_once('.') {
        Some(("contact", name)) => (Kind::Attribute, name),
        Some(("event", name)) => (Kind::Property, name),
        _ => return Vec::new(),
    };
    let wanted =
        |of: &[String]| kind == Kind::Attribute || events.is_empty() || of.iter().any(|event| events.contains(event.as_str()));
    let places = index.all().filter(|place| place.kind == kind && place.name == name && wanted(&place.of));
    let options: BTreeSet<&str> =
        places.filter_map(|place| place.definition.as_deref()).flat_map(|about| &about.options).map(String::as_str).collect();
    options.into_iter().map(|text| Suggestion { rank: 2, ..Suggestion::new(text, CompletionItemKind::ENUM_MEMBER) }).collect()
}

/// The steps of a workflow; those that do what `verb` says first.
pub(super) fn steps(index: &Index, workflow: &str, verb: &str) -> Vec<Suggestion> {
    let own = |place: &&Occurrence| {
        place.kind == Kind::Step && place.definition.is_some() && place.of.first().is_some_and(|of| of == workflow)
    };
    let one = |place: &Occurrence| {
        let detail = place.definition.as_deref().and_then(|about| about.detail.clone());
        let does = detail.as_deref().is_some_and(|detail| detail.split(' ').next().is_some_and(|does| does.starts_with(verb)));
        let rank = if does { 2 } else { 5 };
        Suggestion { detail, rank, ..Suggestion::new(place.name.as_str(), symbol(Kind::Step)) }
    };
    index.all().filter(own).map(one).collect()
}

/// Of paths, those that begin as what is written does, once its root is there.
pub(super) fn beginning(found: &mut Vec<Suggestion>, written: &str) {
    if let Some((root, _)) = written.split_once('.').filter(|(root, _)| matches!(*root, "contact" | "event" | "vars" | "secrets"))
    {
        found.retain(|one| one.label.strip_prefix(root).is_some_and(|rest| rest.starts_with('.')));
    }
}

type About = (Option<String>, Option<String>);

/// The properties that any of these events has.
fn properties(index: &Index, events: &BTreeSet<&str>) -> Vec<(String, About)> {
    let mut found: Vec<(String, About)> = Vec::new();
    let wanted = |of: &[String]| events.is_empty() || of.iter().any(|event| events.contains(event.as_str()));
    for place in index.all().filter(|place| place.kind == Kind::Property && wanted(&place.of)) {
        if let Some(about) = place.definition.as_deref().filter(|_| !found.iter().any(|(name, _)| *name == place.name)) {
            let detail = about.detail.as_ref().map(|detail| format!("{detail} of {}", place.of.join(", ")));
            found.push((place.name.clone(), (detail, about.description.clone())));
        }
    }
    for event in events {
        let built_in = event_properties(event).unwrap_or_default().iter().map(|name| (*name).to_owned());
        let new: Vec<String> = built_in.filter(|name| !found.iter().any(|(known, _)| known == name)).collect();
        found.extend(new.into_iter().map(|name| (name, (Some(format!("of {event}")), None))));
    }
    found
}

fn symbol(kind: Kind) -> CompletionItemKind {
    match kind {
        Kind::Template | Kind::Layout | Kind::Partial => CompletionItemKind::FILE,
        Kind::Segment => CompletionItemKind::CLASS,
        Kind::Event => CompletionItemKind::EVENT,
        Kind::Workflow => CompletionItemKind::MODULE,
        Kind::Attribute => CompletionItemKind::FIELD,
        Kind::Property => CompletionItemKind::PROPERTY,
        Kind::Variable => CompletionItemKind::VARIABLE,
        Kind::Topic | Kind::Channel | Kind::Secret | Kind::Step => CompletionItemKind::REFERENCE,
    }
}
