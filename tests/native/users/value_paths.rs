//! PATCH through a value path (RFC 7644 §3.5.2): what it makes is found by its filter, so that a client that sends the same again and
//! again has one value and not one more each time.

use std::cell::Cell;

use proptest::prelude::*;
use rollcall::scim::filter::{evaluate, parse, resolve};
use rollcall::scim::profile::Profile;
use rollcall::scim::schema::{AttributeRef, USERS};
use serde_json::{Value, json};

use super::create;
use crate::filter_equivalence::runner;
use crate::support::World;

/// Operations of the random test.
const CASES: u32 = 1_500;

/// The e-mail addresses after an operation on those there, or the scimType of its refusal; in `compat`.
fn after(emails: &Value, op: &str, path: &str, value: &Value) -> Result<Value, String> {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = create(&tenant, "a", json!({"emails": emails})).id();
    let operation = json!({"op": op, "path": path, "value": value});
    let answer = tenant.patch(&format!("/Users/{id}"), json!([operation]));
    match answer.status {
        200 => Ok(answer.body.get("emails").cloned().unwrap_or(json!([]))),
        _ => Err(answer.body["scimType"].as_str().expect("a type").to_owned()),
    }
}

#[test]
fn a_value_that_is_made_meets_the_filter_that_found_none() {
    let work = "emails[type eq \"work\"]";
    let made = json!([{"value": "a@x", "type": "work"}]);
    for op in ["add", "replace"] {
        for (path, value, wanted) in [
            (work, json!({"value": "a@x"}), made.clone()),
            (work, json!("a@x"), made.clone()),
            (work, json!([{"value": "a@x"}]), made.clone()),
            (work, json!(["a@x"]), made.clone()),
            (
                work,
                json!({"value": "a@x", "type": "WORK"}),
                json!([{"value": "a@x", "type": "WORK"}]),
            ),
            ("emails[type eq \"work\"].value", json!("a@x"), made.clone()),
            (
                "emails[type eq \"work\"].value",
                json!(["a@x"]),
                made.clone(),
            ),
            (
                "emails[type eq \"work\" and primary eq true].value",
                json!("a@x"),
                json!([{"value": "a@x", "type": "work", "primary": true}]),
            ),
            (
                "emails[primary eq false].value",
                json!("a@x"),
                json!([{"value": "a@x"}]),
            ),
            (
                "emails[not (type eq \"home\")].value",
                json!("a@x"),
                json!([{"value": "a@x"}]),
            ),
            (
                "emails[value sw \"a\"]",
                json!({"value": "a@x"}),
                json!([{"value": "a@x"}]),
            ),
            (
                "emails[value eq \"a@x\" or type eq \"b\"]",
                json!("a@x"),
                json!([{"value": "a@x"}]),
            ),
            // What is cleared and not there is not made.
            (work, json!(""), json!([])),
            (work, json!(null), json!([])),
            (work, json!([]), json!([])),
            (work, json!({}), json!([])),
            (work, json!({"value": ""}), json!([])),
            ("emails[type eq \"work\"].value", json!(""), json!([])),
            ("emails[type sw \"w\"].value", json!(null), json!([])),
        ] {
            println!("{op} {path} {value}");
            let made = after(&json!([]), op, path, &value).expect("it is taken");
            assert_eq!(made, wanted);
            assert_eq!(after(&made, op, path, &value), Ok(wanted), "once more");
        }
    }
}

#[test]
fn a_value_that_its_own_filter_would_not_find_is_not_made() {
    let there = json!([{"value": "h@x", "type": "home"}]);
    for op in ["add", "replace"] {
        for (path, value) in [
            ("emails[type sw \"zz\"].value", json!("a@x")),
            (
                "emails[type eq \"a\" or type eq \"b\"]",
                json!({"value": "a@x"}),
            ),
            ("emails[type eq \"a\" or type eq \"b\"].value", json!("a@x")),
            (
                "emails[type eq \"a\" and type eq \"b\"].value",
                json!("a@x"),
            ),
            ("emails[type pr and value eq \"a@x\"].display", json!("A")),
            ("emails[display co \"x\"].value", json!("a@x")),
            ("emails[value gt \"x\"].value", json!("a@x")),
            ("emails[type eq \"work\"].type", json!("home2")),
            (
                "emails[type eq \"work\"]",
                json!({"value": "a@x", "type": "other"}),
            ),
            ("emails[value eq \"old@x\"].value", json!("new@x")),
            ("emails[value eq \"old@x\"]", json!("new@x")),
            (
                "emails[primary eq true]",
                json!({"value": "a@x", "primary": false}),
            ),
            ("emails[type eq \"\"].value", json!("a@x")),
        ] {
            println!("{op} {path} {value}");
            assert_eq!(after(&there, op, path, &value), Err("noTarget".to_owned()));
        }
    }
    // `add` makes nothing of the kind in strict either.
    let world = World::new();
    let tenant = world.tenant("strict");
    let path = format!(
        "/Users/{}",
        create(&tenant, "a", json!({"emails": there})).id()
    );
    for path_of in [
        "phoneNumbers[type sw \"zz\"].value",
        "phoneNumbers[type eq \"a\" or type eq \"b\"].value",
    ] {
        let operation = json!([{"op": "add", "path": path_of, "value": "1"}]);
        tenant
            .patch(&path, operation)
            .expect_scim_error(400, "noTarget", "phoneNumbers");
    }
    let read_only = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager[displayName eq \"x\"].value";
    let operation = json!([{"op": "add", "path": read_only, "value": "m"}]);
    tenant
        .patch(&path, operation)
        .expect_scim_error(400, "noTarget", "manager");
}

#[test]
fn a_value_that_is_found_keeps_what_is_not_named() {
    let there = json!([
        {"value": "w@x", "display": "W", "type": "work", "primary": true},
        {"value": "h@x", "type": "home"},
    ]);
    let with = |name: &str, value: Value| {
        let mut emails = there.clone();
        emails[0][name] = value;
        Ok(emails)
    };
    let work = "emails[type eq \"work\"]";
    for op in ["add", "replace"] {
        for (value, wanted) in [
            (json!("n@x"), with("value", json!("n@x"))),
            (json!({"value": "n@x"}), with("value", json!("n@x"))),
            (json!([{"value": "n@x"}]), with("value", json!("n@x"))),
            (json!(["n@x"]), with("value", json!("n@x"))),
            (json!({"display": "N"}), with("display", json!("N"))),
            (json!({"type": "other"}), with("type", json!("other"))),
            (json!({}), Ok(there.clone())),
            (json!({"unknown": "x"}), Ok(there.clone())),
            (
                json!([{"value": "a@x"}, {"value": "b@x"}]),
                Err("invalidValue".to_owned()),
            ),
            (json!(["a@x", "b@x"]), Err("invalidValue".to_owned())),
            (json!(5), Err("invalidValue".to_owned())),
        ] {
            println!("{op} {value}");
            assert_eq!(after(&there, op, work, &value), wanted);
        }
        // What is cleared goes, and what is left of it says nothing.
        for value in [json!(""), json!(null), json!([]), json!([""])] {
            assert_eq!(
                after(&there, op, work, &value),
                Ok(json!([there[1]])),
                "{op} {value}"
            );
        }
        let cleared = json!({"value": null, "display": ""});
        assert_eq!(after(&there, op, work, &cleared), Ok(json!([there[1]])));
    }
    // RFC 7644 §3.5.2.3: in strict a value that is found is replaced whole.
    let world = World::new();
    let tenant = world.tenant("strict");
    let path = format!(
        "/Users/{}",
        create(&tenant, "a", json!({"emails": there})).id()
    );
    let operation = json!([{"op": "replace", "path": work, "value": {"value": "n@x"}}]);
    let answer = tenant.patch(&path, operation);
    assert_eq!(
        answer.expect(200).body["emails"],
        json!([{"value": "n@x"}, there[1]])
    );
}

/// An address that is made and is there already under the same type is that one.
#[test]
fn what_is_made_is_not_there_twice() {
    let there = json!([{"value": "a@x", "type": "work", "display": "A"}]);
    let path = "emails[type eq \"work\" and primary eq true].value";
    let wanted = json!([{"value": "a@x", "display": "A", "type": "work", "primary": true}]);
    for op in ["add", "replace"] {
        assert_eq!(after(&there, op, path, &json!("a@x")), Ok(wanted.clone()));
    }
}

fn any_text() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["work", "home", "a@x", "b@x", "w", ""])
}

fn any_element() -> impl Strategy<Value = Value> {
    let optional = || prop::option::of(any_text());
    (optional(), optional(), optional(), any::<Option<bool>>()).prop_map(
        |(value, kind, display, primary)| {
            json!({"value": value, "type": kind, "display": display, "primary": primary})
        },
    )
}

fn any_filter() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["type", "value", "display"]);
    let operator = prop::sample::select(vec!["eq", "eq", "eq", "ne", "sw", "co", "ew", "gt", "le"]);
    let term = prop_oneof![
        4 => (name.clone(), operator, any_text()).prop_map(|(name, operator, text)| format!("{name} {operator} \"{text}\"")),
        1 => any::<bool>().prop_map(|primary| format!("primary eq {primary}")),
        1 => name.prop_map(|name| format!("{name} pr")),
    ];
    term.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            2 => (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("{one} and {other}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one} or {other})")),
            1 => inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
}

/// The path behind the filter, and a value that belongs there.
fn any_change() -> impl Strategy<Value = (&'static str, Value)> {
    let text = || any_text().prop_map(Value::from);
    prop_oneof![
        (
            prop::sample::select(vec![".value", ".type", ".display"]),
            text()
        ),
        any::<bool>().prop_map(|primary| (".primary", primary.into())),
        text().prop_map(|text| ("", text)),
        any_element().prop_map(|element| ("", element)),
        any_element().prop_map(|element| ("", json!([element]))),
    ]
}

/// Whether a filter selects an element.
fn selects(filter: &str, element: &Value) -> bool {
    let attribute = USERS
        .plain()
        .core_attribute("emails")
        .expect("an attribute");
    let emails = AttributeRef {
        extension: None,
        attribute,
        sub: None,
    };
    let filter = parse::parse(filter, Profile::Compat).expect("a filter");
    let filter = resolve::resolve_within(&filter, &emails, Profile::Compat).expect("a predicate");
    evaluate::element_matches(&filter, element)
}

#[test]
fn what_a_value_path_makes_is_found_by_its_filter_and_made_once() {
    let world = World::new();
    let tenant = world.tenant("compat").unfused();
    let (made, changed, refused, number) = (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    let count = |counter: &Cell<usize>| counter.set(counter.get() + 1);
    let emails_of = |body: &Value| -> Vec<Value> {
        body.get("emails")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default()
    };
    let cases = (
        prop::collection::vec(any_element(), 0..4),
        prop::sample::select(vec!["add", "replace"]),
        any_filter(),
        any_change(),
    );
    let outcome = runner(CASES).run(&cases, |(elements, op, filter, (sub, value))| {
        count(&number);
        let user = create(
            &tenant,
            &format!("u{}", number.get()),
            json!({"emails": elements}),
        );
        let path = format!("/Users/{}", user.id());
        let before = emails_of(&user.body);
        let found = before.iter().any(|element| selects(&filter, element));
        let operation =
            json!([{"op": op, "path": format!("emails[{filter}]{sub}"), "value": value}]);
        let answer = tenant.patch(&path, operation.clone());
        let again = tenant.patch(&path, operation);
        let shown = tenant.get(&path).body;
        let query = format!("emails[{filter}] and id eq \"{}\"", user.id());
        let finds = !tenant.find(&query).is_empty();
        tenant.send("DELETE", &path, Value::Null).expect(204);
        if answer.status == 400 {
            count(&refused);
            prop_assert_eq!(&answer.body["scimType"], "noTarget", "{}", answer.body);
            prop_assert!(!found, "what is found is a target");
            prop_assert_eq!(&shown, &user.body);
            return Ok(());
        }
        answer.expect(200);
        let after = emails_of(&answer.body);
        // Others lose at most that they are primary.
        let less = |element: &Value| {
            let mut element = element.clone();
            element
                .as_object_mut()
                .expect("an object")
                .remove("primary");
            element
        };
        let others = before
            .iter()
            .filter(|element| !selects(&filter, element))
            .map(less);
        let kept: Vec<Value> = after.iter().map(less).collect();
        let same = |one: &Value, other: &Value| {
            one == other || (one["value"] == other["value"] && one["type"] == other["type"])
        };
        for other in others {
            prop_assert!(
                kept.iter().any(|element| same(element, &other)),
                "{} is gone",
                other
            );
        }
        prop_assert!(after.len() <= before.len() + usize::from(!found));
        prop_assert!(emails_of(&shown).len() <= after.len(), "it grows");
        if !found && after != before {
            count(&made);
            prop_assert!(after.iter().any(|element| selects(&filter, element)));
            prop_assert!(finds, "{} in {}", query, shown);
            prop_assert_eq!(again.expect(200).header("etag"), answer.header("etag"));
        }
        if found && after != before {
            count(&changed);
            // Unless it changes what the filter looks at, the filter finds it again.
            let names: Vec<&str> = match (sub, &value) {
                ("", Value::Object(_) | Value::Array(_)) => {
                    vec!["value", "type", "display", "primary"]
                }
                ("", _) => vec!["value"],
                (sub, _) => vec![&sub[1..]],
            };
            let is_cleared = value == "";
            if !is_cleared && !names.iter().any(|name| filter.contains(name)) {
                prop_assert!(finds, "{} in {}", query, shown);
                prop_assert_eq!(again.expect(200).header("etag"), answer.header("etag"));
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    let told = (made.get(), changed.get(), refused.get());
    println!("made, changed, refused: {told:?}");
    assert!(told.0 > 100 && told.1 > 100 && told.2 > 100, "{told:?}");
}
