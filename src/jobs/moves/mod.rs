//! A tenant's move from one database to another, while it is in use: copied, caught up with, compared, switched to in a short pause of writes,
//! and cleared away where it was.
//!
//! A message does a part and sends the next one. It may come twice, late, or die anywhere: each takes a mark of its own (see
//! [`moves`](crate::store::moves)), what it writes is held by that mark, and each step may be done again.

mod begin;
mod catch_up;
mod copy;
mod end;
mod mover;
mod switch;

use std::rc::Rc;

pub use mover::{Databases, Mover, Next};

use crate::api::App;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::messages::{self, Message};
use crate::store::moves::{self, Move};
use crate::store::rows_at;

/// Moves that one tick of the clock goes on with.
const AT_ONCE: i64 = 30;

impl App {
    /// Does a part of a move, and sends the message for the next one.
    pub(super) async fn move_on(&self, tenant: &str, id: &str, mark: Option<i64>) -> Result<()> {
        let Some(tenant) = TenantId::parse(tenant) else {
            return Ok(());
        };
        let now = self.platform.clock.now();
        let main = &self.platform.database;
        let taken = main.run(vec![moves::take(&tenant, id, mark, now)]).await?;
        let Some(row) = rows_at(&taken, 0)?.first() else {
            return Ok(());
        };
        let moving = moves::read(row)?;
        let databases = self.databases_of(&moving)?;
        let mut mover = Mover::new(&self.platform, self.config.moves, databases, tenant, moving);
        let next = mover.work().await;
        self.platform.log.line(&mover.line().to_string());
        match next? {
            Next::Done => Ok(()),
            Next::Go | Next::Rest => messages::send(&self.platform, mover.message(None), 0).await,
        }
    }

    /// The databases of a move.
    fn databases_of(&self, moving: &Move) -> Result<Databases> {
        Ok(Databases {
            main: Rc::clone(&self.platform.database),
            source: self.platform.database_named(&moving.source)?,
            target: self.platform.database_named(&moving.target)?,
        })
    }

    /// Sends the messages anew of moves of which nothing was heard for long.
    pub(super) async fn send_silent_moves(&self) {
        let now = self.platform.clock.now();
        let result = async {
            let batch = moves::revive(now, AT_ONCE).into();
            let results = self.platform.database.run(batch).await?;
            for row in &rows_at(&results, 1)?.rows {
                let message = Message::Move {
                    tenant: row.text("tenant_id")?,
                    id: row.text("id")?,
                    mark: None,
                };
                messages::send(&self.platform, message, 0).await?;
            }
            Ok::<_, Error>(())
        };
        self.tell_scheduled("moves", result.await);
    }
}
