//! What to paste where, for each identity provider's own form.

use serde_json::{Value, json};

use crate::ids::TenantId;

/// The SCIM endpoint of a tenant, and the exact values for the fields of each provider's form, under the names that
/// these fields have there.
pub fn describe(origin: &str, tenant: &TenantId) -> Value {
    let base = format!("{origin}/api/v1/tenants/{tenant}/scim/v2");
    json!({
        "tenant_id": tenant,
        "scim_base_url": base,
        "users_url": format!("{base}/Users"),
        "groups_url": format!("{base}/Groups"),
        "bulk_url": format!("{base}/Bulk"),
        "service_provider_config_url": format!("{base}/ServiceProviderConfig"),
        "authentication": "Bearer",
        "token_header": "Authorization: Bearer <token>",
        "instructions": {
            "entra": {
                "Provisioning Mode": "Automatic",
                "Tenant URL": format!("{base}?aadOptscim062020"),
                "Secret Token": "<token>",
            },
            "okta": {
                "SCIM connector base URL": base,
                "Unique identifier field for users": "userName",
                "Authentication Mode": "HTTP Header",
                "Authorization": "Bearer <token>",
            },
            "onelogin": {
                "SCIM Base URL": base,
                "SCIM Bearer Token": "<token>",
            },
            "jumpcloud": {
                "Base URL": base,
                "Token Key": "<token>",
                "SCIM Version": "SCIM 2.0",
            },
            "google": {
                "Endpoint URL": base,
                "Access token": "<token>",
            },
            "ping": {
                "SCIM Base URL": base,
                "Authentication Method": "OAuth 2 Bearer Token",
                "OAuth Access Token": "<token>",
                "User Filter Expression": "userName Eq \"%s\"",
            },
            "generic": {
                "SCIM base URL": base,
                "Header": "Authorization: Bearer <token>",
                "Content type": "application/scim+json",
            },
        },
    })
}
