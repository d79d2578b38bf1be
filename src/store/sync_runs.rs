//! Runs under way: who may go on with one, and what it has come to between the messages of its chain.
//!
//! A run holds its provider's lease (`directory_syncs`). Each message takes the run over, by a greater epoch; and every batch of a run is
//! guarded by lease, epoch and step. So two messages of one run never write both, and a step is never made twice.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::sync_logs::{self, SyncLog};
use super::{Result, Row, Statement, directory_syncs, guards, identity_providers};
use crate::ids::TenantId;

/// How long a run is taken to be alive after its last sign of life, in milliseconds.
pub const LEASE_MS: i64 = 300_000;
/// How often the message of a run is sent anew, of which nothing was heard for that long, before it is taken for dead.
pub const MAX_RESENT: i64 = 3;

/// What a log says of a run that ended without a word.
const DIED: &str = "the run ended before it was done; the next one goes on from there";

/// What it says of one whose lease was taken from it.
const LOST: &str =
    "the run was taken for dead, or its provider was deleted; it has written nothing since";
/// What it says of one that never began.
const UNSENT: &str = "the queue could not be reached; nothing was read, and nothing was changed";

/// What was asked for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Order {
    /// Reads the whole directory in any case.
    pub full: bool,
    /// Carries a plan out whatever it removes.
    pub allow_removals: bool,
    /// The request that asked for it: in the audit trail for all that the run changes.
    pub request_id: String,
}

/// A run as a message finds it.
#[derive(Debug, Clone)]
pub struct SyncRun {
    pub log: SyncLog,
    pub epoch: i64,
    pub step: i64,
    /// JSON.
    pub state: String,
}

pub fn sync_run(row: &Row) -> Result<SyncRun> {
    Ok(SyncRun {
        log: sync_logs::sync_log(row)?,
        epoch: row.integer("epoch")?,
        step: row.integer("step")?,
        state: row.text("state")?,
    })
}

const OF_RUN: &str = "tenant_id = ?1 and idp_id = ?2 and id = ?3 and status = 'running' and state is not null \
     and exists (select 1 from directory_syncs s where s.tenant_id = ?1 and s.idp_id = ?2 and s.log_id = ?3)";

/// Opens a run: its line in the log, and the lease. Fails the batch with [`Guard::ProviderMissing`], or with [`Guard::SyncRunning`] where
/// another run is under way.
pub fn begin(tenant: &TenantId, log: &SyncLog, order: &Order) -> Vec<Statement> {
    let (idp, now) = (&log.idp_id, log.started_at);
    let mut batch = vec![identity_providers::require(tenant, idp)];
    batch.extend(bury(tenant, idp, now));
    batch.extend(directory_syncs::begin(tenant, log, now + LEASE_MS));
    batch.extend(sync_logs::prune(tenant, idp));
    let state = json!({ "order": order }).to_string();
    batch.push(sync_logs::insert(tenant, log, &state));
    batch
}

/// Takes a run over from whoever was at it. The last statement gives it, as [`sync_run`] reads it; nothing where it is over.
pub fn take_over(tenant: &TenantId, idp: &str, id: &str, now: i64) -> [Statement; 3] {
    let params = vec![tenant.into(), idp.into(), id.into()];
    let mut prolonged = params.clone();
    prolonged.push((now + LEASE_MS).into());
    [
        Statement::new(
            format!("update sync_logs set epoch = epoch + 1 where {OF_RUN}"),
            params.clone(),
        ),
        Statement::new(
            "update directory_syncs set expires_at = ?4 where tenant_id = ?1 and idp_id = ?2 and log_id = ?3",
            prolonged,
        ),
        Statement::new(
            format!(
                "select {}, epoch, step, state from sync_logs where {OF_RUN}",
                sync_logs::COLUMNS
            ),
            params,
        ),
    ]
}

/// Makes a step of a run: fails the batch with [`Guard::LeaseLost`] where the run is over, was taken over, or has made that step, or where
/// its tenant was deleted; and notes what it has come to then, and that it is alive.
pub fn advance(tenant: &TenantId, run: &SyncRun, now: i64) -> [Statement; 3] {
    let (idp, log) = (&run.log.idp_id, &run.log);
    let of_run = || vec![tenant.into(), idp.into(), (&log.id).into()];
    let mut held = of_run();
    held.extend([run.epoch.into(), run.step.into()]);
    let mut prolonged = of_run();
    prolonged.push((now + LEASE_MS).into());
    let mut made = of_run();
    made.extend([
        (&log.mode).into(),
        (&log.status).into(),
        (&log.counts).into(),
        log.reason.as_ref().into(),
        log.finished_at.into(),
        (run.step + 1).into(),
        (&run.state).into(),
    ]);
    [
        guards::may_step(
            &format!(
                "exists (select 1 from sync_logs where {OF_RUN} and epoch = ?4 and step = ?5)"
            ),
            held,
        ),
        Statement::new(
            "update directory_syncs set expires_at = ?4 where tenant_id = ?1 and idp_id = ?2 and log_id = ?3",
            prolonged,
        ),
        Statement::new(
            "update sync_logs set mode = ?4, status = ?5, counts = ?6, reason = ?7, finished_at = ?8, step = ?9, state = ?10 \
             where tenant_id = ?1 and idp_id = ?2 and id = ?3",
            made,
        ),
    ]
}

/// The lease of the provider has expired.
const SILENT: &str = "(select log_id from directory_syncs where tenant_id = ?1 and idp_id = ?2 and expires_at <= ?3)";

/// Marks a run as failed of which nothing was heard for long though its message was sent again and again, and takes the lease from it.
fn bury(tenant: &TenantId, idp: &str, now: i64) -> [Statement; 2] {
    let params = vec![tenant.into(), idp.into(), now.into()];
    [
        Statement::new(
            format!(
                "update sync_logs set status = 'failed', reason = '{DIED}', finished_at = ?3 \
                 where tenant_id = ?1 and idp_id = ?2 and status = 'running' and id = {SILENT} \
                 and (resent >= {MAX_RESENT} or state is null)"
            ),
            params.clone(),
        ),
        Statement::new(
            "update directory_syncs set log_id = null, expires_at = null \
             where tenant_id = ?1 and idp_id = ?2 and log_id is not null and expires_at <= ?3 and not exists \
             (select 1 from sync_logs l where l.tenant_id = ?1 and l.idp_id = ?2 and l.id = log_id and l.status = 'running')",
            params,
        ),
    ]
}

/// Ends a run that has lost its lease, as where its provider was deleted, or whose tenant was, and removes what it has staged; nothing of one that has it.
pub fn end_lost(tenant: &TenantId, idp: &str, id: &str, now: i64) -> [Statement; 2] {
    let lost = "not exists (select 1 from directory_syncs s join tenants t on t.id = s.tenant_id and t.deleted_at is null \
                where s.tenant_id = ?1 and s.idp_id = ?2 and s.log_id = ?3)";
    let params = vec![tenant.into(), idp.into(), id.into()];
    let mut ended = params.clone();
    ended.push(now.into());
    [
        Statement::new(
            format!(
                "update sync_logs set status = 'failed', reason = '{LOST}', finished_at = ?4 \
                 where tenant_id = ?1 and idp_id = ?2 and id = ?3 and status = 'running' and {lost}"
            ),
            ended,
        ),
        Statement::new(
            format!("delete from sync_chunks where tenant_id = ?1 and log_id = ?3 and {lost}"),
            params,
        ),
    ]
}

/// Ends a run whose first message could not be sent, unless it was after all.
pub fn abandon(tenant: &TenantId, log: &SyncLog, now: i64) -> [Statement; 2] {
    let params = vec![tenant.into(), (&log.idp_id).into(), (&log.id).into()];
    let mut ended = params.clone();
    ended.push(now.into());
    [
        Statement::new(
            format!(
                "update sync_logs set status = 'failed', reason = '{UNSENT}', finished_at = ?4 where {OF_RUN} and epoch = 0"
            ),
            ended,
        ),
        Statement::new(
            "update directory_syncs set log_id = null, expires_at = null where tenant_id = ?1 and idp_id = ?2 and log_id = ?3 \
             and not exists (select 1 from sync_logs where tenant_id = ?1 and idp_id = ?2 and id = ?3 and status = 'running')",
            params,
        ),
    ]
}

/// What becomes of a run of which nothing was heard for long: it is to be gone on with, a few times, and failed then. The last statement
/// gives the one whose message is to be sent: column `log_id`.
pub fn revive(tenant: &TenantId, idp: &str, now: i64) -> Vec<Statement> {
    let params = vec![tenant.into(), idp.into(), now.into()];
    let mut prolonged = params.clone();
    prolonged.push((now + LEASE_MS).into());
    let mut batch = Vec::from(bury(tenant, idp, now));
    batch.extend([
        Statement::new(
            format!(
                "update sync_logs set resent = resent + 1 where tenant_id = ?1 and idp_id = ?2 and id = {SILENT}"
            ),
            params,
        ),
        Statement::new(
            "update directory_syncs set expires_at = ?4 where tenant_id = ?1 and idp_id = ?2 and log_id is not null \
             and expires_at <= ?3 returning log_id",
            prolonged,
        ),
    ]);
    batch
}
