//! Bodies: what is no JSON, what is too much of it, and values of the wrong type.

use serde_json::{Value, json};

use super::{send_raw, send_text, user_body};
use crate::support::World;
use crate::tenants::expect_field;

#[test]
fn what_is_no_json_is_invalid_syntax() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = format!("/Users/{}", tenant.user("a"));
    let group = format!("/Groups/{}", tenant.group("A", &[]));
    let before = world.database.dump();
    for (method, path) in [
        ("POST", "/Users"),
        ("PUT", &user),
        ("PATCH", &user),
        ("POST", "/Groups"),
        ("PUT", &group),
        ("PATCH", &group),
    ] {
        for body in [
            "{",
            "}",
            "x",
            "{\"a\":}",
            "{'a':1}",
            "{\"a\":1,}",
            "{} {}",
            "{}\u{FEFF}",
            "\u{FEFF}\u{FEFF}{}",
            "{\"a\":01}",
            "{\"a\":\"\\x\"}",
            "NaN",
            "{\"a\":1e999}",
        ] {
            send_text(&tenant, method, path, body).expect_scim_error(400, "invalidSyntax", "JSON");
        }
        for body in ["", " \n"] {
            send_text(&tenant, method, path, body).expect_scim_error(400, "invalidSyntax", "empty");
        }
        for body in ["[]", "1", "null", "\"x\"", "true", "[{}]"] {
            send_text(&tenant, method, path, body).expect_scim_error(
                400,
                "invalidSyntax",
                "object",
            );
        }
        let bytes = b"{\"userName\":\"\xFF\xFE\"}";
        send_raw(&tenant, method, path, Some("application/json"), bytes).expect_scim_error(
            400,
            "invalidSyntax",
            "JSON",
        );
    }
    assert_eq!(world.database.dump(), before);
}

#[test]
fn the_content_type_is_json_with_or_without_parameters() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (number, kind) in [
        "application/scim+json",
        "application/json",
        "APPLICATION/JSON",
        "application/json; charset=utf-8",
        "application/scim+json;charset=UTF-8",
        "application/json ; x=y",
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({"userName": number.to_string()}).to_string();
        send_raw(&tenant, "POST", "/Users", Some(kind), body.as_bytes()).expect(201);
    }
    let body = user_body().to_string();
    for kind in [
        None,
        Some(""),
        Some("text/plain"),
        Some("application/xml"),
        Some("application/x-www-form-urlencoded"),
        Some("application/jsonp"),
        Some("json"),
        Some("application/json-patch+json"),
        Some("*/*"),
        Some("text/plain; application/json"),
    ] {
        send_raw(&tenant, "POST", "/Users", kind, body.as_bytes()).expect_scim_error(
            415,
            "",
            "application/scim+json",
        );
    }
}

#[test]
fn the_admin_api_takes_plain_json_only() {
    let world = World::new();
    let ask = |kind: Option<&str>, body: &str| {
        let mut request =
            http::Request::post(format!("{}/api/v1/admin/tenants", crate::support::ORIGIN)).header(
                "authorization",
                format!("Bearer {}", world.jwt(&world.claims())),
            );
        if let Some(kind) = kind {
            request = request.header("content-type", kind);
        }
        world.send(request.body(body.as_bytes().to_vec()).expect("a request"))
    };
    for kind in [None, Some("text/plain"), Some("application/scim+json")] {
        let answer = ask(kind, "{\"name\":\"x\"}");
        answer.expect(415);
        assert!(
            answer.body["detail"]
                .as_str()
                .expect("a detail")
                .contains("application/json")
        );
    }
    for body in [
        "",
        "{",
        "x",
        "{\"name\":\"a\",\"name\":\"b\"}",
        &"[".repeat(40),
    ] {
        expect_field(
            &ask(Some("application/json"), body),
            &["body"],
            "json_invalid",
        );
    }
    let answer = ask(
        Some("application/json"),
        &format!("{{\"name\":\"{}\"}}", "x".repeat(1024 * 1024)),
    );
    answer.expect(413);
    assert!(
        answer.body["detail"]
            .as_str()
            .expect("a detail")
            .contains("1048576")
    );
    ask(Some("application/json;charset=utf-8"), "{\"name\":\"x\"}").expect(201);
}

#[test]
fn a_body_of_more_than_1_mib_is_413_and_one_of_1_mib_is_read() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let padded = |length: usize| {
        let empty = json!({"userName": "b", "unknown": ""}).to_string();
        empty.replace("\"\"", &format!("\"{}\"", "x".repeat(length - empty.len())))
    };
    let limit = 1024 * 1024;
    assert_eq!(padded(limit).len(), limit);
    send_text(&tenant, "POST", "/Users", &padded(limit + 1)).expect_scim_error(413, "", "1048576");
    send_text(&tenant, "POST", "/Users", &padded(limit)).expect(201);
}

#[test]
fn nesting_over_32_is_invalid_syntax() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let nested = |depth: usize| {
        // The resource itself is the first level.
        let (open, close) = ("[".repeat(depth - 1), "]".repeat(depth - 1));
        format!("{{\"userName\":\"u{depth}\",\"unknown\":{open}{close}}}")
    };
    send_text(&tenant, "POST", "/Users", &nested(32)).expect(201);
    for depth in [33, 100, 200, 10_000, 200_000] {
        send_text(&tenant, "POST", "/Users", &nested(depth)).expect_scim_error(
            400,
            "invalidSyntax",
            "32",
        );
    }
    let objects = format!(
        "{{\"userName\":\"x\",\"a\":{}1{}}}",
        "{\"a\":".repeat(40),
        "}".repeat(40)
    );
    send_text(&tenant, "POST", "/Users", &objects).expect_scim_error(400, "invalidSyntax", "32");
}

#[test]
fn a_repeated_key_is_invalid_syntax_and_named() {
    let world = World::new();
    let long = "k".repeat(10_000);
    let twice = |one: &str, other: &str| format!("{{\"{one}\":1,\"{other}\":2}}");
    for profile in ["compat", "strict"] {
        let tenant = world.tenant(profile);
        for (body, named) in [
            ("{\"userName\":\"a\",\"userName\":\"b\"}", "userName"),
            ("{\"userName\":\"a\",\"username\":\"b\"}", "username"),
            (
                "{\"userName\":\"a\",\"name\":{\"givenName\":\"x\",\"givenName\":\"y\"}}",
                "givenName",
            ),
            (
                "{\"userName\":\"a\",\"emails\":[{\"value\":\"x\",\"value\":\"y\"}]}",
                "value",
            ),
            (
                "{\"userName\":\"a\",\"emails\":[{\"value\":\"x\",\"VALUE\":\"y\"}]}",
                "VALUE",
            ),
            ("{\"userName\":\"a\",\"user\\u004eame\":\"b\"}", "userName"),
            (&twice(&long, &long), "kkk…"),
            (&twice(&long, &long.to_uppercase()), "KKK…"),
        ] {
            let body = body.replacen(
                '{',
                "{\"schemas\":[\"urn:ietf:params:scim:schemas:core:2.0:User\"],",
                1,
            );
            send_text(&tenant, "POST", "/Users", &body).expect_scim_error(
                400,
                "invalidSyntax",
                named,
            );
        }
    }
    assert_eq!(world.database.number("select count(*) from users"), 0);
}

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// One wrong value for each kind of attribute, with what the message has to name.
fn wrong_types() -> Vec<(&'static str, Value, &'static str)> {
    vec![
        ("userName", json!({}), "userName"),
        ("userName", json!(["a", "b"]), "userName"),
        ("userName", json!(true), "userName"),
        ("userName", json!(null), "userName"),
        ("userName", json!(""), "userName"),
        ("userName", json!("  "), "userName"),
        ("displayName", json!({"x": 1}), "displayName"),
        ("externalId", json!(false), "externalId"),
        ("profileUrl", json!(5), "profileUrl"),
        ("active", json!("maybe"), "active"),
        ("active", json!(1), "active"),
        ("active", json!({}), "active"),
        ("name", json!("Jane Doe"), "name"),
        ("name", json!(7), "name"),
        ("name", json!({"givenName": {}}), "name.givenName"),
        ("name", json!({"givenName": ["a", "b"]}), "name.givenName"),
        ("emails", json!([[]]), "emails[0]"),
        ("emails", json!([5]), "emails[0]"),
        (
            "emails",
            json!([{"value": "a@b.c"}, {"value": {}}]),
            "emails[1].value",
        ),
        (
            "emails",
            json!([{"value": "a@b.c", "primary": "maybe"}]),
            "emails[0].primary",
        ),
        ("phoneNumbers", json!(true), "phoneNumbers"),
        ("addresses", json!(["Main Street"]), "addresses[0]"),
        (
            "addresses",
            json!([{"country": {}}]),
            "addresses[0].country",
        ),
        (
            "x509Certificates",
            json!([{"value": 5}]),
            "x509Certificates[0].value",
        ),
        (ENTERPRISE, json!("x"), ENTERPRISE),
        (ENTERPRISE, json!([1]), ENTERPRISE),
        (ENTERPRISE, json!({"department": {}}), "department"),
        (ENTERPRISE, json!({"manager": 5}), "manager"),
        (
            ENTERPRISE,
            json!({"manager": {"value": {}}}),
            "manager.value",
        ),
        ("password", json!({}), "password"),
    ]
}

#[test]
fn a_value_of_the_wrong_type_is_an_invalid_value_and_named() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let path = format!("/Users/{}", tenant.user("a"));
        let before = world.database.dump();
        for (name, value, named) in wrong_types() {
            println!("{profile} {name} {value}");
            let mut body = user_body();
            if name == ENTERPRISE {
                body["schemas"]
                    .as_array_mut()
                    .expect("schemas")
                    .push(ENTERPRISE.into());
            }
            body[name] = value.clone();
            for (method, path) in [("POST", "/Users"), ("PUT", &path)] {
                tenant.send(method, path, body.clone()).expect_scim_error(
                    400,
                    "invalidValue",
                    named,
                );
            }
            for operation in [
                json!({"op": "replace", "path": name, "value": value}),
                json!({"op": "replace", "value": {name: value}}),
            ] {
                tenant.patch(&path, json!([operation])).expect_scim_error(
                    400,
                    "invalidValue",
                    named.split('[').next().expect("a name"),
                );
            }
        }
        assert_eq!(world.database.dump(), before);
    }
}

#[test]
fn strict_refuses_what_compat_puts_right() {
    let world = World::new();
    let (compat, strict) = (world.tenant("compat"), world.tenant("strict"));
    let cases: [(&str, Value, &str, &str); 8] = [
        ("active", json!("True"), "invalidValue", "active"),
        ("emails", json!("a@b.c"), "invalidValue", "emails"),
        (
            "emails",
            json!({"value": "a@b.c"}),
            "invalidValue",
            "emails",
        ),
        ("userName", json!(["b"]), "invalidValue", "userName"),
        ("displayName", json!(5), "invalidValue", "displayName"),
        (
            "favouriteColour",
            json!("blue"),
            "invalidSyntax",
            "favouritecolour",
        ),
        ("name", json!({"nick": "x"}), "invalidSyntax", "nick"),
        (
            "schemas",
            json!(["urn:example:x"]),
            "invalidSyntax",
            "schemas[0]",
        ),
    ];
    for (number, (name, value, scim_type, named)) in cases.into_iter().enumerate() {
        let mut body = user_body();
        body[name] = value;
        strict
            .send("POST", "/Users", body.clone())
            .expect_scim_error(400, scim_type, named);
        if name != "userName" {
            body["userName"] = format!("user-{number}").into();
        }
        compat.send("POST", "/Users", body).expect(201);
    }
    let twice = json!([{"value": "a", "primary": true}, {"value": "b", "primary": true}]);
    let mut body = user_body();
    body["emails"] = twice;
    strict
        .send("POST", "/Users", body)
        .expect_scim_error(400, "invalidValue", "emails");
}

#[test]
fn groups_need_a_name_and_members_with_ids() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let schemas = json!(["urn:ietf:params:scim:schemas:core:2.0:Group"]);
        for (name, value, named) in [
            ("displayName", json!(null), "displayName"),
            ("displayName", json!(""), "displayName"),
            ("displayName", json!({}), "displayName"),
            ("members", json!([5]), "members[0]"),
            ("members", json!([{"value": {}}]), "members[0].value"),
            ("members", json!([{"type": "User"}]), "members[0].value"),
            ("members", json!([{"value": "not-a-uuid"}]), "not-a-uuid"),
            ("members", json!(true), "members"),
        ] {
            let mut body = json!({"schemas": schemas, "displayName": "G"});
            body[name] = value;
            let answer = tenant.send("POST", "/Groups", body);
            // An id that nobody can have is an id of nobody.
            match (named, profile) {
                ("not-a-uuid", "compat") => {
                    assert_eq!(answer.expect(201).body["members"], json!([]))
                }
                _ => {
                    answer.expect_scim_error(400, "invalidValue", named);
                }
            }
        }
        tenant
            .send("POST", "/Groups", json!({"schemas": schemas}))
            .expect_scim_error(400, "invalidValue", "displayName");
        let made = i64::from(profile == "compat");
        assert_eq!(world.database.number("select count(*) from groups"), made);
    }
}

#[test]
fn a_request_without_a_credential_learns_nothing_of_its_body() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (method, path) in [
        ("POST", "/Users"),
        ("PUT", "/Users/x"),
        ("PATCH", "/Users/x"),
        ("POST", "/Groups"),
        ("PATCH", "/Groups/x"),
    ] {
        for body in ["{", "[]", "{\"userName\":1}"] {
            let request = http::Request::builder()
                .method(method)
                .uri(format!("{}{}{path}", crate::support::ORIGIN, tenant.base()))
                .header("content-type", "application/scim+json");
            let answer = world.send(request.body(body.as_bytes().to_vec()).expect("a request"));
            assert_eq!(answer.status, 401, "{method} {path}: {}", answer.body);
        }
    }
}
