//! Groups whose members are too many for one value of the database.

use serde_json::{Value, json};

use crate::support::{Tenant, World};

/// A group of that many users, put straight into the database.
pub fn crowd(tenant: &Tenant<'_>, members: usize) -> String {
    let group = tenant.group("Everybody", &[]);
    let database = &tenant.world.database;
    database.execute(&format!(
        "with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < {members}) \
         insert into users (tenant_id, id, provider_id, version, created_at, modified_at, resource, keys) \
         select '{0}', printf('019b0000-0000-7000-8000-%012x', i * 7919), '', 1, 0, 0, \
         json_object('schemas', json_array('urn:ietf:params:scim:schemas:core:2.0:User'), 'userName', 'u' || i, 'active', json('true')), \
         json_object('username', 'u' || i, 'active', json('true')) from n; \
         insert into group_members (tenant_id, group_id, member_id, member_type) select '{0}', '{group}', id, 'User' from users where tenant_id = '{0}'; \
         update groups set member_count = {members} where id = '{group}'; \
         update tenants set user_total = {members} where id = '{0}'",
        tenant.id
    ));
    group
}

pub fn distinct(members: &Value) -> usize {
    let members = members.as_array().expect("members");
    let mut ids: Vec<&str> = members
        .iter()
        .map(|member| member["value"].as_str().unwrap())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), members.len());
    ids.len()
}

#[test]
fn a_group_of_20_000_is_read_whole_in_two_round_trips() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let group = crowd(&tenant, 20_000);
    let answer = tenant.get(&format!("/Groups/{group}"));
    assert_eq!(distinct(&answer.expect(200).body["members"]), 20_000);
    assert_eq!(answer.trips(), 2);
    let member = &answer.body["members"][0];
    assert_eq!(member["type"], "User");
    assert!(member["$ref"].as_str().unwrap().contains("/scim/v2/Users/"));
    let listed = tenant.get("/Groups?filter=displayName%20eq%20%22everybody%22");
    assert_eq!(
        distinct(&listed.expect(200).body["Resources"][0]["members"]),
        20_000
    );
    assert_eq!(
        answer.body["members"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|member| member["display"].is_string())
            .count(),
        20_000
    );
    let named = tenant.get(&format!("/Groups/{group}?attributes=members.display"));
    let members = named.expect(200).body["members"].as_array().unwrap();
    assert_eq!(members.len(), 20_000);
    assert!(
        members
            .iter()
            .all(|member| member["display"].as_str().unwrap().starts_with('u'))
    );
    let without = tenant.get(&format!("/Groups/{group}?excludedAttributes=members"));
    assert_eq!(without.expect(200).trips(), 1);
    assert!(without.body.get("members").is_none());
}

#[test]
fn a_large_group_is_shown_after_a_change_where_that_is_asked_for() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let group = crowd(&tenant, 6_000);
    let path = format!("/Groups/{group}");
    let body = json!({"Operations": [{"op": "replace", "path": "displayName", "value": "All"}]});
    let answer = tenant.send_with(
        "PATCH",
        &path,
        &[("prefer", "return=representation")],
        body.clone(),
    );
    assert_eq!(distinct(&answer.expect(200).body["members"]), 6_000);
    // Nothing changes the second time.
    let answer = tenant.send_with("PATCH", &path, &[("prefer", "return=representation")], body);
    assert_eq!(distinct(&answer.expect(200).body["members"]), 6_000);
    let members: Vec<Value> = (0..6_001)
        .map(|index| json!({"value": format!("019b0000-0000-7000-8000-{:012x}", index * 7_919)}))
        .collect();
    let unknown = json!({"displayName": "All", "members": members});
    // The one who is nobody is left out.
    let put = tenant.send("PUT", &path, unknown);
    assert_eq!(distinct(&put.expect(200).body["members"]), 6_000);
    let put = json!({"displayName": "All", "members": members[..5_500]});
    let answer = tenant.send("PUT", &path, put);
    assert_eq!(distinct(&answer.expect(200).body["members"]), 5_500);
    assert_eq!(
        world.database.number("select member_count from groups"),
        5_500
    );
}

#[test]
fn a_group_of_any_size_is_emptied_and_filled_within_the_statements_of_one_request() {
    let world = World::new();
    let tenant = world.tenant("compat").unfused();
    let group = crowd(&tenant, 100_000);
    let path = format!("/Groups/{group}");
    let statements = world.database.recording(|| {
        let operations = json!([{"op": "remove", "path": "members"}]);
        tenant.patch(&path, operations).expect(200);
    });
    assert!(statements.len() < 100, "{} statements", statements.len());
    assert_eq!(
        world.database.number("select count(*) from group_members"),
        0
    );
    let members: Vec<Value> = (0..15_000)
        .map(|index| json!({"value": format!("019b0000-0000-7000-8000-{:012x}", index * 7_919)}))
        .collect();
    let put = json!({"displayName": "Everybody", "members": members});
    let statements = world.database.recording(|| {
        let answer = tenant.send("PUT", &path, put);
        assert_eq!(distinct(&answer.expect(200).body["members"]), 15_000);
    });
    assert!(statements.len() < 100, "{} statements", statements.len());
    assert_eq!(
        world.database.number("select member_count from groups"),
        15_000
    );
}

#[test]
fn a_part_of_each_member_of_a_large_group_is_shown() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let group = crowd(&tenant, 6_000);
    let path = format!("/Groups/{group}");
    for (query, names) in [
        ("attributes=members.value", ["value"].as_slice()),
        ("attributes=members.value,members.type", &["value", "type"]),
        (
            "excludedAttributes=members.$ref",
            &["value", "display", "type"],
        ),
        (
            "excludedAttributes=members.display",
            &["value", "$ref", "type"],
        ),
        ("attributes=members", &["value", "$ref", "display", "type"]),
        ("attributes=members.display", &["display"]),
    ] {
        let answer = tenant.get(&format!("{path}?{query}"));
        let members = answer.expect(200).body["members"].as_array().unwrap();
        assert_eq!(members.len(), 6_000, "{query}");
        for member in members {
            let shown: Vec<&str> = member
                .as_object()
                .unwrap()
                .keys()
                .map(String::as_str)
                .collect();
            assert_eq!(shown, names, "{query}");
        }
    }
}

#[test]
fn a_user_in_more_groups_than_fit_into_one_value_is_read_and_changed() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (ada, bob) = (tenant.user("ada"), tenant.user("bob"));
    let world = tenant.world;
    world.database.execute(&format!(
        "with recursive n (i) as (select 0 union all select i + 1 from n where i < 11999) \
         insert into groups (tenant_id, id, provider_id, version, created_at, modified_at, member_count, unique_name, resource, keys) \
         select '{0}', printf('019b0000-0000-7000-8000-%012x', i * 7919), '', 1, 0, 0, 1, 1, \
         json_object('displayName', 'g' || i), json_object('displayname', 'g' || i) from n; \
         insert into group_members (tenant_id, group_id, member_id, member_type) select '{0}', id, '{ada}', 'User' from groups",
        tenant.id
    ));
    let path = format!("/Users/{ada}");
    let answer = tenant.get(&path);
    assert_eq!(distinct(&answer.expect(200).body["groups"]), 12_000);
    assert_eq!(answer.trips(), 2);
    let group = &answer.body["groups"][0];
    assert_eq!(group["type"], "direct");
    assert!(group["$ref"].as_str().unwrap().contains("/scim/v2/Groups/"));
    let named = tenant.get(&format!("{path}?attributes=groups"));
    assert_eq!(distinct(&named.expect(200).body["groups"]), 12_000);
    assert!(
        named.body["groups"][9]["display"]
            .as_str()
            .unwrap()
            .starts_with('g')
    );
    let put = tenant.send("PUT", &path, json!({"userName": "ada", "title": "Lady"}));
    assert_eq!(distinct(&put.expect(200).body["groups"]), 12_000);
    assert_eq!(
        (&put.body["title"], put.header("etag")),
        (&json!("Lady"), "W/\"2\"")
    );
    let off = json!([{"op": "replace", "path": "active", "value": false}]);
    let patched = tenant.patch(&path, off);
    assert_eq!(distinct(&patched.expect(200).body["groups"]), 12_000);
    // One in a group above a group is in that, too.
    let above = tenant.group("Above", &["019b0000-0000-7000-8000-000000000000"]);
    let answer = tenant.get(&path);
    let groups = answer.expect(200).body["groups"].as_array().unwrap();
    let indirect: Vec<&Value> = groups
        .iter()
        .filter(|group| group["type"] == "indirect")
        .collect();
    assert_eq!((groups.len(), indirect.len()), (12_001, 1));
    assert_eq!(indirect[0]["value"], above);
    // On a list she is alone.
    let list = tenant.get("/Users");
    assert_eq!(list.expect(200).body["itemsPerPage"], 1);
    assert_eq!(list.body["totalResults"], 2);
    assert_eq!(distinct(&list.body["Resources"][0]["groups"]), 12_001);
    let list = tenant.get("/Users?startIndex=2");
    assert_eq!(list.expect(200).body["Resources"][0]["id"], bob);
    let list = tenant.get("/Users?excludedAttributes=groups");
    assert_eq!(list.expect(200).body["itemsPerPage"], 2);
}

#[test]
fn a_membership_shows_no_more_than_the_beginning_of_a_long_name() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let long = "\u{1F600}".repeat(50_000);
    let shorter = "x".repeat(300);
    let members: Vec<String> = (0..20)
        .map(|number| {
            let body = json!({"userName": format!("u{number}"), "displayName": long});
            tenant.send("POST", "/Users", body).expect(201).id()
        })
        .collect();
    let ids: Vec<&str> = members.iter().map(String::as_str).collect();
    let group = tenant.group(&long, &ids);
    let shown: String = long.chars().take(256).collect();
    let group_of_one = tenant.group("One", &[ids.first().unwrap()]);
    tenant
        .patch(
            &format!("/Users/{}", ids.first().unwrap()),
            json!([{"op": "replace", "path": "displayName", "value": shorter}]),
        )
        .expect(200);
    let answer = tenant.get(&format!(
        "/Groups/{group_of_one}?attributes=members.display"
    ));
    assert_eq!(
        answer.expect(200).body["members"][0]["display"],
        shorter[..256]
    );
    let answer = tenant.get(&format!("/Groups/{group}?attributes=members.display"));
    let members = answer.expect(200).body["members"].as_array().unwrap();
    assert_eq!(members.len(), 20);
    let of_long = members.iter().filter(|member| member["display"] == *shown);
    assert_eq!(of_long.count(), 19);
    let user = ids.first().unwrap();
    let answer = tenant.get(&format!("/Users/{user}?attributes=groups.display"));
    assert_eq!(answer.expect(200).body["groups"][0]["display"], *shown);
}

#[test]
fn a_large_group_with_a_long_name_is_on_a_page_with_both() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let group = crowd(&tenant, 6_000);
    let name = "n".repeat(20_000);
    let rename = json!({"Operations": [{"op": "replace", "path": "displayName", "value": name}]});
    tenant
        .send("PATCH", &format!("/Groups/{group}"), rename)
        .expect(204);
    let page = tenant.get("/Groups?count=1000");
    let listed = &page.expect(200).body["Resources"][0];
    assert_eq!(listed["displayName"], *name);
    assert_eq!(distinct(&listed["members"]), 6_000);
}

/// As many as come along with a group are named in one round trip, however long their names are.
#[test]
fn five_thousand_members_with_long_names_come_along_with_their_group() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let group = crowd(&tenant, 5_000);
    for (name, shown) in [
        ("Ada Lovelace", "Ada Lovelace"),
        (&"x".repeat(138), &"x".repeat(138)),
        (&"x".repeat(139), &"x".repeat(23)),
        (&"\u{1F600}".repeat(300), &"\u{1F600}".repeat(23)),
        (&"\u{1}".repeat(300), &"\u{1}".repeat(23)),
        (&"\"".repeat(300), &"\"".repeat(23)),
    ] {
        let name = Value::from(name).to_string().replace('\'', "''");
        world.database.execute(&format!(
            "update users set resource = json_set(resource, '$.displayName', json('{name}'))"
        ));
        let answer = tenant.get(&format!("/Groups/{group}"));
        let members = answer.expect(200).body["members"].as_array().unwrap();
        assert_eq!(members.len(), 5_000);
        assert!(members.iter().all(|member| member["display"] == shown));
        assert_eq!(answer.trips(), 1);
    }
}
