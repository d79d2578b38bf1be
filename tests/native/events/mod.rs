//! The feed of events: every change of a tenant, in order, completely, with what it was about.

mod mirrored;
mod polls;
mod refusals;
mod signing_keys;
mod streams;
mod token_streams;
mod tokens;
mod troubles;

use serde_json::{Value, json};

use crate::support::{Answer, Tenant, World};

fn path(tenant: &Tenant<'_>, query: &str) -> String {
    format!("/api/v1/tenants/{}/events?{query}", tenant.id)
}

fn feed(tenant: &Tenant<'_>, query: &str) -> Answer {
    let answer = tenant.world.admin("GET", &path(tenant, query), Value::Null);
    answer.expect(200);
    answer
}

/// All events after a number.
fn events(tenant: &Tenant<'_>, after: i64) -> Vec<Value> {
    let answer = feed(tenant, &format!("after={after}&limit=1000"));
    assert_eq!(answer.body["pagination"]["has_more"], false);
    answer.body["data"].as_array().unwrap().clone()
}

fn last(tenant: &Tenant<'_>) -> i64 {
    let seq = tenant.get("/Users?count=0");
    seq.expect(200);
    seq.header("x-event-seq").parse().unwrap()
}

/// So many new users, by their ids.
fn many(tenant: &Tenant<'_>, count: usize) -> Vec<String> {
    let numbers: Vec<usize> = (0..count).collect();
    let made = numbers.chunks(1_000).flat_map(|numbers| {
        let operations: Vec<Value> = numbers
            .iter()
            .map(|number| json!({"method": "POST", "path": "/Users", "bulkId": format!("b{number}"), "data": {"userName": format!("user{number}")}}))
            .collect();
        let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
        let answer = tenant.send("POST", "/Bulk", bulk);
        let done = answer.body["Operations"].as_array().unwrap().clone();
        done.into_iter().map(|one| one["location"].as_str().unwrap().rsplit('/').next().unwrap().to_owned())
    });
    made.collect()
}

fn told(events: &[Value]) -> Vec<&str> {
    events
        .iter()
        .map(|event| event["type"].as_str().unwrap())
        .collect()
}

#[test]
fn each_change_is_an_event_of_its_type() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let from = last(&tenant);
    let user = tenant.user("ada");
    let other = tenant.user("grace");
    let at = format!("/Users/{user}");
    let set = |path: &str, value: Value| json!([{"op": "replace", "path": path, "value": value}]);
    tenant.patch(&at, set("active", json!(false))).expect(200);
    tenant.patch(&at, set("active", json!(true))).expect(200);
    tenant
        .patch(&at, set("title", json!("Countess")))
        .expect(200);
    let group = tenant.group("Analysts", &[&user]);
    let group_at = format!("/Groups/{group}");
    tenant
        .patch(&group_at, set("displayName", json!("Engineers")))
        .expect(200);
    tenant.patch(
        &group_at,
        json!([{"op": "add", "path": "members", "value": [{"value": other}]}]),
    );
    tenant.patch(
        &group_at,
        json!([{"op": "remove", "path": format!("members[value eq \"{user}\"]")}]),
    );
    tenant.send("DELETE", &at, Value::Null).expect(204);
    tenant.send("DELETE", &group_at, Value::Null).expect(204);
    // What changes nothing is no event.
    tenant.patch(&format!("/Users/{other}"), set("active", json!(true)));

    let all = events(&tenant, from);
    assert_eq!(
        told(&all),
        [
            "user.created",
            "user.created",
            "user.deactivated",
            "user.reactivated",
            "user.updated",
            "group.created",
            "group.member_added",
            "group.updated",
            "group.member_added",
            "group.member_removed",
            "user.deleted",
            "group.deleted",
        ]
    );
    let numbers: Vec<i64> = all
        .iter()
        .map(|event| event["seq"].as_i64().unwrap())
        .collect();
    assert!(numbers.is_sorted());
    assert_eq!(numbers.first(), Some(&(from + 1)));
    for event in &all {
        let deleted = event["type"].as_str().unwrap().ends_with(".deleted");
        let state = if deleted { "gone" } else { "version" };
        assert_eq!(event["data_state"], state, "{event}");
        assert_eq!(event["data"].is_null(), deleted, "{event}");
        assert_eq!(event["tenant_id"], tenant.id.as_str());
        assert!(event["actor"].as_str().unwrap().starts_with("scim-token:"));
    }
    assert_eq!(all[0]["data"]["userName"], "ada");
    assert_eq!(all[0]["data"]["id"], user.as_str());
    assert_eq!(all[0]["data"]["active"], true);
    assert_eq!(
        all[0]["resource"],
        json!({"type": "User", "id": user, "version": "W/\"1\""})
    );
    assert_eq!(all[2]["previous"], json!({"active": true}));
    assert_eq!(all[2]["data"]["active"], false);
    assert_eq!(all[4]["previous"], json!({"title": null}));
    assert_eq!(
        all[5]["data"]["members"],
        Value::Null,
        "never the whole group"
    );
    assert_eq!(all[6]["data"]["members"], json!([{"value": user}]));
    assert_eq!(all[6]["data"]["displayName"], "Analysts");
    assert_eq!(all[7]["previous"], json!({"displayName": "Analysts"}));
    assert_eq!(all[9]["data"]["members"], json!([{"value": user}]));
    assert_eq!(all[10]["previous"]["title"], "Countess");
    assert_eq!(all[11]["previous"]["displayName"], "Engineers");
}

#[test]
fn types_are_picked_and_what_is_none_is_named() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("ada");
    tenant.group("Analysts", &[&user]);
    let picked = |types: &str| {
        let answer = feed(&tenant, &format!("types={types}"));
        let data = answer.body["data"].as_array().unwrap();
        assert_eq!(
            answer.body["pagination"]["next"],
            last(&tenant),
            "what was passed over is done with"
        );
        told(data)
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(picked("user.*"), ["user.created"]);
    assert_eq!(picked("group.member_added"), ["group.member_added"]);
    assert_eq!(picked("group.*,user.created").len(), 3);
    assert_eq!(picked("*").len(), 3);
    for wrong in ["user", "user.", "u*", "user.made", "user.*,x", "us*"] {
        let answer = world.admin(
            "GET",
            &path(&tenant, &format!("types={wrong}")),
            Value::Null,
        );
        answer.expect(422);
        assert_eq!(
            answer.body["detail"][0]["loc"],
            json!(["query", "types"]),
            "{wrong}"
        );
    }
}

#[test]
fn numbers_that_are_gone_or_never_were_are_told() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("ada");
    let end = last(&tenant);
    let empty = feed(&tenant, &format!("after={end}"));
    assert_eq!(
        empty.body["pagination"],
        json!({"next": end, "has_more": false, "limit": 100})
    );
    let answer = world.admin(
        "GET",
        &path(&tenant, &format!("after={}", end + 1)),
        Value::Null,
    );
    answer.expect(422);
    for wrong in ["-1", "x", "9007199254740992", "1.5", ""] {
        let answer = world.admin(
            "GET",
            &path(&tenant, &format!("after={wrong}")),
            Value::Null,
        );
        answer.expect(422);
    }
    for query in ["limit=0", "limit=1001", "wait=26", "wait=-1", "page=1"] {
        world
            .admin("GET", &path(&tenant, query), Value::Null)
            .expect(422);
    }
    world.database.execute(&format!(
        "delete from audit_events where tenant_id = '{}' and seq < 2",
        tenant.id
    ));
    let gone = world.admin("GET", &path(&tenant, "after=0"), Value::Null);
    gone.expect(410);
    assert!(
        gone.body["detail"]
            .as_str()
            .unwrap()
            .contains("X-Event-Seq"),
        "{}",
        gone.body
    );
    feed(&tenant, "after=1");
}

/// With `wait` the reply comes when there is something, and at the end of it where there is nothing.
#[test]
fn a_wait_ends() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let end = last(&tenant);
    let before = world.clock.0.get();
    let answer = feed(&tenant, &format!("after={end}&wait=3"));
    assert_eq!(answer.body["data"], json!([]));
    assert_eq!(world.clock.0.get() - before, 3_000);
    assert!(answer.trips() < 12, "{}", answer.trips());
    tenant.user("ada");
    let before = world.clock.0.get();
    assert_eq!(
        feed(&tenant, &format!("after={end}&wait=25")).body["data"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(world.clock.0.get(), before);
}

/// Where what a change left is not kept, what came of it is told, and said to be later.
#[test]
fn without_history_the_data_is_of_now() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let admin_path = format!("/api/v1/admin/tenants/{}", tenant.id);
    world
        .admin("PATCH", &admin_path, json!({"history_days": 0}))
        .expect(200);
    let from = last(&tenant);
    let user = tenant.user("ada");
    let set = |value: &str| json!([{"op": "replace", "path": "title", "value": value}]);
    tenant
        .patch(&format!("/Users/{user}"), set("first"))
        .expect(200);
    tenant
        .patch(&format!("/Users/{user}"), set("second"))
        .expect(200);
    let all = events(&tenant, from);
    let states: Vec<&str> = all
        .iter()
        .map(|event| event["data_state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["now", "now", "version"]);
    assert!(all.iter().all(|event| event["data"]["title"] == "second"));
    assert!(all.iter().all(|event| event["previous"].is_null()));
    tenant
        .send("DELETE", &format!("/Users/{user}"), Value::Null)
        .expect(204);
    let all = events(&tenant, from);
    assert!(
        all.iter()
            .all(|event| event["data_state"] == "gone" && event["data"].is_null())
    );
}

/// Thousands of members make several events, which name all of them.
#[test]
fn all_members_are_named() {
    let world = World::new();
    let tenant = world.tenant("compat").unfused();
    let users = many(&tenant, 2_300);
    let group = tenant.group("Everybody", &[]);
    let from = last(&tenant);
    let members: Vec<Value> = users.iter().map(|id| json!({"value": id})).collect();
    let at = format!("/Groups/{group}");
    tenant.patch(
        &at,
        json!([{"op": "add", "path": "members", "value": members}]),
    );
    tenant.patch(&at, json!([{"op": "remove", "path": "members"}]));
    let all = events(&tenant, from);
    let counts: Vec<(&str, usize)> = all
        .iter()
        .map(|event| {
            (
                event["type"].as_str().unwrap(),
                event["data"]["members"].as_array().unwrap().len(),
            )
        })
        .collect();
    let [added, removed] = ["group.member_added", "group.member_removed"];
    assert_eq!(
        counts,
        [
            (added, 1_000),
            (added, 1_000),
            (added, 300),
            (removed, 1_000),
            (removed, 1_000),
            (removed, 300)
        ]
    );
    for way in [added, removed] {
        let named = all.iter().filter(|event| event["type"] == way);
        let named = named.flat_map(|event| event["data"]["members"].as_array().unwrap());
        let mut named: Vec<String> = named
            .map(|member| member["value"].as_str().unwrap().to_owned())
            .collect();
        named.sort();
        let mut wanted = users.clone();
        wanted.sort();
        assert_eq!(named, wanted);
    }
    let ids: std::collections::BTreeSet<&str> = all
        .iter()
        .map(|event| event["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), all.len(), "each has an id of its own");
}

/// Texts of many megabytes come page by page, each whole.
#[test]
fn long_texts_are_on_pages_of_their_own() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("ada");
    let from = last(&tenant);
    for number in 0..30 {
        let long: Vec<Value> = (0..500)
            .map(|place| json!({"value": format!("{number}-{place}-{}", "x".repeat(1_000)), "type": format!("t{place}")}))
            .collect();
        tenant
            .send(
                "PUT",
                &format!("/Users/{user}"),
                json!({"userName": "ada", "phoneNumbers": long}),
            )
            .expect(200);
    }
    let (mut after, mut told, mut pages) = (from, 0, 0);
    loop {
        let answer = feed(&tenant, &format!("after={after}&limit=1000"));
        for event in answer.body["data"].as_array().unwrap() {
            assert_eq!(event["data_state"], "version");
            let value = event["data"]["phoneNumbers"][0]["value"].as_str().unwrap();
            assert!(value.starts_with(&format!("{told}-")), "{told}");
            told += 1;
        }
        after = answer.body["pagination"]["next"].as_i64().unwrap();
        pages += 1;
        if answer.body["pagination"]["has_more"] == false {
            break;
        }
    }
    assert_eq!(told, 30);
    assert!((3..12).contains(&pages), "{pages}");
}

#[test]
fn a_page_costs_little() {
    let world = World::new();
    let tenant = world.tenant("compat").unfused();
    let from = last(&tenant);
    let users = many(&tenant, 100);
    let answer = feed(&tenant, &format!("after={from}"));
    assert_eq!(answer.trips(), 1);
    for user in &users {
        let set = json!([{"op": "replace", "path": "active", "value": false}]);
        tenant.patch(&format!("/Users/{user}"), set).expect(200);
    }
    let answer = feed(&tenant, &format!("after={}", last(&tenant) - 100));
    assert_eq!(answer.body["data"].as_array().unwrap().len(), 100);
    assert_eq!(answer.trips(), 1);
}
