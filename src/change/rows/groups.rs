//! Rows of `groups`.

use super::names;
use crate::ids::TenantId;
use crate::scim::resource::Resource;
use crate::scim::schema::{GROUPS, Shape};
use crate::store::Statement;
use crate::store::set::Set;
use crate::store::unique::UniqueKey;

/// A group as it is to be, new or not.
#[derive(Debug, Clone)]
pub struct GroupRow<'r> {
    pub id: &'r str,
    /// The provider whose `externalId` it is; empty for none. One that is there keeps its own.
    pub provider_id: &'r str,
    /// When it was created, in milliseconds since 1970.
    pub created: i64,
    /// By how much its version grows: a new one's is this. It may have grown already, by the loss of a member in the same batch.
    pub gain: i64,
    pub resource: &'r Resource,
    /// Whether nobody else may have its name: clients of `compat` rely on that. A group that keeps its name keeps its own.
    pub unique_name: bool,
    /// By how much the number of its members changes; their rows go into the same batch.
    pub members: i64,
}

/// Writes groups, new ones and changed ones. A name that is taken fails the batch. That those that were
/// there still are, and at the version that was read, is for a guard before it.
pub fn save(
    tenant: &TenantId,
    shape: Shape<'_>,
    groups: &[GroupRow<'_>],
    now: i64,
) -> Vec<Statement> {
    let rows = groups.iter().map(|group| {
        vec![
            group.id.into(),
            group.provider_id.into(),
            group.gain.into(),
            group.created.into(),
            group.members.into(),
            group.unique_name.into(),
            group.resource.to_stored(&GROUPS).into(),
            group.resource.to_keys(shape).into(),
        ]
    });
    let columns = &[
        "id", "provider", "gain", "created", "members", "uniquely", "resource", "keys",
    ];
    Set::new(columns, rows).statements(&[tenant.into(), now.into()], |part| {
        format!(
            "{} insert into groups (tenant_id, id, provider_id, version, created_at, modified_at, member_count, unique_name, \
             resource, keys) \
             select ?1, e.id, e.provider, e.gain, e.created, ?2, e.members, e.uniquely, e.resource, e.keys from e where true \
             on conflict (tenant_id, id) do update set provider_id = iif(json_extract(excluded.resource, '$.externalId') is json_extract(resource, '$.externalId'), \
             provider_id, excluded.provider_id), version = version + excluded.version, modified_at = excluded.modified_at, \
             member_count = member_count + excluded.member_count, \
             unique_name = iif(json_extract(excluded.keys, '$.displayname') is display_name_key, unique_name, excluded.unique_name), \
             resource = excluded.resource, \
             keys = {}",
            part.table(),
            names::kept_keys(UniqueKey::GroupName)
        )
    })
}

/// A group whose members change, and nothing else.
#[derive(Debug, Clone, Copy)]
pub struct MemberCount<'g> {
    pub id: &'g str,
    /// By how much its version grows.
    pub gain: i64,
    /// By how much the number of its members changes; their rows go into the same batch.
    pub difference: i64,
}

/// Counts the members of groups on. That they are there is for a guard before it.
pub fn recount(tenant: &TenantId, counts: &[MemberCount<'_>], now: i64) -> Vec<Statement> {
    let rows = counts
        .iter()
        .map(|count| vec![count.id.into(), count.gain.into(), count.difference.into()]);
    let set = Set::new(&["id", "gain", "difference"], rows);
    set.statements(&[tenant.into(), now.into()], |part| {
        count_on(&part.table(), ["e.id", "e.gain", "e.difference"], "e")
    })
}

/// Counts on the versions and members of groups that are there, in a statement of the tenant `?1` at the time `?2`: an id, and by how much, for
/// each row of a source.
///
/// The groups are updated by an upsert that always conflicts, because it reads one row for each, where an update with a subquery reads
/// three.
pub(super) fn count_on(with: &str, [id, gain, difference]: [&str; 3], source: &str) -> String {
    format!(
        "{with} insert into groups (tenant_id, id, provider_id, version, created_at, modified_at, member_count, unique_name, \
         resource, keys) select ?1, {id}, '', {gain}, ?2, ?2, {difference}, 0, '{{}}', '{{}}' from {source} where true \
         on conflict (tenant_id, id) do update set version = version + excluded.version, modified_at = ?2, \
         member_count = member_count + excluded.member_count"
    )
}

/// The versions of groups: columns `id` and `version`.
pub fn select_versions(tenant: &TenantId, ids: &[String]) -> Vec<Statement> {
    Set::of_ids(ids).statements(&[tenant.into()], |part| {
        format!(
            "{} select r.id, r.version from e cross join groups r on r.tenant_id = ?1 and r.id = e.id",
            part.table()
        )
    })
}
