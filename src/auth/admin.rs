//! Administrators: what a verified JWT may do on the admin and tenant routes.

use super::jwt::AdminClaims;
use crate::error::{Error, Result};
use crate::ids::TenantId;

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
}

/// Someone with a verified JWT.
#[derive(Debug, Clone)]
pub struct Admin {
    pub subject: String,
    /// The one tenant that exists for this administrator; none for an administrator of the platform.
    pub tenant: Option<TenantId>,
    scopes: Vec<String>,
}

impl Admin {
    /// Reads the claims. A `tenant_id` that cannot be one is a token for no tenant at all.
    pub fn from_claims(claims: &AdminClaims) -> Result<Self> {
        let tenant = match claims.tenant_id()? {
            None => None,
            Some(text) => Some(TenantId::parse(text).ok_or_else(super::bearer::refused)?),
        };
        Ok(Admin {
            subject: claims.sub.clone(),
            tenant,
            scopes: claims.scopes(),
        })
    }

    /// 403 for a token that names no tenant and does not say either that it is for all of them: an issuer that leaves the claim out must not
    /// make an administrator of the platform by it.
    pub fn check_reach(&self) -> Result<()> {
        let is_platform = || {
            self.scopes
                .iter()
                .any(|scope| scope == "platform" || scope == "admin")
        };
        match self.tenant.is_some() || is_platform() {
            true => Ok(()),
            false => Err(Error::forbidden(
                "the token names no tenant: it needs the claim tenant_id, or the scope platform or admin for all tenants",
            )),
        }
    }

    pub fn has(&self, scope: AdminScope) -> bool {
        self.scopes
            .iter()
            .any(|granted| granted == "admin" || granted == scope.name())
    }

    /// 403 without the scope, and for a token that reaches no tenant at all.
    pub fn require(&self, scope: AdminScope) -> Result<()> {
        match self.has(scope) {
            true => self.check_reach(),
            false => Err(Error::forbidden(format!(
                "this needs the scope {}",
                scope.name()
            ))),
        }
    }

    /// Whether the tenant exists for this administrator.
    pub fn sees(&self, tenant: &TenantId) -> bool {
        self.tenant.as_ref().is_none_or(|own| own == tenant)
    }

    /// As audit events name it.
    pub fn actor(&self) -> String {
        format!("jwt:{}", self.subject)
    }
}
