//! How much went on in the last day, hour by hour.

use serde_json::{Value, json};

use crate::support::{Tenant, World};

const HOUR: i64 = 3_600_000;

fn read(tenant: &Tenant<'_>) -> Value {
    let path = format!("/api/v1/admin/activity/?tenant_id={}", tenant.id);
    let answer = tenant.world.admin("GET", &path, Value::Null);
    answer.expect(200);
    assert_eq!(answer.trips(), 1);
    answer.body["data"].clone()
}

/// The hours that had any, each with its number, requests, refused ones and changes.
fn hours(tenant: &Tenant<'_>) -> Vec<(usize, i64, i64, i64)> {
    let data = read(tenant);
    let hours = data["hours"].as_array().unwrap();
    assert_eq!(hours.len(), 24);
    assert_eq!(data["counted_since"], Value::Null);
    let number = |hour: &Value, name: &str| hour[name].as_i64().unwrap();
    let told = hours.iter().enumerate().map(|(index, hour)| {
        let [requests, refused, changes] =
            ["requests", "refused", "changes"].map(|name| number(hour, name));
        (index, requests, refused, changes)
    });
    told.filter(|(_, requests, refused, changes)| requests + refused + changes > 0)
        .collect()
}

/// A world whose clock stands at the beginning of an hour, and a tenant that was made long before.
fn quiet(world: &World) -> Tenant<'_> {
    let tenant = world.tenant("compat");
    let now = world.clock.0.get();
    world.clock.0.set((now / HOUR + 48) * HOUR);
    tenant
}

#[test]
fn each_hour_has_what_was_done_in_it() {
    let world = World::new();
    let (tenant, other) = (quiet(&world), world.tenant("compat"));
    let begin = world.clock.0.get();
    assert_eq!(hours(&tenant), []);
    other.user("somebody");
    let id = tenant.user("ada");
    tenant.send("POST", "/Users", json!({})).expect(400);
    // Looked for in vain; what is found is no entry of the journal.
    tenant
        .get("/Users?filter=userName%20eq%20%22nobody%22")
        .expect(200);
    tenant.get(&format!("/Users/{id}")).expect(200);
    assert_eq!(hours(&tenant), [(23, 3, 1, 1)]);
    // The last moment of that hour, and the first of the next.
    world.clock.0.set(begin + HOUR - 1);
    tenant.user("bob");
    world.clock.0.set(begin + HOUR);
    let operations: Vec<Value> = (0..5)
        .map(|number| {
            json!({"method": "POST", "path": "/Users", "bulkId": format!("b{number}"), "data": {"schemas": [super::USER], "userName": format!("many{number}")}})
        })
        .collect();
    let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    tenant.send("POST", "/Bulk", bulk).expect(200);
    assert_eq!(hours(&tenant), [(22, 4, 1, 2), (23, 1, 0, 5)]);
    // They go out of sight by the hour.
    world.clock.0.set(begin + 24 * HOUR - 1);
    assert_eq!(hours(&tenant), [(0, 4, 1, 2), (1, 1, 0, 5)]);
    world.clock.0.set(begin + 24 * HOUR);
    assert_eq!(hours(&tenant), [(0, 1, 0, 5)]);
    world.clock.0.set(begin + 25 * HOUR);
    assert_eq!(hours(&tenant), []);
    let at = read(&tenant)["hours"][23]["at"].clone();
    assert_eq!(at, rollcall::scim::date_time::format(begin + 25 * HOUR));
}

#[test]
fn of_very_many_the_latest_are_counted_and_since_when_is_said() {
    let world = World::new();
    let tenant = quiet(&world);
    let (id, begin) = (&tenant.id, world.clock.0.get() - 20 * HOUR);
    // One each second and a half, a tenth of them refused: 30,000 in 12.5 hours.
    world.database.execute(&format!(
        "with recursive n (i, at) as (select 1, {begin} + 1500 union all select i + 1, at + 1500 from n where i < 30000) \
         insert into requests (tenant_id, id, actor, method, route, path, status, failed, forgiven, duration_ms, d1_trips, seq, body_state) \
         select '{id}', printf('%08x-%04x-7000-8000-%012x', at >> 16, at & 65535, i), 'jwt:x', 'PATCH', '', '', 200, i % 10 = 0, '[]', 1, 1, 1, 'off' from n"
    ));
    let path = format!("/api/v1/admin/activity/?tenant_id={id}");
    let answer = world.admin("GET", &path, Value::Null);
    let data = &answer.expect(200).body["data"];
    let sum = |name: &str| -> i64 {
        let hours = data["hours"].as_array().unwrap().iter();
        hours.map(|hour| hour[name].as_i64().unwrap()).sum()
    };
    assert_eq!(
        (sum("requests"), sum("refused"), sum("changes")),
        (10_000, 1_000, 0)
    );
    let since = begin + 20_001 * 1_500;
    assert_eq!(
        data["counted_since"],
        rollcall::scim::date_time::format(since)
    );
    assert!(answer.cost("read") <= 10_100, "{}", answer.cost("read"));
}

#[test]
fn whose_activity_it_is() {
    let world = World::new();
    let (own, other) = (world.tenant("compat"), world.tenant("compat"));
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), own.id.clone().into());
    claims.insert("scope".to_owned(), "audit:read".into());
    let admin = world.jwt(&claims);
    let path = "/api/v1/admin/activity/";
    world.admin_as(&admin, "GET", path, Value::Null).expect(200);
    let its = format!("{path}?tenant_id={}", other.id);
    world.admin_as(&admin, "GET", &its, Value::Null).expect(404);
    world.admin("GET", path, Value::Null).expect(422);
    world
        .admin("GET", &format!("{path}?tenant_id=nobody"), Value::Null)
        .expect(404);
    claims.insert("scope".to_owned(), "tenants:read".into());
    let admin = world.jwt(&claims);
    world.admin_as(&admin, "GET", path, Value::Null).expect(403);
}
