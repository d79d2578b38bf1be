//! Faults while a directory is read: of the directory, of its connection, and of everything else. A test of the connection says so; a sync
//! changes what it has come to, never takes a silence for an absence, and the next one ends where it would have ended.

use rollcall::config::SyncLimits;
use serde_json::{Value, json};

use super::cases::{MARK, Scene};
use super::{Stage, stage_of};
use crate::bulk::assert_consistent;
use crate::support::directory::{DirectoryEntry, TestDirectory};
use crate::support::faults::{Fault, Part};
use crate::support::{SECRET, World};

/// How long nothing is heard of a sync before its message is sent again, in seconds.
const LEASE_SECONDS: i64 = 300;

fn person(id: &'static str, uid: &'static str, dn: &'static str) -> DirectoryEntry {
    let attributes = vec![
        ("objectClass", vec!["inetOrgPerson"]),
        ("entryUUID", vec![id]),
        ("uid", vec![uid]),
        ("cn", vec![uid]),
        ("sn", vec![MARK]),
        ("mail", vec![uid]),
        ("modifyTimestamp", vec!["20260101000000Z"]),
    ];
    (dn, attributes)
}

fn team(members: Vec<&'static str>) -> DirectoryEntry {
    let attributes = vec![
        ("objectClass", vec!["groupOfNames"]),
        ("entryUUID", vec!["00000000-0000-4000-8000-000000000009"]),
        ("cn", vec!["team mark3d"]),
        ("member", members),
        ("modifyTimestamp", vec!["20260101000000Z"]),
    ];
    ("cn=team,dc=example,dc=com", attributes)
}

const ADA: &str = "uid=ada,dc=example,dc=com";
const BOB: &str = "uid=bob,dc=example,dc=com";
const EVE: &str = "uid=eve,dc=example,dc=com";

/// Three people and a team; and the same directory later, when one has another name, one is gone and one is new.
fn before_and_after() -> [Vec<DirectoryEntry>; 2] {
    let [one, two, three, four] = [
        "00000000-0000-4000-8000-000000000001",
        "00000000-0000-4000-8000-000000000002",
        "00000000-0000-4000-8000-000000000003",
        "00000000-0000-4000-8000-000000000004",
    ];
    let carol = "uid=carol,dc=example,dc=com";
    [
        vec![
            person(one, "dir-ada-mark3d@example.com", ADA),
            person(two, "dir-bob-mark3d@example.com", BOB),
            person(three, "dir-carol-mark3d@example.com", carol),
            team(vec![ADA, BOB]),
        ],
        vec![
            person(one, "dir-augusta-mark3d@example.com", ADA),
            person(two, "dir-bob-mark3d@example.com", BOB),
            person(four, "dir-eve-mark3d@example.com", EVE),
            team(vec![ADA, EVE]),
        ],
    ]
}

/// A stage with a directory beside it, and an LDAP provider that reads it.
fn stage_with_directory(sync: SyncLimits) -> (Stage, Scene, std::rc::Rc<TestDirectory>, String) {
    let mut world = World::configured(&[("JWT_LOCAL_SECRET", SECRET)]);
    world.app.config.sync = sync;
    let directory = std::rc::Rc::new(TestDirectory::default());
    directory.entries.replace(before_and_after()[0].clone());
    world.connect(directory.clone());
    let scene = Scene::set(&world, "compat");
    let config = json!({
        "url": "ldaps://ldap.example.com", "bind_dn": "cn=reader", "bind_password": format!("{MARK}-password"),
        "base_dn": "dc=example,dc=com", "user_filter": "(objectClass=inetOrgPerson)", "group_filter": "(objectClass=groupOfNames)",
    });
    let body = json!({
        "tenant_id": scene.tenant(), "name": "Directory", "provider_type": "LDAP", "ldap_config": config,
    });
    let all = "/api/v1/admin/identity-providers";
    let created = world.admin("POST", all, body);
    let id = created.expect(201).body["data"]["id"]
        .as_str()
        .expect("an id");
    let path = format!("/admin/identity-providers/{id}");
    (stage_of(world, false), scene, directory, path)
}

/// What can be seen of an answer and of the log after a fault, whatever it was.
fn check(stage: &Stage, at: &str, fault: Fault, answer: Option<&crate::support::Answer>) {
    assert_consistent(&stage.world);
    for line in stage.world.log.0.borrow().iter() {
        assert!(!line.contains(MARK), "{at}: {line}");
    }
    if let Some(answer) = answer.filter(|answer| answer.status != 200) {
        super::check_failure(at, fault, answer);
    }
    let given_up = matches!(fault, Fault::HangsBefore | Fault::HangsAfter);
    assert!(answer.is_some() || given_up, "{at}");
}

#[test]
fn tests_of_a_directory() {
    let (mut stage, scene, _, path) = stage_with_directory(SyncLimits::default());
    let case = scene.admin("POST", &format!("{path}/test"), Value::Null, 200);
    stage.reset();
    let before = stage.state();
    let answer = stage.send(&case, None).expect("an answer");
    assert_eq!(
        answer.expect(200).body["data"]["success"],
        true,
        "{}",
        answer.body
    );
    let mut tried = 0;
    for (number, part) in stage.faults.calls().into_iter().enumerate() {
        for &fault in part.faults() {
            stage.reset();
            let at = format!("{fault:?} at call {number}, {part:?}");
            let answer = stage.send(&case, Some((number, fault)));
            check(&stage, &at, fault, answer.as_ref());
            let shown = answer
                .map(|answer| answer.body.to_string())
                .unwrap_or_default();
            assert!(
                !shown.contains(&format!("{MARK}-password")),
                "{at}: {shown}"
            );
            assert!(
                stage.state() == before,
                "{at}: a test has changed something"
            );
            tried += 1;
        }
    }
    println!("{tried} faults");
    assert!(tried > 50);
}

/// The users and groups, with all that is kept of them, but how often each was written.
fn resources(stage: &Stage) -> Vec<String> {
    let rows = stage.world.database.texts(
        "select 'user ' || json_extract(resource, '$.userName') || ' ' || coalesce(active, '-') from users \
         union all select 'email ' || value_key from user_emails \
         union all select 'group ' || json_extract(g.resource, '$.displayName') || ' ' || member_count from groups g \
         union all select 'member ' || json_extract(u.resource, '$.userName') || ' of ' || json_extract(g.resource, '$.displayName') \
         from group_members m join groups g on g.id = m.group_id join users u on u.id = m.member_id \
         union all select 'entry ' || unique_id || ' ' || state from directory_entries order by 1",
    );
    assert!(rows.len() > 10, "{rows:?}");
    rows
}

#[test]
fn syncs_of_a_directory() {
    try_syncs(SyncLimits::default());
}

/// Everything is staged, and each message makes a few steps.
#[test]
fn syncs_of_a_directory_in_many_messages() {
    try_syncs(SyncLimits {
        text: 1,
        objects: 1,
        statements: 30,
    });
}

fn try_syncs(limits: SyncLimits) {
    let (mut stage, scene, directory, path) = stage_with_directory(limits);
    let sync = scene.admin(
        "POST",
        &format!("{path}/sync?full=true&allow_removals=true"),
        Value::Null,
        200,
    );
    let first = stage.send(&sync, None).expect("an answer");
    assert_eq!(
        first.expect(200).body["data"]["status"],
        "succeeded",
        "{}",
        first.body
    );
    directory.entries.replace(before_and_after()[1].clone());
    stage.world.databases.save();
    stage.reset();
    let before = resources(&stage);
    let second = stage.send(&sync, None).expect("an answer");
    assert_eq!(
        second.expect(200).body["data"]["status"],
        "succeeded",
        "{}",
        second.body
    );
    let after = resources(&stage);
    assert_ne!(before, after);
    let mut tried = 0;
    for (number, part) in stage.faults.calls().into_iter().enumerate() {
        for &fault in part.faults() {
            stage.reset();
            let at = format!("{fault:?} at call {number}, {part:?}");
            let answer = stage.send(&sync, Some((number, fault)));
            check(&stage, &at, fault, answer.as_ref());
            let status = answer.map(|answer| answer.body["data"]["status"].clone());
            let found = resources(&stage);
            if status == Some("succeeded".into()) {
                assert_eq!(found, after, "{at}");
            }
            if part == Part::Tcp && fault == Fault::Down && status == Some("failed".into()) {
                assert_eq!(found, before, "{at}: a silence was taken for something");
            }
            // Where nothing is heard of it for long, the clock goes on with it; the next one ends where it would have ended.
            stage.faults.arm(None);
            stage.world.clock.advance_seconds(LEASE_SECONDS + 1);
            pollster::block_on(stage.world.app.send_due_syncs(stage.world.home().as_ref()));
            stage.world.queue.work_off();
            let running = "select count(*) from sync_logs where status = 'running'";
            assert_eq!(stage.world.database.number(running), 0, "{at}");
            let next = stage.send(&sync, None).expect("an answer");
            assert_eq!(
                next.expect(200).body["data"]["status"],
                "succeeded",
                "{at}: {}",
                next.body
            );
            assert_eq!(resources(&stage), after, "{at}");
            assert_consistent(&stage.world);
            tried += 1;
        }
    }
    println!("{tried} faults");
    assert!(tried > 100);
}
