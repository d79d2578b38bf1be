//! A plan as one batch: the guards for all that it rests on, then what is gone, so that its names are free, then what there is.

use super::audit::{self, Event, Totals};
use super::author::{Mandate, Terms};
use super::facts::Key;
use super::intent::Intent;
use super::member_plan::{MemberPlan, grounds};
use super::plan::Plan;
use super::rows::groups::{self, GroupRow, MemberCount};
use super::rows::members::{self, Membership};
use super::rows::revisions::{self, Changed};
use super::rows::users::{self, UserRow};
use super::rows::{deletion, keys, names, own_values};
use super::state::{Base, State};
use crate::error::Result;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::scim::resource::Resource;
use crate::scim::schema::{GROUPS, RESOURCE_TYPES, ResourceType, USERS};
use crate::scim::version::Condition;
use crate::store::Statement;
use crate::store::guards::{self, Manager};
use crate::store::members::Pair;
use crate::store::unique::UniqueKey;

/// Hashes of passwords, by the passwords.
pub type Hashes = OrderedMap<String, String>;

/// All statements; none where nothing is to be written.
pub fn statements(plan: &Plan<'_>, hashes: &Hashes) -> Vec<Statement> {
    if plan.is_idle() {
        return Vec::new();
    }
    let terms = plan.account.terms;
    let (tenant, now) = (&terms.tenant, terms.origin.at);
    let mut batch = Vec::new();
    let mut gone = Vec::new();
    let mut saved = Vec::new();
    for resource_type in RESOURCE_TYPES {
        let touched = touched(plan, resource_type);
        batch.extend(held(plan, resource_type, &touched));
        gone.extend(deleted(plan, resource_type, &touched));
        let revived = touched.iter().filter(|(_, state)| state.is_revived());
        let revived = revived.map(|(id, _)| *id);
        gone.extend(deletion::revive(tenant, resource_type, revived));
        let rewritten: Vec<&(&String, &State)> = touched
            .iter()
            .filter(|(_, state)| state.alive && state.is_rewritten)
            .collect();
        let named = new_names(plan, resource_type, &rewritten);
        let renamed: Vec<String> = named
            .iter()
            .filter(|name| !name.is_new)
            .map(|name| name.id.clone())
            .collect();
        gone.extend(names::vacate(tenant, resource_type, &renamed));
        let names = |unique| {
            let of_kind = named.iter().filter(move |name| name.unique == Some(unique));
            of_kind.map(|name| (name.id.as_str(), name.key.as_str()))
        };
        for unique in UniqueKey::ALL {
            saved.extend(keys::guard_former(tenant, unique, names(unique)));
        }
        saved.extend(match resource_type.name == USERS.name {
            true => save_users(terms, &rewritten, hashes),
            false => save_groups(terms, &rewritten),
        });
        saved.extend(rewrite_own_values(terms, resource_type, &rewritten));
    }
    let groups = touched(plan, &GROUPS);
    let living = groups.iter().filter(|(_, state)| state.alive);
    let counted = living.clone().filter(|(_, state)| !state.is_rewritten);
    let counts: Vec<MemberCount<'_>> = counted
        .filter(|(_, state)| state.gain() > 0)
        .map(|(id, state)| MemberCount {
            id,
            gain: state.gain(),
            difference: state.members.difference(),
        })
        .collect();
    saved.extend(groups::recount(tenant, &counts, now));
    let plans: Vec<(&str, &MemberPlan)> = living
        .map(|(id, state)| (id.as_str(), &state.members))
        .collect();
    batch.extend(member_guards(plan, &plans));
    batch.extend(kept(plan));
    // Who has left a group before being deleted is none whom the group loses by that.
    batch.extend(leaving_members(terms, &plans));
    batch.extend(gone);
    batch.extend(saved);
    batch.extend(staying_members(terms, &plans));
    let events: Vec<Event<'_>> = plan
        .account
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
    if !events.is_empty() {
        let append = match terms.mandate.is_client() {
            true => audit::append_of_client,
            false => audit::append,
        };
        batch.extend(append(tenant, &terms.origin, totals(plan), &events));
    }
    batch
}

/// What resources are before the batch, for their history: of each that an event tells of, once, by the last of its events.
fn kept(plan: &Plan<'_>) -> Vec<Statement> {
    let terms = plan.account.terms;
    let events = plan.account.events.iter();
    let places: OrderedMap<(&str, &str), i64> = (1..)
        .zip(events)
        .map(|(place, event)| ((event.resource_type.name, event.id.as_str()), place))
        .collect();
    let mut statements = Vec::new();
    for resource_type in RESOURCE_TYPES {
        let mut changed = Vec::new();
        let mut gone = Vec::new();
        for (id, state) in touched(plan, resource_type) {
            let Some(place) = places.get(&(resource_type.name, id.as_str())) else {
                continue;
            };
            match (state.alive, state.is_new()) {
                (true, _) => changed.push(Changed {
                    place: *place,
                    id,
                    is_rewritten: state.is_rewritten,
                    members: &state.members,
                }),
                (false, false) => gone.push((*place, id.as_str())),
                // Made and deleted by the same batch.
                (false, true) => {}
            }
        }
        let (tenant, origin) = (&terms.tenant, &terms.origin);
        statements.extend(revisions::keep(tenant, origin, resource_type, &changed));
        statements.extend(revisions::keep_deleted(
            tenant,
            origin,
            resource_type,
            &gone,
        ));
    }
    statements
}

/// The resources of a type, in the order in which they were touched.
pub fn touched<'p>(
    plan: &'p Plan<'_>,
    resource_type: &ResourceType,
) -> Vec<(&'p String, &'p State)> {
    plan.account
        .order
        .iter()
        .filter(|(name, _)| *name == resource_type.name)
        .filter_map(|key: &Key| Some((&key.1, plan.account.states.get(key)?)))
        .collect()
}

/// The guards that what is there is still what the plan rests on.
fn held(
    plan: &Plan<'_>,
    resource_type: &'static ResourceType,
    touched: &[(&String, &State)],
) -> Vec<Statement> {
    let tenant = &plan.account.terms.tenant;
    let mut statements = Vec::new();
    let mut versions = Vec::new();
    let mut present = OrderedSet::new();
    for (id, state) in touched {
        match &state.base {
            Base::New => {}
            Base::Unseen if is_held_by_deletion(plan, state) => {}
            Base::Unseen if plan.account.terms.mandate.is_client() => {
                let condition = condition(plan);
                statements.extend(guards::precondition(tenant, resource_type, id, condition));
            }
            Base::Unseen => {
                present.insert(*id);
            }
            Base::Known(seen) if state.rests_on_version => {
                let stored = &seen.stored;
                versions.push((id.as_str(), stored.version, Some(stored.created)));
            }
            Base::Known(_) if state.members != MemberPlan::default() || state.gain() > 0 => {
                present.insert(*id);
            }
            Base::Known(_) => {}
        }
    }
    statements.extend(guards::versions(tenant, resource_type, versions));
    let manager = match &plan.account.terms.mandate {
        Mandate::Client => Manager::Nobody,
        Mandate::Directory(provider) => Manager::Provider(provider),
        Mandate::Mappings | Mandate::Administrator => Manager::Anybody,
    };
    statements.extend(guards::presence(tenant, resource_type, manager, present));
    statements
}

/// The condition of an intent that is alone.
fn condition<'p>(plan: &'p Plan<'_>) -> Option<&'p Condition> {
    let intent: Option<&Intent> = plan.intents.iter().flatten().next();
    intent?.condition.as_ref()
}

/// Whether the statement that deletes a resource holds that a client may do so.
fn is_held_by_deletion(plan: &Plan<'_>, state: &State) -> bool {
    let is_unseen = matches!(state.base, Base::Unseen) && !state.alive;
    let is_any = !matches!(condition(plan), Some(Condition::OneOf(_)));
    is_unseen && is_any && plan.account.terms.mandate.is_client()
}

/// A name that a resource has not had so far.
struct NewName {
    id: String,
    key: String,
    /// None where others may have it too.
    unique: Option<UniqueKey>,
    /// Whether the resource is new.
    is_new: bool,
}

/// The names that resources are given, or give up.
fn new_names(
    plan: &Plan<'_>,
    resource_type: &'static ResourceType,
    rewritten: &[&(&String, &State)],
) -> Vec<NewName> {
    let named = |(id, state): &&(&String, &State)| {
        let key = |resource: &Resource| plan.account.unique_key(resource_type, resource);
        let before = state.before().and_then(|before| key(before));
        let after = key(&state.resource);
        let of = |name: &Option<(UniqueKey, String, &'static str)>| {
            name.as_ref().map(|(_, key, _)| key.clone())
        };
        (of(&before) != of(&after)).then(|| NewName {
            id: (*id).clone(),
            key: of(&after).unwrap_or_default(),
            unique: after.map(|(unique, ..)| unique),
            is_new: state.is_new(),
        })
    };
    rewritten.iter().filter_map(named).collect()
}

fn save_users(terms: &Terms, rewritten: &[&(&String, &State)], hashes: &Hashes) -> Vec<Statement> {
    let hash = |state: &State| Some(hashes.get(state.password.as_ref()?)?.as_str());
    let rows = rewritten.iter().map(|(id, state)| UserRow {
        id,
        provider_id: state.provider_id.as_ref().unwrap_or(&terms.provider_id),
        created: state.created,
        gain: state.gain(),
        before: state.before().map(|before| &**before),
        resource: &state.resource,
        password_hash: hash(state),
    });
    users::save(
        &terms.tenant,
        terms.shape(&USERS),
        &rows.collect::<Vec<_>>(),
        terms.origin.at,
    )
}

/// The rows by which resources are looked up by something of the tenant's own.
fn rewrite_own_values(
    terms: &Terms,
    resource_type: &'static ResourceType,
    rewritten: &[&(&String, &State)],
) -> Vec<Statement> {
    let resources = rewritten.iter().map(|(id, state)| {
        let before = state.before().map(|before| &**before);
        (id.as_str(), before, &*state.resource)
    });
    own_values::rewrite(&terms.tenant, terms.shape(resource_type), resources)
}

fn save_groups(terms: &Terms, rewritten: &[&(&String, &State)]) -> Vec<Statement> {
    let rows = rewritten.iter().map(|(id, state)| GroupRow {
        id,
        provider_id: state.provider_id.as_ref().unwrap_or(&terms.provider_id),
        created: state.created,
        gain: state.gain(),
        resource: &state.resource,
        unique_name: !terms.profile.is_strict(),
        members: state.members.difference(),
    });
    groups::save(
        &terms.tenant,
        terms.shape(&GROUPS),
        &rows.collect::<Vec<_>>(),
        terms.origin.at,
    )
}

/// Deletes what the database has and no more is. A tombstone says the `externalId` that the resource had last, and that may be
/// one that it was only given by this request.
fn deleted(
    plan: &Plan<'_>,
    resource_type: &'static ResourceType,
    touched: &[(&String, &State)],
) -> Vec<Statement> {
    let external_id = |resource: &Resource| {
        let external_id = resource.attributes.get("externalId")?.as_str()?;
        Some(external_id.to_owned())
    };
    let mut gone = Vec::new();
    let mut changed = Vec::new();
    for (id, state) in touched {
        if state.alive || state.is_new() {
            continue;
        }
        gone.push(((*id).clone(), is_held_by_deletion(plan, state)));
        let last = external_id(&state.resource);
        if state
            .before()
            .is_some_and(|before| external_id(before) != last)
        {
            changed.push(((*id).clone(), last));
        }
    }
    let terms = plan.account.terms;
    let tenant = &terms.tenant;
    let mut statements = deletion::delete(tenant, resource_type, &gone, terms.origin.at);
    if terms.shape(resource_type).has_lookups() {
        let ids: Vec<String> = gone.iter().map(|(id, _)| id.clone()).collect();
        statements.extend(own_values::forget(tenant, &ids));
    }
    statements.extend(deletion::correct_tombstones(
        tenant,
        resource_type,
        &changed,
    ));
    statements
}

/// The guards that those who come are there, but for those that the batch itself makes, and that those who go are members.
fn member_guards(plan: &Plan<'_>, plans: &[(&str, &MemberPlan)]) -> Vec<Statement> {
    let tenant = &plan.account.terms.tenant;
    let mut statements = Vec::new();
    for resource_type in RESOURCE_TYPES {
        let is_held = |id: &String| {
            let state = plan.account.states.get(&(resource_type.name, id.clone()));
            state.is_some_and(|state| state.is_new() || state.rests_on_version)
        };
        let wanted: OrderedSet<&String> = plans
            .iter()
            .flat_map(|(_, plan)| &plan.add)
            .filter(|(id, kind)| **kind == resource_type.name && !is_held(id))
            .map(|(id, _)| id)
            .collect();
        statements.extend(guards::existence(tenant, resource_type, wanted));
    }
    let gone = plans.iter().flat_map(|(group, plan)| {
        let gone = plan.remove.iter();
        gone.map(|(id, granted)| (*group, id.as_str(), *granted))
    });
    statements.extend(guards::memberships(tenant, gone));
    statements
}

/// The rows of groups' members to delete.
fn leaving_members(terms: &Terms, plans: &[(&str, &MemberPlan)]) -> Vec<Statement> {
    let pairs = plans.iter().flat_map(|(group, plan)| {
        let gone = plan.remove.keys();
        gone.map(|id| ((*group).to_owned(), id.clone()))
    });
    members::delete(&terms.tenant, &pairs.collect::<Vec<Pair>>())
}

/// The rows of groups' members to change and to insert.
fn staying_members(terms: &Terms, plans: &[(&str, &MemberPlan)]) -> Vec<Statement> {
    let mut regraded: Vec<(Pair, i64)> = Vec::new();
    for (group, plan) in plans {
        let pair = |id: &String| ((*group).to_owned(), id.clone());
        let stay = plan.regrade.iter();
        regraded.extend(stay.map(|(id, granted)| (pair(id), *granted)));
    }
    let new: Vec<Membership<'_>> = plans
        .iter()
        .flat_map(|(group, plan)| {
            plan.add.iter().map(move |(member, kind)| Membership {
                group,
                member,
                kind,
            })
        })
        .collect();
    let tenant = &terms.tenant;
    let mut statements = members::insert(tenant, grounds(&terms.mandate), &new);
    statements.extend(members::regrade(tenant, &regraded));
    // A directory's groups are what they are there.
    if matches!(terms.mandate, Mandate::Client | Mandate::Administrator) {
        let inner = new.iter().filter(|new| new.kind == GROUPS.name);
        let pairs = inner.map(|new| (new.group, new.member));
        statements.extend(guards::nesting(tenant, pairs));
    }
    statements
}

/// By how much the tenant's counters change.
fn totals(plan: &Plan<'_>) -> Totals {
    let count = |resource_type: &ResourceType| {
        touched(plan, resource_type)
            .into_iter()
            .map(|(_, state)| match (state.is_new(), state.alive) {
                (true, true) => 1,
                (false, false) => -1,
                _ => 0,
            })
            .sum()
    };
    Totals {
        users: count(&USERS),
        groups: count(&GROUPS),
        removals: plan.account.removals,
    }
}

/// Hashes the passwords that a plan keeps, each once.
pub fn hash_passwords(
    plan: &Plan<'_>,
    hashes: &mut Hashes,
    hash: impl Fn(&str) -> Result<String>,
) -> Result<()> {
    let states = plan.account.states.values().filter(|state| state.alive);
    for password in states.filter_map(|state| state.password.as_ref()) {
        if !hashes.contains_key(password) {
            hashes.insert(password.clone(), hash(password)?);
        }
    }
    Ok(())
}
