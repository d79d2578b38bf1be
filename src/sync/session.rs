//! A run's way to the database: what it has cost, its lease, and its line in the log.

use std::cell::{Cell, RefCell};

use super::counts::Counts;
use crate::change::audit::Origin;
use crate::ids::TenantId;
use crate::platform;
use crate::platform::Platform;
use crate::store::sync_logs::{self, SyncLog};
use crate::store::{Error, Meter, Result, Rows, Statement, directory_syncs};

/// How long a run is taken to be alive after its last sign of life, in milliseconds. It gives one with each batch that it writes, and
/// while it reads the directory once in [`BEAT_MS`].
pub const LEASE_MS: i64 = 300_000;
const BEAT_MS: i64 = 60_000;

/// A run, to the database.
pub struct Session<'s> {
    pub platform: &'s Platform,
    pub tenant: TenantId,
    pub idp: String,
    pub origin: Origin,
    /// Whether the run may write: a dry one has no lease and no log.
    pub dry: bool,
    pub log: RefCell<SyncLog>,
    /// What was done so far.
    pub done: RefCell<Counts>,
    /// Number of the last entry in the log.
    pub last_entry: Cell<i64>,
    pub meter: Meter,
    beat: Cell<i64>,
}

impl<'s> Session<'s> {
    pub fn new(
        platform: &'s Platform,
        tenant: TenantId,
        origin: Origin,
        log: SyncLog,
        dry: bool,
    ) -> Self {
        Session {
            platform,
            tenant,
            idp: log.idp_id.clone(),
            origin,
            dry,
            beat: Cell::new(log.started_at),
            log: RefCell::new(log),
            done: RefCell::default(),
            last_entry: Cell::default(),
            meter: Meter::default(),
        }
    }

    pub fn now(&self) -> i64 {
        self.platform.clock.now()
    }

    pub fn new_id(&self) -> Result<String> {
        let platform = self.platform;
        platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref()).map_err(Error::Backend)
    }

    /// Runs a batch as it is.
    pub async fn run(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let database = self.platform.database_of(Some(&self.tenant));
        self.meter.run(database.as_ref(), batch).await
    }

    /// Runs statements that read.
    pub async fn read(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        match batch.is_empty() {
            true => Ok(Vec::new()),
            false => self.run(batch).await,
        }
    }

    /// Runs a batch that writes, while the run holds its lease, and prolongs that; in the log stands what there is then. Gives what the
    /// batch gave.
    pub async fn write(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let now = self.now();
        let log = self.log.borrow().clone();
        let [held, prolonged] =
            directory_syncs::hold(&self.tenant, &self.idp, &log.id, now + LEASE_MS);
        let asked = batch.len();
        let mut all = vec![held, prolonged, sync_logs::update(&self.tenant, &log)];
        let first = all.len();
        all.extend(batch);
        let results = self.run(all).await?;
        self.beat.set(now);
        Ok(results.into_iter().skip(first).take(asked).collect())
    }

    /// Puts numbers into the log's row, which the next batch writes.
    pub fn note(&self, counts: &Counts) {
        self.log.borrow_mut().counts = serde_json::to_string(counts).unwrap_or_default();
    }

    /// Says that the run is alive, where it has not written for long.
    pub async fn keep_alive(&self, counts: &Counts) -> Result<()> {
        if self.dry || self.now() - self.beat.get() < BEAT_MS {
            return Ok(());
        }
        self.note(counts);
        self.write(Vec::new()).await.map(drop)
    }
}
