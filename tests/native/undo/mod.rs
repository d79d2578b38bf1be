//! Taking back what requests did: everything becomes what it was, and what somebody else changed since is left.

mod histories;
mod large;

use serde_json::{Value, json};

use crate::bulk::{bulk, patch as patch_operation};
use crate::support::{Answer, Tenant, World};
use crate::users::in_both;

const PATH: &str = "/api/v1/admin/undo/";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// All that an undo brings back: every table but for versions, times of changes, and what is recorded.
fn state(tenant: &Tenant<'_>) -> Vec<String> {
    let database = &tenant.world.database;
    [
        "select id || created_at || provider_id || resource || keys || coalesce(password_hash, '') from users order by 1",
        "select user_id || value_key || type_key from user_emails order by 1",
        "select id || created_at || provider_id || member_count || unique_name || resource || keys from groups order by 1",
        "select group_id || member_id || member_type || granted from group_members order by 1",
        "select id || user_total || ' ' || group_total from tenants order by 1",
    ]
    .iter()
    .flat_map(|sql| database.texts(sql))
    .collect()
}

fn undo(tenant: &Tenant<'_>, mut body: Value) -> Answer {
    body["tenant_id"] = tenant.id.clone().into();
    tenant.world.admin("POST", PATH, body)
}

/// Takes back what these requests did, and nothing of it conflicts.
#[track_caller]
fn undone(tenant: &Tenant<'_>, requests: &[String]) -> String {
    let answer = undo(tenant, json!({"request_ids": requests}));
    answer.expect(200);
    assert_eq!(
        answer.body["data"]["conflicts"],
        json!([]),
        "{}",
        answer.body
    );
    request_id(&answer)
}

fn request_id(answer: &Answer) -> String {
    answer.header("x-request-id").to_owned()
}

fn reasons(answer: &Answer) -> Vec<&str> {
    let conflicts = answer.expect(200).body["data"]["conflicts"]
        .as_array()
        .unwrap();
    conflicts
        .iter()
        .map(|one| one["reason"].as_str().unwrap())
        .collect()
}

#[test]
fn each_change_is_taken_back_and_the_undo_too() {
    in_both(|tenant| {
        let [a, b] = ["a", "b"].map(|name| tenant.user(name));
        let body = json!({"schemas": [USER], "userName": "c", "externalId": "x-7", "emails": [{"value": "c@example.com", "type": "work"}]});
        let c = tenant.send("POST", "/Users", body).expect(201).id();
        let inner = tenant.group("Inner", &[&a, &c]);
        let outer = tenant.group("Outer", &[&inner, &b]);
        tenant.world.clock.advance_seconds(60);
        let (group, user) = (format!("/Groups/{inner}"), format!("/Users/{c}"));
        let cases = [
            (
                "POST",
                "/Users".to_owned(),
                json!({"schemas": [USER], "userName": "new"}),
            ),
            (
                "POST",
                "/Groups".to_owned(),
                json!({"schemas": [GROUP], "displayName": "New", "members": [{"value": a}, {"value": outer}]}),
            ),
            (
                "PUT",
                user.clone(),
                json!({"schemas": [USER], "userName": "cc", "externalId": "x-8"}),
            ),
            ("DELETE", user.clone(), Value::Null),
            ("DELETE", group.clone(), Value::Null),
            ("DELETE", format!("/Groups/{outer}"), Value::Null),
            (
                "PUT",
                group.clone(),
                json!({"schemas": [GROUP], "displayName": "I", "members": [{"value": b}]}),
            ),
            (
                "PATCH",
                group.clone(),
                json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
                {"op": "add", "path": "members", "value": [{"value": b}]},
                {"op": "remove", "path": format!("members[value eq \"{a}\"]")}]}),
            ),
            (
                "PATCH",
                user.clone(),
                json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
                {"op": "replace", "path": "active", "value": false}, {"op": "remove", "path": "emails"}]}),
            ),
        ];
        for (method, path, body) in cases {
            let before = state(tenant);
            let answer = tenant.send(method, &path, body.clone());
            assert!(answer.status < 300, "{}", answer.body);
            let after = state(tenant);
            assert_ne!(before, after, "{method} {path}");
            let recorded = tenant.world.database.dump_text();
            let tried = undo(
                tenant,
                json!({"request_ids": [request_id(&answer)], "dry_run": true}),
            );
            assert_eq!(tenant.world.database.dump_text(), recorded);
            let done = undo(tenant, json!({"request_ids": [request_id(&answer)]}));
            let data = |answer: &Answer| {
                let mut data = answer.expect(200).body["data"].clone();
                data["dry_run"].take();
                data
            };
            assert_eq!(data(&tried), data(&done), "{method} {path}");
            assert_eq!(
                state(tenant),
                before,
                "{method} {path} {body} {}",
                done.body
            );
            let redone = undone(tenant, &[request_id(&done)]);
            assert_eq!(state(tenant), after, "{method} {path} {body}");
            undone(tenant, &[redone]);
            assert_eq!(state(tenant), before, "{method} {path} {body}");
            // The old one stands in the way of nobody.
            assert_eq!(
                reasons(&undo(tenant, json!({"request_ids": [request_id(&answer)]}))),
                ["changed_since"]
            );
        }
    });
}

/// A resource that comes back has a version that nobody has seen, and no tombstone.
#[test]
fn what_was_deleted_comes_back_under_its_id() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("ada");
    let group = tenant.group("G", &[&id]);
    let path = format!("/Users/{id}");
    let before = tenant.get(&path);
    world.clock.advance_seconds(60);
    let gone = tenant.send("DELETE", &path, Value::Null);
    tenant.get(&path).expect(404);
    let answer = undo(&tenant, json!({"resource": {"type": "User", "id": id}}));
    let steps = answer.expect(200).body["data"]["undone"]
        .as_array()
        .unwrap()
        .clone();
    assert_eq!(steps[0]["step"], "restore");
    let after = tenant.get(&path);
    after.expect(200);
    assert_ne!(after.header("etag"), before.header("etag"));
    let shown = |answer: &Answer| {
        let mut body = answer.body.clone();
        body["meta"]["lastModified"].take();
        body["meta"]["version"].take();
        body
    };
    assert_eq!(shown(&after), shown(&before));
    assert_eq!(tenant.members(&group), std::slice::from_ref(&id));
    assert_eq!(world.database.number("select count(*) from tombstones"), 0);
    // It is told of like any change.
    let sql = format!(
        "select action || ' ' || actor || ' ' || request_id from audit_events where resource_id = '{id}' order by seq desc limit 1"
    );
    assert_eq!(
        world.database.texts(&sql),
        [format!("restore jwt:root {}", request_id(&answer))]
    );
    assert_ne!(request_id(&gone), request_id(&answer));
}

#[test]
fn what_somebody_else_changed_since_is_left() {
    in_both(|tenant| {
        let [a, b] = ["a", "b"].map(|name| tenant.user(name));
        let name = |id: &str, value: &str| {
            tenant.patch(
                &format!("/Users/{id}"),
                json!([{"op": "replace", "path": "displayName", "value": value}]),
            )
        };
        let first = bulk(
            tenant,
            json!([
                patch_operation(
                    &format!("/Users/{a}"),
                    json!([{"op": "replace", "path": "displayName", "value": "one"}])
                ),
                patch_operation(
                    &format!("/Users/{b}"),
                    json!([{"op": "replace", "path": "displayName", "value": "one"}])
                ),
            ]),
        );
        let second = name(&a, "two");
        let answer = undo(tenant, json!({"request_ids": [request_id(&first)]}));
        assert_eq!(reasons(&answer), ["changed_since"]);
        assert_eq!(answer.body["data"]["conflicts"][0]["resource_id"], a);
        assert_eq!(
            tenant.get(&format!("/Users/{a}")).body["displayName"],
            "two"
        );
        assert_eq!(
            tenant.get(&format!("/Users/{b}")).body["displayName"],
            Value::Null
        );
        // Without that nothing is in the way.
        undone(tenant, &[request_id(&second).to_uppercase()]);
        assert_eq!(
            tenant.get(&format!("/Users/{a}")).body["displayName"],
            "one"
        );
    });
}

#[test]
fn names_that_are_taken_and_groups_that_are_gone_are_conflicts() {
    in_both(|tenant| {
        let [a, b] = ["a", "b"].map(|name| tenant.user(name));
        let group = tenant.group("G", &[&a, &b]);
        let gone = tenant.send("DELETE", &format!("/Users/{a}"), Value::Null);
        let taker = tenant.user("a");
        let answer = undo(tenant, json!({"request_ids": [request_id(&gone)]}));
        assert_eq!(reasons(&answer), ["name_taken"]);
        tenant.get(&format!("/Users/{a}")).expect(404);
        tenant
            .send("DELETE", &format!("/Users/{taker}"), Value::Null)
            .expect(204);
        tenant
            .send("DELETE", &format!("/Groups/{group}"), Value::Null)
            .expect(204);
        let answer = undo(tenant, json!({"request_ids": [request_id(&gone)]}));
        assert_eq!(reasons(&answer), ["group_gone"]);
        tenant.get(&format!("/Users/{a}")).expect(200);
        // A member who is gone does not come back with the group.
        tenant
            .send("DELETE", &format!("/Users/{b}"), Value::Null)
            .expect(204);
        let answer = undo(tenant, json!({"resource": {"type": "Group", "id": group}}));
        assert_eq!(reasons(&answer), ["member_gone"]);
        assert_eq!(tenant.members(&group), Vec::<String>::new());
    });
}

#[test]
fn names_go_round() {
    in_both(|tenant| {
        let [a, b] = ["a", "b"].map(|name| tenant.user(name));
        let before = state(tenant);
        let rename = |id: &str, name: &str| {
            let body = json!({"schemas": [USER], "userName": name});
            let answer = tenant.send("PUT", &format!("/Users/{id}"), body);
            answer.expect(200);
            request_id(&answer)
        };
        let requests = [rename(&a, "z"), rename(&b, "a"), rename(&a, "b")];
        undone(tenant, &requests);
        assert_eq!(state(tenant), before);
    });
}

/// What one credential did in a time.
#[test]
fn by_actor_and_time() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("a");
    let before = state(&tenant);
    world.clock.advance_seconds(3_600);
    let since = "2026-01-02T04:00:00Z";
    tenant
        .patch(
            &format!("/Users/{id}"),
            json!([{"op": "replace", "path": "active", "value": false}]),
        )
        .expect(200);
    tenant.user("b");
    let actor = format!("scim-token:{}", tenant.token_id);
    let nobody = undo(
        &tenant,
        json!({"actor": "scim-token:nobody", "since": since}),
    );
    assert_eq!(nobody.expect(200).body["data"]["undone_total"], 0);
    let late = undo(
        &tenant,
        json!({"actor": actor, "since": "2026-01-02T05:00:00Z"}),
    );
    assert_eq!(late.expect(200).body["data"]["undone_total"], 0);
    let early = undo(&tenant, json!({"actor": actor, "until": since}));
    assert_eq!(reasons(&early), ["changed_since"]);
    let answer = undo(&tenant, json!({"actor": actor, "since": since}));
    assert_eq!(
        answer.expect(200).body["data"]["undone_total"],
        2,
        "{}",
        answer.body
    );
    assert_eq!(state(&tenant), before);
}

#[test]
fn what_is_not_kept_is_not_made_up() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("a");
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    world
        .admin("PATCH", &path, json!({"history_days": 0}))
        .expect(200);
    let changed = tenant.patch(
        &format!("/Users/{id}"),
        json!([{"op": "replace", "path": "active", "value": false}]),
    );
    let request = request_id(changed.expect(200));
    let answer = undo(&tenant, json!({"resource": {"type": "User", "id": id}}));
    assert_eq!(reasons(&answer), ["not_kept"]);
    let answer = undo(&tenant, json!({"request_ids": [request]}));
    assert_eq!(reasons(&answer), ["not_kept"]);
    // Of requests that changed nothing there is nothing to tell.
    let refused = tenant.send("POST", "/Users", json!({"userName": "a"}));
    let request = request_id(&refused);
    tenant.user("b");
    let answer = undo(&tenant, json!({"request_ids": [request]}));
    assert_eq!(reasons(&answer), [""; 0]);
    assert_eq!(tenant.get(&format!("/Users/{id}")).body["active"], false);
}

#[test]
fn what_it_takes() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("a");
    for body in [
        json!({}),
        json!({"until": "2026-01-02T04:00:00Z"}),
        json!({"request_ids": []}),
        json!({"request_ids": ["x"], "actor": "y"}),
        json!({"request_ids": "x"}),
        json!({"resource": {"type": "Token", "id": id}}),
        json!({"resource": {"type": "User"}}),
        json!({"since": "yesterday"}),
        json!({"request_ids": ["x"], "dry_run": "yes"}),
        json!({"request_ids": ["x"], "more": 1}),
    ] {
        undo(&tenant, body.clone()).expect(422);
    }
    let body = json!({"resource": {"type": "User", "id": id}});
    world.admin("POST", PATH, body.clone()).expect(422);
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), tenant.id.clone().into());
    for (scope, status) in [("audit:read", 403), ("audit:write", 200)] {
        claims.insert("scope".to_owned(), scope.into());
        world
            .admin_as(&world.jwt(&claims), "POST", PATH, body.clone())
            .expect(status);
    }
    tenant.get(&format!("/Users/{id}")).expect(404);
    let nothing = undo(&tenant, json!({"request_ids": ["nobody"]}));
    assert_eq!(nothing.expect(200).body["data"]["undone_total"], 0);
}
