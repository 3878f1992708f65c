//! `messages`: every message and what became of it; and sending one in doubt once more.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use dsl::model::Settings;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::beside::Beside;
use super::names::Names;
use super::output::print;
use super::{Exit, Outcome};
use crate::instant;
use crate::kernel::message_id;
use crate::state::{Message, MessageId, MessageStatus};
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
    pub channel: String,
    pub to: Option<String>,
    subject: Option<String>,
    status: &'static str,
    message_id: String,
    attempts: u32,
    error: Option<String>,
    /// When its status last changed: RFC 3339 in the project's zone.
    at: String,
}

impl MessageRow {
    /// In order.
    pub const FIELDS: [&'static str; 14] = [
        "id",
        "contact",
        "workflow",
        "run",
        "step",
        "template",
        "channel",
        "to",
        "subject",
        "status",
        "message_id",
        "attempts",
        "error",
        "at",
    ];

    /// `message_id` is the Message-ID.
    pub fn new(message: Message, contact: String, workflow: String, message_id: String, zone: &TimeZone) -> MessageRow {
        MessageRow {
            id: message.id.to_string(),
            contact,
            workflow,
            run: message.run.to_string(),
            message_id,
            step: message.step,
            template: message.template,
            channel: message.channel,
            to: message.to,
            subject: message.subject,
            status: message.status.word(),
            attempts: message.attempts,
            error: message.error,
            at: instant::text(message.at, zone),
        }
    }

    /// When and what, on one line.
    pub fn line(&self) -> String {
        let MessageRow { id, at, status, channel, workflow, step, contact, .. } = self;
        let error = self.error.as_ref().map(|error| format!("  ({error})")).unwrap_or_default();
        format!("{id:>6}  {at}  {status:<8}  {channel}  {workflow}/{step}  {contact}{error}")
    }
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
            for row in &mut rows {
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
    writeln!(out, "{}", row.line())
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
pub struct Rows<'a> {
    store: SqliteStore,
    settings: &'a Settings,
    zone: TimeZone,
    identity: String,
    status: Option<MessageStatus>,
    after: MessageId,
    page: std::vec::IntoIter<Message>,
    names: Names,
}

impl Rows<'_> {
    /// Those of this status, or all.
    pub fn new(mut store: SqliteStore, settings: &Settings, status: Option<MessageStatus>) -> store::Result<Rows<'_>> {
        let names = Names::of(&mut store)?;
        let identity = store.identity()?;
        let zone = instant::project_zone(settings);
        Ok(Rows { store, settings, zone, identity, status, after: MessageId(0), page: Vec::new().into_iter(), names })
    }

    fn row(&mut self, message: Message) -> store::Result<MessageRow> {
        let contact = self.names.contact(&mut self.store, message.contact)?;
        let workflow = self.names.workflow(message.workflow);
        let message_id = message_id(&message, self.settings, &self.identity);
        Ok(MessageRow::new(message, contact, workflow, message_id, &self.zone))
    }
}

impl Iterator for Rows<'_> {
    type Item = store::Result<MessageRow>;

    fn next(&mut self) -> Option<store::Result<MessageRow>> {
        if let Some(message) = self.page.next() {
            return Some(self.row(message));
        }
        match self.store.messages_after(self.after, self.status, PAGE) {
            Err(error) => Some(Err(error)),
            Ok(page) => {
                self.after = page.last()?.id;
                self.page = page.into_iter();
                self.names.next_page();
                self.next()
            }
        }
    }
}
