//! Groups that name their members otherwise than by a DN, and mappings that name groups.

use serde_json::{Value, json};

use super::life::{TEN, dn, person, synced_town};
use crate::ldap_sync::{Directory, expected, world};
use crate::support::slapd::{BASE, Slapd};

fn posix_group(cn: &str, number: u32, members: &[&str]) -> String {
    let members: String = members
        .iter()
        .map(|uid| format!("memberUid: {uid}\n"))
        .collect();
    format!(
        "dn: cn={cn},ou=groups,{BASE}\nobjectClass: posixGroup\ncn: {cn}\ngidNumber: {number}\n{members}\
         entryUUID: 20000000-0000-4000-8000-{number:012}\nmodifyTimestamp: 20260101000000Z\n\n"
    )
}

#[test]
fn members_are_named_by_their_uid() {
    let world = world();
    let people: String = ["ada", "bob", "cyd"]
        .iter()
        .zip(1..)
        .map(|(uid, id)| person(uid, id))
        .collect();
    // Two names of one user, of which the second is not what the entry is named by.
    let two = person("dan", 4).replace("uid: dan\n", "uid: dan\nuid: daniel\n");
    let groups = [
        posix_group("staff", 1, &["ada", "bob", "daniel", "ghost"]),
        posix_group("none", 2, &[]),
    ];
    let slapd = Slapd::only(&format!("{people}{two}{}", groups.concat()));
    let config =
        json!({"group_filter": "(objectClass=posixGroup)", "member_attribute": "memberUid"});
    let directory = Directory::of(world.tenant("compat"), &slapd, config);
    let found = directory.synced("");
    assert_eq!(
        found,
        expected(
            json!({"users.created": 4, "groups.created": 2, "memberships.added": 3, "memberships.unresolved": 1})
        )
    );
    let staff = || directory.members(&directory.group("staff"));
    assert_eq!(staff(), ["ada", "bob", "dan"]);
    // A sync of changes: where the entries are does not matter, and names are looked up.
    slapd
        .writer()
        .rename(&format!("ou=people,{BASE}"), "ou=staff", BASE);
    slapd.add(&posix_group("new", 3, &["CYD", "daniel"]).replace("20260101", "20991231"));
    slapd.writer().modify(
        &format!("cn=staff,ou=groups,{BASE}"),
        "replace: memberUid\nmemberUid: bob\nmemberUid: daniel\nmemberUid: cyd",
    );
    let planned = directory.sync("?dry_run=true");
    assert_eq!(planned["mode"], "changes");
    let found = directory.synced("");
    assert_eq!(
        (&found["memberships.added"], &found["memberships.removed"]),
        (&json!(3), &json!(1)),
        "{found:?}"
    );
    assert_eq!(staff(), ["bob", "cyd", "dan"]);
    assert_eq!(directory.members(&directory.group("new")), ["cyd", "dan"]);
    let found = directory.synced("?full=true");
    assert_eq!(
        found,
        expected(json!({"users.unchanged": 4, "groups.unchanged": 3}))
    );
    directory.assert_consistent();
}

#[test]
fn a_bit_string_behind_a_name_is_not_part_of_it() {
    let world = world();
    let people: String = ["ada", "bob", "cyd"]
        .iter()
        .zip(1..)
        .map(|(uid, id)| person(uid, id))
        .collect();
    let club = format!(
        "dn: cn=club,ou=groups,{BASE}\nobjectClass: groupOfUniqueNames\ncn: club\n\
         uniqueMember: {}#'0101'B\nuniqueMember: {}\nuniqueMember: UID=cyd, ou=People,{BASE}#''B\n\
         entryUUID: 20000000-0000-4000-8000-000000000001\n\n",
        dn("ada"),
        dn("bob"),
    );
    let slapd = Slapd::only(&format!("{people}{club}"));
    let config = json!({"group_filter": "(objectClass=groupOfUniqueNames)", "member_attribute": "uniqueMember"});
    let directory = Directory::of(world.tenant("compat"), &slapd, config);
    let found = directory.synced("");
    assert_eq!(
        found,
        expected(json!({"users.created": 3, "groups.created": 1, "memberships.added": 3}))
    );
    assert_eq!(
        directory.members(&directory.group("club")),
        ["ada", "bob", "cyd"]
    );
    directory.assert_consistent();
}

#[test]
fn a_mapping_that_can_give_nothing_says_so() {
    let world = world();
    let (_slapd, directory) = synced_town(&world, &TEN, json!({}));
    let ours = directory.tenant.group("Ours", &[]);
    let path = format!(
        "/api/v1/tenants/{}/identity-providers/{}/group-mappings",
        directory.tenant.id, directory.idp
    );
    let team = "20000000-0000-4000-8000-000000000001";
    for (external, warning) in [
        (team, ""),
        ("20000000000040008000000000000001", ""),
        ("CN=Team, OU=Groups,dc=example,dc=com", ""),
        ("IAAAAAAAQACAAAAAAAAAAQ==", team),
        ("cn=team,,dc=example,dc=com", "no DN: at character 9"),
        ("cn=\"team\",dc=example,dc=com", "no DN"),
        ("team", "neither a UUID"),
        (
            "S-1-5-21-1004336348-1177238915-682003330-512",
            "neither a UUID",
        ),
        ("cn=team,dc=example,dc=org", "not below dc=example,dc=com"),
    ] {
        let body = json!({"external_group_id": external, "internal_group_id": ours});
        let made = world.admin("POST", &path, body);
        let found = &made.expect(201).body["data"];
        let list = world.admin("GET", &path, Value::Null);
        assert_eq!(list.expect(200).body["data"][0], *found);
        let log = directory.sync("?full=true");
        let entries = directory.entries(&log);
        let mut noted = entries.iter().filter(|(action, name, reason)| {
            action == "unresolved" && name == external && reason.contains("group mapping")
        });
        match warning {
            "" => {
                assert_eq!(found.get("warning"), None, "{external}");
                assert_eq!(noted.next(), None, "{external}");
            }
            warning => {
                let told = found["warning"].as_str().expect(external);
                assert!(told.contains(warning), "{external}: {told}");
                assert!(noted.next().expect(external).2.contains(told));
            }
        }
        // A dry run says the same, and a sync of changes too.
        directory.synced("");
        let id = found["id"].as_str().expect("an id");
        let one = format!("{path}/{id}");
        world.admin("DELETE", &one, Value::Null).expect(204);
    }
    directory.configure(json!({"group_filter": null}));
    let body = json!({"external_group_id": team, "internal_group_id": ours});
    let made = world.admin("POST", &path, body);
    let told = &made.expect(201).body["data"]["warning"];
    assert!(
        told.as_str()
            .expect("a warning")
            .contains("no group_filter")
    );
    // Of a directory whose ids are any text nothing can be told.
    directory.configure(json!({"group_filter": "(cn=*)", "unique_id_attribute": "employeeNumber"}));
    let body = json!({"external_group_id": "IAAAAAAAQACAAAAAAAAAAQ==", "internal_group_id": ours});
    assert_eq!(
        world.admin("POST", &path, body).expect(201).body["data"].get("warning"),
        None
    );
}
