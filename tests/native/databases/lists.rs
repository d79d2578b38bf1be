//! Lists of what all tenants have, over several databases.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{DATABASES, NAMES, cut, overloaded, tenant_in, text, three, twin, world_of};
use crate::support::World;

/// The lists that may be asked for without a tenant, with where in an item its id is.
const LISTS: [&str; 4] = [
    "/api/v1/admin/tenants/",
    "/api/v1/admin/scim-tokens/",
    "/api/v1/admin/identity-providers",
    "/api/v1/admin/setup-links/",
];
const STATUS: &str = "/api/v1/admin/status/";

/// So many tenants in each database, each with one of each thing.
fn peopled(counts: [usize; 3]) -> World {
    let world = three();
    for (name, count) in NAMES.iter().zip(counts) {
        for _ in 0..count {
            let tenant = tenant_in(&world, name);
            let provider = json!({
                "tenant_id": tenant.id, "name": "Login", "protocol": "OIDC",
                "oidc_config": {"issuer": "https://idp.example.com", "client_id": "x"},
            });
            world.admin("POST", LISTS[2], provider).expect(201);
            let link = json!({"tenant_id": tenant.id, "allows": ["scim"]});
            world.admin("POST", LISTS[3], link).expect(201);
        }
    }
    world
}

/// The ids on a page of a list, and how many there are in all.
fn page(world: &World, path: &str, page: usize, per_page: usize) -> (Vec<String>, Value) {
    let answer = world.admin(
        "GET",
        &format!("{path}?page={page}&per_page={per_page}"),
        Value::Null,
    );
    let body = &answer.expect(200).body;
    let (items, total) = match path {
        STATUS => (
            &body["data"]["lines"],
            &body["data"]["tenants"]["total_items"],
        ),
        _ => (&body["data"], &body["pagination"]["total_items"]),
    };
    let ids = items.as_array().expect("items").iter();
    let id = |item: &Value| match path {
        STATUS => text(&item["tenant_id"]),
        _ => text(&item["id"]),
    };
    (ids.map(id).collect(), total.clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn each_page_size_gives_each_item_once(counts in prop::array::uniform3(0_usize..5)) {
        let world = peopled(counts);
        let total: usize = counts.iter().sum();
        for path in LISTS.into_iter().chain([STATUS]) {
            if path == STATUS {
                // Nobody used a token for so long that it tells of each.
                world.clock.advance_seconds(8 * 86_400);
            }
            let (whole, _) = page(&world, path, 1, 100);
            let different: BTreeSet<&String> = whole.iter().collect();
            prop_assert_eq!((whole.len(), different.len()), (total, total), "{}", path);
            for per_page in 1..=total + 1 {
                let mut seen = Vec::new();
                for number in 1..=total.div_ceil(per_page) + 1 {
                    let (ids, said) = page(&world, path, number, per_page);
                    let left = total.saturating_sub((number - 1) * per_page);
                    prop_assert_eq!(ids.len(), left.min(per_page), "{} {} {}", path, number, per_page);
                    prop_assert_eq!(&said, &json!(total));
                    seen.extend(ids);
                }
                prop_assert_eq!(&seen, &whole, "{} {}", path, per_page);
            }
        }
    }
}

#[test]
fn a_page_takes_a_trip_for_each_database_and_one_for_each_that_it_is_of() {
    let world = peopled([2, 2, 2]);
    let trips = |path: &str, query: &str| {
        let answer = world.admin("GET", &format!("{path}?{query}"), Value::Null);
        answer.expect(200).trips()
    };
    for path in LISTS {
        assert_eq!(trips(path, "per_page=2"), 4, "{path}");
        assert_eq!(trips(path, "per_page=2&page=3"), 4, "{path}");
        assert_eq!(trips(path, "per_page=3"), 5, "{path}");
        assert_eq!(trips(path, "per_page=100"), 6, "{path}");
        assert_eq!(trips(path, "per_page=2&page=9"), 3, "{path}");
    }
    let one = world_of("");
    one.tenant("compat");
    for path in LISTS {
        let answer = one.admin("GET", path, Value::Null);
        assert_eq!(answer.expect(200).trips(), 1, "{path}");
    }
}

#[test]
fn a_search_goes_through_all_databases() {
    let world = three();
    for name in NAMES {
        let body = json!({"id": format!("{name}-acme"), "name": "Acme", "database": name});
        super::create(&world, body).expect(201);
        tenant_in(&world, name);
    }
    let found = world.admin(
        "GET",
        &format!("{}?search=-acme&per_page=2", LISTS[0]),
        Value::Null,
    );
    let body = &found.expect(200).body;
    assert_eq!(body["pagination"]["total_items"], 3);
    let shown = body["data"].as_array().unwrap().iter();
    let shown: Vec<(&str, &str)> = shown
        .map(|one| {
            (
                one["id"].as_str().unwrap(),
                one["database"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(shown, [("main-acme", "main"), ("eu-acme", "eu")]);
}

#[test]
fn where_one_does_not_answer_the_list_says_so() {
    let mut world = peopled([1, 1, 1]);
    let of_main = text(&world.admin("GET", LISTS[0], Value::Null).body["data"][0]["id"]);
    cut(&mut world, "eu", Some(overloaded()));
    for path in LISTS {
        // A list with less in it than there is would be a lie.
        let answer = world.admin("GET", path, Value::Null);
        answer.expect(503);
        assert!(!answer.header("retry-after").is_empty());
    }
    for path in &LISTS[1..] {
        let path = format!("{path}?tenant_id={of_main}");
        world.admin("GET", &path, Value::Null).expect(200);
    }
    let status = world.admin("GET", STATUS, Value::Null);
    let data = &status.expect(200).body["data"];
    assert_eq!(data["databases"].as_array().unwrap().len(), 1, "{data}");
    assert_eq!(data["databases"][0]["name"], "eu");
    assert_eq!(data["databases"][0]["state"], "out_of_reach");
    // What needs a person elsewhere is told all the same.
    assert_eq!(data["tenants"]["total_items"], 2, "{data}");
    let all = world.admin("GET", DATABASES, Value::Null);
    let states: Vec<(Value, Value)> = all.expect(200).body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["state"].clone(), one["tenants"].clone()))
        .collect();
    let wanted = [
        (json!("open"), json!(1)),
        (json!("out_of_reach"), Value::Null),
        (json!("open"), json!(1)),
    ];
    assert_eq!(states, wanted);
}

#[test]
fn databases_are_listed_by_pages_and_to_administrators_of_all_alone() {
    let world = peopled([1, 2, 0]);
    twin(&world, "apac").bytes.set(None);
    let page = |query: &str| {
        let answer = world.admin("GET", &format!("{DATABASES}?{query}"), Value::Null);
        let body = answer.expect(200).body.clone();
        let names = body["data"].as_array().unwrap().iter();
        let names: Vec<String> = names.map(|one| text(&one["name"])).collect();
        (names, body["pagination"]["total_items"].clone())
    };
    assert_eq!(page("per_page=2").0, ["main", "eu"]);
    assert_eq!(
        page("per_page=2&page=2"),
        (vec!["apac".to_owned()], json!(3))
    );
    assert!(page("page=7").0.is_empty());
    let all = world.admin("GET", DATABASES, Value::Null);
    let data = &all.expect(200).body["data"];
    assert_eq!(data[0]["location"], "weur");
    assert_eq!(data[1]["jurisdiction"], "eu");
    assert_eq!(
        (&data[0]["tenants"], &data[1]["tenants"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(data[2]["bytes"], Value::Null);
    assert_eq!(data[2]["state"], "open");
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), "acme".into());
    world
        .admin_as(&world.jwt(&claims), "GET", DATABASES, Value::Null)
        .expect(403);
}
