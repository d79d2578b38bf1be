//! What a change of a schema does to the values that there are.

use serde_json::{Value, json};

use super::{ACME, acme, at_schemas, declare, made, of_users};
use crate::support::World;

fn changed(
    tenant: &crate::support::Tenant<'_>,
    query: &str,
    attributes: Value,
) -> crate::support::Answer {
    at_schemas(
        tenant,
        "PATCH",
        &format!("/{ACME}{query}"),
        json!({"attributes": attributes}),
    )
}

#[test]
fn attributes_are_added_and_widened_under_values() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let before = json!([{"name": "code", "type": "integer"}, {"name": "place", "type": "complex", "subAttributes": [{"name": "floor", "type": "integer"}]}]);
    at_schemas(&tenant, "POST", "", of_users(ACME, before)).expect(201);
    let id = made(&tenant, "ada", json!({"code": 7, "place": {"floor": 1}}));
    let after = json!([
        {"name": "more"}, {"name": "code"},
        {"name": "place", "type": "complex", "subAttributes": [{"name": "floor", "type": "string"}, {"name": "room"}]},
    ]);
    changed(&tenant, "", after).expect(200);
    let operations = json!([
        {"op": "add", "path": format!("{ACME}:more"), "value": "x"},
        {"op": "add", "path": format!("{ACME}:place.room"), "value": "1.07"},
        {"op": "replace", "path": format!("{ACME}:code"), "value": "seven"},
    ]);
    tenant
        .patch(&format!("/Users/{id}"), operations)
        .expect(200);
    assert_eq!(acme(&tenant, &id)["code"], "seven");
    assert_eq!(acme(&tenant, &id)["place"]["room"], "1.07");
}

#[test]
fn a_type_does_not_change_under_values() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let before = json!([
        {"name": "code"}, {"name": "free"},
        {"name": "desks", "type": "complex", "multiValued": true, "subAttributes": [{"name": "value"}, {"name": "floor", "type": "integer"}]},
    ]);
    at_schemas(&tenant, "POST", "", of_users(ACME, before.clone())).expect(201);
    made(
        &tenant,
        "ada",
        json!({"code": "7", "desks": [{"value": "D1"}, {"value": "D2", "floor": 2}]}),
    );
    let with = |place: &[&str], value: Value| {
        let mut after = before.clone();
        let mut at = &mut after;
        for part in place {
            at = match part.parse::<usize>() {
                Ok(index) => &mut at[index],
                Err(_) => &mut at[*part],
            };
        }
        *at = value;
        after
    };
    let cases: [(&[&str], Value); 6] = [
        (&["0", "type"], json!("integer")),
        (&["0", "multiValued"], json!(true)),
        (&["0", "caseExact"], json!(true)),
        (&["0", "name"], json!("Code")),
        (&["2", "multiValued"], json!(false)),
        (&["2", "subAttributes", "1", "type"], json!("boolean")),
    ];
    for (place, value) in cases {
        let refused = changed(&tenant, "?discard_values=true", with(place, value));
        let loc: Vec<String> = refused.expect(422).body["detail"][0]["loc"]
            .as_array()
            .unwrap()
            .iter()
            .skip(2)
            .map(|part| {
                part.as_str()
                    .map_or_else(|| part.to_string(), str::to_owned)
            })
            .collect();
        assert_eq!(loc, place);
    }
    // Nobody has any of this one.
    changed(&tenant, "", with(&["1", "type"], json!("integer"))).expect(200);
}

#[test]
fn what_has_values_is_not_removed_but_with_them() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        declare(&tenant);
        let both = made(
            &tenant,
            "ada",
            json!({"costCode": "x", "level": 1, "contract": {"kind": "open"}}),
        );
        let one = made(&tenant, "bob", json!({"costCode": "y"}));
        let none = tenant.user("carol");
        let without = |names: &[&str]| -> Value {
            let all = super::attributes();
            let left = all.as_array().unwrap().iter();
            left.filter(|one| !names.contains(&one["name"].as_str().unwrap()))
                .cloned()
                .collect()
        };
        changed(&tenant, "", without(&["costCode"])).expect(409);
        let mut fewer = super::attributes();
        fewer[9]["subAttributes"].as_array_mut().unwrap().remove(0);
        changed(&tenant, "?discard_values=true", fewer).expect(409);
        changed(&tenant, "", without(&["seal", "page"])).expect(200);
        let version = |id: &str| {
            tenant.get(&format!("/Users/{id}")).expect(200).body["meta"]["version"].clone()
        };
        let before = [version(&both), version(&one), version(&none)];
        changed(
            &tenant,
            "?discard_values=true",
            without(&["costCode", "seal", "page"]),
        )
        .expect(200);
        assert_eq!(
            acme(&tenant, &both),
            json!({"level": 1, "contract": {"kind": "open"}})
        );
        let shown = tenant.get(&format!("/Users/{one}")).body.clone();
        assert_eq!(shown[ACME], Value::Null);
        assert_eq!(shown["schemas"], json!([super::USER]));
        assert_ne!(version(&both), before[0]);
        assert_ne!(version(&one), before[1]);
        assert_eq!(version(&none), before[2]);
        assert_eq!(tenant.find(&format!("{ACME}:level eq 1")), ["ada"]);
        assert_eq!(tenant.find(&format!("schemas eq \"{ACME}\"")), ["ada"]);
        // What is declared again begins without values.
        changed(&tenant, "", super::attributes()).expect(200);
        assert_eq!(tenant.find(&format!("{ACME}:costCode pr")), [""; 0]);
        at_schemas(&tenant, "DELETE", &format!("/{ACME}"), Value::Null).expect(409);
        at_schemas(
            &tenant,
            "DELETE",
            &format!("/{ACME}?discard_values=true"),
            Value::Null,
        )
        .expect(204);
        let shown = tenant.get(&format!("/Users/{both}")).body.clone();
        assert_eq!(shown[ACME], Value::Null);
        assert_eq!(shown["schemas"], json!([super::USER]));
        let operation = json!([{"op": "replace", "path": "displayName", "value": "Ada"}]);
        tenant
            .patch(&format!("/Users/{both}"), operation)
            .expect(200);
    }
}
