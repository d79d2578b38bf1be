//! The scopes of administrators' tokens.

use super::setup_link::Allowance;

/// A scope of the admin API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdminScope {
    TenantsRead,
    TenantsWrite,
    ScimTokensRead,
    ScimTokensWrite,
    IdentityProvidersRead,
    IdentityProvidersWrite,
    ScimRead,
    ScimWrite,
    AuditRead,
    AuditWrite,
}

impl AdminScope {
    #[cfg(feature = "jobs")]
    const ALL: [AdminScope; 10] = [
        AdminScope::TenantsRead,
        AdminScope::TenantsWrite,
        AdminScope::ScimTokensRead,
        AdminScope::ScimTokensWrite,
        AdminScope::IdentityProvidersRead,
        AdminScope::IdentityProvidersWrite,
        AdminScope::ScimRead,
        AdminScope::ScimWrite,
        AdminScope::AuditRead,
        AdminScope::AuditWrite,
    ];

    /// Whether a word is one that an administrator's `scope` may have.
    #[cfg(feature = "jobs")]
    pub fn is_known(word: &str) -> bool {
        Self::is_of_all(word) || Self::ALL.iter().any(|scope| scope.name() == word)
    }

    /// Whether a word of a `scope` says that it is for all tenants.
    pub fn is_of_all(word: &str) -> bool {
        word == "platform" || word == "admin"
    }

    pub const fn name(self) -> &'static str {
        match self {
            AdminScope::TenantsRead => "tenants:read",
            AdminScope::TenantsWrite => "tenants:write",
            AdminScope::ScimTokensRead => "scim-tokens:read",
            AdminScope::ScimTokensWrite => "scim-tokens:write",
            AdminScope::IdentityProvidersRead => "identity-providers:read",
            AdminScope::IdentityProvidersWrite => "identity-providers:write",
            AdminScope::ScimRead => "scim:read",
            AdminScope::ScimWrite => "scim:write",
            AdminScope::AuditRead => "audit:read",
            AdminScope::AuditWrite => "audit:write",
        }
    }

    /// What it takes to allow somebody to set something up: nobody gives more than they have.
    pub const fn to_allow(allowance: Allowance) -> Self {
        match allowance {
            Allowance::Scim => AdminScope::ScimTokensWrite,
            Allowance::Sso | Allowance::Directory => AdminScope::IdentityProvidersWrite,
        }
    }
}
