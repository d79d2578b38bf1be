//! The test of an OpenID provider, over documents of the test's own.

use rollcall::platform::HttpError;
use serde_json::{Value, json};

use super::{check_names, run, test_provider};
use crate::support::{Tenant, World};

const ISSUER: &str = "https://login.acme.example";
const DISCOVERY: &str = "https://login.acme.example/.well-known/openid-configuration";
const KEYS: &str = "https://login.acme.example/keys";
const ALL: [&str; 6] = [
    "URL",
    "reachable",
    "discovery document",
    "issuer",
    "endpoints",
    "JWKS",
];

fn discovery() -> Value {
    json!({
        "issuer": ISSUER, "authorization_endpoint": "https://login.acme.example/auth",
        "token_endpoint": "https://login.acme.example/token", "jwks_uri": KEYS,
        "userinfo_endpoint": "https://login.acme.example/me", "response_types_supported": ["code"],
        "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
    })
}

fn keys() -> Value {
    let key = include_str!("../../fixtures/keys/rsa_2048.json");
    let key: Value = serde_json::from_str(key).expect("a key");
    json!({"keys": [{"kty": "RSA", "n": key["n"], "e": key["e"], "kid": "1", "use": "sig"}]})
}

fn serve(world: &World, url: &str, document: &Value) {
    let mut documents = world.web.documents.borrow_mut();
    documents.insert(url.to_owned(), document.to_string().into_bytes());
}

/// A provider that is as it should be, and the tenant that uses it.
fn provider(world: &World) -> (Tenant<'_>, String) {
    serve(world, DISCOVERY, &discovery());
    serve(world, KEYS, &keys());
    let tenant = world.tenant("compat");
    let config = json!({"oidc_config": {"issuer": ISSUER, "client_id": "x"}});
    let id = test_provider(&tenant, "OIDC", config);
    (tenant, id)
}

/// Runs the test and expects it to fail at a stage with a message that has all of these words.
#[track_caller]
fn expect_failure(world: &World, id: &str, stage: &str, words: &[&str]) {
    let data = run(world, id);
    assert_eq!(data["success"], false, "{data}");
    let checks = data["details"]["checks"].as_array().expect("checks");
    let last = checks.last().expect("a check");
    let message = last["message"].as_str().expect("a message");
    assert_eq!(last["name"], stage, "{data}");
    assert_eq!(last["ok"], false);
    assert_eq!(data["message"], format!("{stage}: {message}"));
    for word in words {
        assert!(message.contains(word), "`{message}` lacks `{word}`");
    }
    // All before it held, and none came after.
    let before = ALL.iter().take_while(|name| **name != stage).count();
    assert_eq!(checks.len(), before + 1, "{data}");
    assert!(checks.iter().take(before).all(|check| check["ok"] == true));
}

#[test]
fn a_provider_as_it_should_be_passes_every_stage() {
    let world = World::new();
    let (_, id) = provider(&world);
    let data = run(&world, &id);
    assert_eq!(data["success"], true, "{data}");
    assert_eq!(data["message"], "all 6 checks passed");
    assert_eq!(check_names(&data), ALL);
    assert_eq!(data["details"]["protocol"], "OIDC");
    let messages = data["details"]["checks"].to_string();
    assert!(
        messages.contains("1 key can verify the provider's tokens"),
        "{messages}"
    );
    assert_eq!(world.web.fetches.get(), 2);
}

#[test]
fn what_goes_wrong_on_the_way_is_told_with_what_to_do() {
    let world = World::new();
    let (_, id) = provider(&world);
    let cases = [
        (
            HttpError::Unreachable("Network connection lost.".to_owned()),
            ["cannot be reached", "certificate"],
        ),
        (
            HttpError::Timeout(5_000),
            ["no answer within 5000 ms", "open to the internet"],
        ),
        (
            HttpError::Status(404),
            ["the answer is 404", "is the address right?"],
        ),
        (HttpError::Status(500), ["the answer is 500", "its own log"]),
        (HttpError::Status(526), ["the answer is 526", "TLS failed"]),
        (
            HttpError::Redirect {
                status: 302,
                location: "http://169.254.169.254/".to_owned(),
            },
            ["a redirect to http://169.254.169.254/", "not followed"],
        ),
        (
            HttpError::TooLong(1_048_576),
            ["longer than 1048576 bytes", DISCOVERY],
        ),
        (
            HttpError::BrokeOff("lost".to_owned()),
            ["broke off", DISCOVERY],
        ),
    ];
    for (url, stage) in [(DISCOVERY, "reachable"), (KEYS, "JWKS")] {
        for (error, words) in &cases {
            let mut errors = world.web.errors.borrow_mut();
            errors.insert(url.to_owned(), error.clone());
            drop(errors);
            expect_failure(&world, &id, stage, &[words[0], url]);
            if stage == "reachable" {
                expect_failure(&world, &id, stage, words);
            }
        }
        world.web.errors.borrow_mut().clear();
    }
}

#[test]
fn a_document_that_is_none_is_told() {
    let world = World::new();
    let (_, id) = provider(&world);
    let put = |text: &str| {
        let mut documents = world.web.documents.borrow_mut();
        documents.insert(DISCOVERY.to_owned(), text.as_bytes().to_vec());
    };
    for (text, words) in [
        ("<!DOCTYPE html><html>", vec!["not JSON but a web page"]),
        ("hello", vec!["not JSON"]),
        ("", vec!["not JSON"]),
        ("[]", vec!["not an object"]),
        ("{}", vec!["issuer", "jwks_uri", "response_types_supported"]),
        (r#"{"issuer": 1}"#, vec!["issuer"]),
    ] {
        put(text);
        expect_failure(&world, &id, "discovery document", &words);
    }
    let mut document = discovery();
    document["token_endpoint"] = Value::Null;
    serve(&world, DISCOVERY, &document);
    expect_failure(
        &world,
        &id,
        "discovery document",
        &["it lacks token_endpoint"],
    );
}

#[test]
fn another_issuer_is_told_with_both_names() {
    let world = World::new();
    let (_, id) = provider(&world);
    for issuer in [
        "https://login.acme.example/",
        "https://LOGIN.acme.example",
        "https://evil.example",
    ] {
        let mut document = discovery();
        document["issuer"] = issuer.into();
        serve(&world, DISCOVERY, &document);
        expect_failure(&world, &id, "issuer", &[issuer, ISSUER, "letter by letter"]);
    }
    // What the provider says is not repeated without end.
    let mut document = discovery();
    document["issuer"] = "x".repeat(100_000).into();
    serve(&world, DISCOVERY, &document);
    let data = run(&world, &id);
    assert!(data.to_string().len() < 5_000);
}

#[test]
fn endpoints_are_judged_like_the_issuer() {
    let world = World::new();
    let (_, id) = provider(&world);
    for (field, url, word) in [
        ("jwks_uri", "http://login.acme.example/keys", "https://"),
        ("jwks_uri", "https://127.0.0.1/keys", "loopback"),
        ("jwks_uri", "http://localhost:3000/keys", "https://"),
        ("token_endpoint", "https://10.0.0.1/", "private network"),
        ("token_endpoint", "ftp://login.acme.example/", "scheme ftp"),
        (
            "authorization_endpoint",
            "https://169.254.169.254/",
            "metadata",
        ),
        ("authorization_endpoint", "/auth", "no absolute URL"),
        (
            "token_endpoint",
            "https://u:p%40ss@login.acme.example/",
            "a user name or a password",
        ),
        ("authorization_endpoint", "https://BÜCHER.example/", "ASCII"),
        (
            "authorization_endpoint",
            "https://%31%32%37.0.0.1/",
            "ASCII",
        ),
        (
            "userinfo_endpoint",
            "https://[::ffff:10.0.0.1]/",
            "private network",
        ),
        (
            "end_session_endpoint",
            "https://idp.internal/",
            "one network",
        ),
    ] {
        let mut document = discovery();
        document[field] = url.into();
        serve(&world, DISCOVERY, &document);
        expect_failure(&world, &id, "endpoints", &[field, word]);
    }
    // All of them are told at once.
    let mut document = discovery();
    document["jwks_uri"] = "https://127.0.0.1/".into();
    document["token_endpoint"] = "https://10.0.0.1/".into();
    serve(&world, DISCOVERY, &document);
    expect_failure(&world, &id, "endpoints", &["jwks_uri", "token_endpoint"]);
}

#[test]
fn keys_that_verify_nothing_are_told() {
    let world = World::new();
    let (_, id) = provider(&world);
    for (document, word) in [
        (json!({"keys": []}), "no usable key"),
        (
            json!({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}),
            "no usable key",
        ),
        (json!({}), "not a JWKS"),
        (json!([]), "not a JWKS"),
    ] {
        serve(&world, KEYS, &document);
        expect_failure(&world, &id, "JWKS", &[KEYS, word]);
    }
    let mut encrypting = keys();
    encrypting["keys"][0]["use"] = "enc".into();
    serve(&world, KEYS, &encrypting);
    expect_failure(&world, &id, "JWKS", &["no usable key"]);
}

#[test]
fn the_configurations_own_endpoints_count_instead_of_the_documents() {
    let world = World::new();
    let (_, id) = provider(&world);
    let path = format!("/api/v1/admin/identity-providers/{id}");
    let own = "https://keys.acme.example/own";
    serve(&world, own, &keys());
    let change = json!({"oidc_config": {"jwks_uri": own}});
    world.admin("PATCH", &path, change).expect(200);
    let mut document = discovery();
    document["jwks_uri"] = Value::Null;
    serve(&world, DISCOVERY, &document);
    assert_eq!(run(&world, &id)["success"], true);
    let change = json!({"oidc_config": {"jwks_uri": "https://192.168.0.1/"}});
    world.admin("PATCH", &path, change).expect(200);
    expect_failure(&world, &id, "endpoints", &["jwks_uri", "private network"]);
}

#[test]
fn an_issuer_inside_is_never_asked() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for issuer in [
        "https://127.0.0.1",
        "https://2130706433",
        "https://0x7f.1",
        "https://0177.0.0.1",
        "https://[::1]",
        "https://[::ffff:7f00:1]",
        "https://[64:ff9b::7f00:1]",
        "https://localhost",
        "https://idp.localhost.",
        "http://localhost:8080",
        "https://metadata.google.internal",
        "https://printer.local",
        "https://intranet",
        "https://169.254.169.254/latest",
    ] {
        let config = json!({"oidc_config": {"issuer": issuer, "client_id": "x"}});
        let id = test_provider(&tenant, "OIDC", config);
        expect_failure(&world, &id, "URL", &[]);
    }
    assert_eq!(world.web.fetches.get(), 0);
}

#[test]
fn local_development_reaches_this_machine_and_no_other() {
    let world = World::configured(&[
        ("JWT_LOCAL_SECRET", crate::support::SECRET),
        ("LOCAL_DEVELOPMENT", "on"),
    ]);
    let tenant = world.tenant("compat");
    let make = |issuer: &str| {
        let config = json!({"oidc_config": {"issuer": issuer, "client_id": "x"}});
        test_provider(&tenant, "OIDC", config)
    };
    for here in [
        "http://127.0.0.1:8080",
        "http://localhost:1",
        "https://[::1]",
    ] {
        expect_failure(&world, &make(here), "reachable", &["the answer is 404"]);
    }
    for elsewhere in [
        "https://10.0.0.1",
        "https://169.254.169.254",
        "https://a.local",
    ] {
        expect_failure(&world, &make(elsewhere), "URL", &["is not allowed"]);
    }
}

#[test]
fn an_issuer_with_a_path_has_its_document_below_it() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for issuer in [
        "https://login.acme.example/t1/",
        "https://login.acme.example/t1",
    ] {
        let mut document = discovery();
        document["issuer"] = issuer.into();
        serve(
            &world,
            "https://login.acme.example/t1/.well-known/openid-configuration",
            &document,
        );
        serve(&world, KEYS, &keys());
        let config = json!({"oidc_config": {"issuer": issuer, "client_id": "x"}});
        let id = test_provider(&tenant, "OIDC", config);
        assert_eq!(run(&world, &id)["success"], true);
    }
}
