//! Who was given which variant of an experiment, what came of it, and how experiments were decided.

use dsl::model::Metric;
use rusqlite::{Row, params};

use super::db::{Db, Read, count, damaged, to_json};
use super::names::Names;
use crate::experiment::Looks;
use crate::state::{Assignment, ContactId, Contest, EventId, Mark, Measured, RunId, VariantCount, Won, WorkflowId};
use crate::store::Result;

pub(super) fn variant(
    db: &Db,
    names: &mut Names,
    workflow: WorkflowId,
    experiment: &str,
    contact: ContactId,
) -> Result<Option<String>> {
    let Some(experiment) = names.find(db, experiment)? else {
        return Ok(None);
    };
    db.row(
        "read an assignment",
        "SELECT variant FROM assignments WHERE contact = ?1 AND workflow = ?2 AND experiment = ?3",
        params![contact.0, workflow.0, experiment],
        |row| Ok(names.text(db, row.get(0)?)?),
    )
}

pub(super) fn assign(db: &Db, names: &mut Names, assignment: &Assignment) -> Result<()> {
    let Assignment { contact, workflow, at, measured, .. } = assignment;
    let experiment = names.number(db, &assignment.experiment)?;
    let variant = names.number(db, &assignment.variant)?;
    let since = measured.and_then(|measured| measured.since);
    db.write(
        "write an assignment",
        "INSERT OR REPLACE INTO assignments (contact, workflow, experiment, variant, at, run, since_at, since_event)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            contact.0,
            workflow.0,
            experiment,
            variant,
            at,
            measured.map(|measured| measured.run.0),
            since.map(|since| since.0),
            since.map(|since| since.1.0),
        ],
    )?;
    if measured.is_some() {
        db.write(
            "count an assignment",
            "INSERT INTO variant_counts (workflow, experiment, variant, assigned) VALUES (?1, ?2, ?3, 1)
             ON CONFLICT DO UPDATE SET assigned = assigned + 1",
            params![workflow.0, experiment, variant],
        )?;
    }
    Ok(())
}

pub(super) fn of_contact(db: &Db, names: &mut Names, contact: ContactId) -> Result<Vec<Assignment>> {
    db.rows(
        "read a contact's assignments",
        "SELECT workflow, experiment, variant, at, run, since_at, since_event, opened_at, clicked_at, goal_at, value
         FROM assignments WHERE contact = ?1 ORDER BY workflow, experiment",
        [contact.0],
        |row| {
            Ok(Assignment {
                contact,
                workflow: WorkflowId(row.get(0)?),
                experiment: names.text(db, row.get(1)?)?,
                variant: names.text(db, row.get(2)?)?,
                at: row.get(3)?,
                measured: measured(row)?,
            })
        },
    )
}

fn measured(row: &Row<'_>) -> Read<Option<Measured>> {
    let Some(run) = row.get::<_, Option<i64>>(4)? else { return Ok(None) };
    let since = match (row.get(5)?, row.get(6)?) {
        (Some(at), Some(event)) => Some(Mark(at, EventId(event))),
        _ => None,
    };
    Ok(Some(Measured {
        run: RunId(run),
        since,
        opened_at: row.get(7)?,
        clicked_at: row.get(8)?,
        goal_at: row.get(9)?,
        value: row.get(10)?,
    }))
}

pub(super) fn reached(
    db: &Db,
    names: &mut Names,
    assignment: &Assignment,
    metric: Metric,
    at: i64,
    value: Option<f64>,
) -> Result<bool> {
    let Assignment { contact, workflow, measured: Some(measured), .. } = assignment else { return Ok(false) };
    let experiment = names.number(db, &assignment.experiment)?;
    let variant = names.number(db, &assignment.variant)?;
    let (note, add) = match metric {
        Metric::Opened => (
            "UPDATE assignments SET opened_at = ?5, value = coalesce(?6, value)
             WHERE contact = ?1 AND workflow = ?2 AND experiment = ?3 AND run = ?4 AND opened_at IS NULL",
            "UPDATE variant_counts SET opened = opened + 1, value = value + ?4
             WHERE workflow = ?1 AND experiment = ?2 AND variant = ?3",
        ),
        Metric::Clicked => (
            "UPDATE assignments SET clicked_at = ?5, value = coalesce(?6, value)
             WHERE contact = ?1 AND workflow = ?2 AND experiment = ?3 AND run = ?4 AND clicked_at IS NULL",
            "UPDATE variant_counts SET clicked = clicked + 1, value = value + ?4
             WHERE workflow = ?1 AND experiment = ?2 AND variant = ?3",
        ),
        Metric::Goal => (
            "UPDATE assignments SET goal_at = ?5, value = coalesce(?6, value)
             WHERE contact = ?1 AND workflow = ?2 AND experiment = ?3 AND run = ?4 AND goal_at IS NULL",
            "UPDATE variant_counts SET goals = goals + 1, value = value + ?4
             WHERE workflow = ?1 AND experiment = ?2 AND variant = ?3",
        ),
    };
    let doing = "write what came of a variant";
    if db.write(doing, note, params![contact.0, workflow.0, experiment, measured.run.0, at, value])? == 0 {
        return Ok(false);
    }
    db.write_one(doing, add, params![workflow.0, experiment, variant, value.unwrap_or(0.0)])?;
    Ok(true)
}

pub(super) fn counts(db: &Db, names: &mut Names, workflow: Option<WorkflowId>) -> Result<Vec<VariantCount>> {
    let mut counts = db.rows(
        "read what came of variants",
        "SELECT workflow, experiment, variant, assigned, opened, clicked, goals, value FROM variant_counts
         WHERE ?1 IS NULL OR workflow = ?1",
        [workflow.map(|workflow| workflow.0)],
        |row| {
            Ok(VariantCount {
                workflow: WorkflowId(row.get(0)?),
                experiment: names.text(db, row.get(1)?)?,
                variant: names.text(db, row.get(2)?)?,
                assigned: count(row, 3, "count of a variant")?,
                opened: count(row, 4, "count of a variant")?,
                clicked: count(row, 5, "count of a variant")?,
                goals: count(row, 6, "count of a variant")?,
                value: row.get(7)?,
            })
        },
    )?;
    counts.sort_by(|a, b| (a.workflow, &a.experiment, &a.variant).cmp(&(b.workflow, &b.experiment, &b.variant)));
    Ok(counts)
}

/// The numbers are stored: never reuse one.
fn number(metric: Metric) -> i64 {
    match metric {
        Metric::Opened => 1,
        Metric::Clicked => 2,
        Metric::Goal => 3,
    }
}

fn read_contest(row: &Row<'_>, db: &Db, names: &mut Names) -> Read<Contest> {
    let metric: i64 = row.get(2)?;
    let metric = [Metric::Opened, Metric::Clicked, Metric::Goal].into_iter().find(|one| number(*one) == metric);
    let winner = row.get::<_, Option<String>>(6)?.map(|text| serde_json::from_str::<Won>(&text)).transpose();
    Ok(Contest {
        workflow: WorkflowId(row.get(0)?),
        experiment: names.text(db, row.get(1)?)?,
        metric: metric.ok_or_else(|| damaged("contest", "its metric is unknown"))?,
        looks: Looks { taken: row.get(3)?, did: count(row, 4, "contest")?, spent: row.get(5)? },
        winner: winner.map_err(|error| damaged("contest", error))?,
    })
}

pub(super) fn contest(db: &Db, names: &mut Names, workflow: WorkflowId, experiment: &str) -> Result<Option<Contest>> {
    let Some(experiment) = names.find(db, experiment)? else { return Ok(None) };
    db.row(
        "read a contest",
        "SELECT workflow, experiment, metric, looks, did, spent, winner FROM contests WHERE workflow = ?1 AND experiment = ?2",
        params![workflow.0, experiment],
        |row| read_contest(row, db, names),
    )
}

pub(super) fn contests(db: &Db, names: &mut Names) -> Result<Vec<Contest>> {
    let mut contests =
        db.rows("read contests", "SELECT workflow, experiment, metric, looks, did, spent, winner FROM contests", [], |row| {
            read_contest(row, db, names)
        })?;
    contests.sort_by(|a, b| (a.workflow, &a.experiment).cmp(&(b.workflow, &b.experiment)));
    Ok(contests)
}

pub(super) fn set_contest(db: &Db, names: &mut Names, contest: &Contest) -> Result<()> {
    let Contest { workflow, metric, looks, winner, .. } = contest;
    let experiment = names.number(db, &contest.experiment)?;
    let winner = winner.as_ref().map(|winner| to_json(winner, "contest")).transpose()?;
    db.write(
        "write a contest",
        "INSERT OR REPLACE INTO contests (workflow, experiment, metric, looks, did, spent, winner)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        params![workflow.0, experiment, number(*metric), looks.taken, looks.did.cast_signed(), looks.spent, winner],
    )?;
    Ok(())
}

pub(super) fn drop_contest(db: &Db, names: &mut Names, workflow: WorkflowId, experiment: &str) -> Result<()> {
    let experiment = names.number(db, experiment)?;
    let sql = "DELETE FROM contests WHERE workflow = ?1 AND experiment = ?2";
    db.write("forget a contest", sql, params![workflow.0, experiment])?;
    Ok(())
}
