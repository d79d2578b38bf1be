//! What the simulation keeps account of: resources as they are so far, who holds which unique value, and the audit trail.

use super::request::REFERENCE;
use super::simulation::Simulation;
use crate::api::scim::group_members::Plan;
use crate::api::scim::password;
use crate::error::Result;
use crate::scim::error::Error as ScimError;
use crate::scim::fold::{former, name_key};
use crate::scim::resource::Resource;
use crate::scim::schema::{GROUPS, ResourceType, USERS};
use crate::scim::version::Version;
use crate::store::audit::{Action, Detail};
use crate::store::unique::UniqueKey;

/// A resource as it is after some operations.
#[derive(Debug, Clone)]
pub struct State {
    pub resource: Resource,
    pub version: Version,
    /// The version in the database; none for a new resource.
    pub base: Option<Version>,
    pub created: i64,
    pub alive: bool,
    pub changed: bool,
    pub password: Option<String>,
    /// Members to add and to take away, against what the database has.
    pub members: Plan,
}

/// One line of the audit trail.
#[derive(Debug)]
pub struct Event {
    pub action: Action,
    pub resource_type: &'static ResourceType,
    pub id: String,
    pub attributes: Vec<String>,
    pub detail: Detail,
}

/// How an operation ended.
#[derive(Debug)]
pub struct Done {
    pub status: u16,
    pub resource_type: &'static ResourceType,
    pub id: String,
    pub version: Option<Version>,
}

/// What an operation comes to.
pub struct Effect {
    pub status: u16,
    pub resource_type: &'static ResourceType,
    pub id: String,
    /// What the resource was; none of a new one.
    pub before: Option<Resource>,
    pub state: State,
    /// What the audit trail says; nothing where nothing changed.
    pub event: Option<(Action, Vec<String>, Detail)>,
}

/// A resource's type and id.
pub type Key = (&'static str, String);

/// Passwords in one request that are hashed for a tenant that keeps hashes: more would take longer than a request may.
const MAX_PASSWORDS: usize = 100;

impl<'s> Simulation<'s> {
    /// Whether an operation has deleted what had that id.
    pub fn is_deleted(&self, id: &str) -> bool {
        [&USERS, &GROUPS].into_iter().any(|resource_type| {
            let state = self.states.get(&(resource_type.name, id.to_owned()));
            state.is_some_and(|state| !state.alive)
        })
    }

    /// The id that a path names, by itself or by a reference to what an operation has made.
    pub fn permanent<'i>(&self, id: &'i str) -> Option<&'i str>
    where
        's: 'i,
    {
        let Some(reference) = id.strip_prefix(REFERENCE) else {
            return Some(id);
        };
        let made = self.made.get(reference)?;
        let is_made = matches!(self.outcomes.get(made.index), Some(Ok(_)));
        is_made.then_some(made.id.as_str())
    }

    /// Whether the id is one that this request gives.
    pub fn is_new(&self, id: &str) -> bool {
        self.fresh.contains(id)
    }

    /// What has that id, where an operation has touched it or will make it.
    pub fn type_of(&self, id: &str) -> Option<&'static ResourceType> {
        let touched = [&USERS, &GROUPS].into_iter().find(|resource_type| {
            let key = (resource_type.name, id.to_owned());
            self.states.contains_key(&key)
        });
        touched.or_else(|| self.made_types.get(id).copied())
    }

    /// Makes an effect what the following operations see.
    pub fn commit(&mut self, effect: Effect) -> Done {
        let Effect {
            status,
            resource_type,
            id,
            before,
            state,
            event,
        } = effect;
        let after = state.alive.then_some(&state.resource);
        self.claim(resource_type, &id, before.as_ref(), after);
        if !state.alive {
            self.forget_member(&id);
        }
        let version = state.alive.then_some(state.version);
        let key = (resource_type.name, id.clone());
        if self.states.insert(key.clone(), state).is_none() {
            self.order.push(key);
        }
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
        }
    }

    /// Takes a deleted resource out of the groups that operations put it into.
    fn forget_member(&mut self, id: &str) {
        for state in self.states.values_mut() {
            let added = state.members.add.remove(id).is_some();
            let removed = state.members.remove.remove(id);
            // The group is another one now, and says so; one that lost the member in the database is told there.
            if added && !removed {
                state.version = Version(state.version.0 + 1);
                state.changed = true;
            }
        }
    }

    /// The resource as it is after the operations so far; none where there is none, or where that is not known yet.
    pub fn state(&mut self, resource_type: &'static ResourceType, id: &str) -> Option<State> {
        if let Some(state) = self.states.get(&(resource_type.name, id.to_owned())) {
            return state.alive.then(|| state.clone());
        }
        if self.is_new(id) {
            return None;
        }
        let Some(known) = self.facts.resource(resource_type, id) else {
            self.needs.resource(resource_type, id);
            return None;
        };
        let stored = known.as_ref()?;
        Some(State {
            resource: Resource::from_stored(&stored.resource).ok()?,
            version: stored.version,
            base: Some(stored.version),
            created: stored.created,
            alive: true,
            changed: false,
            password: None,
            members: Plan::default(),
        })
    }

    /// The value of a resource that no other may have, with the attribute's name.
    pub fn unique_key(
        &self,
        resource_type: &'static ResourceType,
        resource: &Resource,
    ) -> Option<(UniqueKey, String, &'static str)> {
        let (name, unique) = match resource_type.name == GROUPS.name {
            true if self.caller.profile().is_strict() => return None,
            true => ("displayName", UniqueKey::GroupName),
            false => ("userName", UniqueKey::UserName),
        };
        let value = resource.attributes.get(name)?.as_str()?;
        Some((unique, name_key(value), name))
    }

    /// Who has a unique value after the operations so far, or has had it since before keys were normalised.
    pub fn holder(&mut self, unique: UniqueKey, key: &str) -> Option<String> {
        let now = self.holder_of_key(unique, key);
        now.or_else(|| self.holder_of_key(unique, &former(key)?))
    }

    fn holder_of_key(&mut self, unique: UniqueKey, key: &str) -> Option<String> {
        let key = (unique, key.to_owned());
        if let Some(holder) = self.holders.get(&key) {
            return holder.clone();
        }
        match self.facts.holders.get(&key) {
            Some(holder) => holder.clone(),
            None => {
                self.needs.holders.insert(key);
                None
            }
        }
    }

    /// Frees the unique value of what a resource was, and takes that of what it is.
    pub fn claim(
        &mut self,
        resource_type: &'static ResourceType,
        id: &str,
        before: Option<&Resource>,
        after: Option<&Resource>,
    ) {
        for (resource, holder) in [(before, None), (after, Some(id.to_owned()))] {
            let key = resource.and_then(|resource| self.unique_key(resource_type, resource));
            if let Some((unique, key, _)) = key {
                self.holders.insert((unique, key), holder);
            }
        }
    }

    /// The password that came along, where it is to be kept.
    pub fn password(&mut self, resource: &mut Resource) -> Result<Option<String>> {
        let password = resource
            .password
            .take()
            .filter(|password| !password.is_empty());
        if password.is_none() || !self.caller.settings.store_passwords {
            return Ok(None);
        }
        if let Some(password) = &password {
            password::check(password)?;
        }
        self.passwords += 1;
        if self.passwords > MAX_PASSWORDS {
            return Err(ScimError::value(format!(
                "one Bulk request may set {MAX_PASSWORDS} passwords; send the rest in another"
            ))
            .into());
        }
        Ok(password)
    }
}
