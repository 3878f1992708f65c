//! What became of messages and goals, added up for reports.

use std::collections::BTreeMap;

use dsl::model::Fate;
use rusqlite::params;

use super::db::{Db, Unread, count, damaged};
use super::names::Names;
use crate::state::{CALLS, MessageStatus, WorkflowId};
use crate::store::{MessageFigures, Result};

const DOING: &str = "add up messages";

pub(super) fn add_goal_value(db: &Db, workflow: WorkflowId, value: f64) -> Result<()> {
    db.write(
        "write what a goal was worth",
        "INSERT INTO goal_values (workflow, value) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET value = value + excluded.value",
        params![workflow.0, value],
    )?;
    Ok(())
}

pub(super) fn goal_values(db: &Db) -> Result<Vec<(WorkflowId, f64)>> {
    db.rows("read what goals were worth", "SELECT workflow, value FROM goal_values ORDER BY workflow", [], |row| {
        Ok((WorkflowId(row.get(0)?), row.get(1)?))
    })
}

/// By workflow, and the numbers of step and template.
type Place = (i64, i64, i64);

pub(super) fn of_messages(db: &Db, names: &mut Names, workflow: Option<WorkflowId>) -> Result<Vec<MessageFigures>> {
    let mut places: BTreeMap<Place, MessageFigures> = BTreeMap::new();
    by_status(db, names, workflow, &mut places)?;
    for fate in Fate::ALL {
        let Some(event) = names.find(db, fate.event())? else { continue };
        for (place, number) in happened(db, workflow, event)? {
            if let Some(figures) = places.get_mut(&place) {
                figures.fates.insert(fate, number);
            }
        }
    }
    if let Some(event) = names.find(db, "unsubscribed")? {
        for (place, number) in unsubscribed(db, workflow, event)? {
            if let Some(figures) = places.get_mut(&place) {
                figures.unsubscribed = number;
            }
        }
    }
    let mut all = Vec::with_capacity(places.len());
    for ((_, step, template), figures) in places {
        all.push(MessageFigures { step: names.text(db, step)?, template: names.text(db, template)?, ..figures });
    }
    all.sort_by(|a, b| (a.workflow, &a.step, &a.template).cmp(&(b.workflow, &b.step, &b.template)));
    Ok(all)
}

fn by_status(
    db: &Db,
    names: &mut Names,
    workflow: Option<WorkflowId>,
    places: &mut BTreeMap<Place, MessageFigures>,
) -> Result<()> {
    let calls = names.find(db, CALLS)?;
    let rows = db.rows(
        DOING,
        // Of somebody who was erased it is not kept why.
        "SELECT workflow, step, template, status, CASE status WHEN 5 THEN coalesce(error, 'erased') END, count(*) FROM messages
         WHERE channel IS NOT ?1 AND (?2 IS NULL OR workflow = ?2) GROUP BY 1, 2, 3, 4, 5",
        params![calls, workflow.map(|workflow| workflow.0)],
        |row| {
            let place: Place = (row.get(0)?, row.get(1)?, row.get(2)?);
            let status = MessageStatus::from_number(row.get(3)?);
            let status = status.ok_or_else(|| Unread::Store(damaged("message", "its status is unknown")))?;
            Ok((place, status, row.get::<_, Option<String>>(4)?, count(row, 5, "count of messages")?))
        },
    )?;
    for (place, status, why, number) in rows {
        let figures = places.entry(place).or_insert_with(|| MessageFigures {
            workflow: WorkflowId(place.0),
            step: String::new(),
            template: String::new(),
            by_status: BTreeMap::new(),
            skipped: BTreeMap::new(),
            fates: BTreeMap::new(),
            unsubscribed: 0,
        });
        *figures.by_status.entry(status).or_default() += number;
        if let Some(why) = why {
            figures.skipped.insert(why, number);
        }
    }
    Ok(())
}

fn happened(db: &Db, workflow: Option<WorkflowId>, event: i64) -> Result<Vec<(Place, u64)>> {
    db.rows(
        DOING,
        "SELECT workflow, step, template, count(DISTINCT messages.id) FROM events JOIN messages ON messages.id = events.message
         WHERE events.name = ?1 AND (?2 IS NULL OR workflow = ?2) AND json_extract(events.properties, '$.machine') IS NOT 1
         GROUP BY 1, 2, 3",
        params![event, workflow.map(|workflow| workflow.0)],
        |row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), count(row, 3, "count of messages")?)),
    )
}

/// A complaint, which unsubscribes too, is counted as one.
fn unsubscribed(db: &Db, workflow: Option<WorkflowId>, event: i64) -> Result<Vec<(Place, u64)>> {
    db.rows(
        DOING,
        "SELECT workflow, step, template, count(DISTINCT messages.id)
         FROM events JOIN messages ON messages.id = json_extract(events.properties, '$.message')
         WHERE events.name = ?1 AND (?2 IS NULL OR workflow = ?2)
             AND json_extract(events.properties, '$.source') IS NOT 'complaint'
         GROUP BY 1, 2, 3",
        params![event, workflow.map(|workflow| workflow.0)],
        |row| Ok(((row.get(0)?, row.get(1)?, row.get(2)?), count(row, 3, "count of messages")?)),
    )
}
