//! What is named without its tenant, and is found in another database all the same.

use http::Request;
use serde_json::{Value, json};

use super::{NAMES, TOKENS, tenant_in, text, three, twin};
use crate::support::{Answer, ORIGIN, World};

const PROVIDERS: &str = "/api/v1/admin/identity-providers";

fn by_token(world: &World, token: &str, path: &str) -> Answer {
    let request = Request::get(format!("{ORIGIN}/scim/v2{path}"))
        .header("authorization", format!("Bearer {token}"));
    world.send(request.body(Vec::new()).expect("a request"))
}

/// Each way to forget: not at all, what the instance knows, and the cache besides.
fn forget(world: &mut World, how: usize) {
    if how > 0 {
        world.restart();
    }
    if how > 1 {
        world.cache.entries.borrow_mut().clear();
    }
}

#[test]
fn the_short_base_finds_the_tenant_by_the_token() {
    for name in NAMES {
        let mut world = three();
        let (token, token_id, ada) = {
            let tenant = tenant_in(&world, name);
            let ada = tenant.user("ada");
            (tenant.token, tenant.token_id, ada)
        };
        for how in 0..3 {
            forget(&mut world, how);
            let found = by_token(&world, &token, &format!("/Users/{ada}"));
            assert_eq!(found.expect(200).body["userName"], "ada");
        }
        let path = format!("{TOKENS}{token_id}");
        world.admin("DELETE", &path, Value::Null).expect(204);
        for how in 0..3 {
            forget(&mut world, how);
            by_token(&world, &token, "/Users").expect(401);
        }
    }
}

#[test]
fn a_token_that_was_replaced_leads_to_the_new_one() {
    for name in NAMES {
        let mut world = three();
        let (id, token_id, token) = {
            let tenant = tenant_in(&world, name);
            (tenant.id, tenant.token_id, tenant.token)
        };
        world.restart();
        let rotated = world.admin("POST", &format!("{TOKENS}{token_id}/rotate"), Value::Null);
        let new = text(&rotated.expect(201).body["data"]["token"]);
        for how in 0..3 {
            forget(&mut world, how);
            by_token(&world, &new, "/Users").expect(200);
        }
        // The tenant's end is the end of each.
        let path = format!("{}{id}", super::TENANTS);
        world.admin("DELETE", &path, Value::Null).expect(204);
        for how in 0..3 {
            forget(&mut world, how);
            by_token(&world, &new, "/Users").expect(401);
            by_token(&world, &token, "/Users").expect(401);
        }
        let left = "select count(*) from directory where kind = 'scim_token_hash'";
        for name in NAMES {
            assert_eq!(twin(&world, name).number(left), 0, "{name}");
        }
    }
}

/// What an administrator does to a token or a provider that is named by its id alone.
fn by_id(token: &str, provider: &str) -> Vec<(&'static str, String, Value, u16)> {
    let (token, provider) = (
        format!("{TOKENS}{token}"),
        format!("{PROVIDERS}/{provider}"),
    );
    vec![
        ("GET", token.clone(), Value::Null, 200),
        ("PATCH", token.clone(), json!({"name": "renamed"}), 200),
        ("GET", format!("{token}/endpoint-info"), Value::Null, 200),
        ("GET", provider.clone(), Value::Null, 200),
        ("PATCH", provider.clone(), json!({"name": "renamed"}), 200),
        ("DELETE", provider, Value::Null, 204),
        ("DELETE", token, Value::Null, 204),
    ]
}

#[test]
fn tokens_and_providers_are_found_by_their_ids_alone() {
    for name in NAMES {
        let mut world = three();
        let (id, token, other) = {
            let tenant = tenant_in(&world, name);
            (tenant.id, tenant.token_id, tenant_in(&world, "apac").id)
        };
        let provider = json!({
            "tenant_id": id, "name": "Login", "protocol": "OIDC",
            "oidc_config": {"issuer": "https://idp.example.com", "client_id": "x"},
        });
        let made = world.admin("POST", PROVIDERS, provider);
        let provider = text(&made.expect(201).body["data"]["id"]);
        let nobody = "0197b1a2-0000-7000-8000-000000000000";
        let mut claims = world.claims();
        claims.insert("tenant_id".to_owned(), other.into());
        let theirs = world.jwt(&claims);
        for (method, path, body, status) in by_id(&token, &provider) {
            world.restart();
            if path.contains("endpoint-info") {
                // Its path is the tenant's own.
                continue;
            }
            let refused = world.admin_as(&theirs, method, &path, body.clone());
            refused.expect(404);
            world.admin(method, &path, body).expect(status);
        }
        for (method, path, body, _) in by_id(nobody, nobody) {
            if !path.contains("endpoint-info") {
                world.admin(method, &path, body).expect(404);
            }
        }
    }
}

#[test]
fn the_first_database_has_what_leads_to_each_and_no_more() {
    let world = three();
    let tenants = NAMES.map(|name| tenant_in(&world, name));
    let main = twin(&world, "main");
    let leading =
        main.texts("select tenant_id from directory where kind = 'scim_token' order by 1");
    let mut wanted: Vec<String> = tenants.iter().map(|tenant| tenant.id.clone()).collect();
    wanted.sort();
    assert_eq!(leading, wanted);
    for (name, tenant) in NAMES.iter().zip(&tenants).skip(1) {
        let elsewhere = "select tenant_id from directory where kind = 'scim_token'";
        assert_eq!(twin(&world, name).texts(elsewhere), [tenant.id.as_str()]);
        let rows = format!(
            "select count(*) from scim_tokens where tenant_id = '{}'",
            tenant.id
        );
        assert_eq!(main.number(&rows), 0);
    }
}
