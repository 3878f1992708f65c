//! Conditions on what happened to a contact, as SQL: events, messages, runs and static segments. Each contact's rows are looked up by index.

use dsl::model::{Condition, EventCondition, Fate, MessageCondition, WorkflowState};

use super::compile::{Compiler, Fit};
use super::expression::{Cost, Expression};
use super::functions::Test;
use crate::audience::{Reach, Scope, turns, verdict};
use crate::state::{EndReason, MessageStatus};
use crate::store::Result;

/// A part of a condition that only those meet who did something, so that its events can lead to them.
pub(super) struct Drive<'q> {
    name: &'q str,
    /// How many such events a contact must have.
    pub least: usize,
    /// A contact with so many has too many.
    too_many: Option<usize>,
    /// In ms since 1970 UTC: the oldest that counts.
    pub from: i64,
    /// What machines did does not count.
    people: bool,
}

impl<'q> Drive<'q> {
    /// `None` for what also those meet who did nothing, for what is asked of the events themselves, and for sent messages, which are no events.
    pub(super) fn of(condition: &'q Condition, scope: &Scope<'_>) -> Option<Drive<'q>> {
        match condition {
            Condition::Event(event) if event.filter.is_none() && event.name != Fate::Sent.event() => {
                let (false, turns) = turns(event, scope)? else { return None };
                let from = Reach::new(event.within, event.since, scope).from();
                Some(Drive { name: &event.name, least: *turns.first()?, too_many: turns.get(1).copied(), from, people: false })
            }
            Condition::Message(message) if message.template.is_none() && message.is != Fate::Sent => {
                let from = Reach::new(message.within, message.since, scope).from();
                Some(Drive { name: message.is.event(), least: 1, too_many: None, from, people: message.is.by_people() })
            }
            _ => None,
        }
    }
}

/// Where a contact's events are found: what stands behind FROM and what behind WHERE, and the events' alias.
struct Rows {
    alias: usize,
    from: String,
    filter: String,
}

impl<'q> Compiler<'_, 'q> {
    /// Those contacts, in order of id; `None`: nothing of the kind ever happened.
    pub(super) fn driving(&mut self, drive: &Drive<'_>) -> Result<Option<String>> {
        let Some(name) = self.names.find(self.db, drive.name)? else { return Ok(None) };
        let (name, from, until) = (self.param(name), self.param(drive.from), self.param(self.scope.now));
        let number = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let mut having = format!("count(*) >= {}", self.param(number(drive.least)));
        if let Some(too_many) = drive.too_many {
            having += &format!(" AND count(*) < {}", self.param(number(too_many)));
        }
        let people = if drive.people { people("events") } else { String::new() };
        Ok(Some(format!(
            "SELECT contact FROM events INDEXED BY events_contact WHERE name = {name} AND at BETWEEN {from} AND {until}{people}
             GROUP BY contact HAVING {having}"
        )))
    }

    pub(super) fn event(&mut self, event: &'q EventCondition) -> Fit<Expression> {
        let turns = turns(event, &self.scope);
        let bare = event.filter.is_none() && turns.is_some();
        let of_none = verdict(event, &[], &self.scope);
        let Some(mut rows) = self.rows_of(event, bare)? else { return Ok(Expression::Known(of_none)) };
        if let Some(filter) = &event.filter {
            match self.condition(filter, Some(rows.alias))? {
                Expression::Known(true) => {}
                Expression::Known(false) => return Ok(Expression::Known(of_none)),
                filter => rows.filter += &format!(" AND {}", filter.text()),
            }
        }
        let Some((at_none, turns)) = turns else { return Ok(self.walked(event, &rows, of_none)) };
        let Rows { from, filter, .. } = rows;
        let asked = match turns.as_slice() {
            [] => return Ok(Expression::Known(at_none)),
            [1] => exists(&from, &filter),
            // The look-up ends at the event that decides.
            [turn] => {
                let before = self.number(turn - 1);
                format!("EXISTS (SELECT 1 FROM {from} WHERE {filter} LIMIT 1 OFFSET {before})")
            }
            [first, .., last] => {
                let (first, before, last) = (self.number(*first), self.number(last - 1), self.number(*last));
                format!("(SELECT count(*) FROM (SELECT 1 FROM {from} WHERE {filter} LIMIT {last})) BETWEEN {first} AND {before}")
            }
        };
        let asked = Expression::sql(Cost::Lookup, asked);
        Ok(if at_none { Expression::not(asked) } else { asked })
    }

    fn number(&mut self, number: usize) -> String {
        self.param(i64::try_from(number).unwrap_or(i64::MAX))
    }

    fn walked(&mut self, event: &EventCondition, rows: &Rows, of_none: bool) -> Expression {
        // What its filter asks was asked before.
        let test = self.test(Test::Events(EventCondition { filter: None, ..event.clone() }));
        let Rows { alias, from, filter } = rows;
        let of_none = u8::from(of_none);
        // The index gives them in order of time, then id, as sums want them.
        let text = format!("coalesce((SELECT events_meet({test}, e{alias}.properties) FROM {from} WHERE {filter}), {of_none})");
        Expression::sql(Cost::Walk, text)
    }

    /// `None`: nothing of the kind ever happened. `bare`: nobody looks at their properties.
    fn rows_of(&mut self, event: &EventCondition, bare: bool) -> Fit<Option<Rows>> {
        let from = Reach::new(event.within, event.since, &self.scope).from();
        let alias = self.alias();
        if event.name == Fate::Sent.event() {
            return Ok(Some(self.sent(alias, from, bare)));
        }
        let Some(name) = self.names.find(self.db, &event.name)? else { return Ok(None) };
        let (name, between) = (self.param(name), self.between(from));
        Ok(Some(Rows {
            alias,
            from: format!("events AS e{alias} INDEXED BY events_contact"),
            filter: format!("e{alias}.contact = c.id AND e{alias}.name = {name} AND e{alias}.at {between}"),
        }))
    }

    /// From then on, and not later than now: what is dated in the future does not count yet.
    fn between(&mut self, from: i64) -> String {
        let (from, until) = (self.param(from), self.param(self.scope.now));
        format!("BETWEEN {from} AND {until}")
    }

    /// The event `message_sent`, which no row of events stands for.
    fn sent(&mut self, alias: usize, from: i64, bare: bool) -> Rows {
        let (status, between) = (self.param(MessageStatus::Sent as i64), self.between(from));
        let filter = format!("e{alias}.contact = c.id AND e{alias}.status = {status} AND e{alias}.at {between}");
        let rows = format!("messages AS e{alias} INDEXED BY messages_contact");
        if bare {
            return Rows { alias, from: rows, filter };
        }
        let name = |column: &str| format!("(SELECT name FROM names WHERE id = e{alias}.{column})");
        let (template, step, channel) = (name("template"), name("step"), name("channel"));
        let from = format!(
            "(SELECT json_object('template', {template}, 'workflow', (SELECT name FROM workflows WHERE id = e{alias}.workflow),
                  'step', {step}, 'channel', {channel}) AS properties
              FROM {rows} WHERE {filter}) AS e{alias}"
        );
        Rows { alias, from, filter: "1".to_owned() }
    }

    pub(super) fn message(&mut self, message: &MessageCondition) -> Fit<Expression> {
        let from = Reach::new(message.within, message.since, &self.scope).from();
        let alias = self.alias();
        let text = if message.is == Fate::Sent {
            let Rows { from, mut filter, .. } = self.sent(alias, from, true);
            if let Some(template) = &message.template {
                let Some(template) = self.names.find(self.db, template)? else { return Ok(Expression::Known(false)) };
                filter += &format!(" AND e{alias}.template = {}", self.param(template));
            }
            exists(&from, &filter)
        } else {
            let Some(name) = self.names.find(self.db, message.is.event())? else { return Ok(Expression::Known(false)) };
            let (name, between) = (self.param(name), self.between(from));
            let mut rows = format!("events AS e{alias} INDEXED BY events_contact");
            let mut filter = format!("e{alias}.contact = c.id AND e{alias}.name = {name} AND e{alias}.at {between}");
            if message.is.by_people() {
                filter += &people(&format!("e{alias}"));
            }
            if let Some(template) = &message.template {
                rows += &format!(" LEFT JOIN messages AS m{alias} ON m{alias}.id = e{alias}.message");
                filter += &format!(" AND {}", self.template_is(alias, template)?);
            }
            exists(&rows, &filter)
        };
        Ok(Expression::sql(Cost::Lookup, text))
    }

    /// The template is that of the message; what happened to one that is not known here may name it.
    fn template_is(&mut self, alias: usize, template: &str) -> Fit<String> {
        // No message has this number.
        let number = self.names.find(self.db, template)?.unwrap_or(-1);
        let (number, template) = (self.param(number), self.param(serde_json::Value::from(template).to_string()));
        let properties = format!("e{alias}.properties");
        let named = format!(
            "CASE json_type({properties}, '$.template') WHEN 'text' THEN {properties} -> '$.template' ELSE '\"\"' END IS {template}"
        );
        Ok(format!("CASE WHEN m{alias}.id IS NULL THEN {named} ELSE m{alias}.template = {number} END"))
    }

    pub(super) fn listed(&mut self, list: &str) -> Fit<Expression> {
        let Some(list) = self.names.find(self.db, list)? else { return Ok(Expression::Known(false)) };
        let list = self.param(list);
        Ok(Expression::sql(Cost::Lookup, exists("list_members", &format!("contact = c.id AND list = {list}"))))
    }

    pub(super) fn workflow(&mut self, name: &str, is: WorkflowState) -> Fit<Expression> {
        let doing = "look up a workflow";
        let known = self.db.row(doing, "SELECT id FROM workflows WHERE name = ?1", [name], |row| Ok(row.get::<_, i64>(0)?))?;
        let Some(workflow) = known else { return Ok(Expression::Known(is == WorkflowState::Never)) };
        let workflow = self.param(workflow);
        let run = |more: &str| exists("runs INDEXED BY runs_contact", &format!("contact = c.id AND workflow = {workflow}{more}"));
        let (completed, goal) = (EndReason::Completed as i64, EndReason::Goal as i64);
        let text = match is {
            WorkflowState::Active => run(" AND reason IS NULL"),
            WorkflowState::Completed => run(&format!(" AND reason IN ({completed}, {goal})")),
            WorkflowState::Exited => run(&format!(" AND reason NOT IN ({completed}, {goal})")),
            WorkflowState::Never => format!("NOT {}", run("")),
        };
        Ok(Expression::sql(Cost::Lookup, text))
    }
}

/// Leaves out the events in which a machine did it.
fn people(alias: &str) -> String {
    format!(" AND json_type({alias}.properties, '$.machine') IS NOT 'true'")
}

/// The limit keeps SQLite from making a join of it, whose order it would choose without knowing how much there is.
fn exists(rows: &str, filter: &str) -> String {
    format!("EXISTS (SELECT 1 FROM {rows} WHERE {filter} LIMIT 1)")
}
