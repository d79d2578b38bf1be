//! The version that an operation's answer says is the resource's own afterwards, where the operation is the last to change it.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{assert_consistent, bulk, id_of, patch, post_group, post_user, statuses};
use crate::filter_equivalence::runner;
use crate::support::{Answer, Tenant, World};

fn add(id: &str) -> Value {
    json!([{"op": "add", "path": "members", "value": [{"value": id}]}])
}

fn remove(id: &str) -> Value {
    json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}])
}

fn rename(name: &str) -> Value {
    json!([{"op": "replace", "path": "displayName", "value": name}])
}

fn delete(path: &str) -> Value {
    json!({"method": "DELETE", "path": path})
}

fn delete_user(id: &str) -> Value {
    delete(&format!("/Users/{id}"))
}

fn version(answer: &Answer, index: usize) -> String {
    let version = &answer.body["Operations"][index]["version"];
    version.as_str().expect("a version").to_owned()
}

/// A group `Staff` of `ada`, `bob` and the group `Inner`; `cleo` is in none.
struct Staff {
    path: String,
    ada: String,
    bob: String,
    cleo: String,
    inner: String,
}

impl Staff {
    fn new(tenant: &Tenant<'_>) -> Self {
        let (ada, bob) = (tenant.user("ada"), tenant.user("bob"));
        let inner = tenant.group("Inner", &[]);
        let staff = tenant.group("Staff", &[&ada, &bob, &inner]);
        Staff {
            path: format!("/Groups/{staff}"),
            cleo: tenant.user("cleo"),
            ada,
            bob,
            inner,
        }
    }
}

/// Makes a request's operations.
type Operations = fn(&Staff) -> Value;

#[test]
fn a_group_changed_after_a_member_was_deleted_says_the_version_that_it_has() {
    let cases: [(&str, Operations); 13] = [
        ("renamed", |s| {
            json!([delete_user(&s.ada), patch(&s.path, rename("Crew"))])
        }),
        ("renamed to its own name", |s| {
            json!([delete_user(&s.ada), patch(&s.path, rename("Staff"))])
        }),
        ("another added", |s| {
            json!([delete_user(&s.ada), patch(&s.path, add(&s.cleo))])
        }),
        ("another removed", |s| {
            json!([delete_user(&s.ada), patch(&s.path, remove(&s.bob))])
        }),
        ("the deleted one removed", |s| {
            json!([delete_user(&s.ada), patch(&s.path, remove(&s.ada))])
        }),
        ("replaced", |s| {
            json!([delete_user(&s.ada), {"method": "PUT", "path": s.path, "data": {
            "schemas": [super::GROUP], "displayName": "Staff", "members": [{"value": s.cleo}]}}])
        }),
        ("emptied", |s| {
            json!([
                delete_user(&s.ada),
                patch(&s.path, json!([{"op": "remove", "path": "members"}]))
            ])
        }),
        ("two deleted", |s| {
            json!([
                delete_user(&s.ada),
                delete_user(&s.bob),
                patch(&s.path, add(&s.cleo))
            ])
        }),
        ("a group deleted", |s| {
            json!([
                delete(&format!("/Groups/{}", s.inner)),
                patch(&s.path, rename("Crew"))
            ])
        }),
        ("one who is no member deleted", |s| {
            json!([delete_user(&s.cleo), patch(&s.path, rename("Crew"))])
        }),
        ("changed before and after", |s| {
            json!([
                patch(&s.path, add(&s.cleo)),
                delete_user(&s.ada),
                patch(&s.path, rename("Crew"))
            ])
        }),
        ("removed, then deleted, then changed", |s| {
            json!([
                patch(&s.path, remove(&s.ada)),
                delete_user(&s.ada),
                patch(&s.path, add(&s.cleo))
            ])
        }),
        ("removed, added again, deleted, then changed", |s| {
            json!([
                patch(&s.path, remove(&s.ada)),
                patch(&s.path, add(&s.ada)),
                delete_user(&s.ada),
                patch(&s.path, rename("Crew"))
            ])
        }),
    ];
    for (what, operations) in cases {
        for profile in ["compat", "strict"] {
            println!("{what}, {profile}");
            let world = World::new();
            let tenant = world.tenant(profile);
            let staff = Staff::new(&tenant);
            let operations = operations(&staff);
            let last = operations.as_array().unwrap().len() - 1;
            let answer = bulk(&tenant, operations);
            assert!(
                statuses(&answer)
                    .iter()
                    .all(|status| status.starts_with('2')),
                "{}",
                answer.body
            );
            assert_eq!(
                version(&answer, last),
                tenant.get(&staff.path).header("etag")
            );
            assert_consistent(&world);
        }
    }
}

#[test]
fn a_group_that_lost_a_member_before_that_one_is_deleted_is_not_changed_by_it() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let staff = Staff::new(&tenant);
        let answer = bulk(
            &tenant,
            json!([
                patch(&staff.path, remove(&staff.ada)),
                delete_user(&staff.ada)
            ]),
        );
        assert_eq!(statuses(&answer), ["200", "204"]);
        assert_eq!(version(&answer, 0), "W/\"2\"");
        assert_eq!(tenant.get(&staff.path).header("etag"), "W/\"2\"");
        assert_consistent(&world);
    }
}

#[test]
fn what_was_said_before_a_deletion_is_not_what_the_group_is_after_it() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let staff = Staff::new(&tenant);
    let answer = bulk(
        &tenant,
        json!([
            patch(&staff.path, add(&staff.cleo)),
            delete_user(&staff.ada),
            patch(&staff.path, rename("Crew")),
            delete_user(&staff.bob),
        ]),
    );
    assert_eq!(statuses(&answer), ["200", "204", "200", "204"]);
    assert_eq!(
        [version(&answer, 0), version(&answer, 2)],
        ["W/\"2\"", "W/\"4\""]
    );
    assert_eq!(tenant.get(&staff.path).header("etag"), "W/\"5\"");
}

/// One operation of a random request, on few users and groups by their numbers; those from [`THERE`] on are made by the request.
#[derive(Debug, Clone)]
enum Step {
    MakeUser,
    MakeGroup(Vec<usize>),
    Add { group: usize, user: usize },
    AddGroup { group: usize, inner: usize },
    Remove { group: usize, user: usize },
    Empty { group: usize },
    Rename { group: usize, name: usize },
    Put { group: usize, users: Vec<usize> },
    Title { user: usize, title: usize },
    DeleteUser(usize),
    DeleteGroup(usize),
}

/// How many users and groups there are before the request.
const THERE: usize = 3;

fn step() -> impl Strategy<Value = Step> {
    let one = || 0..THERE + 1;
    let some = || prop::collection::vec(one(), 0..3);
    prop_oneof![
        1 => Just(Step::MakeUser),
        1 => some().prop_map(Step::MakeGroup),
        4 => (one(), one()).prop_map(|(group, user)| Step::Add { group, user }),
        1 => (one(), one()).prop_map(|(group, inner)| Step::AddGroup { group, inner }),
        4 => (one(), one()).prop_map(|(group, user)| Step::Remove { group, user }),
        1 => one().prop_map(|group| Step::Empty { group }),
        2 => (one(), 0..3_usize).prop_map(|(group, name)| Step::Rename { group, name }),
        2 => (one(), some()).prop_map(|(group, users)| Step::Put { group, users }),
        2 => (one(), 0..2_usize).prop_map(|(user, title)| Step::Title { user, title }),
        4 => one().prop_map(Step::DeleteUser),
        1 => one().prop_map(Step::DeleteGroup),
    ]
}

/// The ids that a request may name.
struct Ids {
    users: Vec<String>,
    groups: Vec<String>,
}

impl Ids {
    fn user(&self, number: usize) -> String {
        self.users
            .get(number)
            .cloned()
            .unwrap_or("bulkId:u0".to_owned())
    }

    fn group(&self, number: usize) -> String {
        self.groups
            .get(number)
            .cloned()
            .unwrap_or("bulkId:g0".to_owned())
    }

    fn members(&self, users: &[usize]) -> Value {
        let members = users.iter().map(|user| json!({"value": self.user(*user)}));
        members.collect()
    }

    fn operation(&self, step: &Step, index: usize, made: &mut BTreeMap<&str, usize>) -> Value {
        let user = |number: &usize| format!("/Users/{}", self.user(*number));
        let group = |number: &usize| format!("/Groups/{}", self.group(*number));
        let mut bulk_id = |kind: &'static str| {
            let count = made.entry(kind).or_default();
            *count += 1;
            format!("{kind}{}", *count - 1)
        };
        match step {
            Step::MakeUser => post_user(&bulk_id("u"), &format!("made-{index}")),
            Step::MakeGroup(users) => {
                post_group(&bulk_id("g"), &format!("Made {index}"), self.members(users))
            }
            Step::Add { group: to, user } => patch(&group(to), add(&self.user(*user))),
            Step::AddGroup { group: to, inner } => patch(&group(to), add(&self.group(*inner))),
            Step::Remove { group: from, user } => patch(&group(from), remove(&self.user(*user))),
            Step::Empty { group: of } => {
                patch(&group(of), json!([{"op": "remove", "path": "members"}]))
            }
            Step::Rename { group: of, name } => patch(&group(of), rename(&format!("N{name}"))),
            Step::Put { group: of, users } => json!({"method": "PUT", "path": group(of), "data": {
                "schemas": [super::GROUP], "displayName": format!("P{of}"), "members": self.members(users)}}),
            Step::Title { user: of, title } => patch(
                &user(of),
                json!([{"op": "replace", "path": "title", "value": format!("t{title}")}]),
            ),
            Step::DeleteUser(number) => delete(&user(number)),
            Step::DeleteGroup(number) => delete(&group(number)),
        }
    }
}

/// The version that the answer says of each resource last, where no deletion of another came after: its path, and the version.
fn said(answer: &Answer) -> BTreeMap<String, String> {
    let mut said = BTreeMap::new();
    for operation in answer.body["Operations"].as_array().unwrap() {
        let (status, method) = (&operation["status"], &operation["method"]);
        if !status.as_str().unwrap().starts_with('2') {
            continue;
        }
        let location = operation["location"].as_str().unwrap();
        let path: Vec<&str> = location.rsplitn(3, '/').collect();
        let path = format!("/{}/{}", path[1], path[0]);
        if method == "DELETE" {
            said.remove(&path);
            // It may have been in any group, which is another one then.
            said.retain(|path: &String, _| !path.starts_with("/Groups/"));
        } else {
            let version = operation["version"].as_str().expect("a version");
            said.insert(path, version.to_owned());
        }
    }
    said
}

#[test]
fn versions_in_answers_are_those_of_the_rows_whatever_the_operations() {
    let steps = prop::collection::vec(step(), 1..9);
    let memberships = prop::collection::vec((0..THERE, 0..THERE), 0..6);
    let tested = runner(192).run(
        &(memberships, steps, any::<bool>()),
        |(memberships, steps, is_strict)| {
            let world = World::new();
            let tenant = world.tenant(match is_strict {
                true => "strict",
                false => "compat",
            });
            let users: Vec<String> = (0..THERE)
                .map(|number| tenant.user(&format!("u{number}")))
                .collect();
            let groups = (0..THERE).map(|group| {
                let of_group = (0..THERE).filter(|user| memberships.contains(&(group, *user)));
                let members: Vec<&str> = of_group.map(|user| users[user].as_str()).collect();
                tenant.group(&format!("G{group}"), &members)
            });
            let groups = groups.collect();
            let ids = Ids { users, groups };
            let mut made = BTreeMap::new();
            let operations: Vec<Value> = steps
                .iter()
                .enumerate()
                .map(|(index, step)| ids.operation(step, index, &mut made))
                .collect();
            let answer = bulk(&tenant, operations.into());
            answer.expect(200);
            for (path, version) in said(&answer) {
                let now = tenant.get(&path);
                prop_assert_eq!(now.expect(200).header("etag"), version, "{}", path);
            }
            assert_consistent(&world);
            Ok(())
        },
    );
    tested.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_group_that_the_request_makes_says_the_version_that_it_has() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let ada = tenant.user("ada");
    let answer = bulk(
        &tenant,
        json!([
            post_group("g", "Staff", json!([{"value": ada}])),
            delete_user(&ada),
            patch("/Groups/bulkId:g", rename("Crew")),
        ]),
    );
    assert_eq!(statuses(&answer), ["201", "204", "200"]);
    let path = format!("/Groups/{}", id_of(&answer, 0));
    assert_eq!(version(&answer, 2), tenant.get(&path).header("etag"));
}
