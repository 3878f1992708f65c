//! From a condition to the parts of a statement: the tables, the filter and its parameters.

use dsl::model::{Condition, Root};
use rusqlite::types::Value as SqlValue;

use super::expression::Expression;
use super::functions::Test;
use super::history::Drive;
use crate::audience::{Scope, meets_all};
use crate::instant::project_zone;
use crate::store::sqlite::SqliteStore;
use crate::store::sqlite::db::Db;
use crate::store::sqlite::names::Names;
use crate::store::{Outdated, Question, Result, StoreError};

/// Parts of a condition that go into one statement. A statement of so many compiles in some milliseconds; far larger ones take SQLite long.
const MOST_PARTS: usize = 500;
/// Parameters of one statement; SQLite allows 32,766.
const MOST_PARAMETERS: usize = 8_000;
/// Conditions inside conditions, through segments too, that go into a statement; SQLite allows expressions 1,000 deep.
const DEEPEST: usize = 40;

/// A question as SQL. Contacts are called `c`; they are read in order of id, beside which their events lie in that order, too.
pub(super) struct Compiled {
    pub from: String,
    /// Lets everybody through for whom the condition holds.
    pub filter: String,
    /// Whether that is certain for one who got through.
    pub sure: String,
    pub params: Vec<SqlValue>,
    /// It lets nobody else through.
    pub exact: bool,
}

/// What the statement goes through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// The contacts, each with its own rows looked up.
    ByContact,
    /// The index of all events, once, for those who did one thing that the condition asks for; of the contacts only theirs.
    ByEvents,
}

/// So many events a contact, on average, make one pass over their index dearer than a pass over the contacts.
const EVENTS_A_CONTACT: i64 = 8;

impl Shape {
    /// The cheaper one for a whole count.
    pub(super) fn of(store: &SqliteStore, question: &Question<'_>) -> Result<Shape> {
        // Those who count as matching anyway need not have done anything.
        if matches!(question.outdated, Outdated::Include(_)) {
            return Ok(Shape::ByContact);
        }
        let sql = "SELECT coalesce((SELECT max(id) FROM contacts), 0), coalesce((SELECT max(id) FROM events), 0)";
        let sizes = store.db.row("look for contacts that meet a condition", sql, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let (contacts, events): (i64, i64) = sizes.unwrap_or_default();
        Ok(if events <= contacts.saturating_mul(EVENTS_A_CONTACT) { Shape::ByEvents } else { Shape::ByContact })
    }
}

/// Why a part cannot go into the statement.
pub(super) enum Unfit {
    TooLarge,
    Store(StoreError),
}

impl From<StoreError> for Unfit {
    fn from(error: StoreError) -> Unfit {
        Unfit::Store(error)
    }
}

pub(super) type Fit<T> = std::result::Result<T, Unfit>;

/// One that must hold for the whole to hold, and where it was found.
struct Conjunct<'q> {
    condition: &'q Condition,
    /// The segments around it.
    inside: Vec<&'q str>,
    depth: usize,
}

impl Compiled {
    /// Registers with the store's functions what the statement will ask of them.
    pub(super) fn new(store: &mut SqliteStore, question: &Question<'_>, shape: Shape) -> Result<Compiled> {
        let zone = project_zone(question.settings);
        let mut compiler = Compiler {
            db: &store.db,
            names: &mut store.names,
            question,
            scope: question.scope(&zone),
            params: Vec::new(),
            tests: Vec::new(),
            inside: Vec::new(),
            depth: 0,
            parts: 0,
            aliases: 0,
        };
        let mut conjuncts = Vec::new();
        gather(Conjunct { condition: question.condition, inside: Vec::new(), depth: 0 }, question, &mut conjuncts);
        let from = match shape {
            Shape::ByEvents => compiler.driven(&mut conjuncts)?,
            Shape::ByContact => None,
        };
        let mut parts = Vec::new();
        let mut exact = true;
        for conjunct in conjuncts {
            match compiler.conjunct(conjunct)? {
                Some(part) => parts.push(part),
                None => exact = false,
            }
        }
        let compiled = compiler.finish(Expression::all(parts), from, exact);
        let tests = std::mem::take(&mut compiler.tests);
        store.functions.ask(question, tests);
        Ok(compiled)
    }
}

/// Takes apart what must hold together, through segments too.
fn gather<'q>(whole: Conjunct<'q>, question: &Question<'q>, into: &mut Vec<Conjunct<'q>>) {
    let Conjunct { condition, ref inside, depth } = whole;
    let deeper = depth + 1;
    // Segments of segments can stand for far more than is written.
    let fits = deeper < DEEPEST && into.len() < MOST_PARTS;
    match condition {
        Condition::All(parts) if fits => {
            for part in parts {
                gather(Conjunct { condition: part, inside: inside.clone(), depth: deeper }, question, into);
            }
        }
        Condition::Segment(name) if fits && !inside.contains(&name.as_str()) => match question.segments.get(name) {
            Some(segment) => {
                let inside = inside.iter().copied().chain([name.as_str()]).collect();
                gather(Conjunct { condition: segment, inside, depth: deeper }, question, into);
            }
            None => into.push(whole),
        },
        _ => into.push(whole),
    }
}

pub(super) struct Compiler<'a, 'q> {
    pub db: &'a Db,
    pub names: &'a mut Names,
    pub question: &'a Question<'q>,
    /// In the project's zone: only for what does not depend on the contact's.
    pub scope: Scope<'a>,
    params: Vec<SqlValue>,
    tests: Vec<Test>,
    /// The segments being looked into.
    inside: Vec<&'q str>,
    depth: usize,
    parts: usize,
    aliases: usize,
}

impl<'q> Compiler<'_, 'q> {
    /// `None`: too large; nothing of it is left in the statement.
    fn conjunct(&mut self, Conjunct { condition, inside, depth }: Conjunct<'q>) -> Result<Option<Expression>> {
        let (params, tests, parts) = (self.params.len(), self.tests.len(), self.parts);
        self.inside = inside;
        self.depth = depth;
        match self.condition(condition, None) {
            Ok(part) => Ok(Some(part)),
            Err(Unfit::Store(error)) => Err(error),
            Err(Unfit::TooLarge) => {
                self.params.truncate(params);
                self.tests.truncate(tests);
                self.parts = parts;
                Ok(None)
            }
        }
    }

    /// `at_hand`: the alias of the event whose properties `event.*` stands for.
    pub(super) fn condition(&mut self, condition: &'q Condition, at_hand: Option<usize>) -> Fit<Expression> {
        self.parts += 1;
        if self.parts > MOST_PARTS || self.depth >= DEEPEST || self.params.len() > MOST_PARAMETERS {
            return Err(Unfit::TooLarge);
        }
        self.depth += 1;
        let expression = self.expression(condition, at_hand);
        self.depth -= 1;
        expression
    }

    fn expression(&mut self, condition: &'q Condition, at_hand: Option<usize>) -> Fit<Expression> {
        Ok(match condition {
            Condition::All(parts) => Expression::all(self.each(parts, at_hand)?),
            Condition::Any(parts) => Expression::any(self.each(parts, at_hand)?),
            Condition::None(parts) => Expression::not(Expression::any(self.each(parts, at_hand)?)),
            Condition::Not(part) => Expression::not(self.condition(part, at_hand)?),
            Condition::Value { path, tests } => match (path.root, at_hand) {
                (Root::Contact, _) => self.contact_value(path, tests),
                (Root::Event, Some(alias)) => self.event_value(alias, path, tests),
                // There is no event at hand, and no run with variables.
                (Root::Event, None) | (Root::Vars, _) => Expression::Known(meets_all(tests, None, &self.scope).holds),
            },
            Condition::Event(event) => self.event(event)?,
            Condition::Message(message) => self.message(message)?,
            Condition::Segment(name) => self.segment(name)?,
            Condition::Listed(list) => self.listed(list)?,
            Condition::Topic(topic) => self.topic(topic),
            Condition::Workflow { name, is } => self.workflow(name, *is)?,
        })
    }

    fn each(&mut self, parts: &'q [Condition], at_hand: Option<usize>) -> Fit<Vec<Expression>> {
        parts.iter().map(|part| self.condition(part, at_hand)).collect()
    }

    /// A segment is about the contact alone; nobody is in one that there is not, or that needs itself.
    fn segment(&mut self, name: &'q str) -> Fit<Expression> {
        let segments = self.question.segments;
        let Some(condition) = segments.get(name).filter(|_| !self.inside.contains(&name)) else {
            return Ok(Expression::Known(false));
        };
        self.inside.push(name);
        let expression = self.condition(condition, None);
        self.inside.pop();
        expression
    }

    /// The placeholder of a new parameter.
    pub(super) fn param(&mut self, value: impl Into<SqlValue>) -> String {
        self.params.push(value.into());
        format!("?{}", self.params.len())
    }

    /// The placeholder of a test's number.
    pub(super) fn test(&mut self, test: Test) -> String {
        self.tests.push(test);
        let number = i64::try_from(self.tests.len() - 1).unwrap_or(i64::MAX);
        self.param(number)
    }

    /// A name for one more table.
    pub(super) fn alias(&mut self) -> usize {
        self.aliases += 1;
        self.aliases
    }

    /// The contacts who did the one thing that leaves the fewest, taken out of the conjuncts. `None`: no part asks for any.
    fn driven(&mut self, conjuncts: &mut Vec<Conjunct<'q>>) -> Result<Option<String>> {
        let asked = conjuncts.iter().enumerate().filter_map(|(place, conjunct)| {
            let drive = Drive::of(conjunct.condition, &self.scope)?;
            Some((drive, place))
        });
        let Some((drive, place)) = asked.max_by_key(|(drive, _)| (drive.least, drive.from)) else { return Ok(None) };
        let Some(table) = self.driving(&drive)? else { return Ok(None) };
        conjuncts.remove(place);
        Ok(Some(format!("({table}) AS driving CROSS JOIN contacts AS c NOT INDEXED ON c.id = driving.contact")))
    }

    fn finish(&mut self, condition: Expression, from: Option<String>, exact: bool) -> Compiled {
        let mut filter = vec!["c.erased = 0".to_owned()];
        let mut sure = if exact { "1".to_owned() } else { "0".to_owned() };
        match self.question.outdated {
            Outdated::Ignore => filter.push(condition.text()),
            Outdated::Include(version) => {
                let outdated = self.outdated(version);
                filter.push(format!("({outdated} OR {})", condition.text()));
                if !exact {
                    sure = outdated;
                }
            }
            Outdated::Exclude(version) => {
                filter.push(format!("NOT {}", self.outdated(version)));
                filter.push(condition.text());
            }
        }
        Compiled {
            from: from.unwrap_or_else(|| "contacts AS c NOT INDEXED".to_owned()),
            filter: filter.join(" AND "),
            sure,
            params: std::mem::take(&mut self.params),
            exact,
        }
    }

    fn outdated(&mut self, version: i64) -> String {
        let (version, now) = (self.param(version), self.param(self.question.now));
        format!("(c.version <> {version} OR coalesce(c.recheck <= {now}, 0))")
    }
}
