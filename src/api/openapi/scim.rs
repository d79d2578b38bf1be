//! What the SCIM routes are for.

use serde_json::{Value, json};

use super::examples;
use super::messages::{list_of, reference};
use super::operation::{Operation, media_type, query};
use super::resources::{sent, shown};
use super::schemas::Schemas;
use super::tags::SCIM;
use crate::api::http::reply::Dialect;
use crate::api::http::request::MAX_ASYNC_BODY_BYTES;
use crate::api::http::routes::Route;
use crate::api::scim::async_requests::{AsyncProgress, KEPT_DAYS, MAX_ASYNC_OPERATIONS};
use crate::api::scim::bulk::MAX_OPERATIONS;
use crate::api::scim::list_query::{DEFAULT_COUNT, MAX_COUNT};
use crate::scim::filter::MAX_LENGTH;
use crate::scim::schema::{ENTITLEMENTS, GROUPS, RESOURCE_TYPES, ROLES, ResourceType, USERS};

/// Any SCIM operation.
fn operation(route: &Route, summary: &str) -> Operation {
    Operation::new(route, SCIM, summary)
}

pub fn describe(route: &Route, schemas: &mut Schemas) -> Option<Operation> {
    Some(match route.name {
        "readServiceProviderConfig" => discovery(route,
            "What the service can do",
            "ServiceProviderConfig",
        ),
        "listResourceTypes" => of_tenant(discovery(route,
            "The resource types",
            &list_of("ResourceType"),
        )),
        "readResourceType" => of_tenant(discovery(route, "One resource type", "ResourceType"))
            .path("id", json!({"type": "string", "enum": [USERS.name, GROUPS.name]}))
            .fails(404),
        "listSchemas" => of_tenant(discovery(route, "The schemas", &list_of("Schema"))),
        "readSchema" => of_tenant(discovery(route, "One schema", "Schema"))
            .path(
                "id",
                json!({"type": "string", "description": "The schema's URN", "examples": [USERS.schema.id()]}),
            )
            .fails(404),
        "listAll" => list(route, &RESOURCE_TYPES),
        "listUsers" => list(route, &[&USERS]),
        "listGroups" => list(route, &[&GROUPS]),
        "searchAll" => search(route, &RESOURCE_TYPES),
        "searchUsers" => search(route, &[&USERS]),
        "searchGroups" => search(route, &[&GROUPS]),
        "readUser" => read(route, &USERS),
        "readGroup" => read(route, &GROUPS),
        "deleteUser" => delete(route, &USERS),
        "deleteGroup" => delete(route, &GROUPS),
        "createUser" => create(route, &USERS),
        "replaceUser" => replace(route, &USERS),
        "patchUser" => patch(route, &USERS),
        "createGroup" => create(route, &GROUPS),
        "replaceGroup" => replace(route, &GROUPS),
        "patchGroup" => patch(route, &GROUPS).reply(
            204,
            "The members that were to be added or removed are so; only for operations on members",
            Value::Null,
            &["ETag"],
        ),
        "bulk" => bulk(route),
        "readAsyncRequest" => async_request(route, schemas),
        "listRoles" => assignable(list(route, &[&ROLES])),
        "readRole" => assignable(read(route, &ROLES)),
        "listEntitlements" => assignable(list(route, &[&ENTITLEMENTS])),
        "readEntitlement" => assignable(read(route, &ENTITLEMENTS)),
        "readMe" => me(read(route, &USERS), "The user who asks"),
        "replaceMe" => me(replace(route, &USERS), "Replace the user who asks"),
        "patchMe" => me(patch(route, &USERS), "Change the user who asks"),
        "deleteMe" => me(delete(route, &USERS), "Delete the user who asks"),
        _ => return None,
    })
}

fn discovery(route: &Route, summary: &str, schema: &str) -> Operation {
    operation(route, summary)
        .describe("Needs no credential. A `filter` is refused (RFC 7644 §4).")
        .answers(
            200,
            summary,
            &reference(schema),
            &examples::discovery(schema),
        )
        .fails(403)
}

/// What shows a tenant's own schemas too.
fn of_tenant(operation: Operation) -> Operation {
    operation
        .describe("Needs no credential; with one of a tenant, the tenant's own schemas are shown too. A `filter` is refused (RFC 7644 §4).")
        .fails(503)
}

/// `plural` names what is listed.
fn kinds(types: &[&'static ResourceType]) -> (String, &'static str) {
    match types {
        [one] => (list_of(&shown(one)), one.endpoint.trim_start_matches('/')),
        _ => (list_of("Resource"), "All"),
    }
}

fn list(route: &Route, types: &[&'static ResourceType]) -> Operation {
    let (schema, plural) = kinds(types);
    let example = examples::list(types);
    operation(route, &format!("A page of {}", named(plural)))
        .describe(&format!(
            "RFC 7644 §3.4.2. By `startIndex`, or by `cursor` (RFC 9865): empty for the first page, then the last page's \
             `nextCursor`. A page has {DEFAULT_COUNT} resources by default and {MAX_COUNT} at most. Unknown parameters are ignored."
        ))
        .parameters([
            query("filter", "RFC 7644 §3.4.2.2", &json!({"type": "string", "maxLength": MAX_LENGTH, "examples": ["meta.created gt \"2026-01-01T00:00:00Z\""]})),
            query("startIndex", "From 1; what is less is taken for 1", &json!({"type": "integer"})),
            query("count", "What is less than 0 is taken for 0", &json!({"type": "integer"})),
            query("cursor", "RFC 9865 §2", &json!({"type": "string"})),
            query("sortBy", "An attribute, as in `name.familyName`", &json!({"type": "string"})),
            query("sortOrder", "RFC 7644 §3.4.2.3", &json!({"type": "string", "enum": ["ascending", "descending"]})),
        ])
        .parameters(projection())
        .answers(200, "A page", &reference(&schema), &example)
        .with_headers(200, &["X-Event-Seq"])
        .fails(400)
}

fn named(plural: &str) -> String {
    match plural {
        "All" => "users and groups".to_owned(),
        plural => plural.to_lowercase(),
    }
}

fn search(route: &Route, types: &[&'static ResourceType]) -> Operation {
    let (schema, plural) = kinds(types);
    operation(route, &format!("Search {}", named(plural)))
        .describe("RFC 7644 §3.4.3: like a list, with the parameters in the body, where a long filter has room and does not end in a log.")
        .body(true, reference("SearchRequest"), examples::search())
        .answers(200, "A page", &reference(&schema), &examples::list(types))
        .with_headers(200, &["X-Event-Seq"])
}

/// Which attributes a reply shows (RFC 7644 §3.4.2.5).
fn projection() -> [Value; 2] {
    ["attributes", "excludedAttributes"].map(|name| {
        let mut parameter = query(
            name,
            "Names of attributes between commas (RFC 7644 §3.4.2.5)",
            &json!({"type": "array", "items": {"type": "string"}}),
        );
        if let Some(parameter) = parameter.as_object_mut() {
            parameter.insert("style".to_owned(), "form".into());
            parameter.insert("explode".to_owned(), false.into());
        }
        parameter
    })
}

fn header(name: &str, description: &str) -> Value {
    json!({"name": name, "in": "header", "description": description, "schema": {"type": "string", "examples": ["W/\"1\""]}})
}

fn if_match() -> Value {
    header("If-Match", "Only if the resource is still at this version")
}

fn shows(operation: Operation, status: u16, resource_type: &'static ResourceType) -> Operation {
    let description = match status {
        201 => "It is made",
        _ => "The resource",
    };
    operation
        .answers(
            status,
            description,
            &reference(&shown(resource_type)),
            &examples::shown(resource_type),
        )
        .with_headers(status, &["ETag"])
        .fails(400)
}

fn create(route: &Route, resource_type: &'static ResourceType) -> Operation {
    let name = resource_type.name;
    let operation = operation(route,
        &format!("Create a {}", name.to_lowercase()),
    )
    .describe(match name == USERS.name {
        true => {
            "RFC 7644 §3.3. 409 where the `userName` is taken: where an inactive user has it, `detail` says how to switch them on again. \
             Any number of users may have one `externalId`."
        }
        false => {
            "RFC 7644 §3.3. 409 where the `displayName` is taken. Any number of groups may have one `externalId`."
        }
    })
    .parameters(projection())
    .body(
        true,
        reference(&sent(resource_type)),
        examples::sent(resource_type),
    )
    .fails(409);
    shows(operation, 201, resource_type).with_headers(201, &["Location"])
}

fn read(route: &Route, resource_type: &'static ResourceType) -> Operation {
    let name = resource_type.name;
    let operation = operation(route, &format!("One {}", name.to_lowercase()))
        .describe("RFC 7644 §3.4.1.")
        .parameters(projection())
        .parameters([header(
            "If-None-Match",
            "Only if the resource is at another version",
        )])
        .reply(
            304,
            "It is at the version that `If-None-Match` names",
            Value::Null,
            &["ETag", "X-Event-Seq"],
        );
    shows(operation, 200, resource_type).with_headers(200, &["X-Event-Seq"])
}

/// What a tenant says that there is.
fn assignable(operation: Operation) -> Operation {
    operation
        .describe("What the tenant's settings say that users can have (draft-ietf-scim-roles-entitlements); 404 where they say nothing.")
        .fails(404)
}

fn replace(route: &Route, resource_type: &'static ResourceType) -> Operation {
    let name = resource_type.name;
    let operation = operation(route, &format!("Replace a {}", name.to_lowercase()))
        .describe("RFC 7644 §3.5.1. What the body leaves out is unassigned.")
        .parameters(projection())
        .parameters([if_match()])
        .body(
            true,
            reference(&sent(resource_type)),
            examples::sent(resource_type),
        )
        .fails(409)
        .fails(412);
    shows(operation, 200, resource_type)
}

fn patch(route: &Route, resource_type: &'static ResourceType) -> Operation {
    let name = resource_type.name;
    let operation = operation(route, &format!("Change a {}", name.to_lowercase()))
        .describe("RFC 7644 §3.5.2. All operations hold, or none.")
        .parameters(projection())
        .parameters([if_match()])
        .body(
            true,
            reference("PatchRequest"),
            examples::patch(resource_type),
        )
        .fails(409)
        .fails(412);
    shows(operation, 200, resource_type)
}

fn delete(route: &Route, resource_type: &'static ResourceType) -> Operation {
    let name = resource_type.name;
    operation(route, &format!("Delete a {}", name.to_lowercase()))
        .describe("RFC 7644 §3.6. Its memberships end with it.")
        .parameters([if_match()])
        .reply(204, "It is gone", Value::Null, &[])
        .fails(409)
        .fails(412)
}

fn me(operation: Operation, summary: &str) -> Operation {
    [200, 204, 304]
        .into_iter()
        .fold(operation, |operation, status| {
            operation.with_headers(status, &["Location"])
        })
        .titled(summary)
        .without_tokens()
        .describe("RFC 7644 §3.11: the user whose id is the `sub` of a JWT. A SCIM token is nobody's own: 501.")
        .fails(501)
}

fn bulk(route: &Route) -> Operation {
    let content = json!({media_type(Dialect::Scim): {"schema": reference("BulkResponse"), "example": examples::bulk_response()}});
    operation(route, "Many operations at once")
        .describe(
            &format!("RFC 7644 §3.7. Each operation succeeds or fails by itself, and its answer says which. {MAX_OPERATIONS} operations at most; with \
             `Prefer: respond-async` {MAX_ASYNC_OPERATIONS}, in a body of {MAX_ASYNC_BODY_BYTES} bytes. Those that are too many for one batch may be \
             carried out after others that they refer to."),
        )
        .body(true, reference("BulkRequest"), examples::bulk_request())
        .reply(200, "What became of each operation", content, &[])
        .fails(409)
}

fn async_request(route: &Route, schemas: &mut Schemas) -> Operation {
    let kinds = json!({"anyOf": [reference("BulkResponse"), reference("BulkResponseOperation")]});
    let progress = schemas.reply::<AsyncProgress>();
    let content = json!({media_type(Dialect::Scim): {"schema": progress, "example": examples::async_progress()}});
    operation(route, "What came of a request that was answered before it was carried out")
        .describe(&format!(
            "RFC 9967 §2.5.1. `txn` is the request's `Set-Txn`. Of a Bulk request it is the Bulk response, of another request what that would \
             be an operation's of. It is kept for {KEPT_DAYS} days. Takes `users:read` or `groups:read`."
        ))
        .answers(200, "It is over", &kinds, &examples::bulk_response())
        .reply(202, "It is not over", content, &["Retry-After"])
}
