//! `Idempotency-Key`: what an administrator sends again with the same key is answered as before, and makes nothing a second time.

mod keeping;
mod keys;
mod twins;

use http::{HeaderValue, Request};
use serde_json::{Map, Value, json};

use crate::support::{Answer, ORIGIN, Tenant, World};

const TENANTS: &str = "/api/v1/admin/tenants/";
const TOKENS: &str = "/api/v1/admin/scim-tokens/";

/// A request that makes something.
#[derive(Clone)]
struct Making {
    path: String,
    body: Value,
}

impl Making {
    fn new(path: impl Into<String>, body: Value) -> Self {
        Making {
            path: path.into(),
            body,
        }
    }

    /// Another token for a tenant.
    fn token(tenant: &Tenant<'_>) -> Self {
        Making::new(TOKENS, json!({"tenant_id": tenant.id, "name": "Entra"}))
    }

    fn request(&self, token: &str, keys: &[&[u8]]) -> Request<Vec<u8>> {
        let mut request = Request::builder()
            .method("POST")
            .uri(format!("{ORIGIN}{}", self.path))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json");
        for key in keys {
            let key = HeaderValue::from_bytes(key).expect("a header's value");
            request = request.header("idempotency-key", key);
        }
        let body = match &self.body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        request.body(body).expect("a request")
    }

    fn send_as(&self, world: &World, claims: &Map<String, Value>, key: &str) -> Answer {
        world.send(self.request(&world.jwt(claims), &[key.as_bytes()]))
    }

    fn send(&self, world: &World, key: &str) -> Answer {
        self.send_as(world, &world.claims(), key)
    }

    fn send_without_key(&self, world: &World) -> Answer {
        world.send(self.request(&world.jwt(&world.claims()), &[]))
    }
}

/// A request for each route that takes the header.
fn makings(tenant: &Tenant<'_>) -> Vec<Making> {
    let world = tenant.world;
    let provider = |name: &str| {
        let config = json!({
            "issuer": "https://login.example.com", "client_id": "rollcall", "client_secret": "a-client-secret",
        });
        json!({"name": name, "protocol": "OIDC", "oidc_config": config})
    };
    let mut of_admin = provider("One");
    of_admin["tenant_id"] = tenant.id.clone().into();
    let directory = json!({
        "tenant_id": tenant.id, "name": "Directory", "provider_type": "LDAP", "ldap_config": {
            "url": "ldaps://ldap.example.com", "bind_dn": "cn=reader", "bind_password": "a-bind-password",
            "base_dn": "dc=example,dc=com",
        },
    });
    let providers = "/api/v1/admin/identity-providers";
    let directory = world.admin("POST", providers, directory);
    let directory = directory.expect(201).body["data"]["id"].clone();
    let directory = directory.as_str().expect("an id");
    let of_tenant = format!("/api/v1/tenants/{}/identity-providers", tenant.id);
    let group = tenant.group("Sales", &[]);
    vec![
        Making::new(TENANTS, json!({"name": "Another"})),
        Making::token(tenant),
        Making::new(format!("{TOKENS}{}/rotate", tenant.token_id), Value::Null),
        Making::new(providers, of_admin),
        Making::new(&of_tenant, provider("Two")),
        Making::new(
            format!("{of_tenant}/{directory}/group-mappings"),
            json!({"external_group_id": "cn=sales,dc=example,dc=com", "internal_group_id": group}),
        ),
    ]
}

/// The same reply, but for its own request's id and costs.
#[track_caller]
fn expect_same(answer: &Answer, first: &Answer) {
    assert_eq!(answer.status, first.status, "{}", answer.body);
    assert_eq!(answer.body, first.body);
    for (name, value) in &first.headers {
        if !["x-request-id", "server-timing"].contains(&name.as_str()) {
            assert_eq!(answer.headers.get(name), Some(value), "{name}");
        }
    }
    assert_ne!(answer.header("x-request-id"), first.header("x-request-id"));
}

/// 422 for the header.
#[track_caller]
fn expect_refused(answer: &Answer, kind: &str) {
    let detail = &answer.expect(422).body["detail"];
    assert_eq!(detail[0]["loc"], json!(["header", "Idempotency-Key"]));
    assert_eq!(detail[0]["type"], kind, "{detail}");
}

fn opens(tenant: &Tenant<'_>, token: &Value) -> u16 {
    let token = token.as_str().expect("a token").to_owned();
    let other = Tenant {
        world: tenant.world,
        id: tenant.id.clone(),
        token,
        token_id: String::new(),
    };
    other.get("/Users").status
}

fn kept(world: &World) -> i64 {
    let database = &world.database;
    database.number("select count(*) from kept_replies")
}

#[test]
fn the_same_request_with_the_same_key_is_answered_the_same_and_makes_nothing_more() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (number, making) in makings(&tenant).into_iter().enumerate() {
        let key = format!("key {number}");
        let first = making.send(&world, &key);
        // One trip to look, and those that it takes without a key; a mapping's group is read before it is made.
        let is_read_first = making.path.ends_with("mappings");
        let without = match making.path.ends_with("rotate") || is_read_first {
            true => 2,
            false => 1,
        };
        first.expect(201);
        assert_eq!(first.trips(), 1 + without, "{}", making.path);
        assert_eq!(kept(&world), i64::try_from(number + 1).unwrap_or_default());
        let before = world.database.dump();
        for _ in 0..3 {
            let again = making.send(&world, &key);
            expect_same(&again, &first);
            assert_eq!(again.trips(), 1, "{}", making.path);
        }
        assert_eq!(world.database.dump(), before, "{}", making.path);
    }
}

#[test]
fn a_body_that_is_refused_is_looked_up_once_and_keeps_nothing() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let mut making = Making::token(&tenant);
    making.body["name"] = json!(5);
    let refused = making.send(&world, "one");
    assert_eq!(refused.expect(422).trips(), 1);
    assert_eq!(kept(&world), 0);
    // The key is free for the request as it was meant.
    Making::token(&tenant).send(&world, "one").expect(201);
}

#[test]
fn a_token_that_is_shown_once_is_shown_again_and_opens() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let making = Making::token(&tenant);
    let first = making.send(&world, "one");
    let again = making.send(&world, "one");
    let token = &again.expect(201).body["data"]["token"];
    assert_eq!(*token, first.body["data"]["token"]);
    assert_eq!(opens(&tenant, token), 200);
    // The log tells whose request it was.
    assert!(again.log.contains(&tenant.id), "{}", again.log);
    let path = format!("{TOKENS}{}/rotate", tenant.token_id);
    let rotate = Making::new(path, Value::Null);
    let first = rotate.send(&world, "two");
    // Without the key the old one is gone for who comes again.
    rotate.send_without_key(&world).expect(404);
    let again = rotate.send(&world, "two");
    expect_same(&again, &first);
    assert_eq!(opens(&tenant, &again.body["data"]["token"]), 200);
    assert_eq!(tenant.get("/Users").status, 401);
}

#[test]
fn what_is_revoked_since_is_shown_and_dead() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let making = Making::token(&tenant);
    let first = making.send(&world, "one");
    let path = format!("{TOKENS}{}", first.body["data"]["id"].as_str().unwrap());
    world.admin("DELETE", &path, Value::Null).expect(204);
    let again = making.send(&world, "one");
    expect_same(&again, &first);
    assert_eq!(opens(&tenant, &again.body["data"]["token"]), 401);
}

#[test]
fn without_a_key_a_request_costs_what_it_did_and_nothing_is_kept() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for making in makings(&tenant) {
        let answer = making.send_without_key(&world);
        let trips = if making.path.ends_with("rotate") {
            2
        } else {
            1
        };
        assert_eq!(answer.expect(201).trips(), trips, "{}", making.path);
    }
    assert_eq!(kept(&world), 0);
}

#[test]
fn other_routes_pass_over_the_header() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let body =
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "ada"});
    let header = [("idempotency-key", "one")];
    let post = || tenant.send_with("POST", "/Users", &header, body.clone());
    post().expect(201);
    post().expect(409);
    let reencrypt = "/api/v1/admin/identity-providers/reencrypt";
    let reencrypt = Making::new(reencrypt, Value::Null);
    let claims = world.claims();
    for key in ["one", "ä", ""] {
        reencrypt.send_as(&world, &claims, key).expect(200);
    }
    assert_eq!(kept(&world), 0);
}
