//! Schemas that a tenant has of its own: what is declared behaves as any other.

mod assignable;
mod changes;
mod declared;
mod discovery;
mod learned;
mod learned_bounds;
mod lookups;
mod paths;
mod values;

use serde_json::{Value, json};

use crate::support::{Answer, Tenant};

pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// With dots, as identity providers have them.
pub const ACME: &str = "urn:ietf:params:scim:schemas:extension:acme.corp:2.0:User";
const PLACES: &str = "urn:example:places:1.0:Group";

/// A request of an administrator below the tenant's schemas.
pub fn at_schemas(tenant: &Tenant<'_>, method: &str, path: &str, body: Value) -> Answer {
    let path = format!("/api/v1/admin/tenants/{}/schemas{path}", tenant.id);
    tenant.world.admin(method, &path, body)
}

pub fn of_users(urn: &str, attributes: Value) -> Value {
    json!({"id": urn, "resource_type": "User", "name": "Acme", "attributes": attributes})
}

/// One attribute of each kind, and of each way in which they differ.
pub fn attributes() -> Value {
    json!([
        {"name": "costCode", "type": "string"},
        {"name": "badge", "type": "string", "caseExact": true},
        {"name": "level", "type": "integer"},
        {"name": "share", "type": "decimal"},
        {"name": "remote", "type": "boolean"},
        {"name": "since", "type": "dateTime"},
        {"name": "seal", "type": "binary"},
        {"name": "page", "type": "reference", "referenceTypes": ["external"]},
        {"name": "skills", "type": "string", "multiValued": true},
        {"name": "contract", "type": "complex", "subAttributes": [
            {"name": "kind", "type": "string", "canonicalValues": ["fixed", "open"]},
            {"name": "ends", "type": "dateTime"},
            {"name": "secret", "type": "string", "returned": "never"},
        ]},
        {"name": "desks", "type": "complex", "multiValued": true, "subAttributes": [
            {"name": "value", "type": "string", "required": true},
            {"name": "type", "type": "string"},
            {"name": "floor", "type": "integer"},
            {"name": "primary", "type": "boolean"},
        ]},
        {"name": "grade", "type": "string", "canonicalValues": ["A", "B"]},
        {"name": "hired", "type": "string", "mutability": "immutable"},
        {"name": "rank", "type": "string", "mutability": "readOnly"},
        {"name": "pin", "type": "string", "mutability": "writeOnly", "returned": "never"},
        {"name": "notes", "type": "string", "returned": "request"},
        {"name": "ring", "type": "string", "returned": "always"},
    ])
}

/// Declares [`ACME`] with [`attributes`].
pub fn declare(tenant: &Tenant<'_>) {
    let schema = of_users(ACME, attributes());
    at_schemas(tenant, "POST", "", schema).expect(201);
}

/// A user with values of [`ACME`].
pub fn user(name: &str, acme: Value) -> Value {
    json!({"schemas": [USER, ACME], "userName": name, ACME: acme})
}

/// Creates such a user, and gives its id.
pub fn made(tenant: &Tenant<'_>, name: &str, acme: Value) -> String {
    let answer = tenant.send("POST", "/Users", user(name, acme));
    answer.expect(201).id()
}

/// What a user has of [`ACME`].
pub fn acme(tenant: &Tenant<'_>, id: &str) -> Value {
    let answer = tenant.get(&format!("/Users/{id}"));
    answer.expect(200).body[ACME].clone()
}
