//! Runs that break off, that hang, and that come twice.

use serde_json::{Value, json};

use super::life::{TEN, dn, town};
use crate::ldap_sync::{Directory, deployed, world};
use crate::support::slapd::BASE;
use rollcall::store::Error;

const MINUTES: i64 = 60;

#[test]
fn one_sync_at_a_time() {
    let world = world();
    let slapd = town(&TEN);
    let directory = Directory::of(world.tenant("compat"), &slapd, json!({}));
    directory.synced("");
    world.database.execute("update directory_syncs set log_id = (select max(id) from sync_logs), expires_at = 9e15; update sync_logs set status = 'running', finished_at = null, resent = 3");
    for query in ["", "?dry_run=true", "?full=true"] {
        let answer = directory.ask(query);
        assert_eq!(answer.status, 409, "{}", answer.body);
    }
    // It died, though its message was sent again and again: whoever looks next says so, and the next run goes on.
    world.database.execute(&format!(
        "update directory_syncs set expires_at = {}",
        world.clock.0.get()
    ));
    let logs = world.admin("GET", &directory.path("/sync-logs"), Value::Null);
    assert_eq!(logs.expect(200).body["data"][0]["status"], "failed");
    directory.synced("");
}

/// The database fails at each batch of a run in turn: from then on, or once; or the batch is written and nobody hears of it.
#[test]
fn a_run_that_breaks_off_anywhere_leaves_everything_whole_and_the_next_finishes() {
    for (lasting, world) in [
        (true, deployed as fn() -> _),
        (false, deployed),
        (true, world),
        (false, world),
    ] {
        for batch in 0.. {
            let world = world();
            let slapd = town(&TEN);
            let tenant = world.tenant("compat");
            let directory = Directory::of(tenant, &slapd, json!({"missing_user_action": "delete"}));
            directory.synced("");
            world.clock.advance_seconds(1);
            slapd.writer().delete(&dn("ada"));
            slapd.writer().modify(&dn("bob"), "replace: cn\ncn: Robert");
            slapd.writer().modify(
                "cn=team,ou=groups,dc=example,dc=com",
                &format!("add: member\nmember: uid=cyd,ou=people,{BASE}"),
            );
            // Failures are taken from the end, `None` being a batch that runs.
            let mut failures: Vec<Option<Error>> = vec![None; batch];
            let times = if lasting { 200 } else { 1 };
            failures.extend(std::iter::repeat_n(
                Some(Error::Overloaded("gone".to_owned())),
                times,
            ));
            failures.reverse();
            *world.database.planned.borrow_mut() = failures;
            let answer = directory.ask("?full=true");
            let left = world.database.planned.take();
            directory.assert_consistent();
            if left.iter().filter(|failure| failure.is_some()).count() == times {
                // The run was over before the fault.
                assert_eq!(answer.body["data"]["status"], "succeeded");
                assert!(batch > 5, "{batch}");
                break;
            }
            world.clock.advance_seconds(6 * MINUTES);
            // Whoever looks sends its message again, and the run goes on.
            let logs = || world.admin("GET", &directory.path("/sync-logs"), Value::Null);
            logs().expect(200);
            world.queue.work_off();
            let logs = logs();
            for log in logs.expect(200).body["data"].as_array().expect("logs") {
                assert!(
                    ["planned", "succeeded"].contains(&log["status"].as_str().expect("a status")),
                    "{batch}: {log}"
                );
            }
            directory.assert_consistent();
            directory.synced("?full=true");
            directory.assert_consistent();
            assert_eq!(directory.user("bob")["displayName"], "Robert");
            assert_eq!(directory.tenant.get("/Users").body["totalResults"], 9);
            assert_eq!(directory.members(&directory.group("team")), ["bob", "cyd"]);
        }
    }
}

#[test]
fn a_run_that_lost_its_lease_writes_nothing_more() {
    let world = deployed();
    let slapd = town(&TEN);
    let directory = Directory::of(world.tenant("compat"), &slapd, json!({}));
    // Before the first batch that writes users: provider, lease, then the message: the run, links, names, then that.
    world
        .database
        .interfere_before(5, &["update directory_syncs set log_id = 'another'"]);
    let log = directory.sync("");
    assert_eq!(log["status"], "failed", "{log}");
    assert_eq!(world.database.number("select count(*) from users"), 0);
}

#[test]
fn a_name_that_is_taken_in_between_is_planned_for_anew() {
    let world = deployed();
    let slapd = town(&TEN);
    let tenant = world.tenant("compat");
    let thief = tenant.user("thief");
    let directory = Directory::of(tenant, &slapd, json!({}));
    let steal =
        format!("update users set keys = json_set(keys, '$.username', 'ada') where id = '{thief}'");
    world.database.interfere_before(5, &[&steal]);
    let log = directory.sync("");
    assert_eq!(log["status"], "succeeded", "{log}");
    assert_eq!(log["counts"]["users"]["created"], 9);
    assert_eq!(log["counts"]["users"]["conflicts"], 1);
    directory.assert_consistent();
}

#[test]
fn a_server_that_cannot_be_reached_is_a_failed_log_and_changes_nothing() {
    let world = world();
    let directory = Directory::at(world.tenant("compat"), "ldap://127.0.0.1:1", json!({}));
    for query in ["", "?dry_run=true"] {
        let log = directory.sync(query);
        assert_eq!(log["status"], "failed");
        let why = log["error"].as_str().expect("a reason");
        assert!(
            why.contains("127.0.0.1:1") && !why.contains("reader-password"),
            "{why}"
        );
    }
    assert_eq!(world.database.number("select count(*) from sync_logs"), 2);
}

#[test]
fn what_is_due_is_synced_by_the_clock_and_each_fails_alone() {
    let world = world();
    let slapd = town(&TEN);
    let broken = Directory::at(
        world.tenant("compat"),
        "ldap://127.0.0.1:1",
        json!({"sync_interval_minutes": 5}),
    );
    let due = Directory::of(
        world.tenant("compat"),
        &slapd,
        json!({"sync_interval_minutes": 10}),
    );
    let never = Directory::of(world.tenant("compat"), &slapd, json!({}));
    let tick = || {
        pollster::block_on(world.app.send_due_syncs(world.home().as_ref()));
        world.queue.work_off();
    };
    let runs = |directory: &Directory<'_>| {
        world.database.number(&format!(
            "select count(*) from sync_logs where idp_id = '{}' and started_by = 'scheduled'",
            directory.idp
        ))
    };
    tick();
    assert_eq!((runs(&broken), runs(&due), runs(&never)), (1, 1, 0));
    assert_eq!(due.user("ada")["active"], true);
    tick();
    assert_eq!((runs(&broken), runs(&due)), (1, 1));
    world.clock.advance_seconds(5 * MINUTES);
    tick();
    assert_eq!((runs(&broken), runs(&due)), (2, 1));
    world.clock.advance_seconds(5 * MINUTES);
    world
        .admin("PATCH", &broken.path(""), json!({"enabled": false}))
        .expect(200);
    tick();
    assert_eq!((runs(&broken), runs(&due)), (2, 2));
}

#[test]
fn fifty_runs_are_kept() {
    let world = world();
    let directory = Directory::at(world.tenant("compat"), "ldap://127.0.0.1:1", json!({}));
    for _ in 0..53 {
        directory.sync("");
        world.clock.advance_seconds(1);
    }
    let logs = world.admin("GET", &directory.path("/sync-logs?per_page=5"), Value::Null);
    assert_eq!(logs.expect(200).body["pagination"]["total_items"], 50);
}
