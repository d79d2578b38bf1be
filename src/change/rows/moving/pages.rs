//! Pages of a table, by its key, and the same rows written elsewhere.

use crate::change::rows::tables::Table;
use crate::ids::TenantId;
use crate::store::set::Set;
use crate::store::{Params, Result, Row, Statement, Value};

/// How much goes into a page.
#[derive(Debug, Clone, Copy)]
pub struct PageSize {
    pub rows: usize,
    pub bytes: usize,
}

/// A row's values, in the order of the table's columns.
pub type Values = Vec<Value>;

/// How many bytes a row `t` has.
pub fn bytes(table: &Table) -> String {
    let columns = table.columns.iter();
    let sizes: Vec<String> = columns
        .map(|column| format!("coalesce(octet_length(t.{column}), 0)"))
        .collect();
    sizes.join(" + ")
}

fn behind(table: &Table, params: &mut Params, after: Option<&[Value]>) -> String {
    let Some(after) = after else {
        return String::new();
    };
    let values: Vec<String> = after
        .iter()
        .map(|value| params.bind(value.clone()))
        .collect();
    format!(" and ({}) > ({})", table.key(), values.join(", "))
}

/// The rows behind that key, as many as go into a page: one at least, where there is one.
pub fn select(
    table: &Table,
    tenant: &TenantId,
    after: Option<&[Value]>,
    size: PageSize,
) -> Statement {
    let mut params = Params::new(vec![tenant.into()]);
    let behind = behind(table, &mut params, after);
    let (name, key, columns) = (table.name, table.key(), table.columns.join(", "));
    let bytes = bytes(table);
    let rows = params.bind(i64::try_from(size.rows).unwrap_or(i64::MAX));
    let most = params.bind(i64::try_from(size.bytes).unwrap_or(i64::MAX));
    Statement::new(
        format!(
            "with sized ({key}, bytes) as (select {key}, {bytes} from {name} t where tenant_id = ?1{behind} order by {key} limit {rows}), \
             cut (number, total) as (select row_number() over (order by {key}), sum(bytes) over (order by {key} rows unbounded preceding) from sized) \
             select {columns} from {name} where tenant_id = ?1{behind} order by {key} \
             limit (select coalesce(max(number), 0) from cut where total <= {most} or number = 1)"
        ),
        params.into_values(),
    )
}

/// The rows behind one key and up to another, in another database; no more than so many.
pub fn select_between(
    table: &Table,
    tenant: &TenantId,
    after: Option<&[Value]>,
    last: Option<&[Value]>,
    limit: usize,
) -> Statement {
    let mut params = Params::new(vec![tenant.into()]);
    let behind = behind(table, &mut params, after);
    let (name, key, columns) = (table.name, table.key(), table.columns.join(", "));
    let until = last.map_or_else(String::new, |last| {
        let values: Vec<String> = last
            .iter()
            .map(|value| params.bind(value.clone()))
            .collect();
        format!(" and ({key}) <= ({})", values.join(", "))
    });
    let limit = params.bind(i64::try_from(limit).unwrap_or(i64::MAX));
    Statement::new(
        format!(
            "select {columns} from {name} where tenant_id = ?1{behind}{until} order by {key} limit {limit}"
        ),
        params.into_values(),
    )
}

/// The values of rows of such a statement.
pub fn values(table: &Table, rows: &[Row]) -> Result<Vec<Values>> {
    let of_row = |row: &Row| {
        let columns = table.columns.iter();
        columns
            .map(|column| row.value(column).cloned())
            .collect::<Result<Values>>()
    };
    rows.iter().map(of_row).collect()
}

/// The key of a row.
pub fn key<'r>(table: &Table, row: &'r [Value]) -> &'r [Value] {
    row.get(..table.key_columns().len()).unwrap_or_default()
}

/// Writes rows, in the place of what stands in their way.
pub fn write(table: &Table, tenant: &TenantId, rows: Vec<Values>) -> Vec<Statement> {
    if rows.is_empty() {
        return Vec::new();
    }
    let (name, columns) = (table.name, table.columns.join(", "));
    Set::new(table.columns, rows).packed(&[tenant.into()], |part| {
        format!(
            "{} insert or replace into {name} (tenant_id, {columns}) select ?1, {columns} from e",
            part.table()
        )
    })
}
