//! What the routes of identity providers are for, in both views.

use serde_json::{Value, json};

use super::envelopes::{lists, shows, tenant_id};
use super::examples::providers as examples;
use super::operation::{Operation, query};
use super::schemas::Schemas;
use super::tags::{IDENTITY_PROVIDERS, SETUP};
use crate::api::admin::identity_providers::access::View;
use crate::api::admin::identity_providers::responses::{
    AdminIdPResponse, GroupMappingResponse, IdPListItem, IdPResponse, ReencryptionResponse,
    TestConnectionResponse,
};
use crate::api::admin::identity_providers::saml_metadata::{
    SamlMetadataRequest, SamlMetadataResponse,
};
use crate::api::admin::identity_providers::types::{
    AdminIdPCreate, AdminIdPUpdate, GroupMappingCreate, IdPCreate, IdPUpdate,
};
use crate::api::http::routes::Route;
use crate::store::identity_providers::Protocol;

const SECRET: &str = "Secrets are taken and never shown; `has_client_secret` and `has_bind_password` say that one is set.";

/// In whose view a route shows providers.
fn view(route: &Route) -> View {
    match route.name.ends_with("OfTenant") {
        true => View::Tenant,
        false => View::Admin,
    }
}

fn provider(route: &Route, summary: &str) -> Operation {
    match view(route) {
        View::Admin if route.name.ends_with("OfSetup") => {
            Operation::new(route, SETUP, &format!("{summary}, by a set-up link"))
        }
        View::Admin => Operation::new(route, IDENTITY_PROVIDERS, summary),
        View::Tenant => {
            Operation::new(route, IDENTITY_PROVIDERS, &format!("{summary} of a tenant"))
        }
    }
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
pub fn describe(route: &Route, schemas: &mut Schemas) -> Option<Operation> {
    let view = view(route);
    // A set-up link's routes are the administrators'.
    Some(match route.name.trim_end_matches("OfSetup") {
        "listIdentityProviders" => lists::<AdminIdPResponse>(
            provider(route, "A page of identity providers")
                .describe(&format!("Of all tenants, or of one. {SECRET}"))
                .parameters([
                    tenant_id(false, "Those of one tenant"),
                    protocol("provider_type"),
                    query("search", "Part of a name", &json!({"type": "string"})),
                ])
                .fails(404),
            schemas,
            &examples::admin_provider(),
        ),
        "listIdentityProvidersOfTenant" => lists::<IdPListItem>(
            provider(route, "A page of identity providers")
                .describe("In short, without their configurations.")
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
        "createIdentityProvider" | "createIdentityProviderOfTenant" => {
            let operation = provider(route, "Create an identity provider")
                .describe(&format!(
                    "The configuration of its protocol is required, another refused. {SECRET} 409 where the name is taken."
                ))
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
        "updateIdentityProvider" | "updateIdentityProviderOfTenant" => {
            let operation = provider(route, "Change an identity provider")
                .describe(&format!(
                    "What is left out stays, within a configuration and the mapping too. {SECRET} One that is left out or null stays, unless `url`, `start_tls` (off) or `bind_dn` of a directory changes, or `issuer` or `token_endpoint` of an OpenID provider: it was for those, is cleared, and `meta.notices` says so. Give it in the same request."
                ))
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
        "deleteIdentityProvider" | "deleteIdentityProviderOfTenant" => {
            provider(route, "Delete an identity provider")
                .describe("It is hidden, its secret forgotten, its group mappings go and its SCIM tokens are revoked. What its directory put here stays, and is SCIM clients' from now on.")
                .reply(204, "It is gone", Value::Null, &[])
        }
        "testIdentityProvider" | "testIdentityProviderOfTenant" => shows::<TestConnectionResponse>(
            provider(route, "Try the connection to an identity provider")
                .describe("A test in stages, up to the first that fails. One that failed is 200 with `success` false. 409 where the secret was sealed with a key that is gone.")
                .fails(409),
            200,
            "How it ended",
            schemas,
            &examples::test_connection(),
        ),
        "readSamlMetadata" => shows::<SamlMetadataResponse>(
            provider(route, "Read the metadata that a SAML provider publishes")
                .describe("The document at an address, as it stands, for a form to be filled in from it. Nothing is kept. 422 where the address is private, or serves no metadata.")
                .body(
                    true,
                    schemas.request::<SamlMetadataRequest>(),
                    json!({"url": "https://login.example.com/metadata"}),
                ),
            200,
            "What stands there",
            schemas,
            &json!({"metadata": "<EntityDescriptor …"}),
        ),
        "reencryptSecrets" => shows::<ReencryptionResponse>(
            Operation::new(route, IDENTITY_PROVIDERS,
                "Seal all secrets anew, after the encryption key was replaced or an older version wrote them",
            )
            .describe("One request does as much as a request may; send it again while something `remains`. An administrator of one tenant may not."),
            200,
            "What was done",
            schemas,
            &examples::reencryption(),
        ),
        "listGroupMappings" => lists::<GroupMappingResponse>(
            Operation::new(route, IDENTITY_PROVIDERS,
                "A page of a provider's group mappings",
            )
            .describe("Each says that the users of a group of the provider belong to a group of the tenant."),
            schemas,
            &examples::group_mapping(),
        ),
        "createGroupMapping" => shows::<GroupMappingResponse>(
            Operation::new(route, IDENTITY_PROVIDERS,
                "Let a group of the provider stand for a group of the tenant",
            )
            .describe("422 where the tenant has no such group, 409 where the two are mapped already, or the provider is no LDAP directory: only syncs of directories read mappings.")
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
        "deleteGroupMapping" => Operation::new(route, IDENTITY_PROVIDERS,
            "Delete a group mapping",
        )
        .describe("Takes back the memberships that it alone gave.")
        .reply(204, "It is gone", Value::Null, &[]),
        "readIdentityProviderOfTenant" => shows_provider(
            View::Tenant,
            provider(route, "One identity provider")
                .describe(SECRET),
            200,
            "The provider",
            schemas,
        ),
        "readIdentityProvider" => shows_provider(
            View::Admin,
            provider(route, "One identity provider")
                .describe(SECRET),
            200,
            "The provider",
            schemas,
        ),
        _ => return None,
    })
}
