//! One request has one budget for what it has worked through in memory: made to cost much it is refused, and what people send never is.
//! What is counted is the same on every machine.

use proptest::prelude::*;
use rollcall::scim::budget::{Budget, MAX_WORK};
use rollcall::scim::error::{Error, ScimType};
use rollcall::scim::filter::evaluate::{Keys, element_matches};
use rollcall::scim::resource::Resource;
use rollcall::scim::schema::USERS;
use rollcall::scim::{body, patch, profile::Profile};
use serde_json::{Value, json};

use crate::filter_equivalence::runner;
use crate::support::{Tenant, World};

const PROFILE: Profile = Profile::Compat;

/// A user with as many phone numbers as that, each of so many letters.
fn with_numbers(count: usize, letter: &str, length: usize) -> Value {
    let number = |number: usize| {
        let value = format!("{number:04}{}", letter.repeat(length));
        json!({"type": format!("t{number}"), "value": value})
    };
    let numbers: Vec<Value> = (0..count).map(number).collect();
    json!({"userName": "ada", "phoneNumbers": numbers})
}

fn read(body: Value) -> Resource {
    body::read(USERS.plain(), body, PROFILE, &Budget::default()).expect("a user")
}

/// The user after the operations, and what the budget was charged.
fn patched(user: &Resource, operations: &[Value]) -> (Result<Resource, Error>, usize) {
    let budget = Budget::default();
    let parsed = patch::parse(
        json!({"Operations": operations}),
        USERS.plain(),
        "7",
        PROFILE,
    );
    let mut after = user.clone();
    let done = parsed.and_then(|operations| {
        patch::apply(&operations, USERS.plain(), &mut after, PROFILE, &budget)
    });
    (done.map(|()| after), budget.spent())
}

/// Removes the phone numbers that have one of 40 texts in them, which none has.
fn removal(number: usize) -> Value {
    let terms: Vec<String> = (0..40)
        .map(|term| format!("value co \"{number}x{term}\""))
        .collect();
    json!({"op": "remove", "path": format!("phoneNumbers[{}]", terms.join(" or "))})
}

fn largest(tenant: &Tenant<'_>) -> String {
    let answer = tenant.send("POST", "/Users", with_numbers(480, "A", 1_500));
    format!("/Users/{}", answer.expect(201).id())
}

#[test]
fn forty_comparisons_with_each_value_in_many_operations_are_refused() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = largest(&tenant);
    let before = tenant.get(&path).body;
    for count in [100, 700] {
        let operations: Vec<Value> = (0..count).map(removal).collect();
        let answer = tenant.patch(&path, json!(operations));
        answer.expect_scim_error(400, "tooMany", "100000000");
        let detail = answer.body["detail"].as_str().unwrap();
        assert!(detail.starts_with("Operations["), "{detail}");
    }
    assert_eq!(tenant.get(&path).body, before);
    // One of them is not too much.
    tenant.patch(&path, json!([removal(1)])).expect(200);
}

#[test]
fn what_an_operation_would_copy_into_every_value_is_refused() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = largest(&tenant);
    for (op, to, value) in [
        (
            "replace",
            "phoneNumbers.display",
            json!("A".repeat(900_000)),
        ),
        (
            "add",
            "phoneNumbers",
            json!({"display": "A".repeat(900_000)}),
        ),
        (
            "add",
            "phoneNumbers[type pr]",
            json!({"display": "Ä".repeat(400_000)}),
        ),
    ] {
        let answer = tenant.patch(&path, json!([{"op": op, "path": to, "value": value}]));
        assert!(
            [400, 413].contains(&answer.status),
            "{to}: {}",
            answer.status
        );
    }
}

#[test]
fn filters_in_the_names_of_a_new_user_are_charged_too() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let mut user = with_numbers(480, "A", 1_500);
    for number in 0..100 {
        let terms: Vec<String> = (0..40)
            .map(|term| format!("not (value co \"{number}x{term}\")"))
            .collect();
        let path = format!("phoneNumbers[{}].display", terms.join(" and "));
        user[path] = json!("x");
    }
    let answer = tenant.send("POST", "/Users", user);
    answer.expect_scim_error(400, "tooMany", "100000000");
}

#[test]
fn a_bulk_request_has_one_budget_for_all_operations() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = largest(&tenant);
    let bulk = |operation: &dyn Fn(usize) -> Value| {
        let operations: Vec<Value> = (0..1_000)
            .map(|number| {
                let data = json!({"Operations": [operation(number)]});
                json!({"method": "PATCH", "path": path, "data": data})
            })
            .collect();
        let answer = tenant.send("POST", "/Bulk", json!({"Operations": operations}));
        let answers = answer.expect(200).body["Operations"].clone();
        let Value::Array(answers) = answers else {
            panic!("{answers}");
        };
        assert_eq!(answers.len(), 1_000);
        let done = answers
            .iter()
            .take_while(|answer| answer["status"] == "200");
        let done = done.count();
        for refused in &answers[done..] {
            assert_eq!(refused["status"], "400", "{refused}");
            assert_eq!(refused["response"]["scimType"], "tooMany", "{refused}");
        }
        done
    };
    // What leaves the phone numbers alone does not look at them.
    let done =
        bulk(&|number| json!({"op": "replace", "path": "title", "value": format!("t{number}")}));
    assert_eq!(done, 1_000);
    let work = "phoneNumbers[type eq \"t7\"].display";
    let done =
        bulk(&|number| json!({"op": "replace", "path": work, "value": format!("d{number}")}));
    assert!((20..200).contains(&done), "{done}");
    let user = tenant.get(&path).body;
    assert_eq!(user["title"], "t999");
    assert_eq!(user["phoneNumbers"][7]["display"], format!("d{}", done - 1));
}

#[test]
fn each_text_is_folded_once_and_again_where_it_changed() {
    let user = read(with_numbers(10, "É", 1_000));
    let folds = 32 * 10 * 2_004;
    let look = |text: &str| json!({"op": "remove", "path": format!("phoneNumbers[value sw \"{text}\" or value ew \"{text}\"]")});
    let (_, once) = patched(&user, &[look("x")]);
    assert!(once > folds, "{once}");
    let looks: Vec<Value> = (0..50).map(|number| look(&format!("x{number}"))).collect();
    let (_, often) = patched(&user, &looks);
    assert!(often < once + 50 * 10 * 2 * 48, "{often}");
    // One value changes, and is the only one to be folded again.
    let change =
        json!({"op": "replace", "path": "phoneNumbers[type eq \"t3\"].display", "value": "x"});
    let (after, changed) = patched(&user, &[look("x"), change, look("y")]);
    assert_eq!(
        after.unwrap().attributes.get("phoneNumbers").unwrap()[3]["display"],
        "x"
    );
    let folded = 32 * 2_004;
    assert!(
        (once + folded..once + 2 * folded).contains(&changed),
        "{changed}"
    );
    // The same request is charged the same.
    assert_eq!(patched(&user, &looks).1, often);
}

#[test]
fn a_value_is_copied_once_for_all_operations_and_not_at_all_where_it_is_not_touched() {
    let user = read(with_numbers(100, "a", 1_000));
    let title =
        |number: usize| json!({"op": "replace", "path": "title", "value": format!("{number}")});
    let titles: Vec<Value> = (0..100).map(title).collect();
    assert_eq!(patched(&user, &titles).1, 0);
    let primary =
        json!({"op": "replace", "path": "phoneNumbers[type eq \"t7\"].primary", "value": true});
    let (_, once) = patched(&user, std::slice::from_ref(&primary));
    let copied = 4 * 100 * 1_004;
    assert!((copied..2 * copied).contains(&once), "{once}");
    let (_, often) = patched(&user, &vec![primary; 100]);
    assert!(often < 2 * copied + 100 * 100 * 32, "{often}");
}

#[test]
fn nothing_more_is_done_once_the_budget_is_used_up() {
    let budget = Budget::default();
    assert_eq!(budget.charge(MAX_WORK), Ok(()));
    for _ in 0..2 {
        let refused = budget.charge(1).expect_err("a refusal");
        assert_eq!(refused.scim_type, ScimType::TooMany);
    }
    assert!(budget.charge(usize::MAX).is_err());
    assert!(budget.change(usize::MAX, usize::MAX).is_err());
}

fn any_text() -> impl Strategy<Value = String> {
    let texts = vec![
        "work", "Work", "a@x", "É", "e\u{301}", "ß", "SS", "ＡＢ", "ab", " x ", "İ", "ﬁ", "",
    ];
    prop::collection::vec(prop::sample::select(texts), 0..4).prop_map(|parts| parts.concat())
}

fn any_element() -> impl Strategy<Value = Value> {
    let optional = || prop::option::of(any_text());
    let parts = (optional(), optional(), optional(), any::<Option<bool>>());
    parts.prop_map(|(value, kind, display, primary)| {
        json!({"value": value, "type": kind, "display": display, "primary": primary})
    })
}

fn any_term() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["type", "value", "display"]);
    let operators = vec!["eq", "ne", "sw", "co", "ew", "gt", "ge", "lt", "le"];
    prop_oneof![
        6 => (name.clone(), prop::sample::select(operators), any_text()).prop_map(|(name, operator, text)| format!("{name} {operator} {}", json!(text))),
        1 => any::<bool>().prop_map(|primary| format!("primary eq {primary}")),
        1 => name.prop_map(|name| format!("{name} pr")),
    ]
}

fn any_filter(terms: usize) -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![" and ", " or "]);
    let terms = prop::collection::vec((any_term(), any::<bool>()), 1..=terms);
    (word, terms).prop_map(|(word, terms)| {
        let term = |(term, negated): &(String, bool)| match negated {
            true => format!("not ({term})"),
            false => term.clone(),
        };
        terms.iter().map(term).collect::<Vec<_>>().join(word)
    })
}

/// An operation on e-mail addresses or phone numbers, with a filter or without.
fn any_operation(terms: usize) -> impl Strategy<Value = Value> {
    let attribute = prop::sample::select(vec!["phoneNumbers", "emails"]);
    let part = prop::sample::select(vec!["", ".value", ".display", ".type"]);
    let op = prop::sample::select(vec!["add", "replace", "remove"]);
    let parts = (
        attribute,
        op,
        prop::option::weighted(0.8, any_filter(terms)),
        part,
        any_text(),
        any_element(),
    );
    parts.prop_map(|(attribute, op, filter, part, text, element)| {
        let filter = filter.map_or(String::new(), |filter| format!("[{filter}]"));
        let path = format!("{attribute}{filter}{part}");
        match (op, part) {
            ("remove", _) => json!({"op": op, "path": path}),
            (_, "") => json!({"op": op, "path": path, "value": element}),
            _ => json!({"op": op, "path": path, "value": text}),
        }
    })
}

fn any_user() -> impl Strategy<Value = Value> {
    let elements = || prop::collection::vec(any_element(), 0..6);
    (elements(), elements()).prop_map(
        |(emails, numbers)| json!({"userName": "ada", "emails": emails, "phoneNumbers": numbers}),
    )
}

#[test]
fn keys_kept_meet_filters_as_texts_folded_anew_do() {
    let cases = (any_element(), prop::collection::vec(any_filter(6), 1..6));
    let outcome = runner(2_000).run(&cases, |(element, filters)| {
        let (mut keys, budget) = (Keys::default(), Budget::default());
        for filter in filters {
            let path = format!("emails[{filter}]");
            let body = json!({"Operations": [{"op": "remove", "path": path}]});
            let parsed = patch::parse(body, USERS.plain(), "7", PROFILE).expect("a PATCH");
            let predicate = parsed[0].path.filter.as_ref().expect("a filter");
            let meets = keys.meet(predicate, &element, &budget);
            prop_assert_eq!(meets, Ok(element_matches(predicate, &element)), "{}", path);
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn operations_together_come_to_what_they_come_to_one_by_one() {
    let cases = (any_user(), prop::collection::vec(any_operation(3), 1..8));
    let outcome = runner(1_500).run(&cases, |(user, operations)| {
        let Ok(user) = body::read(USERS.plain(), user, PROFILE, &Budget::default()) else {
            return Ok(());
        };
        let untouched = user.to_stored(&USERS);
        let (together, _) = patched(&user, &operations);
        let mut one_by_one = Ok(user.clone());
        for operation in &operations {
            one_by_one =
                one_by_one.and_then(|user| patched(&user, std::slice::from_ref(operation)).0);
        }
        let stored = |user: Resource| (user.to_stored(&USERS), user.to_keys(USERS.plain()));
        prop_assert_eq!(together.is_ok(), one_by_one.is_ok());
        if let (Ok(together), Ok(one_by_one)) = (together, one_by_one) {
            let lengths = together.lengths(&USERS);
            let (json, keys) = (
                together.to_stored(&USERS).len(),
                together.to_keys(USERS.plain()).len(),
            );
            prop_assert_eq!(lengths.json, json);
            prop_assert!(
                keys <= lengths.folded_at_most() + 16,
                "{} of {:?}",
                keys,
                lengths
            );
            prop_assert_eq!(stored(together), stored(one_by_one));
        }
        // Those who share values with a copy that is changed keep theirs.
        prop_assert_eq!(user.to_stored(&USERS), untouched);
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn a_hundred_operations_on_a_user_of_ordinary_size_are_never_refused() {
    let values = (
        1..400_usize,
        prop::sample::select(vec!["a", "É", "Ж", "ﬁ"]),
        0..20_000_usize,
    );
    let cases = (values, prop::collection::vec(any_operation(40), 1..=100));
    let outcome = runner(40).run(&cases, |((count, letter, letters), operations)| {
        // The longest of at most 20 kB.
        let length = (letters / letter.len() / count).saturating_sub(12);
        let user = read(with_numbers(count, letter, length));
        let (done, spent) = patched(&user, &operations);
        if let Err(error) = done {
            prop_assert_ne!(error.scim_type, ScimType::TooMany, "{}", error);
        }
        prop_assert!(spent < MAX_WORK);
        Ok(())
    });
    outcome.unwrap();
    // As bad as it gets with four comparisons in each: with each value, which each operation changes, so that it is folded again.
    for letter in ["a", "Ж"] {
        let user = read(with_numbers(13, letter, 1_500 / letter.len()));
        let terms: Vec<String> = (0..3).map(|term| format!("value co \"x{term}\"")).collect();
        let path = format!("phoneNumbers[{} or type pr].primary", terms.join(" or "));
        let operation = json!({"op": "replace", "path": path, "value": false});
        let (done, spent) = patched(&user, &vec![operation; 100]);
        assert!(done.is_ok(), "{letter}: {spent}");
    }
}
