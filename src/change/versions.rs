//! The versions that operations of a request say groups have. A plan counts them from what it has read; what others did meanwhile, and which
//! groups lose somebody who is deleted, only the database knows.

use super::batch::touched;
use super::plan::Plan;
use super::rows::groups;
use super::state::{Base, Done};
use crate::error::Result;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::scim::schema::GROUPS;
use crate::scim::version::Version;
use crate::store::members::select_memberships;
use crate::store::{Rows, Statement};

/// What is asked before anything is written: the memberships of those who are deleted, where a later intent tells a group's version.
pub fn ask_before(plan: &Plan<'_>) -> Vec<Statement> {
    let mut deleted = OrderedSet::new();
    let mut is_told = false;
    for done in plan.outcomes.iter().flatten() {
        match done.version {
            None => {
                deleted.insert(&done.id);
            }
            Some(_) => is_told |= is_group(done) && !deleted.is_empty(),
        }
    }
    match is_told {
        true => select_memberships(&plan.account.terms.tenant, deleted),
        false => Vec::new(),
    }
}

/// What is asked once all is written: the versions of groups that nothing held at the version from which they were counted.
pub fn ask_after(plan: &Plan<'_>) -> Vec<Statement> {
    let drifting: Vec<String> = touched(plan, &GROUPS)
        .into_iter()
        .filter(|(_, state)| {
            let is_loose = matches!(state.base, Base::Known(_)) && !state.rests_on_version;
            state.alive && is_loose && state.gain() > 0
        })
        .map(|(id, _)| id.clone())
        .collect();
    groups::select_versions(&plan.account.terms.tenant, &drifting)
}

/// Puts the versions right, given the answers. A group is another one from the deletion of a member on, and not before it.
pub fn correct(
    outcomes: &mut [Result<Done>],
    plan: &Plan<'_>,
    before: &[Rows],
    after: &[Rows],
) -> Result<()> {
    let losses = losses(outcomes, plan, before)?;
    let mut drifts = OrderedMap::new();
    for row in after.iter().flat_map(|rows| &rows.rows) {
        let (id, version) = (row.text("id")?, row.integer("version")?);
        if let Some(state) = plan.account.states.get(&(GROUPS.name, id.clone())) {
            let lost = losses.get(&id).map_or(0, |lost| count(lost.iter()));
            drifts.insert(id, version - state.version.0 - lost);
        }
    }
    for (index, done) in outcomes.iter_mut().enumerate() {
        if let Ok(done) = done
            && is_group(done)
            && let Some(version) = done.version
        {
            let lost = losses.get(&done.id).into_iter().flatten();
            let lost = count(lost.filter(|deletion| **deletion < index));
            let drift = drifts.get(&done.id).copied().unwrap_or_default();
            done.version = Some(Version(version.0 + drift + lost));
        }
    }
    Ok(())
}

/// By which intents, by their numbers, a group loses somebody who is deleted. Who has left it by an earlier intent is counted there.
fn losses(
    outcomes: &[Result<Done>],
    plan: &Plan<'_>,
    before: &[Rows],
) -> Result<OrderedMap<String, Vec<usize>>> {
    let deletion = |(index, done): (usize, &Result<Done>)| {
        let done = done.as_ref().ok()?;
        done.version.is_none().then(|| (done.id.clone(), index))
    };
    let deletions: OrderedMap<String, usize> =
        outcomes.iter().enumerate().filter_map(deletion).collect();
    let mut losses: OrderedMap<String, Vec<usize>> = OrderedMap::new();
    for row in before.iter().flat_map(|rows| &rows.rows) {
        let (group, id) = (row.text("group_id")?, row.text("id")?);
        let state = plan.account.states.get(&(GROUPS.name, group.clone()));
        let has_left = state.is_some_and(|state| state.members.remove.contains_key(&id));
        if let Some(index) = deletions.get(&id).filter(|_| !has_left) {
            losses.or_default(group).push(*index);
        }
    }
    Ok(losses)
}

fn is_group(done: &Done) -> bool {
    done.resource_type.name == GROUPS.name
}

fn count<T>(several: impl Iterator<Item = T>) -> i64 {
    i64::try_from(several.count()).unwrap_or(i64::MAX)
}
