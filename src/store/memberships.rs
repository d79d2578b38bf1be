//! Memberships as expressions and rows of a query: those that come along with a resource, and those that a filter looks at.

use crate::scim::projection::Projection;
use crate::scim::schema::{GROUPS, ResourceType};

/// Most memberships that come along with one resource. D1 gives no string of more than two million bytes; a membership takes
/// 230, and more with a name. How many groups a user is in is not known beforehand, and their names may be long.
const INLINE: i64 = 5_000;
const INLINE_NAMED_GROUPS: i64 = 1_000;
/// Most that come along with all resources of a page, as far as it is full; but at least a few with each.
const INLINE_ON_PAGE: i64 = 50_000;
const INLINE_AT_LEAST: i64 = 50;
/// Which memberships to read along with a resource: those that the reply shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memberships {
    pub wanted: bool,
    /// With their names, at a row more for each.
    pub names: bool,
    /// Most that come along with the resource. Where there are more, it comes without any.
    pub most: i64,
}

impl Memberships {
    /// None of them.
    pub const NONE: Self = Memberships {
        wanted: false,
        names: false,
        most: 0,
    };

    /// Those of one resource.
    pub fn of(resource_type: &ResourceType, projection: &Projection) -> Self {
        let names = projection.includes_part(resource_type.memberships, "display");
        Memberships {
            wanted: projection.includes(resource_type.memberships),
            names,
            most: match names && resource_type.name != GROUPS.name {
                true => INLINE_NAMED_GROUPS,
                false => INLINE,
            },
        }
    }

    /// Those of each resource of a page of that many.
    pub fn on_page(self, count: i64) -> Self {
        let share = INLINE_ON_PAGE / count.max(1);
        Memberships {
            most: self.most.min(share.max(INLINE_AT_LEAST)),
            ..self
        }
    }
}

/// The name of a member of a group, for a row `m`: one row, of the table that its type tells. A user's is kept apart from the user, where a
/// thousand are found in a tenth of the time; of one whom a worker from before that has created, only the user has it.
pub(super) const MEMBER_NAME: &str = "iif(m.member_type = 'User', \
     coalesce((select n.name from user_names n where n.tenant_id = ?1 and n.id = m.member_id), \
     (select coalesce(json_extract(u.resource, '$.displayName'), json_extract(u.resource, '$.userName')) \
     from users u where u.tenant_id = ?1 and u.id = m.member_id)), \
     (select json_extract(g.resource, '$.displayName') from groups g \
     where g.tenant_id = ?1 and g.id = m.member_id))";

/// A member's name folded, as filters compare it.
pub(super) const MEMBER_NAME_KEY: &str = "coalesce( \
     (select coalesce(u.display_name_key, u.user_name_key) from users u where u.tenant_id = ?1 and u.id = m.member_id), \
     (select g.display_name_key from groups g where g.tenant_id = ?1 and g.id = m.member_id))";

/// Most members whose names are shown at length along with their group.
const NAMED_AT_LENGTH: i64 = 1_000;

/// A name as a membership shows it: no longer than the 256 characters that directories allow one, so that a thousand of them are
/// never more than the database gives at once. `substr` ends at a null character, and is not let near names that are short; the
/// limit keeps the name from being looked up for each of its uses.
pub(super) fn shown(name: &str) -> String {
    format!(
        "(select iif(octet_length(n) <= 256, n, substr(n, 1, 256)) from (select {name} as n limit 1))"
    )
}

/// The same, so that five thousand are no more than that either: one that takes more than 140 bytes in JSON, which people's hardly do,
/// is cut where it can take no more.
fn shown_short(name: &str) -> String {
    format!(
        "(select iif(octet_length(json_quote(n)) <= 140, n, substr(n, 1, 23)) from (select {name} as n limit 1))"
    )
}

/// A JSON array of a group's direct members, for a group row `r`; an empty text where they are more than come along. Names cost a row
/// for each.
pub fn of_group_json(wanted: Memberships) -> String {
    let array = |display: &str| {
        format!(
            "(select json_group_array(json_object('value', m.member_id, \
             '$ref', ?2 || '/' || m.member_type || 's/' || m.member_id{display}, 'type', m.member_type)) \
             from group_members m where m.tenant_id = ?1 and m.group_id = r.id)"
        )
    };
    let named = |name: String| array(&format!(", 'display', {name}"));
    let all = match wanted.names {
        true => format!(
            "iif(r.member_count <= {NAMED_AT_LENGTH}, {}, {})",
            named(shown(MEMBER_NAME)),
            named(shown_short(MEMBER_NAME))
        ),
        false => array(""),
    };
    format!("iif(r.member_count <= {}, {all}, '')", wanted.most)
}

/// The direct members of groups as rows for a filter, with their group as `holder`; `those` is a condition on `m.group_id`. A name
/// is compared folded, and so by the columns that hold it folded.
pub fn of_groups_rows(those: &str) -> String {
    format!(
        "select m.group_id as holder, m.member_id as value, m.member_type as type, {MEMBER_NAME_KEY} as display, \
         ?2 || '/' || m.member_type || 's/' || m.member_id as ref \
         from group_members m where m.tenant_id = ?1 and {those}"
    )
}

const HAS_NESTED: &str = "exists (select 1 from group_members n indexed by group_members_nested_idx \
     where n.tenant_id = ?1 and n.member_type = 'Group')";

/// The groups of a user, an SQL expression: its own, then those above them that are not its own, each once.
pub(super) fn memberships_of(user: &str) -> String {
    format!(
        "with recursive above (id) as ( \
         select n.group_id from group_members m indexed by group_members_member_idx \
         cross join group_members n indexed by group_members_nested_idx \
         on n.tenant_id = ?1 and n.member_id = m.group_id and n.member_type = 'Group' \
         where m.tenant_id = ?1 and m.member_id = {user} \
         union \
         select n.group_id from above cross join group_members n indexed by group_members_nested_idx \
         on n.tenant_id = ?1 and n.member_id = above.id and n.member_type = 'Group'), \
         memberships (id, type) as ( \
         select m.group_id, 'direct' from group_members m indexed by group_members_member_idx \
         where m.tenant_id = ?1 and m.member_id = {user} \
         union all \
         select above.id, 'indirect' from above where not exists (select 1 from group_members d \
         where d.tenant_id = ?1 and d.group_id = above.id and d.member_id = {user})) "
    )
}

pub(super) fn group_name(id: &str) -> String {
    format!(
        "(select json_extract(g.resource, '$.displayName') from groups g where g.tenant_id = ?1 and g.id = {id})"
    )
}

/// A JSON array of a user's groups, for a user row `r`; an empty text where they are more than come along. Names cost a row for each.
pub fn groups_of_user_json(wanted: Memberships) -> String {
    let most = wanted.most;
    let display = match wanted.names {
        true => format!(", 'display', {}", shown(&group_name("memberships.id"))),
        false => String::new(),
    };
    // How many there are is not known beforehand: one more than may be is read.
    let array = |rows: &str| {
        format!(
            "select iif(count(*) > {most}, '', json_group_array(json_object( \
             'value', memberships.id, '$ref', ?2 || '/Groups/' || memberships.id{display}, 'type', memberships.type))) \
             from ({rows} limit {most} + 1) memberships"
        )
    };
    let all = array(&format!(
        "{} select memberships.id, memberships.type from memberships",
        memberships_of("r.id")
    ));
    let direct = array(
        "select m.group_id as id, 'direct' as type from group_members m indexed by group_members_member_idx \
         where m.tenant_id = ?1 and m.member_id = r.id",
    );
    format!("iif({HAS_NESTED}, ({all}), ({direct}))")
}

/// A user's groups as rows for a filter.
pub fn groups_of_user_rows() -> String {
    format!(
        "({} select memberships.id as value, ?2 || '/Groups/' || memberships.id as ref, \
         (select g.display_name_key from groups g where g.tenant_id = ?1 and g.id = memberships.id) as display, \
         memberships.type as type from memberships)",
        memberships_of("r.id")
    )
}
