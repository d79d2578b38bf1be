//! Groups in groups: indirect membership, and cycles that harm nobody.

use serde_json::{Value, json};

use super::{expect_count, group_body, groups_of, path};
use crate::bulk::{assert_consistent, bulk, patch as patch_operation, post_group, statuses};
use crate::support::{Answer, Tenant, World};
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
    let mut inner = tenant.group("G0", &[&user]);
    for number in 1..50 {
        let outer = tenant.group(&format!("G{number}"), &[]);
        tenant.nest(&outer, &inner);
        inner = outer;
    }
    assert_eq!(groups_of(&tenant, &user).len(), 50);
    assert_eq!(tenant.find(&format!("groups.value eq \"{inner}\"")), ["a"]);
    assert_eq!(tenant.get(&format!("/Users/{user}")).trips(), 1);
}

const TOO_DEEP: &str = "nesting deeper than 32 groups";

/// Groups of which each is a member of the next, the innermost first.
fn chain(tenant: &Tenant<'_>, name: &str, length: usize) -> Vec<String> {
    let mut groups: Vec<String> = Vec::new();
    for number in 0..length {
        let inner: Vec<&str> = groups.last().map(String::as_str).into_iter().collect();
        let group = tenant.group(&format!("{name} {number}"), &inner);
        groups.push(group);
    }
    groups
}

fn adding(member: &str) -> Value {
    json!([{"op": "add", "path": "members", "value": [{"value": member}]}])
}

#[test]
fn a_group_too_deep_is_refused_wherever_it_comes_in() {
    in_both(|tenant| {
        let groups = chain(tenant, "Chain", 32);
        let (first, last) = (&groups[0], &groups[31]);
        let other = tenant.group("Other", &[]);
        // Above, below, as a new group, by a PUT, and within a list of others.
        tenant
            .send("POST", "/Groups", group_body("Top", &[last]))
            .expect_scim_error(400, "invalidValue", TOO_DEEP);
        tenant
            .patch(&path(&other), adding(last))
            .expect_scim_error(400, "invalidValue", TOO_DEEP);
        tenant
            .patch(&path(first), adding(&other))
            .expect_scim_error(400, "invalidValue", TOO_DEEP);
        let user = tenant.user("a");
        tenant
            .send("PUT", &path(&other), group_body("Other", &[&user, last]))
            .expect_scim_error(400, "invalidValue", TOO_DEEP);
        // Nothing of that is there.
        expect_count(tenant, &other, 0);
        expect_count(tenant, first, 0);
        assert_eq!(tenant.find("groups pr"), Vec::<String>::new());
        // What does not make the chain longer may come, and people may come anywhere.
        tenant.patch(&path(&groups[1]), adding(&other)).expect(200);
        tenant.patch(&path(first), adding(&user)).expect(200);
        tenant.patch(&path(last), adding(&other)).expect(200);
        assert_eq!(groups_of(tenant, &user).len(), 32);
        // Once the chain is shorter, it may grow again.
        tenant
            .send("DELETE", &path(&groups[16]), Value::Null)
            .expect(204);
        tenant
            .send("POST", "/Groups", group_body("Top", &[last]))
            .expect(201);
        assert_consistent(tenant.world);
    });
}

/// Groups of which each has the `next` ones for members, made by one request.
fn woven(tenant: &Tenant<'_>, groups: usize, next: usize, is_round: bool) -> Answer {
    let operations: Vec<Value> = (0..groups)
        .map(|number| {
            let members =
                (number + 1..=number + next).filter(|member| is_round || *member < groups);
            let members: Vec<Value> = members
                .map(|member| json!({"value": format!("bulkId:g{}", member % groups)}))
                .collect();
            json!({"method": "POST", "path": "/Groups", "bulkId": format!("g{number}"),
                "data": {"displayName": format!("g{number}"), "members": members}})
        })
        .collect();
    tenant.send("POST", "/Bulk", json!({"Operations": operations}))
}

#[test]
fn groups_in_each_other_in_many_ways_are_refused_and_nobody_waits_for_that() {
    let world = World::new();
    let tenant = world.tenant("compat");
    // Chains through them are longer than allowed, and the ways are too many to be walked.
    for (groups, next) in [(1_000, 20), (400, 20), (1_000, 5), (300, 100), (150, 50)] {
        for is_round in [false, true] {
            let steps = world.database.steps(|| {
                woven(&tenant, groups, next, is_round).expect_scim_error(
                    400,
                    "invalidValue",
                    TOO_DEEP,
                );
            });
            println!("{groups} {next} {is_round}: {steps}");
            assert!(steps < 5_000_000, "{groups} and {next}: {steps} steps");
        }
    }
    assert_eq!(world.database.number("select count(*) from groups"), 0);
    woven(&tenant, 30, 5, false).expect(200);
    assert_consistent(&world);
}

#[test]
fn two_chains_are_joined_up_to_32() {
    for (below, above, status) in [
        (16, 16, 200),
        (17, 16, 400),
        (16, 17, 400),
        (31, 1, 200),
        (1, 32, 400),
    ] {
        let world = World::new();
        let tenant = world.tenant("compat");
        let inner = chain(&tenant, "Inner", below);
        let outer = chain(&tenant, "Outer", above);
        let answer = tenant.patch(&path(&outer[0]), adding(&inner[below - 1]));
        assert_eq!(
            answer.status, status,
            "{below} and {above}: {}",
            answer.body
        );
    }
}

#[test]
fn a_circle_is_as_deep_as_it_has_groups() {
    for (length, status) in [(2, 200), (20, 200), (32, 200)] {
        let world = World::new();
        let tenant = world.tenant("compat");
        let groups = chain(&tenant, "Ring", length);
        let last = &groups[length - 1];
        let answer = tenant.patch(&path(&groups[0]), adding(last));
        assert_eq!(answer.status, status, "{length}: {}", answer.body);
        let user = tenant.user("a");
        tenant.patch(&path(last), adding(&user)).expect(200);
        assert_eq!(groups_of(&tenant, &user).len(), length);
        let itself = tenant.group("Itself", &[]);
        tenant.patch(&path(&itself), adding(&itself)).expect(200);
        // A ring of 32 takes no group above it.
        let above = tenant.send("POST", "/Groups", group_body("Above", &[last]));
        assert_eq!(above.status, if length == 32 { 400 } else { 201 });
    }
}

#[test]
fn a_bulk_request_that_nests_too_deep_does_nothing() {
    for (length, is_taken) in [(32, true), (33, false), (40, false), (300, false)] {
        let world = World::new();
        let tenant = world.tenant("compat");
        // From the innermost to the outermost, and the other way round.
        for turned in [false, true] {
            let before = world.database.dump();
            let mut operations: Vec<Value> = (0..length)
                .map(|number| {
                    let members = match number {
                        0 => json!([]),
                        _ => json!([{"value": format!("bulkId:{}", number - 1), "type": "Group"}]),
                    };
                    post_group(&number.to_string(), &format!("{turned} {number}"), members)
                })
                .collect();
            if turned {
                operations.reverse();
            }
            let answer = bulk(&tenant, json!(operations));
            match is_taken {
                true => assert!(statuses(&answer).iter().all(|status| *status == "201")),
                false => {
                    answer.expect_scim_error(400, "invalidValue", TOO_DEEP);
                    assert_eq!(world.database.dump(), before);
                }
            }
            assert_consistent(&world);
        }
    }
}

/// Only a batch with groups in groups asks how deep they are.
#[test]
fn people_as_members_cost_no_look_at_the_nesting() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let groups = chain(&tenant, "Chain", 3);
    let user = tenant.user("a");
    let looks = |member: &str, group: &str| {
        let statements = world.database.recording(|| {
            tenant.patch(&path(group), adding(member)).expect(200);
        });
        let of_nesting = statements
            .iter()
            .filter(|one| one.sql.contains("guard_nested"));
        of_nesting.count()
    };
    assert_eq!(looks(&user, &groups[1]), 0);
    let other = tenant.group("Other", &[]);
    // The first try takes the member for a user.
    assert_eq!(looks(&other, &groups[1]), 1);
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "what the database takes is known by a real clock alone"
)]
fn a_large_ring_of_groups_is_refused_at_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let groups: Vec<String> = (0..400)
        .map(|number| tenant.group(&format!("g{number}"), &[]))
        .collect();
    let next = groups.iter().cycle().skip(1);
    let operations: Vec<Value> = groups
        .iter()
        .zip(next)
        .map(|(group, member)| {
            let add = json!([{"op": "add", "path": "members", "value": [{"value": member}]}]);
            patch_operation(&path(group), add)
        })
        .collect();
    let started = std::time::Instant::now();
    bulk(&tenant, operations.into()).expect(400);
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
    assert!(groups.iter().all(|group| tenant.members(group).is_empty()));
}

#[test]
fn rings_of_groups_are_refused_in_a_few_attempts() {
    let world = World::new();
    let to = world.tenant("compat");
    let import = |lines: &[Value]| {
        let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let path = format!("/api/v1/admin/tenants/{}/import", to.id);
        let answer = world.post_lines(&path, &body);
        answer.expect(200);
        answer
    };
    let id = |number: usize| format!("01a1fa81-2c91-7f90-9f26-{number:012}");
    let groups: Vec<Value> = (0..400)
        .map(|number| json!({"id": id(number), "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": format!("g{number}")}))
        .collect();
    assert_eq!(import(&groups).body["data"]["groups"]["created"], 400);
    // Ten rings: each fails in itself, wherever the lines are parted.
    let ring = |number: usize| number / 40 * 40 + (number + 1) % 40;
    let lines: Vec<Value> = (0..400)
        .map(|number| {
            let member = json!({"value": id(ring(number)), "type": "Group"});
            json!({"group": id(number), "members": [member]})
        })
        .collect();
    let answer = import(&lines);
    let outcome = &answer.body["data"];
    let failed = outcome["failed"].as_u64().expect("a number");
    assert_eq!(outcome["members"]["added"].as_u64(), Some(400 - failed));
    assert!((10..400).contains(&failed), "{failed}");
    assert!(
        answer.cost("statements") < 700,
        "{}",
        answer.cost("statements")
    );
}
