//! How a move ends: what the source has is deleted, or what the target has where it is taken back.

use super::mover::{Done, Mover, Next};
use crate::change::moving::{ends, lives_elsewhere, lives_here};
use crate::databases::place::MAIN;
use crate::store::moves::Step;

impl Mover<'_> {
    /// Drops the triggers in the source.
    pub(super) async fn unwatch(&mut self) -> Done<Next> {
        let (condition, next, status) = match self.moving.state.step {
            Step::Unwatch => (lives_elsewhere(&self.tenant), Step::Purge, "purging"),
            _ => (lives_here(&self.tenant), Step::BackClear, "cancelling"),
        };
        self.drop_triggers(condition).await?;
        self.go_to(next);
        self.save(status).await?;
        Ok(Next::Go)
    }

    /// Deletes what the source has. What leads to tenants stays in main.
    pub(super) async fn purge(&mut self) -> Done<Next> {
        let mut batch = vec![self.held(), lives_elsewhere(&self.tenant)];
        let with_directory = self.moving.source != MAIN;
        batch.extend(ends::clear(
            &self.tenant,
            with_directory,
            self.limits.deleted,
        ));
        let results = self.source(batch).await?;
        let last = results.last().and_then(|rows| rows.first());
        if last.map_or(Ok(false), |row| row.boolean("more"))? {
            return Ok(Next::Go);
        }
        self.moving.tenant_row = None;
        self.save("done").await?;
        Ok(Next::Done)
    }

    /// It is taken back.
    pub(super) async fn end_back(&mut self) -> Done<Next> {
        let status = match self.moving.state.failed {
            true => "failed",
            false => "cancelled",
        };
        self.save(status).await?;
        Ok(Next::Done)
    }
}
