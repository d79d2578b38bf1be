//! Deleted resources, and rows of `tombstones`.

use super::{members, users};
use crate::ids::TenantId;
use crate::scim::schema::{GROUPS, ResourceType};
use crate::store::guards::{self, UNTOUCHABLE};
use crate::store::set::Set;
use crate::store::tables::table;
use crate::store::{Guard, Statement};

/// Deletes resources with all that hangs on them, and leaves tombstones. Groups that lose a member by it change, and say so
/// by their versions. One that came back under its old id has a tombstone already.
///
/// Each comes with whether this is also what holds that it is there and that no directory manages it, in the same look at its row.
pub fn delete(
    tenant: &TenantId,
    resource_type: &ResourceType,
    gone: &[(String, bool)],
    now: i64,
) -> Vec<Statement> {
    let table = table(resource_type);
    let ids: Vec<String> = gone.iter().map(|(id, _)| id.clone()).collect();
    let ids = ids.as_slice();
    let set = Set::of_ids(ids);
    let rows = gone
        .iter()
        .map(|(id, is_held)| vec![id.into(), (*is_held).into()]);
    let mut statements = Set::new(&["id", "held"], rows).statements(
        &[tenant.into(), resource_type.name.into(), now.into()],
        |part| {
            format!(
                "{} insert into tombstones (tenant_id, resource_type, id, external_id, deleted_at) \
                 select ?1, ?2, iif(e.held and ({UNTOUCHABLE}), {}, e.id), r.external_id, ?3 from e left join {table} r \
                 on r.tenant_id = ?1 and r.id = e.id where r.id is not null or e.held \
                 on conflict (tenant_id, resource_type, id) do update set external_id = excluded.external_id, \
                 deleted_at = excluded.deleted_at",
                part.table(),
                guards::fail_as_untouchable(),
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
        let none_there = format!(
            "not exists (select 1 from e cross join {table} r on r.tenant_id = ?1 and r.id = e.id)"
        );
        let holds = guards::holds(Guard::VersionConflict, &none_there);
        format!("{} {holds}", part.table())
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
