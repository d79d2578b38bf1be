//! What to paste where, for each identity provider's own form.

use serde::{Serialize, Serializer};

use crate::ids::TenantId;

/// The SCIM endpoint of a tenant.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EndpointInfo {
    tenant_id: TenantId,
    scim_base_url: String,
    users_url: String,
    groups_url: String,
    bulk_url: String,
    service_provider_config_url: String,
    /// `Bearer`.
    authentication: &'static str,
    /// The header that carries the token.
    token_header: &'static str,
    instructions: Instructions,
}

/// For each provider the fields of its form, under the names that they have there, with the exact values.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Instructions {
    entra: Form<3>,
    okta: Form<4>,
    onelogin: Form<2>,
    jumpcloud: Form<3>,
    google: Form<2>,
    ping: Form<4>,
    generic: Form<3>,
}

/// Fields of a form with their values, in the form's order.
pub struct Form<const FIELDS: usize>([(&'static str, String); FIELDS]);

impl<const FIELDS: usize> Serialize for Form<FIELDS> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// Where a tenant's endpoint is and what to tell each provider of it.
pub fn describe(origin: &str, tenant: &TenantId) -> EndpointInfo {
    let base = format!("{origin}/api/v1/tenants/{tenant}/scim/v2");
    let text = str::to_owned;
    EndpointInfo {
        tenant_id: tenant.clone(),
        users_url: format!("{base}/Users"),
        groups_url: format!("{base}/Groups"),
        bulk_url: format!("{base}/Bulk"),
        service_provider_config_url: format!("{base}/ServiceProviderConfig"),
        authentication: "Bearer",
        token_header: "Authorization: Bearer <token>",
        instructions: Instructions {
            entra: Form([
                ("Provisioning Mode", text("Automatic")),
                ("Tenant URL", format!("{base}?aadOptscim062020")),
                ("Secret Token", text("<token>")),
            ]),
            okta: Form([
                ("SCIM connector base URL", base.clone()),
                ("Unique identifier field for users", text("userName")),
                ("Authentication Mode", text("HTTP Header")),
                ("Authorization", text("Bearer <token>")),
            ]),
            onelogin: Form([
                ("SCIM Base URL", base.clone()),
                ("SCIM Bearer Token", text("<token>")),
            ]),
            jumpcloud: Form([
                ("Base URL", base.clone()),
                ("Token Key", text("<token>")),
                ("SCIM Version", text("SCIM 2.0")),
            ]),
            google: Form([
                ("Endpoint URL", base.clone()),
                ("Access token", text("<token>")),
            ]),
            ping: Form([
                ("SCIM Base URL", base.clone()),
                ("Authentication Method", text("OAuth 2 Bearer Token")),
                ("OAuth Access Token", text("<token>")),
                ("User Filter Expression", text("userName Eq \"%s\"")),
            ]),
            generic: Form([
                ("SCIM base URL", base.clone()),
                ("Header", text("Authorization: Bearer <token>")),
                ("Content type", text("application/scim+json")),
            ]),
        },
        scim_base_url: base,
    }
}
