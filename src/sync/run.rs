//! One run of a sync, from its lease to its last line in the log.

use super::digest::Digest;
use super::execute::Writer;
use super::facts::Facts;
use super::failure::Failure;
use super::group_mapping;
use super::object::Note;
use super::planning::{self, Terms};
use super::reading::Reading;
use super::session::{Known, Session};
use super::source::Source;
use super::{grants, guard, lookup};
use crate::error::{Error, Result};
use crate::ldap::values::to_generalized_time;
use crate::store::directory_syncs::{self, SyncState};
use crate::store::sync_logs::{self, SyncEntry};
use crate::store::sync_runs::Order;
use crate::store::{self, Guard, sync_chunks};

/// Longest time between two readings of the whole directory, in milliseconds: only they find what is gone.
const FULL_INTERVAL_MS: i64 = 24 * 3_600_000;
/// Entries that a dry run shows.
const MAX_SHOWN: usize = 1_000;
/// How often a plan is made anew because somebody else took a name in between.
const MAX_PLANS: usize = 3;

/// What a message leaves of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another message is to go on with it.
    More,
    /// Nothing: it is over, or somebody else is at it.
    Over,
}

/// How a run ended that did not fail.
enum Outcome {
    Done(SyncState),
    Stopped(String),
    Planned(Option<String>, Vec<Note>),
}

/// Goes on with a run. An error is the database's, which may be there again for the next message; what goes wrong with the sync itself is
/// in its log. The source may be a reason why the directory cannot be read.
pub async fn go_on(
    session: &Session<'_>,
    source: std::result::Result<Source, String>,
) -> Result<Next> {
    let outcome = match &source {
        Ok(source) => {
            let order = session.state.borrow().order.clone();
            let full = order.full || needs_full(session, source);
            if !full {
                "changes".clone_into(&mut session.log.borrow_mut().mode);
            }
            let run = Run {
                session,
                order: &order,
                source,
                full,
            };
            run.work().await
        }
        Err(reason) => Err(Failure::Refused(reason.clone())),
    };
    match conclude(session, outcome).await {
        Ok(()) => Ok(Next::Over),
        // Whoever took the run over goes on with it; where nobody did, it is over.
        Err(Failure::Store(store::Error::Guard(Guard::LeaseLost))) => {
            session.end_lost().await?;
            Ok(Next::Over)
        }
        Err(Failure::Store(error)) => Err(error.into()),
        Err(failure) => Err(Error::internal(failure.reason())),
    }
}

/// Whether only a reading of the whole directory will do.
fn needs_full(session: &Session<'_>, source: &Source) -> bool {
    let state = &session.known.before;
    let recent = state
        .full_at
        .is_some_and(|at| session.now() - at < FULL_INTERVAL_MS);
    let same = state.config_digest.as_deref() == Some(&config_digest(source, &session.known));
    // Active Directory makes modifyTimestamp up when it is asked for, and does not search by it.
    let active_directory = source.mapping.unique_id.eq_ignore_ascii_case("objectGUID");
    !recent || !same || active_directory || state.watermark.is_none()
}

/// Hash of all that decides what comes of a reading.
fn config_digest(source: &Source, known: &Known) -> String {
    let mappings = group_mapping::to_json(&known.mappings);
    let profile = known.profile.name();
    Digest::of(format!(
        "{}\n{profile}\n{mappings}",
        source.digest.to_text()
    ))
    .to_text()
}

/// A run at work.
struct Run<'r> {
    session: &'r Session<'r>,
    order: &'r Order,
    source: &'r Source,
    /// Whether the whole directory is to be read in any case.
    full: bool,
}

impl Run<'_> {
    async fn work(&self) -> std::result::Result<Outcome, Failure> {
        let (session, source) = (self.session, self.source);
        let started = session.now();
        let (mut reading, mut facts) = self.read().await?;
        let full = facts.is_none();
        let took = session.now() - started;
        let terms = Terms {
            full,
            missing: source.missing,
            unique_group_names: !session.known.profile.is_strict(),
            foreseen: self.foresees().then_some(&session.known.mappings),
        };
        let unmatched = group_mapping::unmatched(&session.known.mappings, source);
        let mut plans = 1;
        loop {
            let known = match facts.take() {
                Some(facts) => facts,
                None if full => Facts::all(session).await?,
                None => Facts::of(session, &reading, self.foresees()).await?,
            };
            let mut plan = planning::plan(session, &terms, &mut reading, known).await?;
            plan.notes.extend(unmatched.iter().cloned());
            let objection = match self.order.allow_removals {
                true => None,
                false => guard::objection(&plan, source.max_removal_percent),
            };
            if session.is_dry() {
                session.note(&plan.counts);
                let shown = plan.all_notes(&reading).take(MAX_SHOWN);
                return Ok(Outcome::Planned(objection, shown.collect()));
            }
            if let Some(reason) = objection {
                session.note(&plan.counts);
                return Ok(Outcome::Stopped(reason));
            }
            let mut writer = Writer::new(session);
            let done = match writer.execute(&plan, &reading).await {
                Ok(()) => self.finish(writer, std::mem::take(&mut plan.notes)).await,
                Err(failure) => Err(failure),
            };
            match done {
                Ok(()) => return Ok(Outcome::Done(self.next_state(&reading, full, took))),
                // Somebody took a name in between: what was written stays, and the rest is planned anew.
                Err(Failure::Store(store::Error::Conflict(_))) if plans < MAX_PLANS => plans += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// The reading, and of one of changes what is known of it. One of changes becomes one of everything where it cannot tell enough.
    async fn read(&self) -> std::result::Result<(Reading, Option<Facts>), Failure> {
        let (session, source) = (self.session, self.source);
        if !self.full {
            let watermark = session.known.before.watermark.as_deref();
            let mut reading = Reading::of(session, source, watermark).await?;
            let facts = lookup::complete(session, source, &mut reading, self.foresees()).await?;
            if facts.is_some() {
                return Ok((reading, facts));
            }
            "full".clone_into(&mut session.log.borrow_mut().mode);
        }
        Ok((Reading::of(session, source, None).await?, None))
    }

    /// Whether what mappings would do is to be told and not done.
    fn foresees(&self) -> bool {
        self.session.is_dry() && self.session.known.mapped()
    }

    /// What comes after the resources: the mappings' memberships, and what was not done.
    async fn finish(
        &self,
        mut writer: Writer<'_>,
        notes: Vec<Note>,
    ) -> std::result::Result<(), Failure> {
        let known = &self.session.known;
        if known.mapped() {
            grants::settle(self.session, &mut writer, &known.mappings).await?;
        }
        for note in &notes {
            writer.note(note).await?;
        }
        writer.flush().await
    }

    /// What the next sync has to know. Changes from the watermark on are read again: it lies so far before the newest change seen as
    /// this reading took, because what changed on a page already read could be older than what was seen later.
    fn next_state(&self, reading: &Reading, full: bool, took: i64) -> SyncState {
        let before = &self.session.known.before;
        let watermark = reading
            .newest
            .map(|newest| to_generalized_time(newest.saturating_sub(took + 1_000)));
        let watermark = match full {
            true => watermark,
            false => before.watermark.clone().max(watermark),
        };
        SyncState {
            watermark: watermark.filter(|_| !reading.untimed),
            full_at: match full {
                true => Some(self.session.log.borrow().started_at),
                false => before.full_at,
            },
            config_digest: Some(config_digest(self.source, &self.session.known)),
        }
    }
}

/// Writes how it ended, and gives the lease back. An error leaves that to a later message.
async fn conclude(
    session: &Session<'_>,
    outcome: std::result::Result<Outcome, Failure>,
) -> std::result::Result<(), Failure> {
    let mut notes = Vec::new();
    let (status, reason, state) = match outcome {
        Ok(Outcome::Planned(objection, shown)) => {
            notes = shown;
            ("planned", objection, None)
        }
        Ok(Outcome::Done(state)) => ("succeeded", None, Some(state)),
        Ok(Outcome::Stopped(reason)) => ("stopped", Some(reason), None),
        Err(failure) if failure.may_pass() => return Err(failure),
        Err(failure) => ("failed", Some(failure.reason()), None),
    };
    {
        let mut log = session.log.borrow_mut();
        log.status = status.to_owned();
        log.reason = reason;
        log.finished_at = Some(session.now());
    }
    let log_id = session.log.borrow().id.clone();
    let entries = notes.iter().zip(1..);
    let mut entries: Vec<SyncEntry> = entries.map(|(note, seq)| note.entry(seq)).collect();
    for entry in &mut entries {
        // What is not there yet has no id that would stay.
        if entry.action == "created" {
            entry.resource_id = None;
        }
    }
    let mut batch = sync_logs::insert_entries(&session.tenant, &log_id, &entries);
    batch.push(sync_chunks::delete(&session.tenant, &log_id));
    batch.push(directory_syncs::end(
        &session.tenant,
        &session.idp,
        state.as_ref(),
        session.now(),
    ));
    session.write(batch).await?;
    Ok(())
}
