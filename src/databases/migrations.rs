//! Which migrations a database has had, as wrangler notes them in it.

use crate::store::{Error, Result, Rows};

/// The last of them, which every database has to have.
pub const NEWEST: &str = "0024_databases.sql";

/// Fails with [`Error::Outdated`] where that is older than that.
pub fn check(database: &str, rows: &Rows) -> Result<()> {
    let last = match rows.first() {
        Some(row) => row.optional_text("last")?,
        None => None,
    };
    match last {
        Some(last) if last.as_str() < NEWEST => Err(Error::Outdated {
            database: database.to_owned(),
            last,
        }),
        _ => Ok(()),
    }
}
