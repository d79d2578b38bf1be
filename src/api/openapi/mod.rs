//! The OpenAPI document (OpenAPI 3.1), out of the table of routes, the types that read bodies and write replies, and the
//! schema of SCIM's resources. It is made where the code is tested, not in the worker, which serves it as a file.
//!
//! Each route is described once, in a `match` that the compiler holds complete; a path and its parameters are the route's own.

mod admin;
mod examples;
mod identity_providers;
mod ldap_sync;
mod messages;
mod operation;
mod resources;
mod scim;
mod types;

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};

use super::discovery::documents::{ResourceTypeDocument, SchemaDocument, ServiceProviderConfig};
use super::reply::{ErrorResponse, ScimErrorResponse, ValidationErrorResponse};
use super::routes::{self, Endpoint, Route};
use operation::{ADMINISTRATOR, SCIM_TOKEN};

const TENANTS: &str = "Tenants";
const SCIM_TOKENS: &str = "SCIM tokens";
const IDENTITY_PROVIDERS: &str = "Identity providers";
const SCIM: &str = "SCIM";
const MONITORING: &str = "Service";

const DESCRIPTION: &str = "Provisioning over SCIM 2.0 (RFC 7643, RFC 7644), and its administration.\n\n\
    A path works with and without a slash at its end. HEAD is answered like GET, without the body. Another method than those \
    of a path is 405 with `Allow`. Every reply has an `X-Request-Id`. Times are RFC 3339 in UTC, ids are UUIDs.\n\n\
    SCIM routes stand under two bases: with the tenant in the path, and `/scim/v2` with the tenant taken from the credential. \
    They are described as they are for a tenant whose profile is `strict`; `compat`, the default, also takes what identity \
    providers really send: capitals in names of operations, booleans as strings, missing schema URNs, attributes that are unknown.";

/// Schemas of types, by their names.
struct Schemas {
    requests: SchemaGenerator,
    replies: SchemaGenerator,
}

impl Schemas {
    fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Schemas {
            requests: settings.clone().for_deserialize().into_generator(),
            replies: settings.for_serialize().into_generator(),
        }
    }

    /// A reference to what a request's body is read as.
    fn request<T: JsonSchema>(&mut self) -> Value {
        self.requests.subschema_for::<T>().to_value()
    }

    /// A reference to what a reply is written from.
    fn reply<T: JsonSchema>(&mut self) -> Value {
        self.replies.subschema_for::<T>().to_value()
    }

    fn finish(mut self) -> Map<String, Value> {
        let mut all = self.requests.take_definitions(true);
        let mut replies = self.replies.take_definitions(true);
        // What is one thing in requests and another in replies (where nothing is left to a default) has two names.
        let differs = |(name, schema): (&String, &Value)| {
            let other = all.get(name).is_some_and(|other| other != schema);
            other.then(|| name.clone())
        };
        for name in replies.iter().filter_map(differs).collect::<Vec<_>>() {
            if let Some(schema) = replies.remove(&name) {
                replies.insert(format!("{name}Response"), schema);
            }
            let old = format!("#/components/schemas/{name}");
            let new = format!("{old}Response");
            replies
                .values_mut()
                .for_each(|schema| redirect(schema, &old, &new));
        }
        all.extend(replies);
        all.values_mut().for_each(unlink);
        all
    }
}

/// Takes the links to code out of descriptions, which are the types' own documentation.
fn unlink(schema: &mut Value) {
    match schema {
        Value::Array(values) => values.iter_mut().for_each(unlink),
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(text) if name == "description" => {
                        *text = text.replace("[`", "`").replace("`]", "`");
                    }
                    value => unlink(value),
                }
            }
        }
        _ => {}
    }
}

/// Lets references to one schema lead to another.
fn redirect(schema: &mut Value, old: &str, new: &str) {
    match schema {
        Value::String(reference) if reference == old => new.clone_into(reference),
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| redirect(value, old, new)),
        Value::Object(object) => object
            .values_mut()
            .for_each(|value| redirect(value, old, new)),
        _ => {}
    }
}

/// The whole document.
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes::all() {
        let (path, parameters) = path(&route);
        let mut operation = admin::describe(route.endpoint, &mut schemas);
        if matches!(route.endpoint, Endpoint::Scim(_)) && parameters.first() != Some(&"tenant_id") {
            operation.id += "OfToken";
        }
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
                    "description": "A JWT with `iss`, `aud`, `sub`, `exp`, and a `scope` that is `admin` or the one named; with a `tenant_id` it is for that tenant alone",
                },
                SCIM_TOKEN: {
                    "type": "http", "scheme": "bearer",
                    "description": "A SCIM token with the scopes named",
                },
            },
        },
    })
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
