//! One test performed.

use std::collections::BTreeSet;
use std::sync::Arc;

use dsl::model::journey::{Answer, Entry, Happening, Journey, Suite, When};
use dsl::time::Duration;

use super::JourneyError;
use super::compare::comes_true;
use crate::channels::Written;
use crate::ingest::{Cells, ContactInput, Expected, Occurrence, Source, What};
use crate::kernel::{Enrolment, Input, Members, Plan};
use crate::rehearsal::{Act, Line, Rehearsal, RehearsalError, Script};
use crate::state::{Assignment, LogKind};
use crate::store::StoreError;

/// How long a test goes on at most that does not say `until`.
const LONGEST: Duration = Duration(366 * Duration::DAY.0);

/// What happened.
pub(super) struct Performed {
    pub lines: Vec<Line>,
    /// Why it did not go on.
    pub error: Option<JourneyError>,
}

pub(super) fn perform(
    (plan, expected): (Arc<Plan>, &Expected),
    suite: &Suite,
    journey: &Journey,
) -> Result<Performed, JourneyError> {
    let mut script = Script::default();
    for (channel, answers) in &journey.given.channels {
        for answer in answers {
            if !script.then(channel, &plan.catalog.settings, &written(answer)) {
                return Err(JourneyError::Given(format!("the channel {channel} is never answered {answer:?}")));
            }
        }
    }
    let mut rehearsal = Rehearsal::new(plan, (&suite.seed, false), suite.start, script)?;
    give(&mut rehearsal, expected, suite, journey)?;
    let mut lines = Vec::new();
    let error = go_on(&mut rehearsal, suite, journey, &mut lines).err().map(JourneyError::from);
    Ok(Performed { lines, error })
}

/// Puts into the store what is so before the start.
fn give(rehearsal: &mut Rehearsal<Script>, expected: &Expected, suite: &Suite, journey: &Journey) -> Result<(), JourneyError> {
    let given = &journey.given;
    let mut ids = Vec::with_capacity(given.contacts.len());
    for row in &given.contacts {
        let cells = Cells { fields: row.clone(), subscribed: None };
        let (contact, _) = ContactInput::read(expected, cells).map_err(JourneyError::Given)?;
        ids.push(contact.id.clone());
        rehearsal.know(&[Input::Known(contact)])?;
    }
    for segment in &given.segments {
        let members = Members { segment: segment.clone(), add: ids.clone(), remove: Vec::new() };
        rehearsal.belong(&members)?;
    }
    assign(rehearsal, suite, journey, &ids).map_err(RehearsalError::from)?;
    let mut acts = Vec::with_capacity(journey.timeline.len());
    for entry in &journey.timeline {
        match act(entry) {
            Act::Members(at, members) if at < suite.start => rehearsal.belong(&members)?,
            act => acts.push(act),
        }
    }
    Ok(rehearsal.expect(acts)?)
}

/// Gives everybody their variants, as if they had been here before.
fn assign(rehearsal: &mut Rehearsal<Script>, suite: &Suite, journey: &Journey, ids: &[String]) -> Result<(), StoreError> {
    if journey.given.experiments.is_empty() {
        return Ok(());
    }
    let store = rehearsal.kernel().store();
    store.begin()?;
    let workflow = store.workflow_id(&suite.workflow)?;
    for id in ids {
        let Some(contact) = store.contact_id(id)? else { continue };
        for (experiment, variant) in &journey.given.experiments {
            let (experiment, variant) = (experiment.clone(), variant.clone());
            store.assign(&Assignment { contact, workflow, experiment, variant, at: suite.start, measured: None })?;
        }
    }
    store.commit()
}

fn written(answer: &Answer) -> Written {
    match answer {
        Answer::Taken => Written::Taken,
        Answer::Silence => Written::Silence,
        Answer::Said(words) => Written::Said(words.clone()),
        Answer::Called { status, json } => Written::Answered { status: *status, json: json.clone() },
    }
}

fn act(entry: &Entry) -> Act {
    let contact = || entry.contact.clone();
    let members = |segment: &String, add: bool| {
        let (add, remove) = if add { (vec![contact()], Vec::new()) } else { (Vec::new(), vec![contact()]) };
        Act::Members(entry.at, Members { segment: segment.clone(), add, remove })
    };
    let what = match &entry.what {
        Happening::Event { name, properties } => What::Event { name: name.clone(), properties: properties.clone(), id: None },
        Happening::Set(values) => What::Set(values.clone()),
        Happening::Subscribe(topic) => What::Subscribe(topic.clone()),
        Happening::Unsubscribe(topic) => What::Unsubscribe(topic.clone()),
        Happening::Confirm(topic) => What::Confirm(topic.clone()),
        Happening::Erase => What::Erase,
        Happening::Enroll { workflow, with } => {
            let enrolment = Enrolment { workflow: workflow.clone(), contact: contact(), with: with.clone(), key: None };
            return Act::Enroll(entry.at, enrolment);
        }
        Happening::Join(segment) => return members(segment, true),
        Happening::Leave(segment) => return members(segment, false),
    };
    Act::Occurrence(Occurrence { at: entry.at, contact: contact(), anonymous: false, what })
}

/// Lets the time pass up to `until`; without it until everything is over: the timeline, what is expected, and the runs. A year at most.
fn go_on(
    rehearsal: &mut Rehearsal<Script>,
    suite: &Suite,
    journey: &Journey,
    lines: &mut Vec<Line>,
) -> Result<(), RehearsalError> {
    let latest = journey.timeline.last().map_or(suite.start, |entry| entry.at.max(suite.start));
    let until = journey.until.unwrap_or_else(|| latest.saturating_add(LONGEST.millis()));
    let times = journey.expect.iter().filter_map(|expectation| match expectation.when? {
        When::At(at) | When::Between(_, at) => Some(at),
    });
    let last_expected = times.max().unwrap_or(suite.start);
    let mut inside: BTreeSet<String> = BTreeSet::new();
    // How much had happened when it was last asked whether all is over.
    let mut asked = None;
    let mut begun = false;
    while let Some(now) = rehearsal.next_time()?.filter(|now| *now < until) {
        // What a schedule would begin later is none of the test's business, unless it waits for it.
        let quiet = begun && rehearsal.next_act().is_none() && inside.is_empty() && now > last_expected;
        let asks = quiet && journey.until.is_none() && asked.replace(lines.len()) != Some(lines.len());
        if asks && comes_true(suite, journey, lines) {
            return Ok(());
        }
        begun = true;
        let from = lines.len();
        lines.extend(rehearsal.advance(now)?);
        for line in lines.iter().skip(from) {
            let counts = journey.all_workflows || line.workflow == suite.workflow;
            match line.kind {
                LogKind::Enter if counts => {
                    inside.insert(line.run.clone());
                }
                LogKind::Exit => {
                    inside.remove(&line.run);
                }
                _ => {}
            }
        }
    }
    Ok(())
}
