//! What the routes of a tenant's own schemas are for.

use serde_json::{Value, json};

use super::envelopes::{lists, shows};
use super::operation::{Operation, query};
use super::schemas::Schemas;
use super::tags::TENANTS;
use crate::api::admin::own_schemas::types::{OwnSchemaCreate, OwnSchemaResponse, OwnSchemaUpdate};
use crate::api::http::routes::Route;

const TIME: &str = "2026-11-20T19:48:51.819Z";
const URN: &str = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User";

fn declared() -> Value {
    json!({
        "id": URN, "resource_type": "User", "name": "Acme", "description": "What Acme knows of a person",
        "attributes": [
            {"name": "badge", "type": "string", "caseExact": true},
            {"name": "desks", "type": "complex", "multiValued": true, "subAttributes": [
                {"name": "value", "type": "string"},
                {"name": "floor", "type": "integer"},
            ]},
        ],
    })
}

fn schema() -> Value {
    let mut schema = declared();
    if let Some(schema) = schema.as_object_mut() {
        schema.insert("learned".to_owned(), false.into());
        schema.insert("created_at".to_owned(), TIME.into());
        schema.insert("updated_at".to_owned(), TIME.into());
    }
    schema
}

fn discard_values() -> Value {
    query(
        "discard_values",
        "Whether values that resources have are taken away with their attributes",
        &json!({"type": "boolean", "default": false}),
    )
}

/// The operation of a route of a tenant's own schemas.
pub fn describe(route: &Route, schemas: &mut Schemas) -> Option<Operation> {
    Some(match route.name {
        "listOwnSchemas" => lists::<OwnSchemaResponse>(
            Operation::new(route, TENANTS, "A page of a tenant's own schemas")
                .describe("Those that are declared, and those that were learned from what an identity provider sends."),
            schemas,
            &schema(),
        ),
        "createOwnSchema" => shows::<OwnSchemaResponse>(
            Operation::new(route, TENANTS, "Declare a schema of a tenant's own")
                .describe("An extension of users or of groups. Its attributes are as any others from then on: they are checked, kept, shown, filtered and sorted by, and discovery shows them to whoever asks with a credential of the tenant. 409 where there is a schema with this id.")
                .body(true, schemas.request::<OwnSchemaCreate>(), declared())
                .fails(409),
            201,
            "It is declared",
            schemas,
            &schema(),
        ),
        "readOwnSchema" => shows::<OwnSchemaResponse>(
            Operation::new(route, TENANTS, "A schema of a tenant's own")
                .describe("By its URN, in any case."),
            200,
            "The schema",
            schemas,
            &schema(),
        ),
        "updateOwnSchema" => shows::<OwnSchemaResponse>(
            Operation::new(route, TENANTS, "Change a schema of a tenant's own")
                .describe("`attributes` are all that there are to be. An attribute that resources have values of is removed with `discard_values` alone (409 without), and its type stays, or becomes `string`. A schema that was learned is declared by this.")
                .parameters([discard_values()])
                .body(true, schemas.request::<OwnSchemaUpdate>(), json!({"name": "Acme Corp"}))
                .fails(409),
            200,
            "The schema as it is now",
            schemas,
            &schema(),
        ),
        "deleteOwnSchema" => Operation::new(route, TENANTS, "Remove a schema of a tenant's own")
            .describe("409 where resources have values of it, unless `discard_values` takes these away.")
            .parameters([discard_values()])
            .reply(204, "It is gone", Value::Null, &[])
            .fails(409),
        _ => return None,
    })
}
