//! Operations of Bulk requests, each wrong in its own way beside others that are not.

use serde_json::{Value, json};

use super::bulk::NOBODY;
use crate::bulk::{GROUP, USER, bulk, id_of, patch, post_group, post_user, statuses};
use crate::support::World;

/// Operations that fail in both profiles, with what is said of them; `{user}` is the path of a user that is there.
fn wrong_operations() -> Vec<(Value, u16, &'static str, &'static str)> {
    let data = json!({"schemas": [USER], "userName": "b"});
    let post = |path: Value| json!({"method": "POST", "bulkId": "b", "path": path, "data": data});
    let with = |mut operation: Value, name: &str, value: Value| {
        operation[name] = value;
        operation
    };
    let without = |mut operation: Value, name: &str| {
        operation.as_object_mut().unwrap().remove(name);
        operation
    };
    let put = json!({"method": "PUT", "path": "{user}", "data": data});
    let delete = json!({"method": "DELETE", "path": "{user}"});
    let rename = patch(
        "{user}",
        json!([{"op": "replace", "path": "userName", "value": "b"}]),
    );
    let syntax = |operation: Value, names: &'static str| (operation, 400, "invalidSyntax", names);
    let path = |operation: Value, names: &'static str| (operation, 400, "invalidPath", names);
    let value = |operation: Value, names: &'static str| (operation, 400, "invalidValue", names);
    vec![
        // No operation at all.
        syntax(json!("POST"), "Operations[1]"),
        syntax(json!(null), "Operations[1]"),
        syntax(json!([]), "Operations[1]"),
        syntax(json!({}), "Operations[1].method"),
        // The method.
        syntax(
            without(post(json!("/Users")), "method"),
            "Operations[1].method",
        ),
        syntax(
            with(post(json!("/Users")), "method", json!("GET")),
            "Operations[1].method",
        ),
        syntax(
            with(post(json!("/Users")), "method", json!("POST ")),
            "Operations[1].method",
        ),
        syntax(
            with(post(json!("/Users")), "method", json!("")),
            "Operations[1].method",
        ),
        syntax(
            with(post(json!("/Users")), "method", json!(1)),
            "Operations[1].method",
        ),
        syntax(
            with(post(json!("/Users")), "method", json!(null)),
            "Operations[1].method",
        ),
        syntax(
            with(post(json!("/Users")), "METHOD", json!("PUT")),
            "METHOD",
        ),
        // The path.
        syntax(without(post(json!("")), "path"), "Operations[1].path"),
        syntax(post(json!(null)), "Operations[1].path"),
        syntax(post(json!(5)), "Operations[1].path"),
        syntax(post(json!(["/Users"])), "Operations[1].path"),
        path(post(json!("")), "Operations[1].path"),
        path(post(json!("/")), "Operations[1].path `/`"),
        path(post(json!("Users")), "`Users`"),
        path(
            post(json!("/users")),
            "`/users` is nothing here; /Users and /Users/{id} are written like this",
        ),
        path(post(json!("/User")), "; /Users and /Users/{id} are"),
        path(
            with(delete.clone(), "path", json!("/GROUPS/1")),
            "; /Groups and /Groups/{id} are",
        ),
        path(post(json!("/Userss")), "`/Userss`"),
        path(post(json!("//Users")), "`//Users`"),
        path(post(json!("/Users?count=1")), "`/Users?count=1`"),
        path(
            post(json!("/Nothing")),
            "`/Nothing` is nothing here; it begins with /Users or /Groups",
        ),
        path(post(json!("/Bulk")), "`/Bulk`"),
        path(post(json!("/Me")), "`/Me`"),
        path(post(json!("/Schemas")), "`/Schemas`"),
        path(
            post(json!("/scim/v2/Users")),
            "`/scim/v2/Users` is nothing here; /Users and",
        ),
        path(
            post(json!("https://scim.example.com/scim/v2/Users")),
            "`https://scim",
        ),
        path(post(json!("{user}")), "Operations[1].path"),
        path(post(json!("/Users/.search")), "Operations[1].path"),
        path(
            with(delete.clone(), "path", json!("/Users")),
            "Operations[1].path",
        ),
        path(
            with(delete.clone(), "path", json!("/Users/")),
            "Operations[1].path",
        ),
        path(
            with(put.clone(), "path", json!("/Users")),
            "Operations[1].path",
        ),
        path(
            with(rename.clone(), "path", json!("/Groups")),
            "Operations[1].path",
        ),
        path(
            with(delete.clone(), "path", json!("{user}/emails")),
            "Operations[1].path",
        ),
        (
            with(delete.clone(), "path", json!(NOBODY)),
            404,
            "",
            "User was not found",
        ),
        (
            with(delete.clone(), "path", json!("/Users/x")),
            404,
            "",
            "User was not found",
        ),
        (
            with(delete.clone(), "path", json!("/Users/..%2fGroups")),
            404,
            "",
            "User was not found",
        ),
        (
            with(put.clone(), "path", json!(NOBODY)),
            404,
            "",
            "User was not found",
        ),
        (
            with(rename.clone(), "path", json!(NOBODY)),
            404,
            "",
            "User was not found",
        ),
        // The bulkId.
        syntax(
            with(post(json!("/Users")), "bulkId", json!(7)),
            "Operations[1].bulkId",
        ),
        syntax(
            with(post(json!("/Users")), "bulkId", json!({})),
            "Operations[1].bulkId",
        ),
        syntax(
            with(delete.clone(), "bulkId", json!(["a"])),
            "Operations[1].bulkId",
        ),
        value(
            with(post(json!("/Users")), "bulkId", json!("first")),
            "`first`",
        ),
        value(with(delete.clone(), "bulkId", json!("first")), "`first`"),
        // The data.
        syntax(without(post(json!("/Users")), "data"), "Operations[1].data"),
        syntax(
            with(post(json!("/Users")), "data", json!(null)),
            "Operations[1].data",
        ),
        syntax(
            with(post(json!("/Users")), "data", json!([])),
            "Operations[1].data",
        ),
        syntax(
            with(post(json!("/Users")), "data", json!("{}")),
            "Operations[1].data",
        ),
        syntax(without(put.clone(), "data"), "Operations[1].data"),
        syntax(with(put.clone(), "data", json!(1)), "Operations[1].data"),
        syntax(without(rename.clone(), "data"), "Operations[1].data"),
        syntax(
            with(rename.clone(), "data", json!([{"op": "add"}])),
            "Operations[1].data",
        ),
        value(
            with(post(json!("/Users")), "data", json!({"schemas": [USER]})),
            "userName",
        ),
        value(
            with(
                put.clone(),
                "data",
                json!({"schemas": [USER], "userName": "b", "emails": [{"value": {}}]}),
            ),
            "emails[0].value",
        ),
        syntax(
            patch("{user}", json!([{"op": "move", "path": "title"}])),
            "op",
        ),
        path(
            patch(
                "{user}",
                json!([{"op": "add", "path": "emails[", "value": 1}]),
            ),
            "emails[",
        ),
        (
            patch("{user}", json!([{"op": "remove"}])),
            400,
            "noTarget",
            "path",
        ),
        (
            with(
                post(json!("/Users")),
                "data",
                json!({"schemas": [USER], "userName": "FIRST"}),
            ),
            409,
            "uniqueness",
            "userName",
        ),
        // The version.
        value(
            with(delete.clone(), "version", json!(1)),
            "Operations[1].version",
        ),
        value(
            with(put.clone(), "version", json!(["W/\"1\""])),
            "Operations[1].version",
        ),
        (
            with(delete.clone(), "version", json!("W/\"2\"")),
            412,
            "",
            "W/\"1\"",
        ),
        (
            with(delete.clone(), "version", json!("nonsense")),
            412,
            "",
            "W/\"1\"",
        ),
        (with(put.clone(), "version", json!("")), 412, "", "W/\"1\""),
        (
            with(rename.clone(), "version", json!("W/\"1")),
            412,
            "",
            "W/\"1\"",
        ),
        // References to nothing.
        value(
            post_group("b", "B", json!([{"value": "bulkId:nobody"}])),
            "`bulkId:nobody`",
        ),
        value(
            post_group("b", "B", json!([{"value": "bulkId:"}])),
            "`bulkId:`",
        ),
        value(
            with(delete.clone(), "path", json!("/Users/bulkId:nobody")),
            "`bulkId:nobody`",
        ),
        value(
            patch(
                "{user}",
                json!([{"op": "remove", "path": "members[value eq \"bulkId:nobody\"]"}]),
            ),
            "`bulkId:nobody`",
        ),
        // To an operation that makes nothing, and to a resource of another type.
        value(
            patch(
                "/Users/bulkId:last",
                json!([{"op": "remove", "path": "title"}]),
            ),
            "`bulkId:last`",
        ),
        (
            with(delete.clone(), "path", json!("/Groups/bulkId:first")),
            404,
            "",
            "Group was not found",
        ),
        // In a path, to what is not there yet.
        (
            with(delete, "path", json!("/Users/bulkId:later")),
            404,
            "",
            "User was not found",
        ),
    ]
}

#[test]
fn a_wrong_operation_fails_alone_with_its_own_error() {
    for profile in ["compat", "strict"] {
        for (operation, status, scim_type, names) in wrong_operations() {
            println!("{profile} {operation}");
            let world = World::new();
            let tenant = world.tenant(profile);
            let user = format!("/Users/{}", tenant.user("there"));
            let text = operation.to_string().replace("{user}", &user);
            let operation: Value = serde_json::from_str(&text).unwrap();
            let answer = bulk(
                &tenant,
                json!([
                    post_user("first", "first"),
                    operation,
                    post_user("later", "later"),
                    {"method": "DELETE", "bulkId": "last", "path": NOBODY},
                ]),
            );
            let status = status.to_string();
            assert_eq!(statuses(&answer), ["201", status.as_str(), "201", "404"]);
            let failed = &answer.body["Operations"][1];
            let response = &failed["response"];
            assert_eq!(response["status"], status);
            assert_eq!(
                response["schemas"],
                json!(["urn:ietf:params:scim:api:messages:2.0:Error"])
            );
            let wanted = match scim_type {
                "" => Value::Null,
                wanted => Value::from(wanted),
            };
            assert_eq!(response["scimType"], wanted, "{response}");
            let detail = response["detail"].as_str().unwrap();
            assert!(detail.contains(names), "`{detail}` does not name `{names}`");
            assert!(failed.get("version").is_none(), "{failed}");
            // What it says of itself is repeated, so that the client knows which one it was.
            if let Some(bulk_id) = operation.get("bulkId").and_then(Value::as_str) {
                assert_eq!(failed["bulkId"], bulk_id);
            }
            assert_eq!(tenant.find("userName pr"), ["first", "later", "there"]);
            assert_eq!(tenant.get(&user).header("etag"), "W/\"1\"");
        }
    }
}

#[test]
fn a_reference_is_a_whole_text_or_stands_in_quotes() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let mut odd = post_user("odd", "odd");
    odd["data"]["title"] = json!("see bulkId:first");
    odd["data"]["nickName"] = json!("BULKID:first");
    odd["data"]["bulkId:first"] = json!("a name is none");
    odd["data"]["displayName"] = json!("bulkId:first");
    odd["data"]["emails"] = json!([{"value": "bulkId:odd"}]);
    let answer = bulk(&tenant, json!([post_user("first", "first"), odd]));
    assert_eq!(statuses(&answer), ["201", "201"]);
    let (first, odd) = (id_of(&answer, 0), id_of(&answer, 1));
    let user = tenant.get(&format!("/Users/{odd}")).body;
    assert_eq!(user["title"], "see bulkId:first");
    assert_eq!(user["nickName"], "BULKID:first");
    assert_eq!(user["displayName"], first);
    assert_eq!(user["emails"][0]["value"], odd);
    // A resource may refer to itself.
    let answer = bulk(
        &tenant,
        json!([{"method": "POST", "bulkId": "g", "path": "/Groups", "data": {
            "schemas": [GROUP], "displayName": "G", "members": [{"value": "bulkId:g", "type": "Group"}]}}]),
    );
    assert_eq!(statuses(&answer), ["201"]);
    assert_eq!(tenant.members(&id_of(&answer, 0)), [id_of(&answer, 0)]);
}
