//! Rows of `groups`.

use super::{Statement, guards};
use crate::ids::TenantId;
use crate::scim::profile::Profile;
use crate::scim::resource::Resource;
use crate::scim::schema::GROUPS;
use crate::scim::version::Version;

/// A group to be written.
#[derive(Debug, Clone)]
pub struct GroupRow<'r> {
    pub id: &'r str,
    pub provider_id: &'r str,
    pub resource: &'r Resource,
    /// Clients of `compat` rely on names that are unique.
    pub profile: Profile,
}

impl GroupRow<'_> {
    fn unique_name(&self) -> bool {
        self.profile == Profile::Compat
    }
}

/// Inserts a group with that many members, whose rows go into the same batch.
pub fn insert(tenant: &TenantId, group: &GroupRow<'_>, members: i64, now: i64) -> Statement {
    Statement::new(
        "insert into groups (tenant_id, id, provider_id, version, created_at, modified_at, member_count, unique_name, \
         resource, keys) values (?1, ?2, ?3, 1, ?4, ?4, ?5, ?6, ?7, ?8)",
        vec![
            tenant.into(),
            group.id.into(),
            group.provider_id.into(),
            now.into(),
            members.into(),
            group.unique_name().into(),
            group.resource.to_stored(&GROUPS).into(),
            group.resource.to_keys(&GROUPS).into(),
        ],
    )
}

/// Writes a group over the version that was read; anything else fails the batch.
pub fn update(
    tenant: &TenantId,
    group: &GroupRow<'_>,
    members_difference: i64,
    version: Version,
    now: i64,
) -> [Statement; 2] {
    [
        guards::version(tenant, &GROUPS, group.id, version),
        Statement::new(
            "update groups set version = version + 1, modified_at = ?3, member_count = member_count + ?4, \
             unique_name = iif(display_name_key is json_extract(?7, '$.displayname'), unique_name, ?5), \
             resource = ?6, keys = ?7 where tenant_id = ?1 and id = ?2",
            vec![
                tenant.into(),
                group.id.into(),
                now.into(),
                members_difference.into(),
                group.unique_name().into(),
                group.resource.to_stored(&GROUPS).into(),
                group.resource.to_keys(&GROUPS).into(),
            ],
        ),
    ]
}

/// How many members a group has: column `member_count`, beside the columns of a stored resource without memberships.
pub fn select_head(tenant: &TenantId, base: &str, id: &str) -> Statement {
    Statement::new(
        "select r.id, r.version, r.created_at, r.modified_at, r.resource, null as memberships, 0 as oversized, r.member_count, ?2 as base \
         from groups r where r.tenant_id = ?1 and r.id = ?3",
        vec![tenant.into(), base.into(), id.into()],
    )
}
