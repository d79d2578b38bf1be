//! Keys fetched from the issuer: how often, and what happens when the issuer changes them or is away.

use serde_json::Value;

use super::{expect_accepted, expect_refused, list};
use crate::support::World;
use crate::support::keys::{Signer, jwks};

const URL: &str = "https://issuer.example.com/.well-known/jwks.json";

fn world() -> World {
    World::configured(&[("JWT_JWKS_URL", URL)])
}

fn publish(world: &World, keys: &[Value]) {
    let document = jwks(keys).into_bytes();
    world
        .web
        .documents
        .borrow_mut()
        .insert(URL.to_owned(), document);
}

fn take_down(world: &World) {
    world.web.documents.borrow_mut().clear();
}

#[test]
fn keys_are_fetched_once_and_kept_for_10_minutes() {
    let (world, key) = (world(), Signer::ed25519(1));
    publish(&world, &[key.jwk("one")]);
    assert_eq!(
        world.web.fetches.get(),
        0,
        "nothing is fetched before it is needed"
    );
    for _ in 0..3 {
        expect_accepted(&world, &key.token("one", &world.claims()));
    }
    world.clock.advance_seconds(599);
    expect_accepted(&world, &key.token("one", &world.claims()));
    assert_eq!(world.web.fetches.get(), 1);
    world.clock.advance_seconds(2);
    expect_accepted(&world, &key.token("one", &world.claims()));
    assert_eq!(world.web.fetches.get(), 2);
}

#[test]
fn each_algorithm_verifies_with_a_fetched_key() {
    let world = world();
    let keys = [Signer::ed25519(1), Signer::es256(2), Signer::rsa(2048)];
    let set: Vec<Value> = keys.iter().map(|key| key.jwk(key.algorithm())).collect();
    publish(&world, &set);
    for key in &keys {
        expect_accepted(&world, &key.token(key.algorithm(), &world.claims()));
    }
    assert_eq!(world.web.fetches.get(), 1);
}

#[test]
fn an_unknown_kid_fetches_once_and_not_again_within_30_seconds() {
    let (world, old, new) = (world(), Signer::ed25519(1), Signer::ed25519(2));
    publish(&world, &[old.jwk("old")]);
    expect_accepted(&world, &old.token("old", &world.claims()));
    world.clock.advance_seconds(31);
    publish(&world, &[old.jwk("old"), new.jwk("new")]);
    expect_accepted(&world, &new.token("new", &world.claims()));
    assert_eq!(world.web.fetches.get(), 2);
    for _ in 0..10 {
        expect_refused(&world, &new.token("unheard-of", &world.claims()));
    }
    world.clock.advance_seconds(29);
    expect_refused(&world, &new.token("unheard-of", &world.claims()));
    assert_eq!(world.web.fetches.get(), 2, "nobody makes us fetch at will");
    world.clock.advance_seconds(2);
    expect_refused(&world, &new.token("unheard-of", &world.claims()));
    assert_eq!(world.web.fetches.get(), 3);
}

#[test]
fn a_key_that_was_withdrawn_is_refused_when_the_set_is_fetched_again() {
    let (world, old, new) = (world(), Signer::ed25519(1), Signer::es256(2));
    publish(&world, &[old.jwk("old")]);
    expect_accepted(&world, &old.token("old", &world.claims()));
    publish(&world, &[new.jwk("new")]);
    world.clock.advance_seconds(601);
    expect_refused(&world, &old.token("old", &world.claims()));
    expect_accepted(&world, &new.token("new", &world.claims()));
    assert_eq!(world.web.fetches.get(), 2);
}

#[test]
fn a_key_that_is_another_one_under_the_same_kid_is_refused() {
    let (world, key) = (world(), Signer::ed25519(1));
    publish(&world, &[Signer::ed25519(2).jwk("one")]);
    expect_refused(&world, &key.token("one", &world.claims()));
}

#[test]
fn old_keys_go_on_while_the_issuer_is_away() {
    let (world, key) = (world(), Signer::ed25519(1));
    publish(&world, &[key.jwk("one")]);
    expect_accepted(&world, &key.token("one", &world.claims()));
    take_down(&world);
    world.clock.advance_seconds(601);
    expect_accepted(&world, &key.token("one", &world.claims()));
    publish(&world, &[]);
    world.clock.advance_seconds(601);
    expect_accepted(&world, &key.token("one", &world.claims()));
}

#[test]
fn an_issuer_that_is_away_is_not_asked_with_every_request() {
    let (world, key) = (world(), Signer::ed25519(1));
    publish(&world, &[key.jwk("one")]);
    expect_accepted(&world, &key.token("one", &world.claims()));
    take_down(&world);
    world.clock.advance_seconds(601);
    for _ in 0..5 {
        expect_accepted(&world, &key.token("one", &world.claims()));
        expect_refused(&world, &key.token("unheard-of", &world.claims()));
    }
    assert_eq!(
        world.web.fetches.get(),
        2,
        "a fetch that failed is tried again after 30 seconds"
    );
    world.clock.advance_seconds(31);
    expect_accepted(&world, &key.token("one", &world.claims()));
    assert_eq!(world.web.fetches.get(), 3);
}

#[test]
fn the_first_fetch_failing_is_a_503_that_says_when_to_try_again() {
    let (world, key) = (world(), Signer::ed25519(1));
    let token = key.token("one", &world.claims());
    for document in [None, Some("not json"), Some("{\"keys\":[]}"), Some("[]")] {
        take_down(&world);
        if let Some(document) = document {
            let document = document.as_bytes().to_vec();
            world
                .web
                .documents
                .borrow_mut()
                .insert(URL.to_owned(), document);
        }
        let answer = list(&world, &token);
        answer.expect(503);
        let seconds: u32 = answer.header("retry-after").parse().expect("seconds");
        assert!((1..=60).contains(&seconds));
        assert!(answer.header("www-authenticate").is_empty());
        assert!(!answer.body.to_string().contains(URL), "{}", answer.body);
        // However long a client is told to wait, that is enough.
        world.clock.advance_seconds(i64::from(seconds));
    }
    publish(&world, &[key.jwk("one")]);
    expect_accepted(&world, &token);
}

#[test]
fn the_log_names_why_keys_could_not_be_fetched() {
    let world = world();
    list(&world, &Signer::ed25519(1).token("one", &world.claims())).expect(503);
    let lines = world.log.0.borrow();
    assert!(lines.last().expect("a line").contains("JWKS"), "{lines:?}");
}

#[test]
fn a_new_instance_fetches_for_itself() {
    let (mut world, key) = (world(), Signer::ed25519(1));
    publish(&world, &[key.jwk("one")]);
    expect_accepted(&world, &key.token("one", &world.claims()));
    world.restart();
    expect_accepted(&world, &key.token("one", &world.claims()));
    assert_eq!(world.web.fetches.get(), 2);
}

#[test]
fn a_set_of_more_than_256_kib_is_not_read() {
    let (world, key) = (world(), Signer::ed25519(1));
    let mut jwk = key.jwk("one");
    jwk["x5c"] = "x".repeat(300 * 1024).into();
    publish(&world, &[jwk]);
    list(&world, &key.token("one", &world.claims())).expect(503);
}

#[test]
fn a_token_that_is_malformed_or_too_long_fetches_nothing() {
    let world = world();
    expect_refused(&world, "garbage");
    expect_refused(&world, &"x".repeat(9_000));
    assert_eq!(world.web.fetches.get(), 0);
}

#[test]
fn an_issuer_that_never_answered_is_not_asked_with_every_request() {
    let (world, key) = (world(), Signer::ed25519(1));
    let token = key.token("one", &world.claims());
    take_down(&world);
    for _ in 0..5 {
        list(&world, &token).expect(503);
    }
    assert_eq!(world.web.fetches.get(), 1);
    world.clock.advance_seconds(1);
    list(&world, &token).expect(503);
    assert_eq!(world.web.fetches.get(), 2);
}
