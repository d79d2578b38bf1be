//! What a PATCH on a group answers with: the group while that is cheap, and otherwise what the client prefers.

use serde_json::{Value, json};

use super::{expect_count, group_body, patch_body, path};
use crate::support::{Answer, Tenant, World};

/// A group with that many members, put there behind the application's back, and a user who is none of them.
fn group_of(tenant: &Tenant<'_>, count: i64) -> (String, String) {
    let (group, user) = (tenant.group("Large", &[]), tenant.user("outside"));
    let database = &tenant.world.database;
    for number in 0..count {
        database.execute(&format!(
            "insert into group_members (tenant_id, group_id, member_id, member_type) values ('{}', '{group}', '0197b1a2-0000-7000-8000-{number:012}', 'User')",
            tenant.id
        ));
    }
    database.execute(&format!(
        "update groups set member_count = {count} where id = '{group}'"
    ));
    (group, user)
}

fn add(user: &str) -> Value {
    patch_body(json!([{"op": "add", "path": "members", "value": [{"value": user}]}]))
}

fn send(
    tenant: &Tenant<'_>,
    group: &str,
    query: &str,
    prefer: Option<&str>,
    body: Value,
) -> Answer {
    let headers: Vec<(&str, &str)> = prefer
        .map(|prefer| ("prefer", prefer))
        .into_iter()
        .collect();
    tenant.send_with("PATCH", &format!("{}{query}", path(group)), &headers, body)
}

#[test]
fn up_to_500_members_the_group_is_shown_and_above_it_is_not() {
    for (before, status) in [(0, 200), (499, 200), (500, 204), (501, 204)] {
        let world = World::new();
        let tenant = world.tenant("compat");
        let (group, user) = group_of(&tenant, before);
        let answer = send(&tenant, &group, "", None, add(&user));
        assert_eq!(
            (answer.status, answer.header("etag")),
            (status, "W/\"2\""),
            "{before} members"
        );
        if status == 200 {
            let members = answer.body["members"].as_array().expect("members");
            assert_eq!(members.len(), usize::try_from(before + 1).expect("a count"));
        }
        expect_count(&tenant, &group, before + 1);
        // Nothing to do, and so much to show all the same.
        let again = send(&tenant, &group, "", None, add(&user));
        assert_eq!((again.status, again.header("etag")), (status, "W/\"2\""));
    }
}

#[test]
fn a_client_gets_what_it_prefers() {
    for (count, prefer, status) in [
        (3, "return=minimal", 204),
        (3, "return=representation", 200),
        (3, "wait=5, return=minimal", 204),
        (3, "respond-async, wait=5, return=minimal", 204),
        (3, "return = minimal", 204),
        (3, "RETURN=MINIMAL", 204),
        (3, "return=something", 200),
        (3, "", 200),
        (600, "return=minimal", 204),
        (600, "return=representation", 200),
        (600, "return=something", 204),
    ] {
        let world = World::new();
        let tenant = world.tenant("compat");
        let (group, user) = group_of(&tenant, count);
        for expected in ["added", "there already"] {
            let answer = send(&tenant, &group, "", Some(prefer), add(&user));
            assert_eq!(
                answer.status, status,
                "{count} members, Prefer: {prefer}, {expected}"
            );
            assert_eq!(answer.header("etag"), "W/\"2\"");
            if status == 200 {
                let members = answer.body["members"].as_array().expect("members");
                assert_eq!(members.len(), usize::try_from(count + 1).expect("a count"));
            }
        }
    }
}

#[test]
fn members_that_are_excluded_are_never_shown() {
    for count in [3, 600] {
        let world = World::new();
        let tenant = world.tenant("compat").unfused();
        let (group, user) = group_of(&tenant, count);
        for (query, prefer) in [
            ("?excludedAttributes=members", None),
            ("?excludedAttributes=MEMBERS,externalId", None),
            ("?excludedAttributes=members", Some("return=representation")),
            ("?attributes=displayName", None),
        ] {
            let answer = send(&tenant, &group, query, prefer, add(&user));
            answer.expect(200);
            assert!(answer.body.get("members").is_none(), "{query}");
            assert_eq!(answer.body["displayName"], "Large");
            let read = tenant.get(&format!("{}{query}", path(&group)));
            assert_eq!(read.body, answer.body);
        }
        let minimal = send(
            &tenant,
            &group,
            "?excludedAttributes=members",
            Some("return=minimal"),
            add(&user),
        );
        minimal.expect(204);
        let listed = tenant.get("/Groups?excludedAttributes=members");
        assert!(listed.body["Resources"][0].get("members").is_none());
        let replaced = tenant.send(
            "PUT",
            &format!("{}?excludedAttributes=members", path(&group)),
            group_body("Small", &[&user]),
        );
        replaced.expect(200);
        assert!(replaced.body.get("members").is_none());
        expect_count(&tenant, &group, 1);
    }
}

#[test]
fn a_create_may_leave_the_members_out_of_its_reply() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    let created = tenant.send(
        "POST",
        "/Groups?excludedAttributes=members",
        group_body("G", &[&user]),
    );
    created.expect(201);
    assert!(created.body.get("members").is_none());
    expect_count(&tenant, &created.id(), 1);
}

#[test]
fn members_are_named() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    let shown = crate::users::create(&tenant, "b", json!({"displayName": "Bea"})).id();
    let inner = tenant.group("Inner", &[]);
    let group = tenant.group("G", &[&user, &shown, &inner]);
    for (query, named, parts) in [
        ("", true, 4),
        ("?attributes=members", true, 4),
        ("?attributes=members.display,members.value", true, 2),
        ("?excludedAttributes=members.$ref", true, 3),
        ("?excludedAttributes=members.display", false, 3),
        ("?attributes=members.value", false, 1),
    ] {
        let answer = tenant.get(&format!("{}{query}", path(&group)));
        let members = answer.expect(200).body["members"].as_array();
        let members = members.expect("members");
        assert_eq!(members.len(), 3, "{query}");
        for member in members {
            assert_eq!(
                member.as_object().expect("an object").len(),
                parts,
                "{query}"
            );
            let wanted = match member["value"].as_str() {
                _ if !named => Value::Null,
                Some(id) if id == user => "a".into(),
                Some(id) if id == shown => "Bea".into(),
                _ => "Inner".into(),
            };
            assert_eq!(member["display"], wanted, "{query}");
        }
    }
    // In lists, and under the names that they have now.
    tenant
        .patch(
            &format!("/Users/{user}"),
            json!([{"op": "add", "path": "displayName", "value": "Ada"}]),
        )
        .expect(200);
    let listed = tenant.get("/Groups?filter=displayName%20eq%20%22G%22");
    let members = listed.expect(200).body["Resources"][0]["members"].clone();
    let mut names: Vec<&str> = members
        .as_array()
        .expect("members")
        .iter()
        .filter_map(|member| member["display"].as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["Ada", "Bea", "Inner"]);
}

/// The name that the only member of a group is shown under.
fn shown_name(tenant: &Tenant<'_>, group: &str) -> Value {
    tenant.get(&path(group)).expect(200).body["members"][0]["display"].clone()
}

#[test]
fn a_member_is_shown_under_the_name_that_it_has_now() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("ada");
    let group = tenant.group("G", &[&user]);
    assert_eq!(shown_name(&tenant, &group), "ada");
    let user_path = format!("/Users/{user}");
    for (operation, shown) in [
        (
            json!({"op": "replace", "path": "userName", "value": "eve"}),
            "eve",
        ),
        (
            json!({"op": "add", "path": "displayName", "value": "Eve"}),
            "Eve",
        ),
        (
            json!({"op": "replace", "path": "userName", "value": "ada"}),
            "Eve",
        ),
        (
            json!({"op": "replace", "path": "title", "value": "Countess"}),
            "Eve",
        ),
        (
            json!({"op": "replace", "path": "displayName", "value": "E\u{301}\u{0}\""}),
            "E\u{301}\u{0}\"",
        ),
        (
            json!({"op": "replace", "path": "displayName", "value": "EVE"}),
            "EVE",
        ),
        (
            json!({"op": "replace", "path": "active", "value": false}),
            "EVE",
        ),
        (json!({"op": "remove", "path": "displayName"}), "ada"),
    ] {
        tenant
            .patch(&user_path, json!([operation.clone()]))
            .expect(200);
        assert_eq!(shown_name(&tenant, &group), shown, "{operation}");
    }
    let body = json!({"userName": "ada", "displayName": "Ada"});
    tenant.send("PUT", &user_path, body).expect(200);
    assert_eq!(shown_name(&tenant, &group), "Ada");
    tenant.send("DELETE", &user_path, Value::Null).expect(204);
    assert_eq!(tenant.get(&path(&group)).body["members"], json!([]));
    crate::bulk::assert_consistent(&world);
}

/// Whoever was there before names were kept apart has one too, and whoever a worker from before the migration writes.
#[test]
fn users_from_before_are_shown_under_their_names() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let users = ["ada", "bea"].map(|name| tenant.user(name));
    let group = tenant.group("G", &[&users[0]]);
    world
        .database
        .execute("delete from user_names where name = 'ada'");
    assert_eq!(shown_name(&tenant, &group), "ada");
    let migration = include_str!("../../../migrations/0016_user_names.sql");
    let (_, filling) = migration.split_once("insert or ignore").expect("the rows");
    let (filling, _) = filling.split_once(';').expect("the rows");
    world
        .database
        .execute(&format!("insert or ignore{filling}"));
    assert_eq!(shown_name(&tenant, &group), "ada");
    world.database.execute("update users set resource = json_set(resource, '$.displayName', 'Ada') where user_name_key = 'ada'");
    assert_eq!(shown_name(&tenant, &group), "Ada");
    crate::bulk::assert_consistent(&world);
}

#[test]
fn a_replace_always_shows_the_group() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (group, _) = group_of(&tenant, 600);
    let mut body = group_body("Renamed", &[]);
    body.as_object_mut().expect("an object").remove("members");
    let answer = tenant.send("PUT", &path(&group), body);
    answer.expect(200);
    assert_eq!(answer.body["members"].as_array().map(Vec::len), Some(600));
}
