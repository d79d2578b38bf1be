//! An administrator's request on identity providers: through whose eyes, of which tenant, and as whom.

use crate::api::http::call::Call;
use crate::api::http::query_parameters::tenant_in_path;
use crate::auth::admin::Admin;
use crate::auth::setup_link::Allowance;
use crate::change::audit::{self, Action, Detail, Event, Totals};
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::store::directory::Kind;
use crate::store::identity_providers::{self as rows, IdentityProvider};
use crate::store::{Statement, rows_at};

/// Through whose eyes a route sees identity providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// An administrator's, who names a provider without its tenant.
    Admin,
    /// A tenant's: its own, without what LDAP needs.
    Tenant,
}

pub const WHAT: &str = "the identity provider";

/// An administrator's request on providers, and the tenant that it is limited to: the one in the path, or the administrator's own.
pub struct Access<'a> {
    pub admin: &'a Admin,
    pub tenant: Option<TenantId>,
}

impl<'a> Access<'a> {
    /// 404 for a tenant in the path that this administrator does not see.
    pub fn of(call: &Call<'_>, admin: &'a Admin, view: View) -> Result<Self> {
        let tenant = match view {
            View::Admin => admin.tenant.clone(),
            View::Tenant => Some(tenant_in_path(call, admin)?),
        };
        Ok(Access { admin, tenant })
    }

    /// The provider in the path; 404 for one that is not there, is deleted, or belongs to a tenant that is not this request's.
    pub async fn find(&self, call: &Call<'_>) -> Result<IdentityProvider> {
        let id = call.id("idp_id", WHAT)?;
        let only = self.tenant.as_ref();
        let tenant = call.led_to(only, Kind::IdentityProvider, &id).await?;
        let select = vec![rows::select(&id, only)];
        let results = call.run(tenant.as_ref(), select).await?;
        let row = rows_at(&results, 0)?
            .first()
            .ok_or_else(|| Error::not_found(WHAT))?;
        let provider = rows::identity_provider(row)?;
        if !self.admin.allows(Allowance::of_protocol(provider.protocol)) {
            return Err(Error::not_found(WHAT));
        }
        call.note_tenant(&provider.tenant_id);
        Ok(provider)
    }

    /// As audit events and logs name who asks.
    pub fn actor(&self) -> String {
        self.admin.actor()
    }

    /// The audit event of a change.
    pub fn audited(
        &self,
        call: &Call<'_>,
        tenant: &TenantId,
        action: Action,
        (resource_type, resource_id): (&'static str, &str),
        attributes: Vec<String>,
    ) -> Vec<Statement> {
        call.journal.note_resource(resource_type, resource_id);
        let event = Event {
            action,
            resource_type,
            resource_id,
            attributes,
            detail: Detail::default(),
        };
        let origin = call.origin_of(self.actor());
        audit::append(tenant, &origin, Totals::default(), &[event])
    }
}

pub fn unknown_tenant() -> Error {
    Error::not_found("the tenant")
}
