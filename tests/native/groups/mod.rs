//! Groups over HTTP, in both profiles where both hold.

mod any_case;
mod filtered;
mod large;
mod large_on_pages;
mod members;
mod nesting;
mod races;
mod replies;
mod unknown_members;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Answer, Tenant};
use crate::users::in_both;

const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

fn group_body(name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": [GROUP], "displayName": name, "members": members})
}

fn patch_body(operations: Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

fn path(group: &str) -> String {
    format!("/Groups/{group}")
}

/// How many members the group's row says it has, which has to be how many there are.
#[track_caller]
fn expect_count(tenant: &Tenant<'_>, group: &str, wanted: i64) {
    let database = &tenant.world.database;
    let kept = database.number(&format!(
        "select member_count from groups where id = '{group}'"
    ));
    let rows = database.number(&format!(
        "select count(*) from group_members where group_id = '{group}'"
    ));
    assert_eq!((kept, rows), (wanted, wanted));
}

fn etag(tenant: &Tenant<'_>, group: &str) -> String {
    tenant.get(&path(group)).header("etag").to_owned()
}

/// The ids of a user's groups with their types, sorted.
fn groups_of(tenant: &Tenant<'_>, user: &str) -> Vec<(String, String)> {
    let answer: Answer = tenant.get(&format!("/Users/{user}"));
    answer.expect(200);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut groups: Vec<(String, String)> = answer.body["groups"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|group| (text(&group["value"]), text(&group["type"])))
        .collect();
    groups.sort();
    groups
}

#[test]
fn a_created_group_is_shown_with_its_members() {
    in_both(|tenant| {
        let user = tenant.user("a");
        let nested = tenant.group("Nested", &[]);
        let base = format!("{}{}", crate::support::ORIGIN, tenant.base());
        let mut body = group_body("Admins", &[&user]);
        body["members"]
            .as_array_mut()
            .expect("members")
            .push(json!({"value": nested, "type": "Group"}));
        body["externalId"] = "7".into();
        let answer = tenant.send("POST", "/Groups", body);
        answer.expect(201);
        let id = answer.id();
        assert_eq!(answer.header("location"), format!("{base}/Groups/{id}"));
        assert_eq!(answer.header("etag"), "W/\"1\"");
        let mut shown = answer.body.clone();
        shown["members"]
            .as_array_mut()
            .expect("members")
            .sort_by_key(|member| member["type"] == "Group");
        assert_eq!(
            shown,
            json!({
                "id": id, "schemas": [GROUP], "displayName": "Admins", "externalId": "7",
                "members": [
                    {"value": user, "$ref": format!("{base}/Users/{user}"), "display": "a", "type": "User"},
                    {"value": nested, "$ref": format!("{base}/Groups/{nested}"), "display": "Nested", "type": "Group"},
                ],
                "meta": {
                    "resourceType": "Group", "created": "2026-01-02T03:04:05.000Z",
                    "lastModified": "2026-01-02T03:04:05.000Z", "location": format!("{base}/Groups/{id}"),
                    "version": "W/\"1\"",
                },
            })
        );
        assert_eq!(tenant.get(&path(&id)).body, answer.body);
        expect_count(tenant, &id, 2);
    });
}

#[test]
fn a_group_without_members_shows_an_empty_list() {
    in_both(|tenant| {
        let id = tenant.group("Empty", &[]);
        assert_eq!(tenant.get(&path(&id)).body["members"], json!([]));
        assert_eq!(
            tenant.get("/Groups").body["Resources"][0]["members"],
            json!([])
        );
    });
}

#[test]
fn a_name_is_unique_in_compat_and_not_in_strict() {
    let world = crate::support::World::new();
    let compat = world.tenant("compat");
    for (name, same) in [
        ("Admins", "ADMINS"),
        ("Ärzte", "äRZTE"),
        ("Straße", "STRASSE"),
        ("Σίσυφος", "ΣΊΣΥΦΟΣ"),
    ] {
        compat.group(name, &[]);
        compat
            .send("POST", "/Groups", group_body(same, &[]))
            .expect_scim_error(409, "uniqueness", "displayName");
        let other = compat.group(&format!("not {name}"), &[]);
        compat
            .send("PUT", &path(&other), group_body(same, &[]))
            .expect_scim_error(409, "uniqueness", "displayName");
        let rename = json!([{"op": "replace", "path": "displayName", "value": same}]);
        compat
            .patch(&path(&other), rename)
            .expect_scim_error(409, "uniqueness", "displayName");
    }
    let strict = world.tenant("strict");
    let (one, two) = (strict.group("Admins", &[]), strict.group("admins", &[]));
    assert_ne!(one, two);
    let found = strict.get("/Groups?filter=displayName%20eq%20%22ADMINS%22");
    assert_eq!(found.body["totalResults"], 2);
}

#[test]
fn an_external_id_of_groups_links_nothing() {
    in_both(|tenant| {
        let mut body = group_body("A", &[]);
        body["externalId"] = "7".into();
        let first = tenant
            .send("POST", "/Groups", body.clone())
            .expect(201)
            .id();
        body["displayName"] = "B".into();
        let second = tenant.send("POST", "/Groups", body).expect(201).id();
        let third = tenant.group("C", &[]);
        tenant
            .patch(
                &format!("/Groups/{third}"),
                json!([{"op": "add", "path": "externalId", "value": "7"}]),
            )
            .expect(200);
        crate::users::create(tenant, "a", json!({"externalId": "7"}));
        let found = tenant.get("/Groups?filter=externalId%20eq%20%227%22");
        let resources = found.expect(200).body["Resources"].as_array().unwrap();
        let ids: BTreeSet<&str> = resources
            .iter()
            .filter_map(|group| group["id"].as_str())
            .collect();
        assert_eq!(ids, BTreeSet::from([&*first, &*second, &*third]));
        assert_eq!(found.trips(), 1);
    });
}

#[test]
fn a_deleted_group_is_gone_with_its_memberships() {
    in_both(|tenant| {
        let user = tenant.user("a");
        let inner = tenant.group("Inner", &[&user]);
        let outer = tenant.group("Outer", &[&inner]);
        tenant
            .send("DELETE", &path(&inner), Value::Null)
            .expect(204);
        tenant
            .get(&path(&inner))
            .expect_scim_error(404, "", "Group");
        tenant
            .send("DELETE", &path(&inner), Value::Null)
            .expect(404);
        assert_eq!(tenant.members(&outer), Vec::<String>::new());
        assert_eq!(etag(tenant, &outer), "W/\"2\"");
        expect_count(tenant, &outer, 0);
        assert_eq!(groups_of(tenant, &user), []);
        tenant.get(&format!("/Users/{user}")).expect(200);
        let tombstones = tenant
            .world
            .database
            .texts("select resource_type || ' ' || id from tombstones");
        assert_eq!(tombstones, [format!("Group {inner}")]);
        let again = tenant.group("Inner", &[]);
        assert_ne!(again, inner);
        assert_eq!(tenant.get("/Groups").body["totalResults"], 2);
    });
}

#[test]
fn groups_are_found_by_name_and_by_member() {
    in_both(|tenant| {
        let (a, b) = (tenant.user("a"), tenant.user("b"));
        tenant.group("Admins", &[&a]);
        tenant.group("Users", &[&a, &b]);
        let find = |filter: String| -> Vec<String> {
            let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
            let answer = tenant.get(&format!("/Groups?sortBy=displayName&filter={query}"));
            answer.expect(200);
            let groups = answer.body["Resources"].as_array().expect("Resources");
            groups
                .iter()
                .map(|group| group["displayName"].as_str().expect("a name").to_owned())
                .collect()
        };
        assert_eq!(find("displayName eq \"ADMINS\"".to_owned()), ["Admins"]);
        assert_eq!(
            find(format!("members.value eq \"{a}\"")),
            ["Admins", "Users"]
        );
        assert_eq!(find(format!("members[value eq \"{b}\"]")), ["Users"]);
        assert_eq!(find(format!("members eq \"{b}\"")), ["Users"]);
        assert_eq!(
            find(format!(
                "members.value eq \"{a}\" and not (members.value eq \"{b}\")"
            )),
            ["Admins"]
        );
        assert_eq!(find("members.display eq \"B\"".to_owned()), ["Users"]);
        assert_eq!(
            find("members.type eq \"user\"".to_owned()),
            ["Admins", "Users"]
        );
        assert_eq!(
            find("members[type eq \"Group\"]".to_owned()),
            Vec::<String>::new()
        );
        assert_eq!(tenant.find("groups.display eq \"users\""), ["a", "b"]);
    });
}
