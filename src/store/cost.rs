//! What work has cost at the database, by the database's own count.

use std::cell::Cell;

use super::{Result, Rows, Statement};
use crate::platform::Database;

/// What something has cost at the database.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// Round trips: batches.
    pub trips: u64,
    /// Statements in them; D1 runs 1,000 at most for one invocation.
    pub statements: u64,
    /// Rows read and rows written, those of indexes too.
    pub read: u64,
    pub written: u64,
}

/// A way to a database that counts.
#[derive(Default)]
pub struct Meter(Cell<Cost>);

impl Meter {
    /// Runs a batch in one round trip. One that fails was asked too.
    pub async fn run(&self, database: &dyn Database, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        self.add(Cost {
            trips: 1,
            statements: u64::try_from(batch.len()).unwrap_or(u64::MAX),
            ..Cost::default()
        });
        let results = database.run(batch).await?;
        self.add_rows(&results);
        Ok(results)
    }

    /// Counts a batch that somebody else has run, by its results.
    pub fn add_run(&self, results: &[Rows]) {
        self.add(Cost {
            trips: 1,
            statements: u64::try_from(results.len()).unwrap_or(u64::MAX),
            ..Cost::default()
        });
        self.add_rows(results);
    }

    fn add_rows(&self, results: &[Rows]) {
        for rows in results {
            self.add(Cost {
                read: rows.read,
                written: rows.written,
                ..Cost::default()
            });
        }
    }

    fn add(&self, more: Cost) {
        let cost = self.0.get();
        self.0.set(Cost {
            trips: cost.trips + more.trips,
            statements: cost.statements + more.statements,
            read: cost.read + more.read,
            written: cost.written + more.written,
        });
    }

    /// Counts round trips that gave no rows for whoever asked.
    pub fn add_trips(&self, trips: u64) {
        self.add(Cost {
            trips,
            ..Cost::default()
        });
    }

    pub fn cost(&self) -> Cost {
        self.0.get()
    }
}
