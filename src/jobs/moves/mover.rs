//! Who moves a tenant, for one message.

use std::rc::Rc;

use serde_json::{Value as Json, json};

use crate::change::moving::pages::PageSize;
use crate::change::moving::{holds, place_of};
use crate::change::rows_of_tenants::{TABLES, Table};
use crate::config::MoveLimits;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::messages::Message;
use crate::platform::{Database, Platform};
use crate::store::moves::{self, Move, Step};
use crate::store::{self, Guard, Meter, Rows, Statement, Value};

/// Errors one after the other, that do not pass by themselves, after which a move is taken back.
const MAX_ERRORS: u32 = 5;

/// The databases of a move; main may be one of the other two.
pub struct Databases {
    pub main: Rc<dyn Database>,
    pub source: Rc<dyn Database>,
    pub target: Rc<dyn Database>,
}

/// What comes after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The next one.
    Go,
    /// The next one, by a message of its own.
    Rest,
    /// Nothing.
    Done,
}

/// Why a step came to nothing.
#[derive(Debug)]
pub enum Failure {
    /// The database refused it.
    Store(store::Error),
    /// It cannot come to anything: the reason for a human.
    Hopeless(String),
    /// The message that was to go on could not be sent.
    Queue(Error),
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Failure::Store(error)
    }
}

pub type Done<T> = std::result::Result<T, Failure>;

pub struct Mover<'p> {
    pub(super) platform: &'p Platform,
    pub(super) limits: MoveLimits,
    pub(super) databases: Databases,
    pub(super) tenant: TenantId,
    pub(super) moving: Move,
    meter: Meter,
    began_at: i64,
}

impl<'p> Mover<'p> {
    /// Who goes on with a move that was taken over under the mark that its row has.
    pub fn new(
        platform: &'p Platform,
        limits: MoveLimits,
        databases: Databases,
        tenant: TenantId,
        moving: Move,
    ) -> Self {
        Mover {
            platform,
            limits,
            databases,
            tenant,
            moving,
            meter: Meter::default(),
            began_at: platform.clock.now(),
        }
    }

    /// Does some steps. An error is to be tried again.
    pub async fn work(&mut self) -> Result<Next> {
        let result = async {
            self.raise_fences().await?;
            self.take_up().await?;
            loop {
                let next = self.step().await?;
                let cost = self.meter.cost();
                let took = self.platform.clock.now() - self.began_at;
                let is_enough =
                    cost.statements >= self.limits.statements || took >= self.limits.work_ms;
                match next {
                    Next::Go if is_enough => return Ok(Next::Rest),
                    Next::Go => {}
                    next => return Ok(next),
                }
            }
        };
        match result.await {
            Ok(next) => Ok(next),
            // Another message is at it.
            Err(Failure::Store(store::Error::Guard(Guard::LeaseLost))) => Ok(Next::Done),
            Err(Failure::Store(error @ store::Error::Overloaded(_))) => Err(error.into()),
            Err(Failure::Queue(error)) => Err(error),
            Err(Failure::Hopeless(reason)) => self.give_up(reason).await,
            Err(Failure::Store(store::Error::Guard(Guard::VersionConflict)))
                if !self.is_past_return() =>
            {
                let reason = "the tenant does not live where it was looked for";
                self.give_up(reason.to_owned()).await
            }
            Err(Failure::Store(error)) => self.count_error(error).await,
        }
    }

    async fn step(&mut self) -> Done<Next> {
        match self.moving.state.step {
            Step::Clear | Step::BackClear => self.clear().await,
            Step::Watch => self.watch().await,
            Step::Copy => self.copy().await,
            Step::CatchUp => self.catch_up_some().await,
            Step::Check => self.check().await,
            Step::Switch => self.switch().await,
            Step::Arrive => self.arrive().await,
            Step::Unwatch | Step::BackUnwatch => self.unwatch().await,
            Step::Purge => self.purge().await,
        }
    }

    /// Whether there is no way back.
    fn is_past_return(&self) -> bool {
        !matches!(
            self.moving.state.step,
            Step::Clear | Step::Watch | Step::Copy | Step::CatchUp | Step::Check
        )
    }

    /// An error that may pass or not: after some of them the move is taken back, where it still can be.
    async fn count_error(&mut self, error: store::Error) -> Result<Next> {
        let text = error.to_string();
        self.moving.state.errors += 1;
        if self.is_past_return() {
            return Err(error.into());
        }
        let is_full = matches!(error, store::Error::Full(_));
        if is_full || self.moving.state.errors >= MAX_ERRORS {
            return self.give_up(text).await;
        }
        let status = self.moving.status.clone();
        self.save(&status).await.map_err(unsaved)?;
        Err(error.into())
    }

    /// Has the move taken back as failed.
    async fn give_up(&mut self, reason: String) -> Result<Next> {
        self.moving.reason = Some(reason);
        self.moving.state.failed = true;
        self.go_to(Step::BackUnwatch);
        match self.save("cancelling").await {
            Ok(()) => Ok(Next::Rest),
            Err(Failure::Store(store::Error::Guard(Guard::LeaseLost))) => Ok(Next::Done),
            Err(failure) => Err(unsaved(failure)),
        }
    }

    /// Nobody with an older mark writes in either database from here on.
    pub(super) async fn raise_fences(&self) -> Done<()> {
        let fence = || vec![moves::raise_fence(&self.tenant, self.moving.mark)];
        self.source(fence()).await?;
        self.target(fence()).await?;
        Ok(())
    }

    pub(super) async fn main(&self, batch: Vec<Statement>) -> store::Result<Vec<Rows>> {
        self.meter.run(self.databases.main.as_ref(), batch).await
    }

    pub(super) async fn source(&self, batch: Vec<Statement>) -> store::Result<Vec<Rows>> {
        self.meter.run(self.databases.source.as_ref(), batch).await
    }

    pub(super) async fn target(&self, batch: Vec<Statement>) -> store::Result<Vec<Rows>> {
        self.meter.run(self.databases.target.as_ref(), batch).await
    }

    /// The condition that this is the message at work.
    pub(super) fn held(&self) -> Statement {
        holds(&self.tenant, self.moving.mark)
    }

    /// How many statements there were so far.
    pub(super) fn statements(&self) -> u64 {
        self.meter.cost().statements
    }

    pub(super) fn now(&self) -> i64 {
        self.platform.clock.now()
    }

    pub(super) fn page_size(&self) -> PageSize {
        PageSize {
            rows: self.limits.rows,
            bytes: self.limits.bytes,
        }
    }

    /// Notes how far it is.
    pub(super) async fn save(&mut self, status: &str) -> Done<()> {
        self.moving.status = status.to_owned();
        let batch = moves::save(&self.tenant, &self.moving, self.now())?;
        self.main(batch.into()).await?;
        Ok(())
    }

    /// Begins with a step, at its first table.
    pub(super) fn go_to(&mut self, step: Step) {
        let state = &mut self.moving.state;
        state.step = step;
        state.errors = 0;
        state.table = None;
        state.after = None;
    }

    /// The table that the step is at.
    pub(super) fn table(&self) -> Option<(usize, &'static Table)> {
        match &self.moving.state.table {
            Some(name) => place_of(name),
            None => TABLES.first().map(|table| (0, table)),
        }
    }

    /// Goes on behind a key; with none, to the next table. Whether there is one.
    pub(super) fn advance(&mut self, place: usize, after: Option<Vec<Json>>) -> bool {
        let state = &mut self.moving.state;
        state.errors = 0;
        state.after = after;
        if state.after.is_some() {
            state.table = TABLES.get(place).map(|table| table.name.to_owned());
            return true;
        }
        let next = TABLES.get(place + 1);
        state.table = next.map(|table| table.name.to_owned());
        next.is_some()
    }

    /// The key that the step has done last.
    pub(super) fn after(&self) -> Option<Vec<Value>> {
        let after = self.moving.state.after.as_ref()?;
        let value = |value: &Json| match value {
            Json::String(text) => Value::Text(text.clone()),
            number => Value::Integer(number.as_i64().unwrap_or_default()),
        };
        Some(after.iter().map(value).collect())
    }

    /// The message that goes on; where a mark is told, only if nobody else has.
    pub(super) fn message(&self, mark: Option<i64>) -> Message {
        Message::Move {
            tenant: self.tenant.to_string(),
            id: self.moving.id.clone(),
            mark,
        }
    }

    /// What this message did, for the log.
    pub fn line(&self) -> Json {
        let cost = self.meter.cost();
        json!({
            "move": self.moving.id,
            "tenant": self.tenant.as_str(),
            "status": self.moving.status,
            "rows_copied": self.moving.state.rows_copied,
            "rows_caught_up": self.moving.state.rows_caught_up,
            "d1_trips": cost.trips,
            "d1_statements": cost.statements,
            "d1_rows_read": cost.read,
            "d1_rows_written": cost.written,
        })
    }
}

fn unsaved(failure: Failure) -> Error {
    match failure {
        Failure::Store(error) => error.into(),
        Failure::Queue(error) => error,
        Failure::Hopeless(reason) => Error::internal(reason),
    }
}
