//! A run, message by message: it reads and plans, does what was planned piece by piece, lets mappings give and take back, and ends.

use super::changes;
use super::digest::Digest;
use super::execute::Writer;
use super::failure::Failure;
use super::grants;
use super::group_mapping;
use super::guard;
use super::intake::Intake;
use super::planning::{self, Terms};
use super::session::{Known, Session};
use super::source::Source;
use super::stage::Store;
use super::staged::{Piece, RESOURCE};
use super::state::Phase;
use crate::change::audit::{self, Action, Detail, Event, Origin, Totals};
use crate::error::{Error, Result};
use crate::ldap::values::to_generalized_time;
use crate::store::directory_syncs::{self, SyncState};
use crate::store::{self, Guard, Statement, sync_chunks};

/// Longest time between two readings of the whole directory, in milliseconds: only they find what is gone.
const FULL_INTERVAL_MS: i64 = 24 * 3_600_000;
/// How often the directory is read because somebody else took a name in between.
const MAX_READINGS: usize = 3;

/// What a message leaves of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another message is to go on with it.
    More,
    /// Nothing: it is over, or somebody else is at it.
    Over,
}

/// A result that says why a run did not do what it should.
type Done<T> = std::result::Result<T, Failure>;

/// Goes on with a run. An error is the database's, which may be there again for the next message; what goes wrong with the sync itself is
/// in its log. The source may be a reason why the directory cannot be read.
pub async fn go_on(
    session: &Session<'_>,
    source: std::result::Result<Source, String>,
) -> Result<Next> {
    let mut done = match &source {
        Ok(source) => Run { session, source }.work().await,
        Err(reason) => Err(Failure::Refused(reason.clone())),
    };
    if let Err(failure) = done {
        done = give_way(session, failure).await;
    }
    match done {
        Ok(next) => Ok(next),
        // Whoever took the run over goes on with it; where nobody did, it is over.
        Err(Failure::Store(store::Error::Guard(Guard::LeaseLost))) => {
            session.end_lost().await?;
            Ok(Next::Over)
        }
        Err(Failure::Store(error)) => Err(error.into()),
        Err(failure) => Err(Error::internal(failure.reason())),
    }
}

/// What becomes of a run that did not do what it should. An error leaves that to a later message.
async fn give_way(session: &Session<'_>, failure: Failure) -> Done<Next> {
    if failure.may_pass() {
        return Err(failure);
    }
    // Somebody took a name in between: what was written stays, and the rest is planned anew.
    let is_taken = matches!(failure, Failure::Store(store::Error::Conflict(_)));
    if is_taken && session.state.borrow().readings + 1 < MAX_READINGS {
        {
            let mut state = session.state.borrow_mut();
            state.readings += 1;
            state.phase = Phase::Reading;
        }
        session.write(Vec::new()).await?;
        return Ok(Next::More);
    }
    conclude(session, "failed", Some(failure.reason()), None, Vec::new()).await
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
    let profile = known.settings.profile.name();
    Digest::of(format!(
        "{}\n{profile}\n{mappings}",
        source.digest.to_text()
    ))
    .to_text()
}

/// A run at work.
struct Run<'r> {
    session: &'r Session<'r>,
    source: &'r Source,
}

impl Run<'_> {
    /// Makes as many steps as one message may.
    async fn work(&self) -> Done<Next> {
        let session = self.session;
        let mut store = Store::new(session);
        if session.state.borrow().phase == Phase::Reading {
            store = self.read().await?;
            if session.is_spent() && !store.is_all {
                return Ok(Next::More);
            }
        }
        let mut writer = Writer::new(session, store.is_all);
        let mut told = Vec::new();
        if session.state.borrow().phase != Phase::Granting {
            if !self.carry_out(&mut writer, &mut store).await? {
                return Ok(Next::More);
            }
            told = writer.told();
            session.state.borrow_mut().phase = Phase::Granting;
        }
        let known = &session.known;
        if known.mapped()
            && !session.only_tells()
            && !grants::settle(session, &mut writer, &known.mappings).await?
        {
            return Ok(Next::More);
        }
        let (objection, next) = {
            let state = session.state.borrow();
            (state.objection.clone(), state.next.clone())
        };
        let (status, reason, next) = match (session.is_dry(), objection) {
            (true, objection) => ("planned", objection, None),
            (false, Some(objection)) => ("stopped", Some(objection), None),
            (false, None) => ("succeeded", None, Some(&next)),
        };
        conclude(session, status, reason, next, told).await
    }

    /// Reads the directory, and stages what is to be done.
    async fn read<'r>(&'r self) -> Done<Store<'r>> {
        let (session, source) = (self.session, self.source);
        let started = session.now();
        let mut intake = Intake::new(session);
        let full = !self.read_changes(&mut intake).await?;
        if full {
            session.log.borrow_mut().mode = "full".to_owned();
            intake.know_all().await?;
            intake.read_all(source).await?;
        }
        let next = self.next_state(&intake, full, session.now() - started);
        let mappings = &session.known.mappings;
        let terms = Terms {
            full,
            missing: source.missing,
            foreseen: self.foresees().then_some(mappings),
        };
        let plan = planning::plan(&mut intake, &terms).await?;
        for note in group_mapping::unmatched(mappings, source) {
            intake.stage.note(note).await?;
        }
        let mut counts = session.counts();
        counts.adopt(&plan.counts);
        if self.foresees() {
            counts.mapped = plan.counts.mapped;
        }
        session.note(&counts);
        {
            let mut state = session.state.borrow_mut();
            state.objection = match state.order.allow_removals {
                true => None,
                false => guard::objection(&plan.sums, source.max_removal_percent),
            };
            (state.piece, state.next) = (0, next);
        }
        let Intake { stage, store, .. } = intake;
        Ok(stage.finish(plan.pieces, store).await?)
    }

    /// Reads what has changed; false where the whole directory is to be read.
    async fn read_changes(&self, intake: &mut Intake<'_>) -> Done<bool> {
        let (session, source) = (self.session, self.source);
        let watermark = session.known.before.watermark.as_deref();
        let is_full = session.state.borrow().order.full || needs_full(session, source);
        let Some(watermark) = watermark.filter(|_| !is_full) else {
            return Ok(false);
        };
        session.log.borrow_mut().mode = "changes".to_owned();
        changes::read(intake, source, watermark, self.foresees()).await
    }

    /// Does pieces while there is time; whether none is left.
    async fn carry_out(&self, writer: &mut Writer<'_>, store: &mut Store<'_>) -> Done<bool> {
        loop {
            let next = self.session.state.borrow().piece;
            let pieces = store.pieces(next).await?;
            if pieces.is_empty() {
                return Ok(true);
            }
            for batch in batches(&pieces, self.session.limits.objects * RESOURCE) {
                writer.carry_out(batch, store).await?;
                if self.session.is_spent() && !store.is_all {
                    return Ok(false);
                }
            }
        }
    }

    /// Whether what mappings would do is to be told and not done.
    fn foresees(&self) -> bool {
        self.session.is_dry() && self.session.known.mapped()
    }

    /// What the next sync has to know. Changes from the watermark on are read again: it lies so far before the newest change seen as
    /// this reading took, because what changed on a page already read could be older than what was seen later. What an earlier reading
    /// saw, though, was there before this one began: where all have changed at once and nobody since, they are not read for ever.
    fn next_state(&self, intake: &Intake<'_>, full: bool, took: i64) -> SyncState {
        let before = &self.session.known.before;
        let digest = Some(config_digest(self.source, &self.session.known));
        // By another configuration it may be another server, with another clock.
        let known = before
            .newest
            .clone()
            .filter(|_| before.config_digest == digest);
        let watermark = intake
            .newest
            .map(|newest| to_generalized_time(newest.saturating_sub(took + 1_000)))
            .max(known.clone());
        let watermark = match full {
            true => watermark,
            false => before.watermark.clone().max(watermark),
        };
        SyncState {
            watermark: watermark.filter(|_| !intake.untimed),
            newest: known.max(intake.newest.map(to_generalized_time)),
            full_at: match full {
                true => Some(self.session.log.borrow().started_at),
                false => before.full_at,
            },
            config_digest: digest,
        }
    }
}

/// Pieces that one batch takes together.
fn batches(pieces: &[Piece], max_weight: usize) -> impl Iterator<Item = &[Piece]> {
    let mut weight = 0;
    pieces.chunk_by(move |before, next| {
        weight += before.weight;
        let fits = weight + next.weight <= max_weight;
        if !fits {
            weight = 0;
        }
        fits
    })
}

/// Writes how it ended, and something along with it, and gives the lease back.
async fn conclude(
    session: &Session<'_>,
    status: &str,
    reason: Option<String>,
    next: Option<&SyncState>,
    mut batch: Vec<Statement>,
) -> Done<Next> {
    let (tenant, now) = (&session.tenant, session.now());
    {
        let mut log = session.log.borrow_mut();
        log.status = status.to_owned();
        log.reason = reason;
        log.finished_at = Some(now);
    }
    batch.push(sync_chunks::delete(tenant, &session.log_id()));
    batch.extend(told(session));
    batch.push(directory_syncs::end(tenant, &session.idp, next, now));
    session.write(batch).await?;
    Ok(Next::Over)
}

/// The event of a run that is over; none of a dry run, which has done nothing.
fn told(session: &Session<'_>) -> Vec<Statement> {
    let log = session.log.borrow();
    if log.dry_run {
        return Vec::new();
    }
    let counts: serde_json::Value = serde_json::from_str(&log.counts).unwrap_or_default();
    let about = serde_json::json!({"log_id": log.id, "status": log.status, "mode": log.mode, "counts": counts});
    let event = Event {
        action: Action::Sync,
        resource_type: "IdentityProvider",
        resource_id: &session.idp,
        attributes: Vec::new(),
        detail: Detail::about(about.as_object().cloned().unwrap_or_default()),
    };
    let origin = Origin {
        actor: format!("ldap-sync:{}", session.idp),
        request_id: log.id.clone(),
        at: session.now(),
    };
    audit::append(&session.tenant, &origin, Totals::default(), &[event])
}
