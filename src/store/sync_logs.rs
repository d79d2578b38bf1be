//! Rows of `sync_logs` and `sync_entries`: what each run of a directory sync did.

use super::set::Set;
use super::{Params, Result, Row, Statement, page};
use crate::ids::TenantId;

/// Runs of a provider that are kept; older ones go, with their entries.
pub const KEPT_RUNS: usize = 50;

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
    /// Whether it only tells what would be done.
    pub dry_run: bool,
    /// `running`, `succeeded`, `stopped` or `failed`; of a dry run `planned`.
    pub status: String,
    /// JSON.
    pub counts: String,
    pub reason: Option<String>,
    pub started_at: i64,
    pub finished_at: Option<i64>,
}

pub(super) const COLUMNS: &str =
    "id, idp_id, started_by, actor, mode, dry_run, status, counts, reason, started_at, finished_at";

pub fn sync_log(row: &Row) -> Result<SyncLog> {
    Ok(SyncLog {
        id: row.text("id")?,
        idp_id: row.text("idp_id")?,
        started_by: row.text("started_by")?,
        actor: row.text("actor")?,
        mode: row.text("mode")?,
        dry_run: row.boolean("dry_run")?,
        status: row.text("status")?,
        counts: row.text("counts")?,
        reason: row.optional_text("reason")?,
        started_at: row.integer("started_at")?,
        finished_at: row.optional_integer("finished_at")?,
    })
}

/// Removes the oldest runs, so that there is room for one more, and what those that are over have left staged.
pub fn prune(tenant: &TenantId, idp: &str) -> [Statement; 3] {
    let old = format!(
        "(select id from sync_logs where tenant_id = ?1 and idp_id = ?2 order by id desc limit -1 offset {})",
        KEPT_RUNS - 1
    );
    let params = vec![tenant.into(), idp.into()];
    [
        Statement::new(
            "delete from sync_chunks where tenant_id = ?1 and log_id in \
             (select id from sync_logs where tenant_id = ?1 and idp_id = ?2 and status <> 'running')",
            params.clone(),
        ),
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

/// A new run; `state` is JSON.
pub fn insert(tenant: &TenantId, log: &SyncLog, state: &str) -> Statement {
    Statement::new(
        "insert into sync_logs (tenant_id, idp_id, id, started_by, actor, mode, status, counts, started_at, dry_run, state) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
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
            log.dry_run.into(),
            state.into(),
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
