//! Values that only one resource of a tenant may have, and who has them.

use super::Statement;
use super::set::Set;
use crate::ids::TenantId;

/// A value that only one resource may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UniqueKey {
    UserName,
    /// In `compat` alone.
    GroupName,
}

impl UniqueKey {
    pub const ALL: [UniqueKey; 2] = [UniqueKey::UserName, UniqueKey::GroupName];

    /// Its table and column.
    pub const fn column(self) -> (&'static str, &'static str) {
        match self {
            UniqueKey::UserName => ("users", "user_name_key"),
            UniqueKey::GroupName => ("groups", "unique_name_key"),
        }
    }
}

/// The holders of values: columns `key`, `id`, `managed_by`, and `active` (null where that is unassigned, and of groups).
pub fn select_holders<'k>(
    tenant: &TenantId,
    unique: UniqueKey,
    keys: impl IntoIterator<Item = &'k String>,
) -> Vec<Statement> {
    let (table, column) = unique.column();
    let active = match unique {
        UniqueKey::UserName => "r.active",
        UniqueKey::GroupName => "null",
    };
    Set::of_ids(keys).statements(&[tenant.into()], |part| {
        format!(
            "{} select e.id as key, r.id, r.managed_by, {active} as active from e cross join {table} r \
             on r.tenant_id = ?1 and r.{column} = e.id",
            part.table()
        )
    })
}
