//! The token that the console gets: whom it is for, how far it reaches, and how long.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::access::{self, SETTINGS, claims, exchange, token};
use crate::support::{Answer, SECRET, World};

const TENANTS: &str = "/api/v1/admin/tenants";

fn list(world: &World, token: &str) -> Answer {
    world.admin_as(token, "GET", TENANTS, Value::Null)
}

/// What is answered to somebody of these groups.
fn sign_in(
    world: &World,
    key: &crate::support::keys::Signer,
    email: &str,
    groups: &[&str],
) -> Answer {
    let mut claims = claims(world, email);
    claims.insert("custom".to_owned(), json!({"groups": groups, "other": 1}));
    exchange(world, &key.token("one", &claims))
}

#[test]
fn it_opens_what_the_setting_gives_and_names_the_person() {
    let (world, key) = access::world();
    let minted = exchange(
        &world,
        &key.token("one", &claims(&world, "ADA@example.COM")),
    );
    assert_eq!(minted.expect(201).header("cache-control"), "no-store");
    assert!(minted.header("access-control-allow-origin").is_empty());
    assert!(
        !minted.log.contains("ada") && !minted.log.contains("rca_"),
        "{}",
        minted.log
    );
    let token = token(&minted);
    let made = world.admin_as(&token, "POST", TENANTS, json!({"name": "x", "id": "x"}));
    made.expect(201);
    let rows = world
        .database
        .query("select actor, action from audit_events");
    assert_eq!(
        format!("{rows:?}"),
        "[[Text(\"jwt:access:ada@example.com\"), Text(\"create\")]]"
    );
    // The first worker takes it too.
    let users = world.admin_as(
        &token,
        "GET",
        "/api/v1/tenants/x/scim/v2/Users",
        Value::Null,
    );
    users.expect(200);
}

#[test]
fn a_person_comes_before_a_group_and_a_group_before_a_domain() {
    let (world, key) = access::world();
    for id in ["acme", "other"] {
        world
            .admin("POST", TENANTS, json!({"name": id, "id": id}))
            .expect(201);
    }
    let table: [(&str, &[&str], u16, usize, u16); 8] = [
        // who, groups; signing in, tenants seen, making one
        ("ada@example.com", &["readers"], 201, 2, 201),
        ("bob@example.com", &["readers", "x"], 201, 2, 403),
        ("bob@elsewhere.example", &["x", "readers"], 201, 2, 403),
        ("BOB@EXAMPLE.COM", &["Readers"], 201, 1, 403),
        ("bob@example.com", &[], 201, 1, 403),
        ("bob@sub.example.com", &["writers"], 403, 0, 0),
        ("bob@example.com@elsewhere.example", &[], 403, 0, 0),
        ("bob@elsewhere.example@example.com", &[], 403, 0, 0),
    ];
    for (email, groups, status, seen, making) in table {
        world
            .database
            .execute("delete from tenants where id = 'new'");
        let answer = sign_in(&world, &key, email, groups);
        assert_eq!(answer.status, status, "{email} {groups:?}: {}", answer.body);
        if status == 403 {
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(
                detail.contains(email) && detail.contains("ACCESS_SCOPES"),
                "{detail}"
            );
            continue;
        }
        let token = token(&answer);
        let listed = list(&world, &token);
        assert_eq!(
            listed.expect(200).body["pagination"]["total_items"],
            seen,
            "{email}"
        );
        let made = world.admin_as(&token, "POST", TENANTS, json!({"name": "new", "id": "new"}));
        assert_eq!(made.status, making, "{email} {groups:?}");
    }
}

#[test]
fn one_of_a_tenant_sees_no_other() {
    let (world, key) = access::world();
    for id in ["acme", "other"] {
        world
            .admin("POST", TENANTS, json!({"name": id, "id": id}))
            .expect(201);
    }
    let token = token(&sign_in(&world, &key, "bob@example.com", &[]));
    let get = |path: &str| world.admin_as(&token, "GET", path, Value::Null);
    get("/api/v1/admin/tenants/acme").expect(200);
    get("/api/v1/admin/tenants/other").expect(404);
    get("/api/v1/admin/setup-links?tenant_id=other").expect(404);
    get("/api/v1/tenants/other/scim/v2/Users").expect(404);
    // Nor what the setting does not give.
    get("/api/v1/admin/audit-events?tenant_id=acme").expect(403);
}

#[test]
fn a_service_token_signs_nobody_in() {
    let (world, key) = access::world();
    let mut service = claims(&world, "");
    for (name, value) in [("sub", json!("")), ("common_name", json!("e367.access"))] {
        service.insert(name.to_owned(), value);
    }
    exchange(&world, &key.token("one", &service)).expect(403);
    service.remove("email");
    exchange(&world, &key.token("one", &service)).expect(403);
}

#[test]
fn it_ends_after_15_minutes_or_with_what_access_said() {
    let (world, key) = access::world();
    for (said, ends) in [(86_400, 900), (900, 900), (20, 20)] {
        let mut claims = claims(&world, "ada@example.com");
        let now = world.clock.0.get() / 1_000;
        claims.insert("exp".to_owned(), (now + said).into());
        let answer = exchange(&world, &key.token("one", &claims));
        let token = token(&answer);
        // Clocks may differ by a minute.
        world.clock.advance_seconds(ends + 59);
        list(&world, &token).expect(200);
        world.clock.advance_seconds(1);
        list(&world, &token).expect(401);
    }
}

#[test]
fn other_settings_take_it_away() {
    let (world, key) = access::world();
    let token = token(&sign_in(&world, &key, "ada@example.com", &[]));
    list(&world, &token).expect(200);
    let local = ("JWT_LOCAL_SECRET", SECRET);
    let other = |name: &str, value: &'static str| {
        let settings = SETTINGS.map(|(own, was)| (own, if own == name { value } else { was }));
        World::configured(&[&settings[..], &[local]].concat())
    };
    list(&other("", ""), &token).expect(200);
    list(&other("ACCESS_AUDIENCE", "another"), &token).expect(401);
    list(
        &other("ACCESS_ISSUER", "https://other.cloudflareaccess.com"),
        &token,
    )
    .expect(401);
    list(&World::configured(&[local]), &token).expect(401);
}

#[test]
fn one_that_was_altered_in_any_part_opens_nothing() {
    let (world, key) = access::world();
    let token = token(&sign_in(&world, &key, "bob@example.com", &["readers"]));
    let jwt = token.strip_prefix("rca_").expect("its prefix");
    // The issuer's key is not this one's, nor the other way round.
    list(&world, jwt).expect(401);
    list(&world, &format!("rca_{}", world.jwt(&world.claims()))).expect(401);
    list(&world, &format!("RCA_{jwt}")).expect(401);
    list(&world, &format!("rca_{token}")).expect(401);
    let assertion = key.token("one", &claims(&world, "ada@example.com"));
    list(&world, &format!("rca_{assertion}")).expect(401);
    for at in 0..token.len() {
        let mut altered = token.clone().into_bytes();
        // Another letter of the alphabet that differs in its highest bit: the last one of a part has bits that say nothing.
        altered[at] = match altered[at] {
            b'.' | b'_' | b'-' => b'A',
            b'A'..=b'Z' => altered[at].to_ascii_lowercase(),
            b'a'..=b'z' => altered[at].to_ascii_uppercase(),
            _ => b'.',
        };
        let altered = String::from_utf8(altered).unwrap();
        assert_eq!(list(&world, &altered).status, 401, "{at}: {altered}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in the parts of a token that nobody has signed.
    #[test]
    fn no_text_is_a_token(text in "[A-Za-z0-9_.-]{0,80}") {
        let (world, _) = access::world();
        let answer = list(&world, &format!("rca_{text}"));
        prop_assert_eq!(answer.status, 401);
        prop_assert_eq!(answer.trips(), 0);
    }
}
