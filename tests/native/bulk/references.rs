//! Operations that refer to each other's resources.

use serde_json::json;

use super::{USER, assert_consistent, bulk, id_of, patch, post_group, post_user, statuses};
use crate::support::World;

#[test]
fn a_group_may_refer_to_users_made_before_and_after_it() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let answer = bulk(
        &tenant,
        json!([
            post_user("alice", "alice"),
            post_group(
                "tour",
                "Tour Guides",
                json!([
                {"type": "User", "value": "bulkId:alice"}, {"type": "User", "value": "bulkId:bob"}])
            ),
            post_user("bob", "bob"),
        ]),
    );
    assert_eq!(statuses(&answer), ["201", "201", "201"]);
    assert_eq!(answer.trips(), 1);
    let operation = &answer.body["Operations"][1];
    assert_eq!(operation["method"], "POST");
    assert_eq!(operation["bulkId"], "tour");
    assert_eq!(operation["version"], "W/\"1\"");
    let mut wanted = [id_of(&answer, 0), id_of(&answer, 2)];
    wanted.sort();
    assert_eq!(tenant.members(&id_of(&answer, 1)), wanted);
    assert_consistent(&world);
}

#[test]
fn two_groups_may_refer_to_each_other_in_a_circle() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let answer = bulk(
        &tenant,
        json!([
            post_group(
                "a",
                "Group A",
                json!([{"type": "Group", "value": "bulkId:b"}])
            ),
            post_group(
                "b",
                "Group B",
                json!([{"type": "Group", "value": "bulkId:a"}])
            ),
        ]),
    );
    assert_eq!(statuses(&answer), ["201", "201"]);
    let (a, b) = (id_of(&answer, 0), id_of(&answer, 1));
    let group = tenant.get(&format!("/Groups/{a}"));
    assert_eq!(group.body["members"][0]["value"], b);
    assert_eq!(group.body["members"][0]["type"], "Group");
    assert_eq!(tenant.members(&b), [a]);
    assert_consistent(&world);
}

#[test]
fn references_stand_in_paths_and_anywhere_in_the_data() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let answer = bulk(
        &tenant,
        json!([
            post_user("boss", "boss"),
            {"method": "POST", "bulkId": "clerk", "path": "/Users", "data": {
                "schemas": [USER, enterprise], "userName": "clerk",
                enterprise: {"manager": {"value": "bulkId:boss"}}}},
            post_group("staff", "Staff", json!([{"value": "bulkId:boss"}, {"value": "bulkId:clerk"}])),
            patch("/Groups/bulkId:staff", json!([
                {"op": "remove", "path": "members[value eq \"bulkId:boss\"]"}])),
            {"method": "PUT", "path": "/Users/bulkId:boss", "data": {"schemas": [USER], "userName": "chief"}},
        ]),
    );
    assert_eq!(statuses(&answer), ["201", "201", "201", "200", "200"]);
    let (boss, clerk) = (id_of(&answer, 0), id_of(&answer, 1));
    let user = tenant.get(&format!("/Users/{clerk}"));
    assert_eq!(user.body[enterprise]["manager"]["value"], boss);
    assert_eq!(tenant.members(&id_of(&answer, 2)), [clerk]);
    let chief = tenant.get(&format!("/Users/{boss}"));
    assert_eq!(chief.body["userName"], "chief");
    assert_eq!(
        chief.header("etag"),
        answer.body["Operations"][4]["version"]
    );
    assert_consistent(&world);
}
