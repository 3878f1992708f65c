//! `enroll`: lets a contact enter a workflow that has a manual trigger.

use std::path::PathBuf;

use dsl::model::{Definition, Trigger};
use serde_json::{Map, Value};

use super::beside::Beside;
use super::output::print;
use super::{CouldNotRun, Exit, Outcome};
use crate::state::ContactId;
use crate::store::{InboxItem, Store};

#[derive(clap::Args)]
pub struct Enroll {
    /// The workflow's name
    workflow: String,
    /// The contact's id
    contact: String,
    /// What becomes event.* of the run: a JSON object
    #[arg(long, value_name = "JSON")]
    with: Option<String>,
}

impl Enroll {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let mut beside = Beside::open(given)?;
        match self.item(&mut beside)? {
            Ok(item) => beside.leave(&item)?,
            Err(wrong) => {
                eprintln!("campaignd: {wrong}");
                return Ok(Exit::Findings);
            }
        }
        print(|out| {
            writeln!(
                out,
                "{} enters {} by the runner: at once if it runs, else when it starts; \
                 the audience and the rules of re-entry apply",
                self.contact, self.workflow
            )
        })?;
        Ok(Exit::Fine)
    }

    /// What to leave for the runner, or in words why not.
    fn item(&self, beside: &mut Beside) -> Result<Result<InboxItem, String>, CouldNotRun> {
        let with = match self.with.as_deref().map_or(Ok(Value::Object(Map::new())), serde_json::from_str) {
            Ok(Value::Object(with)) => with,
            Ok(_) => return Err(CouldNotRun("--with must be a JSON object, such as '{\"plan\": \"pro\"}'".to_owned())),
            Err(error) => return Err(CouldNotRun(format!("--with is not JSON: {error}"))),
        };
        let workflow = self.workflow.clone();
        match definition(beside, &workflow)? {
            None => return Ok(Err(format!("there is no workflow `{workflow}` in this project; `campaignd status` lists them"))),
            Some(definition) if !definition.workflow.triggers.iter().any(|trigger| matches!(trigger, Trigger::Manual)) => {
                return Ok(Err(format!("`{workflow}` has no `manual: true` among its triggers, so nobody can be enrolled")));
            }
            Some(_) => {}
        }
        match self.contact(beside)? {
            Some(contact) => Ok(Ok(InboxItem::Enroll { workflow, contact, with })),
            None => Ok(Err(format!("there is no contact `{}`; `campaignd import contacts` brings contacts in", self.contact))),
        }
    }

    fn contact(&self, beside: &mut Beside) -> Result<Option<ContactId>, CouldNotRun> {
        let Some(store) = &mut beside.store else { return Ok(None) };
        Ok(store.contact_id(&self.contact)?)
    }
}

/// As the files have it; with files that are wrong, as the runner last put it in force.
fn definition(beside: &mut Beside, workflow: &str) -> Result<Option<Definition>, CouldNotRun> {
    if let Some(catalog) = beside.catalog()? {
        return Ok(catalog.workflows.get(workflow).map(|entry| Definition::clone(&entry.definition)));
    }
    let Some(store) = &mut beside.store else { return Ok(None) };
    let row = store.workflows()?.into_iter().find(|row| row.name == workflow);
    let Some(id) = row.and_then(|row| row.definition) else { return Ok(None) };
    let text = store.definition(id)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
