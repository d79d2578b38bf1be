//! `active`, which says whether somebody may use the account: access is never given by silence.

use serde_json::{Value, json};

use super::{USER, create, in_both, user_with};
use crate::support::{Tenant, World};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// Sends a request by itself and as the only one of a Bulk request; `active` of the user afterwards.
fn both_ways(tenant: &Tenant<'_>, method: &str, before: &Value, body: &Value) -> [Value; 2] {
    ["alone", "bulk"].map(|way| {
        let path = format!("/Users/{}", create(tenant, "u", before.clone()).id());
        match way {
            "alone" => {
                tenant.send(method, &path, body.clone()).expect(200);
            }
            _ => {
                let operation = json!({"method": method, "path": path, "data": body});
                let bulk = json!({"schemas": [BULK], "Operations": [operation]});
                let answer = tenant.send("POST", "/Bulk", bulk);
                assert_eq!(
                    answer.expect(200).body["Operations"][0]["status"],
                    "200",
                    "{}",
                    answer.body
                );
            }
        }
        let after = tenant.get(&path).expect(200).body.get("active").cloned();
        tenant.send("DELETE", &path, Value::Null).expect(204);
        after.unwrap_or_default()
    })
}

/// A provider that knows nothing of `active` neither lets in nor locks out.
#[test]
fn a_put_that_does_not_name_it_keeps_it() {
    in_both(|tenant| {
        for active in [false, true] {
            for body in [
                user_with("u", json!({})),
                user_with("u", json!({"title": "T", "name": {"givenName": "J"}})),
            ] {
                let before = json!({"active": active, "title": "x"});
                let found = both_ways(tenant, "PUT", &before, &body);
                assert_eq!(found, [json!(active), json!(active)], "{body}");
            }
        }
        let named = user_with("u", json!({"active": true}));
        let found = both_ways(tenant, "PUT", &json!({"active": false}), &named);
        assert_eq!(found, [true, true]);
        // One who has none does not get one.
        let path = format!(
            "/Users/{}",
            create(tenant, "u", json!({"active": null})).id()
        );
        let put = tenant.send("PUT", &path, user_with("u", json!({"title": "T"})));
        assert_ne!(put.expect(200).body["active"], true);
        assert!(tenant.find("active eq true").is_empty());
    });
}

#[test]
fn a_new_user_is_active_unless_the_client_says_otherwise() {
    for (profile, more, wanted) in [
        ("compat", json!({}), json!(true)),
        ("strict", json!({}), json!(true)),
        ("compat", json!({"active": null}), json!(false)),
        ("compat", json!({"active": ""}), json!(false)),
        ("compat", json!({"active": []}), json!(false)),
        ("compat", json!({"ACTIVE": "False"}), json!(false)),
        ("compat", json!({"active": "TRUE"}), json!(true)),
        // RFC 7644 §3.3: null is how a client says that it wants no default.
        ("strict", json!({"active": null}), json!(null)),
        ("strict", json!({"active": false}), json!(false)),
    ] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let made = create(&tenant, "u", more.clone());
        assert_eq!(made.body["active"], wanted, "{profile} {more}");
        let operation = json!({"method": "POST", "path": "/Users", "bulkId": "1", "data": user_with("v", more)});
        let bulk = json!({"schemas": [BULK], "Operations": [operation]});
        tenant.send("POST", "/Bulk", bulk).expect(200);
        let active = tenant.find("active eq true");
        assert_eq!(active.len(), if wanted == true { 2 } else { 0 });
        let inactive = tenant.find("active eq false");
        assert_eq!(inactive.len(), if wanted == false { 2 } else { 0 });
    }
}

/// However it is emptied, nobody may use the account afterwards; in `compat` it says so.
#[test]
fn what_empties_it_makes_it_false_in_compat() {
    let world = World::new();
    let tenant = world.tenant("compat").unfused();
    let core = format!("{USER}:active");
    let patch = |operation: Value| json!({"schemas": [PATCH], "Operations": [operation]});
    for (method, body) in [
        ("PATCH", patch(json!({"op": "remove", "path": "active"}))),
        ("PATCH", patch(json!({"op": "Remove", "path": core}))),
        (
            "PATCH",
            patch(json!({"op": "Remove", "path": "active", "value": true})),
        ),
        (
            "PATCH",
            patch(json!({"op": "replace", "path": "active", "value": null})),
        ),
        (
            "PATCH",
            patch(json!({"op": "replace", "path": "active", "value": ""})),
        ),
        (
            "PATCH",
            patch(json!({"op": "add", "path": "active", "value": ""})),
        ),
        (
            "PATCH",
            patch(json!({"op": "replace", "path": "active", "value": []})),
        ),
        (
            "PATCH",
            patch(json!({"op": "replace", "value": {"active": null}})),
        ),
        (
            "PATCH",
            patch(json!({"op": "replace", "value": {core: ""}})),
        ),
        ("PUT", user_with("u", json!({"active": null}))),
        ("PUT", user_with("u", json!({"active": ""}))),
    ] {
        for before in [json!({"active": true}), json!({"active": false})] {
            println!("{before} {method} {body}");
            assert_eq!(both_ways(&tenant, method, &before, &body), [false, false]);
        }
    }
}

/// Strict keeps what the RFCs call unassigned, which lets nobody in either.
#[test]
fn what_empties_it_leaves_it_unassigned_in_strict() {
    let world = World::new();
    let tenant = world.tenant("strict");
    for (method, body) in [
        (
            "PATCH",
            json!({"schemas": [PATCH], "Operations": [{"op": "remove", "path": "active"}]}),
        ),
        ("PUT", user_with("u", json!({"active": null}))),
    ] {
        let found = both_ways(&tenant, method, &json!({"active": true}), &body);
        assert_eq!(found, [Value::Null, Value::Null]);
    }
}
