//! The export: what is in it, for whom, and how much of it is in memory at a time.

use futures_util::StreamExt;
use http::Request;
use serde_json::{Value, json};

use super::{exported, lines};
use crate::support::{ORIGIN, START, World};

fn path(tenant: &str) -> String {
    format!("/api/v1/admin/tenants/{tenant}/export")
}

#[test]
fn all_users_groups_and_direct_members_are_lines_after_one_that_says_what_it_is() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let ada = tenant.user("ada@example.com");
    world.clock.0.set(START + 1);
    let boss = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "bob@example.com", "externalId": "b-7", "active": false,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"manager": {"value": ada}},
    });
    let bob = tenant.send("POST", "/Users", boss).expect(201).id();
    world.clock.0.set(START + 1);
    let inner = tenant.group("Inner", &[&ada, &bob]);
    world.clock.0.set(START + 2);
    let outer = tenant.group("Outer", &[&inner]);
    let empty = tenant.group("Nobody", &[]);
    let other = world.tenant("compat");
    other.user("else@example.com");
    let lines = exported(&tenant);
    assert_eq!(
        lines[0],
        json!({
            "rollcall_export": 1, "tenant": tenant.id, "profile": "compat",
            "exported_at": "2026-01-02T03:04:05.002Z", "seq": 7, "users": 2, "groups": 3,
        })
    );
    let mut expected: Vec<Value> = [&ada, &bob]
        .map(|id| {
            let mut user = tenant.get(&format!("/Users/{id}")).body;
            user.as_object_mut().expect("a user").remove("groups");
            user
        })
        .into();
    let mut groups = [&inner, &outer, &empty];
    groups.sort();
    expected.extend(groups.map(|id| {
        let path = format!("/Groups/{id}?excludedAttributes=members");
        tenant.get(&path).body
    }));
    expected.push(json!({"group": inner, "members": [{"value": ada, "type": "User"}, {"value": bob, "type": "User"}]}));
    expected.push(json!({"group": outer, "members": [{"value": inner, "type": "Group"}]}));
    assert_eq!(lines[1..], expected);
}

#[test]
fn no_password_and_no_secret_is_in_it() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let settings = json!({"store_passwords": true});
    let tenant_path = format!("/api/v1/admin/tenants/{}", tenant.id);
    world.admin("PATCH", &tenant_path, settings).expect(200);
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada", "password": "t0p-s3cret",
    });
    tenant.send("POST", "/Users", user).expect(201);
    assert_eq!(
        world
            .database
            .number("select count(*) from users where password_hash is not null"),
        1
    );
    let text = Value::from(exported(&tenant)).to_string();
    for word in ["s3cret", "argon2", "password"] {
        assert!(!text.contains(word), "{text}");
    }
}

#[test]
fn an_empty_tenant_is_one_line_and_a_strangers_or_a_deleted_one_404() {
    let world = World::new();
    let (tenant, other) = (world.tenant("strict"), world.tenant("compat"));
    assert_eq!(exported(&tenant).len(), 1);
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), tenant.id.clone().into());
    let own = world.jwt(&claims);
    let ask = |tenant: &str| world.admin_as(&own, "GET", &path(tenant), Value::Null);
    assert_eq!(lines(ask(&tenant.id).expect(200)).len(), 1);
    ask(&other.id).expect(404);
    ask("nobody").expect(404);
    claims.insert("scope".to_owned(), "tenants:write scim:read".into());
    let without = world.jwt(&claims);
    world
        .admin_as(&without, "GET", &path(&tenant.id), Value::Null)
        .expect(403);
    let deleted = format!("/api/v1/admin/tenants/{}", tenant.id);
    world.admin("DELETE", &deleted, Value::Null).expect(204);
    world
        .admin("GET", &path(&tenant.id), Value::Null)
        .expect(404);
}

/// Fills a tenant behind the application's back: users of some 700 bytes, ten to a group.
fn fill(world: &World, tenant: &str, users: usize) {
    let resource = format!(
        "json_object('schemas', json_array('urn:ietf:params:scim:schemas:core:2.0:User'), 'userName', 'u' || i, 'title', '{}')",
        "x".repeat(600)
    );
    world.database.execute(&format!(
        "with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < {users}) \
         insert into users (tenant_id, id, provider_id, version, created_at, modified_at, resource, keys) \
         select '{tenant}', printf('00000000-0000-7000-8000-%012d', i), '', 1, 0, 0, {resource}, json_object('username', 'u' || i) from n; \
         with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < {users}) \
         insert into group_members (tenant_id, group_id, member_id, member_type) \
         select '{tenant}', printf('00000000-0000-7000-9000-%012d', i / 10), printf('00000000-0000-7000-8000-%012d', i), 'User' from n",
    ));
}

#[test]
fn a_hundred_thousand_users_are_never_in_memory_at_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    fill(&world, &tenant.id, 100_000);
    let token = world.jwt(&world.claims());
    let request = Request::get(format!("{ORIGIN}{}", path(&tenant.id)))
        .header("authorization", format!("Bearer {token}"))
        .body(Vec::new())
        .expect("a request");
    world.database.begin_invocation();
    let (mut users, mut members, mut pieces, mut largest) = (0, 0, 0, 0);
    let mut last = String::new();
    let statements = pollster::block_on(async {
        let mut chunks = world.app.handle(request).await.into_body().into_chunks();
        while let Some(chunk) = chunks.next().await {
            let chunk = String::from_utf8(chunk.expect("a piece")).expect("text");
            pieces += 1;
            largest = largest.max(chunk.len());
            for line in chunk.lines() {
                let line: Value = serde_json::from_str(line).expect("whole lines");
                if line["userName"].is_string() {
                    let id = line["id"].as_str().expect("an id").to_owned();
                    assert!(id > last, "in the order of their ids, each once");
                    last = id;
                    users += 1;
                }
                members += line["members"].as_array().map_or(0, Vec::len);
            }
        }
        world.database.begin_invocation()
    });
    println!("{pieces} pieces, the largest of {largest} bytes, {statements} statements");
    assert_eq!((users, members), (100_000, 100_000));
    assert!(largest < 3_000_000, "{largest}");
    assert!(statements < 100, "{statements}");
}

#[test]
fn a_page_ends_where_its_text_is_enough_however_long_the_resources_are() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for number in 0..7 {
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": format!("u{number}"), "title": "x".repeat(900_000),
        });
        tenant.send("POST", "/Users", user).expect(201);
    }
    let lines = exported(&tenant);
    let mut named: Vec<_> = lines[1..]
        .iter()
        .map(|line| line["userName"].clone())
        .collect();
    named.sort_by_key(Value::to_string);
    assert_eq!(named, ["u0", "u1", "u2", "u3", "u4", "u5", "u6"]);
}

#[test]
fn what_changes_while_it_is_sent_breaks_nothing() {
    let world = World::new();
    let tenant = world.tenant("compat");
    fill(&world, &tenant.id, 5_000);
    let token = world.jwt(&world.claims());
    let request = Request::get(format!("{ORIGIN}{}", path(&tenant.id)))
        .header("authorization", format!("Bearer {token}"))
        .body(Vec::new())
        .expect("a request");
    let mut text = Vec::new();
    pollster::block_on(async {
        let mut chunks = world.app.handle(request).await.into_body().into_chunks();
        let mut pieces = 0;
        while let Some(chunk) = chunks.next().await {
            text.extend(chunk.expect("a piece"));
            pieces += 1;
            if pieces == 2 {
                // The first page of users is out: one of it goes, one that is not read yet goes, and one comes at the end.
                world.database.execute(
                    "delete from users where user_name_key in ('u10', 'u4000'); \
                     update users set id = '00000000-0000-7000-8000-999999999999' where user_name_key = 'u20'",
                );
            }
        }
    });
    let text = String::from_utf8(text).expect("text");
    let users = text.matches("\"userName\":").count();
    assert_eq!(users, 5_000, "u4000 is not in it, and u20 is twice");
}

#[test]
fn a_database_that_fails_on_the_way_breaks_the_reply_off_and_says_so_in_the_log() {
    let world = World::new();
    let tenant = world.tenant("compat");
    fill(&world, &tenant.id, 3_000);
    let token = world.jwt(&world.claims());
    let request = Request::get(format!("{ORIGIN}{}", path(&tenant.id)))
        .header("authorization", format!("Bearer {token}"))
        .body(Vec::new())
        .expect("a request");
    let pieces: Vec<_> = pollster::block_on(async {
        let chunks = world.app.handle(request).await.into_body().into_chunks();
        let failing = rollcall::store::Error::Overloaded("busy".to_owned());
        *world.database.planned.borrow_mut() = vec![Some(failing), None];
        chunks.collect().await
    });
    let failed: Vec<bool> = pieces.iter().map(Result::is_err).collect();
    assert_eq!(
        failed,
        [false, false, true],
        "the first line, a page, and no more"
    );
    let log = world.log.0.borrow().last().cloned().unwrap_or_default();
    assert!(log.contains("\"export\"") && log.contains("busy"), "{log}");
}
