//! PATCH on attributes with several values: which of them an operation means, and which one is primary afterwards.

use serde_json::{Value, json};

use super::{create, in_both};
use crate::support::Tenant;

fn two() -> Value {
    json!([{"value": "w@x", "type": "work", "primary": true}, {"value": "h@x", "type": "home"}])
}

/// What a user's e-mail addresses are after these operations.
fn after(tenant: &Tenant<'_>, emails: &Value, operations: Value) -> Value {
    let created = create(tenant, "a", json!({"emails": emails}));
    let path = format!("/Users/{}", created.id());
    let answer = tenant.patch(&path, operations.clone());
    assert_eq!(answer.status, 200, "{operations}: {}", answer.body);
    assert_eq!(tenant.get(&path).body, answer.body);
    tenant.send("DELETE", &path, Value::Null).expect(204);
    answer.body.get("emails").cloned().unwrap_or_default()
}

#[track_caller]
fn expect_emails(emails: &Value, operations: &Value, wanted: &Value) {
    in_both(|tenant| {
        assert_eq!(
            after(tenant, emails, operations.clone()),
            *wanted,
            "{operations}"
        )
    });
}

#[test]
fn add_appends_and_keeps_what_is_there() {
    let new = json!({"value": "n@x", "type": "other"});
    let mut wanted = two();
    wanted.as_array_mut().expect("an array").push(new.clone());
    expect_emails(
        &two(),
        &json!([{"op": "add", "path": "emails", "value": [new]}]),
        &wanted,
    );
    expect_emails(
        &two(),
        &json!([{"op": "add", "value": {"emails": [new]}}]),
        &wanted,
    );
    expect_emails(
        &json!([]),
        &json!([{"op": "add", "path": "emails", "value": [new]}]),
        &json!([new]),
    );
    expect_emails(
        &two(),
        &json!([{"op": "add", "path": "emails", "value": two()}]),
        &two(),
    );
}

#[test]
fn replace_without_a_filter_replaces_them_all() {
    let new = json!([{"value": "n@x"}]);
    expect_emails(
        &two(),
        &json!([{"op": "replace", "path": "emails", "value": new}]),
        &new,
    );
    expect_emails(
        &two(),
        &json!([{"op": "replace", "value": {"emails": new}}]),
        &new,
    );
    expect_emails(
        &two(),
        &json!([{"op": "replace", "path": "emails", "value": []}]),
        &Value::Null,
    );
}

#[test]
fn remove_takes_all_or_those_that_match() {
    let (work, home) = (two()[0].clone(), two()[1].clone());
    for (path, wanted) in [
        ("emails", Value::Null),
        ("emails[type eq \"work\"]", json!([home])),
        ("emails[type eq \"WORK\"]", json!([home])),
        ("emails[value ew \"@x\"]", Value::Null),
        ("emails[primary eq true]", json!([home])),
        ("emails[not (primary eq true)]", json!([work])),
        ("emails[type eq \"home\" or value eq \"w@x\"]", Value::Null),
        (
            "emails[type eq \"home\" and value eq \"h@x\"]",
            json!([work]),
        ),
        (
            "emails[type eq \"home\"].type",
            json!([work, {"value": "h@x"}]),
        ),
        (
            "emails.type",
            json!([{"value": "w@x", "primary": true}, {"value": "h@x"}]),
        ),
    ] {
        expect_emails(&two(), &json!([{"op": "remove", "path": path}]), &wanted);
    }
}

#[test]
fn a_filter_selects_the_values_that_a_replace_changes() {
    let changed = |index: usize, name: &str, value: &str| {
        let mut emails = two();
        emails[index][name] = value.into();
        emails
    };
    for (path, value, wanted) in [
        (
            "emails[type eq \"work\"].value",
            json!("n@x"),
            changed(0, "value", "n@x"),
        ),
        (
            "emails[value eq \"h@x\"].type",
            json!("other"),
            changed(1, "type", "other"),
        ),
        (
            "emails[type eq \"home\"].display",
            json!("H"),
            json!([two()[0], {"value": "h@x", "display": "H", "type": "home"}]),
        ),
        ("emails[value pr].type", json!("other"), {
            let mut emails = changed(0, "type", "other");
            emails[1]["type"] = "other".into();
            emails
        }),
    ] {
        in_both(|tenant| {
            let found = after(
                tenant,
                &two(),
                json!([{"op": "replace", "path": path, "value": value}]),
            );
            for (found, wanted) in found
                .as_array()
                .expect("values")
                .iter()
                .zip(wanted.as_array().expect("values"))
            {
                assert_eq!(found, wanted, "{path}");
            }
            assert_eq!(
                found.as_array().map(Vec::len),
                wanted.as_array().map(Vec::len)
            );
        });
    }
}

#[test]
fn add_to_a_selected_value_merges_into_it() {
    expect_emails(
        &two(),
        &json!([{"op": "add", "path": "emails[type eq \"home\"]", "value": {"display": "H"}}]),
        &json!([two()[0], {"value": "h@x", "type": "home", "display": "H"}]),
    );
}

#[test]
fn a_value_made_primary_takes_it_from_the_other() {
    let flipped = |emails: &Value| -> Vec<(String, bool)> {
        emails
            .as_array()
            .expect("values")
            .iter()
            .map(|email| {
                (
                    email["value"].as_str().expect("a value").to_owned(),
                    email["primary"] == true,
                )
            })
            .collect()
    };
    in_both(|tenant| {
        for (operation, wanted) in [
            (
                json!({"op": "add", "path": "emails", "value": [{"value": "n@x", "primary": true}]}),
                vec![("w@x", false), ("h@x", false), ("n@x", true)],
            ),
            (
                json!({"op": "replace", "path": "emails[type eq \"home\"].primary", "value": true}),
                vec![("w@x", false), ("h@x", true)],
            ),
            (
                json!({"op": "add", "path": "emails[type eq \"home\"].primary", "value": true}),
                vec![("w@x", false), ("h@x", true)],
            ),
            (
                json!({"op": "replace", "path": "emails[type eq \"home\"]", "value": {"value": "h@x", "primary": true}}),
                vec![("w@x", false), ("h@x", true)],
            ),
            (
                json!({"op": "replace", "path": "emails[type eq \"work\"].primary", "value": false}),
                vec![("w@x", false), ("h@x", false)],
            ),
            (
                json!({"op": "add", "path": "emails", "value": [{"value": "n@x"}]}),
                vec![("w@x", true), ("h@x", false), ("n@x", false)],
            ),
        ] {
            let found = after(tenant, &two(), json!([operation]));
            let wanted: Vec<(String, bool)> = wanted
                .into_iter()
                .map(|(value, primary)| (value.to_owned(), primary))
                .collect();
            assert_eq!(flipped(&found), wanted, "{operation}");
        }
    });
}

#[test]
fn two_operations_may_each_make_another_value_primary() {
    in_both(|tenant| {
        let found = after(
            tenant,
            &two(),
            json!([
                {"op": "add", "path": "emails", "value": [{"value": "n@x", "primary": true}]},
                {"op": "replace", "path": "emails[value eq \"h@x\"].primary", "value": true},
            ]),
        );
        let primary: Vec<&Value> = found
            .as_array()
            .expect("values")
            .iter()
            .filter(|email| email["primary"] == true)
            .collect();
        assert_eq!(primary.len(), 1);
        assert_eq!(primary[0]["value"], "h@x");
    });
}

#[test]
fn compat_makes_the_value_that_a_filter_describes_and_strict_has_no_target() {
    let world = crate::support::World::new();
    let operations =
        json!([{"op": "replace", "path": "emails[type eq \"other\"].value", "value": "n@x"}]);
    let compat = world.tenant("compat");
    let found = after(&compat, &two(), operations.clone());
    assert_eq!(found[2], json!({"type": "other", "value": "n@x"}));
    let strict = world.tenant("strict");
    let path = format!(
        "/Users/{}",
        create(&strict, "a", json!({"emails": two()})).id()
    );
    strict
        .patch(&path, operations)
        .expect_scim_error(400, "noTarget", "emails");
}

#[test]
fn values_in_other_attributes_follow_the_same_rules() {
    in_both(|tenant| {
        let more = json!({
            "addresses": [{"type": "work", "locality": "Berlin", "country": "DE"}],
            "roles": [{"value": "admin"}, {"value": "user"}], "phoneNumbers": [{"value": "1", "type": "mobile"}],
        });
        let path = format!("/Users/{}", create(tenant, "a", more).id());
        let answer = tenant.patch(
            &path,
            json!([
                {"op": "replace", "path": "addresses[type eq \"work\"].locality", "value": "Köln"},
                {"op": "remove", "path": "roles[value eq \"admin\"]"},
                {"op": "add", "path": "phoneNumbers", "value": [{"value": "2", "type": "work"}]},
            ]),
        );
        answer.expect(200);
        assert_eq!(
            answer.body["addresses"],
            json!([{"locality": "Köln", "country": "DE", "type": "work"}])
        );
        assert_eq!(answer.body["roles"], json!([{"value": "user"}]));
        assert_eq!(answer.body["phoneNumbers"][1]["value"], "2");
    });
}

#[test]
fn a_value_with_nothing_in_it_takes_nothing_away() {
    let operation = json!([{"op": "add", "path": "emails[type eq \"work\"]", "value": {}}]);
    expect_emails(&two(), &operation, &two());
    let cleared =
        json!([{"op": "add", "path": "emails[type eq \"work\"]", "value": {"primary": null}}]);
    let wanted = json!([{"value": "w@x", "type": "work"}, {"value": "h@x", "type": "home"}]);
    expect_emails(&two(), &cleared, &wanted);
}

#[test]
fn a_text_added_to_a_selected_value_is_its_value() {
    let world = crate::support::World::new();
    let tenant = world.tenant("compat");
    let add = json!([{"op": "Add", "path": "emails[type eq \"work\"]", "value": "n@x"}]);
    let made = after(&tenant, &json!([]), add.clone());
    assert_eq!(made, json!([{"value": "n@x", "type": "work"}]));
    let changed = json!([{"value": "n@x", "type": "work", "primary": true}, two()[1]]);
    assert_eq!(after(&tenant, &two(), add), changed);
}

/// RFC 7643 §2.4: the same value of the same type is not there twice.
#[test]
fn the_same_value_of_the_same_type_is_there_once() {
    let home = json!({"value": "h@x", "type": "home", "primary": true, "display": "H"});
    let wanted = json!([
        {"value": "w@x", "type": "work", "primary": false},
        {"value": "h@x", "type": "home", "primary": true, "display": "H"},
    ]);
    let add = json!([{"op": "add", "path": "emails", "value": [home]}]);
    expect_emails(&two(), &add, &wanted);
    let other = json!({"value": "h@x", "type": "other"});
    let three = json!([two()[0], two()[1], other]);
    let add = json!([{"op": "add", "path": "emails", "value": [other]}]);
    expect_emails(&two(), &add, &three);
    let twice =
        json!([{"value": "a@x", "type": "work"}, {"value": "a@x", "type": "work", "display": "A"}]);
    let once = json!([{"value": "a@x", "type": "work", "display": "A"}]);
    expect_emails(
        &twice,
        &json!([{"op": "add", "path": "emails", "value": twice}]),
        &once,
    );
}

/// RFC 7644 §3.5.2.3: what is replaced and not there is added; §3.12: no target is what a filter does not find.
#[test]
fn a_part_of_values_that_are_not_there_is_added_or_none() {
    let replace = json!([{"op": "replace", "path": "emails.value", "value": "a@x"}]);
    expect_emails(&json!([]), &replace, &json!([{"value": "a@x"}]));
    expect_emails(
        &json!([]),
        &json!([{"op": "remove", "path": "emails.type"}]),
        &Value::Null,
    );
}
