//! A tenant's own schemas.

use serde_json::{Value, json};

use super::{Case, MARK, Scene};
use crate::support::World;

/// The URN of the schema that the tenant has.
pub const URN: &str = "urn:example:people:2.0:User";

pub fn declared(world: &World, tenant: &str) {
    let path = format!("/api/v1/admin/tenants/{tenant}/schemas");
    let attributes = json!([{"name": "badge"}, {"name": "desk"}]);
    let schema =
        json!({"id": URN, "resource_type": "User", "name": MARK, "attributes": attributes});
    world.admin("POST", &path, schema).expect(201);
    let values = json!([{"value": MARK}]);
    let assignable = json!({"roles": values, "entitlements": values});
    let path = format!("/api/v1/admin/tenants/{tenant}");
    world.admin("PATCH", &path, assignable).expect(200);
}

impl Scene {
    pub fn own_schemas(&self) -> Vec<Case> {
        let schemas = format!("/admin/tenants/{}/schemas", self.tenant);
        let one = format!("{schemas}/{URN}");
        let new = json!({
            "id": "urn:example:places:2.0:Group", "resource_type": "Group", "name": MARK,
            "attributes": [{"name": "floor", "type": "integer"}],
        });
        let fewer = json!({"attributes": [{"name": "badge"}]});
        let role = format!("/Roles/{MARK}");
        let entitlement = format!("/Entitlements/{MARK}");
        vec![
            self.scim("GET", "/Roles", Value::Null, 200),
            self.scim("GET", &role, Value::Null, 200),
            self.scim("GET", "/Entitlements", Value::Null, 200),
            self.scim("GET", &entitlement, Value::Null, 200),
            self.admin("GET", &schemas, Value::Null, 200),
            self.admin("POST", &schemas, new, 201).again(409),
            self.admin("GET", &one, Value::Null, 200),
            self.admin("PATCH", &one, json!({"name": format!("New {MARK}")}), 200)
                .writes_more(),
            self.admin("PATCH", &one, fewer, 200).writes_more(),
            self.admin("DELETE", &one, Value::Null, 204).again(404),
        ]
    }
}
