//! Whatever is sent, the answer is an answer: never a 5xx, and a request that fails changes nothing.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{search, send_raw, send_text};
use crate::support::{Answer, Tenant, World};

/// All tables but what the use of a token leaves.
fn dump(world: &World) -> Vec<(String, Vec<Vec<rollcall::store::Value>>)> {
    let mut dump = world.database.dump();
    dump.retain(|(table, _)| table != "scim_tokens");
    dump
}

/// Sends, and checks what holds for every request.
fn check(tenant: &Tenant<'_>, send: impl FnOnce() -> Answer) -> Result<u16, TestCaseError> {
    let before = dump(tenant.world);
    let answer = send();
    prop_assert!(answer.status < 500, "{} {}", answer.status, answer.body);
    if answer.status >= 300 {
        prop_assert_eq!(
            &before,
            &dump(tenant.world),
            "a failed request changed something"
        );
        prop_assert_eq!(&answer.body["status"], &json!(answer.status.to_string()));
        prop_assert!(
            answer.body["detail"]
                .as_str()
                .is_some_and(|detail| !detail.is_empty())
        );
    }
    Ok(answer.status)
}

/// Any JSON, with a liking for names and values that mean something.
fn any_json() -> impl Strategy<Value = Value> {
    let names = prop::sample::select(vec![
        "schemas",
        "id",
        "userName",
        "USERNAME",
        "name",
        "givenName",
        "emails",
        "value",
        "type",
        "primary",
        "active",
        "members",
        "displayName",
        "externalId",
        "meta",
        "groups",
        "password",
        "manager",
        "$ref",
        "Operations",
        "op",
        "path",
        "roles",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "addresses",
        "x509Certificates",
        "",
        "🦀",
    ]);
    let texts = prop::sample::select(vec![
        "",
        " ",
        "a",
        "A",
        "true",
        "add",
        "replace",
        "remove",
        "members",
        "emails[type eq \"work\"].value",
        "userName",
        "urn:ietf:params:scim:schemas:core:2.0:User",
        "urn:ietf:params:scim:api:messages:2.0:PatchOp",
        "ß",
        "\u{0}",
        "🦀",
        "%",
        "{}",
        "{\"value\":1}",
        "0197b1a2-0000-7000-8000-000000000000",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        texts.prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names.clone().prop_map(str::to_owned), inner), 0..6)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

/// A PATCH body of operations that could almost be meant.
fn any_patch() -> impl Strategy<Value = Value> {
    let op = prop::sample::select(vec!["add", "replace", "remove", "Add", "x"]);
    let operation = (op, any_path(), any_json(), any::<bool>(), any::<bool>()).prop_map(
        |(op, path, value, has_path, has_value)| {
            let mut operation = json!({"op": op});
            if has_path {
                operation["path"] = path.into();
            }
            if has_value {
                operation["value"] = value;
            }
            operation
        },
    );
    prop::collection::vec(operation, 0..4).prop_map(|operations| {
        json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
    })
}

/// Words of filters and paths in any order, and sometimes any text.
fn any_path() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "userName",
        "emails",
        "emails.value",
        "name",
        "name.givenName",
        "active",
        "members",
        "members.value",
        "groups",
        "meta",
        "meta.created",
        "password",
        "manager",
        "displayName",
        "externalId",
        "roles",
        "x509Certificates.value",
        "id",
        "schemas",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        "urn:ietf:params:scim:schemas:core:2.0:User:userName",
        "eq",
        "ne",
        "co",
        "sw",
        "ew",
        "gt",
        "ge",
        "lt",
        "le",
        "pr",
        "and",
        "or",
        "not",
        "(",
        ")",
        "[",
        "]",
        ".",
        ":",
        "\"",
        "'",
        "\"a\"",
        "\"\"",
        "\"2026-01-01T00:00:00Z\"",
        "true",
        "false",
        "null",
        "1",
        "-1.5e3",
        "1e400",
        "type",
        "value",
        "primary",
        "members[type eq \"User\"]",
        "members[display pr]",
        "[type eq \"work\"]",
        "[value eq \"x\"].display",
        "emails[type eq \"work\"].value",
        "\"ß\\u0000\"",
        "%",
        "\\",
        "🦀",
        " ",
    ]);
    prop_oneof![
        8 => prop::collection::vec(word, 1..10).prop_map(|words| words.join(" ")),
        2 => prop::collection::vec(prop::sample::select(vec!["emails", "[", "]", ".", "type eq \"work\"", "value", "$ref", "name", "members"]), 1..6)
            .prop_map(|words| words.concat()),
        1 => ".{0,40}",
    ]
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// A user and a group, by their paths.
fn targets(tenant: &Tenant<'_>) -> [String; 2] {
    let user = tenant.user("someone");
    let group = tenant.group("Some", &[&user]);
    tenant.get("/Users").expect(200);
    [format!("/Users/{user}"), format!("/Groups/{group}")]
}

const PROFILES: [&str; 2] = ["compat", "strict"];

#[test]
fn random_bytes_are_refused() {
    let world = World::new();
    for profile in PROFILES {
        let tenant = world.tenant(profile);
        let targets = targets(&tenant);
        proptest!(config(60), |(bytes in prop::collection::vec(any::<u8>(), 0..200))| {
            for (method, path) in [("POST", "/Users"), ("PUT", &targets[0]), ("PATCH", &targets[1]), ("POST", "/Groups")] {
                let status = check(&tenant, || send_raw(&tenant, method, path, Some("application/json"), &bytes))?;
                prop_assert_eq!(status, 400);
            }
        });
    }
}

#[test]
fn random_json_never_breaks_a_create_or_a_replace() {
    let world = World::new();
    for profile in PROFILES {
        let tenant = world.tenant(profile);
        let targets = targets(&tenant);
        proptest!(config(200), |(body in any_json(), with_name in any::<bool>())| {
            let mut body = body;
            if let (true, Some(object)) = (with_name, body.as_object_mut()) {
                object.insert("userName".to_owned(), "someone else".into());
                object.insert("displayName".to_owned(), "Some other".into());
            }
            let text = body.to_string();
            for (method, path) in [("POST", "/Users"), ("PUT", &targets[0]), ("POST", "/Groups"), ("PUT", &targets[1])] {
                check(&tenant, || send_text(&tenant, method, path, &text))?;
            }
        });
    }
}

#[test]
fn random_operations_never_break_a_patch() {
    let world = World::new();
    for profile in PROFILES {
        let tenant = world.tenant(profile);
        let targets = targets(&tenant);
        proptest!(config(400), |(body in any_patch())| {
            let text = body.to_string();
            for path in &targets {
                check(&tenant, || send_text(&tenant, "PATCH", path, &text))?;
            }
        });
    }
}

#[test]
fn random_filters_never_break_a_list() {
    let world = World::new();
    for profile in PROFILES {
        let tenant = world.tenant(profile);
        targets(&tenant);
        proptest!(config(600), |(filter in any_path())| {
            check(&tenant, || search(&tenant, &filter))?;
            let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
            check(&tenant, || tenant.get(&format!("/Groups?filter={query}")))?;
        });
    }
}

#[test]
fn random_parameters_never_break_a_list() {
    let world = World::new();
    let tenant = world.tenant("compat");
    targets(&tenant);
    let name = prop::sample::select(vec![
        "filter",
        "startIndex",
        "count",
        "sortBy",
        "sortOrder",
        "attributes",
        "excludedAttributes",
        "cursor",
        "x",
    ]);
    let value = prop_oneof![
        any_path(),
        any::<i64>().prop_map(|number| number.to_string()),
        ".{0,10}"
    ];
    proptest!(config(400), |(pairs in prop::collection::vec((name, value), 0..5))| {
        let query: String = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        for path in ["/Users", "/Groups"] {
            check(&tenant, || tenant.get(&format!("{path}?{query}")))?;
        }
    });
}

#[test]
fn random_conditions_never_break_a_request() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let targets = targets(&tenant);
    proptest!(config(100), |(value in "[ -~]{0,20}", number in any::<i64>())| {
        for value in [value, format!("W/\"{number}\""), format!("\"{number}\", *")] {
            for path in &targets {
                let headers = [("if-match", &*value), ("if-none-match", &*value), ("prefer", &*value)];
                let patch = json!({"Operations": [{"op": "replace", "path": "externalId", "value": "x"}]});
                let answer = tenant.send_with("PATCH", path, &headers, patch);
                prop_assert!(matches!(answer.status, 200 | 204 | 412), "{}", answer.body);
                let read = tenant.send_with("GET", path, &headers, Value::Null);
                prop_assert!(matches!(read.status, 200 | 304), "{}", read.body);
            }
        }
    });
}
