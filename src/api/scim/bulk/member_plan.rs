//! A group's members as they are after the operations so far: what the database has, and what those before it did.

use std::collections::BTreeSet;

use super::simulation::Simulation;
use crate::api::scim::group_members::{Known, Members, Plan, ask_for_names};
use crate::error::Result;
use crate::scim::fold::fold;
use crate::scim::member::Member;
use crate::scim::patch::Matching;
use crate::scim::schema::{GROUPS, RESOURCE_TYPES, ResourceType, USERS};

/// The members of one group, for one operation.
pub struct MembersSoFar<'m, 's> {
    pub simulation: &'m mut Simulation<'s>,
    pub index: usize,
    pub group: &'m str,
    /// Whether the database has the group.
    pub is_stored: bool,
    /// What the operations so far did to its members.
    pub plan: &'m Plan,
}

impl MembersSoFar<'_, '_> {
    /// Those of the database's members who still are.
    fn left<'i>(&self, ids: impl IntoIterator<Item = &'i String>) -> BTreeSet<String> {
        ids.into_iter()
            .filter(|id| !self.plan.remove.contains(*id) && !self.simulation.is_deleted(id))
            .cloned()
            .collect()
    }

    /// What is known of somebody by the database, after the operations so far.
    fn still(&self, id: &str, known: Known) -> Known {
        let is_member = known.is_member && !self.plan.remove.contains(id);
        Known {
            is_member,
            is_given: is_member && known.is_given && !self.plan.confirm.contains(id),
            ..known
        }
    }

    /// Those whom the database may find under a name that they have no more.
    fn touched(&self) -> Vec<String> {
        let touched = self.simulation.order.iter();
        touched.map(|(_, id)| id.clone()).collect()
    }
}

impl Members for MembersSoFar<'_, '_> {
    fn all(&mut self) -> BTreeSet<String> {
        let mut all: BTreeSet<String> = self.plan.add.keys().cloned().collect();
        match self.simulation.facts.members.get(self.group) {
            Some(members) => all.extend(self.left(members.keys())),
            None if self.is_stored => {
                let needs = &mut self.simulation.needs;
                needs.members.insert(self.group.to_owned());
            }
            None => {}
        }
        all
    }

    fn matching(&mut self, filters: &[Matching]) -> Result<BTreeSet<String>> {
        let named = ask_for_names(filters);
        let mut afresh: BTreeSet<String> = self.plan.add.keys().cloned().collect();
        if named && self.is_stored {
            afresh.extend(self.touched());
        }
        let mut matching = BTreeSet::new();
        for (number, Matching { filter, .. }) in filters.iter().enumerate() {
            let key = (self.index, number);
            match self.simulation.facts.matching.get(&key) {
                Some(members) => matching.extend(self.left(members)),
                None if self.is_stored => {
                    let need = (self.group.to_owned(), filter.clone());
                    self.simulation.needs.matching.insert(key, need);
                }
                None => {}
            }
        }
        // What the database says of these is not so any more.
        for id in afresh {
            let member = match self.look_up(&id).is_member {
                true => self.seen(&id, named),
                false => None,
            };
            let meets = |member: Member| {
                filters
                    .iter()
                    .any(|matching| member.meets(&matching.filter))
            };
            match member.is_some_and(meets) {
                true => matching.insert(id),
                false => matching.remove(&id),
            };
        }
        Ok(matching)
    }

    fn look_up(&mut self, id: &str) -> Known {
        if self.simulation.is_deleted(id) {
            // Its memberships went with it.
            return Known::default();
        }
        if let Some(kind) = self.plan.add.get(id) {
            return Known {
                is_member: true,
                is_given: false,
                kind: Some(kind),
            };
        }
        let made = self.simulation.type_of(id).map(|made| made.name);
        if made.is_some() && (!self.is_stored || self.simulation.is_new(id)) {
            return Known {
                kind: made,
                ..Known::default()
            };
        }
        let listed = self.simulation.facts.members.get(self.group);
        if let Some(known) = listed.and_then(|members| members.get(id)) {
            return self.still(id, *known);
        }
        let pair = (self.group.to_owned(), id.to_owned());
        match self.simulation.facts.pairs.get(&pair) {
            Some(known) => {
                let known = Known {
                    kind: made.or(known.kind),
                    ..*known
                };
                self.still(id, known)
            }
            None => {
                self.simulation.needs.pairs.insert(pair);
                Known {
                    kind: Some(USERS.name),
                    ..Known::default()
                }
            }
        }
    }

    fn display(&mut self, id: &str, kind: &'static str) -> Option<String> {
        let resource_type: &'static ResourceType = RESOURCE_TYPES
            .iter()
            .find(|resource_type| resource_type.name == kind)?;
        let state = self.simulation.state(resource_type, id)?;
        let text = |name: &str| state.resource.attributes.get(name)?.as_str();
        let name = text("displayName").or_else(|| match kind == GROUPS.name {
            true => None,
            false => text("userName"),
        });
        name.map(fold)
    }

    fn base(&self) -> &str {
        self.simulation.base
    }
}
