//! Who is gone with a sync of changes, and what the guard makes of members that go.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::life::dn;
use super::moved::{TEAM, TWELVE, assert_as_read_whole, changes, synced, town};
use crate::ldap_sync::{counts, world};

#[test]
fn a_plan_of_changes_that_takes_many_out_of_their_groups_stops() {
    let world = world();
    let slapd = town("", "");
    let directory = synced(&world, &slapd, json!({}));
    slapd
        .writer()
        .modify(TEAM, &format!("replace: member\nmember: {}", dn("ada")));
    let planned = directory.sync("?dry_run=true");
    let log = directory.sync("");
    for log in [&planned, &log] {
        assert_eq!(log["mode"], "changes");
        assert_eq!(counts(log)["memberships.removed"], 11, "{log}");
        let why = log["error"].as_str().expect("a reason");
        assert!(
            why.contains("11 of the 12 members") && why.contains("20 %"),
            "{why}"
        );
    }
    assert_eq!(
        (&planned["status"], &log["status"]),
        (&json!("planned"), &json!("stopped"))
    );
    assert_eq!(directory.members(&directory.group("team")).len(), 12);
    let found = directory.synced("?allow_removals=true");
    assert_eq!(found["memberships.removed"], 11);
    assert_eq!(directory.members(&directory.group("team")), ["ada"]);
    directory.assert_consistent();
}

#[test]
fn a_group_that_goes_takes_its_members_along_before_the_guard() {
    let world = world();
    let slapd = town("", "");
    let directory = synced(&world, &slapd, json!({"max_removal_percent": 50}));
    slapd.writer().delete(TEAM);
    let log = directory.sync("?full=true");
    assert_eq!(log["status"], "stopped", "{log}");
    let why = log["error"].as_str().expect("a reason");
    assert!(why.contains("12 of the 12 members"), "{why}");
    let found = directory.synced("?full=true&allow_removals=true");
    assert_eq!(found["groups.deleted"], 1);
    directory.assert_consistent();
}

/// Who is a user by being in a group.
const BY_MEMBERSHIP: &str =
    "(&(objectClass=inetOrgPerson)(memberOf=cn=team,ou=groups,dc=example,dc=com))";

#[test]
fn whoever_left_the_filter_is_gone_with_the_next_sync_of_changes() {
    let world = world();
    // An attribute of the entry's own: its change is one of the entry.
    let slapd = town("", "");
    let filter = "(&(objectClass=inetOrgPerson)(!(employeeType=left)))";
    let directory = synced(&world, &slapd, json!({"user_filter": filter}));
    slapd
        .writer()
        .modify(&dn("bob"), "add: employeeType\nemployeeType: left");
    let found = changes(&directory);
    assert_eq!(found["users.deactivated"], 1, "{found:?}");
    assert_eq!(directory.user("bob")["active"], false);
    let again = changes(&directory);
    assert_eq!(again.get("users.deactivated"), None, "{again:?}");
    directory.assert_consistent();
    slapd.writer().modify(&dn("bob"), "delete: employeeType");
    let found = changes(&directory);
    assert_eq!(found["users.reactivated"], 1, "{found:?}");
    assert_as_read_whole(&directory);
    // Many at once are stopped.
    for uid in &TWELVE[..4] {
        slapd
            .writer()
            .modify(&dn(uid), "add: employeeType\nemployeeType: left");
    }
    let log = directory.sync("");
    assert_eq!(
        (&log["mode"], &log["status"]),
        (&"changes".into(), &"stopped".into()),
        "{log}"
    );
    let why = log["error"].as_str().expect("a reason");
    assert!(why.contains("4 of the 14 users and groups"), "{why}");
}

#[test]
fn whoever_left_the_group_of_the_filter_is_gone_where_the_group_is_read() {
    let world = world();
    let overlay = "overlay memberof\nmemberof-dangling ignore";
    for (action, count) in [
        ("deactivate", "users.deactivated"),
        ("delete", "users.deleted"),
        ("keep", "users.kept"),
    ] {
        let slapd = town(overlay, "");
        // The overlay knows what it has seen: everybody comes into the group again.
        let all: String = TWELVE
            .iter()
            .map(|uid| format!("member: {}\n", dn(uid)))
            .collect();
        slapd
            .writer()
            .modify(TEAM, &format!("replace: member\nmember: {}", dn("zoe")));
        slapd
            .writer()
            .modify(TEAM, &format!("replace: member\n{all}"));
        let config = json!({"user_filter": BY_MEMBERSHIP, "missing_user_action": action});
        let directory = synced(&world, &slapd, config);
        assert_eq!(directory.members(&directory.group("team")).len(), 12);
        sleep(Duration::from_millis(3_100));
        slapd.writer().modify(&dn("zoe"), "replace: cn\ncn: Zoe");
        slapd
            .writer()
            .modify(TEAM, "replace: description\ndescription: new");
        directory.synced("");
        slapd
            .writer()
            .modify(TEAM, &format!("delete: member\nmember: {}", dn("bob")));
        let found = changes(&directory);
        assert_eq!(found[count], 1, "{action}: {found:?}");
        directory.assert_consistent();
        assert_as_read_whole(&directory);
    }
}
