//! The document's examples. The tests send each that is a request, and hold each that is a reply against the answer.

pub mod providers;

use serde_json::{Value, json};

use super::messages::list_of;
use crate::api::admin::endpoint_info;
use crate::api::scim::discovery::documents::{
    ResourceTypeDocument, SchemaDocument, ServiceProviderConfig,
};
use crate::ids::TenantId;
use crate::scim::schema::{
    ASSIGNABLE, ENTERPRISE, GROUPS, ResourceType, USERS, assignable_resource,
};
use crate::scim::{BULK_REQUEST, BULK_RESPONSE, LIST_RESPONSE, PATCH_OP, SEARCH_REQUEST};

const ORIGIN: &str = "https://scim.example.com";
pub const TENANT: &str = "01a1fa81-2bee-7973-bd05-ace427df7346";
const TOKEN: &str = "01a1fa81-2c3c-72ea-ac77-06c1191c8fad";
pub const USER: &str = "01a1fa81-2c91-7f90-9f26-4fa48cc17938";
const GROUP: &str = "01a1fa81-2d07-7c51-8a3b-0d5c9f3be2a4";
const TIME: &str = "2026-11-20T19:48:51.819Z";

fn base() -> String {
    format!("{ORIGIN}/api/v1/tenants/{TENANT}/scim/v2")
}

pub fn meta() -> Value {
    json!({"request_id": "01a1fa81-2beb-7527-84ae-1e76ffcebd7a", "timestamp": TIME})
}

pub fn single(data: &Value) -> Value {
    json!({"data": data, "meta": meta()})
}

pub fn page(one: &Value) -> Value {
    paged(&json!([one]))
}

pub fn paged(data: &Value) -> Value {
    json!({
        "data": data,
        "pagination": {"page": 1, "per_page": 20, "total_items": 1, "total_pages": 1},
        "meta": meta(),
    })
}

pub fn listed(one: &Value) -> Value {
    json!({"data": [one], "pagination": {"next": "NDI", "limit": 50}, "meta": meta()})
}

pub fn health() -> Value {
    json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})
}

pub fn console_settings() -> Value {
    json!({
        "issuer": "https://login.example.com/realms/ops", "client_id": "rollcall-console", "scope": "openid admin", "audience": "rollcall",
        "access": false, "local_development": false,
    })
}

pub fn tenant() -> Value {
    json!({
        "id": TENANT, "name": "Example", "scim_profile": "compat", "store_passwords": false,
        "audit_days": 365, "history_days": 30, "requests_days": 30, "record_bodies": true,
        "removal_fuse": {"percent": 20, "at_least": 50, "minutes": 60}, "product_name": "Acme", "product_color": "#0b5fff",
        "unknown_extensions": "learn",
        "roles": [], "entitlements": [], "database": "main",
        "created_at": TIME, "updated_at": TIME,
    })
}

/// Lines of an export, the last of which comes too early.
pub fn lines() -> String {
    let head = json!({
        "rollcall_export": 1, "tenant": TENANT, "profile": "compat", "exported_at": TIME, "seq": 3, "users": 1, "groups": 1,
    });
    let user = json!({"id": USER, "schemas": [USERS.schema.id()], "userName": "ada@example.com", "active": true});
    let members = json!({"group": GROUP, "members": [{"value": USER, "type": "User"}]});
    format!("{head}\n{user}\n{members}\n")
}

pub fn tenant_create() -> Value {
    json!({"name": "Example", "scim_profile": "compat"})
}

pub fn tenant_update() -> Value {
    json!({"name": "Example & Sons"})
}

pub fn scim_token() -> Value {
    json!({
        "id": TOKEN, "tenant_id": TENANT, "name": "Entra ID", "description": null, "token_hint": "rcs_f1di…",
        "scopes": ["users:read", "users:write", "groups:read", "groups:write", "bulk"], "is_active": true, "idp_id": null,
        "created_at": TIME, "created_by": "admin@example.com", "updated_at": TIME, "expires_at": null,
        "last_used_at": null, "revoked_at": null,
    })
}

/// With a token whose checksum does not hold: nobody's.
pub fn new_scim_token() -> Value {
    let mut token = scim_token();
    if let Some(token) = token.as_object_mut() {
        let secret = format!("rcs_{}", "x".repeat(49));
        token.insert("token".to_owned(), secret.into());
    }
    token
}

pub fn scim_token_create() -> Value {
    json!({"tenant_id": TENANT, "name": "Entra ID"})
}

pub fn scim_token_update() -> Value {
    json!({"description": "Paused while the directory moves", "is_active": false})
}

pub fn scim_token_rotate() -> Value {
    json!({"overlap_seconds": 3600})
}

pub fn removals_allow() -> Value {
    json!({"count": 1000, "minutes": 60})
}

pub fn removals_allowed() -> Value {
    json!({"token_id": TOKEN, "count": 1000, "until": TIME})
}

pub fn endpoint_info() -> Value {
    let tenant = TenantId::parse(TENANT);
    let info = tenant.map(|tenant| endpoint_info::describe(ORIGIN, &tenant));
    serde_json::to_value(info).unwrap_or_default()
}

fn scim_meta(name: &str, location: &str) -> Value {
    json!({"resourceType": name, "created": TIME, "lastModified": TIME, "location": location, "version": "W/\"1\""})
}

/// A resource as a client sends it.
pub fn sent(resource_type: &ResourceType) -> Value {
    match resource_type.name == GROUPS.name {
        true => json!({
            "schemas": [GROUPS.schema.id()],
            "displayName": "Engineering",
            "members": [{"value": USER}],
        }),
        false => json!({
            "schemas": [USERS.schema.id(), ENTERPRISE.id()],
            "userName": "ada@example.com",
            "name": {"familyName": "Lovelace", "givenName": "Ada"},
            "active": true,
            "emails": [{"value": "ada@example.com", "type": "work", "primary": true}],
            ENTERPRISE.id(): {"department": "Analysis"},
        }),
    }
}

/// The same resource as it is shown.
pub fn shown(resource_type: &ResourceType) -> Value {
    if ASSIGNABLE
        .iter()
        .any(|(of, _)| of.name == resource_type.name)
    {
        let one = json!({"value": "admin", "display": "Administrator", "supported": true});
        let base = format!("{}{}", base(), resource_type.endpoint);
        return assignable_resource(resource_type, &one, &base, "W/\"3\"");
    }
    let is_group = resource_type.name == GROUPS.name;
    let id = if is_group { GROUP } else { USER };
    let location = format!("{}{}/{id}", base(), resource_type.endpoint);
    let mut resource = sent(resource_type);
    if let Some(resource) = resource.as_object_mut() {
        resource.shift_insert(0, "id".to_owned(), id.into());
        if is_group {
            // Without its `$ref`: a generator of clients goes after whatever has that name, in an example too.
            let members = json!([{"value": USER, "display": "Ada Lovelace", "type": "User"}]);
            resource.insert("members".to_owned(), members);
        }
        let meta = scim_meta(resource_type.name, &location);
        resource.insert("meta".to_owned(), meta);
    }
    resource
}

pub fn list(types: &[&'static ResourceType]) -> Value {
    let resources: Vec<Value> = types.iter().map(|kind| shown(kind)).collect();
    page_of(&resources)
}

fn page_of(resources: &[Value]) -> Value {
    json!({
        "schemas": [LIST_RESPONSE], "totalResults": resources.len(), "itemsPerPage": resources.len(), "startIndex": 1,
        "Resources": resources,
    })
}

pub fn search() -> Value {
    json!({"schemas": [SEARCH_REQUEST], "filter": "meta.created gt \"2026-01-01T00:00:00Z\"", "startIndex": 1, "count": 10})
}

pub fn patch(resource_type: &ResourceType) -> Value {
    let operation = match resource_type.name == GROUPS.name {
        true => json!({"op": "replace", "path": "displayName", "value": "Research"}),
        false => json!({"op": "replace", "path": "name.givenName", "value": "Augusta"}),
    };
    json!({"schemas": [PATCH_OP], "Operations": [operation]})
}

pub fn bulk_request() -> Value {
    json!({
        "schemas": [BULK_REQUEST],
        "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "ada", "data": {"schemas": [USERS.schema.id()], "userName": "ada"}},
            {"method": "POST", "path": "/Groups", "bulkId": "engineers",
             "data": {"schemas": [GROUPS.schema.id()], "displayName": "Engineers", "members": [{"value": "bulkId:ada"}]}},
        ],
    })
}

pub fn bulk_response() -> Value {
    let made = |bulk_id: &str, path: &str| {
        let location = format!("{}{path}", base());
        json!({"method": "POST", "bulkId": bulk_id, "version": "W/\"1\"", "location": location, "status": "201"})
    };
    json!({
        "schemas": [BULK_RESPONSE],
        "Operations": [
            made("ada", &format!("/Users/{USER}")),
            made("engineers", &format!("/Groups/{GROUP}")),
        ],
    })
}

/// How far a request is that was answered before it is carried out.
pub fn async_progress() -> Value {
    json!({"txn": USER, "status": "running", "operations": 10_000, "done": 4_500, "failed": 2})
}

/// A discovery document as it is served.
pub fn discovery(schema: &str) -> Value {
    let base = base();
    let resource_type = || serde_json::to_value(ResourceTypeDocument::new(USERS.plain(), &base));
    let enterprise = || serde_json::to_value(SchemaDocument::new(&ENTERPRISE, &base));
    let example = match schema {
        "ResourceType" => resource_type(),
        "Schema" => enterprise(),
        name if name == list_of("ResourceType") => resource_type().map(|one| page_of(&[one])),
        name if name == list_of("Schema") => enterprise().map(|one| page_of(&[one])),
        _ => serde_json::to_value(ServiceProviderConfig::new(&base)),
    };
    example.unwrap_or_default()
}
