//! Rows of `directory`: which tenant something belongs to, where a request does not say.

use super::Statement;
use super::statement::Role;
use crate::ids::TenantId;

/// What a directory entry is looked up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The SHA-256 of a SCIM token: the token presented at `/scim/v2`.
    ScimTokenHash,
    /// The id of a SCIM token: the token named by an administrator.
    ScimToken,
    /// The id of an identity provider: the provider named by an administrator.
    IdentityProvider,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Kind::ScimTokenHash => "scim_token_hash",
            Kind::ScimToken => "scim_token",
            Kind::IdentityProvider => "identity_provider",
        }
    }
}

pub fn insert(kind: Kind, key: &str, tenant: &TenantId, resource_id: &str) -> Statement {
    Statement::new(
        "insert or ignore into directory (kind, key, tenant_id, resource_id) values (?1, ?2, ?3, ?4)",
        vec![
            kind.name().into(),
            key.into(),
            tenant.into(),
            resource_id.into(),
        ],
    )
    .with_role(Role::Leads)
}

/// Whose a SCIM token is, by its hash: `tenant_id`, and the token's id as `resource_id`. Also of one that does not hold any more.
pub fn select_holder(hash: &str) -> Statement {
    Statement::new(
        "select tenant_id, resource_id from directory where kind = ?1 and key = ?2",
        vec![Kind::ScimTokenHash.name().into(), hash.into()],
    )
}

/// The same, and where that tenant lives: `database`, null for the first one.
pub fn select_home(kind: Kind, key: &str) -> Statement {
    Statement::new(
        "select d.tenant_id, p.database from directory d left join placements p on p.tenant_id = d.tenant_id \
         where d.kind = ?1 and d.key = ?2",
        vec![kind.name().into(), key.into()],
    )
}

/// Forgets what leads to a tenant: of that kind, or of every kind.
pub fn forget(tenant: &TenantId, kind: Option<Kind>) -> Statement {
    Statement::new(
        "delete from directory where tenant_id = ?1 and (?2 is null or kind = ?2)",
        vec![tenant.into(), kind.map(Kind::name).into()],
    )
    .with_role(Role::Forgets)
}
