//! Values that only one resource of a tenant may have: who has them, and how they change hands within a batch.

use super::Statement;
use super::set::Set;
use crate::ids::TenantId;
use crate::scim::schema::{ResourceType, USERS};

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

/// Frees the names of resources that the same batch writes under others: rows are written one after the
/// other, and a name may go from one to the next, or round in a circle.
pub fn vacate(
    tenant: &TenantId,
    resource_type: &ResourceType,
    renamed: &[String],
) -> Vec<Statement> {
    let update = match resource_type.name == USERS.name {
        true => "update users set keys = json_set(keys, '$.username', char(0) || id)",
        false => "update groups set unique_name = 0, keys = json_remove(keys, '$.displayname')",
    };
    Set::of_ids(renamed).statements(&[tenant.into()], |part| {
        format!("{update} where tenant_id = ?1 and {}", part.has("id"))
    })
}

/// The keys of a row that an upsert changes: the new ones, but for the key of a name that stays as it is, from before keys were normalised,
/// and that another row has by the new key. It is kept, and with it what the clock goes by (see [`keys`](super::keys)).
pub fn kept_keys(unique: UniqueKey) -> String {
    let (table, holder) = unique.column();
    let (name, own) = match unique {
        UniqueKey::UserName => ("userName", "user_name_key"),
        UniqueKey::GroupName => ("displayName", "display_name_key"),
    };
    let key = name.to_ascii_lowercase();
    format!(
        "iif(json_extract(excluded.keys, '$.{key}') is not {own} \
         and json_extract(excluded.resource, '$.{name}') is json_extract(resource, '$.{name}') \
         and (json_extract(keys, '$.form') is 2 or exists (select 1 from {table} o where o.tenant_id = excluded.tenant_id \
         and o.{holder} = json_extract(excluded.keys, '$.{key}') and o.id <> excluded.id)), \
         json_set(excluded.keys, '$.{key}', {own}, '$.form', json_extract(keys, '$.form')), excluded.keys)"
    )
}
