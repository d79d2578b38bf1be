//! Messages of the queue: what can be performed is, and what cannot holds nobody up.

use serde_json::{Value, json};

use crate::support::World;

fn log_of(world: &World, wanted: &str) -> Option<Value> {
    let lines = world.log.0.borrow();
    let lines = lines.iter().rev().map(|line| serde_json::from_str(line));
    let mut lines = lines.map(|line: Result<Value, _>| line.expect("a line of JSON"));
    lines.find(|line| line.to_string().contains(wanted))
}

#[test]
fn a_message_that_cannot_be_read_is_told_and_not_delivered_again() {
    let cases = [
        "",
        "{",
        "null",
        "[]",
        "\u{0}\u{ffff}",
        "{}",
        r#"{"v": 1}"#,
        r#"{"v": 1, "kind": "conquer"}"#,
        r#"{"v": "1", "kind": "renew_keys"}"#,
        r#"{"v": 2, "kind": "renew_keys"}"#,
        r#"{"v": 0, "kind": "renew_keys"}"#,
        r#"{"v": 99999999999, "kind": "renew_keys"}"#,
        r#"{"kind": "renew_keys"}"#,
    ];
    for text in cases {
        let world = World::new();
        world.queue.put(text);
        world.queue.work_off();
        assert!(world.queue.dead.borrow().is_empty(), "{text}");
        let line = log_of(&world, "a message is passed over").expect(text);
        assert_eq!(line["message_bytes"], json!(text.len()), "{text}");
        // What somebody sent does not come into the log.
        assert!(!line.to_string().contains("conquer"), "{line}");
    }
}

#[test]
fn a_message_that_can_be_read_is_performed_once() {
    let world = World::new();
    world.queue.put(r#"{"v":1,"kind":"renew_keys"}"#);
    world.queue.put("{");
    world
        .queue
        .put(r#"{"v":1,"kind":"renew_keys","more":true}"#);
    world.queue.work_off();
    let performed = log_of(&world, r#""message":{"kind":"renew_keys"}"#).expect("a line");
    assert_eq!(performed["error"], Value::Null);
    assert!(world.queue.waiting().is_empty());
}
