//! PATCH bodies that `strict` takes at their word, where `compat` sees what is meant.

use serde_json::json;

use super::patches::{operation, refused_in, target};
use crate::support::World;

#[test]
fn strict_takes_no_schemas_that_a_resource_does_not_have() {
    const CORE: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    for op in ["add", "replace"] {
        for value in [json!(["urn:example:x"]), json!("urn:example:x"), json!([5])] {
            for body in [
                json!({"op": op, "path": "schemas", "value": value}),
                json!({"op": op, "value": {"schemas": value, "title": "x"}}),
            ] {
                refused_in(
                    "strict",
                    "User",
                    &operation(body),
                    "invalidSyntax",
                    "schemas",
                );
            }
        }
        let twice = json!({"op": op, "path": "schemas", "value": [CORE, CORE]});
        refused_in(
            "strict",
            "User",
            &operation(twice),
            "invalidSyntax",
            "schemas[1]",
        );
    }
    let without_core = json!({"op": "replace", "path": "schemas", "value": []});
    refused_in(
        "strict",
        "User",
        &operation(without_core),
        "invalidSyntax",
        CORE,
    );
    let removed = json!({"op": "remove", "path": "schemas"});
    refused_in(
        "strict",
        "User",
        &operation(removed),
        "mutability",
        "schemas",
    );

    // What a client was given it may send back.
    let world = World::new();
    let tenant = world.tenant("strict");
    let path = target(&tenant, "User");
    let back = operation(json!({"op": "replace", "value": {"schemas": [CORE], "title": "x"}}));
    let answer = tenant.send("PATCH", &path, back);
    assert_eq!(answer.expect(200).body["title"], "x");
}

/// RFC 7644 §3.5.2 names no case, and strict asks for none.
#[test]
fn an_op_is_the_same_in_any_case() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let path = target(&tenant, "User");
    for (op, wanted) in [
        ("Add", json!("x")),
        ("REPLACE", json!("x")),
        ("rEmOvE", json!(null)),
    ] {
        let mut operation = json!({"op": op, "path": "title"});
        if !wanted.is_null() {
            operation["value"] = wanted.clone();
        }
        let answer = tenant.patch(&path, json!([operation]));
        assert_eq!(answer.expect(200).body["title"], wanted, "{op}");
    }
}

/// The id that a resource has is no change of it, wherever it stands; another one is.
#[test]
fn the_own_id_is_no_change_in_strict() {
    let world = World::new();
    let tenant = world.tenant("strict");
    for resource in ["User", "Group"] {
        let name = match resource {
            "User" => "userName",
            _ => "displayName",
        };
        let path = target(&tenant, resource);
        let (_, id) = path.rsplit_once('/').expect("an id");
        for op in ["add", "replace"] {
            let new = format!("{resource} {op}");
            let value = json!({"id": id, name: new});
            let answer = tenant.patch(&path, json!([{"op": op, "value": value}]));
            assert_eq!(answer.expect(200).body[name], new.as_str());
            let before = tenant.get(&path);
            let alone = json!([{"op": op, "path": "id", "value": id}]);
            assert_eq!(tenant.patch(&path, alone).expect(200).body, before.body);
            let data = operation(json!({"op": op, "value": {"ID": id}}));
            let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                "Operations": [{"method": "PATCH", "path": path, "data": data}]});
            let answer = tenant.send("POST", "/Bulk", bulk);
            assert_eq!(answer.expect(200).body["Operations"][0]["status"], "200");
            for other in [
                json!("x"),
                json!(id.to_uppercase()),
                json!(null),
                json!([id]),
            ] {
                let body = json!([{"op": op, "value": {"id": other, name: "other"}}]);
                let answer = tenant.patch(&path, body);
                answer.expect_scim_error(400, "mutability", "id");
            }
            assert_eq!(tenant.get(&path).body, before.body);
        }
        let removed = json!([{"op": "remove", "path": "id"}]);
        tenant
            .patch(&path, removed)
            .expect_scim_error(400, "mutability", "id");
    }
}

#[test]
fn a_removal_has_no_value_in_strict() {
    for (resource, path, value) in [
        ("User", "title", json!("x")),
        ("User", "name.givenName", json!("x")),
        ("User", "emails", json!([{"value": "x"}])),
        ("User", "emails[type eq \"work\"]", json!({"value": "x"})),
        ("User", "emails[type eq \"work\"].value", json!("x")),
        ("Group", "members", json!([{"value": "x"}])),
        ("Group", "members", json!(null)),
    ] {
        let body = operation(json!({"op": "remove", "path": path, "value": value}));
        refused_in("strict", resource, &body, "invalidSyntax", "value");
    }
}

#[test]
fn names_below_an_extension_are_no_paths_in_strict() {
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    for body in [
        json!({"op": "add", "path": enterprise, "value": {"manager.value": "x"}}),
        json!({"op": "add", "value": {enterprise: {"manager.value": "x"}}}),
    ] {
        refused_in(
            "strict",
            "User",
            &operation(body),
            "invalidPath",
            "manager.value",
        );
    }
}
