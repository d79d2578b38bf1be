//! The routes by which schemas are declared, and what cannot be one.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ACME, PLACES, at_schemas, attributes, of_users};
use crate::support::World;

#[test]
fn a_schema_is_declared_listed_read_and_removed() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let made = at_schemas(&tenant, "POST", "/", of_users(ACME, attributes()));
    let data = &made.expect(201).body["data"];
    assert_eq!(data["id"], ACME);
    assert_eq!(data["learned"], false);
    assert_eq!(data["description"], "");
    assert_eq!(data["attributes"], attributes());
    let read = at_schemas(
        &tenant,
        "GET",
        &format!("/{}", ACME.to_uppercase()),
        Value::Null,
    );
    assert_eq!(read.expect(200).body["data"], *data);
    let list = at_schemas(&tenant, "GET", "/", Value::Null);
    assert_eq!(list.expect(200).body["data"], json!([data]));
    let again = at_schemas(
        &tenant,
        "POST",
        "",
        of_users(&ACME.to_uppercase(), attributes()),
    );
    again.expect(409);
    let one = format!("/{ACME}");
    let changed = at_schemas(&tenant, "PATCH", &one, json!({"description": "More"}));
    assert_eq!(changed.expect(200).body["data"]["description"], "More");
    at_schemas(&tenant, "DELETE", &one, Value::Null).expect(204);
    at_schemas(&tenant, "GET", &one, Value::Null).expect(404);
    at_schemas(&tenant, "PATCH", &one, json!({"name": "x"})).expect(404);
    at_schemas(&tenant, "DELETE", &one, Value::Null).expect(404);
    let audit = format!(
        "/api/v1/admin/audit-events/?tenant_id={}&resource_type=Schema",
        tenant.id
    );
    let audit = world.admin("GET", &audit, Value::Null);
    let actions: Vec<&str> = audit.expect(200).body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["action"].as_str().unwrap())
        .collect();
    assert_eq!(actions, ["delete", "patch", "create"]);
}

/// Where something does not hold, with what is sent.
fn faults() -> Vec<(&'static str, Value)> {
    let one = |attribute: Value| of_users("urn:example:a:2.0:User", json!([attribute]));
    let many: Vec<Value> = (0..1_000)
        .map(|number| json!({"name": format!("a{number}")}))
        .collect();
    let parts: Vec<Value> = (0..30)
        .map(|number| json!({"name": format!("p{number}")}))
        .collect();
    let deep: Vec<Value> = (0..10)
        .map(|number| json!({"name": format!("c{number}"), "type": "complex", "subAttributes": parts}))
        .collect();
    vec![
        ("id", of_users("acme", json!([{"name": "a"}]))),
        ("id", of_users("urn:acme", json!([{"name": "a"}]))),
        (
            "id",
            of_users("urn:example:with space", json!([{"name": "a"}])),
        ),
        (
            "id",
            of_users("urn:example:a\"b:2.0", json!([{"name": "a"}])),
        ),
        (
            "id",
            of_users("urn:example:a::User", json!([{"name": "a"}])),
        ),
        (
            "id",
            of_users("urn:example:a[b]:User", json!([{"name": "a"}])),
        ),
        (
            "id",
            of_users(
                "urn:ietf:params:scim:schemas:core:2.0:Device",
                json!([{"name": "a"}]),
            ),
        ),
        (
            "id",
            of_users(
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
                json!([{"name": "a"}]),
            ),
        ),
        (
            "id",
            of_users(
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
                json!([{"name": "a"}]),
            ),
        ),
        (
            "id",
            of_users(
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0",
                json!([{"name": "a"}]),
            ),
        ),
        (
            "id",
            of_users(
                "urn:ietf:params:scim:api:messages:2.0:PatchOp",
                json!([{"name": "a"}]),
            ),
        ),
        (
            "id",
            of_users(
                "urn:rollcall:scim:schemas:extension:2.0:Managed",
                json!([{"name": "a"}]),
            ),
        ),
        ("attributes", of_users("urn:example:a:2.0:User", json!([]))),
        (
            "attributes",
            of_users("urn:example:a:2.0:User", json!(many)),
        ),
        (
            "attributes",
            of_users("urn:example:a:2.0:User", json!(deep)),
        ),
        ("attributes.0.name", one(json!({"name": "userName"}))),
        (
            "attributes.0.name",
            one(json!({"name": "MEMBERS2", "type": "string"})).tap("members", "Group"),
        ),
        ("attributes.0.name", one(json!({"name": "id"}))),
        ("attributes.0.name", one(json!({"name": "schemas"}))),
        ("attributes.0.name", one(json!({"name": "9lives"}))),
        ("attributes.0.name", one(json!({"name": "a.b"}))),
        ("attributes.0.name", one(json!({"name": "a[b]"}))),
        ("attributes.0.name", one(json!({"name": "$ref"}))),
        ("attributes.0.name", one(json!({"name": "naïve"}))),
        ("attributes.0.name", one(json!({"name": ""}))),
        (
            "attributes.1.name",
            of_users(
                "urn:example:a:2.0:User",
                json!([{"name": "a"}, {"name": "A"}]),
            ),
        ),
        (
            "attributes.0.type",
            one(json!({"name": "a", "type": "number"})),
        ),
        (
            "attributes.0.colour",
            one(json!({"name": "a", "colour": "red"})),
        ),
        (
            "attributes.0.uniqueness",
            one(json!({"name": "a", "uniqueness": "server"})),
        ),
        (
            "attributes.0.mutability",
            one(json!({"name": "a", "mutability": "sometimes"})),
        ),
        (
            "attributes.0.required",
            one(json!({"name": "a", "required": true, "mutability": "readOnly"})),
        ),
        (
            "attributes.0.returned",
            one(json!({"name": "a", "mutability": "writeOnly"})),
        ),
        (
            "attributes.0.canonicalValues",
            one(json!({"name": "a", "type": "integer", "canonicalValues": ["1"]})),
        ),
        (
            "attributes.0.referenceTypes",
            one(json!({"name": "a", "type": "reference"})),
        ),
        (
            "attributes.0.referenceTypes",
            one(json!({"name": "a", "referenceTypes": ["User"]})),
        ),
        (
            "attributes.0.subAttributes",
            one(json!({"name": "a", "type": "complex"})),
        ),
        (
            "attributes.0.subAttributes",
            one(json!({"name": "a", "type": "complex", "subAttributes": []})),
        ),
        (
            "attributes.0.subAttributes",
            one(json!({"name": "a", "subAttributes": [{"name": "b"}]})),
        ),
        (
            "attributes.0.subAttributes.0.type",
            one(json!({"name": "a", "type": "complex", "subAttributes": [
            {"name": "b", "type": "complex", "subAttributes": [{"name": "a", "type": "complex"}]}]})),
        ),
        (
            "attributes.0.subAttributes.0.multiValued",
            one(json!({"name": "a", "type": "complex", "subAttributes": [
            {"name": "b", "multiValued": true}]})),
        ),
        (
            "attributes.0.subAttributes.1.name",
            one(json!({"name": "a", "type": "complex", "subAttributes": [
            {"name": "b"}, {"name": "B"}]})),
        ),
        (
            "resource_type",
            json!({"id": "urn:example:a:2.0:User", "resource_type": "Device", "name": "x", "attributes": [{"name": "a"}]}),
        ),
        (
            "name",
            json!({"id": "urn:example:a:2.0:User", "resource_type": "User", "name": "", "attributes": [{"name": "a"}]}),
        ),
    ]
}

trait Tap {
    fn tap(self, name: &str, resource_type: &str) -> Self;
}

impl Tap for Value {
    /// The same with another first attribute, of another resource type.
    fn tap(mut self, name: &str, resource_type: &str) -> Self {
        self["attributes"][0]["name"] = name.into();
        self["resource_type"] = resource_type.into();
        self
    }
}

#[test]
fn what_cannot_be_a_schema_is_422_with_the_place() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (place, body) in faults() {
        let refused = at_schemas(&tenant, "POST", "", body);
        let faults = refused.expect(422).body["detail"]
            .as_array()
            .unwrap()
            .clone();
        let places: Vec<String> = faults
            .iter()
            .map(|fault| {
                let loc = fault["loc"].as_array().unwrap().iter().skip(1);
                let loc = loc.map(|part| {
                    part.as_str()
                        .map_or_else(|| part.to_string(), str::to_owned)
                });
                loc.collect::<Vec<_>>().join(".")
            })
            .collect();
        assert_eq!(places, [place], "{faults:?}");
    }
    let list = at_schemas(&tenant, "GET", "", Value::Null);
    assert_eq!(list.expect(200).body["data"], json!([]));
}

#[test]
fn a_urn_that_begins_another_is_refused() {
    let world = World::new();
    let tenant = world.tenant("compat");
    at_schemas(
        &tenant,
        "POST",
        "",
        of_users("urn:example:acme:2.0", json!([{"name": "a"}])),
    )
    .expect(201);
    for urn in [
        "urn:example:acme",
        "urn:example:acme:2.0:User",
        "URN:EXAMPLE:ACME:2.0.1",
    ] {
        let body = json!({"id": urn, "resource_type": "Group", "name": "x", "attributes": [{"name": "a"}]});
        let refused = at_schemas(&tenant, "POST", "", body);
        assert_eq!(
            refused.expect(422).body["detail"][0]["loc"],
            json!(["body", "id"]),
            "{urn}"
        );
    }
    at_schemas(
        &tenant,
        "POST",
        "",
        of_users("urn:example:acme:2.05", json!([{"name": "a"}])),
    )
    .expect(201);
}

#[test]
fn another_worker_that_changes_them_meanwhile_is_no_loss() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let other = format!(
        "update tenants set schemas_revision = schemas_revision + 1 where id = '{}'",
        tenant.id
    );
    world.database.interfere_before_write(&[&other]);
    let refused = at_schemas(&tenant, "POST", "", of_users(ACME, attributes()));
    refused.expect(503);
    assert!(world.database.has_interfered());
    at_schemas(&tenant, "POST", "", of_users(ACME, attributes())).expect(201);
    let places =
        json!({"id": PLACES, "resource_type": "Group", "name": "x", "attributes": [{"name": "a"}]});
    at_schemas(&tenant, "POST", "", places).expect(201);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever is sent is answered, and what is taken can be read.
    #[test]
    fn any_body_is_answered(
        urn in "(urn|acme|URN)(:[a-zA-Z0-9._ -]{0,8}){0,4}", name in "[a-zA-Z$._-]{0,12}",
        kind in "(string|integer|complex|binary|number)", many in any::<Option<bool>>(), required in any::<Option<bool>>(),
        mutability in "(readOnly|readWrite|immutable|writeOnly)", is_nested in any::<bool>(),
    ) {
        let world = World::new();
        let tenant = world.tenant("strict");
        let mut attribute = json!({"name": name, "type": kind, "multiValued": many, "required": required, "mutability": mutability});
        if is_nested {
            attribute["subAttributes"] = json!([attribute.clone()]);
        }
        let made = at_schemas(&tenant, "POST", "", of_users(&urn, json!([attribute])));
        prop_assert!([201, 422].contains(&made.status), "{} {}", made.status, made.body);
        let shown = tenant.get("/Schemas");
        prop_assert_eq!(shown.status, 200);
        let count = shown.body["totalResults"].as_u64();
        prop_assert_eq!(count, Some(3 + u64::from(made.status == 201)));
    }
}
