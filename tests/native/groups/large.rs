//! Groups whose members are too many for one value of the database.

use serde_json::{Value, json};

use crate::support::{Tenant, World};

/// A group of that many users, put straight into the database.
fn crowd(tenant: &Tenant<'_>, members: usize) -> String {
    let group = tenant.group("Everybody", &[]);
    let database = &tenant.world.database;
    database.execute(&format!(
        "with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < {members}) \
         insert into users (tenant_id, id, provider_id, version, created_at, modified_at, resource, keys) \
         select '{0}', printf('019b0000-0000-7000-8000-%012x', i * 7919), '', 1, 0, 0, \
         json_object('schemas', json_array('urn:ietf:params:scim:schemas:core:2.0:User'), 'userName', 'u' || i, 'active', json('true')), \
         json_object('username', 'u' || i, 'active', json('true')) from n; \
         insert into group_members select '{0}', '{group}', id, 'User' from users where tenant_id = '{0}'; \
         update groups set member_count = {members} where id = '{group}'; \
         update tenants set user_total = {members} where id = '{0}'",
        tenant.id
    ));
    group
}

fn distinct(members: &Value) -> usize {
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
    tenant
        .send("PUT", &path, unknown)
        .expect_scim_error(400, "invalidValue", "members");
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
    let tenant = world.tenant("compat");
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
