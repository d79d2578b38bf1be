//! What an identity provider sends under URNs that are in no schema is learned, in `compat`.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{USER, at_schemas, of_users};
use crate::support::{Tenant, World};

pub const URN: &str = "urn:ietf:params:scim:schemas:extension:Okta.Custom:2.0:User";

pub fn create(tenant: &Tenant<'_>, name: &str, extension: Value) -> String {
    let body = json!({"schemas": [USER, URN], "userName": name, URN: extension});
    tenant.send("POST", "/Users", body).expect(201).id()
}

fn shown(tenant: &Tenant<'_>, id: &str) -> Value {
    let answer = tenant.get(&format!("/Users/{id}"));
    answer.expect(200).body[URN].clone()
}

/// The attributes that are learned, with their types.
fn learned(tenant: &Tenant<'_>) -> Value {
    let list = at_schemas(tenant, "GET", "", Value::Null);
    let schemas = list.expect(200).body["data"].as_array().unwrap().clone();
    let attributes = schemas
        .iter()
        .flat_map(|one| one["attributes"].as_array().unwrap().clone());
    let pairs = attributes.map(|one| {
        let mut kind = one["type"].as_str().unwrap().to_owned();
        if one["multiValued"] == true {
            kind.push('*');
        }
        (one["name"].as_str().unwrap().to_owned(), Value::from(kind))
    });
    Value::Object(pairs.collect())
}

#[test]
fn values_are_kept_echoed_patched_and_filtered() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let given = json!({
        "costCentre": "C-7", "level": 3, "share": 0.5, "remote": true, "tags": ["a", "b"],
        "place": {"floor": 2, "room": "x"}, "desks": [{"value": "D1"}, {"value": "D2", "floor": 1}],
    });
    let id = create(&tenant, "ada", given.clone());
    assert_eq!(shown(&tenant, &id), given);
    let answer = tenant.get(&format!("/Users/{id}"));
    assert_eq!(answer.body["schemas"], json!([USER, URN]));
    assert_eq!(
        learned(&tenant),
        json!({
            "costCentre": "string", "level": "integer", "share": "decimal", "remote": "boolean", "tags": "string*",
            "place": "complex", "desks": "complex*",
        })
    );
    let schema = at_schemas(&tenant, "GET", &format!("/{URN}"), Value::Null);
    let schema = &schema.expect(200).body["data"];
    assert_eq!(schema["learned"], true);
    assert_eq!(schema["name"], "Okta.Custom");
    assert_eq!(schema["resource_type"], "User");
    tenant.get(&format!("/Schemas/{URN}")).expect(200);
    let operations = json!([
        {"op": "replace", "path": format!("{URN}:costCentre"), "value": "C-8"},
        {"op": "add", "path": format!("{URN}:new"), "value": "first"},
        {"op": "add", "value": {format!("{URN}:place.wing"): "north"}},
        {"op": "add", "value": {URN: {"late": 1}}},
    ]);
    tenant
        .patch(&format!("/Users/{id}"), operations)
        .expect(200);
    let now = shown(&tenant, &id);
    assert_eq!(now["costCentre"], "C-8");
    assert_eq!(now["new"], "first");
    assert_eq!(
        now["place"],
        json!({"floor": 2, "room": "x", "wing": "north"})
    );
    assert_eq!(now["late"], 1);
    assert_eq!(
        tenant.find(&format!("{URN}:costCentre eq \"c-8\"")),
        ["ada"]
    );
    assert_eq!(
        tenant.find(&format!("{URN}:late ge 1 and {URN}:remote eq true")),
        ["ada"]
    );
    let body = json!({"schemas": [USER], "userName": "ada", URN: {"fromPut": "x"}});
    tenant
        .send("PUT", &format!("/Users/{id}"), body)
        .expect(200);
    assert_eq!(shown(&tenant, &id), json!({"fromPut": "x"}));
}

#[test]
fn a_patch_alone_is_enough_to_learn_from() {
    let cases = [
        (
            json!({"op": "Add", "path": format!("{URN}:a"), "value": "x"}),
            json!({"a": "x"}),
        ),
        (
            json!({"op": "add", "path": format!("{URN}.a"), "value": "x"}),
            json!({"a": "x"}),
        ),
        (
            json!({"op": "add", "path": format!("{URN}:a.b"), "value": "x"}),
            json!({"a": {"b": "x"}}),
        ),
        (
            json!({"op": "replace", "path": URN, "value": {"a": 1}}),
            json!({"a": 1}),
        ),
        (
            json!({"op": "add", "value": {URN: {"a": [1, 2]}}}),
            json!({"a": [1, 2]}),
        ),
        (
            json!({"op": "add", "value": {format!("{URN}:a"): false}}),
            json!({"a": false}),
        ),
    ];
    for (operation, wanted) in cases {
        let world = World::new();
        let tenant = world.tenant("compat");
        let id = tenant.user("ada");
        let answer = tenant.patch(&format!("/Users/{id}"), json!([operation]));
        assert_eq!(answer.expect(200).body[URN], wanted, "{operation}");
        assert_eq!(shown(&tenant, &id), wanted, "{operation}");
    }
}

#[test]
fn a_value_of_another_type_widens_it() {
    let pairs = [
        (json!(1), json!("x"), "string"),
        (json!("x"), json!(1), "string"),
        (json!(true), json!("x"), "string"),
        (json!("x"), json!(true), "string"),
        (json!(true), json!(7), "string"),
        (json!(1), json!(1.5), "decimal"),
        (json!(1.5), json!(1), "decimal"),
        (json!(["a"]), json!([1]), "string*"),
        (json!("a"), json!(["b", "c"]), "string*"),
        (json!({"a": 1}), json!({"b": "x"}), "complex"),
        (json!({"a": 1}), json!("x"), "complex"),
        (json!({"a": 1}), json!(7), "complex"),
        (json!([{"a": 1}]), json!(["x", "y"]), "complex*"),
        (json!("x"), json!({"a": 1}), "string"),
        (json!(7), json!([{"a": 1}, {"a": 2}]), "string*"),
    ];
    for (first, second, kind) in pairs {
        let world = World::new();
        let tenant = world.tenant("compat");
        let ada = create(&tenant, "ada", json!({"it": first}));
        let bob = create(&tenant, "bob", json!({"it": second}));
        assert_eq!(learned(&tenant), json!({"it": kind}), "{first} {second}");
        assert_eq!(shown(&tenant, &ada)["it"], first);
        assert!(!shown(&tenant, &bob).is_null(), "{first} {second}");
    }
}

#[test]
fn secrets_large_values_and_what_is_no_name_are_not_learned() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = create(
        &tenant,
        "ada",
        json!({
            "kept": "x", "sshKey": "k", "PIN": "1", "bearer": "Bearer abcdef", "Password": "p", "apiKey": "k", "client_secret": "s", "accessToken": "t",
            "with space": "x", "9a": "x", "a.b": "x", "empty": "", "nothing": null, "none": [],
            "large": "x".repeat(8_193),
        }),
    );
    assert_eq!(shown(&tenant, &id), json!({"kept": "x"}));
    assert_eq!(learned(&tenant), json!({"kept": "string"}));
    for urn in [
        "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group",
        "urn:ietf:params:scim:schemas:core:2.0:Other",
        "urn:rollcall:x:User",
        "urn:a b:c:User",
        "urn:x",
    ] {
        let body = json!({"schemas": [USER], "userName": format!("{urn}-user"), urn: {"a": "x"}});
        let made = tenant.send("POST", "/Users", body);
        assert_eq!(made.expect(201).body[urn], Value::Null, "{urn}");
    }
    assert_eq!(learned(&tenant), json!({"kept": "string"}));
    let users = world.database.texts("select resource || keys from users");
    assert!(users.iter().all(|text| !text.contains("client_secret")));
}

#[test]
fn a_hundred_attributes_are_learned_and_no_more() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let many = |from: usize, to: usize| -> Value {
        let pairs = (from..to).map(|number| (format!("a{number}"), json!(number)));
        Value::Object(pairs.collect())
    };
    create(&tenant, "ada", many(0, 60));
    let id = create(&tenant, "bob", many(50, 120));
    assert_eq!(learned(&tenant).as_object().unwrap().len(), 100);
    assert_eq!(shown(&tenant, &id), many(50, 100));
    // Those that are known go on.
    let id = create(&tenant, "carol", many(0, 200));
    assert_eq!(shown(&tenant, &id), many(0, 100));
}

#[test]
fn a_resource_has_64_kib_of_them_at_most() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let of = |count: usize| -> Value {
        let pairs = (0..count).map(|number| (format!("a{number}"), json!("x".repeat(8_000))));
        Value::Object(pairs.collect())
    };
    create(&tenant, "ada", of(8));
    let body = json!({"schemas": [USER], "userName": "bob", URN: of(9)});
    tenant.send("POST", "/Users", body).expect(413);
}

#[test]
fn a_tenant_may_drop_them_and_strict_refuses_them() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    let before = world.admin("GET", &path, Value::Null);
    assert_eq!(
        before.expect(200).body["data"]["unknown_extensions"],
        "learn"
    );
    create(&tenant, "ada", json!({"a": 1}));
    let switched = world.admin("PATCH", &path, json!({"unknown_extensions": "drop"}));
    assert_eq!(
        switched.expect(200).body["data"]["unknown_extensions"],
        "drop"
    );
    // What was learned before stays; nothing is added.
    let id = create(&tenant, "bob", json!({"a": 2, "b": 3}));
    assert_eq!(shown(&tenant, &id), json!({"a": 2}));
    let fresh = json!({"name": "x", "id": "dropping", "unknown_extensions": "drop"});
    let made = world.admin("POST", "/api/v1/admin/tenants/", fresh);
    assert_eq!(made.expect(201).body["data"]["unknown_extensions"], "drop");
    world
        .admin("PATCH", &path, json!({"unknown_extensions": "learn"}))
        .expect(200);
    let id = create(&tenant, "carol", json!({"b": 3}));
    assert_eq!(shown(&tenant, &id), json!({"b": 3}));
    let strict = world.tenant("strict");
    let body = json!({"schemas": [USER, URN], "userName": "ada", URN: {"a": 1}});
    strict
        .send("POST", "/Users", body)
        .expect_scim_error(400, "invalidSyntax", URN);
}

#[test]
fn what_was_learned_is_declared_or_dropped() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = create(&tenant, "ada", json!({"a": "x", "b": 1}));
    let one = format!("/{URN}");
    let declared = at_schemas(&tenant, "PATCH", &one, json!({"name": "Custom"}));
    assert_eq!(declared.expect(200).body["data"]["learned"], false);
    // Nothing is learned under a schema that is declared.
    let other = create(&tenant, "bob", json!({"a": "y", "c": 1}));
    assert_eq!(shown(&tenant, &other), json!({"a": "y"}));
    at_schemas(
        &tenant,
        "DELETE",
        &format!("{one}?discard_values=true"),
        Value::Null,
    )
    .expect(204);
    assert_eq!(shown(&tenant, &id), Value::Null);
    at_schemas(
        &tenant,
        "POST",
        "",
        of_users(&format!("{URN}:x"), json!([{"name": "a"}])),
    )
    .expect(201);
    // A path could mean either.
    let id = create(&tenant, "carol", json!({"a": "x"}));
    assert_eq!(shown(&tenant, &id), Value::Null);
}

#[test]
fn a_refused_request_and_a_dry_run_teach_nothing() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("ada");
    let body = |name: &str| json!({"schemas": [USER], "userName": name, URN: {"a": 1}});
    tenant.send("POST", "/Users", body("ada")).expect(409);
    tenant
        .send("POST", "/Users?dry_run=true", body("bob"))
        .expect(201);
    assert_eq!(learned(&tenant), json!({}));
    assert_eq!(
        at_schemas(&tenant, "GET", "", Value::Null).body["data"],
        json!([])
    );
}

#[test]
fn two_who_teach_at_once_lose_nothing() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let document = json!({"id": "urn:example:else:2.0:User", "resource_type": "User", "name": "x", "description": "",
        "attributes": [{"name": "z", "type": "string"}], "learned": true});
    let insert = format!(
        "insert into own_schemas select id, 'urn:example:else:2.0:User', '{document}', 1, 1 from tenants where id = '{}'",
        tenant.id
    );
    let advance = format!(
        "update tenants set schemas_revision = schemas_revision + 1 where id = '{}'",
        tenant.id
    );
    world.database.interfere_before_write(&[&insert, &advance]);
    let id = create(&tenant, "ada", json!({"a": 1}));
    assert!(world.database.has_interfered());
    assert_eq!(shown(&tenant, &id), json!({"a": 1}));
    assert_eq!(learned(&tenant), json!({"z": "string", "a": "integer"}));
    let id = tenant.user("bob");
    let change = json!([{"op": "add", "path": format!("{URN}:b"), "value": 1}]);
    tenant.patch(&format!("/Users/{id}"), change).expect(200);
    assert_eq!(shown(&tenant, &id), json!({"b": 1}));
}

#[test]
fn groups_and_bulks_are_learned_from() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let urn = "urn:example:Team:2.0:Group";
    let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "A", urn: {"kind": "x"}});
    let made = tenant.send("POST", "/Groups", group);
    assert_eq!(made.expect(201).body[urn], json!({"kind": "x"}));
    let user = |name: &str, extension: Value| json!({"method": "POST", "path": "/Users", "bulkId": name, "data": {"schemas": [USER], "userName": name, URN: extension}});
    let operations = json!([
        user("ada", json!({"a": 1})),
        user("bob", json!({"a": "x", "b": 2}))
    ]);
    let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations});
    let answer = tenant.send("POST", "/Bulk", body);
    for outcome in answer.expect(200).body["Operations"].as_array().unwrap() {
        assert_eq!(outcome["status"], "201", "{outcome}");
    }
    assert_eq!(
        learned(&tenant),
        json!({"kind": "string", "a": "string", "b": "integer"})
    );
    assert_eq!(tenant.find(&format!("{URN}:b eq 2")), ["bob"]);
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<bool>().prop_map(Value::from),
        (-1_000_000_i64..1_000_000).prop_map(Value::from),
        (-1_000_i32..1_000).prop_map(|number| Value::from(f64::from(number) + 0.125)),
        "[a-zA-ZÄß ]{1,8}".prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    let object = || {
        prop::collection::btree_map("[a-d]", scalar(), 1..4)
            .prop_map(|pairs| Value::Object(pairs.into_iter().collect()))
    };
    prop_oneof![
        4 => scalar(),
        1 => object(),
        1 => prop::collection::vec(scalar(), 1..4).prop_map(Value::Array),
        1 => prop::collection::vec(object(), 1..4).prop_map(Value::Array),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever comes first is taken, and found again as it was; whatever comes later is answered.
    #[test]
    fn what_comes_first_is_kept_as_it_is(first in value(), second in value()) {
        let world = World::new();
        let tenant = world.tenant("compat");
        let body = json!({"schemas": [USER], "userName": "ada", URN: {"it": first}});
        let made = tenant.send("POST", "/Users", body);
        prop_assert_eq!(made.status, 201, "{}", made.body);
        let now = shown(&tenant, &made.id());
        if !first.is_array() {
            prop_assert_eq!(&now["it"], &first);
        }
        let body = json!({"schemas": [USER], "userName": "bob", URN: {"it": second}});
        let made = tenant.send("POST", "/Users", body);
        prop_assert_eq!(made.status, 201, "{}", made.body);
        prop_assert_eq!(tenant.get("/Schemas").status, 200);
        prop_assert_eq!(tenant.find(&format!("{URN}:it pr")).len(), 2);
    }
}
