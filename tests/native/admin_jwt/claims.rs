//! What a verified token has to say: from whom, for whom, about whom, and when.

use serde_json::{Map, Value, json};

use super::{expect_accepted, expect_refused};
use crate::support::keys::Signer;
use crate::support::{AUDIENCE, ISSUER, SECRET, START, World};

const NOW: i64 = START / 1_000;

fn with(claims: &Map<String, Value>, name: &str, value: Value) -> Map<String, Value> {
    let mut claims = claims.clone();
    claims.insert(name.to_owned(), value);
    claims
}

#[track_caller]
fn accepts(name: &str, value: Value) {
    let world = World::new();
    expect_accepted(&world, &world.jwt(&with(&world.claims(), name, value)));
}

#[track_caller]
fn refuses(name: &str, value: Value) {
    let world = World::new();
    expect_refused(&world, &world.jwt(&with(&world.claims(), name, value)));
}

#[test]
fn each_required_claim_is_required() {
    let world = World::new();
    for name in ["iss", "aud", "sub", "exp"] {
        let mut claims = world.claims();
        claims.remove(name).expect("a claim");
        expect_refused(&world, &world.jwt(&claims));
    }
    let mut claims = world.claims();
    claims.remove("iat");
    expect_accepted(&world, &world.jwt(&claims));
}

#[test]
fn the_issuer_is_compared_whole() {
    accepts("iss", json!(ISSUER));
    for other in [
        json!("https://evil.example.com"),
        json!(format!("{ISSUER}/")),
        json!(ISSUER.to_uppercase()),
        json!(""),
        json!([ISSUER]),
        Value::Null,
    ] {
        refuses("iss", other);
    }
}

#[test]
fn the_audience_is_a_string_or_an_array_that_names_us() {
    accepts("aud", json!(AUDIENCE));
    accepts("aud", json!(["somebody-else", AUDIENCE]));
    for other in [
        json!("somebody-else"),
        json!(format!("{AUDIENCE} ")),
        json!(["somebody-else"]),
        json!([[AUDIENCE]]),
        json!([]),
        json!({ AUDIENCE: true }),
        json!(1),
        Value::Null,
    ] {
        refuses("aud", other);
    }
}

#[test]
fn the_subject_is_a_text_that_is_not_empty() {
    accepts("sub", json!("someone"));
    for other in [json!(""), json!(7), json!(["root"]), Value::Null] {
        refuses("sub", other);
    }
}

#[test]
fn a_token_lives_60_seconds_beyond_its_expiry() {
    accepts("exp", json!(NOW + 1));
    accepts("exp", json!(NOW - 59));
    refuses("exp", json!(NOW - 61));
    refuses("exp", json!(NOW - 3_600));
}

#[test]
fn a_token_dies_while_time_goes_on() {
    let world = World::new();
    let token = world.jwt(&world.claims());
    world.clock.advance_seconds(3_600 + 59);
    expect_accepted(&world, &token);
    world.clock.advance_seconds(2);
    expect_refused(&world, &token);
}

#[test]
fn a_token_from_the_future_is_taken_60_seconds_early() {
    for name in ["nbf", "iat"] {
        accepts(name, json!(NOW - 1_000_000));
        accepts(name, json!(NOW + 59));
        refuses(name, json!(NOW + 61));
        refuses(name, json!(NOW + 86_400));
    }
}

#[test]
fn times_of_the_wrong_type_are_refused() {
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!("1999999999"),
            json!(true),
            json!([NOW]),
            json!({}),
            Value::Null,
        ] {
            refuses(name, value);
        }
    }
}

#[test]
fn a_time_with_a_fraction_is_a_time() {
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
    let now = NOW as f64;
    accepts("exp", json!(now + 10.5));
    accepts("nbf", json!(now - 0.5));
    refuses("exp", json!(now - 61.5));
}

#[test]
fn extreme_times_end_in_a_plain_answer() {
    // As text: not all of these can be written through a number type.
    let numbers = [
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "9223372036854775808",
        "1e308",
        "-1e308",
        "1e-308",
        "-0.0",
        "253402300799",
        "253402300800",
        "8210266876799",
        "-62135596801",
        "99999999999999999999999999999999",
    ];
    let world = World::new();
    let signer = Signer::hs256(SECRET);
    for name in ["exp", "nbf", "iat"] {
        for number in numbers {
            let claims = json!(with(&world.claims(), name, json!("NUMBER")));
            let claims = claims.to_string().replace("\"NUMBER\"", number);
            let token = signer.token_of_text("{\"alg\":\"HS256\"}", &claims);
            let status = super::list(&world, &token).status;
            assert!(
                matches!(status, 200 | 401),
                "{name}={number} is answered {status}"
            );
        }
    }
    // What is long past or far away has one right answer all the same.
    refuses("exp", json!(i64::MIN));
    refuses("exp", json!(-1));
    refuses("nbf", json!(i64::MAX));
    refuses("iat", json!(u64::MAX));
    accepts("exp", json!(253_402_300_799_i64));
    accepts("nbf", json!(0));
}

#[test]
fn claims_that_nobody_asked_for_are_passed_over() {
    accepts("jti", json!("again-and-again"));
    accepts("email", json!({"nested": [1, 2, 3]}));
}
