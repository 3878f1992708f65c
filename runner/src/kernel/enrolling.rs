//! Enrolment by name, with an answer: for who asks over HTTP.

use dsl::model::{Status, Trigger};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::Kernel;
use super::entries::{Admission, Entry};
use crate::store::{Result, StoreError};

/// Who is to enter which workflow.
#[derive(Debug, Clone, PartialEq)]
pub struct Enrolment {
    pub workflow: String,
    /// The contact's uid, or another id of theirs.
    pub contact: String,
    /// What becomes `event.*` of the run.
    pub with: Map<String, Value>,
    /// The same key is answered in the same way, and enters nobody again.
    pub key: Option<String>,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enrolled {
    /// Entered: the id of the run.
    Run(String),
    /// Did not enter, by the workflow's own rules.
    Ignored(Why),
}

/// Which rule kept a contact out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The contact is not in the audience.
    Audience,
    /// The contact is inside already.
    Active,
    /// `reentry` does not allow it, or not yet.
    Reentry,
}

/// Why nobody can be enrolled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotEnrolled {
    #[error("there is no workflow of this name in force; `campaignd status` lists them")]
    NoWorkflow,
    #[error("there is no contact of this id; identify it first")]
    NoContact,
    #[error("the workflow has no `manual: true` among its triggers, so nobody can be enrolled")]
    NotManual,
    #[error("the workflow is a draft: set its status to live first")]
    Draft,
    #[error("the workflow is paused: nobody gets in until it is resumed")]
    Paused,
    #[error("the workflow is closed: nobody gets in any more")]
    Closed,
    #[error("this Idempotency-Key was used for another enrolment; use a new key for each")]
    KeyReused,
}

/// What is kept under a key.
#[derive(Serialize, Deserialize)]
struct Remembered {
    /// Tells whether the same was asked.
    asked: String,
    enrolled: Enrolled,
}

impl Kernel {
    /// Lets a contact enter a workflow by name, in a transaction of its own; the answer to a key is kept in the same one. Messages leave with the next
    /// turn.
    ///
    /// # Errors
    /// Those of the store; nothing happened then.
    pub fn enroll(&mut self, enrolment: &Enrolment, now: i64) -> Result<std::result::Result<Enrolled, NotEnrolled>> {
        self.transaction(now, |kernel| {
            let Some(key) = &enrolment.key else {
                return kernel.enroll_once(enrolment);
            };
            let key = kernel.suppression.name_of_received("enroll", key);
            let asked = kernel.suppression.name_of_received("asked", &enrolment.asked());
            if let Some(text) = kernel.store.received(&key)? {
                let remembered: Remembered = serde_json::from_str(&text)
                    .map_err(|error| StoreError::Damaged { what: "remembered answer", why: error.to_string() })?;
                return Ok(if remembered.asked == asked { Ok(remembered.enrolled) } else { Err(NotEnrolled::KeyReused) });
            }
            let answer = kernel.enroll_once(enrolment)?;
            if let Ok(enrolled) = &answer {
                let remembered = Remembered { asked, enrolled: enrolled.clone() };
                kernel.store.remember_received(&key, &json!(remembered).to_string(), now)?;
            }
            Ok(answer)
        })
    }

    fn enroll_once(&mut self, enrolment: &Enrolment) -> Result<std::result::Result<Enrolled, NotEnrolled>> {
        let found = self.in_force.id(&enrolment.workflow).and_then(|id| Some((id, self.in_force.get(id).cloned()?)));
        let Some((id, current)) = found else { return Ok(Err(NotEnrolled::NoWorkflow)) };
        let Some(contact) = self.store.contact_id(&enrolment.contact)? else { return Ok(Err(NotEnrolled::NoContact)) };
        let triggers = &current.prepared.program.definition.workflow.triggers;
        if !triggers.iter().any(|trigger| matches!(trigger, Trigger::Manual)) {
            return Ok(Err(NotEnrolled::NotManual));
        }
        match current.status {
            Status::Live => {}
            Status::Draft => return Ok(Err(NotEnrolled::Draft)),
            Status::Paused => return Ok(Err(NotEnrolled::Paused)),
            Status::Closed => return Ok(Err(NotEnrolled::Closed)),
        }
        let person = self.load_contact(contact)?;
        let with = Value::Object(enrolment.with.clone());
        let event = (!enrolment.with.is_empty()).then_some(&with);
        let admission = self.admit(id, &current, person, Entry { key: String::new(), event, mark: None, depth: 0 })?;
        self.follow_up()?;
        Ok(match admission {
            Admission::Entered(run) => Ok(Enrolled::Run(run.to_string())),
            Admission::NotInAudience => Ok(Enrolled::Ignored(Why::Audience)),
            Admission::Active => Ok(Enrolled::Ignored(Why::Active)),
            Admission::TooSoon => Ok(Enrolled::Ignored(Why::Reentry)),
            // The workflow is live, so it was the contact.
            Admission::Closed => Err(NotEnrolled::NoContact),
        })
    }
}

impl Enrolment {
    fn asked(&self) -> String {
        json!([self.workflow, self.contact, self.with]).to_string()
    }
}
