//! What the simulation keeps account of: resources as they are so far, who holds which unique value, and the audit trail.

use std::collections::{BTreeMap, BTreeSet};

use super::simulation::{Done, Event, Simulation, State};
use crate::api::password;
use crate::error::Result;
use crate::scim::error::Error as ScimError;
use crate::scim::fold::fold;
use crate::scim::resource::Resource;
use crate::scim::schema::{GROUPS, ResourceType};
use crate::store::audit::Action;
use crate::store::bulk::UniqueKey;

/// Passwords in one request that are hashed for a tenant that keeps hashes: more would take longer than a request may.
const MAX_PASSWORDS: usize = 100;

impl Simulation<'_> {
    /// The resource as it is after the operations so far; none where there is none, or where that is not known yet.
    pub fn state(&mut self, resource_type: &'static ResourceType, id: &str) -> Option<State> {
        if let Some(state) = self.states.get(&(resource_type.name, id.to_owned())) {
            return state.alive.then(|| state.clone());
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
            add: BTreeMap::new(),
            remove: BTreeSet::new(),
        })
    }

    /// Keeps a resource's new state, and tells how the operation ended.
    pub fn store(
        &mut self,
        resource_type: &'static ResourceType,
        id: &str,
        state: State,
        status: u16,
    ) -> Done {
        let key = (resource_type.name, id.to_owned());
        let version = Some(state.version);
        if self.states.insert(key.clone(), state).is_none() {
            self.order.push(key);
        }
        Done {
            status,
            resource_type,
            id: id.to_owned(),
            version,
        }
    }

    pub fn event(
        &mut self,
        action: Action,
        resource_type: &'static ResourceType,
        id: &str,
        attributes: Vec<String>,
    ) {
        self.events.push(Event {
            action,
            resource_type,
            id: id.to_owned(),
            attributes,
        });
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

    /// Frees the unique values of what a resource was, and takes those of what it is.
    pub fn claim(
        &mut self,
        resource_type: &'static ResourceType,
        id: &str,
        before: Option<&Resource>,
        after: Option<&Resource>,
    ) {
        for (unique, key, _) in
            before.map_or_else(Vec::new, |before| self.unique_keys(resource_type, before))
        {
            self.holders.insert((unique, key), None);
        }
        for (unique, key, _) in
            after.map_or_else(Vec::new, |after| self.unique_keys(resource_type, after))
        {
            self.holders.insert((unique, key), Some(id.to_owned()));
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
