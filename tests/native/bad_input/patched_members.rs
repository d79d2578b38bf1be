//! PATCH on a group's members that does not say whom it means.

use serde_json::json;

use super::patches::{operation, refused, target};
use crate::support::World;

#[test]
fn the_parts_of_a_member_are_immutable() {
    for path in [
        "members.value",
        "members.type",
        "members[value eq \"x\"].value",
        "members.$ref",
    ] {
        let body = operation(json!({"op": "replace", "path": path, "value": "x"}));
        refused("Group", &body, "mutability", path);
    }
    for op in ["add", "replace"] {
        let body = operation(
            json!({"op": op, "path": "members[value eq \"x\"]", "value": {"value": "y"}}),
        );
        refused("Group", &body, "invalidPath", "members");
    }
}

#[test]
fn members_without_an_id_are_an_invalid_value() {
    for value in [
        json!([{"type": "User"}]),
        json!([{}]),
        json!([null]),
        json!([{"$ref": null, "value": null}]),
        json!([5]),
        json!([{"value": {}}]),
    ] {
        for op in ["add", "replace"] {
            let body = operation(json!({"op": op, "path": "members", "value": value}));
            refused("Group", &body, "invalidValue", "members");
        }
    }
}

#[test]
fn an_operation_that_names_no_member_empties_no_group() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = target(&tenant, "Group");
    let before = tenant.get(&path);
    for value in [json!(null), json!([])] {
        let body = operation(json!({"op": "Remove", "path": "members", "value": value}));
        let answer = tenant.send("PATCH", &path, body);
        assert_eq!(answer.expect(200).body, before.body);
    }
    for members in [json!([null]), json!([{}]), json!([{"display": "x"}])] {
        let put = json!({"displayName": "A", "members": members});
        let answer = tenant.send("PUT", &path, put);
        answer.expect_scim_error(400, "invalidValue", "members[0]");
    }
    assert_eq!(tenant.get(&path).body, before.body);
    let body = operation(json!({"op": "Remove", "path": "members"}));
    assert_eq!(
        tenant.send("PATCH", &path, body).expect(200).body["members"],
        json!([])
    );
}
