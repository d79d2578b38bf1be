//! Each kind of write, and the ways of being answered.

use serde_json::{Value, json};

use super::{LATER, accepted, later, look, result};
use crate::bulk::{GROUP, USER, assert_consistent, patch, post_user};
use crate::support::World;

fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name})
}

#[test]
fn each_kind_of_write_is_carried_out_as_one_that_is_answered_at_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let ada = tenant.user("ada");
    let ben = tenant.user("ben");
    let group = tenant.group("G", &[&ada]);
    let patch = |operations: Value| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
    let title = json!([{"op": "replace", "path": "title", "value": "Dr"}]);
    let add = json!([{"op": "add", "path": "members", "value": [{"value": ben}]}]);
    let cases = [
        ("POST", "/Users".to_owned(), user("eve"), "201", "Users", 1),
        (
            "PUT",
            format!("/Users/{ada}"),
            json!({"schemas": [USER], "userName": "ada", "title": "x"}),
            "200",
            "Users",
            2,
        ),
        (
            "PATCH",
            format!("/Users/{ada}"),
            patch(title.clone()),
            "200",
            "Users",
            3,
        ),
        // Nothing changes by it.
        (
            "PATCH",
            format!("/Users/{ada}"),
            patch(title),
            "200",
            "Users",
            3,
        ),
        (
            "POST",
            "/Groups".to_owned(),
            json!({"schemas": [GROUP], "displayName": "H", "members": [{"value": ada}]}),
            "201",
            "Groups",
            1,
        ),
        (
            "PUT",
            format!("/Groups/{group}"),
            json!({"schemas": [GROUP], "displayName": "G2", "members": []}),
            "200",
            "Groups",
            2,
        ),
        (
            "PATCH",
            format!("/Groups/{group}"),
            patch(add),
            "200",
            "Groups",
            3,
        ),
        (
            "DELETE",
            format!("/Groups/{group}"),
            Value::Null,
            "204",
            "Groups",
            0,
        ),
        (
            "DELETE",
            format!("/Users/{ada}"),
            Value::Null,
            "204",
            "Users",
            0,
        ),
    ];
    for (method, path, body, status, endpoint, version) in cases {
        let before = world.database.number("select count(*) from audit_events");
        let txn = accepted(&later(&tenant, method, &path, body));
        assert_eq!(
            world.database.number("select count(*) from audit_events"),
            before,
            "nothing is done yet"
        );
        let running = look(&tenant, &txn);
        running.expect(202);
        assert_eq!(
            running.body,
            json!({"txn": txn, "status": "running", "operations": 1, "done": 0, "failed": 0})
        );
        let done = result(&tenant, &txn);
        assert_eq!(done["method"], method);
        assert_eq!(done["status"], status, "{method} {path}: {done}");
        let location = done["location"].as_str().unwrap();
        assert!(
            location.contains(&format!("/scim/v2/{endpoint}/")),
            "{location}"
        );
        match version {
            0 => assert_eq!(done["version"], Value::Null),
            version => {
                assert_eq!(
                    done["version"],
                    format!("W/\"{version}\""),
                    "{method} {path}"
                );
                let path = location.split("/scim/v2").last().unwrap();
                let now = tenant.get(path);
                assert_eq!(now.expect(200).header("etag"), done["version"]);
            }
        }
        // All that it did is its own.
        let sql = format!("select distinct actor from audit_events where request_id = '{txn}'");
        assert_eq!(
            world.database.texts(&sql),
            [format!("scim-token:{}", tenant.token_id)]
        );
        let sql = format!("select method || ' ' || status from requests where id = '{txn}'");
        let journal = world.database.texts(&sql);
        assert!(
            journal.is_empty() || journal == [format!("{method} {status}")],
            "{journal:?}"
        );
        assert_eq!(world.database.number("select count(*) from async_parts"), 0);
        assert_eq!(
            world
                .database
                .number("select count(*) from async_requests where head is not null"),
            0
        );
    }
    assert_consistent(&world);
}

#[test]
fn what_waits_is_answered_as_usual_where_it_is_done_in_time() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let wait = &[("prefer", "respond-async, wait=10")];
    let made = tenant.send_with("POST", "/Users", wait, user("ada"));
    made.expect(201);
    assert_eq!(made.body["userName"], "ada");
    assert_eq!(made.header("preference-applied"), "respond-async, wait=10");
    assert_eq!(made.header("etag"), "W/\"1\"");
    let refused = tenant.send_with("POST", "/Users", wait, user("ada"));
    refused.expect_scim_error(409, "uniqueness", "userName");
    assert_eq!(
        refused.header("preference-applied"),
        "respond-async, wait=10"
    );
    // Their messages find nothing to do.
    let before = world.database.number("select count(*) from audit_events");
    world.queue.work_off();
    assert_eq!(
        world.database.number("select count(*) from audit_events"),
        before
    );
}

#[test]
fn one_that_waits_too_long_is_answered_first_and_carried_out_all_the_same() {
    let mut world = World::new();
    // Not even one operation is for the request itself.
    world.app.config.async_requests.statements = 0;
    let tenant = world.tenant("compat");
    world.queue.halted.set(true);
    let wait = &[("prefer", "respond-async,wait=99")];
    let answer = tenant.send_with("POST", "/Users", wait, user("ada"));
    answer.expect(202);
    assert_eq!(
        answer.header("preference-applied"),
        "respond-async, wait=25"
    );
    let txn = answer.header("set-txn").to_owned();
    world.queue.halted.set(false);
    let mut worker = world.app.config.clone();
    worker.async_requests.statements = 400;
    let done = result(&tenant, &txn);
    assert_eq!(done["status"], "201");
    assert_eq!(tenant.find("userName eq \"ada\""), ["ada"]);
}

#[test]
fn preferences_are_read_as_lists_and_others_passed_over() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let cases: [(&[(&str, &str)], u16); 12] = [
        (&[], 201),
        (&[("prefer", "return=minimal")], 201),
        (&[("prefer", "wait=10")], 201),
        (&[("prefer", "respond-asynchronously")], 201),
        (&[("prefer", "respond-async")], 202),
        (&[("prefer", "Respond-Async")], 202),
        (&[("prefer", "respond-async; x=1")], 202),
        (&[("prefer", "return=minimal, respond-async")], 202),
        (
            &[("prefer", "return=minimal"), ("prefer", "respond-async")],
            202,
        ),
        (&[("prefer", "respond-async, wait=0")], 202),
        (&[("prefer", "respond-async, wait=soon")], 202),
        (
            &[("prefer", "respond-async"), ("prefer", "wait=\"5\"")],
            201,
        ),
    ];
    for (number, (headers, status)) in cases.into_iter().enumerate() {
        let answer = tenant.send_with("POST", "/Users", headers, user(&format!("u{number}")));
        answer.expect(status);
        let is_applied = answer.headers.contains_key("preference-applied");
        assert_eq!(is_applied, status == 202 || number == 11, "{headers:?}");
    }
    world.queue.work_off();
    assert_eq!(tenant.find("userName sw \"u\"").len(), 12);
}

#[test]
fn what_is_only_tried_or_read_is_answered_at_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let tried = tenant.send_with("POST", "/Users?dry_run=true", LATER, user("ada"));
    tried.expect(201);
    assert_eq!(tried.header("x-dry-run"), "true");
    assert!(tenant.find("userName eq \"ada\"").is_empty());
    tenant
        .send_with("GET", "/Users", LATER, Value::Null)
        .expect(200);
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]});
    tenant
        .send_with("POST", "/Users/.search", LATER, search)
        .expect(200);
    assert_eq!(
        world.database.number("select count(*) from async_requests"),
        0
    );
}

#[test]
fn if_match_holds_when_it_is_carried_out() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let ada = tenant.user("ada");
    let path = format!("/Users/{ada}");
    let headers = &[("prefer", "respond-async"), ("if-match", "W/\"1\"")];
    let body = json!({"schemas": [USER], "userName": "ada", "title": "first"});
    let first = accepted(&tenant.send_with("PUT", &path, headers, body.clone()));
    let body = json!({"schemas": [USER], "userName": "ada", "title": "second"});
    let second = accepted(&tenant.send_with("PUT", &path, headers, body));
    assert_eq!(result(&tenant, &first)["status"], "200");
    let second = result(&tenant, &second);
    assert_eq!(second["status"], "412");
    assert_eq!(second["response"]["status"], "412");
    assert!(second["location"].as_str().unwrap().ends_with(&path));
    assert_eq!(tenant.get(&path).body["title"], "first");
}

#[test]
fn the_end_is_an_event() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let made = accepted(&later(&tenant, "POST", "/Users", user("ada")));
    let refused = accepted(&later(&tenant, "POST", "/Users", user("ada")));
    result(&tenant, &refused);
    let path = format!(
        "/api/v1/tenants/{}/events?types=request.finished",
        tenant.id
    );
    let events = world.admin("GET", &path, Value::Null);
    let events = events.expect(200).body["data"].as_array().unwrap();
    assert_eq!(events.len(), 2);
    for (event, (txn, status)) in events.iter().zip([(&made, "201"), (&refused, "409")]) {
        assert_eq!(event["type"], "request.finished");
        assert_eq!(event["resource"]["type"], "Request");
        assert_eq!(event["resource"]["id"], *txn);
        assert_eq!(event["request_id"], *txn);
        assert_eq!(event["actor"], format!("scim-token:{}", tenant.token_id));
        assert_eq!(
            (&event["data"]["status"], &event["data"]["method"]),
            (&json!(status), &json!("POST"))
        );
    }
    // Its words may be somebody's name.
    let response = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "409", "scimType": "uniqueness"});
    assert_eq!(events[1]["data"]["response"], response);
}

/// What an event says is what is answered to whoever asks: with the version, too, which only the database knows where others write.
#[test]
fn an_event_has_the_version_that_its_operation_left() {
    let world = super::world(2);
    let tenant = world.tenant("compat").unfused();
    let ada = tenant.user("ada");
    let title = |title: &str| json!([{"op": "replace", "path": "title", "value": title}]);
    let change = |to: &str| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": title(to)});
    let path = format!("/Users/{ada}");
    let bulk = super::bulk_body(&[
        patch(&path, title("one")),
        patch(&path, title("two")),
        patch(&path, title("two")),
        post_user("b", "ben"),
        patch("/Users/bulkId:b", title("three")),
        patch("/Users/nobody", title("four")),
        json!({"method": "DELETE", "path": path}),
        json!({"method": "DELETE", "path": "/Users/bulkId:b"}),
    ]);
    let sent = [
        ("POST", "/Users".to_owned(), user("eve"), false),
        ("PATCH", path.clone(), change("Dr"), true),
        ("PATCH", path.clone(), change("Prof"), false),
        ("PUT", path.clone(), user("ada"), true),
        ("PUT", path.clone(), user("ada"), false),
        ("POST", "/Bulk".to_owned(), bulk, true),
    ];
    let mut numbered = Vec::new();
    for (method, path, body, is_raced) in sent {
        let txn = accepted(&later(&tenant, method, &path, body));
        if is_raced {
            tenant.patch(&format!("/Users/{ada}"), title(&txn));
        }
        let result = result(&tenant, &txn);
        let results = match result["Operations"].as_array() {
            Some(results) => results.clone(),
            None => vec![result],
        };
        let page = format!(
            "/api/v1/tenants/{}/events?types=request.finished&limit=100",
            tenant.id
        );
        let page = world.admin("GET", &page, Value::Null);
        let page = page.expect(200).body["data"].as_array().unwrap();
        let events: Vec<&Value> = page
            .iter()
            .filter(|event| event["resource"]["id"] == txn.as_str())
            .collect();
        assert_eq!(events.len(), results.len(), "{method} {path}");
        for event in events {
            let number = event["data"]["operation"].as_u64().unwrap_or_default();
            let result = &results[usize::try_from(number).unwrap()];
            for name in ["method", "status", "location", "version"] {
                assert_eq!(
                    event["data"][name], result[name],
                    "{method} {path} {number} {name}"
                );
            }
            numbered.extend(result["version"].as_str().map(str::to_owned));
        }
    }
    assert!(numbered.len() >= 9, "{numbered:?}");
}

#[test]
fn an_administrators_jwt_does_it_too() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = format!("/api/v1/tenants/{}/scim/v2/Users", tenant.id);
    let token = world.jwt(&world.claims());
    let request = http::Request::post(format!("{}{path}", crate::support::ORIGIN))
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/scim+json")
        .header("prefer", "respond-async")
        .body(user("ada").to_string().into_bytes());
    let answer = world.send(request.unwrap());
    let txn = accepted(&answer);
    assert_eq!(result(&tenant, &txn)["status"], "201");
    let sql = format!("select distinct actor from audit_events where request_id = '{txn}'");
    assert_eq!(world.database.texts(&sql), ["jwt:root"]);
}
