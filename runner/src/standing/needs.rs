//! What can change the answer of a condition, besides time.

use std::collections::{BTreeMap, BTreeSet};

use dsl::model::{Condition, Predicate, Root};

/// Something that happened to a contact, of which a trait or a segment may depend.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// An event of this name; what became of a message is one too.
    Event(String),
    /// `contact.NAME` is another: an attribute, a built-in field, a trait.
    Contact(String),
    /// A run of the workflow of this name began or ended.
    Workflow(String),
    /// Cut points between ranks were found anew.
    Ranks,
    /// The contact came onto this static segment's list, or left it.
    List(String),
}

/// All that can change the condition's answer, through segments too.
pub fn causes_of(condition: &Condition, segments: &BTreeMap<String, Condition>) -> BTreeSet<Cause> {
    let mut found = Search { segments, open: BTreeSet::new(), causes: BTreeSet::new() };
    found.condition(condition);
    found.causes
}

struct Search<'a> {
    segments: &'a BTreeMap<String, Condition>,
    /// Segments looked into already.
    open: BTreeSet<&'a str>,
    causes: BTreeSet<Cause>,
}

impl<'a> Search<'a> {
    fn condition(&mut self, condition: &'a Condition) {
        match condition {
            Condition::All(_) | Condition::Any(_) | Condition::None(_) | Condition::Not(_) => {}
            Condition::Value { path, tests } => {
                if path.root == Root::Contact {
                    self.causes.extend(path.keys.first().cloned().map(Cause::Contact));
                }
                self.tests(tests);
            }
            Condition::Event(event) => {
                self.causes.insert(Cause::Event(event.name.clone()));
                event.aggregates.iter().for_each(|aggregate| self.tests(&aggregate.tests));
            }
            Condition::Message(message) => {
                self.causes.insert(Cause::Event(message.is.event().to_owned()));
            }
            Condition::Segment(name) => {
                if let Some((name, segment)) = self.segments.get_key_value(name)
                    && self.open.insert(name)
                {
                    self.condition(segment);
                }
            }
            Condition::Listed(list) => {
                self.causes.insert(Cause::List(list.clone()));
            }
            Condition::Topic(_) => {
                self.causes.insert(Cause::Contact("topics".to_owned()));
            }
            Condition::Workflow { name, .. } => {
                self.causes.insert(Cause::Workflow(name.clone()));
            }
        }
        condition.inside().for_each(|part| self.condition(part));
    }

    /// Dates are read in the contact's zone.
    fn tests(&mut self, tests: &[Predicate]) {
        use Predicate::{After, Before, WithinLast, WithinNext};
        if tests.iter().any(|test| matches!(test, Before(_) | After(_) | WithinLast(_) | WithinNext(_))) {
            self.causes.insert(Cause::Contact("time_zone".to_owned()));
        }
    }
}
