//! Which of the two workers answers what, and how the first hands a request on to the second.

use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Request, Response};
use rollcall::api::App;
use rollcall::api::http::routes::{self, Worker};
use rollcall::jobs::{DEAD_LETTERS, Verdict};
use rollcall::platform::{Chunk, Chunks, OtherWorker};
use rollcall::store::Value as Stored;
use serde_json::{Value, json};

use crate::support::{ORIGIN, Tenant, World};

type Answers = Box<dyn Fn(&Request<Vec<u8>>) -> Result<Response<Chunks>, String>>;

/// A jobs worker that says what it is told to, and keeps what it was asked.
struct Double {
    answers: Answers,
    asked: RefCell<Vec<Request<Vec<u8>>>>,
}

#[async_trait(?Send)]
impl OtherWorker for Double {
    async fn ask(&self, request: &Request<Vec<u8>>) -> Result<Response<Chunks>, String> {
        self.asked.borrow_mut().push(request.clone());
        (self.answers)(request)
    }
}

/// The world, its worker handing on what is for the other one.
fn with_other(
    mut world: World,
    answers: impl Fn(&Request<Vec<u8>>) -> Result<Response<Chunks>, String> + 'static,
) -> (World, Rc<Double>) {
    let double = Rc::new(Double {
        answers: Box::new(answers),
        asked: RefCell::default(),
    });
    world.app.platform.jobs_worker = Some(double.clone());
    (world, double)
}

/// A body of these pieces.
fn body(pieces: impl IntoIterator<Item = Chunk, IntoIter: 'static>) -> Chunks {
    stream::iter(pieces).boxed_local()
}

/// The application itself as the other worker. It shares nothing with the first but the world outside.
struct Second(App);

impl Second {
    /// A world whose worker hands on what is for the other one to an application.
    fn world() -> World {
        let mut world = World::new();
        let other = World::new();
        let app = App {
            config: world.app.config.clone(),
            platform: world.app.platform.clone(),
            memory: other.app.memory.clone(),
            recent: other.app.recent.clone(),
        };
        world.app.platform.jobs_worker = Some(Rc::new(Second(app)));
        world
    }
}

#[async_trait(?Send)]
impl OtherWorker for Second {
    async fn ask(&self, request: &Request<Vec<u8>>) -> Result<Response<Chunks>, String> {
        let answer = self.0.handle(request.clone()).await;
        Ok(answer.map(|body| body.into_chunks().boxed_local()))
    }
}

#[test]
fn every_row_of_the_table_says_which_worker_answers_it() {
    for route in routes::all() {
        // SCIM, and what needs no credential.
        let here = [
            "/scim/v2",
            "/healthz",
            "/.well-known/jwks.json",
            "/openapi.json",
            "/docs",
            "/console",
        ];
        // What it has carried out, the other one tells.
        let is_later = route.pattern.contains("/AsyncRequests/");
        let is_signing_in = route.name == "createConsoleSession";
        let is_here =
            here.iter().any(|part| route.pattern.contains(part)) && !is_later && !is_signing_in;
        let expected = match is_here || route.pattern.starts_with("/setup") {
            true => Worker::Requests,
            false => Worker::Jobs,
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
    assert!(of(Worker::Jobs) >= 40 && of(Worker::Requests) >= 56);
}

#[test]
fn a_request_for_the_other_worker_is_handed_on_as_it_is_and_its_reply_too() {
    for (status, body) in [
        (200, "{\"data\": [ 1,2 ]}"),
        (422, "{\"detail\":[]}"),
        (500, "{\"detail\":\"é\"}"),
        (204, ""),
    ] {
        let (world, double) = with_other(World::new(), move |_| {
            let response = Response::builder()
                .status(status)
                .header("content-type", "application/json")
                .header("x-request-id", "the second's")
                .header("retry-after", "7");
            let pieces = body.as_bytes().chunks(4).map(|piece| Ok(piece.to_vec()));
            let pieces: Vec<_> = pieces.collect();
            Ok(response.body(self::body(pieces)).unwrap())
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
    let world = World::new();
    let Tenant {
        id,
        token,
        token_id,
        ..
    } = world.tenant("compat");
    let (world, double) = with_other(world, |_| Err("nobody asked for this".to_owned()));
    let tenant = Tenant {
        world: &world,
        id,
        token,
        token_id,
    };
    let ada = tenant.user("ada");
    tenant.get(&format!("/Users/{ada}")).expect(200);
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
    let (world, _) = with_other(World::new(), |_| Err("no such service".to_owned()));
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
    world.admin("GET", "/healthz", Value::Null).expect(200);
}

#[test]
fn a_reply_goes_on_while_it_comes_and_breaks_off_where_it_broke_off() {
    let broken = || Err("the connection was lost".to_owned());
    // Pieces of a body, and what comes of them: none where it is no reply at all.
    let cases: [(Vec<Chunk>, Option<Vec<Chunk>>); 6] = [
        (vec![], Some(vec![])),
        (vec![Ok(vec![0xff, 0xfe])], Some(vec![Ok(vec![0xff, 0xfe])])),
        (vec![broken()], None),
        (vec![broken(), Ok(b"more".to_vec())], None),
        (
            vec![Ok(b"some".to_vec()), broken()],
            Some(vec![Ok(b"some".to_vec()), broken()]),
        ),
        (
            vec![Ok(b"some".to_vec()), Ok(b"more".to_vec())],
            Some(vec![Ok(b"some".to_vec()), Ok(b"more".to_vec())]),
        ),
    ];
    for (pieces, expected) in cases {
        let of_other = pieces.clone();
        let (world, _) = with_other(World::new(), move |_| {
            Ok(Response::new(body(of_other.clone())))
        });
        let request = Request::get(format!("{ORIGIN}/api/v1/admin/identity-providers"));
        let request = request.body(Vec::new()).unwrap();
        let response = pollster::block_on(world.app.handle(request));
        let status = response.status();
        let got: Vec<Chunk> = pollster::block_on(response.into_body().into_chunks().collect());
        match expected {
            Some(expected) => assert_eq!((status.as_u16(), got), (200, expected), "{pieces:?}"),
            None => assert_eq!(status, 503, "{pieces:?}"),
        }
    }
}

#[test]
fn an_export_is_read_page_by_page_through_two_workers_too() {
    let world = Second::world();
    let tenant = world.tenant("compat");
    for number in 0..5 {
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": format!("u{number}"), "title": "x".repeat(900_000),
        });
        tenant.send("POST", "/Users", user).expect(201);
    }
    let path = format!("{ORIGIN}/api/v1/admin/tenants/{}/export", tenant.id);
    let token = world.jwt(&world.claims());
    let request = Request::get(path).header("authorization", format!("Bearer {token}"));
    let request = request.body(Vec::new()).unwrap();
    pollster::block_on(async {
        world.database.begin_invocation();
        let mut chunks = world.app.handle(request).await.into_body().into_chunks();
        let mut statements = Vec::new();
        let mut text = Vec::new();
        while let Some(chunk) = chunks.next().await {
            text.extend(chunk.unwrap());
            statements.push(world.database.begin_invocation());
        }
        assert_eq!(String::from_utf8(text).unwrap().lines().count(), 6);
        // The tenant for the first line, then a statement for each page.
        assert!(statements.len() >= 3, "{statements:?}");
        assert!(statements.iter().all(|count| *count <= 2), "{statements:?}");
    });
}

#[test]
fn through_two_workers_a_provider_is_what_it_is_through_one() {
    let world = Second::world();
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
