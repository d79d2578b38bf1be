//! What becomes of users and groups as their entries change, move, vanish and come back.

use serde_json::{Value, json};

use crate::ldap_sync::{Directory, counts, entries_of, expected, world};
use crate::support::World;
use crate::support::slapd::{BASE, Slapd};

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// An entry of a person in LDIF.
pub fn person(uid: &str, number: u32) -> String {
    format!(
        "dn: uid={uid},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n\
         mail: {uid}@example.com\nentryUUID: 10000000-0000-4000-8000-{number:012}\n\n"
    )
}

/// An entry of a group in LDIF.
pub fn group(cn: &str, number: u32, members: &[&str]) -> String {
    let members: String = members
        .iter()
        .map(|uid| format!("member: uid={uid},ou=people,{BASE}\n"))
        .collect();
    format!(
        "dn: cn={cn},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {cn}\n{members}\
         entryUUID: 20000000-0000-4000-8000-{number:012}\n\n"
    )
}

/// The DN of somebody in `ou=people`.
pub fn dn(uid: &str) -> String {
    format!("uid={uid},ou=people,{BASE}")
}

const TEAM: &str = "cn=team,ou=groups,dc=example,dc=com";

/// People by the numbers of their order, and a group of the first two.
pub fn town(people: &[&str]) -> Slapd {
    let ldif: String = people
        .iter()
        .zip(1..)
        .map(|(uid, number)| person(uid, number))
        .chain([group("team", 1, people.get(..2).expect("two"))])
        .collect();
    Slapd::only(&ldif)
}

pub fn synced_town<'w>(world: &'w World, people: &[&str], more: Value) -> (Slapd, Directory<'w>) {
    let slapd = town(people);
    let directory = Directory::of(world.tenant("compat"), &slapd, more);
    directory.synced("");
    (slapd, directory)
}

pub const TEN: [&str; 10] = [
    "ada", "bob", "cyd", "dan", "eve", "fay", "gil", "hal", "ivy", "jon",
];

#[test]
fn a_change_is_found_by_reading_what_changed() {
    let world = world();
    let (slapd, directory) = synced_town(&world, &TEN, json!({}));
    let before = directory.user("ada");
    slapd
        .writer()
        .modify(&dn("ada"), "replace: cn\ncn: Ada Lovelace");
    slapd.add(&person("kay", 11));
    slapd.writer().modify(
        TEAM,
        &format!(
            "add: member\nmember: uid=kay,ou=people,{BASE}\nmember: uid=cyd,ou=people,{BASE}\n-\n\
                  delete: member\nmember: uid=bob,ou=people,{BASE}"
        ),
    );
    let log = directory.sync("");
    assert_eq!(log["mode"], "changes");
    let found = counts(&log);
    assert_eq!(found["users.created"], 1);
    assert_eq!(found["users.updated"], 1);
    assert_eq!(found["memberships.added"], 2);
    assert_eq!(found["memberships.removed"], 1);
    let after = directory.user("ada");
    assert_eq!(after["id"], before["id"]);
    assert_eq!(after["displayName"], "Ada Lovelace");
    assert_eq!(after["meta"]["version"], "W/\"2\"");
    assert_eq!(
        directory.members(&directory.group("team")),
        ["ada", "cyd", "kay"]
    );
    directory.assert_consistent();
}

#[test]
fn a_switch_without_a_value_starts_nothing() {
    let world = world();
    let directory = Directory::at(world.tenant("compat"), "ldap://127.0.0.1:1", json!({}));
    for switch in ["dry_run", "full", "allow_removals"] {
        for query in [
            format!("?{switch}"),
            format!("?{switch}="),
            format!("?{switch}=yes"),
        ] {
            let answer = directory.ask(&query);
            assert_eq!(
                answer.expect(422).body["detail"][0]["loc"],
                json!(["query", switch])
            );
        }
    }
    assert_eq!(world.database.number("select count(*) from sync_logs"), 0);
}

#[test]
fn an_entry_that_moves_is_the_same_user() {
    let world = world();
    let (slapd, directory) = synced_town(&world, &TEN, json!({}));
    let before = directory.user("ada");
    let contractors = format!("ou=contractors,{BASE}");
    slapd.writer().rename(&dn("ada"), "uid=ada", &contractors);
    slapd.writer().modify(
        TEAM,
        &format!("replace: member\nmember: uid=ada,ou=contractors,{BASE}"),
    );
    let found = directory.synced("?full=true");
    assert_eq!(
        found,
        expected(json!({"users.unchanged": 10, "groups.unchanged": 1, "memberships.removed": 1}))
    );
    assert_eq!(directory.user("ada"), before);
    assert_eq!(directory.members(&directory.group("team")), ["ada"]);
    // A sync of changes knows the user by the new DN.
    slapd.writer().modify(
        TEAM,
        &format!("replace: member\nmember: uid=bob,ou=people,{BASE}"),
    );
    directory.synced("");
    slapd.writer().modify(
        TEAM,
        &format!("replace: member\nmember: uid=ada,ou=contractors,{BASE}"),
    );
    directory.synced("");
    assert_eq!(directory.members(&directory.group("team")), ["ada"]);
}

#[test]
fn who_vanishes_is_deactivated_and_who_comes_back_is_reactivated() {
    let world = world();
    let (slapd, directory) = synced_town(&world, &TEN, json!({}));
    slapd.writer().delete(&dn("ada"));
    assert_eq!(directory.sync("")["mode"], "changes");
    assert_eq!(directory.user("ada")["active"], true);
    let found = directory.synced("?full=true");
    assert_eq!(found["users.deactivated"], 1);
    let gone = directory.user("ada");
    assert_eq!(gone["active"], false);
    assert!(gone.get("groups").is_none());
    directory.assert_consistent();
    let again = directory.synced("?full=true");
    assert!(!again.contains_key("users.deactivated"), "{again:?}");
    assert_eq!(directory.user("ada"), gone);
    slapd.add(&person("ada", 1));
    let found = directory.synced("");
    assert_eq!(found["users.reactivated"], 1);
    let back = directory.user("ada");
    assert_eq!((&back["id"], &back["active"]), (&gone["id"], &json!(true)));
    directory.assert_consistent();
}

#[test]
fn who_vanishes_is_deleted_or_kept_as_the_configuration_says() {
    let world = world();
    for (action, count) in [("delete", "users.deleted"), ("keep", "users.kept")] {
        let (slapd, directory) = synced_town(&world, &TEN, json!({"missing_user_action": action}));
        let id = directory.user("cyd")["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let before = directory.tenant.get(&format!("/Users/{id}"));
        slapd.writer().delete(&dn("cyd"));
        let found = directory.synced("?full=true");
        assert_eq!(found[count], 1, "{found:?}");
        let after = directory.tenant.get(&format!("/Users/{id}"));
        match action {
            "delete" => assert_eq!(after.status, 404),
            _ => assert_eq!(after.body, before.body),
        }
        directory.assert_consistent();
        slapd.add(&person("cyd", 3));
        let found = directory.synced("?full=true");
        let again = directory.user("cyd");
        match action {
            "delete" => {
                assert_eq!(found["users.created"], 1);
                assert_ne!(again["id"], id.as_str());
            }
            _ => assert_eq!(again["meta"], before.body["meta"]),
        }
        directory.assert_consistent();
    }
}

#[test]
fn those_deactivated_are_deleted_where_the_configuration_says_so_later() {
    let world = world();
    let (slapd, directory) = synced_town(&world, &TEN, json!({}));
    slapd.writer().delete(&dn("ada"));
    directory.synced("?full=true");
    // Somebody new has the name, which the one deactivated still has.
    slapd.add(&person("ada", 77));
    let log = directory.sync("?full=true");
    assert_eq!(counts(&log)["users.conflicts"], 1);
    assert!(
        directory
            .entries(&log)
            .iter()
            .any(|(action, name, reason)| {
                action == "conflict" && name == "ada" && reason.contains("or was one")
            })
    );
    directory.configure(json!({"missing_user_action": "delete"}));
    let log = directory.sync("");
    assert_eq!(log["mode"], "full", "after a change of the configuration");
    let found = counts(&log);
    assert_eq!(
        (&found["users.deleted"], &found["users.created"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        directory.user("ada")["externalId"],
        "10000000-0000-4000-8000-000000000077"
    );
    directory.assert_consistent();
}

#[test]
fn a_vanished_group_is_deleted_but_where_everything_is_kept() {
    let world = world();
    for (action, status) in [("deactivate", 404), ("delete", 404), ("keep", 200)] {
        let (slapd, directory) = synced_town(&world, &TEN, json!({"missing_user_action": action}));
        let id = directory.group("team")["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        slapd.writer().delete(TEAM);
        directory.synced("?full=true");
        assert_eq!(
            directory.tenant.get(&format!("/Groups/{id}")).status,
            status
        );
        directory.assert_consistent();
    }
}

#[test]
fn a_plan_that_removes_much_stops_and_is_let_through_knowingly() {
    let world = world();
    let (slapd, directory) = synced_town(&world, &TEN, json!({}));
    for uid in &TEN[2..5] {
        slapd.writer().delete(&dn(uid));
    }
    let rows = || {
        [
            "users",
            "groups",
            "group_members",
            "audit_events where action <> 'sync'",
            "directory_entries",
        ]
        .map(|table| world.database.query(&format!("select * from {table}")))
    };
    let before = rows();
    let log = directory.sync("?full=true");
    assert_eq!(log["status"], "stopped", "{log}");
    let why = log["error"].as_str().expect("a reason");
    assert!(why.contains("3 of the 11") && why.contains("20 %"), "{why}");
    assert_eq!(rows(), before);
    let plan = directory.sync("?full=true&dry_run=true");
    assert_eq!(plan["status"], "planned");
    assert_eq!(plan["error"], why);
    assert_eq!(counts(&plan)["users.deactivated"], 3);
    assert_eq!(
        entries_of(&plan)
            .iter()
            .filter(|(action, ..)| action == "deactivated")
            .count(),
        3
    );
    let found = directory.synced("?full=true&allow_removals=true");
    assert_eq!(found["users.deactivated"], 3);
    directory.assert_consistent();
}

#[test]
fn a_directory_that_has_nothing_removes_nobody() {
    let world = world();
    let (_slapd, directory) =
        synced_town(&world, &["ada", "bob"], json!({"max_removal_percent": 100}));
    directory.configure(json!({"user_filter": "(uid=nobody)", "group_filter": "(cn=nothing)"}));
    let log = directory.sync("");
    assert_eq!(log["status"], "stopped", "{log}");
    assert!(
        log["error"]
            .as_str()
            .is_some_and(|why| why.contains("has nothing"))
    );
    assert_eq!(directory.user("ada")["active"], true);
}

#[test]
fn names_go_from_hand_to_hand_and_round_in_a_circle() {
    let world = world();
    let (slapd, directory) = synced_town(
        &world,
        &TEN,
        json!({"attribute_mapping": {"user_name": "cn"}}),
    );
    let id = |uid: &str| directory.user(uid)["id"].clone();
    let (ada, bob, cyd) = (id("ada"), id("bob"), id("cyd"));
    // ada becomes bob, bob becomes cyd, cyd becomes ada; each DN stays.
    for (old, new) in [("ada", "bob"), ("bob", "cyd"), ("cyd", "ada")] {
        slapd
            .writer()
            .modify(&dn(old), &format!("replace: cn\ncn: {new}"));
    }
    let found = directory.synced("?full=true");
    assert_eq!(found["users.updated"], 3);
    assert_eq!((id("bob"), id("cyd"), id("ada")), (ada, bob, cyd));
    directory.assert_consistent();
}

#[test]
fn what_scim_clients_have_is_a_conflict_and_never_merged() {
    let world = world();
    let slapd = town(&TEN);
    let tenant = world.tenant("compat");
    let ada = tenant.user("ADA");
    let team = tenant.group("Team", &[&ada]);
    let directory = Directory::of(tenant, &slapd, json!({}));
    let log = directory.sync("");
    assert_eq!(log["status"], "succeeded");
    let found = counts(&log);
    assert_eq!(
        found,
        expected(json!({"users.created": 9, "users.conflicts": 1, "groups.conflicts": 1}))
    );
    let entries = directory.entries(&log);
    for (name, id) in [("ada", &ada), ("team", &team)] {
        assert!(
            entries
                .iter()
                .any(|(action, entry, reason)| action == "conflict"
                    && entry == name
                    && reason.contains(id.as_str())
                    && reason.contains("SCIM"))
        );
    }
    let theirs = directory.tenant.get(&format!("/Users/{ada}"));
    assert!(theirs.body.get("externalId").is_none());
    assert_eq!(theirs.body["meta"]["version"], "W/\"1\"");
    directory.assert_consistent();
    // Where the name is free, the directory's own comes.
    directory
        .tenant
        .send("DELETE", &format!("/Users/{ada}"), Value::Null)
        .expect(204);
    let body = json!({"schemas": [PATCH], "Operations": [{"op": "replace", "path": "displayName", "value": "Other"}]});
    assert_eq!(
        directory
            .tenant
            .send("PATCH", &format!("/Groups/{team}"), body)
            .status,
        200
    );
    let found = directory.synced("?full=true");
    assert_eq!(
        (&found["users.created"], &found["groups.created"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(directory.members(&directory.group("team")), ["ada", "bob"]);
    directory.assert_consistent();
}

#[test]
fn an_entry_that_becomes_unusable_is_skipped_and_not_gone() {
    let world = world();
    let (slapd, directory) = synced_town(
        &world,
        &TEN,
        json!({"attribute_mapping": {"user_name": "employeeNumber"}, "missing_user_action": "delete"}),
    );
    assert_eq!(directory.tenant.get("/Users").body["totalResults"], 0);
    slapd
        .writer()
        .modify(&dn("ada"), "add: employeeNumber\nemployeeNumber: 1");
    slapd.writer().modify(
        &dn("bob"),
        &format!("add: employeeNumber\nemployeeNumber: {}", "x".repeat(1_001)),
    );
    let log = directory.sync("?full=true");
    assert_eq!(counts(&log)["users.created"], 1);
    assert_eq!(counts(&log)["users.skipped"], 9);
    assert!(
        directory
            .entries(&log)
            .iter()
            .any(|(action, _, reason)| action == "skipped" && reason.contains("1001 characters"))
    );
    slapd.writer().modify(&dn("ada"), "delete: employeeNumber");
    let found = directory.synced("?full=true");
    assert!(!found.contains_key("users.deleted"), "{found:?}");
    assert_eq!(directory.user("1")["active"], true);
}
