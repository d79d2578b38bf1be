//! What the routes are for that tell a product of changes.

use serde_json::{Value, json};

use super::examples;
use super::operation::{Operation, query};
use super::schemas::Schemas;
use super::tags::EVENTS;
use crate::api::admin::events::{DEFAULT_LIMIT, EventPage, MAX_LIMIT, MAX_SEQ, MAX_WAIT};
use crate::api::http::routes::Route;
use crate::events::EventType;
use crate::scim::schema::USERS;

fn event() -> Value {
    let mut data = examples::shown(&USERS);
    if let Some(data) = data.as_object_mut() {
        data.retain(|name, _| name != "meta" && name != "groups");
    }
    json!({
        "seq": 42, "id": "example.42.user.created", "type": "user.created", "tenant_id": examples::TENANT,
        "at": "2026-11-20T19:48:51.819Z", "actor": "scim-token:01a1fa81-2c3c-72ea-ac77-06c1191c8fad",
        "request_id": "01a1fa81-2beb-7527-84ae-1e76ffcebd7a",
        "resource": {"type": "User", "id": examples::USER, "version": "W/\"1\""},
        "data": data, "data_state": "version", "previous": null, "attributes": ["userName", "name", "emails"],
    })
}

/// The operation of a route that tells of changes.
pub fn describe(route: &Route, schemas: &mut Schemas) -> Option<Operation> {
    Some(match route.name {
        "listEvents" => {
            let names: Vec<&str> = EventType::ALL.iter().map(|known| known.name()).collect();
            let types = format!(
                "Types between commas: {}; `user.*`, `group.*` and `*` too. All where it is left out",
                names.join(", ")
            );
            let number = |least: i64, most: i64, default: i64| json!({"type": "integer", "minimum": least, "maximum": most, "default": default});
            let example = json!({
                "data": [event()], "pagination": {"next": 42, "has_more": false, "limit": DEFAULT_LIMIT}, "meta": examples::meta(),
            });
            Operation::new(route, EVENTS, "Every change since a number, in order")
                .describe("Complete, and each once: the numbers are those of the audit trail. To begin with, list the users and groups, and take the number in `X-Event-Seq` of the first reply; from then on ask for what comes after `pagination.next`. All events of one change, which have one number, are on one page. 410 where events after the number are kept no longer (the tenant's `audit_days`).")
                .parameters([
                    query("after", "The number of the last change that is known", &number(0, MAX_SEQ, 0)),
                    query("limit", "How many changes a page has at most", &number(1, MAX_LIMIT, DEFAULT_LIMIT)),
                    query("types", &types, &json!({"type": "string", "examples": ["user.*,group.updated"]})),
                    query("wait", "Where there is nothing yet, for how many seconds the reply waits", &number(0, MAX_WAIT, 0)),
                ])
                .answers(200, "A page of events", &schemas.reply::<EventPage>(), &example)
                .fails(404)
                .fails(410)
                .fails(422)
        }
        _ => return None,
    })
}
