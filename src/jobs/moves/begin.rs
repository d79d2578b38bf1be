//! How a move begins: the target is empty of the tenant, and the source notes what is written.

use super::mover::{Done, Mover, Next};
use crate::change::moving::{capture, ends, lives_elsewhere, lives_here};
use crate::databases::place::MAIN;
use crate::store::moves::{self, Step};
use crate::store::{self, Guard, Statement, rows_at};

/// Tables whose triggers are made in one batch.
const TABLES_AT_ONCE: usize = 4;
/// Triggers that are dropped in one batch.
const TRIGGERS_AT_ONCE: usize = 24;

impl Mover<'_> {
    /// Deletes what the target has of the tenant: before it is copied, and where the move is taken back.
    pub(super) async fn clear(&mut self) -> Done<Next> {
        let mut batch = vec![self.held(), lives_elsewhere(&self.tenant)];
        batch.extend(ends::clear(
            &self.tenant,
            self.moving.target != MAIN,
            self.limits.deleted,
        ));
        let is_back = self.moving.state.step == Step::BackClear;
        let results = match self.target(batch).await {
            // Somebody has put the tenant there by hand: nothing of it is deleted.
            Err(store::Error::Guard(Guard::VersionConflict)) if is_back => {
                return self.end_back().await;
            }
            results => results?,
        };
        let last = results.last().and_then(|rows| rows.first());
        if last.map_or(Ok(false), |row| row.boolean("more"))? {
            return Ok(Next::Go);
        }
        if is_back {
            return self.end_back().await;
        }
        self.go_to(Step::Watch);
        self.save("copying").await?;
        Ok(Next::Go)
    }

    /// Makes the triggers, some tables at once; then counts what is to be copied.
    pub(super) async fn watch(&mut self) -> Done<Next> {
        self.drop_triggers(lives_here(&self.tenant)).await?;
        for from in (0..capture::count()).step_by(TABLES_AT_ONCE) {
            let mut batch = vec![self.held(), lives_here(&self.tenant)];
            batch.extend(capture::create(&self.tenant, from, TABLES_AT_ONCE));
            self.source(batch).await?;
        }
        let results = self.source(ends::count(&self.tenant)).await?;
        let mut total = 0;
        for index in 0..results.len() {
            total += ends::counted(rows_at(&results, index)?.first())?;
        }
        self.moving.state.rows_total = total;
        self.go_to(Step::Copy);
        self.save("copying").await?;
        Ok(Next::Go)
    }

    /// Drops the triggers in the source, and forgets what they noted. A condition says where the tenant lives.
    pub(super) async fn drop_triggers(&self, condition: Statement) -> Done<()> {
        loop {
            let found = self
                .source(vec![capture::select(&self.tenant, TRIGGERS_AT_ONCE)])
                .await?;
            let rows = rows_at(&found, 0)?.rows.iter();
            let names: Vec<String> = rows
                .map(|row| row.text("name"))
                .collect::<store::Result<_>>()?;
            if names.is_empty() {
                break;
            }
            let mut batch = vec![self.held(), condition.clone()];
            batch.extend(capture::drop(&names));
            self.source(batch).await?;
        }
        loop {
            let mut batch = vec![self.held(), condition.clone()];
            batch.extend(moves::forget_all(&self.tenant, self.limits.deleted));
            let results = self.source(batch).await?;
            let last = results.last().and_then(|rows| rows.first());
            if !last.map_or(Ok(false), |row| row.boolean("more"))? {
                return Ok(());
            }
        }
    }
}
