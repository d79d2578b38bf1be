//! Rows whose time is over: of the audit trail and the history, by what the tenant says, and all of a tenant that was deleted long enough ago.
//!
//! Nothing here looks through what stays. A tenant's audit events are numbered in the order of time, and request ids are made of the time:
//! where to stop is found by the key.

pub use super::tables::{TABLES, TENANT, Table};
use crate::ids::TenantId;
use crate::store::{Guard, Statement, Value};
use crate::store::{directory, guards};

/// Most rows that one statement deletes.
const AT_ONCE: i64 = 2_000;
/// Most events that one batch purges, and most of one statement.
pub const EVENTS_AT_ONCE: i64 = 20_000;
const EVENTS_IN_A_STATEMENT: i64 = 5_000;

/// Fails the batch with [`Guard::NotFound`] where the tenant is not one that was deleted before that time.
fn deleted_before(tenant: &TenantId, border: i64) -> Statement {
    guards::require(
        Guard::NotFound,
        "exists (select 1 from tenants where id = ?1 and deleted_at <= ?2)",
        vec![tenant.into(), border.into()],
    )
}

/// Deletes some rows of each table of a tenant that was deleted before that time; the last statement says whether there are `more`.
pub fn erase_some(tenant: &TenantId, border: i64) -> Vec<Statement> {
    let mut batch = vec![deleted_before(tenant, border)];
    batch.extend(TABLES.iter().map(|table| {
        let (table, key) = (table.name, table.key());
        Statement::new(
            format!(
                "delete from {table} where (tenant_id, {key}) in \
                 (select tenant_id, {key} from {table} where tenant_id = ?1 order by {key} limit {AT_ONCE})"
            ),
            vec![tenant.into()],
        )
    }));
    let left: Vec<String> = TABLES
        .iter()
        .map(|table| format!("exists (select 1 from {} where tenant_id = ?1)", table.name))
        .collect();
    batch.push(Statement::new(
        format!("select {} as more", left.join(" or ")),
        vec![tenant.into()],
    ));
    batch
}

/// Empties the row of a tenant whose other rows are gone: its id stays taken.
pub fn end(tenant: &TenantId, border: i64) -> [Statement; 3] {
    [
        deleted_before(tenant, border),
        directory::forget(tenant, None),
        Statement::new(
            "update tenants set name = '', product_name = null, product_color = null, user_total = 0, group_total = 0, audit_seq = 0, removals = null, removal_fuse = null, \
             upkeep_at = null where id = ?1",
            vec![tenant.into()],
        ),
    ]
}

/// Forgets the hashes of all passwords of a tenant.
pub fn forget_passwords(tenant: &TenantId) -> Statement {
    Statement::new(
        "update users set password_hash = null where tenant_id = ?1 and password_hash is not null",
        vec![tenant.into()],
    )
}

/// The number of the tenant's first event as `first`, and of the first one that is not from before that time as `next`: found by halves, so in
/// some fifty rows of ten millions.
pub fn select_events_before(tenant: &TenantId, border: i64) -> Statement {
    let middle = "(b.low + b.high) / 2";
    let is_old = format!(
        "coalesce((select a.at from audit_events a where a.tenant_id = ?1 and a.seq = {middle}) < ?2, 0)"
    );
    Statement::new(
        format!(
            "with recursive first (seq) as (select min(seq) from audit_events where tenant_id = ?1), \
             b (low, high) as (select f.seq, t.audit_seq + 1 from first f cross join tenants t on t.id = ?1 where f.seq is not null \
             union all select iif({is_old}, {middle} + 1, b.low), iif({is_old}, b.high, {middle}) from b where b.low < b.high limit 64) \
             select f.seq as first, (select max(low) from b) as next from first f where f.seq is not null"
        ),
        vec![tenant.into(), border.into()],
    )
}

/// Purges the events from the first one on up to another one, which stays, and the tombstones of what these events deleted. Fails the batch where
/// somebody else did so meanwhile.
pub fn purge_events(tenant: &TenantId, first: i64, next: i64, border: i64) -> Vec<Statement> {
    let mut batch = vec![guards::require(
        Guard::VersionConflict,
        "exists (select 1 from audit_events where tenant_id = ?1 and seq = ?2)",
        vec![tenant.into(), first.into()],
    )];
    let mut from = first;
    while from < next {
        let to = next.min(from.saturating_add(EVENTS_IN_A_STATEMENT));
        batch.push(Statement::new(
            "delete from tombstones where tenant_id = ?1 and deleted_at < ?4 and (resource_type, id) in \
             (select resource_type, resource_id from audit_events where tenant_id = ?1 and seq >= ?2 and seq < ?3 and action = 'delete')",
            vec![tenant.into(), from.into(), to.into(), border.into()],
        ));
        batch.push(Statement::new(
            "delete from audit_events where tenant_id = ?1 and seq >= ?2 and seq < ?3",
            vec![tenant.into(), from.into(), to.into()],
        ));
        from = to;
    }
    batch
}

/// A table whose rows lie in the order of time: by the ids of requests, which are made of the time, or by the minute.
pub struct ByTime {
    pub table: &'static str,
    /// The column that says when.
    id: &'static str,
    /// The key behind the tenant's id.
    key: &'static str,
}

/// The history.
pub const REVISIONS: ByTime = ByTime {
    table: "revisions",
    id: "request_id",
    key: "request_id, seq, part",
};
/// The journal.
pub const REQUESTS: ByTime = ByTime {
    table: "requests",
    id: "id",
    key: "id",
};

/// How many refusals there were.
pub const REQUEST_COUNTS: ByTime = ByTime {
    table: "request_counts",
    id: "minute",
    key: "minute",
};
/// Undos that went by messages.
pub const UNDOS: ByTime = ByTime {
    table: "undos",
    id: "id",
    key: "id",
};
/// What such an undo has not come to.
pub const UNDO_PARTS: ByTime = ByTime {
    table: "undo_parts",
    id: "undo_id",
    key: "undo_id, number",
};
/// Requests that were answered before they were carried out.
pub const ASYNC_REQUESTS: ByTime = ByTime {
    table: "async_requests",
    id: "id",
    key: "id",
};
/// What such a request has not come to, or was never accepted.
pub const ASYNC_PARTS: ByTime = ByTime {
    table: "async_parts",
    id: "request_id",
    key: "request_id, number",
};
/// What came of them.
pub const ASYNC_RESULTS: ByTime = ByTime {
    table: "async_results",
    id: "request_id",
    key: "request_id, number",
};

/// What came of deliveries.
pub const DELIVERIES: ByTime = ByTime {
    table: "deliveries",
    id: "id",
    key: "id",
};

impl ByTime {
    /// How many rows before that one there are, as `count`: as many as [`purge`](Self::purge) deletes, at most.
    pub fn count(&self, tenant: &TenantId, border: &Value) -> Statement {
        let ByTime { table, id, .. } = self;
        Statement::new(
            format!(
                "select count(*) as count from (select 1 from {table} where tenant_id = ?1 and {id} < ?2 limit {AT_ONCE})"
            ),
            vec![tenant.into(), border.clone()],
        )
    }

    /// Purges the rows before that one, the first ones.
    pub fn purge(&self, tenant: &TenantId, border: &Value) -> Statement {
        let ByTime { table, id, key } = self;
        Statement::new(
            format!(
                "delete from {table} where (tenant_id, {key}) in (select tenant_id, {key} from {table} \
                 where tenant_id = ?1 and {id} < ?2 order by {key} limit {AT_ONCE})"
            ),
            vec![tenant.into(), border.clone()],
        )
    }
}

/// Whether that is as many as are deleted at once, so that there may be more.
pub const fn is_full(count: i64) -> bool {
    count >= AT_ONCE
}
