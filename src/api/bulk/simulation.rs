//! What all operations of a Bulk request come to, worked out in memory from what is known of the database. Pure: it reads
//! nothing and writes nothing. Where a fact is missing it notes the need and goes on with a guess, and the whole is done
//! again once the fact is there.
//!
//! Operations see what those before them did. An operation fails by itself; one that refers to a resource whose making fails,
//! fails with it.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Facts, Needs};
use super::request::{Entry, Method, Operation, substitute, substitute_text};
use crate::api::authenticate::Caller;
use crate::api::resources::{differing, taken, write_scope};
use crate::error::{Error, Kind, Result};
use crate::ids;
use crate::scim::error::Error as ScimError;
use crate::scim::filter::parse::shortened;
use crate::scim::patch::{self, MemberChanges};
use crate::scim::resource::{self, Resource};
use crate::scim::schema::{GROUPS, ResourceType, USERS};
use crate::scim::version::{Condition, Version};
use crate::store::audit::Action;
use crate::store::bulk::UniqueKey;

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
    /// Members to add, with their types, and to take away, against what the database has.
    pub add: BTreeMap<String, &'static str>,
    pub remove: BTreeSet<String>,
}

/// One line of the audit trail.
#[derive(Debug)]
pub struct Event {
    pub action: Action,
    pub resource_type: &'static ResourceType,
    pub id: String,
    pub attributes: Vec<String>,
}

/// How an operation ended.
#[derive(Debug)]
pub struct Done {
    pub status: u16,
    pub resource_type: &'static ResourceType,
    pub id: String,
    pub version: Option<Version>,
}

/// A resource's type and id.
pub type Key = (&'static str, String);

/// A resource that an operation of the request makes.
#[derive(Debug, Clone)]
pub struct Made {
    pub id: String,
    pub resource_type: &'static ResourceType,
}

/// The work.
pub struct Simulation<'s> {
    pub caller: &'s Caller,
    pub facts: &'s Facts,
    pub now: i64,
    /// What POST operations make, by `bulkId`.
    pub made: &'s BTreeMap<String, Made>,
    /// The id for each operation that makes a resource.
    pub new_ids: &'s [String],
    /// `bulkId`s whose operations are known to fail.
    pub failing: &'s BTreeSet<String>,
    pub needs: Needs,
    pub states: BTreeMap<Key, State>,
    /// Touched resources in the order in which they were touched.
    pub order: Vec<Key>,
    pub(super) holders: BTreeMap<(UniqueKey, String), Option<String>>,
    pub events: Vec<Event>,
    pub outcomes: Vec<std::result::Result<Done, Error>>,
    /// POST operations that restored a resource under its old id, by `bulkId`.
    pub restored: BTreeMap<String, String>,
    pub(super) passwords: usize,
}

impl<'s> Simulation<'s> {
    pub fn new(
        caller: &'s Caller,
        facts: &'s Facts,
        now: i64,
        made: &'s BTreeMap<String, Made>,
        new_ids: &'s [String],
        failing: &'s BTreeSet<String>,
    ) -> Self {
        Simulation {
            caller,
            facts,
            now,
            made,
            new_ids,
            failing,
            needs: Needs::default(),
            states: BTreeMap::new(),
            order: Vec::new(),
            holders: BTreeMap::new(),
            events: Vec::new(),
            outcomes: Vec::new(),
            restored: BTreeMap::new(),
            passwords: 0,
        }
    }

    /// Tries all operations, up to as many failures as the client accepts.
    pub fn run(&mut self, entries: &[Entry], fail_on_errors: Option<usize>) {
        let mut failures = 0;
        for (index, entry) in entries.iter().enumerate() {
            if fail_on_errors.is_some_and(|accepted| failures >= accepted) {
                break;
            }
            let outcome = match &entry.operation {
                Ok(operation) => self.operation(index, entry, operation),
                Err(error) => Err(error.clone()),
            };
            failures += usize::from(outcome.is_err());
            self.outcomes.push(outcome);
        }
    }

    fn operation(&mut self, index: usize, entry: &Entry, operation: &Operation) -> Result<Done> {
        self.caller.require(write_scope(operation.resource_type))?;
        for reference in &operation.references {
            if !self.made.contains_key(reference) || self.failing.contains(reference) {
                return Err(ScimError::value(format!(
                    "`bulkId:{}` refers to no resource that this request makes",
                    shortened(reference)
                ))
                .into());
            }
        }
        let id_of = |reference: &str| self.made.get(reference).map(|made| made.id.clone());
        let data = substitute(&operation.data, &id_of);
        let target = operation
            .target
            .as_deref()
            .map(|target| substitute_text(target, &id_of));
        let resource_type = operation.resource_type;
        match (operation.method, target) {
            (Method::Post, _) => {
                let id = self.new_ids.get(index).cloned().unwrap_or_default();
                self.create(entry, resource_type, id, data)
            }
            (method, target) => {
                let id = target
                    .and_then(|target| ids::canonical_uuid(&target))
                    .ok_or_else(|| Error::not_found(resource_type.name))?;
                self.change(index, method, operation, &id, data)
            }
        }
    }

    fn create(
        &mut self,
        entry: &Entry,
        resource_type: &'static ResourceType,
        id: String,
        data: serde_json::Value,
    ) -> Result<Done> {
        let mut resource = resource::read(resource_type, data, self.caller.profile())?;
        let members = resource.members.take();
        let password = self.password(&mut resource)?;
        if let Some(holder) = self.rival(resource_type, &id, &resource)? {
            return self.restore(entry, &holder, resource, password);
        }
        let mut state = State {
            resource,
            version: Version(1),
            base: None,
            created: self.now,
            alive: true,
            changed: true,
            password,
            add: BTreeMap::new(),
            remove: BTreeSet::new(),
        };
        let mut attributes: Vec<String> = state.resource.attributes.keys().cloned().collect();
        if let Some(members) = members.filter(|members| !members.is_empty()) {
            let mut changes = MemberChanges::default();
            changes.replace_all(&members);
            changes.clear = false;
            self.plan_members(None, &id, &mut state, &changes)?;
            attributes.push("members".to_owned());
        }
        self.claim(resource_type, &id, None, Some(&state.resource));
        let done = self.store(resource_type, &id, state, 201);
        self.event(Action::Create, resource_type, &id, attributes);
        Ok(done)
    }

    /// The inactive user whose name or `externalId` a new one has, in `compat`; 409 where the holder is another one.
    fn rival(
        &mut self,
        resource_type: &'static ResourceType,
        id: &str,
        resource: &Resource,
    ) -> Result<Option<String>> {
        let mut rival = None;
        for (unique, key, name) in self.unique_keys(resource_type, resource) {
            let Some(holder) = self.holder(unique, &key).filter(|holder| holder != id) else {
                continue;
            };
            let inactive = resource_type.name == USERS.name
                && !self.caller.profile().is_strict()
                && self.state(&USERS, &holder).is_some_and(|state| {
                    state.resource.attributes.get("active") == Some(&false.into())
                });
            let same = rival.as_ref().is_none_or(|known| *known == holder);
            if !inactive || !same {
                return Err(taken(name));
            }
            rival = Some(holder);
        }
        Ok(rival)
    }

    fn restore(
        &mut self,
        entry: &Entry,
        id: &str,
        resource: Resource,
        password: Option<String>,
    ) -> Result<Done> {
        let before = self
            .state(&USERS, id)
            .ok_or_else(|| Error::not_found(USERS.name))?;
        let attributes = differing(&before.resource, &resource);
        self.claim(&USERS, id, Some(&before.resource), Some(&resource));
        let state = State {
            version: Version(before.version.0 + 1),
            resource,
            changed: true,
            password,
            ..before
        };
        if let Some(bulk_id) = &entry.bulk_id {
            self.restored.insert(bulk_id.clone(), id.to_owned());
        }
        let done = self.store(&USERS, id, state, 201);
        self.event(Action::Restore, &USERS, id, attributes);
        Ok(done)
    }

    fn change(
        &mut self,
        index: usize,
        method: Method,
        operation: &Operation,
        id: &str,
        data: serde_json::Value,
    ) -> Result<Done> {
        let resource_type = operation.resource_type;
        let before = self
            .state(resource_type, id)
            .ok_or_else(|| Error::not_found(resource_type.name))?;
        check(operation.condition.as_ref(), before.version)?;
        if method == Method::Delete {
            return Ok(self.delete(resource_type, id, before));
        }
        let (mut resource, changes) = self.wanted(method, resource_type, &before, data)?;
        let password = self.password(&mut resource)?;
        let mut state = before.clone();
        self.plan_members(Some(index), id, &mut state, &changes)?;
        let members_differ = state.add != before.add || state.remove != before.remove;
        if resource == before.resource && !members_differ && password.is_none() {
            return Ok(self.store(resource_type, id, before, 200));
        }
        for (unique, key, name) in self.unique_keys(resource_type, &resource) {
            if self.holder(unique, &key).is_some_and(|holder| holder != id) {
                return Err(taken(name));
            }
        }
        let mut attributes = differing(&before.resource, &resource);
        attributes.extend(members_differ.then(|| "members".to_owned()));
        self.claim(resource_type, id, Some(&before.resource), Some(&resource));
        state.resource = resource;
        state.version = Version(before.version.0 + 1);
        state.changed = true;
        state.password = password.or(state.password);
        let done = self.store(resource_type, id, state, 200);
        let action = match method {
            Method::Put => Action::Replace,
            _ => Action::Patch,
        };
        self.event(action, resource_type, id, attributes);
        Ok(done)
    }

    /// The resource that a PUT or PATCH wants, and what it wants of the members.
    fn wanted(
        &self,
        method: Method,
        resource_type: &'static ResourceType,
        before: &State,
        data: serde_json::Value,
    ) -> Result<(Resource, MemberChanges)> {
        let profile = self.caller.profile();
        if method == Method::Patch {
            let operations = patch::parse(data, resource_type, profile)?;
            let mut resource = before.resource.clone();
            patch::apply(&operations, resource_type, &mut resource, profile)?;
            return Ok((resource, MemberChanges::of(&operations, profile)?));
        }
        let mut resource = resource::read(resource_type, data, profile)?;
        let mut changes = MemberChanges::default();
        match resource.members.take() {
            Some(members) => changes.replace_all(&members),
            None if profile.is_strict() && resource_type.name == GROUPS.name => {
                changes.replace_all(&[]);
            }
            None => {}
        }
        Ok((resource, changes))
    }

    fn delete(&mut self, resource_type: &'static ResourceType, id: &str, before: State) -> Done {
        self.claim(resource_type, id, Some(&before.resource), None);
        for state in self.states.values_mut() {
            let added = state.add.remove(id).is_some();
            let removed = state.remove.remove(id);
            // The group is another one now, and says so; one that lost the member in the database is told there.
            if added && !removed {
                state.version = Version(state.version.0 + 1);
                state.changed = true;
            }
        }
        let state = State {
            alive: false,
            changed: true,
            ..before
        };
        let done = Done {
            version: None,
            ..self.store(resource_type, id, state, 204)
        };
        self.event(Action::Delete, resource_type, id, Vec::new());
        done
    }
}

fn check(condition: Option<&Condition>, version: Version) -> Result<()> {
    match condition {
        Some(condition) if !condition.holds(version) => Err(Error::new(
            Kind::PreconditionFailed,
            format!("the resource is at version {}", version.etag()),
        )),
        _ => Ok(()),
    }
}
