//! What was written in the source meanwhile: its rows as they are now, written in the target and read back there.

use std::collections::{BTreeMap, BTreeSet};

use super::mover::{Done, Failure, Mover, Next};
use crate::change::moving::keys::{self, Key, folded};
use crate::change::moving::pages::{self, Values};
use crate::change::moving::{lives_elsewhere, place_of};
use crate::change::rows_of_tenants::{TABLES, Table};
use crate::store::moves::{self, Step};
use crate::store::{Row, rows_at};

/// A row that was written: its number, its table's place, its key.
struct Written {
    number: i64,
    place: usize,
    key: Key,
}

/// Rows of one table.
type OfTable<'w> = (&'static Table, Vec<&'w Key>);

impl Mover<'_> {
    /// Catches up with some of what was written; where little is left, what comes next begins.
    pub(super) async fn catch_up_some(&mut self) -> Done<Next> {
        if self.catch_up().await? > self.limits.few {
            return Ok(Next::Go);
        }
        let (step, status) = match self.moving.state.checked {
            true => (Step::Switch, "switching"),
            false => (Step::Check, "checking"),
        };
        self.go_to(step);
        // The pause has a message to itself.
        if step == Step::Switch {
            self.save("catching_up").await?;
            return self.switch().await;
        }
        self.save(status).await?;
        Ok(Next::Go)
    }

    /// Catches up with some of what was written, and gives how much there was.
    pub(super) async fn catch_up(&mut self) -> Done<i64> {
        let done = self.moving.state.done;
        let batch = vec![
            self.held(),
            moves::forget_written(&self.tenant, done),
            moves::select_written(&self.tenant, done, self.limits.rows),
        ];
        let results = self.source(batch).await?;
        let found = &rows_at(&results, 2)?.rows;
        let Some(last) = found.last() else {
            return Ok(0);
        };
        let mut upto = last.integer("number")?;
        let in_all = last.integer("last")? - done;
        let mut written = distinct(found)?;
        if let Some(first_left) = self.fitting(&mut written).await? {
            upto = first_left - 1;
        }
        if !written.is_empty() {
            self.apply(&written).await?;
        }
        let count = i64::try_from(written.len()).unwrap_or_default();
        let state = &mut self.moving.state;
        state.rows_caught_up += count;
        state.done = upto;
        state.errors = 0;
        let status = self.moving.status.clone();
        self.save(&status).await?;
        Ok(in_all)
    }

    /// Keeps as many rows as go into a page, and gives the number of the first that is left.
    async fn fitting(&self, written: &mut Vec<Written>) -> Done<Option<i64>> {
        let tables = by_table(written);
        let batch = tables
            .iter()
            .map(|(table, keys)| keys::select_sizes(table, &self.tenant, keys));
        let batch: Vec<_> = batch.collect();
        if batch.is_empty() {
            return Ok(None);
        }
        let results = self.source(batch).await?;
        let mut sizes: BTreeMap<(usize, String), i64> = BTreeMap::new();
        for ((table, keys), rows) in tables.iter().zip(&results) {
            let place = place_of(table.name).map_or(0, |(place, _)| place);
            for row in &rows.rows {
                let index = usize::try_from(row.integer("number")?).unwrap_or_default();
                if let Some(key) = keys.get(index) {
                    sizes.insert((place, folded(table, key)), row.integer("bytes")?);
                }
            }
        }
        let most = i64::try_from(self.limits.bytes).unwrap_or(i64::MAX);
        let mut total = 0;
        for (fits, one) in written.iter().enumerate() {
            let folded = TABLES.get(one.place).map(|table| folded(table, &one.key));
            let size = folded.and_then(|key| sizes.get(&(one.place, key)));
            total += size.copied().unwrap_or_default();
            if total > most && fits > 0 {
                let first_left = one.number;
                written.truncate(fits);
                return Ok(Some(first_left));
            }
        }
        Ok(None)
    }

    /// Writes the rows as they are now, deletes those that are not there any more, and reads all of it back.
    async fn apply(&self, written: &[Written]) -> Done<()> {
        let tables = by_table(written);
        let reads = tables
            .iter()
            .map(|(table, keys)| keys::select(table, &self.tenant, keys));
        let results = self.source(reads.collect()).await?;
        let mut rows = Vec::new();
        for ((table, _), found) in tables.iter().zip(&results) {
            rows.push(pages::values(table, &found.rows)?);
        }
        let mut batch = vec![self.held(), lives_elsewhere(&self.tenant)];
        for ((table, keys), rows) in tables.iter().zip(&rows) {
            let absent = keys::without_row(table, keys, rows);
            if !absent.is_empty() {
                batch.push(keys::delete(table, &self.tenant, &absent));
            }
        }
        for ((table, _), rows) in tables.iter().zip(&rows) {
            batch.extend(pages::write(table, &self.tenant, rows.clone()));
        }
        let first = batch.len();
        let read_back = tables
            .iter()
            .map(|(table, keys)| keys::select(table, &self.tenant, keys));
        batch.extend(read_back);
        let results = self.target(batch).await?;
        for (index, ((table, _), rows)) in tables.iter().zip(&rows).enumerate() {
            let there = pages::values(table, &rows_at(&results, first + index)?.rows)?;
            if !same(table, rows, &there) {
                let table = table.name;
                let reason = format!("rows of {table} are others than were written");
                return Err(Failure::Hopeless(reason));
            }
        }
        Ok(())
    }
}

/// Whether both are the same rows, in whatever order.
fn same(table: &Table, ours: &[Values], theirs: &[Values]) -> bool {
    let by_key = |rows: &[Values]| -> BTreeMap<String, Values> {
        let rows = rows.iter();
        rows.map(|row| (folded(table, pages::key(table, row)), row.clone()))
            .collect()
    };
    by_key(ours) == by_key(theirs)
}

/// Each row once, in the order in which they were written first. The tenant's own row comes with the switch.
fn distinct(found: &[Row]) -> Done<Vec<Written>> {
    let mut seen = BTreeSet::new();
    let mut written = Vec::new();
    for row in found {
        let Some((place, table)) = place_of(&row.text("table_name")?) else {
            continue;
        };
        let key = keys::parse(&row.text("key")?)?;
        if seen.insert((place, folded(table, &key))) {
            let number = row.integer("number")?;
            written.push(Written { number, place, key });
        }
    }
    Ok(written)
}

fn by_table(written: &[Written]) -> Vec<OfTable<'_>> {
    let mut tables: BTreeMap<usize, Vec<&Key>> = BTreeMap::new();
    for one in written {
        tables.entry(one.place).or_default().push(&one.key);
    }
    let tables = tables.into_iter();
    tables
        .filter_map(|(place, keys)| Some((TABLES.get(place)?, keys)))
        .collect()
}
