//! What is certain of conditions, whoever is asked about: that they cannot hold together, and so that one never holds, or always.
//!
//! Facts are taken apart into *literals* (one test of one value, one number of events, one topic) and *choices* of which one must hold. Literals about the same
//! thing are compared with each other; a choice of which all ways are shut is none, and one with a single way left is taken. What is not found is not wrong:
//! where something might be, it is taken to be.

mod circles;
mod dates;
mod event;
mod known;
mod literal;
mod span;
#[cfg(test)]
mod tests;
mod value;
pub(super) mod wholes;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use self::circles::in_no_circle;
use self::event::{Count, Happened, Reach, any_number, sums_nothing};
pub(super) use self::event::{From, asks_for_more};
use self::literal::{About, Literal, What, exclude, no_state};
use self::value::{Known, Test, contradict};
pub(super) use self::value::{may_meet, none_meets};
use super::Project;
use crate::diagnostic::Location;
use crate::lower::{Places, SegmentUnit};
use crate::model::{Condition, EventCondition, Path, Predicate, Root};
use crate::yaml::Span;

/// How much is compared over a whole project, and for one question: more would take too long, and nobody has written it by hand.
const MOST: usize = 4_000_000;
const MOST_OF_ONE: usize = 50_000;
/// How deep segments are followed into segments.
const DEEPEST: usize = 8;

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place<'a> {
    pub file: &'a str,
    pub span: Span,
}

impl Place<'_> {
    pub(super) fn location(&self) -> Location {
        self.span.at(self.file)
    }
}

/// How a condition is asked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub file: &'a str,
    /// The event that `event.*` is about, where that is one.
    pub event: Option<&'a str>,
    /// That is one of those that are looked for, not the one that started the run: nothing that is said of the one is true of the other.
    looked_for: bool,
    /// From where events count that say nothing of it.
    pub from: From,
    /// Messages are this run's own.
    pub own: bool,
    /// What is asked is how it is at this moment of a run, in which nothing has happened since.
    pub moment: Option<From>,
    /// Where a segment is named through which this is asked, and how many more are around it.
    mention: Option<(Place<'a>, usize)>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(file: &'a str, event: Option<&'a str>, from: From) -> Asked<'a> {
        Asked { file, event, looked_for: false, from, own: false, moment: None, mention: None }
    }

    /// The same at this moment of a run.
    pub(super) fn at(self, moment: Option<From>) -> Asked<'a> {
        Asked { moment, ..self }
    }

    fn place(&self, places: &Places) -> Place<'a> {
        match self.mention {
            Some((mention, _)) => mention,
            None => Place { file: self.file, span: places.at },
        }
    }
}

/// A condition that is to hold, or not to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fact<'a> {
    pub condition: &'a Condition,
    pub places: &'a Places,
    pub so: bool,
    pub asked: Asked<'a>,
}

impl<'a> Fact<'a> {
    /// That a contact is in the segment, as the segment's file says it. `None` where that could not be read.
    pub(super) fn of_segment(segment: &'a SegmentUnit) -> Option<Fact<'a>> {
        let [note] = segment.notes.conditions.as_slice() else { return None };
        let asked = Asked::new(&segment.at.file, None, From::All);
        Some(Fact { condition: &segment.condition, places: &note.places, so: true, asked })
    }

    pub(super) fn place(&self) -> Place<'a> {
        self.asked.place(self.places)
    }

    pub(super) fn not(self) -> Fact<'a> {
        Fact { so: !self.so, ..self }
    }

    /// The facts inside, each to hold or not to as this one is; of events, what they must meet.
    pub(super) fn inside(self) -> impl Iterator<Item = Fact<'a>> {
        let whole = match self.condition {
            Condition::Event(event) => {
                Fact { so: true, asked: Asked { event: Some(&event.name), looked_for: true, ..self.asked }, ..self }
            }
            _ => self,
        };
        self.condition.inside().zip(&self.places.inside).map(move |(condition, places)| Fact { condition, places, ..whole })
    }
}

/// What is sure beside the facts that are asked about.
#[derive(Debug, Clone, Copy)]
pub(super) enum Given<'a> {
    Fact(Fact<'a>),
    /// Whether a contact is in the segment, said at this place.
    Segment {
        name: &'a str,
        so: bool,
        at: Place<'a>,
    },
}

/// Why facts cannot be together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conflict<'a> {
    /// Where, and with what; the same where it is a matter of one.
    pub at: Place<'a>,
    pub with: Place<'a>,
    /// It is one test alone that the data contract rules out: that is another rule's.
    pub of_contract: bool,
}

/// One of several things of which one must hold.
#[derive(Debug, Clone, Copy)]
enum Way<'a> {
    Fact(Fact<'a>),
    Literal(Literal<'a>),
}

/// What facts come to when they are taken apart.
#[derive(Debug, Default)]
struct Taken<'a> {
    literals: Vec<Literal<'a>>,
    /// Of each, one way must hold.
    choices: Vec<Vec<Way<'a>>>,
    conflict: Option<Conflict<'a>>,
}

/// What is known of a value, under `event` of that of this event.
type KnownValues<'a> = HashMap<(&'a Path, Option<&'a str>), Rc<Known>>;

/// Answers questions about a project's conditions.
pub(super) struct Certain<'p, 'a> {
    project: &'p Project<'a>,
    /// Those whose own condition says something of those who are in them.
    segments: BTreeMap<&'a str, &'a SegmentUnit>,
    known: RefCell<KnownValues<'a>>,
    left: Cell<usize>,
    left_of_one: Cell<usize>,
}

impl<'p, 'a> Certain<'p, 'a> {
    /// With constant segments left alone: what names one of them says nothing more than the segment does.
    pub(super) fn new(project: &'p Project<'a>) -> Certain<'p, 'a> {
        let constant = project.constant_segments.get_or_init(|| {
            let certain = Certain::with(project, BTreeMap::new());
            let facts = project.segments().filter_map(|segment| Some((segment, Fact::of_segment(segment)?)));
            let constant =
                facts.filter(|(_, fact)| [*fact, fact.not()].iter().any(|fact| certain.refute(&[], &[*fact]).is_some()));
            constant.map(|(segment, _)| segment.name.clone()).collect()
        });
        let told = in_no_circle(project).into_iter().filter(|segment| !constant.contains(&segment.name));
        Certain::with(project, told.map(|segment| (segment.name.as_str(), segment)).collect())
    }

    fn with(project: &'p Project<'a>, segments: BTreeMap<&'a str, &'a SegmentUnit>) -> Certain<'p, 'a> {
        Certain { project, segments, known: RefCell::default(), left: Cell::new(MOST), left_of_one: Cell::new(0) }
    }

    /// Whether nobody, or everybody, is in the segment, as far as it says so itself.
    pub(super) fn is_constant(&self, segment: &str) -> bool {
        !self.segments.contains_key(segment)
    }

    /// Why these facts cannot be together, where that is certain.
    pub(super) fn refute(&self, given: &[Given<'a>], facts: &[Fact<'a>]) -> Option<Conflict<'a>> {
        self.left_of_one.set(MOST_OF_ONE);
        let mut taken = Taken::default();
        for given in given {
            match given {
                Given::Fact(fact) => self.take(*fact, &mut taken),
                Given::Segment { name, so, at } => self.take_segment(name, *so, (*at, 0), &mut taken),
            }
        }
        facts.iter().for_each(|fact| self.take(*fact, &mut taken));
        self.refute_taken(taken)
    }

    /// Whether there is something left to look with.
    fn affords(&self, work: usize) -> bool {
        match (self.left.get().checked_sub(work), self.left_of_one.get().checked_sub(work)) {
            (Some(left), Some(left_of_one)) => {
                self.left.set(left);
                self.left_of_one.set(left_of_one);
                true
            }
            _ => {
                self.left_of_one.set(0);
                false
            }
        }
    }

    fn take(&self, fact: Fact<'a>, taken: &mut Taken<'a>) {
        if taken.conflict.is_some() || !self.affords(1) {
            return;
        }
        let at = fact.asked.place(fact.places);
        let literal = |about, what| Literal { about, what, at };
        match fact.condition {
            Condition::All(_) | Condition::Any(_) | Condition::None(_) => self.take_parts(fact, taken),
            Condition::Not(_) => fact.inside().for_each(|inner| self.take(inner.not(), taken)),
            Condition::Value { path, tests } => {
                let about = match path.root {
                    Root::Event => About::Value(path, fact.asked.event, fact.asked.looked_for),
                    _ => About::Value(path, None, false),
                };
                let so = fact.so;
                let test = |predicate| Literal { about, what: What::Test(Test { predicate, so }), at };
                match tests.as_slice() {
                    // Which of several tests fails is left open.
                    [_, _, ..] if !so => {
                        taken.choices.push(tests.iter().map(|predicate| Way::Literal(test(predicate))).collect())
                    }
                    tests => taken.literals.extend(tests.iter().map(test)),
                }
            }
            Condition::Event(event) => self.take_event(fact, event, taken),
            Condition::Message(message) => {
                let reach = Reach::of(message.within, message.since, fact.asked.from);
                if fact.asked.moment.is_some_and(|moment| reach.from >= moment) {
                    // Nothing has become of any message yet.
                    if fact.so {
                        taken.conflict = Some(Conflict { at, with: at, of_contract: false });
                    }
                    return;
                }
                let what = What::Message { message, reach, own: fact.asked.own, so: fact.so };
                taken.literals.push(literal(About::Messages, what));
            }
            Condition::Segment(name) => {
                let mention = fact.asked.mention.map_or((at, 0), |(mention, depth)| (mention, depth + 1));
                self.take_segment(name, fact.so, mention, taken);
            }
            Condition::Listed(name) => taken.literals.push(literal(About::Listed(name), What::Is(fact.so))),
            Condition::Topic(name) => taken.literals.push(literal(About::Topic(name), What::Is(fact.so))),
            Condition::Workflow { name, is } => {
                taken.literals.push(literal(About::Workflow(name), What::Stands(*is, fact.so)));
            }
        }
    }

    /// What must all hold is taken apart; of the rest one must, and which one is left open.
    fn take_parts(&self, fact: Fact<'a>, taken: &mut Taken<'a>) {
        let inner_so = fact.so != matches!(fact.condition, Condition::None(_));
        let together = matches!(fact.condition, Condition::Any(_)) != fact.so;
        let mut inside = fact.inside().map(|inner| Fact { so: inner_so, ..inner });
        // What was wrong in there is left out: of an empty list nothing is known.
        if together {
            inside.for_each(|inner| self.take(inner, taken));
        } else if let Some(first) = inside.next() {
            let ways: Vec<Way<'a>> = std::iter::once(first).chain(inside).map(Way::Fact).collect();
            match ways.as_slice() {
                [only] => self.take_way(*only, taken),
                _ => taken.choices.push(ways),
            }
        }
    }

    fn take_way(&self, way: Way<'a>, taken: &mut Taken<'a>) {
        match way {
            Way::Fact(fact) => self.take(fact, taken),
            Way::Literal(literal) => taken.literals.push(literal),
        }
    }

    fn take_event(&self, fact: Fact<'a>, event: &'a EventCondition, taken: &mut Taken<'a>) {
        let at = fact.asked.place(fact.places);
        let reach = Reach::of(event.within, event.since, fact.asked.from);
        let happened = Happened { event, reach, so: fact.so };
        let mut conflict = |found: Conflict<'a>| taken.conflict = Some(found);
        let alone = Conflict { at, with: at, of_contract: false };
        if fact.asked.moment.is_some_and(|moment| reach.from >= moment) {
            match happened.before_anything() {
                Some(holds) if holds != fact.so => conflict(alone),
                _ => {}
            }
            return;
        }
        let count = Count::of(event);
        let filter = fact.inside().next();
        let nothing = || filter.and_then(|filter| self.refute_inner(filter));
        if fact.so {
            if count.least > count.most || sums_nothing(event, |sum| (*self.known(&sum.of, Some(&event.name))).clone()) {
                conflict(alone);
            } else if count.least > 0.0
                && let Some(found) = nothing()
            {
                conflict(found);
            }
        } else if any_number(event) {
            conflict(alone);
        } else if count.exact
            && count.least <= 0.0
            && event.aggregates.is_empty()
            && filter.is_some()
            && count.most >= 0.0
            && let Some(found) = nothing()
        {
            conflict(found);
        }
        taken.literals.push(Literal { about: About::Event(&event.name), what: What::Event(happened), at });
    }

    /// Whether a fact inside of another question cannot be.
    fn refute_inner(&self, fact: Fact<'a>) -> Option<Conflict<'a>> {
        let mut taken = Taken::default();
        self.take(fact, &mut taken);
        self.refute_taken(taken)
    }

    /// What a segment asks for is asked of the contact alone.
    fn take_segment(&self, name: &'a str, so: bool, (mention, depth): (Place<'a>, usize), taken: &mut Taken<'a>) {
        taken.literals.push(Literal { about: About::Segment(name), what: What::Is(so), at: mention });
        let Some(segment) = self.segments.get(name).filter(|_| depth < DEEPEST) else { return };
        if let [note] = segment.notes.conditions.as_slice() {
            let asked = Asked { mention: Some((mention, depth)), ..Asked::new(&segment.at.file, None, From::All) };
            self.take(Fact { condition: &segment.condition, places: &note.places, so, asked }, taken);
        }
    }

    fn refute_taken(&self, mut taken: Taken<'a>) -> Option<Conflict<'a>> {
        taken.literals.sort_by(|one, other| one.about.cmp(&other.about));
        if let Some(conflict) = taken.conflict.or_else(|| self.among(&taken.literals)) {
            return Some(conflict);
        }
        let mut choices = std::mem::take(&mut taken.choices);
        loop {
            let mut open = Vec::new();
            let before = choices.len();
            for mut ways in choices {
                let mut shut = None;
                ways.retain(|way| match self.shuts(*way, &taken) {
                    Some(conflict) => {
                        shut = Some(conflict);
                        false
                    }
                    None => true,
                });
                match (ways.as_slice(), shut) {
                    ([], Some(conflict)) => return Some(conflict),
                    ([only], _) => {
                        self.take_way(*only, &mut taken);
                        taken.literals.sort_by(|one, other| one.about.cmp(&other.about));
                        open.append(&mut taken.choices);
                        if let Some(conflict) = taken.conflict.or_else(|| self.among(&taken.literals)) {
                            return Some(conflict);
                        }
                    }
                    _ => open.push(ways),
                }
            }
            if open.len() >= before || self.left_of_one.get() == 0 {
                return None;
            }
            choices = open;
        }
    }

    /// Why this way is shut, with what is sure.
    fn shuts(&self, way: Way<'a>, sure: &Taken<'a>) -> Option<Conflict<'a>> {
        let mut taken = Taken::default();
        self.take_way(way, &mut taken);
        if taken.conflict.is_some() {
            return taken.conflict;
        }
        taken.literals.sort_by(|one, other| one.about.cmp(&other.about));
        taken.literals.chunk_by(|one, other| one.about == other.about).find_map(|group| {
            let about = group.first()?.about;
            let begin = sure.literals.partition_point(|literal| literal.about < about);
            let there = sure.literals.get(begin..)?.iter().take_while(|literal| literal.about == about);
            let together: Vec<Literal<'a>> = there.chain(group).copied().collect();
            self.excluded(&together)
        })
    }

    /// What literals exclude each other; they are in order of what they are about.
    fn among(&self, literals: &[Literal<'a>]) -> Option<Conflict<'a>> {
        literals.chunk_by(|one, other| one.about == other.about).find_map(|group| self.excluded(group))
    }

    /// The same, of literals about one thing.
    fn excluded(&self, group: &[Literal<'a>]) -> Option<Conflict<'a>> {
        if let Some(Literal { about: About::Value(path, event, _), .. }) = group.first() {
            return self.values(path, *event, group);
        }
        if group.len() > value::MOST || !self.affords(group.len() * group.len()) {
            return None;
        }
        let pair = group.iter().enumerate().find_map(|(index, one)| {
            let other = group.get(..index)?.iter().find(|other| exclude(&one.what, &other.what))?;
            Some(Conflict { at: one.at, with: other.at, of_contract: false })
        });
        pair.or_else(|| no_state(group))
    }

    /// What tests of one value exclude each other.
    fn values(&self, path: &'a Path, event: Option<&'a str>, group: &[Literal<'a>]) -> Option<Conflict<'a>> {
        let tests: Vec<Test<'a>> = group
            .iter()
            .filter_map(|literal| match literal.what {
                What::Test(test) => Some(test),
                _ => None,
            })
            .collect();
        let known = self.known(path, event);
        let listed =
            tests.iter().map(|test| weight(test.predicate)).sum::<usize>() + known.limits.values.as_ref().map_or(0, Vec::len);
        if tests.len() > value::MOST || !self.affords(tests.len() + listed) || !contradict(&tests, &known) {
            return None;
        }
        // Each test alone is to be possible.
        let there = Known { always: false, ..(*known).clone() };
        let alone = |test: &Test<'a>| contradict(&[*test], &there) && !contradict(&[*test], &Known::default());
        let of_contract = tests.iter().any(alone);
        let last = (0..tests.len()).find(|last| contradict(tests.get(..=*last).unwrap_or_default(), &known))?;
        let culprit = tests.get(last)?;
        let other = (0..last).find(|other| tests.get(*other).is_some_and(|other| contradict(&[*other, *culprit], &known)));
        let at = group.get(last)?.at;
        let with = other.and_then(|other| group.get(other)).map_or(at, |literal| literal.at);
        Some(Conflict { at, with, of_contract })
    }
}

/// How much there is to compare in a test.
fn weight(predicate: &Predicate) -> usize {
    match predicate {
        Predicate::OneOf(values) | Predicate::NoneOf(values) => values.len(),
        _ => 1,
    }
}
