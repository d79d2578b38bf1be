//! Which operations of a Bulk request hold, where some refer to what later ones make.
//!
//! Operations are tried in order. A reference backwards is to an operation whose end is known; one forwards is to an operation
//! whose end is guessed, at first for a success. What the operations came to then gives the next guess, until a guess proves true.
//! What failed only under a wrong guess, say because a name was taken by an operation that fails itself, so gets its due.

use std::collections::{BTreeMap, BTreeSet};

use super::Method;
use super::request::Entry;
use super::simulation::Simulation;
use crate::scim::schema::ResourceType;

/// How many guesses may be wrong before operations that cannot agree are given up.
const PATIENCE: usize = 12;

/// A resource that a POST operation makes.
#[derive(Debug, Clone)]
pub struct Made {
    /// The number of the operation.
    pub index: usize,
    pub id: String,
    pub resource_type: &'static ResourceType,
}

/// What is taken for true before the operations are tried.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Guess {
    /// Operations that refer forwards to one that fails.
    pub blocked: BTreeSet<usize>,
    /// Operations that are given up: they hold only where what they refer to fails (RFC 7644 §3.7.1 lets a server stop there).
    pub unresolved: BTreeSet<usize>,
    /// How many guesses were wrong so far.
    wrong: usize,
}

impl Guess {
    /// What the POST operations make, by `bulkId`.
    pub fn made(&self, entries: &[Entry], new_ids: &[String]) -> BTreeMap<String, Made> {
        let made = entries.iter().zip(new_ids).enumerate();
        made.filter_map(|(index, (entry, new_id))| {
            let operation = entry.operation.as_ref().ok()?;
            let made = Made {
                index,
                id: new_id.clone(),
                resource_type: operation.resource_type,
            };
            (operation.method == Method::Post).then_some((entry.bulk_id.clone()?, made))
        })
        .collect()
    }

    /// The next guess, given what came of this one; none where it was right.
    pub fn next(&self, entries: &[Entry], simulation: &Simulation<'_>) -> Option<Guess> {
        let forward = forward_references(entries, simulation.made);
        let failing = failing(entries, simulation);
        let blocked: BTreeSet<usize> = forward
            .iter()
            .filter(|(_, targets)| !targets.is_disjoint(&failing))
            .map(|(index, _)| *index)
            .collect();
        if blocked == self.blocked {
            return None;
        }
        let mut unresolved = self.unresolved.clone();
        let wrong = self.wrong + 1;
        if wrong.is_multiple_of(PATIENCE) {
            let undecided: Vec<usize> = match wrong < 3 * PATIENCE {
                true => blocked
                    .symmetric_difference(&self.blocked)
                    .copied()
                    .collect(),
                false => Vec::new(),
            };
            // Without operations that refer forwards there is nothing to guess.
            match undecided.is_empty() {
                true => unresolved.extend(forward.keys()),
                false => unresolved.extend(undecided),
            }
        }
        Some(Guess {
            blocked,
            unresolved,
            wrong,
        })
    }
}

/// The operations that refer to resources of later ones, with these.
fn forward_references(
    entries: &[Entry],
    made: &BTreeMap<String, Made>,
) -> BTreeMap<usize, BTreeSet<usize>> {
    targets(entries, made)
        .map(|(index, targets)| (index, targets.filter(|target| *target > index).collect()))
        .filter(|(_, targets): &(_, BTreeSet<usize>)| !targets.is_empty())
        .collect()
}

/// Each operation with those that make what it refers to.
fn targets<'e>(
    entries: &'e [Entry],
    made: &'e BTreeMap<String, Made>,
) -> impl Iterator<Item = (usize, impl Iterator<Item = usize>)> {
    entries.iter().enumerate().filter_map(|(index, entry)| {
        let operation = entry.operation.as_ref().ok()?;
        let references = operation.references.iter();
        Some((
            index,
            references.filter_map(|bulk_id| Some(made.get(bulk_id)?.index)),
        ))
    })
}

/// The operations that fail: by themselves, because they are not reached, or because what they refer to fails.
fn failing(entries: &[Entry], simulation: &Simulation<'_>) -> BTreeSet<usize> {
    let mut dependents: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (index, targets) in targets(entries, simulation.made) {
        for target in targets {
            dependents.entry(target).or_default().push(index);
        }
    }
    let by_itself = |index: &usize| match simulation.outcomes.get(*index) {
        Some(Ok(_)) => false,
        Some(Err(_)) => !simulation.by_reference.contains(index),
        None => true,
    };
    let mut failing: BTreeSet<usize> = (0..entries.len()).filter(by_itself).collect();
    let mut pending: Vec<usize> = failing.iter().copied().collect();
    while let Some(failed) = pending.pop() {
        for dependent in dependents.get(&failed).into_iter().flatten() {
            if failing.insert(*dependent) {
                pending.push(*dependent);
            }
        }
    }
    failing
}
