//! A run as a message goes on with it: its way to the database, what that has cost, and what the run has come to.

use std::cell::{Cell, RefCell};

use super::group_mapping::Wanted;
use super::state::State;
use crate::change::audit::Origin;
use crate::config::SyncLimits;
use crate::ids::TenantId;
use crate::platform;
use crate::platform::Platform;
use crate::store::directory_syncs::{self, SyncState};
use crate::store::group_mappings::{self, GroupMapping};
use crate::store::identity_providers::{self, IdentityProvider};
use crate::store::sync_counts::Counts;
use crate::store::sync_logs::SyncLog;
use crate::store::sync_runs::{self, SyncRun};
use crate::store::tenants::{self, Settings};
use crate::store::{Error, Meter, Result, Rows, Statement, mapping_grants, rows_at};

/// How often a run gives a sign of life while it reads, in milliseconds. It gives one with each batch that it writes, too.
const BEAT_MS: i64 = 10_000;

/// When a message leaves the rest to the next one at the latest, in milliseconds.
const MAX_MS: i64 = 15_000;

/// A run, to the database.
pub struct Session<'s> {
    pub platform: &'s Platform,
    pub tenant: TenantId,
    pub idp: String,
    pub origin: Origin,
    pub log: RefCell<SyncLog>,
    pub state: RefCell<State>,
    pub known: Known,
    pub limits: SyncLimits,
    pub meter: Meter,
    epoch: i64,
    step: Cell<i64>,
    beat: Cell<i64>,
}

/// What a run has to know before it begins.
pub struct Known {
    /// What the last sync has left.
    pub before: SyncState,
    pub mappings: Vec<Wanted>,
    /// Whether mappings have given anything.
    grants: bool,
    pub settings: Settings,
}

impl Known {
    /// Whether mappings give anything, or did.
    pub fn mapped(&self) -> bool {
        !self.mappings.is_empty() || self.grants
    }
}

impl<'s> Session<'s> {
    /// Takes a run over, and gives its provider with it: none where that, or its tenant, is gone. None where the run is over or nobody's.
    pub async fn open(
        platform: &'s Platform,
        tenant: &TenantId,
        (idp, log): (&str, &str),
        limits: SyncLimits,
    ) -> Result<Option<(Self, Option<IdentityProvider>)>> {
        let (now, meter) = (platform.clock.now(), Meter::default());
        let mut batch = Vec::from(sync_runs::take_over(tenant, idp, log, now));
        let run = batch.len() - 1;
        batch.extend([
            identity_providers::select(idp, Some(tenant)),
            tenants::select(tenant),
            directory_syncs::select(tenant, idp),
            group_mappings::select_all(tenant, idp),
            mapping_grants::select_any(tenant, idp),
        ]);
        let database = platform.database_of(Some(tenant));
        let results = meter.run(database.as_ref(), batch).await?;
        let row = |index: usize| Ok::<_, Error>(rows_at(&results, run + index)?.first());
        let Some(taken) = row(0)? else {
            let end = sync_runs::end_lost(tenant, idp, log, now);
            meter.run(database.as_ref(), Vec::from(end)).await?;
            return Ok(None);
        };
        let SyncRun {
            log,
            epoch,
            step,
            state,
        } = sync_runs::sync_run(taken)?;
        let settings = row(2)?.map(tenants::settings).transpose()?;
        let provider = row(1)?.filter(|_| settings.is_some());
        let provider = provider.map(identity_providers::identity_provider);
        let mappings = rows_at(&results, run + 4)?.rows.iter();
        let mappings: Vec<GroupMapping> = mappings
            .map(group_mappings::group_mapping)
            .collect::<Result<_>>()?;
        let state: State = serde_json::from_str(&state)
            .map_err(|error| Error::Backend(format!("the state of a sync: {error}")))?;
        let known = Known {
            before: row(3)?.map_or(Ok(SyncState::default()), directory_syncs::state)?,
            mappings: mappings.iter().map(Wanted::from).collect(),
            grants: row(5)?.map_or(Ok(false), |row| row.boolean("any_grants"))?,
            settings: settings.unwrap_or_default(),
        };
        let session = Session {
            platform,
            tenant: tenant.clone(),
            idp: idp.to_owned(),
            origin: Origin {
                actor: format!("ldap-sync:{idp}"),
                request_id: state.order.request_id.clone(),
                at: now,
            },
            log: RefCell::new(log),
            state: RefCell::new(state),
            known,
            limits,
            meter,
            epoch,
            step: Cell::new(step),
            beat: Cell::new(now),
        };
        Ok(Some((session, provider.transpose()?)))
    }

    pub fn now(&self) -> i64 {
        self.platform.clock.now()
    }

    pub fn new_id(&self) -> Result<String> {
        let platform = self.platform;
        platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref()).map_err(Error::Backend)
    }

    /// Whether the run only tells what would be done.
    pub fn is_dry(&self) -> bool {
        self.log.borrow().dry_run
    }

    pub fn status(&self) -> String {
        self.log.borrow().status.clone()
    }

    /// Whether the run tells what would be done and does nothing of it: because that is all that was asked for, or because it is too much.
    pub fn only_tells(&self) -> bool {
        self.is_dry() || self.state.borrow().objection.is_some()
    }

    /// Whether a message has done as much as it may.
    pub fn is_spent(&self) -> bool {
        self.meter.cost().statements >= self.limits.statements
            || self.now() - self.origin.at >= MAX_MS
    }

    pub fn log_id(&self) -> String {
        self.log.borrow().id.clone()
    }

    /// Whether no step was made before.
    pub fn is_new(&self) -> bool {
        self.step.get() == 0
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        serde_json::from_str(&self.log.borrow().counts).unwrap_or_default()
    }

    /// Runs statements that read.
    pub async fn read(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        match batch.is_empty() {
            true => Ok(Vec::new()),
            false => {
                let database = self.platform.database_of(Some(&self.tenant));
                self.meter.run(database.as_ref(), batch).await
            }
        }
    }

    /// Runs a batch that writes, as the next step of the run, and notes with it what the run has come to. Gives what the batch gave.
    pub async fn write(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let now = self.now();
        let state = serde_json::to_string(&*self.state.borrow());
        let run = SyncRun {
            log: self.log.borrow().clone(),
            epoch: self.epoch,
            step: self.step.get(),
            state: state.map_err(|error| Error::Backend(error.to_string()))?,
        };
        let asked = batch.len();
        let mut all = Vec::from(sync_runs::advance(&self.tenant, &run, now));
        let first = all.len();
        all.extend(batch);
        let results = self.read(all).await?;
        self.step.set(run.step + 1);
        self.beat.set(now);
        Ok(results.into_iter().skip(first).take(asked).collect())
    }

    /// Ends the run where it has lost its lease, and nobody else has it for the same run.
    pub async fn end_lost(&self) -> Result<()> {
        let log = self.log.borrow().id.clone();
        let end = sync_runs::end_lost(&self.tenant, &self.idp, &log, self.now());
        self.read(Vec::from(end)).await.map(drop)
    }

    /// Puts numbers into the log's row, which the next batch writes.
    pub fn note(&self, counts: &Counts) {
        self.log.borrow_mut().counts = serde_json::to_string(counts).unwrap_or_default();
    }

    /// Says that the run is alive, where it has not written for long.
    pub async fn keep_alive(&self, counts: &Counts) -> Result<()> {
        if self.now() - self.beat.get() < BEAT_MS {
            return Ok(());
        }
        self.note(counts);
        self.write(Vec::new()).await.map(drop)
    }
}
