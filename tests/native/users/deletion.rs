//! A deleted user is gone for every client, and leaves what those need who ask what changed.

use serde_json::{Value, json};

use super::{create, in_both};

#[test]
fn a_deleted_user_is_404_and_its_names_are_free() {
    in_both(|tenant| {
        let more = json!({"externalId": "7", "emails": [{"value": "a@b.c", "type": "work"}]});
        let id = create(tenant, "a", more.clone()).id();
        let path = format!("/Users/{id}");
        let deleted = tenant.send("DELETE", &path, Value::Null);
        deleted.expect(204);
        assert_eq!((&deleted.body, deleted.header("etag")), (&Value::Null, ""));
        let body = super::user_body("a");
        let patch = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "add", "path": "title", "value": "x"}],
        });
        for (method, body) in [
            ("GET", Value::Null),
            ("PUT", body),
            ("PATCH", patch),
            ("DELETE", Value::Null),
        ] {
            tenant
                .send(method, &path, body)
                .expect_scim_error(404, "", "User");
        }
        assert_eq!(tenant.get("/Users").body["totalResults"], 0);
        for filter in [
            "userName eq \"a\"",
            "emails.value eq \"a@b.c\"",
            "emails[type eq \"work\" and value eq \"a@b.c\"]",
        ] {
            assert_eq!(tenant.find(filter), Vec::<String>::new());
        }
        let again = create(tenant, "a", more);
        assert_ne!(again.id(), id, "an id is never used again");
        assert_eq!(again.header("etag"), "W/\"1\"");
    });
}

#[test]
fn a_tombstone_stays_and_holds_no_personal_data() {
    in_both(|tenant| {
        // What was before is kept for its history, where the tenant wants one.
        let path = format!("/api/v1/admin/tenants/{}", tenant.id);
        let answer = tenant
            .world
            .admin("PATCH", &path, json!({"history_days": 0}));
        answer.expect(200);
        let id = create(
            tenant,
            "jane.doe@example.com",
            json!({"externalId": "ext-7", "title": "Secret title"}),
        )
        .id();
        tenant.world.clock.advance_seconds(9);
        tenant
            .send("DELETE", &format!("/Users/{id}"), Value::Null)
            .expect(204);
        let rows = tenant.world.database.texts(
            "select tenant_id || ' ' || resource_type || ' ' || id || ' ' || external_id || ' ' || deleted_at from tombstones",
        );
        let at = crate::support::START + 9_000;
        assert_eq!(rows, [format!("{} User {id} ext-7 {at}", tenant.id)]);
        let everything = format!("{:?}", tenant.world.database.dump());
        assert!(
            !everything.contains("jane.doe") && !everything.contains("Secret title"),
            "{everything}"
        );
        let event = tenant.world.database.texts(
            "select action || ' ' || resource_type || ' ' || resource_id || ' ' || attributes from audit_events order by seq desc",
        );
        assert_eq!(event[0], format!("delete User {id} []"));
    });
}

#[test]
fn a_deleted_user_leaves_its_groups_which_say_so() {
    in_both(|tenant| {
        let world = tenant.world;
        let (user, other) = (tenant.user("a"), tenant.user("b"));
        let both = tenant.group("Both", &[&user, &other]);
        let alone = tenant.group("Alone", &[&user]);
        let without = tenant.group("Without", &[&other]);
        world.clock.advance_seconds(30);
        tenant
            .send("DELETE", &format!("/Users/{user}"), Value::Null)
            .expect(204);
        for (group, members, version) in [
            (&both, vec![other.clone()], 2),
            (&alone, vec![], 2),
            (&without, vec![other.clone()], 1),
        ] {
            let read = tenant.get(&format!("/Groups/{group}"));
            assert_eq!(read.header("etag"), format!("W/\"{version}\""));
            assert_eq!(tenant.members(group), members);
            let count = world.database.number(&format!(
                "select member_count from groups where id = '{group}'"
            ));
            assert_eq!(count, i64::try_from(members.len()).expect("few"));
            let modified = if version == 2 {
                "2026-01-02T03:04:35.000Z"
            } else {
                "2026-01-02T03:04:05.000Z"
            };
            assert_eq!(read.body["meta"]["lastModified"], modified);
        }
        assert_eq!(
            world.database.number("select count(*) from group_members"),
            2
        );
    });
}

#[test]
fn a_user_in_200_groups_is_deleted_from_all_in_one_round_trip() {
    let world = crate::support::World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    for number in 0..200 {
        tenant.group(&format!("G{number}"), &[&user]);
    }
    let deleted = tenant.send("DELETE", &format!("/Users/{user}"), Value::Null);
    deleted.expect(204);
    assert_eq!(deleted.trips(), 1);
    assert_eq!(
        world.database.number("select count(*) from group_members"),
        0
    );
    assert_eq!(
        world
            .database
            .number("select count(*) from groups where member_count = 0 and version = 2"),
        200
    );
}
