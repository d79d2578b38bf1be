//! What is refused at once, what later, and to whom results are shown.

use std::cell::Cell;
use std::rc::Rc;

use async_trait::async_trait;
use rollcall::platform::Database;
use rollcall::store::{self, Rows, Statement};
use serde_json::{Value, json};

use super::{LATER, accepted, bulk_body, later, look, result, world};
use crate::bulk::{USER, post_user};
use crate::support::{ORIGIN, Tenant, World};

fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name})
}

#[test]
fn what_is_no_json_is_refused_at_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let send = |path: &str, content_type: &str, body: &[u8]| {
        let request = tenant
            .request("POST", path)
            .header("prefer", "respond-async");
        let request = request.header("content-type", content_type);
        world.send(request.body(body.to_vec()).unwrap())
    };
    let scim = "application/scim+json";
    for path in ["/Users", "/Bulk"] {
        for body in ["", "{", "{\"a\":1,\"a\":2}", "{} {}", "[1e999]"] {
            send(path, scim, body.as_bytes()).expect_scim_error(400, "invalidSyntax", "body");
        }
        send(path, "text/plain", b"{}").expect(415);
    }
    let whole: [(Value, u16); 7] = [
        (json!([]), 400),
        (json!({}), 400),
        (
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"]}),
            400,
        ),
        (
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": {}}),
            400,
        ),
        (
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [], "failOnErrors": "x"}),
            400,
        ),
        (bulk_body(&vec![json!(1); 10_001]), 413),
        (bulk_body(&[json!("x".repeat(1_048_577))]), 413),
    ];
    for (body, status) in whole {
        later(&tenant, "POST", "/Bulk", body).expect(status);
    }
    let long = format!("{{\"Operations\":[{}]}}", " ".repeat(8 * 1024 * 1024));
    send("/Bulk", scim, long.as_bytes()).expect(413);
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    let deep = format!(
        "{{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:BulkRequest\"],\"Operations\":[{deep}]}}"
    );
    send("/Bulk", scim, deep.as_bytes()).expect(400);
    let huge = format!("{{\"Operations\":[{}1,]}}", "1,".repeat(600_000));
    send("/Bulk", scim, huge.as_bytes()).expect_scim_error(400, "invalidSyntax", "line 1");
    // A user is no longer than one that is answered at once.
    let long = user(&"x".repeat(1_048_576));
    later(&tenant, "POST", "/Users", long).expect(413);
    assert_eq!(
        world.database.number("select count(*) from async_requests"),
        0
    );
    assert_eq!(world.database.number("select count(*) from async_parts"), 0);
    assert!(world.queue.waiting().is_empty());
}

#[test]
fn who_may_not_is_refused_at_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let other = world.tenant("compat");
    let minted = world.admin(
        "POST",
        "/api/v1/admin/scim-tokens/",
        json!({"tenant_id": tenant.id, "name": "reader", "scopes": ["users:read"]}),
    );
    let reader = minted.expect(201).body["data"]["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let as_whom = |token: &str, base: &str| {
        let request = http::Request::post(format!("{ORIGIN}{base}/Users"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/scim+json")
            .header("prefer", "respond-async");
        world.send(request.body(user("ada").to_string().into_bytes()).unwrap())
    };
    as_whom(&reader, &tenant.base()).expect(403);
    as_whom(&other.token, &tenant.base()).expect(404);
    as_whom(&format!("{}x", tenant.token), &tenant.base()).expect(401);
    assert_eq!(
        world.database.number("select count(*) from async_requests"),
        0
    );
}

#[test]
fn a_result_is_shown_to_the_tenants_readers_alone() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let other = world.tenant("compat");
    let txn = accepted(&later(&tenant, "POST", "/Users", user("ada")));
    let mint = |scopes: Value| {
        let body = json!({"tenant_id": tenant.id, "name": "n", "scopes": scopes});
        let minted = world.admin("POST", "/api/v1/admin/scim-tokens/", body);
        minted.expect(201).body["data"]["token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let path = format!("{}/AsyncRequests/{txn}", tenant.base());
    for is_over in [false, true] {
        let status = if is_over { 200 } else { 202 };
        look(&tenant, &txn).expect(status);
        look(&other, &txn).expect(404);
        let cases = [
            (mint(json!(["users:read"])), status),
            (mint(json!(["groups:read"])), status),
            (mint(json!(["users:write", "bulk"])), 403),
            (other.token.clone(), 404),
        ];
        for (token, status) in cases {
            world
                .admin_as(&token, "GET", &path, Value::Null)
                .expect(status);
        }
        let root = format!("/scim/v2/AsyncRequests/{txn}");
        world
            .admin_as(&tenant.token, "GET", &root, Value::Null)
            .expect(status);
        world
            .admin_as(&other.token, "GET", &root, Value::Null)
            .expect(404);
        world.queue.work_off();
    }
    look(&tenant, "nobody").expect(404);
    look(&tenant, &other.id).expect(404);
}

#[test]
fn a_token_has_to_hold_when_it_is_carried_out_too() {
    let world = world(2);
    let tenant = world.tenant("compat");
    let single = accepted(&later(&tenant, "POST", "/Users", user("ada")));
    let operations: Vec<Value> = (0..6)
        .map(|number| post_user(&format!("b{number}"), &format!("u{number}")))
        .collect();
    world.queue.work_off();
    let many = accepted(&later(&tenant, "POST", "/Bulk", bulk_body(&operations)));
    let waiting = accepted(&later(&tenant, "POST", "/Users", user("eve")));
    // One part is done by then.
    assert!(pollster::block_on(world.queue.deliver()));
    let path = format!("/api/v1/admin/scim-tokens/{}", tenant.token_id);
    let keep = world.admin(
        "POST",
        "/api/v1/admin/scim-tokens/",
        json!({"tenant_id": tenant.id, "name": "next"}),
    );
    let token = keep.expect(201).body["data"]["token"]
        .as_str()
        .unwrap()
        .to_owned();
    world.admin("DELETE", &path, Value::Null).expect(204);
    world.queue.work_off();
    let read = |txn: &str| {
        let path = format!("{}/AsyncRequests/{txn}", tenant.base());
        world
            .admin_as(&token, "GET", &path, Value::Null)
            .expect(200)
            .body
            .clone()
    };
    assert_eq!(read(&single)["status"], "201");
    let many = read(&many);
    let statuses: Vec<&str> = many["Operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|operation| operation["status"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["201", "201", "401", "401", "401", "401"]);
    assert_eq!(many["Operations"][2]["bulkId"], "b2");
    assert_eq!(read(&waiting)["status"], "401");
    assert_eq!(world.database.number("select count(*) from users"), 3);
    assert_eq!(world.database.number("select count(*) from async_parts"), 0);
}

#[test]
fn what_waits_is_bounded() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for _ in 0..1_000 {
        world.background.finish();
        tenant
            .send_with(
                "DELETE",
                &format!("/Users/{}", tenant.id),
                LATER,
                Value::Null,
            )
            .expect(202);
    }
    let refused = later(&tenant, "POST", "/Users", user("ada"));
    refused.expect(429);
    assert_eq!(refused.header("retry-after"), "5");
    // Others may.
    let other = world.tenant("compat");
    accepted(&later(&other, "POST", "/Users", user("ada")));
    while pollster::block_on(world.queue.deliver()) {
        world.database.begin_invocation();
        world.background.finish();
    }
    accepted(&later(&tenant, "POST", "/Users", user("ada")));
}

/// A database in which another request is accepted after so many batches.
struct Filling(Rc<dyn Database>, Cell<i64>, String);

#[async_trait(?Send)]
impl Database for Filling {
    async fn run(&self, batch: Vec<Statement>) -> store::Result<Vec<Rows>> {
        let is_part = |statement: &Statement| statement.sql.contains("into async_parts");
        let has_parts = batch.iter().any(is_part);
        let results = self.0.run(batch).await?;
        if has_parts {
            self.1.set(self.1.get() - 1);
            if self.1.get() == 0 {
                let fill = Statement::new(FILL, vec![(&self.2).into(), 1_000.into()]);
                self.0.run(vec![fill]).await?;
            }
        }
        Ok(results)
    }
}

/// So many requests of a tenant that wait.
const FILL: &str = "insert into async_requests (tenant_id, id, actor, method, route, key_id, status, operations, done, failed, parts, part, \
     accepted_at, updated_at) with recursive n(i) as (select 1 union all select i + 1 from n where i < ?2) \
     select ?1, 'full' || i, 'x', 'POST', 'r', 'k', 'running', 1, 0, 0, 1, 0, 1, 1 from n";

#[test]
fn of_what_is_refused_nothing_is_kept() {
    let many: Vec<Value> = (0..20)
        .map(|number| post_user(&format!("b{number}"), &format!("u{number}")))
        .collect();
    // Where there is no room before the first batch of parts, or none any more before a later one; the last one has the request itself.
    for after in 0..6_i64 {
        let mut world = world(1);
        let tenant = world.tenant("compat");
        let (id, token, token_id) = (
            tenant.id.clone(),
            tenant.token.clone(),
            tenant.token_id.clone(),
        );
        let database = world.home();
        if after == 0 {
            let fill = Statement::new(FILL, vec![(&id).into(), 1_000.into()]);
            pollster::block_on(database.run(vec![fill])).unwrap();
        }
        let filling = Filling(database, Cell::new(after), id.clone());
        let mut platform = world.app.platform.clone();
        world.put_home(&mut platform, Rc::new(filling));
        world.app.platform = platform;
        let tenant = Tenant {
            world: &world,
            id,
            token,
            token_id,
        };
        let answer = later(&tenant, "POST", "/Bulk", bulk_body(&many));
        answer.expect(429);
        assert_eq!(answer.header("retry-after"), "5");
        let parts = "select count(*) from async_parts";
        assert_eq!(world.database.number(parts), 0, "{after}");
        assert!(world.queue.waiting().is_empty());
    }
}

#[test]
fn bytes_that_wait_are_bounded() {
    let mut world = world(1);
    world.app.config.async_requests.waiting_bytes = 3_000;
    let tenant = world.tenant("compat");
    let other = world.tenant("compat");
    let long =
        |name: &str| json!({"schemas": [USER], "userName": name, "title": "x".repeat(1_000)});
    let mut kept = 0;
    let refused = loop {
        let answer = later(&tenant, "POST", "/Users", long(&format!("u{kept}")));
        if answer.status == 429 {
            break answer;
        }
        accepted(&answer);
        kept += 1;
    };
    assert_eq!(kept, 3);
    assert!(
        refused.body["detail"]
            .as_str()
            .unwrap()
            .contains("1000 requests, or")
    );
    later(
        &tenant,
        "POST",
        "/Bulk",
        bulk_body(&[post_user("b", "bulk")]),
    )
    .expect(429);
    accepted(&later(&other, "POST", "/Users", long("ada")));
    // What is left by one that was never accepted takes no room, and what is done takes none any more.
    world.queue.work_off();
    world.database.execute(&format!(
        "insert into async_parts values ('{}', 'left', 0, '{}')",
        tenant.id,
        "x".repeat(4_000)
    ));
    accepted(&later(&tenant, "POST", "/Users", long("late")));
}

#[test]
fn secrets_are_sealed_while_it_waits_and_gone_then() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let body = json!({"schemas": [USER], "userName": "ada", "password": "a-secret-of-hers"});
    let bulk = bulk_body(&[
        json!({"method": "POST", "bulkId": "b", "path": "/Users", "data": {"schemas": [USER], "userName": "eve", "password": "a-secret-of-hers"}}),
    ]);
    let first = accepted(&later(&tenant, "POST", "/Users", body));
    let second = accepted(&later(&tenant, "POST", "/Bulk", bulk));
    let nowhere = |world: &World| {
        for sql in [
            "select coalesce(head, '') from async_requests",
            "select body from async_parts",
            "select result from async_results",
            "select coalesce(body, '') from requests",
        ] {
            for text in world.database.texts(sql) {
                assert!(!text.contains("a-secret"), "{sql}: {text}");
            }
        }
    };
    nowhere(&world);
    result(&tenant, &first);
    assert_eq!(result(&tenant, &second)["Operations"][0]["status"], "201");
    nowhere(&world);
    assert_eq!(world.database.number("select count(*) from async_parts"), 0);
}
