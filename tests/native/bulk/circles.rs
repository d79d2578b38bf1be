//! Operations whose failure decides over others: those that refer to them, and those that stand in their way.

use serde_json::{Value, json};

use super::{
    USER, assert_consistent, bulk, bulk_with, id_of, patch, post_group, post_user, statuses,
};
use crate::support::World;

fn refers(bulk_id: &str) -> Value {
    json!([{"value": format!("bulkId:{bulk_id}")}])
}

fn nameless(bulk_id: &str) -> Value {
    json!({"method": "POST", "bulkId": bulk_id, "path": "/Users", "data": {"schemas": [USER]}})
}

#[test]
fn a_name_is_free_again_where_the_operation_that_took_it_fails() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let answer = bulk(
        &tenant,
        json!([
            post_group("outer", "Outer", refers("second")),
            post_group("first", "Staff", refers("bad")),
            post_group("second", "staff", json!([])),
            nameless("bad"),
        ]),
    );
    assert_eq!(statuses(&answer), ["201", "400", "201", "400"]);
    let detail = answer.body["Operations"][1]["response"]["detail"].as_str();
    assert!(detail.unwrap().contains("bulkId:bad"), "{detail:?}");
    assert_eq!(tenant.members(&id_of(&answer, 0)), [id_of(&answer, 2)]);
    assert_eq!(tenant.get("/Groups").body["totalResults"], 2);
    assert_consistent(&world);
}

#[test]
fn what_only_a_failed_operation_took_away_is_still_there() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let ada = tenant.user("ada");
    let staff = tenant.group("Staff", &[&ada]);
    let path = format!("/Groups/{staff}");
    // The first takes the name of the group and fails; the second finds the group under its old one.
    let answer = bulk(
        &tenant,
        json!([
            patch(
                &path,
                json!([
                {"op": "replace", "path": "displayName", "value": "Former"},
                {"op": "replace", "path": "members", "value": refers("bad")}])
            ),
            patch(
                &path,
                json!([{"op": "remove", "path": format!("members[value eq \"{ada}\"]")}])
            ),
            post_group("new", "Staff", json!([])),
            post_group("other", "Former", json!([])),
            nameless("bad"),
        ]),
    );
    assert_eq!(statuses(&answer), ["400", "200", "409", "201", "400"]);
    assert_eq!(answer.body["Operations"][1]["version"], "W/\"2\"");
    assert_eq!(tenant.members(&staff), Vec::<String>::new());
    assert_eq!(tenant.get(&path).body["displayName"], "Staff");
    assert_consistent(&world);
}

#[test]
fn a_whole_circle_fails_with_one_of_its_members_and_says_why() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let answer = bulk(
        &tenant,
        json!([
            post_group("a", "A", refers("b")),
            post_group("b", "B", refers("c")),
            {"method": "POST", "bulkId": "c", "path": "/Groups", "data": {"members": refers("a")}},
            post_user("d", "dora"),
        ]),
    );
    assert_eq!(statuses(&answer), ["400", "400", "400", "201"]);
    let detail = |index: usize| answer.body["Operations"][index]["response"]["detail"].to_string();
    assert!(detail(0).contains("bulkId:b"), "{}", detail(0));
    assert!(detail(1).contains("bulkId:c"), "{}", detail(1));
    // Its own failure, and not that of what it refers to.
    assert!(detail(2).contains("schemas"), "{}", detail(2));
    assert_eq!(tenant.get("/Groups").body["totalResults"], 0);
    assert_consistent(&world);
}

#[test]
fn operations_that_exclude_each_other_end_with_one_of_them() {
    let world = World::new();
    let tenant = world.tenant("compat");
    // The first holds only if the second does, which it keeps from holding.
    let answer = bulk(
        &tenant,
        json!([
            post_group("g", "Staff", refers("h")),
            post_group("h", "Staff", json!([])),
            post_group("i", "Others", refers("g")),
        ]),
    );
    assert_eq!(statuses(&answer), ["409", "201", "400"]);
    let mut names = Vec::new();
    for group in tenant.get("/Groups").body["Resources"].as_array().unwrap() {
        names.push(group["displayName"].clone());
    }
    assert_eq!(names, ["Staff"]);
    assert_consistent(&world);
}

#[test]
fn a_long_chain_of_references_and_of_freed_names_is_worked_out() {
    let world = World::new();
    let tenant = world.tenant("compat");
    // Each refers to the next, and the last one fails: all do.
    let chain = (0..500).map(|i| {
        post_group(
            &format!("c{i}"),
            &format!("C{i}"),
            refers(&format!("c{}", i + 1)),
        )
    });
    // Pairs of one name: the first of a pair waits for the second of the next, so that they hold in turns.
    let names = (0..60).flat_map(|i| {
        let next = format!("f{}", i + 1);
        [
            post_group(&format!("e{i}"), &format!("N{i}"), refers(&next)),
            post_group(&format!("f{i}"), &format!("N{i}"), json!([])),
        ]
    });
    let mut operations: Vec<Value> = chain.chain(names).collect();
    operations.push(nameless("c500"));
    operations.push(nameless("f60"));
    let answer = bulk(&tenant, json!(operations));
    let statuses = statuses(&answer);
    assert!(statuses[..500].iter().all(|status| *status == "400"));
    // Whatever was given up, nothing that failed is there and nothing that is there failed.
    let made = statuses.iter().filter(|status| **status == "201").count();
    assert!(made >= 60, "{made}");
    assert_eq!(tenant.get("/Groups?count=0").body["totalResults"], made);
    for (index, operation) in operations.iter().enumerate() {
        if statuses[index] == "201" {
            let members = tenant.members(&id_of(&answer, index));
            let wanted = operation["data"]["members"].as_array().unwrap().len();
            assert_eq!(members.len(), wanted, "{operation}");
        }
    }
    assert_consistent(&world);
}

#[test]
fn a_failure_by_reference_counts_as_one() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let answer = bulk_with(
        &tenant,
        json!({"failOnErrors": 2}),
        json!([
            post_group("g", "G", refers("bad")),
            post_user("a", "ada"),
            nameless("bad"),
            post_user("b", "bob"),
        ]),
    );
    assert_eq!(statuses(&answer), ["400", "201", "400"]);
    assert_eq!(tenant.find("userName pr"), ["ada"]);
    assert_consistent(&world);
}
