//! Undos of very many changes go by messages, which may be lost, doubled and late.

use serde_json::{Value, json};

use super::{PATH, USER, request_id, state, undo};
use crate::bulk::{bulk, patch as patch_operation};
use crate::support::{Answer, Tenant, World};

/// A world in which few changes are very many.
fn world(parts: usize) -> World {
    let mut world = World::new();
    world.app.config.undo.changes = 10;
    world.app.config.undo.resources = parts;
    // Each message does one part.
    world.app.config.undo.statements = 1;
    world.employ();
    world
}

fn people(tenant: &Tenant<'_>, count: usize) -> Vec<String> {
    (0..count)
        .map(|number| tenant.user(&format!("user-{number}")))
        .collect()
}

/// Deactivates everybody, as one request.
fn deactivated(tenant: &Tenant<'_>, ids: &[String]) -> Answer {
    let off = json!([{"op": "replace", "path": "active", "value": false}]);
    let operations = ids
        .iter()
        .map(|id| patch_operation(&format!("/Users/{id}"), off.clone()));
    let answer = bulk(tenant, operations.collect());
    answer.expect(200);
    answer
}

fn read(tenant: &Tenant<'_>, id: &str) -> Value {
    let path = format!("{PATH}{id}?tenant_id={}", tenant.id);
    tenant
        .world
        .admin("GET", &path, Value::Null)
        .expect(200)
        .body["data"]
        .clone()
}

#[track_caller]
fn begun(tenant: &Tenant<'_>, body: Value) -> String {
    let answer = undo(tenant, body);
    let data = &answer.expect(202).body["data"];
    assert_eq!(data["progress"]["id"], request_id(&answer));
    assert_eq!(
        (&data["progress"]["status"], &data["undone_total"]),
        (&json!("running"), &json!(0))
    );
    request_id(&answer)
}

#[test]
fn it_goes_part_by_part_and_can_be_taken_back() {
    let world = world(70);
    let tenant = world.tenant("compat").unfused();
    let ids = people(&tenant, 300);
    let group = tenant.group("G", &[&ids[0], &ids[299]]);
    let before = state(&tenant);
    world.clock.advance_seconds(60);
    let request = request_id(&deactivated(&tenant, &ids));
    let gone = tenant.send("DELETE", &format!("/Users/{}", ids[0]), Value::Null);
    gone.expect(204);
    let after = state(&tenant);
    world.clock.advance_seconds(60);
    let both = json!({"request_ids": [request, request_id(&gone)]});
    // Somebody changed one of them since.
    let other = json!([{"op": "replace", "path": "title", "value": "new"}]);
    tenant
        .patch(&format!("/Users/{}", ids[7]), other)
        .expect(200);
    let id = begun(&tenant, both.clone());
    let mut seen = Vec::new();
    while pollster::block_on(world.queue.deliver()) {
        let data = read(&tenant, &id);
        seen.push(data["progress"]["parts_done"].as_i64().unwrap());
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
    let data = read(&tenant, &id);
    assert_eq!(data["progress"]["status"], "succeeded");
    assert_eq!(
        (&data["undone_total"], &data["conflicts_total"]),
        (&json!(300), &json!(1))
    );
    assert_eq!(data["undone"].as_array().unwrap().len(), 300);
    assert_eq!(data["conflicts"][0]["resource_id"], ids[7]);
    assert_eq!(data["conflicts"][0]["reason"], "changed_since");
    assert_eq!(world.database.number("select count(*) from undo_parts"), 0);
    // 299 people, and the group that one of them comes back into.
    assert_eq!(tenant.members(&group).len(), 2);
    // All that it did is its own, and is taken back by its id; and that too.
    let sql = format!("select distinct actor from audit_events where request_id = '{id}'");
    assert_eq!(world.database.texts(&sql), ["jwt:root"]);
    let row = format!("select status || ' ' || route from requests where id = '{id}'");
    assert_eq!(world.database.texts(&row), ["202 /api/v1/admin/undo"]);
    let undone = state(&tenant);
    let redo = begun(&tenant, json!({"request_ids": [id]}));
    world.queue.work_off();
    let data = read(&tenant, &redo);
    assert_eq!(data["conflicts_total"], 0, "{data}");
    let is_other = |text: &&String| !text.contains(&ids[7]);
    assert!(
        state(&tenant)
            .iter()
            .filter(is_other)
            .eq(after.iter().filter(is_other))
    );
    let again = begun(&tenant, json!({"request_ids": [redo]}));
    world.queue.work_off();
    assert_eq!(read(&tenant, &again)["conflicts_total"], 0);
    assert_eq!(state(&tenant), undone);
    assert!(
        undone
            .iter()
            .filter(is_other)
            .eq(before.iter().filter(is_other))
    );
}

#[test]
fn a_dry_run_of_a_large_one_says_the_same() {
    let world = world(4);
    let tenant = world.tenant("compat").unfused();
    let ids = people(&tenant, 15);
    let request = request_id(&deactivated(&tenant, &ids));
    let rows = state(&tenant);
    let tried = begun(&tenant, json!({"request_ids": [request], "dry_run": true}));
    world.queue.work_off();
    let data = read(&tenant, &tried);
    assert_eq!(
        (&data["undone_total"], &data["dry_run"]),
        (&json!(15), &json!(true))
    );
    assert_eq!(state(&tenant), rows);
    let sql = format!("select count(*) from audit_events where request_id = '{tried}'");
    assert_eq!(world.database.number(&sql), 0);
}

/// Whatever becomes of the messages, each part is done once.
#[test]
fn messages_are_lost_doubled_and_late() {
    for number in 0..6 {
        let world = world(5);
        let tenant = world.tenant("compat").unfused();
        let ids = people(&tenant, 22);
        let before = state(&tenant);
        let request = request_id(&deactivated(&tenant, &ids));
        let id = begun(&tenant, json!({"request_ids": [request]}));
        for _ in 0..number {
            if let Some(message) = world.queue.waiting().first() {
                world.queue.put(message);
            }
            pollster::block_on(world.queue.deliver());
        }
        let late = world.queue.waiting();
        world.queue.lose();
        assert_eq!(
            read(&tenant, &id)["progress"]["status"],
            if number < 5 { "running" } else { "succeeded" }
        );
        // Nothing is heard of it, and the clock asks for it again.
        for _ in 0..12 {
            world.clock.advance_seconds(120);
            pollster::block_on(world.app.tick());
            world.queue.work_off();
        }
        late.iter().for_each(|message| world.queue.put(message));
        world.queue.work_off();
        let data = read(&tenant, &id);
        assert_eq!(data["progress"]["status"], "succeeded", "{number}");
        assert_eq!(
            (&data["undone_total"], &data["unchanged_total"]),
            (&json!(22), &json!(0))
        );
        assert_eq!(state(&tenant), before);
        let sql = format!("select count(*) from audit_events where request_id = '{id}'");
        assert_eq!(world.database.number(&sql), 22);
        assert!(world.queue.dead.borrow().is_empty());
    }
}

#[test]
fn one_that_never_succeeds_is_given_up() {
    let world = world(5);
    let tenant = world.tenant("compat").unfused();
    let ids = people(&tenant, 12);
    let request = request_id(&deactivated(&tenant, &ids));
    let id = begun(&tenant, json!({"request_ids": [request]}));
    world
        .database
        .execute("update undo_parts set body = 'broken'");
    for _ in 0..8 {
        world.queue.lose();
        world.clock.advance_seconds(700);
        pollster::block_on(world.app.tick());
    }
    let data = read(&tenant, &id);
    assert_eq!(data["progress"]["status"], "failed");
    assert!(data["progress"]["finished_at"].is_string());
}

#[test]
fn who_may_read_it() {
    let world = world(5);
    let (tenant, other) = (world.tenant("compat").unfused(), world.tenant("compat"));
    let ids = people(&tenant, 12);
    let request = request_id(&deactivated(&tenant, &ids));
    let id = begun(&tenant, json!({"request_ids": [request]}));
    let mut claims = world.claims();
    for (owner, scope, status) in [
        (&tenant, "audit:write", 403),
        (&tenant, "audit:read", 200),
        (&other, "audit:read", 404),
    ] {
        claims.insert("tenant_id".to_owned(), owner.id.clone().into());
        claims.insert("scope".to_owned(), scope.into());
        let answer = world.admin_as(
            &world.jwt(&claims),
            "GET",
            &format!("{PATH}{id}"),
            Value::Null,
        );
        answer.expect(status);
    }
}

/// 50,000 deactivations, each a request of its own.
#[test]
#[ignore = "it takes minutes, and measures"]
fn fifty_thousand_deactivations_are_taken_back() {
    let world = World::new();
    let tenant = world.tenant("compat").unfused();
    for thousand in 0..50 {
        let operations = (0..1_000).map(|number| {
            let data = json!({"schemas": [USER], "userName": format!("user-{thousand}-{number}")});
            json!({"method": "POST", "path": "/Users", "bulkId": format!("b{number}"), "data": data})
        });
        bulk(&tenant, operations.collect()).expect(200);
    }
    let ids = world.database.texts("select id from users order by id");
    let before = state(&tenant);
    world.clock.advance_seconds(3_600);
    for ids in ids.chunks(1_000) {
        deactivated(&tenant, ids);
    }
    world.clock.advance_seconds(60);
    let body = json!({"actor": format!("scim-token:{}", tenant.token_id), "since": "2026-01-02T04:00:00Z"});
    world.log.0.borrow_mut().clear();
    #[expect(clippy::disallowed_methods, reason = "it measures the machine")]
    let started = std::time::Instant::now();
    let answer = undo(&tenant, body);
    answer.expect(202);
    println!(
        "begun in {:?}: {}",
        started.elapsed(),
        answer.header("server-timing")
    );
    world.queue.work_off();
    println!("done in {:?}", started.elapsed());
    let lines = world.log.0.take();
    let lines = lines
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines: Vec<Value> = lines.filter(|line| line["undo"].is_string()).collect();
    let sum = |name: &str| {
        lines
            .iter()
            .filter_map(|line| line[name].as_u64())
            .sum::<u64>()
    };
    println!(
        "{} messages: {} trips, {} statements, {} rows read, {} rows written",
        lines.len(),
        sum("d1_trips"),
        sum("d1_statements"),
        sum("d1_rows_read"),
        sum("d1_rows_written")
    );
    let id = request_id(&answer);
    for (table, column) in [
        ("audit_events", "request_id"),
        ("revisions", "request_id"),
        ("users", "'{id}'"),
    ] {
        let column = column.replace("{id}", &id);
        let sql = format!("select count(*) from {table} where {column} = '{id}'");
        println!("{table}: {} rows", world.database.number(&sql));
    }
    let data = read(&tenant, &request_id(&answer));
    assert_eq!(
        (&data["undone_total"], &data["conflicts_total"]),
        (&json!(50_000), &json!(0))
    );
    assert!(state(&tenant) == before);
}
