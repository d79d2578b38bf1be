//! What is known means the same wherever it stands, and under each of its names.

use serde_json::{Value, json};

use super::{ENTERPRISE, GROUP, Place, USER, USERS, doors};
use crate::support::World;

/// Names of an attribute, the first one as RFC 7644 §3.10 has it, what is sent under them, and what of the resource comes of it.
fn attributes() -> Vec<(Vec<String>, Value, Value)> {
    let former = "urn:scim:schemas:extension:enterprise:1.0";
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let of_enterprise = |name: &str| {
        vec![
            format!("{ENTERPRISE}:{name}"),
            format!("{ENTERPRISE}.{name}"),
            format!("{former}:{name}"),
            name.to_owned(),
            name.to_uppercase(),
        ]
    };
    let work = "emails[type eq \"Work\"]";
    vec![
        (
            names(&[
                "title",
                "TITLE",
                &format!("{USER}:title"),
                &format!("{USER}.Title"),
            ]),
            json!("x"),
            json!({"title": "x"}),
        ),
        (
            names(&["active", &format!("{USER}:active")]),
            json!(false),
            json!({"active": false}),
        ),
        (
            names(&[
                "name.givenName",
                "NAME.GivenName",
                &format!("{USER}:name.givenName"),
            ]),
            json!("x"),
            json!({"name": {"givenName": "x"}}),
        ),
        (
            names(&["emails", &format!("{USER}:emails")]),
            json!([{"value": "a@x", "type": "work"}]),
            json!({"emails": [{"value": "a@x", "type": "work"}]}),
        ),
        (
            vec![
                format!("{work}.value"),
                format!("Emails[Type eq \"Work\"].VALUE"),
                format!("{USER}:{work}.value"),
            ],
            json!("a@x"),
            json!({"emails": [{"value": "a@x", "type": "Work"}]}),
        ),
        (
            vec![work.to_owned(), format!("{USER}:{work}")],
            json!({"value": "a@x"}),
            json!({"emails": [{"value": "a@x", "type": "Work"}]}),
        ),
        (
            of_enterprise("department"),
            json!("x"),
            json!({ENTERPRISE: {"department": "x"}, "schemas": [USER, ENTERPRISE]}),
        ),
    ]
}

#[test]
fn what_is_known_is_the_same_through_every_door() {
    let mut tried = 0;
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        for (names, value, made) in attributes() {
            for (index, name) in names.iter().enumerate() {
                for door in doors() {
                    tried += 1;
                    println!("{profile} {door:?} {name}");
                    let outcome = door.send(&tenant, &USERS, name, &value);
                    let mut wanted = json!({"schemas": [USER], "active": true, "done": true});
                    if door.op != "remove" {
                        let made = made.as_object().expect("an object").clone();
                        wanted.as_object_mut().expect("an object").extend(made);
                    } else if made.get("active").is_some() {
                        wanted["active"] = match profile {
                            "compat" => false.into(),
                            _ => Value::Null,
                        };
                    }
                    wanted
                        .as_object_mut()
                        .expect("an object")
                        .retain(|_, value| !value.is_null());
                    let is_attribute = !name.contains(['.', ':', '[']);
                    // Names that only compat knows, and what is not there to be replaced or removed.
                    let is_own = index == 0
                        || (name.starts_with(USER) && !name.starts_with(&format!("{USER}.")));
                    let is_own = is_own || name.eq_ignore_ascii_case(&names[0]);
                    let finds_nothing =
                        name.contains('[') && matches!(door.op, "replace" | "remove");
                    let refusal = match (profile, door.place) {
                        ("compat", _) => None,
                        (_, Place::Path) if !is_own => Some("invalidPath"),
                        (_, Place::Path) if finds_nothing => Some("noTarget"),
                        (_, Place::Path) => None,
                        (_, Place::Within) => Some("invalidPath"),
                        (_, _) if is_attribute && is_own => None,
                        (_, Place::Body) => Some("invalidSyntax"),
                        (_, Place::Key) => Some("invalidPath"),
                    };
                    match refusal {
                        None => {
                            assert_eq!(outcome.status, door.taken(), "{}", outcome.scim_type);
                            assert_eq!(outcome.resource, wanted);
                        }
                        Some(scim_type) => {
                            assert_eq!(outcome.scim_type, scim_type);
                            assert_eq!(outcome.resource.get("done"), None);
                        }
                    }
                }
            }
        }
    }
    assert_eq!(tried, 21 * 18 * 2);
}

/// A manager with an empty id is none, however it comes, and nothing of it is stored.
#[test]
fn a_manager_with_an_empty_id_is_none() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        for (name, value) in [
            (format!("{ENTERPRISE}:manager"), json!({"value": ""})),
            (
                format!("{ENTERPRISE}:manager"),
                json!({"value": " ", "$ref": "../Users/1"}),
            ),
            (format!("{ENTERPRISE}:manager.value"), json!("")),
            (ENTERPRISE.to_owned(), json!({"manager": {"value": ""}})),
            (
                ENTERPRISE.to_owned(),
                json!({"manager": {"value": "", "displayName": "x"}}),
            ),
        ] {
            for door in doors() {
                println!("{profile} {door:?} {name} {value}");
                // In strict, what an object has is named by attributes alone, and a POST names an extension's in its own object.
                let is_path = name != ENTERPRISE && door.place != Place::Path;
                if profile == "strict" && (is_path || door.place == Place::Within) {
                    continue;
                }
                let outcome = door.send(&tenant, &USERS, &name, &value);
                assert_eq!(outcome.status, door.taken(), "{}", outcome.scim_type);
                let wanted = json!({"schemas": [USER], "active": true, "done": true});
                assert_eq!(outcome.resource, wanted);
            }
        }
        let sql = "select count(*) from users where manager_id is not null or instr(resource, 'manager') > 0";
        assert_eq!(world.database.number(sql), 0);
    }
}

/// A manager who is there is taken away by one with an empty id.
#[test]
fn an_empty_id_takes_a_manager_away() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        for operation in [
            json!({"op": "replace", "path": format!("{ENTERPRISE}:manager"), "value": {"value": ""}}),
            json!({"op": "add", "path": format!("{ENTERPRISE}:manager.value"), "value": ""}),
            json!({"op": "replace", "value": {ENTERPRISE: {"manager": {"value": ""}}}}),
        ] {
            let body = json!({"schemas": [USER, ENTERPRISE], "userName": "u", ENTERPRISE: {"manager": {"value": "m"}, "division": "D"}});
            let path = format!(
                "/Users/{}",
                tenant.send("POST", "/Users", body).expect(201).id()
            );
            let answer = tenant.patch(&path, json!([operation]));
            assert_eq!(
                answer.expect(200).body[ENTERPRISE],
                json!({"division": "D"}),
                "{operation}"
            );
            tenant.send("DELETE", &path, Value::Null).expect(204);
        }
    }
}

/// A group's members by the URN of their schema are its members.
#[test]
fn members_are_members_under_their_whole_name() {
    for (profile, is_taken) in [("compat", true), ("strict", false)] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let [a, b] = ["a", "b"].map(|name| tenant.user(name));
        let name = format!("{GROUP}:members");
        let body = |members: Value| json!({"schemas": [GROUP], "displayName": "G", name.as_str(): members});
        let made = tenant.send("POST", "/Groups", body(json!([{"value": a}])));
        if !is_taken {
            made.expect_scim_error(400, "invalidSyntax", "members");
            continue;
        }
        let id = made.expect(201).id();
        assert_eq!(tenant.members(&id), std::slice::from_ref(&a));
        let path = format!("/Groups/{id}");
        let put = tenant.send("PUT", &path, body(json!([{"value": b, "type": "User"}])));
        put.expect(200);
        assert_eq!(tenant.members(&id), [b]);
        let operation = json!([{"op": "add", "path": name, "value": [{"value": a}]}]);
        tenant.patch(&path, operation).expect(200);
        assert_eq!(tenant.members(&id).len(), 2);
    }
}
