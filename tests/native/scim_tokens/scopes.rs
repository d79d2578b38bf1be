//! Each route asks for its own scope.

use serde_json::{Value, json};

use super::{mint, shown, update};
use crate::support::World;

const ALL: [&str; 5] = [
    "users:read",
    "users:write",
    "groups:read",
    "groups:write",
    "bulk",
];

#[test]
fn each_scim_route_asks_for_its_own_scope() {
    let world = World::new();
    let owner = world.tenant("compat");
    let routes = |user: &str, group: &str| -> Vec<(&'static str, String, Value, &'static str)> {
        let (user, group) = (format!("/Users/{user}"), format!("/Groups/{group}"));
        let patch = json!({"Operations": [{"op": "replace", "path": "externalId", "value": "x"}]});
        vec![
            ("GET", "/Users".to_owned(), Value::Null, "users:read"),
            ("GET", user.clone(), Value::Null, "users:read"),
            (
                "POST",
                "/Users".to_owned(),
                json!({"userName": "new"}),
                "users:write",
            ),
            (
                "PUT",
                user.clone(),
                json!({"userName": "renamed"}),
                "users:write",
            ),
            ("PATCH", user.clone(), patch.clone(), "users:write"),
            ("DELETE", user, Value::Null, "users:write"),
            ("GET", "/Groups".to_owned(), Value::Null, "groups:read"),
            ("GET", group.clone(), Value::Null, "groups:read"),
            (
                "POST",
                "/Groups".to_owned(),
                json!({"displayName": "New"}),
                "groups:write",
            ),
            (
                "PUT",
                group.clone(),
                json!({"displayName": "Renamed"}),
                "groups:write",
            ),
            ("PATCH", group.clone(), patch, "groups:write"),
            ("DELETE", group, Value::Null, "groups:write"),
        ]
    };
    let (user, group) = (owner.user("a"), owner.group("A", &[]));
    for (method, path, body, scope) in routes(&user, &group) {
        let others: Vec<&str> = ALL.into_iter().filter(|other| *other != scope).collect();
        let without = mint(&owner, json!({"scopes": others}));
        let before = world.database.dump();
        let refused = without.send(method, &path, body.clone());
        refused.expect_scim_error(403, "", scope);
        assert!(refused.header("www-authenticate").is_empty());
        assert_eq!(world.database.dump(), before);
        let with = mint(&owner, json!({"scopes": [scope]}));
        let status = with.send(method, &path, body).status;
        assert!(
            (200..300).contains(&status),
            "{method} {path} with {scope}: {status}"
        );
    }
}

#[test]
fn scopes_taken_away_are_gone_at_once_and_those_given_are_there_whatever_the_cache_says() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("a");
    let all = world.cache.entries.borrow().clone();
    update(&tenant, json!({"scopes": ["users:read"]})).expect(200);
    *world.cache.entries.borrow_mut() = all.clone();
    tenant
        .send("POST", "/Users", json!({"userName": "b"}))
        .expect(403);
    tenant.get("/Users").expect(200);
    let few = world.cache.entries.borrow().clone();
    assert_ne!(all, few, "the cache knows the fewer scopes");
    update(&tenant, json!({"scopes": ["users:read", "users:write"]})).expect(200);
    *world.cache.entries.borrow_mut() = few;
    tenant
        .send("POST", "/Users", json!({"userName": "b"}))
        .expect(201);
}

#[test]
fn discovery_needs_no_token_and_answers_the_same_for_an_unknown_tenant() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for path in [
        "/ServiceProviderConfig",
        "/ResourceTypes",
        "/ResourceTypes/User",
        "/Schemas",
    ] {
        let ask = |id: &str| {
            let uri = format!(
                "{}/api/v1/tenants/{id}/scim/v2{path}",
                crate::support::ORIGIN
            );
            world.send(http::Request::get(uri).body(Vec::new()).expect("a request"))
        };
        let (known, unknown) = (ask(&tenant.id), ask("nobody"));
        known.expect(200);
        assert_eq!(
            known.body.to_string().replace(&tenant.id, "nobody"),
            unknown.body.to_string()
        );
        assert_eq!((known.status, known.trips()), (unknown.status, 0));
    }
}

#[test]
fn the_use_of_a_token_is_noted_at_most_once_in_5_minutes_and_shown_later() {
    let world = World::new();
    let tenant = world.tenant("compat");
    assert_eq!(shown(&tenant)["last_used_at"], Value::Null);
    tenant.get("/Users").expect(200);
    assert_eq!(shown(&tenant)["last_used_at"], "2026-01-02T03:04:05.000Z");
    world.clock.advance_seconds(299);
    tenant.get("/Users").expect(200);
    assert_eq!(shown(&tenant)["last_used_at"], "2026-01-02T03:04:05.000Z");
    world.clock.advance_seconds(2);
    tenant.user("a");
    assert_eq!(shown(&tenant)["last_used_at"], "2026-01-02T03:09:06.000Z");
}

#[test]
fn two_instances_note_the_use_of_a_token_once() {
    let mut world = World::new();
    let (id, token, token_id) = {
        let tenant = world.tenant("compat");
        tenant.get("/Users").expect(200);
        (
            tenant.id.clone(),
            tenant.token.clone(),
            tenant.token_id.clone(),
        )
    };
    world.restart();
    world.clock.advance_seconds(60);
    let tenant = crate::support::Tenant {
        world: &world,
        id,
        token,
        token_id,
    };
    tenant.get("/Users").expect(200);
    assert_eq!(shown(&tenant)["last_used_at"], "2026-01-02T03:04:05.000Z");
}

#[test]
fn noting_a_use_leaves_updated_at_and_the_revision_alone() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let before = world
        .database
        .query("select revision, updated_at from scim_tokens");
    world.clock.advance_seconds(1_000);
    tenant.get("/Users").expect(200);
    assert_eq!(
        world
            .database
            .query("select revision, updated_at from scim_tokens"),
        before
    );
}
