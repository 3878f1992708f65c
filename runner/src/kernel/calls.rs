//! `call` steps: requests to other systems. They go the way of messages, on a channel of their own.

use std::sync::Arc;

use dsl::model::{Call, Root, StepKind};
use serde_json::{Value, json};

use super::composing::run_data;
use super::{Kernel, Prepared};
use crate::channels::{Content, Envelope, Job};
use crate::engine;
use crate::state::*;
use crate::store::Result;

impl Kernel {
    /// Records that the call begins, and makes the job. The same Message-ID with every attempt: by it the other side can tell that it was
    /// asked before.
    pub(super) fn claim_call(&mut self, mut message: Message, run: &Run, contact: Contact, call: &Call) -> Result<Job> {
        self.begin_sending(&mut message, run)?;
        let settings = self.plan.catalog.settings.clone();
        let message_id = super::message_id(&message, &settings, &self.identity);
        let envelope = Envelope { message_id: message_id.clone(), date: self.now, ..Envelope::default() };
        let (now, call) = (self.now, call.clone());
        let (event, vars) = (run.state.event.clone(), run.state.vars.clone());
        let compose = move || {
            let mut data = run_data(&contact, &settings, now, event, vars);
            data.insert("message".to_owned(), json!({ "id": message_id }));
            Ok(Content { data: Some(Value::Object(data)), call: Some(call), ..Content::default() })
        };
        Ok(Job { message: message.id, envelope, compose: Box::new(compose) })
    }

    /// The call of the step that a message stands for, as the definition has it that the run goes by.
    pub(super) fn call_of<'p>(&self, prepared: &'p Arc<Prepared>, message: &Message) -> Option<&'p Call> {
        let index = prepared.program.step(&message.step)?;
        match &prepared.program.definition.workflow.steps.get(index)?.kind {
            StepKind::Call(call) => Some(call),
            _ => None,
        }
    }

    /// Puts the answer of a call where the step says.
    pub(super) fn save_answer(&self, message: &Message, run: &mut Run, prepared: &Arc<Prepared>, answer: Option<&Value>) {
        let path = self.call_of(prepared, message).and_then(|call| call.save.as_ref());
        if let Some(path) = path.filter(|path| path.root == Root::Vars)
            && run.state.stage == Stage::Sending(message.id)
        {
            engine::assign(&mut run.state.vars, path, answer.cloned().unwrap_or(Value::Null));
        }
    }
}
