//! A store that is only read, and copies of one: nothing is written to it, not even beside it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::db::{Refusal, backend};
use super::{Place, SqliteStore, io as io_error, layout, wait_for_others};
use crate::store::{Result, StoreError};

/// What means something in a URI's path (RFC 3986, section 3.3), to SQLite as well.
const MEANT: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'`').add(b'{').add(b'}');

/// So often a store that nobody seemed to have open is read again when a runner comes to it meanwhile.
const TRIES: usize = 3;

impl SqliteStore {
    /// Reads a store, or a copy of one, as it is at one moment, whatever a runner writes meanwhile. Nothing is written: the file, and the folder it is in, may
    /// be read-only.
    ///
    /// # Errors
    /// None is there, it has another layout, and what `ask` gives.
    pub fn read_at_one_moment<T, E: From<StoreError>>(
        path: &Path,
        mut ask: impl FnMut(&mut SqliteStore) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        undisturbed(path, |quiet| match SqliteStore::open_read_only(path, quiet) {
            Ok(mut store) => store.at_one_moment(&mut ask),
            Err(error) => Err(E::from(error)),
        })
    }

    /// `quiet`: nobody has it open, so that there is nothing to be locked or to be read beside the file.
    fn open_read_only(path: &Path, quiet: bool) -> Result<SqliteStore> {
        let doing = "open its file";
        let shown = path.display().to_string();
        if !path.is_file() {
            return Err(Refusal::NoStore(shown).when(doing));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
        let absolute = fs::canonicalize(path).map_err(io_error(doing))?;
        let name = absolute.to_string_lossy();
        let query = if quiet { "?immutable=1" } else { "?mode=ro" };
        let uri = format!("file:{}{query}", utf8_percent_encode(&name, MEANT));
        let mut conn = Connection::open_with_flags(uri, flags).map_err(backend(doing))?;
        wait_for_others(&mut conn).map_err(backend(doing))?;
        layout::check(&conn, &shown)?;
        if layout::is_older(&conn)? {
            return Err(Refusal::Older(shown).when(doing));
        }
        conn.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536; PRAGMA query_only = ON;")
            .map_err(backend(doing))?;
        // As for a store that is written to: a plan that does not depend on the parameters' values.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(backend(doing))?;
        conn.set_prepared_statement_cache_capacity(128);
        SqliteStore::new(conn, Place::Beside)
    }

    /// Copies the store as it is at one moment into a file that must not be there yet, beside a runner that may be running: it is not kept from writing.
    /// The copy is one file that needs none beside it; it is complete and on the disk when this returns.
    ///
    /// # Errors
    /// None is there, it has another layout, the copy cannot be written, or does not hold together.
    pub fn copy(path: &Path, to: &Path) -> Result<()> {
        let doing = "copy itself";
        let file = new_file(to).map_err(io_error(doing))?;
        undisturbed(path, |quiet| {
            let store = SqliteStore::open_read_only(path, quiet)?;
            let mut copy = Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(backend(doing))?;
            let whole = {
                let backup = Backup::new(&store.db.conn, &mut copy).map_err(backend(doing))?;
                // All of it in one go: of several, each would begin again from the first page when the runner has written.
                backup.step(-1).map_err(backend(doing))?
            };
            if whole != StepResult::Done {
                return Err(Refusal::Busy.when(doing));
            }
            // Not in the journal mode of a store that is in use: a copy can then be read where nothing can be written.
            let mode: String = copy.query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0)).map_err(backend(doing))?;
            let sound: String = copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(backend(doing))?;
            if mode != "delete" || sound != "ok" {
                return Err(StoreError::Damaged { what: "page", why: sound });
            }
            copy.close().map_err(|(_, error)| backend(doing)(error))
        })?;
        file.sync_all().map_err(io_error(doing))
    }
}

/// Reads again when a runner came to the store meanwhile: what was read while somebody wrote the same pages is worth nothing.
fn undisturbed<T, E>(path: &Path, mut read: impl FnMut(bool) -> std::result::Result<T, E>) -> std::result::Result<T, E> {
    let mut tries = 0;
    loop {
        tries += 1;
        let quiet = Quiet::of(path);
        let answer = read(quiet.is_some());
        if quiet.is_none() || quiet == Quiet::of(path) || tries == TRIES {
            return answer;
        }
    }
}

/// A file that only its owner may read: everybody's data is in it.
fn new_file(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A store that nobody has open, as its file was at some moment.
#[derive(PartialEq, Eq)]
struct Quiet {
    length: u64,
    changed: Option<SystemTime>,
}

impl Quiet {
    /// `None`: somebody has it open, or had when the power went.
    fn of(path: &Path) -> Option<Quiet> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        if PathBuf::from(log).exists() {
            return None;
        }
        let about = fs::metadata(path).ok()?;
        Some(Quiet { length: about.len(), changed: about.modified().ok() })
    }
}
