//! Streams of security event tokens: what each kind of them may have, and is told of itself.

use serde_json::{Value, json};

use super::streams::{URL, answers, asked, posts, status};
use super::tokens::{PROV, made, verified};
use crate::support::World;

#[test]
fn a_test_is_a_token_of_the_stream() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let stream = made(&tenant, json!({"audience": "urn:product"}));
    let id = stream["id"].as_str().unwrap();
    answers(&world, [status(202), status(200)]);
    let told = asked(&tenant, "POST", &format!("/{id}/test"), Value::Null);
    assert_eq!(told.expect(200).body["data"]["ok"], true);
    let told = asked(&tenant, "POST", &format!("/{id}/test"), Value::Null);
    assert_eq!(told.expect(200).body["data"]["ok"], false);
    let (_, claims) = verified(&world, &posts(&world)[0].body);
    assert_eq!(claims["aud"], "urn:product");
    assert_eq!(claims["sub_id"], json!({"format": "opaque", "id": id}));
    asked(
        &tenant,
        "POST",
        &format!("/{id}/rotate-secret"),
        Value::Null,
    )
    .expect(409);
    let fetched = made(&tenant, json!({"kind": "set_poll"}));
    let path = format!("/{}/test", fetched["id"].as_str().unwrap());
    asked(&tenant, "POST", &path, Value::Null).expect(409);
}

#[test]
fn what_a_kind_cannot_have_is_named() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let long = "x".repeat(5_000);
    for (body, place) in [
        (json!({"kind": "set_push"}), "url"),
        (
            json!({"kind": "set_push", "url": "http://x.example.com/"}),
            "url",
        ),
        (json!({"kind": "set_push", "url": URL, "batch": 2}), "batch"),
        (
            json!({"kind": "set_push", "url": URL, "types": ["token.revoked"]}),
            "types",
        ),
        (
            json!({"kind": "set_push", "url": URL, "payload": "some"}),
            "payload",
        ),
        (
            json!({"kind": "set_push", "url": URL, "audience": ""}),
            "audience",
        ),
        (
            json!({"kind": "set_push", "url": URL, "authorization": "a\nb"}),
            "authorization",
        ),
        (
            json!({"kind": "set_push", "url": URL, "authorization": " "}),
            "authorization",
        ),
        (
            json!({"kind": "set_push", "url": URL, "authorization": long}),
            "authorization",
        ),
        (json!({"kind": "set_poll", "url": URL}), "url"),
        (json!({"kind": "set_poll", "batch": 5}), "batch"),
        (
            json!({"kind": "set_poll", "authorization": "Bearer x"}),
            "authorization",
        ),
        (json!({"url": URL, "payload": "full"}), "payload"),
        (json!({"url": URL, "audience": "x"}), "audience"),
        (
            json!({"url": URL, "authorization": "Bearer x"}),
            "authorization",
        ),
    ] {
        let mut body = body;
        body["name"] = "x".into();
        let answer = asked(&tenant, "POST", "", body.clone());
        answer.expect(422);
        assert_eq!(
            answer.body["detail"][0]["loc"],
            json!(["body", place]),
            "{body}"
        );
    }
    let stream = made(&tenant, json!({"authorization": "Bearer old"}));
    let at = format!("/{}", stream["id"].as_str().unwrap());
    let change = |body: Value, status: u16| {
        asked(&tenant, "PATCH", &at, body).expect(status).body["data"].clone()
    };
    change(json!({"batch": 3}), 422);
    let changed = change(
        json!({"payload": "full", "audience": "x", "authorization": "Bearer new"}),
        200,
    );
    assert_eq!(
        (&changed["payload"], &changed["audience"]),
        (&json!("full"), &json!("x"))
    );
    assert!(!changed.to_string().contains("Bearer"));
    tenant.user("ada");
    answers(&world, [status(202)]);
    assert_eq!(posts(&world)[0].headers["authorization"], "Bearer new");
    assert_eq!(
        change(json!({"authorization": null}), 200)["has_authorization"],
        false
    );
    tenant.user("grace");
    answers(&world, [status(202)]);
    assert!(!posts(&world)[0].headers.contains_key("authorization"));
}

/// What opens one receiver is not shown to another.
#[test]
fn an_authorization_stays_with_its_address() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (given, is_kept) in [
        (json!({"url": "https://other.example.com/hook"}), false),
        (
            json!({"url": "https://product.example.com:8443/hook"}),
            false,
        ),
        (json!({"url": format!("{URL}/more")}), false),
        (json!({"url": format!("{URL}?tenant=1")}), false),
        (
            json!({"url": "https://other.example.com/hook", "authorization": null}),
            false,
        ),
        (
            json!({"url": "https://other.example.com/hook", "authorization": "Bearer new"}),
            true,
        ),
        (json!({"url": URL}), true),
        (json!({"name": "another"}), true),
    ] {
        let stream = made(&tenant, json!({"authorization": "Bearer old"}));
        let at = format!("/{}", stream["id"].as_str().unwrap());
        let answer = asked(&tenant, "PATCH", &at, given.clone());
        let data = &answer.expect(200).body["data"];
        assert_eq!(data["has_authorization"], is_kept, "{given}");
        let notice = &answer.body["meta"]["notices"][0];
        match is_kept || given.get("authorization").is_some() {
            true => assert!(notice.is_null(), "{given}: {notice}"),
            false => {
                assert_eq!(notice["loc"], json!(["body", "authorization"]), "{given}");
                assert_eq!(notice["type"], "secret_cleared");
            }
        }
        let cleared = world
            .database
            .texts("select attributes from audit_events order by seq desc limit 1");
        let is_told = given.get("authorization").is_some() || !is_kept;
        assert_eq!(cleared[0].contains("authorization"), is_told, "{given}");
        asked(&tenant, "POST", &format!("{at}/test"), json!({}));
        let sent = posts(&world);
        assert_eq!(
            sent[0].headers.contains_key("authorization"),
            is_kept,
            "{given}"
        );
    }
    // One without an authorization has nothing to tell, nor has a webhook, whose secret signs and is not sent.
    let bare = made(&tenant, json!({}));
    let webhook = made(&tenant, json!({"kind": "webhook"}));
    for stream in [bare, webhook] {
        let at = format!("/{}", stream["id"].as_str().unwrap());
        let moved = json!({"url": "https://other.example.com/hook"});
        let answer = asked(&tenant, "PATCH", &at, moved);
        assert!(answer.expect(200).body["meta"]["notices"].is_null());
        let tried = asked(&tenant, "POST", &format!("{at}/test"), json!({}));
        tried.expect(200);
    }
}

#[test]
fn what_can_be_told_is_in_the_configuration() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let told = tenant.get("/ServiceProviderConfig").body["securityEvents"].clone();
    assert_eq!(told["asyncRequest"], "request");
    let wanted = [
        "create:notice",
        "create:full",
        "patch:notice",
        "patch:full",
        "put:notice",
        "put:full",
        "delete",
        "activate",
        "deactivate",
    ];
    let mut wanted = wanted.map(|name| format!("{PROV}{name}")).to_vec();
    wanted.push("urn:ietf:params:scim:event:misc:asyncresp".to_owned());
    assert_eq!(told["eventUris"], json!(wanted));
}
