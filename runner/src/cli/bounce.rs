//! `bounce`: takes a mail that came back from standard input, as mail servers pipe it (aliases(5), pipe(8), procmail), and leaves what it says for the runner.

use std::io::{self, Read};
use std::path::PathBuf;

use super::beside::Beside;
use super::{CouldNotRun, Exit, Outcome, output};
use crate::clock::{Clock, WallClock};
use crate::returns::{Arrival, LONGEST, Notice, read_mail};
use crate::store::InboxItem;

#[derive(clap::Args)]
pub struct Bounce {
    /// Whom the mail's envelope names, where its header does not say so: bounces+TOKEN@shop.example
    #[arg(long, value_name = "ADDRESS")]
    recipient: Option<String>,
}

impl Bounce {
    /// Whatever goes wrong may pass: the mail server is told to try again later (sysexits.h, EX_TEMPFAIL), so that no report is lost.
    pub fn run(self, given: Option<PathBuf>) -> Outcome {
        match self.take(given) {
            Ok(()) => Ok(Exit::Fine),
            Err(error) => {
                output::note(&format!("campaignd: {error}"));
                Ok(Exit::TryLater)
            }
        }
    }

    fn take(self, given: Option<PathBuf>) -> Result<(), CouldNotRun> {
        let raw = mail().map_err(|error| CouldNotRun(format!("the mail cannot be read: {error}")))?;
        let arrival = Arrival { source: "bounce", vouched: false, recipient: self.recipient.as_deref(), now: WallClock.now() };
        let notices = read_mail(&raw, &arrival);
        // Also where there is nothing to leave: a wrong project is found out by the first mail.
        let mut beside = Beside::open(given)?;
        let said = said(&notices);
        for notice in notices {
            beside.leave(&InboxItem::Returned(Box::new(notice)))?;
        }
        output::text(&said)
    }
}

fn said(notices: &[Notice]) -> String {
    match notices.len() {
        0 => "the mail says nothing of a message; it is not needed any more\n".to_owned(),
        1 => "what the mail says of a message is left for the runner\n".to_owned(),
        number => format!("what the mail says of {number} recipients is left for the runner\n"),
    }
}

/// The mail's beginning, as much as is ever looked at; the rest is read, too, or whoever writes it would fail.
fn mail() -> io::Result<Vec<u8>> {
    let mut input = io::stdin().lock();
    let mut raw = Vec::new();
    input.by_ref().take(LONGEST as u64).read_to_end(&mut raw)?;
    io::copy(&mut input, &mut io::sink())?;
    Ok(raw)
}
