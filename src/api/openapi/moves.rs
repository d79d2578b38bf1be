//! What the routes of a tenant's move are for.

use serde_json::{Value, json};

use super::envelopes::shows;
use super::examples;
use super::operation::Operation;
use super::schemas::Schemas;
use super::tags::TENANTS;
use crate::api::admin::moves::{MoveCreate, MoveResponse};
use crate::api::http::routes::Route;

const TIME: &str = "2026-11-20T19:48:51.819Z";

fn example(status: &str) -> Value {
    json!({
        "id": "01a1fa81-2c3c-72ea-ac77-06c1191c8fad", "tenant_id": examples::TENANT, "from": "main", "to": "eu", "status": status,
        "rows_copied": 120_000, "rows_total": 812_000, "rows_caught_up": 0, "pause_ms": null, "digest": null, "reason": null,
        "started_at": TIME, "updated_at": TIME, "finished_at": null,
    })
}

/// The operation of one of these routes.
pub fn describe(route: &Route, schemas: &mut Schemas) -> Option<Operation> {
    Some(match route.name {
        "moveTenant" => shows::<MoveResponse>(
            Operation::new(route, TENANTS, "Move a tenant to another database")
                .describe(
                    "It stays in use: its rows are copied, what is written meanwhile is brought over again, both sides are compared, and writes pause for \
                     some seconds at the end, in which they wait. `GET` says how far it is. 409 while it is being moved already, 422 for a database that there is \
                     not, or that it lives in. An administrator of one tenant may not ask.",
                )
                .body(true, schemas.request::<MoveCreate>(), json!({"database": "eu"}))
                .fails(404)
                .fails(409),
            202,
            "It begins",
            schemas,
            &example("copying"),
        ),
        "readMove" => shows::<MoveResponse>(
            Operation::new(route, TENANTS, "How far a tenant's move is")
                .describe("Its last one; `status` is `none` where it was never moved. A move that failed says why, and the tenant is where it was.")
                .fails(404),
            200,
            "The move",
            schemas,
            &example("copying"),
        ),
        "cancelMove" => shows::<MoveResponse>(
            Operation::new(route, TENANTS, "Take a tenant's move back")
                .describe("The tenant stays where it is, and what was copied is deleted. 409 from the pause of writes on, and where the move is over.")
                .fails(404)
                .fails(409),
            202,
            "It is taken back",
            schemas,
            &example("cancelling"),
        ),
        _ => return None,
    })
}
