//! The writing batch of a Bulk request: what is gone first, so that its names are free, then what there is.

use super::simulation::Simulation;
use super::states::State;
use crate::api::http::authenticate::Caller;
use crate::api::http::call::Call;
use crate::api::scim::group_members;
use crate::api::scim::password;
use crate::error::Result;
use crate::scim::resource::Resource;
use crate::scim::schema::{GROUPS, RESOURCE_TYPES, ResourceType, USERS};
use crate::store::audit::{self, Event, Totals};
use crate::store::groups::{self, GroupRow};
use crate::store::users::{self, UserRow};
use crate::store::{Statement, guards, resources, unique};

/// All statements, none where nothing changes.
pub fn statements(
    call: &Call<'_>,
    caller: &Caller,
    simulation: &Simulation<'_>,
) -> Result<Vec<Statement>> {
    if simulation.events.is_empty() {
        return Ok(Vec::new());
    }
    let tenant = &caller.tenant;
    let mut batch = Vec::new();
    let mut gone = Vec::new();
    let mut saved = Vec::new();
    for resource_type in RESOURCE_TYPES {
        let touched = touched(simulation, resource_type);
        let read = touched.iter();
        let read = read.filter_map(|(id, state)| Some((id.as_str(), state.base?)));
        batch.extend(guards::versions(tenant, resource_type, read));
        gone.extend(deleted(call, caller, simulation, resource_type, &touched));
        let living = living(simulation, resource_type, &touched);
        let renamed: Vec<String> = living
            .iter()
            .filter(|living| living.is_renamed(simulation, resource_type))
            .map(|living| living.id.clone())
            .collect();
        gone.extend(unique::vacate(tenant, resource_type, &renamed));
        saved.extend(match resource_type.name == USERS.name {
            true => save_users(call, caller, &living)?,
            false => save_groups(call, caller, &living),
        });
    }
    let groups = touched(simulation, &GROUPS);
    let plans = groups
        .iter()
        .filter(|(_, state)| state.alive)
        .map(|(id, state)| (id.as_str(), &state.members));
    // Members that this request did not make itself have to be there still.
    let is_made = |resource_type: &ResourceType, id: &str| {
        let key = (resource_type.name, id.to_owned());
        simulation.states.contains_key(&key)
    };
    let wanted = plans.clone().map(|(_, plan)| plan);
    batch.extend(group_members::existence(tenant, wanted, is_made));
    batch.extend(gone);
    batch.extend(saved);
    batch.extend(group_members::rows(tenant, plans));
    let events: Vec<Event<'_>> = simulation
        .events
        .iter()
        .map(|event| Event {
            action: event.action,
            resource_type: event.resource_type.name,
            resource_id: &event.id,
            attributes: event.attributes.clone(),
            detail: event.detail.clone(),
        })
        .collect();
    let totals = totals(simulation);
    batch.extend(audit::append(tenant, &caller.origin(call), totals, &events));
    Ok(batch)
}

/// A resource to be written.
struct Living<'s> {
    id: &'s String,
    state: &'s State,
    /// What it was; none of a new one.
    before: Option<Resource>,
}

impl Living<'_> {
    /// Whether it gives up a value that no other may have.
    fn is_renamed(
        &self,
        simulation: &Simulation<'_>,
        resource_type: &'static ResourceType,
    ) -> bool {
        let key = |resource| simulation.unique_key(resource_type, resource);
        self.before
            .as_ref()
            .is_some_and(|before| key(before) != key(&self.state.resource))
    }

    fn gain(&self) -> i64 {
        self.state.version.0 - self.state.base.map_or(0, |base| base.0)
    }
}

fn living<'s>(
    simulation: &'s Simulation<'_>,
    resource_type: &ResourceType,
    touched: &[(&'s String, &'s State)],
) -> Vec<Living<'s>> {
    touched
        .iter()
        .filter(|(_, state)| state.alive && state.changed)
        .map(|(id, state)| Living {
            id,
            state,
            before: stored(simulation, resource_type, id),
        })
        .collect()
}

/// A resource as the database has it.
fn stored(simulation: &Simulation<'_>, resource_type: &ResourceType, id: &str) -> Option<Resource> {
    let stored = simulation.facts.resource(resource_type, id)?.as_ref()?;
    Some(Resource::from_stored(&stored.resource).unwrap_or_default())
}

fn save_users(call: &Call<'_>, caller: &Caller, living: &[Living<'_>]) -> Result<Vec<Statement>> {
    let hashes = living
        .iter()
        .map(|user| password::hash(call, caller, user.state.password.clone()))
        .collect::<Result<Vec<_>>>()?;
    let rows: Vec<UserRow<'_>> = living
        .iter()
        .zip(&hashes)
        .map(|(user, hash)| UserRow {
            id: user.id,
            provider_id: &caller.provider_id,
            created: user.state.created,
            gain: user.gain(),
            before: user.before.as_ref(),
            resource: &user.state.resource,
            password_hash: hash.as_deref(),
        })
        .collect();
    Ok(users::save(&caller.tenant, &rows, call.now))
}

fn save_groups(call: &Call<'_>, caller: &Caller, living: &[Living<'_>]) -> Vec<Statement> {
    let rows: Vec<GroupRow<'_>> = living
        .iter()
        .map(|group| GroupRow {
            id: group.id,
            provider_id: &caller.provider_id,
            created: group.state.created,
            gain: group.gain(),
            resource: &group.state.resource,
            unique_name: !caller.profile().is_strict(),
            members: group.state.members.difference(),
        })
        .collect();
    groups::save(&caller.tenant, &rows, call.now)
}

/// Deletes what the database has and no more is. A tombstone says the `externalId` that the resource had last, and that may be
/// one that it was only given by this request.
fn deleted(
    call: &Call<'_>,
    caller: &Caller,
    simulation: &Simulation<'_>,
    resource_type: &ResourceType,
    touched: &[(&String, &State)],
) -> Vec<Statement> {
    let external_id = |resource: &Resource| {
        let external_id = resource.attributes.get("externalId")?.as_str()?;
        Some(external_id.to_owned())
    };
    let mut ids = Vec::new();
    let mut changed = Vec::new();
    for (id, state) in touched {
        if state.alive || state.base.is_none() {
            continue;
        }
        ids.push((*id).clone());
        let before = stored(simulation, resource_type, id);
        let last = external_id(&state.resource);
        if before.is_some_and(|before| external_id(&before) != last) {
            changed.push(((*id).clone(), last));
        }
    }
    let tenant = &caller.tenant;
    let mut statements = resources::delete(tenant, resource_type, &ids, call.now);
    statements.extend(resources::correct_tombstones(
        tenant,
        resource_type,
        &changed,
    ));
    statements
}

/// The resources of a type, in the order in which they were touched.
fn touched<'s>(
    simulation: &'s Simulation<'_>,
    resource_type: &ResourceType,
) -> Vec<(&'s String, &'s State)> {
    simulation
        .order
        .iter()
        .filter(|(name, _)| *name == resource_type.name)
        .filter_map(|key| Some((&key.1, simulation.states.get(key)?)))
        .collect()
}

/// By how much the tenant's counters change.
fn totals(simulation: &Simulation<'_>) -> Totals {
    let count = |resource_type: &ResourceType| {
        touched(simulation, resource_type)
            .into_iter()
            .map(|(_, state)| match (state.base.is_some(), state.alive) {
                (false, true) => 1,
                (true, false) => -1,
                _ => 0,
            })
            .sum()
    };
    Totals {
        users: count(&USERS),
        groups: count(&GROUPS),
    }
}
