//! Which of the two workers answers what, and how the first hands a request on to the second.

use futures_util::StreamExt;
use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;
use http::{HeaderMap, Request, Response};
use rollcall::api::App;
use rollcall::api::http::routes::{self, Worker};
use rollcall::jobs::{DEAD_LETTERS, Verdict};
use rollcall::platform::OtherWorker;
use rollcall::store::Value as Stored;
use serde_json::{Value, json};

use crate::support::{ORIGIN, World};

type Answers = Box<dyn Fn(&Request<Vec<u8>>) -> Result<Response<Vec<u8>>, String>>;

/// A jobs worker that says what it is told to, and keeps what it was asked.
struct Double {
    answers: Answers,
    asked: RefCell<Vec<Request<Vec<u8>>>>,
}

#[async_trait(?Send)]
impl OtherWorker for Double {
    async fn ask(&self, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>, String> {
        self.asked.borrow_mut().push(request.clone());
        (self.answers)(request)
    }
}

/// A world whose worker hands on what is for the other one.
fn with_other(
    answers: impl Fn(&Request<Vec<u8>>) -> Result<Response<Vec<u8>>, String> + 'static,
) -> (World, Rc<Double>) {
    let mut world = World::new();
    let double = Rc::new(Double {
        answers: Box::new(answers),
        asked: RefCell::default(),
    });
    world.app.platform.jobs_worker = Some(double.clone());
    (world, double)
}

/// The application itself as the other worker.
struct Second(App);

#[async_trait(?Send)]
impl OtherWorker for Second {
    async fn ask(&self, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>, String> {
        let (parts, body) = self.0.handle(request.clone()).await.into_parts();
        let body = body.into_chunks().collect::<Vec<_>>().await;
        let body: Result<Vec<Vec<u8>>, String> = body.into_iter().collect();
        Ok(Response::from_parts(parts, body?.concat()))
    }
}

#[test]
fn every_row_of_the_table_says_which_worker_answers_it() {
    for route in routes::all() {
        // What needs a directory, a certificate or XML, and what administrators read seldom, is below these nouns.
        let nouns = [
            "/identity-providers",
            "/audit-events",
            "/history",
            "/erasures",
            "/undo",
            "/requests",
            "/status",
        ];
        let expected = match nouns.iter().any(|noun| route.pattern.contains(noun)) {
            true => Worker::Jobs,
            false => Worker::Requests,
        };
        assert_eq!(
            route.answered_by, expected,
            "{} {}",
            route.method, route.pattern
        );
    }
    let of = |worker| {
        routes::all()
            .iter()
            .filter(|route| route.answered_by == worker)
            .count()
    };
    assert!(of(Worker::Jobs) >= 19 && of(Worker::Requests) >= 60);
}

#[test]
fn a_request_for_the_other_worker_is_handed_on_as_it_is_and_its_reply_too() {
    for (status, body) in [
        (200, "{\"data\": [ 1,2 ]}"),
        (422, "{\"detail\":[]}"),
        (500, "{\"detail\":\"é\"}"),
        (204, ""),
    ] {
        let (world, double) = with_other(move |_| {
            let response = Response::builder()
                .status(status)
                .header("content-type", "application/json")
                .header("x-request-id", "the second's")
                .header("retry-after", "7");
            Ok(response.body(body.as_bytes().to_vec()).unwrap())
        });
        let request = Request::builder()
            .method("POST")
            .uri(format!(
                "{ORIGIN}/api/v1/admin//identity-providers/?a=%20b&c"
            ))
            .header("authorization", "Bearer whatever")
            .header("cf-connecting-ip", "192.0.2.1")
            .header("content-encoding", "gzip")
            .header("x-unknown", "kept")
            .body(vec![0x1f, 0x8b, 0xff, 0])
            .unwrap();
        let lines = world.log.0.borrow().len();
        let response = pollster::block_on(world.app.handle(request.clone()));
        let (parts, got) = response.into_parts();
        let got = pollster::block_on(got.into_chunks().collect::<Vec<_>>());
        let got: Vec<u8> = got.into_iter().flat_map(Result::unwrap).collect();
        assert_eq!(
            (parts.status.as_u16(), got),
            (status, body.as_bytes().to_vec())
        );
        let mut expected = HeaderMap::new();
        expected.insert("content-type", "application/json".parse().unwrap());
        expected.insert("x-request-id", "the second's".parse().unwrap());
        expected.insert("retry-after", "7".parse().unwrap());
        assert_eq!(parts.headers, expected);

        let asked = double.asked.borrow();
        let [asked] = asked.as_slice() else {
            panic!("asked {} times", asked.len());
        };
        assert_eq!(asked.method(), request.method());
        assert_eq!(asked.uri(), request.uri());
        assert_eq!(asked.headers(), request.headers());
        assert_eq!(asked.body(), request.body());
        // The other worker counts it and tells it in its log; here it has cost nothing.
        assert_eq!(world.log.0.borrow().len(), lines);
        assert!(world.limiter.counts.borrow().is_empty());
    }
}

#[test]
fn what_is_answered_here_is_not_handed_on() {
    let (world, double) = with_other(|_| Err("nobody asked for this".to_owned()));
    let tenant = world.tenant("compat");
    let ada = tenant.user("ada");
    tenant.get(&format!("/Users/{ada}")).expect(200);
    world
        .admin("GET", "/api/v1/admin/tenants", Value::Null)
        .expect(200);
    world.admin("GET", "/healthz", Value::Null).expect(200);
    for (method, path, status) in [
        ("PUT", "/api/v1/admin/identity-providers", 405),
        ("GET", "/api/v1/admin/identity-provider", 404),
        ("GET", "/api/v1/admin/Identity-Providers", 404),
    ] {
        world.admin(method, path, Value::Null).expect(status);
    }
    assert!(double.asked.borrow().is_empty());
}

#[test]
fn where_the_other_worker_cannot_be_asked_its_routes_are_503() {
    let (world, _) = with_other(|_| Err("no such service".to_owned()));
    let tenant = "00000000-0000-7000-8000-000000000000";
    for route in routes::all() {
        if route.answered_by != Worker::Jobs {
            continue;
        }
        let path = route
            .pattern
            .replace(":tenant_id", tenant)
            .replace(":idp_id", tenant);
        let path = path
            .replace(":log_id", tenant)
            .replace(":mapping_id", tenant);
        let answer = world.admin(route.method.as_str(), &path, Value::Null);
        answer.expect(503);
        assert_eq!(answer.headers["retry-after"], "5", "{path}");
        let line: Value = serde_json::from_str(&answer.log).unwrap();
        assert_eq!(line["error"], json!("rollcall-jobs: no such service"));
        assert!(!answer.body.to_string().contains("no such service"));
    }
    world.tenant("compat").user("ada");
}

#[test]
fn a_reply_that_is_no_text_is_no_reply() {
    let (world, _) = with_other(|_| Ok(Response::new(vec![0xff, 0xfe])));
    let answer = world.admin("GET", "/api/v1/admin/identity-providers", Value::Null);
    answer.expect(503);
}

#[test]
fn through_two_workers_a_provider_is_what_it_is_through_one() {
    let mut world = World::new();
    let second = World::new();
    // The second shares nothing with the first but the world outside.
    let app = App {
        config: world.app.config.clone(),
        platform: world.app.platform.clone(),
        memory: second.app.memory.clone(),
        recent: second.app.recent.clone(),
    };
    world.app.platform.jobs_worker = Some(Rc::new(Second(app)));
    let tenant = world.tenant("compat").id;
    let made = world.admin(
        "POST",
        "/api/v1/admin/identity-providers/",
        json!({"tenant_id": tenant, "name": "Zürich", "provider_type": "OIDC", "oidc_config": {"issuer": "https://login.example.com", "client_id": "a"}}),
    );
    made.expect(201);
    let id = made.body["data"]["id"].as_str().unwrap();
    let path = format!("/api/v1/admin/identity-providers/{id}");
    let read = world.admin("GET", &path, Value::Null);
    read.expect(200);
    assert_eq!(read.body["data"]["name"], "Zürich");
    world
        .admin(
            "GET",
            "/api/v1/admin/identity-providers?wrong=1",
            Value::Null,
        )
        .expect(422);
    world.admin_as("x", "GET", &path, Value::Null).expect(401);
    world.admin("DELETE", &path, Value::Null).expect(204);
    world.admin("GET", &path, Value::Null).expect(404);
}

#[test]
fn a_tick_of_the_clock_sends_messages_and_does_nothing_itself() {
    let world = World::new();
    pollster::block_on(world.app.tick());
    let waiting = world.queue.waiting();
    for kind in ["renew_keys", "forget_replies"] {
        assert!(
            waiting.contains(&json!({"v": 1, "kind": kind}).to_string()),
            "{waiting:?}"
        );
    }
    world.queue.work_off();
    assert!(world.queue.dead.borrow().is_empty());

    // A queue that takes nothing holds nobody up.
    world.queue.down.set(true);
    pollster::block_on(world.app.tick());
    assert!(world.queue.waiting().is_empty());
    assert!(
        world
            .log
            .0
            .borrow()
            .iter()
            .any(|line| line.contains("Queue sending failed"))
    );
}

#[test]
fn a_message_that_was_given_up_is_written_down_and_told() {
    let long = format!(
        r#"{{"v":1,"kind":"k","tenant":"t","more":"{}"}}"#,
        "é".repeat(50_000)
    );
    let cases = [
        (r#"{"v":1,"kind":"renew_keys"}"#, None, "renew_keys"),
        (
            r#"{"v":1,"kind":"sync_step","tenant":"t-1"}"#,
            Some("t-1"),
            "sync_step",
        ),
        (r#"{"v":1,"kind":7,"tenant":["t"]}"#, None, "unknown"),
        ("{", None, "unknown"),
        ("", None, "unknown"),
        ("'); drop table dead_messages --", None, "unknown"),
        (long.as_str(), Some("t"), "k"),
    ];
    for (text, tenant, kind) in cases {
        let world = World::new();
        let verdict = pollster::block_on(world.app.receive(DEAD_LETTERS, text));
        assert_eq!(verdict, Verdict::Done);
        let rows = world
            .database
            .query("select tenant_id, kind, body, at from dead_messages");
        let [row] = rows.as_slice() else {
            panic!("{} rows", rows.len());
        };
        let body: String = text.chars().take(4_096).collect();
        let tenant_id = Stored::Text(tenant.unwrap_or_default().to_owned());
        assert_eq!(row[0], tenant_id, "{text:.60}");
        assert_eq!(row[1], Stored::Text(kind.to_owned()));
        assert_eq!(row[2], Stored::Text(body));
        let line = world.log.0.borrow().last().cloned().unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(
            (line["dead_message"].as_str(), line["tenant"].as_str()),
            (Some(kind), tenant)
        );
    }
}

#[test]
fn dead_messages_are_kept_for_thirty_days() {
    let world = World::new();
    let bury = || pollster::block_on(world.app.receive(DEAD_LETTERS, "{}"));
    let count = || world.database.query("select id from dead_messages").len();
    bury();
    world.clock.advance_seconds(30 * 86_400);
    bury();
    assert_eq!(count(), 2);
    world.clock.advance_seconds(1);
    bury();
    assert_eq!(count(), 2);
}
