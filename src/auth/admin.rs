//! Administrators: what a verified JWT may do on the admin and tenant routes, and what a set-up link may do on its own.

pub use super::admin_scope::AdminScope;
use super::jwt::AdminClaims;
use super::setup_link::Allowance;
use crate::error::{Error, Result};
use crate::ids::TenantId;

/// By what an administrator is known.
#[derive(Debug, Clone)]
enum By {
    Jwt,
    SetupLink { id: String, allows: Vec<Allowance> },
}

/// Someone with a verified JWT, or with a set-up link.
#[derive(Debug, Clone)]
pub struct Admin {
    /// The `sub` of the JWT; of a link, `setup-link:` and its id.
    pub subject: String,
    by: By,
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
            by: By::Jwt,
            tenant,
            scopes: claims.scopes(),
        })
    }

    /// Whoever holds a set-up link of a tenant.
    pub fn of_setup_link(id: &str, tenant: TenantId, allows: Vec<Allowance>) -> Self {
        let own = std::iter::once(AdminScope::TenantsRead);
        let scopes = own.chain(allows.iter().map(|allowed| AdminScope::to_allow(*allowed)));
        Admin {
            subject: format!("setup-link:{id}"),
            scopes: scopes.map(|scope| scope.name().to_owned()).collect(),
            by: By::SetupLink {
                id: id.to_owned(),
                allows,
            },
            tenant: Some(tenant),
        }
    }

    /// The id of the set-up link; none of a JWT.
    pub fn setup_link(&self) -> Option<&str> {
        match &self.by {
            By::Jwt => None,
            By::SetupLink { id, .. } => Some(id),
        }
    }

    /// 403 where this is not given.
    pub fn require_allowance(&self, wanted: Allowance) -> Result<()> {
        match self.allows(wanted) {
            true => Ok(()),
            false => Err(not_allowed([wanted])),
        }
    }

    /// Whether this is given: a JWT's scopes say all that is to be said of it.
    pub fn allows(&self, wanted: Allowance) -> bool {
        match &self.by {
            By::Jwt => true,
            By::SetupLink { allows, .. } => allows.contains(&wanted),
        }
    }

    /// 403 for a token that names no tenant and does not say either that it is for all of them: an issuer that leaves the claim out must not
    /// make an administrator of the platform by it.
    pub fn check_reach(&self) -> Result<()> {
        let is_platform = || self.scopes.iter().any(|word| AdminScope::is_of_all(word));
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
            // Whoever holds a link knows of no scopes.
            false if self.setup_link().is_some() => {
                let all = Allowance::ALL.into_iter();
                let missing = all.filter(|allowed| AdminScope::to_allow(*allowed) == scope);
                Err(not_allowed(missing))
            }
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
        match self.by {
            By::Jwt => format!("jwt:{}", self.subject),
            By::SetupLink { .. } => self.subject.clone(),
        }
    }
}

/// 403 for a link that gives none of these.
fn not_allowed(missing: impl IntoIterator<Item = Allowance>) -> Error {
    let missing: Vec<&str> = missing.into_iter().map(Allowance::name).collect();
    Error::forbidden(format!("this link does not allow {}", missing.join(" or ")))
}
