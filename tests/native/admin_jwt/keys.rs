//! Which keys verify, and how a token finds its own.

use rollcall::config::Config;
use serde_json::{Value, json};

use super::{expect_accepted, expect_refused};
use crate::support::keys::{Signer, jwks};
use crate::support::{AUDIENCE, ISSUER, SECRET, World};

fn world_with(keys: &[Value]) -> World {
    World::configured(&[("JWT_JWKS", &jwks(keys))])
}

#[test]
fn each_algorithm_verifies_with_its_own_key() {
    let signers = [Signer::ed25519(1), Signer::es256(2), Signer::rsa(2048)];
    let keys: Vec<Value> = signers
        .iter()
        .map(|signer| signer.jwk(signer.algorithm()))
        .collect();
    let world = world_with(&keys);
    for signer in &signers {
        expect_accepted(&world, &signer.token(signer.algorithm(), &world.claims()));
    }
}

#[test]
fn a_token_is_checked_with_the_key_that_its_kid_names() {
    let (one, two) = (Signer::ed25519(1), Signer::ed25519(2));
    let world = world_with(&[one.jwk("one"), two.jwk("two")]);
    expect_accepted(&world, &one.token("one", &world.claims()));
    expect_accepted(&world, &two.token("two", &world.claims()));
    expect_refused(&world, &one.token("two", &world.claims()));
    expect_refused(&world, &two.token("one", &world.claims()));
    expect_refused(&world, &one.token("three", &world.claims()));
    expect_refused(&world, &one.token("", &world.claims()));
}

#[test]
fn without_a_kid_the_only_key_is_taken_and_of_several_none() {
    let (one, two) = (Signer::ed25519(1), Signer::es256(2));
    let header = json!({"alg": "EdDSA"});
    let alone = world_with(&[one.jwk("one")]);
    expect_accepted(&alone, &one.token_with(&header, &json!(alone.claims())));
    let both = world_with(&[one.jwk("one"), two.jwk("two")]);
    expect_refused(&both, &one.token_with(&header, &json!(both.claims())));
}

#[test]
fn a_key_without_a_kid_serves_tokens_without_one_only() {
    let signer = Signer::ed25519(1);
    let mut jwk = signer.jwk("");
    jwk.as_object_mut().expect("a key").remove("kid");
    let world = world_with(&[jwk]);
    expect_accepted(
        &world,
        &signer.token_with(&json!({"alg": "EdDSA"}), &json!(world.claims())),
    );
    expect_refused(&world, &signer.token("one", &world.claims()));
}

#[test]
fn keys_for_other_uses_and_other_algorithms_are_passed_over() {
    let good = Signer::es256(9);
    for (name, value) in [
        ("use", "enc"),
        ("alg", "HS256"),
        ("alg", "ES256"),
        ("crv", "X25519"),
    ] {
        let signer = Signer::ed25519(1);
        let mut jwk = signer.jwk("one");
        jwk[name] = value.into();
        let world = world_with(&[jwk, good.jwk("good")]);
        expect_refused(&world, &signer.token("one", &world.claims()));
        expect_accepted(&world, &good.token("good", &world.claims()));
    }
}

#[test]
fn a_key_labelled_for_signing_with_its_own_algorithm_is_taken() {
    let signer = Signer::rsa(2048);
    let mut jwk = signer.jwk("one");
    jwk["use"] = "sig".into();
    jwk["alg"] = "RS256".into();
    let world = world_with(&[jwk]);
    expect_accepted(&world, &signer.token("one", &world.claims()));
}

#[test]
fn an_rsa_key_below_2048_bits_is_unusable() {
    let (short, good) = (Signer::rsa(1024), Signer::ed25519(1));
    let world = world_with(&[short.jwk("short"), good.jwk("good")]);
    expect_refused(&world, &short.token("short", &world.claims()));
    expect_accepted(&world, &good.token("good", &world.claims()));
    let error =
        configure(&[("JWT_JWKS", &jwks(&[short.jwk("short")]))]).expect_err("no usable key");
    assert!(
        error.contains("JWT_JWKS") && error.contains("2048"),
        "{error}"
    );
}

#[test]
fn a_shared_secret_in_a_jwks_verifies_nothing() {
    let (shared, good) = (Signer::hs256(SECRET), Signer::ed25519(1));
    let world = world_with(&[shared.jwk("shared"), good.jwk("good")]);
    expect_refused(&world, &shared.token("shared", &world.claims()));
    configure(&[("JWT_JWKS", &jwks(&[shared.jwk("shared")]))]).expect_err("no usable key");
}

#[test]
fn the_local_secret_counts_only_where_no_jwks_is_configured() {
    let alone = World::new();
    expect_accepted(&alone, &alone.jwt(&alone.claims()));
    let keys = jwks(&[Signer::ed25519(1).jwk("one")]);
    let both = World::configured(&[("JWT_JWKS", &keys), ("JWT_LOCAL_SECRET", SECRET)]);
    expect_refused(&both, &both.jwt(&both.claims()));
    expect_refused(&both, &Signer::hs256(SECRET).token("one", &both.claims()));
}

#[test]
fn another_secret_is_refused() {
    let world = World::new();
    let stranger = Signer::hs256("another-local-secret-of-more-than-32-bytes");
    expect_refused(&world, &stranger.token("", &world.claims()));
}

fn configure(variables: &[(&str, &str)]) -> Result<(), String> {
    Config::read(|name| {
        let standard = [("JWT_ISSUER", ISSUER), ("JWT_AUDIENCE", AUDIENCE)];
        let mut all = variables.iter().chain(&standard);
        all.find(|(given, _)| *given == name)
            .map(|(_, value)| (*value).to_owned())
    })
    .map(drop)
}

#[test]
fn a_configuration_that_could_not_verify_is_refused_by_name() {
    let keys = jwks(&[Signer::ed25519(1).jwk("one")]);
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[("JWT_JWKS", "{")], "JWT_JWKS"),
        (&[("JWT_JWKS", "{\"keys\":[]}")], "JWT_JWKS"),
        (
            &[
                ("JWT_JWKS", &keys),
                ("JWT_JWKS_URL", "https://x.example.com"),
            ],
            "JWT_JWKS_URL",
        ),
        (&[("JWT_LOCAL_SECRET", "too short")], "JWT_LOCAL_SECRET"),
        (
            &[("JWT_LOCAL_SECRET", SECRET), ("JWT_ISSUER", "")],
            "JWT_ISSUER",
        ),
        (
            &[("JWT_LOCAL_SECRET", SECRET), ("JWT_AUDIENCE", "")],
            "JWT_AUDIENCE",
        ),
    ];
    for (variables, named) in cases {
        let error = configure(variables).expect_err(named);
        assert!(error.contains(named), "`{error}` does not name {named}");
    }
}
