//! What is copied, table by table, and how both sides are compared when it is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::mover::{Done, Failure, Mover, Next};
use crate::change::moving::keys::{folded, parse};
use crate::change::moving::lives_elsewhere;
use crate::change::moving::pages::{self, Values};
use crate::change::rows_of_tenants::Table;
use crate::store::moves::{self, Step};
use crate::store::rows_at;

impl Mover<'_> {
    /// Copies the next page.
    pub(super) async fn copy(&mut self) -> Done<Next> {
        let Some((place, table)) = self.table() else {
            return Err(Failure::Hopeless("a table is not known".to_owned()));
        };
        let after = self.after();
        let page = pages::select(table, &self.tenant, after.as_deref(), self.page_size());
        let results = self.source(vec![page]).await?;
        let rows = pages::values(table, &rows_at(&results, 0)?.rows)?;
        let last = rows.last().map(|row| key_of(table, row));
        let count = rows.len();
        if count > 0 {
            let mut batch = vec![self.held(), lives_elsewhere(&self.tenant)];
            batch.extend(pages::write(table, &self.tenant, rows));
            self.target(batch).await?;
        }
        self.moving.state.rows_copied += i64::try_from(count).unwrap_or_default();
        // A table ends with a page that has nothing.
        if !self.advance(place, last) {
            self.go_to(Step::CatchUp);
            self.save("catching_up").await?;
        } else if count > 0 {
            self.save("copying").await?;
        }
        Ok(Next::Go)
    }

    /// Compares the next page with what the other side has there.
    pub(super) async fn check(&mut self) -> Done<Next> {
        let Some((place, table)) = self.table() else {
            return Err(Failure::Hopeless("a table is not known".to_owned()));
        };
        let mut is_second = false;
        let last = loop {
            if self.catch_up().await? > self.limits.few {
                return Ok(Next::Go);
            }
            let (last, differing) = self.compare(table).await?;
            let unexplained = self.unexplained(table, differing).await?;
            if unexplained == 0 {
                break last;
            }
            // Very many rows may have been deleted since it was caught up with.
            if is_second {
                return Err(Failure::Hopeless(format!(
                    "{unexplained} rows of {} are not the same in both databases, and nobody has written them",
                    table.name
                )));
            }
            is_second = true;
        };
        let status = match self.advance(place, last) {
            true => "checking",
            false => {
                self.moving.state.checked = true;
                self.go_to(Step::CatchUp);
                "catching_up"
            }
        };
        self.save(status).await?;
        Ok(Next::Go)
    }

    /// The last key of the next page, none where there is no page, and the keys of rows there that are not the same on both sides.
    async fn compare(&self, table: &'static Table) -> Done<(Option<Vec<Json>>, BTreeSet<String>)> {
        let after = self.after();
        let page = pages::select(table, &self.tenant, after.as_deref(), self.page_size());
        let results = self.source(vec![page]).await?;
        let ours = pages::values(table, &rows_at(&results, 0)?.rows)?;
        let until = ours.last().map(|row| pages::key(table, row));
        let limit = ours.len() + self.limits.rows;
        let page = pages::select_between(table, &self.tenant, after.as_deref(), until, limit);
        let results = self.target(vec![page]).await?;
        let theirs = pages::values(table, &rows_at(&results, 0)?.rows)?;
        let last = ours.last().map(|row| key_of(table, row));
        Ok((last, differing(table, ours, theirs)))
    }

    /// How many of these rows were not written since they were copied.
    async fn unexplained(
        &self,
        table: &'static Table,
        mut differing: BTreeSet<String>,
    ) -> Done<usize> {
        if differing.is_empty() {
            return Ok(0);
        }
        let done = self.moving.state.done;
        let written = moves::select_written_of(&self.tenant, table.name, done);
        let results = self.source(vec![written]).await?;
        for row in &rows_at(&results, 0)?.rows {
            differing.remove(&folded(table, &parse(&row.text("key")?)?));
        }
        Ok(differing.len())
    }
}

fn key_of(table: &Table, row: &Values) -> Vec<Json> {
    pages::key(table, row).iter().map(Json::from).collect()
}

/// The keys of rows that are not the same on both sides.
fn differing(table: &Table, ours: Vec<Values>, theirs: Vec<Values>) -> BTreeSet<String> {
    let by_key = |rows: Vec<Values>| -> BTreeMap<String, Values> {
        let rows = rows.into_iter();
        rows.map(|row| (folded(table, pages::key(table, &row)), row))
            .collect()
    };
    let (ours, mut theirs) = (by_key(ours), by_key(theirs));
    let mut differing = BTreeSet::new();
    for (key, row) in ours {
        if theirs.remove(&key).as_ref() != Some(&row) {
            differing.insert(key);
        }
    }
    differing.extend(theirs.into_keys());
    differing
}
