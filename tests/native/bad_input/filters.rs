//! Filters and list parameters that do not hold.

use serde_json::{Value, json};

use super::search;
use crate::support::World;

#[test]
fn strict_says_that_text_stands_in_double_quotes() {
    let world = World::new();
    let tenant = world.tenant("strict");
    for text in ["x", "'x'", "a@example.com", "True", "(x)"] {
        let filter = format!("userName eq {text}");
        search(&tenant, &filter).expect_scim_error(
            400,
            "invalidFilter",
            "expected a JSON value (text stands in double quotes) at position 13",
        );
    }
}

#[test]
fn a_malformed_filter_is_an_invalid_filter_that_names_the_place() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        for (filter, named) in [
            ("userName eq \"a", "position 13"),
            ("userName eq \"a\\\"", "position 13"),
            ("userName eq \"\\x\"", "JSON string"),
            ("colour eq \"a\"", "colour"),
            ("userName.first eq \"a\"", "userName.first"),
            ("name.nick eq \"a\"", "name.nick"),
            ("emails[colour eq \"a\"]", "colour"),
            ("urn:example:x eq \"a\"", "urn:example:x"),
            ("userName is \"a\"", "position 10"),
            ("userName = \"a\"", "position 10"),
            ("userName == \"a\"", "position 10"),
            ("userName", "an operator"),
            ("userName eq", "the filter ends"),
            ("userName eq ", "the filter ends"),
            ("eq \"a\"", "an operator"),
            ("\"userName\" eq \"a\"", "position 1"),
            ("userName eq \"a\" \"b\"", "position 17"),
            ("userName eq \"a\" or", "the filter ends"),
            ("userName eq \"a\" and and active eq true", "an operator"),
            ("userName pr \"a\"", "position 13"),
            ("userName eq \"a\")", "position 16"),
            ("(userName eq \"a\"", "`)`"),
            ("()", "position 2"),
            ("(", "the filter ends"),
            ("userName eq [\"a\"]", "position 13"),
            ("not userName eq \"a\"", "`not`"),
            ("not", "`not`"),
            ("not ()", "position 6"),
            ("emails[type eq \"work\"", "`]`"),
            ("emails[]", "position 8"),
            ("emails[type eq \"work\"]]", "position 23"),
            (
                "emails[type eq \"work\" and emails[type eq \"x\"]]",
                "emails",
            ),
            ("userName[value eq \"a\"]", "userName"),
            ("name.givenName[value eq \"a\"]", "name.givenName"),
            ("userName eq \"a\" xor active eq true", "position 17"),
            ("\u{0}", "position 1"),
            ("🦀 eq \"a\"", "position 1"),
        ] {
            println!("{profile} {filter}");
            search(&tenant, filter).expect_scim_error(400, "invalidFilter", named);
        }
    }
}

#[test]
fn a_filter_that_compares_what_cannot_be_compared_is_an_invalid_filter() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        for (filter, named) in [
            ("active gt true", "active gt"),
            ("active le false", "active le"),
            ("active co true", "active co"),
            ("active eq \"maybe\"", "active eq"),
            ("active eq 1", "active eq"),
            ("emails[primary gt true]", "primary gt"),
            (
                "x509Certificates.value gt \"a\"",
                "x509Certificates.value gt",
            ),
            ("meta.created co \"2026\"", "meta.created co"),
            ("meta.created gt \"yesterday\"", "meta.created gt"),
            ("meta.lastModified gt 5", "meta.lastModified gt"),
            ("password eq \"secret\"", "password"),
            ("password pr", "password"),
            ("not (password sw \"s\")", "password"),
            ("name eq \"Jane\"", "name"),
            ("addresses eq \"Berlin\"", "addresses"),
            ("meta eq \"x\"", "meta"),
            ("userName gt null", "userName gt"),
            ("userName co null", "userName co"),
        ] {
            println!("{profile} {filter}");
            search(&tenant, filter).expect_scim_error(400, "invalidFilter", named);
        }
    }
}

#[test]
fn strict_takes_json_values_only() {
    let world = World::new();
    let (compat, strict) = (world.tenant("compat"), world.tenant("strict"));
    for filter in [
        "userName eq 'a'",
        "userName eq a",
        "userName eq 5",
        "active eq \"True\"",
        "department eq \"x\"",
        "active eq TRUE",
    ] {
        search(&strict, filter).expect_scim_error(400, "invalidFilter", "position");
        search(&compat, filter).expect(200);
    }
}

#[test]
fn a_filter_may_be_16_deep_40_terms_and_8192_bytes_large() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let deep = |depth: usize| format!("{}active eq true{}", "(".repeat(depth), ")".repeat(depth));
    search(&tenant, &deep(16)).expect(200);
    for depth in [17, 100, 2_000] {
        search(&tenant, &deep(depth)).expect_scim_error(400, "invalidFilter", "16 deep");
    }
    let negated = format!("{}active eq true{}", "not (".repeat(17), ")".repeat(17));
    search(&tenant, &negated).expect_scim_error(400, "invalidFilter", "16 deep");
    let terms =
        |count: usize, word: &str| vec!["userName eq \"a\""; count].join(&format!(" {word} "));
    for word in ["and", "or"] {
        search(&tenant, &terms(40, word)).expect(200);
        search(&tenant, &terms(41, word)).expect_scim_error(400, "invalidFilter", "40");
        search(&tenant, &terms(400, word)).expect_scim_error(400, "invalidFilter", "40");
    }
    let long = |length: usize| format!("userName eq \"{}\"", "x".repeat(length - 14));
    assert_eq!(long(8_192).len(), 8_192);
    search(&tenant, &long(8_192)).expect(200);
    search(&tenant, &long(8_193)).expect_scim_error(400, "invalidFilter", "8192");
}

#[test]
fn the_largest_filter_of_each_kind_is_answered() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("a");
    for term in [
        "userName sw \"a\"",
        "emails.value eq \"a\"",
        "emails[type eq \"work\" and value eq \"x\"]",
        "groups.value eq \"a\"",
        "groups pr",
        "groups[display co \"a\"]",
        "manager.value eq \"a\"",
        "not (userName eq \"b\")",
        "meta.location co \"a\"",
        "addresses[country eq \"de\"]",
        "roles.value ew \"x\"",
        "meta.lastModified gt \"2020-01-01T00:00:00Z\"",
    ] {
        // A value path is a term itself.
        let count = match (term.contains('['), term.contains(" and ")) {
            (true, true) => 13,
            (true, false) => 20,
            (false, _) => 40,
        };
        for word in [" and ", " or "] {
            let filter = vec![term; count].join(word);
            if filter.len() <= 8_192 {
                search(&tenant, &filter).expect(200);
            }
        }
    }
}

#[test]
fn start_index_and_count_are_whole_numbers() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for name in ["startIndex", "count"] {
        for value in ["x", "1.5", "1e2", "0x10", "1,2", "null", "--1", "%C3%A4"] {
            tenant
                .get(&format!("/Users?{name}={value}"))
                .expect_scim_error(400, "invalidValue", name);
            tenant
                .get(&format!("/Groups?{name}={value}"))
                .expect_scim_error(400, "invalidValue", name);
        }
    }
}

#[test]
fn sorting_by_nothing_that_can_be_sorted_is_an_invalid_path() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for by in [
        "colour",
        "name",
        "password",
        "userName.x",
        "addresses",
        "meta",
        "urn:example:x",
        "emails%5Btype%20eq%20%22work%22%5D",
    ] {
        let answer = tenant.get(&format!("/Users?sortBy={by}"));
        answer.expect_scim_error(400, "invalidPath", "sortBy");
    }
    tenant
        .get("/Users?sortBy=userName&sortOrder=sideways")
        .expect_scim_error(400, "invalidValue", "sortOrder");
}

#[test]
fn attributes_and_excluded_attributes_exclude_each_other() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    let query = "?attributes=userName&excludedAttributes=emails";
    let body = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "b"});
    let patch = json!({"Operations": [{"op": "add", "path": "title", "value": "x"}]});
    let before = world.database.dump();
    for (method, path, body) in [
        ("GET", "/Users".to_owned(), Value::Null),
        ("GET", format!("/Users/{user}"), Value::Null),
        ("POST", "/Users".to_owned(), body.clone()),
        ("PUT", format!("/Users/{user}"), body),
        ("PATCH", format!("/Users/{user}"), patch),
    ] {
        let answer = tenant.send(method, &format!("{path}{query}"), body);
        answer.expect_scim_error(400, "invalidValue", "excludedAttributes");
    }
    let tables = |dump: Vec<(String, Vec<Vec<rollcall::store::Value>>)>| -> Vec<_> {
        dump.into_iter()
            .filter(|(table, _)| table != "scim_tokens")
            .collect()
    };
    assert_eq!(tables(world.database.dump()), tables(before));
}

#[test]
fn unknown_parameters_are_passed_over() {
    let world = World::new();
    let tenant = world.tenant("strict");
    tenant.user("a");
    let answer = tenant.get("/Users?aadOptscim062020&x=%ZZ&filter=&=&count=5&%00=1");
    answer.expect(200);
    assert_eq!(answer.body["totalResults"], 1);
}

/// White space that the grammar does not know, too: a form feed once kept the parser busy until the memory was full.
#[test]
fn every_character_between_two_words_is_answered() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let beyond = "\u{85}\u{a0}\u{1680}\u{2003}\u{2028}\u{202f}\u{3000}\u{feff}".chars();
    for character in (0..=0x7f_u8).map(char::from).chain(beyond) {
        let space = matches!(character, ' ' | '\t' | '\r' | '\n');
        for filter in [
            format!("userName{character}eq \"a\""),
            format!("userName eq{character}\"a\""),
            format!("{character}userName eq \"a\"{character}"),
            format!("emails{character}[{character}type eq \"work\"{character}]"),
        ] {
            let answer = search(&tenant, &filter);
            let wanted: &[u16] = if space { &[200] } else { &[200, 400] };
            assert!(
                wanted.contains(&answer.status),
                "{filter:?}: {}",
                answer.body
            );
        }
        let path = format!("emails{character}[type{character}eq \"work\"]{character}.value");
        let user = tenant.user(&format!("u{}", u32::from(character)));
        let operations = json!([{"op": "replace", "path": path, "value": "x"}]);
        let answer = tenant.patch(&format!("/Users/{user}"), operations);
        assert!(answer.status < 500, "{path:?}: {}", answer.body);
    }
}
