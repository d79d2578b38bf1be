//! A filter in the path of a PATCH takes out those members whom it selects in memory, whatever it asks.

use std::cell::Cell;

use proptest::prelude::*;
use rollcall::scim::filter::evaluate::element_matches;
use rollcall::scim::patch;
use rollcall::scim::profile::Profile;
use rollcall::scim::schema::GROUPS;
use serde_json::{Value, json};

use crate::filter_equivalence::runner;
use crate::support::World;
use crate::support::filter_text::Vocabulary;
use crate::support::population::Population;

#[test]
fn a_filter_removes_those_members_whom_it_selects_in_memory() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let population = Population::nested(&world, &tenant, 7_644);
    let of = |resources: &[Value]| {
        let ids = resources
            .iter()
            .step_by(2)
            .filter_map(|one| one["id"].as_str());
        ids.map(str::to_owned).collect::<Vec<String>>()
    };
    let ids = [of(&population.users), of(&population.groups)].concat();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let groups = [&ids[..], &ids[..3], &ids[5..25]].map(|ids| {
        let group = tenant.group(&format!("Group of {}", ids.len()), ids);
        let path = format!("/Groups/{group}?attributes=members");
        tenant.get(&path).expect(200).body.clone()
    });
    let nobody = format!("/Groups/{}", tenant.group("Nobody", &[]));
    let vocabulary = Vocabulary::new(&[&GROUPS], &population, "compat").of_members();
    let (tried, telling) = (Cell::new(0), Cell::new(0));
    let filters = proptest::collection::vec(vocabulary.elements(), 1..3);
    let checked = runner(150).run(&filters, |paths| {
        let operations: Vec<Value> = paths
            .iter()
            .map(|path| json!({"op": "remove", "path": path}))
            .collect();
        let body = json!({"Operations": operations});
        let Ok(parsed) = patch::parse(body, GROUPS.plain(), "g", Profile::Compat) else {
            return Ok(());
        };
        for group in &groups {
            let left: Vec<&str> = members(group)
                .iter()
                .filter(|member| {
                    !parsed.iter().any(|operation| {
                        let filter = operation.path.filter.as_ref().expect("a filter");
                        element_matches(filter, member)
                    })
                })
                .map(|member| member["value"].as_str().expect("an id"))
                .collect();
            tried.set(tried.get() + 1);
            let all = members(group).len();
            telling.set(telling.get() + usize::from(!left.is_empty() && left.len() < all));
            let mut left = left;
            left.sort_unstable();
            // Those of a group, and those whom an operation before adds to one that has nobody.
            let path = format!("/Groups/{}", group["id"].as_str().expect("an id"));
            let is_user = |member: &&Value| member["type"] == "User";
            let users: Vec<&Value> = members(group).iter().filter(is_user).collect();
            let mut with_them = vec![json!({"op": "add", "path": "members", "value": users})];
            with_them.extend(operations.clone());
            let left_of_users: Vec<&str> = left
                .iter()
                .filter(|id| users.iter().any(|user| user["value"] == **id))
                .copied()
                .collect();
            for (path, operations, left) in [
                (&path, &operations, &left),
                (&nobody, &with_them, &left_of_users),
            ] {
                world.databases.save();
                let answer = tenant.patch(path, json!(operations));
                let found = tenant.get(path);
                world.databases.restore();
                prop_assert_eq!(answer.status, 200, "{}", answer.body);
                let mut found: Vec<&str> = members(&found.body)
                    .iter()
                    .map(|member| member["value"].as_str().expect("an id"))
                    .collect();
                found.sort_unstable();
                prop_assert_eq!(&found, left);
            }
        }
        Ok(())
    });
    checked.unwrap_or_else(|error| panic!("{error}"));
    let (tried, telling) = (tried.get(), telling.get());
    assert!(
        telling * 5 > tried,
        "of {tried} removals, {telling} tell members apart"
    );
}

fn members(group: &Value) -> &[Value] {
    group["members"].as_array().map_or(&[], Vec::as_slice)
}
