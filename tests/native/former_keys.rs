//! Rows whose keys are from before values were normalised: found meanwhile, brought over by the clock, and nobody merged.

use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

use crate::support::{Tenant, World};
use crate::users::{create, user_body, user_with};

const NFC: &str = "jos\u{e9}";
const NFD: &str = "jose\u{301}";

/// Puts keys back to what they were: folded, and neither composed nor marked.
fn as_before(world: &World) {
    for table in ["users", "groups"] {
        let rows = world
            .database
            .query(&format!("select id, resource, keys from {table}"));
        for row in rows {
            let text = |index: usize| match &row[index] {
                rollcall::store::Value::Text(text) => text.clone(),
                other => panic!("{other:?}"),
            };
            let (resource, mut keys): (Value, Value) = (
                serde_json::from_str(&text(1)).unwrap(),
                serde_json::from_str(&text(2)).unwrap(),
            );
            keys.as_object_mut().unwrap().shift_remove("form");
            for (name, key) in [("userName", "username"), ("displayName", "displayname")] {
                if let Some(name) = resource[name].as_str() {
                    keys[key] = name.to_lowercase().into();
                }
            }
            if let Some(emails) = resource["emails"].as_array() {
                for (index, email) in emails.iter().enumerate() {
                    keys["emails"][index]["value"] =
                        email["value"].as_str().unwrap().to_lowercase().into();
                }
                let value = emails[0]["value"].as_str().unwrap().to_lowercase();
                world.database.execute(&format!(
                    "update user_emails set value_key = '{value}' where user_id = '{}'",
                    text(0)
                ));
            }
            world.database.execute(&format!(
                "update {table} set keys = '{}' where id = '{}'",
                keys.to_string().replace('\'', "''"),
                text(0)
            ));
        }
    }
}

fn stale(world: &World) -> i64 {
    let of = |table: &str| {
        world.database.number(&format!(
            "select count(*) from {table} where json_extract(keys, '$.form') is null \
             and (keys glob '*[^ -~]*' or keys glob '*\" *' or keys glob '* \"*')"
        ))
    };
    of("users") + of("groups")
}

fn tick(world: &World) {
    pollster::block_on(world.app.renew_keys(world.home().as_ref())).expect("renewed");
}

fn total(tenant: &Tenant<'_>, path: &str, filter: &str) -> Value {
    let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let found = tenant.get(&format!("{path}?filter={query}"));
    found.expect(200).body["totalResults"].clone()
}

/// A user, and a group, whose names are written decomposed.
fn old(world: &World) -> Tenant<'_> {
    let tenant = world.tenant("compat");
    let emails =
        json!({"emails": [{"value": format!("{NFD}@x"), "type": "work"}], "title": "\u{c4}"});
    let id = create(&tenant, NFD, emails).id();
    tenant.user("ascii");
    tenant.group(&format!("{NFD}s"), &[&id]);
    as_before(world);
    assert_eq!(stale(world), 2);
    tenant
}

fn expect_one_of_each(tenant: &Tenant<'_>) {
    for name in [NFC, NFD, "JOS\u{c9}"] {
        assert_eq!(
            total(tenant, "/Users", &format!("userName eq \"{name}\"")),
            1,
            "{name:?}"
        );
        assert_eq!(
            total(tenant, "/Groups", &format!("displayName eq \"{name}s\"")),
            1,
            "{name:?}"
        );
        for filter in ["emails.value eq", "emails[type eq \"work\"].value eq"] {
            assert_eq!(
                total(tenant, "/Users", &format!("{filter} \"{name}@x\"")),
                1,
                "{filter} {name:?}"
            );
        }
        tenant
            .send("POST", "/Users", user_body(name))
            .expect_scim_error(409, "uniqueness", "userName");
        tenant
            .send(
                "POST",
                "/Groups",
                json!({"displayName": format!("{name}s")}),
            )
            .expect_scim_error(409, "uniqueness", "displayName");
        let bulk = json!({"Operations": [{"method": "POST", "path": "/Users", "bulkId": "a", "data": user_body(name)}]});
        let answer = tenant.send("POST", "/Bulk", bulk);
        assert_eq!(
            answer.expect(200).body["Operations"][0]["status"],
            "409",
            "{name:?}"
        );
    }
    assert_eq!(tenant.get("/Users").body["totalResults"], 2);
    assert_eq!(tenant.get("/Groups").body["totalResults"], 1);
}

#[test]
fn a_row_from_before_is_found_and_keeps_its_name_to_itself() {
    let world = World::new();
    let tenant = old(&world);
    expect_one_of_each(&tenant);
    assert_eq!(stale(&world), 2);
}

#[test]
fn the_clock_brings_rows_over_and_changes_nothing_else() {
    let world = World::new();
    let tenant = old(&world);
    let shown = |tenant: &Tenant<'_>| (tenant.get("/Users").body, tenant.get("/Groups").body);
    let before = shown(&tenant);
    tick(&world);
    assert_eq!(stale(&world), 0);
    assert_eq!(shown(&tenant), before);
    expect_one_of_each(&tenant);
    let keys = world
        .database
        .texts("select user_name_key from users order by user_name_key");
    assert_eq!(keys, ["ascii", NFC]);
    let keys = world.database.texts("select value_key from user_emails");
    assert_eq!(keys, [format!("{NFC}@x")]);
    assert_eq!(total(&tenant, "/Users", "title eq \"a\u{308}\""), 1);
    // Another tick has nothing to do.
    let dump = world.database.dump();
    tick(&world);
    assert_eq!(world.database.dump(), dump);
}

#[test]
fn a_write_brings_a_row_over() {
    let world = World::new();
    let tenant = old(&world);
    let id = tenant.get("/Users?filter=title%20pr").body["Resources"][0]["id"].clone();
    let path = format!("/Users/{}", id.as_str().unwrap());
    tenant
        .patch(
            &path,
            json!([{"op": "replace", "path": "nickName", "value": "Pepe"}]),
        )
        .expect(200);
    assert_eq!(stale(&world), 1);
    let keys = world.database.texts("select value_key from user_emails");
    assert_eq!(keys, [format!("{NFC}@x")]);
    expect_one_of_each(&tenant);
}

#[test]
fn one_bulk_request_gives_the_name_of_a_row_from_before_to_another() {
    let give = |operation: &dyn Fn(&str) -> Value| {
        let world = World::new();
        let tenant = old(&world);
        let id = tenant.get("/Users?filter=title%20pr").body["Resources"][0]["id"].clone();
        let post = json!({"method": "POST", "path": "/Users", "data": user_body(NFC)});
        let operations = json!([post, operation(id.as_str().unwrap()), post]);
        let answer = tenant.send("POST", "/Bulk", json!({ "Operations": operations }));
        let operations = answer.expect(200).body["Operations"].as_array().unwrap();
        let statuses = operations.iter().map(|one| one["status"].as_str().unwrap());
        let statuses = statuses.collect::<Vec<_>>().join(" ");
        assert_eq!(
            total(&tenant, "/Users", &format!("userName eq \"{NFC}\"")),
            1
        );
        statuses
    };
    let path = |id: &str| format!("/Users/{id}");
    let deleted = give(&|id| json!({"method": "DELETE", "path": path(id)}));
    assert_eq!(deleted, "409 204 201");
    let renamed =
        give(&|id| json!({"method": "PUT", "path": path(id), "data": user_body("other")}));
    assert_eq!(renamed, "409 200 201");
    let kept = give(&|id| json!({"method": "PUT", "path": path(id), "data": user_body(NFD)}));
    assert_eq!(kept, "409 200 409");
}

/// White space and width are found once the row is brought over.
#[test]
fn white_space_and_width_from_before_are_brought_over() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for name in ["wide", "spaced"] {
        create(&tenant, name, json!({}));
    }
    for (name, old) in [
        ("wide", "\u{ff57}\u{ff49}\u{ff44}\u{ff45}"),
        ("spaced", " spaced "),
    ] {
        world.database.execute(&format!(
            "update users set resource = json_set(resource, '$.userName', '{old}'), keys = json_set(keys, '$.username', '{old}') \
             where user_name_key = '{name}'"
        ));
    }
    assert_eq!(stale(&world), 2);
    tick(&world);
    for name in ["wide", "spaced"] {
        tenant
            .send("POST", "/Users", user_body(name))
            .expect_scim_error(409, "uniqueness", "userName");
        assert_eq!(
            total(&tenant, "/Users", &format!("userName eq \"{name}\"")),
            1
        );
    }
}

/// Two who have one name by the new key stay two: it is reported, and each can be changed and renamed.
#[test]
fn a_name_of_two_is_reported_and_nobody_is_merged() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let first = create(&tenant, "first", user_with("x", json!({"title": "1"}))).id();
    let second = create(&tenant, "second", json!({"active": true})).id();
    let third = create(&tenant, "\u{e0}", json!({})).id();
    for (id, name) in [(&first, NFC), (&second, NFD), (&third, "a\u{300}")] {
        world.database.execute(&format!(
            "update users set resource = json_set(resource, '$.userName', '{name}'), keys = json_remove(json_set(keys, '$.username', '{name}'), '$.form') where id = '{id}'"
        ));
    }
    // It was written by an older release, and not since this instance began.
    world.app.recent.clear();
    tick(&world);
    assert_eq!(stale(&world), 0);
    let kept = world
        .database
        .texts("select id from users where json_extract(keys, '$.form') = 2");
    assert_eq!(kept.len(), 1);
    assert!([&first, &second].contains(&&kept[0]));
    let events = "select resource_id from audit_events where action = 'collide'";
    assert_eq!(world.database.texts(events), kept);
    assert_eq!(
        total(&tenant, "/Users", &format!("userName eq \"{NFC}\"")),
        2
    );
    assert_eq!(total(&tenant, "/Users", "userName eq \"\u{e0}\""), 1);
    for id in [&first, &second] {
        let path = format!("/Users/{id}");
        let off = tenant.patch(
            &path,
            json!([{"op": "replace", "path": "active", "value": false}]),
        );
        assert_eq!(off.expect(200).body["active"], false);
        let name = off.body["userName"].as_str().unwrap().to_owned();
        let put = tenant.send("PUT", &path, user_with(&name, json!({"title": "2"})));
        assert_eq!(put.expect(200).body["title"], "2");
    }
    let names = world.database.texts("select json_extract(resource, '$.userName') from users where json_extract(keys, '$.form') = 2");
    let renamed = tenant.send(
        "PUT",
        &format!("/Users/{}", kept[0]),
        user_body("renam\u{e9}"),
    );
    assert_eq!(renamed.expect(200).body["userName"], "renam\u{e9}");
    assert_eq!(names.len(), 1);
    assert_eq!(
        total(&tenant, "/Users", &format!("userName eq \"{NFC}\"")),
        1
    );
    assert_eq!(
        world
            .database
            .number("select count(*) from users where json_extract(keys, '$.form') = 2"),
        0
    );
    assert_eq!(NFC.nfd().collect::<String>(), NFD);
}

/// Before the clock has come to it, and where it never does since the key looks plain: whoever leaves can be switched off.
#[test]
fn a_row_from_before_can_be_changed_whoever_has_its_name_by_the_new_key() {
    for (old, now) in [
        ("\u{ff41}nna", "anna"),
        (" anna", "anna"),
        ("anna\n", "anna"),
        (NFD, NFC),
    ] {
        let world = World::new();
        let tenant = world.tenant("compat");
        let id = create(&tenant, "old", json!({})).id();
        let group = tenant.group("old", &[]);
        create(&tenant, now, json!({}));
        tenant.group(now, &[]);
        // Another version, so that nothing is known of what it was.
        for (table, attribute) in [("users", "userName"), ("groups", "displayName")] {
            let key = attribute.to_lowercase();
            world.database.execute(&format!(
                "update {table} set version = version + 1, resource = json_set(resource, '$.{attribute}', '{old}'), keys = json_set(keys, '$.{key}', '{old}') \
                 where json_extract(keys, '$.{key}') = 'old'"
            ));
        }
        let before = stale(&world);
        let off = json!([{"op": "replace", "path": "active", "value": false}]);
        let patched = tenant.patch(&format!("/Users/{id}"), off.clone());
        assert_eq!(patched.expect(200).body["active"], false, "{old:?}");
        let title = json!({"Operations": [{"op": "replace", "path": "title", "value": "x"}]});
        let bulk = json!({"Operations": [{"method": "PATCH", "path": format!("/Users/{id}"), "data": title}]});
        let answer = tenant.send("POST", "/Bulk", bulk);
        assert_eq!(answer.expect(200).body["Operations"][0]["status"], "200");
        let name = json!([{"op": "replace", "path": "externalId", "value": "7"}]);
        tenant.patch(&format!("/Groups/{group}"), name).expect(200);
        // Not brought over, so that the clock reports it.
        assert_eq!(stale(&world), before, "{old:?}");
        tick(&world);
        assert_eq!(stale(&world), 0);
        let events = "select count(*) from audit_events where action = 'collide'";
        assert_eq!(world.database.number(events), before, "{old:?}");
        tenant.patch(&format!("/Users/{id}"), off).expect(200);
        let free = json!([{"op": "replace", "path": "userName", "value": "free"}]);
        tenant.patch(&format!("/Users/{id}"), free).expect(200);
        assert_eq!(total(&tenant, "/Users", "userName eq \"free\""), 1);
    }
}

#[test]
fn many_rows_are_brought_over_in_parts() {
    let world = World::new();
    let tenant = world.tenant("compat");
    world.database.execute(&format!(
        "with recursive n (i) as (select 0 union all select i + 1 from n where i < 1199) \
         insert into users (tenant_id, id, provider_id, version, created_at, modified_at, resource, keys) \
         select '{}', printf('019b0000-0000-7000-8000-%012x', i), '', 1, 0, 0, json_object('userName', 'e\u{301}' || i), json_object('username', 'e\u{301}' || i) from n",
        tenant.id
    ));
    assert_eq!(stale(&world), 1_200);
    tick(&world);
    assert_eq!(stale(&world), 0);
    assert_eq!(total(&tenant, "/Users", "userName eq \"\u{e9}777\""), 1);
    assert_eq!(
        world
            .database
            .number("select count(*) from users where version <> 1"),
        0
    );
}

/// A tick has the statements of one invocation, and the syncs of the directories come after it.
#[test]
fn names_of_two_among_many_do_not_use_up_a_tick() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for number in ["7", "111", "112", "480", "1199"] {
        create(&tenant, &format!("\u{e9}{number}"), json!({}));
    }
    world.database.execute(&format!(
        "with recursive n (i) as (select 0 union all select i + 1 from n where i < 1199) \
         insert into users (tenant_id, id, provider_id, version, created_at, modified_at, resource, keys) \
         select '{}', printf('019b0000-0000-7000-8000-%012x', i), '', 1, 0, 0, json_object('userName', 'e\u{301}' || i), json_object('username', 'e\u{301}' || i) from n",
        tenant.id
    ));
    let mut ticks = 0;
    while stale(&world) > 0 {
        world.database.begin_invocation();
        world.database.recorded.replace(Some(Vec::new()));
        tick(&world);
        let recorded = world.database.recorded.take();
        let statements = recorded.map_or(0, |statements| statements.len());
        assert!(statements <= 300, "{statements} statements");
        assert!(
            !world
                .log
                .0
                .borrow()
                .last()
                .unwrap()
                .contains("\"error\":\"")
        );
        ticks += 1;
        assert!(ticks < 5);
    }
    let kept = "select count(*) from users where json_extract(keys, '$.form') = 2";
    assert_eq!(world.database.number(kept), 5);
    assert_eq!(total(&tenant, "/Users", "userName eq \"\u{e9}777\""), 1);
    assert_eq!(total(&tenant, "/Users", "userName eq \"\u{e9}112\""), 2);
}
