//! Entries that get other DNs without a change of their own, because something above them was renamed or moved: a sync of changes takes
//! nobody out of a group who is still in it.

use std::thread::sleep;
use std::time::Duration;

use serde_json::{Value, json};

use super::life::{dn, group, person};
use crate::ldap::{everything, read};
use crate::ldap_sync::{Directory, counts, deployed, world};
use crate::support::World;
use crate::support::slapd::{BASE, Slapd};

pub const TWELVE: [&str; 12] = [
    "ada", "bob", "cyd", "dan", "eve", "fay", "gil", "hal", "ivy", "jon", "kay", "lou",
];
pub const TEAM: &str = "cn=team,ou=groups,dc=example,dc=com";
/// The server changes the members of groups when their entries get other names.
const REFINT: &str = "overlay refint\nrefint_attributes member";

/// An entry that has not changed for long.
fn old(entry: &str) -> String {
    format!("{}\nmodifyTimestamp: 20260101000000Z\n\n", entry.trim_end())
}

/// Twelve people in one group, and another entry that changed just now: what was there before it is not read again.
pub fn town(configuration: &str, more: &str) -> Slapd {
    let people = TWELVE.iter().zip(1..).map(|(uid, id)| person(uid, id));
    let entries = people.chain([group("team", 1, &TWELVE)]);
    let entries: String = entries.map(|entry| old(&entry)).collect();
    let clock = person("zoe", 99);
    Slapd::only_with(configuration, &format!("{entries}{more}{clock}"))
}

pub fn synced<'w>(world: &'w World, slapd: &Slapd, more: Value) -> Directory<'w> {
    let directory = Directory::of(world.tenant("compat"), slapd, more);
    directory.synced("");
    directory
}

fn rename_people(slapd: &Slapd) {
    let people = format!("ou=people,{BASE}");
    slapd.writer().rename(&people, "ou=staff", BASE);
}

/// Waits until the server has finished changing members.
fn wait_for_members(slapd: &Slapd, ending: &str) {
    for _ in 0..200 {
        let (pages, _) = read(&slapd.settings(), &everything("(cn=team)")).expect("the group");
        let entries = pages.concat();
        let mut members = entries.iter().flat_map(|entry| entry.texts("member"));
        if members.all(|member| member.ends_with(ending)) {
            return;
        }
        sleep(Duration::from_millis(20));
    }
    panic!("the members did not change");
}

/// All groups have the members that a reading of everything gives them, and that changes nothing then.
#[track_caller]
pub fn assert_as_read_whole(directory: &Directory<'_>) {
    let found = directory.synced("?full=true");
    let same = ["memberships.added", "memberships.removed"].map(|name| found.get(name));
    assert_eq!(same, [None, None], "{found:?}");
    directory.assert_consistent();
}

/// A sync of changes, and its counts.
#[track_caller]
pub fn changes(directory: &Directory<'_>) -> serde_json::Map<String, Value> {
    let planned = directory.sync("?dry_run=true");
    assert_eq!(planned["mode"], "changes", "{planned}");
    directory.synced("")
}

#[test]
fn an_organisational_unit_that_is_renamed_empties_no_group() {
    let world = world();
    let slapd = town(REFINT, "");
    let directory = synced(&world, &slapd, json!({}));
    rename_people(&slapd);
    wait_for_members(&slapd, &format!(",ou=staff,{BASE}"));
    let zoe = format!("uid=zoe,ou=staff,{BASE}");
    slapd
        .writer()
        .modify(TEAM, &format!("add: member\nmember: {zoe}"));
    let found = changes(&directory);
    assert_eq!(found["memberships.added"], 1, "{found:?}");
    assert_eq!(found.get("memberships.removed"), None, "{found:?}");
    let members = directory.members(&directory.group("team"));
    assert_eq!(members.len(), 13, "{members:?}");
    assert_as_read_whole(&directory);
}

#[test]
fn whoever_is_found_elsewhere_stays_and_whoever_is_not_goes() {
    let world = world();
    let outside = format!(
        "dn: ou=alumni,{BASE}\nobjectClass: organizationalUnit\nou: alumni\n\n\
         dn: ou=team,ou=people,{BASE}\nobjectClass: organizationalUnit\nou: team\n\n"
    );
    let inner: String = (["ned", "oda"].iter().zip(40..))
        .map(|(uid, id)| old(&person(uid, id).replace("ou=people", "ou=team,ou=people")))
        .collect();
    let slapd = town("", &format!("{outside}{inner}"));
    let directory = synced(&world, &slapd, json!({}));
    let member = |uid: &str, place: &str| format!("member: uid={uid},{place},{BASE}");
    let set = |members: &[String]| {
        let members = members.join("\n");
        slapd
            .writer()
            .modify(TEAM, &format!("replace: member\n{members}"));
    };
    set(&[
        member("ada", "ou=people"),
        member("ned", "ou=team,ou=people"),
        member("oda", "ou=team,ou=people"),
    ]);
    directory.synced("?allow_removals=true");
    let members = || directory.members(&directory.group("team"));
    assert_eq!(members(), ["ada", "ned", "oda"]);

    // The unit is moved below another; one spelling of each name is another one than the server's.
    let team = format!("ou=team,ou=people,{BASE}");
    let alumni = format!("ou=alumni,{BASE}");
    slapd.writer().rename(&team, "ou=Team A\\, B", &alumni);
    set(&[
        member("ADA", "OU=People"),
        format!("member: UID=ned, OU=team a\\2C  b,ou=alumni,{BASE}"),
        member("oda", "ou=Team A\\, B,ou=alumni"),
    ]);
    let found = changes(&directory);
    assert_eq!(found.get("memberships.removed"), None, "{found:?}");
    assert_eq!(found.get("memberships.added"), None, "{found:?}");
    assert_eq!(members(), ["ada", "ned", "oda"]);

    // One is renamed alone; one is deleted; a third stays under his old name in the group.
    slapd
        .writer()
        .rename(&dn("ada"), "uid=adele", &format!("ou=people,{BASE}"));
    slapd
        .writer()
        .delete(&format!("uid=oda,ou=Team A\\, B,ou=alumni,{BASE}"));
    set(&[
        member("adele", "ou=people"),
        member("ned", "ou=team,ou=people"),
        member("bob", "ou=people"),
        member("nobody", "ou=people"),
        "member: cn=somebody,dc=example,dc=org".to_owned(),
    ]);
    let found = changes(&directory);
    assert_eq!(found["memberships.added"], 1, "{found:?}");
    assert_eq!(found["memberships.removed"], 2, "{found:?}");
    assert_eq!(found["users.updated"], 1, "{found:?}");
    // A reading of everything does not find the third one by that name either.
    assert_eq!(members(), ["adele", "bob"]);
    assert_as_read_whole(&directory);
}

#[test]
fn groups_in_groups_are_found_where_they_went() {
    let world = world();
    let inner = old(&group("inner", 2, &["ada"]));
    let outer = old(&format!(
        "dn: cn=outer,{BASE}\nobjectClass: groupOfNames\ncn: outer\nmember: cn=inner,ou=groups,{BASE}\n\
         member: {TEAM}\nentryUUID: 20000000-0000-4000-8000-000000000003"
    ));
    let slapd = town("", &format!("{inner}{outer}"));
    let directory = synced(&world, &slapd, json!({}));
    let ours = directory.tenant.group("Ours", &[]);
    directory.map("20000000-0000-4000-8000-000000000003", &ours);
    directory.synced("");
    slapd
        .writer()
        .rename(&format!("ou=groups,{BASE}"), "ou=teams", BASE);
    slapd.writer().modify(
        &format!("cn=outer,{BASE}"),
        &format!("replace: member\nmember: cn=INNER, ou=Teams,{BASE}\nmember: cn=team,ou=teams,{BASE}\nmember: {}", dn("zoe")),
    );
    let found = changes(&directory);
    assert_eq!(found.get("memberships.removed"), None, "{found:?}");
    assert_eq!(found["memberships.added"], 1, "{found:?}");
    assert_eq!(found["mapped.given"], 1, "{found:?}");
    assert_eq!(
        directory.members(&directory.group("outer")),
        ["inner", "team", "zoe"]
    );
    // A group that is renamed is the same one.
    slapd.writer().rename(
        &format!("cn=inner,ou=teams,{BASE}"),
        "cn=core",
        &format!("ou=teams,{BASE}"),
    );
    slapd.writer().modify(
        &format!("cn=outer,{BASE}"),
        &format!("replace: member\nmember: cn=core,ou=teams,{BASE}"),
    );
    let found = changes(&directory);
    assert_eq!(found["memberships.removed"], 2, "{found:?}");
    assert_eq!(directory.members(&directory.group("outer")), ["core"]);
    assert_as_read_whole(&directory);
}

#[test]
fn names_that_went_from_hand_to_hand_make_nobody_another() {
    let world = world();
    let units = ["left", "right"]
        .map(|ou| format!("dn: ou={ou},{BASE}\nobjectClass: organizationalUnit\nou: {ou}\n\n"));
    // Two people with one name in two units.
    let people = [("left", 50), ("right", 51)].map(|(ou, id)| {
        let entry = person("sam", id).replace("ou=people", &format!("ou={ou}"));
        old(&entry.replace("cn: sam", &format!("cn: sam-{ou}")))
    });
    let slapd = town("", &(units.concat() + &people.concat()));
    let config = json!({"attribute_mapping": {"user_name": "cn"}});
    let directory = synced(&world, &slapd, config);
    let set = |members: &[&str]| {
        let members: String = members
            .iter()
            .map(|ou| format!("member: uid=sam,ou={ou},{BASE}\n"))
            .collect();
        slapd
            .writer()
            .modify(TEAM, &format!("replace: member\n{members}"));
    };
    set(&["left"]);
    directory.synced("?allow_removals=true");
    let members = || directory.members(&directory.group("team"));
    assert_eq!(members(), ["sam-left"]);
    let swap = || {
        for (from, to) in [("left", "middle"), ("right", "left"), ("middle", "right")] {
            let unit = format!("ou={from},{BASE}");
            slapd.writer().rename(&unit, &format!("ou={to}"), BASE);
        }
    };
    swap();
    set(&["right"]);
    let found = changes(&directory);
    assert_eq!(found.get("memberships.removed"), None, "{found:?}");
    assert_eq!(members(), ["sam-left"]);
    // Both were in it, and one is left, under the name that was the other's.
    set(&["left", "right"]);
    changes(&directory);
    assert_eq!(members(), ["sam-left", "sam-right"]);
    swap();
    set(&["right"]);
    let found = changes(&directory);
    assert_eq!(found["memberships.removed"], 1, "{found:?}");
    assert_eq!(members(), ["sam-right"]);
    assert_as_read_whole(&directory);
}

#[test]
fn a_thousand_who_moved_are_looked_up_and_more_are_read_with_everything() {
    for (count, mode) in [(1_000_u32, "changes"), (2_100, "full")] {
        let world = deployed();
        let names: Vec<String> = (0..count).map(|number| format!("user-{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let people = names.iter().zip(100..).map(|(uid, id)| person(uid, id));
        let entries = people.chain([group("crowd", 5, &names)]);
        let entries: String = entries.map(|entry| old(&entry)).collect();
        let slapd = town("", &entries);
        let directory = synced(&world, &slapd, json!({"page_size": 500}));
        rename_people(&slapd);
        let team: String = TWELVE
            .iter()
            .map(|uid| format!("member: uid={uid},ou=staff,{BASE}\n"))
            .collect();
        slapd
            .writer()
            .modify(TEAM, &format!("replace: member\n{team}"));
        slapd
            .writer()
            .delete("cn=crowd,ou=groups,dc=example,dc=com");
        let crowd = group("crowd", 5, &names).replace("ou=people", "ou=staff");
        slapd.add(&crowd.replace(&format!("member: uid=user-0,ou=staff,{BASE}\n"), ""));
        let log = directory.sync("");
        assert_eq!(
            (&log["mode"], &log["status"]),
            (&mode.into(), &"succeeded".into()),
            "{log}"
        );
        assert_eq!(counts(&log)["memberships.removed"], 1, "{log}");
        assert_eq!(
            world
                .database
                .number("select max(member_count) from groups"),
            i64::from(count) - 1
        );
        assert_as_read_whole(&directory);
    }
}

/// Round trips to the database: what is looked up in the directory costs few, however many it is.
#[test]
fn looking_up_costs_few_round_trips() {
    let world = deployed();
    let slapd = town("", "");
    let directory = synced(&world, &slapd, json!({}));
    let mut trips: Vec<u64> = Vec::new();
    let mut sync = || {
        let answer = directory.ask("");
        let log = &answer.expect(200).body["data"];
        assert_eq!(
            (&log["mode"], &log["status"]),
            (&"changes".into(), &"succeeded".into()),
            "{log}"
        );
        let costs = directory.costs(log);
        trips.push(costs.iter().map(|cost| cost.trips).sum());
    };
    sync();
    slapd
        .writer()
        .modify(TEAM, &format!("add: member\nmember: {}", dn("zoe")));
    sync();
    slapd
        .writer()
        .modify(TEAM, &format!("delete: member\nmember: {}", dn("bob")));
    sync();
    rename_people(&slapd);
    let staff: String = TWELVE
        .iter()
        .map(|uid| format!("member: uid={uid},ou=staff,{BASE}\n"))
        .collect();
    slapd
        .writer()
        .modify(TEAM, &format!("replace: member\n{staff}"));
    sync();
    // Nothing changed; one joined; one left; twelve moved.
    assert_eq!(trips, [3, 6, 7, 8]);
}
