//! Rows by their keys: what was written in the source meanwhile, and what it is now.

use serde_json::Value as Json;

use super::pages::{self, Values};
use crate::change::rows::tables::Table;
use crate::ids::TenantId;
use crate::store::{Error, Result, Statement, Value};

/// A key as it is compared.
pub type Key = Vec<Value>;

/// Reads a key as the triggers note it.
pub fn parse(text: &str) -> Result<Key> {
    let values: Vec<Json> = serde_json::from_str(text)
        .map_err(|error| Error::Backend(format!("a key in moved_rows: {error}")))?;
    let value = |value: Json| match value {
        Json::String(text) => Ok(Value::Text(text)),
        Json::Number(number) => number
            .as_i64()
            .map(Value::Integer)
            .ok_or_else(|| Error::Backend("a key in moved_rows is no whole number".to_owned())),
        _ => Err(Error::Backend(
            "a key in moved_rows has no value".to_owned(),
        )),
    };
    values.into_iter().map(value).collect()
}

/// A key as its table compares it.
pub fn folded(table: &Table, key: &[Value]) -> String {
    let text = as_json(key).to_string();
    match table.is_caseless() {
        true => text.to_ascii_lowercase(),
        false => text,
    }
}

fn as_json(key: &[Value]) -> Json {
    Json::Array(key.iter().map(Json::from).collect())
}

fn listed(keys: &[&Key]) -> String {
    Json::Array(keys.iter().map(|key| as_json(key)).collect()).to_string()
}

/// The key's columns out of a row of `json_each`.
fn parts(table: &Table) -> Vec<String> {
    let columns = table.key_columns().iter().enumerate();
    columns
        .map(|(index, _)| format!("json_extract(k.value, '$[{index}]')"))
        .collect()
}

fn joined(table: &Table) -> String {
    let on = table.key_columns().iter().zip(parts(table));
    let on: Vec<String> = on
        .map(|(column, part)| format!("t.{column} = {part}"))
        .collect();
    format!(
        "json_each(?2) k cross join {} t on t.tenant_id = ?1 and {}",
        table.name,
        on.join(" and ")
    )
}

/// How many `bytes` the rows with these keys have, by the keys' `number` in the list.
pub fn select_sizes(table: &Table, tenant: &TenantId, keys: &[&Key]) -> Statement {
    let sql = format!(
        "select k.key as number, {} as bytes from {}",
        pages::bytes(table),
        joined(table)
    );
    Statement::new(sql, vec![tenant.into(), listed(keys).into()])
}

/// The rows with these keys.
pub fn select(table: &Table, tenant: &TenantId, keys: &[&Key]) -> Statement {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| format!("t.{column}"))
        .collect();
    // Named by their columns, without the table.
    let named: Vec<String> = columns
        .iter()
        .zip(table.columns)
        .map(|(from, column)| format!("{from} as {column}"))
        .collect();
    let sql = format!("select {} from {}", named.join(", "), joined(table));
    Statement::new(sql, vec![tenant.into(), listed(keys).into()])
}

/// Deletes the rows with these keys, where they are there.
pub fn delete(table: &Table, tenant: &TenantId, keys: &[&Key]) -> Statement {
    let (name, key) = (table.name, table.key());
    let sql = format!(
        "delete from {name} where (tenant_id, {key}) in (select ?1, {} from json_each(?2) k)",
        parts(table).join(", ")
    );
    Statement::new(sql, vec![tenant.into(), listed(keys).into()])
}

/// The keys that have no row.
pub fn without_row<'k>(table: &Table, keys: &[&'k Key], rows: &[Values]) -> Vec<&'k Key> {
    let there: std::collections::BTreeSet<String> = rows
        .iter()
        .map(|row| folded(table, pages::key(table, row)))
        .collect();
    let absent = keys
        .iter()
        .filter(|key| !there.contains(&folded(table, key)));
    absent.copied().collect()
}
