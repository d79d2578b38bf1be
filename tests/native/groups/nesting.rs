//! Groups in groups: indirect membership, and cycles that harm nobody.

use serde_json::{Value, json};

use super::{expect_count, groups_of, path};
use crate::support::Tenant;
use crate::users::in_both;

fn add(tenant: &Tenant<'_>, group: &str, member: &str) {
    tenant
        .patch(
            &path(group),
            json!([{"op": "add", "path": "members", "value": [{"value": member}]}]),
        )
        .expect(200);
}

/// What `groups_of` gives for these.
fn wanted(groups: &[(&String, &str)]) -> Vec<(String, String)> {
    let mut groups: Vec<(String, String)> = groups
        .iter()
        .map(|(id, kind)| ((*id).clone(), (*kind).to_owned()))
        .collect();
    groups.sort();
    groups
}

#[test]
fn a_user_is_in_the_groups_above_its_groups() {
    in_both(|tenant| {
        let user = tenant.user("a");
        let inner = tenant.group("Inner", &[&user]);
        let middle = tenant.group("Middle", &[&inner]);
        let outer = tenant.group("Outer", &[&middle]);
        let beside = tenant.group("Beside", &[]);
        assert_eq!(
            groups_of(tenant, &user),
            wanted(&[
                (&inner, "direct"),
                (&middle, "indirect"),
                (&outer, "indirect")
            ])
        );
        assert_eq!(
            tenant.members(&outer),
            vec![middle.clone()],
            "a group shows its direct members"
        );
        for group in [&inner, &middle, &outer] {
            assert_eq!(tenant.find(&format!("groups.value eq \"{group}\"")), ["a"]);
        }
        assert_eq!(
            tenant.find(&format!("groups.value eq \"{beside}\"")),
            Vec::<String>::new()
        );
        assert_eq!(tenant.find("groups[type eq \"indirect\"]"), ["a"]);
        assert_eq!(
            tenant.find(&format!(
                "groups[type eq \"direct\" and value eq \"{outer}\"]"
            )),
            Vec::<String>::new()
        );
    });
}

#[test]
fn a_group_that_is_both_is_direct_and_shown_once() {
    in_both(|tenant| {
        let user = tenant.user("a");
        let inner = tenant.group("Inner", &[&user]);
        let outer = tenant.group("Outer", &[&inner, &user]);
        assert_eq!(
            groups_of(tenant, &user),
            wanted(&[(&inner, "direct"), (&outer, "direct")])
        );
        assert_eq!(tenant.find(&format!("groups.value eq \"{outer}\"")), ["a"]);
    });
}

#[test]
fn two_ways_up_lead_to_one_membership() {
    in_both(|tenant| {
        let user = tenant.user("a");
        let (left, right) = (
            tenant.group("Left", &[&user]),
            tenant.group("Right", &[&user]),
        );
        let top = tenant.group("Top", &[&left, &right]);
        assert_eq!(
            groups_of(tenant, &user),
            wanted(&[(&left, "direct"), (&right, "direct"), (&top, "indirect")])
        );
    });
}

#[test]
fn a_cycle_harms_nobody() {
    in_both(|tenant| {
        let user = tenant.user("a");
        let one = tenant.group("One", &[&user]);
        let two = tenant.group("Two", &[&one]);
        let three = tenant.group("Three", &[&two]);
        add(tenant, &one, &three);
        assert_eq!(
            groups_of(tenant, &user),
            wanted(&[(&one, "direct"), (&two, "indirect"), (&three, "indirect")])
        );
        for group in [&one, &two, &three] {
            assert_eq!(tenant.find(&format!("groups.value eq \"{group}\"")), ["a"]);
        }
        tenant.get("/Users?filter=groups%20pr").expect(200);
        tenant.send("DELETE", &path(&two), Value::Null).expect(204);
        assert_eq!(
            groups_of(tenant, &user),
            wanted(&[(&one, "direct")]).into_iter().collect::<Vec<_>>()
        );
        expect_count(tenant, &three, 0);
        expect_count(tenant, &one, 2);
    });
}

#[test]
fn a_group_in_itself_can_be_read_changed_and_deleted() {
    in_both(|tenant| {
        let user = tenant.user("a");
        let group = tenant.group("Self", &[&user]);
        add(tenant, &group, &group);
        expect_count(tenant, &group, 2);
        assert_eq!(groups_of(tenant, &user), wanted(&[(&group, "direct")]));
        assert_eq!(tenant.find(&format!("groups.value eq \"{group}\"")), ["a"]);
        tenant
            .send("DELETE", &path(&group), Value::Null)
            .expect(204);
        assert_eq!(
            tenant
                .world
                .database
                .number("select count(*) from group_members"),
            0
        );
        assert_eq!(
            tenant.world.database.number("select count(*) from groups"),
            0
        );
    });
}

#[test]
fn leaving_the_inner_group_leaves_the_outer_one() {
    in_both(|tenant| {
        let user = tenant.user("a");
        let inner = tenant.group("Inner", &[&user]);
        let outer = tenant.group("Outer", &[&inner]);
        let leave = json!([{"op": "remove", "path": format!("members[value eq \"{user}\"]")}]);
        tenant.patch(&path(&inner), leave).expect(200);
        assert_eq!(groups_of(tenant, &user), []);
        assert_eq!(
            tenant.find(&format!("groups.value eq \"{outer}\"")),
            Vec::<String>::new()
        );
        assert_eq!(
            tenant.get(&path(&outer)).header("etag"),
            "W/\"1\"",
            "the outer group did not change"
        );
    });
}

#[test]
fn fifty_groups_one_in_the_other_are_followed_to_the_end() {
    let world = crate::support::World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    let mut inner = user.clone();
    for number in 0..50 {
        inner = tenant.group(&format!("G{number}"), &[&inner]);
    }
    assert_eq!(groups_of(&tenant, &user).len(), 50);
    assert_eq!(tenant.find(&format!("groups.value eq \"{inner}\"")), ["a"]);
    assert_eq!(tenant.get(&format!("/Users/{user}")).trips(), 1);
}
