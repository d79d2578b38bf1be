//! Requests are found by what they ask for, however a client or an administrator writes it.

use rollcall::platform::Limit;
use serde_json::{Value, json};

use super::{PATH, found, kept};
use crate::support::{Tenant, World};

/// However a client writes its filter, the look-up is found by the name that it asks for.
#[test]
fn a_look_up_is_found_however_it_is_written() {
    let urn = "urn:ietf:params:scim:schemas:core:2.0:User";
    let cases = [
        ("userName eq \"Eve@x\"", Some("eve@x")),
        ("userName  eq   \"eve@x\"", Some("eve@x")),
        ("  userName eq \"eve@x\"  ", Some("eve@x")),
        ("USERNAME EQ \"eve@x\"", Some("eve@x")),
        ("(userName eq \"eve@x\")", Some("eve@x")),
        ("userName eq \"eve@x\" and active eq true", Some("eve@x")),
        ("active eq true and (userName eq \"eve@x\")", Some("eve@x")),
        (
            "emails.value eq \"a@x\" or userName eq \"eve@x\"",
            Some("eve@x"),
        ),
        ("userName eq \"eve\\u0040x\"", Some("eve@x")),
        ("userName eq eve@x", Some("eve@x")),
        ("userName eq 'eve@x'", Some("eve@x")),
        ("userName eq 'eve and bob'", Some("eve and bob")),
        ("userName eq 007", Some("007")),
        ("userName eq \"\u{c9}ve\"", Some("e\u{301}ve")),
        // What cannot be read is refused, and found all the same.
        ("userName eq \"eve@x\" or", Some("eve@x")),
        ("userName  eq \"eve@x\" and (", Some("eve@x")),
        // These ask for no name.
        ("userName sw \"eve@x\"", None),
        ("userName ne \"eve@x\"", None),
        ("displayName eq \"eve@x\"", None),
        ("not (userName eq \"eve@x\")", None),
        ("emails[value eq \"eve@x\"]", None),
        ("userName eq", None),
    ];
    let qualified = format!("{urn}:userName eq \"eve@x\"");
    let cases = cases.into_iter().chain([(&*qualified, Some("eve@x"))]);
    for (filter, name) in cases {
        for is_search in [false, true] {
            let world = World::new();
            let tenant = world.tenant("compat");
            let answer = match is_search {
                true => tenant.send("POST", "/Users/.search", json!({"filter": filter})),
                false => tenant.get(&format!("/Users?filter={}", encoded(filter))),
            };
            let found = |name: &str| found(&tenant, &format!("&user_name={}", encoded(name)));
            match name {
                Some(name) => assert_eq!(found(name), [answer.header("x-request-id")], "{filter}"),
                None => assert_eq!(found("eve@x"), [""; 0], "{filter}"),
            }
            // Of what is forgiven there, nothing is told of the next request.
            let next = tenant.send(
                "POST",
                "/Users",
                json!({"schemas": [urn], "userName": "next"}),
            );
            let row = format!(
                "{PATH}{}?tenant_id={}",
                next.expect(201).header("x-request-id"),
                tenant.id
            );
            let row = world.admin("GET", &row, Value::Null);
            assert_eq!(
                row.expect(200).body["data"]["forgiven"],
                json!([]),
                "{filter}"
            );
        }
    }
}

/// Ids are taken as clients write them.
#[test]
fn an_id_is_found_in_any_case() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let made = tenant.send("POST", "/Users", json!({"userName": "ada"}));
    let (id, request) = (made.expect(201).id(), made.header("x-request-id"));
    let (id, shouted) = (id.to_uppercase(), request.to_uppercase());
    assert_eq!(found(&tenant, &format!("&resource_id={id}")), [request]);
    assert_eq!(found(&tenant, &format!("&request_id={shouted}")), [request]);
    let both = format!("&request_id={shouted}&resource_id={id}");
    assert_eq!(found(&tenant, &both), [request]);
    for filter in [format!("resource_id={id}"), format!("request_id={shouted}")] {
        let path = format!(
            "/api/v1/admin/audit-events/?tenant_id={}&{filter}",
            tenant.id
        );
        let events = world.admin("GET", &path, Value::Null);
        assert_eq!(
            events.expect(200).body["data"][0]["request_id"],
            request,
            "{filter}"
        );
    }
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[test]
fn a_status_is_written_as_it_is_told() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let refused = tenant.send("POST", "/Users", json!({}));
    let refused = [refused.expect(400).header("x-request-id")];
    for status in ["400", "4xx", "failed"] {
        assert_eq!(found(&tenant, &format!("&status={status}")), refused);
    }
    for status in [
        "", "+400", "0400", "+4xx", "04xx", "1xx", "6xx", "xx", "40x", "199", "600", "999", "abc",
        "400,404", "Failed", " 400",
    ] {
        let path = format!("{PATH}?tenant_id={}&status={}", tenant.id, encoded(status));
        let answer = world.admin("GET", &path, Value::Null);
        assert_eq!(
            answer.expect(422).body["detail"][0]["loc"],
            json!(["query", "status"]),
            "{status}"
        );
    }
}

/// What was refused before its body was read is about somebody all the same.
#[test]
fn a_create_is_found_that_was_refused_before_it_was_read() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let minted = world.admin(
        "POST",
        "/api/v1/admin/scim-tokens/",
        json!({"tenant_id": tenant.id, "name": "reads", "scopes": ["users:read"]}),
    );
    let reader = minted.expect(201).body["data"]["token"].as_str().unwrap();
    let reader = Tenant {
        world: &world,
        id: tenant.id.clone(),
        token: reader.to_owned(),
        token_id: String::new(),
    };
    let eve = json!({"userName": "eve", "password": "S3cret-Word"});
    let path = |name: &str| format!("&user_name={name}");
    let scope = reader.send("POST", "/Users", eve.clone());
    scope.expect(403);
    let row = kept(&tenant, &scope);
    assert_eq!(
        (&row["user_name"], &row["body_state"]),
        (&json!("eve"), &json!("redacted"))
    );
    assert!(!row.to_string().contains("S3cret"), "{row}");
    let parameter = tenant.send("POST", "/Users?dry_run=TRUE", eve.clone());
    parameter.expect(400);
    world.limiter.limits.borrow_mut().insert(Limit::Tenant, 0);
    let limit = tenant.send("POST", "/Users", eve.clone());
    limit.expect(429);
    world.limiter.limits.borrow_mut().clear();
    let refused =
        [&limit, &parameter, &scope].map(|answer| answer.header("x-request-id").to_owned());
    assert_eq!(found(&tenant, &path("EVE")), refused);
    // What is long is not read for it, and what nobody shows a credential for is nobody's.
    let long = json!({"userName": "max", "title": "x".repeat(20_000)});
    let long = reader.send("POST", "/Users", long);
    long.expect(403);
    assert_eq!(kept(&tenant, &long)["user_name"], Value::Null);
    let stranger = Tenant {
        token: "rcs_none".to_owned(),
        ..reader
    };
    stranger
        .send("POST", "/Users", json!({"userName": "mallory"}))
        .expect(401);
    assert_eq!(found(&tenant, &path("mallory")), [""; 0]);
}
