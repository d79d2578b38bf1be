//! Whoever lists once and then follows the events has what there is; and an event tells what the change left.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::{feed, last};
use crate::filter_equivalence::runner;
use crate::support::histories::{Ids, step};
use crate::support::{Answer, Tenant, World};

/// What a product keeps, and the number up to which each part of it is known.
#[derive(Debug, Default)]
struct Mirror {
    resources: BTreeMap<String, (i64, Value)>,
    members: BTreeMap<String, (i64, BTreeSet<String>)>,
}

/// What is compared of a resource: what events have of it.
fn plain(resource: &Value) -> Value {
    let mut plain = resource.as_object().unwrap().clone();
    for name in ["meta", "groups", "members"] {
        plain.remove(name);
    }
    // In a list a manager's address is absolute.
    Value::Object(plain)
}

fn number(answer: &Answer) -> i64 {
    answer.header("x-event-seq").parse().unwrap()
}

fn listed(tenant: &Tenant<'_>) -> Mirror {
    let mut mirror = Mirror::default();
    for path in ["/Users", "/Groups"] {
        let answer = tenant.get(&format!("{path}?count=1000"));
        for resource in answer.body["Resources"].as_array().unwrap() {
            let id = resource["id"].as_str().unwrap().to_owned();
            mirror
                .resources
                .insert(id.clone(), (number(&answer), plain(resource)));
            if path == "/Groups" {
                let members = resource["members"].as_array().into_iter().flatten();
                let members = members.map(|member| member["value"].as_str().unwrap().to_owned());
                mirror
                    .members
                    .insert(id, (number(&answer), members.collect()));
            }
        }
    }
    mirror
}

impl Mirror {
    fn apply(&mut self, event: &Value) {
        let (seq, id) = (
            event["seq"].as_i64().unwrap(),
            event["resource"]["id"].as_str().unwrap().to_owned(),
        );
        let members = || {
            let members = event["data"]["members"].as_array().unwrap();
            members
                .iter()
                .map(|member| member["value"].as_str().unwrap().to_owned())
        };
        match event["type"].as_str().unwrap() {
            "user.deleted" | "group.deleted" => {
                self.resources.remove(&id);
                self.members.remove(&id);
                for (_, members) in self.members.values_mut() {
                    members.remove(&id);
                }
            }
            "group.member_added" => {
                let group = self.members.entry(id).or_default();
                if seq > group.0 {
                    group.1.extend(members());
                }
            }
            "group.member_removed" => {
                let group = self.members.entry(id).or_default();
                if seq > group.0 {
                    members().for_each(|member| {
                        group.1.remove(&member);
                    });
                }
            }
            _ if event["data"].is_object() => {
                let known = self.resources.get(&id).map_or(0, |(known, _)| *known);
                if seq > known {
                    if event["resource"]["type"] == "Group" {
                        self.members.entry(id.clone()).or_default();
                    }
                    self.resources.insert(id, (seq, event["data"].clone()));
                }
            }
            _ => {}
        }
    }

    fn follow(&mut self, tenant: &Tenant<'_>, mut after: i64, limit: usize) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let answer = feed(tenant, &format!("after={after}&limit={limit}"));
            for event in answer.body["data"].as_array().unwrap() {
                assert!(event["seq"].as_i64().unwrap() > after, "nothing twice");
                self.apply(event);
                all.push(event.clone());
            }
            after = answer.body["pagination"]["next"].as_i64().unwrap();
            if answer.body["pagination"]["has_more"] == false {
                return all;
            }
        }
    }

    fn known(&self) -> (Map<String, Value>, BTreeMap<String, BTreeSet<String>>) {
        let resources = self
            .resources
            .iter()
            .map(|(id, (_, resource))| (id.clone(), resource.clone()));
        let members = self
            .members
            .iter()
            .map(|(id, (_, members))| (id.clone(), members.clone()));
        (resources.collect(), members.collect())
    }
}

#[test]
fn any_history_is_mirrored() {
    let part = (
        prop::collection::vec(step(), 1..7),
        any::<bool>(),
        any::<bool>(),
    );
    let history = (
        prop::collection::vec(part, 1..5),
        select(vec!["compat", "strict"]),
        select(vec![1_usize, 2, 5, 1_000]),
        select(vec![0, 30]),
        0..4_usize,
    );
    let tested = runner(96).run(&history, |(parts, profile, limit, days, begun)| {
        let world = World::new();
        let tenant = world.tenant(profile).unfused();
        let admin_path = format!("/api/v1/admin/tenants/{}", tenant.id);
        world
            .admin("PATCH", &admin_path, json!({"history_days": days}))
            .expect(200);
        let users: Vec<String> = (0..3)
            .map(|number| tenant.user(&format!("n{number}")))
            .collect();
        let groups = vec![
            tenant.group("g0", &[&users[0], &users[1]]),
            tenant.group("g1", &[&users[1]]),
        ];
        let mut ids = Ids { users, groups };
        let (mut mirror, mut from) = (listed(&tenant), last(&tenant));
        // What each resource was after each number at which it was looked at.
        let mut states: BTreeMap<(String, i64), Value> = BTreeMap::new();
        for (number, (steps, in_bulk, is_undone)) in parts.iter().enumerate() {
            if number == begun {
                (mirror, from) = (Mirror::default(), last(&tenant));
                // The events that come meanwhile are known already, and come once more.
                ids.send(&tenant, steps, *in_bulk);
                mirror.resources = listed(&tenant).resources;
                mirror.members = listed(&tenant).members;
            }
            world.clock.advance_seconds(1);
            let requests = ids.send(&tenant, steps, *in_bulk);
            let end = last(&tenant);
            for (id, (_, resource)) in listed(&tenant).resources {
                states.insert((id, end), resource);
            }
            if *is_undone {
                let body = json!({"tenant_id": tenant.id, "request_ids": requests});
                world.admin("POST", "/api/v1/admin/undo/", body).expect(200);
            }
        }
        let events = mirror.follow(&tenant, from, limit);
        let now = listed(&tenant);
        prop_assert_eq!(mirror.known(), now.known());
        for event in events {
            let seq = event["seq"].as_i64().unwrap();
            let id = event["resource"]["id"].as_str().unwrap();
            let is_whole = event["data"]["members"].is_null() && event["data_state"] == "version";
            if let (true, Some(state)) = (is_whole, states.get(&(id.to_owned(), seq))) {
                prop_assert_eq!(
                    &event["data"],
                    state,
                    "event {} tells what the change left",
                    seq
                );
            }
        }
        Ok(())
    });
    tested.unwrap_or_else(|error| panic!("{error}"));
}
