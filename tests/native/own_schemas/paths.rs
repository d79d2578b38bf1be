//! Paths that name declared attributes: of PATCH, filters, sorting and projection, in a Bulk too.

use serde_json::{Value, json};

use super::{ACME, acme, declare, made};
use crate::support::World;

#[test]
fn every_form_of_a_path_finds_them() {
    let cases = [
        // What a PATCH says, and what there is afterwards.
        (
            json!({"op": "add", "path": format!("{ACME}:level"), "value": 4}),
            json!({"costCode": "x", "level": 4}),
        ),
        (
            json!({"op": "Replace", "path": format!("{ACME}.level"), "value": 4}),
            json!({"costCode": "x", "level": 4}),
        ),
        (
            json!({"op": "replace", "path": format!("{}:COSTCODE", ACME.to_uppercase()), "value": "y"}),
            json!({"costCode": "y"}),
        ),
        (
            json!({"op": "replace", "path": "costCode", "value": "y"}),
            json!({"costCode": "y"}),
        ),
        (
            json!({"op": "add", "path": ACME, "value": {"level": 4, "costCode": "y"}}),
            json!({"costCode": "y", "level": 4}),
        ),
        (
            json!({"op": "add", "value": {ACME: {"level": 4}}}),
            json!({"costCode": "x", "level": 4}),
        ),
        (
            json!({"op": "add", "value": {format!("{ACME}:level"): 4}}),
            json!({"costCode": "x", "level": 4}),
        ),
        (
            json!({"op": "add", "value": {format!("{ACME}:contract.kind"): "open"}}),
            json!({"costCode": "x", "contract": {"kind": "open"}}),
        ),
        (
            json!({"op": "add", "path": format!("{ACME}:contract.kind"), "value": "open"}),
            json!({"costCode": "x", "contract": {"kind": "open"}}),
        ),
        (
            json!({"op": "add", "path": format!("{ACME}:skills"), "value": ["a", "b", "a"]}),
            json!({"costCode": "x", "skills": ["a", "b"]}),
        ),
        (
            json!({"op": "add", "path": format!("{ACME}:desks[type eq \"home\"].value"), "value": "D"}),
            json!({"costCode": "x", "desks": [{"type": "home", "value": "D"}]}),
        ),
        (
            json!({"op": "remove", "path": format!("{ACME}:costCode")}),
            Value::Null,
        ),
        (json!({"op": "remove", "path": ACME}), Value::Null),
        (
            json!({"op": "replace", "path": format!("{ACME}:costCode"), "value": ""}),
            Value::Null,
        ),
    ];
    for (operation, after) in cases {
        let world = World::new();
        let tenant = world.tenant("compat");
        declare(&tenant);
        let id = made(&tenant, "ada", json!({"costCode": "x"}));
        let answer = tenant.patch(&format!("/Users/{id}"), json!([operation]));
        assert_eq!(answer.expect(200).body[ACME], after, "{operation}");
        assert_eq!(acme(&tenant, &id), after, "{operation}");
        let has = answer.body["schemas"]
            .as_array()
            .unwrap()
            .contains(&json!(ACME));
        assert_eq!(has, !after.is_null(), "{operation}");
    }
}

#[test]
fn a_value_path_changes_the_values_that_it_finds() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        declare(&tenant);
        let desks = json!([{"value": "D1", "floor": 1}, {"value": "D2", "floor": 2}]);
        let id = made(&tenant, "ada", json!({"desks": desks}));
        let path = format!("/Users/{id}");
        let floor = format!("{ACME}:desks[value eq \"d1\"].floor");
        tenant
            .patch(&path, json!([{"op": "replace", "path": floor, "value": 7}]))
            .expect(200);
        let high = format!("{ACME}:desks[floor gt 5]");
        tenant
            .patch(&path, json!([{"op": "remove", "path": high}]))
            .expect(200);
        assert_eq!(
            acme(&tenant, &id),
            json!({"desks": [{"value": "D2", "floor": 2}]})
        );
    }
}

#[test]
fn filters_sorting_and_projection_know_them() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        declare(&tenant);
        let people = [
            (
                "ada",
                json!({"costCode": "Äb", "badge": "X", "level": 10, "share": 1.5, "remote": true, "since": "2026-01-01T00:00:00Z",
                "skills": ["Rust"], "contract": {"kind": "open"}, "desks": [{"value": "D1", "floor": 1}, {"value": "D2", "floor": 9}]}),
            ),
            (
                "bob",
                json!({"costCode": "B", "badge": "x", "level": 9, "share": -2, "remote": false, "since": "2026-01-01T02:00:00+01:00",
                "skills": ["sql", "rust"], "desks": [{"value": "D3", "floor": 5}]}),
            ),
            ("carol", json!({"ring": "x"})),
        ];
        for (name, values) in people {
            made(&tenant, name, values);
        }
        let cases: [(&str, &[&str]); 15] = [
            ("costCode eq \"äB\"", &["ada"]),
            ("badge eq \"x\"", &["bob"]),
            ("level gt 9", &["ada"]),
            ("level le 10", &["ada", "bob"]),
            ("share lt 0.5", &["bob"]),
            ("remote eq true", &["ada"]),
            ("not (remote eq true)", &["bob", "carol"]),
            ("since gt \"2026-01-01T00:30:00Z\"", &["bob"]),
            ("skills eq \"RUST\"", &["ada", "bob"]),
            ("skills co \"ql\"", &["bob"]),
            ("contract.kind pr", &["ada"]),
            ("desks[value eq \"d1\" and floor gt 5]", &[]),
            ("desks[value eq \"d2\" and floor gt 5]", &["ada"]),
            ("desks.floor eq 5", &["bob"]),
            ("ring pr", &["carol"]),
        ];
        for (filter, wanted) in cases {
            let with_urn = match filter.strip_prefix("not (") {
                Some(rest) => format!("not ({ACME}:{rest}"),
                None => format!("{ACME}:{filter}"),
            };
            assert_eq!(tenant.find(&with_urn), wanted, "{profile} {with_urn}");
            if profile == "compat" {
                assert_eq!(tenant.find(filter), wanted, "{filter}");
                let with_dot = with_urn.replacen(&format!("{ACME}:"), &format!("{ACME}."), 1);
                assert_eq!(tenant.find(&with_dot), wanted, "{with_dot}");
            }
        }
        for (by, wanted) in [
            ("level", ["bob", "ada", "carol"]),
            ("since", ["ada", "bob", "carol"]),
            ("costCode", ["bob", "ada", "carol"]),
        ] {
            let list = tenant.get(&format!("/Users?sortBy={ACME}:{by}&attributes=userName"));
            let names: Vec<&str> = list.expect(200).body["Resources"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["userName"].as_str().unwrap())
                .collect();
            assert_eq!(names, wanted, "{profile} {by}");
        }
        let shown = tenant.get(&format!(
            "/Users?attributes={ACME}:desks.floor&filter=userName%20eq%20%22ada%22"
        ));
        assert_eq!(
            shown.body["Resources"][0][ACME],
            json!({"desks": [{"floor": 1}, {"floor": 9}]})
        );
    }
}

#[test]
fn what_is_not_declared_is_unknown_in_strict() {
    let world = World::new();
    let tenant = world.tenant("strict");
    declare(&tenant);
    let id = made(&tenant, "ada", json!({"costCode": "x"}));
    for path in [
        "urn:example:else:2.0:User:a",
        &format!("{ACME}:other"),
        &format!("{ACME}.costCode"),
    ] {
        let operation = json!([{"op": "add", "path": path, "value": "x"}]);
        let refused = tenant.patch(&format!("/Users/{id}"), operation);
        refused.expect_scim_error(400, "invalidPath", "");
    }
    let refused = tenant.send("POST", "/Users", super::user("bob", json!({"other": 1})));
    refused.expect_scim_error(400, "invalidSyntax", "other");
}

#[test]
fn a_bulk_knows_them() {
    let world = World::new();
    let tenant = world.tenant("strict");
    declare(&tenant);
    let id = made(&tenant, "ada", json!({"costCode": "x"}));
    let operations = json!([
        {"method": "POST", "path": "/Users", "bulkId": "1", "data": super::user("bob", json!({"level": 1}))},
        {"method": "POST", "path": "/Users", "bulkId": "2", "data": super::user("carol", json!({"level": "high"}))},
        {"method": "PATCH", "path": format!("/Users/{id}"), "data": {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": format!("{ACME}:costCode"), "value": "y"}],
        }},
    ]);
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    let answer = tenant.send("POST", "/Bulk", body);
    let outcomes = answer.expect(200).body["Operations"].as_array().unwrap();
    let statuses: Vec<&str> = outcomes
        .iter()
        .map(|one| one["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["201", "400", "200"]);
    assert_eq!(acme(&tenant, &id), json!({"costCode": "y"}));
    assert_eq!(tenant.find(&format!("{ACME}:level eq 1")), ["bob"]);
}

#[test]
fn another_tenant_knows_nothing_of_them() {
    let world = World::new();
    let (own, other) = (world.tenant("strict"), world.tenant("strict"));
    declare(&own);
    let refused = other.send("POST", "/Users", super::user("ada", json!({"level": 1})));
    refused.expect_scim_error(400, "invalidSyntax", ACME);
    let refused = other.get(&format!("/Users?filter={ACME}:level%20eq%201"));
    refused.expect_scim_error(400, "invalidFilter", "");
}

/// Nothing more is asked of the database than without them.
#[test]
fn they_cost_no_round_trip_and_no_row_more() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let cost = |name: &str| {
        let made = tenant.send(
            "POST",
            "/Users",
            json!({"schemas": [super::USER], "userName": name}),
        );
        let id = made.expect(201).id();
        let read = tenant.get(&format!("/Users/{id}"));
        let listed = tenant.get("/Users?filter=userName%20eq%20%22nobody%22");
        [&made, &read, &listed]
            .map(|answer| (answer.trips(), answer.cost("read"), answer.cost("written")))
    };
    cost("zoe");
    let before = cost("ada");
    for number in 0..10 {
        let schema = super::of_users(
            &format!("urn:example:n{number}:2.0:User"),
            super::attributes(),
        );
        super::at_schemas(&tenant, "POST", "", schema).expect(201);
    }
    cost("bob");
    assert_eq!(cost("carol"), before);
}
