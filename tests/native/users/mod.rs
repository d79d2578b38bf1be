//! Users over HTTP, in both profiles where both hold.

mod active;
mod deletion;
mod lists;
mod patch;
mod patch_values;
mod projection;
mod races;
mod uniqueness;
mod value_paths;
mod versions;

use serde_json::{Value, json};

use crate::support::{Answer, Tenant, World};

pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

pub fn user_body(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name})
}

/// A user's body with further attributes.
pub fn user_with(name: &str, more: Value) -> Value {
    let mut body = user_body(name);
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    body
}

pub fn create(tenant: &Tenant<'_>, name: &str, more: Value) -> Answer {
    let answer = tenant.send("POST", "/Users", user_with(name, more));
    answer.expect(201);
    answer
}

/// What holds in both profiles.
pub fn in_both(test: impl Fn(&Tenant<'_>)) {
    for profile in ["compat", "strict"] {
        println!("in {profile}");
        let world = World::new();
        test(&world.tenant(profile));
    }
}

/// The same, where an instance remembers resources that it has seen, and where it does not.
pub fn in_both_remembered_or_not(test: impl Fn(&Tenant<'_>)) {
    for forgetful in [false, true] {
        println!("forgetful: {forgetful}");
        in_both(|tenant| {
            tenant.world.forgetful.set(forgetful);
            test(tenant);
        });
    }
}

/// The reply without what differs from one moment to the next.
pub fn without_meta(answer: &Answer) -> Value {
    let mut body = answer.body.clone();
    let object = body.as_object_mut().expect("an object");
    object.remove("meta");
    object.remove("id");
    body
}

#[test]
fn a_created_user_is_shown_with_location_and_tag() {
    in_both(|tenant| {
        let answer = create(
            tenant,
            "Jane@Example.com",
            json!({"name": {"givenName": "Jane"}, "externalId": "7"}),
        );
        let id = answer.id();
        let location = format!("{}{}/Users/{id}", crate::support::ORIGIN, tenant.base());
        assert_eq!(answer.header("location"), location);
        assert_eq!(answer.header("etag"), "W/\"1\"");
        assert_eq!(
            answer.body,
            json!({
                "id": id, "schemas": [USER], "userName": "Jane@Example.com", "name": {"givenName": "Jane"},
                "externalId": "7", "active": true,
                "meta": {
                    "resourceType": "User", "created": "2026-01-02T03:04:05.000Z",
                    "lastModified": "2026-01-02T03:04:05.000Z", "location": location, "version": "W/\"1\"",
                },
            })
        );
        let read = tenant.get(&format!("/Users/{id}"));
        read.expect(200);
        assert_eq!((&read.body, read.header("etag")), (&answer.body, "W/\"1\""));
        assert!(read.header("location").is_empty());
    });
}

#[test]
fn what_a_client_may_not_set_is_ignored_on_create_and_replace() {
    in_both(|tenant| {
        let foreign = json!({
            "id": "mine", "meta": {"version": "W/\"99\"", "created": "1999-01-01T00:00:00Z"},
            "groups": [{"value": "x", "display": "Admins"}],
        });
        let created = create(tenant, "a", foreign.clone());
        let id = created.id();
        assert_ne!(id, "mine");
        assert_eq!(created.body["meta"]["version"], "W/\"1\"");
        assert!(created.body.get("groups").is_none());
        let replaced = tenant.send("PUT", &format!("/Users/{id}"), user_with("a", foreign));
        replaced.expect(200);
        assert_eq!(replaced.body, created.body, "nothing changed");
    });
}

#[test]
fn a_replace_leaves_out_what_it_does_not_name() {
    in_both(|tenant| {
        let created = create(
            tenant,
            "a",
            json!({
                "schemas": [USER, ENTERPRISE], "title": "Boss", "active": false, "emails": [{"value": "a@b.c"}],
                ENTERPRISE: {"department": "HR"},
            }),
        );
        tenant.world.clock.advance_seconds(60);
        let replaced = tenant.send(
            "PUT",
            &format!("/Users/{}", created.id()),
            user_with("b", json!({"nickName": "B"})),
        );
        replaced.expect(200);
        assert_eq!(
            without_meta(&replaced),
            json!({"schemas": [USER], "userName": "b", "nickName": "B", "active": false})
        );
        let meta = &replaced.body["meta"];
        assert_eq!(meta["created"], "2026-01-02T03:04:05.000Z");
        assert_eq!(meta["lastModified"], "2026-01-02T03:05:05.000Z");
        assert_eq!(
            (meta["version"].as_str(), replaced.header("etag")),
            (Some("W/\"2\""), "W/\"2\"")
        );
        assert_eq!(
            tenant.find("emails.value eq \"a@b.c\""),
            Vec::<String>::new()
        );
        assert_eq!(
            tenant.get(&format!("/Users/{}", created.id())).body,
            replaced.body
        );
    });
}

#[test]
fn attribute_names_have_no_case_and_come_back_in_the_schemas_own() {
    in_both(|tenant| {
        let body = json!({
            "SCHEMAS": [USER.to_uppercase(), ENTERPRISE], "USERNAME": "a", "Name": {"GIVENNAME": "Jane"},
            "eMails": [{"VALUE": "a@b.c", "Type": "work"}], ENTERPRISE.to_uppercase(): {"DEPARTMENT": "HR"},
        });
        let answer = tenant.send("POST", "/Users", body);
        answer.expect(201);
        assert_eq!(
            without_meta(&answer),
            json!({
                "schemas": [USER, ENTERPRISE], "userName": "a", "name": {"givenName": "Jane"}, "active": true,
                "emails": [{"value": "a@b.c", "type": "work"}], ENTERPRISE: {"department": "HR"},
            })
        );
    });
}

#[test]
fn what_is_null_or_empty_is_unassigned() {
    in_both(|tenant| {
        let answer = create(
            tenant,
            "a",
            json!({"title": null, "emails": [], "name": null, "phoneNumbers": null, "addresses": []}),
        );
        assert_eq!(
            without_meta(&answer),
            json!({"schemas": [USER], "userName": "a", "active": true})
        );
        assert_eq!(
            tenant.find("title pr or emails pr or name pr"),
            Vec::<String>::new()
        );
    });
}

#[test]
fn a_password_is_taken_and_never_seen_again() {
    in_both(|tenant| {
        let created = create(tenant, "a", json!({"password": "Tr0ub4dor&3"}));
        let path = format!("/Users/{}", created.id());
        let patched = tenant.patch(
            &path,
            json!([{"op": "replace", "path": "password", "value": "Tr0ub4dor&3"}]),
        );
        patched.expect(200);
        assert_eq!(
            patched.header("etag"),
            "W/\"1\"",
            "what is dropped changes nothing"
        );
        tenant
            .send(
                "PUT",
                &path,
                user_with("a", json!({"password": "Tr0ub4dor&3"})),
            )
            .expect(200);
        for answer in [
            created,
            patched,
            tenant.get(&format!("{path}?attributes=password,userName")),
            tenant.get("/Users"),
        ] {
            assert!(!answer.body.to_string().to_lowercase().contains("tr0ub4dor"));
            assert!(answer.body.get("password").is_none());
        }
        let world = tenant.world;
        assert!(
            !(world.database.dump_text() + &world.log.0.borrow().join("")).contains("Tr0ub4dor")
        );
    });
}
