//! `Idempotency-Key` of administrators of all tenants, who make things in any database.

use http::Request;
use serde_json::{Value, json};

use super::{NAMES, TENANTS, TOKENS, cut, overloaded, tenant_in, three, twin};
use crate::support::{Answer, ORIGIN, World};

fn request(world: &World, path: &str, body: &Value, key: &str) -> Request<Vec<u8>> {
    let request = Request::post(format!("{ORIGIN}{path}"))
        .header(
            "authorization",
            format!("Bearer {}", world.jwt(&world.claims())),
        )
        .header("content-type", "application/json")
        .header("idempotency-key", key);
    request
        .body(body.to_string().into_bytes())
        .expect("a request")
}

fn send(world: &World, path: &str, body: &Value, key: &str) -> Answer {
    world.send(request(world, path, body, key))
}

/// How many rows of a table there are in all databases together.
fn everywhere(world: &World, table: &str) -> i64 {
    let count = format!("select count(*) from {table}");
    NAMES
        .iter()
        .map(|name| twin(world, name).number(&count))
        .sum()
}

#[test]
fn what_is_sent_again_is_answered_as_before_wherever_it_was_made() {
    let mut world = three();
    for name in NAMES {
        let id = tenant_in(&world, name).id;
        let bodies = [
            (
                TENANTS,
                "tenants",
                json!({"name": "Acme", "database": name}),
            ),
            (
                TOKENS,
                "scim_tokens",
                json!({"tenant_id": id, "name": "Entra"}),
            ),
            (
                "/api/v1/admin/identity-providers",
                "identity_providers",
                json!({
                    "tenant_id": id, "name": "Login", "protocol": "OIDC",
                    "oidc_config": {"issuer": "https://idp.example.com", "client_id": "x"},
                }),
            ),
        ];
        for (path, table, body) in bodies {
            let key = format!("{name} {table}");
            let before = everywhere(&world, table);
            let first = send(&world, path, &body, &key);
            first.expect(201);
            for _ in 0..2 {
                let again = send(&world, path, &body, &key);
                assert_eq!(again.expect(201).body, first.body);
                world.restart();
            }
            assert_eq!(everywhere(&world, table), before + 1, "{key}");
            let mut other = body.clone();
            other["name"] = "Other".into();
            send(&world, path, &other, &key).expect(422);
        }
    }
}

/// The database that a tenant came to without its being named may have filled up since.
#[test]
fn a_tenant_that_was_made_is_found_where_the_next_one_would_not_come() {
    let world = three();
    let body = json!({"name": "Acme"});
    let first = send(&world, TENANTS, &body, "one");
    assert_eq!(first.expect(201).body["data"]["database"], "main");
    for full in NAMES {
        twin(&world, full).bytes.set(Some(9_000_000_000));
        let again = send(&world, TENANTS, &body, "one");
        assert_eq!(again.expect(201).body, first.body, "{full}");
    }
    assert_eq!(everywhere(&world, "tenants"), 1);
}

/// Where it cannot be told whether something was made, nothing is made.
#[test]
fn with_a_database_out_of_reach_nothing_is_made_twice() {
    let mut world = three();
    let body = json!({"name": "Acme", "database": "eu"});
    let first = send(&world, TENANTS, &body, "one");
    first.expect(201);
    cut(&mut world, "eu", Some(overloaded()));
    send(&world, TENANTS, &body, "one").expect(503);
    world.app.platform.others = world.databases.clone();
    let again = send(&world, TENANTS, &body, "one");
    assert_eq!(again.expect(201).body, first.body);
}

/// Twice at once, each way that the two can take turns.
#[test]
fn twins_make_one() {
    for name in NAMES {
        let mut world = three();
        let id = tenant_in(&world, name).id;
        world.take_turns();
        for bits in 0..32_u8 {
            let order: Vec<bool> = (0..5).map(|bit| bits >> bit & 1 == 1).collect();
            let bodies = [
                (
                    TENANTS,
                    "tenants",
                    json!({"name": "Acme", "database": name}),
                ),
                (
                    TOKENS,
                    "scim_tokens",
                    json!({"tenant_id": id, "name": format!("{bits}")}),
                ),
            ];
            for (path, table, body) in bodies {
                let before = everywhere(&world, table);
                let key = format!("{table} {bits}");
                let two = [0, 1].map(|_| request(&world, path, &body, &key));
                let [one, other] = world.interleaved(two, &order);
                assert_eq!(one.expect(201).body, other.expect(201).body, "{order:?}");
                assert_eq!(everywhere(&world, table), before + 1, "{name} {order:?}");
            }
        }
    }
}

/// Two different requests with one key, for tenants in different databases.
#[test]
fn of_two_requests_with_one_key_the_later_one_is_refused_in_whatever_database() {
    let world = three();
    let [one, two] = ["eu", "apac"].map(|name| tenant_in(&world, name).id);
    let body = |tenant: &str| json!({"tenant_id": tenant, "name": "Entra"});
    send(&world, TOKENS, &body(&one), "one").expect(201);
    let before = everywhere(&world, "scim_tokens");
    send(&world, TOKENS, &body(&two), "one").expect(422);
    assert_eq!(everywhere(&world, "scim_tokens"), before);
}
