//! What a plan keeps account of: resources as they are so far, who holds which name, the audit trail, and what is still to be asked.

use super::author::Terms;
use super::facts::{Facts, Holder, Key, Needs};
use super::intent::Intent;
use super::rows::removals::Removals;
use super::state::{Base, Done, Effect, Event, State};
use crate::error::Result;
use crate::ordered::OrderedMap;
use crate::scim::budget::Budget;
use crate::scim::error::Error as ScimError;
use crate::scim::fold::{former, name_key};
use crate::scim::resource::Resource;
use crate::scim::schema::{GROUPS, ResourceType, USERS};
use crate::scim::version::Version;
use crate::store::unique::UniqueKey;

/// Passwords in one request that are hashed for a tenant that keeps hashes: more would take longer than a request may.
const MAX_PASSWORDS: usize = 100;
/// Longest password in bytes that is hashed; a longer one is refused, for hashing it costs.
const MAX_PASSWORD: usize = 1_024;

/// The account of one plan.
pub struct Account<'p> {
    pub terms: &'p Terms,
    pub facts: &'p Facts,
    pub budget: &'p Budget,
    pub needs: Needs,
    pub states: OrderedMap<Key, State>,
    /// Touched resources in the order in which they were touched.
    pub order: Vec<Key>,
    pub events: Vec<Event>,
    holders: OrderedMap<(UniqueKey, String), Option<Holder>>,
    passwords: usize,
    /// What intents take away, of a client: others are not counted.
    pub removals: Removals,
    /// Whether something was refused, because it takes away too much.
    pub is_fuse_blown: bool,
    /// Types of what is made, by its id.
    made_types: OrderedMap<&'p str, &'static ResourceType>,
}

impl<'p> Account<'p> {
    /// An account before any of the intents.
    pub fn new(
        terms: &'p Terms,
        facts: &'p Facts,
        budget: &'p Budget,
        intents: &'p [Result<Intent>],
    ) -> Self {
        let made = intents.iter().flatten().filter(|intent| intent.is_creation);
        Account {
            terms,
            facts,
            budget,
            needs: Needs::default(),
            states: OrderedMap::new(),
            order: Vec::new(),
            events: Vec::new(),
            holders: OrderedMap::new(),
            passwords: 0,
            removals: Removals::NONE,
            is_fuse_blown: false,
            made_types: made
                .map(|intent| (intent.id.as_str(), intent.resource_type))
                .collect(),
        }
    }

    /// Whether something was changed, or left as it is, that is only taken to be there.
    pub fn has_unseen(&self) -> bool {
        let mut states = self.states.values();
        states.any(|state| matches!(state.base, Base::Unseen))
    }

    /// Whether an intent has deleted what had that id.
    pub fn is_deleted(&self, id: &str) -> bool {
        [&USERS, &GROUPS].into_iter().any(|resource_type| {
            let state = self.states.get(&(resource_type.name, id.to_owned()));
            state.is_some_and(|state| !state.alive)
        })
    }

    /// Whether the id is one that an intent gives.
    pub fn is_new(&self, id: &str) -> bool {
        self.made_types.contains_key(id)
    }

    /// What has that id, where an intent has touched it or will make it.
    pub fn type_of(&self, id: &str) -> Option<&'static ResourceType> {
        let touched = [&USERS, &GROUPS].into_iter().find(|resource_type| {
            let key = (resource_type.name, id.to_owned());
            self.states.contains_key(&key)
        });
        touched.or_else(|| self.made_types.get(id).copied())
    }

    /// Counts what an effect takes away; 503 where that is more than the tenant's fuse lets through.
    pub fn count_removals(&mut self, effect: &Effect) -> Result<()> {
        if !self.terms.mandate.is_client() {
            return Ok(());
        }
        let before = self
            .states
            .get(&(effect.resource_type.name, effect.id.clone()));
        let more = effect.removals(before);
        let held = self.facts.fuse.check(self.removals, more);
        self.is_fuse_blown |= held.is_err();
        held?;
        self.removals = self.removals.and(more);
        Ok(())
    }

    /// Makes an effect what the following intents see.
    pub fn commit(&mut self, effect: Effect) -> Done {
        let Effect {
            status,
            resource_type,
            id,
            before,
            state,
            event,
        } = effect;
        let after = state.alive.then_some(&*state.resource);
        self.claim(resource_type, &id, before.as_deref(), after);
        if !state.alive {
            self.forget_member(&id);
        }
        let version = state.alive.then_some(state.version);
        let key = (resource_type.name, id.clone());
        if self.states.insert(key.clone(), state).is_none() {
            self.order.push(key);
        }
        let is_changed = event.is_some();
        if let Some((action, attributes, detail)) = event {
            self.events.push(Event {
                action,
                resource_type,
                id: id.clone(),
                attributes,
                detail,
            });
        }
        Done {
            status,
            resource_type,
            id,
            version,
            is_changed,
        }
    }

    /// Takes a deleted resource out of the groups that intents put it into.
    fn forget_member(&mut self, id: &str) {
        for state in self.states.values_mut() {
            // The group is another one now, and says so; one that loses the member in the database is told there.
            if state.members.add.remove(id).is_some() {
                state.version = Version(state.version.0 + 1);
            }
        }
    }

    /// The resource as it is after the intents so far; none where there is none, or where that is not known yet.
    pub fn state(&mut self, resource_type: &'static ResourceType, id: &str) -> Option<State> {
        let key: Key = (resource_type.name, id.to_owned());
        match self.states.get(&key) {
            // What was enough to guard has to be known now.
            Some(state) if matches!(state.base, Base::Unseen) && state.alive => {
                self.needs.resources.insert(key);
                return None;
            }
            Some(state) => return state.alive.then(|| state.clone()),
            None => {}
        }
        if self.is_new(id) {
            return None;
        }
        match self.facts.resource(resource_type, id) {
            Some(known) => known.as_ref().map(State::of),
            None => {
                self.needs.resources.insert(key);
                None
            }
        }
    }

    /// The name of a resource that no other may have, with the attribute that it is in.
    pub fn unique_key(
        &self,
        resource_type: &'static ResourceType,
        resource: &Resource,
    ) -> Option<(UniqueKey, String, &'static str)> {
        let (name, unique) = match resource_type.name == GROUPS.name {
            true if self.terms.profile.is_strict() => return None,
            true => ("displayName", UniqueKey::GroupName),
            false => ("userName", UniqueKey::UserName),
        };
        let value = resource.attributes.get(name)?.as_str()?;
        Some((unique, name_key(value), name))
    }

    /// Who has a name after the intents so far, or has had it since before names were normalised.
    pub fn holder(&mut self, unique: UniqueKey, key: &str) -> Option<Holder> {
        let now = self.holder_of_key(unique, key);
        let holder = now.or_else(|| {
            let holder = self.holder_of_key(unique, &former(key)?)?;
            self.still_has(unique, &holder.id, key).then_some(holder)
        });
        holder.filter(|holder| !self.is_deleted(&holder.id))
    }

    /// Whether no intent so far has taken a name from who had it.
    fn still_has(&self, unique: UniqueKey, id: &str, key: &str) -> bool {
        let resource_type = match unique {
            UniqueKey::UserName => &USERS,
            UniqueKey::GroupName => &GROUPS,
        };
        let touched = self.states.get(&(resource_type.name, id.to_owned()));
        touched.is_none_or(|state| {
            let has = self.unique_key(resource_type, &state.resource);
            state.alive && has.is_some_and(|(_, now, _)| now == key)
        })
    }

    fn holder_of_key(&mut self, unique: UniqueKey, key: &str) -> Option<Holder> {
        let key = (unique, key.to_owned());
        if let Some(holder) = self.holders.get(&key) {
            return holder.clone();
        }
        match self.facts.holders.get(&key) {
            Some(holder) => holder.clone(),
            None if self.facts.assumed.names => None,
            None => {
                self.needs.holders.insert(key);
                None
            }
        }
    }

    /// Frees the name of what a resource was, and takes that of what it is.
    fn claim(
        &mut self,
        resource_type: &'static ResourceType,
        id: &str,
        before: Option<&Resource>,
        after: Option<&Resource>,
    ) {
        let holder = after.map(|resource| Holder {
            id: id.to_owned(),
            can_be_activated: resource.attributes.get("active") == Some(&false.into())
                && resource.managed_by.is_none(),
        });
        for (resource, holder) in [(before, None), (after, holder)] {
            let key = resource.and_then(|resource| self.unique_key(resource_type, resource));
            if let Some((unique, key, _)) = key {
                self.holders.insert((unique, key), holder);
            }
        }
    }

    /// The password that came along, where it is to be kept.
    pub fn password(&mut self, resource: &mut Resource) -> Result<Option<String>> {
        let password = resource.password.take();
        let password = password.filter(|password| !password.is_empty());
        let Some(password) = password.filter(|_| self.terms.store_passwords) else {
            return Ok(None);
        };
        if password.len() > MAX_PASSWORD {
            let detail = format!("password is longer than {MAX_PASSWORD} bytes");
            return Err(ScimError::value(detail).into());
        }
        self.passwords += 1;
        if self.passwords > MAX_PASSWORDS {
            return Err(ScimError::value(format!(
                "one Bulk request may set {MAX_PASSWORDS} passwords; send the rest in another"
            ))
            .into());
        }
        Ok(Some(password))
    }
}
