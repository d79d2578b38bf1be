//! Deleted resources, and rows of `tombstones`.

use super::{members, users};
use crate::ids::TenantId;
use crate::scim::schema::{GROUPS, ResourceType};
use crate::store::set::Set;
use crate::store::tables::table;
use crate::store::{Guard, Statement};

/// Deletes resources with all that hangs on them, and leaves tombstones. Groups that lose a member by it change, and say so
/// by their versions. One that came back under its old id has a tombstone already.
pub fn delete(
    tenant: &TenantId,
    resource_type: &ResourceType,
    ids: &[String],
    now: i64,
) -> Vec<Statement> {
    let table = table(resource_type);
    let set = Set::of_ids(ids);
    let mut statements = set.statements(
        &[tenant.into(), resource_type.name.into(), now.into()],
        |part| {
            format!(
                "{} insert into tombstones (tenant_id, resource_type, id, external_id, deleted_at) \
                 select ?1, ?2, r.id, r.external_id, ?3 from e cross join {table} r \
                 on r.tenant_id = ?1 and r.id = e.id where true \
                 on conflict (tenant_id, resource_type, id) do update set external_id = excluded.external_id, \
                 deleted_at = excluded.deleted_at",
                part.table()
            )
        },
    );
    statements.extend(members::leave_all_groups(tenant, ids, now));
    statements.extend(match resource_type.name == GROUPS.name {
        true => members::dissolve(tenant, ids),
        false => users::delete_emails(tenant, ids),
    });
    statements.extend(set.statements(&[tenant.into()], |part| {
        format!(
            "delete from {table} where tenant_id = ?1 and {}",
            part.has("id")
        )
    }));
    statements
}

/// Takes away the tombstones of resources that come back in the same batch. Where one is there already, somebody else has brought it back.
pub fn revive<'i>(
    tenant: &TenantId,
    resource_type: &ResourceType,
    ids: impl IntoIterator<Item = &'i String>,
) -> Vec<Statement> {
    let table = table(resource_type);
    let set = Set::of_ids(ids);
    let mut statements = set.statements(&[tenant.into()], |part| {
        format!(
            "{} insert into guards (reason) select '{}' where exists (select 1 from e cross join {table} r \
             on r.tenant_id = ?1 and r.id = e.id)",
            part.table(),
            Guard::VersionConflict.word()
        )
    });
    statements.extend(
        set.statements(&[tenant.into(), resource_type.name.into()], |part| {
            format!(
                "delete from tombstones where tenant_id = ?1 and resource_type = ?2 and {}",
                part.has("id")
            )
        }),
    );
    statements
}

/// Puts other `externalId`s on tombstones of the same batch: those that the resources would have had.
pub fn correct_tombstones(
    tenant: &TenantId,
    resource_type: &ResourceType,
    external_ids: &[(String, Option<String>)],
) -> Vec<Statement> {
    let rows = external_ids
        .iter()
        .map(|(id, external_id)| vec![id.into(), external_id.clone().into()]);
    let set = Set::new(&["id", "external_id"], rows);
    set.statements(&[tenant.into(), resource_type.name.into()], |part| {
        format!(
            "{} insert into tombstones (tenant_id, resource_type, id, external_id, deleted_at) \
             select ?1, ?2, e.id, e.external_id, 0 from e where true \
             on conflict (tenant_id, resource_type, id) do update set external_id = excluded.external_id",
            part.table()
        )
    })
}
