//! Rows of `placements`, in the first database: which database a tenant lives in. Those without a row live in the first one.

use super::{Guard, Statement, guards};
use crate::ids::TenantId;

/// Fails the batch with [`Guard::Elsewhere`] where the tenant does not live in this database: it does where its row is. Deleted ones do too.
pub fn is_here(tenant: &TenantId) -> Statement {
    guards::require(
        Guard::Elsewhere,
        "exists (select 1 from tenants where id = ?1)",
        vec![tenant.into()],
    )
}

/// Where a tenant lives: `database`, null for the first one; and whether it is just being `switched` from one to another.
pub fn select(tenant: &TenantId) -> Statement {
    Statement::new(
        "select (select database from placements where tenant_id = ?1) as database, \
         exists (select 1 from moves where tenant_id = ?1 and status = 'switching') as switched",
        vec![tenant.into()],
    )
}

/// Notes where a tenant that is to be made will live. Nothing happens where that is known, or the tenant is in the first database.
#[cfg(feature = "jobs")]
pub fn insert(tenant: &TenantId, database: &str) -> Statement {
    Statement::new(
        "insert or ignore into placements (tenant_id, database) select ?1, ?2 where not exists (select 1 from tenants where id = ?1)",
        vec![tenant.into(), database.into()],
    )
}

/// Notes where a tenant lives from now on.
#[cfg(feature = "jobs")]
pub fn put(tenant: &TenantId, database: &str) -> Statement {
    Statement::new(
        "insert into placements (tenant_id, database) values (?1, ?2) on conflict (tenant_id) do update set database = excluded.database",
        vec![tenant.into(), database.into()],
    )
}

/// Where wrangler notes the migrations that a database has had. One that was not made by it may have no such table.
pub const MIGRATIONS: &str = "d1_migrations";

/// The last of them, as `last`.
pub fn last_migration() -> Statement {
    Statement::new(
        format!("select max(name) as last from {MIGRATIONS}"),
        Vec::new(),
    )
}

/// Notes that a tenant lives in the first database.
#[cfg(feature = "jobs")]
pub fn forget(tenant: &TenantId) -> Statement {
    Statement::new(
        "delete from placements where tenant_id = ?1",
        vec![tenant.into()],
    )
}
