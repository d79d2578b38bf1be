//! Filters on memberships, answered by sets: which groups meet a term, which groups are in these, who is in any of them. Each
//! table is gone through once, however many users there are and however deep groups lie in groups; nobody's groups are followed
//! upwards one by one.
//!
//! One term is a set of ids. Several are a row for each resource, joined as `h`, in whose `mask` each term is a bit. Where an
//! index finds a few by another term, the sets are made of their memberships alone.

use super::index::{Lead, Leaves, value_of};
use super::scope::Scope;
use super::sql::{Bit, Plan, Sql};
use super::terms::{count, is_always, of_type, only_ids};
use crate::scim::filter::Predicate;
use crate::scim::schema::GROUPS;
use crate::store::memberships::of_groups_rows;

/// The groups in groups of `(…)`, from outer ones to inner ones: few, whatever else these hold.
const INNER: &str = "cross join group_members n indexed by group_members_inner_idx \
     on n.tenant_id = ?1 and n.member_type = 'Group' and n.group_id =";

/// A member of whatever group.
const IN_ANY: &str = "(exists (select 1 from group_members m indexed by group_members_member_idx \
     where m.tenant_id = ?1 and m.member_id = r.id))";

impl Sql<'_, '_> {
    pub fn plan_memberships(&mut self, predicate: &Predicate) {
        let others = count(predicate, self.lead.map(|lead| lead.term));
        let finds_few = |lead: Lead<'_>| lead.access.leaves == Leaves::Few;
        self.memberships.several = others > 1;
        self.memberships.found = others > 0 && self.lead.is_some_and(finds_few);
    }

    /// `with …`, where an index finds a few: these, and all groups that they are in.
    pub fn with_found(&mut self) -> String {
        let Some(found) = self.found_by_lead().filter(|_| self.memberships.found) else {
            return String::new();
        };
        format!(
            "with recursive found (id) as materialized ({found}), their_groups (id) as materialized ( \
             select m.group_id from found cross join group_members m indexed by group_members_member_idx \
             on m.tenant_id = ?1 and m.member_id = found.id \
             union \
             select n.group_id from their_groups cross join group_members n indexed by group_members_nested_idx \
             on n.tenant_id = ?1 and n.member_id = their_groups.id and n.member_type = 'Group') "
        )
    }

    /// `groups[…]` or `members[…]`.
    pub fn membership(&mut self, term: &Predicate, inner: &Predicate) -> String {
        let is_lead = self.lead.is_some_and(|lead| std::ptr::eq(lead.term, term));
        match self.resource_type.name == GROUPS.name {
            true => self.members(inner, is_lead),
            false => self.groups(inner, is_lead),
        }
    }

    /// Who is in a group that meets a condition. Where it asks for the type, the direct ones and the others are found apart.
    fn groups(&mut self, inner: &Predicate, is_lead: bool) -> String {
        if !inner.names("type") {
            return self.within(inner, true, is_lead);
        }
        match (of_type(inner, "direct"), of_type(inner, "indirect")) {
            (Predicate::Never, Predicate::Never) => "(false)".to_owned(),
            (direct, Predicate::Never) => self.within(&direct, false, is_lead),
            (Predicate::Never, indirect) => self.indirectly(&indirect, is_lead),
            (direct, indirect) => {
                let direct = self.within(&direct, false, is_lead);
                let indirect = self.indirectly(&indirect, is_lead);
                format!("({direct} or {indirect})")
            }
        }
    }

    /// Who is in a group that meets a condition: directly or, where it `spreads`, by groups in that one too.
    fn within(&mut self, inner: &Predicate, spreads: bool, is_lead: bool) -> String {
        if is_always(inner) {
            return IN_ANY.to_owned();
        }
        if self.memberships.several && !is_lead {
            let condition = self.condition(inner, Scope::Group);
            return self.bit(condition, spreads);
        }
        let found = self.matching_groups(inner, is_lead);
        let inner_groups = match spreads {
            true => format!(" union select n.member_id from reached {INNER} reached.id"),
            false => String::new(),
        };
        let users = match self.is_found(is_lead) {
            // The plus sign keeps the index to the members: groups are looked for in each one's, and not each for each.
            true => of_found("m.member_id") + " where +m.group_id in (select id from reached)",
            false => of_groups_in("m.member_id", "reached"),
        };
        let all =
            format!("r.id in (with recursive reached (id) as ({found}{inner_groups}) {users})");
        match only_ids(inner).filter(|_| self.is_found(is_lead)) {
            // One look tells mostly.
            Some(groups) => {
                let groups = self.bind_all(&groups);
                format!(
                    "(exists (select 1 from group_members m \
                     where m.tenant_id = ?1 and m.group_id in ({groups}) and m.member_id = r.id) or {all})"
                )
            }
            None => format!("({all})"),
        }
    }

    fn bind_all(&mut self, values: &[&str]) -> String {
        let places: Vec<String> = values
            .iter()
            .map(|value| self.params.bind(*value))
            .collect();
        places.join(", ")
    }

    /// Who is in a group that meets a condition by groups in it, and not directly.
    ///
    /// From each such group down to those of its kind, and no further: who is in one of these directly is seen to from there. So
    /// there is mostly one group above each, and never all.
    fn indirectly(&mut self, inner: &Predicate, is_lead: bool) -> String {
        let found = self.matching_groups(inner, is_lead);
        let lacks = "exists (select 1 from nearest where nearest.id = m.group_id and not exists (select 1 from group_members d \
             where d.tenant_id = ?1 and d.group_id = nearest.above and d.member_id = m.member_id))";
        let users = match self.is_found(is_lead) {
            true => of_found("m.member_id"),
            false => of_groups_in("m.member_id", "(select distinct id from nearest)"),
        };
        format!(
            "(r.id in (with recursive wanted (id) as materialized ({found}), nearest (id, above) as ( \
             select n.member_id, wanted.id from wanted {INNER} wanted.id \
             union select n.member_id, nearest.above from nearest {INNER} nearest.id \
             where nearest.id not in (select id from wanted)) {users} where {lacks}))"
        )
    }

    /// A query of the ids of groups that meet a condition on a membership in them.
    fn matching_groups(&mut self, inner: &Predicate, is_lead: bool) -> String {
        if let Some(ids) = only_ids(inner) {
            let rows: Vec<String> = ids
                .into_iter()
                .map(|id| format!("({})", self.params.bind(id)))
                .collect();
            return format!("select * from (values {})", rows.join(", "));
        }
        let groups = all_groups(self.is_found(is_lead));
        let condition = self.condition(inner, Scope::Group);
        format!("select o.id from {groups} and {condition}")
    }

    /// The groups that have a member of a kind.
    fn members(&mut self, inner: &Predicate, is_lead: bool) -> String {
        if is_always(inner) {
            return "(exists (select 1 from group_members m where m.tenant_id = ?1 and m.group_id = r.id))"
                .to_owned();
        }
        if let Some(ids) = only_ids(inner) {
            let has_one = self.has_one_of(&ids, is_lead);
            return format!("({has_one})");
        }
        let condition = self.condition(inner, Scope::Membership);
        // A name is looked up for each of its uses, unless it is kept in a row.
        let is_one = matches!(inner, Predicate::Compare(..)) || value_of(inner).is_some();
        if !is_lead && (self.memberships.several || !is_one) {
            return self.bit(condition, false);
        }
        let rows = of_groups_rows("m.group_id = r.id");
        let has_one = match value_of(inner) {
            Some(id) => format!("{} and ", self.has_one_of(&[id], is_lead)),
            None => String::new(),
        };
        format!("({has_one}exists (select 1 from ({rows}) e where {condition}))")
    }

    /// Which groups have one of these members: by the members, unless the groups at issue are found already.
    fn has_one_of(&mut self, ids: &[&str], is_lead: bool) -> String {
        let ids = self.bind_all(ids);
        match self.is_found(is_lead) {
            true => format!(
                "exists (select 1 from group_members m \
                 where m.tenant_id = ?1 and m.group_id = r.id and m.member_id in ({ids}))"
            ),
            false => format!(
                "r.id in (select m.group_id from group_members m indexed by group_members_member_idx \
                 where m.tenant_id = ?1 and m.member_id in ({ids}))"
            ),
        }
    }

    /// Whether those at issue are found before a term is looked at.
    fn is_found(&self, is_lead: bool) -> bool {
        self.memberships.found && !is_lead
    }

    /// The bit of a term. Equal ones share it.
    fn bit(&mut self, condition: String, spreads: bool) -> String {
        let bits = &mut self.memberships.bits;
        let known = bits
            .iter()
            .position(|bit| bit.condition == condition && bit.spreads == spreads);
        let index = known.unwrap_or_else(|| {
            bits.push(Bit { condition, spreads });
            bits.len() - 1
        });
        format!("(h.mask & {})", 1_u64 << index)
    }

    /// ` left join …` of the masks, where there are bits: one row for each resource with memberships that meet a term.
    pub fn joined_memberships(&self) -> String {
        let Plan { found, bits, .. } = &self.memberships;
        if bits.is_empty() {
            return String::new();
        }
        let masks = match self.resource_type.name == GROUPS.name {
            true => of_members(bits, *found),
            false => of_groups(bits, *found),
        };
        format!(" left join ({masks}) h on h.holder = r.id")
    }
}

/// The masks of groups: each member meets terms, and the group has them all.
fn of_members(bits: &[Bit], found: bool) -> String {
    let rows = of_groups_rows(match found {
        true => "m.group_id in (select id from found)",
        false => "true",
    });
    let masks: Vec<String> = numbered(bits)
        .map(|(value, bit)| format!("max(iif({}, {value}, 0))", bit.condition))
        .collect();
    let mask = masks.join(" | ");
    format!(
        "with e as materialized ({rows}) select e.holder, {mask} as mask from e group by e.holder"
    )
}

/// The masks of users: each group meets terms by itself, and those that groups above it meet, and its users have them all.
fn of_groups(bits: &[Bit], found: bool) -> String {
    let own: Vec<String> = numbered(bits)
        .map(|(value, bit)| format!("iif({}, {value}, 0)", bit.condition))
        .collect();
    let own = own.join(" | ");
    let groups = all_groups(found);
    let spreading: Vec<String> = numbered(bits)
        .filter(|(_, bit)| bit.spreads)
        .map(|(value, _)| value.to_string())
        .collect();
    let spreading = spreading.join(", ");
    let of_user: Vec<String> = numbered(bits)
        .map(|(value, _)| format!("max(k.mask & {value})"))
        .collect();
    let columns = format!("m.member_id as holder, {} as mask", of_user.join(" | "));
    let users = match found {
        true => of_found(&columns) + " cross join spread k on k.id = m.group_id",
        false => of_groups_in(&columns, "spread"),
    };
    format!(
        "with recursive own (id, mask) as materialized (select id, mask from ( \
         select o.id, {own} as mask from {groups} limit -1) \
         where mask <> 0), \
         reached (id, bit) as (select n.member_id, b.value from own {INNER} own.id \
         cross join json_each('[{spreading}]') b where own.mask & b.value \
         union select n.member_id, reached.bit from reached {INNER} reached.id), \
         spread (id, mask) as materialized (select id, max(its) | max(above) from ( \
         select id, mask as its, 0 as above from own \
         union all select id, 0, sum(bit) from reached group by id) group by id) \
         {users} group by m.member_id"
    )
}

/// The bits with their values.
fn numbered(bits: &[Bit]) -> impl Iterator<Item = (u64, &Bit)> {
    bits.iter()
        .enumerate()
        .map(|(index, bit)| (1 << index, bit))
}

/// The groups that a term can be about, as rows `o`: those of the few that are found, or all.
fn all_groups(found: bool) -> &'static str {
    match found {
        true => "groups o where o.tenant_id = ?1 and o.id in (select id from their_groups)",
        // All are in this index, with all that is asked of them.
        false => "groups o indexed by groups_display_name_idx where o.tenant_id = ?1",
    }
}

/// The direct memberships of the users who are found; `columns` are of rows `m`.
fn of_found(columns: &str) -> String {
    format!(
        "select {columns} from found cross join group_members m indexed by group_members_member_idx \
         on m.tenant_id = ?1 and m.member_id = found.id"
    )
}

/// The direct memberships of users in groups, rows of a table.
fn of_groups_in(columns: &str, groups: &str) -> String {
    format!(
        "select {columns} from {groups} k cross join group_members m \
         on m.tenant_id = ?1 and m.group_id = k.id and m.member_type = 'User'"
    )
}
