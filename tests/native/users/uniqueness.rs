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

#[test]
fn an_external_id_is_unique_and_exact() {
    in_both(|tenant| {
        create(tenant, "a", json!({"externalId": "Ab"}));
        let other = create(tenant, "b", json!({"externalId": "aB"})).id();
        tenant
            .send(
                "POST",
                "/Users",
                user_with("c", json!({"externalId": "Ab"})),
            )
            .expect_scim_error(409, "uniqueness", "externalId");
        let path = format!("/Users/{other}");
        tenant
            .send("PUT", &path, user_with("b", json!({"externalId": "Ab"})))
            .expect_scim_error(409, "uniqueness", "externalId");
        tenant
            .patch(
                &path,
                json!([{"op": "add", "path": "externalId", "value": "Ab"}]),
            )
            .expect_scim_error(409, "uniqueness", "externalId");
        assert_eq!(tenant.find("externalId eq \"aB\""), ["b"]);
        assert_eq!(tenant.find("externalId eq \"AB\""), Vec::<String>::new());
        for name in ["c", "d"] {
            create(tenant, name, json!({}));
        }
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

#[test]
fn compat_restores_an_inactive_user_and_strict_does_not() {
    let world = World::new();
    let compat = world.tenant("compat");
    let old = create(
        &compat,
        "jane",
        json!({"externalId": "7", "title": "Boss", "active": false}),
    )
    .id();
    let again = compat.send(
        "POST",
        "/Users",
        user_with("JANE", json!({"externalId": "7"})),
    );
    again.expect(201);
    assert_eq!((again.id(), &again.body["active"]), (old, &json!(true)));
    assert!(again.body.get("title").is_none());
    assert_eq!(compat.get("/Users").body["totalResults"], 1);
    let strict = world.tenant("strict");
    create(&strict, "jane", json!({"active": false}));
    strict
        .send("POST", "/Users", user_body("jane"))
        .expect_scim_error(409, "uniqueness", "userName");
}

#[test]
fn a_name_and_an_external_id_of_two_inactive_users_restore_neither() {
    let world = World::new();
    let tenant = world.tenant("compat");
    create(&tenant, "a", json!({"externalId": "1", "active": false}));
    create(&tenant, "b", json!({"externalId": "2", "active": false}));
    let mixed = tenant.send("POST", "/Users", user_with("a", json!({"externalId": "2"})));
    assert_eq!(mixed.status, 409, "{}", mixed.body);
    assert_eq!(tenant.find("active eq false"), ["a", "b"]);
}

#[test]
fn a_restored_user_is_shown_with_its_groups() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let ada = tenant.user("ada");
    let staff = tenant.group("Staff", &[&ada]);
    let deactivate = || {
        let operations = json!([{"op": "replace", "path": "active", "value": false}]);
        tenant
            .patch(&format!("/Users/{ada}"), operations)
            .expect(200);
    };
    deactivate();
    let restored = tenant.send("POST", "/Users", json!({"userName": "Ada"}));
    assert_eq!(restored.expect(201).id(), ada);
    assert_eq!(restored.body["groups"][0]["value"], staff);
    assert_eq!(restored.body, tenant.get(&format!("/Users/{ada}")).body);
    deactivate();
    let path = "/Users?attributes=groups.display";
    let restored = tenant.send("POST", path, json!({"userName": "Ada"}));
    assert_eq!(
        restored.expect(201).body["groups"],
        json!([{"display": "Staff"}])
    );
}
