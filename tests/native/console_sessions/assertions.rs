//! What is taken for a JWT of Access, and from where.

use serde_json::{Value, json};

use crate::support::access::{self, CERTS, TAG, TEAM, claims, exchange, exchange_with, publish};
use crate::support::keys::Signer;
use crate::support::{AUDIENCE, ISSUER, ORIGIN, World};

const ADA: &str = "ada@example.com";

#[track_caller]
fn expect_refused(world: &World, assertion: &str, why: &str) {
    let answer = exchange(world, assertion);
    assert_eq!(answer.status, 401, "{why}: {}", answer.body);
    let detail = json!({"detail": "the credential is not valid, or not valid any more"});
    assert_eq!(answer.body, detail, "{why}");
    assert_eq!(answer.trips(), 0, "{why}");
}

#[test]
fn one_whose_claims_do_not_hold_is_refused() {
    let (world, key) = access::world();
    exchange(&world, &key.token("one", &claims(&world, ADA))).expect(201);
    let now = world.clock.0.get() / 1_000;
    let table = [
        ("aud", json!(["another"])),
        ("aud", json!("another")),
        ("aud", json!([])),
        ("aud", json!(AUDIENCE)),
        ("aud", json!(TAG.to_uppercase())),
        ("aud", Value::Null),
        ("iss", json!("https://other.cloudflareaccess.com")),
        ("iss", json!(format!("{TEAM}/"))),
        ("iss", json!(format!("{TEAM}.example.com"))),
        ("iss", json!(ISSUER)),
        ("iss", Value::Null),
        ("exp", json!(now - 60)),
        ("exp", Value::Null),
        ("exp", json!("tomorrow")),
        ("nbf", json!(now + 61)),
        ("iat", json!(now + 61)),
        ("type", json!("org")),
        ("type", json!("App")),
        ("type", Value::Null),
        ("email", json!([ADA])),
        ("custom", json!("groups")),
        ("custom", json!({"groups": 1})),
    ];
    for (name, value) in table {
        let mut claims = claims(&world, ADA);
        let why = format!("{name}: {value}");
        match value {
            Value::Null => claims.remove(name),
            value => claims.insert(name.to_owned(), value),
        };
        expect_refused(&world, &key.token("one", &claims), &why);
    }
    // A text in the place of an array is the same audience, and clocks differ by a minute.
    for (name, value) in [
        ("aud", json!(TAG)),
        ("aud", json!(["x", TAG])),
        ("exp", json!(now - 59)),
        ("nbf", json!(now + 60)),
    ] {
        let mut claims = claims(&world, ADA);
        claims.insert(name.to_owned(), value);
        exchange(&world, &key.token("one", &claims)).expect(201);
    }
}

#[test]
fn one_that_its_key_has_not_signed_is_refused() {
    let (world, key) = access::world();
    let other = Signer::es256(1);
    publish(&world, &[key.jwk("one"), other.jwk("curve")]);
    let claims = json!(claims(&world, ADA));
    let header = |alg: &str| json!({"alg": alg, "typ": "JWT", "kid": "one"});
    let true_one = key.token_with(&header("RS256"), &claims);
    exchange(&world, &true_one).expect(201);
    let by_public_key = Signer::hs256(key.public_bytes());
    let as_text = Signer::hs256(key.jwk("one").to_string());
    let mut with_crit = header("RS256");
    with_crit["crit"] = json!(["exp"]);
    let unsigned = key.token_with(&header("none"), &claims);
    let (message, signature) = true_one.rsplit_once('.').unwrap();
    let (head, body) = message.split_once('.').unwrap();
    let mut mailed = claims.clone();
    mailed["email"] = "eve@example.com".into();
    let another_body = key.token_with(&header("RS256"), &mailed);
    let another_body = another_body.split('.').nth(1).unwrap();
    let table = [
        ("none", unsigned.clone()),
        (
            "none, without a signature",
            unsigned.rsplit_once('.').unwrap().0.to_owned() + ".",
        ),
        (
            "HS256 with the public key",
            by_public_key.token_with(&header("HS256"), &claims),
        ),
        (
            "HS256 with the JWK",
            as_text.token_with(&header("HS256"), &claims),
        ),
        (
            "HS256 that says RS256",
            by_public_key.token_with(&header("RS256"), &claims),
        ),
        (
            "RS256 that says ES256",
            key.token_with(&header("ES256"), &claims),
        ),
        (
            "a key of another kind",
            other.token("curve", claims.as_object().unwrap()),
        ),
        (
            "another key",
            Signer::rsa(1024).token("one", claims.as_object().unwrap()),
        ),
        (
            "an unknown key",
            key.token("two", claims.as_object().unwrap()),
        ),
        (
            "no key of two",
            key.token_with(&json!({"alg": "RS256"}), &claims),
        ),
        ("crit", key.token_with(&with_crit, &claims)),
        ("another body", format!("{head}.{another_body}.{signature}")),
        ("no signature", format!("{message}.")),
        ("a part less", message.to_owned()),
        ("no body", format!("{head}..{signature}")),
        ("a letter more", format!("{head}.{body}A.{signature}")),
        ("no JWT", "x".to_owned()),
        ("too long", format!("{true_one}{}", "A".repeat(9_000))),
    ];
    for (why, assertion) in table {
        expect_refused(&world, &assertion, why);
    }
}

#[test]
fn a_key_that_is_new_is_fetched_once() {
    let (world, old) = access::world();
    exchange(&world, &old.token("one", &claims(&world, ADA))).expect(201);
    let new = Signer::rsa(2048);
    publish(&world, &[new.jwk("two"), old.jwk("one")]);
    world.clock.advance_seconds(31);
    for _ in 0..3 {
        exchange(&world, &new.token("two", &claims(&world, ADA))).expect(201);
        exchange(&world, &old.token("one", &claims(&world, ADA))).expect(201);
    }
    assert_eq!(world.web.fetches.get(), 2);
    for _ in 0..3 {
        expect_refused(&world, &old.token("nine", &claims(&world, ADA)), "unknown");
    }
    assert_eq!(
        world.web.fetches.get(),
        2,
        "not at the will of whoever asks"
    );
}

#[test]
fn where_the_team_cannot_be_reached_it_is_503_and_says_when_to_try_again() {
    let (world, key) = access::world();
    world.web.documents.borrow_mut().remove(CERTS);
    let answer = exchange(&world, &key.token("one", &claims(&world, ADA)));
    answer.expect(503);
    assert_eq!(answer.header("retry-after"), "1");
}

#[test]
fn only_a_page_of_this_origin_gets_a_token() {
    let (world, key) = access::world();
    let assertion = key.token("one", &claims(&world, ADA));
    let by = |headers: &[(&str, &str)]| {
        let own = [("cf-access-jwt-assertion", assertion.as_str())];
        exchange_with(&world, &[&own, headers].concat()).status
    };
    let table: [(&[(&str, &str)], u16); 17] = [
        (&[], 201),
        (&[("sec-fetch-site", ""), ("origin", ORIGIN)], 201),
        (&[("origin", ORIGIN)], 201),
        (&[("content-type", "application/json; charset=utf-8")], 201),
        (&[("sec-fetch-site", "")], 403),
        (&[("sec-fetch-site", "cross-site")], 403),
        (&[("sec-fetch-site", "same-site")], 403),
        (&[("sec-fetch-site", "none")], 403),
        (&[("sec-fetch-site", "Same-Origin")], 403),
        (&[("sec-fetch-site", "cross-site"), ("origin", ORIGIN)], 403),
        (&[("sec-fetch-site", ""), ("origin", "null")], 403),
        (
            &[("sec-fetch-site", ""), ("origin", "https://evil.example")],
            403,
        ),
        (
            &[
                ("sec-fetch-site", ""),
                ("origin", "http://scim.example.com"),
            ],
            403,
        ),
        (
            &[
                ("sec-fetch-site", ""),
                ("origin", "https://scim.example.com.evil.example"),
            ],
            403,
        ),
        (&[("content-type", "text/plain")], 415),
        (
            &[("content-type", "application/x-www-form-urlencoded")],
            415,
        ),
        (&[("content-type", "")], 415),
    ];
    for (headers, status) in table {
        assert_eq!(by(headers), status, "{headers:?}");
    }
}

#[test]
fn without_the_header_it_says_that_access_does_not_stand_before_it() {
    let (world, key) = access::world();
    let answer = exchange_with(&world, &[]);
    let detail = answer.expect(401).body["detail"].as_str().unwrap();
    assert!(detail.contains("Cf-Access-Jwt-Assertion"), "{detail}");
    // As a bearer credential it is nobody's.
    let assertion = key.token("one", &claims(&world, ADA));
    world
        .admin_as(&assertion, "GET", "/api/v1/admin/tenants", Value::Null)
        .expect(401);
}

#[test]
fn where_access_is_not_configured_there_is_nothing() {
    let (there, key) = access::world();
    let assertion = key.token("one", &claims(&there, ADA));
    exchange(&World::new(), &assertion).expect(404);
    exchange_with(&World::new(), &[]).expect(404);
}
