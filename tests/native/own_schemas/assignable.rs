//! Roles and entitlements that a tenant says there are.

use serde_json::{Value, json};

use super::USER;
use crate::support::{Answer, Tenant, World};

const ROLE: &str = "urn:okta:scim:schemas:core:1.0:Role";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

fn set(tenant: &Tenant<'_>, fields: Value) -> Answer {
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    tenant.world.admin("PATCH", &path, fields)
}

fn roles() -> Value {
    json!([
        {"value": "admin", "display": "Administrator", "type": "product", "description": "May do all"},
        {"value": "viewer"},
        {"value": "a/b c", "display": "odd", "supported": false},
    ])
}

fn ids(answer: &Answer) -> Vec<String> {
    let resources = answer.body["Resources"].as_array().expect("resources");
    let ids = resources
        .iter()
        .map(|one| one["id"].as_str().expect("an id").to_owned());
    ids.collect()
}

#[test]
fn what_a_tenant_says_there_is_is_listed_read_and_found() {
    let world = World::new();
    for profile in ["compat", "strict"] {
        let tenant = world.tenant(profile);
        tenant.get("/Roles").expect(404);
        let changed = set(
            &tenant,
            json!({"roles": roles(), "entitlements": [{"value": "seat"}]}),
        );
        assert_eq!(
            changed.expect(200).body["data"]["roles"][1],
            json!({"value": "viewer", "supported": true})
        );

        let all = tenant.get("/Roles");
        assert_eq!(ids(all.expect(200)), ["admin", "viewer", "a/b c"]);
        let base = format!("/api/v1/tenants/{}/scim/v2", tenant.id);
        let mut first = all.body["Resources"][0].clone();
        let location = first["meta"]["location"].take();
        let version = all.body["Resources"][0]["meta"]["version"].clone();
        assert!(
            location
                .as_str()
                .is_some_and(|at| at.ends_with(&format!("{base}/Roles/admin"))),
            "{location}"
        );
        assert_eq!(
            first,
            json!({
                "schemas": [ROLE], "id": "admin", "displayName": "Administrator", "value": "admin", "display": "Administrator",
                "type": "product", "description": "May do all", "supported": true, "meta": {"resourceType": "Role", "location": null, "version": version},
            })
        );
        assert_eq!(
            tenant.get("/Roles/viewer").expect(200).body["displayName"],
            "viewer"
        );
        let odd = all.body["Resources"][2]["meta"]["location"]
            .as_str()
            .expect("a place")
            .to_owned();
        let (_, path) = odd.split_once(&base).expect("below the base");
        assert_eq!(tenant.get(path).expect(200).body["id"], "a/b c");
        tenant.get("/Roles/nobody").expect(404);
        let one = tenant.get("/Roles/admin");
        assert_eq!(Some(one.expect(200).header("etag")), version.as_str());
        let known = [("If-None-Match", version.as_str().expect("a version"))];
        tenant
            .send_with("GET", "/Roles/admin", &known, Value::Null)
            .expect(304);
        assert_eq!(ids(tenant.get("/Entitlements").expect(200)), ["seat"]);

        for (query, wanted) in [
            ("startIndex=2&count=1", &["viewer"] as &[&str]),
            ("count=0", &[]),
            ("startIndex=9", &[]),
            ("filter=displayName%20eq%20%22ADMINISTRATOR%22", &["admin"]),
            (
                "filter=value%20sw%20%22v%22%20or%20supported%20eq%20false",
                &["viewer", "a/b c"],
            ),
            ("filter=description%20pr", &["admin"]),
            ("sortBy=displayName", &["admin", "a/b c", "viewer"]),
            (
                "sortBy=displayName&sortOrder=descending",
                &["viewer", "a/b c", "admin"],
            ),
        ] {
            let found = tenant.get(&format!("/Roles?{query}"));
            assert_eq!(ids(found.expect(200)), wanted, "{query}");
            let total = if query.contains("filter") {
                wanted.len()
            } else {
                3
            };
            assert_eq!(found.body["totalResults"], total, "{query}");
        }
        let named = tenant.get("/Roles/admin?attributes=displayName");
        assert_eq!(
            named.expect(200).body,
            json!({"schemas": [ROLE], "id": "admin", "displayName": "Administrator"})
        );
        for query in [
            "filter=colour%20eq%20%22x%22",
            "filter=(",
            "count=x",
            "sortBy=colour",
            "cursor=",
        ] {
            tenant.get(&format!("/Roles?{query}")).expect(400);
        }
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            tenant.send(method, "/Roles/admin", json!({})).expect(405);
        }

        // No list of them, and there are none.
        set(&tenant, json!({"roles": []})).expect(200);
        tenant.get("/Roles").expect(404);
        tenant.get("/Roles/admin").expect(404);
        assert_eq!(ids(tenant.get("/Entitlements").expect(200)), ["seat"]);
    }
}

#[test]
fn discovery_has_them_for_the_tenant_alone() {
    let world = World::new();
    let (tenant, other) = (world.tenant("compat"), world.tenant("compat"));
    set(&tenant, json!({"roles": roles()})).expect(200);
    let types = |tenant: &Tenant<'_>| ids(tenant.get("/ResourceTypes").expect(200));
    assert_eq!(types(&tenant), ["User", "Group", "Role"]);
    assert_eq!(types(&other), ["User", "Group"]);
    let role = tenant.get("/ResourceTypes/Role");
    assert_eq!(role.expect(200).body["schema"], ROLE);
    assert_eq!(role.body["endpoint"], "/Roles");
    other.get("/ResourceTypes/Role").expect(404);
    other.get("/Roles").expect(404);
    assert_eq!(
        tenant.get(&format!("/Schemas/{ROLE}")).expect(200).body["name"],
        "Role"
    );
    let canonical = |tenant: &Tenant<'_>| {
        let schema = tenant.get(&format!("/Schemas/{USER}"));
        let attributes = schema.expect(200).body["attributes"]
            .as_array()
            .expect("attributes")
            .clone();
        let roles = attributes
            .iter()
            .find(|one| one["name"] == "roles")
            .expect("roles");
        let parts = roles["subAttributes"].as_array().expect("parts").iter();
        let value = parts
            .into_iter()
            .find(|one| one["name"] == "value")
            .expect("a value")
            .clone();
        value["canonicalValues"].clone()
    };
    assert_eq!(canonical(&tenant), json!(["admin", "viewer", "a/b c"]));
    assert!(canonical(&other).is_null() || canonical(&other) == json!([]));
}

#[test]
fn strict_takes_no_others_and_compat_takes_all() {
    let world = World::new();
    for (profile, status) in [("strict", 400), ("compat", 200)] {
        let tenant = world.tenant(profile);
        set(&tenant, json!({"roles": roles()})).expect(200);
        let user = |name: &str, role: &str| json!({"schemas": [USER], "userName": name, "active": true, "roles": [{"value": role}], "entitlements": [{"value": "any"}]});
        let made = tenant.send("POST", "/Users", user("ada", "ADMIN"));
        let id = made.expect(201).body["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let refused = tenant.send("POST", "/Users", user("bob", "owner"));
        if status == 400 {
            refused.expect(400);
            assert_eq!(refused.body["scimType"], "invalidValue");
            let detail = refused.body["detail"].as_str().expect("a detail");
            assert!(
                detail.contains("roles") && detail.contains("owner"),
                "{detail}"
            );
        } else {
            refused.expect(201);
        }
        let path = format!("/Users/{id}");
        for operation in [
            json!({"op": "add", "path": "roles", "value": [{"value": "owner"}]}),
            json!({"op": "replace", "path": "roles[value eq \"ADMIN\"].value", "value": "owner"}),
            json!({"op": "replace", "value": {"roles": [{"value": "owner"}]}}),
        ] {
            let answer = tenant.send(
                "PATCH",
                &path,
                json!({"schemas": [PATCH], "Operations": [operation]}),
            );
            answer.expect(status);
        }
        tenant
            .send("PUT", &path, user("ada", "owner"))
            .expect(status);
        tenant.send("PUT", &path, user("ada", "viewer")).expect(200);
        let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": [
            {"method": "POST", "path": "/Users", "bulkId": "1", "data": user("cyd", "owner")},
        ]});
        let answer = tenant.send("POST", "/Bulk", bulk);
        assert_eq!(
            answer.expect(200).body["Operations"][0]["status"],
            if status == 400 { "400" } else { "201" }
        );
        // What somebody has stays theirs when it is none any more, as long as nobody writes it.
        set(&tenant, json!({"roles": [{"value": "other"}]})).expect(200);
        let rename = json!({"schemas": [PATCH], "Operations": [{"op": "replace", "path": "displayName", "value": "Ada"}]});
        let renamed = tenant.send("PATCH", &path, rename);
        assert_eq!(renamed.expect(200).body["roles"][0]["value"], "viewer");
    }
}

#[test]
fn a_new_tenant_has_those_that_it_is_made_with() {
    let world = World::new();
    let made = world.admin(
        "POST",
        "/api/v1/admin/tenants",
        json!({"name": "Acme", "id": "acme", "scim_profile": "strict", "entitlements": [{"value": "seat", "display": "Seat"}]}),
    );
    let seat = json!([{"value": "seat", "display": "Seat", "supported": true}]);
    assert_eq!(made.expect(201).body["data"]["entitlements"], seat);
    assert_eq!(made.body["data"]["roles"], json!([]));
    for path in [
        "/api/v1/admin/tenants/acme",
        "/api/v1/admin/tenants?search=acme",
    ] {
        let read = world.admin("GET", path, Value::Null);
        let data = &read.expect(200).body["data"];
        let one = data.get(0).unwrap_or(data);
        assert_eq!(one["entitlements"], seat, "{path}");
    }
}

#[test]
fn what_is_no_list_of_them_is_named() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let long = "x".repeat(201);
    let many: Vec<Value> = (0..201)
        .map(|number| json!({"value": number.to_string()}))
        .collect();
    let large: Vec<Value> = (0..100)
        .map(|number| json!({"value": number.to_string(), "description": "x".repeat(400)}))
        .collect();
    for (roles, place) in [
        (json!({}), "roles"),
        (json!("admin"), "roles"),
        (json!(["admin"]), "roles.0"),
        (json!([{}]), "roles.0.value"),
        (json!([{"value": ""}]), "roles.0.value"),
        (json!([{"value": 1}]), "roles.0.value"),
        (json!([{"value": long}]), "roles.0.value"),
        (
            json!([{"value": "a"}, {"value": "b", "colour": 1}]),
            "roles.1.colour",
        ),
        (
            json!([{"value": "a", "supported": "yes"}]),
            "roles.0.supported",
        ),
        (json!([{"value": "a"}, {"value": "A"}]), "roles"),
        (json!(many), "roles"),
        (json!(large), "roles"),
    ] {
        let answer = set(&tenant, json!({ "roles": roles }));
        let loc = answer.expect(422).body["detail"][0]["loc"]
            .as_array()
            .expect("a place")
            .clone();
        let found: Vec<String> = loc[1..]
            .iter()
            .map(|part| part.as_str().map_or(part.to_string(), str::to_owned))
            .collect();
        assert_eq!(found.join("."), place, "{}", answer.body);
    }
}

#[test]
fn schemas_are_declared_and_learned_beside_them() {
    let world = World::new();
    let tenant = world.tenant("compat");
    set(&tenant, json!({"roles": roles()})).expect(200);
    let declared = super::of_users(super::ACME, json!([{"name": "badge"}]));
    super::at_schemas(&tenant, "POST", "", declared).expect(201);
    let other = "urn:example:learned:2.0:User";
    let user = json!({"schemas": [USER], "userName": "ada", other: {"badge": "7"}, super::ACME: {"badge": "8"}});
    let made = tenant.send("POST", "/Users", user);
    assert_eq!(made.expect(201).body[other]["badge"], "7");
    assert_eq!(made.body[super::ACME]["badge"], "8");
    let all = super::at_schemas(&tenant, "GET", "", Value::Null);
    assert_eq!(
        all.expect(200).body["data"].as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(ids(&tenant.get("/Roles")), ["admin", "viewer", "a/b c"]);
    super::at_schemas(
        &tenant,
        "DELETE",
        &format!("/{}?discard_values=true", super::ACME),
        Value::Null,
    )
    .expect(204);
    assert_eq!(ids(&tenant.get("/Roles")), ["admin", "viewer", "a/b c"]);
    set(&tenant, json!({"unknown_extensions": "drop"})).expect(200);
    assert_eq!(ids(&tenant.get("/Roles")), ["admin", "viewer", "a/b c"]);
}
