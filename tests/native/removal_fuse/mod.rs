//! The fuse on removals: a credential that takes away more of a tenant than is allowed is stopped, in that alone, and nobody slips past.

mod model;

use serde_json::{Value, json};

use crate::support::{Answer, Tenant, World};

const SWITCH_OFF: &str = "active";

/// A tenant of so many users, made by another credential than the one that removes.
fn peopled(world: &World, users: usize) -> (Tenant<'_>, Vec<String>) {
    let tenant = world.tenant("compat");
    let made = tenant.send("POST", "/Bulk", bulk((0..users).map(|n| {
        json!({"method": "POST", "path": "/Users", "bulkId": format!("u{n}"), "data": {"userName": format!("u{n}")}})
    })));
    made.expect(200);
    let ids = made.body["Operations"]
        .as_array()
        .expect("operations")
        .iter();
    let ids = ids.map(|made| {
        let location = made["location"].as_str().expect("a location");
        location.rsplit('/').next().expect("an id").to_owned()
    });
    let ids = ids.collect();
    (tenant, ids)
}

fn bulk(operations: impl Iterator<Item = Value>) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations.collect::<Vec<_>>(),
    })
}

fn switch_off(tenant: &Tenant<'_>, id: &str) -> Answer {
    tenant.patch(
        &format!("/Users/{id}"),
        json!([{"op": "replace", "path": SWITCH_OFF, "value": false}]),
    )
}

fn set_fuse(tenant: &Tenant<'_>, fuse: Value) {
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    tenant
        .world
        .admin("PATCH", &path, json!({"removal_fuse": fuse}))
        .expect(200);
}

fn inactive(world: &World) -> i64 {
    world
        .database
        .number("select count(*) from users where json_extract(resource, '$.active') = 0")
}

fn allow(tenant: &Tenant<'_>, count: u32, minutes: u32) -> Answer {
    let path = format!(
        "/api/v1/admin/scim-tokens/{}/allow-removals",
        tenant.token_id
    );
    tenant
        .world
        .admin("POST", &path, json!({"count": count, "minutes": minutes}))
}

#[test]
fn what_goes_beyond_is_503_and_nothing_else_is() {
    for way in ["patch", "put", "delete", "bulk"] {
        let world = World::new();
        let (tenant, ids) = peopled(&world, 400);
        let statuses: Vec<u16> = ids
            .iter()
            .map(|id| match way {
                "patch" => switch_off(&tenant, id).status,
                "put" => {
                    let name = format!("p{id}");
                    tenant
                        .send(
                            "PUT",
                            &format!("/Users/{id}"),
                            json!({"userName": name, "active": false}),
                        )
                        .status
                }
                "delete" => {
                    tenant
                        .send("DELETE", &format!("/Users/{id}"), Value::Null)
                        .status
                }
                _ => {
                    let operation = json!({"method": "DELETE", "path": format!("/Users/{id}")});
                    let answer = tenant.send("POST", "/Bulk", bulk([operation].into_iter()));
                    answer.expect(200).body["Operations"][0]["status"]
                        .as_str()
                        .unwrap()
                        .parse()
                        .unwrap()
                }
            })
            .collect();
        // A fifth of 400, and every one after that is refused.
        assert!(
            statuses[..80].iter().all(|status| *status < 300),
            "{way}: {statuses:?}"
        );
        assert!(
            statuses[80..].iter().all(|status| *status == 503),
            "{way}: {statuses:?}"
        );
        let id = &ids[399];
        let refused = switch_off(&tenant, id);
        refused.expect(503);
        assert!(
            refused.header("retry-after").parse::<i64>().unwrap() > 3_000,
            "{way}"
        );
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(
            detail.contains("removal_fuse") && detail.contains("20 % of 400"),
            "{detail}"
        );
        // All else goes on.
        tenant
            .patch(
                &format!("/Users/{id}"),
                json!([{"op": "replace", "path": "title", "value": "x"}]),
            )
            .expect(200);
        tenant.user("newcomer");
        tenant.get(&format!("/Users/{id}")).expect(200);
        // It is told once in the audit trail.
        assert_eq!(
            world
                .database
                .number("select count(*) from audit_events where action = 'trip'"),
            1,
            "{way}"
        );
    }
}

#[test]
fn a_small_tenant_may_lose_fifty_and_the_ordinary_life_never_trips_it() {
    let world = World::new();
    let (tenant, ids) = peopled(&world, 60);
    for id in &ids[..50] {
        switch_off(&tenant, id).expect(200);
    }
    // Switching off whom is off, or on again, is no removal; nor is one who comes switched off.
    switch_off(&tenant, &ids[0]).expect(200);
    tenant
        .patch(
            &format!("/Users/{}", ids[0]),
            json!([{"op": "replace", "path": "active", "value": true}]),
        )
        .expect(200);
    tenant
        .send(
            "POST",
            "/Users",
            json!({"userName": "off", "active": false}),
        )
        .expect(201);
    switch_off(&tenant, &ids[51]).expect(503);
}

#[test]
fn a_bulk_request_does_what_is_left_and_refuses_the_rest() {
    let world = World::new();
    let (tenant, ids) = peopled(&world, 500);
    let operations = ids
        .iter()
        .map(|id| json!({"method": "DELETE", "path": format!("/Users/{id}")}));
    let more = std::iter::once(
        json!({"method": "POST", "path": "/Users", "bulkId": "n", "data": {"userName": "n"}}),
    );
    let answer = tenant.send("POST", "/Bulk", bulk(operations.chain(more)));
    answer.expect(200);
    let statuses: Vec<&str> = answer.body["Operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        statuses.iter().filter(|status| **status == "204").count(),
        100
    );
    assert_eq!(
        statuses.iter().filter(|status| **status == "503").count(),
        400
    );
    assert_eq!(statuses[500], "201");
    assert_eq!(world.database.number("select count(*) from users"), 401);
    assert_eq!(world.database.number("select user_total from tenants"), 401);
}

#[test]
fn an_administrator_lets_it_go_on_for_a_while() {
    let world = World::new();
    let (tenant, ids) = peopled(&world, 200);
    for id in &ids[..50] {
        switch_off(&tenant, id).expect(200);
    }
    switch_off(&tenant, &ids[50]).expect(503);
    let allowed = allow(&tenant, 3, 10);
    allowed.expect(200);
    assert_eq!(allowed.body["data"]["count"], 3);
    for id in &ids[50..53] {
        switch_off(&tenant, id).expect(200);
    }
    switch_off(&tenant, &ids[53]).expect(503);
    allow(&tenant, 10, 5).expect(200);
    switch_off(&tenant, &ids[53]).expect(200);
    world.clock.advance_seconds(301);
    switch_off(&tenant, &ids[54]).expect(503);
    // When the hour is over it counts anew.
    world.clock.advance_seconds(3_600);
    switch_off(&tenant, &ids[54]).expect(200);
    for (body, at) in [
        (json!({"count": 0, "minutes": 1}), "count"),
        (json!({"count": 1}), "minutes"),
        (json!({"count": 1, "minutes": 2_000}), "minutes"),
    ] {
        let path = format!(
            "/api/v1/admin/scim-tokens/{}/allow-removals",
            tenant.token_id
        );
        let refused = world.admin("POST", &path, body);
        refused.expect(422);
        assert_eq!(refused.body["detail"][0]["loc"], json!(["body", at]));
    }
}

#[test]
fn each_credential_is_counted_for_itself_and_each_tenant() {
    let world = World::new();
    let (tenant, ids) = peopled(&world, 200);
    for id in &ids[..50] {
        switch_off(&tenant, id).expect(200);
    }
    switch_off(&tenant, &ids[50]).expect(503);
    let minted = world.admin(
        "POST",
        "/api/v1/admin/scim-tokens/",
        json!({"tenant_id": tenant.id, "name": "other"}),
    );
    let other = Tenant {
        world: &world,
        id: tenant.id.clone(),
        token: minted.body["data"]["token"].as_str().unwrap().to_owned(),
        token_id: minted.body["data"]["id"].as_str().unwrap().to_owned(),
    };
    switch_off(&other, &ids[50]).expect(200);
    let (elsewhere, there) = peopled(&world, 10);
    switch_off(&elsewhere, &there[0]).expect(200);
    switch_off(&tenant, &ids[51]).expect(503);
    // An administrator of another tenant cannot let it go on.
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), elsewhere.id.clone().into());
    let path = format!(
        "/api/v1/admin/scim-tokens/{}/allow-removals",
        tenant.token_id
    );
    world
        .admin_as(
            &world.jwt(&claims),
            "POST",
            &path,
            json!({"count": 1, "minutes": 1}),
        )
        .expect(404);
}

#[test]
fn members_are_counted_against_all_memberships() {
    let world = World::new();
    let (tenant, ids) = peopled(&world, 300);
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let large = tenant.group("all", &all);
    let small = tenant.group("some", &all[..100]);
    let take = |group: &str, ids: &[String]| {
        let members: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
        tenant.patch(
            &format!("/Groups/{group}"),
            json!([{"op": "remove", "path": "members", "value": members}]),
        )
    };
    // 400 memberships: 80 may go.
    take(&large, &ids[..60]).expect(200);
    take(&large, &ids[60..81]).expect(503);
    take(&large, &ids[60..80]).expect(200);
    take(&small, &ids[..1]).expect(503);
    tenant
        .send(
            "PUT",
            &format!("/Groups/{small}"),
            json!({"displayName": "some", "members": []}),
        )
        .expect(503);
    assert_eq!(tenant.members(&small).len(), 100);
    assert_eq!(tenant.members(&large).len(), 220);
    // Who comes is no removal, and users have a count of their own.
    tenant
        .patch(
            &format!("/Groups/{large}"),
            json!([{"op": "add", "path": "members", "value": [{"value": ids[0]}]}]),
        )
        .expect(200);
    switch_off(&tenant, &ids[0]).expect(200);
}

#[test]
fn a_tenant_may_have_another_fuse_or_none() {
    let world = World::new();
    let (tenant, ids) = peopled(&world, 20);
    set_fuse(&tenant, json!({"percent": 10, "at_least": 0, "minutes": 1}));
    for id in &ids[..2] {
        switch_off(&tenant, id).expect(200);
    }
    let refused = switch_off(&tenant, &ids[2]);
    refused.expect(503);
    assert!(refused.header("retry-after").parse::<i64>().unwrap() <= 61);
    set_fuse(&tenant, Value::Null);
    for id in &ids {
        switch_off(&tenant, id).expect(200);
    }
    assert_eq!(inactive(&world), 20);
}

#[test]
fn a_removal_costs_no_round_trip_more_than_without_a_fuse() {
    let cost = |fuse: Value| {
        let world = World::new();
        let (tenant, ids) = peopled(&world, 100);
        set_fuse(&tenant, fuse);
        tenant.get(&format!("/Users/{}", ids[0])).expect(200);
        tenant.get(&format!("/Users/{}", ids[1])).expect(200);
        switch_off(&tenant, &ids[0]).expect(200);
        let patched = switch_off(&tenant, &ids[1]).trips();
        let deleted = tenant
            .send("DELETE", &format!("/Users/{}", ids[2]), Value::Null)
            .trips();
        [patched, deleted]
    };
    let with = cost(json!({"percent": 20, "at_least": 50, "minutes": 60}));
    let without = cost(Value::Null);
    assert_eq!(with, without);
}
