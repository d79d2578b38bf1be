//! What the routes are for that tell a product of changes.

use serde_json::{Value, json};

use super::envelopes::{lists, shows};
use super::examples;
use super::operation::{Operation, query};
use super::schemas::Schemas;
use super::tags::EVENTS;
use crate::api::admin::event_polls::{DEFAULT_TOKENS, PollReply, PollRequest};
use crate::api::admin::event_stream_types::{
    DeliveryResponse, EventStreamCreate, EventStreamReplay, EventStreamResponse, EventStreamRotate,
    EventStreamUpdate, NewEventStreamResponse, TestResponse,
};
use crate::api::admin::events::{DEFAULT_LIMIT, EventPage, MAX_LIMIT, MAX_SEQ, MAX_WAIT};
use crate::api::http::routes::Route;
use crate::api::http::stretch::{self, Listed};
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

fn stream() -> Value {
    json!({
        "id": "01a1fa81-2c3c-72ea-ac77-06c1191c8fad", "tenant_id": examples::TENANT, "name": "product", "kind": "webhook",
        "url": "https://product.example.com/webhooks/rollcall", "types": ["user.*", "group.*"], "batch": 1, "is_active": true,
        "state": "active", "after": 42, "behind": 0, "failures": 0, "failing_since": null, "next_try_at": null,
        "delivered_at": "2026-11-20T19:48:51.819Z", "paused_at": null, "paused_reason": null, "audience": null, "payload": null,
        "issuer": null, "jwks_uri": null, "poll_url": null, "has_authorization": false,
        "created_at": "2026-11-20T19:48:51.819Z", "created_by": "root", "updated_at": "2026-11-20T19:48:51.819Z",
    })
}

fn new_stream() -> Value {
    let mut stream = stream();
    if let Some(stream) = stream.as_object_mut() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
        stream.insert("secret".to_owned(), secret.into());
    }
    stream
}

fn delivery() -> Value {
    json!({
        "id": "01a1fa81-2c3c-72ea-ac77-06c1191c8fad", "message_id": "example.42.user.created", "first_seq": 42, "last_seq": 42,
        "events": 1, "attempt": 1, "status": 200, "reason": null, "duration_ms": 12, "reply": "ok", "at": "2026-11-20T19:48:51.819Z",
    })
}

/// An operation that answers with a stream.
fn one(route: &Route, schemas: &mut Schemas, summary: &str, description: &str) -> Operation {
    let operation = Operation::new(route, EVENTS, summary).describe(description);
    let operation = operation.fails(404);
    shows::<EventStreamResponse>(operation, 200, "The stream", schemas, &stream())
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
        "listEventStreams" => lists::<EventStreamResponse>(
            Operation::new(route, EVENTS, "A page of a tenant's event streams")
                .describe("Who is sent the tenant's events, and how far each is.")
                .fails(404),
            schemas,
            &stream(),
        ),
        "createEventStream" => shows::<NewEventStreamResponse>(
            Operation::new(route, EVENTS, "Have events sent")
                .describe("Webhooks, signed as Standard Webhooks 1.0 says: in order, at least once, with the same `webhook-id` over all tries. What is not answered by a 2xx within 15 seconds is tried again for three days, after 5 s, 30 s, 2 min, 10 min, 30 min, 1 h and then every 2 h; a longer `Retry-After` in seconds is honoured. 410 pauses the stream at once. Redirects are not followed. `secret` is shown this once. A body is one event as the feed has it, with `after` and `through`: the receiver has everything up to `through` then. Where `batch` is more than 1 it is `{type: events, tenant_id, after, through, events}`. With `kind` `set_push` or `set_poll` users and groups are told of by security event tokens as RFC 9967 has them (one each, ES256, keys at `/.well-known/jwks.json`): sent as RFC 8935 says, where 202 alone is success, or fetched as RFC 8936 says. 409 where the tenant has 100 already.")
                .body(true, schemas.request::<EventStreamCreate>(), json!({
                    "name": "product", "url": "https://product.example.com/webhooks/rollcall", "types": ["user.*", "group.*"],
                }))
                .fails(404)
                .fails(409)
                .fails(410),
            201,
            "The stream, with its secret",
            schemas,
            &new_stream(),
        ),
        "readEventStream" => one(route, schemas, "One event stream", "How far it is, and whether it waits or is paused."),
        "updateEventStream" => one(route, schemas, "Change an event stream", "What is left out stays as it is.")
            .body(true, schemas.request::<EventStreamUpdate>(), json!({"batch": 100})),
        "deleteEventStream" => Operation::new(route, EVENTS, "Delete an event stream")
            .describe("Nothing more is sent to it.")
            .reply(204, "It is gone", Value::Null, &[])
            .fails(404),
        "rotateEventStreamSecret" => shows::<NewEventStreamResponse>(
            Operation::new(route, EVENTS, "Give an event stream a new secret")
                .describe("Deliveries carry signatures by both until `overlap_seconds` are over: a day where it is left out, seven at most. 409 where its deliveries are security event tokens.")
                .body(false, schemas.request::<EventStreamRotate>(), json!({"overlap_seconds": 3_600}))
                .fails(404)
                .fails(409)
                .fails(422),
            200,
            "The stream, with its new secret",
            schemas,
            &new_stream(),
        ),
        "testEventStream" => shows::<TestResponse>(
            Operation::new(route, EVENTS, "Send the receiver a test")
                .describe("A signed body `{type: test, id, tenant_id}`, at once, whatever the stream is at; to `set_push` a token with the event `verification` of the Shared Signals Framework. 409 for `set_poll`.")
                .fails(404)
                .fails(409),
            200,
            "What came of it",
            schemas,
            &json!({"ok": false, "status": 500, "reason": "the answer is 500", "reply": "…", "duration_ms": 12}),
        ),
        "replayEventStream" => one(route, schemas, "Send everything after a number again", "Also from before what was delivered; a paused stream goes on. 410 where that is kept no longer.")
            .body(true, schemas.request::<EventStreamReplay>(), json!({"after": 0}))
            .fails(410),
        "resumeEventStream" => one(route, schemas, "Let an event stream go on", "One that is paused, or waits for its next try, is tried at once."),
        "pollEventStream" => Operation::new(route, EVENTS, "Fetch security event tokens")
            .describe("As RFC 8936 says, from a stream of the kind `set_poll`. What is not acknowledged is given again; it may be acknowledged in any order. Tokens are given of the first 1,000 changes after the last one up to which all is acknowledged. Where there is nothing the reply waits for up to 25 seconds, unless `returnImmediately` is true or `maxEvents` is 0. 409 where the stream is off or of another kind; 410 where what comes next is kept no longer: list all anew, then replay from there.")
            .body(false, schemas.request::<PollRequest>(), json!({
                "ack": ["example.41.user.created"], "maxEvents": DEFAULT_TOKENS, "returnImmediately": true,
                "setErrs": {"example.40.user.created": {"err": "invalid_key", "description": "the key is not known"}},
            }))
            .answers(200, "Tokens by their `jti`", &schemas.reply::<PollReply>(), &json!({
                "sets": {"example.42.user.created": "eyJ0eXAiOiJzZWNldmVudCtqd3QiLCJhbGciOiJFUzI1NiJ9.…"}, "moreAvailable": false,
            }))
            .fails(404)
            .fails(409)
            .fails(410)
            .fails(422),
        "listDeliveries" => {
            let schema = schemas.reply::<Listed<DeliveryResponse>>();
            let limit = json!({"type": "integer", "minimum": 1, "maximum": stretch::MAX_LIMIT, "default": stretch::DEFAULT_LIMIT});
            Operation::new(route, EVENTS, "What came of deliveries, the latest first")
                .describe("Each try: the status, the time it took, and how the reply begins. Kept for 30 days.")
                .parameters([
                    query("after", "`pagination.next` of the page before it", &json!({"type": "string"})),
                    query("limit", "How many a page has at most", &limit),
                ])
                .answers(200, "A page", &schema, &examples::listed(&delivery()))
                .fails(404)
                .fails(422)
        }
        _ => return None,
    })
}
