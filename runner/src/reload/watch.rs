//! Watching the project's folders. Folders, not files: a watch on a file dies at the first atomic save.

use std::path::Path;
use std::sync::mpsc::Sender;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::Hint;

const FOLDERS: [&str; 4] = ["workflows", "templates", "schemas", "tests"];
/// What matters in the project's own folder; the store and the outbox may be in there, and change all the time.
const FILES: [&str; 2] = ["campaignd.yaml", ".env"];

/// Armed watches; dropping it ends them.
pub struct Watch(#[expect(dead_code, reason = "held for its drop")] Option<RecommendedWatcher>);

impl Watch {
    pub fn arm(root: &Path, hints: &Sender<Hint>) -> Watch {
        let arm = || -> notify::Result<RecommendedWatcher> {
            // The system reports paths under the real one.
            let root = root.canonicalize()?;
            let (hints, base) = (hints.clone(), root.clone());
            let mut watcher = notify::recommended_watcher(move |event| {
                if matters(&event, &base) {
                    // The other end is only gone when the runner stops.
                    let _ = hints.send(Hint::Changed);
                }
            })?;
            watcher.watch(&root, RecursiveMode::NonRecursive)?;
            for folder in FOLDERS.map(|folder| root.join(folder)) {
                if folder.is_dir() {
                    watcher.watch(&folder, RecursiveMode::Recursive)?;
                }
            }
            Ok(watcher)
        };
        Watch(
            arm()
                .inspect_err(|error| {
                    tracing::warn!(
                        %error,
                        "the project's folders cannot be watched (on Linux, perhaps raise fs.inotify.max_user_watches): \
                         changes are noticed within {} seconds, or at once by SIGHUP", super::RESCAN.as_secs()
                    );
                })
                .ok(),
        )
    }

    /// The same with watches for folders that are new; the old ones end only when the new ones stand.
    pub fn again(old: Watch, root: &Path, hints: &Sender<Hint>) -> Watch {
        let new = Watch::arm(root, hints);
        drop(old);
        new
    }
}

/// Whether an event can mean that a file of the project changed.
fn matters(event: &notify::Result<Event>, root: &Path) -> bool {
    let Ok(event) = event else { return true };
    if event.need_rescan() || event.paths.is_empty() {
        return true;
    }
    // Reading raises these: heeding them would read the files for ever.
    if matches!(event.kind, EventKind::Access(_)) {
        return false;
    }
    event.paths.iter().any(|path| {
        let first = path.strip_prefix(root).ok().and_then(|inside| inside.components().next());
        first.is_some_and(|first| FOLDERS.iter().chain(&FILES).any(|name| first.as_os_str() == *name))
    })
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind, Flag, ModifyKind};

    use super::*;

    #[track_caller]
    fn check(kind: EventKind, path: &str, expected: bool) {
        let event = Ok(Event::new(kind).add_path(path.into()));
        assert_eq!(matters(&event, Path::new("/p")), expected, "{kind:?} {path}");
    }

    #[test]
    fn hears_of_the_projects_files_only() {
        let changed = EventKind::Modify(ModifyKind::Any);
        check(changed, "/p/workflows/a.yaml", true);
        check(changed, "/p/templates/a/b/c.hbs", true);
        check(EventKind::Create(CreateKind::Folder), "/p/schemas", true);
        check(changed, "/p/campaignd.yaml", true);
        check(changed, "/p/.env", true);
        check(changed, "/p/campaignd.db-wal", false);
        check(changed, "/p/README.md", false);
        check(changed, "/p", false);
        check(EventKind::Access(AccessKind::Any), "/p/workflows/a.yaml", false);
    }

    #[test]
    fn heeds_an_overflow() {
        let overflow = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert!(matters(&Ok(overflow), Path::new("/p")));
        assert!(matters(&Err(notify::Error::generic("x")), Path::new("/p")));
    }
}
