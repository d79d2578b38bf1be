//! Webhooks: every event, in order and at least once, signed, to who was to be sent it and to nobody else.

use std::collections::VecDeque;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use rollcall::platform::{Answered, HttpError};
use serde_json::{Value, json};
use sha2::Sha256;

use super::{events, last, many};
use crate::support::outside::Post;
use crate::support::{Answer, Tenant, World};

pub const URL: &str = "https://product.example.com/hook";

fn streams(tenant: &Tenant<'_>, end: &str) -> String {
    format!("/api/v1/tenants/{}/event-streams{end}", tenant.id)
}

pub fn asked(tenant: &Tenant<'_>, method: &str, end: &str, body: Value) -> Answer {
    tenant.world.admin(method, &streams(tenant, end), body)
}

/// A stream with what is given; its id and its secret.
pub fn made(tenant: &Tenant<'_>, more: Value) -> (String, String) {
    let mut body = json!({"name": "product", "url": URL});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let answer = asked(tenant, "POST", "", body);
    let data = &answer.expect(201).body["data"];
    let text = |name: &str| data[name].as_str().unwrap().to_owned();
    (text("id"), text("secret"))
}

pub fn shown(tenant: &Tenant<'_>, id: &str) -> Value {
    asked(tenant, "GET", &format!("/{id}"), Value::Null)
        .expect(200)
        .body["data"]
        .clone()
}

pub fn status(status: u16) -> Result<Answered, HttpError> {
    Ok(Answered {
        status,
        ..Answered::default()
    })
}

pub fn answers(world: &World, answers: impl IntoIterator<Item = Result<Answered, HttpError>>) {
    world
        .web
        .answers
        .borrow_mut()
        .insert(URL.to_owned(), answers.into_iter().collect::<VecDeque<_>>());
}

pub fn posts(world: &World) -> Vec<Post> {
    world.background.finish();
    world.queue.work_off();
    world.web.posts.borrow_mut().drain(..).collect()
}

fn bodies(posts: &[Post]) -> Vec<Value> {
    posts
        .iter()
        .map(|post| serde_json::from_str(&post.body).unwrap())
        .collect()
}

/// The events of deliveries, in their order; each delivery begins where one before it ended.
pub fn received(posts: &[Post]) -> Vec<Value> {
    let mut all = Vec::new();
    for mut body in bodies(posts) {
        match body["type"] == "events" {
            true => all.extend(body["events"].as_array().unwrap().iter().cloned()),
            false => {
                let event = body.as_object_mut().unwrap();
                event.remove("after");
                event.remove("through");
                all.push(body);
            }
        }
    }
    all
}

fn signed_by(post: &Post, secret: &str) -> bool {
    let key = STANDARD
        .decode(secret.strip_prefix("whsec_").unwrap())
        .unwrap();
    assert!(key.len() >= 24);
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(
        format!(
            "{}.{}.{}",
            post.headers["webhook-id"], post.headers["webhook-timestamp"], post.body
        )
        .as_bytes(),
    );
    let wanted = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    post.headers["webhook-signature"]
        .split(' ')
        .any(|one| one == wanted)
}

#[test]
fn each_event_is_sent_signed_and_in_order() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("before");
    let (id, secret) = made(&tenant, json!({}));
    let from = last(&tenant);
    let user = tenant.user("ada");
    tenant.group("Analysts", &[&user]);
    let sent = posts(&world);
    assert_eq!(
        received(&sent),
        events(&tenant, from),
        "what the feed has, and nothing from before"
    );
    for post in &sent {
        assert_eq!(post.url, URL);
        assert!(signed_by(post, &secret));
        let body: Value = serde_json::from_str(&post.body).unwrap();
        assert_eq!(body["id"], post.headers["webhook-id"].as_str());
    }
    let numbers: Vec<(i64, i64)> = bodies(&sent)
        .iter()
        .map(|body| {
            (
                body["after"].as_i64().unwrap(),
                body["through"].as_i64().unwrap(),
            )
        })
        .collect();
    // The group's change is two events: the first of them does not end it.
    let first = numbers[0].0;
    assert_eq!(
        numbers,
        [
            (first, from + 1),
            (from + 1, from + 1),
            (from + 1, from + 2)
        ]
    );
    let shown = shown(&tenant, &id);
    assert_eq!(
        (&shown["state"], &shown["behind"], &shown["after"]),
        (&json!("active"), &json!(0), &json!(from + 2))
    );
    assert!(shown["secret"].is_null());
    assert!(posts(&world).is_empty());
}

#[test]
fn many_writes_are_one_message_for_each_stream() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for _ in 0..5 {
        made(&tenant, json!({}));
    }
    world.queue.work_off();
    let from = last(&tenant);
    world.queue.halted.set(true);
    for number in 0..10 {
        tenant.user(&format!("u{number}"));
    }
    world.queue.halted.set(false);
    let announced = world.queue.waiting().len();
    let mut others = 0;
    while pollster::block_on(world.queue.deliver()) {
        let waiting = world.queue.waiting();
        let of_streams = waiting.iter().filter(|text| text.contains("\"stream\":\""));
        others = of_streams.count().max(others);
    }
    assert_eq!((announced, others), (10, 5));
    // The message of one is lost: nothing comes before the time of its run is over, and the clock goes after it then.
    let sent = posts(&world);
    assert_eq!(sent.len(), 5 * 10);
    assert_eq!(events(&tenant, from).len(), 10);
    world.queue.halted.set(true);
    tenant.user("late");
    assert!(pollster::block_on(world.queue.deliver()));
    world.queue.lose();
    world.queue.halted.set(false);
    world.clock.0.set(world.clock.0.get() + 60_000);
    pollster::block_on(world.app.tick());
    assert_eq!(posts(&world).len(), 5);
}

#[test]
fn secrets_are_rotated_with_an_overlap() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (id, old) = made(&tenant, json!({}));
    let rotated = asked(
        &tenant,
        "POST",
        &format!("/{id}/rotate-secret"),
        json!({"overlap_seconds": 60}),
    );
    let new = rotated.expect(200).body["data"]["secret"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_ne!(old, new);
    tenant.user("ada");
    let sent = posts(&world);
    assert!(signed_by(&sent[0], &old) && signed_by(&sent[0], &new));
    world.clock.advance_seconds(61);
    tenant.user("grace");
    let sent = posts(&world);
    assert!(!signed_by(&sent[0], &old) && signed_by(&sent[0], &new));
    let stored = world.database.texts("select secrets from event_streams");
    assert!(stored.iter().all(|text| !text.contains(&new[6..])));
}

#[test]
fn a_test_is_answered_with_what_came_of_it() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (id, secret) = made(&tenant, json!({"is_active": false}));
    let told = asked(&tenant, "POST", &format!("/{id}/test"), Value::Null);
    assert_eq!(told.expect(200).body["data"]["ok"], true);
    let sent = posts(&world);
    assert!(signed_by(&sent[0], &secret));
    assert_eq!(bodies(&sent)[0]["type"], "test");
    answers(&world, [status(404)]);
    let told = asked(&tenant, "POST", &format!("/{id}/test"), Value::Null);
    assert_eq!(told.body["data"]["reason"], "the answer is 404");
    // It is off: nothing else is sent.
    tenant.user("ada");
    assert_eq!(posts(&world).len(), 1, "the second test alone");
}

#[test]
fn everything_after_a_number_is_replayed() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let from = last(&tenant);
    let (id, _) = made(&tenant, json!({"batch": 100, "types": ["user.*"]}));
    many(&tenant, 250);
    let sent = posts(&world);
    let sizes: Vec<usize> = bodies(&sent)
        .iter()
        .map(|body| body["events"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes.iter().sum::<usize>(), 250);
    assert!(
        sizes.iter().all(|size| *size <= 100) && sizes.len() < 6,
        "{sizes:?}"
    );
    asked(
        &tenant,
        "POST",
        &format!("/{id}/replay"),
        json!({"after": from}),
    )
    .expect(200);
    let again = posts(&world);
    assert_eq!(received(&again), received(&sent));
    asked(
        &tenant,
        "POST",
        &format!("/{id}/replay"),
        json!({"after": 100_000}),
    )
    .expect(422);
    world.database.execute(&format!(
        "delete from audit_events where tenant_id = '{}' and seq < 5",
        tenant.id
    ));
    asked(
        &tenant,
        "POST",
        &format!("/{id}/replay"),
        json!({"after": 1}),
    )
    .expect(410);
}

#[test]
fn bad_streams_are_named() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (body, place) in [
        (json!({"url": URL}), "name"),
        (json!({"name": "x"}), "url"),
        (
            json!({"name": "x", "url": URL, "types": ["user.made"]}),
            "types",
        ),
        (json!({"name": "x", "url": URL, "types": []}), "types"),
        (json!({"name": "x", "url": URL, "batch": 101}), "batch"),
        (
            json!({"name": "x", "url": URL, "kind": "carrier_pigeon"}),
            "kind",
        ),
        (json!({"name": "x", "url": URL, "secret": "mine"}), "secret"),
        (json!({"name": "x", "url": URL, "after": -1}), "after"),
        (json!({"name": "x", "url": URL, "after": 1_000}), "after"),
    ] {
        let answer = asked(&tenant, "POST", "", body.clone());
        answer.expect(422);
        assert_eq!(answer.body["detail"][0]["loc"][1], place, "{body}");
    }
    let (id, _) = made(&tenant, json!({}));
    asked(
        &tenant,
        "PATCH",
        &format!("/{id}"),
        json!({"url": "https://192.168.0.1/"}),
    )
    .expect(422);
    asked(&tenant, "DELETE", &format!("/{id}"), Value::Null).expect(204);
    asked(&tenant, "GET", &format!("/{id}"), Value::Null).expect(404);
    assert_eq!(
        world
            .database
            .texts("select push_streams || '' from tenants where push_streams > 0"),
        Vec::<String>::new()
    );
}
