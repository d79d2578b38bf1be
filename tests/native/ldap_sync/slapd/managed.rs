//! What a directory manages is the directory's: SCIM clients see whose it is, and cannot change it.

use serde_json::{Value, json};

use super::life::{TEN, dn, synced_town};
use crate::ldap_sync::world;

const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const MANAGED: &str = "urn:rollcall:scim:schemas:extension:2.0:Managed";

#[test]
fn scim_writes_are_refused_with_the_providers_name() {
    let world = world();
    let (_slapd, directory) = synced_town(&world, &TEN, json!({}));
    let tenant = &directory.tenant;
    let patch = json!({"schemas": [PATCH], "Operations": [{"op": "replace", "path": "displayName", "value": "X"}]});
    let id = |resource: Value| resource["id"].as_str().expect("an id").to_owned();
    let user = format!("/Users/{}", id(directory.user("ada")));
    let group = format!("/Groups/{}", id(directory.group("team")));
    let before = world.database.dump();
    for (path, body) in [
        (&user, json!({"schemas": [USER], "userName": "other"})),
        (&group, json!({"schemas": [GROUP], "displayName": "other"})),
    ] {
        for (method, body, trips) in [
            ("PUT", body, 1),
            ("PATCH", patch.clone(), 1),
            ("DELETE", Value::Null, 1),
        ] {
            let operation = json!({"method": method, "path": path, "data": body});
            let answer = tenant.send(method, path, body);
            answer.expect_scim_error(409, "", &directory.idp);
            assert_eq!(answer.trips(), trips, "{method} {path}");
            let bulk = json!({"schemas": [BULK], "Operations": [operation]});
            let answer = tenant.send("POST", "/Bulk", bulk);
            let outcome = &answer.expect(200).body["Operations"][0];
            assert_eq!(outcome["status"], "409", "{outcome}");
            let detail = outcome["response"]["detail"].as_str().expect("a detail");
            assert!(detail.contains(&directory.idp), "{detail}");
        }
    }
    assert_eq!(world.database.dump(), before);
}

#[test]
fn an_inactive_user_of_the_directory_is_switched_on_by_no_client() {
    let world = world();
    let (slapd, directory) = synced_town(&world, &TEN, json!({}));
    slapd.writer().delete(&dn("ada"));
    directory.synced("?full=true");
    let body = json!({"schemas": [USER], "userName": "ada"});
    let answer = directory.tenant.send("POST", "/Users", body);
    answer.expect_scim_error(409, "uniqueness", "userName");
    assert!(!answer.body["detail"].as_str().unwrap().contains("PATCH"));
    assert_eq!(directory.user("ada")["active"], false);
}

#[test]
fn nobody_can_say_that_a_directory_manages_something() {
    let world = world();
    let tenant = world.tenant("compat");
    let body = json!({"schemas": [USER], "userName": "eve", MANAGED: {"managedBy": "me"}});
    let made = tenant.send("POST", "/Users", body.clone());
    assert!(made.expect(201).body.get(MANAGED).is_none());
    let path = format!("/Users/{}", made.id());
    tenant.send("PUT", &path, body).expect(200);
    for operation in [
        json!({"op": "add", "path": MANAGED, "value": {"managedBy": "me"}}),
        json!({"op": "add", "path": format!("{MANAGED}:managedBy"), "value": "me"}),
        json!({"op": "add", "value": {MANAGED: {"managedBy": "me"}}}),
    ] {
        tenant.patch(&path, json!([operation])).expect(200);
    }
    assert_eq!(
        world
            .database
            .number("select count(*) from users where managed_by is not null"),
        0
    );
    let strict = world.tenant("strict");
    let made = strict.send(
        "POST",
        "/Users",
        json!({"schemas": [USER], "userName": "eve"}),
    );
    let path = format!("/Users/{}", made.id());
    let operation = json!({"op": "add", "path": format!("{MANAGED}:managedBy"), "value": "me"});
    strict
        .patch(&path, json!([operation]))
        .expect_scim_error(400, "invalidPath", MANAGED);
}

/// Who manages a resource is in the rows, where it is asked for, and in no reply: not in that of one resource or of a list, whatever
/// attributes are named, not in the documents, and no filter knows it.
#[test]
fn who_manages_a_resource_is_told_by_no_scim_reply() {
    let world = world();
    let (_slapd, directory) = synced_town(&world, &TEN, json!({}));
    let tenant = &directory.tenant;
    let managed = |table: &str| {
        let sql = format!(
            "select count(*) from {table} where managed_by = '{}' and instr(resource, managed_by) > 0",
            directory.idp
        );
        world.database.number(&sql)
    };
    assert_eq!(managed("users"), 10);
    assert!(managed("groups") > 0);
    let user = directory.user("ada")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let group = directory.group("team")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    for path in [
        format!("/Users/{user}"),
        format!("/Groups/{group}"),
        "/Users".to_owned(),
        "/Groups".to_owned(),
        String::new(),
    ] {
        for query in [
            "",
            "?attributes=schemas",
            &format!("?attributes={MANAGED}"),
            "?excludedAttributes=meta",
            &format!("?attributes={MANAGED}:managedBy,id"),
        ] {
            let answer = tenant.get(&format!("{path}{query}"));
            let text = answer.expect(200).body.to_string();
            assert!(
                !text.contains("rollcall") && !text.contains(&directory.idp),
                "{path}{query}: {text}"
            );
        }
    }
    for path in ["/Schemas", "/ResourceTypes"] {
        let text = tenant.get(path).expect(200).body.to_string();
        assert!(!text.contains("rollcall"), "{text}");
    }
    tenant.get(&format!("/Schemas/{MANAGED}")).expect(404);
    let filter = format!("/Users?filter={MANAGED}:managedBy%20pr");
    tenant
        .get(&filter)
        .expect_scim_error(400, "invalidFilter", "Managed");
    // A client's own text of that kind stays its own.
    let body = json!({"schemas": [USER], "userName": "mallory", "title": MANAGED, "nickName": format!(",\"{MANAGED}\":")});
    let made = tenant.send("POST", "/Users", body);
    assert_eq!(made.expect(201).body["title"], MANAGED);
    assert_eq!(made.body["nickName"], format!(",\"{MANAGED}\":"));
}

#[test]
fn a_group_of_clients_may_have_users_of_the_directory() {
    let world = world();
    let (_slapd, directory) = synced_town(&world, &TEN, json!({}));
    let ada = directory.user("ada")["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let group = directory.tenant.group("Ours", &[&ada]);
    assert_eq!(directory.tenant.members(&group), [ada]);
    let found = directory.synced("?full=true");
    assert!(!found.contains_key("memberships.removed"), "{found:?}");
}

#[test]
fn a_deleted_provider_leaves_everything_to_the_clients() {
    let world = world();
    let (_slapd, directory) = synced_town(&world, &TEN, json!({}));
    let before = directory.user("ada");
    world
        .admin("DELETE", &directory.path(""), Value::Null)
        .expect(204);
    let after = directory.user("ada");
    assert!(after.get(MANAGED).is_none());
    assert_eq!(after["schemas"], json!([USER]));
    assert_eq!(
        (&after["id"], &after["emails"], &after["groups"]),
        (&before["id"], &before["emails"], &before["groups"])
    );
    assert_ne!(after["meta"]["version"], before["meta"]["version"]);
    assert_eq!(directory.members(&directory.group("team")), ["ada", "bob"]);
    assert_eq!(directory.group("team")["schemas"], json!([GROUP]));
    for table in ["users", "groups"] {
        let sql = format!(
            "select count(*) from {table} where managed_by is not null or instr(resource || keys, 'Managed') > 0"
        );
        assert_eq!(world.database.number(&sql), 0, "{table}");
    }
    let path = format!("/Users/{}", after["id"].as_str().expect("an id"));
    directory
        .tenant
        .send("DELETE", &path, Value::Null)
        .expect(204);
    assert_eq!(directory.ask("").status, 404);
    directory.assert_consistent();
}
