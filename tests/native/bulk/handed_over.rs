//! Names, members and versions that go from one operation to the next.

use serde_json::json;

use super::{GROUP, USER, assert_consistent, bulk, id_of, patch, post_user, statuses};
use crate::support::World;

#[test]
fn a_member_deleted_before_its_group_changes_is_counted_once() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let (ada, bob) = (tenant.user("ada"), tenant.user("bob"));
        let group = tenant.group("Staff", &[&ada, &bob]);
        let answer = bulk(
            &tenant,
            json!([
                {"method": "DELETE", "path": format!("/Users/{ada}")},
                {"method": "PUT", "path": format!("/Groups/{group}"), "data": {
                    "schemas": [GROUP], "displayName": "Staff", "members": [{"value": bob}]}},
            ]),
        );
        assert_eq!(statuses(&answer), ["204", "200"]);
        assert_eq!(tenant.members(&group), vec![bob]);
        assert_consistent(&world);
    }
}

#[test]
fn names_change_hands_in_a_row_and_in_a_circle() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (a, b) = (tenant.user("a"), tenant.user("b"));
    let rename = |id: &str, name: &str| {
        patch(
            &format!("/Users/{id}"),
            json!([{"op": "replace", "path": "userName", "value": name}]),
        )
    };
    let answer = bulk(
        &tenant,
        json!([
            patch(
                &format!("/Users/{a}"),
                json!([{"op": "add", "path": "title", "value": "x"}])
            ),
            rename(&b, "c"),
            rename(&a, "b"),
        ]),
    );
    assert_eq!(statuses(&answer), ["200", "200", "200"]);
    assert_eq!(answer.trips(), 2);
    let answer = bulk(
        &tenant,
        json!([rename(&a, "tmp"), rename(&b, "b"), rename(&a, "c")]),
    );
    assert_eq!(statuses(&answer), ["200", "200", "200"]);
    assert_eq!(tenant.get(&format!("/Users/{a}")).body["userName"], "c");
    assert_eq!(tenant.find("userName eq \"B\""), ["b"]);
    let (g, h) = (tenant.group("G", &[]), tenant.group("H", &[]));
    let rename = |id: &str, name: &str| {
        patch(
            &format!("/Groups/{id}"),
            json!([{"op": "replace", "path": "displayName", "value": name}]),
        )
    };
    let answer = bulk(
        &tenant,
        json!([rename(&g, "tmp"), rename(&h, "G"), rename(&g, "H")]),
    );
    assert_eq!(statuses(&answer), ["200", "200", "200"]);
    tenant
        .send("POST", "/Groups", json!({"displayName": "g"}))
        .expect_scim_error(409, "uniqueness", "displayName");
    assert_consistent(&world);
}

#[test]
fn a_group_that_loses_a_member_again_has_another_version() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let ada = tenant.user("ada");
    let group = tenant.group("Staff", &[]);
    let path = format!("/Groups/{group}");
    let answer = bulk(
        &tenant,
        json!([
            patch(&path, json!([{"op": "add", "path": "members", "value": [{"value": ada}]}])),
            {"method": "DELETE", "path": format!("/Users/{ada}")},
        ]),
    );
    assert_eq!(statuses(&answer), ["200", "204"]);
    let version = answer.body["Operations"][0]["version"].as_str().unwrap();
    assert_ne!(tenant.get(&path).header("etag"), version);
    // And one whose member the database has.
    let bob = tenant.user("bob");
    let group = tenant.group("Others", &[&bob]);
    let path = format!("/Groups/{group}");
    let answer = bulk(
        &tenant,
        json!([
            patch(&path, json!([{"op": "replace", "path": "displayName", "value": "Rest"}])),
            {"method": "DELETE", "path": format!("/Users/{bob}")},
        ]),
    );
    let version = answer.body["Operations"][0]["version"].as_str().unwrap();
    assert_ne!(tenant.get(&path).header("etag"), version);
    assert_consistent(&world);
}

#[test]
fn a_text_that_only_speaks_of_a_reference_is_a_text() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let title = format!("x{}\"", "bulkId:".repeat(50_000));
    let answer = bulk(
        &tenant,
        json!([{"method": "POST", "bulkId": "u", "path": "/Users", "data": {
            "schemas": [USER], "userName": "ada", "title": title}}]),
    );
    assert_eq!(statuses(&answer), ["201"]);
    let user = tenant.get(&format!("/Users/{}", id_of(&answer, 0)));
    assert_eq!(user.body["title"], title);
}

#[test]
fn a_dead_token_gets_nothing_for_nothing() {
    let world = World::new();
    let tenant = world.tenant("strict");
    bulk(&tenant, json!([])).expect(200);
    let key = world.cache.entries.borrow().clone();
    let path = format!("/api/v1/admin/scim-tokens/{}", tenant.token_id);
    world.admin("DELETE", &path, json!(null)).expect(204);
    world.cache.entries.replace(key);
    bulk(&tenant, json!([])).expect(401);
    bulk(&tenant, json!(["nonsense"])).expect(401);
}

#[test]
fn a_password_too_long_is_its_own_operations_failure() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let settings = json!({"store_passwords": true});
    world
        .admin(
            "PATCH",
            &format!("/api/v1/admin/tenants/{}", tenant.id),
            settings,
        )
        .expect(200);
    let mut long = post_user("a", "ada");
    long["data"]["password"] = json!("x".repeat(1_025));
    let answer = bulk(&tenant, json!([long, post_user("b", "bob")]));
    assert_eq!(statuses(&answer), ["400", "201"]);
}
