//! The switch: writes pause, what is left is caught up with, both sides are compared once more, and the tenant's own row goes over. Where that row
//! is the tenant is; once it has left the source there is only forwards.

use futures_util::future::join;
use sha2::{Digest, Sha256};

use super::mover::{Done, Failure, Mover, Next};
use crate::change::moving::{PAUSE, ends, lives_here};
use crate::databases::place::MAIN;
use crate::messages;
use crate::store::moves::{self, Step};
use crate::store::{self, Guard, Rows, placements, rows_at};

/// After how many seconds a second message looks whether the first one has died on its way.
const BACKUP_SECONDS: u32 = 10;
/// How often what is left of a switch is tried at once, and how long it is waited before, at first, in milliseconds.
const TRIES: u32 = 6;
const WAIT_MS: u32 = 200;

/// Statements of a message, which may have made some before, after which a pause is too long: D1 runs 1,000 for one.
const MOST_STATEMENTS: u64 = 800;

/// What came of a pause.
enum Pause {
    Left,
    /// It was too short.
    Over,
    /// Nobody knows whether the tenant has left: the next message finds out.
    Unknown(store::Error),
}

impl Mover<'_> {
    /// Goes on with a switch that another message has begun.
    pub(super) async fn take_up(&mut self) -> Done<()> {
        if self.moving.status != "switching" {
            return Ok(());
        }
        if self.moving.tenant_row.is_some() && !self.is_at_home().await? {
            self.go_to(Step::Arrive);
            return Ok(());
        }
        self.end_pause().await
    }

    /// Whether the tenant still lives in the source. Nobody with an older mark takes it away any more.
    async fn is_at_home(&self) -> Done<bool> {
        let row = ends::select_tenant(&self.tenant);
        let results = self.source(vec![self.held(), row]).await?;
        Ok(rows_at(&results, 1)?.first().is_some())
    }

    /// Lets everybody write again, and catches up.
    async fn end_pause(&mut self) -> Done<()> {
        let resume = moves::resume(&self.tenant, PAUSE);
        // The row that is kept is forgotten only where the tenant has its own.
        self.source(vec![self.held(), lives_here(&self.tenant), resume])
            .await?;
        self.moving.tenant_row = None;
        self.moving.state.paused_at = None;
        self.go_to(Step::CatchUp);
        self.save("catching_up").await
    }

    /// Pauses writes, and leaves the source where that can be done in time.
    pub(super) async fn switch(&mut self) -> Done<Next> {
        if self.moving.state.tries >= self.limits.pauses {
            let reason = "what was written meanwhile was too much to catch up with in a pause";
            return Err(Failure::Hopeless(reason.to_owned()));
        }
        self.moving.state.tries += 1;
        let backup = self.message(Some(self.moving.mark));
        let sent = messages::send(self.platform, backup, BACKUP_SECONDS).await;
        sent.map_err(Failure::Queue)?;
        self.save("switching").await?;
        let paused_at = self.now();
        self.moving.state.paused_at = Some(paused_at);
        let pause = moves::pause(&self.tenant, PAUSE, self.limits.lapse_ms);
        self.source(vec![self.held(), lives_here(&self.tenant), pause])
            .await?;
        match self.in_pause(paused_at).await {
            Ok(Pause::Left) => {
                self.go_to(Step::Arrive);
                self.arrive().await
            }
            Ok(Pause::Over) => {
                self.end_pause().await?;
                Ok(Next::Rest)
            }
            Ok(Pause::Unknown(error)) => Err(error.into()),
            Err(failure @ Failure::Hopeless(_)) => {
                self.end_pause().await?;
                Err(failure)
            }
            // The pause ends by itself at the latest.
            Err(failure) => {
                let _ = self.end_pause().await;
                Err(failure)
            }
        }
    }

    /// Whether the pause has taken too long.
    fn is_late(&self, paused_at: i64) -> bool {
        self.now() - paused_at >= self.limits.pause_ms || self.statements() >= MOST_STATEMENTS
    }

    async fn in_pause(&mut self, paused_at: i64) -> Done<Pause> {
        while self.catch_up().await? > 0 {
            if self.is_late(paused_at) {
                return Ok(Pause::Over);
            }
        }
        let mut of_source = ends::digest(&self.tenant);
        of_source.push(ends::select_tenant(&self.tenant));
        let of_target = ends::digest(&self.tenant);
        let (ours, theirs) = join(self.source(of_source), self.target(of_target)).await;
        let (mut ours, theirs) = (ours?, theirs?);
        let row = ours.pop();
        let row = row.as_ref().and_then(Rows::first);
        let kept = ends::packed(
            row.ok_or_else(|| Failure::Hopeless("the tenant's own row is gone".to_owned()))?,
        )?;
        if self.is_late(paused_at) {
            return Ok(Pause::Over);
        }
        let (ours, theirs) = (digest(&ours)?, digest(&theirs)?);
        if ours != theirs {
            return match self.nothing_written().await? {
                true => Err(Failure::Hopeless(
                    "the databases have other counts or digests".to_owned(),
                )),
                // The pause has ended by itself.
                false => Ok(Pause::Over),
            };
        }
        self.moving.state.digest = Some(ours);
        self.moving.tenant_row = Some(kept);
        self.save("switching").await?;
        if self.is_late(paused_at) {
            return Ok(Pause::Over);
        }
        self.leave().await
    }

    /// Whether nothing was written behind what is caught up with.
    async fn nothing_written(&self) -> Done<bool> {
        let written = moves::nothing_written_since(&self.tenant, self.moving.state.done);
        match self.source(vec![self.held(), written]).await {
            Err(store::Error::Guard(Guard::PreconditionFailed)) => Ok(false),
            results => Ok(results.map(|_| true)?),
        }
    }

    /// Takes the tenant's own row out of the source, unless something was written since it was read.
    async fn leave(&mut self) -> Done<Pause> {
        let batch = vec![
            self.held(),
            lives_here(&self.tenant),
            moves::nothing_written_since(&self.tenant, self.moving.state.done),
            moves::resume(&self.tenant, PAUSE),
            ends::delete_tenant(&self.tenant),
        ];
        match self.source(batch).await {
            Ok(_) => Ok(Pause::Left),
            Err(store::Error::Guard(Guard::PreconditionFailed)) => Ok(Pause::Over),
            // It may come to happen even now: first its mark is made one of the past.
            Err(error) if error.may_have_happened() => match self.settle().await {
                Ok(true) => Ok(Pause::Over),
                Ok(false) => Ok(Pause::Left),
                Err(_) => Ok(Pause::Unknown(error)),
            },
            Err(store::Error::Overloaded(_)) => Ok(Pause::Over),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the move over from itself, and tells whether the tenant still lives in the source.
    async fn settle(&mut self) -> Done<bool> {
        let take = moves::take(
            &self.tenant,
            &self.moving.id,
            Some(self.moving.mark),
            self.now(),
        );
        let taken = self.main(vec![take]).await?;
        let row = rows_at(&taken, 0)?.first();
        let row = row.ok_or(store::Error::Guard(Guard::LeaseLost))?;
        self.moving.mark = row.integer("mark")?;
        self.raise_fences().await?;
        self.is_at_home().await
    }

    /// Brings the tenant's own row into the target, and has it looked for there: tried until it is done, because nobody reaches the tenant.
    pub(super) async fn arrive(&mut self) -> Done<Next> {
        let mut tries = 1;
        loop {
            match self.try_to_arrive().await {
                Ok(()) => return Ok(Next::Rest),
                Err(Failure::Store(store::Error::Guard(Guard::LeaseLost))) => {
                    return Err(store::Error::Guard(Guard::LeaseLost).into());
                }
                Err(failure) if tries >= TRIES => return Err(failure),
                Err(_) => {
                    self.platform.timer.sleep(WAIT_MS << tries.min(4)).await;
                    tries += 1;
                }
            }
        }
    }

    async fn try_to_arrive(&mut self) -> Done<()> {
        let Some(kept) = self.moving.tenant_row.clone() else {
            return Err(Failure::Store(store::Error::Backend(
                "a tenant's own row was not kept".to_owned(),
            )));
        };
        let mut batch = vec![self.held(), ends::insert_tenant(&kept)];
        batch.extend(ends::fill_directory(&self.tenant));
        let target_is_main = self.moving.target == MAIN;
        let place = match target_is_main {
            true => placements::forget(&self.tenant),
            false => placements::put(&self.tenant, &self.moving.target),
        };
        if target_is_main {
            batch.push(moves::holds(&self.tenant, &self.moving));
            batch.push(place.clone());
        }
        self.target(batch).await?;
        let now = self.now();
        let mut after = self.moving.clone();
        after.status = "purging".to_owned();
        after.state.step = Step::Unwatch;
        after.state.pause_ms = after.state.paused_at.map(|paused_at| now - paused_at);
        let mut batch: Vec<_> = moves::save(&self.tenant, &after, now)?.into();
        batch.push(place);
        self.main(batch).await?;
        self.moving = after;
        Ok(())
    }
}

/// What all tables of a tenant make, in few characters.
fn digest(results: &[Rows]) -> Done<String> {
    let mut digest = Sha256::new();
    for rows in results {
        digest.update(ends::digested(rows.first())?);
        digest.update("\n");
    }
    Ok(format!("{:x}", digest.finalize()))
}
