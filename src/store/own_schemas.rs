//! Rows of `own_schemas`: a tenant's own schemas, and what resources have of them.

use serde_json::Value as Json;

use super::tables::table;
use super::{Guard, Result, Row, Statement, Value, guards, page};
use crate::ids::TenantId;
use crate::scim::schema::{Attribute, ResourceType, Schema};
use crate::store::Params;

/// A schema as it is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    /// See [`OwnSchemas`](crate::scim::schema::OwnSchemas).
    pub document: Json,
    pub created_at: i64,
    pub updated_at: i64,
    /// The revision of the tenant's schemas.
    pub revision: i64,
}

pub fn kept(row: &Row) -> Result<Kept> {
    let document = row.text("document")?;
    Ok(Kept {
        document: serde_json::from_str(&document)
            .map_err(|error| super::Error::Backend(format!("a schema: {error}")))?,
        created_at: row.integer("created_at")?,
        updated_at: row.integer("updated_at")?,
        revision: row.integer("revision")?,
    })
}

const FROM: &str =
    "from own_schemas o join tenants t on t.id = o.tenant_id and t.deleted_at is null";
const COLUMNS: &str = "o.document, o.created_at, o.updated_at, t.schemas_revision as revision";

/// The name under which `own_values` has an attribute.
pub fn looked_up(extension: &Schema, attribute: &Attribute) -> String {
    format!("{}:{}", extension.id(), attribute.name()).to_ascii_lowercase()
}

/// A page of a tenant's schemas in the order in which they came, and how many there are.
pub fn select_page(tenant: &TenantId, limit: i64, offset: i64) -> [Statement; 2] {
    let mut params = Params::default();
    let source = format!("{FROM} where o.tenant_id = {}", params.bind(tenant));
    let order = "o.created_at, o.id";
    page(&source, params, COLUMNS, order, (limit, offset))
}

/// A schema by its URN.
pub fn select(tenant: &TenantId, urn: &str) -> Statement {
    Statement::new(
        format!("select {COLUMNS} {FROM} where o.tenant_id = ?1 and o.id = ?2"),
        vec![tenant.into(), urn.into()],
    )
}

/// Puts a schema in the place of the one with its URN, or beside the others.
pub fn save(tenant: &TenantId, urn: &str, document: Value, now: i64) -> Statement {
    Statement::new(
        "insert into own_schemas (tenant_id, id, document, created_at, updated_at) values (?1, ?2, ?3, ?4, ?4) \
         on conflict (tenant_id, id) do update set document = excluded.document, updated_at = excluded.updated_at",
        vec![tenant.into(), urn.into(), document, now.into()],
    )
}

pub fn delete(tenant: &TenantId, urn: &str) -> Statement {
    Statement::new(
        "delete from own_schemas where tenant_id = ?1 and id = ?2",
        vec![tenant.into(), urn.into()],
    )
}

/// Makes a tenant's schemas another revision. Fails the batch with the guard's word where they are not at this one.
pub fn advance(tenant: &TenantId, revision: i64, stale: Guard) -> [Statement; 2] {
    [
        guards::require(
            stale,
            "exists (select 1 from tenants where id = ?1 and schemas_revision = ?2 and deleted_at is null)",
            vec![tenant.into(), revision.into()],
        ),
        Statement::new(
            "update tenants set schemas_revision = schemas_revision + 1 where id = ?1",
            vec![tenant.into()],
        ),
    ]
}

/// The path of an attribute, or of a part of it, in stored text; of the whole extension where none is named. Neither has anything to escape.
pub fn path(urn: &str, attribute: &[&str]) -> String {
    let parts = std::iter::once(&urn).chain(attribute);
    let parts: String = parts.map(|part| format!(".\"{part}\"")).collect();
    format!("${parts}")
}

/// Whether resources have these attributes or parts, one row for each that some have: its number, as `number`.
pub fn select_used(
    tenant: &TenantId,
    resource_type: &ResourceType,
    urn: &str,
    attributes: &[Vec<&str>],
) -> Statement {
    let table = table(resource_type);
    let paths: Json = attributes.iter().map(|one| path(urn, one)).collect();
    // Of several values, each may have the part.
    let whole: Json = attributes
        .iter()
        .map(|one| path(urn, one.get(..1).unwrap_or_default()))
        .collect();
    let parts: Json = attributes
        .iter()
        .map(|one| one.get(1).map(|part| format!("$.\"{part}\"")))
        .collect();
    Statement::new(
        format!(
            "select p.key as number from json_each(?2) p where exists (select 1 from {table} r where r.tenant_id = ?1 and \
             iif(json_type(r.resource, json_extract(?3, '$[' || p.key || ']')) = 'array' and json_extract(?4, '$[' || p.key || ']') is not null, \
             exists (select 1 from json_each(r.resource, json_extract(?3, '$[' || p.key || ']')) e \
             where json_extract(e.value, json_extract(?4, '$[' || p.key || ']')) is not null), \
             json_type(r.resource, p.value) is not null))"
        ),
        vec![
            tenant.into(),
            paths.to_string().into(),
            whole.to_string().into(),
            parts.to_string().into(),
        ],
    )
}
