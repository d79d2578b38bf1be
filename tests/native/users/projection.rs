//! `attributes` and `excludedAttributes`, on every reply that carries a user (RFC 7644 §3.9).

use serde_json::{Value, json};

use super::{ENTERPRISE, USER, create, in_both, user_with};
use crate::support::Tenant;

fn rich() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE], "displayName": "Jane", "name": {"givenName": "Jane", "familyName": "Doe"},
        "emails": [{"value": "a@b.c", "type": "work"}, {"value": "x@y.z", "type": "home"}],
        ENTERPRISE: {"department": "HR", "employeeNumber": "7"},
    })
}

/// The user as each reply shows it with that query.
fn replies(tenant: &Tenant<'_>, query: &str) -> Vec<(&'static str, Value)> {
    let created = tenant.send("POST", &format!("/Users?{query}"), user_with("a", rich()));
    created.expect(201);
    let path = format!("/Users/{}", created.id());
    let with = format!("{path}?{query}");
    let read = tenant.get(&with);
    let patch = json!([{"op": "replace", "path": "nickName", "value": "J"}]);
    let undo = json!([{"op": "remove", "path": "nickName"}]);
    tenant.patch(&with, patch).expect(200);
    let patched = tenant.patch(&with, undo);
    let replaced = tenant.send("PUT", &with, user_with("a", rich()));
    let listed = tenant.get(&format!("/Users?{query}"));
    listed.expect(200);
    tenant.send("DELETE", &path, Value::Null).expect(204);
    vec![
        ("POST", created.body),
        ("GET", read.body),
        ("PATCH", patched.body),
        ("PUT", replaced.body),
        ("list", listed.body["Resources"][0].clone()),
    ]
}

#[track_caller]
fn expect_everywhere(tenant: &Tenant<'_>, query: &str, wanted: &Value) {
    for (reply, mut body) in replies(tenant, query) {
        let object = body.as_object_mut().expect("an object");
        let id = object.remove("id");
        assert!(id.is_some(), "the id is always returned, by {reply} too");
        if let Some(Value::Object(meta)) = object.get_mut("meta") {
            // They differ from reply to reply.
            meta.remove("version");
            meta.remove("location");
        }
        assert_eq!(body, *wanted, "{reply} with {query}");
    }
}

#[test]
fn attributes_are_all_that_is_returned_but_the_id_and_schemas() {
    in_both(|tenant| {
        let schemas = json!([USER, ENTERPRISE]);
        for (query, wanted) in [
            (
                "attributes=userName",
                json!({"schemas": schemas, "userName": "a"}),
            ),
            (
                "attributes=USERNAME,%20active",
                json!({"schemas": schemas, "userName": "a", "active": true}),
            ),
            (
                "attributes=name.givenName",
                json!({"schemas": schemas, "name": {"givenName": "Jane"}}),
            ),
            (
                "attributes=name",
                json!({"schemas": schemas, "name": {"givenName": "Jane", "familyName": "Doe"}}),
            ),
            (
                "attributes=emails.value",
                json!({"schemas": schemas, "emails": [{"value": "a@b.c"}, {"value": "x@y.z"}]}),
            ),
            (
                "attributes=urn:ietf:params:scim:schemas:core:2.0:User:userName",
                json!({"schemas": schemas, "userName": "a"}),
            ),
            (
                "attributes=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                json!({"schemas": schemas, ENTERPRISE: {"department": "HR"}}),
            ),
            (
                "attributes=urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                json!({"schemas": schemas, ENTERPRISE: {"department": "HR", "employeeNumber": "7"}}),
            ),
            (
                "attributes=meta.resourceType",
                json!({"schemas": schemas, "meta": {"resourceType": "User"}}),
            ),
            ("attributes=colour", json!({"schemas": schemas})),
            ("attributes=password", json!({"schemas": schemas})),
            ("attributes=id", json!({"schemas": schemas})),
        ] {
            expect_everywhere(tenant, query, &wanted);
        }
    });
}

#[test]
fn excluded_attributes_are_left_out_but_for_the_id_and_schemas() {
    in_both(|tenant| {
        let rest = "active,displayName,emails,meta,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let schemas = json!([USER, ENTERPRISE]);
        for (query, wanted) in [
            (format!("{rest},name"), json!({"schemas": schemas, "userName": "a"})),
            (format!("{rest},name.familyName"), json!({"schemas": schemas, "userName": "a", "name": {"givenName": "Jane"}})),
            (
                format!("{rest},name,id,schemas,colour"),
                json!({"schemas": schemas, "userName": "a"}),
            ),
            (
                "active,displayName,name,meta,emails.type,urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department".to_owned(),
                json!({
                    "schemas": schemas, "userName": "a", "emails": [{"value": "a@b.c"}, {"value": "x@y.z"}],
                    ENTERPRISE: {"employeeNumber": "7"},
                }),
            ),
        ] {
            expect_everywhere(tenant, &format!("excludedAttributes={query}"), &wanted);
        }
    });
}

#[test]
fn a_list_of_attributes_does_not_change_what_is_stored() {
    in_both(|tenant| {
        let created = create(tenant, "a", rich());
        let path = format!("/Users/{}", created.id());
        tenant
            .send(
                "PUT",
                &format!("{path}?attributes=userName"),
                user_with("a", rich()),
            )
            .expect(200);
        assert_eq!(tenant.get(&path).body, created.body);
    });
}

#[test]
fn groups_of_a_user_are_shown_with_their_names() {
    in_both(|tenant| {
        let user = tenant.user("a");
        let group = tenant.group("Admins", &[&user]);
        let path = format!("/Users/{user}");
        let reference = format!("{}{}/Groups/{group}", crate::support::ORIGIN, tenant.base());
        let plain =
            json!([{"value": group, "$ref": reference, "display": "Admins", "type": "direct"}]);
        assert_eq!(tenant.get(&path).body["groups"], plain);
        let named = tenant.get(&format!("{path}?attributes=groups.display,groups.value"));
        assert_eq!(
            named.body["groups"],
            json!([{"value": group, "display": "Admins"}])
        );
        let without = tenant.get(&format!(
            "{path}?excludedAttributes=groups.display,groups.$ref"
        ));
        assert_eq!(
            without.body["groups"],
            json!([{"value": group, "type": "direct"}])
        );
        assert!(
            tenant
                .get(&format!("{path}?excludedAttributes=groups"))
                .body
                .get("groups")
                .is_none()
        );
        assert!(
            tenant
                .get(&format!("{path}?attributes=userName"))
                .body
                .get("groups")
                .is_none()
        );
    });
}
