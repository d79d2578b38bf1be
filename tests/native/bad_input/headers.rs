//! Headers: conditions, preferences, credentials, types of content.

use http::Request;
use serde_json::{Value, json};

use super::{send_raw, user_body};
use crate::support::{ORIGIN, Tenant, World};

const NEVER_GIVEN: [&str; 18] = [
    "W/\"+1\"",
    "W/\"01\"",
    "W/\"1",
    "1\"",
    "W/\"2\"",
    "\"2\"",
    "2",
    "W/\"x\"",
    "\"\"",
    "",
    "W/",
    "W/\"1.0\"",
    "W/\"-1\"",
    "W/\"99999999999999999999\"",
    ",",
    "**",
    "* W/\"1\"",
    "W/\"2\", W/\"3\",",
];
const GIVEN: [&str; 9] = [
    "W/\"1\"",
    "\"1\"",
    "1",
    " W/\"1\" ",
    "*",
    "W/\"9\", W/\"1\"",
    "\"9\",\"1\"",
    ", W/\"1\",",
    "W/\"1\",garbage",
];

#[test]
fn a_condition_that_names_no_version_there_is_fails_and_says_so() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let (user, group) = (tenant.user("a"), tenant.group("A", &[]));
        let before = world.database.dump();
        for (path, body) in [
            (format!("/Users/{user}"), user_body()),
            (
                format!("/Groups/{group}"),
                json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "B"}),
            ),
        ] {
            let patch = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{"op": "add", "path": "externalId", "value": "x"}]});
            for header in NEVER_GIVEN {
                for (method, body) in [("PUT", &body), ("PATCH", &patch), ("DELETE", &Value::Null)]
                {
                    println!("{profile} {method} {path} {header}");
                    let answer =
                        tenant.send_with(method, &path, &[("if-match", header)], body.clone());
                    answer.expect_scim_error(412, "", "If-Match");
                }
                let headers = [("if-none-match", header)];
                let answer = tenant.send_with("GET", &path, &headers, Value::Null);
                assert_eq!(answer.expect(200).header("etag"), "W/\"1\"");
            }
            for header in GIVEN {
                let headers = [("if-none-match", header)];
                let answer = tenant.send_with("GET", &path, &headers, Value::Null);
                assert_eq!(answer.expect(304).header("etag"), "W/\"1\"", "{header}");
            }
        }
        assert_eq!(world.database.dump(), before);
        for header in GIVEN {
            let path = format!("/Users/{}", tenant.user("given"));
            tenant
                .send_with("DELETE", &path, &[("if-match", header)], Value::Null)
                .expect(204);
        }
    }
}

#[test]
fn a_condition_may_be_spread_over_several_headers() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let path = format!("/Users/{}", tenant.user("a"));
    let both = [("if-none-match", "W/\"7\""), ("if-none-match", "W/\"1\"")];
    tenant
        .send_with("GET", &path, &both, Value::Null)
        .expect(304);
    let both = [("if-match", "W/\"7\""), ("if-match", "W/\"1\"")];
    tenant
        .send_with("DELETE", &path, &both, Value::Null)
        .expect(204);
}

#[test]
fn content_in_another_character_set_is_415() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = format!("/Users/{}", tenant.user("a"));
    let body = user_body().to_string();
    let before = world.database.dump();
    for kind in [
        "application/scim+json; charset=utf-16",
        "application/json;charset=iso-8859-1",
        "application/json; charset=\"latin1\"",
        "application/json; v=1; CHARSET=UTF-7",
    ] {
        for (method, path) in [
            ("POST", "/Users"),
            ("PUT", user.as_str()),
            ("PATCH", &user),
            ("POST", "/Users/.search"),
            ("POST", "/Bulk"),
        ] {
            send_raw(&tenant, method, path, Some(kind), body.as_bytes())
                .expect_scim_error(415, "", "UTF-8");
        }
    }
    assert_eq!(world.database.dump(), before);
    for (number, kind) in [
        "application/json; charset=\"utf-8\"",
        "application/scim+json; v=1; Charset=UTF8",
        "application/json; charset=us-ascii",
        "application/json;",
        "application/json; charset",
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({"userName": format!("u{number}")}).to_string();
        send_raw(&tenant, "POST", "/Users", Some(kind), body.as_bytes()).expect(201);
    }
    // What has no body needs no type.
    send_raw(&tenant, "GET", "/Users", Some("text/plain"), b"").expect(200);
    send_raw(&tenant, "DELETE", &user, Some("text/plain"), b"x").expect(204);
}

#[test]
fn whatever_a_client_accepts_it_is_sent_scim() {
    let world = World::new();
    let tenant = world.tenant("strict");
    for accept in [
        "application/scim+json",
        "application/json",
        "*/*",
        "application/*;q=0.5",
        "text/html",
        "",
        "nonsense;;;",
    ] {
        // That replies are of SCIM's type, the support checks.
        let headers = [("accept", accept)];
        tenant
            .send_with("GET", "/Users", &headers, Value::Null)
            .expect(200);
        tenant
            .send_with("GET", "/Users/x", &headers, Value::Null)
            .expect_scim_error(404, "", "User");
    }
}

#[test]
fn a_preference_that_means_nothing_here_is_passed_over() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let group = format!("/Groups/{}", tenant.group("A", &[]));
    let rename = |number: usize, prefer: &str| {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "displayName", "value": format!("A{number}")}]});
        tenant
            .send_with("PATCH", &group, &[("prefer", prefer)], body)
            .status
    };
    for (number, (prefer, status)) in [
        ("", 200),
        ("return", 200),
        ("return=", 200),
        ("return=everything", 200),
        ("respond-async, wait=5", 200),
        ("returns=minimal", 200),
        ("x=\"return=minimal\"", 200),
        ("return=minimal", 204),
        ("RETURN=Minimal", 204),
        ("return = \"minimal\"", 204),
        ("wait=5; x, return=minimal; y=z", 204),
        ("return=representation", 200),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(rename(number, prefer), status, "{prefer}");
    }
}

fn with_authorization(tenant: &Tenant<'_>, path: &str, values: &[&[u8]]) -> crate::support::Answer {
    let mut request = Request::get(format!("{ORIGIN}{path}"));
    for value in values {
        let value = http::HeaderValue::from_bytes(value).expect("a value");
        request = request.header("authorization", value);
    }
    tenant
        .world
        .send(request.body(Vec::new()).expect("a request"))
}

#[test]
fn a_credential_in_no_known_form_is_401_and_is_not_repeated() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = format!("{}/Users", tenant.base());
    let token = tenant.token.as_bytes();
    let join = |before: &[u8], after: &[u8]| [before, token, after].concat();
    for value in [
        b"".to_vec(),
        b" ".to_vec(),
        b"Bearer".to_vec(),
        b"Bearer ".to_vec(),
        b"Bearer null".to_vec(),
        b"Bearer undefined".to_vec(),
        b"Bearer \xff\xfe".to_vec(),
        b"Basic YTpi".to_vec(),
        b"Digest username=\"a\"".to_vec(),
        b"Negotiate".to_vec(),
        join(b"Basic ", b""),
        join(b"Token ", b""),
        join(b"Bearer: ", b""),
        join(b"Bearer Bearer ", b""),
        join(b"Bearer \"", b"\""),
        join(b"Bearer ", b"x"),
        join(b"Bearer ", b", Bearer x"),
        join(b"Bearer ", b" x"),
        join(b"Bearer rcs_", b""),
        join(b"Bearer", b""),
        b"Bearer ".iter().chain(&[b'a'; 20_000]).copied().collect(),
        b"Bearer a.b.c".to_vec(),
        b"Bearer ..".to_vec(),
    ] {
        println!("{}", String::from_utf8_lossy(&value));
        let answer = with_authorization(&tenant, &path, &[&value]);
        answer.expect_scim_error(401, "", "credential");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        assert!(!answer.body.to_string().contains("rcs_"), "{}", answer.body);
    }
    let answer = with_authorization(&tenant, &path, &[]);
    answer.expect_scim_error(401, "", "Authorization");
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    for value in [
        join(b"Bearer ", b""),
        join(b"bearer ", b""),
        join(b"BEARER   ", b""),
        join(b"", b""),
    ] {
        with_authorization(&tenant, &path, &[&value]).expect(200);
    }
    // Two credentials: whose the request is would be a guess.
    let good = join(b"Bearer ", b"");
    let bad = b"Bearer x".to_vec();
    with_authorization(&tenant, &path, &[&good, &bad]).expect(401);
    with_authorization(&tenant, &path, &[&bad, &good]).expect(401);
}
