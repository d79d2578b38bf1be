//! What is learned has bounds, and nothing secret in it.

use serde_json::{Value, json};

use super::learned::{URN, create};
use super::{USER, at_schemas, of_users};
use crate::support::World;

#[test]
fn a_part_that_has_parts_is_kept_as_a_text() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let urn = "urn:example:nested:2.0:User";
    let user = json!({"schemas": [USER], "userName": "ada", urn: {"desk": {"at": {"floor": 1}, "city": "Rome", "tags": ["a", "b"]}}});
    let made = tenant.send("POST", "/Users", user);
    let desk = &made.expect(201).body[urn]["desk"];
    assert_eq!(desk["city"], "Rome");
    assert_eq!(desk["at"], r#"{"floor":1}"#);
    assert_eq!(desk["tags"], r#"["a","b"]"#);
}

#[test]
fn a_path_with_a_filter_is_learned_from() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("ada@example.com");
    let urn = "urn:ietf:params:scim:schemas:extension:Desks:2.0:User";
    for (kind, value) in [("work", "1"), ("home", "2"), ("work", "3")] {
        let path = format!("{urn}:desks[type eq \"{kind}\"].value");
        let operation = json!({"op": "Add", "path": path, "value": value});
        tenant
            .patch(&format!("/Users/{id}"), json!([operation]))
            .expect(200);
    }
    let read = tenant.get(&format!("/Users/{id}"));
    assert_eq!(
        read.expect(200).body[urn]["desks"],
        json!([{"type": "work", "value": "3"}, {"type": "home", "value": "2"}])
    );
    for path in [
        "x[",
        "x[a eq \"b\"]",
        "x[a pr].value",
        "x[a eq b].value",
        "x[].value",
        "x[a eq \"b\"].value.y",
        "[a eq \"b\"].value",
    ] {
        let operation = json!({"op": "add", "path": format!("{urn}:{path}"), "value": "1"});
        let answer = tenant.patch(&format!("/Users/{id}"), json!([operation]));
        assert!(answer.status < 500, "{path}: {}", answer.body);
    }
}

#[test]
fn what_is_learned_stays_small_whatever_is_sent() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("ada@example.com");
    let path = format!("/Users/{id}");
    for number in 0..120 {
        let urn = format!("urn:x:A{number}:2.0:User");
        let parts: serde_json::Map<String, Value> = (0..400)
            .map(|part| (format!("p{part}"), 1.into()))
            .collect();
        let long = "n".repeat(6_000);
        for value in [
            json!({"c": {"a": 1}}),
            json!({"c": {long.as_str(): 1}}),
            json!({"c": parts}),
            json!({"d": [parts]}),
            json!({long.as_str(): 1}),
        ] {
            let answer = tenant.patch(
                &path,
                json!([{"op": "replace", "path": urn, "value": value}]),
            );
            assert!(answer.status < 500, "{}", answer.body);
        }
        tenant.patch(&path, json!([{"op": "remove", "path": urn}]));
    }
    let size = world
        .database
        .texts("select cast(sum(length(document)) as text) from own_schemas");
    assert!(
        size[0].parse::<usize>().expect("a size") < 100_000,
        "{size:?}"
    );
    let all = at_schemas(&tenant, "GET", "?per_page=100", Value::Null);
    let all = all.expect(200).body["data"]
        .as_array()
        .expect("schemas")
        .clone();
    let attributes = all
        .iter()
        .flat_map(|one| one["attributes"].as_array().expect("attributes"));
    let parts = attributes.map(|one| 1 + one["subAttributes"].as_array().map_or(0, Vec::len));
    assert!(all.len() <= 50 && parts.sum::<usize>() <= 200);
    // The administrator has room of their own.
    let declared = of_users("urn:example:declared:2.0:User", json!([{"name": "badge"}]));
    at_schemas(&tenant, "POST", "", declared).expect(201);
    tenant.get("/Users").expect(200);
}

#[test]
fn no_secret_is_kept_in_what_was_learned_before() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = create(
        &tenant,
        "ada",
        json!({"note": "x", "tags": ["a"], "c": {"part": "1"}}),
    );
    let path = format!("/Users/{id}");
    for (at, value) in [
        ("note", json!({"password": "hunter2"})),
        ("note", json!({"deep": {"client_secret": "hunter2"}})),
        ("note", json!("eyJhbGciOi.eyJzdWIi.hunter2")),
        ("note", json!("Bearer hunter2")),
        ("tags", json!(["q", {"password": "hunter2"}])),
        ("tags", json!(["rcs_hunter2"])),
        ("c", json!("eyJa.b.hunter2")),
        (
            "c",
            json!({"part": "eyJa.b.hunter2", "password": "hunter2"}),
        ),
        ("mixed", json!(["x", {"password": "hunter2"}])),
    ] {
        tenant
            .patch(
                &path,
                json!([{"op": "replace", "path": format!("{URN}:{at}"), "value": value}]),
            )
            .expect(200);
        let body = json!({"schemas": [USER, URN], "userName": "ada", URN: {at: value}});
        tenant.send("PUT", &path, body).expect(200);
        tenant
            .patch(&path, json!([{"op": "add", "value": {URN: {at: value}}}]))
            .expect(200);
        let kept = world.database.texts(
            "select resource from users union all select coalesce(resource, '') from revisions",
        );
        assert!(
            kept.iter().all(|text| !text.contains("hunter2")),
            "{at} {value}: {kept:?}"
        );
    }
}
