//! Memberships that group mappings give, and take back.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::life::{TEN, dn, group, synced_town};
use crate::ldap_sync::{Directory, world};
use crate::support::slapd::BASE;
use rollcall::store::Value as Stored;

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const TEAM: &str = "cn=team,ou=groups,dc=example,dc=com";

impl Directory<'_> {
    fn mappings(&self) -> String {
        format!(
            "/api/v1/tenants/{}/identity-providers/{}/group-mappings",
            self.tenant.id, self.idp
        )
    }

    pub fn map(&self, external: &str, internal: &str) -> String {
        let body = json!({"external_group_id": external, "internal_group_id": internal});
        let made = self.world().admin("POST", &self.mappings(), body);
        made.expect(201).body["data"]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    fn unmap(&self, mapping: &str) {
        let path = format!("{}/{mapping}", self.mappings());
        self.world().admin("DELETE", &path, Value::Null).expect(204);
    }

    fn id(&self, uid: &str) -> String {
        self.user(uid)["id"].as_str().expect("an id").to_owned()
    }

    fn names(&self, group: &str) -> Vec<String> {
        let answer = self.tenant.get(&format!("/Groups/{group}"));
        self.members(&answer.expect(200).body)
    }
}

#[test]
fn a_mapping_gives_and_takes_back_what_it_gave_and_nothing_else() {
    let world = world();
    let (slapd, directory) = synced_town(&world, &TEN, json!({}));
    let bob = directory.id("bob");
    let ours = directory.tenant.group("Ours", &[&bob]);
    // By its DN in another spelling, and by its unique id.
    let by_dn = directory.map("CN=Team, OU=groups,dc=example,dc=com", &ours);
    let found = directory.synced("");
    assert_eq!(found["mapped.given"], 1);
    assert_eq!(directory.names(&ours), ["ada", "bob"]);
    directory.assert_consistent();
    let by_id = directory.map("20000000-0000-4000-8000-000000000001", &ours);
    directory.synced("");
    let before = world.database.dump();
    directory.synced("");
    let tables = [
        "users",
        "groups",
        "group_members",
        "mapping_grants",
        "audit_events",
    ];
    let is_told = |row: &Vec<Stored>| row.contains(&Stored::Text("sync".to_owned()));
    for (then, mut now) in before.into_iter().zip(world.database.dump()) {
        // But that the sync is over.
        if now.0 == "audit_events" {
            let told = now.1.pop();
            assert!(told.is_some_and(|row| is_told(&row)));
        }
        assert!(
            !tables.contains(&then.0.as_str()) || then == now,
            "{}",
            then.0
        );
    }
    // The other one still gives it.
    directory.unmap(&by_dn);
    assert_eq!(directory.names(&ours), ["ada", "bob"]);
    directory.assert_consistent();
    slapd.writer().modify(
        TEAM,
        &format!("replace: member\nmember: uid=cyd,ou=people,{BASE}"),
    );
    let found = directory.synced("");
    assert_eq!(
        (&found["mapped.given"], &found["mapped.taken_back"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(directory.names(&ours), ["bob", "cyd"]);
    directory.assert_consistent();
    directory.unmap(&by_id);
    assert_eq!(directory.names(&ours), ["bob"]);
    directory.assert_consistent();
}

#[test]
fn a_group_whose_members_a_deleted_mapping_takes_back_has_an_event() {
    let world = world();
    let (_slapd, directory) = synced_town(&world, &TEN, json!({}));
    let ours = directory.tenant.group("Ours", &[]);
    let mappings =
        [TEAM, "20000000-0000-4000-8000-000000000001"].map(|it| directory.map(it, &ours));
    directory.synced("");
    let seen = world.database.number("select max(seq) from audit_events");
    let events = || {
        let sql = format!(
            "select action || ' ' || resource_type || ' ' || resource_id || ' ' || attributes || ' ' || actor \
             from audit_events where seq > {seen} order by seq"
        );
        world.database.texts(&sql)
    };
    let deletion = |mapping: &str| format!("delete GroupMapping {mapping} [] jwt:root");
    // The other one still gives all of it.
    directory.unmap(&mappings[0]);
    assert_eq!(events(), [deletion(&mappings[0])]);
    directory.unmap(&mappings[1]);
    let members = format!("patch Group {ours} [\"members\"] jwt:root");
    let all = [deletion(&mappings[0]), members, deletion(&mappings[1])];
    assert_eq!(events(), all);
    // It names who went, as the sync that gave the memberships named who came.
    let told = |seq: &str| {
        let sql = format!(
            "select detail from audit_events where resource_id = '{ours}' and attributes = '[\"members\"]' and seq {seq} {seen}"
        );
        let texts = world.database.texts(&sql);
        serde_json::from_str::<Value>(&texts[0]).unwrap()["members"].clone()
    };
    let (came, went) = (told("<="), told(">"));
    let sorted = |ids: &Value| {
        let ids = ids.as_array().unwrap().iter();
        ids.map(|id| id.as_str().unwrap().to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert!(sorted(&came["added"]).len() > 1, "{came}");
    assert_eq!(sorted(&came["added"]), sorted(&went["removed"]));
    assert_eq!(came["added_total"], went["removed_total"]);
    assert_eq!(
        (&went["added"], &went["added_total"]),
        (&json!([]), &json!(0))
    );
    directory.assert_consistent();
}

#[test]
fn a_dry_run_foresees_what_mappings_give_and_take_back() {
    let world = world();
    let config = json!({"missing_user_action": "delete", "max_removal_percent": 100});
    let (slapd, directory) = synced_town(&world, &TEN, config);
    let bob = directory.id("bob");
    let [ours, other] = [&[][..], &[&*bob]].map(|who| {
        directory
            .tenant
            .group(&format!("Ours and {}", who.len()), who)
    });
    directory.map(TEAM, &ours);
    directory.map("20000000-0000-4000-8000-000000000001", &other);
    // Each of these is planned, done, and compared.
    let found = directory.synced("?full=true");
    assert_eq!(found["mapped.given"], 3);
    // One leaves the group, one the directory; another comes by a group within it, which is new.
    let inner = format!("cn=inner,ou=groups,{BASE}");
    slapd.add(&group("inner", 2, &["dan", "eve"]));
    slapd.writer().modify(
        TEAM,
        &format!("replace: member\nmember: {inner}\nmember: {}", dn("bob")),
    );
    slapd.writer().delete(&dn("eve"));
    let found = directory.synced("?full=true");
    assert_eq!(
        (&found["mapped.given"], &found["mapped.taken_back"]),
        (&json!(2), &json!(2))
    );
    // A user who is deleted takes his memberships along; nobody takes them back.
    slapd.writer().delete(&dn("dan"));
    let found = directory.synced("?full=true");
    assert_eq!(found.get("mapped.taken_back"), None);
    // A client removes one, which is given again.
    let remove = json!({"schemas": [PATCH], "Operations": [{"op": "remove", "path": format!("members[value eq \"{bob}\"]")}]});
    directory
        .tenant
        .send("PATCH", &format!("/Groups/{ours}"), remove)
        .expect(200);
    assert_eq!(directory.synced("?full=true")["mapped.given"], 1);
    // A group that is gone and is kept goes on giving.
    directory.configure(json!({"missing_user_action": "keep"}));
    slapd.writer().delete(TEAM);
    let found = directory.synced("?full=true");
    assert_eq!(found.get("mapped.taken_back"), None);
    assert_eq!(directory.names(&ours), ["bob"]);
    // One that is deleted does not.
    directory.configure(json!({"missing_user_action": "delete"}));
    let found = directory.synced("?full=true");
    assert_eq!(found["mapped.taken_back"], 1);
    assert_eq!(directory.names(&other), ["bob"]);
    directory.assert_consistent();
}

#[test]
fn who_is_named_by_a_client_too_stays() {
    let world = world();
    let (_slapd, directory) = synced_town(&world, &TEN, json!({}));
    let ours = directory.tenant.group("Ours", &[]);
    let mapping = directory.map(TEAM, &ours);
    directory.synced("");
    let ada = directory.id("ada");
    let add = json!({"schemas": [PATCH], "Operations": [{"op": "add", "path": "members", "value": [{"value": ada}]}]});
    directory
        .tenant
        .send("PATCH", &format!("/Groups/{ours}"), add)
        .expect(200);
    directory.assert_consistent();
    directory.unmap(&mapping);
    assert_eq!(directory.names(&ours), ["ada"]);
    directory.assert_consistent();
}

#[test]
fn users_of_groups_in_the_group_are_given_too_and_a_deleted_provider_leaves_them() {
    let world = world();
    let (slapd, directory) = synced_town(&world, &TEN, json!({}));
    let outer = format!(
        "dn: cn=outer,ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: outer\nmember: {TEAM}\n\
         member: uid=dan,ou=people,{BASE}\nmember: cn=outer,ou=groups,{BASE}\nentryUUID: 20000000-0000-4000-8000-000000000009\n\n"
    );
    slapd.add(&outer);
    let ours = directory.tenant.group("Ours", &[]);
    directory.map("20000000-0000-4000-8000-000000000009", &ours);
    directory.synced("");
    assert_eq!(directory.names(&ours), ["ada", "bob", "dan"]);
    directory.assert_consistent();
    world
        .admin("DELETE", &directory.path(""), Value::Null)
        .expect(204);
    assert_eq!(directory.names(&ours), ["ada", "bob", "dan"]);
    directory.assert_consistent();
}

#[test]
fn who_is_removed_by_a_client_comes_back_with_a_full_sync() {
    let world = world();
    let (_slapd, directory) = synced_town(&world, &TEN, json!({}));
    let ours = directory.tenant.group("Ours", &[]);
    directory.map(TEAM, &ours);
    directory.synced("");
    let remove = format!("members[value eq \"{}\"]", directory.id("ada"));
    let remove = json!({"schemas": [PATCH], "Operations": [{"op": "remove", "path": remove}]});
    directory
        .tenant
        .send("PATCH", &format!("/Groups/{ours}"), remove)
        .expect(200);
    assert_eq!(directory.names(&ours), ["bob"]);
    directory.synced("?full=true");
    assert_eq!(directory.names(&ours), ["ada", "bob"]);
    directory.assert_consistent();
}
