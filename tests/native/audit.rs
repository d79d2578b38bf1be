//! What an event of the audit trail says beside the names of attributes: which way `active` went, and who came into a group and who went.

use std::collections::BTreeSet;

use proptest::prelude::*;
use rollcall::change::audit::MAX_NAMED;
use rollcall::store::Statement;
use serde_json::{Value, json};

use crate::bulk::{bulk, patch as patch_operation, statuses};
use crate::filter_equivalence::runner;
use crate::support::{Tenant, World};
use crate::users::in_both;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// The details of a resource's events, in their order.
fn details(tenant: &Tenant<'_>, id: &str) -> Vec<Value> {
    let sql = format!(
        "select coalesce(detail, 'null') from audit_events where resource_id = '{id}' order by seq"
    );
    let texts = tenant.world.database.texts(&sql);
    let read = texts.iter().map(|text| serde_json::from_str(text).unwrap());
    read.collect()
}

fn last(tenant: &Tenant<'_>, id: &str) -> Value {
    details(tenant, id).pop().unwrap()
}

fn members(added: &[&String], removed: &[&String]) -> Value {
    let sorted: [BTreeSet<&String>; 2] = [added, removed].map(|ids| ids.iter().copied().collect());
    json!({"members": {
        "added": sorted[0], "added_total": added.len(),
        "removed": sorted[1], "removed_total": removed.len(),
    }})
}

fn user(more: Value) -> Value {
    let mut user = json!({"schemas": [USER], "userName": "ada"});
    let more = more.as_object().unwrap().clone();
    user.as_object_mut().unwrap().extend(more);
    user
}

#[test]
fn a_switched_user_says_which_way() {
    in_both(|tenant| {
        for (active, sent) in [(true, json!({})), (false, json!({"active": false}))] {
            let made = tenant.send("POST", "/Users", user(sent));
            let id = made.expect(201).id();
            assert_eq!(details(tenant, &id), [json!({"active": active})]);
            let path = format!("/Users/{id}");
            tenant.send("DELETE", &path, Value::Null).expect(204);
            assert_eq!(details(tenant, &id).len(), 2);
            assert_eq!(last(tenant, &id), Value::Null);
        }
        let id = tenant.user("ada");
        let path = format!("/Users/{id}");
        let patched = |operation: Value| {
            tenant.patch(&path, json!([operation])).expect(200);
            last(tenant, &id)
        };
        for (operation, detail) in [
            (
                json!({"op": "replace", "path": "active", "value": false}),
                json!({"active": false}),
            ),
            (
                json!({"op": "replace", "path": "active", "value": true}),
                json!({"active": true}),
            ),
            (
                json!({"op": "replace", "value": {"active": false, "title": "x"}}),
                json!({"active": false}),
            ),
            (
                json!({"op": "replace", "path": "title", "value": "y"}),
                Value::Null,
            ),
            (
                json!({"op": "replace", "path": "active", "value": true}),
                json!({"active": true}),
            ),
        ] {
            assert_eq!(patched(operation.clone()), detail, "{operation}");
        }
        // What was removed is false in compat, and unassigned in strict.
        let removed = patched(json!({"op": "remove", "path": "active"}));
        assert_eq!(removed, json!({"active": tenant.get(&path).body["active"]}));
        assert_ne!(removed["active"], true);
        for active in [true, false] {
            let body = user(json!({"active": active}));
            tenant.send("PUT", &path, body).expect(200);
            assert_eq!(last(tenant, &id), json!({"active": active}));
        }
        let answer = bulk(
            tenant,
            json!([patch_operation(
                &path,
                json!([{"op": "replace", "path": "active", "value": true}])
            )]),
        );
        assert_eq!(statuses(&answer), ["200"]);
        assert_eq!(last(tenant, &id), json!({"active": true}));
    });
}

/// Of what there was, the one that is there already and the one that is not stay unsaid.
#[test]
fn a_change_of_members_names_who_came_and_who_went() {
    in_both(|tenant| {
        let [a, b, c] = ["a", "b", "c"].map(|name| tenant.user(name));
        let one = |op: &str, value: &String| json!([{"op": op, "path": "members", "value": [{"value": value}]}]);
        let by_value =
            |id: &String| json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]);
        let by_name = json!([{"op": "remove", "path": "members[display eq \"b\"]"}]);
        let two = |op: &str, first: &String, second: &String| json!([{"op": op, "path": "members", "value": [{"value": first}, {"value": second}]}]);
        let all = json!([{"op": "remove", "path": "members"}]);
        let name = json!([{"op": "replace", "path": "displayName", "value": "H"}]);
        let cases: [(Value, Value); 8] = [
            (one("add", &c), members(&[&c], &[])),
            (two("add", &a, &c), members(&[&c], &[])),
            (by_value(&a), members(&[], &[&a])),
            (by_name, members(&[], &[&b])),
            (two("replace", &b, &c), members(&[&c], &[&a])),
            (one("replace", &c), members(&[&c], &[&a, &b])),
            (all, members(&[], &[&a, &b])),
            (name, Value::Null),
        ];
        for (number, (operations, detail)) in cases.into_iter().enumerate() {
            let alone = tenant.group(&format!("Alone {number}"), &[&a, &b]);
            assert_eq!(details(tenant, &alone), [members(&[&a, &b], &[])]);
            tenant.patch(&format!("/Groups/{alone}"), operations.clone());
            assert_eq!(last(tenant, &alone), detail, "{operations}");
            let path = format!("/Groups/{alone}");
            tenant.send("DELETE", &path, Value::Null).expect(204);
            let within = tenant.group(&format!("Within {number}"), &[&a, &b]);
            let path = format!("/Groups/{within}");
            let answer = bulk(tenant, json!([patch_operation(&path, operations.clone())]));
            assert_eq!(statuses(&answer), ["200"]);
            assert_eq!(last(tenant, &within), detail, "in Bulk: {operations}");
        }
        let put = tenant.group("Put", &[&a, &b]);
        let body = json!({"schemas": [GROUP], "displayName": "Put", "members": [{"value": b}, {"value": c}]});
        tenant
            .send("PUT", &format!("/Groups/{put}"), body)
            .expect(200);
        assert_eq!(last(tenant, &put), members(&[&c], &[&a]));
    });
}

/// Each operation of a Bulk request says what it did itself.
#[test]
fn operations_of_one_request_on_one_group_have_each_its_own() {
    in_both(|tenant| {
        let [a, b] = ["a", "b"].map(|name| tenant.user(name));
        let group = tenant.group("G", &[&a]);
        let path = format!("/Groups/{group}");
        let members_of = |op: &str, id: &String| {
            patch_operation(
                &path,
                json!([{"op": op, "path": "members", "value": [{"value": id}]}]),
            )
        };
        let made = json!({"method": "POST", "bulkId": "h", "path": "/Groups",
            "data": {"schemas": [GROUP], "displayName": "H", "members": [{"value": a}]}});
        let operations = json!([members_of("add", &b), members_of("replace", &b), made]);
        let answer = bulk(tenant, operations);
        assert_eq!(statuses(&answer), ["200", "200", "201"]);
        let all = details(tenant, &group);
        let wanted = [
            members(&[&a], &[]),
            members(&[&b], &[]),
            members(&[], &[&a]),
        ];
        assert_eq!(all, wanted);
        let location = answer.body["Operations"][2]["location"].as_str().unwrap();
        let made = location.rsplit('/').next().unwrap();
        assert_eq!(details(tenant, made), [members(&[&a], &[])]);
    });
}

#[test]
fn of_very_many_the_first_are_named_and_all_are_counted() {
    let world = World::new();
    let tenant = world.tenant("compat").unfused();
    let many: Vec<Value> = (0..MAX_NAMED + 7)
        .map(|number| {
            json!({"method": "POST", "bulkId": format!("u{number}"), "path": "/Users",
            "data": {"schemas": [USER], "userName": format!("u{number}")}})
        })
        .collect();
    let mut ids = Vec::new();
    for part in many.chunks(500) {
        let answer = bulk(&tenant, part.to_vec().into());
        for operation in answer.expect(200).body["Operations"].as_array().unwrap() {
            let location = operation["location"].as_str().unwrap();
            ids.push(location.rsplit('/').next().unwrap().to_owned());
        }
    }
    let all: Vec<&str> = ids.iter().map(String::as_str).collect();
    let group = tenant.group("All", &all);
    let told = last(&tenant, &group)["members"].clone();
    ids.sort();
    assert_eq!(told["added"], json!(ids[..MAX_NAMED]));
    assert_eq!(told["added_total"], MAX_NAMED + 7);
    let body = json!({"schemas": [GROUP], "displayName": "All", "members": [{"value": ids[0]}]});
    tenant
        .send("PUT", &format!("/Groups/{group}"), body)
        .expect(200);
    let told = last(&tenant, &group)["members"].clone();
    assert_eq!(told["removed"], json!(ids[1..=MAX_NAMED]));
    assert_eq!(
        (&told["removed_total"], &told["added_total"]),
        (&json!(MAX_NAMED + 6), &json!(0))
    );
}

#[test]
fn the_events_of_a_resource_are_found_by_an_index() {
    let world = World::new();
    world.tenant("compat");
    let plan = world.database.plan(&Statement::new(
        "select seq from audit_events where tenant_id = ?1 and resource_id = ?2 and seq < ?3 order by seq desc limit 50",
        vec!["t".into(), "r".into(), 7.into()],
    ));
    let by_index = "SEARCH audit_events USING COVERING INDEX audit_events_resource_idx (tenant_id=? AND resource_id=? AND seq<?)";
    assert_eq!(plan, [by_index]);
}

/// What a client does to two groups and four users.
#[derive(Debug, Clone)]
enum Step {
    Patch {
        group: usize,
        op: &'static str,
        users: Vec<usize>,
    },
    Put {
        group: usize,
        users: Vec<usize>,
    },
    Clear {
        group: usize,
    },
    Bulk(Vec<(usize, &'static str, Vec<usize>)>),
}

fn users() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0..4_usize, 1..4)
}

fn op() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("add"), Just("remove"), Just("replace")]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (0..2_usize, op(), users()).prop_map(|(group, op, users)| Step::Patch { group, op, users }),
        (0..2_usize, users()).prop_map(|(group, users)| Step::Put { group, users }),
        (0..2_usize).prop_map(|group| Step::Clear { group }),
        prop::collection::vec((0..2_usize, op(), users()), 1..5).prop_map(Step::Bulk),
    ]
}

/// Replayed from nothing, what the events say of members comes to the members that there are.
#[test]
fn the_trail_adds_up_to_the_members() {
    let steps = prop::collection::vec(step(), 1..12);
    let tested = runner(48).run(&steps, |steps| {
        let world = World::new();
        let tenant = world.tenant("compat");
        let people = ["a", "b", "c", "d"].map(|name| tenant.user(name));
        let groups = [tenant.group("G", &[&people[0]]), tenant.group("H", &[])];
        let named = |users: &[usize]| -> Value {
            users.iter().map(|user| json!({"value": people[*user]})).collect()
        };
        let operations = |op: &str, users: &[usize]| json!([{"op": op, "path": "members", "value": named(users)}]);
        for step in &steps {
            let path = |group: &usize| format!("/Groups/{}", groups[*group]);
            match step {
                Step::Patch { group, op, users } => {
                    tenant.patch(&path(group), operations(op, users));
                }
                Step::Put { group, users } => {
                    let body = json!({"schemas": [GROUP], "displayName": format!("G{group}"), "members": named(users)});
                    tenant.send("PUT", &path(group), body).expect(200);
                }
                Step::Clear { group } => {
                    tenant.patch(&path(group), json!([{"op": "remove", "path": "members"}]));
                }
                Step::Bulk(several) => {
                    let several: Vec<Value> = several
                        .iter()
                        .map(|(group, op, users)| patch_operation(&path(group), operations(op, users)))
                        .collect();
                    bulk(&tenant, several.into()).expect(200);
                }
            }
        }
        for group in &groups {
            prop_assert_eq!(replayed(&tenant, group), tenant.members(group).into_iter().collect());
        }
        Ok(())
    });
    tested.unwrap_or_else(|error| panic!("{error}"));
}

fn replayed(tenant: &Tenant<'_>, group: &str) -> BTreeSet<String> {
    let mut there = BTreeSet::new();
    for detail in details(tenant, group) {
        let ids = |name: &str| -> Vec<String> {
            let ids = detail["members"][name].as_array().into_iter().flatten();
            ids.map(|id| id.as_str().unwrap().to_owned()).collect()
        };
        for id in ids("removed") {
            assert!(there.remove(&id), "{id} was not there");
        }
        for id in ids("added") {
            assert!(there.insert(id.clone()), "{id} was there");
        }
    }
    there
}
