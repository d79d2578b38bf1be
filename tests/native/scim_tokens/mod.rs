//! SCIM tokens (API.md §3): what administrators do with them, what they open, and how they die.

mod cache;
mod death;
mod lifecycle;
mod scopes;
mod secrecy;
mod whole;

use serde_json::{Value, json};

use crate::support::{Answer, Tenant, World};

const BASE: &str = "/api/v1/admin/scim-tokens";

fn create(world: &World, body: Value) -> Answer {
    world.admin("POST", BASE, body)
}

/// A token of a tenant, with the fields given beside its name.
fn mint<'w>(tenant: &Tenant<'w>, fields: Value) -> Tenant<'w> {
    let mut body = json!({"tenant_id": tenant.id, "name": "another"});
    for (name, value) in fields.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let created = create(tenant.world, body);
    created.expect(201);
    Tenant {
        world: tenant.world,
        id: tenant.id.clone(),
        token: text(&created.body["data"]["token"]),
        token_id: text(&created.body["data"]["id"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

fn path_of(tenant: &Tenant<'_>) -> String {
    format!("{BASE}/{}", tenant.token_id)
}

/// The token as administrators see it.
fn shown(tenant: &Tenant<'_>) -> Value {
    let answer = tenant.world.admin("GET", &path_of(tenant), Value::Null);
    answer.expect(200);
    answer.body["data"].clone()
}

fn update(tenant: &Tenant<'_>, body: Value) -> Answer {
    tenant.world.admin("PATCH", &path_of(tenant), body)
}

/// One request of each kind, reads and writes, with the status of each; `user` is one that is there.
fn try_everything(tenant: &Tenant<'_>, user: &str) -> Vec<u16> {
    let path = format!("/Users/{user}");
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "somebody.new",
    });
    let rename = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "title", "value": "Boss"}],
    });
    let group = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "New",
        "members": [{"value": user}],
    });
    [
        ("GET", "/Users", Value::Null),
        ("GET", &path, Value::Null),
        ("GET", "/Groups", Value::Null),
        ("POST", "/Users", body.clone()),
        ("POST", "/Groups", group),
        ("PUT", &path, body),
        ("PATCH", &path, rename),
        ("DELETE", &path, Value::Null),
    ]
    .into_iter()
    .map(|(method, path, body)| tenant.send(method, path, body).status)
    .collect()
}

/// A dead token opens nothing, neither on the tenant's base nor on the token's, and nothing is written.
#[track_caller]
fn expect_dead(tenant: &Tenant<'_>, user: &str) {
    let world = tenant.world;
    let before = world.database.dump();
    let cached = world.cache.entries.borrow().clone();
    assert_eq!(try_everything(tenant, user), [401; 8]);
    // Whatever the first request made of the cache, each of them meets the stale entry.
    for (method, path) in [("GET", "/Users"), ("DELETE", &*format!("/Users/{user}"))] {
        *world.cache.entries.borrow_mut() = cached.clone();
        let answer = tenant.send(method, path, Value::Null);
        answer.expect(401);
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer error=\"invalid_token\""
        );
    }
    assert_eq!(
        world.database.dump(),
        before,
        "a dead token changed something"
    );
}
