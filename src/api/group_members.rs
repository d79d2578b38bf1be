//! From what a request wants of a group's members to rows: what is looked up first, and what is inserted and deleted then.

use std::collections::BTreeSet;

use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::scim::error::ScimType;
use crate::scim::filter::parse::shortened;
use crate::scim::patch::MemberChanges;
use crate::store::{Rows, Statement, members};

/// Rows of one group to insert and to delete.
#[derive(Debug, Default)]
pub struct Plan {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
    gone: BTreeSet<String>,
}

impl Plan {
    /// Adds a member; once, however often it is named.
    pub fn add(&mut self, id: String, is_group: bool) {
        match is_group {
            true => self.groups.insert(id),
            false => self.users.insert(id),
        };
    }

    /// The statements whose rows [`new`](Self::new) reads: what the ids named are, who is there if all are to go, and who
    /// meets each filter. Ids of nobody are not asked for.
    pub fn probes(
        tenant: &TenantId,
        base: &str,
        group: &str,
        changes: &MemberChanges,
    ) -> Vec<Statement> {
        let mut statements = Vec::new();
        if changes.clear {
            statements.push(members::select_all(tenant, group));
        }
        for filter in &changes.remove_matching {
            statements.push(members::select_matching(tenant, base, group, filter));
        }
        let named: BTreeSet<&String> = changes.add.iter().chain(&changes.remove).collect();
        statements.extend(members::probe(tenant, group, named));
        statements
    }

    /// The plan for what is wanted, given the rows of the probes. An id of nobody to add is an `invalidValue`; one to remove
    /// was no member anyway.
    pub fn new(changes: &MemberChanges, probed: &[Rows]) -> Result<Self> {
        let mut plan = Plan::default();
        let lists = usize::from(changes.clear) + changes.remove_matching.len();
        let (lists, named) = probed.split_at_checked(lists).unwrap_or((&[], probed));
        let mut there = BTreeSet::new();
        for row in lists.iter().flat_map(|rows| &rows.rows) {
            there.insert(row.text("id")?);
        }
        let mut known = BTreeSet::new();
        for row in named.iter().flat_map(|rows| &rows.rows) {
            let probed = members::probed(row)?;
            known.insert(probed.id.clone());
            if !probed.is_member && changes.must_match.contains(&probed.id) {
                return Err(Error::scim(
                    ScimType::NoTarget,
                    format!("`{}` is not a member", shortened(&probed.id)),
                ));
            }
            let wanted = changes.add.contains(&probed.id);
            match (wanted, probed.is_member, probed.kind) {
                (true, true, _) => {}
                (true, false, Some(kind)) => plan.add(probed.id, kind == "Group"),
                (true, false, None) => return Err(invalid_member(&probed.id)),
                (false, true, _) => {
                    plan.gone.insert(probed.id);
                }
                (false, false, _) => {}
            }
        }
        plan.gone
            .extend(there.into_iter().filter(|id| !changes.add.contains(id)));
        Ok(plan)
    }

    pub fn changes_anything(&self) -> bool {
        !(self.users.is_empty() && self.groups.is_empty() && self.gone.is_empty())
    }

    /// By how much the number of members changes.
    pub fn difference(&self) -> i64 {
        let count = |ids: &BTreeSet<String>| i64::try_from(ids.len()).unwrap_or(i64::MAX);
        count(&self.users) + count(&self.groups) - count(&self.gone)
    }

    pub fn statements(&self, tenant: &TenantId, group: &str) -> Vec<Statement> {
        let list = |ids: &BTreeSet<String>| -> Vec<String> { ids.iter().cloned().collect() };
        let mut statements = members::delete(tenant, group, &self.gone);
        statements.extend(members::insert(
            tenant,
            group,
            &list(&self.users),
            &list(&self.groups),
        ));
        statements
    }
}

/// 400 for a member that is nobody.
fn invalid_member(id: &str) -> Error {
    Error::scim(
        ScimType::InvalidValue,
        format!("members: no user or group has the id `{}`", shortened(id)),
    )
}
