//! What is kept for so many days and goes then; deleted tenants, brought back and gone for good.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rollcall::change::rows_of_tenants as tables;
use rollcall::store::Value as Stored;
use serde_json::{Value, json};

use crate::support::{START, Tenant, World};

const DAY_MS: i64 = 86_400_000;

fn path(tenant: &Tenant<'_>) -> String {
    format!("/api/v1/admin/tenants/{}", tenant.id)
}

/// A tick of the clock, and all that it sends for.
fn tick(world: &World) {
    pollster::block_on(world.app.tick());
    world.queue.work_off();
}

fn rows(world: &World, table: &str, tenant: &str) -> i64 {
    world.database.number(&format!(
        "select count(*) from {table} where tenant_id = '{tenant}'"
    ))
}

fn text(value: &Stored) -> String {
    match value {
        Stored::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    }
}

/// Tables that have rows of tenants, as the database knows them.
fn tables_of_tenants(world: &World) -> BTreeSet<String> {
    let tables = world.database.query(
        "select m.name from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table' and c.name = 'tenant_id'",
    );
    tables.iter().map(|row| text(&row[0])).collect()
}

#[test]
fn every_table_that_has_rows_of_a_tenant_is_emptied_with_it() {
    let world = World::new();
    let mut known: BTreeSet<String> = tables::TABLES
        .iter()
        .map(|table| table.name.to_owned())
        .collect();
    known.insert("directory".to_owned());
    // Of moves: where a tenant is looked for, and what keeps messages of old from it, stay.
    for table in ["placements", "moves", "move_fences", "moved_rows"] {
        known.insert(table.to_owned());
    }
    assert_eq!(known, tables_of_tenants(&world));
    for table in tables::TABLES {
        let (table, key) = (table.name, table.key());
        let columns = world.database.query(&format!(
            "select name from pragma_table_info('{table}') where pk > 0 order by pk"
        ));
        let columns: Vec<String> = columns.iter().map(|row| text(&row[0])).collect();
        assert_eq!(columns.join(", "), format!("tenant_id, {key}"), "{table}");
    }
}

/// Something of a tenant in many tables.
fn fill(tenant: &Tenant<'_>) {
    let world = tenant.world;
    let ada = tenant.user("ada@example.com");
    let gone = tenant.user("gone@example.com");
    let group = tenant.group("All", &[&ada, &gone]);
    tenant
        .send("DELETE", &format!("/Users/{gone}"), Value::Null)
        .expect(204);
    let providers = format!("/api/v1/tenants/{}/identity-providers", tenant.id);
    let config = json!({"issuer": "https://idp.example.com", "client_id": "x", "client_secret": "y".repeat(20)});
    let provider = json!({"name": "Corp", "protocol": "OIDC", "oidc_config": config});
    world.admin("POST", &providers, provider).expect(201);
    tenant.patch(
        &format!("/Groups/{group}"),
        json!([{"op": "replace", "path": "displayName", "value": "Everybody"}]),
    );
}

fn nothing_is_left(world: &World, tenant: &str) {
    for table in tables_of_tenants(world) {
        assert_eq!(rows(world, &table, tenant), 0, "{table}");
    }
}

#[test]
fn a_deleted_tenants_rows_go_after_thirty_days_and_its_id_stays_taken() {
    let world = World::new();
    let (tenant, other) = (world.tenant("compat"), world.tenant("compat"));
    fill(&tenant);
    fill(&other);
    world
        .admin("DELETE", &path(&tenant), Value::Null)
        .expect(204);
    world.clock.0.set(START + 30 * DAY_MS - 1_000);
    tick(&world);
    assert_eq!(rows(&world, "users", &tenant.id), 1);
    let of_other = |world: &World| -> Vec<i64> {
        let tables = [
            "users",
            "groups",
            "group_members",
            "user_emails",
            "scim_tokens",
            "identity_providers",
            "directory",
        ];
        tables.map(|table| rows(world, table, &other.id)).into()
    };
    let before = of_other(&world);
    world.clock.0.set(START + 30 * DAY_MS + 1_000);
    tick(&world);
    nothing_is_left(&world, &tenant.id);
    assert_eq!(of_other(&world), before);
    let row = world.database.query(&format!(
        "select name, upkeep_at from tenants where id = '{}'",
        tenant.id
    ));
    assert_eq!(row, [[Stored::Text(String::new()), Stored::Null]]);
    world
        .admin(
            "POST",
            "/api/v1/admin/tenants/",
            json!({"name": "Again", "id": tenant.id}),
        )
        .expect(409);
    let restore = format!("{}/restore", path(&tenant));
    let answer = world.admin("POST", &restore, Value::Null);
    assert!(
        answer.expect(404).body["detail"]
            .as_str()
            .is_some_and(|text| text.contains("30 days"))
    );
    // Nobody asks for it any more.
    world.clock.0.set(START + 40 * DAY_MS);
    pollster::block_on(world.app.tick());
    assert!(
        !world
            .queue
            .waiting()
            .iter()
            .any(|message| message.contains(&tenant.id))
    );
}

#[test]
fn a_large_tenant_goes_by_many_messages_each_within_its_limits_and_twice_delivered_ones_do_no_harm()
{
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = &tenant.id;
    world.database.execute(&format!(
        "with recursive n (i) as (select 0 union all select i + 1 from n where i < 49999) \
         insert into group_members (tenant_id, group_id, member_id, member_type) \
         select '{id}', printf('g%03d', i % 100), printf('m%06d', i), 'User' from n"
    ));
    world
        .admin("DELETE", &path(&tenant), Value::Null)
        .expect(204);
    world.clock.0.set(START + 31 * DAY_MS);
    let message = json!({"v": 1, "kind": "upkeep", "tenant": id}).to_string();
    world.queue.put(&message);
    world.queue.put(&message);
    assert!(pollster::block_on(world.queue.deliver()));
    assert_eq!(rows(&world, "group_members", id), 50_000 - 10 * 2_000);
    world.queue.work_off();
    nothing_is_left(&world, id);
    assert!(world.queue.dead.borrow().is_empty());
}

#[test]
fn a_tenant_comes_back_within_thirty_days_with_new_tokens_to_be_made() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let settings = json!({"store_passwords": true});
    world.admin("PATCH", &path(&tenant), settings).expect(200);
    fill(&tenant);
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "eve", "password": "t0p-s3cret",
    });
    tenant.send("POST", "/Users", user).expect(201);
    let restore = format!("{}/restore", path(&tenant));
    world.admin("POST", &restore, Value::Null).expect(409);
    world
        .admin("POST", "/api/v1/admin/tenants/nobody/restore", Value::Null)
        .expect(404);
    world
        .admin("DELETE", &path(&tenant), Value::Null)
        .expect(204);
    assert_eq!(
        world
            .database
            .number("select count(*) from users where password_hash is not null"),
        0
    );
    let other = world.tenant("compat");
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), other.id.clone().into());
    let stranger = world.jwt(&claims);
    world
        .admin_as(&stranger, "POST", &restore, Value::Null)
        .expect(404);
    world.clock.0.set(START + 29 * DAY_MS);
    tick(&world);
    let answer = world.admin("POST", &restore, Value::Null);
    answer.expect(200);
    assert_eq!(answer.body["data"]["id"], tenant.id.as_str());
    assert_eq!(answer.trips(), 1);
    tenant.get("/Users").expect(401);
    let minted = world.admin(
        "POST",
        "/api/v1/admin/scim-tokens/",
        json!({"tenant_id": tenant.id, "name": "new"}),
    );
    let back = Tenant {
        world: &world,
        id: tenant.id.clone(),
        token: minted.expect(201).body["data"]["token"]
            .as_str()
            .expect("a token")
            .to_owned(),
        token_id: String::new(),
    };
    assert_eq!(back.get("/Users").body["totalResults"], 2);
    assert_eq!(back.find("userName sw \"a\""), ["ada@example.com"]);
    // It is not deleted thirty days after a deletion that was taken back.
    world.clock.0.set(START + 31 * DAY_MS);
    tick(&world);
    assert_eq!(rows(&world, "users", &tenant.id), 2);
    let events = world.database.query(&format!(
        "select action from audit_events where tenant_id = '{}' and resource_type = 'Tenant' order by seq", tenant.id
    ));
    let actions: Vec<String> = events.iter().map(|row| text(&row[0])).collect();
    assert_eq!(actions[2..4], ["delete", "restore"]);
}

#[test]
fn what_is_recorded_goes_after_the_days_that_the_tenant_says() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let days = json!({"audit_days": 60, "history_days": 10});
    world.admin("PATCH", &path(&tenant), days).expect(200);
    let old = tenant.user("old@example.com");
    tenant
        .send("DELETE", &format!("/Users/{old}"), Value::Null)
        .expect(204);
    let events = rows(&world, "audit_events", &tenant.id);
    world.clock.0.set(START + 50 * DAY_MS);
    let minted = world.admin(
        "POST",
        "/api/v1/admin/scim-tokens/",
        json!({"tenant_id": tenant.id, "name": "new"}),
    );
    minted.expect(201);
    tenant.user("new@example.com");
    let history = rows(&world, "revisions", &tenant.id);
    tick(&world);
    assert_eq!(
        rows(&world, "revisions", &tenant.id),
        history - 2,
        "the two of the old user"
    );
    assert_eq!(rows(&world, "tombstones", &tenant.id), 1);
    // And the event of the purge.
    assert_eq!(rows(&world, "audit_events", &tenant.id), events + 3);
    world.clock.0.set(START + 61 * DAY_MS);
    tick(&world);
    assert_eq!(rows(&world, "tombstones", &tenant.id), 0);
    let left = world.database.query(&format!(
        "select seq, action, detail from audit_events where tenant_id = '{}' order by seq",
        tenant.id
    ));
    assert_eq!(left.len(), 4, "{left:?}");
    assert!(left.iter().all(|row| row[0] != Stored::Integer(1)));
    assert_eq!(text(&left[3][1]), "purge");
    let detail: Value = serde_json::from_str(&text(&left[3][2])).expect("JSON");
    assert_eq!(
        detail,
        json!({"purged": {"audit_events": events, "revisions": 1}})
    );
    // Nothing to be done is nothing written.
    let before = world.database.dump_text();
    let message = json!({"v": 1, "kind": "upkeep", "tenant": tenant.id}).to_string();
    world.queue.put(&message);
    world.queue.work_off();
    assert_eq!(world.database.dump_text(), before);
    assert_eq!(tenant.get("/Users").body["totalResults"], 1);
}

/// Events behind the application's back, a minute each.
fn events(world: &World, tenant: &str, count: i64) {
    world.database.execute(&format!(
        "delete from audit_events where tenant_id = '{tenant}'; delete from requests where tenant_id = '{tenant}'; \
         with recursive n (i) as (select 1 union all select i + 1 from n where i < {count}) \
         insert into audit_events (tenant_id, seq, at, actor, action, resource_type, resource_id, attributes, request_id) \
         select '{tenant}', i, {START} + i * 60000, 'x', 'patch', 'User', 'u' || i, '[]', 'r' from n; \
         update tenants set audit_seq = {count} where id = '{tenant}'"
    ));
}

#[test]
fn what_a_purge_looks_at_does_not_grow_with_what_stays() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let mut steps = Vec::new();
    for count in [50_000, 400_000] {
        events(&world, &tenant.id, count);
        // A thousand of them are too old.
        world.clock.0.set(START + 365 * DAY_MS + 1_001 * 60_000);
        let message = json!({"v": 1, "kind": "upkeep", "tenant": tenant.id}).to_string();
        world.queue.put(&message);
        steps.push(world.database.steps(|| world.queue.work_off()));
        assert_eq!(rows(&world, "audit_events", &tenant.id), count - 1_000 + 1);
    }
    println!("{steps:?}");
    assert!(steps[1] < steps[0] + steps[0] / 10, "{steps:?}");
}

#[test]
fn a_hundred_thousand_events_go_by_messages_of_twenty_thousand() {
    let world = World::new();
    let tenant = world.tenant("compat");
    events(&world, &tenant.id, 100_000);
    world.clock.0.set(START + 1_000 * DAY_MS);
    world
        .queue
        .put(&json!({"v": 1, "kind": "upkeep", "tenant": tenant.id}).to_string());
    world
        .queue
        .put(&json!({"v": 1, "kind": "upkeep", "tenant": tenant.id}).to_string());
    world.queue.work_off();
    let left = world.database.query(&format!(
        "select action, detail from audit_events where tenant_id = '{}' order by seq",
        tenant.id
    ));
    assert_eq!(left.len(), 5, "{left:?}");
    for row in left {
        assert_eq!(text(&row[1]), "{\"purged\":{\"audit_events\":20000}}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Of events in the order of time, those before the border go and no other.
    #[test]
    fn the_border_is_found_wherever_it_lies(count in 1_i64..80, first in 1_i64..40, border in 0_i64..120) {
        let world = World::new();
        let tenant = world.tenant("compat");
        events(&world, &tenant.id, first + count);
        world.database.execute(&format!("delete from audit_events where tenant_id = '{}' and seq < {first}", tenant.id));
        world.clock.0.set(START + 365 * DAY_MS + border * 60_000);
        world.queue.put(&json!({"v": 1, "kind": "upkeep", "tenant": tenant.id}).to_string());
        world.queue.work_off();
        let left = world.database.query(&format!(
            "select seq from audit_events where tenant_id = '{}' and action = 'patch' order by seq", tenant.id
        ));
        let left: Vec<Vec<Stored>> = left;
        let wanted: Vec<Vec<Stored>> = (first.max(border)..=first + count).map(|seq| vec![Stored::Integer(seq)]).collect();
        prop_assert_eq!(left, wanted);
    }
}

/// How many refusals there were in a minute is known for a week, and what came of a large undo for thirty days.
#[test]
fn counts_of_refusals_and_large_undos_go() {
    let world = World::new();
    let (tenant, other) = (world.tenant("compat"), world.tenant("compat"));
    for tenant in [&tenant, &other] {
        tenant.get("/Users/0197b1a2-0000-7000-8000-000000000000");
        let undo = format!(
            "insert into undos select id, '{}', 'a', 'running', 0, 1, 0, '{{}}', 0, 0, null, 5 from tenants where id = '{}'",
            rollcall::ids::first_at(START),
            tenant.id
        );
        world.database.execute(&undo);
        let part = format!(
            "insert into undo_parts values ('{}', '{}', 0, '[]')",
            tenant.id,
            rollcall::ids::first_at(START)
        );
        world.database.execute(&part);
    }
    let all = |tenant: &Tenant<'_>| {
        ["request_counts", "undos", "undo_parts"].map(|table| rows(&world, table, &tenant.id))
    };
    assert_eq!(all(&tenant), [1, 1, 1]);
    world.clock.0.set(START + 7 * DAY_MS - 60_000);
    tick(&world);
    assert_eq!(all(&tenant), [1, 1, 1]);
    world.clock.0.set(START + 8 * DAY_MS + 120_000);
    tick(&world);
    assert_eq!(all(&tenant), [0, 1, 1]);
    world.clock.0.set(START + 32 * DAY_MS);
    tick(&world);
    assert_eq!((all(&tenant), all(&other)), ([0, 0, 0], [0, 0, 0]));
}
