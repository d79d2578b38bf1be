//! `?dry_run=true`: a change is answered as it would be, and nothing is written.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::filter_equivalence::runner;
use crate::support::{Answer, Tenant, World};
use crate::users::in_both;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

fn dry(path: &str) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}dry_run=true")
}

/// A request and its body.
type Sent = (&'static str, String, Value);

/// A body without what differs from one request to the next: ids that are given and times.
fn comparable(answer: &Answer, known: &[String]) -> Value {
    fn blur(value: &mut Value, known: &[String]) {
        match value {
            Value::Array(values) => values.iter_mut().for_each(|value| blur(value, known)),
            Value::Object(object) => object.values_mut().for_each(|value| blur(value, known)),
            Value::String(text) => {
                let id = text.rsplit('/').next().unwrap().to_owned();
                if uuid::Uuid::parse_str(&id).is_ok() && !known.contains(&id) {
                    *text = text.replace(&id, "new");
                }
            }
            _ => {}
        }
    }
    let mut body = answer.body.clone();
    blur(&mut body, known);
    body
}

/// Sends a request dry and then in earnest: the answers are the same, and only the second one writes.
fn twice(tenant: &Tenant<'_>, (method, path, body): &Sent, known: &[String]) -> Answer {
    let database = &tenant.world.database;
    let before = database.dump_text();
    let tried = tenant.send(method, &dry(path), body.clone());
    assert_eq!(database.dump_text(), before, "{method} {path} {body}");
    assert_eq!(tried.header("x-dry-run"), "true");
    let done = tenant.send(method, path, body.clone());
    assert!(!done.headers.contains_key("x-dry-run"));
    let at = format!("{method} {path} {body}");
    assert_eq!(
        tried.status, done.status,
        "{at}: {} {}",
        tried.body, done.body
    );
    assert_eq!(comparable(&tried, known), comparable(&done, known), "{at}");
    assert_eq!(tried.headers.get("etag"), done.headers.get("etag"), "{at}");
    assert_eq!(
        tried.headers.contains_key("location"),
        done.headers.contains_key("location")
    );
    done
}

#[test]
fn every_write_is_answered_as_it_would_be() {
    in_both(|tenant| {
        let [a, b, c] = ["a", "b", "c"].map(|name| tenant.user(name));
        let g = tenant.group("G", &[&a, &b]);
        let h = tenant.group("H", &[]);
        let known = [&a, &b, &c, &g, &h].map(Clone::clone);
        let user = |name: &str| json!({"schemas": [USER], "userName": name, "displayName": name});
        let patch = |operations: Value| json!({"schemas": [PATCH], "Operations": operations});
        let members = |op: &str, id: &String| {
            patch(json!([{"op": op, "path": "members", "value": [{"value": id}]}]))
        };
        let bulk = |operations: Value| json!({"schemas": [BULK], "Operations": operations});
        let nobody = "00000000-0000-7000-8000-000000000000".to_owned();
        let group_patch = |path: &str, body: &Value| ("PATCH", path.to_owned(), body.clone());
        let gs = format!("/Groups/{g}");
        let shown = format!("{gs}?attributes=members");
        let requests: Vec<Sent> = vec![
            ("POST", "/Users".into(), user("new")),
            ("POST", "/Users".into(), user("new")),
            ("POST", "/Users".into(), json!({"schemas": [USER]})),
            (
                "POST",
                "/Groups".into(),
                json!({"schemas": [GROUP], "displayName": "N", "members": [{"value": a}, {"value": h}]}),
            ),
            (
                "POST",
                "/Groups".into(),
                json!({"schemas": [GROUP], "displayName": "M", "members": [{"value": nobody}]}),
            ),
            ("PUT", format!("/Users/{a}"), user("aa")),
            ("PUT", format!("/Users/{a}"), user("aa")),
            ("PUT", format!("/Users/{a}"), user("b")),
            (
                "PATCH",
                format!("/Users/{b}"),
                patch(json!([{"op": "replace", "path": "active", "value": false}])),
            ),
            (
                "PATCH",
                format!("/Users/{nobody}"),
                patch(json!([{"op": "replace", "path": "active", "value": false}])),
            ),
            group_patch(&gs, &members("add", &c)),
            group_patch(&gs, &members("add", &c)),
            group_patch(&gs, &members("add", &nobody)),
            group_patch(&shown, &members("remove", &a)),
            group_patch(
                &gs,
                &patch(json!([{"op": "remove", "path": "members[display eq \"b\"]"}])),
            ),
            group_patch(
                &gs,
                &patch(json!([{"op": "replace", "path": "displayName", "value": "GG"}])),
            ),
            group_patch(
                &format!("{gs}?excludedAttributes=members"),
                &members("add", &a),
            ),
            (
                "PUT",
                gs.clone(),
                json!({"schemas": [GROUP], "displayName": "GG", "members": [{"value": b}, {"value": h}]}),
            ),
            (
                "PUT",
                gs.clone(),
                json!({"schemas": [GROUP], "displayName": "H", "members": []}),
            ),
            (
                "POST",
                "/Bulk".into(),
                bulk(json!([
                    {"method": "POST", "path": "/Users", "bulkId": "x", "data": user("x")},
                    {"method": "PATCH", "path": gs, "data": members("add", &"bulkId:x".to_owned())},
                    {"method": "DELETE", "path": format!("/Users/{c}")},
                    {"method": "PATCH", "path": gs, "data": patch(json!([{"op": "replace", "path": "displayName", "value": "GGG"}]))},
                    {"method": "POST", "path": "/Users", "bulkId": "y", "data": user("x")},
                ])),
            ),
            ("DELETE", format!("/Users/{b}"), Value::Null),
            ("DELETE", format!("/Users/{b}"), Value::Null),
            ("DELETE", gs.clone(), Value::Null),
        ];
        for request in &requests {
            twice(tenant, request, &known);
        }
    });
}

#[test]
fn what_is_neither_true_nor_false_is_refused() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let body = json!({"schemas": [USER], "userName": "a"});
    let before = world.database.dump();
    for query in [
        "dry_run",
        "dry_run=",
        "dry_run=1",
        "dry_run=True",
        "dry_run=yes",
        "dry_run=true&dry_run=maybe",
        "DRY_RUN=on",
    ] {
        let answer = tenant.send("POST", &format!("/Users?{query}"), body.clone());
        answer.expect_scim_error(400, "invalidValue", "dry_run");
    }
    // Whatever the case, what is meant to be tried is not done.
    tenant
        .send("POST", "/Users?Dry_Run=true", body.clone())
        .expect(201);
    tenant
        .send("POST", "/Users?dry_run=false&dry_run=true", body.clone())
        .expect(201);
    assert_eq!(world.database.dump(), before);
    let done = tenant.send("POST", "/Users?dry_run=false", body);
    done.expect(201);
    assert!(!done.headers.contains_key("x-dry-run"));
    // What reads is not asked.
    tenant.get("/Users?dry_run=maybe").expect(200);
    let search = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]});
    tenant
        .send("POST", "/Users/.search?dry_run=maybe", search)
        .expect(200);
}

/// A condition is checked, and somebody else's change is seen.
#[test]
fn conditions_hold_for_what_is_tried_too() {
    in_both(|tenant| {
        let id = tenant.user("a");
        let path = dry(&format!("/Users/{id}"));
        for (condition, status) in [("W/\"7\"", 412), ("W/\"1\"", 204)] {
            let answer = tenant.send_with("DELETE", &path, &[("if-match", condition)], Value::Null);
            answer.expect(status);
        }
        tenant.get(&format!("/Users/{id}")).expect(200);
    });
}

#[derive(Debug, Clone)]
enum Step {
    Create(usize),
    Rename(usize, usize),
    Delete(usize),
    Members(usize, &'static str, Vec<usize>),
    Replace(usize, Vec<usize>),
}

fn step() -> impl Strategy<Value = Step> {
    let some = || prop::collection::vec(0..4_usize, 0..4);
    prop_oneof![
        (0..6_usize).prop_map(Step::Create),
        (0..4_usize, 0..6_usize).prop_map(|(user, name)| Step::Rename(user, name)),
        (0..4_usize).prop_map(Step::Delete),
        (0..2_usize, select(vec!["add", "remove", "replace"]), some())
            .prop_map(|(group, op, users)| Step::Members(group, op, users)),
        (0..2_usize, some()).prop_map(|(group, users)| Step::Replace(group, users)),
    ]
}

#[test]
fn whatever_is_tried_comes_to_what_is_done() {
    let steps = prop::collection::vec(step(), 1..8);
    let tested = runner(48).run(&steps, |steps| {
        let world = World::new();
        let tenant = world.tenant("compat");
        let users = ["a", "b", "c", "d"].map(|name| tenant.user(name));
        let groups = [tenant.group("G", &[&users[0]]), tenant.group("H", &[])];
        let known: Vec<String> = users.iter().chain(&groups).cloned().collect();
        let named = |some: &[usize]| -> Value { some.iter().map(|user| json!({"value": users[*user]})).collect() };
        for step in &steps {
            let sent: Sent = match step {
                Step::Create(name) => ("POST", "/Users".into(), json!({"schemas": [USER], "userName": format!("n{name}")})),
                Step::Rename(user, name) => (
                    "PUT",
                    format!("/Users/{}", users[*user]),
                    json!({"schemas": [USER], "userName": format!("n{name}")}),
                ),
                Step::Delete(user) => ("DELETE", format!("/Users/{}", users[*user]), Value::Null),
                Step::Members(group, op, some) => (
                    "PATCH",
                    format!("/Groups/{}", groups[*group]),
                    json!({"schemas": [PATCH], "Operations": [{"op": op, "path": "members", "value": named(some)}]}),
                ),
                Step::Replace(group, some) => (
                    "PUT",
                    format!("/Groups/{}", groups[*group]),
                    json!({"schemas": [GROUP], "displayName": format!("R{group}"), "members": named(some)}),
                ),
            };
            twice(&tenant, &sent, &known);
        }
        Ok(())
    });
    tested.unwrap_or_else(|error| panic!("{error}"));
}
