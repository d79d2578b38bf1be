//! What is tried on each route: queries and bodies in which ids of somebody else stand, in every place where one can.

use http::Method;
use serde_json::{Value, json};

use super::routes::Things;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// The queries and bodies that are tried on a route; they name `own` things and those of others, `its`.
pub fn variants(
    method: &Method,
    pattern: &str,
    own: &Things,
    its: &Things,
) -> Option<Vec<(String, Value)>> {
    let path = pattern
        .trim_start_matches("/api/v1/tenants/:tenant_id/scim/v2")
        .trim_start_matches("/scim/v2")
        .trim_start_matches("/api/v1");
    let filters = |of: &[(&str, &str)]| -> Vec<String> {
        of.iter()
            .map(|(name, id)| format!("{name} eq \"{id}\""))
            .collect()
    };
    let of_users = filters(&[
        ("id", &its.user),
        ("groups.value", &its.group),
        (
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value",
            &its.user,
        ),
        ("userName", &format!("{}@example.com", its.name)),
    ]);
    let of_groups = filters(&[
        ("id", &its.group),
        ("members.value", &its.user),
        ("displayName", &its.name),
    ]);
    let listed = |filters: &[String]| -> Vec<(String, Value)> {
        let queries = filters.iter().map(|filter| {
            let filter: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
            format!("filter={filter}")
        });
        let cursor = format!("count=1&cursor={}", its.cursor);
        queries
            .chain([cursor])
            .map(|query| (query, Value::Null))
            .collect()
    };
    let searched = |filters: &[String]| -> Vec<(String, Value)> {
        let schemas = ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"];
        let body = |filter: &String| json!({"schemas": schemas, "filter": filter});
        let mut bodies: Vec<Value> = filters.iter().map(body).collect();
        bodies.push(json!({"schemas": schemas, "count": 1, "cursor": its.cursor}));
        bodies
            .into_iter()
            .map(|body| (String::new(), body))
            .collect()
    };
    let sent = |bodies: &[Value]| -> Vec<(String, Value)> {
        bodies
            .iter()
            .map(|body| (String::new(), body.clone()))
            .collect()
    };
    let asked = |queries: &[String]| -> Vec<(String, Value)> {
        queries
            .iter()
            .map(|query| (query.clone(), Value::Null))
            .collect()
    };
    let user = json!({
        "schemas": [USER, ENTERPRISE], "userName": "somebody", "externalId": its.user,
        "groups": [{"value": its.group}], ENTERPRISE: {"manager": {"value": its.user}},
    });
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "Some",
        "members": [{"value": its.user}, {"value": its.group, "type": "Group"}],
    });
    let change = |operation: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation],
        })
    };
    let manager = format!("{ENTERPRISE}:manager");
    let user_change = change(json!({"op": "add", "path": manager, "value": {"value": its.user}}));
    let member = json!([{"value": its.user}]);
    let group_changes = [
        change(json!({"op": "add", "path": "members", "value": member})),
        change(json!({"op": "replace", "path": "members", "value": member})),
        change(json!({"op": "remove", "path": format!("members[value eq \"{}\"]", its.user)})),
    ];
    let nothing = || asked(&[String::new()]);
    Some(match (method.as_str(), path) {
        (
            "GET",
            "/healthz"
            | "/.well-known/jwks.json"
            | "/openapi.json"
            | "/docs"
            | "/docs/:file"
            | "/console"
            | "/setup"
            | "/console/:file"
            | "/console/settings.json"
            | "/setup/:file"
            | "/ServiceProviderConfig"
            | "/ResourceTypes"
            | "/ResourceTypes/:id"
            | "/Schemas"
            | "/Schemas/:id",
        ) => nothing(),
        ("POST", "/console/session") => sent(&[json!({})]),
        ("GET", "") => listed(&of_users),
        ("GET", "/Users") => listed(&of_users),
        ("GET", "/Groups") => listed(&of_groups),
        ("GET", "/Roles" | "/Entitlements") => {
            listed(&filters(&[("value", &its.name), ("id", &its.user)]))
        }
        ("GET", "/Roles/:id" | "/Entitlements/:id") => nothing(),
        ("POST", "/.search" | "/Users/.search") => searched(&of_users),
        ("POST", "/Groups/.search") => searched(&of_groups),
        ("GET" | "DELETE", "/Users/:id" | "/Groups/:id" | "/Me") => nothing(),
        ("GET", "/AsyncRequests/:txn") => nothing(),
        ("POST", "/Users") | ("PUT", "/Users/:id" | "/Me") => sent(&[user]),
        ("PATCH", "/Users/:id" | "/Me") => sent(&[user_change]),
        ("POST", "/Groups") | ("PUT", "/Groups/:id") => sent(&[group]),
        ("PATCH", "/Groups/:id") => sent(&group_changes),
        ("POST", "/Bulk") => {
            let bodies = [
                json!({"method": "PUT", "path": format!("/Users/{}", its.user), "data": user}),
                json!({"method": "PATCH", "path": format!("/Users/{}", its.user), "data": user_change}),
                json!({"method": "DELETE", "path": format!("/Users/{}", its.user)}),
                json!({"method": "DELETE", "path": format!("/Groups/{}", its.group)}),
                json!({"method": "PATCH", "path": format!("/Groups/{}", its.group), "data": group_changes[1]}),
                json!({"method": "PATCH", "path": format!("/Groups/{}", own.group), "data": group_changes[0]}),
                json!({"method": "POST", "path": "/Groups", "bulkId": "g", "data": group}),
            ];
            let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
            let bulk = |operation| json!({"schemas": schemas, "Operations": [operation]});
            sent(&bodies.map(bulk))
        }
        ("GET", "/admin/tenants") => asked(&[String::new(), format!("search={}", its.name)]),
        ("POST", "/admin/tenants") => {
            sent(&[json!({"name": "x"}), json!({"name": "x", "id": its.tenant})])
        }
        ("GET" | "DELETE", "/admin/tenants/:tenant_id")
        | ("GET", "/admin/tenants/:tenant_id/export")
        | ("GET" | "DELETE", "/admin/tenants/:tenant_id/move")
        | ("POST", "/admin/tenants/:tenant_id/restore") => nothing(),
        ("POST", "/admin/tenants/:tenant_id/move") => sent(&[json!({"database": "main"})]),
        ("POST", "/admin/tenants/:tenant_id/import") => {
            let mut line = user;
            line["id"] = its.user.clone().into();
            let members = json!([{"value": its.user}]);
            sent(&[line, json!({"group": its.group, "members": members})])
        }
        ("GET", "/admin/tenants/:tenant_id/schemas")
        | ("GET", "/admin/tenants/:tenant_id/schemas/:urn") => nothing(),
        ("POST", "/admin/tenants/:tenant_id/schemas") => sent(&[json!({
            "id": "urn:example:taken:over:2.0:User", "resource_type": "User", "name": "x", "attributes": [{"name": "x"}],
        })]),
        ("PATCH", "/admin/tenants/:tenant_id/schemas/:urn") => {
            sent(&[json!({"name": "taken over"})])
        }
        ("DELETE", "/admin/tenants/:tenant_id/schemas/:urn") => {
            asked(&[String::new(), "discard_values=true".to_owned()])
        }
        ("PATCH", "/admin/tenants/:tenant_id") => sent(&[json!({"name": "taken over"})]),
        ("GET", "/admin/scim-tokens" | "/admin/scim-tokens/endpoint-info") => {
            asked(&[String::new(), format!("tenant_id={}", its.tenant)])
        }
        ("GET", "/admin/audit-events") => asked(&[
            String::new(),
            format!("tenant_id={}", its.tenant),
            format!("resource_id={}", its.user),
            format!("resource_id={}&resource_type=User", its.group),
            format!("actor=scim-token:{}", its.token),
        ]),
        ("GET", "/tenants/:tenant_id/events") => {
            asked(&[String::new(), "after=0&types=user.*".to_owned()])
        }
        ("GET", "/admin/setup-links") | ("DELETE", "/admin/setup-links/:link_id") => {
            asked(&[String::new(), format!("tenant_id={}", its.tenant)])
        }
        ("POST", "/admin/setup-links") => {
            sent(&[json!({"tenant_id": its.tenant, "allows": ["scim"]})])
        }
        ("GET", "/tenants/:tenant_id/setup") => nothing(),
        ("POST", "/tenants/:tenant_id/setup/scim-tokens") => sent(&[json!({"name": "x"})]),
        ("GET", "/tenants/:tenant_id/event-streams")
        | ("GET" | "DELETE", "/tenants/:tenant_id/event-streams/:stream_id")
        | ("GET", "/tenants/:tenant_id/event-streams/:stream_id/deliveries")
        | (
            "POST",
            "/tenants/:tenant_id/event-streams/:stream_id/rotate-secret"
            | "/tenants/:tenant_id/event-streams/:stream_id/test"
            | "/tenants/:tenant_id/event-streams/:stream_id/resume",
        ) => nothing(),
        ("POST", "/tenants/:tenant_id/event-streams") => {
            sent(&[json!({"name": "x", "url": "https://receiver.example.com/"})])
        }
        ("PATCH", "/tenants/:tenant_id/event-streams/:stream_id") => {
            sent(&[json!({"url": "https://elsewhere.example.com/"})])
        }
        ("POST", "/tenants/:tenant_id/event-streams/:stream_id/poll") => sent(&[
            json!({"returnImmediately": true}),
            json!({"ack": ["x"], "maxEvents": 0}),
        ]),
        ("POST", "/tenants/:tenant_id/event-streams/:stream_id/replay") => {
            sent(&[json!({"after": 0})])
        }
        ("POST", "/admin/undo") => sent(&[
            json!({"tenant_id": its.tenant, "resource": {"type": "User", "id": its.user}}),
            json!({"tenant_id": own.tenant, "resource": {"type": "User", "id": its.user}}),
            json!({"tenant_id": own.tenant, "resource": {"type": "Group", "id": its.group}}),
            json!({"tenant_id": own.tenant, "actor": format!("scim-token:{}", its.token)}),
        ]),
        ("POST", "/admin/erasures") => sent(&[
            json!({"tenant_id": its.tenant, "resource_type": "User", "resource_id": its.user}),
            json!({"resource_type": "User", "resource_id": its.user}),
            json!({"resource_type": "Group", "resource_id": its.group}),
        ]),
        ("POST", "/admin/requests/:request_id/replay") => sent(&[
            json!({"dry_run": false}),
            json!({"tenant_id": its.tenant, "dry_run": false}),
        ]),
        ("GET", "/admin/databases") => nothing(),
        ("GET", "/admin/requests") => asked(&[
            String::new(),
            format!("tenant_id={}", its.tenant),
            format!("resource_id={}", its.user),
            format!("request_id={}", its.request),
            format!("user_name={}@example.com", its.name),
            format!("actor=scim-token:{}", its.token),
        ]),
        (
            "GET",
            "/admin/requests/:request_id"
            | "/admin/undo/:undo_id"
            | "/admin/status"
            | "/admin/activity"
            | "/admin/resources/:type/:id/history",
        ) => asked(&[String::new(), format!("tenant_id={}", its.tenant)]),
        ("POST", "/admin/scim-tokens") => sent(&[
            json!({"tenant_id": its.tenant, "name": "x"}),
            json!({"tenant_id": own.tenant, "name": "x", "idp_id": its.provider}),
        ]),
        ("GET" | "DELETE", "/admin/scim-tokens/:token_id") => nothing(),
        ("PATCH", "/admin/scim-tokens/:token_id") => sent(&[json!({"is_active": false})]),
        ("POST", "/admin/scim-tokens/:token_id/allow-removals") => {
            sent(&[json!({"count": 1, "minutes": 1})])
        }
        ("POST", "/admin/scim-tokens/:token_id/rotate") => sent(&[json!({"overlap_seconds": 60})]),
        ("GET", "/admin/identity-providers") => asked(&[
            String::new(),
            format!("tenant_id={}", its.tenant),
            format!("search={}", its.name),
        ]),
        ("GET", "/tenants/:tenant_id/identity-providers") => asked(&[
            String::new(),
            "protocol=OIDC".to_owned(),
            "enabled_only=true".to_owned(),
        ]),
        (
            "POST",
            "/admin/identity-providers"
            | "/tenants/:tenant_id/identity-providers"
            | "/tenants/:tenant_id/setup/identity-providers",
        ) => {
            let config = json!({"issuer": "https://login.example.com", "client_id": "x"});
            let body = json!({"name": "x", "protocol": "OIDC", "oidc_config": config});
            let mut elsewhere = body.clone();
            elsewhere["tenant_id"] = its.tenant.clone().into();
            sent(&[body, elsewhere])
        }
        (
            "POST",
            "/admin/identity-providers/:idp_id/test"
            | "/tenants/:tenant_id/identity-providers/:idp_id/test"
            | "/tenants/:tenant_id/setup/identity-providers/:idp_id/test"
            | "/admin/identity-providers/reencrypt"
            | "/admin/identity-providers/saml-metadata"
            | "/tenants/:tenant_id/setup/saml-metadata"
            | "/admin/identity-providers/:idp_id/sync",
        )
        | (
            "GET",
            "/admin/identity-providers/:idp_id/sync-logs"
            | "/admin/identity-providers/:idp_id/sync-logs/:log_id",
        ) => nothing(),
        (
            "GET" | "DELETE",
            "/admin/identity-providers/:idp_id"
            | "/tenants/:tenant_id/identity-providers/:idp_id"
            | "/tenants/:tenant_id/setup/identity-providers/:idp_id",
        ) => nothing(),
        (
            "PATCH",
            "/admin/identity-providers/:idp_id"
            | "/tenants/:tenant_id/identity-providers/:idp_id"
            | "/tenants/:tenant_id/setup/identity-providers/:idp_id",
        ) => sent(&[
            json!({"name": "taken over"}),
            json!({"oidc_config": {"client_secret": "x"}}),
        ]),
        ("GET", "/tenants/:tenant_id/identity-providers/:idp_id/group-mappings") => nothing(),
        ("POST", "/tenants/:tenant_id/identity-providers/:idp_id/group-mappings") => sent(&[
            json!({"external_group_id": "x", "internal_group_id": its.group}),
            json!({"external_group_id": its.name, "internal_group_id": own.group}),
        ]),
        ("DELETE", "/tenants/:tenant_id/identity-providers/:idp_id/group-mappings/:mapping_id") => {
            nothing()
        }
        _ => return None,
    })
}
