//! The OpenAPI document (OpenAPI 3.1), out of the table of routes, the types that read bodies and write replies, and the
//! schema of SCIM's resources. It is made where the code is tested, not in the worker, which serves it as a file.
//!
//! Each route is described once, by its name. Its path, its parameters and whom it is for are the route's own.

mod admin;
mod directory_syncs;
mod envelopes;
mod events;
mod examples;
mod happened;
mod identity_providers;
mod messages;
mod moves;
mod operation;
mod own_schemas;
mod resources;
mod retention;
mod schemas;
mod scim;
mod setup;
mod tags;
mod types;

use serde_json::{Map, Value, json};

use crate::api::http::reply::{Dialect, ErrorResponse, ScimErrorResponse, ValidationErrorResponse};
use crate::api::http::routes::{self, Route};
use crate::api::scim::discovery::documents::{
    ResourceTypeDocument, SchemaDocument, ServiceProviderConfig,
};
use operation::{ADMINISTRATOR, CLOUDFLARE_ACCESS, Operation, SCIM_TOKEN, SETUP_LINK};
use schemas::Schemas;
use tags::{EVENTS, HAPPENED, IDENTITY_PROVIDERS, MONITORING, SCIM, SCIM_TOKENS, SETUP, TENANTS};

const DESCRIPTION: &str = "Provisioning over SCIM 2.0 (RFC 7643, RFC 7644), and its administration.\n\n\
    A path works with and without a slash at its end. HEAD is answered like GET, without the body. Another method than those \
    of a path is 405 with `Allow`. Every reply has an `X-Request-Id`. Times are RFC 3339 in UTC, ids are UUIDs.\n\n\
    SCIM routes stand under two bases: with the tenant in the path, as shown here, and under `/scim/v2` with the tenant taken from \
    the credential; all that follows is the same. Their bodies are `application/scim+json`, and `application/json` is taken too. \
    They are described as they are for a tenant whose profile is `strict`; `compat`, the default, also takes what identity \
    providers really send: capitals in names of operations, booleans as strings, missing schema URNs, attributes that are unknown.";

/// The whole document.
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes::all().iter().filter(|route| is_shown(route)) {
        let (path, parameters) = path(route);
        let operation = describe(route, &mut schemas);
        let methods = paths.entry(path).or_insert_with(|| json!({}));
        if let Some(methods) = methods.as_object_mut() {
            let method = route.method.as_str().to_ascii_lowercase();
            methods.insert(method, operation.finish(&parameters));
        }
    }
    for mentioned in [
        Schemas::reply::<ErrorResponse<'_>>,
        Schemas::reply::<ValidationErrorResponse<'_>>,
        Schemas::reply::<ScimErrorResponse<'_>>,
        Schemas::reply::<ServiceProviderConfig>,
        Schemas::reply::<ResourceTypeDocument>,
        Schemas::reply::<SchemaDocument>,
    ] {
        mentioned(&mut schemas);
    }
    let mut named = schemas.finish();
    named.extend(resources::schemas());
    named.extend(messages::schemas());
    named.sort_keys();
    json!({
        "openapi": "3.1.1",
        "info": {
            "title": "Rollcall",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [
            {"name": TENANTS, "description": "Customers, each with users and groups of its own"},
            {"name": SCIM_TOKENS, "description": "What identity providers identify themselves with"},
            {"name": IDENTITY_PROVIDERS, "description": "Where a tenant's users sign in and come from"},
            {"name": SETUP, "description": "Links by which a customer's administrator sets a tenant up without an account"},
            {"name": HAPPENED, "description": "Who changed what, for one tenant at a time"},
            {"name": EVENTS, "description": "What a product is told of the changes of a tenant"},
            {"name": SCIM, "description": "Users and groups, for identity providers"},
            {"name": MONITORING, "description": "The service itself"},
        ],
        "paths": paths,
        "components": {
            "schemas": named,
            "responses": operation::failures(),
            "headers": operation::headers(),
            "securitySchemes": {
                ADMINISTRATOR: {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "A JWT with `iss`, `aud`, `sub`, `exp`, and a `scope` that is `admin` or has the one named; with a `tenant_id` it is for that tenant alone, and without one for all tenants where its scopes have `platform` or `admin`, else for none (403)",
                },
                SETUP_LINK: {
                    "type": "http", "scheme": "bearer",
                    "description": "What stands behind `#` in the address of a set-up link: it opens the set-up of one tenant, as far as the link allows it",
                },
                CLOUDFLARE_ACCESS: {
                    "type": "apiKey", "in": "header", "name": "Cf-Access-Jwt-Assertion",
                    "description": "The JWT that Cloudflare Access adds to the requests of whom it lets through; nobody sends it by themselves",
                },
                SCIM_TOKEN: {
                    "type": "http", "scheme": "bearer",
                    "description": "A SCIM token with the scopes named",
                },
            },
        },
    })
}

/// The operation of a route.
fn describe(route: &Route, schemas: &mut Schemas) -> Operation {
    let by_noun = [
        admin::describe,
        retention::describe,
        moves::describe,
        identity_providers::describe,
        directory_syncs::describe,
        happened::describe,
        events::describe,
        setup::describe,
        own_schemas::describe,
        scim::describe,
    ];
    let described = by_noun
        .into_iter()
        .find_map(|describe| describe(route, schemas));
    // What nobody describes has no summary; a test tells.
    described.unwrap_or_else(|| Operation::new(route, MONITORING, ""))
}

/// Whether a route is shown as it stands. What stands below both SCIM bases is shown once, with the tenant in the path.
fn is_shown(route: &Route) -> bool {
    route.dialect == Dialect::Admin || !route.pattern.starts_with(routes::TOKEN_BASE)
}

/// A route's path as OpenAPI writes it, and the names of its parameters.
fn path(route: &Route) -> (String, Vec<&str>) {
    let mut parameters = Vec::new();
    let parts: Vec<String> = route
        .pattern
        .split('/')
        .map(|part| match part.strip_prefix(':') {
            Some(name) => {
                parameters.push(name);
                format!("{{{name}}}")
            }
            None => part.to_owned(),
        })
        .collect();
    (parts.join("/"), parameters)
}
