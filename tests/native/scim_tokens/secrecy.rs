//! The secret: its form, and that it is nowhere but in the one reply that shows it.

use http::Request;
use serde_json::{Value, json};

use super::{mint, path_of, update};
use crate::support::{Answer, ORIGIN, World};

const ALPHABET: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// What the checksum has to be, worked out here for itself: CRC-32, bit by bit, in base 62.
fn checksum(text: &str) -> String {
    let mut crc = u32::MAX;
    for byte in text.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = match crc & 1 {
                1 => (crc >> 1) ^ 0xEDB8_8320,
                _ => crc >> 1,
            };
        }
    }
    let mut rest = !crc;
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(rest % 62) as usize];
        rest /= 62;
    }
    String::from_utf8(digits.to_vec()).expect("ASCII")
}

fn ask(world: &World, token: &str) -> Answer {
    let request = Request::get(format!("{ORIGIN}/scim/v2/Users"))
        .header("authorization", format!("Bearer {token}"));
    world.send(request.body(Vec::new()).expect("a request"))
}

#[test]
fn a_token_is_a_prefix_a_secret_and_a_checksum() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for _ in 0..20 {
        let token = mint(&tenant, json!({})).token;
        assert_eq!(token.len(), 4 + 43 + 6);
        let (body, sum) = token.split_at(47);
        assert!(body.starts_with("rcs_"));
        assert!(
            token[4..].bytes().all(|byte| ALPHABET.contains(&byte)),
            "{token}"
        );
        assert_eq!(sum, checksum(body));
    }
}

#[test]
fn a_token_with_a_wrong_checksum_is_refused_without_any_io() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let token = &tenant.token;
    let gets = world.cache.gets.get();
    let mut forged: Vec<String> = (0..token.len())
        .map(|at| {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
            String::from_utf8(bytes).expect("ASCII")
        })
        .collect();
    forged.extend([
        format!("{token}0"),
        token[..token.len() - 1].to_owned(),
        "rcs_".to_owned(),
        format!("rcs_{}", "0".repeat(49)),
        format!("rcs_{}", "ä".repeat(24)),
        token.to_uppercase(),
        token.to_lowercase(),
        token.replace("rcs_", "RCS_"),
    ]);
    for token in forged {
        let answer = ask(&world, &token);
        answer.expect_scim_error(401, "", "not valid");
        assert_eq!(
            answer.header("www-authenticate"),
            "Bearer error=\"invalid_token\""
        );
        assert_eq!(answer.trips(), 0, "{token}");
    }
    assert_eq!(
        world.cache.gets.get(),
        gets,
        "the cache was asked for a token that cannot be one"
    );
}

#[test]
fn a_token_that_was_never_given_out_is_refused_though_its_checksum_is_right() {
    let world = World::new();
    world.tenant("compat");
    let body = format!("rcs_{}", "A".repeat(43));
    let token = format!("{body}{}", checksum(&body));
    ask(&world, &token).expect_scim_error(401, "", "not valid");
}

#[test]
fn without_a_header_the_answer_is_a_plain_bearer_challenge() {
    let world = World::new();
    for path in ["/scim/v2/Users", "/api/v1/tenants/nobody/scim/v2/Users"] {
        let request = Request::get(format!("{ORIGIN}{path}"));
        let answer = world.send(request.body(Vec::new()).expect("a request"));
        answer.expect_scim_error(401, "", "Authorization");
        assert_eq!(answer.header("www-authenticate"), "Bearer");
    }
}

#[test]
fn a_token_is_kept_nowhere_but_as_its_hash() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let rotated = world.admin(
        "POST",
        &format!("{}/rotate", path_of(&tenant)),
        json!({"overlap_seconds": 60}),
    );
    let new = rotated.body["data"]["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let narrow = mint(&tenant, json!({"scopes": ["users:read"]}));
    tenant.get("/Users").expect(200);
    ask(&world, &new).expect(200);
    narrow
        .send("POST", "/Users", json!({"userName": "x"}))
        .expect(403);
    ask(&world, &new[..50]).expect(401);
    update(&narrow, json!({"is_active": false})).expect(200);
    narrow.get("/Users").expect(401);
    world
        .database
        .failures
        .borrow_mut()
        .push(rollcall::store::Error::Backend("broken".to_owned()));
    ask(&world, &new).expect(500);
    let places = [
        ("a table", world.database.dump_text()),
        ("the cache", format!("{:?}", world.cache.entries.borrow())),
        ("the log", world.log.0.borrow().join("\n")),
    ];
    for token in [&tenant.token, &new, &narrow.token] {
        // The whole, the secret alone, and any part of it that is longer than the hint.
        for (place, text) in &places {
            for part in [&token[..], &token[4..47], &token[9..25], &token[25..47]] {
                assert!(!text.contains(part), "{part} of a token is in {place}");
            }
        }
    }
    assert!(places[0].1.contains(&tenant.token[..8]), "the hint is kept");
}

#[test]
fn the_cache_holds_nothing_but_what_a_hash_leads_to() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let entries = world.cache.entries.borrow();
    let hashes = world.database.texts("select token_hash from scim_tokens");
    let keys: Vec<&String> = entries.keys().collect();
    assert_eq!(keys, [&format!("scim-token:{}", hashes[0])]);
    assert!(hashes[0].len() == 64 && hashes[0].bytes().all(|byte| byte.is_ascii_hexdigit()));
    let value: Value = serde_json::from_str(&entries[keys[0]]).expect("JSON");
    assert_eq!(value["tenant"], tenant.id);
}

#[test]
fn every_change_of_a_token_leaves_one_audit_event_without_a_gap() {
    let world = World::new();
    let tenant = world.tenant("compat");
    update(&tenant, json!({"name": "New", "is_active": false})).expect(200);
    update(&tenant, json!({"name": ""})).expect(422);
    update(&tenant, json!({"is_active": true})).expect(200);
    let rotated = world.admin(
        "POST",
        &format!("{}/rotate", path_of(&tenant)),
        json!({"overlap_seconds": 60}),
    );
    let new_id = rotated.body["data"]["id"].as_str().expect("an id");
    world
        .admin("DELETE", &path_of(&tenant), Value::Null)
        .expect(204);
    world
        .admin("DELETE", &path_of(&tenant), Value::Null)
        .expect(404);
    let rows = world.database.texts(
        "select seq || ' ' || actor || ' ' || action || ' ' || resource_id || ' ' || attributes from audit_events \
         where resource_type = 'ScimToken' order by seq",
    );
    let old_id = &tenant.token_id;
    assert_eq!(
        rows,
        [
            format!(r#"2 jwt:root create {old_id} ["name","scopes","expires_at"]"#),
            format!(r#"3 jwt:root patch {old_id} ["name","is_active"]"#),
            format!(r#"4 jwt:root patch {old_id} ["is_active"]"#),
            format!(r#"5 jwt:root rotate {old_id} ["expires_at"]"#),
            format!(r#"6 jwt:root create {new_id} ["name","scopes","expires_at"]"#),
            format!(r#"7 jwt:root revoke {old_id} ["revoked_at"]"#),
        ]
    );
    let request_ids = world
        .database
        .number("select count(distinct request_id) from audit_events");
    assert_eq!(
        request_ids, 6,
        "a rotation is one request, every other event one of its own"
    );
}
