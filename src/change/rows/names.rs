//! Names that change hands within a batch.

use crate::ids::TenantId;
use crate::scim::schema::{ResourceType, USERS};
use crate::store::Statement;
use crate::store::set::Set;
use crate::store::unique::UniqueKey;

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
