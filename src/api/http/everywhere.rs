//! Lists of what all tenants have: of one database after the other, the first one first, and within each in its own order.

use std::rc::Rc;

use super::call::Call;
use super::input::Page;
use crate::error::Result;
use crate::ids::TenantId;
use crate::store::{Row, Rows, Statement, Value, rows_at};

/// A page of what is listed, out of all databases.
pub struct Found<'c> {
    pub total: i64,
    /// Rows of the page, by the database that they are in.
    pub parts: Vec<(&'c str, Vec<Row>)>,
}

impl Found<'_> {
    /// The same as the results of a count and of a page in one database.
    pub fn into_results(self) -> [Rows; 2] {
        let total = Row::new(
            Rc::from(["total".to_owned()]),
            vec![Value::Integer(self.total)],
        );
        let rows = self.parts.into_iter().flat_map(|(_, rows)| rows);
        [
            Rows {
                rows: vec![total],
                ..Rows::default()
            },
            Rows {
                rows: rows.collect(),
                ..Rows::default()
            },
        ]
    }
}

/// A page of a list, by the statements that count all and select a page with a limit and an offset: of one tenant, or of all.
pub async fn list(
    call: &Call<'_>,
    tenant: Option<&TenantId>,
    page: Page,
    statements: impl Fn(i64, i64) -> [Statement; 2],
) -> Result<Vec<Rows>> {
    if tenant.is_some() {
        let batch = statements(page.per_page, page.offset());
        return Ok(call.run(tenant, batch.into()).await?);
    }
    let found = of_all(call, page, &statements, false).await?;
    Ok(found.into_results().into())
}

/// A page of a list of what all tenants have. With one database it takes one trip; with several one for each to count, and one for each that
/// the page is of. One that does not answer fails it, unless such are passed over.
pub async fn of_all<'c>(
    call: &'c Call<'_>,
    page: Page,
    statements: &dyn Fn(i64, i64) -> [Statement; 2],
    passes_over: bool,
) -> Result<Found<'c>> {
    let total_of = |results: &[Rows]| -> Result<i64> {
        let row = rows_at(results, 0)?.first();
        Ok(row.map_or(Ok(0), |row| row.integer("total"))?)
    };
    let places = call.app.platform.homes.places();
    if let [one] = places {
        let batch = statements(page.per_page, page.offset());
        let mut results = call.run(None, batch.into()).await?;
        let total = total_of(&results)?;
        let rows = results.pop().unwrap_or_default().rows;
        return Ok(Found {
            total,
            parts: vec![(&one.name, rows)],
        });
    }
    let [count, _] = statements(0, 0);
    let mut found = Found {
        total: 0,
        parts: Vec::new(),
    };
    // What is left to skip, and to show.
    let (mut offset, mut limit) = (page.offset(), page.per_page);
    for (name, results) in call.run_everywhere(&[count]).await {
        let total = match results {
            Err(_) if passes_over => continue,
            results => total_of(&results?)?,
        };
        found.total += total;
        let here = (total - offset).clamp(0, limit);
        if here > 0 {
            let [_, select] = statements(here, offset);
            let mut results = call.run_in(name, vec![select]).await?;
            found
                .parts
                .push((name, results.pop().unwrap_or_default().rows));
        }
        limit -= here;
        offset = (offset - total).max(0);
    }
    Ok(found)
}
