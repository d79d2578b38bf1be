//! Identity providers (API.md §5, §6): an administrator's view and a tenant's view of one resource.

mod certificates;
mod destinations;
mod extensions;
mod group_mappings;
mod isolation;
mod issuers;
mod lifecycle;
mod missing;
mod secrets;
mod tokens;
mod validation;
mod wrong_values;

use serde_json::{Value, json};

use crate::support::{Answer, Tenant, World};

const BASE: &str = "/api/v1/admin/identity-providers";

/// A certificate for the tests' SAML providers.
const CERTIFICATE: &str = include_str!("../../fixtures/certificates/rsa_2048.pem");

/// The tenant's own base.
fn base(tenant: &Tenant<'_>) -> String {
    format!("/api/v1/tenants/{}/identity-providers", tenant.id)
}

fn oidc() -> Value {
    json!({
        "issuer": "https://login.example.com", "client_id": "rollcall", "client_secret": "a-client-secret",
    })
}

fn saml() -> Value {
    json!({
        "entity_id": "https://idp.example.com/metadata", "sso_url": "https://idp.example.com/sso",
        "certificate": CERTIFICATE,
    })
}

fn ldap() -> Value {
    json!({
        "url": "ldaps://ldap.example.com:636", "bind_dn": "cn=reader,dc=example,dc=com",
        "bind_password": "a-bind-password", "base_dn": "ou=people,dc=example,dc=com",
        "user_filter": "(objectClass=inetOrgPerson)",
    })
}

/// The body of a new provider as an administrator sends it.
fn admin_body(tenant: &Tenant<'_>, protocol: &str) -> Value {
    let (field, config) = match protocol {
        "OIDC" => ("oidc_config", oidc()),
        "SAML" => ("saml_config", saml()),
        _ => ("ldap_config", ldap()),
    };
    json!({
        "tenant_id": tenant.id, "name": format!("Our {protocol}"), "provider_type": protocol, field: config,
    })
}

/// A new provider; its id.
fn provider(tenant: &Tenant<'_>, protocol: &str) -> String {
    let created = tenant
        .world
        .admin("POST", BASE, admin_body(tenant, protocol));
    id_of(created.expect(201))
}

/// The id in an envelope.
fn id_of(answer: &Answer) -> String {
    answer.body["data"]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

/// A JSON object with one field put in.
fn with(mut object: Value, name: &str, value: Value) -> Value {
    object[name] = value;
    object
}

/// The names in a list.
fn names(answer: &Answer) -> Vec<&str> {
    answer.expect(200);
    let data = answer.body["data"].as_array().expect("data");
    data.iter()
        .map(|one| one["name"].as_str().expect("a name"))
        .collect()
}

/// A token of an administrator of that tenant alone.
fn bound(world: &World, tenant: &Tenant<'_>, scope: &str) -> String {
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), tenant.id.clone().into());
    claims.insert("scope".to_owned(), scope.into());
    world.jwt(&claims)
}
