//! What the routes of identity providers are for, in both views.

use serde_json::{Value, json};

use super::admin::{lists, operation, shows, tenant_id};
use super::examples::providers as examples;
use super::operation::{Operation, query};
use super::{IDENTITY_PROVIDERS, Schemas};
use crate::api::admin::identity_providers::responses::{
    AdminIdPResponse, GroupMappingResponse, IdPListItem, IdPResponse, ReencryptionResponse,
    TestConnectionResponse,
};
use crate::api::admin::identity_providers::types::{
    AdminIdPCreate, AdminIdPUpdate, GroupMappingCreate, IdPCreate, IdPUpdate,
};
use crate::api::http::routes::{Endpoint, View};
use crate::auth::admin::AdminScope;
use crate::store::identity_providers::Protocol;

const SECRET: &str = "Secrets are taken and never shown; `has_client_secret` and `has_bind_password` say that one is set.";

fn provider(view: View, verb: &str, summary: &str) -> Operation {
    let plural = if verb == "list" { "s" } else { "" };
    let (id, summary) = match view {
        View::Admin => (
            format!("{verb}IdentityProvider{plural}"),
            summary.to_owned(),
        ),
        View::Tenant => (
            format!("{verb}IdentityProvider{plural}OfTenant"),
            format!("{summary} of a tenant"),
        ),
    };
    operation(IDENTITY_PROVIDERS, &id, &summary)
}

/// A reply of a provider in a view.
fn shows_provider(
    view: View,
    operation: Operation,
    status: u16,
    description: &str,
    schemas: &mut Schemas,
) -> Operation {
    match view {
        View::Admin => shows::<AdminIdPResponse>(
            operation,
            status,
            description,
            schemas,
            &examples::admin_provider(),
        ),
        View::Tenant => shows::<IdPResponse>(
            operation,
            status,
            description,
            schemas,
            &examples::provider(),
        ),
    }
}

fn protocol(name: &str) -> Value {
    let names = Protocol::ALL.map(Protocol::name);
    query(
        name,
        "Those that speak it, in any case",
        &json!({"type": "string", "enum": names}),
    )
}

/// The operation of a route of identity providers.
pub fn describe(endpoint: Endpoint, schemas: &mut Schemas) -> Operation {
    let (read, write) = (
        AdminScope::IdentityProvidersRead,
        AdminScope::IdentityProvidersWrite,
    );
    match endpoint {
        Endpoint::ListIdentityProviders(View::Admin) => lists::<AdminIdPResponse>(
            provider(View::Admin, "list", "A page of identity providers")
                .describe(&format!("Of all tenants, or of one. {SECRET}"))
                .administrator(read)
                .parameters([
                    tenant_id(false, "Those of one tenant"),
                    protocol("provider_type"),
                    query("search", "Part of a name", &json!({"type": "string"})),
                ])
                .fails(404),
            schemas,
            &examples::admin_provider(),
        ),
        Endpoint::ListIdentityProviders(View::Tenant) => lists::<IdPListItem>(
            provider(View::Tenant, "list", "A page of identity providers")
                .describe("In short, without their configurations.")
                .administrator(read)
                .parameters([
                    query(
                        "enabled_only",
                        "Whether those that are switched off are left out",
                        &json!({"type": "boolean", "default": false}),
                    ),
                    protocol("protocol"),
                ]),
            schemas,
            &examples::list_item(),
        ),
        Endpoint::CreateIdentityProvider(view) => {
            let operation = provider(view, "create", "Create an identity provider")
                .describe(&format!(
                    "The configuration of its protocol is required, another refused. {SECRET} 409 where the name is taken."
                ))
                .administrator(write)
                .fails(409);
            let operation = match view {
                View::Admin => operation.body(
                    true,
                    schemas.request::<AdminIdPCreate>(),
                    examples::admin_create(),
                ),
                View::Tenant => operation.body(
                    true,
                    schemas.request::<IdPCreate>(),
                    examples::create(),
                ),
            };
            shows_provider(view, operation, 201, "It is made", schemas)
        }
        Endpoint::UpdateIdentityProvider(view) => {
            let operation = provider(view, "update", "Change an identity provider")
                .describe(&format!(
                    "What is left out stays, within a configuration and the mapping too. {SECRET} One that is left out or null stays, unless `url`, `start_tls` (off) or `bind_dn` of a directory changes, or `issuer` or `token_endpoint` of an OpenID provider: it was for those, is cleared, and `meta.notices` says so. Give it in the same request."
                ))
                .administrator(write)
                .fails(409);
            let operation = match view {
                View::Admin => operation.body(
                    true,
                    schemas.request::<AdminIdPUpdate>(),
                    examples::update(),
                ),
                View::Tenant => operation.body(
                    true,
                    schemas.request::<IdPUpdate>(),
                    examples::update(),
                ),
            };
            shows_provider(view, operation, 200, "It is changed", schemas)
        }
        Endpoint::DeleteIdentityProvider(view) => {
            provider(view, "delete", "Delete an identity provider")
                .describe("It is hidden, its secret forgotten, its group mappings go and its SCIM tokens are revoked. What its directory put here stays, and is SCIM clients' from now on.")
                .administrator(write)
                .reply(204, "It is gone", Value::Null, &[])
        }
        Endpoint::TestIdentityProvider(view) => shows::<TestConnectionResponse>(
            provider(view, "test", "Try the connection to an identity provider")
                .describe("A test in stages, up to the first that fails. One that failed is 200 with `success` false. 409 where the secret was sealed with a key that is gone.")
                .administrator(write)
                .fails(409),
            200,
            "How it ended",
            schemas,
            &examples::test_connection(),
        ),
        Endpoint::ReencryptSecrets => shows::<ReencryptionResponse>(
            operation(
                IDENTITY_PROVIDERS,
                "reencryptSecrets",
                "Seal all secrets anew, after the encryption key was replaced or an older version wrote them",
            )
            .describe("One request does as much as a request may; send it again while something `remains`. An administrator of one tenant may not.")
            .administrator(write),
            200,
            "What was done",
            schemas,
            &examples::reencryption(),
        ),
        Endpoint::ListGroupMappings => lists::<GroupMappingResponse>(
            operation(
                IDENTITY_PROVIDERS,
                "listGroupMappings",
                "A page of a provider's group mappings",
            )
            .describe("Each says that the users of a group of the provider belong to a group of the tenant.")
            .administrator(read),
            schemas,
            &examples::group_mapping(),
        ),
        Endpoint::CreateGroupMapping => shows::<GroupMappingResponse>(
            operation(
                IDENTITY_PROVIDERS,
                "createGroupMapping",
                "Let a group of the provider stand for a group of the tenant",
            )
            .describe("422 where the tenant has no such group, 409 where the two are mapped already, or the provider is no LDAP directory: only syncs of directories read mappings.")
            .administrator(write)
            .body(
                true,
                schemas.request::<GroupMappingCreate>(),
                examples::group_mapping_create(),
            )
            .fails(409),
            201,
            "It is made",
            schemas,
            &examples::group_mapping(),
        ),
        Endpoint::DeleteGroupMapping => operation(
            IDENTITY_PROVIDERS,
            "deleteGroupMapping",
            "Delete a group mapping",
        )
        .describe("Takes back the memberships that it alone gave.")
        .administrator(write)
        .reply(204, "It is gone", Value::Null, &[]),
        Endpoint::StartSync | Endpoint::ListSyncLogs | Endpoint::ReadSyncLog => {
            super::directory_syncs::describe(endpoint, schemas)
        }
        Endpoint::ReadIdentityProvider(View::Tenant) => shows_provider(
            View::Tenant,
            provider(View::Tenant, "read", "One identity provider")
                .describe(SECRET)
                .administrator(read),
            200,
            "The provider",
            schemas,
        ),
        _ => shows_provider(
            View::Admin,
            provider(View::Admin, "read", "One identity provider")
                .describe(SECRET)
                .administrator(read),
            200,
            "The provider",
            schemas,
        ),
    }
}
