//! Discovery shows a tenant's own schemas to whoever asks with a credential of that tenant.

use serde_json::{Value, json};

use super::{ACME, PLACES, at_schemas, attributes, declare};
use crate::support::{ORIGIN, Tenant, World};

fn ids(list: &Value) -> Vec<&str> {
    let list = list["Resources"].as_array().unwrap();
    list.iter().map(|one| one["id"].as_str().unwrap()).collect()
}

/// A request without a credential, or with another one.
fn asked(tenant: &Tenant<'_>, credential: Option<&str>, path: &str) -> Value {
    let mut request = http::Request::builder().uri(format!("{ORIGIN}{}{path}", tenant.base()));
    if let Some(credential) = credential {
        request = request.header("authorization", format!("Bearer {credential}"));
    }
    let answer = tenant.world.send(request.body(Vec::new()).unwrap());
    answer.expect(200).body.clone()
}

#[test]
fn they_are_shown_with_the_tenants_credential_alone() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let (own, other) = (world.tenant(profile), world.tenant(profile));
        // What is remembered from before is no answer.
        own.get("/Schemas").expect(200);
        declare(&own);
        let places = json!({"id": PLACES, "resource_type": "Group", "name": "Places", "attributes": [{"name": "floor", "type": "integer"}]});
        at_schemas(&own, "POST", "", places).expect(201);
        let shown = own.get("/Schemas");
        let all = ids(&shown.expect(200).body);
        assert!(all.contains(&ACME) && all.contains(&PLACES), "{all:?}");
        let types = own.get("/ResourceTypes").expect(200).body.clone();
        let extensions = |index: usize| types["Resources"][index]["schemaExtensions"].clone();
        assert_eq!(extensions(0)[1], json!({"schema": ACME, "required": false}));
        assert_eq!(
            extensions(1),
            json!([{"schema": PLACES, "required": false}])
        );
        let one = own
            .get(&format!("/Schemas/{ACME}"))
            .expect(200)
            .body
            .clone();
        let names = |list: &Value| -> Vec<String> {
            let list = list.as_array().unwrap().iter();
            list.map(|one| one["name"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(names(&one["attributes"]), names(&attributes()));
        let contract = &one["attributes"][9];
        assert_eq!(
            contract["subAttributes"][0]["canonicalValues"],
            json!(["fixed", "open"])
        );
        assert_eq!(one["attributes"][7]["referenceTypes"], json!(["external"]));
        assert_eq!(one["attributes"][12]["mutability"], "immutable");
        assert_eq!(one["attributes"][15]["returned"], "request");
        for credential in [
            None,
            Some(other.token.as_str()),
            Some("rcs_nobodys"),
            Some("x.y.z"),
        ] {
            let shown = asked(&own, credential, "/Schemas");
            let all = ids(&shown);
            assert!(
                !all.contains(&ACME) && all.len() == 3,
                "{credential:?} {all:?}"
            );
        }
        assert_eq!(ids(&other.get("/Schemas").expect(200).body).len(), 3);
        other.get(&format!("/Schemas/{ACME}")).expect(404);
        at_schemas(&own, "DELETE", &format!("/{ACME}"), Value::Null).expect(204);
        own.get(&format!("/Schemas/{ACME}")).expect(404);
    }
}

#[test]
fn a_token_that_does_not_hold_any_more_is_shown_what_all_have() {
    let world = World::new();
    let tenant = world.tenant("compat");
    declare(&tenant);
    tenant.get(&format!("/Schemas/{ACME}")).expect(200);
    let token = format!("/api/v1/admin/scim-tokens/{}", tenant.token_id);
    world.admin("DELETE", &token, Value::Null).expect(204);
    tenant.get("/ResourceTypes").expect(200);
    tenant.get(&format!("/Schemas/{ACME}")).expect(404);
}
