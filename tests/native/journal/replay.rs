//! A recorded request is sent again, against what is there now.

use serde_json::{Value, json};

use super::{PATH, USER, kept};
use crate::bulk::{bulk, post_user};
use crate::support::{Answer, Tenant, World};
use crate::users::in_both;

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

fn replay(tenant: &Tenant<'_>, answer: &Answer, mut body: Value) -> Answer {
    let path = format!("{PATH}{}/replay", answer.header("x-request-id"));
    body["tenant_id"] = tenant.id.clone().into();
    tenant.world.admin("POST", &path, body)
}

/// What it is answered when it is tried, which writes nothing, and then sent.
#[track_caller]
fn sent_again(tenant: &Tenant<'_>, answer: &Answer) -> Answer {
    let before = tenant.world.database.dump_text();
    let tried = replay(tenant, answer, json!({}));
    assert_eq!(tenant.world.database.dump_text(), before);
    let done = replay(tenant, answer, json!({"dry_run": false}));
    let (tried, data) = (
        &tried.expect(200).body["data"],
        &done.expect(200).body["data"],
    );
    assert_eq!(
        (&tried["dry_run"], &data["dry_run"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(tried["status"], data["status"], "{tried} {data}");
    done
}

#[test]
fn each_write_is_sent_again() {
    in_both(|tenant| {
        let path = format!("/Users/{}", tenant.user("a"));
        let group = format!("/Groups/{}", tenant.group("G", &[]));
        let rename = |name: &str| json!({"schemas": [PATCH], "Operations": [{"op": "replace", "path": "displayName", "value": name}]});
        let cases = [
            ("PATCH", path.clone(), rename("first"), 200),
            ("PATCH", group.clone(), rename("Renamed"), 200),
            (
                "PUT",
                path.clone(),
                json!({"schemas": [USER], "userName": "b"}),
                200,
            ),
            (
                "PUT",
                group.clone(),
                json!({"schemas": [GROUP], "displayName": "H"}),
                200,
            ),
            ("DELETE", path.clone(), Value::Null, 204),
            ("DELETE", group.clone(), Value::Null, 204),
            (
                "POST",
                "/Users".to_owned(),
                json!({"schemas": [USER], "userName": "b"}),
                201,
            ),
            (
                "POST",
                "/Groups".to_owned(),
                json!({"schemas": [GROUP], "displayName": "H"}),
                201,
            ),
        ];
        for (method, path, body, status) in cases {
            let answer = tenant.send(method, &path, body);
            answer.expect(status);
            let undo =
                json!({"tenant_id": tenant.id, "request_ids": [answer.header("x-request-id")]});
            let undone = tenant.world.admin("POST", "/api/v1/admin/undo/", undo);
            undone.expect(200);
            let again = sent_again(tenant, &answer);
            let data = &again.body["data"];
            assert_eq!(data["status"], status, "{method} {path}: {data}");
            if status == 201 {
                assert_ne!(data["body"]["id"], answer.body["id"]);
                let location = data["location"].as_str().unwrap();
                assert!(
                    location.ends_with(data["body"]["id"].as_str().unwrap()),
                    "{data}"
                );
            }
            // It is the administrator's, by its own id.
            let id = again.header("x-request-id");
            let sql = format!("select distinct actor from audit_events where request_id = '{id}'");
            assert_eq!(
                tenant.world.database.texts(&sql),
                ["jwt:root"],
                "{method} {path}"
            );
            let row = kept(tenant, &again);
            assert_eq!(row["actor"], "jwt:root");
            assert_eq!(row["status"], status);
            assert_eq!(row["route"], "/api/v1/admin/requests/:request_id/replay");
            assert!(
                row["path"]
                    .as_str()
                    .unwrap()
                    .contains(answer.header("x-request-id"))
            );
            assert_eq!(row["changes"].as_array().unwrap().len(), 1, "{row}");
        }
    });
}

/// What failed once may be right by now; and what is refused still is told.
#[test]
fn what_was_refused_is_sent_again() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let first = tenant.user("ada");
    let refused = tenant.send("POST", "/Users", json!({"userName": "ada"}));
    refused.expect(409);
    let again = sent_again(&tenant, &refused);
    let data = &again.body["data"];
    assert_eq!(data["status"], 409);
    assert_eq!(data["body"]["scimType"], "uniqueness");
    let row = kept(&tenant, &again);
    assert_eq!(
        (&row["failed"], &row["scim_type"]),
        (&json!(true), &json!("uniqueness"))
    );
    tenant
        .send("DELETE", &format!("/Users/{first}"), Value::Null)
        .expect(204);
    let again = sent_again(&tenant, &refused);
    let id = again.body["data"]["body"]["id"].as_str().unwrap();
    assert_eq!(tenant.get(&format!("/Users/{id}")).body["userName"], "ada");
}

#[test]
fn it_is_held_to_the_profile_that_the_tenant_has_now() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let forgiven = tenant.send(
        "POST",
        "/Users",
        json!({"userName": "ada", "active": "True"}),
    );
    let id = forgiven.expect(201).id();
    tenant
        .send("DELETE", &format!("/Users/{id}"), Value::Null)
        .expect(204);
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    world
        .admin("PATCH", &path, json!({"scim_profile": "strict"}))
        .expect(200);
    assert_eq!(sent_again(&tenant, &forgiven).body["data"]["status"], 400);
    world
        .admin("PATCH", &path, json!({"scim_profile": "compat"}))
        .expect(200);
    let again = sent_again(&tenant, &forgiven);
    assert_eq!(again.body["data"]["status"], 201);
    assert!(
        kept(&tenant, &again)["forgiven"]
            .to_string()
            .contains("boolean_as_text")
    );
}

#[test]
fn bulk_and_the_other_base() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("taken");
    let sent = bulk(
        &tenant,
        json!([post_user("a", "one"), post_user("b", "taken")]),
    );
    sent.expect(200);
    let id = tenant.find("userName eq \"one\"");
    assert_eq!(id.len(), 1);
    let again = sent_again(&tenant, &sent);
    let operations = again.body["data"]["body"]["Operations"].as_array().unwrap();
    assert_eq!(operations.len(), 2);
    assert!(
        operations.iter().all(|one| one["status"] == "409"),
        "{operations:?}"
    );
    assert_eq!(kept(&tenant, &again)["failed"], true);
    let request = http::Request::post(format!(
        "{}/scim/v2//Users/?attributes=userName",
        crate::support::ORIGIN
    ))
    .header("authorization", format!("Bearer {}", tenant.token))
    .header("content-type", "application/json")
    .body(json!({"userName": "two"}).to_string().into_bytes());
    let made = world.send(request.unwrap());
    let id = made.expect(201).id();
    tenant
        .send("DELETE", &format!("/Users/{id}"), Value::Null)
        .expect(204);
    let again = sent_again(&tenant, &made);
    let data = &again.body["data"];
    assert_eq!(data["status"], 201);
    assert!(
        data["location"]
            .as_str()
            .unwrap()
            .contains("/scim/v2/Users/"),
        "{data}"
    );
    assert_eq!(data["body"]["emails"], Value::Null);
}

#[test]
fn what_is_not_kept_whole_is_not_sent_again() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("first");
    let settings = format!("/api/v1/admin/tenants/{}", tenant.id);
    let secret = tenant.send(
        "POST",
        "/Users",
        json!({"userName": "a", "password": "5ecr3t"}),
    );
    let long = tenant.send(
        "POST",
        "/Users",
        json!({"userName": "b", "title": "x".repeat(20_000)}),
    );
    let request = tenant
        .request("POST", "/Users")
        .header("content-type", "application/scim+json");
    let broken = world.send(request.body(b"{".to_vec()).unwrap());
    let look_up = tenant.get("/Users?filter=userName%20eq%20%22nobody%22");
    let renamed = world.admin("PATCH", &settings, json!({"name": "Renamed"}));
    let search = tenant.send(
        "POST",
        "/Users/.search",
        json!({"filter": "userName eq \"x\" or"}),
    );
    search.expect(400);
    let undo = json!({"tenant_id": tenant.id, "request_ids": [secret.header("x-request-id")]});
    world.admin("POST", "/api/v1/admin/undo/", undo).expect(200);
    world
        .admin("PATCH", &settings, json!({"record_bodies": false}))
        .expect(200);
    let off = tenant.send("POST", "/Users", json!({"userName": "c"}));
    let gone = tenant.send("DELETE", &format!("/Users/{id}"), Value::Null);
    gone.expect(204);
    for (answer, why) in [
        (&secret, "secrets"),
        (&long, "too long"),
        (&broken, "not be read"),
        (&look_up, "writes by SCIM"),
        (&search, "writes by SCIM"),
        (&renamed, "writes by SCIM"),
        (&off, "no bodies"),
    ] {
        let before = world.database.dump_text();
        let again = replay(&tenant, answer, json!({"dry_run": true}));
        let detail = again.expect(409).body["detail"].as_str().unwrap();
        assert!(detail.contains(why), "{detail}");
        assert!(
            detail.starts_with("the request cannot be sent again: "),
            "{detail}"
        );
        // A refusal is a line of the journal and no more.
        let is_only_told = world.database.dump_text().len() - before.len() < 2_000;
        assert!(is_only_told, "{why}");
    }
    // A deletion has no body.
    let again = replay(&tenant, &gone, json!({}));
    assert_eq!(again.expect(200).body["data"]["status"], 404);
    // A replay is no SCIM request; the one that it sent is.
    let done = replay(&tenant, &gone, json!({"dry_run": false}));
    replay(&tenant, &done, json!({})).expect(409);
}

#[test]
fn me_is_nobody_else() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("me");
    let mut claims = world.claims();
    claims.insert("sub".to_owned(), id.clone().into());
    let path = format!("{}/Me", tenant.base());
    let request = http::Request::patch(format!("{}{path}", crate::support::ORIGIN))
        .header("authorization", format!("Bearer {}", world.jwt(&claims)))
        .header("content-type", "application/json")
        .body(json!({"schemas": [PATCH], "Operations": [{"op": "add", "path": "title", "value": "x"}]}).to_string().into_bytes());
    let answer = world.send(request.unwrap());
    answer.expect(200);
    replay(&tenant, &answer, json!({})).expect(409);
}

#[test]
fn who_may_and_what_it_takes() {
    let world = World::new();
    let (tenant, other) = (world.tenant("compat"), world.tenant("compat"));
    let made = tenant.send("POST", "/Users", json!({"userName": "ada"}));
    let path = format!("{PATH}{}/replay", made.header("x-request-id"));
    world
        .admin("POST", &path, json!({"tenant_id": other.id}))
        .expect(404);
    world
        .admin("POST", &path, json!({"tenant_id": "nobodys"}))
        .expect(404);
    world
        .admin(
            "POST",
            &format!("{PATH}nonsense/replay"),
            json!({"tenant_id": tenant.id}),
        )
        .expect(404);
    for body in [
        json!({}),
        json!({"tenant_id": tenant.id, "dry_run": "no"}),
        json!({"tenant_id": tenant.id, "x": 1}),
        json!([]),
    ] {
        world.admin("POST", &path, body).expect(422);
    }
    let mut claims = world.claims();
    for (owner, scope, status) in [
        (&tenant, "audit:read scim:write", 403),
        (&tenant, "audit:write", 200),
        (&other, "audit:write", 404),
    ] {
        claims.insert("tenant_id".to_owned(), owner.id.clone().into());
        claims.insert("scope".to_owned(), scope.into());
        let answer = world.admin_as(&world.jwt(&claims), "POST", &path, json!({}));
        answer.expect(status);
    }
}
