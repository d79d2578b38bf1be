//! One run of a sync, from its lease to its last line in the log.

use super::digest::Digest;
use super::execute::Writer;
use super::facts::Facts;
use super::failure::Failure;
use super::group_mapping::{self, Wanted};
use super::object::Note;
use super::planning::{self, Terms};
use super::reading::Reading;
use super::session::{LEASE_MS, Session};
use super::source::Source;
use super::{grants, guard, lookup};
use crate::change::audit::Origin;
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::ldap::values::to_generalized_time;
use crate::platform::Platform;
use crate::scim::profile::Profile;
use crate::store::directory_syncs::{self, SyncState};
use crate::store::group_mappings::{self, GroupMapping};
use crate::store::sync_logs::{self, SyncLog};
use crate::store::{self, Cost, Guard, identity_providers, mapping_grants, rows_at, tenants};

/// Longest time between two readings of the whole directory, in milliseconds: only they find what is gone.
const FULL_INTERVAL_MS: i64 = 24 * 3_600_000;
/// Entries that a dry run shows.
const MAX_SHOWN: usize = 1_000;
/// How often a plan is made anew because somebody else took a name in between.
const MAX_PLANS: usize = 3;

/// What is to be run.
pub struct Job {
    pub tenant: TenantId,
    pub idp: String,
    /// The directory; a reason why it cannot be read is the run's failure.
    pub source: std::result::Result<Source, String>,
    /// Only tells what would be done.
    pub dry_run: bool,
    /// Reads the whole directory in any case.
    pub full: bool,
    /// Carries out a plan whatever it removes.
    pub allow_removals: bool,
    /// `manual` or `scheduled`.
    pub started_by: &'static str,
    /// Who asked for it.
    pub actor: String,
    pub request_id: String,
}

/// What came of it.
pub struct Report {
    pub log: SyncLog,
    /// What would be done, of a dry run: the first [`MAX_SHOWN`].
    pub notes: Vec<Note>,
    pub cost: Cost,
}

/// What a run has to know before it begins.
struct Known {
    state: SyncState,
    mappings: Vec<Wanted>,
    /// Whether mappings have given anything.
    grants: bool,
    profile: Profile,
}

impl Known {
    /// Whether mappings give anything, or did.
    fn mapped(&self) -> bool {
        !self.mappings.is_empty() || self.grants
    }
}

/// How a run ended that did not fail.
enum Outcome {
    Done(SyncState),
    Stopped(String),
    Planned(Vec<Note>),
}

/// Runs a sync. An error is one of the request, or of the database; what goes wrong with the sync itself is in its log.
pub async fn run(platform: &Platform, job: &Job) -> Result<Report> {
    let now = platform.clock.now();
    let id = crate::platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref())
        .map_err(Error::internal)?;
    let log = SyncLog {
        id,
        idp_id: job.idp.clone(),
        started_by: job.started_by.to_owned(),
        actor: job.actor.clone(),
        mode: "full".to_owned(),
        status: "running".to_owned(),
        counts: "{}".to_owned(),
        reason: None,
        started_at: now,
        finished_at: None,
    };
    let origin = Origin {
        actor: format!("ldap-sync:{}", job.idp),
        request_id: job.request_id.clone(),
        at: now,
    };
    let session = Session::new(platform, job.tenant.clone(), origin, log, job.dry_run);
    let known = begin(&session, job).await?;
    let outcome = match &job.source {
        Ok(source) => {
            let full = job.full || needs_full(&session, source, &known);
            if !full {
                session.log.borrow_mut().mode = "changes".to_owned();
            }
            let run = Run {
                session: &session,
                job,
                source,
                known: &known,
                full,
            };
            run.work().await
        }
        Err(reason) => Err(Failure::Refused(reason.clone())),
    };
    let notes = conclude(&session, outcome).await?;
    Ok(Report {
        log: session.log.borrow().clone(),
        notes,
        cost: session.meter.cost(),
    })
}

/// Takes the lease and opens the log, or only looks whether another run has it.
async fn begin(session: &Session<'_>, job: &Job) -> Result<Known> {
    let (tenant, idp) = (&job.tenant, &job.idp);
    let now = session.now();
    let mut batch = vec![identity_providers::require(tenant, idp)];
    if !job.dry_run {
        let log = session.log.borrow().clone();
        batch.extend(sync_logs::expire(tenant, idp, now));
        batch.extend(directory_syncs::begin(
            tenant,
            idp,
            &log.id,
            now,
            now + LEASE_MS,
        ));
        batch.extend(sync_logs::prune(tenant, idp));
        batch.push(sync_logs::insert(tenant, &log));
    }
    let read = batch.len();
    batch.push(directory_syncs::select(tenant, idp, now));
    batch.push(group_mappings::select_all(tenant, idp));
    batch.push(mapping_grants::select_any(tenant, idp));
    batch.push(tenants::select(tenant));
    let running = || Error::new(Kind::Conflict, "a sync of this provider is under way");
    let results = match session.run(batch).await {
        Ok(results) => results,
        Err(store::Error::Guard(Guard::SyncRunning)) => return Err(running()),
        Err(store::Error::Guard(Guard::ProviderMissing)) => {
            return Err(Error::not_found("the identity provider"));
        }
        Err(error) => return Err(error.into()),
    };
    let state = match rows_at(&results, read)?.first() {
        Some(row) if job.dry_run && row.optional_text("log_id")?.is_some() => return Err(running()),
        Some(row) => directory_syncs::state(row)?,
        None => SyncState::default(),
    };
    let mappings: Vec<GroupMapping> = rows_at(&results, read + 1)?
        .rows
        .iter()
        .map(group_mappings::group_mapping)
        .collect::<store::Result<_>>()?;
    let any = rows_at(&results, read + 2)?.first();
    let tenant = rows_at(&results, read + 3)?.first();
    let tenant = tenant.ok_or_else(|| Error::not_found("the tenant"))?;
    Ok(Known {
        state,
        mappings: mappings.iter().map(Wanted::from).collect(),
        grants: any.map_or(Ok(false), |row| row.boolean("any_grants"))?,
        profile: tenants::settings(tenant)?.profile,
    })
}

/// Whether only a reading of the whole directory will do.
fn needs_full(session: &Session<'_>, source: &Source, known: &Known) -> bool {
    let state = &known.state;
    let recent = state
        .full_at
        .is_some_and(|at| session.now() - at < FULL_INTERVAL_MS);
    let same = state.config_digest.as_deref() == Some(&config_digest(source, known));
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
    job: &'r Job,
    source: &'r Source,
    known: &'r Known,
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
            unique_group_names: !self.known.profile.is_strict(),
            foreseen: self.foresees().then_some(&self.known.mappings),
        };
        let unmatched = group_mapping::unmatched(&self.known.mappings, source);
        let mut plans = 1;
        loop {
            let known = match facts.take() {
                Some(facts) => facts,
                None if full => Facts::all(session).await?,
                None => Facts::of(session, &reading, self.foresees()).await?,
            };
            let mut plan = planning::plan(session, &terms, &mut reading, known).await?;
            plan.notes.extend(unmatched.iter().cloned());
            let objection = match self.job.allow_removals {
                true => None,
                false => guard::objection(&plan, source.max_removal_percent),
            };
            if self.job.dry_run {
                session.note(&plan.counts);
                session.log.borrow_mut().reason = objection;
                let shown = plan.all_notes(&reading).take(MAX_SHOWN);
                return Ok(Outcome::Planned(shown.collect()));
            }
            if let Some(reason) = objection {
                session.note(&plan.counts);
                return Ok(Outcome::Stopped(reason));
            }
            let mut writer = Writer::new(session, self.known.profile);
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
            let watermark = self.known.state.watermark.as_deref();
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
        self.job.dry_run && self.known.mapped()
    }

    /// What comes after the resources: the mappings' memberships, and what was not done.
    async fn finish(
        &self,
        mut writer: Writer<'_>,
        notes: Vec<Note>,
    ) -> std::result::Result<(), Failure> {
        if self.known.mapped() {
            grants::settle(self.session, &mut writer, &self.known.mappings).await?;
        }
        for note in &notes {
            writer.note(note).await?;
        }
        writer.flush().await
    }

    /// What the next sync has to know. Changes from the watermark on are read again: it lies so far before the newest change seen as
    /// this reading took, because what changed on a page already read could be older than what was seen later.
    fn next_state(&self, reading: &Reading, full: bool, took: i64) -> SyncState {
        let before = &self.known.state;
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
            config_digest: Some(config_digest(self.source, self.known)),
        }
    }
}

/// Writes how it ended, and gives the lease back.
async fn conclude(
    session: &Session<'_>,
    outcome: std::result::Result<Outcome, Failure>,
) -> Result<Vec<Note>> {
    let (status, reason, state) = match outcome {
        Ok(Outcome::Planned(notes)) => {
            let mut log = session.log.borrow_mut();
            log.status = "planned".to_owned();
            log.finished_at = Some(session.now());
            return Ok(notes);
        }
        Ok(Outcome::Done(state)) => ("succeeded", None, Some(state)),
        Ok(Outcome::Stopped(reason)) => ("stopped", Some(reason), None),
        Err(Failure::Store(error)) if session.dry => return Err(error.into()),
        Err(failure) if session.dry => {
            let mut log = session.log.borrow_mut();
            log.status = "failed".to_owned();
            log.reason = Some(failure.reason());
            log.finished_at = Some(session.now());
            return Ok(Vec::new());
        }
        Err(failure) => {
            let done = *session.done.borrow();
            session.note(&done);
            ("failed", Some(failure.reason()), None)
        }
    };
    {
        let mut log = session.log.borrow_mut();
        log.status = status.to_owned();
        log.reason = reason;
        log.finished_at = Some(session.now());
    }
    let end = directory_syncs::end(&session.tenant, &session.idp, state.as_ref(), session.now());
    match session.write(vec![end]).await {
        Ok(_) => Ok(Vec::new()),
        // Whoever took the lease has written that this run failed.
        Err(store::Error::Guard(Guard::LeaseLost)) => {
            let mut log = session.log.borrow_mut();
            log.status = "failed".to_owned();
            log.reason = Some(Failure::Store(store::Error::Guard(Guard::LeaseLost)).reason());
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}
