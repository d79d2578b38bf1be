//! The routes of a move, and its messages from end to end.

use serde_json::{Value, json};

use crate::support::{SECRET, Tenant, World};

fn world() -> World {
    let world = World::configured(&[("JWT_LOCAL_SECRET", SECRET), ("DATABASES", "eu apac")]);
    // Messages are delivered when the test says so.
    world.queue.halted.set(true);
    world
}

fn path(tenant: &Tenant<'_>) -> String {
    format!("/api/v1/admin/tenants/{}/move", tenant.id)
}

fn read(tenant: &Tenant<'_>) -> Value {
    let answer = tenant.world.admin("GET", &path(tenant), Value::Null);
    answer.expect(200).body["data"].clone()
}

#[track_caller]
fn begin(tenant: &Tenant<'_>, database: &str) -> Value {
    let answer = tenant
        .world
        .admin("POST", &path(tenant), json!({"database": database}));
    answer.expect(202).body["data"].clone()
}

#[test]
fn a_tenant_goes_from_one_database_to_the_next_and_home_again() {
    let mut world = world();
    {
        let tenant = world.tenant("compat");
        let ada = tenant.user("ada@example.com");
        tenant.group("All", &[&ada]);
    }
    let tenant_of = |world: &World| {
        let row = &world
            .admin("GET", "/api/v1/admin/tenants/", Value::Null)
            .body["data"][0];
        row["id"].as_str().unwrap().to_owned()
    };
    let id = tenant_of(&world);
    for (from, to) in [
        ("main", "eu"),
        ("eu", "apac"),
        ("apac", "main"),
        ("main", "apac"),
    ] {
        let path = format!("/api/v1/admin/tenants/{id}/move");
        let begun = world.admin("POST", &path, json!({"database": to}));
        let data = &begun.expect(202).body["data"];
        assert_eq!(
            [&data["from"], &data["to"], &data["status"]],
            [&json!(from), &json!(to), &json!("copying")]
        );
        world.queue.work_off();
        let done = world.admin("GET", &path, Value::Null);
        let data = &done.expect(200).body["data"];
        assert_eq!(data["status"], "done", "{data}");
        assert_eq!(data["rows_copied"], data["rows_total"]);
        assert!(
            data["pause_ms"].is_number()
                && data["finished_at"].is_string()
                && data["reason"].is_null()
        );
        let tenant = format!("/api/v1/admin/tenants/{id}");
        assert_eq!(
            world.admin("GET", &tenant, Value::Null).body["data"]["database"],
            to
        );
        // For one that has just begun, too, which remembers nothing.
        world.restart();
        assert_eq!(
            world.admin("GET", &tenant, Value::Null).body["data"]["database"],
            to
        );
        for name in ["main", "eu", "apac"] {
            let there = world
                .databases
                .named(name)
                .number("select count(*) from users");
            assert_eq!(there, i64::from(name == to), "{name}");
        }
        // A second delivery is passed over.
        world
            .queue
            .put(&json!({"v": 1, "kind": "move", "tenant": id, "id": data["id"]}).to_string());
        world.queue.work_off();
    }
    let events =
        format!("/api/v1/admin/audit-events/?tenant_id={id}&resource_type=Tenant&action=patch");
    let answer = world.admin("GET", &events, Value::Null);
    assert_eq!(
        answer.body["data"].as_array().map(Vec::len),
        Some(4),
        "{}",
        answer.body
    );
}

#[test]
fn what_cannot_be_done_is_refused() {
    let world = world();
    let tenant = world.tenant("compat");
    for (database, status) in [("main", 422), ("nowhere", 422), ("", 422)] {
        let answer = world.admin("POST", &path(&tenant), json!({"database": database}));
        assert_eq!(answer.status, status, "{database}");
        assert_eq!(answer.body["detail"][0]["loc"], json!(["body", "database"]));
    }
    let never = world.admin("GET", &path(&tenant), Value::Null);
    let never = &never.expect(200).body["data"];
    assert_eq!(
        [&never["status"], &never["from"], &never["to"]],
        [&json!("none"), &json!("main"), &Value::Null]
    );
    // One that takes no more tenants.
    world.databases.named("eu").bytes.set(Some(9_000_000_000));
    let full = world.admin("POST", &path(&tenant), json!({"database": "eu"}));
    assert!(
        full.expect(507).body["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("eu")),
        "{}",
        full.body
    );
    world.databases.named("eu").bytes.set(Some(400_000));
    world
        .admin("GET", "/api/v1/admin/tenants/nobody/move", Value::Null)
        .expect(404);
    world
        .admin("DELETE", &path(&tenant), Value::Null)
        .expect(404);
    let nobody = "/api/v1/admin/tenants/nobody/move";
    world
        .admin("POST", nobody, json!({"database": "eu"}))
        .expect(404);
    // An administrator of one tenant does not say where it lives, and learns nothing of others.
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), tenant.id.clone().into());
    let own = world.jwt(&claims);
    for (method, body) in [
        ("POST", json!({"database": "eu"})),
        ("GET", Value::Null),
        ("DELETE", Value::Null),
    ] {
        world
            .admin_as(&own, method, &path(&tenant), body.clone())
            .expect(403);
        world.admin_as(&own, method, nobody, body).expect(404);
    }
    begin(&tenant, "eu");
    let again = world.admin("POST", &path(&tenant), json!({"database": "apac"}));
    again.expect(409);
    world.queue.work_off();
    world
        .admin("DELETE", &path(&tenant), Value::Null)
        .expect(409);
    assert_eq!(read(&tenant)["status"], "done");
}

#[test]
fn it_is_taken_back() {
    let world = world();
    let tenant = world.tenant("compat");
    tenant.user("ada@example.com");
    begin(&tenant, "eu");
    let answer = world.admin("DELETE", &path(&tenant), Value::Null);
    assert_eq!(answer.expect(202).body["data"]["status"], "cancelling");
    world
        .admin("DELETE", &path(&tenant), Value::Null)
        .expect(409);
    world.queue.work_off();
    let data = read(&tenant);
    assert_eq!(
        (&data["status"], &data["reason"]),
        (&json!("cancelled"), &Value::Null)
    );
    tenant.user("bob@example.com");
    assert_eq!(world.database.number("select count(*) from users"), 2);
}

#[test]
fn the_clock_goes_on_with_one_whose_message_is_lost_and_ends_one_that_comes_to_nothing() {
    let world = world();
    let tenant = world.tenant("compat");
    begin(&tenant, "eu");
    world.queue.lose();
    world.clock.advance_seconds(200);
    pollster::block_on(world.app.tick());
    world.queue.work_off();
    assert_eq!(read(&tenant)["status"], "copying");
    world.clock.advance_seconds(200);
    pollster::block_on(world.app.tick());
    world.queue.work_off();
    assert_eq!(read(&tenant)["status"], "done");
    begin(&tenant, "apac");
    for _ in 0..7 {
        world.queue.lose();
        world.clock.advance_seconds(400);
        pollster::block_on(world.app.tick());
    }
    assert_eq!(read(&tenant)["status"], "cancelling");
    world.queue.work_off();
    let data = read(&tenant);
    assert_eq!(data["status"], "failed");
    assert_eq!(data["reason"], "nothing was heard of it for long");
    tenant.user("ada@example.com");
}

/// As somebody may leave it who has restored one database alone: nothing of either is deleted, and the move is over.
#[test]
fn a_tenant_that_stands_in_both_databases_keeps_its_rows_and_is_not_stuck() {
    let world = world();
    let tenant = world.tenant("compat");
    tenant.user("ada@example.com");
    let (main, eu) = (world.databases.main(), world.databases.named("eu"));
    eu.execute(&format!(
        "insert into tenants (id, name, scim_profile, store_passwords, created_at, updated_at) values ('{}', 'x', 'compat', 0, 0, 0)",
        tenant.id
    ));
    for _ in 0..2 {
        begin(&tenant, "eu");
        world.queue.work_off();
        let moved = read(&tenant);
        assert_eq!(moved["status"], "failed", "{moved}");
        assert!(moved["reason"].is_string(), "{moved}");
        assert_eq!(main.number("select count(*) from users"), 1);
        assert_eq!(main.number("select count(*) from tenants"), 1);
        assert_eq!(eu.number("select count(*) from tenants"), 1);
    }
}
