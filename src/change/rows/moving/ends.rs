//! Where a move begins and ends: what is counted and compared, the tenant's own row, and what is cleared away.

use serde_json::Value as Json;

use crate::change::rows::tables::{TABLES, TENANT};
use crate::ids::TenantId;
use crate::store::{Error, Result, Row, Statement};

/// How many rows each table has of the tenant, as `count`; beyond a million it is not told.
pub fn count(tenant: &TenantId) -> Vec<Statement> {
    let tables = TABLES.iter();
    tables
        .map(|table| {
            let sql = format!(
                "select count(*) as count from (select 1 from {} where tenant_id = ?1 limit 1000000)",
                table.name
            );
            Statement::new(sql, vec![tenant.into()])
        })
        .collect()
}

/// What is numbers is summed by its remainder, so that the sum of however many stays exact.
const MODULUS: i64 = 1_000_003;

/// For each table one row: how many rows it has of the tenant, and for each column how many bytes they have and what its numbers make.
pub fn digest(tenant: &TenantId) -> Vec<Statement> {
    let tables = TABLES.iter();
    tables
        .map(|table| {
            let sums: Vec<String> = table
                .columns
                .iter()
                .map(|column| {
                    format!(
                        "json_array(sum(octet_length({column})), sum(iif(typeof({column}) = 'integer', {column} % {MODULUS}, 0)))"
                    )
                })
                .collect();
            let sql = format!(
                "select json_array(count(*)) || {} as digest from {} where tenant_id = ?1",
                sums.join(" || "),
                table.name
            );
            Statement::new(sql, vec![tenant.into()])
        })
        .collect()
}

/// The tenant's own row.
pub fn select_tenant(tenant: &TenantId) -> Statement {
    let sql = format!("select {} from tenants where id = ?1", TENANT.join(", "));
    Statement::new(sql, vec![tenant.into()])
}

/// That row as it is kept on its way.
pub fn packed(row: &Row) -> Result<String> {
    let values = TENANT
        .iter()
        .map(|column| Ok(Json::from(row.value(column)?)));
    Ok(Json::Array(values.collect::<Result<_>>()?).to_string())
}

/// Puts the row that was kept where the tenant lives from now on. One that is there already stays.
pub fn insert_tenant(kept: &str) -> Statement {
    let values: Vec<String> = TENANT
        .iter()
        .enumerate()
        .map(|(index, _)| format!("json_extract(?1, '$[{index}]')"))
        .collect();
    let sql = format!(
        "insert into tenants ({}) select {} where true on conflict (id) do nothing",
        TENANT.join(", "),
        values.join(", ")
    );
    Statement::new(sql, vec![kept.into()])
}

pub fn delete_tenant(tenant: &TenantId) -> Statement {
    Statement::new("delete from tenants where id = ?1", vec![tenant.into()])
}

/// Makes what leads to the tenant's tokens and providers by their ids and hashes.
pub fn fill_directory(tenant: &TenantId) -> Vec<Statement> {
    let insert = "insert or replace into directory (kind, key, tenant_id, resource_id) select";
    let sources = [
        "'scim_token', id, tenant_id, id from scim_tokens where tenant_id = ?1",
        "'scim_token_hash', token_hash, tenant_id, id from scim_tokens where tenant_id = ?1 and token_hash <> ''",
        "'identity_provider', id, tenant_id, id from identity_providers where tenant_id = ?1",
    ];
    sources
        .map(|source| Statement::new(format!("{insert} {source}"), vec![tenant.into()]))
        .into()
}

/// Deletes no more than `limit` rows of each table; the last statement says whether there are `more`.
pub fn clear(tenant: &TenantId, with_directory: bool, limit: usize) -> Vec<Statement> {
    let mut tables: Vec<(&str, String, &str)> = TABLES
        .iter()
        .map(|table| (table.name, table.key(), ""))
        .collect();
    if with_directory {
        tables.push((
            "directory",
            "kind, key".to_owned(),
            " indexed by directory_tenant_idx",
        ));
    }
    let mut batch: Vec<Statement> = tables
        .iter()
        .map(|(table, key, how)| {
            Statement::new(
                format!(
                    "delete from {table} where (tenant_id, {key}) in \
                     (select tenant_id, {key} from {table}{how} where tenant_id = ?1 order by {key} limit {limit})"
                ),
                vec![tenant.into()],
            )
        })
        .collect();
    let left: Vec<String> = tables
        .iter()
        .map(|(table, _, _)| format!("exists (select 1 from {table} where tenant_id = ?1)"))
        .collect();
    batch.push(Statement::new(
        format!("select {} as more", left.join(" or ")),
        vec![tenant.into()],
    ));
    batch
}

/// The first column of a statement's only row, as a number.
pub fn counted(row: Option<&Row>) -> Result<i64> {
    row.ok_or_else(|| Error::Backend("nothing was counted".to_owned()))?
        .integer("count")
}

/// What a digest's statement gave.
pub fn digested(row: Option<&Row>) -> Result<String> {
    row.ok_or_else(|| Error::Backend("nothing was compared".to_owned()))?
        .text("digest")
}
