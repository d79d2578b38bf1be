//! Set-up links: who makes them, what they open, and how they end.

mod allowances;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Answer, ORIGIN, Tenant, World};

const LINKS: &str = "/api/v1/admin/setup-links";
const DAY: i64 = 86_400;

struct Link {
    id: String,
    secret: String,
}

fn made(world: &World, body: Value) -> Link {
    let answer = world.admin("POST", LINKS, body);
    let data = &answer.expect(201).body["data"];
    let url = data["url"].as_str().unwrap();
    let (page, secret) = url.rsplit_once('/').unwrap();
    let tenant = data["tenant_id"].as_str().unwrap();
    assert_eq!(page, format!("{ORIGIN}/setup/#{tenant}"));
    Link {
        id: data["id"].as_str().unwrap().to_owned(),
        secret: secret.to_owned(),
    }
}

fn link(tenant: &Tenant<'_>, allows: Value) -> Link {
    made(
        tenant.world,
        json!({"tenant_id": tenant.id, "allows": allows}),
    )
}

/// A request with a credential below a tenant's set-up.
fn by(
    world: &World,
    credential: &str,
    tenant: &str,
    method: &str,
    path: &str,
    body: Value,
) -> Answer {
    let path = format!("/api/v1/tenants/{tenant}/setup{path}");
    world.admin_as(credential, method, &path, body)
}

/// A SCIM request with a credential.
fn scim(world: &World, credential: &str, tenant: &str, method: &str, body: Value) -> Answer {
    let path = format!("/api/v1/tenants/{tenant}/scim/v2/Users");
    world.admin_as(credential, method, &path, body)
}

fn shown(tenant: &Tenant<'_>, link: &Link) -> Answer {
    by(
        tenant.world,
        &link.secret,
        &tenant.id,
        "GET",
        "",
        Value::Null,
    )
}

fn token(tenant: &Tenant<'_>, link: &Link) -> Answer {
    let body = json!({"name": "Entra ID"});
    by(
        tenant.world,
        &link.secret,
        &tenant.id,
        "POST",
        "/scim-tokens",
        body,
    )
}

fn provider(tenant: &Tenant<'_>, protocol: &str) -> Value {
    let (field, config) = match protocol {
        "OIDC" => (
            "oidc_config",
            json!({"issuer": "https://login.example.com", "client_id": "x", "client_secret": "hush"}),
        ),
        _ => (
            "ldap_config",
            json!({
                "url": "ldaps://directory.example.com", "bind_dn": "cn=x", "bind_password": "hush", "base_dn": "dc=example",
                "user_filter": "(uid=*)",
            }),
        ),
    };
    json!({"tenant_id": tenant.id, "name": protocol, "protocol": protocol, field: config})
}

#[test]
fn it_is_shown_once_listed_and_revoked() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let link = link(&tenant, json!(["scim", "sso", "scim"]));
    let list = world.admin(
        "GET",
        &format!("{LINKS}?tenant_id={}", tenant.id),
        Value::Null,
    );
    let listed = &list.expect(200).body["data"];
    assert_eq!(listed.as_array().unwrap().len(), 1);
    assert_eq!(listed[0]["allows"], json!(["scim", "sso"]));
    assert_eq!(listed[0]["last_used_at"], Value::Null);
    assert!(!list.body.to_string().contains(&link.secret));
    assert!(!format!("{:?}", world.database.dump_all()).contains(&link.secret));
    shown(&tenant, &link).expect(200);
    let list = world.admin("GET", LINKS, Value::Null);
    assert_ne!(list.body["data"][0]["last_used_at"], Value::Null);
    let one = format!("{LINKS}/{}?tenant_id={}", link.id, tenant.id);
    world.admin("DELETE", &one, Value::Null).expect(204);
    assert_eq!(shown(&tenant, &link).status, 401);
    assert_eq!(token(&tenant, &link).status, 401);
    assert_eq!(world.admin("DELETE", &one, Value::Null).status, 404);
    world.background.finish();
    assert!(!format!("{:?}", world.database.dump_all()).contains(&link.secret));
}

#[test]
fn what_is_wrong_with_a_new_one_is_named() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = &tenant.id;
    for (body, place) in [
        (json!({"allows": ["scim"]}), "tenant_id"),
        (json!({"tenant_id": id}), "allows"),
        (json!({"tenant_id": id, "allows": []}), "allows"),
        (json!({"tenant_id": id, "allows": ["admin"]}), "allows"),
        (json!({"tenant_id": id, "allows": "scim"}), "allows"),
        (
            json!({"tenant_id": id, "allows": ["scim"], "expires_at": "2020-01-01T00:00:00Z"}),
            "expires_at",
        ),
        (
            json!({"tenant_id": id, "allows": ["scim"], "expires_at": "2026-03-01T00:00:00Z"}),
            "expires_at",
        ),
        (
            json!({"tenant_id": id, "allows": ["scim"], "expires_at": "soon"}),
            "expires_at",
        ),
        (
            json!({"tenant_id": id, "allows": ["scim"], "more": 1}),
            "more",
        ),
    ] {
        let answer = world.admin("POST", LINKS, body.clone());
        assert_eq!(answer.status, 422, "{body}");
        let told = answer.body["detail"][0].to_string();
        assert!(told.contains(place), "{body}: {told}");
    }
    let unknown = json!({"tenant_id": "nobody", "allows": ["scim"]});
    assert_eq!(world.admin("POST", LINKS, unknown).status, 404);
}

#[test]
fn it_ends_by_itself_and_with_its_tenant() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let usual = link(&tenant, json!(["scim"]));
    world.clock.advance_seconds(7 * DAY - 1);
    shown(&tenant, &usual).expect(200);
    world.clock.advance_seconds(1);
    assert_eq!(shown(&tenant, &usual).status, 401);
    let list = world.admin("GET", LINKS, Value::Null);
    assert_eq!(list.body["data"], json!([]));
    // Its row goes when the next one is made.
    let next = link(&tenant, json!(["scim"]));
    assert_eq!(world.database.number("select count(*) from setup_links"), 1);
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    world.admin("DELETE", &path, Value::Null).expect(204);
    assert_eq!(shown(&tenant, &next).status, 401);
    world
        .admin("POST", &format!("{path}/restore"), Value::Null)
        .expect(200);
    assert_eq!(shown(&tenant, &next).status, 401);
}

#[test]
fn a_tenant_has_a_hundred_at_most() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let body = json!({"tenant_id": tenant.id, "allows": ["scim"]});
    for _ in 0..100 {
        world.admin("POST", LINKS, body.clone()).expect(201);
    }
    let answer = world.admin("POST", LINKS, body);
    assert_eq!(answer.status, 409);
    assert!(answer.body.to_string().contains("100"));
}

/// Nobody gives more than they have.
#[test]
fn its_maker_has_what_it_allows() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (scopes, allows, status) in [
        ("tenants:write scim-tokens:write", json!(["scim"]), 201),
        (
            "tenants:write scim-tokens:write",
            json!(["scim", "sso"]),
            403,
        ),
        (
            "tenants:write identity-providers:write",
            json!(["sso", "directory"]),
            201,
        ),
        (
            "tenants:write identity-providers:write",
            json!(["scim"]),
            403,
        ),
        (
            "scim-tokens:write identity-providers:write",
            json!(["scim"]),
            403,
        ),
    ] {
        let mut claims = world.claims();
        claims.insert("scope".to_owned(), scopes.into());
        claims.insert("tenant_id".to_owned(), tenant.id.clone().into());
        let body = json!({"allows": allows});
        let answer = world.admin_as(&world.jwt(&claims), "POST", LINKS, body);
        assert_eq!(answer.status, status, "{scopes} {allows}");
    }
}

#[test]
fn it_mints_a_token_and_shows_what_came_of_it() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    let named = json!({"product_name": "Acme", "product_color": "#0B5fff"});
    world.admin("PATCH", &path, named).expect(200);
    let link = link(&tenant, json!(["scim"]));
    let before = shown(&tenant, &link).expect(200).body["data"].clone();
    assert_eq!(before["product_name"], "Acme");
    assert_eq!(before["product_color"], "#0B5fff");
    assert_eq!(before["scim_tokens"], json!([]));
    assert_eq!(before["requests"], json!([]));
    let minted = token(&tenant, &link);
    let data = &minted.expect(201).body["data"];
    let secret = data["token"].as_str().unwrap();
    assert_eq!(data["created_by"], format!("setup-link:{}", link.id));
    let user = |name: &str, body: Value| {
        let answer = scim(&world, secret, &tenant.id, "POST", body);
        (answer.status, name.to_owned())
    };
    assert_eq!(user("", json!({"displayName": "x"})).0, 400);
    assert_eq!(user("ada", json!({"userName": "ada"})).0, 201);
    // Another client of the tenant is none of its business.
    tenant.user("grace");
    let wrong = format!("{}x", &secret[..secret.len() - 1]);
    assert_eq!(
        scim(&world, &wrong, &tenant.id, "GET", Value::Null).status,
        401
    );
    world.background.finish();
    let after = shown(&tenant, &link).expect(200).body["data"].clone();
    assert_eq!(after["users_total"], 2);
    let newest = after["newest_users"].as_array().unwrap().iter();
    let mut newest: Vec<_> = newest
        .filter_map(|user| user["user_name"].as_str())
        .collect();
    newest.sort_unstable();
    assert_eq!(newest[0], "ada");
    let requests = after["requests"].as_array().unwrap();
    let statuses: Vec<_> = requests.iter().map(|one| one["status"].as_i64()).collect();
    assert_eq!(statuses, [Some(201), Some(400)]);
    let detail = requests[1]["detail"].as_str().unwrap();
    assert!(detail.contains("userName"), "{detail}");
    assert!(!after.to_string().contains(secret));
    // Each change is told as the link's.
    let events = format!("/api/v1/admin/audit-events?tenant_id={}", tenant.id);
    let events = world.admin("GET", &events, Value::Null);
    let actor = format!("setup-link:{}", link.id);
    let of_link = events.body["data"].as_array().unwrap().iter();
    assert_eq!(of_link.filter(|event| event["actor"] == actor).count(), 1);
    for _ in 1..10 {
        token(&tenant, &link).expect(201);
    }
    assert_eq!(token(&tenant, &link).status, 409);
}

#[test]
fn it_sets_up_the_kinds_of_providers_that_it_allows() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (allows, protocol, other) in [("sso", "OIDC", "LDAP"), ("directory", "LDAP", "OIDC")] {
        let link = link(&tenant, json!([allows]));
        let send = |method: &str, path: &str, body: Value| {
            by(&world, &link.secret, &tenant.id, method, path, body)
        };
        let path = "/identity-providers";
        assert_eq!(send("POST", path, provider(&tenant, other)).status, 403);
        assert_eq!(token(&tenant, &link).status, 403);
        let made = send("POST", path, provider(&tenant, protocol));
        let id = made.expect(201).body["data"]["id"].as_str().unwrap();
        assert!(!made.body.to_string().contains("hush"));
        let one = format!("{path}/{id}");
        send("GET", &one, Value::Null).expect(200);
        send("PATCH", &one, json!({"enabled": false})).expect(200);
        let elsewhere = "/api/v1/admin/identity-providers";
        let of_other = provider(&tenant, other);
        let mut renamed = of_other.clone();
        renamed["name"] = format!("{other} of others").into();
        let of_other = world.admin("POST", elsewhere, renamed);
        let hidden = of_other.expect(201).body["data"]["id"].as_str().unwrap();
        for (method, path, body) in [
            ("GET", format!("{path}/{hidden}"), Value::Null),
            (
                "PATCH",
                format!("{path}/{hidden}"),
                json!({"enabled": false}),
            ),
            ("POST", format!("{path}/{hidden}/test"), Value::Null),
        ] {
            assert_eq!(send(method, &path, body).status, 404, "{method} {path}");
        }
        let shown = shown(&tenant, &link);
        let listed = shown.expect(200).body["data"]["identity_providers"].clone();
        let listed: Vec<_> = listed.as_array().unwrap().iter().collect();
        assert!(listed.iter().all(|one| one["protocol"] == protocol));
        assert!(listed.iter().any(|one| one["id"] == id));
    }
}

/// A link opens its tenant's set-up and nothing else; and nothing else opens that.
#[test]
fn it_is_no_other_credential_and_no_other_is_one() {
    let world = World::new();
    let (tenant, other) = (world.tenant("compat"), world.tenant("compat"));
    let link = link(&tenant, json!(["scim", "sso", "directory"]));
    let root = world.jwt(&world.claims());
    let mut claims = world.claims();
    claims.insert("sub".to_owned(), format!("setup-link:{}", link.id).into());
    let named_so = world.jwt(&claims);
    for credential in [&tenant.token, &root, &named_so, &String::new()] {
        let answer = by(&world, credential, &tenant.id, "GET", "", Value::Null);
        assert_eq!(answer.status, 401);
    }
    let answer = by(&world, &link.secret, &other.id, "GET", "", Value::Null);
    assert_eq!(answer.status, 401);
    let answer = scim(&world, &link.secret, &tenant.id, "GET", Value::Null);
    assert_eq!(answer.status, 401);
    for (method, path) in [
        ("GET", format!("/api/v1/admin/tenants/{}", tenant.id)),
        ("GET", LINKS.to_owned()),
        ("POST", "/api/v1/admin/scim-tokens".to_owned()),
        ("GET", format!("/api/v1/tenants/{}/events", tenant.id)),
        (
            "GET",
            format!("/api/v1/tenants/{}/identity-providers", tenant.id),
        ),
    ] {
        let answer = world.admin_as(&link.secret, method, &path, Value::Null);
        assert_eq!(answer.status, 401, "{method} {path}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever else stands in the place of a secret opens nothing, and breaks nothing.
    #[test]
    fn what_is_no_secret_opens_nothing(text in "(rsl_)?[ -~]{0,80}", cut in 0_usize..53, letter in "[0-9A-Za-z]") {
        let world = World::new();
        let tenant = world.tenant("compat");
        let link = link(&tenant, json!(["scim"]));
        let mut changed = link.secret.clone();
        changed.replace_range(cut..=cut, &letter);
        for credential in [text, link.secret[..cut].to_owned(), format!("{}{letter}", link.secret)] {
            let answer = by(&world, &credential, &tenant.id, "GET", "", Value::Null);
            prop_assert_eq!(answer.status, 401, "{}", credential);
        }
        let answer = by(&world, &changed, &tenant.id, "GET", "", Value::Null);
        prop_assert_eq!(answer.status == 200, changed == link.secret);
    }
}
