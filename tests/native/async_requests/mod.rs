//! `Prefer: respond-async` (RFC 9967 §2.5.1): requests that are answered before they are carried out.

mod bulk;
mod kinds;
mod refused;
mod troubles;

use serde_json::{Value, json};

use crate::support::{Answer, Tenant, World};

pub const LATER: &[(&str, &str)] = &[("prefer", "respond-async")];

/// Sends a request that is to be answered first.
fn later(tenant: &Tenant<'_>, method: &str, path: &str, body: Value) -> Answer {
    tenant.send_with(method, path, LATER, body)
}

/// The `Set-Txn` of a request that was accepted, whose result is where it says.
#[track_caller]
fn accepted(answer: &Answer) -> String {
    answer.expect(202);
    assert_eq!(answer.body, Value::Null);
    let txn = answer.header("set-txn").to_owned();
    assert_eq!(txn, answer.header("x-request-id"));
    assert!(
        answer
            .header("location")
            .ends_with(&format!("/scim/v2/AsyncRequests/{txn}"))
    );
    assert_eq!(answer.header("preference-applied"), "respond-async");
    assert_eq!(answer.header("retry-after"), "1");
    txn
}

fn look(tenant: &Tenant<'_>, txn: &str) -> Answer {
    tenant.get(&format!("/AsyncRequests/{txn}"))
}

/// What came of a request, once all messages are delivered.
#[track_caller]
fn result(tenant: &Tenant<'_>, txn: &str) -> Value {
    tenant.world.queue.work_off();
    tenant.world.background.finish();
    look(tenant, txn).expect(200).body.clone()
}

/// A world in which a Bulk request goes by parts of so many operations, each by a message.
fn world(operations: usize) -> World {
    let mut world = World::new();
    world.app.config.async_requests.operations = operations;
    world.app.config.async_requests.statements = 1;
    world.employ();
    world
}

fn bulk_body(operations: &[Value]) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations})
}
