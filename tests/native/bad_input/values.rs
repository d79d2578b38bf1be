//! What is said of a value of the wrong type: the operation, the attribute, what it takes, and what was sent, but for secrets.

use serde_json::{Value, json};

use super::user_body;
use crate::support::{Answer, World};

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn detail(answer: &Answer) -> String {
    answer.expect_scim_error(400, "invalidValue", "");
    answer.body["detail"].as_str().expect("a detail").to_owned()
}

/// Attributes with a wrong value, and what is said of them.
fn wrong() -> Vec<(&'static str, &'static str, Value, String)> {
    let long = "x".repeat(500);
    let said = |said: &str| said.to_owned();
    vec![
        (
            "compat",
            "active",
            json!("maybe"),
            said("active takes true or false, not \"maybe\""),
        ),
        (
            "strict",
            "active",
            json!("True"),
            said("active takes true or false, not \"True\""),
        ),
        (
            "strict",
            "active",
            json!(1),
            said("active takes true or false, not 1"),
        ),
        (
            "strict",
            "active",
            json!(""),
            said("active takes true or false, not \"\""),
        ),
        (
            "compat",
            "active",
            json!({"a": "b"}),
            said("active takes true or false, not an object"),
        ),
        (
            "compat",
            "title",
            json!({"a": "b"}),
            said("title takes a string, not an object"),
        ),
        (
            "compat",
            "title",
            json!(["a", "b"]),
            said("title takes a string, not an array of 2"),
        ),
        (
            "compat",
            "title",
            json!(true),
            said("title takes a string, not true"),
        ),
        (
            "strict",
            "title",
            json!(7.5),
            said("title takes a string, not 7.5"),
        ),
        (
            "strict",
            "emails",
            json!("a@x"),
            said("emails takes an array, not \"a@x\""),
        ),
        (
            "compat",
            "name",
            json!("Jane\n\u{7}"),
            said("name takes an object, not \"Jane\\n\\u0007\""),
        ),
        (
            "compat",
            "emails",
            json!([{"value": "a"}, {"primary": "no"}]),
            said("emails[1].primary takes true or false, not \"no\""),
        ),
        (
            "compat",
            "emails",
            json!([5]),
            said("emails[0] takes an object, not 5"),
        ),
        (
            "strict",
            "x509Certificates",
            json!([{"value": "?"}]),
            said("x509Certificates[0].value takes base64, not \"?\""),
        ),
        (
            "compat",
            "profileUrl",
            json!(5),
            said("profileUrl takes a string, not 5"),
        ),
        (
            "compat",
            "active",
            json!(long),
            format!("active takes true or false, not \"{}…", &long[..119]),
        ),
    ]
}

#[test]
fn a_wrong_value_is_told_with_its_place_and_what_it_is() {
    for (profile, name, value, said) in wrong() {
        let world = World::new();
        let tenant = world.tenant(profile);
        let path = format!("/Users/{}", tenant.user("a"));
        let mut body = user_body();
        body[name] = value.clone();
        for (method, path) in [("POST", "/Users"), ("PUT", &path)] {
            assert_eq!(detail(&tenant.send(method, path, body.clone())), said);
        }
        let good = json!({"op": "add", "path": "nickName", "value": "N"});
        for op in ["add", "replace"] {
            for wrong in [
                json!({"op": op, "path": name, "value": value}),
                json!({"op": op, "value": {name: value}}),
            ] {
                let answer = tenant.patch(&path, json!([good, wrong]));
                assert_eq!(detail(&answer), format!("Operations[1]: {said}"));
                let data = json!({"schemas": [PATCH], "Operations": [good, good, wrong]});
                let operation = json!({"method": "PATCH", "path": path, "data": data});
                let bulk = json!({"schemas": [BULK], "Operations": [operation]});
                let answer = tenant.send("POST", "/Bulk", bulk);
                let response = &answer.expect(200).body["Operations"][0]["response"];
                assert_eq!(response["detail"], format!("Operations[2]: {said}"));
            }
        }
    }
}

#[test]
fn other_places_are_told_too() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let user = format!("/Users/{}", tenant.user("a"));
        let group = format!("/Groups/{}", tenant.group("G", &[]));
        let manager = format!("{ENTERPRISE}:manager");
        for (path, operation, said) in [
            (
                &user,
                json!({"op": "add", "path": "emails[type eq \"work\"].primary", "value": 5}),
                "Operations[0]: emails[type eq \"work\"].primary takes true or false, not 5"
                    .to_owned(),
            ),
            (
                &user,
                json!({"op": "add", "path": "emails[type eq \"work\"]", "value": 5}),
                "Operations[0]: emails[type eq \"work\"] takes an object, not 5".to_owned(),
            ),
            (
                &user,
                json!({"op": "add", "path": "name", "value": {"givenName": ["a", "b"]}}),
                "Operations[0]: name.givenName takes a string, not an array of 2".to_owned(),
            ),
            (
                &user,
                json!({"op": "add", "path": manager, "value": 5}),
                format!("Operations[0]: {manager} takes an object, not 5"),
            ),
            (
                &user,
                json!({"op": "add", "path": ENTERPRISE, "value": 5}),
                format!("Operations[0]: {ENTERPRISE} takes an object, not 5"),
            ),
            (
                &group,
                json!({"op": "add", "path": "members", "value": [5]}),
                "Operations[0]: members[0] takes an object, not 5".to_owned(),
            ),
        ] {
            println!("{profile} {operation}");
            assert_eq!(detail(&tenant.patch(path, json!([operation]))), said);
        }
    }
}

#[test]
fn a_secret_is_not_said_again() {
    let secret = "Tr0ub4dor";
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let path = format!("/Users/{}", tenant.user("a"));
        for value in [
            json!({"a": secret}),
            json!([secret, secret]),
            json!({"value": secret}),
        ] {
            let mut body = user_body();
            body["password"] = value.clone();
            let operation = json!({"op": "add", "path": "password", "value": value});
            let pathless = json!({"op": "add", "value": {"password": value}});
            for answer in [
                tenant.send("POST", "/Users", body.clone()),
                tenant.send("PUT", &path, body),
                tenant.patch(&path, json!([operation])),
                tenant.patch(&path, json!([pathless])),
            ] {
                let said = detail(&answer);
                assert!(said.ends_with("password takes a string"), "{said}");
            }
        }
        let number = json!([{"op": "add", "path": "password", "value": 4_711_471_147_i64}]);
        let said = detail(&tenant.patch(&path, number));
        assert!(!said.contains("4711"), "{said}");
    }
}
