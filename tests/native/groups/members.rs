//! Members: who is put in, taken out and replaced, and what is counted and versioned.

use serde_json::{Value, json};

use super::{etag, expect_count, group_body, path};
use crate::support::Tenant;
use crate::users::in_both;

pub const NOBODY: &str = "0197b1a2-0000-7000-8000-000000000000";

pub fn sorted(ids: &[&String]) -> Vec<String> {
    let mut ids: Vec<String> = ids.iter().map(|&id| id.clone()).collect();
    ids.sort();
    ids
}

/// A group of two of three users.
pub fn two_of_three(tenant: &Tenant<'_>) -> (String, [String; 3]) {
    let users = ["a", "b", "c"].map(|name| tenant.user(name));
    (tenant.group("G", &[&users[0], &users[1]]), users)
}

#[test]
fn members_are_added_removed_and_replaced() {
    type Case = (fn(&[String; 3]) -> Value, &'static [usize]);
    let cases: [Case; 15] = [
        (
            |u| json!([{"op": "add", "path": "members", "value": [{"value": u[2]}]}]),
            &[0, 1, 2],
        ),
        (
            |u| json!([{"op": "add", "value": {"members": [{"value": u[2]}]}}]),
            &[0, 1, 2],
        ),
        (
            |u| json!([{"op": "add", "path": "members", "value": [{"value": u[0]}, {"value": u[2]}]}]),
            &[0, 1, 2],
        ),
        (
            |u| json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", u[0])}]),
            &[1],
        ),
        (
            |u| json!([{"op": "remove", "path": format!("members[value eq \"{}\" or value eq \"{}\"]", u[0], u[1])}]),
            &[],
        ),
        (
            |_| json!([{"op": "remove", "path": "members[type eq \"User\"]"}]),
            &[],
        ),
        (
            |_| json!([{"op": "remove", "path": "members[display eq \"A\"]"}]),
            &[1],
        ),
        (|_| json!([{"op": "remove", "path": "members"}]), &[]),
        (
            |u| json!([{"op": "replace", "path": "members", "value": [{"value": u[1]}, {"value": u[2]}]}]),
            &[1, 2],
        ),
        (
            |_| json!([{"op": "replace", "path": "members", "value": []}]),
            &[],
        ),
        (
            |u| json!([{"op": "replace", "value": {"members": [{"value": u[2]}]}}]),
            &[2],
        ),
        (
            |u| {
                json!([
                    {"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": [{"value": u[2]}]},
                ])
            },
            &[2],
        ),
        (
            |u| {
                json!([
                    {"op": "add", "path": "members", "value": [{"value": u[2]}]},
                    {"op": "remove", "path": format!("members[value eq \"{}\"]", u[2])},
                ])
            },
            &[0, 1],
        ),
        (
            |u| {
                json!([
                    {"op": "remove", "path": format!("members[value eq \"{}\"]", u[0])},
                    {"op": "add", "path": "members", "value": [{"value": u[0]}, {"value": u[2]}]},
                ])
            },
            &[0, 1, 2],
        ),
        (
            |u| {
                json!([
                    {"op": "add", "path": "members", "value": [{"value": u[2]}]},
                    {"op": "replace", "path": "members", "value": [{"value": u[0]}]},
                ])
            },
            &[0],
        ),
    ];
    for (operations, wanted) in cases {
        in_both(|tenant| {
            let (group, users) = two_of_three(tenant);
            let operations = operations(&users);
            let answer = tenant.patch(&path(&group), operations.clone());
            answer.expect(200);
            let wanted: Vec<&String> = wanted.iter().map(|&index| &users[index]).collect();
            assert_eq!(tenant.members(&group), sorted(&wanted), "{operations}");
            expect_count(tenant, &group, i64::try_from(wanted.len()).expect("few"));
            let changed = wanted != [&users[0], &users[1]];
            assert_eq!(
                answer.header("etag"),
                if changed { "W/\"2\"" } else { "W/\"1\"" },
                "{operations}"
            );
            assert_eq!(tenant.get(&path(&group)).body, answer.body);
        });
    }
}

#[test]
fn what_changes_nothing_is_no_new_version() {
    in_both(|tenant| {
        let (group, users) = two_of_three(tenant);
        let before = tenant.world.database.query("select * from audit_events");
        for operations in [
            json!([{"op": "add", "path": "members", "value": [{"value": users[0]}]}]),
            json!([{"op": "replace", "path": "members", "value": [{"value": users[1]}, {"value": users[0]}]}]),
            json!([{"op": "replace", "path": "displayName", "value": "G"}]),
            json!([{"op": "remove", "path": "members[type eq \"Group\"]"}]),
        ] {
            let answer = tenant.patch(&path(&group), operations.clone());
            assert_eq!(
                (answer.status, answer.header("etag")),
                (200, "W/\"1\""),
                "{operations}: {}",
                answer.body
            );
        }
        let same = tenant.send(
            "PUT",
            &path(&group),
            group_body("G", &[&users[1], &users[0]]),
        );
        assert_eq!((same.status, same.header("etag")), (200, "W/\"1\""));
        assert_eq!(
            tenant.world.database.query("select * from audit_events"),
            before
        );
    });
}

#[test]
fn a_replace_makes_the_members_those_it_names() {
    in_both(|tenant| {
        let (group, users) = two_of_three(tenant);
        let answer = tenant.send(
            "PUT",
            &path(&group),
            group_body("H", &[&users[1], &users[2]]),
        );
        answer.expect(200);
        assert_eq!(
            (&answer.body["displayName"], answer.header("etag")),
            (&json!("H"), "W/\"2\"")
        );
        assert_eq!(tenant.members(&group), sorted(&[&users[1], &users[2]]));
        expect_count(tenant, &group, 2);
    });
}

#[test]
fn a_replace_without_members_empties_a_strict_group_and_leaves_a_compat_one() {
    let world = crate::support::World::new();
    for (profile, left) in [("compat", 2), ("strict", 0)] {
        let tenant = world.tenant(profile);
        let (group, _) = two_of_three(&tenant);
        let mut body = group_body("H", &[]);
        body.as_object_mut().expect("an object").remove("members");
        tenant.send("PUT", &path(&group), body).expect(200);
        expect_count(&tenant, &group, left);
    }
}

#[test]
fn a_member_named_twice_is_one_member() {
    in_both(|tenant| {
        let user = tenant.user("a");
        let group = tenant.group("G", &[&user, &user]);
        expect_count(tenant, &group, 1);
        let twice = json!([{"value": user}, {"value": user, "type": "User"}]);
        tenant
            .patch(
                &path(&group),
                json!([{"op": "replace", "path": "members", "value": twice}]),
            )
            .expect(200);
        expect_count(tenant, &group, 1);
    });
}

#[test]
fn the_type_of_a_member_is_what_it_is_and_not_what_is_said() {
    in_both(|tenant| {
        let user = tenant.user("a");
        let inner = tenant.group("Inner", &[]);
        let mut body = group_body("Outer", &[]);
        body["members"] =
            json!([{"value": user, "type": "Group"}, {"value": inner, "type": "User"}]);
        let outer = tenant.send("POST", "/Groups", body);
        outer.expect(201);
        for member in outer.body["members"].as_array().expect("members") {
            let is_group = member["value"] == inner.as_str();
            assert_eq!(member["type"], if is_group { "Group" } else { "User" });
            let end = if is_group {
                format!("/Groups/{inner}")
            } else {
                format!("/Users/{user}")
            };
            assert!(
                member["$ref"]
                    .as_str()
                    .expect("a reference")
                    .ends_with(&end)
            );
        }
    });
}

#[test]
fn removing_who_is_no_member_changes_nothing() {
    let world = crate::support::World::new();
    for profile in ["compat", "strict"] {
        let tenant = world.tenant(profile);
        let (group, users) = two_of_three(&tenant);
        for id in [users[2].as_str(), NOBODY] {
            let answer = tenant.patch(
                &path(&group),
                json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]),
            );
            answer.expect(200);
        }
        expect_count(&tenant, &group, 2);
        assert_eq!(etag(&tenant, &group), "W/\"1\"");
    }
}

#[test]
fn hundreds_of_members_change_in_two_round_trips() {
    let world = crate::support::World::new();
    let tenant = world.tenant("compat").unfused();
    let users: Vec<String> = (0..300)
        .map(|number| tenant.user(&format!("u{number}")))
        .collect();
    let ids: Vec<&str> = users.iter().map(String::as_str).collect();
    let group = tenant.group("G", &ids);
    expect_count(&tenant, &group, 300);
    let gone: Vec<Value> = ids[..250]
        .iter()
        .map(|id| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}))
        .collect();
    let answer = tenant.patch(&path(&group), Value::from(gone));
    answer.expect(200);
    assert_eq!(answer.trips(), 2);
    expect_count(&tenant, &group, 50);
    let all: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
    let answer = tenant.patch(
        &path(&group),
        json!([{"op": "add", "path": "members", "value": all}]),
    );
    answer.expect(200);
    assert_eq!((answer.trips(), answer.header("etag")), (2, "W/\"3\""));
    expect_count(&tenant, &group, 300);
}
