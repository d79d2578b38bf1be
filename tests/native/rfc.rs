//! Sentences of RFC 7643 and RFC 7644 that were broken once: each test names its own.

use serde_json::{Value, json};

use crate::support::{ORIGIN, Tenant, World};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PROFILES: [&str; 2] = ["compat", "strict"];

fn inactive(tenant: &Tenant<'_>) -> String {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "ada", "externalId": "1815", "active": false,
    });
    tenant.send("POST", "/Users", body).expect(201).id()
}

/// RFC 7643 §2.3.7: a relative reference begins at the service's root, so `../Users/…` led elsewhere. An absolute one, the
/// manager's `meta.location`, leads there from everywhere.
#[test]
fn a_managers_reference_is_the_managers_location() {
    let world = World::new();
    for profile in PROFILES {
        let tenant = world.tenant(profile);
        let [manager, user] = ["manager", "user"].map(|name| tenant.user(name));
        let path = format!("/Users/{user}");
        let operations = json!([{"op": "add", "path": format!("{ENTERPRISE}:manager"), "value": {"value": manager}}]);
        let patched = tenant.patch(&path, operations);
        let location = tenant.get(&format!("/Users/{manager}")).body["meta"]["location"].clone();
        let query = format!("/Users?filter=userName+eq+%22user%22&attributes={ENTERPRISE}:manager");
        let listed = tenant.get(&query).body["Resources"][0].clone();
        for shown in [
            patched.expect(200).body.clone(),
            tenant.get(&path).body,
            listed,
        ] {
            let shown = &shown[ENTERPRISE]["manager"];
            assert_eq!(shown, &json!({"value": manager, "$ref": location}));
        }
        // What is shown can be searched for.
        let filter = format!("{ENTERPRISE}:manager.$ref eq {location}");
        assert_eq!(tenant.find(&filter), ["user"]);
        // On the other base the manager has another location.
        let request = http::Request::get(format!("{ORIGIN}/scim/v2{path}"))
            .header("authorization", format!("Bearer {}", tenant.token));
        let answer = world.send(request.body(Vec::new()).unwrap());
        let wanted = format!("{ORIGIN}/scim/v2/Users/{manager}");
        assert_eq!(answer.body[ENTERPRISE]["manager"]["$ref"], wanted);
    }
}

/// Nothing that a client writes is taken for the stored form of a reference.
#[test]
fn text_that_looks_like_a_reference_stays_as_it_is() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let text = "\"$ref\":\"../Users/1\",\"../Users/2";
    let body = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
        "userName": "ada", "nickName": text, "title": "../Users/3",
        ENTERPRISE: {"division": "../Users/4", "manager": {"value": text, "$ref": "../Users/5"}},
    });
    let created = tenant.send("POST", "/Users", body);
    let shown = &created.expect(201).body;
    assert_eq!(shown["nickName"], text);
    assert_eq!(shown["title"], "../Users/3");
    assert_eq!(shown[ENTERPRISE]["division"], "../Users/4");
    assert_eq!(shown[ENTERPRISE]["manager"]["value"], text);
    let wanted = format!("{ORIGIN}{}/Users/{text}", tenant.base());
    assert_eq!(shown[ENTERPRISE]["manager"]["$ref"], wanted);
}

/// RFC 7644 §3.5.2.2: what is removed "SHALL be considered unassigned". To give `active` its default again would let a
/// user in who was locked out.
#[test]
fn removing_active_leaves_it_unassigned_in_strict() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let user = inactive(&tenant);
    let path = format!("/Users/{user}");
    let patched = tenant.patch(&path, json!([{"op": "remove", "path": "active"}]));
    assert_eq!(patched.expect(200).body["active"], Value::Null);
    assert_eq!(tenant.get(&path).body["active"], Value::Null);
    assert_eq!(tenant.find("active eq true"), Vec::<String>::new());
    assert_eq!(tenant.find("active pr"), Vec::<String>::new());
    // Another change does not bring it back, a value does.
    let renamed = json!([{"op": "replace", "path": "title", "value": "Countess"}]);
    assert_eq!(
        tenant.patch(&path, renamed).expect(200).body["active"],
        Value::Null
    );
    let active = json!([{"op": "add", "path": "active", "value": true}]);
    assert_eq!(tenant.patch(&path, active).expect(200).body["active"], true);
}

/// An extension's object may say which schema it is of: some clients model it as they model a resource. It may not name
/// another one where the RFCs are kept to the letter.
#[test]
fn an_extension_may_name_its_own_schema() {
    let world = World::new();
    for profile in PROFILES {
        let tenant = world.tenant(profile);
        let user = tenant.user("ada");
        let path = format!("/Users/{user}");
        let extension = |schemas: Value| json!({"schemas": schemas, "division": "Engines"});
        for op in ["add", "replace"] {
            let value = extension(json!([ENTERPRISE]));
            let patched = tenant.patch(
                &path,
                json!([{"op": op, "path": ENTERPRISE, "value": value}]),
            );
            assert_eq!(
                patched.expect(200).body[ENTERPRISE],
                json!({"division": "Engines"})
            );
            let whole = json!({ENTERPRISE: value});
            tenant
                .patch(&path, json!([{"op": op, "value": whole}]))
                .expect(200);
        }
        let mut body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User", ENTERPRISE],
            "userName": "ada", ENTERPRISE: extension(json!([ENTERPRISE])),
        });
        let replaced = tenant.send("PUT", &path, body.clone());
        assert_eq!(
            replaced.expect(200).body[ENTERPRISE],
            json!({"division": "Engines"})
        );
        if profile == "strict" {
            for schemas in [json!(["urn:example:other"]), json!(ENTERPRISE), json!([1])] {
                body[ENTERPRISE] = extension(schemas.clone());
                tenant.send("PUT", &path, body.clone()).expect_scim_error(
                    400,
                    "invalidSyntax",
                    "schemas",
                );
                let operation =
                    json!([{"op": "add", "path": ENTERPRISE, "value": extension(schemas)}]);
                tenant
                    .patch(&path, operation)
                    .expect_scim_error(400, "invalidSyntax", "schemas");
            }
        }
    }
}

/// RFC 7644 §3.5.2: a PATCH that names attributes is answered with them, however large the group.
#[test]
fn a_patch_that_names_attributes_gets_them() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let group = tenant.group("Staff", &[]);
    world.database.execute(&format!(
        "with recursive n (i) as (select 0 union all select i + 1 from n where i < 599) \
         insert into group_members (tenant_id, group_id, member_id, member_type) select '{}', '{group}', printf('019b0000-0000-7000-8000-%012x', i), 'User' from n; \
         update groups set member_count = 600",
        tenant.id
    ));
    let patch = |query: &str, name: &str, prefer: &str| {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "displayName", "value": name}]});
        let path = format!("/Groups/{group}{query}");
        tenant.send_with("PATCH", &path, &[("prefer", prefer)], body)
    };
    patch("", "A", "").expect(204);
    patch("?excludedAttributes=externalId", "B", "").expect(204);
    for (query, name) in [
        ("?attributes=displayName", "C"),
        ("?attributes=displayName,members", "D"),
    ] {
        for prefer in ["", "return=minimal"] {
            let answer = patch(query, &format!("{name}{prefer}"), prefer);
            assert_eq!(
                answer.expect(200).body["displayName"],
                format!("{name}{prefer}")
            );
            // The same where nothing changes.
            patch(query, &format!("{name}{prefer}"), prefer).expect(200);
        }
    }
    let answer = patch("?attributes=members", "E", "");
    assert_eq!(
        answer.expect(200).body["members"].as_array().unwrap().len(),
        600
    );
}

/// RFC 7644 §3.11: under `/Me`, any response says where the resource really is.
#[test]
fn a_reply_under_me_names_the_permanent_location() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let user = tenant.user("ada");
    let mut claims = world.claims();
    claims.insert("sub".to_owned(), json!(user));
    claims.insert("tenant_id".to_owned(), json!(tenant.id));
    claims.insert("scope".to_owned(), json!("scim:read scim:write"));
    let me = Tenant {
        world: &world,
        id: tenant.id.clone(),
        token: world.jwt(&claims),
        token_id: String::new(),
    };
    let location = format!("{ORIGIN}{}/Users/{user}", me.base());
    let schema = "urn:ietf:params:scim:schemas:core:2.0:User";
    let read = me.get("/Me");
    assert_eq!(read.expect(200).header("location"), location);
    assert_eq!(read.body["meta"]["location"], location);
    let known = me.send_with("GET", "/Me", &[("if-none-match", "*")], Value::Null);
    assert_eq!(known.expect(304).header("location"), location);
    let put = me.send(
        "PUT",
        "/Me",
        json!({"schemas": [schema], "userName": "ada.l"}),
    );
    assert_eq!(put.expect(200).header("location"), location);
    let patched = me.patch(
        "/Me",
        json!([{"op": "add", "path": "title", "value": "Lady"}]),
    );
    assert_eq!(patched.expect(200).header("location"), location);
    let deleted = me.send("DELETE", "/Me", Value::Null);
    assert_eq!(deleted.expect(204).header("location"), location);
}

/// RFC 7643 §2.3.6 and §3: binary values are base64, and schemas are named once.
#[test]
fn strict_asks_for_base64_and_for_each_schema_once() {
    let world = World::new();
    let (compat, strict) = (world.tenant("compat"), world.tenant("strict"));
    let schema = "urn:ietf:params:scim:schemas:core:2.0:User";
    let with = |name: &str, certificate: &str| json!({"schemas": [schema], "userName": name, "x509Certificates": [{"value": certificate}]});
    for (number, good) in ["MIIDQzCC", "TQ==", "TQ", "+/+/"].into_iter().enumerate() {
        let body = with(&format!("u{number}"), good);
        let created = strict.send("POST", "/Users", body);
        assert_eq!(
            created.expect(201).body["x509Certificates"][0]["value"],
            good
        );
    }
    for bad in ["-----BEGIN", "M", "MII DQzCC", "_-_-", "\u{e9}\u{e9}"] {
        strict
            .send("POST", "/Users", with("bad", bad))
            .expect_scim_error(400, "invalidValue", "x509Certificates[0].value");
    }
    compat
        .send("POST", "/Users", with("pem", "-----BEGIN"))
        .expect(201);
    let twice = json!({"schemas": [schema, schema], "userName": "twice"});
    strict
        .send("POST", "/Users", twice.clone())
        .expect_scim_error(400, "invalidSyntax", "schemas[1]");
    compat.send("POST", "/Users", twice).expect(201);
}

/// RFC 7644 §3.7.3: every operation but a POST that failed has a location.
#[test]
fn an_operation_that_failed_says_where_all_the_same() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let ada = tenant.user("ada");
    let schema = "urn:ietf:params:scim:schemas:core:2.0:User";
    let body = json!({
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
    "Operations": [
        {"method": "POST", "bulkId": "new", "path": "/Users", "data": {"schemas": [schema], "userName": "new"}},
        {"method": "PUT", "path": "/Users/bulkId:new", "data": {"schemas": [schema], "userName": "ada"}},
        {"method": "DELETE", "path": format!("/Users/{ada}"), "version": 1},
        {"method": "DELETE", "path": format!("/Users/{ada}"), "version": "W/\"9\""},
        {"method": "POST", "bulkId": "bad", "path": "/Users", "data": {"schemas": [schema]}},
        {"method": "DELETE", "path": "/Users/bulkId:bad"},
        {"method": "DELETE", "path": "/Nothing/1"},
    ]});
    let answer = tenant.send("POST", "/Bulk", body);
    let operations = answer.expect(200).body["Operations"].as_array().unwrap();
    let base = format!("{ORIGIN}{}/Users", tenant.base());
    let old = json!(format!("{base}/{ada}"));
    let none = Value::Null;
    for (operation, (status, location)) in operations.iter().zip([
        ("201", &operations[0]["location"]),
        ("409", &operations[0]["location"]),
        ("400", &old),
        ("412", &old),
        ("400", &none),
        ("400", &none),
        ("400", &none),
    ]) {
        assert_eq!(operation["status"], status);
        assert_eq!(operation["location"], *location);
    }
    assert_ne!(operations[0]["location"], none);
}

/// RFC 7643 §8.6 and §8.7.1: what the schemas are called and described as.
#[test]
fn schemas_are_described_in_the_rfcs_own_words() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (urn, name, description) in [
        ("core:2.0:User", "User", "User Account"),
        ("core:2.0:Group", "Group", "Group"),
        (
            "extension:enterprise:2.0:User",
            "EnterpriseUser",
            "Enterprise User",
        ),
    ] {
        let schema = tenant.get(&format!("/Schemas/urn:ietf:params:scim:schemas:{urn}"));
        assert_eq!(schema.expect(200).body["name"], name);
        assert_eq!(schema.body["description"], description);
    }
    for (id, description) in [("User", "User Account"), ("Group", "Group")] {
        let found = tenant.get(&format!("/ResourceTypes/{id}"));
        assert_eq!(found.expect(200).body["description"], description);
    }
}
