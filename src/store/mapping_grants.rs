//! Rows of `mapping_grants`: memberships that group mappings give. A user in an external group, itself or through groups in it, is a
//! direct member of the internal group that the mapping names.
//!
//! What is given follows from what there is: the difference is read, and written until there is none. `group_members.granted` says
//! beside each membership whether it has other grounds, so that taking one back takes nothing else.

use serde::Deserialize;
use serde_json::Value as Json;

use super::members::{Pair, set_of};
use super::set::Set;
use super::{Error, Result, Rows, Statement};
use crate::ids::TenantId;

/// Which of these pairs, of a group and a member, some mapping gives: columns `group_id` and `id`.
pub fn select_given(tenant: &TenantId, pairs: &[Pair]) -> Vec<Statement> {
    set_of(pairs).statements(&[tenant.into()], |part| {
        format!(
            "{} select e.group_id, e.id from e where exists (select 1 from mapping_grants k where k.tenant_id = ?1 \
             and k.group_id = e.group_id and k.member_id = e.id)",
            part.table()
        )
    })
}

/// Most differences that are read at once: a string of D1 has two million bytes at most, and a difference 140.
const AT_ONCE: usize = 12_000;

/// A difference between what mappings give and what they should.
#[derive(Debug, Deserialize)]
pub struct Difference {
    pub mapping_id: String,
    pub group_id: String,
    pub member_id: String,
    /// Whether it is to be given; else it is to be taken back.
    pub give: i64,
    /// What `granted` says of the membership; none where there is none.
    pub granted: Option<i64>,
    /// How many mappings give it now.
    pub grounds: i64,
}

/// The differences for a provider's mappings, each `[mapping, internal group, external group's unique id, hash of its DN]`. Column
/// `differences`; a membership's come together.
pub fn select_differences(tenant: &TenantId, idp: &str, mappings: &Json) -> Statement {
    // Only what somebody said directly is followed: what mappings gave must not keep itself alive.
    Statement::new(
        format!(
            "with recursive mapped (mapping_id, group_id, unique_id, dn_key) as materialized ( \
             select json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]'), \
             json_extract(value, '$[3]') from json_each(?3)), \
             reached (mapping_id, group_id, id) as ( \
             select m.mapping_id, m.group_id, d.resource_id from mapped m cross join directory_entries d \
             on d.tenant_id = ?1 and d.idp_id = ?2 and d.unique_id = m.unique_id and d.resource_type = 'Group' \
             union \
             select m.mapping_id, m.group_id, d.resource_id from mapped m \
             cross join directory_entries d indexed by directory_entries_dn_idx \
             on d.tenant_id = ?1 and d.idp_id = ?2 and d.dn_key = m.dn_key and d.resource_type = 'Group' \
             union \
             select r.mapping_id, r.group_id, n.member_id from reached r \
             cross join group_members n indexed by group_members_inner_idx \
             on n.tenant_id = ?1 and n.group_id = r.id and n.member_type = 'Group'), \
             given (mapping_id, group_id, member_id) as materialized ( \
             select distinct r.mapping_id, r.group_id, m.member_id from reached r cross join group_members m \
             on m.tenant_id = ?1 and m.group_id = r.id \
             where m.member_type = 'User' and m.granted <> 1 \
             and exists (select 1 from groups g where g.tenant_id = ?1 and g.id = r.group_id)), \
             differences (mapping_id, group_id, member_id, give) as ( \
             select g.mapping_id, g.group_id, g.member_id, 1 from given g where not exists (select 1 from mapping_grants k \
             where k.tenant_id = ?1 and k.group_id = g.group_id and k.member_id = g.member_id and k.mapping_id = g.mapping_id) \
             or not exists (select 1 from group_members m where m.tenant_id = ?1 and m.group_id = g.group_id \
             and m.member_id = g.member_id and m.granted <> 0) \
             union all \
             select k.mapping_id, k.group_id, k.member_id, 0 from mapping_grants k indexed by mapping_grants_mapping_idx \
             where k.tenant_id = ?1 and k.idp_id = ?2 and not exists (select 1 from given g \
             where g.mapping_id = k.mapping_id and g.group_id = k.group_id and g.member_id = k.member_id)) \
             select json_group_array(json_array(d.mapping_id, d.group_id, d.member_id, d.give, \
             (select m.granted from group_members m where m.tenant_id = ?1 and m.group_id = d.group_id and m.member_id = d.member_id), \
             (select count(*) from mapping_grants k where k.tenant_id = ?1 and k.group_id = d.group_id and k.member_id = d.member_id))) \
             as differences from (select * from differences order by group_id, member_id limit {AT_ONCE}) d"
        ),
        vec![tenant.into(), idp.into(), mappings.to_string().into()],
    )
}

/// Reads what [`select_differences`] gave.
pub fn differences(rows: &Rows) -> Result<Vec<Difference>> {
    let Some(row) = rows.first() else {
        return Ok(Vec::new());
    };
    serde_json::from_str(&row.text("differences")?)
        .map_err(|error| Error::Backend(format!("differences: {error}")))
}

/// A membership that is there by this provider's mappings alone.
const OWN: &str = "m.granted = 1 and exists (select 1 from mapping_grants k where k.tenant_id = ?1 and k.group_id = m.group_id \
     and k.member_id = m.member_id and k.idp_id = ?2) and not exists (select 1 from mapping_grants k where k.tenant_id = ?1 \
     and k.group_id = m.group_id and k.member_id = m.member_id and k.idp_id <> ?2)";

/// How many memberships are there by the provider's mappings alone: columns `group_id` and `own`.
pub fn count_own(tenant: &TenantId, idp: &str) -> Statement {
    Statement::new(
        format!(
            "select m.group_id, count(*) as own from (select distinct group_id, member_id from mapping_grants \
             indexed by mapping_grants_mapping_idx where tenant_id = ?1 and idp_id = ?2) g cross join group_members m \
             on m.tenant_id = ?1 and m.group_id = g.group_id and m.member_id = g.member_id where {OWN} group by m.group_id"
        ),
        vec![tenant.into(), idp.into()],
    )
}

/// The same of these users.
pub fn count_own_of(tenant: &TenantId, idp: &str, members: &[String]) -> Vec<Statement> {
    Set::of_ids(members).statements(&[tenant.into(), idp.into()], |part| {
        format!(
            "{} select m.group_id, count(*) as own from e cross join group_members m \
             on m.tenant_id = ?1 and m.member_id = e.id where {OWN} group by m.group_id",
            part.table()
        )
    })
}

/// The same of these memberships, group and member, and how many of them are not there: columns `group_id`, `own` and `to_give`.
pub fn count_to_give(tenant: &TenantId, idp: &str, given: &[Pair]) -> Vec<Statement> {
    let rows = given
        .iter()
        .map(|(group, member)| vec![group.into(), member.into()]);
    Set::new(&["group_id", "id"], rows).statements(&[tenant.into(), idp.into()], |part| {
        format!(
            "{} select e.group_id, coalesce(sum({OWN}), 0) as own, sum(m.member_id is null) as to_give \
             from e left join group_members m on m.tenant_id = ?1 and m.group_id = e.group_id and m.member_id = e.id \
             group by e.group_id",
            part.table()
        )
    })
}

/// Whether the provider's mappings give anything: column `any`.
pub fn select_any(tenant: &TenantId, idp: &str) -> Statement {
    Statement::new(
        "select exists (select 1 from mapping_grants where tenant_id = ?1 and idp_id = ?2) as any_grants",
        vec![tenant.into(), idp.into()],
    )
}

/// Notes which mapping gives which membership, and which no more. The memberships themselves are not changed.
pub fn apply(tenant: &TenantId, idp: &str, differences: &[Difference]) -> Vec<Statement> {
    let set = |give: i64| {
        let chosen = differences.iter().filter(|one| one.give == give);
        let rows = chosen.map(|one| {
            vec![
                (&one.group_id).into(),
                (&one.member_id).into(),
                (&one.mapping_id).into(),
            ]
        });
        Set::new(&["group_id", "id", "mapping_id"], rows)
    };
    let fixed = [tenant.into(), idp.into()];
    let mut statements = set(0).statements(&fixed, |part| {
        format!(
            "delete from mapping_grants where tenant_id = ?1 and idp_id = ?2 and {}",
            part.has("group_id, member_id, mapping_id")
        )
    });
    // Who was deleted meanwhile gets nothing.
    statements.extend(set(1).statements(&fixed, |part| {
        format!(
            "{} insert into mapping_grants (tenant_id, group_id, member_id, mapping_id, idp_id) \
             select ?1, e.group_id, e.id, e.mapping_id, ?2 from e \
             where exists (select 1 from users u indexed by users_id_idx where u.tenant_id = ?1 and u.id = e.id) on conflict do nothing",
            part.table()
        )
    }));
    statements
}
