//! Memberships: who is in a group, which groups a user is in, and the changes to both.
//!
//! Rows are direct memberships. Groups in groups are followed by recursive queries, which end on a cycle because `union`
//! keeps each group once. A tenant without groups in groups pays nothing for them: the recursion is entered only where
//! `group_members_nested_idx` has a row.

use super::memberships::{
    MEMBER_NAME, MEMBER_NAME_KEY, group_name, memberships_of, of_groups_rows, shown,
};
use super::set::Set;
use super::{Params, Result, Row, Statement};
use crate::ids::TenantId;
use crate::ordered::OrderedMap;
use crate::scim::filter::Predicate;
use crate::scim::member::Member;
use crate::scim::schema::{GROUPS, ResourceType};

/// Memberships that are too many to come along, in up to 512 parts: columns `type`, `part`, a JSON array of ids, or of pairs of
/// id and name, and `held`, how many it has. Ids end in random digits, so that the parts are of a size. What all have in common
/// is not said 100,000 times. Given a `limit`, no more than that many are read.
pub fn select_parts(
    tenant: &TenantId,
    resource_type: &ResourceType,
    id: &str,
    names: bool,
    limit: Option<i64>,
) -> Statement {
    let mut params = Params::new(vec![tenant.into(), id.into()]);
    let limit = limit.map_or(String::new(), |limit| {
        format!(" limit {}", params.bind(limit))
    });
    let (rows, name) = match resource_type.name == GROUPS.name {
        true => (
            format!(
                "select m.member_id, m.member_type from group_members m \
                 where m.tenant_id = ?1 and m.group_id = ?2{limit}"
            ),
            shown(MEMBER_NAME),
        ),
        false => (
            format!(
                "{} select memberships.id as member_id, memberships.type as member_type from memberships{limit}",
                memberships_of("?2")
            ),
            shown(&group_name("m.member_id")),
        ),
    };
    let member = match names {
        true => format!("json_array(m.member_id, {name})"),
        false => "m.member_id".to_owned(),
    };
    Statement::new(
        format!(
            "select m.member_type as type, json_group_array({member}) as part, count(*) as held from ({rows}) m \
             group by m.member_type, substr(m.member_id, -2)"
        ),
        params.into_values(),
    )
}

/// What `granted` is of a membership that nobody but clients or the directory gives.
pub const DIRECT: i64 = 0;
/// What it is of one that only group mappings give.
pub const GIVEN: i64 = 1;
/// What it is of one that both give.
pub const BOTH: i64 = 2;

/// A pair of a group's and a member's id.
pub type Pair = (String, String);

pub(crate) fn set_of(pairs: &[Pair]) -> Set {
    let rows = pairs
        .iter()
        .map(|(group, member)| vec![group.into(), member.into()]);
    Set::new(&["group_id", "id"], rows)
}

/// What ids are, and whether they are members of their group already: columns `group_id`, `id`, `kind` (`User`, `Group` or
/// null) and `held` (what `granted` says of the membership, null where there is none). Reads one row for a member, one or two for anything else.
pub fn probe(tenant: &TenantId, pairs: &[Pair]) -> Vec<Statement> {
    set_of(pairs).statements(&[tenant.into()], |part| {
        format!(
            "{}, known as materialized (select e.group_id, e.id, m.member_type, m.granted as held from e \
             left join group_members m on m.tenant_id = ?1 and m.group_id = e.group_id and m.member_id = e.id) \
             select group_id, id, held, coalesce(member_type, \
             (select 'User' from users u indexed by users_id_idx where u.tenant_id = ?1 and u.id = known.id), \
             (select 'Group' from groups g indexed by groups_id_idx where g.tenant_id = ?1 and g.id = known.id)) as kind from known",
            part.table()
        )
    })
}

/// What [`probe`] found of one id.
#[derive(Debug, Clone)]
pub struct Probed {
    pub group: String,
    pub id: String,
    /// On what grounds it is a member; none where it is none.
    pub granted: Option<i64>,
    /// The type of the resource with that id; none where the tenant has no such resource.
    pub kind: Option<String>,
}

pub fn probed(row: &Row) -> Result<Probed> {
    Ok(Probed {
        group: row.text("group_id")?,
        id: row.text("id")?,
        granted: row.optional_integer("held")?,
        kind: row.optional_text("kind")?,
    })
}

/// The direct memberships of users and groups: columns `group_id` and `id`.
pub fn select_memberships<'i>(
    tenant: &TenantId,
    ids: impl IntoIterator<Item = &'i String>,
) -> Vec<Statement> {
    Set::of_ids(ids).statements(&[tenant.into()], |part| {
        format!(
            "{} select m.group_id, m.member_id as id from e cross join group_members m indexed by group_members_member_idx \
             on m.tenant_id = ?1 and m.member_id = e.id",
            part.table()
        )
    })
}

/// The names by which filters find users and groups as members, folded: columns `id` and `name`.
pub fn select_names<'i>(
    tenant: &TenantId,
    ids: impl IntoIterator<Item = &'i String>,
) -> Vec<Statement> {
    Set::of_ids(ids).statements(&[tenant.into()], |part| {
        format!(
            "{} select m.id, {MEMBER_NAME_KEY} as name from (select id, id as member_id from e) m",
            part.table()
        )
    })
}

/// The names under which users and groups, ids with their types, are shown as members: columns `id` and `name`.
pub fn select_shown_names(
    tenant: &TenantId,
    members: &OrderedMap<String, String>,
) -> Vec<Statement> {
    let rows = members
        .iter()
        .map(|(id, kind)| vec![id.into(), kind.into()]);
    Set::new(&["id", "kind"], rows).statements(&[tenant.into()], |part| {
        format!(
            "{} select m.member_id as id, {} as name from (select id as member_id, kind as member_type from e) m",
            part.table(),
            shown(MEMBER_NAME)
        )
    })
}

/// The members of groups whom any of some filters can be about, in one statement for a few groups: columns `group_id`, `id`, `kind`
/// and `display`, the name folded, where a filter asks for it. Each member is read once, and each name.
pub fn select_for_filters<'i>(
    tenant: &TenantId,
    base: &str,
    groups: impl IntoIterator<Item = &'i String>,
    filters: &[&Predicate],
) -> Vec<Statement> {
    let mut params = Params::new(vec![tenant.into(), base.into()]);
    let condition = super::filter::on_members(filters, &mut params);
    let display = match filters.iter().any(|filter| filter.names("display")) {
        true => "e.display",
        false => "null as display",
    };
    Set::of_ids(groups).statements(&params.into_values(), |part| {
        let rows = of_groups_rows(&part.has("m.group_id"));
        // The limit keeps a name from being looked up for each of its uses.
        format!(
            "select e.holder as group_id, e.value as id, e.type as kind, {display} from ({rows} limit -1) e where {condition}"
        )
    })
}

/// Reads a row of [`select_for_filters`]: a group's id, and a member of it.
pub fn for_filters(row: &Row, base: &str) -> Result<(String, String, Member)> {
    let (group, id) = (row.text("group_id")?, row.text("id")?);
    let member = Member::new(&id, &row.text("kind")?, base, row.optional_text("display")?);
    Ok((group, id, member))
}

/// All members of a group: columns `id`, `kind` and `granted`. For replacing them, which is told by the whole list anyway.
pub fn select_all(tenant: &TenantId, group: &str) -> Statement {
    Statement::new(
        "select member_id as id, member_type as kind, granted from group_members where tenant_id = ?1 and group_id = ?2",
        vec![tenant.into(), group.into()],
    )
}
