//! What an export reads: a tenant's resources and memberships in the order of their keys, a page at a time, each page from where the one
//! before it ended. A page has so many rows, and so much text, that it may be held in memory whatever the resources are.

use super::tables::table;
use super::tenants::OWN_SCHEMAS;
use super::{Result, Row, Statement};
use crate::ids::TenantId;
use crate::scim::schema::ResourceType;

/// Most resources of a page.
pub const MAX_RESOURCES: usize = 2_000;
/// How much text a page has, in bytes, before the resource that is its last.
const MAX_TEXT: usize = 2_000_000;
/// Most memberships of a page.
pub const MAX_MEMBERS: usize = 10_000;
/// Most memberships of one row.
pub const MEMBERS_IN_A_ROW: usize = 1_000;

/// The tenant's name of its profile, how many users and groups it has, and the number of its last audit event: columns `scim_profile`,
/// `user_total`, `group_total`, `audit_seq`.
pub fn select_head(tenant: &TenantId) -> Statement {
    Statement::new(
        format!(
            "select scim_profile, user_total, group_total, audit_seq, schemas_revision, unknown_extensions, {OWN_SCHEMAS} \
             from tenants t where id = ?1 and deleted_at is null"
        ),
        vec![tenant.into()],
    )
}

/// Resources after an id: columns of [`stored`](super::resources::stored) without memberships. Reads two rows for each, the first of which
/// are the lengths alone.
pub fn select_resources(tenant: &TenantId, resource_type: &ResourceType, after: &str) -> Statement {
    let table = table(resource_type);
    Statement::new(
        format!(
            "with found as materialized (select id, octet_length(resource) as length from {table} \
             where tenant_id = ?1 and id > ?2 order by id limit {MAX_RESOURCES}), \
             page as materialized (select id, sum(length) over (order by id) - length as before from found) \
             select r.id, r.version, r.created_at, r.modified_at, r.resource, null as memberships \
             from page cross join {table} r on r.tenant_id = ?1 and r.id = page.id where page.before < {MAX_TEXT} order by page.id"
        ),
        vec![tenant.into(), after.into()],
    )
}

/// Whether resources of so many bytes each are the last there are: the page had room for more.
pub fn is_last(lengths: impl ExactSizeIterator<Item = usize>) -> bool {
    lengths.len() < MAX_RESOURCES && lengths.sum::<usize>() < MAX_TEXT
}

/// Where a page of memberships begins: after that member of that group.
#[derive(Debug, Clone, Default)]
pub struct After {
    pub group: String,
    pub member: String,
}

/// Memberships, up to [`MEMBERS_IN_A_ROW`] of one group in a row: columns `group_id`, `members` (a JSON array of objects with `value` and
/// `type`), `held` (how many) and `last` (the last one's id). Reads a row for each membership.
pub fn select_members(tenant: &TenantId, after: &After) -> Statement {
    Statement::new(
        format!(
            "select group_id, json_group_array(json_object('value', member_id, 'type', member_type)) as members, \
             count(*) as held, max(member_id) as last from ( \
             select group_id, member_id, member_type, (row_number() over (order by group_id, member_id) - 1) / {MEMBERS_IN_A_ROW} as part \
             from (select group_id, member_id, member_type from group_members \
             where tenant_id = ?1 and (group_id, member_id) > (?2, ?3) order by group_id, member_id limit {MAX_MEMBERS})) \
             group by part, group_id order by part, group_id"
        ),
        vec![tenant.into(), (&after.group).into(), (&after.member).into()],
    )
}

/// A row of [`select_members`].
pub struct Members {
    pub group: String,
    /// A JSON array.
    pub members: String,
    pub held: usize,
    pub last: String,
}

pub fn members(row: &Row) -> Result<Members> {
    Ok(Members {
        group: row.text("group_id")?,
        members: row.text("members")?,
        held: usize::try_from(row.integer("held")?).unwrap_or_default(),
        last: row.text("last")?,
    })
}
