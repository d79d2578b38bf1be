//! Sentences of RFC 7643 and RFC 7644 that a conformance tool found broken: each test names its own.

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
fn removing_active_leaves_it_unassigned() {
    let world = World::new();
    for profile in PROFILES {
        let tenant = world.tenant(profile);
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
}

/// Who comes back is restored where the account is inactive, and `active` unassigned is not that.
#[test]
fn a_user_whose_active_is_unassigned_is_not_restored() {
    let world = World::new();
    for profile in PROFILES {
        let tenant = world.tenant(profile);
        let user = inactive(&tenant);
        tenant
            .patch(
                &format!("/Users/{user}"),
                json!([{"op": "remove", "path": "active"}]),
            )
            .expect(200);
        let body =
            json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"});
        tenant
            .send("POST", "/Users", body)
            .expect_scim_error(409, "uniqueness", "userName");
    }
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
