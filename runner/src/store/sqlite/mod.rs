//! The store in one SQLite file, or in memory for tests and simulations.
//!
//! One process (the runner) holds the store by a lock on a file beside it and keeps the due queues in memory; other processes write beside it in short
//! transactions and leave word in the inbox.

mod conditions;
mod contacts;
mod db;
mod erase;
mod events;
mod experiments;
mod figures;
mod inbox;
mod joining;
mod layout;
mod lists;
mod log;
mod memo;
mod message_history;
mod messages;
mod names;
mod port;
mod properties;
mod rates;
mod reading;
mod received;
mod recent;
mod retention;
mod runs;
mod standings;
mod suppressed;
mod tally;
#[cfg(test)]
mod tests;
mod time_triggers;
mod workflows;

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use self::conditions::Functions;
use self::db::{Db, Refusal, backend};
use self::layout::Identity;
use self::log::Unwritten;
use self::memo::Memo;
use self::names::Names;
use self::recent::Recent;
use self::tally::Tally;
use super::timers::{self, Timers};
use super::{Result, StoreError};
use crate::clock::Stopwatch;

/// How long a write waits for that of another process.
const BUSY: Duration = Duration::from_secs(10);

/// The [`super::Store`] on SQLite.
pub struct SqliteStore {
    db: Db,
    names: Names,
    tally: Tally,
    memo: Memo,
    recent: Recent,
    log: Unwritten,
    timers: Option<Timers>,
    functions: Functions,
    place: Place,
    /// `PRAGMA data_version` when [`super::Store::changed_outside`] was last asked.
    seen: i64,
    /// The same when the timers were loaded; only matters beside a runner.
    loaded: i64,
    /// The open transaction removed what must not be found in the files any more.
    erased: bool,
}

/// How long a file with nothing in it is taken for a store that another process is just making.
const BEING_MADE: Duration = Duration::from_secs(2);

enum Place {
    /// The runner's own, for as long as the lock is held; the system lets go of it however the process ends.
    Held {
        _lock: File,
    },
    Beside,
    Memory,
}

impl SqliteStore {
    /// Opens the store as its one runner, and makes it if need be. Reads every open run and unfinished message once, for the due queues.
    ///
    /// Errors: [`StoreError::Held`] when another runner has it open, [`StoreError::Newer`] when it has a layout of a later version.
    pub fn open(path: &Path) -> Result<SqliteStore> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(io("make the store's folder"))?;
        }
        let lock = lock(path)?;
        let flags = OpenFlags::SQLITE_OPEN_CREATE | opening();
        let mut conn = Connection::open_with_flags(path, flags).map_err(backend("open its file"))?;
        tune(&mut conn)?;
        let new = Identity { identity: random(&conn, 8)?, secret: random(&conn, 32)? };
        layout::upgrade(&conn, &path.display().to_string(), &new)?;
        let mut store = SqliteStore::new(conn, Place::Held { _lock: lock })?;
        store.load_timers()?;
        Ok(store)
    }

    /// Opens a store that is there, next to a runner that may be running. The due queues are read when they are first asked for.
    ///
    /// Errors: none is there, or it has another layout.
    pub fn open_beside(path: &Path) -> Result<SqliteStore> {
        let shown = path.display().to_string();
        if !path.is_file() {
            return Err(Refusal::NoStore(shown).when("open its file"));
        }
        let mut conn = Connection::open_with_flags(path, opening()).map_err(backend("open its file"))?;
        wait_for_others(&mut conn).map_err(backend("open its file"))?;
        let watch = Stopwatch::start();
        while layout::is_blank(&conn)? && watch.elapsed() < BEING_MADE {
            std::thread::sleep(Duration::from_millis(5));
        }
        layout::check(&conn, &shown)?;
        if layout::is_older(&conn)? {
            return Err(Refusal::Older(shown).when("open its file"));
        }
        tune(&mut conn)?;
        SqliteStore::new(conn, Place::Beside)
    }

    /// For bringing in much beside a runner: a commit is not forced to the disk any more until [`SqliteStore::end_bulk`], so that a power cut may take
    /// the last ones back, whole and in order; more of the indexes is kept in memory, and the
    /// write-ahead log may grow to some 160 MB, so that pages that change again and again are copied less often.
    pub fn begin_bulk(&self) -> Result<()> {
        self.set_up("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -131072; PRAGMA wal_autocheckpoint = 40000;")
    }

    /// The next commit forces itself and all that came before it to the disk.
    pub fn end_bulk(&self) -> Result<()> {
        self.set_up("PRAGMA synchronous = FULL;")
    }

    fn set_up(&self, pragmas: &str) -> Result<()> {
        self.db.conn.execute_batch(pragmas).map_err(backend("set up its connection"))
    }

    /// A store that ends with the process. Nothing in it is random: equal calls give equal answers.
    pub fn in_memory() -> Result<SqliteStore> {
        let mut conn = Connection::open_in_memory().map_err(backend("open its memory"))?;
        tune(&mut conn)?;
        let new = Identity { identity: "simulation".to_owned(), secret: "simulation".to_owned() };
        layout::upgrade(&conn, "in memory", &new)?;
        let mut store = SqliteStore::new(conn, Place::Memory)?;
        store.load_timers()?;
        Ok(store)
    }

    fn new(conn: Connection, place: Place) -> Result<SqliteStore> {
        let functions = Functions::register(&conn)?;
        let mut store = SqliteStore {
            db: Db { conn },
            names: Names::default(),
            tally: Tally::default(),
            memo: Memo::default(),
            recent: Recent::default(),
            log: Unwritten::default(),
            timers: None,
            functions,
            place,
            seen: 0,
            loaded: 0,
            erased: false,
        };
        store.seen = store.data_version()?;
        Ok(store)
    }

    /// Reads the due queues from the open runs and the queued messages; what was parked is due again.
    pub fn load_timers(&mut self) -> Result<()> {
        self.loaded = self.data_version()?;
        let runs = runs::queue(&self.db)?;
        let messages = messages::queues(&self.db)?;
        let contacts = standings::queue(&self.db)?;
        self.timers = Some(Timers::new(runs, contacts, messages));
        Ok(())
    }

    /// The due queues, read first if need be: beside a runner, which changes what is due, again and again.
    fn timers(&mut self) -> Result<&mut Timers> {
        let stale = matches!(self.place, Place::Beside)
            && !self.db.in_transaction()
            && self.timers.is_some()
            && self.data_version()? != self.loaded;
        if stale || self.timers.is_none() {
            self.load_timers()?;
        }
        // Present by now; an empty queue would be the same as none.
        Ok(self.timers.get_or_insert_default())
    }

    /// Asks several things of the store as it is at one moment, whatever others write meanwhile.
    ///
    /// # Errors
    /// Those of the store and of what is asked.
    pub fn at_one_moment<T, E: From<StoreError>>(
        &mut self,
        ask: impl FnOnce(&mut SqliteStore) -> std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        let doing = "read the store";
        self.db.conn.execute_batch("BEGIN").map_err(backend(doing))?;
        let version = self.data_version();
        let answer = version.map_err(E::from).and_then(|version| {
            self.recent.begin(version);
            ask(self)
        });
        // Nothing was written, so nothing is lost whichever way it ends.
        let _ = self.db.conn.execute_batch("ROLLBACK");
        self.recent.clear();
        answer
    }

    fn begin_transaction(&mut self) -> Result<()> {
        let doing = "begin a transaction";
        self.db.conn.prepare_cached("BEGIN IMMEDIATE").and_then(|mut begin| begin.execute([])).map_err(backend(doing))?;
        let version = self.data_version()?;
        self.recent.begin(version);
        if matches!(self.place, Place::Beside) {
            // Others write between the transactions here: what was read before is worth nothing now.
            self.timers = None;
        }
        Ok(())
    }

    /// When it fails, everything is as it was at the beginning of the transaction.
    fn commit_transaction(&mut self) -> Result<()> {
        let doing = "commit a transaction";
        let done = if self.db.in_transaction() {
            self.log.flush(&self.db).and_then(|()| self.tally.flush(&self.db)).and_then(|()| {
                self.db.conn.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])).map(drop).map_err(backend(doing))
            })
        } else {
            Err(Refusal::NoTransaction.when(doing))
        };
        if let Err(error) = done {
            self.undo();
            return Err(error);
        }
        self.names.commit();
        self.memo.clear();
        if let Some(timers) = &mut self.timers {
            timers.commit();
        }
        if std::mem::take(&mut self.erased) {
            self.scrub();
        }
        Ok(())
    }

    fn undo(&mut self) {
        if self.db.in_transaction() {
            // It can fail only when SQLite has already undone the transaction by itself.
            let _ = self.db.conn.execute_batch("ROLLBACK");
        }
        self.names.rollback();
        self.tally.clear();
        self.log.clear();
        self.memo.clear();
        self.recent.clear();
        self.erased = false;
        if let Some(timers) = &mut self.timers {
            timers.rollback();
        }
        if matches!(self.place, Place::Beside) {
            // They may have been read inside the transaction.
            self.timers = None;
        }
    }

    /// Takes what was erased out of the write-ahead log. When readers are in the way, the next checkpoint does it.
    fn scrub(&mut self) {
        let conn = &mut self.db.conn;
        let _ = conn.busy_timeout(Duration::ZERO);
        let _ = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let _ = wait_for_others(conn);
    }

    /// Counters only go with a transaction, whose end writes them.
    fn tally_of_transaction(&mut self, doing: &'static str) -> Result<&mut Tally> {
        if self.db.in_transaction() { Ok(&mut self.tally) } else { Err(Refusal::NoTransaction.when(doing)) }
    }

    fn data_version(&self) -> Result<i64> {
        let version = self.db.row("ask for changes", "PRAGMA data_version", [], |row| Ok(row.get(0)?))?;
        Ok(version.unwrap_or(0))
    }

    fn other_process_wrote(&mut self) -> Result<bool> {
        let version = self.data_version()?;
        Ok(std::mem::replace(&mut self.seen, version) != version)
    }

    /// A text that cannot be guessed; in memory one that comes out the same each time.
    fn unguessable(&self, id: i64) -> Result<String> {
        match self.place {
            Place::Memory => Ok(format!("{id:032x}")),
            Place::Held { .. } | Place::Beside => random(&self.db.conn, 16),
        }
    }
}

/// Asks for the lock again every millisecond: SQLite's own handler soon waits a hundred between two tries, and would miss the moment that an import
/// lets go of it between two transactions.
fn wait_for_others(conn: &mut Connection) -> rusqlite::Result<()> {
    conn.busy_handler(Some(|tries: i32| {
        let waits = u128::from(tries.unsigned_abs()) < BUSY.as_millis();
        if waits {
            std::thread::sleep(Duration::from_millis(1));
        }
        waits
    }))
}

/// The file beside the store that its runner locks.
fn lock(path: &Path) -> Result<File> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let file =
        File::options().create(true).truncate(false).write(true).open(PathBuf::from(name)).map_err(io("open its lock file"))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Held(path.display().to_string())),
        Err(TryLockError::Error(error)) => Err(io("lock its lock file")(error)),
    }
}

fn io(doing: &'static str) -> impl FnOnce(std::io::Error) -> StoreError {
    move |error| StoreError::Backend { doing, source: Box::new(error) }
}

fn opening() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn tune(conn: &mut Connection) -> Result<()> {
    let doing = "set up its connection";
    wait_for_others(conn).map_err(backend(doing))?;
    // A commit that said `sending` must survive a power cut: synchronous FULL. Overwritten personal data must not linger in the pages:
    // secure_delete FAST. No mmap: it would count as resident. Negative cache_size: KiB. In memory the answer to WAL is `memory`, as wanted.
    conn.execute_batch(
        "PRAGMA journal_mode = WAL;
         PRAGMA synchronous = FULL;
         PRAGMA temp_store = MEMORY;
         PRAGMA cache_size = -65536;
         PRAGMA wal_autocheckpoint = 40000;
         PRAGMA foreign_keys = OFF;
         PRAGMA secure_delete = FAST;",
    )
    .map_err(backend(doing))?;
    // A plan that does not depend on the parameters' values: else statements are compiled again and again.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(backend(doing))?;
    conn.set_prepared_statement_cache_capacity(128);
    Ok(())
}

fn random(conn: &Connection, bytes: u32) -> Result<String> {
    conn.query_row("SELECT lower(hex(randomblob(?1)))", [bytes], |row| row.get(0)).map_err(backend("draw a random text"))
}
