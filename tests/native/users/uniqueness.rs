//! Names that only one may have, whatever their case, in any script.

use serde_json::{Value, json};

use super::{create, in_both, user_body, user_with};
use crate::support::World;

#[test]
fn a_user_name_is_taken_in_any_case_of_any_script() {
    in_both(|tenant| {
        for (name, same) in [
            ("jane@example.com", "JANE@Example.COM"),
            ("Ärger", "ärger"),
            ("straße", "STRASSE"),
            ("Οδυσσεύς", "ΟΔΥΣΣΕΎΣ"),
            ("σίγμα-σς", "ΣΊΓΜΑ-ΣΣ"),
            ("привет", "ПРИВЕТ"),
            ("ﬁle", "FILE"),
        ] {
            let id = create(tenant, name, json!({})).id();
            let before = tenant.world.database.dump();
            tenant
                .send("POST", "/Users", user_body(same))
                .expect_scim_error(409, "uniqueness", "userName");
            let other = create(tenant, &format!("other than {name}"), json!({})).id();
            let path = format!("/Users/{other}");
            tenant
                .send("PUT", &path, user_body(same))
                .expect_scim_error(409, "uniqueness", "userName");
            tenant
                .patch(
                    &path,
                    json!([{"op": "replace", "path": "userName", "value": same}]),
                )
                .expect_scim_error(409, "uniqueness", "userName");
            tenant.send("DELETE", &path, Value::Null).expect(204);
            assert_eq!(
                before.iter().find(|(table, _)| table == "users"),
                tenant
                    .world
                    .database
                    .dump()
                    .iter()
                    .find(|(table, _)| table == "users")
            );
            assert_eq!(
                tenant.find(&format!("userName eq \"{same}\"")),
                [name],
                "{same}"
            );
            let renamed = tenant.send("PUT", &format!("/Users/{id}"), user_body(same));
            renamed.expect(200);
            assert_eq!(
                renamed.body["userName"], same,
                "one's own name may change its case"
            );
        }
    });
}

#[test]
fn names_that_only_look_alike_are_two_names() {
    in_both(|tenant| {
        for name in ["a", "а", "ı", "i", "e\u{301}", "e", "ss", "s"] {
            create(tenant, name, json!({}));
        }
    });
}

/// `externalId` is the client's own, and is not held to be unique (RFC 7643 §3.1).
#[test]
fn an_external_id_links_nothing_and_is_exact() {
    in_both(|tenant| {
        create(tenant, "a", json!({"externalId": "Ab"}));
        create(tenant, "b", json!({"externalId": "Ab"}));
        create(tenant, "c", json!({"externalId": "Ab", "active": false}));
        let other = create(tenant, "d", json!({"externalId": "aB"})).id();
        for name in ["e", "f"] {
            create(tenant, name, json!({}));
        }
        assert_eq!(tenant.find("externalId eq \"aB\""), ["d"]);
        assert_eq!(tenant.find("externalId eq \"Ab\""), ["a", "b", "c"]);
        assert_eq!(tenant.find("externalId eq \"AB\""), Vec::<String>::new());
        let path = format!("/Users/{other}");
        tenant
            .send("PUT", &path, user_with("d", json!({"externalId": "Ab"})))
            .expect(200);
        assert_eq!(tenant.find("externalId eq \"Ab\""), ["a", "b", "c", "d"]);
        let patch = |value: &str| {
            let operations = json!([{"op": "replace", "path": "externalId", "value": value}]);
            tenant.patch(&path, operations).expect(200);
        };
        patch("x");
        patch("Ab");
        let find = "externalId eq \"Ab\" and active eq true";
        assert_eq!(tenant.find(find), ["a", "b", "d"]);
        // What a retried POST runs into is the name, and nobody is linked by the number.
        tenant
            .send(
                "POST",
                "/Users",
                user_with("a", json!({"externalId": "Ab"})),
            )
            .expect_scim_error(409, "uniqueness", "userName");
        assert_eq!(tenant.get("/Users").body["totalResults"], 6);
    });
}

#[test]
fn a_refused_create_leaves_no_trace() {
    in_both(|tenant| {
        create(tenant, "a", json!({}));
        let before = tenant.world.database.dump();
        tenant
            .send(
                "POST",
                "/Users",
                user_with("A", json!({"emails": [{"value": "x@y.z"}]})),
            )
            .expect(409);
        tenant.get("/Users").expect(200);
        let rows = |dump: &[(String, Vec<Vec<rollcall::store::Value>>)]| {
            dump.iter()
                .filter(|(table, _)| table != "scim_tokens")
                .cloned()
                .collect::<Vec<_>>()
        };
        assert_eq!(rows(&tenant.world.database.dump()), rows(&before));
        assert_eq!(tenant.get("/Users").body["totalResults"], 1);
    });
}

/// Whoever has the name keeps it, active or not: a POST takes nobody over (dialect O05).
#[test]
fn a_post_takes_nobody_over() {
    in_both(|tenant| {
        let jane = create(
            tenant,
            "jane",
            json!({"externalId": "0", "title": "Boss", "active": false}),
        )
        .id();
        create(tenant, "joe", json!({"externalId": "1"}));
        let admins = tenant.group("Admins", &[&jane]);
        let path = format!("/Users/{jane}");
        let before = tenant.get(&path).body.clone();
        assert_eq!(before["groups"][0]["value"], admins);
        for (body, says) in [
            (user_body("jane"), "inactive"),
            (user_body("JANE"), "inactive"),
            (user_with("jane", json!({"externalId": "0"})), "inactive"),
            (user_with("jane", json!({"externalId": "9"})), "inactive"),
            (user_with("jane", json!({"active": false})), "inactive"),
            (
                user_with("joe", json!({"externalId": "0"})),
                "has this userName",
            ),
            (user_body("JOE"), "has this userName"),
        ] {
            let refused = tenant.send("POST", "/Users", body.clone());
            refused.expect_scim_error(409, "uniqueness", "userName");
            let detail = refused.body["detail"].as_str().unwrap();
            assert!(detail.contains(says), "{body}: {detail}");
            assert_eq!(
                detail.contains(&format!("/scim/v2/Users/{jane}")),
                says == "inactive",
                "{body}: {detail}"
            );
            assert!(refused.trips() <= 2, "{}", refused.trips());
            assert_eq!(tenant.get(&path).body, before, "{body}");
        }
        assert_eq!(tenant.get("/Users").body["totalResults"], 2);
        // What the detail says works.
        let on = tenant.patch(
            &path,
            json!([{"op": "replace", "path": "active", "value": true}]),
        );
        assert_eq!(on.expect(200).body["active"], true);
        let refused = tenant.send("POST", "/Users", user_body("jane"));
        refused.expect_scim_error(409, "uniqueness", "userName");
        assert!(
            !refused.body["detail"]
                .as_str()
                .unwrap()
                .contains("inactive")
        );
    });
}

#[test]
fn a_user_whose_active_is_unassigned_is_not_called_inactive() {
    let world = World::new();
    let tenant = world.tenant("strict");
    create(&tenant, "jane", json!({}));
    world.database.execute(
        "update users set resource = json_remove(resource, '$.active'), keys = json_remove(keys, '$.active')",
    );
    let refused = tenant.send("POST", "/Users", user_body("jane"));
    refused.expect_scim_error(409, "uniqueness", "userName");
    assert!(
        !refused.body["detail"]
            .as_str()
            .unwrap()
            .contains("inactive")
    );
}
