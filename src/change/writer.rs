//! From intents to what the database has: plan, write, and where a guard fails, learn and plan again.

use std::cell::RefCell;

use super::account::Account;
use super::author::Author;
use super::facts::{Assumptions, Facts, Key, Seen};
use super::fuse::Fuse;
use super::intent::{Intent, Wish};
use super::order::Guess;
use super::plan::Plan;
use super::recent::Recent;
use super::request::{Request, Written};
use super::sending::Work;
use crate::error::{Error, Result};
use crate::scim::schema::USERS;
use crate::store::resources::Memberships;
use crate::store::{self, Constraint, Guard};

/// How long a request goes on trying while others change what it has read, in milliseconds.
const PATIENCE_MS: i64 = 5_000;
/// Round trips that one attempt may take to learn what it needs: names, then those who hold them, then their members.
const MAX_ROUNDS: usize = 8;
/// How often it tries at most.
const MAX_ATTEMPTS: usize = 60;
/// How long it waits before the second try at least, and before later ones, in milliseconds.
const FIRST_PAUSE_MS: u32 = 10;
const LONGEST_PAUSE_MS: u32 = 160;

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
    request
        .seen
        .iter()
        .for_each(|seen| facts.remember(seen.clone()));
    let alone = match request.intents {
        [Ok(intent)] => Some(intent),
        _ => None,
    };
    let rests = alone.filter(|intent| !is_told && !intent.is_creation && !intent.goes_unseen());
    let mut _turn = None;
    // What is tried is told by what is there, and not by what is remembered.
    if let Some(intent) = rests.filter(|_| !request.is_dry) {
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

/// Most members of one change who are taken for what their client says. Of more, some are likely to be in already, or out.
const MAX_ASSUMED: usize = 100;

/// A directory and mappings know what they say. New resources and small changes take members for what their client says. A Bulk request
/// that changes groups asks first: it asks for the groups anyway.
fn may_assume_members(intents: &[Result<Intent>]) -> bool {
    let is_few = |intent: &Intent| match &intent.wish {
        Ok(Wish::Patch(_, changes)) => changes.add.len() + changes.remove.len() <= MAX_ASSUMED,
        _ => true,
    };
    match intents {
        [Ok(intent)] => is_few(intent),
        many => many.iter().flatten().all(|intent| intent.is_creation),
    }
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
            store::Error::Guard(Guard::FuseBlown) => {
                let is_race = matches!(facts.fuse, Fuse::Known(_));
                facts.fuse = Fuse::Asked;
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
            let account =
                Account::new(author.terms(), facts, author.budget(), self.request.intents);
            let mut plan = Plan::new(self.request.intents, &guess, account);
            plan.run(self.request.fail_on_errors);
            let mut needs = std::mem::take(&mut plan.account.needs);
            needs.fuse = matches!(facts.fuse, Fuse::Asked);
            if needs.is_empty() {
                if plan.account.is_fuse_blown {
                    author.fuse_blew();
                }
                match guess.next(&plan.tried()) {
                    Some(next) => guess = next,
                    None if self.writes(&plan) => return self.send(plan).await,
                    None => {
                        let is_unseen =
                            author.terms().mandate.is_client() && plan.account.has_unseen();
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
        let is_client = self.author.terms().mandate.is_client();
        // What a client's changes come to is noted with them, and not instead of them: nothing would hold what was assumed.
        !is_undone && (!plan.is_idle() || (self.request.along.is_some() && !is_client))
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
}
