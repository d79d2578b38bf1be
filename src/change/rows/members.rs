//! Rows of `group_members`: direct memberships.

use super::groups::count_on;
use crate::ids::TenantId;
use crate::store::Statement;
use crate::store::members::{BOTH, DIRECT, GIVEN, Pair, set_of};
use crate::store::set::Set;

/// One membership.
#[derive(Debug)]
pub struct Membership<'m> {
    pub group: &'m str,
    pub member: &'m str,
    /// `User` or `Group`.
    pub kind: &'static str,
}

/// Inserts memberships, granted on these grounds. That the members are there is for a [guard](crate::store::guards::existence) before it.
pub fn insert(tenant: &TenantId, granted: i64, members: &[Membership<'_>]) -> Vec<Statement> {
    let rows = members.iter().map(|member| {
        vec![
            member.group.into(),
            member.member.into(),
            member.kind.into(),
        ]
    });
    Set::new(&["group_id", "id", "kind"], rows).statements(&[tenant.into(), granted.into()], |part| {
        format!(
            "{} insert into group_members (tenant_id, group_id, member_id, member_type, granted) \
             select ?1, e.group_id, e.id, e.kind, ?2 from e",
            part.table()
        )
    })
}

/// Memberships that stay, on other grounds: group, member, and what `granted` is from now on.
pub fn regrade(tenant: &TenantId, memberships: &[(Pair, i64)]) -> Vec<Statement> {
    let mut statements = Vec::new();
    for granted in [DIRECT, GIVEN, BOTH] {
        let of_grounds = memberships.iter().filter(|(_, to)| *to == granted);
        let pairs: Vec<Pair> = of_grounds.map(|(pair, _)| pair.clone()).collect();
        let set = set_of(&pairs);
        statements.extend(set.statements(&[tenant.into(), granted.into()], |part| {
            format!(
                "update group_members set granted = ?2 where tenant_id = ?1 and {}",
                part.has("group_id, member_id")
            )
        }));
    }
    statements
}

/// Deletes memberships.
pub fn delete(tenant: &TenantId, pairs: &[Pair]) -> Vec<Statement> {
    // Of one group, the members are compared alone: rows of pairs are counted once more.
    if let [(group, _), rest @ ..] = pairs
        && rest.iter().all(|(other, _)| other == group)
    {
        let members = pairs.iter().map(|(_, member)| member);
        return Set::of_ids(members).statements(&[tenant.into(), group.into()], |part| {
            format!(
                "delete from group_members where tenant_id = ?1 and group_id = ?2 and {}",
                part.has("member_id")
            )
        });
    }
    set_of(pairs).statements(&[tenant.into()], |part| {
        format!(
            "delete from group_members where tenant_id = ?1 and {}",
            part.has("group_id, member_id")
        )
    })
}

/// Takes deleted resources out of every group they are in: those groups change, and say so by their versions.
pub fn leave_all_groups(tenant: &TenantId, members: &[String], now: i64) -> Vec<Statement> {
    let set = Set::of_ids(members);
    let mut statements = set.statements(&[tenant.into(), now.into()], |part| {
        let left = "e cross join group_members m indexed by group_members_member_idx \
                    on m.tenant_id = ?1 and m.member_id = e.id";
        count_on(&part.table(), ["m.group_id", "1", "-1"], left)
    });
    statements.extend(set.statements(&[tenant.into()], |part| {
        format!(
            "delete from group_members indexed by group_members_member_idx where tenant_id = ?1 and {}",
            part.has("member_id")
        )
    }));
    statements
}

/// Deletes all memberships of groups that the same batch deletes.
pub fn dissolve(tenant: &TenantId, groups: &[String]) -> Vec<Statement> {
    Set::of_ids(groups).statements(&[tenant.into()], |part| {
        format!(
            "delete from group_members where tenant_id = ?1 and {}",
            part.has("group_id")
        )
    })
}
