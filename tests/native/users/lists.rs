//! Pages, totals and order of lists.

use serde_json::{Value, json};

use super::{USER, create, in_both};
use crate::support::{Answer, Tenant, World};

fn names(answer: &Answer) -> Vec<&str> {
    answer.expect(200);
    let resources = answer.body["Resources"].as_array().expect("Resources");
    resources
        .iter()
        .map(|user| user["userName"].as_str().expect("a userName"))
        .collect()
}

/// `(totalResults, startIndex, itemsPerPage)`.
fn numbers(answer: &Answer) -> (i64, i64, i64) {
    answer.expect(200);
    assert_eq!(
        answer.body["schemas"],
        json!(["urn:ietf:params:scim:api:messages:2.0:ListResponse"])
    );
    let number = |name: &str| {
        answer.body[name]
            .as_i64()
            .unwrap_or_else(|| panic!("{name} in {}", answer.body))
    };
    (
        number("totalResults"),
        number("startIndex"),
        number("itemsPerPage"),
    )
}

fn fill(tenant: &Tenant<'_>, count: usize) {
    for number in 0..count {
        // Each in a moment of its own, so that the ids follow the names.
        tenant.world.clock.advance_seconds(1);
        tenant.user(&format!("u{number:04}"));
    }
}

#[test]
fn an_empty_list_is_a_list() {
    in_both(|tenant| {
        let answer = tenant.get("/Users");
        assert_eq!(numbers(&answer), (0, 1, 0));
        assert_eq!(answer.body["Resources"], json!([]));
    });
}

#[test]
fn start_index_and_count_follow_the_rfc_at_their_edges() {
    in_both(|tenant| {
        fill(tenant, 5);
        type Case<'c> = (&'c str, (i64, i64, i64), &'c [&'c str]);
        let cases: [Case<'_>; 14] = [
            (
                "",
                (5, 1, 5),
                &["u0000", "u0001", "u0002", "u0003", "u0004"],
            ),
            ("?startIndex=1&count=2", (5, 1, 2), &["u0000", "u0001"]),
            ("?startIndex=3&count=2", (5, 3, 2), &["u0002", "u0003"]),
            ("?startIndex=5&count=2", (5, 5, 1), &["u0004"]),
            ("?startIndex=6", (5, 6, 0), &[]),
            ("?startIndex=1000000", (5, 1_000_000, 0), &[]),
            ("?startIndex=0&count=1", (5, 1, 1), &["u0000"]),
            ("?startIndex=-7&count=1", (5, 1, 1), &["u0000"]),
            ("?count=0", (5, 1, 0), &[]),
            ("?count=-1", (5, 1, 0), &[]),
            ("?startIndex=2&count=0", (5, 2, 0), &[]),
            (
                "?count=1000",
                (5, 1, 5),
                &["u0000", "u0001", "u0002", "u0003", "u0004"],
            ),
            (
                "?count=9223372036854775807",
                (5, 1, 5),
                &["u0000", "u0001", "u0002", "u0003", "u0004"],
            ),
            (
                "?startIndex=-9223372036854775808&count=1",
                (5, 1, 1),
                &["u0000"],
            ),
        ];
        for (query, wanted, found) in cases {
            let answer = tenant.get(&format!("/Users{query}"));
            assert_eq!(
                (numbers(&answer), names(&answer)),
                (wanted, found.to_vec()),
                "{query}"
            );
        }
    });
}

#[test]
fn a_page_has_100_unless_asked_and_1000_at_most() {
    let world = crate::support::World::new();
    let tenant = world.tenant("compat");
    fill(&tenant, 1_005);
    assert_eq!(numbers(&tenant.get("/Users")), (1_005, 1, 100));
    assert_eq!(numbers(&tenant.get("/Users?count=1000")), (1_005, 1, 1_000));
    assert_eq!(numbers(&tenant.get("/Users?count=5000")), (1_005, 1, 1_000));
    let last = tenant.get("/Users?count=5000&startIndex=1001");
    assert_eq!(
        (numbers(&last), names(&last)[4]),
        ((1_005, 1_001, 5), "u1004")
    );
    assert_eq!(
        numbers(&tenant.get("/Users?count=5000&filter=userName%20sw%20%22u%22")),
        (1_005, 1, 1_000)
    );
}

#[test]
fn pages_join_without_a_gap_or_an_overlap() {
    in_both(|tenant| {
        fill(tenant, 23);
        for query in [
            "",
            "&filter=active%20eq%20true",
            "&sortBy=active",
            "&sortBy=meta.resourceType&sortOrder=descending",
        ] {
            let mut seen = Vec::new();
            for start in (1..=23).step_by(5) {
                let page = tenant.get(&format!("/Users?startIndex={start}&count=5{query}"));
                assert_eq!(numbers(&page).0, 23);
                seen.extend(names(&page).into_iter().map(str::to_owned));
            }
            let wanted: Vec<String> = (0..23).map(|number| format!("u{number:04}")).collect();
            assert_eq!(seen, wanted, "{query}");
        }
    });
}

#[test]
fn the_total_counts_what_the_filter_selects() {
    in_both(|tenant| {
        fill(tenant, 12);
        assert_eq!(
            numbers(&tenant.get("/Users?count=3&filter=userName%20sw%20%22u000%22")),
            (10, 1, 3)
        );
        assert_eq!(
            numbers(&tenant.get("/Users?count=0&filter=userName%20sw%20%22u000%22")),
            (10, 1, 0)
        );
        let id = tenant.get("/Users?count=1").body["Resources"][0]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        tenant
            .send("DELETE", &format!("/Users/{id}"), Value::Null)
            .expect(204);
        assert_eq!(numbers(&tenant.get("/Users?count=0")), (11, 1, 0));
        tenant
            .send("POST", "/Users", super::user_body("u0001"))
            .expect(409);
        assert_eq!(
            numbers(&tenant.get("/Users?count=0")),
            (11, 1, 0),
            "a refused create is not counted"
        );
    });
}

#[test]
fn missing_values_sort_last_ascending_and_first_descending() {
    in_both(|tenant| {
        for (name, title) in [
            ("a", json!("Zebra")),
            ("b", json!(null)),
            ("c", json!("ähre")),
            ("d", json!("apple")),
            ("e", json!(null)),
        ] {
            tenant.world.clock.advance_seconds(1);
            create(tenant, name, json!({"title": title}));
        }
        let sorted = |query: &str| -> Vec<String> {
            let answer = tenant.get(&format!("/Users?{query}"));
            names(&answer).into_iter().map(str::to_owned).collect()
        };
        assert_eq!(sorted("sortBy=title"), ["d", "a", "c", "b", "e"]);
        assert_eq!(
            sorted("sortBy=title&sortOrder=ascending"),
            ["d", "a", "c", "b", "e"]
        );
        assert_eq!(
            sorted("sortBy=title&sortOrder=descending"),
            ["b", "e", "c", "a", "d"]
        );
        assert_eq!(
            sorted("sortBy=TITLE&sortOrder=DESCENDING"),
            ["b", "e", "c", "a", "d"]
        );
        assert_eq!(
            sorted("sortOrder=descending"),
            ["a", "b", "c", "d", "e"],
            "an order needs an attribute"
        );
    });
}

#[test]
fn lists_sort_by_names_times_and_parts_without_case() {
    in_both(|tenant| {
        for (name, family, email) in [
            ("Charly", "Ba", "z@x"),
            ("alpha", "bB", "y@x"),
            ("Bravo", "ba", "x@x"),
        ] {
            tenant.world.clock.advance_seconds(1);
            let emails = json!([{"value": "0@x"}, {"value": email, "primary": true}]);
            create(
                tenant,
                name,
                json!({"name": {"familyName": family}, "emails": emails}),
            );
        }
        for (query, wanted) in [
            ("sortBy=userName", ["alpha", "Bravo", "Charly"]),
            (
                "sortBy=userName&sortOrder=descending",
                ["Charly", "Bravo", "alpha"],
            ),
            ("sortBy=name.familyName", ["Charly", "Bravo", "alpha"]),
            (
                "sortBy=meta.created&sortOrder=descending",
                ["Bravo", "alpha", "Charly"],
            ),
            ("sortBy=id", ["Charly", "alpha", "Bravo"]),
            ("sortBy=emails", ["Bravo", "alpha", "Charly"]),
            (
                "sortBy=emails.value&sortOrder=descending",
                ["Charly", "alpha", "Bravo"],
            ),
            (
                "sortBy=urn:ietf:params:scim:schemas:core:2.0:User:userName",
                ["alpha", "Bravo", "Charly"],
            ),
        ] {
            assert_eq!(
                names(&tenant.get(&format!("/Users?{query}"))),
                wanted,
                "{query}"
            );
        }
    });
}

#[test]
fn a_filter_selects_what_the_rfc_says() {
    in_both(|tenant| {
        create(
            tenant,
            "jane",
            json!({"name": {"familyName": "O'Hara"}, "title": "Boss", "emails": [{"value": "Jane@X.org", "type": "work"}, {"value": "j@home.org", "type": "home"}]}),
        );
        create(
            tenant,
            "joe",
            json!({"active": false, "emails": [{"value": "joe@x.org", "type": "home"}]}),
        );
        create(tenant, "Ärger", json!({"nickName": "50%_\\\""}));
        for (filter, wanted) in [
            ("userName eq \"JANE\"", vec!["jane"]),
            ("userName ne \"jane\"", vec!["joe", "Ärger"]),
            ("userName sw \"J\"", vec!["jane", "joe"]),
            ("userName ew \"E\"", vec!["jane", "joe"]),
            ("userName co \"RG\"", vec!["Ärger"]),
            ("userName sw \"ä\"", vec!["Ärger"]),
            ("userName gt \"jane\"", vec!["joe", "Ärger"]),
            ("userName le \"jane\"", vec!["jane"]),
            ("name.familyName eq \"o'hara\"", vec!["jane"]),
            ("title pr", vec!["jane"]),
            ("not (title pr)", vec!["joe", "Ärger"]),
            ("title ne \"Boss\"", vec!["joe", "Ärger"]),
            ("active eq false", vec!["joe"]),
            ("nickName eq \"50%_\\\\\\\"\"", vec!["Ärger"]),
            ("nickName co \"%\"", vec!["Ärger"]),
            ("nickName co \"_\"", vec!["Ärger"]),
            ("emails co \"HOME\"", vec!["jane"]),
            ("emails.type eq \"home\"", vec!["jane", "joe"]),
            (
                "emails[type eq \"home\" and value co \"x.org\"]",
                vec!["joe"],
            ),
            (
                "emails.type eq \"home\" and emails.value co \"x.org\"",
                vec!["jane", "joe"],
            ),
            (
                "emails[type eq \"work\" and value eq \"jane@x.org\"]",
                vec!["jane"],
            ),
            ("emails[not (type eq \"work\")]", vec!["jane", "joe"]),
            ("not (emails[type eq \"work\"])", vec!["joe", "Ärger"]),
            (
                "userName eq \"jane\" or userName eq \"joe\" and active eq true",
                vec!["jane"],
            ),
            (
                "(userName eq \"jane\" or userName eq \"joe\") and active eq false",
                vec!["joe"],
            ),
            (
                "meta.created ge \"2026-01-02T03:04:05Z\"",
                vec!["jane", "joe", "Ärger"],
            ),
            ("meta.created gt \"2026-01-02T04:04:05.000+01:00\"", vec![]),
            (
                "meta.resourceType eq \"User\"",
                vec!["jane", "joe", "Ärger"],
            ),
            ("title eq null", vec!["joe", "Ärger"]),
            ("title ne null", vec!["jane"]),
            ("emails.value eq \"nobody@x.org\"", vec![]),
            ("USERNAME EQ \"jane\" AND Active Eq true", vec!["jane"]),
        ] {
            assert_eq!(tenant.find(filter), wanted, "{filter}");
        }
    });
}

#[test]
fn a_page_of_long_resources_ends_before_it_is_too_large_for_a_reply() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let title = "x".repeat(900_000);
    for number in 0..12 {
        let body = json!({"schemas": [USER], "userName": format!("u{number}"), "title": title});
        tenant.send("POST", "/Users", body).expect(201);
    }
    tenant.user("short");
    // By index and by cursor the pages join, and nobody is left out.
    for by_cursor in [false, true] {
        let (mut names, mut pages, mut next) = (Vec::new(), 0, Some(String::new()));
        while let Some(cursor) = next {
            let start = match by_cursor {
                true => format!("cursor={cursor}"),
                false => format!("startIndex={}", names.len() + 1),
            };
            let answer = tenant.get(&format!("/Users?count=1000&{start}"));
            answer.expect(200);
            assert!(answer.trips() <= 2);
            assert!(answer.body.to_string().len() < 8_100_000);
            assert_eq!(answer.body["totalResults"], 13);
            let resources = answer.body["Resources"].as_array().expect("resources");
            assert_eq!(answer.body["itemsPerPage"], resources.len());
            for resource in resources {
                let name = resource["userName"].as_str().expect("a name");
                let length = resource["title"].as_str().map_or(0, str::len);
                assert_eq!(length, if name == "short" { 0 } else { 900_000 });
                names.push(name.to_owned());
            }
            pages += 1;
            next = match by_cursor {
                true => answer.body["nextCursor"].as_str().map(str::to_owned),
                false => (names.len() < 13).then(String::new),
            };
        }
        assert_eq!(pages, 2);
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 13);
    }
}
