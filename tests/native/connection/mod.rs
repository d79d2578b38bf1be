//! Tests of the connection to an identity provider.

mod address;
mod oidc;
mod published;
mod saml;
mod slapd;
mod words;

use serde_json::{Value, json};

use crate::support::{Tenant, World};

const PROVIDERS: &str = "/api/v1/admin/identity-providers";

/// A new provider with this configuration; its id.
fn test_provider(tenant: &Tenant<'_>, protocol: &str, config: Value) -> String {
    let name = format!(
        "Provider {}",
        tenant
            .world
            .database
            .number("select count(*) from identity_providers")
    );
    let mut body = json!({"tenant_id": tenant.id, "name": name, "provider_type": protocol});
    for (field, config) in config.as_object().expect("an object") {
        body[field] = config.clone();
    }
    let created = tenant.world.admin("POST", PROVIDERS, body);
    let id = created.expect(201).body["data"]["id"].as_str();
    id.expect("an id").to_owned()
}

/// What the test of a provider says.
fn run(world: &World, id: &str) -> Value {
    let answer = world.admin("POST", &format!("{PROVIDERS}/{id}/test"), Value::Null);
    answer.expect(200).body["data"].clone()
}

fn check_names(data: &Value) -> Vec<&str> {
    let checks = data["details"]["checks"].as_array().expect("checks");
    checks
        .iter()
        .map(|check| check["name"].as_str().expect("a name"))
        .collect()
}
