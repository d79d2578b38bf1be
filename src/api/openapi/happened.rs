//! What the routes are for that tell what happened: the audit trail.

use serde_json::{Value, json};

use super::envelopes::tenant_id;
use super::examples;
use super::operation::{Operation, query};
use super::schemas::Schemas;
use super::tags::HAPPENED;
use crate::api::admin::audit_events::AuditEventResponse;
use crate::api::http::routes::Route;
use crate::api::http::stretch::{DEFAULT_LIMIT, Listed, MAX_LIMIT};
use schemars::JsonSchema;

fn text(name: &str, description: &str) -> Value {
    query(name, description, &json!({"type": "string"}))
}

fn time(name: &str, description: &str) -> Value {
    query(
        name,
        description,
        &json!({"type": "string", "format": "date-time"}),
    )
}

/// A reply of a page of `T`s, the latest first, of one tenant.
fn lists<T: JsonSchema>(operation: Operation, schemas: &mut Schemas, example: &Value) -> Operation {
    let schema = schemas.reply::<Listed<T>>();
    let limit =
        json!({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT});
    operation
        .parameters([
            tenant_id(
                false,
                "The tenant; an administrator of one tenant may leave it out",
            ),
            time("since", "From this time on"),
            time("until", "Before this time"),
            text("after", "`pagination.next` of the page before it"),
            query("limit", "How many a page has at most", &limit),
        ])
        .answers(200, "A page", &schema, &examples::listed(example))
        .fails(404)
        .fails(422)
}

fn audit_event() -> Value {
    json!({
        "seq": 42, "at": "2026-11-20T19:48:51.819Z", "actor": "scim-token:01a1fa81-2c3c-72ea-ac77-06c1191c8fad",
        "action": "patch", "resource_type": "User", "resource_id": "01a1fa81-2c91-7f90-9f26-4fa48cc17938",
        "attributes": ["active"], "detail": {"active": false}, "request_id": "01a1fa81-2beb-7527-84ae-1e76ffcebd7a",
    })
}

/// The operation of a route that tells what happened.
pub fn describe(route: &Route, schemas: &mut Schemas) -> Option<Operation> {
    Some(match route.name {
        "listAuditEvents" => lists::<AuditEventResponse>(
            Operation::new(route, HAPPENED, "A page of the audit trail, the latest event first")
                .describe("Every change of a tenant, who made it and which attributes it was about, without their values. What is filtered by `resource_id`, by an `actor` that is a person (`jwt:…`) or by a `resource_type` other than `User` and `Group` is found by an index; other filters look through a thousand events a page, so that a page may be short, or empty, and still have a next one.")
                .parameters([
                    text("resource_type", "`User`, `Group`, `ScimToken`, `IdentityProvider`, `GroupMapping`, `Tenant`"),
                    text("resource_id", "What happened to this one"),
                    text("actor", "What this one did: `scim-token:` and a token's id, `jwt:` and a subject"),
                    text("action", "`create`, `replace`, `patch`, `delete`, `rotate`, `revoke`"),
                    text("request_id", "What this request did"),
                ]),
            schemas,
            &audit_event(),
        ),
        _ => return None,
    })
}
