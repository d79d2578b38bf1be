//! From what a request wants of a group's members to rows: what is looked up first, and what is inserted and deleted then. For
//! one group, and for those of a Bulk request, whose members are also what the operations before made of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::scim::error::ScimType;
use crate::scim::filter::Predicate;
use crate::scim::filter::parse::shortened;
use crate::scim::member::Member;
use crate::scim::patch::{Matching, MemberChanges};
use crate::scim::profile::Profile;
use crate::scim::schema::{GROUPS, RESOURCE_TYPES, ResourceType, USERS};
use crate::store::audit::Detail;
use crate::store::members::{self, Membership, Pair};
use crate::store::{Row, Rows, Statement, guards};

/// What an id is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known {
    pub is_member: bool,
    /// Whether it is a member because of group mappings alone.
    pub is_given: bool,
    /// `User` or `Group`; none where it is nobody's.
    pub kind: Option<&'static str>,
}

/// Who is in a group, and who could be.
pub trait Members {
    /// All members.
    fn all(&mut self) -> BTreeSet<String>;
    /// The members that meet one of a request's filters.
    fn matching(&mut self, filters: &[Matching]) -> Result<BTreeSet<String>>;
    fn look_up(&mut self, id: &str) -> Known;
    /// The folded name under which a filter finds a member.
    fn display(&mut self, id: &str, kind: &'static str) -> Option<String>;
    /// The base of the members' `$ref`.
    fn base(&self) -> &str;

    /// Somebody as filters would see them, were they a member; none where it is nobody's id.
    fn seen(&mut self, id: &str, named: bool) -> Option<Member> {
        let kind = self.look_up(id).kind?;
        let name = match named {
            true => self.display(id, kind),
            false => None,
        };
        Some(Member::new(id, kind, self.base(), name))
    }
}

/// Most comparisons of a request's filters with members: some tenths of a second.
const MAX_COMPARISONS: usize = 10_000_000;

/// 400 for more comparisons of filters with members than that.
pub fn check_comparisons(count: usize) -> Result<()> {
    match count > MAX_COMPARISONS {
        true => Err(Error::scim(
            ScimType::TooMany,
            format!(
                "members: the filters take {count} comparisons with members, and {MAX_COMPARISONS} are allowed; send fewer at once"
            ),
        )),
        false => Ok(()),
    }
}

/// How many comparisons filters make with a member.
fn comparisons(filters: &[Matching]) -> usize {
    filters
        .iter()
        .map(|matching| matching.filter.comparisons())
        .sum()
}

/// Whether a filter asks for names.
pub fn ask_for_names(filters: &[Matching]) -> bool {
    filters
        .iter()
        .any(|matching| matching.filter.names("display"))
}

/// Rows of one group to insert and to delete.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Ids, with their types.
    pub add: BTreeMap<String, &'static str>,
    pub remove: BTreeSet<String>,
    /// Members whom only group mappings gave until now, and whom a client names.
    pub confirm: BTreeSet<String>,
}

impl Plan {
    /// The plan for what is wanted. An id of nobody to remove was no member anyway. One to add is an `invalidValue` in `strict`; `compat`
    /// leaves it out, so that the others come in all the same, and changes nothing where all of them are such: a group is not emptied
    /// by a list that names nobody who is here.
    pub fn new(changes: &MemberChanges, there: &mut dyn Members, profile: Profile) -> Result<Self> {
        let (mut add, nobody): (BTreeSet<&String>, BTreeSet<&String>) =
            changes.add.keys().partition(|id| {
                let known = there.look_up(id);
                known.is_member || known.kind.is_some()
            });
        match nobody.first() {
            Some(id) if profile.is_strict() => {
                return Err(Error::scim(
                    ScimType::InvalidValue,
                    format!("members: no user or group has the id `{}`", shortened(id)),
                ));
            }
            Some(_) if add.is_empty() && changes.clear => return Ok(Plan::default()),
            _ => {}
        }
        let mut gone = changes.remove.clone();
        if changes.clear {
            gone.extend(there.all());
        }
        let filters = changes.remove_matching.as_slice();
        if !changes.clear && !filters.is_empty() {
            gone.extend(there.matching(filters)?);
        }
        check_comparisons(changes.add.len().saturating_mul(comparisons(filters)))?;
        // Those whom an operation adds are met by the filters of later ones.
        for (id, at) in &changes.add {
            let later = changes.filters_after(*at);
            if later.is_empty() {
                continue;
            }
            let Some(member) = there.seen(id, ask_for_names(filters)) else {
                continue;
            };
            if later.iter().any(|matching| member.meets(&matching.filter)) {
                add.remove(id);
                gone.insert(id.clone());
            }
        }
        let mut plan = Plan::default();
        for id in gone.into_iter().filter(|id| !add.contains(id)) {
            if there.look_up(&id).is_member {
                plan.remove.insert(id);
            }
        }
        for id in add {
            let known = there.look_up(id);
            if known.is_member {
                plan.confirm.extend(known.is_given.then(|| id.clone()));
            } else if let Some(kind) = known.kind {
                plan.add.insert(id.clone(), kind);
            }
        }
        Ok(plan)
    }

    /// A plan that takes the types that the client declared: `User` where it says nothing.
    pub fn as_declared(given: &[Value]) -> Self {
        let text = |member: &Value, name: &str| {
            let text = member.get(name).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let add = given.iter().map(|member| {
            let kind = match text(member, "type").eq_ignore_ascii_case(GROUPS.name) {
                true => GROUPS.name,
                false => USERS.name,
            };
            (text(member, "value"), kind)
        });
        Plan {
            add: add.collect(),
            ..Plan::default()
        }
    }

    /// Goes on with another plan, made for what this one leaves.
    pub fn then(&mut self, next: Plan) {
        self.confirm.extend(next.confirm);
        for id in next.remove {
            self.confirm.remove(&id);
            if self.add.remove(&id).is_none() {
                self.remove.insert(id);
            }
        }
        for (id, kind) in next.add {
            if !self.remove.remove(&id) {
                self.add.insert(id, kind);
            }
        }
    }

    pub fn changes_anything(&self) -> bool {
        !(self.add.is_empty() && self.remove.is_empty() && self.confirm.is_empty())
    }

    /// Who comes and who goes, for the audit trail.
    pub fn detail(&self) -> Detail {
        let mut detail = Detail::default();
        detail.add(self.add.keys());
        detail.remove(&self.remove);
        detail
    }

    /// By how much the number of members changes.
    pub fn difference(&self) -> i64 {
        let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        count(self.add.len()) - count(self.remove.len())
    }
}

/// The type of that name, as it is kept with a member.
pub fn kind_of(name: Option<&str>) -> Option<&'static str> {
    let known = RESOURCE_TYPES
        .iter()
        .find(|resource_type| Some(resource_type.name) == name);
    known.map(|resource_type| resource_type.name)
}

/// The guard that those who are to become members are there, but for those that the batch itself makes.
pub fn existence<'p>(
    tenant: &TenantId,
    plans: impl Iterator<Item = &'p Plan> + Clone,
    is_made: impl Fn(&'static ResourceType, &str) -> bool,
) -> Vec<Statement> {
    let mut statements = Vec::new();
    for resource_type in RESOURCE_TYPES {
        let wanted: BTreeSet<&String> = plans
            .clone()
            .flat_map(|plan| &plan.add)
            .filter(|(id, kind)| **kind == resource_type.name && !is_made(resource_type, id))
            .map(|(id, _)| id)
            .collect();
        statements.extend(guards::existence(tenant, resource_type, wanted));
    }
    statements
}

/// The rows of groups, by their ids, to delete and to insert.
pub fn rows<'p>(
    tenant: &TenantId,
    plans: impl Iterator<Item = (&'p str, &'p Plan)> + Clone,
) -> Vec<Statement> {
    let gone: Vec<Pair> = plans
        .clone()
        .flat_map(|(group, plan)| plan.remove.iter().map(|id| (group.to_owned(), id.clone())))
        .collect();
    let confirmed: Vec<Pair> = plans
        .clone()
        .flat_map(|(group, plan)| plan.confirm.iter().map(|id| (group.to_owned(), id.clone())))
        .collect();
    let new: Vec<Membership<'_>> = plans
        .flat_map(|(group, plan)| {
            plan.add.iter().map(move |(member, kind)| Membership {
                group,
                member,
                kind,
            })
        })
        .collect();
    let mut statements = members::delete(tenant, &gone);
    statements.extend(members::confirm(tenant, &confirmed));
    statements.extend(members::insert(tenant, &new));
    statements
}

/// One group's members as the database has them, as far as a request asks.
pub struct Probed<'p> {
    base: &'p str,
    /// All members, where all are to go; else those who meet a filter.
    list: BTreeSet<String>,
    known: BTreeMap<String, Known>,
    names: BTreeMap<String, Option<String>>,
}

impl<'p> Probed<'p> {
    /// The statements whose rows [`read`](Self::read) takes: who is there if all are to go, who meets each filter, and what
    /// the ids named are.
    pub fn probes(
        tenant: &TenantId,
        base: &str,
        group: &str,
        changes: &MemberChanges,
    ) -> Vec<Statement> {
        let filters: Vec<&Predicate> = changes
            .remove_matching
            .iter()
            .map(|matching| &matching.filter)
            .collect();
        let mut statements = match (changes.clear, filters.as_slice()) {
            (true, _) => vec![members::select_all(tenant, group)],
            (false, []) => Vec::new(),
            (false, filters) => {
                members::select_for_filters(tenant, base, [&group.to_owned()], filters)
            }
        };
        let named: BTreeSet<&String> = changes.add.keys().chain(&changes.remove).collect();
        let pairs: Vec<Pair> = named
            .into_iter()
            .map(|id| (group.to_owned(), id.clone()))
            .collect();
        statements.extend(members::probe(tenant, &pairs));
        let asks = |at: &usize| ask_for_names(changes.filters_after(*at));
        if changes.add.values().any(asks) {
            statements.extend(members::select_names(tenant, changes.add.keys()));
        }
        statements
    }

    /// Takes up what the probes found.
    pub fn read(base: &'p str, changes: &MemberChanges, results: &[Rows]) -> Result<Self> {
        let filters = changes.remove_matching.as_slice();
        let asked = usize::from(changes.clear || !filters.is_empty());
        let (listed, rest) = results.split_at_checked(asked).unwrap_or((&[], results));
        let listed: Vec<&Row> = listed.iter().flat_map(|rows| &rows.rows).collect();
        if !changes.clear {
            check_comparisons(listed.len().saturating_mul(comparisons(filters)))?;
        }
        let mut list = BTreeSet::new();
        for row in listed {
            let meets = || -> Result<bool> {
                let (_, _, member) = members::for_filters(row, base)?;
                Ok(filters
                    .iter()
                    .any(|matching| member.meets(&matching.filter)))
            };
            if changes.clear || meets()? {
                list.insert(row.text("id")?);
            }
        }
        let mut probed = Probed {
            base,
            list,
            known: BTreeMap::new(),
            names: BTreeMap::new(),
        };
        for row in rest.iter().flat_map(|rows| &rows.rows) {
            if row.value("name").is_ok() {
                probed
                    .names
                    .insert(row.text("id")?, row.optional_text("name")?);
                continue;
            }
            let found = members::probed(row)?;
            let known = Known {
                is_member: found.is_member,
                is_given: found.is_given,
                kind: kind_of(found.kind.as_deref()),
            };
            probed.known.insert(found.id, known);
        }
        Ok(probed)
    }
}

impl Members for Probed<'_> {
    fn all(&mut self) -> BTreeSet<String> {
        self.list.clone()
    }

    fn matching(&mut self, _: &[Matching]) -> Result<BTreeSet<String>> {
        Ok(self.list.clone())
    }

    /// Whoever is in the list is a member.
    fn look_up(&mut self, id: &str) -> Known {
        self.known.get(id).copied().unwrap_or_else(|| Known {
            is_member: self.list.contains(id),
            ..Known::default()
        })
    }

    fn display(&mut self, id: &str, _: &'static str) -> Option<String> {
        self.names.get(id).cloned().flatten()
    }

    fn base(&self) -> &str {
        self.base
    }
}
