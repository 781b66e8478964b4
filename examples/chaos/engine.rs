//! What keeps the states of the worlds: sled, each in its world's directory, or a PostgreSQL server for all of them.
//!
//! The server is one of the storm's own. Where something in it would end by itself after minutes, time passes there at once.

use std::cell::{Cell, RefCell};
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use contactsd::state::{Location, Snapshot, Wanted};
use contactsd::store;

use super::postgres::Server;

/// What is asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(in super::super) enum EngineName {
    Sled,
    Postgres,
    /// PostgreSQL behind PgBouncer, which hands connections out by transaction
    Pgbouncer,
}

#[derive(Debug, Clone)]
pub(in super::super) enum Engine {
    Sled,
    Database(Rc<Database>),
}

impl Engine {
    /// Starts a server where one is needed; `None`, said loudly, where it is not installed.
    pub(in super::super) fn start(name: EngineName) -> Option<Self> {
        let (server, is_pooled) = match name {
            EngineName::Sled => return Some(Self::Sled),
            EngineName::Postgres => (Server::start()?, false),
            EngineName::Pgbouncer => (Server::start_pooled()?, true),
        };
        let server = RefCell::new(server);
        Some(Self::Database(Rc::new(Database { server, is_pooled, has_tables: Cell::new(false) })))
    }

    pub(super) fn is_database(&self) -> bool {
        matches!(self, Self::Database(_))
    }

    /// Returns the place of a state that nobody has used before; `name` is for a database.
    pub(super) fn place(&self, directory: PathBuf, name: String) -> Place {
        match self {
            Self::Sled => Place::Directory(directory),
            Self::Database(database) => {
                // All worlds are of one team, and what one of them has met is not for the next.
                database.sql_on_tables("DELETE FROM contactsd_pools");
                Place::Database(State { name, database: Rc::clone(database) })
            }
        }
    }
}

/// A server, and whether states in it are reached over a pool.
#[derive(Debug)]
pub(in super::super) struct Database {
    server: RefCell<Server>,
    is_pooled: bool,
    has_tables: Cell<bool>,
}

impl Database {
    /// Runs SQL once the tables are there; returns what it prints, nothing before that.
    fn sql_on_tables(&self, text: &str) -> String {
        let server = self.server.borrow();
        if !self.has_tables.get() {
            self.has_tables.set(server.sql("SELECT to_regclass('contactsd_pools') IS NOT NULL") == "t");
        }
        if self.has_tables.get() { server.sql(text) } else { String::new() }
    }

    /// Ends the server as a machine that loses power does, and starts it again after `pause`.
    pub(super) fn restart(&self, pause: impl FnOnce()) {
        let mut server = self.server.borrow_mut();
        server.crash();
        pause();
        server.resume();
    }

    /// Cuts every connection, some times with a moment in between.
    pub(super) fn cut(&self, times: u32, moment_ms: u32) {
        self.server.borrow().sql(&format!(
            "DO $$ BEGIN FOR number IN 1..{times} LOOP \
             PERFORM pg_sleep({moment_ms} / 1000.0); PERFORM pg_stat_clear_snapshot(); \
             PERFORM pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE backend_type = 'client backend' AND pid <> pg_backend_pid(); END LOOP; END $$"
        ));
    }

    /// Cuts connections whose transaction has happened and whose answer has not left: as if a replica were waited for that
    /// does not answer. Returns how many.
    pub(super) fn cut_between_commit_and_answer(&self, tries: u32) -> u64 {
        let server = self.server.borrow();
        let waits_for = |whom: &str| {
            server.sql(&format!("ALTER SYSTEM SET synchronous_standby_names = '{whom}'"));
            server.sql("SELECT pg_reload_conf()");
        };
        waits_for("nobody");
        let cut =
            || server.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event = 'SyncRep'");
        let cut = (0..tries).map(|_| cut().parse::<u64>().expect("a count is a number")).sum();
        waits_for("");
        cut
    }
}

/// A state in a database.
#[derive(Debug)]
pub(super) struct State {
    name: String,
    database: Rc<Database>,
}

impl State {
    pub(super) fn database(&self) -> &Rc<Database> {
        &self.database
    }

    /// Returns the URL by which runners reach it.
    fn url(&self) -> String {
        let server = self.database.server.borrow();
        let pooled = self.database.is_pooled.then(|| server.pooled_url(&self.name)).flatten();
        pooled.unwrap_or_else(|| server.url(&self.name))
    }

    /// Ends the lease that a process left, as time does, and the wait for what it was to learn of the quota; reports
    /// whether there was a lease.
    pub(super) fn end_lease_of(&self, process: u32) -> bool {
        let Self { name, database } = self;
        database.sql_on_tables(
            "UPDATE contactsd_pools SET value = jsonb_set(value::jsonb, '{learning_until}', 'null') \
             WHERE value LIKE '%\"learning_until\":1%'",
        );
        let ended = database.sql_on_tables(&format!(
            "UPDATE contactsd_leases SET expires_at = clock_timestamp() WHERE state = '{name}' \
             AND expires_at > clock_timestamp() AND holder::json ->> 'pid' = '{process}' RETURNING state"
        ));
        !ended.is_empty()
    }

    /// Ends the transactions that nobody goes on with, as time does.
    pub(super) fn end_open_transactions(&self) {
        self.database.server.borrow().sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE state LIKE 'idle in transaction%' AND pid <> pg_backend_pid()",
        );
    }

    /// Returns how often somebody has taken the lease.
    pub(super) fn fence(&self) -> String {
        self.database.sql_on_tables(&format!("SELECT fence FROM contactsd_fences WHERE state = '{}'", self.name))
    }

    fn remove(&self) {
        self.database.sql_on_tables(&format!(
            "DO $$ DECLARE named text; BEGIN FOR named IN SELECT table_name FROM information_schema.columns \
             WHERE table_name LIKE 'contactsd\\_%' AND column_name = 'state' LOOP \
             EXECUTE format('DELETE FROM %I WHERE state = %L', named, '{}'); END LOOP; END $$",
            self.name
        ));
    }
}

/// Where the state of a world is.
#[derive(Debug)]
pub(super) enum Place {
    Directory(PathBuf),
    Database(State),
}

impl Place {
    /// Returns what `--state` names, where that is not the default.
    pub(super) fn url(&self) -> Option<String> {
        match self {
            Self::Directory(_) => None,
            Self::Database(state) => Some(state.url()),
        }
    }

    pub(super) fn directory(&self) -> Option<&Path> {
        match self {
            Self::Directory(path) => Some(path),
            Self::Database(_) => None,
        }
    }

    pub(super) fn database(&self) -> Option<&State> {
        match self {
            Self::Directory(_) => None,
            Self::Database(state) => Some(state),
        }
    }

    /// Reads the state; `None` when there is none yet.
    pub(super) fn look(&self) -> Option<Snapshot> {
        self.try_look().expect("it was read a moment ago, and nothing has run since")
    }

    /// Reads the state as it is after a run, which may have left it unreadable.
    pub(super) fn try_look(&self) -> Result<Option<Snapshot>, contactsd::state::Error> {
        let wanted = Wanted::everything();
        match self {
            Self::Directory(path) => store::read(&path.as_path().into(), &wanted),
            Self::Database(State { name, database }) => {
                // Past the pool, which holds connections up for a while after the server was gone.
                let url = database.server.borrow().url(name);
                let location: Location = store::database(&url, None, |_, _| PathBuf::new()).expect("it is a URL");
                Ok(store::read_database(&location, &wanted)?.map(|read| read.snapshot))
            }
        }
    }

    /// Reads the state; one that does not exist yet reads as empty.
    pub(super) fn read(&self) -> Snapshot {
        self.look().unwrap_or_else(|| Snapshot::empty(""))
    }

    /// Takes the state away, as a lost disk or a dropped schema does.
    pub(super) fn lose(&self) {
        match self {
            Self::Directory(path) => fs::remove_dir_all(path).expect("the state can be removed"),
            Self::Database(state) => state.remove(),
        }
    }
}
