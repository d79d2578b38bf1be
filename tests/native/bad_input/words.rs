//! The words of errors about bodies of admin routes.

use serde_json::json;

use crate::support::World;

/// What is wrong is told in words of JSON and of this project, without the value.
#[test]
fn what_is_wrong_with_a_field_is_said_in_plain_words() {
    let world = World::new();
    let cases = [
        (
            json!({"name": 1}),
            "name",
            "it takes a string, not a whole number",
        ),
        (json!({"name": null}), "name", "it takes a string, not null"),
        (
            json!({"name": ["x"]}),
            "name",
            "it takes a string, not an array",
        ),
        (
            json!({"name": {"x": 1}}),
            "name",
            "it takes a string, not an object",
        ),
        (json!({}), "name", "it is required"),
        (
            json!({"name": "x", "nme": "x"}),
            "nme",
            "there is no such field",
        ),
        (
            json!({"name": "x", "scim_profile": "loose"}),
            "scim_profile",
            "it is one of compat, strict",
        ),
        (
            json!({"name": "x", "store_passwords": "yes"}),
            "store_passwords",
            "it takes true or false, not a string",
        ),
    ];
    for (body, field, message) in cases {
        let answer = world.admin("POST", "/api/v1/admin/tenants/", body.clone());
        answer.expect(422);
        let told = &answer.body["detail"][0];
        assert_eq!(told["loc"], json!(["body", field]), "{body}");
        assert_eq!(told["msg"], message, "{body}");
    }
}
