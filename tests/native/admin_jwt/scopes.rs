//! What a verified token may do: its scopes, and the one tenant it may be bound to.

use serde_json::{Map, Value, json};

use super::{TENANTS, expect_refused, list};
use crate::support::{Answer, World};

fn claims_with(world: &World, changes: Value) -> Map<String, Value> {
    let mut claims = world.claims();
    for (name, value) in changes.as_object().expect("an object") {
        match value {
            Value::Null => claims.remove(name),
            value => claims.insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn token(world: &World, changes: Value) -> String {
    world.jwt(&claims_with(world, changes))
}

#[test]
fn scopes_are_a_string_or_an_array() {
    let world = World::new();
    for scope in [
        json!("platform tenants:read"),
        json!("scim:read tenants:read platform audit:read"),
        json!("  tenants:read\tplatform "),
        json!(["platform", "tenants:read"]),
        json!(["scim:read tenants:read", "platform"]),
        json!("admin"),
        json!(["admin"]),
    ] {
        list(&world, &token(&world, json!({"scope": scope}))).expect(200);
    }
}

#[test]
fn a_missing_scope_is_403_and_names_it() {
    let world = World::new();
    for scope in [
        Value::Null,
        json!(""),
        json!("tenants:write"),
        json!("tenants:reader"),
        json!("Admin"),
        json!("tenants"),
        json!("tenants:*"),
        json!("tenants:read,tenants:write"),
        json!([]),
    ] {
        let answer = list(&world, &token(&world, json!({"scope": scope})));
        answer.expect(403);
        assert!(
            answer.body["detail"]
                .as_str()
                .expect("a detail")
                .contains("tenants:read")
        );
        assert!(answer.header("www-authenticate").is_empty());
        assert_eq!(answer.trips(), 0);
    }
}

#[test]
fn scopes_of_another_type_are_no_scopes() {
    let world = World::new();
    for scope in [json!(1), json!({"admin": true}), json!([1]), json!(true)] {
        let status = list(&world, &token(&world, json!({"scope": scope}))).status;
        assert!(matches!(status, 401 | 403), "{scope} is answered {status}");
    }
}

#[test]
fn each_route_asks_for_its_own_scope() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let tenant_path = format!("{TENANTS}/{}", tenant.id);
    let tokens = "/api/v1/admin/scim-tokens";
    let token_path = format!("{tokens}/{}", tenant.token_id);
    let info = format!("{tokens}/endpoint-info?tenant_id={}", tenant.id);
    let routes: [(&str, &str, Value, &str); 12] = [
        ("GET", TENANTS, Value::Null, "tenants:read"),
        ("GET", &tenant_path, Value::Null, "tenants:read"),
        ("POST", TENANTS, json!({"name": "x"}), "tenants:write"),
        ("PATCH", &tenant_path, json!({"name": "x"}), "tenants:write"),
        ("GET", tokens, Value::Null, "scim-tokens:read"),
        ("GET", &token_path, Value::Null, "scim-tokens:read"),
        ("GET", &info, Value::Null, "scim-tokens:read"),
        (
            "POST",
            tokens,
            json!({"tenant_id": tenant.id, "name": "x"}),
            "scim-tokens:write",
        ),
        (
            "PATCH",
            &token_path,
            json!({"name": "x"}),
            "scim-tokens:write",
        ),
        (
            "POST",
            &format!("{token_path}/rotate"),
            json!({"overlap_seconds": 60}),
            "scim-tokens:write",
        ),
        ("DELETE", &token_path, Value::Null, "scim-tokens:write"),
        ("DELETE", &tenant_path, Value::Null, "tenants:write"),
    ];
    let all = [
        "tenants:read",
        "tenants:write",
        "scim-tokens:read",
        "scim-tokens:write",
        "identity-providers:read",
        "identity-providers:write",
        "scim:read",
        "scim:write",
        "audit:read",
    ];
    for (method, path, body, scope) in routes {
        let others: Vec<&str> = all.into_iter().filter(|other| *other != scope).collect();
        let send = |scopes: String| -> Answer {
            world.admin_as(
                &token(&world, json!({"scope": format!("platform {scopes}")})),
                method,
                path,
                body.clone(),
            )
        };
        let before = world.database.dump();
        send(others.join(" ")).expect(403);
        assert_eq!(world.database.dump(), before);
        let status = send(scope.to_owned()).status;
        assert!(
            (200..300).contains(&status),
            "{method} {path} with {scope}: {status}"
        );
    }
}

/// An issuer that leaves `tenant_id` out makes nobody an administrator of all tenants by that.
#[test]
fn without_a_tenant_a_token_reaches_all_of_them_only_where_its_scopes_say_so() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let users = format!("{}/Users", tenant.base());
    let path = format!("{TENANTS}/{}", tenant.id);
    let tokens = format!("/api/v1/admin/scim-tokens?tenant_id={}", tenant.id);
    let providers = format!("/api/v1/tenants/{}/identity-providers", tenant.id);
    let scopes =
        "tenants:read tenants:write scim-tokens:read identity-providers:read scim:read scim:write";
    for route in [
        TENANTS,
        &path,
        &tokens,
        &providers,
        &users,
        "/scim/v2/Users",
    ] {
        let get = |changes| {
            let token = token(&world, changes);
            world.admin_as(&token, "GET", route, Value::Null)
        };
        for scope in [
            scopes,
            "Platform tenants:read scim:read scim-tokens:read identity-providers:read",
        ] {
            let answer = get(json!({"scope": scope}));
            let detail = answer.expect(403).body["detail"]
                .as_str()
                .expect("a detail");
            assert!(
                detail.contains("tenant_id") && detail.contains("platform"),
                "{detail}"
            );
            assert_eq!(answer.trips(), 0);
        }
        // The base without a tenant in it has none to open.
        let found = if route == "/scim/v2/Users" { 403 } else { 200 };
        get(json!({"scope": format!("platform {scopes}")})).expect(found);
        get(json!({"scope": "admin"})).expect(found);
        get(json!({"scope": scopes, "tenant_id": tenant.id})).expect(200);
        // It says where, and gives no scope itself.
        get(json!({"scope": "platform"})).expect(403);
    }
}

#[test]
fn a_bound_administrator_sees_only_its_tenant() {
    let world = World::new();
    let (own, other) = (world.tenant("compat"), world.tenant("compat"));
    let bound = token(&world, json!({"tenant_id": own.id}));
    let listed = list(&world, &bound);
    listed.expect(200);
    assert_eq!(listed.body["pagination"]["total_items"], 1);
    assert_eq!(listed.body["data"][0]["id"], own.id);
    let get = |id: &str| world.admin_as(&bound, "GET", &format!("{TENANTS}/{id}"), Value::Null);
    get(&own.id).expect(200);
    let hidden = get(&other.id);
    let missing = get("no-such-tenant");
    assert_eq!((hidden.status, &hidden.body), (404, &missing.body));
    assert_eq!(missing.status, 404);
}

#[test]
fn a_bound_administrator_makes_no_tenants() {
    let world = World::new();
    let own = world.tenant("compat");
    let bound = token(&world, json!({"tenant_id": own.id}));
    for body in [
        json!({"name": "x"}),
        json!({"name": "x", "id": own.id}),
        json!({"name": "x", "id": "new"}),
    ] {
        world.admin_as(&bound, "POST", TENANTS, body).expect(403);
    }
    assert_eq!(world.database.number("select count(*) from tenants"), 1);
}

#[test]
fn a_tenant_id_that_cannot_be_one_makes_the_token_invalid() {
    let world = World::new();
    for id in [
        json!(""),
        json!("has_underscore"),
        json!("UPPER"),
        json!("a b"),
        json!("-a"),
        json!("x".repeat(64)),
    ] {
        expect_refused(&world, &token(&world, json!({"tenant_id": id})));
    }
    for id in [json!(1), json!(["acme"]), json!({}), json!(true)] {
        expect_refused(&world, &token(&world, json!({"tenant_id": id})));
    }
    // Null is no tenant, and must not be all of them.
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), Value::Null);
    expect_refused(&world, &world.jwt(&claims));
}

#[test]
fn the_audit_trail_names_the_subject() {
    let world = World::new();
    let someone = token(&world, json!({"sub": "someone@example.com"}));
    world
        .admin_as(&someone, "POST", TENANTS, json!({"name": "x", "id": "x"}))
        .expect(201);
    let rows = world
        .database
        .query("select actor, action, resource_type, resource_id from audit_events");
    assert_eq!(
        format!("{rows:?}"),
        "[[Text(\"jwt:someone@example.com\"), Text(\"create\"), Text(\"Tenant\"), Text(\"x\")]]"
    );
}
