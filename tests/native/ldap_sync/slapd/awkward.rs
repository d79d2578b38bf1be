//! The directory of everything that is awkward.

use serde_json::json;

use crate::ldap_sync::{Directory, counts, entries_of, expected, world};
use crate::support::slapd::Slapd;

#[test]
fn a_directory_becomes_users_and_groups() {
    let (world, slapd) = (world(), Slapd::start());
    let directory = Directory::of(world.tenant("compat"), &slapd, json!({}));
    let log = directory.sync("");
    assert_eq!(log["status"], "succeeded", "{log}");
    assert_eq!(log["mode"], "full");
    assert_eq!(
        counts(&log),
        expected(json!({
            "users.created": 12, "users.conflicts": 1, "groups.created": 7,
            "memberships.added": 18, "memberships.unresolved": 2,
        })),
    );
    let anna = directory.user("anna");
    assert_eq!(anna["externalId"], "00000000-0000-4000-8000-000000000001");
    assert_eq!(
        anna["name"],
        json!({"familyName": "Andersson", "givenName": "Anna"})
    );
    assert_eq!(anna["displayName"], "Anna Andersson");
    assert_eq!(
        anna["emails"],
        json!([{"value": "anna@example.com", "type": "work", "primary": true}])
    );
    assert_eq!(anna["active"], true);
    assert_eq!(
        anna["schemas"],
        json!(["urn:ietf:params:scim:schemas:core:2.0:User"])
    );
    assert_eq!(directory.user("jürgen")["displayName"], "Jürgen Müller");
    assert_eq!(directory.user("dora")["displayName"], "dora");
    let staff = directory.group("staff");
    assert_eq!(
        directory.members(&staff),
        ["anna", "bo", "cy", "dora", "eva", "finn", "jürgen"]
    );
    assert_eq!(
        directory.members(&directory.group("spelt")),
        ["anna", "bo", "finn", "jürgen"]
    );
    assert_eq!(
        directory.members(&directory.group("company")),
        ["outside", "staff"]
    );
    assert_eq!(
        directory.members(&directory.group("ring-a")),
        ["gus", "ring-b"]
    );
    assert_eq!(
        directory.members(&directory.group("ring-b")),
        ["hal", "ring-a"]
    );
    assert_eq!(directory.members(&directory.group("haunted")), ["ida"]);
    let entries = directory.entries(&log);
    let reasons: Vec<&(String, String, String)> = entries
        .iter()
        .filter(|(action, ..)| action == "conflict" || action == "unresolved")
        .collect();
    assert!(
        reasons
            .iter()
            .any(|(action, name, reason)| action == "conflict"
                && name == "anna"
                && reason.contains("uid=anna,ou=people,dc=example,dc=com"))
    );
    assert!(
        reasons
            .iter()
            .any(|(action, name, reason)| action == "unresolved"
                && name == "haunted"
                && reason.contains("uid=ghost"))
    );
    assert!(
        reasons
            .iter()
            .any(|(action, name, reason)| action == "unresolved"
                && name == "outside"
                && reason.contains("uid=anna,ou=contractors"))
    );
    directory.assert_consistent();
}

#[test]
fn a_second_sync_changes_nothing() {
    let (world, slapd) = (world(), Slapd::start());
    let directory = Directory::of(world.tenant("compat"), &slapd, json!({}));
    directory.synced("");
    let tables = [
        "users",
        "groups",
        "group_members",
        "user_emails",
        "audit_events",
        "tombstones",
        "directory_entries",
        "tenants",
    ];
    // That a sync is over is told all the same.
    let sql = |table: &str| match table {
        "audit_events" => "select * from audit_events where action <> 'sync'".to_owned(),
        "tenants" => "select id, user_total, group_total from tenants".to_owned(),
        table => format!("select * from {table}"),
    };
    let rows = || tables.map(|table| world.database.query(&sql(table)));
    let before = rows();
    for query in ["", "?full=true", ""] {
        let log = directory.sync(query);
        assert_eq!(log["status"], "succeeded", "{log}");
        let counts = counts(&log);
        assert!(
            counts.keys().all(|name| [
                "users.unchanged",
                "users.conflicts",
                "groups.unchanged",
                "memberships.unresolved"
            ]
            .contains(&name.as_str())),
            "{counts:?}"
        );
        assert_eq!(
            log["mode"],
            if query.is_empty() { "changes" } else { "full" }
        );
        assert_eq!(rows(), before);
    }
}

#[test]
fn a_dry_run_tells_all_and_writes_nothing() {
    let (world, slapd) = (world(), Slapd::start());
    let directory = Directory::of(world.tenant("compat"), &slapd, json!({}));
    let before = world.database.dump();
    let plan = directory.sync("?dry_run=true");
    assert_eq!(plan["status"], "planned", "{plan}");
    assert_eq!(plan["dry_run"], true);
    // But for its own line in the log.
    let others = |dump: Vec<(String, _)>| {
        let dump = dump.into_iter();
        dump.filter(|(table, _)| {
            !["sync_logs", "sync_entries", "directory_syncs"].contains(&table.as_str())
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(others(world.database.dump()), others(before));
    let planned = entries_of(&plan);
    let log = directory.sync("");
    assert_eq!(counts(&plan), counts(&log));
    let sorted = |mut entries: Vec<(String, String, String)>| {
        entries.sort();
        entries
    };
    assert_eq!(sorted(planned), sorted(directory.entries(&log)));
}
