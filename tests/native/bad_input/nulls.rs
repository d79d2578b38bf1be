//! Null among the values of an attribute.

use serde_json::json;

use crate::support::World;

#[test]
fn a_null_among_values_is_refused_in_strict_and_means_no_value_in_compat() {
    let user_schemas = json!(["urn:ietf:params:scim:schemas:core:2.0:User"]);
    let group_schemas = json!(["urn:ietf:params:scim:schemas:core:2.0:Group"]);
    for (profile, status) in [("compat", 200), ("strict", 400)] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let user = format!("/Users/{}", tenant.user("a"));
        let group = format!("/Groups/{}", tenant.group("G", &[]));
        let before = world.database.dump();
        let in_patch = |op: &str, name: &str| {
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{"op": op, "path": name, "value": [null]}]})
        };
        let new_user = json!({"schemas": user_schemas, "userName": "b", "emails": [null]});
        let new_group = json!({"schemas": group_schemas, "displayName": "H", "members": [null]});
        for (method, path, body, named) in [
            ("POST", "/Users", new_user.clone(), "emails[0]"),
            ("POST", "/Groups", new_group.clone(), "members[0]"),
            ("PUT", &user, new_user, "emails[0]"),
            ("PUT", &group, new_group, "members[0]"),
            ("PATCH", &user, in_patch("add", "emails"), "emails[0]"),
            ("PATCH", &user, in_patch("replace", "emails"), "emails[0]"),
            ("PATCH", &group, in_patch("add", "members"), "members[0]"),
            (
                "PATCH",
                &group,
                in_patch("replace", "members"),
                "members[0]",
            ),
        ] {
            println!("{profile} {method} {path} {body}");
            if status == 400 {
                let answer = tenant.send(method, path, body);
                answer.expect_scim_error(400, "invalidValue", named);
                assert_eq!(world.database.dump(), before);
            } else if named == "members[0]" {
                // Left out, it would empty the group.
                let answer = tenant.send(method, path, body);
                answer.expect_scim_error(400, "invalidValue", named);
            } else if method != "POST" {
                let answer = tenant.send(method, path, body);
                answer.expect(200);
                assert!(answer.body.get("emails").is_none(), "{}", answer.body);
            }
        }
    }
}
