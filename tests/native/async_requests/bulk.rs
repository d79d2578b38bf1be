//! Bulk requests in parts.

use std::rc::Rc;

use async_trait::async_trait;
use proptest::prelude::*;
use rollcall::platform::Database;
use rollcall::store::{self, Rows, Statement};
use serde_json::{Value, json};

use super::{accepted, bulk_body, later, look, result, world};
use crate::bulk::{assert_consistent, bulk_with, patch, post_group, post_user};
use crate::support::databases::wrap;
use crate::support::outside::TestClock;
use crate::support::{Tenant, World};

fn statuses(response: &Value) -> Vec<String> {
    let operations = response["Operations"].as_array().unwrap();
    let status = |operation: &Value| operation["status"].as_str().unwrap().to_owned();
    operations.iter().map(status).collect()
}

#[test]
fn two_and_a_half_thousand_operations_go_in_messages() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let mut operations: Vec<Value> = (0..2_400)
        .map(|number| post_user(&format!("u{number}"), &format!("user-{number}")))
        .collect();
    // A group that comes first, of people who come last; and what fails among the others.
    operations.insert(
        0,
        post_group(
            "g",
            "G",
            json!([{"value": "bulkId:u0"}, {"value": "bulkId:u2399"}]),
        ),
    );
    operations.insert(700, post_user("twice", "user-3"));
    for number in 0..98 {
        let title = json!([{"op": "replace", "path": "title", "value": "Dr"}]);
        operations.push(patch(&format!("/Users/bulkId:u{}", number * 20), title));
    }
    assert_eq!(operations.len(), 2_500);
    bulk_with(&tenant, json!({}), json!(operations)).expect(413);
    let before = world.clock.0.get();
    let txn = accepted(&later(&tenant, "POST", "/Bulk", bulk_body(&operations)));
    let messages = {
        let mut messages = 0;
        while pollster::block_on(world.queue.deliver()) {
            messages += 1;
            let seen = look(&tenant, &txn);
            if seen.status == 202 {
                let done = seen.body["done"].as_i64().unwrap();
                assert!(done > 0 && done < 2_500, "{done}");
                assert_eq!(seen.body["operations"], 2_500);
            }
        }
        messages
    };
    println!(
        "2,500 operations: {messages} messages, {} ms of the clock",
        world.clock.0.get() - before
    );
    let done = result(&tenant, &txn);
    let all = statuses(&done);
    assert_eq!(all.len(), 2_500);
    assert_eq!(all.iter().filter(|status| *status == "409").count(), 1);
    assert_eq!(all[700], "409");
    assert_eq!((all[0].as_str(), all[2_499].as_str()), ("201", "200"));
    assert_eq!(done["Operations"][2_499]["version"], "W/\"2\"");
    assert_eq!(world.database.number("select count(*) from users"), 2_400);
    let group = done["Operations"][0]["location"].as_str().unwrap();
    assert_eq!(tenant.members(group.rsplit('/').next().unwrap()).len(), 2);
    assert_consistent(&world);
    // One request of the journal, which says how many failed of all.
    let sql = format!(
        "select status || ' ' || failed || ' ' || substr(detail, 1, 27) from requests where id = '{txn}'"
    );
    assert_eq!(
        world.database.texts(&sql),
        ["200 1 1 of 2500 operations failed"]
    );
    // Each operation has an event, in the order in which they were carried out.
    let events = format!(
        "select count(*) from (select distinct json_extract(detail, '$.operation') from audit_events where action = 'finish' and request_id = '{txn}')"
    );
    assert_eq!(world.database.number(&events), 2_500);
}

/// A database whose every batch takes a while.
struct Slow(Rc<dyn Database>, Rc<TestClock>);

#[async_trait(?Send)]
impl Database for Slow {
    async fn run(&self, batch: Vec<Statement>) -> store::Result<Vec<Rows>> {
        self.1.0.set(self.1.0.get() + 300);
        self.0.run(batch).await
    }
}

#[test]
fn a_message_ends_after_a_second_and_the_next_one_goes_on() {
    let mut world = world(2);
    world.app.config.async_requests.statements = 1_000;
    let clock = Rc::clone(&world.clock);
    wrap(&mut world.app.platform, move |database| {
        Rc::new(Slow(database, clock.clone()))
    });
    world.employ();
    let (long, short) = (world.tenant("compat"), world.tenant("compat"));
    let operations: Vec<Value> = (0..20)
        .map(|number| post_user(&format!("u{number}"), &format!("user-{number}")))
        .collect();
    let first = accepted(&later(&long, "POST", "/Bulk", bulk_body(&operations)));
    let second = accepted(&later(&short, "POST", "/Bulk", bulk_body(&operations[..1])));
    let mut seen = Vec::new();
    while look(&long, &first).status == 202 {
        let began = world.clock.0.get();
        assert!(pollster::block_on(world.queue.deliver()));
        assert!(world.clock.0.get() - began < 2_500);
        seen.push(look(&short, &second).status);
    }
    // The other one's turn comes after the first message of the long one.
    assert_eq!(seen[..2], [202, 200]);
    assert!(seen.len() > 4, "{seen:?}");
    assert!(
        statuses(&result(&long, &first))
            .iter()
            .all(|status| status == "201")
    );
}

#[test]
fn one_that_waits_gets_the_response_itself() {
    let world = world(2);
    let tenant = world.tenant("compat");
    let operations: Vec<Value> = (0..7)
        .map(|number| post_user(&format!("u{number}"), &format!("user-{number}")))
        .collect();
    let wait = &[("prefer", "respond-async, wait=20")];
    let answer = tenant.send_with("POST", "/Bulk", wait, bulk_body(&operations));
    assert_eq!(statuses(&answer.expect(200).body), vec!["201"; 7]);
    assert_eq!(
        answer.header("preference-applied"),
        "respond-async, wait=20"
    );
}

#[test]
fn names_that_are_repeated_or_nobodys_fail_alone_over_parts_too() {
    let world = world(1);
    let tenant = world.tenant("compat");
    let operations = [
        post_user("a", "a"),
        post_user("a", "b"),
        post_group("g", "G", json!([{"value": "bulkId:a"}])),
        post_group("h", "H", json!([{"value": "bulkId:nobody"}])),
        post_user("c", "a"),
        post_group("i", "I", json!([{"value": "bulkId:c"}])),
        json!({"method": "DELETE", "path": "/Users/bulkId:c"}),
        json!("no operation"),
        json!({"method": "DELETE", "path": "/Users/bulkId:a"}),
        json!({"method": "DELETE", "path": "/Users/bulkId:a"}),
    ];
    let txn = accepted(&later(&tenant, "POST", "/Bulk", bulk_body(&operations)));
    let done = result(&tenant, &txn);
    assert_eq!(
        statuses(&done),
        [
            "201", "400", "201", "400", "409", "400", "400", "400", "204", "404"
        ]
    );
    let said = |number: usize| {
        done["Operations"][number]["response"]["detail"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert!(said(1).contains("repeated") && said(3).contains("refers to no resource"));
    assert!(said(5).contains("an operation that fails") && said(7).contains("Operations[7]"));
    assert_consistent(&world);
}

#[test]
fn a_circle_stays_together_and_may_be_too_large() {
    let world = world(1);
    let tenant = world.tenant("compat");
    let manager = |of: usize| json!({"value": format!("bulkId:u{of}")});
    let circle = |count: usize| -> Vec<Value> {
        let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
        let user = |number: usize| {
            let mut user = post_user(&format!("u{number}"), &format!("user-{number}"));
            user["data"]["schemas"]
                .as_array_mut()
                .unwrap()
                .push(urn.into());
            user["data"][urn] = json!({"manager": manager((number + 1) % count)});
            user
        };
        (0..count).map(user).collect()
    };
    let txn = accepted(&later(&tenant, "POST", "/Bulk", bulk_body(&circle(20))));
    assert_eq!(statuses(&result(&tenant, &txn)), vec!["201"; 20]);
    let refused = later(&tenant, "POST", "/Bulk", bulk_body(&circle(1_001)));
    refused.expect(413);
    assert!(refused.body["detail"].as_str().unwrap().contains("circle"));
}

/// People, groups, changes and deletions, which refer to each other forwards and backwards, and of which some fail.
fn operations() -> impl Strategy<Value = Vec<(u8, usize, usize)>> {
    prop::collection::vec((0_u8..8, 0_usize..12, 0_usize..12), 1..24)
}

fn written(steps: &[(u8, usize, usize)]) -> Vec<Value> {
    let of_kind = |wanted: fn(u8) -> bool, number: usize| {
        let all: Vec<usize> = (0..steps.len())
            .filter(|index| wanted(steps[*index].0))
            .collect();
        match all.is_empty() {
            true => "nobody".to_owned(),
            false => format!("b{}", all[number % all.len()]),
        }
    };
    let is_user = |kind: u8| kind < 3;
    let is_group = |kind: u8| kind == 3 || kind == 4;
    let step = |(index, (kind, one, two)): (usize, &(u8, usize, usize))| {
        let name = format!("b{index}");
        let (user, group) = (of_kind(is_user, *one), of_kind(is_group, *two));
        match kind {
            // Few names, of which some are taken.
            0..=2 => post_user(&name, &format!("user-{}", index * 7 % 13)),
            3 | 4 => post_group(
                &name,
                &format!("G{index}"),
                json!([{"value": format!("bulkId:{user}")}]),
            ),
            5 => patch(
                &format!("/Users/bulkId:{user}"),
                json!([{"op": "replace", "path": "title", "value": name}]),
            ),
            6 => patch(
                &format!("/Groups/bulkId:{group}"),
                json!([{"op": "add", "path": "members", "value": [{"value": format!("bulkId:{user}")}]}]),
            ),
            _ => json!({"method": "DELETE", "path": format!("/Users/bulkId:{user}")}),
        }
    };
    steps.iter().enumerate().map(step).collect()
}

/// What there is, without ids and times.
fn there(tenant: &Tenant<'_>) -> Vec<String> {
    let database = &tenant.world.database;
    let of_tenant = format!("tenant_id = '{}'", tenant.id);
    let mut there = database.texts(&format!(
        "select json_extract(resource, '$.userName') || coalesce(json_extract(resource, '$.title'), '') || version from users where {of_tenant}"
    ));
    there.extend(database.texts(&format!(
        "select json_extract(resource, '$.displayName') || member_count from groups where {of_tenant}"
    )));
    there.sort();
    there
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// In one part it is the same as at once. In many, every operation has an answer, and what is there is consistent; where none refers
    /// forwards, all is the same as at once.
    #[test]
    fn parts_come_to_what_the_whole_does(steps in operations(), size in 1_usize..6, most in 0_u64..4, is_backward in any::<bool>()) {
        let mut operations = written(&steps);
        if is_backward {
            // Who is referred to comes first.
            operations.sort_by_key(|operation| match (operation["path"].as_str(), operation["method"].as_str()) {
                (Some("/Users"), Some("POST")) => 0,
                (Some("/Groups"), Some("POST")) => 1,
                _ => 2,
            });
        }
        let more = json!({"failOnErrors": most});
        let world = world(100);
        let tenant = world.tenant("compat").unfused();
        let at_once = bulk_with(&tenant, more.clone(), json!(operations));
        at_once.expect(200);
        let at_once = (statuses(&at_once.body), there(&tenant));
        let mut body = bulk_body(&operations);
        body["failOnErrors"] = json!(most);
        for size in [100, size] {
            let world = self::world(size);
            let tenant = world.tenant("compat").unfused();
            let txn = accepted(&later(&tenant, "POST", "/Bulk", body.clone()));
            let in_parts = statuses(&result(&tenant, &txn));
            assert_consistent(&world);
            if size == 100 || is_backward {
                prop_assert_eq!((&in_parts, &there(&tenant)), (&at_once.0, &at_once.1));
            } else if most == 0 {
                prop_assert_eq!(in_parts.len(), operations.len());
            }
        }
    }
}
