//! Servers that hang: a sync of them ends in bounded time with its reason in the log, and the next one may begin.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Directory, world};
use crate::ldap::scripted::{Client, entry, server};
use crate::support::network::Impatient;

/// Longest time that a sync may be held up by a server that says nothing or next to nothing, in seconds: a page may take ten waits of 15.
const BOUND: i64 = 200;

/// Runs a sync of a server that does that: why it failed.
#[track_caller]
fn failure(script: impl Fn(&mut Client) + Send + Sync + Clone + 'static) -> String {
    let mut world = world();
    world.connect(Rc::new(Impatient(world.clock.clone())));
    let mut reasons = Vec::new();
    for query in ["", "?dry_run=true"] {
        let port = server(script.clone()).port;
        let url = format!("ldap://127.0.0.1:{port}");
        let directory = Directory::at(world.tenant("compat"), &url, json!({"page_size": 1_000}));
        let started = world.clock.0.get();
        let log = directory.sync(query);
        let seconds = (world.clock.0.get() - started) / 1_000;
        assert!(seconds <= BOUND, "{seconds} s");
        assert_eq!(log["status"], "failed", "{log}");
        let reason = log["error"].as_str().expect("a reason");
        if query.is_empty() {
            let path = directory.path("/sync-logs");
            let logs = world.admin("GET", &path, Value::Null);
            let kept = &logs.expect(200).body["data"][0];
            assert_eq!(
                (&kept["status"], &kept["error"]),
                (&log["status"], &log["error"])
            );
            assert!(kept["duration_ms"].as_i64().expect("a number") >= 1_000);
            // Nobody holds the lease: the next one is refused by nobody but the server.
            assert_eq!(directory.sync("")["status"], "failed");
        }
        reasons.push(reason.replace(&format!("127.0.0.1:{port}"), "HOST"));
    }
    assert_eq!(reasons[0], reasons[1]);
    assert_eq!(world.database.number("select count(*) from users"), 0);
    reasons.remove(0)
}

fn person(id: u8, number: usize) -> Vec<u8> {
    let unique = format!("10000000-0000-4000-8000-{number:012}");
    let dn = format!("uid=user-{number},dc=example,dc=com");
    let uid = format!("user-{number}");
    let attributes = [
        ("entryUUID", &[&*unique][..]),
        ("uid", &[&*uid][..]),
        ("modifyTimestamp", &["20260101000000Z"][..]),
    ];
    entry(id, &dn, &attributes)
}

#[test]
fn it_accepts_and_says_nothing() {
    assert_eq!(
        failure(Client::wait),
        "HOST did not answer the bind within 15000 ms"
    );
}

#[test]
fn it_says_nothing_after_the_bind() {
    let script = |client: &mut Client| {
        client.bind();
        client.wait();
    };
    assert_eq!(
        failure(script),
        "HOST did not answer the search within 15000 ms"
    );
}

#[test]
fn it_stops_in_the_middle_of_a_page_and_of_an_entry() {
    for part in [0, 20] {
        let script = move |client: &mut Client| {
            client.bind();
            let (id, _) = client.request().expect("a search");
            client.send(&[person(id, 1), person(id, 2)].concat());
            client.send(&person(id, 3)[..part]);
            client.wait();
        };
        assert_eq!(
            failure(script),
            "HOST did not answer the search within 15000 ms"
        );
    }
}

#[test]
fn it_sends_an_entry_every_second_for_ever() {
    let script = |client: &mut Client| {
        client.bind();
        let (id, _) = client.request().expect("a search");
        let mut number = 0;
        while client.send(&person(id, number)) {
            client.pause(5);
            number += 1;
        }
    };
    assert_eq!(
        failure(script),
        "HOST did not answer the search within 15000 ms"
    );
}
