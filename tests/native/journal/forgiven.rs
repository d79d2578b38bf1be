//! What `compat` forgave, request by request: each tolerance of the table is met, and what is said to the letter has none.

use std::collections::BTreeSet;

use rollcall::scim::forgiven::TOLERANCES;
use serde_json::{Value, json};

use super::{USER, kept};
use crate::support::{Answer, Tenant, World};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

fn codes(tenant: &Tenant<'_>, answer: &Answer) -> Vec<String> {
    let row = kept(tenant, answer);
    let codes: Vec<String> = serde_json::from_value(row["forgiven"].clone()).unwrap();
    let told = row["tolerances"].as_array().unwrap();
    assert_eq!(told.len(), codes.len());
    for (told, code) in told.iter().zip(&codes) {
        assert_eq!(told["code"], *code);
        assert!(told["rfc"].as_str().unwrap().starts_with("RFC "), "{told}");
    }
    codes
}

#[test]
fn codes_are_words_and_each_has_one_line() {
    let mut seen = BTreeSet::new();
    for tolerance in TOLERANCES {
        assert!(seen.insert(tolerance.code), "{}", tolerance.code);
        let is_word = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(tolerance.code.chars().all(is_word), "{}", tolerance.code);
        assert!(tolerance.rfc.contains('§') && tolerance.what.ends_with('.'));
        for dialect in tolerance.dialects.split_whitespace() {
            assert_eq!(dialect.len(), 3, "{dialect}");
        }
    }
    assert!(TOLERANCES.len() <= 64);
}

#[test]
fn each_tolerance_is_told_where_it_was_made_use_of() {
    let world = World::new();
    let mut met = BTreeSet::new();
    let user = |more: Value| {
        let mut user = json!({"schemas": [USER], "userName": "new"});
        user.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        ("POST", "/Users".to_owned(), user)
    };
    let patch = |operation: Value| {
        let body = json!({"schemas": [PATCH], "Operations": [operation]});
        ("PATCH", "/Users/:ada".to_owned(), body)
    };
    let group = |operation: Value| {
        let body = json!({"schemas": [PATCH], "Operations": [operation]});
        ("PATCH", "/Groups/:team".to_owned(), body)
    };
    let look = |query: &str| ("GET", format!("/Users?{query}"), Value::Null);
    let work = "emails[type eq \"work\"].value";
    for (request, wanted) in [
        (user(json!({})), vec![]),
        (
            patch(json!({"op": "replace", "path": "title", "value": "x"})),
            vec![],
        ),
        (user(json!({"active": "False"})), vec!["boolean_as_text"]),
        (user(json!({"nickName": 7})), vec!["number_for_text"]),
        (user(json!({"shoeSize": 7})), vec!["unknown_dropped"]),
        (user(json!({"name.givenName": "A"})), vec!["path_as_name"]),
        (user(json!({"department": "A"})), vec!["urn_spelling"]),
        (
            user(json!({"emails": {"value": "a@example.com"}})),
            vec!["one_for_many"],
        ),
        (
            user(json!({"emails": ["a@example.com"]})),
            vec!["text_for_object"],
        ),
        (
            user(json!({"name": [{"givenName": "A"}]})),
            vec!["many_for_one"],
        ),
        (user(json!({"title": ""})), vec!["empty_text"]),
        (user(json!({"emails": [null]})), vec!["null_among_values"]),
        (
            user(json!({"roles": [{"value": "{\"value\":\"Admin\"}"}]})),
            vec!["packed_role"],
        ),
        (
            user(
                json!({"emails": [{"value": "a@example.com", "primary": true}, {"value": "b@example.com", "primary": true}]}),
            ),
            vec!["second_primary"],
        ),
        (user(json!({"userName": " new "})), vec!["space_around"]),
        (user(json!({"active": null})), vec!["active_emptied"]),
        (
            ("POST", "/Users".to_owned(), json!({"userName": "new"})),
            vec!["schemas_missing"],
        ),
        (
            patch(json!({"op": "Replace", "path": "title", "value": "x"})),
            vec!["op_in_capitals"],
        ),
        (
            patch(json!({"op": "replace", "value": {"title": "x", "meta": {}}})),
            vec!["read_only_dropped"],
        ),
        (
            patch(json!({"op": "replace", "path": "", "value": {"title": "x"}})),
            vec!["empty_path"],
        ),
        (
            patch(json!({"op": "replace", "path": work, "value": "x@example.com"})),
            vec!["element_made"],
        ),
        (
            patch(json!({"op": "add", "path": format!("{ENTERPRISE}.department"), "value": "x"})),
            vec!["urn_spelling"],
        ),
        (
            group(json!({"op": "remove", "path": "members", "value": [{"value": ":ada"}]})),
            vec!["remove_with_value"],
        ),
        (
            group(
                json!({"op": "add", "path": "members", "value": [{"value": "0197b1a2-0000-7000-8000-000000000000"}, {"value": ":bob"}]}),
            ),
            vec!["member_unknown"],
        ),
        (
            (
                "PUT",
                "/Groups/:team".to_owned(),
                json!({"schemas": [GROUP], "displayName": "other"}),
            ),
            vec!["members_left"],
        ),
        (
            (
                "PATCH",
                "/Users/:nobody".to_owned(),
                json!({"schemas": [PATCH], "Operations": []}),
            ),
            vec!["no_operations"],
        ),
        (
            (
                "POST",
                "/Bulk".to_owned(),
                json!({"schemas": [BULK], "Operations": [{"method": "POST", "path": "/Users", "data": {"schemas": [USER], "userName": "new"}}]}),
            ),
            vec!["bulk_id_missing"],
        ),
        (look("filter=userName+eq+nobody"), vec!["unquoted_text"]),
        (
            look("Filter=userName+eq+%22nobody%22"),
            vec!["parameter_case"],
        ),
        (
            look(
                "filter=userName+eq+%22nobody%22+and+emails%5Btype+eq+%22work%22%5D.value+eq+%22x%22",
            ),
            vec!["sub_behind_filter"],
        ),
        (
            look(
                "filter=userName+eq+%22nobody%22+and+meta.created+gt+%222026-01-01T00:00:00+01:00%22",
            ),
            vec!["space_for_plus"],
        ),
    ] {
        let tenant = world.tenant("compat");
        let (ada, bob) = (tenant.user("ada"), tenant.user("bob"));
        let team = tenant.group("team", &[&ada]);
        let fill = |text: &str| {
            text.replace(":ada", &ada)
                .replace(":bob", &bob)
                .replace(":team", &team)
                .replace(":nobody", "0197b1a2-0000-7000-8000-000000000000")
        };
        let (method, path, body) = request;
        let body = serde_json::from_str(&fill(&body.to_string())).unwrap();
        let answer = tenant.send(method, &fill(&path), body);
        assert!(answer.status < 500, "{}", answer.body);
        assert_eq!(codes(&tenant, &answer), wanted, "{method} {path}");
        met.extend(wanted);
    }
    let all: BTreeSet<&str> = TOLERANCES.iter().map(|tolerance| tolerance.code).collect();
    assert_eq!(met, all);
}

/// Requests that take turns on one thread do not see each other's.
#[test]
fn a_request_says_what_was_forgiven_in_it_alone() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let lax = tenant.send(
        "POST",
        "/Users",
        json!({"userName": "a", "active": "True", "x": 1}),
    );
    let exact = tenant.send(
        "POST",
        "/Users",
        json!({"schemas": [USER], "userName": "b"}),
    );
    assert_eq!(
        codes(&tenant, &lax),
        ["boolean_as_text", "schemas_missing", "unknown_dropped"]
    );
    assert_eq!(codes(&tenant, &exact), [""; 0]);
    // `strict` forgives nothing.
    let strict = world.tenant("strict");
    let refused = strict.send("POST", "/Users", json!({"userName": "a", "active": "True"}));
    refused.expect(400);
    assert_eq!(codes(&strict, &refused), [""; 0]);
}
