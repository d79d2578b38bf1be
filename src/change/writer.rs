//! From intents to what the database has: plan, write, and where a guard fails, learn and plan again.

use std::cell::RefCell;

use super::batch::{self, Hashes};
use super::facts::{Assumptions, Facts, Key, Seen};
use super::intent::Intent;
use super::members::Known;
use super::order::Guess;
use super::plan::Plan;
use super::recent::Recent;
use super::rows::groups;
use super::state::{Base, Done};
use super::{Author, audit};
use crate::error::{Error, Result};
use crate::scim::render::Stored;
use crate::scim::schema::{GROUPS, ResourceType, USERS};
use crate::scim::version::Version;
use crate::store::members::Pair;
use crate::store::resources::{self, Memberships};
use crate::store::{self, Constraint, Guard, Rows, Statement};

/// How long a request goes on trying while others change what it has read, in milliseconds.
const PATIENCE_MS: i64 = 5_000;
/// Round trips that one attempt may take to learn what it needs: names, then those who hold them, then their members.
const MAX_ROUNDS: usize = 8;
/// How often it tries at most.
const MAX_ATTEMPTS: usize = 60;
/// How long it waits before the second try at least, and before later ones, in milliseconds.
const FIRST_PAUSE_MS: u32 = 10;
const LONGEST_PAUSE_MS: u32 = 160;

/// Intents that are carried out together: all that succeed, or none.
pub struct Request<'r> {
    /// An intent that could not be made fails in its place.
    pub intents: &'r [Result<Intent>],
    /// After how many failures the rest is left undone; none for never.
    pub fail_on_errors: Option<usize>,
    /// What of the resource is shown, where there is one intent.
    pub show: Option<Memberships>,
    /// Whether one that fails undoes all.
    pub is_whole: bool,
    /// Memberships as they were read before, which the batch holds a guard for: group and member.
    pub pairs: Vec<(Pair, Known)>,
    /// What else goes into the batch, given what the intents come to.
    pub along: Option<Along<'r>>,
}

/// Statements for the outcomes of intents.
pub type Along<'r> = &'r dyn Fn(&[Result<Done>]) -> Vec<Statement>;

impl<'r> Request<'r> {
    /// A request for no more than these.
    pub fn of(intents: &'r [Result<Intent>]) -> Self {
        Request {
            intents,
            fail_on_errors: None,
            show: None,
            is_whole: false,
            pairs: Vec::new(),
            along: None,
        }
    }
}

/// What came of them.
pub struct Written {
    /// One for each intent, up to the last that was reached.
    pub outcomes: Vec<Result<Done>>,
    /// The resource, where it was asked for and is there.
    pub shown: Option<Shown>,
}

/// A resource after a change.
pub struct Shown {
    pub stored: Stored,
    /// How many memberships it has, where that is known without counting.
    pub held: Option<i64>,
}

/// Carries intents out. The error is that of all of them: the database's, or others kept changing what it takes.
pub async fn write(author: &dyn Author, recent: &Recent, request: &Request<'_>) -> Result<Written> {
    let terms = author.terms();
    let is_told = !terms.mandate.is_client();
    let mut facts = Facts::new(Assumptions {
        names: true,
        members: is_told || may_assume_members(request.intents),
        presence: is_told || request.intents.len() == 1,
    });
    facts.pairs.extend(request.pairs.iter().cloned());
    let alone = match request.intents {
        [Ok(intent)] => Some(intent),
        _ => None,
    };
    let rests = alone.filter(|intent| !intent.is_creation && !intent.goes_unseen(terms.profile));
    let rests = rests.filter(|_| !is_told);
    let mut _turn = None;
    if let Some(intent) = rests {
        let (resource_type, id) = (intent.resource_type, &intent.id);
        _turn = Some(recent.turn(author, resource_type, id).await);
        if let Some(stored) = recent.recall(&terms.tenant, resource_type, id) {
            facts.remember(Seen::new(stored, true)?);
        }
    }
    let work = Work {
        author,
        recent,
        request,
        alone,
        hashes: RefCell::default(),
    };
    work.carry_out(&mut facts).await
}

/// A directory and mappings know what they say. New resources and single changes take members for what their client says. A Bulk request that changes groups asks first: it asks
/// for the groups anyway.
fn may_assume_members(intents: &[Result<Intent>]) -> bool {
    intents.len() == 1 || intents.iter().flatten().all(|intent| intent.is_creation)
}

struct Work<'w> {
    author: &'w dyn Author,
    recent: &'w Recent,
    request: &'w Request<'w>,
    /// The only intent, where there is one.
    alone: Option<&'w Intent>,
    hashes: RefCell<Hashes>,
}

impl Work<'_> {
    /// Tries until it holds, or the time for it is over.
    async fn carry_out(&self, facts: &mut Facts) -> Result<Written> {
        let begun = self.author.now();
        let mut pause = FIRST_PAUSE_MS;
        for _ in 0..MAX_ATTEMPTS {
            let is_race = match self.attempt(facts).await? {
                Ok(written) => return Ok(written),
                Err(error) => match self.refused(&error) {
                    Some(refusal) => return Ok(self.written(vec![Err(refusal)], None)),
                    None => self.learn_from(facts, error)?,
                },
            };
            if !is_race {
                continue;
            }
            if self.author.now() - begun > PATIENCE_MS {
                break;
            }
            self.author.pause(pause).await;
            pause = LONGEST_PAUSE_MS.min(pause * 2);
        }
        Err(store::Error::Guard(Guard::VersionConflict).into())
    }

    /// Draws from a failed batch what is not so; whether somebody else was at work, and not an assumption wrong from the start. An error
    /// that nothing is to be learnt from is the request's.
    fn learn_from(&self, facts: &mut Facts, error: store::Error) -> Result<bool> {
        if let Some(intent) = self.alone {
            let tenant = &self.author.terms().tenant;
            self.recent.forget(tenant, intent.resource_type, &intent.id);
        }
        match error {
            store::Error::Conflict(Constraint::UserName | Constraint::GroupDisplayName) => {
                let is_race = !facts.assumed.names;
                facts.forget_holders();
                Ok(is_race)
            }
            store::Error::Conflict(Constraint::Membership)
            | store::Error::Guard(Guard::MemberMissing | Guard::MembershipMissing) => {
                let is_race = !facts.assumed.members;
                facts.forget_members();
                Ok(is_race)
            }
            store::Error::Guard(Guard::VersionConflict) => {
                let is_race = !facts.forget_remembered();
                facts.forget_resources();
                Ok(is_race)
            }
            error => Err(error.into()),
        }
    }

    /// What a guard says of the only intent, where that was planned without its resource.
    fn refused(&self, error: &store::Error) -> Option<Error> {
        let intent = self.alone?;
        match error {
            store::Error::Guard(Guard::NotFound) => {
                Some(Error::not_found(intent.resource_type.name))
            }
            store::Error::Guard(Guard::PreconditionFailed) | store::Error::Managed(_) => {
                Some(error.clone().into())
            }
            _ => None,
        }
    }

    /// One plan, and its batch. The outer error is final, the inner one is the writing batch's.
    async fn attempt(&self, facts: &mut Facts) -> Result<store::Result<Written>> {
        let author = self.author;
        let mut guess = Guess::default();
        let mut rounds = 0;
        loop {
            let mut plan = Plan::new(
                author.terms(),
                facts,
                self.request.intents,
                &guess,
                author.budget(),
            );
            plan.run(self.request.fail_on_errors);
            let mut needs = std::mem::take(&mut plan.needs);
            if needs.is_empty() {
                match guess.next(&plan) {
                    Some(next) => guess = next,
                    None if self.writes(&plan) => return self.send(plan).await,
                    None => {
                        let is_unseen = author.terms().mandate.is_client() && plan.has_unseen();
                        let outcomes = plan.outcomes;
                        // Nothing is written, so no guard says whether what is remembered, or taken to be there, still is.
                        if !facts.forget_remembered() && !is_unseen {
                            return self.unwritten(facts, outcomes).await.map(Ok);
                        }
                        facts.assumed.presence &= !is_unseen;
                    }
                }
                continue;
            }
            rounds += 1;
            if rounds > MAX_ROUNDS {
                return Ok(Err(store::Error::Guard(Guard::VersionConflict)));
            }
            let learnt_with = self.learnt_with(facts);
            if let Some((key, _)) = learnt_with.as_ref().filter(|_| rounds == 1) {
                // Where nothing comes of it, it is shown as it is.
                needs.resources.insert(key.clone());
            }
            facts.learn(author, needs, learnt_with).await?;
            // What failed for want of a fact may not fail with it.
            guess = Guess::default();
        }
    }

    /// Whether a plan has anything to write.
    fn writes(&self, plan: &Plan<'_>) -> bool {
        let is_undone = self.request.is_whole && plan.outcomes.iter().any(Result::is_err);
        !is_undone && (!plan.is_idle() || self.request.along.is_some())
    }

    /// What is learnt along with the resource that is going to be shown: a user's groups, which stay whatever happens to the user; of a group
    /// how many members it has, and who they are where an assumption proves to be wrong or idle, because then often nothing is left to be
    /// done.
    fn learnt_with(&self, facts: &Facts) -> Option<(Key, Memberships)> {
        let intent = self.alone.filter(|intent| !intent.is_creation)?;
        let memberships = self.request.show?;
        let key = (intent.resource_type.name, intent.id.clone());
        let is_user = intent.resource_type.name == USERS.name;
        let is_assumed = facts.assumed.members && facts.assumed.presence;
        let learnt = Memberships {
            wanted: memberships.wanted && (is_user || !is_assumed),
            ..memberships
        };
        Some((key, learnt))
    }

    /// The end of an attempt that changes nothing.
    async fn unwritten(&self, facts: &Facts, outcomes: Vec<Result<Done>>) -> Result<Written> {
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

    fn written(&self, mut outcomes: Vec<Result<Done>>, shown: Option<Shown>) -> Written {
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
    async fn send(&self, mut plan: Plan<'_>) -> Result<store::Result<Written>> {
        let author = self.author;
        let hash = |password: &str| author.hash(password);
        batch::hash_passwords(&plan, &mut self.hashes.borrow_mut(), hash)?;
        let mut batch = batch::statements(&plan, &self.hashes.borrow());
        if let Some(along) = self.request.along {
            batch.extend(along(&plan.outcomes));
        }
        let worked_out = self.worked_out(&plan);
        let tail = match (self.alone, self.request.show) {
            (Some(intent), Some(memberships)) if worked_out.is_none() => {
                vec![self.select(intent, memberships)]
            }
            (Some(_), _) => Vec::new(),
            (None, _) => {
                let drifting = batch::drifting(&plan);
                groups::select_versions(&author.terms().tenant, &drifting)
            }
        };
        let asked = tail.len();
        batch.extend(tail.iter().cloned());
        let results = match author.write(batch).await {
            Ok(results) => results,
            Err(error) if error.may_have_happened() => match self.look_back(&plan, tail).await {
                Some(results) => results,
                None => return Ok(Err(error)),
            },
            Err(error) => return Ok(Err(error)),
        };
        let answers = results.get(results.len().saturating_sub(asked)..);
        let answers = answers.unwrap_or_default();
        let mut outcomes = std::mem::take(&mut plan.outcomes);
        let shown = match (self.alone, worked_out) {
            (Some(_), Some(stored)) => Some(Shown { stored, held: None }),
            (Some(intent), None) => shown(intent.resource_type, answers.first())?,
            (None, _) => {
                correct_versions(&mut outcomes, &plan, answers)?;
                None
            }
        };
        Ok(Ok(self.written(outcomes, shown)))
    }

    /// The outcome of the batch is unknown: whether this request's own line is in the audit trail tells. What was asked for along with
    /// the batch is asked then. None where nothing was written, or where that cannot be found out.
    async fn look_back(&self, plan: &Plan<'_>, tail: Vec<Statement>) -> Option<Vec<Rows>> {
        let terms = self.author.terms();
        let event = plan.events.last()?;
        let own = audit::select_own(&terms.tenant, &event.id, &terms.origin.request_id);
        let batch = std::iter::once(own).chain(tail).collect();
        let results = self.author.read(batch).await.ok()?;
        results.first()?.first()?;
        Some(results)
    }

    /// The only resource as it is after the batch, where that can be told without asking: a user's groups stay what they were.
    fn worked_out(&self, plan: &Plan<'_>) -> Option<Stored> {
        let intent = self.alone?;
        self.request.show?;
        let key = (intent.resource_type.name, intent.id.clone());
        let state = plan.states.get(&key).filter(|state| state.alive)?;
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
            modified: plan.terms.origin.at,
            resource: state.resource.to_stored(&USERS),
            ..before
        })
    }
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

/// Puts the versions right that groups have, where others changed them since they were read.
fn correct_versions(
    outcomes: &mut [Result<Done>],
    plan: &Plan<'_>,
    answers: &[Rows],
) -> Result<()> {
    for row in answers.iter().flat_map(|rows| &rows.rows) {
        let (id, version) = (row.text("id")?, row.integer("version")?);
        let Some(state) = plan.states.get(&(GROUPS.name, id.clone())) else {
            continue;
        };
        let drift = version - state.version.0;
        let of_group = outcomes.iter_mut().flatten();
        for done in of_group.filter(|done| done.id == id) {
            done.version = done.version.map(|version| Version(version.0 + drift));
        }
    }
    Ok(())
}
