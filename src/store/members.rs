//! Memberships: who is in a group, which groups a user is in, and the changes to both.
//!
//! Rows are direct memberships. Groups in groups are followed by recursive queries, which end on a cycle because `union`
//! keeps each group once. A tenant without groups in groups pays nothing for them: the recursion is entered only where
//! `group_members_nested_idx` has a row.

use super::bulk::{self, Membership};
use super::{Guard, Params, Result, Row, Statement, Value, guards, resources};
use crate::ids::TenantId;
use crate::scim::filter::Predicate;
use crate::scim::schema::{GROUPS, ResourceType, USERS};

/// Ids in one statement: D1 binds 100 parameters, and a few are needed for the rest.
const CHUNK: usize = 90;
/// Ids above which they cross as JSON, in few statements: D1 runs 1,000 statements for one request. Below, they cross as
/// parameters, because the rows of `json_each` are counted as read.
const MANY: usize = 20 * CHUNK;

/// The name of a member of a group, for a row `m`.
const MEMBER_NAME: &str = "coalesce( \
     (select coalesce(json_extract(u.resource, '$.displayName'), json_extract(u.resource, '$.userName')) \
     from users u where u.tenant_id = ?1 and u.id = m.member_id), \
     (select json_extract(g.resource, '$.displayName') from groups g \
     where g.tenant_id = ?1 and g.id = m.member_id))";

/// Most members that come along in one value. D1 gives no string of more than two million bytes; a member takes 230.
const INLINE_MEMBERS: i64 = 5_000;
/// The same with names, which may be long.
const INLINE_NAMED_MEMBERS: i64 = 1_000;

fn member_json(names: bool) -> String {
    let display = match names {
        true => format!(", 'display', {MEMBER_NAME}"),
        false => String::new(),
    };
    format!(
        "json_group_array(json_object('value', m.member_id, \
         '$ref', ?2 || '/' || m.member_type || 's/' || m.member_id{display}, 'type', m.member_type))"
    )
}

/// A JSON array of a group's direct members, for a group row `r`, null where they are too many; and whether they are. Names
/// cost a row for each.
pub fn of_group_json(names: bool) -> (String, String) {
    let most = match names {
        true => INLINE_NAMED_MEMBERS,
        false => INLINE_MEMBERS,
    };
    let members = member_json(names);
    (
        format!(
            "iif(r.member_count <= {most}, (select {members} from group_members m \
             where m.tenant_id = ?1 and m.group_id = r.id), null)"
        ),
        format!("(r.member_count > {most})"),
    )
}

/// A large group's direct members in up to 512 parts: columns `type` and `part`, a JSON array of ids, or of pairs of id and
/// name. Ids end in random digits, so that the parts are of a size. What every member has in common is not said 100,000 times.
pub fn select_parts(tenant: &TenantId, group: &str, names: bool) -> Statement {
    let member = match names {
        true => format!("json_array(m.member_id, {MEMBER_NAME})"),
        false => "m.member_id".to_owned(),
    };
    Statement::new(
        format!(
            "select m.member_type as type, json_group_array({member}) as part from group_members m \
             where m.tenant_id = ?1 and m.group_id = ?2 group by m.member_type, substr(m.member_id, -2)"
        ),
        vec![tenant.into(), group.into()],
    )
}

/// The direct members of the group with that id, an SQL expression, as rows for a filter. A name is compared folded, and so by the columns that hold it folded.
pub fn of_group_rows(group: &str) -> String {
    format!(
        "(select m.member_id as value, m.member_type as type, \
         coalesce((select coalesce(u.display_name_key, u.user_name_key) from users u \
         where u.tenant_id = ?1 and u.id = m.member_id), \
         (select g.display_name_key from groups g where g.tenant_id = ?1 and g.id = m.member_id)) as display, \
         ?2 || '/' || m.member_type || 's/' || m.member_id as ref \
         from group_members m where m.tenant_id = ?1 and m.group_id = {group})"
    )
}

const HAS_NESTED: &str = "exists (select 1 from group_members n indexed by group_members_nested_idx \
     where n.tenant_id = ?1 and n.member_type = 'Group')";

/// The groups of a user row `r`: its own, then those above them that are not its own, each once.
const MEMBERSHIPS: &str = "with recursive above (id) as ( \
     select n.group_id from group_members m indexed by group_members_member_idx \
     cross join group_members n indexed by group_members_nested_idx \
     on n.tenant_id = ?1 and n.member_id = m.group_id and n.member_type = 'Group' \
     where m.tenant_id = ?1 and m.member_id = r.id \
     union \
     select n.group_id from above cross join group_members n indexed by group_members_nested_idx \
     on n.tenant_id = ?1 and n.member_id = above.id and n.member_type = 'Group'), \
     memberships (id, type) as ( \
     select m.group_id, 'direct' from group_members m indexed by group_members_member_idx \
     where m.tenant_id = ?1 and m.member_id = r.id \
     union all \
     select above.id, 'indirect' from above where not exists (select 1 from group_members d \
     where d.tenant_id = ?1 and d.group_id = above.id and d.member_id = r.id)) ";

/// A JSON array of a user's groups, for a user row `r`. Names cost a row for each.
pub fn groups_of_user_json(names: bool) -> String {
    let object = |id: &str, kind: &str| {
        let display = match names {
            true => format!(
                ", 'display', (select json_extract(g.resource, '$.displayName') from groups g \
                 where g.tenant_id = ?1 and g.id = {id})"
            ),
            false => String::new(),
        };
        format!(
            "json_group_array(json_object('value', {id}, '$ref', ?2 || '/Groups/' || {id}{display}, 'type', {kind}))"
        )
    };
    let direct = object("m.group_id", "'direct'");
    let all = object("memberships.id", "memberships.type");
    format!(
        "iif({HAS_NESTED}, \
         ({MEMBERSHIPS} select {all} from memberships), \
         (select {direct} from group_members m indexed by group_members_member_idx \
          where m.tenant_id = ?1 and m.member_id = r.id))"
    )
}

/// A user's groups as rows for a filter.
pub fn groups_of_user_rows() -> String {
    format!(
        "({MEMBERSHIPS} select memberships.id as value, ?2 || '/Groups/' || memberships.id as ref, \
         (select g.display_name_key from groups g where g.tenant_id = ?1 and g.id = memberships.id) as display, \
         memberships.type as type from memberships)"
    )
}

/// The ids of all users in a group, itself or through groups in it. `group` is a placeholder. Groups in groups have an
/// index of their own, so that those without any cost nothing.
pub fn users_below(group: &str) -> String {
    format!(
        "select m.member_id from group_members m \
         where m.tenant_id = ?1 and m.group_id = {group} and m.member_type = 'User' \
         union all \
         select below.id from ( \
         with recursive below (id) as ( \
         select n.member_id from group_members n indexed by group_members_inner_idx \
         where n.tenant_id = ?1 and n.group_id = {group} and n.member_type = 'Group' \
         union \
         select n.member_id from below cross join group_members n indexed by group_members_inner_idx \
         on n.tenant_id = ?1 and n.group_id = below.id and n.member_type = 'Group') \
         select m.member_id as id from below cross join group_members m \
         on m.tenant_id = ?1 and m.group_id = below.id and m.member_type = 'User') below"
    )
}

/// `(?n), (?n+1), …`: a list of ids as a table. Unlike `json_each`, whose rows D1 counts, it is read for nothing.
fn values(ids: &[&String], params: &mut Params) -> String {
    let rows: Vec<String> = ids
        .iter()
        .map(|id| format!("({})", params.bind(*id)))
        .collect();
    rows.join(", ")
}

fn chunked<'i>(
    ids: impl IntoIterator<Item = &'i String>,
    statement: impl Fn(&[&'i String]) -> Statement,
) -> Vec<Statement> {
    let ids: Vec<&String> = ids.into_iter().collect();
    ids.chunks(CHUNK).map(statement).collect()
}

/// Each id beside the group's, for statements on many groups.
fn pairs(group: &str, ids: &[&String]) -> Vec<(String, String)> {
    ids.iter()
        .map(|id| (group.to_owned(), (*id).clone()))
        .collect()
}

/// What ids are, and whether they are members of the group already: columns `id`, `kind` (`User`, `Group` or null) and
/// `is_member`. Reads one row for a member, one or two for anything else.
pub fn probe<'i>(
    tenant: &TenantId,
    group: &str,
    ids: impl IntoIterator<Item = &'i String>,
) -> Vec<Statement> {
    let ids: Vec<&String> = ids.into_iter().collect();
    if ids.len() > MANY {
        return bulk::probe_members(tenant, &pairs(group, &ids));
    }
    chunked(ids, |ids| {
        let mut params = Params::new(vec![tenant.into(), group.into()]);
        let values = values(ids, &mut params);
        let sql = format!(
            "with wanted (id) as (values {values}), \
             known as materialized (select id, (select m.member_type from group_members m \
             where m.tenant_id = ?1 and m.group_id = ?2 and m.member_id = wanted.id) as held from wanted) \
             select id, held is not null as is_member, coalesce(held, \
             (select 'User' from users u where u.tenant_id = ?1 and u.id = known.id), \
             (select 'Group' from groups g where g.tenant_id = ?1 and g.id = known.id)) as kind from known"
        );
        Statement::new(sql, params.into_values())
    })
}

/// What [`probe`] found of one id.
pub struct Probed {
    pub id: String,
    pub is_member: bool,
    /// The type of the resource with that id; none where the tenant has no such resource.
    pub kind: Option<String>,
}

pub fn probed(row: &Row) -> Result<Probed> {
    Ok(Probed {
        id: row.text("id")?,
        is_member: row.boolean("is_member")?,
        kind: row.optional_text("kind")?,
    })
}

/// The members of a group that meet a filter: column `id`.
pub fn select_matching(
    tenant: &TenantId,
    base: &str,
    group: &str,
    filter: &Predicate,
) -> Statement {
    let mut params = Params::new(vec![tenant.into(), base.into(), group.into()]);
    let condition = super::filter_sql::Sql::new(&GROUPS, &mut params)
        .condition(filter, super::filter_sql::Scope::Membership);
    let rows = of_group_rows("?3");
    Statement::new(
        format!("select e.value as id from {rows} e where {condition}"),
        params.into_values(),
    )
}

/// All members of a group: column `id`. For replacing them, which is told by the whole list anyway.
pub fn select_all(tenant: &TenantId, group: &str) -> Statement {
    Statement::new(
        "select member_id as id from group_members where tenant_id = ?1 and group_id = ?2",
        vec![tenant.into(), group.into()],
    )
}

/// Inserts memberships of users and of groups. Fails the batch with [`Guard::MemberMissing`] where one of them is gone.
pub fn insert(
    tenant: &TenantId,
    group: &str,
    users: &[String],
    groups: &[String],
) -> Vec<Statement> {
    let rows = |ids: &[String], resource_type: &ResourceType| -> Vec<Statement> {
        let (table, kind) = (resources::table(resource_type), resource_type.name);
        if ids.len() > MANY {
            let memberships: Vec<Membership<'_>> = ids
                .iter()
                .map(|member| Membership {
                    group,
                    member,
                    kind,
                })
                .collect();
            let mut statements = bulk::guard_existence(tenant, resource_type, ids);
            statements.extend(bulk::insert_members(tenant, &memberships));
            return statements;
        }
        let missing = chunked(ids, |ids| {
            let mut params = Params::new(vec![tenant.into()]);
            let values = values(ids, &mut params);
            guards::require(
                Guard::MemberMissing,
                &format!(
                    "not exists (select 1 from (values {values}) w where not exists \
                     (select 1 from {table} r where r.tenant_id = ?1 and r.id = w.column1))"
                ),
                params.into_values(),
            )
        });
        let insert = chunked(ids, |ids| {
            let mut params = Params::new(vec![tenant.into(), group.into(), Value::from(kind)]);
            let rows: Vec<String> = ids
                .iter()
                .map(|id| format!("(?1, ?2, {}, ?3)", params.bind(*id)))
                .collect();
            Statement::new(
                format!(
                    "insert into group_members (tenant_id, group_id, member_id, member_type) values {}",
                    rows.join(", ")
                ),
                params.into_values(),
            )
        });
        missing.into_iter().chain(insert).collect()
    };
    let mut statements = rows(users, &USERS);
    statements.extend(rows(groups, &GROUPS));
    statements
}

/// Deletes memberships by the members' ids.
pub fn delete<'i>(
    tenant: &TenantId,
    group: &str,
    ids: impl IntoIterator<Item = &'i String>,
) -> Vec<Statement> {
    let ids: Vec<&String> = ids.into_iter().collect();
    if ids.len() > MANY {
        return bulk::delete_members(tenant, &pairs(group, &ids));
    }
    chunked(ids, |ids| {
        let mut params = Params::new(vec![tenant.into(), group.into()]);
        let list: Vec<String> = ids.iter().map(|id| params.bind(*id)).collect();
        let condition = match list.as_slice() {
            [one] => format!("= {one}"),
            many => format!("in ({})", many.join(", ")),
        };
        Statement::new(
            format!(
                "delete from group_members where tenant_id = ?1 and group_id = ?2 and member_id {condition}"
            ),
            params.into_values(),
        )
    })
}

/// Takes a deleted resource out of every group it is in: those groups change, and say so by their versions.
///
/// The groups are updated by an upsert that always conflicts, because it reads one row for each, where an update with a
/// subquery reads three.
pub fn leave_all_groups(tenant: &TenantId, member: &str, now: i64) -> Vec<Statement> {
    let params = |now: Option<i64>| {
        let mut params = vec![tenant.into(), member.into()];
        params.extend(now.map(Value::from));
        params
    };
    vec![
        Statement::new(
            "insert into groups (tenant_id, id, provider_id, version, created_at, modified_at, member_count, unique_name, \
             resource, keys) \
             select m.tenant_id, m.group_id, '', 0, 0, 0, 0, 0, '{}', '{}' \
             from group_members m indexed by group_members_member_idx \
             where m.tenant_id = ?1 and m.member_id = ?2 \
             on conflict (tenant_id, id) do update set version = version + 1, modified_at = ?3, \
             member_count = member_count - 1",
            params(Some(now)),
        ),
        Statement::new(
            "delete from group_members indexed by group_members_member_idx where tenant_id = ?1 and member_id = ?2",
            params(None),
        ),
    ]
}

/// Deletes all memberships of a group that the same batch deletes.
pub fn dissolve(tenant: &TenantId, group: &str) -> Statement {
    Statement::new(
        "delete from group_members where tenant_id = ?1 and group_id = ?2",
        vec![tenant.into(), group.into()],
    )
}
