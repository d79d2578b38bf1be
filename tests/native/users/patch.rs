//! PATCH on simple and complex attributes (RFC 7644 §3.5.2).

use serde_json::{Value, json};

use super::{ENTERPRISE, USER, create, in_both, without_meta};
use crate::support::Answer;
use crate::support::Tenant;

fn patched(tenant: &Tenant<'_>, more: Value, operations: Value) -> Answer {
    let created = create(tenant, "a", more);
    let path = format!("/Users/{}", created.id());
    println!("{operations}");
    let answer = tenant.patch(&path, operations);
    answer.expect(200);
    assert_eq!(
        tenant.get(&path).body,
        answer.body,
        "the reply is what is stored"
    );
    tenant.send("DELETE", &path, Value::Null).expect(204);
    answer
}

/// What a user that was made of these attributes is made into, less `schemas`, `userName` and `active`.
#[track_caller]
fn expect_made(more: Value, operations: Value, wanted: Value) {
    in_both(|tenant| {
        let mut body = without_meta(&patched(tenant, more.clone(), operations.clone()));
        let object = body.as_object_mut().expect("an object");
        for name in ["schemas", "userName", "active"] {
            object.remove(name);
        }
        assert_eq!(body, wanted, "{operations}");
    });
}

#[test]
fn a_simple_attribute_is_added_replaced_and_removed() {
    let boss = json!({"title": "Boss"});
    for op in ["add", "replace"] {
        let operation = json!([{"op": op, "path": "title", "value": "Boss"}]);
        expect_made(json!({}), operation.clone(), boss.clone());
        expect_made(json!({"title": "x"}), operation, boss.clone());
        let pathless = json!([{"op": op, "value": {"title": "Boss", "nickName": "B"}}]);
        expect_made(
            json!({"title": "x"}),
            pathless,
            json!({"title": "Boss", "nickName": "B"}),
        );
    }
    expect_made(
        boss.clone(),
        json!([{"op": "remove", "path": "title"}]),
        json!({}),
    );
    expect_made(
        json!({}),
        json!([{"op": "remove", "path": "title"}]),
        json!({}),
    );
    expect_made(
        boss.clone(),
        json!([{"op": "replace", "path": "title", "value": null}]),
        json!({}),
    );
    expect_made(
        boss,
        json!([{"op": "replace", "path": "TITLE", "value": "x"}]),
        json!({"title": "x"}),
    );
}

#[test]
fn a_complex_attribute_keeps_the_parts_that_are_not_named() {
    let name = json!({"name": {"givenName": "Jane", "familyName": "Doe"}});
    for op in ["add", "replace"] {
        let whole = json!([{"op": op, "path": "name", "value": {"familyName": "Roe"}}]);
        let wanted = json!({"name": {"givenName": "Jane", "familyName": "Roe"}});
        expect_made(name.clone(), whole, wanted.clone());
        expect_made(
            name.clone(),
            json!([{"op": op, "path": "name.familyName", "value": "Roe"}]),
            wanted.clone(),
        );
        expect_made(
            name.clone(),
            json!([{"op": op, "value": {"name": {"familyName": "Roe"}}}]),
            wanted,
        );
        expect_made(
            json!({}),
            json!([{"op": op, "path": "name.givenName", "value": "J"}]),
            json!({"name": {"givenName": "J"}}),
        );
    }
    expect_made(
        name.clone(),
        json!([{"op": "remove", "path": "name.givenName"}]),
        json!({"name": {"familyName": "Doe"}}),
    );
    expect_made(
        name.clone(),
        json!([{"op": "remove", "path": "name"}]),
        json!({}),
    );
    let both = json!([{"op": "remove", "path": "name.givenName"}, {"op": "remove", "path": "name.familyName"}]);
    expect_made(name, both, json!({}));
}

#[test]
fn an_extension_is_changed_by_its_urn() {
    let made = |more: Value, operations: Value, wanted: Value, schemas: Value| {
        in_both(|tenant| {
            let body = without_meta(&patched(tenant, more.clone(), operations.clone()));
            assert_eq!(
                body.get(ENTERPRISE),
                wanted.as_object().map(|_| &wanted),
                "{operations}"
            );
            assert_eq!(body["schemas"], schemas);
        });
    };
    let both = json!([USER, ENTERPRISE]);
    let department = format!("{ENTERPRISE}:department");
    let hr = json!({"schemas": both, ENTERPRISE: {"department": "HR", "costCenter": "1"}});
    made(
        json!({}),
        json!([{"op": "add", "path": department, "value": "HR"}]),
        json!({"department": "HR"}),
        both.clone(),
    );
    made(
        json!({}),
        json!([{"op": "add", "value": {ENTERPRISE: {"department": "HR"}}}]),
        json!({"department": "HR"}),
        both.clone(),
    );
    made(
        json!({}),
        json!([{"op": "add", "path": ENTERPRISE, "value": {"department": "HR"}}]),
        json!({"department": "HR"}),
        both.clone(),
    );
    made(
        hr.clone(),
        json!([{"op": "replace", "path": department, "value": "IT"}]),
        json!({"department": "IT", "costCenter": "1"}),
        both.clone(),
    );
    made(
        hr.clone(),
        json!([{"op": "remove", "path": department}]),
        json!({"costCenter": "1"}),
        both,
    );
    made(
        hr,
        json!([{"op": "remove", "path": ENTERPRISE}]),
        Value::Null,
        json!([USER]),
    );
}

#[test]
fn a_manager_is_set_and_its_reference_follows() {
    in_both(|tenant| {
        let manager = format!("{ENTERPRISE}:manager");
        for (path, value) in [
            (manager.clone(), json!({"value": "26118915"})),
            (format!("{manager}.value"), json!("26118915")),
        ] {
            let answer = patched(
                tenant,
                json!({}),
                json!([{"op": "add", "path": path, "value": value}]),
            );
            let reference = format!("{}{}/Users/26118915", crate::support::ORIGIN, tenant.base());
            assert_eq!(
                answer.body[ENTERPRISE]["manager"],
                json!({"value": "26118915", "$ref": reference})
            );
        }
        let with = json!({"schemas": [USER, ENTERPRISE], ENTERPRISE: {"manager": {"value": "x"}}});
        let answer = patched(tenant, with, json!([{"op": "remove", "path": manager}]));
        assert!(answer.body.get(ENTERPRISE).is_none());
    });
}

#[test]
fn operations_see_what_those_before_them_did() {
    expect_made(
        json!({"title": "x"}),
        json!([
            {"op": "remove", "path": "title"},
            {"op": "add", "path": "emails", "value": [{"value": "a@b.c", "type": "work"}]},
            {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "d@e.f"},
            {"op": "add", "path": "emails[value eq \"d@e.f\"].display", "value": "D"},
            {"op": "add", "path": "title", "value": "y"},
        ]),
        json!({"title": "y", "emails": [{"value": "d@e.f", "display": "D", "type": "work"}]}),
    );
    in_both(|tenant| {
        create(tenant, "taken", json!({}));
        let path = format!("/Users/{}", create(tenant, "a", json!({})).id());
        // In between, the name is somebody else's; in the end it is not.
        let operations = json!([
            {"op": "replace", "path": "userName", "value": "taken"},
            {"op": "replace", "path": "userName", "value": "free"},
        ]);
        tenant.patch(&path, operations).expect(200);
        assert_eq!(tenant.find("userName eq \"free\""), ["free"]);
    });
}

#[test]
fn a_patch_that_fails_at_its_last_operation_has_done_nothing() {
    in_both(|tenant| {
        create(tenant, "taken", json!({}));
        let path = format!("/Users/{}", create(tenant, "a", json!({"title": "x"})).id());
        let before = tenant.get(&path);
        for (last, status) in [
            (
                json!({"op": "replace", "path": "userName", "value": "TAKEN"}),
                409,
            ),
            (json!({"op": "replace", "path": "active", "value": {}}), 400),
            (json!({"op": "remove", "path": "userName"}), 400),
            (json!({"op": "add", "path": "no path", "value": "x"}), 400),
        ] {
            let operations = json!([{"op": "replace", "path": "title", "value": "y"}, {"op": "remove", "path": "name"}, last]);
            tenant.patch(&path, operations).expect(status);
            let after = tenant.get(&path);
            assert_eq!(
                (&after.body, after.header("etag")),
                (&before.body, before.header("etag"))
            );
        }
    });
}

#[test]
fn deactivating_is_seen_at_once() {
    in_both(|tenant| {
        let path = format!("/Users/{}", create(tenant, "a", json!({})).id());
        assert_eq!(tenant.find("active eq false"), Vec::<String>::new());
        tenant
            .patch(
                &path,
                json!([{"op": "replace", "value": {"active": false}}]),
            )
            .expect(200);
        assert_eq!(tenant.find("active eq false"), ["a"]);
        let removed = tenant.patch(&path, json!([{"op": "remove", "path": "active"}]));
        removed.expect(200);
        assert_ne!(
            removed.body["active"], true,
            "who was locked out is not let in by a removal"
        );
        assert_eq!(tenant.find("active eq true"), Vec::<String>::new());
    });
}

#[test]
fn filters_find_a_patched_user_by_its_new_values_only() {
    in_both(|tenant| {
        let more = json!({"displayName": "Old", "emails": [{"value": "old@x.y", "type": "work"}]});
        let path = format!("/Users/{}", create(tenant, "a", more).id());
        let operations = json!([
            {"op": "replace", "path": "displayName", "value": "New"},
            {"op": "replace", "path": "emails[type eq \"work\"].value", "value": "NEW@x.y"},
        ]);
        tenant.patch(&path, operations).expect(200);
        for (filter, found) in [
            ("displayName eq \"new\"", true),
            ("displayName eq \"old\"", false),
            ("emails.value eq \"new@x.y\"", true),
            ("emails.value eq \"old@x.y\"", false),
            ("emails[type eq \"work\" and value eq \"new@X.y\"]", true),
            ("emails co \"old\"", false),
        ] {
            assert_eq!(tenant.find(filter).len(), usize::from(found), "{filter}");
        }
    });
}

#[test]
fn a_part_that_is_null_is_cleared_and_the_others_stay() {
    let name = json!({"name": {"givenName": "Jane", "middleName": "M", "familyName": "Doe"}});
    let wanted = json!({"name": {"givenName": "Jane", "familyName": "Doe"}});
    for op in ["add", "replace"] {
        for value in [
            json!({"middleName": null}),
            json!({"MIDDLENAME": null, "givenName": "Jane"}),
        ] {
            expect_made(
                name.clone(),
                json!([{"op": op, "path": "name", "value": value}]),
                wanted.clone(),
            );
            expect_made(
                name.clone(),
                json!([{"op": op, "value": {"name": value}}]),
                wanted.clone(),
            );
        }
        let nothing = json!([{"op": op, "path": "name", "value": {}}]);
        expect_made(name.clone(), nothing, name.clone());
        let all = json!({"givenName": null, "middleName": null, "familyName": null});
        expect_made(
            name.clone(),
            json!([{"op": op, "path": "name", "value": all}]),
            json!({}),
        );
    }
    let boss = json!({ENTERPRISE: {"department": "D", "manager": {"value": "m"}}, "schemas": [USER, ENTERPRISE]});
    for operation in [
        json!({"op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": {"value": null}}),
        json!({"op": "replace", "value": {ENTERPRISE: {"manager": {"value": null}}}}),
        json!({"op": "remove", "path": format!("{ENTERPRISE}:manager.value")}),
    ] {
        expect_made(
            boss.clone(),
            json!([operation]),
            json!({ENTERPRISE: {"department": "D"}}),
        );
    }
}

#[test]
fn in_compat_an_empty_string_clears_a_part_too() {
    let world = crate::support::World::new();
    let tenant = world.tenant("compat");
    let name = json!({"name": {"givenName": "Jane", "middleName": "M"}});
    let operations = json!([{"op": "Replace", "path": "name", "value": {"middleName": ""}}]);
    let answer = patched(&tenant, name, operations);
    assert_eq!(answer.body["name"], json!({"givenName": "Jane"}));
}
