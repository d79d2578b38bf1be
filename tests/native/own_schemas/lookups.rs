//! Attributes that resources are looked up by: found without a look at all resources, whatever happens to these.

use serde_json::{Value, json};

use super::{USER, at_schemas, of_users};
use crate::support::{Tenant, World};

const URN: &str = "urn:example:keys:2.0:User";

fn attributes(is_lookup: bool) -> Value {
    json!([
        {"name": "badge", "lookup": is_lookup}, {"name": "cards", "multiValued": true, "caseExact": true, "lookup": is_lookup},
        {"name": "note"},
    ])
}

fn declare(tenant: &Tenant<'_>, is_lookup: bool) {
    at_schemas(tenant, "POST", "", of_users(URN, attributes(is_lookup))).expect(201);
}

fn create(tenant: &Tenant<'_>, name: &str, values: Value) -> String {
    let body = json!({"schemas": [USER, URN], "userName": name, URN: values});
    tenant.send("POST", "/Users", body).expect(201).id()
}

/// How SQLite goes about a list by a filter.
fn plan(tenant: &Tenant<'_>, filter: &str) -> String {
    let database = &tenant.world.database;
    let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let statements = database.recording(|| {
        tenant.get(&format!("/Users?filter={query}")).expect(200);
    });
    let plans = statements.iter().flat_map(|one| database.plan(one));
    plans.collect::<Vec<_>>().join("\n")
}

fn stored(world: &World) -> Vec<String> {
    world
        .database
        .texts("select attribute || ' ' || value from own_values order by 1")
}

#[test]
fn they_find_in_a_few_rows_what_is_there_now() {
    let world = World::new();
    let tenant = world.tenant("strict");
    declare(&tenant, true);
    for number in 0..60 {
        let badge = format!("B{number}");
        create(
            &tenant,
            &format!("user{number}"),
            json!({"badge": badge, "cards": [badge, "all"]}),
        );
    }
    let badge = |value: &str| format!("{URN}:badge eq \"{value}\"");
    assert_eq!(tenant.find(&badge("b7")), ["user7"]);
    assert_eq!(tenant.find(&format!("{URN}:cards eq \"B7\"")), ["user7"]);
    assert_eq!(tenant.find(&format!("{URN}:cards eq \"b7\"")), [""; 0]);
    assert_eq!(
        tenant.find(&format!("{URN}:cards eq \"all\" and {}", badge("b8"))),
        ["user8"]
    );
    assert_eq!(tenant.find(&format!("not ({})", badge("b8"))).len(), 59);
    for filter in [
        badge("b7"),
        format!("{URN}:cards eq \"x\""),
        format!("active eq true and {}", badge("b7")),
    ] {
        let plan = plan(&tenant, &filter);
        let searches = [
            "SEARCH m USING PRIMARY KEY (tenant_id=? AND attribute=? AND value=?)",
            "SEARCH r USING PRIMARY KEY (tenant_id=? AND id=?)",
        ];
        for search in searches {
            assert!(plan.contains(search), "{filter}\n{plan}");
        }
    }
    let other = plan(&tenant, &format!("{URN}:note eq \"x\""));
    assert!(
        !other.contains("SEARCH r USING PRIMARY KEY (tenant_id=? AND id=?)"),
        "{other}"
    );
    let id = create(&tenant, "zoe", json!({"badge": "Z", "note": "x"}));
    let path = format!("/Users/{id}");
    let set =
        |value: Value| json!([{"op": "replace", "path": format!("{URN}:badge"), "value": value}]);
    tenant.patch(&path, set("Y".into())).expect(200);
    assert_eq!(tenant.find(&badge("z")), [""; 0]);
    assert_eq!(tenant.find(&badge("y")), ["zoe"]);
    let put = json!({"schemas": [USER, URN], "userName": "zoe", URN: {"badge": "X"}});
    tenant.send("PUT", &path, put).expect(200);
    assert_eq!(tenant.find(&badge("x")), ["zoe"]);
    tenant
        .patch(&path, json!([{"op": "remove", "path": URN}]))
        .expect(200);
    assert_eq!(tenant.find(&badge("x")), [""; 0]);
    tenant
        .patch(
            &path,
            json!([{"op": "add", "path": format!("{URN}:badge"), "value": "W"}]),
        )
        .expect(200);
    assert_eq!(tenant.find(&badge("w")), ["zoe"]);
    tenant.send("DELETE", &path, Value::Null).expect(204);
    let left = stored(&world);
    assert!(!left.iter().any(|row| row.ends_with(" w")), "{left:?}");
    assert_eq!(left.len(), 60 * 3);
}

#[test]
fn they_are_switched_on_and_off_under_values() {
    let world = World::new();
    let tenant = world.tenant("compat");
    declare(&tenant, false);
    create(
        &tenant,
        "ada",
        json!({"badge": "Ä", "cards": ["c", "d", "c"]}),
    );
    assert_eq!(stored(&world), [""; 0]);
    let one = format!("/{URN}");
    let change =
        |attributes: Value| at_schemas(&tenant, "PATCH", &one, json!({"attributes": attributes}));
    change(attributes(true)).expect(200);
    let wanted = [
        format!("{URN}:badge ä"),
        format!("{URN}:cards c"),
        format!("{URN}:cards d"),
    ];
    assert_eq!(stored(&world), wanted.map(|text| text.to_ascii_lowercase()));
    assert_eq!(tenant.find(&format!("{URN}:badge eq \"Ä\"")), ["ada"]);
    change(attributes(false)).expect(200);
    assert_eq!(stored(&world), [""; 0]);
    assert_eq!(tenant.find(&format!("{URN}:badge eq \"ä\"")), ["ada"]);
    change(attributes(true)).expect(200);
    let fewer = json!({"attributes": [{"name": "note"}]});
    at_schemas(
        &tenant,
        "PATCH",
        &format!("{one}?discard_values=true"),
        fewer,
    )
    .expect(200);
    assert_eq!(stored(&world), [""; 0]);
    change(attributes(true)).expect(200);
    create(&tenant, "bob", json!({"badge": "B"}));
    at_schemas(
        &tenant,
        "DELETE",
        &format!("{one}?discard_values=true"),
        Value::Null,
    )
    .expect(204);
    assert_eq!(stored(&world), [""; 0]);
}

#[test]
fn there_are_three_of_a_tenant_and_of_texts_alone() {
    let world = World::new();
    let tenant = world.tenant("compat");
    declare(&tenant, true);
    let other = |attributes: Value| {
        at_schemas(
            &tenant,
            "POST",
            "",
            of_users("urn:example:more:2.0:User", attributes),
        )
    };
    let refused = other(json!([{"name": "a", "lookup": true}, {"name": "b", "lookup": true}]));
    assert_eq!(
        refused.expect(422).body["detail"][0]["loc"],
        json!(["body", "attributes"])
    );
    for attribute in [
        json!({"name": "a", "type": "integer", "lookup": true}),
        json!({"name": "a", "type": "complex", "lookup": true, "subAttributes": [{"name": "b"}]}),
    ] {
        let refused = other(json!([attribute]));
        assert_eq!(
            refused.expect(422).body["detail"][0]["loc"],
            json!(["body", "attributes", 0, "lookup"])
        );
    }
    other(json!([{"name": "a", "lookup": true}])).expect(201);
}
