//! What the simulation keeps account of: resources as they are so far, who holds which unique value, and the audit trail.

use super::request::REFERENCE;
use super::simulation::Simulation;
use crate::api::group_members::Plan;
use crate::api::password;
use crate::error::Result;
use crate::scim::error::Error as ScimError;
use crate::scim::fold::fold;
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

    /// The values of a resource that no other may have, with the attributes' names.
    pub fn unique_keys(
        &self,
        resource_type: &'static ResourceType,
        resource: &Resource,
    ) -> Vec<(UniqueKey, String, &'static str)> {
        let text = |name: &str| resource.attributes.get(name)?.as_str();
        let is_group = resource_type.name == GROUPS.name;
        let (name, by_name, by_external_id) = match is_group {
            true => (
                "displayName",
                UniqueKey::GroupName,
                UniqueKey::GroupExternalId,
            ),
            false => ("userName", UniqueKey::UserName, UniqueKey::UserExternalId),
        };
        let named = text(name)
            .filter(|_| !is_group || !self.caller.profile().is_strict())
            .map(|value| (by_name, fold(value), name));
        let external =
            text("externalId").map(|value| (by_external_id, value.to_owned(), "externalId"));
        named.into_iter().chain(external).collect()
    }

    /// Who has a unique value after the operations so far.
    pub fn holder(&mut self, unique: UniqueKey, key: &str) -> Option<String> {
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

    /// Frees the unique values of what a resource was, and takes those of what it is. Another provider's `externalId` is none of them:
    /// it is neither freed nor taken, until the client gives the resource one of its own.
    pub fn claim(
        &mut self,
        resource_type: &'static ResourceType,
        id: &str,
        before: Option<&Resource>,
        after: Option<&Resource>,
    ) {
        let keys = |resource: Option<&Resource>| {
            resource.map_or_else(Vec::new, |resource| {
                self.unique_keys(resource_type, resource)
            })
        };
        let (before, after) = (keys(before), keys(after));
        let is_foreign = self.facts.foreign.contains(id) && !self.adopted.contains(id);
        let is_theirs = |key: &(UniqueKey, String, &str)| {
            let of_provider = matches!(
                key.0,
                UniqueKey::UserExternalId | UniqueKey::GroupExternalId
            );
            is_foreign && of_provider && before.contains(key)
        };
        for key in before.iter().filter(|key| !is_theirs(key)) {
            self.holders.insert((key.0, key.1.clone()), None);
        }
        for key in after.iter().filter(|key| !is_theirs(key)) {
            self.holders
                .insert((key.0, key.1.clone()), Some(id.to_owned()));
        }
        let external = |keys: &[(UniqueKey, String, &'static str)]| {
            keys.iter().find(|key| key.2 == "externalId").cloned()
        };
        if external(&before) != external(&after) {
            self.adopted.insert(id.to_owned());
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
