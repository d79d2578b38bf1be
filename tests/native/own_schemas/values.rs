//! Values of declared attributes: kept and shown as they are, and refused where they are of another type.

use serde_json::{Value, json};

use super::{ACME, USER, acme, at_schemas, attributes, declare, made, of_users, user};
use crate::support::World;

#[test]
fn what_is_declared_is_kept_and_shown() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        declare(&tenant);
        let given = json!({
            "costCode": "Å-1", "badge": "B1", "level": 3, "share": 0.5, "remote": true, "since": "2026-01-01T00:00:00Z",
            "seal": "AAAA", "page": "https://example.com/", "skills": ["Rust", "SQL"],
            "contract": {"kind": "open", "ends": "2027-01-01T00:00:00Z"},
            "desks": [{"value": "D1", "floor": 2}, {"value": "D2", "type": "home", "primary": true}],
            "grade": "A", "hired": "2020", "ring": "one",
        });
        let id = made(&tenant, "ada", given.clone());
        let shown = tenant.get(&format!("/Users/{id}"));
        assert_eq!(shown.expect(200).body[ACME], given, "{profile}");
        assert_eq!(shown.body["schemas"], json!([USER, ACME]));
        let list = tenant.get("/Users?filter=userName%20eq%20%22ada%22");
        assert_eq!(list.body["Resources"][0][ACME], given, "{profile}");
    }
}

#[test]
fn names_have_no_case_and_null_is_no_value() {
    let world = World::new();
    let tenant = world.tenant("compat");
    declare(&tenant);
    let body = json!({
        "schemas": [USER], "userName": "ada",
        ACME.to_uppercase(): {"COSTCODE": "x", "Level": null, "desks": [], "Contract": {"KIND": "open"}},
    });
    let id = tenant.send("POST", "/Users", body).expect(201).id();
    assert_eq!(
        acme(&tenant, &id),
        json!({"costCode": "x", "contract": {"kind": "open"}})
    );
}

#[test]
fn a_value_of_another_type_is_refused_by_name() {
    let cases = [
        ("level", json!("many")),
        ("level", json!(1.5)),
        ("share", json!("half")),
        ("remote", json!("perhaps")),
        ("since", json!("yesterday")),
        ("costCode", json!({"a": 1})),
        ("costCode", json!(["a", "b"])),
        ("skills", json!([{"value": "x"}])),
        ("contract", json!(7)),
        ("contract.ends", json!({"ends": "never"})),
        ("desks[0].floor", json!([{"value": "D1", "floor": "low"}])),
        ("desks.value", json!([{"floor": 1}])),
    ];
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        declare(&tenant);
        let id = made(&tenant, "ada", json!({"costCode": "x"}));
        for (place, value) in &cases {
            let name = place.split(['.', '[']).next().unwrap();
            let body = user("bob", json!({name: value}));
            let refused = tenant.send("POST", "/Users", body.clone());
            refused.expect_scim_error(400, "invalidValue", &format!("{ACME}:{place}"));
            let body = user("ada", json!({name: value}));
            let refused = tenant.send("PUT", &format!("/Users/{id}"), body);
            refused.expect_scim_error(400, "invalidValue", name);
            let path = format!("{ACME}:{name}");
            let operation = json!([{"op": "replace", "path": path, "value": value}]);
            let refused = tenant.patch(&format!("/Users/{id}"), operation);
            refused.expect_scim_error(400, "invalidValue", name);
        }
        assert_eq!(acme(&tenant, &id), json!({"costCode": "x"}));
    }
}

#[test]
fn canonical_values_are_all_that_there_are_in_strict() {
    let world = World::new();
    for (profile, status) in [("compat", 201), ("strict", 400)] {
        let tenant = world.tenant(profile);
        declare(&tenant);
        for (name, acme) in [
            ("ada", json!({"grade": "C"})),
            ("bob", json!({"contract": {"kind": "none"}})),
        ] {
            let answer = tenant.send("POST", "/Users", user(name, acme));
            answer.expect(status);
        }
        made(
            &tenant,
            "carol",
            json!({"grade": "b", "contract": {"kind": "FIXED"}}),
        );
    }
}

#[test]
fn what_a_schema_requires_is_there_where_anything_of_it_is() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let attributes = json!([{"name": "code", "required": true}, {"name": "more"}]);
    let schema = super::of_users("urn:example:needs:2.0:User", attributes);
    super::at_schemas(&tenant, "POST", "", schema).expect(201);
    tenant.user("nothing-of-it");
    let urn = "urn:example:needs:2.0:User";
    let with = |value: Value| json!({"schemas": [USER, urn], "userName": "ada", urn: value});
    let refused = tenant.send("POST", "/Users", with(json!({"more": "x"})));
    refused.expect_scim_error(400, "invalidValue", "urn:example:needs:2.0:User:code");
    let id = tenant
        .send("POST", "/Users", with(json!({"code": "x", "more": "y"})))
        .expect(201)
        .id();
    let path = format!("/Users/{id}");
    let remove = |name: &str| json!([{"op": "remove", "path": format!("{urn}:{name}")}]);
    assert_eq!(tenant.patch(&path, remove("code")).status, 400);
    tenant.patch(&path, remove("more")).expect(200);
}

#[test]
fn what_is_immutable_is_written_once() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        declare(&tenant);
        let id = made(&tenant, "ada", json!({"costCode": "x"}));
        let path = format!("/Users/{id}");
        let set =
            |value: &str| json!([{"op": "add", "path": format!("{ACME}:hired"), "value": value}]);
        tenant.patch(&path, set("2020")).expect(200);
        tenant.patch(&path, set("2020")).expect(200);
        for operations in [
            set("2021"),
            json!([{"op": "remove", "path": format!("{ACME}:hired")}]),
            json!([{"op": "remove", "path": ACME}]),
        ] {
            let refused = tenant.patch(&path, operations);
            refused.expect_scim_error(400, "mutability", "hired");
        }
        let refused = tenant.send("PUT", &path, user("ada", json!({"hired": "2021"})));
        refused.expect_scim_error(400, "mutability", "hired");
        // What a PUT does not name stays.
        tenant
            .send("PUT", &path, user("ada", json!({"level": 1})))
            .expect(200);
        assert_eq!(acme(&tenant, &id), json!({"level": 1, "hired": "2020"}));
        let plain = json!({"schemas": [USER], "userName": "ada"});
        tenant.send("PUT", &path, plain).expect(200);
        assert_eq!(acme(&tenant, &id), json!({"hired": "2020"}));
    }
}

#[test]
fn what_is_read_only_is_passed_over() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        declare(&tenant);
        let id = made(&tenant, "ada", json!({"costCode": "x", "rank": "high"}));
        assert_eq!(acme(&tenant, &id), json!({"costCode": "x"}));
        let operation = json!([{"op": "replace", "path": format!("{ACME}:rank"), "value": "high"}]);
        let answer = tenant.patch(&format!("/Users/{id}"), operation);
        answer.expect(if profile == "strict" { 400 } else { 200 });
        assert_eq!(acme(&tenant, &id), json!({"costCode": "x"}));
    }
}

#[test]
fn what_is_returned_follows_the_schema() {
    let world = World::new();
    let tenant = world.tenant("compat");
    declare(&tenant);
    let given = json!({
        "costCode": "x", "pin": "1234", "notes": "quiet", "ring": "one", "contract": {"kind": "open", "secret": "hush"},
    });
    let created = tenant.send("POST", "/Users", user("ada", given));
    let default = json!({"costCode": "x", "ring": "one", "contract": {"kind": "open"}});
    assert_eq!(created.expect(201).body[ACME], default);
    let id = created.id();
    let path = format!("/Users/{id}");
    let shown = |query: &str| tenant.get(&format!("{path}?{query}")).expect(200).body[ACME].clone();
    assert_eq!(shown(""), default);
    let of = |name: &str| format!("attributes={ACME}:{name}");
    assert_eq!(
        shown(&of("notes")),
        json!({"notes": "quiet", "ring": "one"})
    );
    assert_eq!(shown(&of("pin")), json!({"ring": "one"}));
    assert_eq!(
        shown(&of("contract")),
        json!({"ring": "one", "contract": {"kind": "open"}})
    );
    assert_eq!(shown(&of("contract.secret")), json!({"ring": "one"}));
    assert_eq!(shown("attributes=userName"), json!({"ring": "one"}));
    assert_eq!(
        shown(&format!("excludedAttributes={ACME}:costCode")),
        json!({"ring": "one", "contract": {"kind": "open"}})
    );
    assert_eq!(
        shown(&format!("excludedAttributes={ACME}")),
        json!({"ring": "one"})
    );
    assert_eq!(
        shown(&format!("attributes={ACME}")),
        json!({"costCode": "x", "notes": "quiet", "ring": "one", "contract": {"kind": "open"}})
    );
    let list = tenant.get("/Users?filter=userName%20eq%20%22ada%22");
    assert_eq!(list.body["Resources"][0][ACME], default);
    let export = format!("/api/v1/admin/tenants/{}/export", tenant.id);
    let export = world.admin("GET", &export, Value::Null);
    let lines = export.expect(200).body.as_str().unwrap();
    assert!(
        lines.contains("costCode") && !lines.contains("1234"),
        "{lines}"
    );
    for hidden in ["pin", "contract.secret"] {
        let refused = tenant.get(&format!("/Users?filter={ACME}:{hidden}%20sw%20%221%22"));
        refused.expect_scim_error(400, "invalidFilter", "never returned");
    }
}

#[test]
fn what_is_never_returned_is_in_no_event() {
    let world = World::new();
    let tenant = world.tenant("strict");
    at_schemas(&tenant, "POST", "", of_users(ACME, attributes())).expect(201);
    let user = json!({"schemas": [USER, ACME], "userName": "ada", ACME: {
        "costCode": "1", "pin": "hidden-1", "contract": {"kind": "open", "secret": "hidden-2"},
    }});
    let id = tenant.send("POST", "/Users", user).expect(201).body["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/Users/{id}");
    tenant.patch(
        &path,
        json!([{"op": "replace", "path": format!("{ACME}:pin"), "value": "hidden-3"}]),
    );
    tenant.patch(
        &path,
        json!([{"op": "replace", "path": format!("{ACME}:costCode"), "value": "2"}]),
    );
    tenant.send("DELETE", &path, Value::Null).expect(204);
    let events = format!("/api/v1/tenants/{}/events?after=0", tenant.id);
    let told = world.admin("GET", &events, Value::Null);
    let told = told.expect(200).body.to_string();
    assert!(
        told.contains("costCode") && !told.contains("hidden"),
        "{told}"
    );
}

#[test]
fn a_filter_on_values_without_parts_is_refused_and_not_passed_over() {
    let world = World::new();
    for profile in ["compat", "strict"] {
        let tenant = world.tenant(profile);
        at_schemas(&tenant, "POST", "", of_users(ACME, attributes())).expect(201);
        let user =
            json!({"schemas": [USER, ACME], "userName": "ada", ACME: {"skills": ["a", "b"]}});
        let id = tenant.send("POST", "/Users", user).expect(201).body["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let path = format!("{ACME}:skills[value eq \"a\"]");
        for operation in [
            json!({"op": "remove", "path": path}),
            json!({"op": "replace", "path": path, "value": "c"}),
        ] {
            let answer = tenant.patch(&format!("/Users/{id}"), json!([operation]));
            assert_eq!(
                answer.expect(400).body["scimType"],
                "invalidPath",
                "{profile}"
            );
        }
    }
}
