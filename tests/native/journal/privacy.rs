//! What the journal never keeps: passwords, tokens, and whatever a name calls a secret, wherever it stands.

use proptest::prelude::*;
use rollcall::api::http::redaction::{Kept, MAX_BODY, address};
use serde_json::{Map, Value, json};

use super::{USER, kept};
use crate::filter_equivalence::runner;
use crate::support::{Tenant, World};

const SECRET: &str = "5ecr3t-va1ue";

/// Bodies with a secret in each place where one can stand.
fn bodies() -> Vec<(&'static str, Value)> {
    let patch = |operation: Value| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]});
    let extension = "urn:example:params:scim:schemas:extension:Acme:2.0:User";
    let user = |more: Value| {
        let mut user = json!({"schemas": [USER], "userName": "ada"});
        user.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        user
    };
    let bulk = |data: Value| json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [{"method": "POST", "path": "/Users", "bulkId": "a", "data": data}]});
    vec![
        ("/Users", user(json!({"password": SECRET}))),
        ("/Users", user(json!({"PassWord": SECRET}))),
        ("/Users", user(json!({"password": {"value": SECRET}}))),
        ("/Users", user(json!({"password": [SECRET, 1]}))),
        (
            "/Users",
            user(json!({extension: {"apiToken": SECRET, "nested": {"clientSecret": [SECRET]}}})),
        ),
        (
            "/Users",
            user(json!({format!("{extension}:sshKey"): SECRET})),
        ),
        (
            "/Users",
            user(json!({"api_key": SECRET, "access-token": SECRET, "otp": SECRET, "PIN": SECRET})),
        ),
        (
            "/Users",
            user(json!({"roles": [{"value": format!("{{\"password\":\"{SECRET}\"}}")}]})),
        ),
        ("/Users", user(json!({"title": format!("Bearer {SECRET}")}))),
        ("/Users", user(json!({"title": format!("rcs_{SECRET}")}))),
        (
            "/Users",
            user(json!({"title": format!("-----BEGIN PRIVATE KEY-----{SECRET}")})),
        ),
        (
            "/Users/:id",
            patch(json!({"op": "replace", "path": "password", "value": SECRET})),
        ),
        (
            "/Users/:id",
            patch(
                json!({"op": "replace", "Path": "urn:ietf:params:scim:schemas:core:2.0:User:password", "value": SECRET}),
            ),
        ),
        (
            "/Users/:id",
            patch(json!({"op": "replace", "value": {"password": SECRET}})),
        ),
        (
            "/Users/:id",
            patch(json!({"op": "add", "value": {extension: {"privateKey": SECRET}}})),
        ),
        (
            "/Users/:id",
            patch(
                json!({"op": "add", "path": format!("{extension}:token"), "value": [{"value": SECRET}]}),
            ),
        ),
        (
            "/Users/:id",
            patch(json!({"op": "remove", "path": format!("emails[password eq \"{SECRET}\"]")})),
        ),
        (
            "/Users/:id",
            patch(json!({"op": "replace", "value": {format!("x[secret eq \"{SECRET}\"].y"): "z"}})),
        ),
        ("/Bulk", bulk(json!({"userName": "a", "password": SECRET}))),
        (
            "/Bulk",
            bulk(json!({"userName": "a", extension: {"credentials": {"a": {"b": SECRET}}}})),
        ),
        (
            "/Users/.search",
            json!({"filter": format!("password eq \"{SECRET}\"")}),
        ),
        (
            "/Users/.search",
            json!({"filter": format!("userName eq \"a\" and password {SECRET}")}),
        ),
        (
            "/Users/.search",
            json!({"filter": format!("password eq {SECRET}")}),
        ),
        (
            "/Users/.search",
            json!({"sortBy": format!("password {SECRET}")}),
        ),
        (
            "/Users",
            user(json!({"userName": format!("{{\"password\":\"{SECRET}\"}}")})),
        ),
        ("/Users", user(json!({"userName": format!("rcs_{SECRET}")}))),
        (
            "/Users/:id",
            patch(json!({"op": "replace", "path": ["password"], "value": SECRET})),
        ),
        (
            "/Users/:id",
            patch(json!({"op": "replace", "path ": "password", "value": SECRET})),
        ),
        (
            "/Users/:id",
            patch(json!({"op": "remove", "path": format!("password[{SECRET}")})),
        ),
        (
            "/Users/:id",
            patch(json!({"op": "remove", "path": format!("password eq \"{SECRET}")})),
        ),
        // Behind what is kept of a body.
        (
            "/Users/:id",
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
                {"op": "add", "path": "title", "value": "x".repeat(MAX_BODY)},
                {"op": "remove", "path": format!("password eq \"{SECRET}")},
            ]}),
        ),
        (
            "/Bulk",
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
                {"method": "POST", "path": format!("/Users?password={SECRET}"), "bulkId": "a", "data": user(json!({}))},
            ]}),
        ),
        // What is no JSON cannot be told apart, and is not kept.
        ("/Users", Value::String("not json".to_owned())),
    ]
}

fn is_clean(tenant: &Tenant<'_>) -> bool {
    tenant
        .world
        .database
        .dump_all()
        .into_iter()
        .filter(|(table, _)| table.starts_with("request") || *table == "audit_events")
        .all(|(_, rows)| !format!("{rows:?}").contains(SECRET))
}

#[test]
fn no_secret_is_kept_wherever_it_stands() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let id = tenant.user("first");
        for (path, body) in bodies() {
            let method = if path.ends_with(":id") {
                "PATCH"
            } else {
                "POST"
            };
            let path = path.replace(":id", &id);
            let request = tenant
                .request(method, &path)
                .header("content-type", "application/scim+json");
            let bytes = match &body {
                Value::String(_) => format!("{{\"password\": \"{SECRET}\"").into_bytes(),
                body => body.to_string().into_bytes(),
            };
            let answer = world.send(request.body(bytes).unwrap());
            assert!(answer.status < 500, "{}", answer.body);
            assert!(is_clean(&tenant), "{method} {path} {body}");
        }
    }
}

/// Nor in the history, which has what resources were: what a name calls a secret is no attribute of theirs. A dry run leaves nothing at all.
#[test]
fn no_secret_is_in_the_history_and_a_dry_run_leaves_nothing() {
    for store_passwords in [false, true] {
        let world = World::new();
        let tenant = world.tenant("compat");
        let path = format!("/api/v1/admin/tenants/{}", tenant.id);
        let settings = json!({"store_passwords": store_passwords});
        world.admin("PATCH", &path, settings).expect(200);
        let first = tenant.user("first");
        for (path, body) in bodies() {
            // The text of a title, a role or a user name is a value like any other.
            let is_value = |name: &str| body.to_string().contains(&format!("\"{name}\":"));
            let is_name = body["userName"].to_string().contains(SECRET);
            if is_value("title") || is_value("roles") || is_name {
                continue;
            }
            let method = if path.ends_with(":id") {
                "PATCH"
            } else {
                "POST"
            };
            let path = path.replace(":id", &first);
            let bytes = match &body {
                Value::String(_) => format!("{{\"password\": \"{SECRET}\"").into_bytes(),
                body => body.to_string().into_bytes(),
            };
            let send = |path: &str| {
                let request = tenant.request(method, path);
                let request = request.header("content-type", "application/scim+json");
                world.send(request.body(bytes.clone()).unwrap())
            };
            let before = world.database.dump_text();
            let tried = send(&format!("{path}?dry_run=true"));
            if !path.ends_with(".search") {
                assert_eq!(world.database.dump_text(), before, "{method} {path} {body}");
            }
            let answer = send(&path);
            assert_eq!(tried.status, answer.status, "{method} {path} {body}");
            // What is there becomes what was there.
            for id in world.database.texts("select id from users") {
                let path = format!("/Users/{id}");
                let rename = json!([{"op": "replace", "path": "displayName", "value": path}]);
                tenant.patch(&path, rename).expect(200);
                if id != first {
                    tenant.send("DELETE", &path, Value::Null).expect(204);
                }
            }
            assert!(world.database.number("select count(*) from revisions") > 0);
            let kept = world.database.dump_text();
            assert!(!kept.contains(SECRET), "{method} {path} {body}");
        }
    }
}

#[test]
fn no_secret_of_an_administrators_is_kept() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let token = json!({"tenant_id": tenant.id, "name": "x"});
    let made = world.admin("POST", "/api/v1/admin/scim-tokens/", token);
    let token = made.body["data"]["token"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/tenants/{}/identity-providers/", tenant.id);
    let provider = json!({"name": "x", "protocol": "OIDC", "oidc_config": {"issuer": "https://login.example.com", "client_id": "x", "client_secret": SECRET}});
    world.admin("POST", &path, provider.clone()).expect(201);
    world.admin("POST", &path, provider).expect(409);
    let directory = json!({"tenant_id": tenant.id, "name": "d", "protocol": "LDAP", "ldap_config": {"url": "ldaps://x.example.com", "bind_password": SECRET}});
    world
        .admin("POST", "/api/v1/admin/identity-providers/", directory)
        .expect(422);
    assert!(is_clean(&tenant));
    let kept = format!("{:?}", world.database.query("select * from requests"));
    assert!(kept.contains("[redacted]") && !kept.contains(&token));
}

#[test]
fn no_secret_in_an_address_is_kept() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for query in [
        format!("filter=password+eq+%22{SECRET}%22"),
        format!("filter=userName+eq+%22nobody%22+and+password+eq+%22{SECRET}%22"),
        format!("access_token={SECRET}&filter=x+is+y"),
        format!("a=rcs_{SECRET}&filter=x+is+y"),
        format!("a=Bearer%20{SECRET}&filter=x+is+y"),
    ] {
        let answer = tenant.get(&format!("/Users?{query}"));
        assert!(is_clean(&tenant), "{query}");
        assert_eq!(super::count(&tenant, &answer), 1, "{query}");
    }
    assert_eq!(
        address("/Users", Some("count=1&secret=x&a=b")),
        "/Users?count=1&[redacted]&a=b"
    );
}

#[test]
fn a_tenant_may_have_no_bodies_kept() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    world
        .admin("PATCH", &path, json!({"record_bodies": false}))
        .expect(200);
    let made = tenant.send("POST", "/Users", json!({"userName": "ada"}));
    let refused = tenant.send("POST", "/Users", json!({"userName": "ada"}));
    refused.expect(409);
    for answer in [made, refused] {
        let row = kept(&tenant, &answer);
        assert_eq!(
            (&row["body"], &row["body_state"]),
            (&Value::Null, &json!("off"))
        );
    }
    let bodies = "select count(*) from requests where body is not null and body_state <> 'whole'";
    assert_eq!(world.database.number(bodies), 0);
}

#[test]
fn a_long_body_is_cut() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let made = tenant.send(
        "POST",
        "/Users",
        json!({"userName": "ada", "title": "ü".repeat(10_000)}),
    );
    let row = kept(&tenant, &made);
    assert_eq!(row["body_state"], "cut");
    let body = row["body"].as_str().unwrap();
    assert!(body.len() <= MAX_BODY && body.len() > MAX_BODY - 4);
}

/// Any JSON at all, with secrets under names of secrets.
fn value() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "a",
        "value",
        "path",
        "password",
        "x.secret",
        "Operations",
        "apiKey",
        "urn:x:y:Token",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i32>().prop_map(Value::from),
        "[a-z\"\\\\{ ]{0,12}".prop_map(Value::String),
        Just(Value::from("password")),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((name.clone(), inner), 0..4).prop_map(|fields| {
                Value::Object(
                    fields
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect(),
                )
            }),
        ]
    })
}

/// The same value with what stands under secrets' names marked.
fn marked(value: &Value, is_secret: bool) -> Value {
    match value {
        Value::Object(object) => {
            let leads = object.get("path").is_some_and(|path| path == "password");
            let fields = object.iter().map(|(name, value)| {
                let named =
                    ["password", "x.secret", "apiKey", "urn:x:y:Token"].contains(&name.as_str());
                let led = leads && name == "value";
                (name.clone(), marked(value, is_secret || named || led))
            });
            Value::Object(fields.collect::<Map<_, _>>())
        }
        Value::Array(values) => values
            .iter()
            .map(|value| marked(value, is_secret))
            .collect(),
        Value::String(_) if is_secret => SECRET.into(),
        other => other.clone(),
    }
}

#[test]
fn what_is_kept_is_json_without_secrets() {
    let result = runner(2_000).run(&value(), |value| {
        let value = marked(&value, false);
        let kept = Kept::of(&value);
        prop_assert!(!kept.text.contains(SECRET), "{} {}", value, kept.text);
        prop_assert!(
            kept.is_cut || serde_json::from_str::<Value>(&kept.text).is_ok(),
            "{}",
            kept.text
        );
        let has_secret = value.to_string().contains(SECRET);
        prop_assert!(kept.is_redacted || !has_secret);
        if !kept.is_redacted {
            prop_assert_eq!(serde_json::from_str::<Value>(&kept.text).unwrap(), value);
        }
        Ok(())
    });
    result.unwrap();
}
