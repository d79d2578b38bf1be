//! What users and groups have in common: reading one, reading many, leaving a tombstone.

use super::filter_sql::{Scope, Sql};
use super::{Params, Result, Row, Statement};
use crate::ids::TenantId;
use crate::scim::filter::Predicate;
use crate::scim::projection::Projection;
use crate::scim::render::Stored;
use crate::scim::schema::{AttributeRef, GROUPS, ResourceType};
use crate::scim::version::Version;

/// Name of a resource type's table.
pub fn table(resource_type: &ResourceType) -> &'static str {
    match resource_type.name {
        "Group" => "groups",
        _ => "users",
    }
}

/// Which memberships to read along with a resource: those that the reply shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memberships {
    pub wanted: bool,
    /// With the names of the groups, at a row more for each.
    pub names: bool,
}

impl Memberships {
    pub fn of(resource_type: &ResourceType, projection: &Projection) -> Self {
        match resource_type.name {
            "Group" => Memberships {
                wanted: projection.includes("members"),
                names: projection.requests("members", "display"),
            },
            _ => Memberships {
                wanted: projection.includes("groups"),
                names: projection.requests("groups", "display"),
            },
        }
    }

    pub const NONE: Memberships = Memberships {
        wanted: false,
        names: false,
    };
}

/// Columns of [`stored`], for a row named `r`. `?1` is the tenant and `?2` the base URL of the request.
fn columns(resource_type: &ResourceType, memberships: Memberships) -> String {
    let memberships = match (memberships.wanted, resource_type.name) {
        (false, _) => "null".to_owned(),
        (true, "Group") => super::members::of_group_json(memberships.names),
        (true, _) => super::members::groups_of_user_json(memberships.names),
    };
    format!(
        "r.id, r.version, r.created_at, r.modified_at, r.resource, {memberships} as memberships"
    )
}

/// Reads a row of [`select_one`] or [`select_page`].
pub fn stored(resource_type: &'static ResourceType, row: &Row) -> Result<Stored> {
    Ok(Stored {
        resource_type,
        id: row.text("id")?,
        version: Version(row.integer("version")?),
        created: row.integer("created_at")?,
        modified: row.integer("modified_at")?,
        resource: row.text("resource")?,
        memberships: row.optional_text("memberships")?,
    })
}

/// One resource by its id.
pub fn select_one(
    tenant: &TenantId,
    base: &str,
    resource_type: &ResourceType,
    id: &str,
    memberships: Memberships,
) -> Statement {
    let columns = columns(resource_type, memberships);
    let table = table(resource_type);
    Statement::new(
        format!("select {columns} from {table} r where r.tenant_id = ?1 and r.id = ?3"),
        vec![tenant.into(), base.into(), id.into()],
    )
}

/// What a list selects and in which order.
#[derive(Debug, Default)]
pub struct Query<'q> {
    pub filter: Option<&'q Predicate>,
    pub sort: Option<Sort>,
}

/// Order of a list by one attribute; equal ones follow their ids, so that pages do not overlap.
#[derive(Debug, Clone, Copy)]
pub struct Sort {
    pub by: AttributeRef,
    pub descending: bool,
}

/// A page of resources.
pub fn select_page(
    tenant: &TenantId,
    base: &str,
    resource_type: &'static ResourceType,
    query: &Query<'_>,
    memberships: Memberships,
    limit: i64,
    offset: i64,
) -> Statement {
    let mut params = Params::new(vec![tenant.into(), base.into()]);
    let columns = columns(resource_type, memberships);
    let table = table(resource_type);
    let mut sql = Sql::new(resource_type, &mut params);
    let condition = match query.filter {
        Some(filter) => sql.condition(filter, Scope::Resource),
        None => "true".to_owned(),
    };
    let order = match query.sort {
        Some(sort) => {
            let key = sql.sort_key(sort.by);
            match sort.descending {
                // Missing values come last ascending and first descending (RFC 7644 §3.4.2.3).
                false => format!("{key} asc nulls last, r.id asc"),
                true => format!("{key} desc nulls first, r.id asc"),
            }
        }
        None => "r.id asc".to_owned(),
    };
    let limit = params.bind(limit);
    let offset = params.bind(offset);
    Statement::new(
        format!(
            "select {columns} from {table} r where r.tenant_id = ?1 and {condition} \
             order by {order} limit {limit} offset {offset}"
        ),
        params.into_values(),
    )
}

/// How many resources a filter selects; without one, the tenant's own counter.
pub fn select_total(
    tenant: &TenantId,
    base: &str,
    resource_type: &'static ResourceType,
    filter: Option<&Predicate>,
) -> Statement {
    let Some(filter) = filter else {
        let counter = match resource_type.name == GROUPS.name {
            true => "select group_total as total from tenants where id = ?1",
            false => "select user_total as total from tenants where id = ?1",
        };
        return Statement::new(counter, vec![tenant.into()]);
    };
    let mut params = Params::new(vec![tenant.into(), base.into()]);
    let condition = Sql::new(resource_type, &mut params).condition(filter, Scope::Resource);
    let table = table(resource_type);
    Statement::new(
        format!("select count(*) as total from {table} r where r.tenant_id = ?1 and {condition}"),
        params.into_values(),
    )
}

/// Leaves a tombstone of a resource that the same batch deletes after this.
pub fn bury(tenant: &TenantId, resource_type: &ResourceType, id: &str, now: i64) -> Statement {
    let table = table(resource_type);
    Statement::new(
        format!(
            "insert into tombstones (tenant_id, resource_type, id, external_id, deleted_at) \
             select tenant_id, ?3, id, external_id, ?4 from {table} where tenant_id = ?1 and id = ?2"
        ),
        vec![
            tenant.into(),
            id.into(),
            resource_type.name.into(),
            now.into(),
        ],
    )
}

/// Deletes the row itself.
pub fn delete(tenant: &TenantId, resource_type: &ResourceType, id: &str) -> Statement {
    let table = table(resource_type);
    Statement::new(
        format!("delete from {table} where tenant_id = ?1 and id = ?2"),
        vec![tenant.into(), id.into()],
    )
}
