//! The writing batch of a Bulk request: what is gone first, so that its names are free, then what there is.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::simulation::{Simulation, State};
use crate::api::authenticate::Caller;
use crate::api::call::Call;
use crate::api::password;
use crate::error::Result;
use crate::scim::resource::Resource;
use crate::scim::schema::{GROUPS, RESOURCE_TYPES, ResourceType, USERS};
use crate::scim::version::Version;
use crate::store::Statement;
use crate::store::audit::Totals;
use crate::store::bulk::{self, Membership, Saved};

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
    let mut guards = Vec::new();
    let mut gone = Vec::new();
    let mut saved = Vec::new();
    for resource_type in RESOURCE_TYPES {
        let touched = touched(simulation, resource_type);
        guards.extend(bulk::guard_versions(
            tenant,
            resource_type,
            &read_versions(&touched),
        ));
        let dead: Vec<String> = touched
            .iter()
            .filter(|(_, state)| !state.alive && state.base.is_some())
            .map(|(id, _)| (*id).clone())
            .collect();
        gone.extend(bulk::delete_all(tenant, resource_type, &dead, call.now));
        let living: Vec<&(&String, &State)> = touched
            .iter()
            .filter(|(_, state)| state.alive && state.changed)
            .collect();
        let hashes = living
            .iter()
            .map(|(_, state)| password::hash(call, caller, state.password.clone()))
            .collect::<Result<Vec<_>>>()?;
        let rows: Vec<Saved<'_>> = living
            .iter()
            .zip(&hashes)
            .map(|((id, state), hash)| Saved {
                id,
                provider_id: &caller.provider_id,
                version: state.version,
                base: state.base,
                created: state.created,
                resource: &state.resource,
                password_hash: hash.as_deref(),
                unique_name: !caller.profile().is_strict(),
                member_difference: difference(state),
            })
            .collect();
        let renamed: Vec<String> = living
            .iter()
            .filter(|(id, state)| is_renamed(simulation, resource_type, id, state))
            .map(|(id, _)| (*id).clone())
            .collect();
        gone.extend(bulk::vacate(tenant, resource_type, &renamed));
        saved.extend(match resource_type.name == USERS.name {
            true => bulk::save_users(tenant, &rows, call.now),
            false => bulk::save_groups(tenant, &rows, call.now),
        });
    }
    let events = simulation.events.iter().map(|event| {
        json!([
            event.action.name(),
            event.resource_type.name,
            event.id,
            event.attributes
        ])
    });
    let mut batch = guards;
    batch.extend(existence(caller, simulation));
    batch.extend(gone);
    batch.extend(saved);
    batch.extend(memberships(caller, simulation));
    batch.extend(bulk::append_events(
        tenant,
        &caller.origin(call),
        totals(simulation),
        events.collect::<Vec<Value>>(),
    ));
    Ok(batch)
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

/// Whether a resource that was there gives up a value that no other may have.
fn is_renamed(
    simulation: &Simulation<'_>,
    resource_type: &'static ResourceType,
    id: &str,
    state: &State,
) -> bool {
    let Some(Some(stored)) = simulation.facts.resource(resource_type, id) else {
        return false;
    };
    let before = Resource::from_stored(&stored.resource).unwrap_or_default();
    simulation.unique_keys(resource_type, &before)
        != simulation.unique_keys(resource_type, &state.resource)
}

fn read_versions(touched: &[(&String, &State)]) -> Vec<(String, Version)> {
    touched
        .iter()
        .filter_map(|(id, state)| Some(((*id).clone(), state.base?)))
        .collect()
}

fn difference(state: &State) -> i64 {
    let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
    count(state.add.len()) - count(state.remove.len())
}

fn living_groups<'s>(
    simulation: &'s Simulation<'_>,
) -> impl Iterator<Item = (&'s String, &'s State)> {
    touched(simulation, &GROUPS)
        .into_iter()
        .filter(|(_, state)| state.alive)
}

/// Members that this request did not make itself have to be there still.
fn existence(caller: &Caller, simulation: &Simulation<'_>) -> Vec<Statement> {
    let mut statements = Vec::new();
    for resource_type in RESOURCE_TYPES {
        let wanted: BTreeSet<String> = living_groups(simulation)
            .flat_map(|(_, state)| &state.add)
            .filter(|(id, kind)| {
                let key = (resource_type.name, (*id).clone());
                **kind == resource_type.name && !simulation.states.contains_key(&key)
            })
            .map(|(id, _)| id.clone())
            .collect();
        statements.extend(bulk::guard_existence(
            &caller.tenant,
            resource_type,
            &wanted,
        ));
    }
    statements
}

fn memberships(caller: &Caller, simulation: &Simulation<'_>) -> Vec<Statement> {
    let removed: Vec<(String, String)> = living_groups(simulation)
        .flat_map(|(group, state)| state.remove.iter().map(|id| (group.clone(), id.clone())))
        .collect();
    let added: Vec<Membership<'_>> = living_groups(simulation)
        .flat_map(|(group, state)| {
            state.add.iter().map(|(member, kind)| Membership {
                group,
                member,
                kind,
            })
        })
        .collect();
    let mut statements = bulk::delete_members(&caller.tenant, &removed);
    statements.extend(bulk::insert_members(&caller.tenant, &added));
    statements
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
