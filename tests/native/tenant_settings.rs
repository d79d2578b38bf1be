//! What an administrator sets for a tenant counts with the next request of every client, whatever a cache still knows.

use serde_json::{Value, json};

use crate::support::{Tenant, World};

fn set(tenant: &Tenant<'_>, body: Value) {
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    tenant.world.admin("PATCH", &path, body).expect(200);
}

/// A body that `compat` takes and `strict` does not.
fn sloppy(name: &str) -> Value {
    json!({"userName": name, "active": "True"})
}

#[test]
fn a_tenant_made_strict_refuses_the_next_sloppy_request() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.send("POST", "/Users", sloppy("a")).expect(201);
    set(&tenant, json!({"scim_profile": "strict"}));
    tenant.send("POST", "/Users", sloppy("b")).expect(400);
    assert_eq!(world.database.number("select count(*) from users"), 1);
}

#[test]
fn a_tenant_made_compat_takes_the_next_sloppy_request() {
    let world = World::new();
    let tenant = world.tenant("strict");
    tenant.send("POST", "/Users", sloppy("a")).expect(400);
    tenant.user("warms-the-cache");
    set(&tenant, json!({"scim_profile": "compat"}));
    tenant.send("POST", "/Users", sloppy("b")).expect(201);
}

#[test]
fn a_switch_counts_for_reads_too() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let user = tenant.user("a");
    // Apostrophes are understood in `compat` alone.
    let search = "/Users?filter=userName%20eq%20%27a%27";
    tenant.get(search).expect(400);
    set(&tenant, json!({"scim_profile": "compat"}));
    let found = tenant.get(search);
    found.expect(200);
    assert_eq!(found.body["Resources"][0]["id"], user);
    set(&tenant, json!({"scim_profile": "strict"}));
    tenant.get(search).expect(400);
}

#[test]
fn passwords_are_hashed_from_the_moment_it_is_asked_for() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let with_password = |name: &str| {
        let body = json!({"userName": name, "password": "correct horse battery staple"});
        let answer = tenant.send("POST", "/Users", body);
        answer.expect(201);
        assert!(answer.body.get("password").is_none());
        answer.id()
    };
    with_password("before");
    set(&tenant, json!({"store_passwords": true}));
    let id = with_password("after");
    let hashes = world
        .database
        .texts("select password_hash from users where password_hash is not null");
    assert_eq!(hashes.len(), 1);
    assert!(hashes[0].starts_with("$argon2id$v=19$"), "{}", hashes[0]);
    tenant
        .patch(
            &format!("/Users/{id}"),
            json!([{"op": "replace", "path": "password", "value": "another one"}]),
        )
        .expect(200);
    let changed = world
        .database
        .texts("select password_hash from users where password_hash is not null");
    assert_ne!(changed, hashes);
    set(&tenant, json!({"store_passwords": false}));
    with_password("later");
    assert_eq!(
        world
            .database
            .number("select count(*) from users where password_hash is not null"),
        1
    );
    let everything = world.database.dump_text() + &world.log.0.borrow().join("\n");
    assert!(!everything.contains("correct horse") && !everything.contains("another one"));
    assert!(
        !tenant
            .get(&format!("/Users/{id}"))
            .body
            .to_string()
            .contains("argon2")
    );
}

#[test]
fn a_deleted_tenant_is_gone_for_its_tokens_at_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    let cached = world.cache.entries.borrow().clone();
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    world.admin("DELETE", &path, Value::Null).expect(204);
    *world.cache.entries.borrow_mut() = cached;
    let before = world.database.dump();
    let user_path = format!("/Users/{user}");
    for (method, path, body) in [
        ("GET", "/Users", Value::Null),
        ("GET", &user_path, Value::Null),
        ("POST", "/Users", sloppy("b")),
        ("PUT", &user_path, sloppy("c")),
        ("DELETE", &user_path, Value::Null),
    ] {
        let answer = tenant.send(method, path, body);
        answer.expect(401);
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer error=\"invalid_token\""
        );
    }
    assert_eq!(
        world.database.dump(),
        before,
        "nothing of a dead tenant changes"
    );
}

#[test]
fn the_tokens_of_a_deleted_tenant_are_gone_for_administrators() {
    let world = World::new();
    let tenant = world.tenant("compat");
    world
        .admin(
            "DELETE",
            &format!("/api/v1/admin/tenants/{}", tenant.id),
            Value::Null,
        )
        .expect(204);
    let token = format!("/api/v1/admin/scim-tokens/{}", tenant.token_id);
    world.admin("GET", &token, Value::Null).expect(404);
    world
        .admin("PATCH", &token, json!({"name": "x"}))
        .expect(404);
    world
        .admin("POST", &format!("{token}/rotate"), Value::Null)
        .expect(404);
    world.admin("DELETE", &token, Value::Null).expect(404);
    let listed = world.admin("GET", "/api/v1/admin/scim-tokens", Value::Null);
    assert_eq!(listed.body["pagination"]["total_items"], 0);
    let info = format!(
        "/api/v1/admin/scim-tokens/endpoint-info?tenant_id={}",
        tenant.id
    );
    world.admin("GET", &info, Value::Null).expect(404);
}

#[test]
fn groups_of_equal_names_from_stricter_days_can_still_be_changed() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let (first, second) = (tenant.group("Twins", &[]), tenant.group("Twins", &[]));
    let user = tenant.user("ada");
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    world
        .admin(
            "PATCH",
            &path,
            serde_json::json!({"scim_profile": "compat"}),
        )
        .expect(200);
    for group in [&first, &second] {
        let operations =
            serde_json::json!([{"op": "add", "path": "members", "value": [{"value": user}]}]);
        tenant
            .patch(&format!("/Groups/{group}"), operations)
            .expect(200);
    }
    // A new one of that name is held to what holds now.
    let third = serde_json::json!({"displayName": "Alone"});
    tenant.send("POST", "/Groups", third.clone()).expect(201);
    tenant
        .send("POST", "/Groups", third)
        .expect_scim_error(409, "uniqueness", "displayName");
}

#[test]
fn a_body_that_is_no_object_is_422() {
    let world = World::new();
    for body in [json!(["Seq"]), json!("x"), json!(1), json!([])] {
        let answer = world.admin("POST", "/api/v1/admin/tenants/", body);
        answer.expect(422);
        assert_eq!(answer.body["detail"][0]["loc"], json!(["body"]));
        assert_eq!(
            answer.body["detail"][0]["msg"],
            "it has to be a JSON object"
        );
    }
}

/// How long what is recorded is kept, and how much one credential may remove.
#[test]
fn what_is_recorded_is_kept_as_long_as_the_tenant_says() {
    let world = World::new();
    let path = "/api/v1/admin/tenants/acme";
    let fuse = json!({"percent": 100, "at_least": 0, "minutes": 1440});
    let given = json!({
        "audit_days": 3650, "history_days": 0, "requests_days": 7, "record_bodies": false, "removal_fuse": fuse,
    });
    let mut body = given.clone();
    body["name"] = "Acme".into();
    body["id"] = "acme".into();
    world
        .admin("POST", "/api/v1/admin/tenants/", body)
        .expect(201);
    let data = || world.admin("GET", path, Value::Null).expect(200).body["data"].clone();
    let same = |data: &Value, wanted: &Value| {
        wanted
            .as_object()
            .unwrap()
            .iter()
            .all(|(name, value)| data[name] == *value)
    };
    assert!(same(&data(), &given), "{}", data());
    for (name, value) in [
        ("audit_days", json!(0)),
        ("history_days", json!(1)),
        ("requests_days", json!(3650)),
        ("record_bodies", json!(true)),
        ("removal_fuse", Value::Null),
        (
            "removal_fuse",
            json!({"percent": 1, "at_least": 1, "minutes": 1}),
        ),
    ] {
        let mut wanted = data();
        wanted[name] = value.clone();
        world.admin("PATCH", path, json!({name: value})).expect(200);
        wanted["updated_at"] = data()["updated_at"].clone();
        assert_eq!(data(), wanted);
        // What is left out stays, and so does what is null, but for the fuse.
        world.admin("PATCH", path, json!({})).expect(200);
        assert_eq!(data(), wanted);
    }
    world
        .admin("PATCH", path, json!({"history_days": null}))
        .expect(200);
    assert_eq!(data()["history_days"], 1);
    let before = data();
    for (body, loc, kind) in [
        (
            json!({"audit_days": -1}),
            vec!["body", "audit_days"],
            "value_error",
        ),
        (
            json!({"history_days": 3651}),
            vec!["body", "history_days"],
            "value_error",
        ),
        (
            json!({"requests_days": "7"}),
            vec!["body", "requests_days"],
            "type_error",
        ),
        (
            json!({"requests_days": 1.5}),
            vec!["body", "requests_days"],
            "type_error",
        ),
        (
            json!({"record_bodies": 1}),
            vec!["body", "record_bodies"],
            "type_error",
        ),
        (
            json!({"removal_fuse": 20}),
            vec!["body", "removal_fuse"],
            "type_error",
        ),
        (
            json!({"removal_fuse": {"percent": 20, "at_least": 50}}),
            vec!["body", "removal_fuse", "minutes"],
            "missing",
        ),
        (
            json!({"removal_fuse": {"percent": 0, "at_least": 50, "minutes": 1}}),
            vec!["body", "removal_fuse", "percent"],
            "value_error",
        ),
        (
            json!({"removal_fuse": {"percent": 1, "at_least": 50, "minutes": 1, "x": 1}}),
            vec!["body", "removal_fuse", "x"],
            "extra_forbidden",
        ),
    ] {
        let answer = world.admin("PATCH", path, body);
        crate::tenants::expect_field(&answer, &loc, kind);
    }
    assert_eq!(data(), before);
}
