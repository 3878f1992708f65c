//! Checking projects on a thread of its own, so that nobody who asks something waits for it. What is asked for while one check runs is done in one
//! go after it.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};
use dsl::ProjectFiles;
use dsl::diagnostic::{Diagnostic, Location};

use super::project::Open;

/// A project to be checked.
#[derive(Debug, Clone)]
pub struct Job {
    pub root: PathBuf,
    /// Files as they stand in the editor, by path relative to the project.
    pub open: BTreeMap<String, Open>,
    /// What is on disk may have changed.
    pub reread: bool,
}

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    pub root: PathBuf,
    /// As they are on disk.
    pub disk: Arc<ProjectFiles>,
    /// What was checked: the same with what stands in the editor.
    pub files: ProjectFiles,
    /// The versions of what stands in the editor.
    pub versions: BTreeMap<String, i32>,
    pub diagnostics: Vec<Diagnostic>,
}

/// Starts the thread; it ends when the jobs' other end does.
///
/// # Errors
/// When the system has no thread to give.
pub fn start() -> std::io::Result<(Sender<Job>, Receiver<Checked>)> {
    let (jobs, waiting) = unbounded::<Job>();
    let (done, results) = unbounded();
    std::thread::Builder::new().name("check".to_owned()).spawn(move || work(&waiting, &done))?;
    Ok((jobs, results))
}

fn work(waiting: &Receiver<Job>, done: &Sender<Checked>) {
    let mut disks: HashMap<PathBuf, Arc<ProjectFiles>> = HashMap::new();
    while let Ok(first) = waiting.recv() {
        for job in latest(first, waiting.try_iter()) {
            let known = disks.get(&job.root).filter(|_| !job.reread).cloned();
            let checked = check(job, known);
            disks.insert(checked.root.clone(), checked.disk.clone());
            if done.send(checked).is_err() {
                return;
            }
        }
    }
}

/// The last job of each project; the disk is read again if any of them asked for it.
fn latest(first: Job, more: impl Iterator<Item = Job>) -> Vec<Job> {
    let mut jobs: Vec<Job> = Vec::new();
    for mut job in std::iter::once(first).chain(more) {
        if let Some(place) = jobs.iter().position(|known| known.root == job.root) {
            job.reread |= jobs.remove(place).reread;
        }
        jobs.push(job);
    }
    jobs
}

fn check(job: Job, known: Option<Arc<ProjectFiles>>) -> Checked {
    let mut failed = None;
    let disk = known.unwrap_or_else(|| match ProjectFiles::read_for_editors(&job.root) {
        Ok(files) => Arc::new(files),
        Err(error) => {
            failed = Some(error.to_string());
            Arc::default()
        }
    });
    let mut files = (*disk).clone();
    for (path, open) in &job.open {
        files = files.overlaid(path, &open.text);
    }
    // Where the settings are open in the editor, it does not matter what is on disk.
    let diagnostics = match failed.filter(|_| files.text("campaignd.yaml").is_none()) {
        Some(message) => vec![unreadable(message)],
        None => found(&files),
    };
    let versions = job.open.iter().map(|(path, open)| (path.clone(), open.version)).collect();
    Checked { root: job.root, disk, files, versions, diagnostics }
}

/// What `validate` says, and what `simulate` would say of the audiences, where there is something sound to hold them against.
fn found(files: &ProjectFiles) -> Vec<Diagnostic> {
    // What an audience names is in the catalog; without one there need not be any.
    if files.audiences().next().is_none() {
        return dsl::diagnose(files);
    }
    let compiled = dsl::compile(files);
    let mut found = compiled.diagnostics;
    if let Some(catalog) = compiled.catalog {
        found.extend(files.audiences().flat_map(|(path, text)| dsl::read_audience(path, text, &catalog).1));
    }
    found
}

fn unreadable(message: String) -> Diagnostic {
    let location = Location { file: "campaignd.yaml".to_owned(), line: 1, column: 1, end_line: 1, end_column: 1 };
    Diagnostic::error("not-loadable", location, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(root: &str, version: i32, reread: bool) -> Job {
        let open = Open { text: "x".into(), version, uri: None };
        Job { root: root.into(), open: BTreeMap::from([("workflows/a.yaml".to_owned(), open)]), reread }
    }

    #[test]
    fn what_waits_is_done_in_one_go() {
        let jobs = latest(job("/a", 1, true), [job("/b", 1, false), job("/a", 2, false), job("/a", 3, false)].into_iter());
        let told: Vec<_> =
            jobs.iter().map(|job| (job.root.to_str().unwrap(), job.open["workflows/a.yaml"].version, job.reread)).collect();
        assert_eq!(told, [("/b", 1, false), ("/a", 3, true)]);
    }

    #[test]
    fn what_stands_in_the_editor_is_checked() {
        let disk =
            Arc::new(ProjectFiles::from_texts([("campaignd.yaml", "project: p\n"), ("workflows/a.yaml", "workflow: a\n")]));
        let codes = |text: &str| {
            let open = BTreeMap::from([("workflows/a.yaml".to_owned(), Open { text: text.into(), version: 1, uri: None })]);
            let checked = check(Job { root: "/p".into(), open, reread: false }, Some(disk.clone()));
            checked.diagnostics.iter().map(|found| found.code).collect::<Vec<_>>()
        };
        assert!(codes("workflow: a\ntrigger: { manual: true }\nsteps: [{ send: nothing }]\n").contains(&"unknown-template"));
        assert!(codes("a: [").contains(&"yaml-syntax"));
        let audience = disk.as_ref().clone().overlaid("tests/people.yaml", "audience: a\ncontacts: { at_start: 5, nobody: 1 }\n");
        let sound = audience.overlaid("workflows/a.yaml", "workflow: a\ntrigger: { manual: true }\nsteps: [exit]\n");
        let wrong: Vec<_> = found(&sound).into_iter().map(|found| (found.location.file, found.code)).collect();
        assert!(wrong.contains(&("tests/people.yaml".to_owned(), "unknown-key")), "{wrong:?}");
        let nowhere = check(job("/nowhere/at/all", 1, true), None);
        assert_eq!(nowhere.diagnostics[0].code, "not-loadable");
    }
}
