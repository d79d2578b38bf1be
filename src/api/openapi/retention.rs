//! What the routes are for that take a tenant's data out, and bring it in again.

use serde_json::{Value, json};

use super::envelopes::shows;
use super::examples;
use super::operation::Operation;
use super::schemas::Schemas;
use super::tags::TENANTS;
use crate::api::admin::export::NDJSON;
use crate::api::admin::import::ImportResponse;
use crate::api::admin::tenant_types::TenantResponse;
use crate::api::http::routes::Route;

/// A body of lines of JSON.
fn lines(description: &str) -> Value {
    json!({NDJSON: {"schema": {"type": "string", "description": description}}})
}

/// The operation of one of these routes.
pub fn describe(route: &Route, schemas: &mut Schemas) -> Option<Operation> {
    Some(match route.name {
        "exportTenant" => Operation::new(route, TENANTS, "Export a tenant's users, groups and memberships")
            .describe(
                "Lines of JSON, sent while they are read. The first is `{\"rollcall_export\": 1, \"tenant\", \"profile\", \"exported_at\", \"seq\", \"users\", \"groups\"}`, \
                 then every user and every group as SCIM has it, in the order of their ids, then `{\"group\": id, \"members\": [{\"value\", \"type\"}]}` \
                 with up to 1,000 direct members each. No secrets, no hashes of passwords. It takes the scope `scim:read` besides. It is no picture of one moment: what changes \
                 while it is sent may be in it or not, and is in the audit trail after `seq`. A reply that breaks off is not whole.",
            )
            .reply(200, "The lines", lines("A JSON object a line"), &[])
            .fails(404),
        "importTenant" => shows::<ImportResponse>(
            Operation::new(route, TENANTS, "Import lines of an export")
                .describe(
                    "The lines of an export of any tenant become users, groups and memberships of this one, whose other resources stay. \
                     Their ids are new ones that follow from the old ones and the tenant, and references follow them; so an export that \
                     is longer than a body may be comes in as many requests as it takes, in its order, cut between lines. A line whose \
                     resource or member is there already changes nothing, so a request may be sent again. A line that fails is told with \
                     its number, and the others are carried out. A user's line is also the `data` of a Bulk operation `POST /Users`, a line of \
                     members the `value` of a PATCH that adds to `members`: ids are those that the Bulk request's replies say then.",
                )
                .body_of(json!({NDJSON: {
                    "schema": {"type": "string", "description": "Lines of an export"},
                    "example": examples::lines(),
                }}))
                .fails(404),
            200,
            "What came of the lines",
            schemas,
            &json!({
                "users": {"created": 1, "unchanged": 0}, "groups": {"created": 0, "unchanged": 0},
                "members": {"added": 0, "unchanged": 0}, "failed": 1,
                "failures": [{"line": 3, "detail": "its group is not there yet"}],
            }),
        ),
        "restoreTenant" => shows::<TenantResponse>(
            Operation::new(route, TENANTS, "Bring a deleted tenant back")
                .describe(
                    "Within 30 days of its deletion. Its tokens are dead and the secrets of its identity providers wiped: make new ones. 404 \
                     after that, and 409 where it is not deleted.",
                )
                .fails(404)
                .fails(409),
            200,
            "It is back",
            schemas,
            &examples::tenant(),
        ),
        _ => return None,
    })
}
