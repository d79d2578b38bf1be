//! What a tenant's rows take to move from one database to another.
//!
//! They are copied while the tenant is in use, in no order that the tenant has seen: so nothing here relies on one. Rows replace what stands in
//! their way, by their key or by a unique index; what was so replaced has changed in the source since it was copied, was noted there by the
//! triggers of [`capture`], and comes again.

pub mod capture;
pub mod ends;
pub mod keys;
pub mod pages;

use crate::change::rows::tables::{TABLES, Table};
use crate::ids::TenantId;
use crate::store::{Guard, Statement, guards};

/// The number in `moved_rows` under which the pause stands: its key says until when, in milliseconds since 1970 by the database's clock.
pub const PAUSE: i64 = 0;

/// The table of that name, with its place among them.
pub fn place_of(name: &str) -> Option<(usize, &'static Table)> {
    TABLES
        .iter()
        .enumerate()
        .find(|(_, table)| table.name == name)
}

/// Fails the batch with [`Guard::LeaseLost`] where another message has taken the move over in this database.
pub fn holds(tenant: &TenantId, mark: i64) -> Statement {
    guards::require(
        Guard::LeaseLost,
        "exists (select 1 from move_fences where tenant_id = ?1 and mark = ?2)",
        vec![tenant.into(), mark.into()],
    )
}

/// Fails the batch with [`Guard::VersionConflict`] where the tenant lives in this database.
pub fn lives_elsewhere(tenant: &TenantId) -> Statement {
    guards::require(
        Guard::VersionConflict,
        "not exists (select 1 from tenants where id = ?1)",
        vec![tenant.into()],
    )
}

/// Fails the batch with [`Guard::VersionConflict`] where the tenant does not live in this database.
pub fn lives_here(tenant: &TenantId) -> Statement {
    guards::require(
        Guard::VersionConflict,
        "exists (select 1 from tenants where id = ?1)",
        vec![tenant.into()],
    )
}
