//! Trouble on the way: messages that are lost or doubled, receivers that fail, workers that die.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use rollcall::platform::{Answered, HttpError};
use serde_json::{Value, json};

use super::streams::{answers, asked, made, posts, received, shown, status};
use super::{events, last};
use crate::filter_equivalence::runner;
use crate::support::World;

#[test]
fn after_three_days_it_is_paused_told_and_resumed() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (id, _) = made(&tenant, json!({}));
    answers(&world, (0..200).map(|_| status(500)));
    tenant.user("ada");
    let begun = world.clock.0.get();
    let tries = posts(&world).len();
    let hours = (world.clock.0.get() - begun) / 3_600_000;
    assert!((72..76).contains(&hours), "{hours}");
    assert!((38..48).contains(&tries), "{tries}");
    let stream = shown(&tenant, &id);
    assert_eq!(stream["state"], "paused");
    let status_path = format!("/api/v1/admin/status/?tenant_id={}", tenant.id);
    let lines = world.admin("GET", &status_path, Value::Null);
    let lines = lines.body["data"]["lines"].as_array().unwrap().clone();
    let line = lines
        .iter()
        .find(|line| line["code"] == "stream_paused")
        .unwrap();
    assert_eq!(line["subject"]["id"], id.as_str());
    // Nobody is told while it is paused.
    tenant.user("grace");
    assert!(posts(&world).is_empty());
    answers(&world, []);
    asked(&tenant, "POST", &format!("/{id}/resume"), Value::Null).expect(200);
    let names: Vec<Value> = received(&posts(&world))
        .iter()
        .map(|event| event["data"]["userName"].clone())
        .collect();
    assert_eq!(names, ["ada", "grace"]);
}

#[test]
fn a_receiver_that_wants_no_more_is_left_alone() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (id, _) = made(&tenant, json!({}));
    answers(&world, [status(410)]);
    tenant.user("ada");
    assert_eq!(posts(&world).len(), 1);
    let stream = shown(&tenant, &id);
    assert_eq!(stream["state"], "paused");
    assert!(stream["paused_reason"].as_str().unwrap().contains("410"));
}

#[test]
fn redirects_and_private_addresses_are_not_followed() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for url in [
        "http://product.example.com/",
        "https://10.0.0.1/",
        "https://169.254.169.254/",
        "https://localhost/",
        "ftp://x.example.com/",
        "x",
        "",
    ] {
        let answer = asked(&tenant, "POST", "", json!({"name": "x", "url": url}));
        answer.expect(422);
        assert_eq!(
            answer.body["detail"][0]["loc"],
            json!(["body", "url"]),
            "{url}"
        );
    }
    let (id, _) = made(&tenant, json!({}));
    answers(
        &world,
        [Err(HttpError::Redirect {
            status: 302,
            location: "https://elsewhere.example.com/".to_owned(),
        })],
    );
    tenant.user("ada");
    world.background.finish();
    while pollster::block_on(world.queue.deliver()) {}
    let told = asked(&tenant, "GET", &format!("/{id}/deliveries"), Value::Null);
    assert_eq!(told.body["data"][0]["status"], 302);
    assert!(
        told.body["data"][0]["reason"]
            .as_str()
            .unwrap()
            .contains("redirect")
    );
    // A row that was written by hand is not believed either.
    world
        .database
        .execute("update event_streams set url = 'https://127.0.0.1/', next_try_at = null");
    tenant.user("grace");
    world.background.finish();
    world.web.posts.borrow_mut().clear();
    while pollster::block_on(world.queue.deliver()) {}
    assert!(world.web.posts.borrow().is_empty());
}

/// A `Retry-After` is a number of seconds or a date (RFC 9110 §10.2.3). The wait of a first failure is five seconds, the longest twelve hours.
#[test]
fn a_receiver_says_when_it_takes_more() {
    const BEGUN: i64 = 1_790_000_000_250;
    for (asked, seconds) in [
        ("90", 90),
        (" 90 ", 90),
        ("0", 5),
        ("Mon, 21 Sep 2026 14:15:20 GMT", 120),
        ("Mon, 21 Sep 2026 14:13:21 GMT", 5),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 5),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 43_200),
        ("99999999999", 43_200),
        ("-30", 5),
        ("Mon, 21 Sep 2026", 5),
        ("soon", 5),
        ("", 5),
    ] {
        let world = World::new();
        let tenant = world.tenant("compat");
        made(&tenant, json!({}));
        let full = Answered {
            status: 503,
            retry_after: Some(asked.to_owned()),
            ..Answered::default()
        };
        answers(&world, [Ok(full), status(200)]);
        tenant.user("ada");
        world.clock.0.set(BEGUN);
        assert_eq!(posts(&world).len(), 2, "{asked}");
        let waited = world.clock.0.get() - BEGUN;
        assert_eq!(waited / 1_000, seconds, "{asked}");
    }
}

#[test]
fn what_fails_waits_and_is_sent_again_as_it_was() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (id, _) = made(&tenant, json!({"batch": 3}));
    let long = Answered {
        status: 503,
        retry_after: Some("90".to_owned()),
        body: b"x".repeat(5_000),
    };
    answers(
        &world,
        [
            status(500),
            Ok(long),
            Err(HttpError::Timeout(15_000)),
            status(200),
        ],
    );
    tenant.user("a");
    tenant.user("b");
    let begun = world.clock.0.get();
    world.background.finish();
    while pollster::block_on(world.queue.deliver()) {}
    assert_eq!(shown(&tenant, &id)["state"], "waiting");
    // What comes meanwhile goes behind it.
    tenant.user("c");
    let sent = posts(&world);
    assert!(world.clock.0.get() - begun >= (5 + 90 + 120) * 1_000);
    assert_eq!(sent.len(), 5);
    for again in &sent[1..4] {
        assert_eq!(
            (&again.headers["webhook-id"], &again.body),
            (&sent[0].headers["webhook-id"], &sent[0].body)
        );
    }
    let names: Vec<Value> = received(&sent[3..])
        .iter()
        .map(|event| event["data"]["userName"].clone())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    let told = asked(&tenant, "GET", &format!("/{id}/deliveries"), Value::Null);
    let told: Vec<_> = told.body["data"]
        .as_array()
        .unwrap()
        .iter()
        .rev()
        .cloned()
        .collect();
    let statuses: Vec<&Value> = told.iter().map(|one| &one["status"]).collect();
    assert_eq!(
        statuses,
        [
            &json!(500),
            &json!(503),
            &Value::Null,
            &json!(200),
            &json!(200)
        ]
    );
    // The last two are of the same moment.
    let mut attempts: Vec<i64> = told
        .iter()
        .map(|one| one["attempt"].as_i64().unwrap())
        .collect();
    attempts.sort_unstable();
    assert_eq!(attempts, [1, 1, 2, 3, 4]);
    assert_eq!(told[1]["reply"].as_str().unwrap().len(), 1_024);
    assert_eq!(told[2]["reason"], "no answer within 15000 ms");
}

/// A delivery that was not noted is made again, with what came meanwhile: a receiver that has seen its id has seen all of it.
#[test]
fn a_batch_is_named_by_all_that_it_carries() {
    for batch in [1, 2, 100] {
        let world = World::new();
        let tenant = world.tenant("compat");
        let (id, _) = made(&tenant, json!({"batch": batch, "types": ["user.*"]}));
        let after = last(&tenant);
        let mut carried: BTreeMap<String, Value> = BTreeMap::new();
        let mut seen: BTreeMap<String, String> = BTreeMap::new();
        for round in 0..8 {
            match round % 3 {
                0 => drop(tenant.user(&format!("u{round}"))),
                1 => drop(tenant.group(&format!("not wanted {round}"), &[])),
                _ => {}
            }
            posts(&world);
            asked(
                &tenant,
                "POST",
                &format!("/{id}/replay"),
                json!({"after": after}),
            )
            .expect(200);
            for post in posts(&world) {
                let body: Value = serde_json::from_str(&post.body).unwrap();
                let ids: Vec<Value> = match body["events"].as_array() {
                    Some(events) => events.iter().map(|event| event["id"].clone()).collect(),
                    None => vec![body["id"].clone()],
                };
                let name = post.headers["webhook-id"].clone();
                let content = match batch {
                    1 => json!(ids),
                    _ => json!([ids, body["through"]]),
                };
                assert_eq!(
                    carried
                        .entry(name.clone())
                        .or_insert_with(|| content.clone()),
                    &content
                );
                assert_eq!(
                    seen.entry(content.to_string())
                        .or_insert_with(|| name.clone()),
                    &name
                );
            }
        }
        assert!(carried.len() > 2, "{carried:?}");
    }
}

/// Whatever fails, is delivered twice, is lost or dies in between: the receiver gets every event, none before another that it has not got.
#[test]
fn any_trouble_leaves_every_event_in_order() {
    let trouble = (
        prop::collection::vec(select(vec![200_u16, 200, 500, 429, 0]), 0..12),
        prop::collection::vec(
            select(vec![
                "user", "switch", "lose", "twice", "die", "tick", "work",
            ]),
            4..20,
        ),
        select(vec![1_i64, 2, 100]),
    );
    let tested = runner(64).run(&trouble, |(replies, steps, batch)| {
        let world = World::new();
        let tenant = world.tenant("compat").unfused();
        made(&tenant, json!({"batch": batch}));
        let from = last(&tenant);
        answers(
            &world,
            replies.iter().map(|code| match code {
                0 => Err(HttpError::Timeout(15_000)),
                code => status(*code),
            }),
        );
        let user = tenant.user("first");
        let mut active = true;
        for (number, step) in steps.iter().enumerate() {
            match *step {
                "user" => drop(tenant.user(&format!("u{number}"))),
                "switch" => {
                    active = !active;
                    let set = json!([{"op": "replace", "path": "active", "value": active}]);
                    tenant.patch(&format!("/Users/{user}"), set);
                }
                "lose" => {
                    world.background.finish();
                    world.queue.lose();
                }
                "twice" => {
                    world.background.finish();
                    world
                        .queue
                        .waiting()
                        .iter()
                        .for_each(|text| world.queue.put(text));
                }
                // The worker dies in the middle of a delivery: the stream stays taken.
                "die" => world.database.execute(&format!(
                    "update event_streams set lease = 'dead', run = 'dead', lease_until = {}",
                    world.clock.0.get() + 40_000
                )),
                "tick" => {
                    world.clock.advance_seconds(300);
                    pollster::block_on(world.app.tick());
                }
                _ => {
                    world.background.finish();
                    while pollster::block_on(world.queue.deliver()) {}
                }
            }
        }
        world.clock.advance_seconds(300);
        pollster::block_on(world.app.tick());
        let mut sent = world.web.posts.borrow().clone();
        sent.extend(posts(&world));
        world.clock.advance_seconds(8_000);
        pollster::block_on(world.app.tick());
        sent.extend(posts(&world));
        let sent = world
            .web
            .posts
            .borrow()
            .iter()
            .cloned()
            .chain(sent)
            .collect::<Vec<_>>();
        let wanted: Vec<String> = events(&tenant, from)
            .iter()
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect();
        let mut got: Vec<String> = Vec::new();
        for event in received(&sent) {
            let id = event["id"].as_str().unwrap().to_owned();
            if !got.contains(&id) {
                got.push(id);
            }
        }
        prop_assert_eq!(got, wanted);
        Ok(())
    });
    tested.unwrap_or_else(|error| panic!("{error}"));
}
