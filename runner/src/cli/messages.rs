//! `messages`: every message and what became of it; and sending one in doubt once more.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use dsl::model::Settings;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::beside::Beside;
use super::output::print;
use super::{CouldNotRun, Exit, Outcome};
use crate::instant;
use crate::kernel::message_id;
use crate::state::{ContactId, Message, MessageId, MessageStatus, WorkflowId};
use crate::store::{self, InboxItem, SqliteStore, Store};

/// How many messages are read at once.
const PAGE: usize = 1000;

#[derive(clap::Args)]
pub struct Messages {
    /// Only those of this status
    #[arg(long, value_parser = PossibleValuesParser::new(MessageStatus::ALL.map(MessageStatus::word)))]
    status: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    /// Send this message once more, if it is unknown or failed
    #[arg(long, value_name = "ID", conflicts_with_all = ["status", "format"])]
    resend: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Human,
    Jsonl,
}

/// One message, as `messages` and `export` give it.
#[derive(Debug, Serialize)]
pub struct MessageRow {
    id: String,
    /// The contact's uid.
    contact: String,
    workflow: String,
    run: String,
    step: String,
    /// The step's id for an inline message.
    template: String,
    channel: String,
    to: Option<String>,
    subject: Option<String>,
    status: &'static str,
    message_id: String,
    attempts: u32,
    error: Option<String>,
    /// When its status last changed: RFC 3339 in the project's zone.
    at: String,
}

impl Messages {
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        let mut beside = Beside::open(given)?;
        if let Some(id) = self.resend {
            return resend(&mut beside, MessageId(id));
        }
        let Some(store) = beside.store else { return Ok(Exit::Fine) };
        let status = self.status.as_deref().and_then(MessageStatus::from_word);
        let mut rows = Rows::new(store, &beside.settings, status)?;
        let mut failed = None;
        print(|out| {
            while let Some(row) = rows.next() {
                match row {
                    Ok(row) => write_row(out, &row, self.format)?,
                    Err(error) => {
                        failed = Some(error);
                        break;
                    }
                }
            }
            Ok(())
        })?;
        failed.map_or(Ok(Exit::Fine), |error| Err(error.into()))
    }
}

fn write_row(out: &mut dyn Write, row: &MessageRow, format: Format) -> io::Result<()> {
    if format == Format::Jsonl {
        serde_json::to_writer(&mut *out, row)?;
        return writeln!(out);
    }
    let MessageRow { id, at, status, channel, workflow, step, contact, .. } = row;
    write!(out, "{id:>6}  {at}  {status:<8}  {channel}  {workflow}/{step}  {contact}")?;
    if let Some(error) = &row.error {
        write!(out, "  ({error})")?;
    }
    writeln!(out)
}

fn resend(beside: &mut Beside, id: MessageId) -> Outcome {
    let found = beside.store.as_mut().map(|store| store.message(id)).transpose()?.flatten();
    let refusal = match found {
        None => format!("there is no message {id}; `campaignd messages` lists them"),
        Some(Message { status: MessageStatus::Unknown | MessageStatus::Failed, .. }) => {
            beside.leave(&InboxItem::Resend(id))?;
            print(|out| writeln!(out, "message {id} is sent once more by the runner: at once if it runs, else when it starts"))?;
            return Ok(Exit::Fine);
        }
        Some(message) => {
            format!("message {id} is {}; only one that is unknown or failed can be sent again", message.status.word())
        }
    };
    eprintln!("campaignd: {refusal}");
    Ok(Exit::Findings)
}

/// Messages in order of id, read page by page.
struct Rows<'a> {
    store: SqliteStore,
    settings: &'a Settings,
    zone: TimeZone,
    identity: String,
    status: Option<MessageStatus>,
    after: MessageId,
    page: std::vec::IntoIter<Message>,
    uids: HashMap<ContactId, String>,
    workflows: HashMap<WorkflowId, String>,
}

impl Rows<'_> {
    fn new(mut store: SqliteStore, settings: &Settings, status: Option<MessageStatus>) -> Result<Rows<'_>, CouldNotRun> {
        let workflows = store.workflows()?.into_iter().map(|row| (row.id, row.name)).collect();
        let identity = store.identity()?;
        Ok(Rows {
            store,
            settings,
            zone: instant::project_zone(settings),
            identity,
            status,
            after: MessageId(0),
            page: Vec::new().into_iter(),
            uids: HashMap::new(),
            workflows,
        })
    }

    fn next(&mut self) -> Option<store::Result<MessageRow>> {
        if let Some(message) = self.page.next() {
            return Some(self.row(message));
        }
        match self.store.messages_after(self.after, self.status, PAGE) {
            Err(error) => Some(Err(error)),
            Ok(page) => {
                self.after = page.last()?.id;
                self.page = page.into_iter();
                // Kept for one page: a contact's messages stand together when a broadcast goes out.
                self.uids.clear();
                self.next()
            }
        }
    }

    fn row(&mut self, message: Message) -> store::Result<MessageRow> {
        let contact = match self.uids.get(&message.contact) {
            Some(uid) => uid.clone(),
            None => {
                let uid = self.store.contact(message.contact)?.map_or_else(String::new, |contact| contact.uid);
                self.uids.insert(message.contact, uid.clone());
                uid
            }
        };
        Ok(MessageRow {
            id: message.id.to_string(),
            contact,
            workflow: self.workflows.get(&message.workflow).cloned().unwrap_or_default(),
            run: message.run.to_string(),
            message_id: message_id(&message, self.settings, &self.identity),
            step: message.step,
            template: message.template,
            channel: message.channel,
            to: message.to,
            subject: message.subject,
            status: message.status.word(),
            attempts: message.attempts,
            error: message.error,
            at: instant::text(message.at, &self.zone),
        })
    }
}
