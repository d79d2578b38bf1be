//! Many changes in one batch: the same tables as for one resource, written a set at a time, so that the number of statements
//! does not grow with the number of resources.
//!
//! Sets cross as JSON arrays, cut where a statement would become too large.

use serde_json::{Value as Json, json};

use super::audit::{Origin, Totals};
use super::{Guard, Params, Result, Row, Statement, guards};
use crate::ids::TenantId;
use crate::scim::resource::Resource;
use crate::scim::schema::{ResourceType, USERS};
use crate::scim::version::Version;

/// Longest JSON parameter in bytes: D1 takes strings of two million.
const MAX_PARAMETER: usize = 900_000;

/// JSON arrays of the items, each short enough for a parameter.
fn arrays(items: Vec<Json>) -> Vec<String> {
    let mut arrays = Vec::new();
    let mut current = String::new();
    for item in items {
        let text = item.to_string();
        if !current.is_empty() && current.len() + text.len() > MAX_PARAMETER {
            arrays.push(format!("[{current}]"));
            current.clear();
        }
        if !current.is_empty() {
            current.push(',');
        }
        current.push_str(&text);
    }
    if !current.is_empty() {
        arrays.push(format!("[{current}]"));
    }
    arrays
}

fn for_each(
    tenant: &TenantId,
    items: Vec<Json>,
    sql: impl Into<String>,
    more: &[super::Value],
) -> Vec<Statement> {
    let sql = sql.into();
    arrays(items)
        .into_iter()
        .map(|array| {
            let mut params = vec![tenant.into(), array.into()];
            params.extend_from_slice(more);
            Statement::new(sql.clone(), params)
        })
        .collect()
}

fn ids<'i>(ids: impl IntoIterator<Item = &'i String>) -> Vec<Json> {
    ids.into_iter().map(|id| Json::from(id.as_str())).collect()
}

/// Fails the batch where one of these resources is not at the version that was read.
pub fn guard_versions(
    tenant: &TenantId,
    resource_type: &ResourceType,
    versions: &[(String, Version)],
) -> Vec<Statement> {
    let table = super::resources::table(resource_type);
    let items = versions
        .iter()
        .map(|(id, version)| json!([id, version.0]))
        .collect();
    let condition = format!(
        "not exists (select 1 from json_each(?2) e where not exists (select 1 from {table} r \
         where r.tenant_id = ?1 and r.id = json_extract(e.value, '$[0]') \
         and r.version = json_extract(e.value, '$[1]')))"
    );
    arrays(items)
        .into_iter()
        .map(|array| {
            guards::require(
                Guard::VersionConflict,
                &condition,
                vec![tenant.into(), array.into()],
            )
        })
        .collect()
}

/// Fails the batch where one of these ids is no resource of the type.
pub fn guard_existence<'i>(
    tenant: &TenantId,
    resource_type: &ResourceType,
    members: impl IntoIterator<Item = &'i String>,
) -> Vec<Statement> {
    let table = super::resources::table(resource_type);
    let condition = format!(
        "not exists (select 1 from json_each(?2) e where not exists (select 1 from {table} r \
         where r.tenant_id = ?1 and r.id = e.value))"
    );
    arrays(ids(members))
        .into_iter()
        .map(|array| {
            guards::require(
                Guard::MemberMissing,
                &condition,
                vec![tenant.into(), array.into()],
            )
        })
        .collect()
}

/// A resource as it is to be, whether it is new or not.
pub struct Saved<'s> {
    pub id: &'s str,
    pub provider_id: &'s str,
    pub version: Version,
    /// The version that was read; none of a new resource.
    pub base: Option<Version>,
    pub created: i64,
    pub resource: &'s Resource,
    pub password_hash: Option<&'s str>,
    pub unique_name: bool,
    /// By how much the number of a group's members changes.
    pub member_difference: i64,
}

fn saved_item(resource_type: &'static ResourceType, saved: &Saved<'_>) -> Json {
    json!({
        "id": saved.id,
        "provider": saved.provider_id,
        "created": saved.created,
        "resource": saved.resource.to_stored(resource_type),
        "keys": saved.resource.to_keys(resource_type),
        "hash": saved.password_hash,
        "unique": i64::from(saved.unique_name),
        "members": saved.member_difference,
        // What a version grows by: a group may have grown already, by the loss of a member in the same batch.
        "gain": saved.version.0 - saved.base.map_or(0, |base| base.0),
    })
}

/// Frees the names and `externalId`s of resources that the same batch writes under others: rows are written one after the
/// other, and a name may go from one to the next, or round in a circle.
pub fn vacate(
    tenant: &TenantId,
    resource_type: &ResourceType,
    renamed: &[String],
) -> Vec<Statement> {
    let sql = match resource_type.name == USERS.name {
        true => {
            "update users set keys = json_remove(json_set(keys, '$.username', char(0) || id), '$.externalid') \
             where tenant_id = ?1 and id in (select value from json_each(?2))"
        }
        false => {
            "update groups set unique_name = 0, keys = json_remove(keys, '$.externalid', '$.displayname') \
             where tenant_id = ?1 and id in (select value from json_each(?2))"
        }
    };
    for_each(tenant, ids(renamed), sql, &[])
}

/// Writes users, new ones and changed ones.
pub fn save_users(tenant: &TenantId, users: &[Saved<'_>], now: i64) -> Vec<Statement> {
    let items = users.iter().map(|user| saved_item(&USERS, user)).collect();
    let mut statements = for_each(
        tenant,
        items,
        "insert into users (tenant_id, id, provider_id, version, created_at, modified_at, password_hash, resource, keys) \
         select ?1, json_extract(value, '$.id'), json_extract(value, '$.provider'), json_extract(value, '$.gain'), \
         json_extract(value, '$.created'), ?3, json_extract(value, '$.hash'), json_extract(value, '$.resource'), \
         json_extract(value, '$.keys') from json_each(?2) where true \
         on conflict (tenant_id, id) do update set version = version + excluded.version, modified_at = excluded.modified_at, \
         password_hash = coalesce(excluded.password_hash, password_hash), resource = excluded.resource, keys = excluded.keys",
        &[now.into()],
    );
    let emails = users
        .iter()
        .flat_map(|user| {
            super::users::email_keys(user.resource)
                .into_iter()
                .map(|(value, label)| json!([user.id, value, label]))
        })
        .collect();
    let old = users
        .iter()
        .filter(|user| user.version.0 > 1)
        .map(|user| Json::from(user.id))
        .collect();
    statements.extend(for_each(tenant, old, DELETE_EMAILS, &[]));
    statements.extend(for_each(
        tenant,
        emails,
        "insert into user_emails (tenant_id, user_id, value_key, type_key) \
         select ?1, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') from json_each(?2)",
        &[],
    ));
    statements
}

const DELETE_EMAILS: &str = "delete from user_emails indexed by user_emails_user_idx \
     where tenant_id = ?1 and user_id in (select value from json_each(?2))";

/// Writes groups, new ones and changed ones.
pub fn save_groups(tenant: &TenantId, groups: &[Saved<'_>], now: i64) -> Vec<Statement> {
    let items = groups
        .iter()
        .map(|group| saved_item(&crate::scim::schema::GROUPS, group))
        .collect();
    for_each(
        tenant,
        items,
        "insert into groups (tenant_id, id, provider_id, version, created_at, modified_at, member_count, unique_name, \
         resource, keys) \
         select ?1, json_extract(value, '$.id'), json_extract(value, '$.provider'), json_extract(value, '$.gain'), \
         json_extract(value, '$.created'), ?3, json_extract(value, '$.members'), json_extract(value, '$.unique'), \
         json_extract(value, '$.resource'), json_extract(value, '$.keys') from json_each(?2) where true \
         on conflict (tenant_id, id) do update set version = version + excluded.version, modified_at = excluded.modified_at, \
         member_count = member_count + excluded.member_count, unique_name = iif(json_extract(excluded.keys, '$.displayname') is display_name_key, unique_name, excluded.unique_name), \
         resource = excluded.resource, keys = excluded.keys",
        &[now.into()],
    )
}

/// One membership.
pub struct Membership<'m> {
    pub group: &'m str,
    pub member: &'m str,
    /// `User` or `Group`.
    pub kind: &'static str,
}

pub fn insert_members(tenant: &TenantId, members: &[Membership<'_>]) -> Vec<Statement> {
    let items = members
        .iter()
        .map(|member| json!([member.group, member.member, member.kind]))
        .collect();
    for_each(
        tenant,
        items,
        "insert into group_members (tenant_id, group_id, member_id, member_type) \
         select ?1, json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') from json_each(?2)",
        &[],
    )
}

fn pair_items(pairs: &[(String, String)]) -> Vec<Json> {
    pairs
        .iter()
        .map(|(group, member)| json!([group, member]))
        .collect()
}

/// Deletes memberships, pairs of a group's and a member's id.
pub fn delete_members(tenant: &TenantId, members: &[(String, String)]) -> Vec<Statement> {
    for_each(
        tenant,
        pair_items(members),
        "delete from group_members where tenant_id = ?1 and (group_id, member_id) in \
         (select json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each(?2))",
        &[],
    )
}

/// Deletes resources with all that hangs on them, and leaves tombstones.
pub fn delete_all(
    tenant: &TenantId,
    resource_type: &ResourceType,
    gone: &[String],
    now: i64,
) -> Vec<Statement> {
    let table = super::resources::table(resource_type);
    let mut statements = Vec::new();
    let mut step = |sql: String, more: &[super::Value]| {
        statements.extend(for_each(tenant, ids(gone), sql, more));
    };
    step(
        format!(
            "insert into tombstones (tenant_id, resource_type, id, external_id, deleted_at) \
             select ?1, ?3, r.id, r.external_id, ?4 from json_each(?2) e cross join {table} r \
             on r.tenant_id = ?1 and r.id = e.value"
        ),
        &[resource_type.name.into(), now.into()],
    );
    step(
        "insert into groups (tenant_id, id, provider_id, version, created_at, modified_at, member_count, unique_name, \
         resource, keys) select ?1, m.group_id, '', 0, 0, 0, 0, 0, '{}', '{}' from json_each(?2) e \
         cross join group_members m indexed by group_members_member_idx \
         on m.tenant_id = ?1 and m.member_id = e.value where true \
         on conflict (tenant_id, id) do update set version = version + 1, modified_at = ?3, \
         member_count = member_count - 1"
            .to_owned(),
        &[now.into()],
    );
    step(
        "delete from group_members indexed by group_members_member_idx \
         where tenant_id = ?1 and member_id in (select value from json_each(?2))"
            .to_owned(),
        &[],
    );
    match resource_type.name == USERS.name {
        true => step(DELETE_EMAILS.to_owned(), &[]),
        false => step(
            "delete from group_members where tenant_id = ?1 and group_id in (select value from json_each(?2))"
                .to_owned(),
            &[],
        ),
    }
    step(
        format!(
            "delete from {table} where tenant_id = ?1 and id in (select value from json_each(?2))"
        ),
        &[],
    );
    statements
}

/// Appends events, each `[action, type, id, [attributes]]`, in order, and keeps the tenant's counters.
pub fn append_events(
    tenant: &TenantId,
    origin: &Origin,
    totals: Totals,
    events: Vec<Json>,
) -> Vec<Statement> {
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let mut statements = vec![Statement::new(
        "update tenants set user_total = user_total + ?2, group_total = group_total + ?3 where id = ?1",
        vec![tenant.into(), totals.users.into(), totals.groups.into()],
    )];
    statements.extend(for_each(
        tenant,
        events,
        "insert into audit_events (tenant_id, seq, at, actor, action, resource_type, resource_id, attributes, request_id) \
         select ?1, t.audit_seq + e.key + 1, ?3, ?4, json_extract(e.value, '$[0]'), json_extract(e.value, '$[1]'), \
         json_extract(e.value, '$[2]'), json_extract(e.value, '$[3]'), ?5 \
         from json_each(?2) e cross join tenants t on t.id = ?1",
        &[
            origin.at.into(),
            (&origin.actor).into(),
            (&origin.request_id).into(),
        ],
    ));
    statements.push(Statement::new(
        "update tenants set audit_seq = audit_seq + ?2 where id = ?1",
        vec![tenant.into(), count.into()],
    ));
    statements
}

/// Resources by their ids: columns of a stored resource without memberships, and `member_count` of groups.
pub fn select_many<'i>(
    tenant: &TenantId,
    resource_type: &ResourceType,
    wanted: impl IntoIterator<Item = &'i String>,
) -> Vec<Statement> {
    let table = super::resources::table(resource_type);
    let sql = format!(
        "select r.id, r.version, r.created_at, r.modified_at, r.resource, null as memberships, 0 as oversized \
         from json_each(?2) e cross join {table} r on r.tenant_id = ?1 and r.id = e.value"
    );
    for_each(tenant, ids(wanted), sql, &[])
}

/// Which resource holds a value that only one may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum UniqueKey {
    UserName,
    UserExternalId,
    GroupName,
    GroupExternalId,
}

/// The holders of values: columns `key` and `id`.
pub fn select_holders<'i>(
    tenant: &TenantId,
    unique: UniqueKey,
    provider_id: &str,
    keys: impl IntoIterator<Item = &'i String>,
) -> Vec<Statement> {
    let (table, column, of_provider) = match unique {
        UniqueKey::UserName => ("users", "user_name_key", false),
        UniqueKey::UserExternalId => ("users", "external_id", true),
        UniqueKey::GroupName => ("groups", "unique_name_key", false),
        UniqueKey::GroupExternalId => ("groups", "external_id", true),
    };
    let mut params = Params::new(vec![tenant.into(), super::Value::Null]);
    let condition = match of_provider {
        true => format!(" and r.provider_id = {}", params.bind(provider_id)),
        false => String::new(),
    };
    let sql = format!(
        "select e.value as key, r.id from json_each(?2) e cross join {table} r \
         on r.tenant_id = ?1 and r.{column} = e.value{condition}"
    );
    let more: Vec<super::Value> = params.into_values().into_iter().skip(2).collect();
    for_each(tenant, ids(keys), sql, &more)
}

/// What ids are and whether they are members, for pairs of a group's and a member's id: columns `group_id`, `id`, `is_member`
/// and `kind`.
pub fn probe_members(tenant: &TenantId, pairs: &[(String, String)]) -> Vec<Statement> {
    for_each(
        tenant,
        pair_items(pairs),
        "with wanted as materialized (select json_extract(value, '$[0]') as group_id, json_extract(value, '$[1]') as id \
         from json_each(?2)) \
         select w.group_id, w.id, exists (select 1 from group_members m \
         where m.tenant_id = ?1 and m.group_id = w.group_id and m.member_id = w.id) as is_member, \
         coalesce((select 'User' from users u where u.tenant_id = ?1 and u.id = w.id), \
         (select 'Group' from groups g where g.tenant_id = ?1 and g.id = w.id)) as kind from wanted w",
        &[],
    )
}

/// Reads a row of [`probe_members`]: group, member, whether it is one, and its type.
pub fn probed_pair(row: &Row) -> Result<(String, super::members::Probed)> {
    Ok((row.text("group_id")?, super::members::probed(row)?))
}
