//! What the administrators' routes are for, and those for everybody.

use serde_json::{Value, json};

use super::envelopes::{lists, shows, tenant_id};
use super::examples;
use super::operation::{Operation, query};
use super::schemas::Schemas;
use super::tags::{MONITORING, SCIM_TOKENS, TENANTS};
use crate::api::admin::console::ConsoleSettings;
use crate::api::admin::console_session::{ConsoleSession, ConsoleSessionCreate};
use crate::api::admin::databases::DatabaseResponse;
use crate::api::admin::endpoint_info::EndpointInfo;
use crate::api::admin::health::Health;
use crate::api::admin::scim_tokens::types::{
    NewScimTokenResponse, RemovalsAllow, RemovalsAllowed, ScimTokenCreate, ScimTokenResponse,
    ScimTokenRotate, ScimTokenUpdate,
};
use crate::api::admin::tenant_types::{TenantCreate, TenantResponse, TenantUpdate};
use crate::api::http::routes::Route;

/// The operation of a route for everybody, of tenants or of tokens.
pub fn describe(route: &Route, schemas: &mut Schemas) -> Option<Operation> {
    Some(match route.name {
        "readHealth"
        | "readOpenApi"
        | "readPublicKeys"
        | "readDocs"
        | "readDocsFile"
        | "readConsole"
        | "readConsoleSettings"
        | "readSetupPage"
        | "readSetupPageFile"
        | "createConsoleSession"
        | "readConsoleFile" => for_everybody(route, schemas),
        "listTenants" | "createTenant" | "readTenant" | "updateTenant" | "deleteTenant" => {
            tenant(route, schemas)
        }
        "listDatabases" => databases(route, schemas),
        "listScimTokens"
        | "createScimToken"
        | "readScimEndpointInfo"
        | "readScimToken"
        | "updateScimToken"
        | "deleteScimToken"
        | "rotateScimToken"
        | "allowRemovals" => scim_token(route, schemas),
        _ => return None,
    })
}

fn databases(route: &Route, schemas: &mut Schemas) -> Operation {
    lists::<DatabaseResponse>(
        Operation::new(route, TENANTS, "The databases that tenants live in")
            .describe("Each with its size, how many tenants live there and whether it takes new ones. Where there is something to do about one, `do` says what. An administrator of one tenant may not ask."),
        schemas,
        &json!({
            "name": "eu", "location": null, "jurisdiction": "eu", "bytes": 2_412_544, "max_bytes": 10_000_000_000_i64, "tenants": 12,
            "takes_new_tenants": true, "state": "open", "do": null,
        }),
    )
}

fn for_everybody(route: &Route, schemas: &mut Schemas) -> Operation {
    let file = |operation: Operation, media_types: &[&str]| {
        let content = media_types
            .iter()
            .map(|name| ((*name).to_owned(), json!({"schema": {"type": "string"}})))
            .collect();
        operation
            .reply(200, "The file", Value::Object(content), &["ETag"])
            .reply(
                304,
                "It is the one that `If-None-Match` names",
                Value::Null,
                &["ETag"],
            )
            .fails(404)
    };
    match route.name {
        "readOpenApi" => {
            let content = json!({"application/json": {"schema": {"type": "object", "additionalProperties": true}}});
            Operation::new(route, MONITORING, "This document")
                .describe("Needs no credential. OpenAPI 3.1; generators of clients take it as it is.")
                .reply(200, "The document", content, &["ETag"])
                .reply(
                    304,
                    "It is the one that `If-None-Match` names",
                    Value::Null,
                    &["ETag"],
                )
                .fails(404)
        }
        "readPublicKeys" => {
            let keys = json!({"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}});
            let schema = json!({"type": "object", "properties": {"keys": keys}, "required": ["keys"]});
            let example = json!({"keys": [{
                "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "kid": "01a1fa81-2c3c-72ea-ac77-06c1191c8fad", "use": "sig", "alg": "ES256",
            }]});
            Operation::new(route, MONITORING, "The public keys of what is signed here")
                .describe("Needs no credential. A JWKS (RFC 7517) with the keys of security event tokens. A key is published two days before it signs, for 90 days, and for eight days after: keep the document for an hour, and fetch it again where it lacks a key.")
                .answers(200, "The keys", &schema, &example)
                .fails(503)
        }
        "readDocs" => file(
            Operation::new(route, MONITORING, "This document for people to read")
                .describe("Needs no credential. A page that also sends requests, with a credential that is typed in and not kept."),
            &["text/html"],
        ),
        "readDocsFile" => file(
            Operation::new(route, MONITORING,
                "A file of the page that shows this document",
            )
            .describe("Needs no credential. Scripts, styles and licences that the page asks for by itself."),
            &["text/html", "text/css", "text/javascript", "text/plain"],
        )
        .path("file", json!({"type": "string", "examples": ["docs.js"]})),
        "readConsole" => file(
            Operation::new(route, MONITORING, "The administrator's page")
                .describe("Needs no credential: it signs people in with the issuer of administrators' tokens, and calls the other routes as them."),
            &["text/html"],
        ),
        "readSetupPage" => file(
            Operation::new(route, MONITORING, "The page that a set-up link opens")
                .describe("Needs no credential: what opens the set-up stands behind `#` in the link, which a browser sends to no server."),
            &["text/html"],
        ),
        "readSetupPageFile" => file(
            Operation::new(route, MONITORING, "A file of the page that a set-up link opens")
                .describe("Needs no credential. Scripts and styles that the page asks for by itself."),
            &["text/html", "text/css", "text/javascript", "text/plain"],
        )
        .path("file", json!({"type": "string", "examples": ["console.css"]})),
        "createConsoleSession" => shows::<ConsoleSession>(
            Operation::new(route, MONITORING, "Sign in to the administrator's page by Cloudflare Access")
                .describe("The page asks for this itself, and again before the token ends, after 15 minutes at most. The token opens administrators' routes with the scopes that the setting `ACCESS_SCOPES` gives; it is shown in this reply alone. 403 for a request that is not of the page, and for whom the setting gives nothing; 404 where Access is not configured.")
                .body(true, schemas.request::<ConsoleSessionCreate>(), json!({})),
            201,
            "They are signed in",
            schemas,
            &json!({"token": "rca_eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl", "expires_at": "2026-11-20T19:48:51.819Z"}),
        ),
        "readConsoleFile" => file(
            Operation::new(route, MONITORING, "A file of the administrator's page")
                .describe("Needs no credential. Scripts and styles that the page asks for by itself."),
            &["text/html", "text/css", "text/javascript", "text/plain"],
        )
        .path("file", json!({"type": "string", "examples": ["console.css"]})),
        "readConsoleSettings" => Operation::new(route, MONITORING, "Where the administrator's page signs people in")
            .describe("Needs no credential. `client_id` is null where nobody signs in by the page.")
            .answers(
                200,
                "The settings",
                &schemas.reply::<ConsoleSettings<'_>>(),
                &examples::console_settings(),
            ),
        _ => Operation::new(route, MONITORING, "Whether the service answers")
            .describe("Needs no credential, and asks no database: it tells that the service runs, and which version.")
            .answers(
                200,
                "It does",
                &schemas.reply::<Health>(),
                &examples::health(),
            ),
    }
}

fn tenant(route: &Route, schemas: &mut Schemas) -> Operation {
    let example = examples::tenant();
    match route.name {
        "listTenants" => lists::<TenantResponse>(
            Operation::new(route, TENANTS, "A page of tenants")
                .describe("Those that are not deleted; an administrator of one tenant sees that one.")
                .parameters([query(
                    "search",
                    "Part of an id or of a name",
                    &json!({"type": "string"}),
                )]),
            schemas,
            &example,
        ),
        "createTenant" => shows::<TenantResponse>(
            Operation::new(route, TENANTS, "Create a tenant")
                .describe(
                    "An administrator of one tenant makes no others. 409 where the id is taken. It comes to the first database while that takes new tenants, \
                     else to the one with most room; `database` or `location` say where it is to live. 507 where more than 80 percent of the room is taken there.",
                )
                .body(
                    true,
                    schemas.request::<TenantCreate>(),
                    examples::tenant_create(),
                )
                .fails(409),
            201,
            "It is made",
            schemas,
            &example,
        ),
        "updateTenant" => shows::<TenantResponse>(
            Operation::new(route, TENANTS, "Change a tenant")
                .describe("What is left out or null stays. Another profile holds for the next request; what is stored stays as it is.")
                .body(
                    true,
                    schemas.request::<TenantUpdate>(),
                    examples::tenant_update(),
                ),
            200,
            "It is changed",
            schemas,
            &example,
        ),
        "deleteTenant" => Operation::new(route, TENANTS, "Delete a tenant")
            .describe("It is hidden and its tokens are dead; secrets and hashes of passwords are wiped. Its id stays taken. Its rows go 30 days later; until then `restore` brings it back.")
            .reply(204, "It is gone", Value::Null, &[]),
        _ => shows::<TenantResponse>(
            Operation::new(route, TENANTS, "One tenant")
                .describe("404 for one that is deleted, or that this administrator is not for."),
            200,
            "The tenant",
            schemas,
            &example,
        ),
    }
}

fn scim_token(route: &Route, schemas: &mut Schemas) -> Operation {
    let example = examples::scim_token();
    let of_tenant = "Those of one tenant";
    match route.name {
        "listScimTokens" => lists::<ScimTokenResponse>(
            Operation::new(route, SCIM_TOKENS, "A page of SCIM tokens")
                .describe("Paused and expired ones too, revoked ones not. The tokens themselves are never shown again; `token_hint` tells them apart.")
                .parameters([tenant_id(false, of_tenant)])
                .fails(404),
            schemas,
            &example,
        ),
        "createScimToken" => shows::<NewScimTokenResponse>(
            Operation::new(route, SCIM_TOKENS, "Create a SCIM token")
                .describe("The reply is the only place where the token is ever shown.")
                .body(
                    true,
                    schemas.request::<ScimTokenCreate>(),
                    examples::scim_token_create(),
                ),
            201,
            "It is made",
            schemas,
            &examples::new_scim_token(),
        ),
        "readScimEndpointInfo" => shows::<EndpointInfo>(
            Operation::new(route, SCIM_TOKENS,
                "What to paste into an identity provider",
            )
            .describe("The addresses of the tenant's SCIM endpoint, and for each kind of identity provider the fields of its form with their values. The token is created apart.")
            .parameters([tenant_id(
                true,
                "The tenant; an administrator of one tenant may leave it out",
            )])
            .fails(404)
            .fails(422),
            200,
            "Where the tenant's endpoint is",
            schemas,
            &examples::endpoint_info(),
        ),
        "updateScimToken" => shows::<ScimTokenResponse>(
            Operation::new(route, SCIM_TOKENS, "Change or pause a SCIM token")
                .describe("404 for one that is revoked.")
                .body(
                    true,
                    schemas.request::<ScimTokenUpdate>(),
                    examples::scim_token_update(),
                ),
            200,
            "It is changed",
            schemas,
            &example,
        ),
        "deleteScimToken" => {
            Operation::new(route, SCIM_TOKENS, "Revoke a SCIM token for good")
                .describe("404 for one that is revoked.")
                .reply(204, "It is revoked", Value::Null, &[])
        }
        "rotateScimToken" => shows::<NewScimTokenResponse>(
            Operation::new(route, SCIM_TOKENS, "Replace a SCIM token")
                .describe("The new token has the old one's settings. The old one dies after the overlap, at once without one. 409 where it has expired, or was rotated already and is in its overlap.")
                .body(
                    false,
                    schemas.request::<ScimTokenRotate>(),
                    examples::scim_token_rotate(),
                )
                .fails(409),
            201,
            "The new token",
            schemas,
            &examples::new_scim_token(),
        ),
        "allowRemovals" => shows::<RemovalsAllowed>(
            Operation::new(route, SCIM_TOKENS, "Let a SCIM token remove more")
                .describe("A token that removes more of its tenant than `removal_fuse` allows gets 503 for further removals. This lets it go on: so many more, and for so long. What was allowed before is replaced.")
                .body(
                    true,
                    schemas.request::<RemovalsAllow>(),
                    examples::removals_allow(),
                ),
            200,
            "What it may remove besides",
            schemas,
            &examples::removals_allowed(),
        ),
        _ => shows::<ScimTokenResponse>(
            Operation::new(route, SCIM_TOKENS, "One SCIM token")
                .describe("All but the token itself; one that is revoked, too."),
            200,
            "The token",
            schemas,
            &example,
        ),
    }
}
