//! `validate --watch`: the answer after each save, until Ctrl-C.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use dsl::ProjectFiles;
use tokio::signal::unix::{SignalKind, signal};

use super::{CouldNotRun, Exit, Outcome, output};
use crate::reload::{Hint, Watch, gather};

/// How long nothing may have changed before the files are read: an editor's save is several changes.
const QUIET: Duration = Duration::from_millis(30);
/// How long changes may go on before the files are read all the same.
const AT_MOST: Duration = Duration::from_millis(500);
/// How often the files are read though nobody said that they changed: where they cannot be watched, this is all there is.
const RESCAN: Duration = Duration::from_secs(2);
/// Clears a terminal, with what was scrolled away, and goes to its top (ECMA-48, ED and CUP).
const CLEAR: &str = "\u{1b}[2J\u{1b}[3J\u{1b}[H";

/// Answers for the project in a folder as it is, and again whenever what is in its files changes. Ends with the last answer when it is told to.
///
/// # Errors
/// When the system gives no signals, or an answer cannot be made or written.
pub fn watch(root: &Path, answer: impl Fn(&ProjectFiles) -> Result<(String, Exit), CouldNotRun>) -> Outcome {
    let (hints, heard) = mpsc::channel();
    let stop = hints.clone();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(signals(stop)?)
        .map_err(|error| CouldNotRun(format!("the system gives no thread: {error}")))?;
    let mut watch = Watch::arm(root, &hints);
    let mut shown = Shown { number: 0, state: None, outcome: Exit::Fine };
    shown.look(root, &answer)?;
    while gather(&heard, RESCAN, QUIET, AT_MOST).is_some() {
        // New folders need watches of their own; from before the files are read, so that no change falls between.
        watch = Watch::again(watch, root, &hints);
        shown.look(root, &answer)?;
    }
    Ok(shown.outcome)
}

/// What tells the loop to end: Ctrl-C, or being asked to.
fn signals(stop: Sender<Hint>) -> Result<impl FnOnce() + Send, CouldNotRun> {
    let none = |error: io::Error| CouldNotRun(format!("the system gives no signals: {error}"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().map_err(none)?;
    let inside = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt()).map_err(none)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(none)?;
    drop(inside);
    Ok(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        // Nobody hears it only where the loop has ended by itself.
        let _ = stop.send(Hint::Stop);
    })
}

/// What was said last.
struct Shown {
    number: usize,
    /// What the files held, or why they could not be read.
    state: Option<Result<ProjectFiles, String>>,
    outcome: Exit,
}

impl Shown {
    fn look(
        &mut self,
        root: &Path,
        answer: &impl Fn(&ProjectFiles) -> Result<(String, Exit), CouldNotRun>,
    ) -> Result<(), CouldNotRun> {
        let state = ProjectFiles::read_with_tests(root).map_err(|error| error.to_string());
        if self.state.as_ref() == Some(&state) {
            return Ok(());
        }
        let (text, outcome) = match &state {
            Ok(files) => answer(files)?,
            Err(error) => (format!("{error}\nWaiting for it.\n"), Exit::Findings),
        };
        self.number += 1;
        self.outcome = outcome;
        self.state = Some(state);
        let terminal = io::stdout().is_terminal();
        let whole = if terminal {
            format!("{CLEAR}{text}\nWaiting for changes in {}; Ctrl-C ends this.\n", root.display())
        } else {
            format!("== check {} ==\n{text}", self.number)
        };
        let mut out = io::stdout().lock();
        output::written(out.write_all(whole.as_bytes()).and_then(|()| out.flush()), "the answer")
    }
}
