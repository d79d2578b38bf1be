//! A plan's way into the database, and what is shown after it.

use std::cell::RefCell;

use super::audit;
use super::author::Author;
use super::batch::{self, Hashes};
use super::facts::{Facts, Seen};
use super::intent::Intent;
use super::plan::Plan;
use super::recent::Recent;
use super::request::{Request, Shown, Written};
use super::state::{Base, Done, State};
use super::versions;
use crate::error::{Error, Result};
use crate::scim::render::Stored;
use crate::scim::schema::{ResourceType, USERS};
use crate::store::resources::{self, Memberships};
use crate::store::{self, Guard, Rows, Statement, guards};

/// A request at work.
pub struct Work<'w> {
    pub author: &'w dyn Author,
    pub recent: &'w Recent,
    pub request: &'w Request<'w>,
    /// The only intent, where there is one.
    pub alone: Option<&'w Intent>,
    pub hashes: RefCell<Hashes>,
}

impl Work<'_> {
    /// The end of an attempt that changes nothing.
    pub async fn unwritten(&self, facts: &Facts, outcomes: Vec<Result<Done>>) -> Result<Written> {
        let shown = match (self.alone, self.request.show, outcomes.first()) {
            (Some(intent), Some(memberships), Some(Ok(_))) => {
                let known = facts.resource(intent.resource_type, &intent.id);
                let known = known.and_then(Option::as_ref);
                match known.and_then(|seen| as_learnt(seen, memberships)) {
                    Some(shown) => Some(shown),
                    None => {
                        let batch = vec![self.select(intent, memberships)];
                        let results = self.author.read(batch).await?;
                        let Some(shown) = shown(intent.resource_type, results.first())? else {
                            let gone = Error::not_found(intent.resource_type.name);
                            return Ok(self.written(vec![Err(gone)], None));
                        };
                        Some(shown)
                    }
                }
            }
            _ => None,
        };
        Ok(self.written(outcomes, shown))
    }

    fn select(&self, intent: &Intent, memberships: Memberships) -> Statement {
        let terms = self.author.terms();
        let (resource_type, id) = (intent.resource_type, &intent.id);
        resources::select_one(&terms.tenant, &terms.base, resource_type, id, memberships)
    }

    pub fn written(&self, mut outcomes: Vec<Result<Done>>, shown: Option<Shown>) -> Written {
        let tenant = &self.author.terms().tenant;
        if let (Some(shown), Some(Ok(done))) = (&shown, outcomes.first_mut()) {
            // Of a resource that went unseen, the plan knows only by how much its version grows.
            done.version = Some(shown.stored.version);
        }
        match (&shown, self.alone) {
            (Some(shown), _) => self.recent.remember(tenant, &shown.stored),
            (None, Some(intent)) => self.recent.forget(tenant, intent.resource_type, &intent.id),
            (None, None) => {}
        }
        Written { outcomes, shown }
    }

    /// Sends a plan's batch, and with it asks for what only the database knows then.
    pub async fn send(&self, mut plan: Plan<'_>) -> Result<store::Result<Written>> {
        let author = self.author;
        let hash = |password: &str| author.hash(password);
        batch::hash_passwords(&plan, &mut self.hashes.borrow_mut(), hash)?;
        let is_told = self.alone.is_none() && author.terms().mandate.is_client();
        let head = match is_told {
            true => versions::ask_before(&plan),
            false => Vec::new(),
        };
        let (told_before, mut batch) = (head.len(), head);
        batch.extend(batch::statements(&plan, &self.hashes.borrow()));
        if let Some(along) = self.request.along {
            batch.extend(along(&plan.outcomes));
        }
        author.told(&failed(&plan.outcomes), plan.outcomes.len());
        if let Some(before) = self.state(&plan).and_then(State::before) {
            author.found(before);
        }
        let worked_out = self.worked_out(&plan);
        if self.request.is_dry {
            batch.push(guards::dry_run());
            return match author.write(batch).await {
                Err(store::Error::Guard(Guard::DryRun)) => {
                    self.tried(plan, worked_out).await.map(Ok)
                }
                Err(error) => Ok(Err(error)),
                Ok(_) => Err(Error::internal("a dry run was written")),
            };
        }
        let tail = match (self.alone, self.request.show) {
            (Some(intent), Some(memberships)) if worked_out.is_none() => {
                vec![self.select(intent, memberships)]
            }
            (None, _) if is_told => versions::ask_after(&plan),
            _ => Vec::new(),
        };
        let asked = tail.len();
        batch.extend(tail.iter().cloned());
        let (before, answers) = match author.write(batch).await {
            Ok(mut results) => {
                let answers = results.split_off(results.len().saturating_sub(asked));
                results.truncate(told_before);
                (results, answers)
            }
            // What goes along tells it to whoever tries again. The audit trail does not: other parts of the same request are in it.
            Err(error) if error.may_have_happened() && self.request.along.is_none() => {
                match self.look_back(&plan, tail).await {
                    Some(answers) => (Vec::new(), answers),
                    None => return Ok(Err(error)),
                }
            }
            Err(error) => return Ok(Err(error)),
        };
        let mut outcomes = std::mem::take(&mut plan.outcomes);
        let shown = match (self.alone, worked_out) {
            (Some(_), Some(stored)) => Some(Shown { stored, held: None }),
            (Some(intent), None) => shown(intent.resource_type, answers.first())?,
            (None, _) => {
                versions::correct(&mut outcomes, &plan, &before, &answers)?;
                None
            }
        };
        Ok(Ok(self.written(outcomes, shown)))
    }

    /// The outcome of the batch is unknown: whether this request's own line is in the audit trail tells. What was asked for along with
    /// the batch is asked then. None where nothing was written, or where that cannot be found out.
    async fn look_back(&self, plan: &Plan<'_>, tail: Vec<Statement>) -> Option<Vec<Rows>> {
        let terms = self.author.terms();
        let event = plan.account.events.last()?;
        let own = audit::select_own(&terms.tenant, &event.id, &terms.origin.request_id);
        let batch = std::iter::once(own).chain(tail).collect();
        let results = self.author.read(batch).await.ok()?;
        results.first()?.first()?;
        Some(results.into_iter().skip(1).collect())
    }

    /// What becomes of the only resource.
    fn state<'p>(&self, plan: &'p Plan<'_>) -> Option<&'p State> {
        let intent = self.alone?;
        let key = (intent.resource_type.name, intent.id.clone());
        plan.account.states.get(&key)
    }

    /// The only resource as it is after the batch, where that can be told without asking: a user's groups stay what they were.
    fn worked_out(&self, plan: &Plan<'_>) -> Option<Stored> {
        let intent = self.alone?;
        self.request.show?;
        let state = self.state(plan).filter(|state| state.alive)?;
        if intent.resource_type.name != USERS.name {
            return None;
        }
        let before = match &state.base {
            Base::New => Stored {
                id: intent.id.clone(),
                created: state.created,
                ..Stored::bare(&USERS)
            },
            Base::Known(seen) if !seen.is_remembered => seen.stored.clone(),
            Base::Known(_) | Base::Unseen => return None,
        };
        Some(Stored {
            version: state.version,
            modified: plan.account.terms.origin.at,
            resource: state.resource.to_stored(&USERS),
            ..before
        })
    }
}

/// The outcomes that are failures, with their numbers.
pub fn failed(outcomes: &[Result<Done>]) -> Vec<(usize, &Error)> {
    let numbered = outcomes.iter().enumerate();
    numbered
        .filter_map(|(number, outcome)| Some((number, outcome.as_ref().err()?)))
        .collect()
}

/// A resource that stays as it was learnt, where all that is shown was learnt: of a group, that it has more members than come along.
fn as_learnt(seen: &Seen, memberships: Memberships) -> Option<Shown> {
    let is_user = seen.stored.resource_type.name == USERS.name;
    let is_larger = seen.held.is_some_and(|held| held > memberships.most);
    let mut stored = seen.stored.clone();
    stored.oversized |= memberships.wanted && is_larger;
    let is_whole = is_user || !memberships.wanted || is_larger || stored.memberships.is_some();
    is_whole.then_some(Shown {
        stored,
        held: seen.held,
    })
}

/// What a statement of [`resources::select_one`] gave; none where it gave nothing.
fn shown(resource_type: &'static ResourceType, rows: Option<&Rows>) -> Result<Option<Shown>> {
    let Some(row) = rows.and_then(Rows::first) else {
        return Ok(None);
    };
    Ok(Some(Shown {
        stored: resources::stored(resource_type, row)?,
        held: resources::held(row)?,
    }))
}
