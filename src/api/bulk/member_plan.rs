//! What an operation of a Bulk request does to a group's members, against what the database has and what the operations
//! before it did.

use std::collections::BTreeSet;

use super::simulation::{Simulation, State};
use crate::error::Result;
use crate::scim::error::Error as ScimError;
use crate::scim::filter::parse::shortened;
use crate::scim::patch::MemberChanges;
use crate::scim::schema::{GROUPS, USERS};

impl Simulation<'_> {
    /// Turns what is wanted of the members into rows to add and to take away.
    pub fn plan_members(
        &mut self,
        index: Option<usize>,
        group: &str,
        state: &mut State,
        changes: &MemberChanges,
    ) -> Result<()> {
        let stored = state.base.is_some();
        let mut gone: BTreeSet<String> = changes.remove.clone();
        if changes.clear {
            gone.extend(state.add.keys().cloned());
            match self.facts.members.get(group) {
                Some(members) => gone.extend(members.iter().cloned()),
                None if stored => {
                    self.needs.members.insert(group.to_owned());
                }
                None => {}
            }
        }
        for (number, filter) in changes.remove_matching.iter().enumerate() {
            let key = (index.unwrap_or_default(), number);
            match self.facts.matching.get(&key) {
                Some(members) => gone.extend(members.iter().cloned()),
                None if stored => {
                    let need = (group.to_owned(), filter.clone());
                    self.needs.matching.insert(key, need);
                }
                None => {}
            }
        }
        for id in gone.difference(&changes.add) {
            let (held, _) = self.membership(group, id, stored);
            let added = state.add.remove(id).is_some();
            let is_member = added || (held && !state.remove.contains(id));
            if !is_member && changes.must_match.contains(id) {
                return Err(
                    ScimError::no_target(format!("`{}` is not a member", shortened(id))).into(),
                );
            }
            if held {
                state.remove.insert(id.clone());
            }
        }
        for id in &changes.add {
            let (held, kind) = self.membership(group, id, stored);
            let kind = kind.ok_or_else(|| {
                ScimError::value(format!(
                    "members: no user or group has the id `{}`",
                    shortened(id)
                ))
            })?;
            state.remove.remove(id);
            if !held {
                state.add.insert(id.clone(), kind);
            }
        }
        Ok(())
    }

    /// Whether the database has a membership, and what type the member is after the operations so far.
    fn membership(&mut self, group: &str, id: &str, stored: bool) -> (bool, Option<&'static str>) {
        let own = [&USERS, &GROUPS].into_iter().find_map(|resource_type| {
            let state = self.states.get(&(resource_type.name, id.to_owned()))?;
            Some(state.alive.then_some(resource_type.name))
        });
        if own == Some(None) {
            // Its memberships go with it, and are not to be taken away twice.
            return (false, None);
        }
        let own = own.or_else(|| {
            // A resource that a later operation makes.
            let made = self.made.values().find(|made| made.id == id)?;
            Some(Some(made.resource_type.name))
        });
        if let Some(kind) = own
            && !stored
        {
            return (false, kind);
        }
        let pair = (group.to_owned(), id.to_owned());
        match self.facts.pairs.get(&pair) {
            Some((held, kind)) => {
                let known = match kind.as_deref() {
                    Some("User") => Some(USERS.name),
                    Some("Group") => Some(GROUPS.name),
                    _ => None,
                };
                (*held, own.unwrap_or(known))
            }
            None => {
                self.needs.pairs.insert(pair);
                (false, own.unwrap_or(Some(USERS.name)))
            }
        }
    }
}
