//! Which intents of a request hold, where some refer to what later ones make.
//!
//! Intents are tried in order. A reference backwards is to an intent whose end is known; one forwards is to an intent whose end is
//! guessed, at first for a success. What the intents came to then gives the next guess, until a guess proves true. What failed only under
//! a wrong guess, say because a name was taken by an intent that fails itself, so gets its due.

use super::intent::Intent;
use super::state::Done;
use crate::error::Result;
use crate::ordered::{OrderedMap, OrderedSet};

/// How many guesses may be wrong before intents that cannot agree are given up.
const PATIENCE: usize = 12;

/// What is taken for true before the intents are tried.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Guess {
    /// Intents that refer forwards to one that fails.
    pub blocked: OrderedSet<usize>,
    /// Intents that are given up: they hold only where what they refer to fails (RFC 7644 §3.7.1 lets a server stop there).
    pub unresolved: OrderedSet<usize>,
    /// How many guesses were wrong so far.
    wrong: usize,
}

/// Intents that were tried, and what they came to.
pub struct Tried<'t> {
    pub intents: &'t [Result<Intent>],
    pub outcomes: &'t [Result<Done>],
    /// Those that fail for no other reason than what they refer to.
    pub by_reference: &'t OrderedSet<usize>,
}

impl Guess {
    /// The next guess, given what came of this one; none where it was right.
    pub fn next(&self, tried: &Tried<'_>) -> Option<Guess> {
        let forward = forward_references(tried.intents);
        let failing = failing(tried);
        let blocked: OrderedSet<usize> = forward
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
                true => {
                    let either = blocked.iter().chain(&self.blocked).copied();
                    either
                        .filter(|one| !(blocked.contains(one) && self.blocked.contains(one)))
                        .collect()
                }
                false => Vec::new(),
            };
            // Without intents that refer forwards there is nothing to guess.
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

/// The intents that refer to resources of later ones, with these.
fn forward_references(intents: &[Result<Intent>]) -> OrderedMap<usize, OrderedSet<usize>> {
    targets(intents)
        .map(|(index, targets)| (index, targets.filter(|target| *target > index).collect()))
        .filter(|(_, targets): &(_, OrderedSet<usize>)| !targets.is_empty())
        .collect()
}

/// Each intent with those that make what it refers to.
fn targets(
    intents: &[Result<Intent>],
) -> impl Iterator<Item = (usize, impl Iterator<Item = usize>)> {
    intents.iter().enumerate().filter_map(|(index, intent)| {
        let references = intent.as_ref().ok()?.references.keys();
        Some((index, references.copied()))
    })
}

/// The intents that fail: by themselves, because they are not reached, or because what they refer to fails.
fn failing(tried: &Tried<'_>) -> OrderedSet<usize> {
    let mut dependents: OrderedMap<usize, Vec<usize>> = OrderedMap::new();
    for (index, targets) in targets(tried.intents) {
        for target in targets {
            dependents.or_default(target).push(index);
        }
    }
    let by_itself = |index: &usize| match tried.outcomes.get(*index) {
        Some(Ok(_)) => false,
        Some(Err(_)) => !tried.by_reference.contains(index),
        None => true,
    };
    let mut failing: OrderedSet<usize> = (0..tried.intents.len()).filter(by_itself).collect();
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
