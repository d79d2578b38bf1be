//! From what is wanted of a group's members to what becomes of them. The members are those that the database has, after what the intents
//! before did.

use std::rc::Rc;

use super::account::Account;
use super::member_plan::{Known, MemberPlan, coming, going, grounds};
use crate::error::{Error, Result};
use crate::ordered::OrderedSet;
use crate::scim::error::ScimType;
use crate::scim::filter::parse::shortened;
use crate::scim::fold::fold;
use crate::scim::forgiven::{Forgiven, note};
use crate::scim::member::Member;
use crate::scim::patch::{Matching, MemberChanges, MemberIndex};
use crate::scim::schema::{GROUPS, RESOURCE_TYPES, ResourceType, USERS};

/// Whether a filter asks for names.
fn ask_for_names(filters: &[Matching]) -> bool {
    filters
        .iter()
        .any(|matching| matching.filter.names("display"))
}

/// A group's members as they are for one intent.
pub struct MembersSoFar<'m, 'p> {
    pub account: &'m mut Account<'p>,
    /// The number of the intent.
    pub intent: usize,
    pub group: &'m str,
    /// Whether the database has the group.
    pub is_stored: bool,
    /// What the intents so far did to its members.
    pub so_far: &'m MemberPlan,
    /// What this one wants of them.
    pub changes: &'m MemberChanges,
}

impl MembersSoFar<'_, '_> {
    /// The plan for what is wanted. An id of nobody to remove was no member anyway. One to add is an `invalidValue` for a client in
    /// `strict`; `compat` leaves it out, so that the others come in all the same, and changes nothing where all of them are such: a group is
    /// not emptied by a list that names nobody who is here.
    pub fn plan(&mut self) -> Result<MemberPlan> {
        let there = self;
        let changes = there.changes;
        let mandate = &there.account.terms.mandate;
        let is_strict = there.account.terms.profile.is_strict() && mandate.is_client();
        let (mut add, nobody): (OrderedSet<&String>, OrderedSet<&String>) =
            changes.add.keys().partition(|id| {
                let known = there.look_up(id);
                known.granted.is_some() || known.kind.is_some()
            });
        if !nobody.is_empty() && mandate.is_client() {
            note(Forgiven::MemberUnknown);
        }
        match nobody.first() {
            Some(id) if is_strict => {
                return Err(Error::scim(
                    ScimType::InvalidValue,
                    format!("members: no user or group has the id `{}`", shortened(id)),
                ));
            }
            Some(_) if add.is_empty() && changes.clear && !changes.emptied => {
                return Ok(MemberPlan::default());
            }
            _ => {}
        }
        let mut gone = changes.remove.clone();
        if changes.clear {
            gone.extend(there.all());
        }
        let filters = changes.remove_matching.as_slice();
        let named = ask_for_names(filters);
        if !changes.clear && !filters.is_empty() {
            gone.extend(there.matching(filters)?);
        }
        // Those whom an operation adds are met by the filters of later ones.
        let mut added = MemberIndex::default();
        for (id, adding) in &changes.add {
            if filters.last().is_some_and(|last| adding.at < last.at) {
                there.take_up(&mut added, id, named, Some(adding.at));
            }
        }
        for id in there.met(&added, filters)? {
            let id = id.as_ref().to_owned();
            add.remove(&id);
            gone.insert(id);
        }
        let mut plan = MemberPlan::default();
        for id in gone.iter().filter(|id| !add.contains(id)) {
            let known = there.look_up(id);
            plan.take(
                id,
                known,
                going(&there.account.terms.mandate, known.granted),
            );
        }
        for id in add {
            let known = there.look_up(id);
            plan.take(
                id,
                known,
                coming(&there.account.terms.mandate, known.granted),
            );
        }
        Ok(plan)
    }

    /// All members.
    fn all(&mut self) -> OrderedSet<String> {
        let mut all: OrderedSet<String> = self.so_far.add.keys().cloned().collect();
        match self.account.facts.members.get(self.group) {
            Some(members) => all.extend(self.left(members.keys())),
            None if self.is_stored => {
                self.account.needs.members.insert(self.group.to_owned());
            }
            None => {}
        }
        all
    }

    /// The members that meet one of the filters.
    fn matching(&mut self, filters: &[Matching]) -> Result<OrderedSet<String>> {
        let named = ask_for_names(filters);
        let mut afresh: OrderedSet<String> = self.so_far.add.keys().cloned().collect();
        if named && self.is_stored {
            afresh.extend(self.touched());
        }
        let mut matching = match self.account.facts.matching.get(&self.intent) {
            Some(Ok(members)) => self.left(members),
            Some(Err(refused)) => return Err(refused.clone()),
            None if self.is_stored => {
                let need = (self.group.to_owned(), filters.to_vec());
                self.account.needs.matching.insert(self.intent, need);
                OrderedSet::new()
            }
            None => OrderedSet::new(),
        };
        // What the database says of these is not so any more.
        for id in &afresh {
            matching.remove(id);
        }
        let mut members = MemberIndex::default();
        for id in &afresh {
            if self.look_up(id).granted.is_some() {
                self.take_up(&mut members, id, named, None);
            }
        }
        let met = self.met(&members, filters)?;
        matching.extend(met.iter().map(|id| id.as_ref().to_owned()));
        Ok(matching)
    }

    /// Takes somebody up as filters would see them, were they a member; nobody's id is left out.
    fn take_up(&mut self, members: &mut MemberIndex, id: &str, named: bool, since: Option<usize>) {
        let Some(kind) = self.look_up(id).kind else {
            return;
        };
        let name = match named {
            true => self.display(id, kind),
            false => None,
        };
        let member = Member::new(id, kind, &self.account.terms.base, name);
        members.push(id, member, since);
    }

    /// Those who meet one of the filters. Nobody while something is still to be read: it is asked again with that.
    fn met(&self, members: &MemberIndex, filters: &[Matching]) -> Result<Vec<Rc<str>>> {
        match self.account.needs.is_empty() {
            true => Ok(members.meeting(filters, self.account.budget)?),
            false => Ok(Vec::new()),
        }
    }

    fn look_up(&mut self, id: &str) -> Known {
        if self.account.is_deleted(id) {
            // Its memberships went with it.
            return Known::default();
        }
        if let Some(kind) = self.so_far.add.get(id) {
            return Known {
                granted: Some(grounds(&self.account.terms.mandate)),
                kind: Some(kind),
            };
        }
        let made = self.account.type_of(id).map(|made| made.name);
        if made.is_some() && (!self.is_stored || self.account.is_new(id)) {
            return Known {
                kind: made,
                ..Known::default()
            };
        }
        let listed = self.account.facts.members.get(self.group);
        if let Some(known) = listed.and_then(|members| members.get(id)) {
            return self.still(id, *known);
        }
        let pair = (self.group.to_owned(), id.to_owned());
        match self.account.facts.pairs.get(&pair) {
            Some(known) => {
                let known = Known {
                    kind: made.or(known.kind),
                    ..*known
                };
                self.still(id, known)
            }
            None => self.assumed(pair),
        }
    }

    /// Of whom nothing is known. Who is to come is taken for what the client says, and for no member yet; who is to go, for a member.
    fn assumed(&mut self, pair: (String, String)) -> Known {
        let added = self.changes.add.get(&pair.1);
        let is_member = added.is_none() && !self.so_far.remove.contains_key(&pair.1);
        // A filter may mean anybody, and nothing holds what it leaves alone. Where all members are asked for, so is this one.
        let asks = self.is_stored && !self.changes.is_by_id();
        if self.account.facts.assumed.members && !asks {
            return Known {
                granted: is_member.then_some(grounds(&self.account.terms.mandate)),
                kind: Some(added.map_or(USERS.name, |added| added.declared)),
            };
        }
        self.account.needs.pairs.insert(pair);
        Known {
            kind: Some(USERS.name),
            ..Known::default()
        }
    }

    /// The folded name under which a filter finds a member.
    fn display(&mut self, id: &str, kind: &'static str) -> Option<String> {
        let resource_type: &'static ResourceType = RESOURCE_TYPES
            .iter()
            .find(|resource_type| resource_type.name == kind)?;
        let state = self.account.state(resource_type, id)?;
        let text = |name: &str| state.resource.attributes.get(name)?.as_str();
        let name = text("displayName").or_else(|| match kind == GROUPS.name {
            true => None,
            false => text("userName"),
        });
        name.map(fold)
    }

    /// Those of the database's members who still are.
    fn left(&self, ids: impl IntoIterator<Item = impl AsRef<str>>) -> OrderedSet<String> {
        let mut left = OrderedSet::new();
        for id in ids {
            let id = id.as_ref();
            if !self.so_far.remove.contains_key(id) && !self.account.is_deleted(id) {
                left.insert(id.to_owned());
            }
        }
        left
    }

    /// What is known of somebody by the database, after the intents so far.
    fn still(&self, id: &str, known: Known) -> Known {
        let granted = known
            .granted
            .filter(|_| !self.so_far.remove.contains_key(id));
        let regraded = self.so_far.regrade.get(id).copied();
        Known {
            granted: granted.map(|granted| regraded.unwrap_or(granted)),
            ..known
        }
    }

    /// Those whom the database may find under a name that they have no more.
    fn touched(&self) -> Vec<String> {
        let touched = self.account.order.iter();
        touched.map(|(_, id)| id.clone()).collect()
    }
}
