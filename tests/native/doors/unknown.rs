//! What no schema has, and what a client may not write: `compat` passes over it and does the rest, `strict` refuses it.

use serde_json::{Value, json};

use super::{Door, ENTERPRISE, GROUP, GROUPS, Kind, Place, USER, USERS, doors};
use crate::support::World;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Its path names something that is not there.
    Unknown,
    /// The filter in it does.
    UnknownInFilter,
    ReadOnly,
}

/// Names of what a user does not have, or a client may not write.
fn of_users() -> Vec<(String, Why)> {
    let custom = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User";
    let unknown = [
        "colour".to_owned(),
        "COLOUR.shade".to_owned(),
        "@odata.type".to_owned(),
        "x-colour".to_owned(),
        "1st".to_owned(),
        "name.unknown".to_owned(),
        "name.givenName.first".to_owned(),
        "userName.first".to_owned(),
        "department.unknown".to_owned(),
        "emails.unknown".to_owned(),
        "emails[type eq \"work\"].unknown".to_owned(),
        "emails[type eq \"work\"].value.first".to_owned(),
        "userName[value eq \"x\"]".to_owned(),
        "name.givenName[value eq \"x\"]".to_owned(),
        "unknown[type eq \"x\"]".to_owned(),
        "unknown[type eq \"x\"].x".to_owned(),
        "unknown[a eq \"]\" and not (b pr)].x".to_owned(),
        format!("{USER}:unknown"),
        format!("{USER}:unknown.x"),
        format!("{USER}:name.unknown"),
        format!("{USER}:unknown[type eq \"x\"].x"),
        format!("{ENTERPRISE}:unknown"),
        format!("{ENTERPRISE}:unknown.x"),
        format!("{ENTERPRISE}:manager.unknown"),
        format!("{ENTERPRISE}:unknown[type eq \"x\"].x"),
        custom.to_owned(),
        format!("{custom}:CostCode"),
        format!("{custom}:cost.code"),
        format!("{custom}:codes[type eq \"x\"].value"),
        "urn:example:x".to_owned(),
        "urn:rollcall:scim:schemas:extension:2.0:Managed:managedBy".to_owned(),
        "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/User:x".to_owned(),
    ];
    let in_filter = [
        "emails[unknown eq \"x\"]".to_owned(),
        "emails[unknown eq \"x\"].value".to_owned(),
        "emails[type eq \"work\" and not (unknown pr)].value".to_owned(),
        format!("{ENTERPRISE}:manager[unknown eq \"x\"].value"),
    ];
    let read_only = [
        "id".to_owned(),
        "meta".to_owned(),
        "Meta.created".to_owned(),
        "groups".to_owned(),
        "groups.value".to_owned(),
        "groups[value eq \"x\"]".to_owned(),
        "groups[value eq \"x\"].display".to_owned(),
        format!("{USER}:id"),
        format!("{USER}:groups"),
        format!("{ENTERPRISE}:manager.displayName"),
    ];
    all(unknown, in_filter, read_only)
}

fn of_groups() -> Vec<(String, Why)> {
    let unknown = [
        "colour".to_owned(),
        "department".to_owned(),
        "userName".to_owned(),
        "displayName.x".to_owned(),
        "members.unknown".to_owned(),
        "members[value eq \"x\"].unknown".to_owned(),
        format!("{GROUP}:unknown"),
        format!("{ENTERPRISE}:department"),
        "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:Group:CostCode".to_owned(),
    ];
    let in_filter = ["members[unknown eq \"x\"]".to_owned()];
    let read_only = [
        "id".to_owned(),
        "meta".to_owned(),
        "members.display".to_owned(),
        "members[value eq \"x\"].display".to_owned(),
    ];
    all(unknown, in_filter, read_only)
}

fn all(
    unknown: impl IntoIterator<Item = String>,
    in_filter: impl IntoIterator<Item = String>,
    read_only: impl IntoIterator<Item = String>,
) -> Vec<(String, Why)> {
    let unknown = unknown.into_iter().map(|name| (name, Why::Unknown));
    let in_filter = in_filter
        .into_iter()
        .map(|name| (name, Why::UnknownInFilter));
    let read_only = read_only.into_iter().map(|name| (name, Why::ReadOnly));
    unknown.chain(in_filter).chain(read_only).collect()
}

/// What `strict` says; nothing where it takes the request and ignores the name.
fn refusal(door: Door, name: &str, why: Why) -> Option<&'static str> {
    let is_attribute = !name.contains(['.', ':', '[']);
    match (door.place, why) {
        // RFC 7644 §3.3, §3.5.1: read-only attributes are ignored.
        (Place::Body, Why::ReadOnly) if is_attribute => None,
        (Place::Body, _) => Some("invalidSyntax"),
        // The URN of the whole resource is no attribute's name.
        (Place::Within, _) => Some("invalidPath"),
        (_, Why::Unknown) => Some("invalidPath"),
        (_, Why::UnknownInFilter) => Some("invalidFilter"),
        (Place::Key, Why::ReadOnly) if !is_attribute => Some("invalidPath"),
        (_, Why::ReadOnly) => Some("mutability"),
    }
}

fn tried(kind: &Kind, names: &[(String, Why)], rest: &Value) -> usize {
    let mut tried = 0;
    for profile in ["compat", "learning", "strict"] {
        let world = World::new();
        let tenant = world.tenant(match profile {
            "strict" => "strict",
            _ => "compat",
        });
        if profile == "compat" {
            let path = format!("/api/v1/admin/tenants/{}", tenant.id);
            let dropping = json!({"unknown_extensions": "drop"});
            world.admin("PATCH", &path, dropping).expect(200);
        }
        for (name, why) in names {
            for door in doors() {
                let value = match door.in_bulk {
                    true => json!([{"value": "x"}]),
                    false => json!("x"),
                };
                tried += 1;
                println!("{profile} {door:?} {name} {value}");
                let outcome = door.send(&tenant, kind, name, &value);
                if profile == "learning" {
                    assert_eq!(outcome.status, door.taken(), "{}", outcome.scim_type);
                    assert_eq!(outcome.resource["done"], true);
                    continue;
                }
                let refusal = match profile {
                    "compat" => None,
                    _ => refusal(door, name, *why),
                };
                match refusal {
                    None => {
                        assert_eq!(outcome.status, door.taken(), "{}", outcome.scim_type);
                        let mut wanted = rest.clone();
                        wanted["done"] = true.into();
                        assert_eq!(outcome.resource, wanted);
                    }
                    Some(scim_type) => {
                        assert_eq!(outcome.scim_type, scim_type);
                        assert_eq!(outcome.status, 400);
                        assert_eq!(outcome.resource.get("done"), None);
                    }
                }
            }
        }
    }
    tried
}

#[test]
fn what_users_do_not_have_is_passed_over_or_refused_through_every_door() {
    let rest = json!({"schemas": [USER], "active": true});
    assert_eq!(tried(&USERS, &of_users(), &rest), 46 * 18 * 3);
}

#[test]
fn what_groups_do_not_have_is_passed_over_or_refused_through_every_door() {
    let rest = json!({"schemas": [GROUP], "members": []});
    assert_eq!(tried(&GROUPS, &of_groups(), &rest), 14 * 18 * 3);
}

/// The leaver of whom an unknown attribute comes along is locked out.
#[test]
fn an_unknown_path_keeps_nobody_in() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = format!("/Users/{}", tenant.user("a"));
    let custom = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User:CostCode";
    let odd = json!({"op": "replace", "path": custom, "value": "1"});
    let leave = json!({"op": "replace", "path": "active", "value": "False"});
    let answer = tenant.patch(&path, json!([odd, leave]));
    assert_eq!(answer.expect(200).body["active"], false);
    // Nothing but unknown changes nothing.
    let tag = answer.header("etag").to_owned();
    let answer = tenant.patch(&path, json!([odd]));
    assert_eq!(answer.expect(200).header("etag"), tag);
}

/// Inside an object that is known, an extension's or a complex attribute's, the same holds.
#[test]
fn what_a_known_object_does_not_have_is_passed_over_or_refused() {
    let one = |name: &str, parts: Value| (name.to_owned(), parts.clone(), parts);
    let mut cases = vec![
        one("name", json!({"givenName": "D"})),
        one("addresses", json!([{"country": "D"}])),
    ];
    cases[1].2[0]["unknown"] = "x".into();
    cases[0].2["unknown"] = "x".into();
    for name in [
        "unknown",
        "unknown.x",
        "manager.unknown",
        "unknown[type eq \"x\"].x",
        "manager.displayName",
        "userNames",
    ] {
        let kept = json!({"division": "D"});
        let mut sent = kept.clone();
        sent[name] = "x".into();
        cases.push((ENTERPRISE.to_owned(), kept, sent));
    }
    let mut tried = 0;
    for (name, kept, sent) in cases {
        for door in doors() {
            for profile in ["compat", "strict"] {
                if door.op == "remove" || (profile == "strict" && door.place == Place::Within) {
                    continue;
                }
                tried += 1;
                println!("{profile} {door:?} {name} {sent}");
                let world = World::new();
                let outcome = door.send(&world.tenant(profile), &USERS, &name, &sent);
                match profile {
                    "compat" => {
                        assert_eq!(outcome.status, door.taken(), "{}", outcome.scim_type);
                        assert_eq!(outcome.resource[&name], kept);
                        assert_eq!(outcome.resource["done"], true);
                    }
                    _ => {
                        assert_eq!(outcome.status, 400);
                        let is_path = name == ENTERPRISE && door.method == "PATCH";
                        let scim_type = match is_path {
                            true => "invalidPath",
                            false => "invalidSyntax",
                        };
                        assert_eq!(outcome.scim_type, scim_type);
                        assert_eq!(outcome.resource.get("done"), None);
                    }
                }
            }
        }
    }
    assert_eq!(tried, 8 * (16 + 12));
}
