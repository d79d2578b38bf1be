//! Two clients change the same group at once, or a member vanishes while it is put in.

use serde_json::{Value, json};

use super::{expect_count, group_body, patch_body, path};
use crate::support::{Tenant, World};
use crate::users::in_both_remembered_or_not;

fn add(user: &str) -> Value {
    json!([{"op": "add", "path": "members", "value": [{"value": user}]}])
}

/// What another client does to put a member in.
fn somebody_adds(tenant: &Tenant<'_>, group: &str, user: &str) -> [String; 2] {
    [
        format!(
            "insert into group_members (tenant_id, group_id, member_id, member_type) values ('{}', '{group}', '{user}', 'User')",
            tenant.id
        ),
        format!(
            "update groups set version = version + 1, member_count = member_count + 1 where id = '{group}'"
        ),
    ]
}

#[test]
fn members_added_by_two_clients_at_once_are_all_there() {
    in_both_remembered_or_not(|tenant| {
        let (mine, theirs) = (tenant.user("mine"), tenant.user("theirs"));
        let group = tenant.group("G", &[]);
        let [insert, update] = somebody_adds(tenant, &group, &theirs);
        tenant
            .world
            .database
            .interfere_before_write(&[&insert, &update]);
        let answer = tenant.patch(&path(&group), add(&mine));
        answer.expect(200);
        assert_eq!(answer.header("etag"), "W/\"3\"");
        let mut wanted = vec![mine, theirs];
        wanted.sort();
        assert_eq!(tenant.members(&group), wanted);
        expect_count(tenant, &group, 2);
    });
}

#[test]
fn the_same_member_added_by_two_clients_is_there_once() {
    in_both_remembered_or_not(|tenant| {
        let user = tenant.user("a");
        let group = tenant.group("G", &[]);
        let [insert, update] = somebody_adds(tenant, &group, &user);
        tenant
            .world
            .database
            .interfere_before_write(&[&insert, &update]);
        let answer = tenant.patch(&path(&group), add(&user));
        answer.expect(200);
        assert_eq!(
            answer.header("etag"),
            "W/\"2\"",
            "there was nothing left to do"
        );
        expect_count(tenant, &group, 1);
    });
}

#[test]
fn a_replace_that_lost_a_race_replaces_the_members_there_now() {
    in_both_remembered_or_not(|tenant| {
        let (mine, theirs) = (tenant.user("mine"), tenant.user("theirs"));
        let group = tenant.group("G", &[]);
        let [insert, update] = somebody_adds(tenant, &group, &theirs);
        tenant
            .world
            .database
            .interfere_before_write(&[&insert, &update]);
        tenant
            .send("PUT", &path(&group), group_body("G", &[&mine]))
            .expect(200);
        assert_eq!(tenant.members(&group), [mine]);
        expect_count(tenant, &group, 1);
    });
}

#[test]
fn with_a_tag_a_lost_race_is_412_and_changes_nothing() {
    in_both_remembered_or_not(|tenant| {
        let (mine, theirs) = (tenant.user("mine"), tenant.user("theirs"));
        for method in ["PATCH", "PUT"] {
            let group = tenant.group("G", &[]);
            let body = match method {
                "PUT" => group_body("H", &[&mine]),
                _ => patch_body(add(&mine)),
            };
            let [insert, update] = somebody_adds(tenant, &group, &theirs);
            tenant
                .world
                .database
                .interfere_before_write(&[&insert, &update]);
            let answer = tenant.send_with(method, &path(&group), &[("if-match", "W/\"1\"")], body);
            answer.expect_scim_error(412, "", "");
            assert_eq!(tenant.members(&group), vec![theirs.clone()]);
            tenant
                .send("DELETE", &path(&group), Value::Null)
                .expect(204);
        }
    });
}

#[test]
fn a_stale_tag_is_rejected() {
    in_both_remembered_or_not(|tenant| {
        let user = tenant.user("a");
        let group = tenant.group("G", &[]);
        tenant.patch(&path(&group), add(&user)).expect(200);
        let before = tenant.world.database.dump();
        for (method, body) in [
            (
                "PATCH",
                patch_body(json!([{"op": "remove", "path": "members"}])),
            ),
            ("PUT", group_body("H", &[])),
            ("DELETE", Value::Null),
        ] {
            let answer = tenant.send_with(method, &path(&group), &[("if-match", "W/\"1\"")], body);
            answer.expect_scim_error(412, "", "");
        }
        assert_eq!(tenant.world.database.dump(), before);
        let remove = patch_body(json!([{"op": "remove", "path": "members"}]));
        tenant
            .send_with("PATCH", &path(&group), &[("if-match", "W/\"2\"")], remove)
            .expect(200);
        tenant
            .send_with(
                "DELETE",
                &path(&group),
                &[("if-match", "W/\"3\"")],
                Value::Null,
            )
            .expect(204);
    });
}

/// Whoever is deleted between the look at them and the write is nobody then: `strict` says so, `compat` leaves them out.
#[test]
fn a_member_deleted_meanwhile_is_as_one_who_never_was() {
    for (profile, method) in ["compat", "strict"]
        .into_iter()
        .flat_map(|profile| ["PATCH", "PUT", "POST"].map(|method| (profile, method)))
    {
        let world = World::new();
        let tenant = &world.tenant(profile);
        let (stays, goes) = (tenant.user("stays"), tenant.user("goes"));
        let group = tenant.group("G", &[]);
        let all = "select id, version, member_count from groups";
        let before = world.database.query(all);
        let delete = format!("delete from users where id = '{goes}'");
        world.database.interfere_before_write(&[&delete]);
        let both = json!([{"value": stays}, {"value": goes}]);
        let answer = match method {
            "PATCH" => tenant.patch(
                &path(&group),
                json!([{"op": "add", "path": "members", "value": both}]),
            ),
            "PUT" => tenant.send("PUT", &path(&group), group_body("G", &[&stays, &goes])),
            _ => tenant.send("POST", "/Groups", group_body("New", &[&stays, &goes])),
        };
        if profile == "strict" {
            answer.expect_scim_error(400, "invalidValue", &goes);
            assert_eq!(world.database.query(all), before, "{method}");
            continue;
        }
        assert!([200, 201].contains(&answer.status), "{}", answer.body);
        let changed = answer.id();
        assert_eq!(answer.body["members"][0]["value"], *stays, "{method}");
        assert_eq!(tenant.members(&changed), [stays], "{method}");
        expect_count(tenant, &changed, 1);
    }
}

#[test]
fn a_group_deleted_between_read_and_write_is_404() {
    in_both_remembered_or_not(|tenant| {
        let user = tenant.user("a");
        let group = tenant.group("G", &[]);
        tenant
            .world
            .database
            .interfere_before_write(&["delete from groups"]);
        tenant
            .patch(&path(&group), add(&user))
            .expect_scim_error(404, "", "Group");
        assert_eq!(
            tenant
                .world
                .database
                .number("select count(*) from group_members"),
            0
        );
    });
}

#[test]
fn a_name_taken_between_read_and_write_is_409() {
    let world = crate::support::World::new();
    let tenant = world.tenant("compat");
    let (group, other) = (tenant.group("A", &[]), tenant.group("B", &[]));
    let take = format!(
        "update groups set version = version + 1, resource = json_set(resource, '$.displayName', 'Wanted'), \
         keys = json_set(keys, '$.displayname', 'wanted') where id = '{other}'"
    );
    world.database.interfere_before_write(&[&take]);
    let rename = json!([{"op": "replace", "path": "displayName", "value": "WANTED"}]);
    tenant
        .patch(&path(&group), rename)
        .expect_scim_error(409, "uniqueness", "displayName");
}
