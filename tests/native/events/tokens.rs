//! Security event tokens (RFC 9967), as they are sent to receivers (RFC 8935): signed with published keys, in order and at least once.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall::platform::{Answered, HttpError, PublicKey, SignatureAlgorithm, Signatures};
use serde_json::{Value, json};

use super::events;
use super::streams::{URL, answers, asked, posts, shown, status};
use crate::support::keys::Native;
use crate::support::{Tenant, World};

pub const PROV: &str = "urn:ietf:params:scim:event:prov:";

/// The keys that are published, by their ids.
pub fn published(world: &World) -> BTreeMap<String, Value> {
    let answer = world.admin("GET", "/.well-known/jwks.json", Value::Null);
    answer.expect(200);
    assert_eq!(answer.header("cache-control"), "public, max-age=3600");
    let keys = answer.body["keys"].as_array().unwrap();
    for key in keys {
        let names: Vec<&str> = key
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            names,
            ["kty", "crv", "x", "y", "kid", "use", "alg"],
            "nothing private"
        );
    }
    let by_id = |key: &Value| (key["kid"].as_str().unwrap().to_owned(), key.clone());
    keys.iter().map(by_id).collect()
}

fn part(text: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
}

/// The header and the claims of a token that a published key has signed.
pub fn verified(world: &World, token: &str) -> (Value, Value) {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    let header = part(header);
    assert_eq!(header["typ"], "secevent+jwt");
    assert_eq!(header["alg"], "ES256");
    let key = PublicKey {
        algorithm: SignatureAlgorithm::Es256,
        jwk: published(world)[header["kid"].as_str().unwrap()].to_string(),
    };
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let verify = Native.verify(&key, message.as_bytes(), &signature);
    assert!(pollster::block_on(verify));
    (header, part(claims))
}

/// A stream of tokens with what is given; what is shown of it.
pub fn made(tenant: &Tenant<'_>, more: Value) -> Value {
    let mut body = json!({"name": "product", "kind": "set_push", "url": URL});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    if body["kind"] == "set_poll" {
        body.as_object_mut().unwrap().remove("url");
    }
    let answer = asked(tenant, "POST", "", body);
    answer.expect(201).body["data"].clone()
}

/// The claims of all that is sent, which its receiver takes.
fn received(world: &World) -> Vec<Value> {
    answers(world, (0..200).map(|_| status(202)));
    let sent = posts(world);
    sent.iter()
        .map(|post| verified(world, &post.body).1)
        .collect()
}

/// The events of a token, by the ends of their names.
fn told(claims: &Value) -> Value {
    let events = claims["events"].as_object().unwrap().iter();
    let short = |(name, what): (&String, &Value)| {
        let name = name.strip_prefix(PROV).unwrap_or(name);
        (name.to_owned(), what.clone())
    };
    events.map(short).collect()
}

#[test]
fn a_token_says_what_the_rfcs_say() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let stream = made(&tenant, json!({"authorization": "Bearer of-the-receiver"}));
    assert!(stream["secret"].is_null());
    assert_eq!(stream["has_authorization"], true);
    assert_eq!(
        (&stream["audience"], &stream["payload"]),
        (&json!(URL), &json!("notice"))
    );
    let issuer = stream["issuer"].as_str().unwrap();
    assert_eq!(
        stream["jwks_uri"],
        format!("{issuer}/.well-known/jwks.json")
    );
    let made = tenant.send(
        "POST",
        "/Users",
        json!({"userName": "ada", "externalId": "e-1"}),
    );
    let id = made.expect(201).id();
    answers(&world, [status(202)]);
    let sent = posts(&world);
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].url, URL);
    let header = |name: &str| sent[0].headers[name].as_str();
    assert_eq!(header("content-type"), "application/secevent+jwt");
    assert_eq!(header("accept"), "application/json");
    assert_eq!(header("authorization"), "Bearer of-the-receiver");
    let (_, claims) = verified(&world, &sent[0].body);
    let event = &events(&tenant, 0)[0];
    let now = world.clock.0.get() / 1_000;
    assert_eq!(
        claims,
        json!({
            "iss": issuer, "aud": URL, "iat": now, "jti": event["id"],
            "sub_id": {"format": "scim", "uri": format!("/Users/{id}"), "externalId": "e-1"},
            "toe": now, "txn": made.header("x-request-id"),
            "events": {format!("{PROV}create:notice"): {"version": "W/\"1\"", "attributes": event["attributes"]}},
        })
    );
    let stored = world.database.texts("select secrets from event_streams");
    assert!(stored.iter().all(|text| !text.contains("of-the-receiver")));
    let private = world
        .database
        .texts("select private || published from signing_keys");
    assert!(private.iter().all(|text| !text.contains("\"d\"")));
}

/// Each kind of change, by what is said of it in either form.
/// RFC 9967 §2.5.1: one for each operation, whose `txn` is what the client was told.
#[test]
fn what_was_answered_before_it_was_carried_out_has_a_token_for_each_operation() {
    let world = World::new();
    let tenant = world.tenant("compat");
    made(&tenant, json!({"types": ["request.finished"]}));
    answers(&world, (0..5).map(|_| status(202)));
    let later = [("prefer", "respond-async")];
    let user = |name: &str| json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name});
    let accept = |path: &str, body: Value| {
        let accepted = tenant.send_with("POST", path, &later, body);
        world.queue.work_off();
        world.background.finish();
        world.queue.work_off();
        accepted.expect(202).header("set-txn").to_owned()
    };
    let single = accept("/Users", user("ada"));
    let operation = |name: &str| json!({"method": "POST", "path": "/Users", "bulkId": name, "data": user(name)});
    let many = accept(
        "/Bulk",
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [operation("ben"), operation("ada")]}),
    );
    let claims = received(&world);
    let txns: Vec<&Value> = claims.iter().map(|claims| &claims["txn"]).collect();
    assert_eq!(
        txns,
        [
            &json!(single),
            &json!(format!("{many}:0")),
            &json!(format!("{many}:1"))
        ]
    );
    let told: Vec<&Value> = claims
        .iter()
        .map(|claims| &claims["events"]["urn:ietf:params:scim:event:misc:asyncresp"])
        .collect();
    assert_eq!(
        told[0],
        &json!({"method": "POST", "version": "W/\"1\"", "status": "201"})
    );
    assert_eq!(
        told[1],
        &json!({"method": "POST", "bulkId": "ben", "version": "W/\"1\"", "status": "201"})
    );
    assert_eq!(
        (&told[2]["status"], &told[2]["response"]["scimType"]),
        (&json!("409"), &json!("uniqueness"))
    );
    let ids =
        tenant.get("/Users?filter=userName%20eq%20%22ada%22").body["Resources"][0]["id"].clone();
    assert_eq!(
        claims[0]["sub_id"]["uri"],
        format!("/Users/{}", ids.as_str().unwrap())
    );
    assert_eq!(claims[2]["sub_id"]["uri"], format!("/AsyncRequests/{many}"));
}

#[test]
fn each_change_has_its_events() {
    for payload in ["notice", "full"] {
        let world = World::new();
        let tenant = world.tenant("compat");
        made(&tenant, json!({"payload": payload}));
        let user = tenant.user("ada");
        let other = tenant.user("grace");
        let at = format!("/Users/{user}");
        let set =
            |path: &str, value: Value| json!([{"op": "replace", "path": path, "value": value}]);
        tenant
            .patch(&at, set("title", json!("Countess")))
            .expect(200);
        tenant.patch(&at, json!([{"op": "remove", "path": "title"}]));
        tenant
            .send("PUT", &at, json!({"userName": "ada", "nickName": "A"}))
            .expect(200);
        tenant.patch(&at, set("active", json!(false))).expect(200);
        tenant.patch(&at, set("active", json!(true))).expect(200);
        let group = tenant.group("Analysts", &[&user, &other]);
        let group_at = format!("/Groups/{group}");
        tenant.patch(
            &group_at,
            json!([{"op": "remove", "path": format!("members[value eq \"{user}\"]")}]),
        );
        tenant
            .send(
                "PUT",
                &group_at,
                json!({"displayName": "Engineers", "members": [{"value": other}]}),
            )
            .expect(200);
        tenant.send("DELETE", &at, Value::Null).expect(204);
        tenant.send("DELETE", &group_at, Value::Null).expect(204);
        let all = received(&world);
        let names: Vec<Vec<String>> = all
            .iter()
            .map(|claims| told(claims).as_object().unwrap().keys().cloned().collect())
            .collect();
        let mode = |command: &str| format!("{command}:{payload}");
        let patch = || vec![mode("patch")];
        let wanted = [
            vec![mode("create")],
            vec![mode("create")],
            patch(),
            patch(),
            vec![mode("put")],
            vec!["deactivate".to_owned(), mode("patch")],
            vec!["activate".to_owned(), mode("patch")],
            vec![mode("create")],
            patch(),
            patch(),
            patch(),
            vec!["delete".to_owned()],
            vec!["delete".to_owned()],
        ];
        assert_eq!(names, wanted);
        for claims in &all {
            let uri = claims["sub_id"]["uri"].as_str().unwrap();
            assert!(
                [&at, &group_at, &format!("/Users/{other}")].contains(&&uri.to_owned()),
                "{uri}"
            );
            for (name, what) in told(claims).as_object().unwrap() {
                let has = |field: &str| what.get(field).is_some();
                match name.split_once(':') {
                    None => assert_eq!(*what, json!({}), "{name}"),
                    Some((_, "notice")) => assert!(has("attributes") && !has("data"), "{what}"),
                    Some(_) => assert!(has("data") && !has("attributes"), "{what}"),
                }
            }
        }
        let said = |place: usize| told(&all[place])[&names[place][names[place].len() - 1]].clone();
        if payload == "notice" {
            assert_eq!(
                said(2),
                json!({"version": "W/\"2\"", "attributes": ["title"]})
            );
            assert_eq!(said(8)["attributes"], json!(["members"]));
            assert_eq!(said(10)["attributes"], json!(["displayName"]));
            continue;
        }
        // As a client would have asked for it.
        let operations = |place: usize| said(place)["data"]["Operations"].clone();
        assert_eq!(
            said(2)["data"]["schemas"],
            json!(["urn:ietf:params:scim:api:messages:2.0:PatchOp"])
        );
        assert_eq!(
            operations(2),
            json!([{"op": "replace", "path": "title", "value": "Countess"}])
        );
        assert_eq!(operations(3), json!([{"op": "remove", "path": "title"}]));
        assert_eq!(said(4)["data"]["nickName"], "A");
        assert_eq!(said(4)["data"]["userName"], "ada");
        let added = &operations(8)[0];
        assert_eq!(
            (&added["op"], &added["path"]),
            (&json!("add"), &json!("members"))
        );
        assert_eq!(added["value"].as_array().unwrap().len(), 2);
        assert_eq!(
            operations(9),
            json!([{"op": "remove", "path": format!("members[value eq \"{user}\"]")}])
        );
        assert!(
            said(7)["data"]["members"].is_null(),
            "those who come are told of by themselves"
        );
    }
}

/// What tokens say of changes in full, sent as requests to another tenant, makes the same resources of it.
#[test]
fn what_is_told_in_full_makes_the_same_elsewhere() {
    let world = World::new();
    let (tenant, copy) = (world.tenant("compat"), world.tenant("compat"));
    made(&tenant, json!({"payload": "full"}));
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let user = tenant.user("ada");
    let at = format!("/Users/{user}");
    let changes = [
        json!([{"op": "add", "path": "emails", "value": [{"value": "ada@example.com", "type": "work"}]}]),
        json!([{"op": "add", "value": {enterprise: {"department": "Engines", "costCenter": "7"}}}]),
        json!([{"op": "remove", "path": format!("{enterprise}:costCenter")}]),
        json!([{"op": "replace", "path": "name", "value": {"givenName": "Ada", "familyName": "Lovelace"}}]),
        json!([{"op": "remove", "path": "name.familyName"}]),
        json!([{"op": "replace", "path": "active", "value": false}]),
        json!([{"op": "remove", "path": enterprise}]),
    ];
    for change in changes {
        tenant.patch(&at, change).expect(200);
        let mut id = String::new();
        for claims in received(&world) {
            for (name, what) in told(&claims).as_object().unwrap() {
                let known = copy.get("/Users").body["Resources"][0]["id"].clone();
                id = known.as_str().unwrap_or_default().to_owned();
                let path = format!("/Users/{id}");
                match name.as_str() {
                    "create:full" => {
                        id = copy
                            .send("POST", "/Users", what["data"].clone())
                            .expect(201)
                            .id()
                    }
                    "patch:full" => drop(copy.send("PATCH", &path, what["data"].clone())),
                    "deactivate" => {}
                    other => panic!("{other}"),
                }
            }
        }
        let mut both = [tenant.get(&at).body, copy.get(&format!("/Users/{id}")).body];
        for body in &mut both {
            for name in ["id", "meta", "schemas"] {
                body.as_object_mut().unwrap().remove(name);
            }
        }
        assert_eq!(both[0], both[1]);
    }
}

#[test]
fn only_202_is_success_and_a_refusal_is_told() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let stream = made(&tenant, json!({}));
    let id = stream["id"].as_str().unwrap();
    let refusal = json!({"err": "invalid_key", "description": "the key is not known"});
    let refused = Answered {
        status: 400,
        body: refusal.to_string().into_bytes(),
        ..Answered::default()
    };
    answers(
        &world,
        [
            status(200),
            Ok(refused),
            status(400),
            Err(HttpError::Timeout(15_000)),
            status(202),
            status(202),
        ],
    );
    tenant.user("ada");
    tenant.user("grace");
    let sent = posts(&world);
    let claims: Vec<Value> = sent
        .iter()
        .map(|post| verified(&world, &post.body).1)
        .collect();
    let ids: Vec<&Value> = claims.iter().map(|claims| &claims["jti"]).collect();
    assert_eq!(ids[..5], [ids[0]; 5], "the same over all tries");
    assert_ne!(ids[5], ids[0]);
    for again in &claims[1..5] {
        let without = |claims: &Value| {
            let mut claims = claims.clone();
            claims.as_object_mut().unwrap().remove("iat");
            claims
        };
        assert_eq!(without(again), without(&claims[0]));
    }
    let told = asked(&tenant, "GET", &format!("/{id}/deliveries"), Value::Null);
    let lines = told.body["data"].as_array().unwrap();
    let mut reasons: Vec<&str> = lines
        .iter()
        .filter_map(|line| line["reason"].as_str())
        .collect();
    reasons.reverse();
    assert_eq!(
        reasons,
        [
            "the answer is 200, and not 202",
            "the receiver refuses it, invalid_key: the key is not known",
            "the answer is 400",
            "no answer within 15000 ms",
        ]
    );
    assert_eq!(shown(&tenant, id)["behind"], 0);
    // 410 pauses it, as it does a webhook.
    answers(&world, [status(410)]);
    tenant.user("alan");
    posts(&world);
    assert_eq!(shown(&tenant, id)["state"], "paused");
}

#[test]
fn what_no_token_tells_of_is_passed_over() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let stream = made(&tenant, json!({}));
    let path = format!("/api/v1/admin/scim-tokens/{}", tenant.token_id);
    tenant.user("ada");
    world.admin("DELETE", &path, Value::Null).expect(204);
    let all = received(&world);
    assert_eq!(all.len(), 1);
    let shown = shown(&tenant, stream["id"].as_str().unwrap());
    assert_eq!(
        (&shown["behind"], &shown["state"]),
        (&json!(0), &json!("active"))
    );
}
