//! Reads the Maildir of the settings: what comes back is handed to the kernel's thread, and a mail moves only when what it says is durable. Killed in between, it
//! is read once more, and counts once all the same.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Mailbox, Stopped};
use crate::clock::Clock;
use crate::kernel::Input;
use crate::returns::maildir::{CHUNK, Maildir};
use crate::returns::{Arrival, read_mail};

/// How often is looked. A notification would not be heard from other machines' deliveries into a shared folder, and nothing here is urgent.
const LOOK: Duration = Duration::from_secs(1);

/// The thread that reads.
pub struct MaildirThread {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl MaildirThread {
    /// Begins to look into whatever Maildir the settings in force name; their folder is relative to `root`.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn start(root: &Path, mailbox: Mailbox, clock: Arc<dyn Clock>) -> std::io::Result<MaildirThread> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut reader =
            Reader { root: root.to_owned(), mailbox, clock, stop: stop.clone(), stuck: HashSet::new(), trouble: None };
        let thread = std::thread::Builder::new().name("maildir".to_owned()).spawn(move || {
            while !reader.stop.load(Ordering::Relaxed) {
                if reader.look().is_err() {
                    return;
                }
                std::thread::park_timeout(LOOK);
            }
        })?;
        Ok(MaildirThread { stop, thread })
    }

    /// Tells the thread to end after the mails that it has in hand. It is not waited for: what is not moved is read again.
    pub fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.thread().unpark();
    }
}

struct Reader {
    root: PathBuf,
    mailbox: Mailbox,
    clock: Arc<dyn Clock>,
    stop: Arc<AtomicBool>,
    /// Mails that cannot be moved: they are read no more, or they would be for ever.
    stuck: HashSet<String>,
    /// What was said in the log, so that it is said once.
    trouble: Option<String>,
}

impl Reader {
    /// Reads what there is.
    fn look(&mut self) -> Result<(), Stopped> {
        let folder = self.mailbox.ask(|kernel, _| kernel.plan().catalog.settings.bounces.maildir.clone()).wait()?;
        let Some(folder) = folder else { return Ok(()) };
        let maildir = Maildir::new(&self.root.join(folder));
        let found = maildir.make().and_then(|()| maildir.unread());
        let names = match found {
            Ok(names) => names,
            Err(error) => {
                let text = format!("{}: {error}", maildir.path().display());
                if self.trouble.as_ref() != Some(&text) {
                    tracing::error!(%error, maildir = %maildir.path().display(), "the Maildir of bounces cannot be read: see that this user may");
                    self.trouble = Some(text);
                }
                return Ok(());
            }
        };
        self.trouble = None;
        self.stuck.retain(|name| names.contains(name));
        let names: Vec<String> = names.into_iter().filter(|name| !self.stuck.contains(name)).collect();
        for chunk in names.chunks(CHUNK) {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            self.take(&maildir, chunk)?;
        }
        Ok(())
    }

    fn take(&mut self, maildir: &Maildir, names: &[String]) -> Result<(), Stopped> {
        let now = self.clock.now();
        let mut inputs = Vec::new();
        for name in names {
            let notices = match maildir.read(name) {
                Ok(raw) => read_mail(&raw, &Arrival { source: "maildir", vouched: false, recipient: None, now }),
                Err(error) => {
                    tracing::warn!(%error, mail = name, "a mail in the Maildir of bounces cannot be read: it is moved as it is");
                    Vec::new()
                }
            };
            if notices.is_empty() {
                tracing::info!(mail = name, "a mail in the Maildir of bounces says nothing of a message");
            }
            inputs.extend(notices.into_iter().map(Input::Returned));
        }
        if !inputs.is_empty() {
            tracing::info!(mails = names.len(), notices = inputs.len(), "mails came back");
            self.mailbox.send_and_wait(inputs).wait()?;
        }
        for name in names {
            if let Err(error) = maildir.done(name) {
                tracing::error!(%error, mail = name, "a mail in the Maildir of bounces was read and cannot be moved to cur/: see that this user may");
                self.stuck.insert(name.clone());
            }
        }
        Ok(())
    }
}
