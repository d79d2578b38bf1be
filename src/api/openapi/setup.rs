//! What the routes of set-up links are for: those that make them, and those that they open.

use serde_json::{Value, json};

use super::envelopes::{lists, shows, tenant_id};
use super::examples;
use super::operation::Operation;
use super::schemas::Schemas;
use super::tags::SETUP;
use crate::api::admin::endpoint_info;
use crate::api::admin::scim_tokens::types::NewScimTokenResponse;
use crate::api::admin::setup::{SetupResponse, SetupScimTokenCreate};
use crate::api::admin::setup_links::{NewSetupLinkResponse, SetupLinkCreate, SetupLinkResponse};
use crate::api::http::routes::Route;
use crate::ids::TenantId;

const TIME: &str = "2026-11-20T19:48:51.819Z";

fn link() -> Value {
    json!({
        "id": "01a1fa81-2c3c-72ea-ac77-06c1191c8fad", "tenant_id": examples::TENANT, "allows": ["scim", "sso"],
        "created_at": TIME, "created_by": "admin@example.com", "expires_at": "2026-11-27T19:48:51.819Z", "last_used_at": null,
    })
}

/// With a secret whose checksum does not hold.
fn new_link() -> Value {
    let mut link = link();
    if let Some(link) = link.as_object_mut() {
        let url = format!(
            "https://scim.example.com/setup/#{}/rsl_{}",
            examples::TENANT,
            "x".repeat(49)
        );
        link.insert("url".to_owned(), url.into());
    }
    link
}

fn setup() -> Value {
    let endpoint = TenantId::parse(examples::TENANT)
        .map(|tenant| endpoint_info::describe("https://scim.example.com", &tenant));
    json!({
        "tenant_id": examples::TENANT, "tenant_name": "Example", "product_name": "Acme", "product_color": "#0b5fff",
        "allows": ["scim", "sso"], "expires_at": "2026-11-27T19:48:51.819Z", "endpoint": endpoint,
        "scim_tokens": [examples::scim_token()],
        "requests": [{
            "id": "01a1fa81-2beb-7527-84ae-1e76ffcebd7a", "at": TIME, "method": "POST",
            "route": "/api/v1/tenants/:tenant_id/scim/v2/Users", "status": 201, "failed": false, "detail": null,
            "user_name": "ada@example.com",
        }],
        "users_total": 1,
        "newest_users": [{
            "id": examples::USER, "user_name": "ada@example.com", "display_name": "Ada Lovelace", "active": true, "created_at": TIME,
        }],
        "groups_total": 0,
        "identity_providers": [examples::providers::list_item()],
    })
}

/// The operation of a route of set-up links.
pub fn describe(route: &Route, schemas: &mut Schemas) -> Option<Operation> {
    Some(match route.name {
        "listSetupLinks" => lists::<SetupLinkResponse>(
            Operation::new(route, SETUP, "A page of set-up links")
                .describe("Those that have not ended, all but their addresses.")
                .parameters([tenant_id(false, "Those of this tenant alone")])
                .fails(404),
            schemas,
            &link(),
        ),
        "createSetupLink" => shows::<NewSetupLinkResponse>(
            Operation::new(route, SETUP, "Make a set-up link")
                .describe("For a customer's administrator, who has no account here: its address is shown once. It opens the set-up of that tenant and nothing else, and takes the scopes of what it allows. 409 where the tenant has as many as it may have.")
                .body(
                    true,
                    schemas.request::<SetupLinkCreate>(),
                    json!({"tenant_id": examples::TENANT, "allows": ["scim", "sso"]}),
                )
                .fails(404)
                .fails(409),
            201,
            "It is made",
            schemas,
            &new_link(),
        ),
        "deleteSetupLink" => Operation::new(route, SETUP, "Revoke a set-up link")
            .describe("It opens nothing any more. What was made by it stays.")
            .parameters([tenant_id(
                false,
                "Whose link it is; an administrator of the platform has to say so",
            )])
            .reply(204, "It is gone", Value::Null, &[]),
        "readSetup" => shows::<SetupResponse>(
            Operation::new(route, SETUP, "How far a tenant's set-up is")
                .describe("What a page for the customer's administrator shows: what to enter where, what came of it so far, and why something was refused."),
            200,
            "How far it is",
            schemas,
            &setup(),
        ),
        "createScimTokenOfSetup" => shows::<NewScimTokenResponse>(
            Operation::new(route, SETUP, "Create a SCIM token, by a set-up link")
                .describe("The token is shown in this reply and never again. 409 where the link has made as many as it may.")
                .body(
                    true,
                    schemas.request::<SetupScimTokenCreate>(),
                    json!({"name": "Entra ID"}),
                )
                .fails(409),
            201,
            "It is made",
            schemas,
            &examples::new_scim_token(),
        ),
        _ => return None,
    })
}
