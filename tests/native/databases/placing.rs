//! Where a new tenant comes to live.

use http::Request;
use serde_json::{Value, json};

use super::{
    DATABASES, NAMES, TENANTS, THREE, create, cut, lives_in, overloaded, three, twin, world_of,
};
use crate::support::{Answer, ORIGIN, SECRET, World};
use crate::tenants::expect_field;

const MAX: i64 = 1_000_000_000;

fn small_ones() -> World {
    let max = MAX.to_string();
    World::configured(&[
        ("JWT_LOCAL_SECRET", SECRET),
        ("DATABASES", THREE),
        ("DATABASE_MAX_BYTES", &max),
    ])
}

fn fill(world: &World, name: &str, percent: i64) {
    twin(world, name).bytes.set(Some(MAX / 100 * percent));
}

/// Where it says that the tenant lives, which has to be so, and nowhere else.
#[track_caller]
fn home(world: &World, answer: &Answer) -> String {
    let data = &answer.expect(201).body["data"];
    let id = data["id"].as_str().expect("an id");
    let home = data["database"].as_str().expect("a database").to_owned();
    for name in NAMES {
        assert_eq!(lives_in(world, id, name), name == home, "{name}");
    }
    let read = world.admin("GET", &format!("{}{id}", TENANTS), Value::Null);
    assert_eq!(read.expect(200).body["data"]["database"], home);
    home
}

#[test]
fn a_tenant_comes_to_the_database_that_is_named() {
    let world = three();
    for name in NAMES {
        let made = create(&world, json!({"name": "Acme", "database": name}));
        assert_eq!(home(&world, &made), name);
    }
    for (location, name) in [("weur", "main"), ("eu", "eu"), ("apac", "apac")] {
        let made = create(&world, json!({"name": "Acme", "location": location}));
        assert_eq!(home(&world, &made), name);
    }
    let both = json!({"name": "Acme", "database": "eu", "location": "eu"});
    assert_eq!(home(&world, &create(&world, both)), "eu");
    assert_eq!(
        home(&world, &create(&world, json!({"name": "Acme"}))),
        "main"
    );
}

#[test]
fn a_database_that_there_is_not_is_422() {
    let world = three();
    for (field, given) in [
        ("database", json!({"name": "Acme", "database": "us"})),
        ("database", json!({"name": "Acme", "database": "EU"})),
        ("location", json!({"name": "Acme", "location": "enam"})),
        // Each is there, and not together.
        (
            "location",
            json!({"name": "Acme", "database": "eu", "location": "apac"}),
        ),
    ] {
        expect_field(&create(&world, given), &["body", field], "value_error");
    }
    assert_eq!(
        twin(&world, "main").number("select count(*) from placements"),
        0
    );
    // With one alone that one can be named.
    let world = world_of("");
    create(&world, json!({"name": "Acme", "database": "main"})).expect(201);
    let given = json!({"name": "Acme", "database": "eu"});
    expect_field(&create(&world, given), &["body", "database"], "value_error");
}

#[test]
fn above_80_percent_there_are_no_new_tenants() {
    let world = small_ones();
    let any = || create(&world, json!({"name": "Acme"}));
    fill(&world, "main", 79);
    assert_eq!(home(&world, &any()), "main");
    fill(&world, "main", 80);
    fill(&world, "apac", 20);
    fill(&world, "eu", 30);
    assert_eq!(home(&world, &any()), "apac");
    fill(&world, "apac", 31);
    assert_eq!(home(&world, &any()), "eu");
    let named = create(&world, json!({"name": "Acme", "database": "main"}));
    let detail = named.expect(507).body["detail"].as_str().unwrap();
    assert!(
        detail.contains("main") && !detail.contains("eu"),
        "{detail}"
    );
    assert_eq!(named.header("retry-after"), "600");
    let placed = create(&world, json!({"name": "Acme", "location": "weur"}));
    placed.expect(507);
    fill(&world, "eu", 80);
    fill(&world, "apac", 100);
    let detail = any().expect(507).body["detail"].clone();
    for name in NAMES {
        assert!(detail.as_str().unwrap().contains(name), "{detail}");
    }
    let all = world.admin("GET", DATABASES, Value::Null);
    let data = all.expect(200).body["data"].as_array().unwrap();
    let states: Vec<&str> = data
        .iter()
        .map(|one| one["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["filling", "filling", "full"]);
    assert!(
        data.iter()
            .all(|one| one["takes_new_tenants"] == false && one["do"].is_string())
    );
}

#[test]
fn an_id_that_is_taken_is_409_in_every_database() {
    let world = three();
    for (number, first) in NAMES.iter().enumerate() {
        let id = format!("acme{number}");
        let made = json!({"id": id, "name": "Acme", "database": first});
        create(&world, made).expect(201);
        for second in NAMES {
            let again = json!({"id": id, "name": "Other", "database": second});
            create(&world, again).expect(409);
        }
        let path = format!("{}{id}", TENANTS);
        world.admin("DELETE", &path, Value::Null).expect(204);
        for second in NAMES {
            let again = json!({"id": id, "name": "Other", "database": second});
            create(&world, again).expect(409);
        }
        let lives = NAMES.iter().filter(|name| lives_in(&world, &id, name));
        assert_eq!(lives.count(), 1);
    }
}

/// The row that says where it is to live stays where making it failed; it keeps nobody from making it.
#[test]
fn what_failed_after_it_was_placed_can_be_sent_again() {
    let mut world = small_ones();
    fill(&world, "main", 85);
    fill(&world, "eu", 10);
    fill(&world, "apac", 20);
    let given = json!({"id": "acme", "name": "Acme"});
    // It is looked at, and then fails.
    let eu = twin(&world, "eu");
    *eu.planned.borrow_mut() = vec![Some(overloaded()), None];
    create(&world, given.clone()).expect(503);
    let placed = twin(&world, "main").texts("select database from placements");
    assert_eq!(placed, ["eu"]);
    let path = format!("{}acme", TENANTS);
    world.admin("GET", &path, Value::Null).expect(404);
    world.restart();
    world.admin("GET", &path, Value::Null).expect(404);
    // Meanwhile another one has more room; whoever does not say where, gets it where it was placed.
    fill(&world, "eu", 30);
    assert_eq!(home(&world, &create(&world, given)), "eu");
}

#[test]
fn a_database_out_of_reach_keeps_no_tenant_from_another() {
    let mut world = three();
    cut(&mut world, "eu", Some(overloaded()));
    assert_eq!(home_of(&create(&world, json!({"name": "Acme"}))), "main");
    create(&world, json!({"name": "Acme", "database": "eu"})).expect(503);
    let made = create(&world, json!({"name": "Acme", "database": "apac"}));
    assert_eq!(home_of(&made), "apac");
}

fn home_of(answer: &Answer) -> &str {
    answer.expect(201).body["data"]["database"]
        .as_str()
        .unwrap()
}

/// Two at once: one comes between the other's look and its placing, or its placing and its making.
#[test]
fn of_two_who_take_an_id_at_once_one_gets_it() {
    let all: Vec<Vec<bool>> = (0..64_u8)
        .map(|bits| (0..6).map(|bit| bits >> bit & 1 == 1).collect())
        .collect();
    let mut world = three();
    world.take_turns();
    for (number, order) in all.iter().enumerate() {
        for (one, two) in [("main", "eu"), ("eu", "main"), ("eu", "apac"), ("eu", "eu")] {
            let id = format!("{one}-{two}-{number}");
            let token = world.jwt(&world.claims());
            let requests = [one, two].map(|database| {
                let body = json!({"id": id, "name": "Acme", "database": database});
                let request = Request::post(format!("{ORIGIN}{TENANTS}"))
                    .header("authorization", format!("Bearer {token}"))
                    .header("content-type", "application/json");
                request
                    .body(body.to_string().into_bytes())
                    .expect("a request")
            });
            let mut statuses = world
                .interleaved(requests, order)
                .map(|answer| answer.status);
            let first = statuses[0] == 201;
            statuses.sort_unstable();
            assert_eq!(statuses, [201, 409], "{id} {order:?}");
            for name in NAMES {
                let home = if first { one } else { two };
                assert_eq!(lives_in(&world, &id, name), name == home, "{id} {order:?}");
            }
        }
    }
}
