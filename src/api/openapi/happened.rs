//! What the routes are for that tell what happened: the audit trail.

use serde_json::{Value, json};

use super::envelopes::{paging, shows, tenant_id};
use super::examples;
use super::operation::{Operation, query};
use super::schemas::Schemas;
use super::tags::HAPPENED;
use crate::api::admin::activity::ActivityResponse;
use crate::api::admin::audit_events::AuditEventResponse;
use crate::api::admin::erasures::{ErasureRequest, ErasureResponse};
use crate::api::admin::replay::{ReplayRequest, ReplayResponse};
use crate::api::admin::requests::{RequestDetail, RequestResponse};
use crate::api::admin::resources_history::ResourceHistory;
use crate::api::admin::status::StatusResponse;
use crate::api::admin::undo::{UndoRequest, UndoResponse};
use crate::api::http::envelope::Single;
use crate::api::http::routes::Route;
use crate::api::http::stretch::{DEFAULT_LIMIT, Listed, MAX_LIMIT, OneListed};
use crate::scim::schema::{ENTERPRISE, USERS};
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
            tenant_id(false, OF_TENANT),
            time("since", "From this time on"),
            time("until", "Before this time"),
            text("after", "`pagination.next` of the page before it"),
            query("limit", "How many a page has at most", &limit),
        ])
        .answers(200, "A page", &schema, &examples::listed(example))
        .fails(404)
        .fails(422)
}

const OF_TENANT: &str = "The tenant; an administrator of one tenant may leave it out";

fn request() -> Value {
    json!({
        "id": "01a1fa81-2beb-7527-84ae-1e76ffcebd7a", "at": "2026-11-20T19:48:51.819Z",
        "actor": "scim-token:01a1fa81-2c3c-72ea-ac77-06c1191c8fad", "method": "POST",
        "route": "/api/v1/tenants/:tenant_id/scim/v2/Users", "path": "/api/v1/tenants/example/scim/v2/Users",
        "resource": {"type": "User", "id": "01a1fa81-2c91-7f90-9f26-4fa48cc17938"}, "status": 201, "failed": false,
        "scim_type": null, "detail": null, "user_name": "ada@example.com", "forgiven": [], "duration_ms": 12,
        "cost": {"trips": 1, "rows_read": null, "rows_written": null},
    })
}

fn detail() -> Value {
    let mut detail = request();
    if let Some(detail) = detail.as_object_mut() {
        let change = json!({
            "seq": 42, "action": "create", "attributes": ["userName", "active"], "before": null,
            "after": {
                "schemas": [USERS.schema.id(), ENTERPRISE.id()], "userName": "ada@example.com", "active": true,
                "name": {"familyName": "Lovelace", "givenName": "Ada"},
                "emails": [{"value": "ada@example.com", "type": "work", "primary": true}],
                ENTERPRISE.id(): {"department": "Analysis"},
            },
            "detail": {"active": true},
            "resource": {"type": "User", "id": "01a1fa81-2c91-7f90-9f26-4fa48cc17938"},
        });
        detail.insert("tolerances".to_owned(), json!([]));
        detail.insert("body_state".to_owned(), "whole".into());
        detail.insert(
            "body".to_owned(),
            "{\"userName\":\"ada@example.com\"}".into(),
        );
        detail.insert("changes".to_owned(), json!([change]));
    }
    detail
}

fn audit_event() -> Value {
    json!({
        "seq": 42, "at": "2026-11-20T19:48:51.819Z", "actor": "scim-token:01a1fa81-2c3c-72ea-ac77-06c1191c8fad",
        "action": "patch", "resource_type": "User", "resource_id": "01a1fa81-2c91-7f90-9f26-4fa48cc17938",
        "attributes": ["active"], "detail": {"active": false}, "request_id": "01a1fa81-2beb-7527-84ae-1e76ffcebd7a",
    })
}

fn resource_history() -> Value {
    let version = json!({
        "seq": 42, "at": "2026-11-20T19:48:51.819Z", "actor": "scim-token:01a1fa81-2c3c-72ea-ac77-06c1191c8fad",
        "action": "patch", "request_id": "01a1fa81-2beb-7527-84ae-1e76ffcebd7a", "version_before": 3,
        "differences": [{"attribute": "active", "before": true, "after": false}], "members": null,
    });
    let mut listed = examples::listed(&version);
    if let Some(data) = listed.get_mut("data") {
        *data = json!({
            "resource_type": "User", "resource_id": "01a1fa81-2c91-7f90-9f26-4fa48cc17938", "state": "active", "versions": [version],
        });
    }
    listed
}

fn undone(progress: &Value) -> Value {
    examples::single(&json!({
        "dry_run": true, "progress": progress,
        "undone": [{
            "resource_type": "User", "resource_id": "01a1fa81-2c91-7f90-9f26-4fa48cc17938", "step": "delete",
            "attributes": [], "members_added": 0, "members_removed": 0,
        }],
        "undone_total": 1, "conflicts": [], "conflicts_total": 0, "unchanged_total": 0,
    }))
}

fn progress() -> Value {
    json!({
        "id": "01a1fa81-2beb-7527-84ae-1e76ffcebd7a", "status": "running", "parts": 25, "parts_done": 1,
        "started_at": "2026-11-20T19:48:51.819Z", "finished_at": null,
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
        "readResourceHistory" => {
            let schema = schemas.reply::<OneListed<ResourceHistory>>();
            let limit = json!({"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT});
            Operation::new(route, HAPPENED, "A resource's versions, the latest first")
                .describe("Who changed it, when, in which request, and what differed, as long as the tenant's `history_days` say; and where it is now. Those who came into a group or left it because somebody was deleted stand in the history of that one.")
                .path("type", json!({"enum": ["User", "Group", "Users", "Groups"], "examples": ["User"]}))
                .parameters([
                    tenant_id(
                        false,
                        "The tenant; an administrator of one tenant may leave it out",
                    ),
                    text("after", "`pagination.next` of the page before it"),
                    query("limit", "How many a page has at most", &limit),
                ])
                .answers(200, "A page of its versions", &schema, &resource_history())
                .fails(404)
                .fails(422)
        }
        "undoChanges" => {
            let schema = schemas.reply::<Single<UndoResponse>>();
            Operation::new(route, HAPPENED, "Take back what requests did")
                .describe("Users and groups become what they were before the first of the changes that are named: what was made is deleted, what was deleted comes back under its old id with its memberships, what was changed becomes what it was. What somebody else has changed since is a conflict, and is left. An undo is a change like any other: recorded, with its own request id, and it can be taken back. Passwords do not come back. More than 5,000 changes go by messages: 202, and `GET undo/{undo_id}` says how far it is, by `progress.id`. 413 for more than 100,000.")
                .body(true, schemas.request::<UndoRequest>(), json!({
                    "tenant_id": examples::TENANT, "resource": {"type": "User", "id": "01a1fa81-2c91-7f90-9f26-4fa48cc17938"}, "dry_run": true,
                }))
                .answers(200, "What was done, or would be", &schema, &undone(&Value::Null))
                .answers(202, "It goes by messages", &schema, &undone(&progress()))
                .fails(404)
                .fails(413)
        }
        "readUndo" => shows::<UndoResponse>(
            Operation::new(route, HAPPENED, "How far a large undo is")
                .describe("One that goes by messages, by the id of the request that asked for it; for 30 days. What it has done so far stays, and can be taken back by that id.")
                .parameters([tenant_id(false, OF_TENANT)])
                .fails(404)
                .fails(422),
            200,
            "What was done so far",
            schemas,
            undone(&progress()).get("data").unwrap_or(&Value::Null),
        ),
        "listRequests" => lists::<RequestResponse>(
            Operation::new(route, HAPPENED, "A page of the journal, the latest request first")
                .describe("Requests that changed something or were refused, and look-ups of a user name that found nobody. `status=failed`, a status or class above 399, `resource_id`, `request_id` and `user_name` are found by an index; other filters look through a thousand requests a page, so that a page may be short, or empty, and still have a next one. The rows of a change are written with it; of what is refused, 600 a minute are kept.")
                .parameters([
                    query("status", "A status as in `409`, a class as in `4xx`, or `failed`: whatever was refused, operations of Bulk requests too", &json!({"type": "string", "pattern": "^([2-5]([0-9]{2}|xx)|failed)$"})),
                    text("actor", "Who sent it: `scim-token:` and a token's id, `jwt:` and a subject"),
                    text("method", "`POST`, `PUT`, `PATCH`, `DELETE`, `GET`"),
                    text("resource_id", "What was about this resource"),
                    text("request_id", "This one: its `X-Request-Id`"),
                    text("user_name", "What was about the person with that user name, in any case: refused creates and look-ups that found nobody too"),
                ]),
            schemas,
            &request(),
        ),
        "readRequest" => shows::<RequestDetail>(
            Operation::new(route, HAPPENED, "One request, and what it changed")
                .describe("With its body, without secrets, and what the `compat` profile forgave.")
                .parameters([tenant_id(false, OF_TENANT)])
                .fails(404)
                .fails(422),
            200,
            "The request",
            schemas,
            &detail(),
        ),
        "erase" => {
            let erased = |complete: bool| examples::single(&json!({
                "resource_type": "User", "resource_id": examples::USER, "deleted": true, "complete": complete,
                "removed": {"requests": 2, "revisions": 2, "tombstones": 1, "sync_entries": 0, "directory_entries": 0},
            }));
            let schema = schemas.reply::<Single<ErasureResponse>>();
            Operation::new(route, HAPPENED, "Erase a person, or a group")
                .describe("It is deleted, with all that is recorded of it: what it was before each change, its tombstone, the bodies of requests that name it (of a Bulk request the whole body), its user names and queries for them in the journal, its names in the logs of directory syncs. The audit trail keeps its id alone, and says that it was erased. It can not be taken back. Sent again it does what is left to do, and nothing where that is nothing. A directory that still has the entry makes a new user of it with the next sync; 409 while a sync is under way.")
                .body(true, schemas.request::<ErasureRequest>(), json!({
                    "tenant_id": examples::TENANT, "resource_type": "User", "resource_id": examples::USER,
                }))
                .answers(200, "What was removed", &schema, &erased(true))
                .answers(202, "What was removed so far: the journal is long, and the rest goes within minutes", &schema, &erased(false))
                .fails(404)
                .fails(409)
        }
        "replayRequest" => shows::<ReplayResponse>(
            Operation::new(route, HAPPENED, "Send a recorded request again")
                .describe("A SCIM request of the journal that writes is sent again as it was, against what is there now, in the profile that the tenant has now, by the administrator: the audit trail names them, and this request's id. Unless `dry_run` is `false` it is only told what it would be answered, and nothing is written. What it is refused is an answer too, with its status. It comes without the headers of the recorded one: `If-Match`, `Prefer`. 409 where it cannot be sent again: it does not write by SCIM, or its body was not kept whole, because it was longer than 16 KB, has secrets, is no JSON, or the tenant keeps none.")
                .body(true, schemas.request::<ReplayRequest>(), json!({"tenant_id": examples::TENANT, "dry_run": true}))
                .fails(404)
                .fails(409),
            200,
            "What it was answered, or would be",
            schemas,
            &json!({
                "dry_run": true, "request_id": "01a1fa81-2beb-7527-84ae-1e76ffcebd7a", "method": "POST",
                "path": "/api/v1/tenants/example/scim/v2/Users", "status": 409, "location": null,
                "body": {
                    "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "409", "scimType": "uniqueness",
                    "detail": "userName has to be unique",
                },
            }),
        ),
        "readStatus" => shows::<StatusResponse>(
            Operation::new(route, HAPPENED, "What needs a person")
                .describe("Tokens that expire in 30 days, have expired or were not used for 7; requests that were refused in the last day, by credential; syncs that were stopped or fail. Each line says what it means and what to do. Nothing where all is well. An administrator of all tenants who names none is told of a page of them, in the order of their list, and `tenants` says which; `databases` has those that need a person.")
                .parameters([
                    tenant_id(false, "Of this tenant alone; an administrator of one tenant may leave it out"),
                ])
                .parameters(paging())
                .fails(404)
                .fails(422),
            200,
            "What needs a person",
            schemas,
            &json!({"lines": []}),
        ),
        "readActivity" => shows::<ActivityResponse>(
            Operation::new(route, HAPPENED, "How much went on in the last day")
                .describe("Of each of the last 24 hours, the one under way among them: the requests that the journal has, those that were refused, and the changes of users and groups. Of the latest 10,000 requests and the latest 10,000 changes.")
                .parameters([tenant_id(false, OF_TENANT)])
                .fails(404)
                .fails(422),
            200,
            "The hours",
            schemas,
            &json!({
                "hours": [{"at": "2026-11-20T19:00:00.000Z", "requests": 41, "refused": 2, "changes": 57}],
                "counted_since": null,
            }),
        ),
        _ => return None,
    })
}
