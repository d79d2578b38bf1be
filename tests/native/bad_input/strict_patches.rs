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

#[test]
fn what_is_read_only_in_an_extension_is_refused_in_strict() {
    let managed = "urn:rollcall:scim:schemas:extension:2.0:Managed";
    for body in [
        json!({"op": "add", "path": managed, "value": {"managedBy": "me"}}),
        json!({"op": "add", "path": format!("{managed}:managedBy"), "value": "me"}),
        json!({"op": "add", "value": {managed: {"managedBy": "me"}}}),
        json!({"op": "remove", "path": managed}),
    ] {
        refused_in(
            "strict",
            "User",
            &operation(body),
            "mutability",
            "managedBy",
        );
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
