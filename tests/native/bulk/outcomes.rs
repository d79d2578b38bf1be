//! How operations end, by themselves and together.

use serde_json::{Value, json};

use super::{
    GROUP, USER, assert_consistent, bulk, bulk_with, id_of, patch, post_group, post_user, statuses,
};
use crate::support::{Tenant, World};

#[test]
fn operations_fail_by_themselves_and_with_their_reasons() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let taken = tenant.user("taken");
    let answer = bulk(
        &tenant,
        json!([
            post_user("a", "ada"),
            post_user("b", "TAKEN"),
            post_user("c", "Ada"),
            {"method": "POST", "bulkId": "d", "path": "/Users", "data": {"schemas": [USER]}},
            {"method": "DELETE", "path": "/Users/019b0000-0000-7000-8000-000000000000"},
            {"method": "DELETE", "path": "/Nothing/1"},
            {"method": "FETCH", "path": "/Users"},
            {"method": "PATCH", "path": "/Users"},
            post_group("g", "Group", json!([{"value": "bulkId:b"}])),
            post_group("h", "Other", json!([{"value": "bulkId:nobody"}])),
            {"method": "DELETE", "path": format!("/Users/{taken}"), "version": "W/\"7\""},
            post_user("a", "again"),
            {"method": "PUT", "path": format!("/Users/{taken}"), "data": {"schemas": [USER], "userName": "ada"}},
            "nonsense",
        ]),
    );
    assert_eq!(
        statuses(&answer),
        [
            "201", "409", "409", "400", "404", "400", "400", "400", "400", "400", "412", "400",
            "409", "400"
        ]
    );
    let response = &answer.body["Operations"][1]["response"];
    assert_eq!(response["scimType"], "uniqueness");
    assert_eq!(response["status"], "409");
    assert!(answer.body["Operations"][1].get("location").is_none());
    let detail = |index: usize| {
        answer.body["Operations"][index]["response"]["detail"]
            .as_str()
            .unwrap()
    };
    for (index, names) in [
        (3, "userName"),
        (5, "/Nothing/1"),
        (6, "method"),
        (8, "bulkId:b"),
        (9, "bulkId:nobody"),
        (11, "`a`"),
    ] {
        assert!(detail(index).contains(names), "{}", detail(index));
    }
    assert_eq!(tenant.get("/Users").body["totalResults"], 2);
    assert_eq!(tenant.get("/Groups").body["totalResults"], 0);
    assert_consistent(&world);
}

#[test]
fn fail_on_errors_ends_the_work_at_that_many_failures() {
    let world = World::new();
    let tenant = world.tenant("strict");
    tenant.user("x");
    let operations = json!([
        post_user("1", "a"),
        post_user("2", "x"),
        post_user("3", "b"),
        post_user("4", "x"),
        post_user("5", "c"),
    ]);
    let answer = bulk_with(&tenant, json!({"failOnErrors": 2}), operations.clone());
    assert_eq!(statuses(&answer), ["201", "409", "201", "409"]);
    assert_eq!(tenant.find("userName pr"), ["a", "b", "x"]);
    // A resource that is not reached is not there to be referred to.
    let answer = bulk_with(
        &tenant,
        json!({"failOnErrors": 1}),
        json!([
            post_group("g", "G", json!([{"value": "bulkId:late"}])),
            post_user("late", "late"),
            post_user("bad", "x"),
        ]),
    );
    assert_eq!(statuses(&answer), ["201", "201", "409"]);
    let answer = bulk_with(
        &tenant,
        json!({"failOnErrors": 1}),
        json!([
            post_group("g", "H", json!([{"value": "bulkId:later"}])),
            post_user("bad", "x"),
            post_user("later", "later"),
        ]),
    );
    assert_eq!(statuses(&answer), ["400"]);
    assert_consistent(&world);
}

#[test]
fn operations_see_what_those_before_them_did() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let (ada, bob) = (tenant.user("ada"), tenant.user("bob"));
    let group = tenant.group("Staff", &[&ada]);
    let user = format!("/Users/{ada}");
    let answer = bulk(
        &tenant,
        json!([
            patch(&user, json!([{"op": "replace", "path": "userName", "value": "ada.l"}])),
            post_user("new", "ada"),
            patch(&user, json!([{"op": "add", "path": "title", "value": "Countess"}])),
            patch(&user, json!([{"op": "add", "path": "title", "value": "Countess"}])),
            patch(&format!("/Groups/{group}"), json!([{"op": "add", "path": "members", "value": [{"value": bob}]}])),
            {"method": "DELETE", "path": user},
            {"method": "DELETE", "path": user},
            patch(&user, json!([{"op": "remove", "path": "title"}])),
            post_user("newer", "ada.l"),
        ]),
    );
    assert_eq!(
        statuses(&answer),
        [
            "200", "201", "200", "200", "200", "204", "404", "404", "201"
        ]
    );
    let versions: Vec<&Value> = (0..4)
        .map(|index| &answer.body["Operations"][index]["version"])
        .collect();
    assert_eq!(versions, ["W/\"2\"", "W/\"1\"", "W/\"3\"", "W/\"3\""]);
    assert_eq!(tenant.members(&group), [bob]);
    assert_eq!(tenant.find("userName pr"), ["ada", "ada.l", "bob"]);
    assert_consistent(&world);
}

#[test]
fn members_are_replaced_filtered_and_taken_away_in_bulk() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let users: Vec<String> = ["a", "b", "c", "d"].map(|name| tenant.user(name)).into();
    let inner = tenant.group("Inner", &[]);
    let group = tenant.group("Outer", &[&users[0], &users[1], &inner]);
    let path = format!("/Groups/{group}");
    let answer = bulk(
        &tenant,
        json!([
            patch(&path, json!([{"op": "remove", "path": "members[type eq \"Group\"]"}])),
            patch(&path, json!([{"op": "replace", "path": "members", "value": [{"value": users[1]}, {"value": users[2]}]}])),
            patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": users[3]}, {"value": users[2]}]}])),
            patch(&path, json!([{"op": "remove", "path": format!("members[value eq \"{}\"]", users[0])}])),
            {"method": "PUT", "path": format!("/Groups/{inner}"), "data": {
                "schemas": [GROUP], "displayName": "Inner", "members": [{"value": users[0]}]}},
        ]),
    );
    assert_eq!(statuses(&answer), ["200", "200", "200", "200", "200"]);
    let mut wanted = users[1..].to_vec();
    wanted.sort();
    assert_eq!(tenant.members(&group), wanted);
    assert_eq!(tenant.members(&inner), [users[0].clone()]);
    assert_consistent(&world);
}

#[test]
fn a_thousand_users_take_one_round_trip() {
    let world = World::new();
    let tenant = world.tenant("strict").unfused();
    let operations: Vec<Value> = (0..1_000)
        .map(|index| post_user(&index.to_string(), &format!("user{index}")))
        .collect();
    let answer = bulk(&tenant, json!(operations));
    assert!(statuses(&answer).into_iter().all(|status| status == "201"));
    assert_eq!(answer.trips(), 1);
    assert_eq!(tenant.get("/Users?count=0").body["totalResults"], 1_000);
    let paths: Vec<Value> = (0..1_000)
        .map(|index| json!({"method": "DELETE", "path": format!("/Users/{}", id_of(&answer, index))}))
        .collect();
    let answer = bulk(&tenant, json!(paths));
    assert!(statuses(&answer).into_iter().all(|status| status == "204"));
    assert_eq!(tenant.get("/Users").body["totalResults"], 0);
    assert_consistent(&world);
}

#[test]
fn what_is_over_the_limits_is_refused_whole() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let operations: Vec<Value> = (0..1_001)
        .map(|index| post_user(&index.to_string(), &format!("user{index}")))
        .collect();
    bulk(&tenant, json!(operations)).expect_scim_error(413, "", "1000");
    let long = "x".repeat(1024 * 1024);
    bulk(&tenant, json!([post_user("1", &long)])).expect_scim_error(413, "", "1048576");
    for (body, names) in [
        (json!({"Operations": []}), "BulkRequest"),
        (
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]}),
            "Operations",
        ),
        (json!([]), "object"),
    ] {
        tenant
            .send("POST", "/Bulk", body)
            .expect_scim_error(400, "invalidSyntax", names);
    }
    assert_eq!(tenant.get("/Users").body["totalResults"], 0);
}

/// RFC 7644 §3.7 knows numbers of errors to accept, and 0 is none of them.
#[test]
fn fail_on_errors_of_0_asks_for_no_end() {
    for profile in ["compat", "strict"] {
        for more in [
            json!({"failOnErrors": 0}),
            json!({"failOnErrors": null}),
            json!({}),
        ] {
            let world = World::new();
            let tenant = world.tenant(profile);
            tenant.user("x");
            let operations = json!([
                post_user("1", "x"),
                post_user("2", "a"),
                post_user("3", "x"),
                post_user("4", "b"),
            ]);
            let answer = bulk_with(&tenant, more.clone(), operations);
            assert_eq!(statuses(&answer), ["409", "201", "409", "201"], "{more}");
            assert_eq!(tenant.find("userName pr"), ["a", "b", "x"]);
        }
    }
}

#[test]
fn somebody_elses_change_in_between_is_not_lost() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let ada = tenant.user("ada");
    let path = format!("/Users/{ada}");
    let other = format!(
        "update users set version = version + 1, resource = json_set(resource, '$.nickName', 'Countess'), \
         keys = json_set(keys, '$.nickname', 'countess') where id = '{ada}'"
    );
    world.database.interfere_before_write(&[&other]);
    let answer = bulk(
        &tenant,
        json!([patch(
            &path,
            json!([{"op": "add", "path": "title", "value": "Lady"}])
        )]),
    );
    assert_eq!(statuses(&answer), ["200"]);
    assert_eq!(answer.body["Operations"][0]["version"], "W/\"3\"");
    let user = tenant.get(&path);
    assert_eq!(
        (&user.body["title"], &user.body["nickName"]),
        (&json!("Lady"), &json!("Countess"))
    );
    assert_consistent(&world);
}

#[test]
fn a_post_in_bulk_takes_nobody_over() {
    let world = World::new();
    for profile in ["compat", "strict"] {
        let tenant = world.tenant(profile);
        let (old, bob) = (tenant.user("ada"), tenant.user("bob"));
        let switch = |id: &str, active: bool| {
            let operations = json!([{"op": "replace", "path": "active", "value": active}]);
            patch(&format!("/Users/{id}"), operations)
        };
        bulk(&tenant, json!([switch(&old, false)]));
        let before = tenant.get(&format!("/Users/{old}")).body;
        // Bob becomes inactive by an operation before, and Ada is active again at the end.
        let answer = bulk(
            &tenant,
            json!([
                post_group("g", "Staff", json!([{"value": "bulkId:ada"}])),
                post_user("ada", "Ada"),
                post_user("b", "BOB"),
                switch(&bob, false),
                post_user("c", "Bob"),
            ]),
        );
        assert_eq!(statuses(&answer), ["400", "409", "409", "200", "409"]);
        let details = [(1, Some(&old)), (2, None), (4, Some(&bob))];
        for (index, inactive) in details {
            let refusal = &answer.body["Operations"][index]["response"];
            assert_eq!(refusal["scimType"], "uniqueness");
            let detail = refusal["detail"].as_str().unwrap();
            assert!(detail.contains("userName"), "{detail}");
            assert_eq!(detail.contains("inactive"), inactive.is_some(), "{detail}");
            let location = inactive.map(|id| format!("/scim/v2/Users/{id}"));
            assert!(
                detail.contains(location.unwrap_or_default().as_str()),
                "{detail}"
            );
        }
        assert_eq!(tenant.get(&format!("/Users/{old}")).body, before);
        let answer = bulk(&tenant, json!([switch(&old, true)]));
        assert_eq!(statuses(&answer), ["200"]);
        assert_eq!(tenant.get(&format!("/Users/{old}")).body["active"], true);
        assert_consistent(&world);
    }
}

#[test]
fn each_operation_needs_its_own_scope() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let minted = world.admin(
        "POST",
        "/api/v1/admin/scim-tokens/",
        json!({
        "tenant_id": tenant.id, "name": "limited", "scopes": ["bulk", "users:write"]}),
    );
    let limited = Tenant {
        world: &world,
        id: tenant.id.clone(),
        token: minted.body["data"]["token"].as_str().unwrap().to_owned(),
        token_id: String::new(),
    };
    let answer = bulk(
        &limited,
        json!([post_user("u", "ada"), post_group("g", "G", json!([]))]),
    );
    assert_eq!(statuses(&answer), ["201", "403"]);
    let minted = world.admin(
        "POST",
        "/api/v1/admin/scim-tokens/",
        json!({
        "tenant_id": tenant.id, "name": "no bulk", "scopes": ["users:write"]}),
    );
    let without = Tenant {
        token: minted.body["data"]["token"].as_str().unwrap().to_owned(),
        ..limited
    };
    bulk(&without, json!([post_user("u", "bob")])).expect_scim_error(403, "", "bulk");
}

#[test]
fn a_tombstone_has_the_external_id_that_the_resource_had_last() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let make = |path: &str, schema: &str, name: &str, external: &str| {
        let body = json!({"schemas": [schema], name: external, "externalId": external});
        tenant.send("POST", path, body).expect(201).id()
    };
    let moved = make("/Users", USER, "userName", "before");
    let removed = make("/Users", USER, "userName", "removed");
    let kept = make("/Users", USER, "userName", "kept");
    let group = make("/Groups", GROUP, "displayName", "group");
    let set = |path: &str, operation: Value| patch(path, json!([operation]));
    let user = |id: &str| format!("/Users/{id}");
    let answer = bulk(
        &tenant,
        json!([
            set(&user(&moved), json!({"op": "replace", "path": "externalId", "value": "after"})),
            set(&user(&removed), json!({"op": "remove", "path": "externalId"})),
            set(&user(&kept), json!({"op": "add", "path": "title", "value": "x"})),
            set(&format!("/Groups/{group}"), json!({"op": "replace", "path": "externalId", "value": "team"})),
            {"method": "DELETE", "path": user(&moved)},
            {"method": "DELETE", "path": user(&removed)},
            {"method": "DELETE", "path": user(&kept)},
            {"method": "DELETE", "path": format!("/Groups/{group}")},
        ]),
    );
    assert_eq!(
        statuses(&answer),
        ["200", "200", "200", "200", "204", "204", "204", "204"]
    );
    for (id, external_id) in [
        (moved, "after"),
        (removed, "none"),
        (kept, "kept"),
        (group, "team"),
    ] {
        let found = world.database.query(&format!(
            "select coalesce(external_id, 'none') from tombstones where id = '{id}' and deleted_at > 0"
        ));
        assert_eq!(found, vec![vec![rollcall::store::Value::from(external_id)]]);
    }
    assert_consistent(&world);
}

#[test]
fn a_resource_that_is_long_is_written_and_one_too_long_fails_alone() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let with_title = |bulk_id: &str, title: String| {
        let mut operation = post_user(bulk_id, bulk_id);
        operation["data"]["title"] = json!(title);
        operation
    };
    // In JSON a quote is two bytes, and in JSON in JSON four.
    let quotes = "\"".repeat(400_000);
    let mut operations: Vec<Value> = (0..300)
        .map(|index| post_user(&format!("u{index}"), &format!("u{index}")))
        .collect();
    operations.push(with_title("long", quotes.clone()));
    let answer = bulk(&tenant, json!(operations));
    assert!(statuses(&answer).iter().all(|status| *status == "201"));
    let user = tenant.get(&format!("/Users/{}", id_of(&answer, 300)));
    assert_eq!(user.body["title"], quotes);
    // Folded, each of these is three characters of four bytes.
    let folds = "\u{1D160}".repeat(200_000);
    let answer = bulk(
        &tenant,
        json!([with_title("folds", folds.clone()), post_user("x", "x")]),
    );
    assert_eq!(statuses(&answer), ["413", "201"]);
    let detail = answer.body["Operations"][0]["response"]["detail"].as_str();
    assert!(detail.unwrap().contains("larger"), "{detail:?}");
    // The same where it comes alone.
    let body = with_title("folds", folds.clone())["data"].clone();
    let before = world.database.dump();
    tenant
        .send("POST", "/Users", body.clone())
        .expect_scim_error(413, "", "larger");
    let path = format!("/Users/{}", id_of(&answer, 1));
    tenant
        .send("PUT", &path, body)
        .expect_scim_error(413, "", "larger");
    let group = json!({"schemas": [GROUP], "displayName": folds});
    tenant
        .send("POST", "/Groups", group)
        .expect_scim_error(413, "", "larger");
    assert_eq!(world.database.dump(), before);
    assert_consistent(&world);
}
