//! Cloudflare Access before the console, as far as this endpoint sees it.

use http::Request;
use serde_json::{Map, Value, json};

use super::keys::{Signer, jwks};
use super::{Answer, ORIGIN, SECRET, World};

pub const TEAM: &str = "https://acme.cloudflareaccess.com";
pub const TAG: &str = "32eafc7626e974616deaf0dc3ce63d7bcbed58a2731e84d06bc3cdf1b53c4228";
pub const CERTS: &str = "https://acme.cloudflareaccess.com/cdn-cgi/access/certs";
pub const SCOPES: &str = r#"{"Ada@Example.com": "admin", "group:readers": "platform tenants:read", "@example.com": {"scope": "tenants:read", "tenant_id": "acme"}}"#;

/// The settings of Access.
pub const SETTINGS: [(&str, &str); 3] = [
    ("ACCESS_ISSUER", TEAM),
    ("ACCESS_AUDIENCE", TAG),
    ("ACCESS_SCOPES", SCOPES),
];

/// A world with Access before its console, and the key by which that signs.
pub fn world() -> (World, Signer) {
    with_scopes(SCOPES)
}

/// The same, where the setting says who may do what.
pub fn with_scopes(scopes: &str) -> (World, Signer) {
    with_settings(scopes, &[])
}

/// The same with further settings, and with two databases where these say so.
pub fn with_settings(scopes: &str, more: &[(&'static str, &'static str)]) -> (World, Signer) {
    let mut settings = SETTINGS.to_vec();
    settings.pop();
    settings.push(("ACCESS_SCOPES", scopes));
    settings.push(("JWT_LOCAL_SECRET", SECRET));
    settings.extend(more);
    let world = World::configured(&settings);
    let key = Signer::rsa(2048);
    publish(&world, &[key.jwk("one")]);
    (world, key)
}

pub fn publish(world: &World, keys: &[Value]) {
    let mut documents = world.web.documents.borrow_mut();
    documents.insert(CERTS.to_owned(), jwks(keys).into_bytes());
}

/// What Access says of somebody, for a day.
pub fn claims(world: &World, email: &str) -> Map<String, Value> {
    let now = world.clock.0.get() / 1_000;
    let claims = json!({
        "aud": [TAG], "email": email, "exp": now + 86_400, "iat": now, "nbf": now, "iss": TEAM, "type": "app",
        "identity_nonce": "6ei69kawdKzMIAPF", "sub": "7335d417-61da-459d-899c-0a01c76a2f94", "country": "US",
    });
    claims.as_object().expect("an object").clone()
}

/// The console's request, as a browser sends it and Access hands it on.
pub fn exchange(world: &World, assertion: &str) -> Answer {
    exchange_with(world, &[("cf-access-jwt-assertion", assertion)])
}

/// The same with other headers: what is named here takes the place of what is sent, and an empty text leaves it out.
pub fn exchange_with(world: &World, headers: &[(&str, &str)]) -> Answer {
    let usual = [
        ("content-type", "application/json"),
        ("sec-fetch-site", "same-origin"),
    ];
    let mut request = Request::post(format!("{ORIGIN}/console/session"));
    let is_other = |name: &str| headers.iter().any(|(other, _)| *other == name);
    let kept = usual.iter().filter(|(name, _)| !is_other(name));
    for (name, value) in kept.chain(headers) {
        if !value.is_empty() {
            request = request.header(*name, *value);
        }
    }
    world.send(request.body(b"{}".to_vec()).expect("a request"))
}

/// The token that the console gets.
#[track_caller]
pub fn token(answer: &Answer) -> String {
    let token = answer.expect(201).body["data"]["token"].as_str();
    token.expect("a token").to_owned()
}
