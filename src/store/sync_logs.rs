//! Rows of `sync_logs` and `sync_entries`: what each run of a directory sync did.

use super::set::Set;
use super::{Params, Result, Row, Statement, page};
use crate::ids::TenantId;

/// Runs of a provider that are kept; older ones go, with their entries.
pub const KEPT_RUNS: usize = 50;

/// What a log says of a run that ended without a word.
const DIED: &str = "the run ended before it was done; the next one goes on from there";

/// One run.
#[derive(Debug, Clone)]
pub struct SyncLog {
    pub id: String,
    pub idp_id: String,
    /// `manual` or `scheduled`.
    pub started_by: String,
    pub actor: String,
    /// `full` or `changes`.
    pub mode: String,
    /// `running`, `succeeded`, `stopped` or `failed`.
    pub status: String,
    /// JSON.
    pub counts: String,
    pub reason: Option<String>,
    pub started_at: i64,
    pub finished_at: Option<i64>,
}

const COLUMNS: &str =
    "id, idp_id, started_by, actor, mode, status, counts, reason, started_at, finished_at";

pub fn sync_log(row: &Row) -> Result<SyncLog> {
    Ok(SyncLog {
        id: row.text("id")?,
        idp_id: row.text("idp_id")?,
        started_by: row.text("started_by")?,
        actor: row.text("actor")?,
        mode: row.text("mode")?,
        status: row.text("status")?,
        counts: row.text("counts")?,
        reason: row.optional_text("reason")?,
        started_at: row.integer("started_at")?,
        finished_at: row.optional_integer("finished_at")?,
    })
}

/// Marks a run as failed whose lease has expired, and takes the lease from it.
pub fn expire(tenant: &TenantId, idp: &str, now: i64) -> [Statement; 2] {
    let params = vec![tenant.into(), idp.into(), now.into()];
    [
        Statement::new(
            format!(
                "update sync_logs set status = 'failed', reason = '{DIED}', finished_at = ?3 \
                 where tenant_id = ?1 and idp_id = ?2 and status = 'running' and id = (select log_id from directory_syncs \
                 where tenant_id = ?1 and idp_id = ?2 and expires_at <= ?3)"
            ),
            params.clone(),
        ),
        Statement::new(
            "update directory_syncs set log_id = null, expires_at = null \
             where tenant_id = ?1 and idp_id = ?2 and log_id is not null and expires_at <= ?3",
            params,
        ),
    ]
}

/// Removes the oldest runs, so that there is room for one more.
pub fn prune(tenant: &TenantId, idp: &str) -> [Statement; 2] {
    let old = format!(
        "(select id from sync_logs where tenant_id = ?1 and idp_id = ?2 order by id desc limit -1 offset {})",
        KEPT_RUNS - 1
    );
    let params = vec![tenant.into(), idp.into()];
    [
        Statement::new(
            format!("delete from sync_entries where tenant_id = ?1 and log_id in {old}"),
            params.clone(),
        ),
        Statement::new(
            format!("delete from sync_logs where tenant_id = ?1 and idp_id = ?2 and id in {old}"),
            params,
        ),
    ]
}

pub fn insert(tenant: &TenantId, log: &SyncLog) -> Statement {
    Statement::new(
        "insert into sync_logs (tenant_id, idp_id, id, started_by, actor, mode, status, counts, started_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        vec![
            tenant.into(),
            (&log.idp_id).into(),
            (&log.id).into(),
            (&log.started_by).into(),
            (&log.actor).into(),
            (&log.mode).into(),
            (&log.status).into(),
            (&log.counts).into(),
            log.started_at.into(),
        ],
    )
}

/// What a run has come to so far, or in the end.
pub fn update(tenant: &TenantId, log: &SyncLog) -> Statement {
    Statement::new(
        "update sync_logs set mode = ?4, status = ?5, counts = ?6, reason = ?7, finished_at = ?8 \
         where tenant_id = ?1 and idp_id = ?2 and id = ?3",
        vec![
            tenant.into(),
            (&log.idp_id).into(),
            (&log.id).into(),
            (&log.mode).into(),
            (&log.status).into(),
            (&log.counts).into(),
            log.reason.as_ref().into(),
            log.finished_at.into(),
        ],
    )
}

pub fn select(tenant: &TenantId, idp: &str, id: &str) -> Statement {
    Statement::new(
        format!("select {COLUMNS} from sync_logs where tenant_id = ?1 and idp_id = ?2 and id = ?3"),
        vec![tenant.into(), idp.into(), id.into()],
    )
}

/// A page of a provider's runs, the latest first, and how many there are.
pub fn select_page(tenant: &TenantId, idp: &str, limit: i64, offset: i64) -> [Statement; 2] {
    let params = Params::new(vec![tenant.into(), idp.into()]);
    let source = "from sync_logs where tenant_id = ?1 and idp_id = ?2";
    page(source, params, COLUMNS, "id desc", (limit, offset))
}

/// One object that a run changed, or could not.
#[derive(Debug, Clone)]
pub struct SyncEntry {
    pub seq: i64,
    /// `User` or `Group`.
    pub resource_type: String,
    pub action: String,
    pub unique_id: Option<String>,
    pub dn: Option<String>,
    pub name: Option<String>,
    pub resource_id: Option<String>,
    pub reason: Option<String>,
}

pub fn sync_entry(row: &Row) -> Result<SyncEntry> {
    Ok(SyncEntry {
        seq: row.integer("seq")?,
        resource_type: row.text("resource_type")?,
        action: row.text("action")?,
        unique_id: row.optional_text("unique_id")?,
        dn: row.optional_text("dn")?,
        name: row.optional_text("name")?,
        resource_id: row.optional_text("resource_id")?,
        reason: row.optional_text("reason")?,
    })
}

/// Adds entries to a run.
pub fn insert_entries(tenant: &TenantId, log_id: &str, entries: &[SyncEntry]) -> Vec<Statement> {
    let rows = entries.iter().map(|entry| {
        vec![
            entry.seq.into(),
            (&entry.resource_type).into(),
            (&entry.action).into(),
            entry.unique_id.as_ref().into(),
            entry.dn.as_ref().into(),
            entry.name.as_ref().into(),
            entry.resource_id.as_ref().into(),
            entry.reason.as_ref().into(),
        ]
    });
    let columns = &[
        "seq",
        "type",
        "action",
        "unique_id",
        "dn",
        "name",
        "id",
        "reason",
    ];
    Set::new(columns, rows).statements(&[tenant.into(), log_id.into()], |part| {
        format!(
            "{} insert into sync_entries (tenant_id, log_id, seq, resource_type, action, unique_id, dn, name, resource_id, reason) \
             select ?1, ?2, e.seq, e.type, e.action, e.unique_id, e.dn, e.name, e.id, e.reason from e",
            part.table()
        )
    })
}

/// A page of a run's entries in their order, and how many there are.
pub fn select_entries(tenant: &TenantId, log_id: &str, limit: i64, offset: i64) -> [Statement; 2] {
    let params = Params::new(vec![tenant.into(), log_id.into()]);
    let source = "from sync_entries where tenant_id = ?1 and log_id = ?2";
    let columns = "seq, resource_type, action, unique_id, dn, name, resource_id, reason";
    page(source, params, columns, "seq", (limit, offset))
}
