//! SCIM tokens that belong to a provider: what they write has that provider's `externalId`s, and they die with it.

use serde_json::{Value, json};

use super::{BASE, provider};
use crate::support::{Tenant, World};
use crate::tenants::expect_field;

const TOKENS: &str = "/api/v1/admin/scim-tokens";

/// The tenant as a provider's client sees it.
fn client<'w>(tenant: &Tenant<'w>, idp: &str) -> Tenant<'w> {
    let body = json!({"tenant_id": tenant.id, "name": "client", "idp_id": idp});
    let minted = tenant.world.admin("POST", TOKENS, body);
    let data = &minted.expect(201).body["data"];
    assert_eq!(data["idp_id"], idp);
    let text = |name: &str| data[name].as_str().expect("a text").to_owned();
    Tenant {
        world: tenant.world,
        id: tenant.id.clone(),
        token: text("token"),
        token_id: text("id"),
    }
}

fn user(name: &str, external_id: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name, "externalId": external_id,
    })
}

fn group(name: &str, external_id: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "externalId": external_id,
    })
}

#[test]
fn a_token_names_a_live_provider_of_its_tenant() {
    let world = World::new();
    let (tenant, other) = (world.tenant("compat"), world.tenant("compat"));
    let (own, gone, foreign) = (
        provider(&tenant, "OIDC"),
        provider(&tenant, "SAML"),
        provider(&other, "OIDC"),
    );
    world
        .admin("DELETE", &format!("{BASE}/{gone}"), Value::Null)
        .expect(204);
    let nobody = "0197b1a2-0000-7000-8000-000000000000";
    let before = world.database.dump();
    let mut bodies = Vec::new();
    for idp in [gone.as_str(), &foreign, nobody, "Entra"] {
        let body = json!({"tenant_id": tenant.id, "name": "x", "idp_id": idp});
        let answer = world.admin("POST", TOKENS, body);
        expect_field(&answer, &["body", "idp_id"], "value_error");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "they are told apart: {bodies:?}");
    assert_eq!(world.database.dump(), before);
    client(&tenant, &own);
}

#[test]
fn one_number_may_be_anybodys() {
    let world = World::new();
    for profile in ["compat", "strict"] {
        let tenant = world.tenant(profile);
        let (entra, okta) = (
            client(&tenant, &provider(&tenant, "OIDC")),
            client(&tenant, &provider(&tenant, "SAML")),
        );
        for (client, name) in [(&entra, "ada"), (&okta, "bob"), (&tenant, "cy")] {
            client.send("POST", "/Users", user(name, "7")).expect(201);
            client.send("POST", "/Groups", group(name, "7")).expect(201);
            let operation = |path: &str, data: Value, index: usize| json!({"method": "POST", "path": path, "bulkId": format!("b{index}"), "data": data});
            let body = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                "Operations": [
                    operation("/Users", user(&format!("{name}.2"), "7"), 1),
                    operation("/Groups", group(&format!("{name} 2"), "7"), 2),
                    operation("/Users", user(&format!("{name}.3"), "7"), 3),
                    operation("/Groups", group(&format!("{name} 3"), "7"), 4),
                ],
            });
            let answer = client.send("POST", "/Bulk", body);
            for operation in answer.expect(200).body["Operations"].as_array().unwrap() {
                assert_eq!(operation["status"], "201", "{operation}");
            }
            let all = match client.token == tenant.token {
                true => 9,
                false => 3,
            };
            for path in ["/Users", "/Groups"] {
                let found = client.get(&format!("{path}?filter=externalId%20eq%20%227%22"));
                assert_eq!(found.expect(200).body["totalResults"], all, "{name} {path}");
            }
        }
    }
}

#[test]
fn the_tokens_of_a_deleted_provider_are_dead_at_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (gone, stays) = (provider(&tenant, "OIDC"), provider(&tenant, "SAML"));
    let (first, second, other) = (
        client(&tenant, &gone),
        client(&tenant, &gone),
        client(&tenant, &stays),
    );
    for client in [&first, &second, &other] {
        client.get("/Users").expect(200);
    }
    let cached = world.cache.entries.borrow().clone();
    world
        .admin("DELETE", &format!("{BASE}/{gone}"), Value::Null)
        .expect(204);
    // Whatever the cache says.
    *world.cache.entries.borrow_mut() = cached;
    for client in [&first, &second] {
        client.get("/Users").expect(401);
        client.send("POST", "/Users", user("eve", "1")).expect(401);
        let shown = world.admin("GET", &format!("{TOKENS}/{}", client.token_id), Value::Null);
        assert_eq!(shown.expect(200).body["data"]["is_active"], false);
        assert_eq!(shown.body["data"]["revoked_at"], "2026-01-02T03:04:05.000Z");
        let path = format!("{TOKENS}/{}/rotate", client.token_id);
        world.admin("POST", &path, Value::Null).expect(404);
    }
    other.get("/Users").expect(200);
    tenant.get("/Users").expect(200);
    // One event for each, and the numbers have no gaps.
    let revoked = world
        .database
        .texts("select resource_id from audit_events where action = 'revoke' order by resource_id");
    let mut wanted = vec![first.token_id.clone(), second.token_id.clone()];
    wanted.sort();
    assert_eq!(revoked, wanted);
    let ends =
        "select max(seq) - count(*) + max(seq) - (select audit_seq from tenants) from audit_events";
    assert_eq!(world.database.number(ends), 0);
}

#[test]
fn a_token_is_not_made_for_a_provider_that_is_deleted_meanwhile() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let idp = provider(&tenant, "OIDC");
    world.database.interference.replace(Some((
        0,
        vec![format!(
            "update identity_providers set deleted_at = 1 where id = '{idp}'"
        )],
    )));
    let body = json!({"tenant_id": tenant.id, "name": "x", "idp_id": idp});
    expect_field(
        &world.admin("POST", TOKENS, body),
        &["body", "idp_id"],
        "value_error",
    );
}

#[test]
fn a_provider_finds_its_own_numbers_and_no_others() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (entra, okta) = (
        client(&tenant, &provider(&tenant, "OIDC")),
        client(&tenant, &provider(&tenant, "SAML")),
    );
    for (client, name) in [(&entra, "ada"), (&okta, "bob"), (&tenant, "cy")] {
        client.send("POST", "/Users", user(name, "1")).expect(201);
        client.send("POST", "/Groups", group(name, "1")).expect(201);
    }
    for (client, own, others) in [
        (&entra, "ada", ["bob", "cy"]),
        (&okta, "bob", ["ada", "cy"]),
    ] {
        assert_eq!(client.find("externalId eq \"1\""), [own]);
        assert_eq!(client.find("externalId pr"), [own]);
        assert_eq!(client.find("externalId sw \"1\" and active eq true"), [own]);
        assert_eq!(client.find("not (externalId pr)"), others);
        assert_eq!(client.find("externalId ne \"1\""), others);
        // By name everybody is found, as before.
        assert_eq!(client.find("userName pr"), ["ada", "bob", "cy"]);
        let groups = client.get("/Groups?filter=externalId%20eq%20%221%22");
        assert_eq!(groups.body["totalResults"], 1, "{}", groups.body);
        assert_eq!(groups.body["Resources"][0]["displayName"], own);
        assert_eq!(groups.trips(), 1);
    }
    // Whoever belongs to no provider sees them all.
    assert_eq!(tenant.find("externalId eq \"1\""), ["ada", "bob", "cy"]);
    // A cursor counts what its own client may find, and is no one else's.
    let page = "/Users?filter=externalId%20pr&count=1&cursor=";
    let first = tenant.get(page);
    let next = first.expect(200).body["nextCursor"]
        .as_str()
        .expect("a cursor");
    tenant.get(&format!("{page}{next}")).expect(200);
    entra
        .get(&format!("{page}{next}"))
        .expect_scim_error(400, "invalidCursor", "cursor");
}

#[test]
fn a_number_belongs_to_who_wrote_it_last() {
    let world = World::new();
    for by_bulk in [false, true] {
        let tenant = world.tenant("compat");
        let (entra, okta) = (
            client(&tenant, &provider(&tenant, "OIDC")),
            client(&tenant, &provider(&tenant, "SAML")),
        );
        let ada = entra
            .send("POST", "/Users", user("ada", "1"))
            .expect(201)
            .id();
        okta.send("POST", "/Users", user("bob", "1")).expect(201);
        let change = |client: &Tenant<'_>, path: &str, value: &str, wanted: u16| {
            let operations = json!([{"op": "replace", "path": path, "value": value}]);
            let path = format!("/Users/{ada}");
            let data = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations,
            });
            let status = match by_bulk {
                false => client.send("PATCH", &path, data).status,
                true => {
                    let body = json!({
                        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                        "Operations": [{"method": "PATCH", "path": path, "data": data}],
                    });
                    let answer = client.send("POST", "/Bulk", body);
                    let status = answer.expect(200).body["Operations"][0]["status"].as_str();
                    status.expect("a status").parse().expect("a number")
                }
            };
            assert_eq!(status, wanted, "by bulk: {by_bulk}");
        };
        // Another attribute, and the name: the number stays Entra's, though Okta has the same one.
        change(&okta, "title", "Countess", 200);
        change(&okta, "userName", "ada.lovelace", 200);
        assert_eq!(entra.find("externalId eq \"1\""), ["ada.lovelace"]);
        assert_eq!(okta.find("externalId eq \"1\""), ["bob"]);
        change(&okta, "externalId", "2", 200);
        assert_eq!(okta.find("externalId eq \"2\""), ["ada.lovelace"]);
        assert_eq!(entra.find("externalId pr"), [""; 0]);
        change(&okta, "externalId", "1", 200);
        assert_eq!(okta.find("externalId eq \"1\""), ["ada.lovelace", "bob"]);
        change(&okta, "externalId", "2", 200);
        change(&entra, "externalId", "1", 200);
        assert_eq!(entra.find("externalId eq \"1\""), ["ada.lovelace"]);
    }
}
