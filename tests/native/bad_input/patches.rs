//! PATCH bodies that do not hold: nothing of such a body is done.

use serde_json::{Value, json};

use crate::support::{Tenant, World};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

pub fn operation(operation: Value) -> Value {
    json!({"schemas": [PATCH_OP], "Operations": [operation]})
}

/// Both profiles refuse the body with these words, and change nothing.
#[track_caller]
pub fn refused(resource: &str, body: &Value, scim_type: &str, named: &str) {
    for profile in ["compat", "strict"] {
        refused_in(profile, resource, body, scim_type, named);
    }
}

#[track_caller]
pub fn refused_in(profile: &str, resource: &str, body: &Value, scim_type: &str, named: &str) {
    let world = World::new();
    let tenant = world.tenant(profile);
    let path = target(&tenant, resource);
    tenant.get(&path).expect(200);
    let before = world.database.dump();
    println!("{profile} {resource} {body}");
    tenant
        .send("PATCH", &path, body.clone())
        .expect_scim_error(400, scim_type, named);
    assert_eq!(world.database.dump(), before);
}

pub fn target(tenant: &Tenant<'_>, resource: &str) -> String {
    match resource {
        "User" => format!("/Users/{}", tenant.user("a")),
        _ => {
            let member = tenant.user("a");
            format!("/Groups/{}", tenant.group("A", &[&member]))
        }
    }
}

#[test]
fn a_body_without_operations_is_invalid_syntax() {
    for resource in ["User", "Group"] {
        for (body, named) in [
            (json!({"schemas": [PATCH_OP]}), "Operations"),
            (
                json!({"schemas": [PATCH_OP], "Operations": null}),
                "Operations",
            ),
            (
                json!({"schemas": [PATCH_OP], "Operations": {}}),
                "Operations",
            ),
            (
                json!({"schemas": [PATCH_OP], "Operations": "add"}),
                "Operations",
            ),
            (
                json!({"schemas": [PATCH_OP], "Operations": [5]}),
                "Operations[0]",
            ),
            (
                json!({"schemas": [PATCH_OP], "Operations": [[]]}),
                "Operations[0]",
            ),
            (
                json!({"schemas": [PATCH_OP], "Operations": [null]}),
                "Operations[0]",
            ),
        ] {
            refused(resource, &body, "invalidSyntax", named);
        }
        let none = json!({"schemas": [PATCH_OP], "Operations": []});
        refused_in("strict", resource, &none, "invalidSyntax", "Operations");
    }
}

/// A client that has nothing to change says so, and is told that it is as it was.
#[test]
fn a_body_with_no_operations_changes_nothing_in_compat() {
    for resource in ["User", "Group"] {
        let world = World::new();
        let tenant = world.tenant("compat");
        let path = target(&tenant, resource);
        let before = tenant.get(&path);
        let rows = world.database.dump();
        let answer = tenant.patch(&path, json!([]));
        assert_eq!(answer.expect(200).body, before.body);
        assert_eq!(answer.header("etag"), before.header("etag"));
        assert_eq!(world.database.dump(), rows);
    }
}

#[test]
fn strict_wants_the_schema_of_a_patch() {
    let operations = json!([{"op": "add", "path": "externalId", "value": "x"}]);
    for body in [
        json!({"Operations": operations}),
        json!({"schemas": [], "Operations": operations}),
        json!({"schemas": PATCH_OP, "Operations": operations}),
        json!({"schemas": ["urn:example:x"], "Operations": operations}),
    ] {
        refused_in("strict", "User", &body, "invalidSyntax", PATCH_OP);
    }
    let body = json!({"schemas": [PATCH_OP], "Operations": operations, "more": 1});
    refused_in("strict", "User", &body, "invalidSyntax", "more");
}

#[test]
fn an_operation_is_add_replace_or_remove() {
    for (op, named) in [
        (json!("move"), "move"),
        (json!(""), "op"),
        (json!(null), "op"),
        (json!(1), "op"),
        (json!(["add"]), "op"),
    ] {
        refused(
            "User",
            &operation(json!({"op": op, "path": "title", "value": "x"})),
            "invalidSyntax",
            named,
        );
    }
    refused(
        "User",
        &operation(json!({"path": "title", "value": "x"})),
        "invalidSyntax",
        "Operations[0].op",
    );
}

#[test]
fn add_and_replace_need_a_value() {
    for op in ["add", "replace"] {
        for resource in ["User", "Group"] {
            let body = operation(json!({"op": op, "path": "externalId"}));
            refused(resource, &body, "invalidSyntax", "value");
            refused(
                resource,
                &operation(json!({"op": op})),
                "invalidSyntax",
                "value",
            );
            for value in [json!("x"), json!(5), json!([]), json!(null)] {
                refused(
                    resource,
                    &operation(json!({"op": op, "value": value})),
                    "invalidValue",
                    "path",
                );
            }
        }
    }
}

#[test]
fn remove_without_a_path_has_no_target() {
    for resource in ["User", "Group"] {
        for body in [
            json!({"op": "remove"}),
            json!({"op": "remove", "value": {"title": "x"}}),
            json!({"op": "remove", "path": null}),
        ] {
            refused(resource, &operation(body), "noTarget", "Operations[0]");
        }
    }
}

#[test]
fn a_path_that_leads_nowhere_is_an_invalid_path_in_strict() {
    for (path, named) in [
        ("colour", "colour"),
        ("name.nick", "name.nick"),
        ("userName.first", "userName.first"),
        ("name.givenName.x", "name.givenName.x"),
        ("urn:example:x", "urn:example:x"),
        (
            "urn:ietf:params:scim:schemas:core:2.0:User:colour",
            "colour",
        ),
        ("emails[type eq \"work\"].colour", "colour"),
        ("emails[type eq \"work\"].value.x", "value.x"),
        ("userName[value eq \"x\"]", "userName"),
        ("active[value eq true]", "active"),
        ("name.givenName[value eq \"x\"]", "name.givenName"),
        ("emails.value[type eq \"work\"]", "emails.value"),
    ] {
        for op in [
            json!({"op": "replace", "path": path, "value": "x"}),
            json!({"op": "remove", "path": path}),
        ] {
            refused_in("strict", "User", &operation(op), "invalidPath", named);
        }
    }
}

#[test]
fn a_text_that_is_no_path_is_an_invalid_path() {
    for (path, named) in [
        (".", "."),
        ("emails[type eq \"work\"", "bracket"),
        ("colour[type eq \"work\"", "bracket"),
        ("emails[type eq \"work\"]x", "goes on"),
        ("colour[type eq \"work\"]x", "goes on"),
        ("emails[type eq \"work\"].", "goes on"),
        ("[type eq \"work\"]", "[type"),
        ("emails]", "emails]"),
        ("emails type", "emails type"),
        ("🦀", "🦀"),
    ] {
        for op in [
            json!({"op": "replace", "path": path, "value": "x"}),
            json!({"op": "remove", "path": path}),
        ] {
            refused("User", &operation(op), "invalidPath", named);
        }
    }
    for path in [json!(5), json!([]), json!({}), json!(true)] {
        refused(
            "User",
            &operation(json!({"op": "add", "path": path, "value": "x"})),
            "invalidPath",
            "path",
        );
    }
}

#[test]
fn a_malformed_filter_in_a_path_is_an_invalid_filter() {
    for (path, named) in [
        ("emails[]", "position"),
        ("emails[type]", "an operator"),
        ("emails[type eq]", "an operator"),
        ("emails[type eq ]", "the filter ends"),
        ("emails[type eq \"work]", "closed"),
        ("emails[primary gt true]", "primary"),
        ("emails[not type eq \"work\"]", "`not`"),
        ("emails[type eq \"work\" or]", "the filter ends"),
    ] {
        // `emails[type eq]` is short of a value, which the message may call by any name.
        let named = if path == "emails[type eq]" {
            "the filter ends"
        } else {
            named
        };
        refused(
            "User",
            &operation(json!({"op": "remove", "path": path})),
            "invalidFilter",
            named,
        );
    }
    let unknown = json!({"op": "remove", "path": "emails[colour eq \"x\"]"});
    refused_in(
        "strict",
        "User",
        &operation(unknown),
        "invalidFilter",
        "colour",
    );
    let unknown = json!({"op": "remove", "path": "colour[type eq]"});
    refused(
        "User",
        &operation(unknown),
        "invalidFilter",
        "the filter ends",
    );
}

#[test]
fn what_is_read_only_is_not_the_clients_to_change_in_strict() {
    for path in [
        "id",
        "meta",
        "meta.created",
        "meta.version",
        "groups",
        "groups[value eq \"x\"]",
        "groups.value",
    ] {
        for op in [
            json!({"op": "replace", "path": path, "value": "x"}),
            json!({"op": "add", "path": path, "value": "x"}),
            json!({"op": "remove", "path": path}),
        ] {
            refused_in("strict", "User", &operation(op), "mutability", path);
        }
    }
    for attribute in ["id", "meta", "groups"] {
        let body = operation(json!({"op": "replace", "value": {attribute: "x"}}));
        refused_in("strict", "User", &body, "mutability", attribute);
    }
    let manager = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.displayName";
    refused_in(
        "strict",
        "User",
        &operation(json!({"op": "replace", "path": manager, "value": "x"})),
        "mutability",
        "urn:",
    );
}

#[test]
fn what_is_required_cannot_be_taken_away() {
    refused(
        "User",
        &operation(json!({"op": "remove", "path": "userName"})),
        "mutability",
        "userName",
    );
    refused(
        "Group",
        &operation(json!({"op": "remove", "path": "displayName"})),
        "mutability",
        "displayName",
    );
    for value in [json!(null), json!("")] {
        refused(
            "User",
            &operation(json!({"op": "replace", "path": "userName", "value": value})),
            "invalidValue",
            "userName",
        );
        refused(
            "Group",
            &operation(json!({"op": "replace", "path": "displayName", "value": value})),
            "invalidValue",
            "displayName",
        );
    }
}

#[test]
fn a_filter_that_matches_nothing_has_no_target_in_strict() {
    for op in [
        json!({"op": "remove", "path": "emails[type eq \"work\"]"}),
        json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": "x"}),
    ] {
        refused_in("strict", "User", &operation(op), "noTarget", "emails");
    }
}

/// What names nobody takes nobody away: only a removal that says nothing more empties a group.
#[test]
fn one_bad_operation_undoes_the_good_ones() {
    for good_first in [true, false] {
        for resource in ["User", "Group"] {
            let good = json!({"op": "replace", "path": "externalId", "value": "x"});
            let bad = json!({"op": "replace", "path": "not a path", "value": "x"});
            let (operations, index) = match good_first {
                true => (json!([good, bad]), "Operations[1]"),
                false => (json!([bad, good]), "Operations[0]"),
            };
            refused(
                resource,
                &json!({"schemas": [PATCH_OP], "Operations": operations}),
                "invalidPath",
                index,
            );
        }
    }
}

#[test]
fn a_patch_may_have_1000_operations() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = format!("/Users/{}", tenant.user("a"));
    let many = |count: usize| -> Value {
        (0..count)
            .map(|number| json!({"op": "replace", "path": "title", "value": number.to_string()}))
            .collect()
    };
    let done = tenant.patch(&path, many(1_000));
    done.expect(200);
    assert_eq!(done.body["title"], "999");
    tenant
        .patch(&path, many(1_001))
        .expect_scim_error(400, "invalidSyntax", "1000");
}

#[test]
fn values_and_operations_have_limits_however_they_come() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let emails = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|index| json!({"value": format!("{index}@example.com")}))
            .collect()
    };
    let user = |count: usize| json!({"userName": format!("u{count}"), "emails": emails(count)});
    tenant
        .send("POST", "/Users", user(501))
        .expect_scim_error(400, "invalidValue", "emails");
    let id = tenant.send("POST", "/Users", user(500)).expect(201).id();
    let path = format!("/Users/{id}");
    let one_more =
        json!([{"op": "add", "path": "emails", "value": [{"value": "one@example.com"}]}]);
    tenant
        .patch(&path, one_more)
        .expect_scim_error(400, "invalidValue", "500");
    let one_more =
        json!([{"op": "add", "path": "emails[type eq \"x\"].value", "value": "one@example.com"}]);
    tenant
        .patch(&path, one_more)
        .expect_scim_error(400, "invalidValue", "500");
    let many: serde_json::Map<String, Value> = (0..1_001)
        .map(|index| (format!("emails[value eq \"{index}\"].type"), json!("x")))
        .collect();
    tenant
        .patch(&path, json!([{"op": "replace", "value": many}]))
        .expect_scim_error(400, "invalidSyntax", "1000");
}
