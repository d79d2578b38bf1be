//! Messages that are lost, doubled or late, and a worker or a database that dies at any point.

use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{accepted, bulk_body, later, look, result, world};
use crate::bulk::{USER, assert_consistent, patch, post_group, post_user};
use crate::support::faults::{BROKEN, Fault, Faults, LOST, OVERLOADED};
use crate::support::{Tenant, World};

fn state(tenant: &Tenant<'_>) -> Vec<String> {
    let database = &tenant.world.database;
    let mut state =
        database.texts("select json_extract(resource, '$.userName') || version from users");
    state.extend(database.texts(
        "select json_extract(resource, '$.displayName') || version || member_count from groups",
    ));
    state.extend(database.texts("select action || resource_type || attributes from audit_events where resource_type in ('User', 'Group', 'Request')"));
    state.sort();
    state
}

fn operations() -> Vec<Value> {
    let mut operations: Vec<Value> = (0..6)
        .map(|number| post_user(&format!("u{number}"), &format!("user-{}", number % 5)))
        .collect();
    operations.push(post_group(
        "g",
        "G",
        json!([{"value": "bulkId:u0"}, {"value": "bulkId:u1"}]),
    ));
    let add = json!([{"op": "add", "path": "members", "value": [{"value": "bulkId:u2"}]}]);
    operations.push(patch("/Groups/bulkId:g", add));
    operations.push(json!({"method": "DELETE", "path": "/Users/bulkId:u1"}));
    operations
}

/// Statuses and versions.
fn told(response: &Value) -> Vec<(Value, Value)> {
    let operations = response["Operations"].as_array().unwrap();
    let told = |operation: &Value| (operation["status"].clone(), operation["version"].clone());
    operations.iter().map(told).collect()
}

fn undisturbed() -> (Vec<(Value, Value)>, Vec<String>) {
    let world = world(2);
    let tenant = world.tenant("compat").unfused();
    let txn = accepted(&later(&tenant, "POST", "/Bulk", bulk_body(&operations())));
    (told(&result(&tenant, &txn)), state(&tenant))
}

#[test]
fn a_lost_message_is_sent_anew_by_the_clock() {
    let world = world(2);
    let tenant = world.tenant("compat").unfused();
    world.queue.down.set(true);
    let txn = accepted(&later(&tenant, "POST", "/Bulk", bulk_body(&operations())));
    world.queue.down.set(false);
    assert!(world.queue.waiting().is_empty());
    let mut ticks = 0;
    while look(&tenant, &txn).status == 202 {
        ticks += 1;
        world.clock.advance_seconds(301);
        pollster::block_on(world.app.tick());
        // Each message that another one sends is lost.
        let is_own = |text: &String| text.contains("async_request");
        while let Some(text) = world.queue.waiting().first() {
            pollster::block_on(world.queue.deliver());
            if is_own(text) {
                world.queue.lose();
            }
        }
    }
    assert!(ticks > 3, "{ticks}");
    assert_eq!(
        (told(&result(&tenant, &txn)), state(&tenant)),
        undisturbed()
    );
}

#[test]
fn one_that_never_gets_on_is_given_up_and_says_so() {
    let world = world(2);
    let tenant = world.tenant("compat");
    let body = json!({"schemas": [USER], "userName": "ada"});
    let single = accepted(&later(&tenant, "POST", "/Users", body));
    let many = accepted(&later(&tenant, "POST", "/Bulk", bulk_body(&operations())));
    world.queue.lose();
    for _ in 0..7 {
        world.clock.advance_seconds(301);
        pollster::block_on(world.app.tick());
        world.queue.lose();
    }
    let single = look(&tenant, &single);
    assert_eq!(single.expect(200).body["status"], "500");
    assert_eq!(single.body["response"]["status"], "500");
    assert_eq!(
        look(&tenant, &many).expect(200).body["Operations"],
        json!([])
    );
    assert_eq!(world.database.number("select count(*) from async_parts"), 0);
    assert_eq!(world.database.number("select count(*) from users"), 0);
    let told = "select json_extract(detail, '$.status') from audit_events where action = 'finish'";
    assert_eq!(world.database.texts(told), ["500", "500"]);
}

#[test]
fn messages_of_nobody_are_done() {
    let world = world(2);
    let tenant = world.tenant("compat");
    for (of, id) in [
        (&tenant.id, &tenant.id),
        (&"no tenant".to_owned(), &"x".to_owned()),
    ] {
        world
            .queue
            .put(&json!({"v": 1, "kind": "async_request", "tenant": of, "id": id}).to_string());
        world.queue.work_off();
    }
    assert!(world.queue.dead.borrow().is_empty());
}

#[test]
fn what_does_not_open_any_more_is_given_up() {
    let world = world(2);
    let tenant = world.tenant("compat");
    let txn = accepted(&later(&tenant, "POST", "/Bulk", bulk_body(&operations())));
    world
        .database
        .execute("update async_requests set key_id = 'gone'");
    assert_eq!(result(&tenant, &txn)["Operations"], json!([]));
    assert_eq!(world.database.number("select count(*) from users"), 0);
}

#[test]
fn results_are_kept_for_a_week() {
    let world = world(2);
    let tenant = world.tenant("compat");
    let txn = accepted(&later(&tenant, "POST", "/Bulk", bulk_body(&operations())));
    result(&tenant, &txn);
    for (days, status) in [(6, 200), (2, 404)] {
        world.clock.advance_seconds(days * 86_400);
        pollster::block_on(world.app.tick());
        world.queue.work_off();
        look(&tenant, &txn).expect(status);
    }
    assert_eq!(
        world.database.number("select count(*) from async_results"),
        0
    );
}

/// Delivers the next message; a worker that dies over it has it delivered again.
fn deliver(world: &World, faults: &Faults) -> bool {
    let text = world.queue.waiting().first().cloned();
    let mut context = Context::from_waker(Waker::noop());
    let mut work = Box::pin(world.queue.deliver());
    match work.as_mut().poll(&mut context) {
        Poll::Ready(is_delivered) => is_delivered,
        Poll::Pending => {
            drop(work);
            faults.arm(None);
            world.queue.put(&text.expect("a message"));
            true
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Wherever a batch fails, its outcome is lost or the worker dies, and whatever comes twice: all is as if nothing had happened.
    #[test]
    fn nothing_changes_but_the_time(
        size in 1_usize..5,
        at in 0_usize..90,
        fault in prop::sample::select(vec![Fault::Says(LOST), Fault::Says(OVERLOADED), Fault::Says(BROKEN), Fault::ReplyLost, Fault::HangsBefore, Fault::HangsAfter]),
        doubled in prop::collection::vec(any::<bool>(), 12),
    ) {
        let mut world = world(size);
        let faults = Faults::install(&mut world);
        let tenant = world.tenant("compat").unfused();
        let txn = accepted(&later(&tenant, "POST", "/Bulk", bulk_body(&operations())));
        faults.arm(Some((at, fault)));
        let mut doubled = doubled.into_iter();
        loop {
            if doubled.next() == Some(true) && let Some(text) = world.queue.waiting().first() {
                world.queue.put(text);
            }
            if !deliver(&world, &faults) {
                break;
            }
        }
        faults.arm(None);
        let (disturbed, there) = (told(&result(&tenant, &txn)), state(&tenant));
        let quiet = self::world(size);
        let tenant = quiet.tenant("compat").unfused();
        let txn = accepted(&later(&tenant, "POST", "/Bulk", bulk_body(&operations())));
        prop_assert_eq!((disturbed, there), (told(&result(&tenant, &txn)), state(&tenant)));
        assert_consistent(&world);
        prop_assert!(world.queue.dead.borrow().is_empty());
    }
}
