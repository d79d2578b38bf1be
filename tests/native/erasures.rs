//! A person is forgotten: nothing is left of them but an id in the audit trail.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::bulk::{bulk, patch as patch_operation, post_user};
use crate::filter_equivalence::runner;
use crate::support::faults::{BROKEN, Fault, Faults, LOST, Part};
use crate::support::{Answer, Tenant, World};
use crate::users::in_both;

const PATH: &str = "/api/v1/admin/erasures/";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
/// Stands in whatever tells of the person.
const MARK: &str = "Lovelace";

fn erase(tenant: &Tenant<'_>, kind: &str, id: &str) -> Answer {
    let body = json!({"tenant_id": tenant.id, "resource_type": kind, "resource_id": id});
    tenant.world.admin("POST", PATH, body)
}

/// Rows that hold a text, by their tables.
fn with(world: &World, text: &str) -> Vec<String> {
    let tables = world.database.dump_all().into_iter();
    tables
        .flat_map(|(table, rows)| {
            let rows = rows.into_iter().map(|row| format!("{row:?}"));
            let found = rows.filter(|row| row.to_lowercase().contains(&text.to_lowercase()));
            found
                .map(|row| format!("{table}: {row}"))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// A life with a trace in every place.
fn lived(tenant: &Tenant<'_>) -> String {
    let name = format!("ada.{MARK}@example.com");
    tenant
        .get(&format!("/Users?filter=userName%20eq%20%22{name}%22"))
        .expect(200);
    let body =
        json!({"schemas": [USER], "userName": name, "name": {"familyName": MARK}, "title": MARK});
    let id = tenant.send("POST", "/Users", body.clone()).expect(201).id();
    tenant.send("POST", "/Users", body.clone()).expect(409);
    let path = format!("/Users/{id}");
    let rename = json!([{"op": "replace", "path": "userName", "value": format!("{MARK}-2")}]);
    tenant.patch(&path, rename).expect(200);
    tenant
        .patch(
            &path,
            json!([{"op": "replace", "path": "nonsense[", "value": MARK}]),
        )
        .expect(400);
    let other = tenant.user("other");
    bulk(
        tenant,
        json!([
            patch_operation(
                &path,
                json!([{"op": "add", "path": "title", "value": MARK}])
            ),
            patch_operation(
                &format!("/Users/{other}"),
                json!([{"op": "add", "path": "title", "value": "x"}])
            ),
        ]),
    )
    .expect(200);
    // It fails for the other one, and names this one.
    bulk(
        tenant,
        json!([
            post_user("a", &format!("{MARK}-2")),
            post_user("b", "third")
        ]),
    )
    .expect(200);
    let group = tenant.group("Team", &[&other]);
    let member =
        json!([{"op": "add", "path": "members", "value": [{"value": id, "display": MARK}]}]);
    tenant
        .patch(&format!("/Groups/{group}"), member)
        .expect(200);
    let body = json!({"schemas": [USER], "userName": format!("{MARK}-2")});
    tenant.send("POST", "/Users", body).expect(409);
    id
}

#[test]
fn nothing_is_left_but_an_id() {
    in_both(|tenant| {
        let world = tenant.world;
        let id = lived(tenant);
        world.clock.advance_seconds(60);
        let answer = erase(tenant, "User", &id);
        let data = &answer.expect(200).body["data"];
        assert_eq!(
            (&data["deleted"], &data["complete"]),
            (&json!(true), &json!(true))
        );
        for table in ["requests", "revisions", "tombstones"] {
            assert!(data["removed"][table].as_i64().unwrap() > 0, "{data}");
        }
        assert_eq!(with(world, MARK), Vec::<String>::new());
        let rows = with(world, &id);
        assert!(!rows.is_empty());
        let is_told = |row: &String| {
            row.starts_with("audit_events")
                || row.starts_with("requests")
                || row.starts_with("revisions")
        };
        assert!(rows.iter().all(is_told), "{rows:?}");
        let events = format!(
            "select action || ' ' || actor || ' ' || request_id from audit_events where resource_id = '{id}' order by seq desc limit 2"
        );
        let by = format!("jwt:root {}", answer.header("x-request-id"));
        assert_eq!(
            world.database.texts(&events),
            [format!("erase {by}"), format!("delete {by}")]
        );
        let detail = "select json_extract(detail, '$.purged.revisions') from audit_events where action = 'erase'";
        assert_eq!(
            world.database.number(detail),
            data["removed"]["revisions"].as_i64().unwrap()
        );
        // Others keep what is theirs.
        assert_eq!(
            tenant
                .find("userName eq \"other\" and title eq \"x\"")
                .len(),
            1
        );
        let kept =
            "select count(*) from requests where body_state = 'whole' and body like '%other%'";
        assert_eq!(world.database.number(kept), 1);
        // Once more it has nothing to do.
        let before = world.database.dump_text();
        let again = erase(tenant, "User", &id);
        let data = &again.expect(200).body["data"];
        assert_eq!(data["deleted"], false);
        assert!(
            data["removed"]
                .as_object()
                .unwrap()
                .values()
                .all(|count| *count == 0),
            "{data}"
        );
        assert_eq!(world.database.dump_text(), before);
        tenant.get(&format!("/Users/{id}")).expect(404);
        // There is nothing by which it could be taken back.
        let undo = json!({"tenant_id": tenant.id, "resource": {"type": "User", "id": id}});
        let undone = world.admin("POST", "/api/v1/admin/undo/", undo);
        assert_eq!(undone.expect(200).body["data"]["undone_total"], 0);
    });
}

/// Whoever was deleted before, or changed while no history and no bodies were kept, is forgotten all the same.
#[test]
fn whatever_was_kept_of_them() {
    for settings in [
        json!({}),
        json!({"history_days": 0}),
        json!({"record_bodies": false}),
        json!({"history_days": 0, "requests_days": 0}),
    ] {
        for is_deleted in [false, true] {
            let world = World::new();
            let tenant = world.tenant("compat");
            let path = format!("/api/v1/admin/tenants/{}", tenant.id);
            world.admin("PATCH", &path, settings.clone()).expect(200);
            let id = lived(&tenant);
            if is_deleted {
                tenant
                    .send("DELETE", &format!("/Users/{id}"), Value::Null)
                    .expect(204);
            }
            let answer = erase(&tenant, "User", &id);
            assert_eq!(answer.expect(200).body["data"]["deleted"], !is_deleted);
            assert_eq!(
                with(&world, MARK),
                Vec::<String>::new(),
                "{settings} {is_deleted}"
            );
        }
    }
}

/// A long journal is looked through by messages, which may be lost and come twice.
#[test]
fn a_long_journal_is_looked_through_by_messages() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = lived(&tenant);
    let rows = format!(
        "insert into requests (tenant_id, id, actor, method, route, path, status, failed, forgiven, duration_ms, d1_trips, seq, body_state, body) \
         with recursive n (i) as (select 1 union all select i + 1 from n where i < 70000) \
         select '{}', printf('f1a1fa81-2c91-7f90-9f26-%012d', i), 'a', 'POST', 'r', 'p', 400, 0, '[]', 1, 1, 0, 'whole', \
         iif(i % 7 = 0, '{{\"userName\":\"{MARK}-2\"}}', '{{\"userName\":\"other\"}}') from n",
        tenant.id
    );
    world.database.execute(&rows);
    let answer = erase(&tenant, "User", &id);
    let data = &answer.expect(202).body["data"];
    assert_eq!(
        (&data["deleted"], &data["complete"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(data["removed"]["revisions"], 0);
    tenant.get(&format!("/Users/{id}")).expect(404);
    assert!(!with(&world, MARK).is_empty());
    world.queue.lose();
    // It is asked again, and now the messages come, each twice.
    erase(&tenant, "User", &id).expect(202);
    let messages: Vec<String> = world.queue.waiting();
    assert!(
        messages.iter().all(|message| !message.contains(MARK)),
        "{messages:?}"
    );
    messages.iter().for_each(|message| world.queue.put(message));
    world.queue.work_off();
    assert_eq!(with(&world, MARK), Vec::<String>::new());
    let kept = "select count(*) from requests where body_state = 'whole' and id > 'f1'";
    assert_eq!(world.database.number(kept), 60_000);
    let erased = "select count(*) from audit_events where action = 'erase'";
    assert!(world.database.number(erased) >= 3);
}

/// Whatever goes wrong at whichever call: asked for again, it is done whole.
#[test]
fn whatever_breaks_it_is_asked_for_again() {
    let mut world = World::new();
    let (id, tenant_id, token, token_id) = {
        let tenant = world.tenant("compat");
        let id = lived(&tenant);
        (id, tenant.id, tenant.token, tenant.token_id)
    };
    let faults = Faults::install(&mut world);
    let tenant = Tenant {
        world: &world,
        id: tenant_id,
        token,
        token_id,
    };
    world.databases.save();
    faults.arm(None);
    erase(&tenant, "User", &id).expect(200);
    let calls = faults.calls();
    let mut tried = 0;
    for (number, part) in calls.into_iter().enumerate() {
        if part != Part::Database {
            continue;
        }
        for fault in [Fault::Says(BROKEN), Fault::Says(LOST), Fault::ReplyLost] {
            world.databases.restore();
            faults.arm(Some((number, fault)));
            erase(&tenant, "User", &id);
            faults.arm(None);
            let answer = erase(&tenant, "User", &id);
            assert_eq!(answer.expect(200).body["data"]["complete"], true);
            assert_eq!(
                with(&world, MARK),
                Vec::<String>::new(),
                "{number} {fault:?}"
            );
            tenant.get(&format!("/Users/{id}")).expect(404);
            tried += 1;
        }
    }
    assert!(tried >= 12, "{tried}");
}

#[test]
fn groups_too() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let ada = tenant.user("ada");
    let group = tenant.group(MARK, &[&ada]);
    tenant
        .patch(
            &format!("/Groups/{group}"),
            json!([{"op": "replace", "path": "displayName", "value": format!("{MARK} 2")}]),
        )
        .expect(200);
    let answer = erase(&tenant, "Group", &group);
    assert_eq!(answer.expect(200).body["data"]["deleted"], true);
    assert_eq!(with(&world, MARK), Vec::<String>::new());
    tenant.get(&format!("/Users/{ada}")).expect(200);
}

#[test]
fn nothing_of_what_is_something_else() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (user, gone) = (tenant.user("ada"), tenant.user("eve"));
    let group = tenant.group(MARK, &[&user]);
    let path = format!("/Users/{gone}");
    tenant.send("DELETE", &path, Value::Null).expect(204);
    let recorded = || {
        let erased = "select count(*) from requests where body_state = 'erased'";
        (world.database.dump(), world.database.number(erased))
    };
    let before = recorded();
    for (kind, id) in [
        ("Group", &user),
        ("Group", &gone),
        ("User", &group),
        ("User", &tenant.token_id),
        ("Group", &tenant.id),
    ] {
        let answer = erase(&tenant, kind, id);
        let data = &answer.expect(200).body["data"];
        assert_eq!(data["deleted"], false, "{kind} {id}");
        let removed = data["removed"].as_object().unwrap();
        assert!(removed.values().all(|count| count == 0), "{kind}: {data}");
        assert_eq!(recorded(), before, "{kind} {id}");
    }
    assert_eq!(erase(&tenant, "User", &user).body["data"]["deleted"], true);
}

#[test]
fn not_while_a_sync_has_read_who_is_there() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("ada");
    world.database.execute(&format!(
        "insert into sync_chunks values ('{}', 'l', 'k', 0, 0, 'x')",
        tenant.id
    ));
    erase(&tenant, "User", &id).expect(409);
    tenant.get(&format!("/Users/{id}")).expect(200);
    world.database.execute("delete from sync_chunks");
    erase(&tenant, "User", &id).expect(200);
}

#[test]
fn who_may_and_what_it_takes() {
    let world = World::new();
    let (tenant, other) = (world.tenant("compat"), world.tenant("compat"));
    let id = tenant.user("ada");
    for body in [
        json!({}),
        json!({"tenant_id": tenant.id, "resource_id": id}),
        json!({"tenant_id": tenant.id, "resource_type": "Token", "resource_id": id}),
        json!({"tenant_id": tenant.id, "resource_type": "User", "resource_id": ""}),
        json!({"tenant_id": tenant.id, "resource_type": "User", "resource_id": id, "more": 1}),
        json!({"resource_type": "User", "resource_id": id}),
    ] {
        world.admin("POST", PATH, body).expect(422);
    }
    // Whoever is nobody, or a group, or another tenant's, is not there.
    for (owner, kind, id) in [
        (&tenant, "Group", id.as_str()),
        (&other, "User", &id),
        (&tenant, "User", "nobody"),
    ] {
        let answer = erase(owner, kind, id);
        assert_eq!(answer.expect(200).body["data"]["deleted"], false);
    }
    tenant.get(&format!("/Users/{id}")).expect(200);
    let mut claims = world.claims();
    let body = json!({"resource_type": "User", "resource_id": id.to_uppercase()});
    for (owner, scope, status) in [
        (&tenant, "audit:read scim:write", 403),
        (&other, "audit:write", 200),
        (&tenant, "audit:write", 200),
    ] {
        claims.insert("tenant_id".to_owned(), owner.id.clone().into());
        claims.insert("scope".to_owned(), scope.into());
        world
            .admin_as(&world.jwt(&claims), "POST", PATH, body.clone())
            .expect(status);
    }
    tenant.get(&format!("/Users/{id}")).expect(404);
}

/// Any user name at all.
#[test]
fn whatever_the_name() {
    let world = World::new();
    let tenant = world.tenant("compat").unfused();
    let name = prop_oneof![
        "[a-zA-Z0-9@.'% _-]{3,20}",
        "[\\PC]{3,20}",
        Just("a\"b\\c".to_owned()),
        Just("Ägypten".to_owned())
    ];
    let result = runner(60).run(&name, |name| {
        let name = format!("{MARK}{name}{MARK}");
        let body = json!({"schemas": [USER], "userName": name});
        let answer = tenant.send("POST", "/Users", body.clone());
        prop_assume!(answer.status == 201);
        tenant.send("POST", "/Users", body.clone()).expect(409);
        bulk(
            &tenant,
            json!([{"method": "POST", "path": "/Users", "bulkId": "a", "data": body}]),
        )
        .expect(200);
        let filter: String =
            form_urlencoded::byte_serialize(format!("userName eq {}", json!(name)).as_bytes())
                .collect();
        let id = answer.id();
        tenant
            .send("DELETE", &format!("/Users/{id}"), Value::Null)
            .expect(204);
        tenant.get(&format!("/Users?filter={filter}")).expect(200);
        erase(&tenant, "User", &id).expect(200);
        prop_assert_eq!(with(&world, MARK), Vec::<String>::new());
        Ok(())
    });
    result.unwrap();
}
