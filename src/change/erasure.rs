//! Forgetting a person: the resource itself is deleted like any other; this is about its traces.

use super::audit::{self, Action, Detail, Event, Origin, Totals};
use super::rows::erasure::{self, FINISHED, MAX_NAMES, Name, SCANNED};
pub use super::rows::erasure::{Subject, select_other, select_staged};
use crate::scim::fold::name_key;
use crate::store::{Result, Row, Rows, Statement, rows_at};

/// What one part of the work came to.
#[derive(Debug, Default)]
pub struct Forgotten {
    /// How many rows of which tables were forgotten, none of them 0.
    pub rows: Vec<(&'static str, i64)>,
    /// After which row of the journal to go on; none where all is done.
    pub next: Option<String>,
}

impl Forgotten {
    fn add(&mut self, table: &'static str, rows: &Rows) {
        let count = i64::try_from(rows.rows.len()).unwrap_or(i64::MAX);
        match self.rows.iter_mut().find(|(known, _)| *known == table) {
            Some((_, total)) => *total += count,
            None if count > 0 => self.rows.push((table, count)),
            None => {}
        }
    }

    pub fn of(&self, table: &str) -> i64 {
        let mut rows = self.rows.iter();
        rows.find(|(known, _)| *known == table)
            .map_or(0, |(_, count)| *count)
    }
}

/// Forgets a part: so many looks at the journal after that row, and where that is all of it, the rest. `run` runs a batch in a round trip.
pub async fn forget_some<F>(run: F, of: &Subject, after: String, looks: usize) -> Result<Forgotten>
where
    F: AsyncFn(Vec<Statement>) -> Result<Vec<Rows>>,
{
    let results = run(vec![erasure::select_names(of)]).await?;
    let rows = &rows_at(&results, 0)?.rows;
    let names: Vec<Name> = rows
        .iter()
        .take(MAX_NAMES)
        .map(name)
        .collect::<Result<_>>()?;
    let mut forgotten = Forgotten::default();
    let mut after = after;
    for _ in 0..looks {
        let results = run(erasure::scan(of, &names, &after).into()).await?;
        forgotten.add("requests", rows_at(&results, 1)?);
        let seen = rows_at(&results, 0)?.first();
        let count = seen.map_or(Ok(0), |row| row.integer("count"))?;
        if count < SCANNED {
            let results = run(erasure::finish(of, &names).into()).await?;
            for (table, rows) in FINISHED.into_iter().zip(&results) {
                forgotten.add(table, rows);
            }
            return Ok(forgotten);
        }
        after = seen.map_or(Ok(after), |row| row.text("last"))?;
    }
    forgotten.next = Some(after);
    Ok(forgotten)
}

fn name(row: &Row) -> Result<Name> {
    let name = row.text("name")?;
    Ok(Name {
        key: name_key(&name),
        quoted: serde_json::Value::from(name)
            .to_string()
            .to_ascii_lowercase(),
    })
}

/// The audit trail's word of it.
pub fn told(of: &Subject, origin: &Origin, forgotten: &Forgotten) -> Vec<Statement> {
    let event = Event {
        action: Action::Erase,
        resource_type: of.resource_type.name,
        resource_id: &of.id,
        attributes: Vec::new(),
        detail: Detail::purged(&forgotten.rows),
    };
    audit::append(&of.tenant, origin, Totals::default(), &[event])
}
