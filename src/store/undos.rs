//! Rows of `undos` and `undo_parts`: undos of very many changes, which go by messages.

use super::{Result, Row, Statement, guards};
use crate::ids::TenantId;

/// After how long without a word its message is sent anew, in milliseconds: 10 minutes.
const SILENT_MS: i64 = 600_000;
/// How often that is done, one after the other, before it is given up.
const MAX_RESENT: i64 = 5;

/// An undo.
#[derive(Debug, Clone)]
pub struct UndoRow {
    pub id: String,
    pub actor: String,
    /// `running`, `succeeded` or `failed`.
    pub status: String,
    pub is_dry: bool,
    pub parts: i64,
    /// The next one.
    pub part: i64,
    /// JSON.
    pub outcome: String,
    /// Milliseconds since 1970.
    pub started_at: i64,
    pub finished_at: Option<i64>,
}

pub fn undo(row: &Row) -> Result<UndoRow> {
    Ok(UndoRow {
        id: row.text("id")?,
        actor: row.text("actor")?,
        status: row.text("status")?,
        is_dry: row.boolean("dry_run")?,
        parts: row.integer("parts")?,
        part: row.integer("part")?,
        outcome: row.text("outcome")?,
        started_at: row.integer("started_at")?,
        finished_at: row.optional_integer("finished_at")?,
    })
}

/// Stages a part, which belongs to nothing before the undo has its row.
pub fn insert_part(tenant: &TenantId, id: &str, number: i64, body: &str) -> Statement {
    Statement::new(
        "insert into undo_parts (tenant_id, undo_id, number, body) values (?1, ?2, ?3, ?4)",
        vec![tenant.into(), id.into(), number.into(), body.into()],
    )
}

/// Begins an undo.
pub fn insert(tenant: &TenantId, undo: &UndoRow) -> Statement {
    Statement::new(
        "insert into undos (tenant_id, id, actor, status, dry_run, parts, part, outcome, started_at, updated_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
        vec![
            tenant.into(),
            (&undo.id).into(),
            (&undo.actor).into(),
            (&undo.status).into(),
            undo.is_dry.into(),
            undo.parts.into(),
            undo.part.into(),
            (&undo.outcome).into(),
            undo.started_at.into(),
        ],
    )
}

/// An undo with the `body` of its next part, null where there is none: no row where the tenant does not exist.
pub fn select(tenant: &TenantId, id: &str) -> Statement {
    Statement::new(
        "select u.*, p.body from undos u left join undo_parts p on p.tenant_id = u.tenant_id and p.undo_id = u.id and p.number = u.part \
         where u.tenant_id = ?1 and u.id = ?2 and exists (select 1 from tenants t where t.id = ?1 and t.deleted_at is null)",
        vec![tenant.into(), id.into()],
    )
}

/// Notes in a part's batch what it came to. Fails the batch with [`Guard::LeaseLost`] where another message has done that part.
pub fn progress(tenant: &TenantId, undo: &UndoRow, outcome: &str, now: i64) -> Vec<Statement> {
    let key = || vec![tenant.into(), (&undo.id).into(), undo.part.into()];
    let mut update = key();
    update.extend([outcome.into(), now.into()]);
    vec![
        guards::may_step(
            "exists (select 1 from undos where tenant_id = ?1 and id = ?2 and part = ?3 and status = 'running')",
            key(),
        ),
        Statement::new(
            "update undos set part = part + 1, outcome = ?4, updated_at = ?5, resent = 0, \
             status = iif(part + 1 < parts, status, 'succeeded'), finished_at = iif(part + 1 < parts, null, ?5) \
             where tenant_id = ?1 and id = ?2 and part = ?3",
            update,
        ),
        Statement::new(
            "delete from undo_parts where tenant_id = ?1 and undo_id = ?2 and number = ?3",
            key(),
        ),
    ]
}

/// Undos of which nothing was heard for long, as `tenant_id` and `id`: they are taken up again, or given up.
pub fn revive(now: i64, limit: i64) -> [Statement; 2] {
    let silent = "(tenant_id, id) in (select s.tenant_id, s.id from undos s indexed by undos_running_idx \
         where s.status = 'running' and s.updated_at < ?2 and exists (select 1 from tenants where id = s.tenant_id) limit ?3)";
    let params = || vec![now.into(), (now - SILENT_MS).into(), limit.into()];
    [
        Statement::new(
            format!(
                "update undos set status = 'failed', finished_at = ?1 where resent >= {MAX_RESENT} and {silent}"
            ),
            params(),
        ),
        Statement::new(
            format!(
                "update undos set resent = resent + 1, updated_at = ?1 where {silent} returning tenant_id, id"
            ),
            params(),
        ),
    ]
}
