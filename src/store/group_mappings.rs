//! Rows of `group_mappings`: a group of an identity provider that stands for a group of the tenant. A mapping goes with its
//! group by a trigger, whoever deletes the group.

use super::{Guard, Params, Result, Row, Statement, guards, page};
use crate::ids::TenantId;

#[derive(Debug, Clone)]
pub struct GroupMapping {
    pub id: String,
    pub idp_id: String,
    pub external_group_id: String,
    pub external_group_name: Option<String>,
    pub internal_group_id: String,
    /// The group's `displayName`.
    pub internal_group_name: Option<String>,
    pub created_at: i64,
}

const COLUMNS: &str = "m.id, m.idp_id, m.external_group_id, m.external_group_name, m.internal_group_id, m.created_at, \
     json_extract(g.resource, '$.displayName') as internal_group_name";
const FROM: &str = "from group_mappings m \
     left join groups g on g.tenant_id = m.tenant_id and g.id = m.internal_group_id";

pub fn group_mapping(row: &Row) -> Result<GroupMapping> {
    Ok(GroupMapping {
        id: row.text("id")?,
        idp_id: row.text("idp_id")?,
        external_group_id: row.text("external_group_id")?,
        external_group_name: row.optional_text("external_group_name")?,
        internal_group_id: row.text("internal_group_id")?,
        internal_group_name: row.optional_text("internal_group_name")?,
        created_at: row.integer("created_at")?,
    })
}

/// Fails the batch with [`Guard::GroupMissing`] where the tenant has no such group.
pub fn require_group(tenant: &TenantId, group: &str) -> Statement {
    guards::require(
        Guard::GroupMissing,
        "exists (select 1 from groups where tenant_id = ?1 and id = ?2)",
        vec![tenant.into(), group.into()],
    )
}

pub fn insert(tenant: &TenantId, mapping: &GroupMapping) -> Statement {
    Statement::new(
        "insert into group_mappings (tenant_id, idp_id, id, external_group_id, external_group_name, internal_group_id, created_at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        vec![
            tenant.into(),
            (&mapping.idp_id).into(),
            (&mapping.id).into(),
            (&mapping.external_group_id).into(),
            mapping.external_group_name.as_ref().into(),
            (&mapping.internal_group_id).into(),
            mapping.created_at.into(),
        ],
    )
}

/// The name of a group that a mapping leads to, as `name`.
pub fn select_name(tenant: &TenantId, group: &str) -> Statement {
    Statement::new(
        "select json_extract(resource, '$.displayName') as name from groups where tenant_id = ?1 and id = ?2",
        vec![tenant.into(), group.into()],
    )
}

/// A page of a provider's mappings, oldest first, and how many there are.
pub fn select_page(tenant: &TenantId, idp: &str, limit: i64, offset: i64) -> [Statement; 2] {
    let params = Params::new(vec![tenant.into(), idp.into()]);
    let source = format!("{FROM} where m.tenant_id = ?1 and m.idp_id = ?2");
    page(&source, params, COLUMNS, "m.id", (limit, offset))
}

/// All of a provider's mappings.
pub fn select_all(tenant: &TenantId, idp: &str) -> Statement {
    Statement::new(
        format!("select {COLUMNS} {FROM} where m.tenant_id = ?1 and m.idp_id = ?2 order by m.id"),
        vec![tenant.into(), idp.into()],
    )
}

/// Fails the batch with [`Guard::NotFound`] where the provider has no such mapping.
pub fn require(tenant: &TenantId, idp: &str, id: &str) -> Statement {
    guards::require(
        Guard::NotFound,
        "exists (select 1 from group_mappings where tenant_id = ?1 and idp_id = ?2 and id = ?3)",
        vec![tenant.into(), idp.into(), id.into()],
    )
}

pub fn delete(tenant: &TenantId, idp: &str, id: &str) -> Statement {
    Statement::new(
        "delete from group_mappings where tenant_id = ?1 and idp_id = ?2 and id = ?3",
        vec![tenant.into(), idp.into(), id.into()],
    )
}

/// All mappings of a provider.
pub fn delete_all(tenant: &TenantId, idp: &str) -> Statement {
    Statement::new(
        "delete from group_mappings where tenant_id = ?1 and idp_id = ?2",
        vec![tenant.into(), idp.into()],
    )
}
