//! What a plan says: plain data, the same whether it was worked out here or came over HTTP.

use std::collections::BTreeMap;

use dsl::compare::{Change, PartChange, What};
use serde::{Deserialize, Serialize};

/// What putting a project's files in force would change in a store. Only what changes is listed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub project: String,
    /// RFC 3339, in the project's zone: the moment it was worked out for.
    pub at: String,
    /// The hash of what is in force; `None`: nothing was ever in force.
    pub in_force: Option<String>,
    /// The hash of what would be.
    pub tree: String,
    /// Nothing that matters to anybody is another.
    pub unchanged: bool,
    pub workflows: Vec<WorkflowPlan>,
    pub segments: Vec<SharedChange>,
    pub traits: Vec<SharedChange>,
    pub messages: Vec<MessageChange>,
    pub settings: Vec<Change>,
    /// What else there is to know, in words.
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WorkflowPlan {
    pub name: String,
    /// `added`, `removed` or `changed`.
    pub change: What,
    /// As the runner sees it: `live`, `draft`, `paused` or `closed`.
    pub status: Sides<String>,
    pub changes: Vec<Change>,
    pub runs: Runs,
    pub entering: Vec<Entering>,
    pub per_day: PerDay,
    pub notes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sides<T> {
    pub before: Option<T>,
    pub after: Option<T>,
}

/// Who is inside, and what becomes of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Runs {
    pub inside: u64,
    /// Together; as in [`StepRuns::becomes`].
    pub becomes: BTreeMap<Fate, u64>,
    /// Of those that end at once, why.
    pub ends: BTreeMap<String, u64>,
    /// In order of the step's id.
    pub steps: Vec<StepRuns>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRuns {
    pub step: String,
    pub runs: u64,
    pub becomes: BTreeMap<Fate, u64>,
    /// Where those go that are moved.
    pub moves_to: Option<String>,
}

/// What becomes of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It is under the new definition already.
    Stays,
    /// It goes on under the new definition from the step it stands on.
    Follows,
    /// The same, and what it waits for comes at another time.
    Rescheduled,
    /// The same, and what it waited for is over: it goes on at once.
    AtOnce,
    /// `moved` takes it to another step.
    Moved,
    /// It ends at once: the new exit_when or goal holds.
    Ends,
    /// Its step is gone: it finishes as it began.
    StepGone,
    /// An earlier edit left it behind: it goes on finishing as it began.
    Older,
    /// It finishes as it began, because `in_flight` says so.
    Pinned,
    /// The workflow is closed: it finishes as it began.
    Closing,
    /// It stays where it is for as long as the workflow is paused or a draft.
    Frozen,
}

impl Fate {
    /// In words, after a number of runs.
    pub fn words(self) -> &'static str {
        match self {
            Fate::Stays => "stay as they are",
            Fate::Follows => "go on from here",
            Fate::Rescheduled => "go on from here, at another time",
            Fate::AtOnce => "go on at once",
            Fate::Moved => "are moved",
            Fate::Ends => "end at once",
            Fate::StepGone => "lose their step and finish as they began",
            Fate::Older => "finish as they began (an earlier edit left them behind)",
            Fate::Pinned => "finish as they began (pinned)",
            Fate::Closing => "finish as they began (closed)",
            Fate::Frozen => "are frozen here",
        }
    }
}

/// Whoever comes in by this edit, or by a broadcast that it concerns.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entering {
    /// The trigger, in words.
    pub by: String,
    /// RFC 3339; `None`: at once, as soon as it is in force.
    pub when: Option<String>,
    /// How many would enter: at once, by all of the workflow's rules; later, those in the audience as it is now.
    pub people: u64,
    /// Those in the audience by what is in force now.
    pub before: Option<u64>,
    /// Of `people`, those subscribed to what the workflow sends; `None`: it asks for no topic.
    pub subscribed: Option<u64>,
}

/// What a day brings, from what the store has seen in the last four weeks.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct PerDay {
    /// Entries a day so far; `None`: nobody entered yet.
    pub entries_before: Option<f64>,
    /// Entries to be expected; `None`: there is nothing to go by.
    pub entries: Option<f64>,
    /// Messages a day so far; where `messages` goes by the steps, so does this, and `None` where their number is not the same on every way.
    pub messages_before: Option<f64>,
    /// Messages to be expected: at least and at most.
    pub messages: Option<(f64, f64)>,
    /// How that was found, in words.
    pub how: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedChange {
    pub name: String,
    pub change: What,
    /// The definition in words.
    pub definition: Sides<String>,
    /// Of a segment: how many are in it, by the values of traits as they are stored; after an edit of traits, as they would be.
    pub members: Option<Sides<u64>>,
    /// Of a segment: `enter` fires for those who are in it already.
    pub backfill: bool,
    /// Workflows that name it; of a trait before them `trait NAME` and `segment NAME`, and workflows also through segments.
    pub used_by: Vec<String>,
}

/// A message that is another, once for all workflows that send it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageChange {
    /// The template's name; of a message written in a workflow `WORKFLOW/STEP`.
    pub name: String,
    pub change: What,
    pub used_by: Vec<String>,
    pub parts: Vec<PartChange>,
}

impl Report {
    /// What `--strict` stops for: runs that lose their step, and more people at once than `most`.
    pub fn breaches(&self, most: Option<u64>) -> Vec<String> {
        let mut breaches = Vec::new();
        for workflow in &self.workflows {
            let name = &workflow.name;
            if let Some(lost) = workflow.runs.becomes.get(&Fate::StepGone) {
                breaches.push(format!("{name}: {} lose their step; `moved: {{ old: new }}` says where they go", runs(*lost)));
            }
            for entering in &workflow.entering {
                if let Some(most) = most.filter(|most| entering.people > *most) {
                    breaches.push(format!(
                        "{name}: {} people ({}), and at most {} are allowed",
                        grouped(entering.people),
                        entering.by,
                        grouped(most)
                    ));
                }
            }
        }
        breaches
    }
}

/// `1 run`, `2 runs`.
pub fn runs(number: u64) -> String {
    if number == 1 { "1 run".to_owned() } else { format!("{} runs", grouped(number)) }
}

/// `1,234`
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
