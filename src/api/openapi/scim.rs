//! What the SCIM routes are for.

use serde_json::{Value, json};

use super::messages::{list_of, reference};
use super::operation::{Operation, media_type, query};
use super::resources::{sent, shown};
use super::{SCIM, examples};
use crate::api::http::reply::Dialect;
use crate::api::http::routes::ScimEndpoint;
use crate::api::scim::list_query::{DEFAULT_COUNT, MAX_COUNT};
use crate::auth::admin::AdminScope::{ScimRead, ScimWrite};
use crate::auth::scope::Scope;
use crate::scim::filter::MAX_LENGTH;
use crate::scim::schema::{GROUPS, ResourceType, USERS};

const READ: &[Scope] = &[Scope::UsersRead, Scope::GroupsRead];

/// The scope of a token that reads, and the one that writes, a resource type.
fn scopes(resource_type: &ResourceType) -> (&'static [Scope], &'static [Scope]) {
    match resource_type.name == GROUPS.name {
        true => (&[Scope::GroupsRead], &[Scope::GroupsWrite]),
        false => (&[Scope::UsersRead], &[Scope::UsersWrite]),
    }
}

/// Any SCIM operation.
fn operation(id: &str, summary: &str) -> Operation {
    Operation::new(Dialect::Scim, SCIM, id, summary)
}

pub fn describe(endpoint: ScimEndpoint) -> Operation {
    use ScimEndpoint as E;
    match endpoint {
        E::ServiceProviderConfig => discovery(
            "readServiceProviderConfig",
            "What the service can do",
            "ServiceProviderConfig",
        ),
        E::ResourceTypes => discovery(
            "listResourceTypes",
            "The resource types",
            &list_of("ResourceType"),
        ),
        E::ResourceType => discovery("readResourceType", "One resource type", "ResourceType")
            .path("id", json!({"type": "string", "enum": [USERS.name, GROUPS.name]}))
            .fails(404),
        E::Schemas => discovery("listSchemas", "The schemas", &list_of("Schema")),
        E::Schema => discovery("readSchema", "One schema", "Schema")
            .path(
                "id",
                json!({"type": "string", "description": "The schema's URN", "examples": [USERS.schema.id]}),
            )
            .fails(404),
        E::List(types) => list(types),
        E::Search(types) => search(types),
        E::Read(resource_type) => read(resource_type),
        E::Delete(resource_type) => delete(resource_type),
        E::CreateUser => create(&USERS),
        E::ReplaceUser => replace(&USERS),
        E::PatchUser => patch(&USERS),
        E::CreateGroup => create(&GROUPS),
        E::ReplaceGroup => replace(&GROUPS),
        E::PatchGroup => patch(&GROUPS).reply(
            204,
            "The members that were to be added or removed are so; only for operations on members",
            Value::Null,
            &["ETag"],
        ),
        E::Bulk => bulk(),
        E::ReadMe => me(read(&USERS), "readMe", "The user who asks"),
        E::ReplaceMe => me(replace(&USERS), "replaceMe", "Replace the user who asks"),
        E::PatchMe => me(patch(&USERS), "patchMe", "Change the user who asks"),
        E::DeleteMe => me(delete(&USERS), "deleteMe", "Delete the user who asks"),
    }
}

fn discovery(id: &str, summary: &str, schema: &str) -> Operation {
    operation(id, summary)
        .describe("Needs no credential. A `filter` is refused (RFC 7644 §4).")
        .answers(
            200,
            summary,
            &reference(schema),
            &examples::discovery(schema),
        )
        .fails(403)
}

/// `plural` names what is listed.
fn kinds(types: &[&'static ResourceType]) -> (String, &'static str, &'static [Scope]) {
    match types {
        [one] => (
            list_of(&shown(one)),
            one.endpoint.trim_start_matches('/'),
            scopes(one).0,
        ),
        _ => (list_of("Resource"), "All", READ),
    }
}

fn list(types: &[&'static ResourceType]) -> Operation {
    let (schema, plural, scopes) = kinds(types);
    let example = examples::list(types);
    operation(&format!("list{plural}"), &format!("A page of {}", named(plural)))
        .describe(&format!(
            "RFC 7644 §3.4.2. By `startIndex`, or by `cursor` (RFC 9865): empty for the first page, then the last page's \
             `nextCursor`. A page has {DEFAULT_COUNT} resources by default and {MAX_COUNT} at most. Unknown parameters are ignored."
        ))
        .client(scopes, ScimRead)
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
        .fails(400)
}

fn named(plural: &str) -> String {
    match plural {
        "All" => "users and groups".to_owned(),
        plural => plural.to_lowercase(),
    }
}

fn search(types: &[&'static ResourceType]) -> Operation {
    let (schema, plural, scopes) = kinds(types);
    operation(&format!("search{plural}"), &format!("Search {}", named(plural)))
        .describe("RFC 7644 §3.4.3: like a list, with the parameters in the body, where a long filter has room and does not end in a log.")
        .client(scopes, ScimRead)
        .body(true, reference("SearchRequest"), examples::search())
        .answers(200, "A page", &reference(&schema), &examples::list(types))
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

fn create(resource_type: &'static ResourceType) -> Operation {
    let name = resource_type.name;
    let operation = operation(
        &format!("create{name}"),
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
    .client(scopes(resource_type).1, ScimWrite)
    .parameters(projection())
    .body(
        true,
        reference(&sent(resource_type)),
        examples::sent(resource_type),
    )
    .fails(409);
    shows(operation, 201, resource_type).with_headers(201, &["Location"])
}

fn read(resource_type: &'static ResourceType) -> Operation {
    let name = resource_type.name;
    let operation = operation(
        &format!("read{name}"),
        &format!("One {}", name.to_lowercase()),
    )
    .describe("RFC 7644 §3.4.1.")
    .client(scopes(resource_type).0, ScimRead)
    .parameters(projection())
    .parameters([header(
        "If-None-Match",
        "Only if the resource is at another version",
    )])
    .reply(
        304,
        "It is at the version that `If-None-Match` names",
        Value::Null,
        &["ETag"],
    );
    shows(operation, 200, resource_type)
}

fn replace(resource_type: &'static ResourceType) -> Operation {
    let name = resource_type.name;
    let operation = operation(
        &format!("replace{name}"),
        &format!("Replace a {}", name.to_lowercase()),
    )
    .describe("RFC 7644 §3.5.1. What the body leaves out is unassigned.")
    .client(scopes(resource_type).1, ScimWrite)
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

fn patch(resource_type: &'static ResourceType) -> Operation {
    let name = resource_type.name;
    let operation = operation(
        &format!("patch{name}"),
        &format!("Change a {}", name.to_lowercase()),
    )
    .describe("RFC 7644 §3.5.2. All operations hold, or none.")
    .client(scopes(resource_type).1, ScimWrite)
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

fn delete(resource_type: &'static ResourceType) -> Operation {
    let name = resource_type.name;
    operation(
        &format!("delete{name}"),
        &format!("Delete a {}", name.to_lowercase()),
    )
    .describe("RFC 7644 §3.6. Its memberships end with it.")
    .client(scopes(resource_type).1, ScimWrite)
    .parameters([if_match()])
    .reply(204, "It is gone", Value::Null, &[])
    .fails(409)
    .fails(412)
}

fn me(mut operation: Operation, id: &str, summary: &str) -> Operation {
    operation.id = id.to_owned();
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

fn bulk() -> Operation {
    let content = json!({media_type(Dialect::Scim): {"schema": reference("BulkResponse"), "example": examples::bulk_response()}});
    operation("bulk", "Many operations at once")
        .describe(
            "RFC 7644 §3.7. Each operation succeeds or fails by itself, and its answer says which.",
        )
        .client(&[Scope::Bulk], ScimWrite)
        .body(true, reference("BulkRequest"), examples::bulk_request())
        .reply(200, "What became of each operation", content, &[])
        .fails(409)
}
