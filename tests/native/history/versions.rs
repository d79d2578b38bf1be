//! A resource's history as administrators read it.

use serde_json::{Value, json};

use crate::support::{Answer, Tenant, World};
use crate::users::in_both;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn page(tenant: &Tenant<'_>, of: &str, query: &str) -> Answer {
    let path = format!(
        "/api/v1/admin/resources/{of}/history?tenant_id={}{query}",
        tenant.id
    );
    tenant.world.admin("GET", &path, Value::Null)
}

fn versions(answer: &Answer) -> Vec<Value> {
    answer.expect(200).body["data"]["versions"]
        .as_array()
        .unwrap()
        .clone()
}

fn differences(version: &Value) -> Vec<(String, Value, Value)> {
    let differences = version["differences"]
        .as_array()
        .unwrap_or_else(|| panic!("{version}"));
    let mut all: Vec<_> = differences
        .iter()
        .map(|one| {
            (
                one["attribute"].as_str().unwrap().to_owned(),
                one["before"].clone(),
                one["after"].clone(),
            )
        })
        .collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all
}

#[test]
fn each_version_tells_who_when_and_what_differed() {
    in_both(|tenant| {
        let id = tenant.user("ada");
        let path = format!("/Users/{id}");
        tenant.world.clock.advance_seconds(60);
        let patched = tenant.patch(
            &path,
            json!([{"op": "replace", "path": "displayName", "value": "Ada"}]),
        );
        patched.expect(200);
        let of = format!("User/{id}");
        let answer = page(tenant, &of, "");
        assert_eq!(answer.trips(), 1);
        let data = &answer.body["data"];
        assert_eq!(
            (&data["resource_type"], &data["resource_id"], &data["state"]),
            (&json!("User"), &json!(id), &json!("active"))
        );
        let all = versions(&answer);
        assert_eq!(all.len(), 2);
        assert_eq!(
            differences(&all[0]),
            [("displayName".to_owned(), Value::Null, json!("Ada"))]
        );
        assert_eq!(all[0]["version_before"], 1);
        assert_eq!(all[0]["at"], "2026-01-02T03:05:05.000Z");
        assert_eq!(all[0]["actor"], format!("scim-token:{}", tenant.token_id));
        assert_eq!(all[0]["request_id"], patched.header("x-request-id"));
        assert_eq!(all[1]["version_before"], Value::Null);
        assert_eq!(
            (&all[0]["action"], &all[1]["action"]),
            (&json!("patch"), &json!("create"))
        );
        let made = differences(&all[1]);
        assert!(
            made.contains(&("userName".to_owned(), Value::Null, json!("ada"))),
            "{made:?}"
        );
        tenant
            .send(
                "PUT",
                &path,
                json!({"schemas": [USER], "userName": "countess"}),
            )
            .expect(200);
        tenant.send("DELETE", &path, Value::Null).expect(204);
        let answer = page(tenant, &of, "");
        assert_eq!(answer.body["data"]["state"], "deleted");
        let all = versions(&answer);
        let gone = differences(&all[0]);
        assert!(
            gone.contains(&("userName".to_owned(), json!("countess"), Value::Null)),
            "{gone:?}"
        );
        let replaced = differences(&all[1]);
        assert_eq!(
            replaced[0],
            ("displayName".to_owned(), json!("Ada"), Value::Null)
        );
        assert!(replaced.contains(&("userName".to_owned(), json!("ada"), json!("countess"))));
        // Page by page it says the same.
        let mut paged = Vec::new();
        let mut query = "&limit=1".to_owned();
        loop {
            let answer = page(tenant, &of, &query);
            paged.extend(versions(&answer));
            match answer.body["pagination"]["next"].as_str() {
                Some(next) => query = format!("&limit=1&after={next}"),
                None => break,
            }
        }
        assert_eq!(paged, all);
        assert_eq!(versions(&page(tenant, &format!("Users/{id}"), "")), all);
    });
}

#[test]
fn of_groups_it_tells_who_came_and_who_went() {
    in_both(|tenant| {
        let [a, b] = ["a", "b"].map(|name| tenant.user(name));
        let group = tenant.group("G", &[&a]);
        let path = format!("/Groups/{group}");
        tenant.patch(
            &path,
            json!([{"op": "add", "path": "members", "value": [{"value": b}]}]),
        );
        tenant.patch(
            &path,
            json!([{"op": "remove", "path": format!("members[value eq \"{a}\"]")},
            {"op": "replace", "path": "displayName", "value": "H"}]),
        );
        let all = versions(&page(tenant, &format!("Group/{group}"), ""));
        assert_eq!(
            all[0]["members"],
            json!({"came": [], "came_total": 0, "gone": [a], "gone_total": 1})
        );
        assert_eq!(
            differences(&all[0]),
            [("displayName".to_owned(), json!("G"), json!("H"))]
        );
        assert_eq!(
            all[1]["members"],
            json!({"came": [b], "came_total": 1, "gone": [], "gone_total": 0})
        );
        assert!(differences(&all[1]).is_empty());
        assert_eq!(all[2]["members"]["came"], json!([a]));
        assert_eq!(
            differences(&all[2]),
            [("displayName".to_owned(), Value::Null, json!("G"))]
        );
    });
}

/// Where what was before was not kept, nothing is made up.
#[test]
fn what_was_not_kept_is_not_told() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("ada");
    let path = format!("/Users/{id}");
    let admin = format!("/api/v1/admin/tenants/{}", tenant.id);
    let name = |value: &str| {
        tenant
            .patch(
                &path,
                json!([{"op": "replace", "path": "displayName", "value": value}]),
            )
            .expect(200);
    };
    name("one");
    world
        .admin("PATCH", &admin, json!({"history_days": 0}))
        .expect(200);
    name("two");
    world
        .admin("PATCH", &admin, json!({"history_days": 30}))
        .expect(200);
    name("three");
    let all = versions(&page(&tenant, &format!("User/{id}"), ""));
    assert_eq!(
        differences(&all[0]),
        [("displayName".to_owned(), json!("two"), json!("three"))]
    );
    // Of the change without history nothing, and of the one before it not what it came to.
    assert_eq!(all[1]["differences"], Value::Null);
    assert_eq!(all[2]["differences"], Value::Null);
    assert!(differences(&all[3]).contains(&("userName".to_owned(), Value::Null, json!("ada"))));
}

#[test]
fn it_is_found_only_where_it_is() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let other = world.tenant("compat");
    let id = tenant.user("ada");
    for (of, status) in [
        (format!("User/{id}"), 200),
        (format!("Group/{id}"), 404),
        (format!("user/{id}"), 404),
        ("User/nobody".to_owned(), 404),
        ("User/00000000-0000-7000-8000-000000000000".to_owned(), 404),
    ] {
        page(&tenant, &of, "").expect(status);
        page(&other, &of, "").expect(404);
    }
    page(&tenant, &format!("User/{id}"), "&after=x").expect(422);
    page(&tenant, &format!("User/{id}"), "&limit=201").expect(422);
    world
        .admin(
            "GET",
            &format!("/api/v1/admin/resources/User/{id}/history"),
            Value::Null,
        )
        .expect(422);
    let mut claims = world.claims();
    claims.insert("scope".to_owned(), "audit:read".into());
    claims.insert("tenant_id".to_owned(), tenant.id.clone().into());
    let path = format!("/api/v1/admin/resources/User/{id}/history");
    world
        .admin_as(&world.jwt(&claims), "GET", &path, Value::Null)
        .expect(200);
    claims.insert("scope".to_owned(), "tenants:read audit:write".into());
    world
        .admin_as(&world.jwt(&claims), "GET", &path, Value::Null)
        .expect(403);
}
