//! What the routes are for that take a tenant's data out, and bring it in again.

use serde_json::{Value, json};

use super::operation::Operation;
use super::schemas::Schemas;
use super::tags::TENANTS;
use crate::api::admin::export::NDJSON;
use crate::api::http::routes::Route;

/// A body of lines of JSON.
fn lines(description: &str) -> Value {
    json!({NDJSON: {"schema": {"type": "string", "description": description}}})
}

/// The operation of one of these routes.
pub fn describe(route: &Route, _schemas: &mut Schemas) -> Option<Operation> {
    Some(match route.name {
        "exportTenant" => Operation::new(route, TENANTS, "Export a tenant's users, groups and memberships")
            .describe(
                "Lines of JSON, sent while they are read. The first is `{\"rollcall_export\": 1, \"tenant\", \"profile\", \"exported_at\", \"seq\", \"users\", \"groups\"}`, \
                 then every user and every group as SCIM has it, in the order of their ids, then `{\"group\": id, \"members\": [{\"value\", \"type\"}]}` \
                 with up to 1,000 direct members each. No secrets, no hashes of passwords. It is no picture of one moment: what changes \
                 while it is sent may be in it or not, and is in the audit trail after `seq`. A reply that breaks off is not whole.",
            )
            .reply(200, "The lines", lines("A JSON object a line"), &[])
            .fails(404),
        _ => return None,
    })
}
