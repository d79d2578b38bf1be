//! What filters and sorting select, case by case.

use serde_json::{Value, json};

use crate::support::World;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

#[test]
fn a_filter_that_compares_nothing_has_a_total() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("anna");
    assert_eq!(tenant.find("userName pr"), ["anna"]);
    assert_eq!(tenant.find("not (title pr)"), ["anna"]);
    assert!(tenant.find("title pr").is_empty());
}

#[test]
fn a_value_that_says_it_is_not_primary_is_no_more_primary_than_one_that_says_nothing() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let create = |name: &str, emails: Value| {
        let body = json!({"schemas": [USER], "userName": name, "emails": emails});
        tenant.send("POST", "/Users", body).expect(201);
    };
    create(
        "last",
        json!([{"value": "z@x"}, {"value": "a@x", "primary": false}]),
    );
    create(
        "first",
        json!([{"value": "y@x", "primary": false}, {"value": "m@x", "primary": true}]),
    );
    let list = tenant.get("/Users?sortBy=emails");
    assert_eq!(list.expect(200).body["Resources"][0]["userName"], "first");
}

#[test]
fn a_value_path_on_a_single_value_asks_for_the_value_to_be_there() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("nameless");
    let body = json!({"schemas": [USER], "userName": "named", "name": {"familyName": "Ng"}});
    tenant.send("POST", "/Users", body).expect(201);
    assert_eq!(tenant.find("name[givenName ne \"Ann\"]"), ["named"]);
    assert_eq!(tenant.find("name[not (givenName pr)]"), ["named"]);
    assert_eq!(
        tenant.find("not (name[familyName eq \"ng\"])"),
        ["nameless"]
    );
    assert_eq!(tenant.find("meta[not (version pr)]"), Vec::<String>::new());
}

#[test]
fn an_address_without_a_type_is_not_one_of_the_empty_type() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let body = json!({"schemas": [USER], "userName": "anna", "emails": [
        {"value": "a@x"}, {"value": "b@x", "type": "work", "primary": true},
    ]});
    tenant.send("POST", "/Users", body).expect(201);
    assert!(
        tenant
            .find("emails[type eq \"\" and value eq \"a@x\"]")
            .is_empty()
    );
    assert!(
        tenant
            .find("emails[type eq \"work\" and value eq \"a@x\"]")
            .is_empty()
    );
    assert_eq!(
        tenant.find("emails[type eq \"WORK\" and value eq \"B@x\"]"),
        ["anna"]
    );
    assert_eq!(
        tenant.find("emails[value eq \"a@x\" and not (type pr)]"),
        ["anna"]
    );
    assert_eq!(
        tenant.find("emails[value eq \"b@x\" and primary eq true]"),
        ["anna"]
    );
    assert!(
        tenant
            .find("emails[value eq \"a@x\" and primary eq true]")
            .is_empty()
    );
}

#[test]
fn a_member_whose_only_name_is_empty_has_no_display() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let create = |name: &str, display: &str| {
        let body = json!({"schemas": [USER], "userName": name, "displayName": display});
        let id = tenant.send("POST", "/Users", body).expect(201).id();
        tenant.group(name, &[&id]);
    };
    create("nameless", "");
    create("named", "Ng");
    let list = tenant.get("/Groups?filter=members.display+pr&attributes=displayName");
    let names: Vec<&Value> = list.expect(200).body["Resources"]
        .as_array()
        .expect("Resources")
        .iter()
        .map(|group| &group["displayName"])
        .collect();
    assert_eq!(names, ["named"]);
}

#[test]
fn a_text_is_compared_beyond_a_zero_character() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (name, title) in [
        ("short", "ab"),
        ("long", "ab\u{0}cd"),
        ("other", "ab\u{0}ef"),
    ] {
        let body =
            json!({"schemas": [USER], "userName": name, "displayName": title, "title": title});
        tenant.send("POST", "/Users", body).expect(201);
    }
    for attribute in ["title", "displayName"] {
        for (operator, operand, wanted) in [
            ("sw", "ab", &["long", "other", "short"][..]),
            ("sw", r"ab\u0000", &["long", "other"]),
            ("sw", r"AB\u0000c", &["long"]),
            ("ew", "cd", &["long"]),
            ("ew", r"\u0000ef", &["other"]),
            ("co", r"\u0000", &["long", "other"]),
            ("eq", r"ab\u0000cd", &["long"]),
            ("eq", "ab", &["short"]),
            ("gt", "ab", &["long", "other"]),
        ] {
            let filter = format!("{attribute} {operator} \"{operand}\"");
            assert_eq!(tenant.find(&filter), wanted, "{filter}");
        }
    }
}

#[test]
fn a_number_without_quotes_is_compared_digit_by_digit() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for external_id in ["90071992547409931", "90071992547409932", "1.50"] {
        let body = json!({"schemas": [USER], "userName": external_id, "externalId": external_id});
        tenant.send("POST", "/Users", body).expect(201);
        assert_eq!(
            tenant.find(&format!("externalId eq {external_id}")),
            [external_id]
        );
    }
}

/// RFC 7643 §2.4: a value that does not say whether it is primary is not.
#[test]
fn what_does_not_say_that_it_is_primary_is_not() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (name, emails) in [
        ("silent", json!([{"value": "a@x"}])),
        ("said", json!([{"value": "b@x", "primary": false}])),
        ("primary", json!([{"value": "c@x", "primary": true}])),
        (
            "both",
            json!([{"value": "d@x", "primary": true}, {"value": "e@x"}]),
        ),
        ("none", json!([])),
    ] {
        let body = json!({"schemas": [USER], "userName": name, "emails": emails});
        tenant.send("POST", "/Users", body).expect(201);
    }
    let find = |filter: &str| {
        let mut found = tenant.find(filter);
        found.sort();
        found
    };
    assert_eq!(find("emails[primary eq false]"), ["both", "said", "silent"]);
    assert_eq!(find("emails.primary eq false"), ["both", "said", "silent"]);
    assert_eq!(
        find("emails[primary eq \"False\"].value eq \"e@x\""),
        ["both"]
    );
    assert_eq!(find("emails[primary ne true]"), ["both", "said", "silent"]);
    assert_eq!(find("emails[primary eq true]"), ["both", "primary"]);
    assert_eq!(find("emails[primary ne false]"), ["both", "primary"]);

    let made = json!({"schemas": [USER], "userName": "p", "emails": [{"value": "p@x"}, {"value": "q@x", "primary": true}]});
    let path = format!("/Users/{}", tenant.send("POST", "/Users", made).id());
    let answer = tenant.patch(
        &path,
        json!([{"op": "remove", "path": "emails[primary eq false]"}]),
    );
    assert_eq!(
        answer.expect(200).body["emails"],
        json!([{"value": "q@x", "primary": true}])
    );
}
