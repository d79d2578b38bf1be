//! What does not hold is named: the field, by its path, and what is wrong with it.

use serde_json::{Value, json};

use super::wrong_values::{VALUE, cases};
use super::{BASE, admin_body, base, id_of, oidc, saml, with};
use crate::support::{Answer, Tenant, World};

/// The fields of a 422, as `(path below the body, type)`.
#[track_caller]
pub fn wrong(answer: &Answer) -> Vec<(String, String)> {
    answer.expect(422);
    let fields = answer.body["detail"].as_array().expect("a list of fields");
    fields
        .iter()
        .map(|field| {
            let loc = field["loc"].as_array().expect("loc");
            assert_eq!(loc[0], "body");
            let path: Vec<String> = loc[1..]
                .iter()
                .map(|part| part.as_str().map_or(part.to_string(), str::to_owned))
                .collect();
            assert!(!field["msg"].as_str().expect("msg").is_empty());
            (
                path.join("."),
                field["type"].as_str().expect("type").to_owned(),
            )
        })
        .collect()
}

/// Puts a value at a path into a body.
fn put(mut body: Value, path: &str, value: Value) -> Value {
    let mut at = &mut body;
    for part in path.split('.') {
        at = &mut at[part];
    }
    *at = value;
    body
}

fn take(mut body: Value, path: &str) -> Value {
    let (parent, name) = path.rsplit_once('.').map_or(("", path), |parts| parts);
    let parent = match parent {
        "" => &mut body,
        name => &mut body[name],
    };
    parent.as_object_mut().expect("an object").remove(name);
    body
}

/// A good body with something at every path that the cases go to.
fn body(tenant: &Tenant<'_>, protocol: &str) -> Value {
    let body = admin_body(tenant, protocol);
    with(body, "attribute_mapping", json!({}))
}

#[test]
fn every_field_is_checked_when_a_provider_is_made() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let before = world.database.dump();
    let mut tried = 0;
    for (protocol, path, values) in cases() {
        for (value, kind) in values {
            let given = put(body(&tenant, protocol), path, value.clone());
            let answer = world.admin("POST", BASE, given);
            assert_eq!(answer.status, 422, "{path} = {value}: {}", answer.body);
            assert_eq!(
                wrong(&answer),
                [(path.to_owned(), kind.to_owned())],
                "{path} = {value}: {}",
                answer.body
            );
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried}");
    assert_eq!(world.database.dump(), before, "something was written");
}

#[test]
fn every_field_is_checked_when_a_provider_is_changed() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let ids: Vec<(&str, String)> = ["OIDC", "SAML", "LDAP"]
        .map(|protocol| {
            (
                protocol,
                id_of(
                    world
                        .admin("POST", BASE, body(&tenant, protocol))
                        .expect(201),
                ),
            )
        })
        .into();
    let rows = || {
        world.database.texts("select name || config || attribute_mapping || allowed_domains || enabled from identity_providers order by id")
    };
    let before = rows();
    for (protocol, path, values) in cases() {
        let (_, id) = ids.iter().find(|(one, _)| *one == protocol).expect("one");
        for (value, kind) in values {
            let given = put(json!({}), path, value.clone());
            let answer = world.admin("PATCH", &format!("{BASE}/{id}"), given);
            // Null leaves what cannot be without a value; inside a configuration it is refused.
            if path == "name" && value.is_null() {
                answer.expect(200);
                continue;
            }
            let kind = if path == "provider_type" {
                "extra_forbidden"
            } else {
                kind
            };
            assert_eq!(answer.status, 422, "{path} = {value}: {}", answer.body);
            assert_eq!(
                wrong(&answer),
                [(path.to_owned(), kind.to_owned())],
                "{path} = {value}: {}",
                answer.body
            );
        }
    }
    assert_eq!(rows(), before, "something was written");
}

#[test]
fn what_is_required_is_missed() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (protocol, path) in [
        ("OIDC", "tenant_id"),
        ("OIDC", "name"),
        ("OIDC", "provider_type"),
        ("OIDC", "oidc_config"),
        ("OIDC", "oidc_config.issuer"),
        ("OIDC", "oidc_config.client_id"),
        ("SAML", "saml_config"),
        ("SAML", "saml_config.entity_id"),
        ("SAML", "saml_config.sso_url"),
        ("SAML", "saml_config.certificate"),
        ("LDAP", "ldap_config"),
        ("LDAP", "ldap_config.url"),
        ("LDAP", "ldap_config.bind_dn"),
        ("LDAP", "ldap_config.base_dn"),
    ] {
        let answer = world.admin("POST", BASE, take(admin_body(&tenant, protocol), path));
        assert_eq!(wrong(&answer), [(path.to_owned(), "missing".to_owned())]);
    }
    let own = json!({"name": "x", "oidc_config": oidc()});
    let answer = world.admin("POST", &base(&tenant), own);
    assert_eq!(
        wrong(&answer),
        [("protocol".to_owned(), "missing".to_owned())]
    );
}

#[test]
fn a_configuration_of_another_protocol_is_refused() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let both = with(admin_body(&tenant, "OIDC"), "saml_config", saml());
    assert_eq!(
        wrong(&world.admin("POST", BASE, both)),
        [("saml_config".to_owned(), VALUE.to_owned())]
    );
    let other = take(
        with(admin_body(&tenant, "OIDC"), "saml_config", saml()),
        "oidc_config",
    );
    assert_eq!(
        wrong(&world.admin("POST", BASE, other)),
        [
            ("saml_config".to_owned(), VALUE.to_owned()),
            ("oidc_config".to_owned(), "missing".to_owned())
        ]
    );
    let id = id_of(
        world
            .admin("POST", BASE, admin_body(&tenant, "OIDC"))
            .expect(201),
    );
    let change = json!({"saml_config": {"sso_url": "https://a.example"}, "ldap_config": {}});
    assert_eq!(
        wrong(&world.admin("PATCH", &format!("{BASE}/{id}"), change)),
        [
            ("saml_config".to_owned(), VALUE.to_owned()),
            ("ldap_config".to_owned(), VALUE.to_owned())
        ]
    );
    for name in ["protocol", "provider_type", "tenant_id"] {
        let answer = world.admin("PATCH", &format!("{BASE}/{id}"), json!({name: "OIDC"}));
        assert_eq!(
            wrong(&answer),
            [(name.to_owned(), "extra_forbidden".to_owned())]
        );
    }
}

#[test]
fn a_tenants_view_has_neither_ldap_nor_what_an_administrator_names() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let good = json!({"name": "x", "protocol": "OIDC", "oidc_config": oidc()});
    for (name, value) in [
        ("tenant_id", json!(tenant.id)),
        ("provider_type", json!("OIDC")),
        ("ldap_config", json!({})),
    ] {
        let answer = world.admin("POST", &base(&tenant), with(good.clone(), name, value));
        assert_eq!(
            wrong(&answer),
            [(name.to_owned(), "extra_forbidden".to_owned())]
        );
    }
    let answer = world.admin(
        "POST",
        &base(&tenant),
        with(good, "protocol", "LDAP".into()),
    );
    assert_eq!(wrong(&answer), [("protocol".to_owned(), "enum".to_owned())]);
    let id = id_of(
        world
            .admin("POST", BASE, admin_body(&tenant, "LDAP"))
            .expect(201),
    );
    let change = json!({"ldap_config": {"page_size": 1}});
    let answer = world.admin("PATCH", &format!("{}/{id}", base(&tenant)), change);
    assert_eq!(
        wrong(&answer),
        [("ldap_config".to_owned(), "extra_forbidden".to_owned())]
    );
}

#[test]
fn protocol_and_provider_type_are_one_field() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let both = |one: &str, other: &str| {
        let body = with(admin_body(&tenant, "OIDC"), "provider_type", one.into());
        world.admin("POST", BASE, with(body, "protocol", other.into()))
    };
    assert_eq!(
        wrong(&both("OIDC", "SAML")),
        [("provider_type".to_owned(), VALUE.to_owned())]
    );
    let made = both("Oidc", "oIDC");
    assert_eq!(made.expect(201).body["data"]["provider_type"], "OIDC");
    assert_eq!(made.body["data"]["protocol"], "OIDC");
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let body = json!({
        "tenant_id": tenant.id, "name": "", "display_name": 1, "provider_type": "OIDC", "enabled": "yes", "colour": 1,
        "oidc_config": {"issuer": "x", "client_id": "", "scopes": "openid", "more": 1},
        "attribute_mapping": {"email": 1, "groups": ""}, "allowed_domains": ["a.com", "no domain", "b"],
    });
    let mut found: Vec<String> = wrong(&world.admin("POST", BASE, body))
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "allowed_domains.1",
            "attribute_mapping.email",
            "attribute_mapping.groups",
            "colour",
            "display_name",
            "enabled",
            "name",
            "oidc_config.client_id",
            "oidc_config.issuer",
            "oidc_config.more",
            "oidc_config.scopes",
        ]
    );
    let id = id_of(
        world
            .admin("POST", BASE, admin_body(&tenant, "OIDC"))
            .expect(201),
    );
    let change = json!({
        "oidc_config": {"issuer": "x", "client_id": ""}, "attribute_mapping": {"email": 1}, "saml_config": {},
    });
    let mut found: Vec<String> = wrong(&world.admin("PATCH", &format!("{BASE}/{id}"), change))
        .into_iter()
        .map(|(path, _)| path)
        .collect();
    found.sort();
    assert_eq!(
        found,
        [
            "attribute_mapping.email",
            "oidc_config.client_id",
            "oidc_config.issuer",
            "saml_config"
        ]
    );
    // And no more than a client can read.
    let mut many = admin_body(&tenant, "OIDC");
    for index in 0..1_000 {
        many[format!("x{index}")] = 1.into();
    }
    assert_eq!(wrong(&world.admin("POST", BASE, many)).len(), 20);
}

#[test]
fn domains_are_names_in_lower_case() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = id_of(
        world
            .admin("POST", BASE, admin_body(&tenant, "OIDC"))
            .expect(201),
    );
    let path = format!("{BASE}/{id}");
    for domain in [
        "",
        "a",
        "a..b",
        ".a.b",
        "a.b.",
        "-a.com",
        "a-.com",
        "a b.com",
        "a@b.com",
        "*.a.com",
        "https://a.com",
        "bücher.de",
        "1.2.3.4",
    ] {
        let answer = world.admin(
            "PATCH",
            &path,
            json!({"allowed_domains": ["good.example", domain]}),
        );
        assert_eq!(
            wrong(&answer),
            [("allowed_domains.1".to_owned(), VALUE.to_owned())],
            "{domain}"
        );
    }
    let long = format!("{}.{}.com", "a".repeat(63), "b-1".repeat(21));
    let answer = world.admin(
        "PATCH",
        &path,
        json!({"allowed_domains": ["Sub.Example.COM", "xn--bcher-kva.de", long]}),
    );
    assert_eq!(
        answer.expect(200).body["data"]["allowed_domains"],
        json!(["sub.example.com", "xn--bcher-kva.de", long])
    );
}
