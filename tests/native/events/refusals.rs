//! What a receiver answers with its 400 (RFC 8935 §2.3), of whatever length and form.

use rollcall::platform::Answered;
use serde_json::{Value, json};

use super::streams::{answers, asked, posts, status};
use super::tokens::made;
use crate::support::World;

/// The reason and the reply that are noted of a 400 with that body.
fn noted(body: String) -> (String, Value) {
    let world = World::new();
    let tenant = world.tenant("compat");
    let stream = made(&tenant, json!({}));
    let refused = Answered {
        status: 400,
        body: body.into_bytes(),
        ..Answered::default()
    };
    answers(&world, [Ok(refused), status(202)]);
    tenant.user("ada");
    posts(&world);
    let path = format!("/{}/deliveries", stream["id"].as_str().unwrap());
    let told = asked(&tenant, "GET", &path, Value::Null);
    let lines = told.body["data"].as_array().unwrap();
    let line = lines.iter().find(|line| line["status"] == 400).unwrap();
    (
        line["reason"].as_str().unwrap().to_owned(),
        line["reply"].clone(),
    )
}

/// All of it is read, up to a bound, and the beginning of it is kept.
#[test]
fn a_long_one_is_understood() {
    let code = "the receiver refuses it, invalid_key";
    let long = |length: usize| "x".repeat(length);
    for (body, wanted) in [
        (json!({"err": "invalid_key"}).to_string(), code.to_owned()),
        (
            json!({"description": long(1_000), "err": "invalid_key"}).to_string(),
            format!("{code}: {}…", long(120)),
        ),
        (
            json!({"description": long(5_000), "err": "invalid_key"}).to_string(),
            format!("{code}: {}…", long(120)),
        ),
        (
            json!({"err": "invalid_key", "more": "é".repeat(8_000)}).to_string(),
            code.to_owned(),
        ),
        (
            json!({"err": "invalid_key", "more": long(17_000)}).to_string(),
            "the answer is 400".to_owned(),
        ),
        (
            json!({"err": "invalid_key\u{202E}"}).to_string(),
            format!("{code}\\u{{202e}}"),
        ),
        (
            json!({"err": 1}).to_string(),
            "the answer is 400".to_owned(),
        ),
        (long(5_000), "the answer is 400".to_owned()),
    ] {
        let (reason, reply) = noted(body.clone());
        assert_eq!(reason, wanted);
        let reply = reply.as_str().unwrap();
        let kept = String::from_utf8_lossy(&body.as_bytes()[..body.len().min(1_024)]);
        assert_eq!(reply, kept);
    }
}
