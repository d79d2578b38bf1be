//! What the administrators' routes are for, and those for everybody.

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::examples;
use super::identity_providers;
use super::operation::{Operation, query};
use super::{MONITORING, SCIM_TOKENS, Schemas, TENANTS};
use crate::api::admin::endpoint_info::EndpointInfo;
use crate::api::admin::health::Health;
use crate::api::admin::scim_tokens::types::{
    NewScimTokenResponse, ScimTokenCreate, ScimTokenResponse, ScimTokenRotate, ScimTokenUpdate,
};
use crate::api::admin::tenants::{TenantCreate, TenantResponse, TenantUpdate};
use crate::api::http::envelope::{List, Single};
use crate::api::http::input::{DEFAULT_PER_PAGE, MAX_PAGE, MAX_PER_PAGE};
use crate::api::http::reply::Dialect;
use crate::api::http::routes::Endpoint;
use crate::auth::admin::AdminScope;

/// The operation of a route that is none of SCIM's.
pub fn describe(endpoint: Endpoint, schemas: &mut Schemas) -> Operation {
    use Endpoint as E;
    match endpoint {
        E::Health | E::OpenApi | E::Docs | E::DocsFile => for_everybody(endpoint, schemas),
        E::ListTenants | E::CreateTenant | E::ReadTenant | E::UpdateTenant | E::DeleteTenant => {
            tenant(endpoint, schemas)
        }
        E::ListScimTokens
        | E::CreateScimToken
        | E::ScimEndpointInfo
        | E::ReadScimToken
        | E::UpdateScimToken
        | E::DeleteScimToken
        | E::RotateScimToken => scim_token(endpoint, schemas),
        E::ListIdentityProviders(_)
        | E::CreateIdentityProvider(_)
        | E::ReadIdentityProvider(_)
        | E::UpdateIdentityProvider(_)
        | E::DeleteIdentityProvider(_)
        | E::TestIdentityProvider(_)
        | E::ReencryptSecrets
        | E::ListGroupMappings
        | E::CreateGroupMapping
        | E::DeleteGroupMapping
        | E::StartSync
        | E::ListSyncLogs
        | E::ReadSyncLog => identity_providers::describe(endpoint, schemas),
        E::Scim(endpoint) => super::scim::describe(endpoint),
    }
}

pub fn operation(tag: &'static str, id: &str, summary: &str) -> Operation {
    Operation::new(Dialect::Admin, tag, id, summary)
}

/// `page` and `per_page`.
pub fn paging() -> [Value; 2] {
    [
        query(
            "page",
            "From 1",
            &json!({"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 1}),
        ),
        query(
            "per_page",
            "How many a page has",
            &json!({"type": "integer", "minimum": 1, "maximum": MAX_PER_PAGE, "default": DEFAULT_PER_PAGE}),
        ),
    ]
}

pub fn tenant_id(required: bool, description: &str) -> Value {
    let mut parameter = query(
        "tenant_id",
        description,
        &json!({"$ref": "#/components/schemas/TenantId"}),
    );
    if let Some(parameter) = parameter.as_object_mut() {
        parameter.insert("required".to_owned(), required.into());
    }
    parameter
}

/// A reply of one `T`.
pub fn shows<T: JsonSchema>(
    operation: Operation,
    status: u16,
    description: &str,
    schemas: &mut Schemas,
    example: &Value,
) -> Operation {
    let schema = schemas.reply::<Single<T>>();
    operation.answers(status, description, &schema, &examples::single(example))
}

/// A reply of a page of `T`s.
pub fn lists<T: JsonSchema>(
    operation: Operation,
    schemas: &mut Schemas,
    example: &Value,
) -> Operation {
    let schema = schemas.reply::<List<T>>();
    operation
        .parameters(paging())
        .answers(200, "A page", &schema, &examples::page(example))
        .fails(422)
}

fn for_everybody(endpoint: Endpoint, schemas: &mut Schemas) -> Operation {
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
    match endpoint {
        Endpoint::OpenApi => {
            let content = json!({"application/json": {"schema": {"type": "object", "additionalProperties": true}}});
            operation(MONITORING, "readOpenApi", "This document")
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
        Endpoint::Docs => file(
            operation(MONITORING, "readDocs", "This document for people to read")
                .describe("Needs no credential. A page that also sends requests, with a credential that is typed in and not kept."),
            &["text/html"],
        ),
        Endpoint::DocsFile => file(
            operation(
                MONITORING,
                "readDocsFile",
                "A file of the page that shows this document",
            )
            .describe("Needs no credential. Scripts, styles and licences that the page asks for by itself."),
            &["text/html", "text/css", "text/javascript", "text/plain"],
        )
        .path("file", json!({"type": "string", "examples": ["docs.js"]})),
        _ => operation(MONITORING, "readHealth", "Whether the service answers")
            .describe("Needs no credential, and asks no database: it tells that the service runs, and which version.")
            .answers(
                200,
                "It does",
                &schemas.reply::<Health>(),
                &examples::health(),
            ),
    }
}

fn tenant(endpoint: Endpoint, schemas: &mut Schemas) -> Operation {
    let (read, write) = (AdminScope::TenantsRead, AdminScope::TenantsWrite);
    let example = examples::tenant();
    match endpoint {
        Endpoint::ListTenants => lists::<TenantResponse>(
            operation(TENANTS, "listTenants", "A page of tenants")
                .describe("Those that are not deleted; an administrator of one tenant sees that one.")
                .administrator(read)
                .parameters([query(
                    "search",
                    "Part of an id or of a name",
                    &json!({"type": "string"}),
                )]),
            schemas,
            &example,
        ),
        Endpoint::CreateTenant => shows::<TenantResponse>(
            operation(TENANTS, "createTenant", "Create a tenant")
                .describe(
                    "An administrator of one tenant makes no others. 409 where the id is taken.",
                )
                .administrator(write)
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
        Endpoint::UpdateTenant => shows::<TenantResponse>(
            operation(TENANTS, "updateTenant", "Change a tenant")
                .describe("What is left out or null stays. Another profile holds for the next request; what is stored stays as it is.")
                .administrator(write)
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
        Endpoint::DeleteTenant => operation(TENANTS, "deleteTenant", "Delete a tenant")
            .describe("It is hidden and its tokens are dead; its id stays taken and its rows stay.")
            .administrator(write)
            .reply(204, "It is gone", Value::Null, &[]),
        _ => shows::<TenantResponse>(
            operation(TENANTS, "readTenant", "One tenant")
                .describe("404 for one that is deleted, or that this administrator is not for.")
                .administrator(read),
            200,
            "The tenant",
            schemas,
            &example,
        ),
    }
}

fn scim_token(endpoint: Endpoint, schemas: &mut Schemas) -> Operation {
    let (read, write) = (AdminScope::ScimTokensRead, AdminScope::ScimTokensWrite);
    let example = examples::scim_token();
    let of_tenant = "Those of one tenant";
    match endpoint {
        Endpoint::ListScimTokens => lists::<ScimTokenResponse>(
            operation(SCIM_TOKENS, "listScimTokens", "A page of SCIM tokens")
                .describe("Paused and expired ones too, revoked ones not. The tokens themselves are never shown again; `token_hint` tells them apart.")
                .administrator(read)
                .parameters([tenant_id(false, of_tenant)])
                .fails(404),
            schemas,
            &example,
        ),
        Endpoint::CreateScimToken => shows::<NewScimTokenResponse>(
            operation(SCIM_TOKENS, "createScimToken", "Create a SCIM token")
                .describe("The reply is the only place where the token is ever shown.")
                .administrator(write)
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
        Endpoint::ScimEndpointInfo => shows::<EndpointInfo>(
            operation(
                SCIM_TOKENS,
                "readScimEndpointInfo",
                "What to paste into an identity provider",
            )
            .describe("The addresses of the tenant's SCIM endpoint, and for each kind of identity provider the fields of its form with their values. The token is created apart.")
            .administrator(read)
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
        Endpoint::UpdateScimToken => shows::<ScimTokenResponse>(
            operation(SCIM_TOKENS, "updateScimToken", "Change or pause a SCIM token")
                .describe("404 for one that is revoked.")
                .administrator(write)
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
        Endpoint::DeleteScimToken => {
            operation(SCIM_TOKENS, "deleteScimToken", "Revoke a SCIM token for good")
                .describe("404 for one that is revoked.")
                .administrator(write)
                .reply(204, "It is revoked", Value::Null, &[])
        }
        Endpoint::RotateScimToken => shows::<NewScimTokenResponse>(
            operation(SCIM_TOKENS, "rotateScimToken", "Replace a SCIM token")
                .describe("The new token has the old one's settings. The old one dies after the overlap, at once without one. 409 where it has expired.")
                .administrator(write)
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
        _ => shows::<ScimTokenResponse>(
            operation(SCIM_TOKENS, "readScimToken", "One SCIM token")
                .describe("All but the token itself; one that is revoked, too.")
                .administrator(read),
            200,
            "The token",
            schemas,
            &example,
        ),
    }
}
