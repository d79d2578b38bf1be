//! What is a key, whose it is, and for which request.

use serde_json::{Value, json};

use super::{Making, TENANTS, TOKENS, expect_refused, expect_same, kept};
use crate::support::World;

const REUSED: &str = "idempotency_key_reused";

#[test]
fn the_same_key_with_another_request_is_refused() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let other = world.tenant("compat");
    let making = Making::token(&tenant);
    let first = making.send(&world, "one");
    first.expect(201);
    let before = world.database.dump();
    let mut named = making.clone();
    named.body["name"] = "Okta".into();
    for another in [
        named,
        Making::token(&other),
        Making::new(TOKENS, Value::Null),
        Making::new(TOKENS, json!({"nonsense": 1})),
        Making::new(TENANTS, making.body.clone()),
        Making::new(TENANTS, json!({"name": "Another"})),
        Making::new(
            format!("{TOKENS}{}/rotate", tenant.token_id),
            making.body.clone(),
        ),
        Making::new(
            format!("/api/v1/tenants/{}/identity-providers", tenant.id),
            making.body.clone(),
        ),
    ] {
        let answer = another.send(&world, "one");
        expect_refused(&answer, REUSED);
        assert!(!answer.body.to_string().contains("rcs_"), "{}", answer.body);
    }
    assert_eq!(world.database.dump(), before);
    expect_same(&making.send(&world, "one"), &first);
    // Keys have case, and other keys are free.
    for key in ["One", "two", "one1", "\"one\""] {
        making.send(&world, key).expect(201);
    }
}

#[test]
fn a_query_that_the_route_does_not_take_comes_first() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let mut making = Making::token(&tenant);
    making.send(&world, "one").expect(201);
    making.path += "?x=1";
    let answer = making.send(&world, "one");
    assert_eq!(answer.expect(422).body["detail"][0]["loc"][0], "query");
}

/// Whoever else has the same key: another subject, another tenant, the platform.
#[test]
fn a_key_is_its_callers_own() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let other = world.tenant("compat");
    let claims = |subject: &str, of: Option<&str>| {
        let mut claims = world.claims();
        claims.insert("sub".to_owned(), subject.into());
        if let Some(of) = of {
            claims.insert("tenant_id".to_owned(), of.into());
        }
        claims
    };
    let making = Making::token(&tenant);
    let callers = [
        claims("root", None),
        claims("ada", None),
        claims("root", Some(&tenant.id)),
        claims("ada", Some(&tenant.id)),
        // What is put together is not mixed up.
        claims(&format!("root{}", tenant.id), None),
        claims("root\",\"", None),
    ];
    let firsts: Vec<_> = callers
        .iter()
        .map(|caller| making.send_as(&world, caller, "one"))
        .collect();
    let mut tokens: Vec<String> = firsts
        .iter()
        .map(|first| first.expect(201).body["data"]["token"].to_string())
        .collect();
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), callers.len());
    for (caller, first) in callers.iter().zip(&firsts) {
        expect_same(&making.send_as(&world, caller, "one"), first);
    }
    // To another tenant's administrator there is no such tenant, whatever the key.
    let stranger = claims("root", Some(&other.id));
    let answer = making.send_as(&world, &stranger, "one");
    assert_eq!(answer.expect(422).body["detail"][0]["loc"][1], "tenant_id");
    // Who lost the scope since gets nothing any more.
    let mut reader = claims("root", None);
    reader.insert("scope".to_owned(), "platform scim-tokens:read".into());
    making.send_as(&world, &reader, "one").expect(403);
    // A newer JWT of the same subject is the same caller.
    world.clock.advance_seconds(7_200);
    let newer = world.claims();
    expect_same(&making.send_as(&world, &newer, "one"), &firsts[0]);
}

#[test]
fn a_key_is_printable_ascii_of_255_bytes_at_most() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let making = Making::token(&tenant);
    let jwt = world.jwt(&world.claims());
    let send = |keys: &[&[u8]]| world.send(making.request(&jwt, keys));
    let mut made = 0;
    // Every byte that a header may have.
    for byte in 0..=u8::MAX {
        let key = [b'k', byte, b'k'];
        if http::HeaderValue::from_bytes(&key).is_err() {
            continue;
        }
        let answer = send(&[&key]);
        match byte {
            b' '..=b'~' => {
                answer.expect(201);
                made += 1;
            }
            _ => expect_refused(&answer, "value_error"),
        }
    }
    assert_eq!(made, 95);
    let longest = [b'k'; 256];
    for length in [1, 2, 254, 255] {
        send(&[&longest[..length]]).expect(201);
        made += 1;
    }
    let before = world.database.dump();
    let refused: [&[&[u8]]; 6] = [
        &[b""],
        &[&longest],
        &[&[b'k'; 8_000]],
        &["ключ".as_bytes()],
        &[b"one", b"two"],
        &[b"one", b"one"],
    ];
    for keys in refused {
        let answer = send(keys);
        expect_refused(&answer, "value_error");
        assert_eq!(answer.trips(), 0, "{keys:?}");
    }
    assert_eq!(world.database.dump(), before);
    assert_eq!(kept(&world), made);
}

#[test]
fn the_document_names_the_header_where_it_is_taken() {
    let mut takes = Vec::new();
    let paths = crate::support::described::document()["paths"].as_object();
    for operation in paths
        .into_iter()
        .flatten()
        .filter_map(|(_, methods)| methods.as_object())
        .flatten()
        .map(|(_, operation)| operation)
    {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        if let Some(header) = parameters
            .into_iter()
            .find(|parameter| parameter["name"] == "Idempotency-Key")
        {
            assert_eq!(header["in"], "header");
            assert_eq!(header["schema"]["maxLength"], 255);
            assert!(header["required"].is_null());
            takes.push(operation["operationId"].as_str().unwrap_or_default());
        }
    }
    takes.sort_unstable();
    assert_eq!(
        takes,
        [
            "createEventStream",
            "createGroupMapping",
            "createIdentityProvider",
            "createIdentityProviderOfSetup",
            "createIdentityProviderOfTenant",
            "createScimToken",
            "createScimTokenOfSetup",
            "createSetupLink",
            "createTenant",
            "rotateEventStreamSecret",
            "rotateScimToken",
        ]
    );
}
