//! The corpus of the fuzz targets, on every build: whatever was once thought of, or found, must hold. `tests/fuzz/run` finds more.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may stop where it stands")]

#[path = "../../tests/fuzz/src/subjects.rs"]
mod subjects;

use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long one input may take. It is 2 s of a release build's; this is compiled without optimisation, on a machine with other things to do.
const LONGEST: Duration = Duration::from_secs(20);

/// Feeds every file of a corpus to its subject.
#[allow(clippy::disallowed_methods, reason = "this measures how long something takes in truth")]
fn replay(name: &str, subject: fn(&[u8])) -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(name);
    let mut paths: Vec<_> = std::fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<_>>()?;
    paths.sort();
    assert!(paths.len() >= 8, "the corpus {name} has {} inputs", paths.len());
    for path in paths {
        let began = Instant::now();
        let data = std::fs::read(&path)?;
        if let Err(panic) = std::panic::catch_unwind(|| subject(&data)) {
            eprintln!("in {}", path.display());
            std::panic::resume_unwind(panic);
        }
        assert!(began.elapsed() < LONGEST, "{} takes {:?}", path.display(), began.elapsed());
    }
    Ok(())
}

#[test]
fn yaml() -> io::Result<()> {
    replay("yaml", subjects::yaml)
}

#[test]
fn templates() -> io::Result<()> {
    replay("template", subjects::template)
}

#[test]
fn conditions() -> io::Result<()> {
    replay("condition", subjects::condition)
}

#[test]
fn cron() -> io::Result<()> {
    replay("cron", subjects::cron)
}

#[test]
fn csv() -> io::Result<()> {
    replay("csv", subjects::csv)
}

#[test]
fn tracking() -> io::Result<()> {
    replay("tracking", subjects::tracking)
}
