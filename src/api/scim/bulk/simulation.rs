//! What all operations of a Bulk request come to, worked out in memory from what is known of the database. Pure: it reads
//! nothing and writes nothing. Where a fact is missing it notes the need and goes on with a guess, and the whole is done
//! again once the fact is there.
//!
//! Operations see what those before them did. An operation fails by itself; one that refers to a resource whose making fails,
//! fails with it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::facts::{Facts, Needs};
use super::member_plan::MembersSoFar;
use super::request::{Entry, Method, Operation, substitute, substitute_text};
use super::resolve::{Guess, Made};
use super::states::{Done, Effect, Event, Key, State};
use crate::api::http::authenticate::Caller;
use crate::api::scim::group_members::Plan;
use crate::api::scim::resources::{
    check_size, differing, refuse_managed, taken, taken_by_inactive, write_scope,
};
use crate::error::{Error, Kind, Result};
use crate::ids;
use crate::scim::body;
use crate::scim::error::Error as ScimError;
use crate::scim::filter::parse::shortened;
use crate::scim::patch::{self, MemberChanges};
use crate::scim::resource::Resource;
use crate::scim::schema::{GROUPS, ResourceType, USERS};
use crate::scim::version::{Condition, Version};
use crate::store::audit::{Action, Detail};
use crate::store::unique::UniqueKey;

/// The work.
pub struct Simulation<'s> {
    pub caller: &'s Caller,
    /// The base that the request used.
    pub base: &'s str,
    pub facts: &'s Facts,
    pub now: i64,
    /// What POST operations make, by `bulkId`.
    pub made: &'s BTreeMap<String, Made>,
    /// The id for each operation that makes a resource.
    pub new_ids: &'s [String],
    /// What is taken for true of later operations.
    pub guess: &'s Guess,
    pub needs: Needs,
    pub states: BTreeMap<Key, State>,
    /// Touched resources in the order in which they were touched.
    pub order: Vec<Key>,
    pub(super) holders: BTreeMap<(UniqueKey, String), Option<String>>,
    pub events: Vec<Event>,
    pub outcomes: Vec<std::result::Result<Done, Error>>,
    /// Operations that fail for no other reason than what they refer to.
    pub by_reference: BTreeSet<usize>,
    pub(super) passwords: usize,
    /// Types of what is made, by its id.
    pub(super) made_types: BTreeMap<&'s str, &'static ResourceType>,
    /// The ids that this request may give.
    pub(super) fresh: BTreeSet<&'s str>,
}

impl<'s> Simulation<'s> {
    pub fn new(
        caller: &'s Caller,
        base: &'s str,
        facts: &'s Facts,
        now: i64,
        made: &'s BTreeMap<String, Made>,
        new_ids: &'s [String],
        guess: &'s Guess,
    ) -> Self {
        let made_types = made.values();
        Simulation {
            caller,
            base,
            facts,
            now,
            made,
            new_ids,
            guess,
            needs: Needs::default(),
            states: BTreeMap::new(),
            order: Vec::new(),
            holders: BTreeMap::new(),
            events: Vec::new(),
            outcomes: Vec::new(),
            by_reference: BTreeSet::new(),
            passwords: 0,
            made_types: made_types
                .map(|made| (made.id.as_str(), made.resource_type))
                .collect(),
            fresh: new_ids.iter().map(String::as_str).collect(),
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
                Ok(operation) => self.operation(index, operation),
                Err(error) => Err(error.clone()),
            };
            failures += usize::from(outcome.is_err());
            self.outcomes.push(outcome);
        }
    }

    /// An operation that refers to one that fails is tried all the same, for its own failure; but nothing comes of it.
    fn operation(&mut self, index: usize, operation: &Operation) -> Result<Done> {
        if self.guess.unresolved.contains(&index) {
            return Err(Error::new(
                Kind::Conflict,
                "the operation and a later one that it refers to exclude each other",
            ));
        }
        let broken = self.broken_reference(index, operation);
        match (self.effect(index, operation), broken) {
            (Ok(effect), None) => Ok(self.commit(effect)),
            (Ok(_), Some(broken)) => {
                self.by_reference.insert(index);
                Err(broken)
            }
            // What its path names is not there for no other reason.
            (Err(error), Some(broken))
                if error.kind == Kind::NotFound && operation.names_reference() =>
            {
                self.by_reference.insert(index);
                Err(broken)
            }
            (Err(error), _) => Err(error),
        }
    }

    fn broken_reference(&self, index: usize, operation: &Operation) -> Option<Error> {
        let fails = |made: &Made| match made.index.cmp(&index) {
            std::cmp::Ordering::Less => !matches!(self.outcomes.get(made.index), Some(Ok(_))),
            std::cmp::Ordering::Equal => false,
            std::cmp::Ordering::Greater => self.guess.blocked.contains(&index),
        };
        let broken = operation
            .references
            .iter()
            .find(|reference| self.made.get(*reference).is_some_and(fails))?;
        let detail = format!(
            "`bulkId:{}` refers to an operation that fails",
            shortened(broken)
        );
        Some(ScimError::value(detail).into())
    }

    fn effect(&mut self, index: usize, operation: &Operation) -> Result<Effect> {
        self.caller.require(write_scope(operation.resource_type))?;
        let unknown = |reference: &&String| !self.made.contains_key(*reference);
        if let Some(reference) = operation.references.iter().find(unknown) {
            return Err(ScimError::value(format!(
                "`bulkId:{}` refers to no resource that this request makes",
                shortened(reference)
            ))
            .into());
        }
        let id_of = |reference: &str| self.made.get(reference).map(|made| made.id.clone());
        let data = substitute(&operation.data, &id_of);
        let target = operation
            .target
            .as_deref()
            .map(|target| substitute_text(target, &id_of));
        let resource_type = operation.resource_type;
        match (operation.method, target) {
            (Method::Post, _) => self.create(index, resource_type, data),
            (_, target) => {
                let id = target
                    .and_then(|target| ids::canonical_uuid(&target))
                    .ok_or_else(|| Error::not_found(resource_type.name))?;
                self.change(index, operation, id, data)
            }
        }
    }

    fn create(
        &mut self,
        index: usize,
        resource_type: &'static ResourceType,
        data: Value,
    ) -> Result<Effect> {
        let id = self.new_ids.get(index).cloned().unwrap_or_default();
        let mut resource = body::read(resource_type, data, self.caller.profile())?;
        check_size(resource_type, &resource)?;
        let members = resource.members.take();
        let password = self.password(&mut resource)?;
        self.refuse_taken(resource_type, &id, &resource)?;
        let mut attributes: Vec<String> = resource.attributes.keys().cloned().collect();
        let mut detail = Detail::of(&attributes, &resource);
        let mut state = State {
            resource,
            version: Version(1),
            base: None,
            created: self.now,
            alive: true,
            changed: true,
            password,
            members: Plan::default(),
        };
        if let Some(members) = members.filter(|members| !members.is_empty()) {
            let changes = MemberChanges::adding(&members);
            detail = self.plan_members(index, &id, &mut state, &changes)?;
            attributes.extend(
                state
                    .members
                    .changes_anything()
                    .then(|| "members".to_owned()),
            );
        }
        Ok(Effect {
            status: 201,
            resource_type,
            id,
            before: None,
            state,
            event: Some((Action::Create, attributes, detail)),
        })
    }

    /// 409 where somebody has what a new resource alone may have; see `api::users` for an inactive one.
    fn refuse_taken(
        &mut self,
        resource_type: &'static ResourceType,
        id: &str,
        resource: &Resource,
    ) -> Result<()> {
        let Some((unique, key, name)) = self.unique_key(resource_type, resource) else {
            return Ok(());
        };
        let Some(holder) = self.holder(unique, &key).filter(|holder| holder != id) else {
            return Ok(());
        };
        let is_inactive = unique == UniqueKey::UserName
            && self.state(&USERS, &holder).is_some_and(|state| {
                state.resource.attributes.get("active") == Some(&false.into())
                    && state.resource.managed_by.is_none()
            });
        Err(match is_inactive {
            true => taken_by_inactive(self.base, &holder),
            false => taken(name),
        })
    }

    fn change(
        &mut self,
        index: usize,
        operation: &Operation,
        id: String,
        data: Value,
    ) -> Result<Effect> {
        let (method, resource_type) = (operation.method, operation.resource_type);
        let before = self
            .state(resource_type, &id)
            .ok_or_else(|| Error::not_found(resource_type.name))?;
        check(operation.condition.as_ref(), before.version)?;
        refuse_managed(&before.resource)?;
        let was = Some(before.resource.clone());
        if method == Method::Delete {
            return Ok(Effect {
                status: 204,
                resource_type,
                id,
                before: was,
                state: State {
                    alive: false,
                    changed: true,
                    ..before
                },
                event: Some((Action::Delete, Vec::new(), Detail::default())),
            });
        }
        let (mut resource, changes) = self.wanted(method, resource_type, &id, &before, data)?;
        check_size(resource_type, &resource)?;
        let password = self.password(&mut resource)?;
        let mut state = before.clone();
        let members = self.plan_members(index, &id, &mut state, &changes)?;
        let members_differ = state.members != before.members;
        let mut event = None;
        if resource != before.resource || members_differ || password.is_some() {
            let kept = self.unique_key(resource_type, &before.resource);
            let wanted = self.unique_key(resource_type, &resource);
            if wanted != kept
                && let Some((unique, key, name)) = wanted
                && self.holder(unique, &key).is_some_and(|holder| holder != id)
            {
                return Err(taken(name));
            }
            let mut attributes = differing(&before.resource, &resource);
            let detail = match resource_type.name == GROUPS.name {
                true => members,
                false => Detail::of(&attributes, &resource),
            };
            attributes.extend(members_differ.then(|| "members".to_owned()));
            state.resource = resource;
            state.version = Version(before.version.0 + 1);
            state.changed = true;
            state.password = password.or(state.password);
            let action = match method {
                Method::Put => Action::Replace,
                _ => Action::Patch,
            };
            event = Some((action, attributes, detail));
        }
        Ok(Effect {
            status: 200,
            resource_type,
            id,
            before: was,
            state,
            event,
        })
    }

    /// The resource that a PUT or PATCH wants, and what it wants of the members.
    fn wanted(
        &self,
        method: Method,
        resource_type: &'static ResourceType,
        id: &str,
        before: &State,
        data: Value,
    ) -> Result<(Resource, MemberChanges)> {
        let profile = self.caller.profile();
        if method == Method::Patch {
            let operations = patch::parse(data, resource_type, id, profile)?;
            let mut resource = before.resource.clone();
            patch::apply(&operations, resource_type, &mut resource, profile)?;
            return Ok((resource, MemberChanges::of(&operations, profile)?));
        }
        let before = Some(&before.resource);
        let mut resource = body::read_over(resource_type, data, before, profile)?;
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

    /// Turns what is wanted of the members into rows to add and to take away; gives who comes and who goes.
    fn plan_members(
        &mut self,
        index: usize,
        group: &str,
        state: &mut State,
        changes: &MemberChanges,
    ) -> Result<Detail> {
        let profile = self.caller.profile();
        let plan = Plan::new(
            changes,
            &mut MembersSoFar {
                simulation: self,
                index,
                group,
                is_stored: state.base.is_some(),
                plan: &state.members,
            },
            profile,
        )?;
        let detail = plan.detail();
        state.members.then(plan);
        Ok(detail)
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
