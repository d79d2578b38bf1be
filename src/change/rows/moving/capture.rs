//! The triggers of a move: those that note which rows are written, and those that keep everybody from writing during its pause. They are made
//! for one tenant, and nobody else's writes do more than compare an id.

use crate::change::rows::tables::TABLES;
use crate::ids::TenantId;
use crate::store::{Guard, Statement};

/// A table that is watched, with the column that has the tenant's id.
struct Watched {
    name: &'static str,
    owner: &'static str,
    key: &'static [&'static str],
}

fn watched() -> impl Iterator<Item = Watched> {
    let tables = TABLES.iter().map(|table| Watched {
        name: table.name,
        owner: "tenant_id",
        key: table.key_columns(),
    });
    let tenants = Watched {
        name: "tenants",
        owner: "id",
        key: &[],
    };
    tables.chain([tenants])
}

/// How many tables are watched.
pub fn count() -> usize {
    TABLES.len() + 1
}

const EVENTS: [&str; 3] = ["insert", "update", "delete"];

/// A trigger's name. A tenant's id has letters, digits and hyphens alone, whoever made it.
fn name(kind: &str, table: &str, event: &str, tenant: &TenantId) -> String {
    format!("\"{kind}_{table}_{event}_{tenant}\"")
}

/// The statements that make the triggers on some of the tables, from one number on.
pub fn create(tenant: &TenantId, from: usize, count: usize) -> Vec<Statement> {
    let some = watched().skip(from).take(count);
    some.flat_map(|table| {
        EVENTS.map(|event| (note(&table, event, tenant), event, table.name, table.owner))
    })
    .flat_map(|(note, event, table, owner)| [note, block(table, owner, event, tenant)])
    .map(|sql| Statement::new(sql, Vec::new()))
    .collect()
}

/// The tenant's triggers that there are, as `name`.
pub fn select(tenant: &TenantId, limit: usize) -> Statement {
    // An underscore stands in no tenant's id.
    Statement::new(
        format!(
            "select name from sqlite_master where type = 'trigger' and substr(name, 1, 6) in ('moved_', 'moving') \
             and substr(name, -length(?1)) = ?1 limit {limit}"
        ),
        vec![format!("_{tenant}").into()],
    )
}

/// Drops triggers of those names.
pub fn drop(names: &[String]) -> Vec<Statement> {
    let names = names.iter();
    names
        .map(|name| Statement::new(format!("drop trigger if exists \"{name}\""), Vec::new()))
        .collect()
}

/// Notes the key of the row, and both where it got another one.
fn note(table: &Watched, event: &str, tenant: &TenantId) -> String {
    let Watched {
        name: table,
        owner,
        key,
    } = table;
    let of = |row: &str| {
        let columns: Vec<String> = key.iter().map(|column| format!("{row}.{column}")).collect();
        format!("json_array({})", columns.join(", "))
    };
    let insert = |key: &str, only: &str| {
        format!(
            "insert into moved_rows (tenant_id, number, table_name, key) select '{tenant}', \
             (select coalesce(max(number), 0) + 1 from moved_rows where tenant_id = '{tenant}'), '{table}', {key}{only}; "
        )
    };
    let (row, notes) = match event {
        "insert" => ("new", insert(&of("new"), "")),
        "delete" => ("old", insert(&of("old"), "")),
        _ => {
            let changed = format!(" where {} <> {}", of("new"), of("old"));
            (
                "new",
                insert(&of("old"), "") + &insert(&of("new"), &changed),
            )
        }
    };
    let name = name("moved", table, event, tenant);
    format!(
        "create trigger if not exists {name} after {event} on {table} when {row}.{owner} = '{tenant}' begin {notes}end"
    )
}

/// Refuses writes as long as the pause lasts.
fn block(table: &str, owner: &str, event: &str, tenant: &TenantId) -> String {
    let row = if event == "delete" { "old" } else { "new" };
    let name = name("moving", table, event, tenant);
    format!(
        "create trigger if not exists {name} before {event} on {table} when {row}.{owner} = '{tenant}' \
         and unixepoch('subsec') * 1000 < (select cast(key as real) from moved_rows where tenant_id = '{tenant}' and number = {}) \
         begin select raise(abort, '{}'); end",
        super::PAUSE,
        Guard::Moving.word()
    )
}
