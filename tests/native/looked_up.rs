//! Clients look a resource up by a filter and change what they find. What a small page has shown is remembered, so that the change takes one
//! round trip; it is never the truth.

use serde_json::{Value, json};

use crate::support::{Answer, Tenant, World};

/// A tenant's user `ada` and group `Staff`, which the instance has not seen since it was started.
fn restarted<R>(profile: &str, test: impl FnOnce(&Tenant<'_>, &str, &str) -> R) -> R {
    let world = World::new();
    let tenant = world.tenant(profile);
    let body = json!({"userName": "ada", "externalId": "x-1", "displayName": "Ada"});
    let ada = tenant.send("POST", "/Users", with_schema("User", body));
    let ada = ada.expect(201).id();
    let group = tenant.group("Staff", &[&ada]);
    world.app.recent.clear();
    test(&tenant, &ada, &group)
}

fn with_schema(kind: &str, mut body: Value) -> Value {
    body["schemas"] = json!([format!("urn:ietf:params:scim:schemas:core:2.0:{kind}")]);
    body
}

fn filtered(kind: &str, filter: &str, more: &str) -> String {
    let filter: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    format!("/{kind}?filter={filter}{more}")
}

fn title(value: &str) -> Value {
    json!([{"op": "replace", "path": "title", "value": value}])
}

#[track_caller]
fn found(answer: &Answer, count: usize) {
    answer.expect(200);
    assert_eq!(answer.body["Resources"].as_array().unwrap().len(), count);
}

#[test]
fn whoever_was_looked_up_is_changed_in_one_round_trip() {
    let by_user_name = filtered("Users", "userName eq \"ADA\"", "");
    for path in [
        by_user_name.clone(),
        format!("{by_user_name}&attributes=id"),
        format!("{by_user_name}&excludedAttributes=groups,displayName"),
        format!("{by_user_name}&startIndex=1&count=1"),
        format!("{by_user_name}&cursor="),
        filtered("Users", "externalId eq \"x-1\"", ""),
        filtered("Users", "userName sw \"a\"", "&sortBy=userName"),
        filtered("Users", "displayName co \"d\"", ""),
        "/Users".to_owned(),
        "/".to_owned(),
    ] {
        for profile in ["compat", "strict"] {
            restarted(profile, |tenant, ada, _| {
                let list = tenant.get(&path);
                list.expect(200);
                let answer = tenant.patch(&format!("/Users/{ada}"), title("Countess"));
                assert_eq!(answer.expect(200).trips(), 1, "{path}");
                assert_eq!(answer.body["title"], "Countess");
                assert_eq!(answer.body["displayName"], "Ada");
                assert_eq!(answer.header("etag"), "W/\"2\"");
            });
            restarted(profile, |tenant, ada, _| {
                tenant.get(&path).expect(200);
                let body = with_schema("User", json!({"userName": "ada", "title": "Countess"}));
                let answer = tenant.send("PUT", &format!("/Users/{ada}"), body);
                assert_eq!(answer.expect(200).trips(), 1, "{path}");
                assert_eq!(answer.body["title"], "Countess");
            });
        }
    }
}

#[test]
fn whoever_was_searched_for_is_changed_in_one_round_trip() {
    for path in ["/Users/.search", "/.search"] {
        restarted("strict", |tenant, ada, _| {
            let search = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                "filter": format!("id eq \"{ada}\""),
            });
            found(&tenant.send("POST", path, search), 1);
            let answer = tenant.patch(&format!("/Users/{ada}"), title("Countess"));
            assert_eq!(answer.expect(200).trips(), 1);
        });
    }
}

#[test]
fn a_group_that_was_looked_up_is_renamed_in_one_round_trip_and_keeps_its_members() {
    for more in ["", "&excludedAttributes=members", "&attributes=displayName"] {
        restarted("compat", |tenant, ada, group| {
            let path = filtered("Groups", "displayName eq \"Staff\"", more);
            found(&tenant.get(&path), 1);
            let rename = json!([{"op": "replace", "path": "displayName", "value": "Crew"}]);
            let answer = tenant.patch(&format!("/Groups/{group}"), rename);
            assert_eq!(answer.expect(200).trips(), 1, "{path}");
            assert_eq!(answer.body["displayName"], "Crew");
            assert_eq!(answer.body["members"][0]["value"], ada);
            assert_eq!(tenant.members(group), [ada]);
        });
    }
}

#[test]
fn what_changed_since_it_was_looked_up_is_not_lost() {
    restarted("compat", |tenant, ada, _| {
        found(&tenant.get("/Users"), 1);
        tenant.world.database.execute(
            "update users set version = version + 1, resource = json_set(resource, '$.nickName', 'Theirs')",
        );
        let answer = tenant.patch(&format!("/Users/{ada}"), title("Mine"));
        answer.expect(200);
        assert_eq!(
            (&answer.body["title"], &answer.body["nickName"]),
            (&json!("Mine"), &json!("Theirs"))
        );
        assert_eq!(answer.header("etag"), "W/\"3\"");
    });
}

#[test]
fn whoever_was_deleted_since_is_404() {
    restarted("compat", |tenant, ada, _| {
        found(&tenant.get("/Users"), 1);
        tenant.world.database.execute("delete from users");
        let path = format!("/Users/{ada}");
        tenant.patch(&path, title("Mine")).expect(404);
    });
}

#[test]
fn a_list_of_one_tenant_says_nothing_of_another() {
    let world = World::new();
    let (one, other) = (world.tenant("compat"), world.tenant("compat"));
    let ada = one.user("ada");
    world.app.recent.clear();
    found(&one.get("/Users"), 1);
    let path = format!("/Users/{ada}");
    other.patch(&path, title("Mine")).expect(404);
    assert_eq!(one.get(&path).body.get("title"), None);
}

/// Users who are much text, all of the same department.
fn many(tenant: &Tenant<'_>, count: usize) {
    for number in 0..count {
        let body = json!({"userName": format!("fat-{number:03}"), "nickName": "fat", "title": "x".repeat(50_000)});
        let body = with_schema("User", body);
        tenant.send("POST", "/Users", body).expect(201);
    }
}

#[test]
fn a_page_of_a_hundred_is_not_remembered_and_drives_nobody_out() {
    restarted("compat", |tenant, ada, _| {
        many(tenant, 100);
        found(
            &tenant.get(&filtered("Users", "userName eq \"ada\"", "")),
            1,
        );
        found(
            &tenant.get(&filtered("Users", "nickName eq \"fat\"", "&count=100")),
            100,
        );
        let answer = tenant.patch(&format!("/Users/{ada}"), title("Countess"));
        assert_eq!(answer.expect(200).trips(), 1);
    });
}

#[test]
fn what_is_shown_again_and_again_is_remembered_once() {
    restarted("compat", |tenant, ada, _| {
        many(tenant, 1);
        let fat = filtered("Users", "nickName eq \"fat\"", "");
        let id = tenant.get(&fat).body["Resources"][0]["id"].clone();
        let path = format!("/Users/{}", id.as_str().unwrap());
        found(
            &tenant.get(&filtered("Users", "userName eq \"ada\"", "")),
            1,
        );
        for number in 0..100 {
            found(&tenant.get(&fat), 1);
            tenant.get(&path).expect(200);
            let answer = tenant.patch(
                &path,
                json!([{"op": "replace", "path": "locale", "value": format!("en-{number}")}]),
            );
            assert_eq!(answer.expect(200).trips(), 1);
        }
        let answer = tenant.patch(&format!("/Users/{ada}"), title("Countess"));
        assert_eq!(answer.expect(200).trips(), 1);
    });
}

#[test]
fn what_was_erased_does_not_come_back_from_what_another_instance_remembers() {
    let mut world = World::new();
    let tenant = world.tenant("compat");
    let (id, token, token_id) = (
        tenant.id.clone(),
        tenant.token.clone(),
        tenant.token_id.clone(),
    );
    fn owned<'w>(world: &'w World, [id, token, token_id]: [&str; 3]) -> Tenant<'w> {
        let [id, token, token_id] = [id, token, token_id].map(str::to_owned);
        Tenant {
            world,
            id,
            token,
            token_id,
        }
    }
    let names = [id.as_str(), token.as_str(), token_id.as_str()];
    let import = |tenant: &Tenant<'_>, line: Value| {
        let path = format!("/api/v1/admin/tenants/{}/import", tenant.id);
        tenant
            .world
            .post_lines(&path, &line.to_string())
            .expect(200);
    };
    let old = "01a1fa81-2c91-7f90-9f26-4fa48cc17938";
    let line = |title: &str| json!({"id": old, "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada", "title": title});
    import(&tenant, line("of before"));
    let user = tenant.get("/Users").body["Resources"][0]["id"].clone();
    let user = user.as_str().expect("an id").to_owned();
    let path = format!("/Users/{user}");
    tenant.get(&path).expect(200);
    let remembered = world.app.recent.clone();
    world.restart();
    world.clock.advance_seconds(1);
    let tenant = owned(&world, names);
    let body = json!({"tenant_id": id, "resource_type": "User", "resource_id": user});
    world
        .admin("POST", "/api/v1/admin/erasures/", body)
        .expect(200);
    import(&tenant, line("of now"));
    world.app.recent = remembered;
    let tenant = owned(&world, names);
    let operation = json!([{"op": "add", "path": "displayName", "value": "Ada"}]);
    let answer = tenant.patch(&path, operation);
    answer.expect(200);
    assert_eq!(answer.body["title"], "of now");
    assert_eq!(tenant.get(&path).body["title"], "of now");
}
