//! Making, showing, listing, changing and deleting providers, in both views.

use serde_json::{Value, json};

use super::{BASE, CERTIFICATE, admin_body, base, id_of, names, oidc, provider, saml, with};
use crate::support::World;
use crate::tenants::expect_field;

#[test]
fn a_tenant_makes_an_oidc_provider_with_the_defaults() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let body = json!({"name": " Entra ", "protocol": "oidc", "oidc_config": oidc()});
    let created = world.admin("POST", &base(&tenant), body);
    created.expect(201);
    let id = id_of(&created);
    let wanted = json!({
        "id": id, "tenant_id": tenant.id, "name": "Entra", "display_name": null, "protocol": "OIDC", "enabled": true,
        "auto_create_users": true, "update_user_on_login": true,
        "oidc_config": {
            "issuer": "https://login.example.com", "client_id": "rollcall", "authorization_endpoint": null,
            "token_endpoint": null, "userinfo_endpoint": null, "jwks_uri": null,
            "scopes": ["openid", "profile", "email"], "has_client_secret": true,
        },
        "saml_config": null,
        "attribute_mapping": {
            "email": "email", "first_name": "given_name", "last_name": "family_name", "display_name": "name",
            "groups": "groups", "extensions": {},
        },
        "allowed_domains": [], "created_at": "2026-01-02T03:04:05.000Z", "updated_at": "2026-01-02T03:04:05.000Z",
    });
    assert_eq!(created.body["data"], wanted);
    let read = world.admin("GET", &format!("{}/{id}", base(&tenant)), Value::Null);
    assert_eq!(read.expect(200).body["data"], wanted);

    let list = world.admin("GET", &base(&tenant), Value::Null);
    assert_eq!(
        list.expect(200).body["data"],
        json!([{
            "id": id, "name": "Entra", "display_name": null, "protocol": "OIDC", "enabled": true,
            "created_at": "2026-01-02T03:04:05.000Z",
        }])
    );
}

#[test]
fn an_administrator_sees_the_same_provider_with_more() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for protocol in ["OIDC", "SAML", "LDAP"] {
        let id = provider(&tenant, protocol);
        let path = format!("{}/{id}", base(&tenant));
        let mut wanted = world.admin("GET", &path, Value::Null).body["data"].clone();
        assert!(wanted.get("provider_type").is_none(), "{wanted}");
        let answer = world.admin("GET", &format!("{BASE}/{id}"), Value::Null);
        let shown = &answer.expect(200).body["data"];
        wanted["provider_type"] = protocol.into();
        wanted["ldap_config"] = shown["ldap_config"].clone();
        wanted["last_sync"] = Value::Null;
        assert_eq!(*shown, wanted);
        assert_eq!(shown["ldap_config"].is_null(), protocol != "LDAP");
    }
}

#[test]
fn an_ldap_provider_has_the_defaults_of_a_directory() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let answer = world.admin("POST", BASE, admin_body(&tenant, "LDAP"));
    assert_eq!(
        answer.expect(201).body["data"]["ldap_config"],
        json!({
            "url": "ldaps://ldap.example.com:636", "start_tls": false, "bind_dn": "cn=reader,dc=example,dc=com",
            "base_dn": "ou=people,dc=example,dc=com", "user_filter": "(objectClass=inetOrgPerson)",
            "group_base_dn": null, "group_filter": null, "unique_id_attribute": "entryUUID",
            "member_attribute": "member", "page_size": 500, "sync_interval_minutes": null,
            "missing_user_action": "deactivate", "max_removal_percent": 20,
            "attribute_mapping": {
                "user_name": "uid", "email": "mail", "first_name": "givenName", "last_name": "sn",
                "display_name": "cn", "active": null, "group_name": "cn", "extensions": {},
            },
            "has_bind_password": true,
        })
    );
}

#[test]
fn a_directory_is_read_as_whoever_it_takes() {
    let world = World::new();
    for name in [
        "cn=reader,dc=example,dc=com",
        "CN=svc\\, Rollcall,OU=Service Accounts,DC=corp,DC=example,DC=com",
        "svc@corp.example.com",
        "CORP\\svc",
        "corp.example.com\\svc",
        "jürgen@corp.example.com",
        "{0122334e-5566-7788-99aa-bbccddeeff00}",
        "S-1-5-21-1004336348-1177238915-682003330-1104",
        "svc",
        "cn=a,,dc=b",
        " svc ",
    ] {
        let tenant = world.tenant("compat");
        let mut body = admin_body(&tenant, "LDAP");
        body["ldap_config"]["bind_dn"] = name.into();
        let made = world.admin("POST", BASE, body);
        let config = &made.expect(201).body["data"]["ldap_config"];
        assert_eq!(config["bind_dn"], name);
        let path = format!("{BASE}/{}", id_of(&made));
        let shown = world.admin("GET", &path, Value::Null);
        assert_eq!(shown.expect(200).body["data"]["ldap_config"], *config);
    }
}

#[test]
fn the_filter_of_users_follows_the_attribute_that_identifies_them() {
    const AD: &str = "(&(objectCategory=person)(objectClass=user))";
    const OTHERS: &str = "(objectClass=inetOrgPerson)";
    let world = World::new();
    for (attribute, filter) in [
        (None, OTHERS),
        (Some("entryUUID"), OTHERS),
        (Some("nsUniqueId"), OTHERS),
        (Some("ipaUniqueID"), OTHERS),
        (Some("employeeNumber"), OTHERS),
        (Some("objectGUID"), AD),
        (Some("OBJECTGUID"), AD),
    ] {
        let tenant = world.tenant("compat");
        let mut body = admin_body(&tenant, "LDAP");
        let config = body["ldap_config"].as_object_mut().expect("a config");
        config.remove("user_filter");
        config.extend(attribute.map(|name| ("unique_id_attribute".to_owned(), name.into())));
        let made = world.admin("POST", BASE, body);
        assert_eq!(
            made.expect(201).body["data"]["ldap_config"]["user_filter"],
            filter,
            "{attribute:?}"
        );
        // It follows a change, until one is given; null takes that away.
        let path = format!("{BASE}/{}", id_of(&made));
        for (change, wanted) in [
            (json!({"unique_id_attribute": "objectGUID"}), AD),
            (json!({"user_filter": "(uid=*)"}), "(uid=*)"),
            (json!({"unique_id_attribute": "entryUUID"}), "(uid=*)"),
            (json!({"user_filter": null}), OTHERS),
        ] {
            let changed = world.admin("PATCH", &path, json!({"ldap_config": change}));
            let config = &changed.expect(200).body["data"]["ldap_config"];
            assert_eq!(config["user_filter"], wanted, "{change}");
            let shown = world.admin("GET", &path, Value::Null);
            assert_eq!(shown.expect(200).body["data"]["ldap_config"], *config);
        }
    }
}

#[test]
fn a_saml_provider_has_no_secret_to_keep() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let body = json!({"name": "ADFS", "protocol": "SAML", "saml_config": saml()});
    let answer = world.admin("POST", &base(&tenant), body);
    assert_eq!(
        answer.expect(201).body["data"]["saml_config"],
        json!({
            "entity_id": "https://idp.example.com/metadata", "sso_url": "https://idp.example.com/sso",
            "certificate": CERTIFICATE, "certificates": [CERTIFICATE], "slo_url": null, "sign_requests": true, "want_assertions_signed": true,
            "name_id_format": "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
        })
    );
}

#[test]
fn lists_are_paged_and_narrowed() {
    let world = World::new();
    let first = world.tenant("compat");
    // Ids sort by the time they were made.
    world.clock.advance_seconds(1);
    let second = world.tenant("compat");
    for (tenant, protocol, name, enabled) in [
        (&first, "OIDC", "Entra ÄÖ", true),
        (&first, "SAML", "Okta", false),
        (&first, "LDAP", "Directory", true),
        (&second, "OIDC", "Entra", true),
    ] {
        let body = with(admin_body(tenant, protocol), "name", name.into());
        let body = with(body, "display_name", format!("The {name} of all").into());
        let body = with(body, "enabled", enabled.into());
        world.clock.advance_seconds(1);
        world.admin("POST", BASE, body).expect(201);
    }
    let list = |query: &str| world.admin("GET", &format!("{BASE}{query}"), Value::Null);
    assert_eq!(names(&list("")).len(), 4);
    assert_eq!(names(&list("?provider_type=oidc")), ["Entra ÄÖ", "Entra"]);
    assert_eq!(names(&list("?search=%C3%A4%C3%B6")), ["Entra ÄÖ"]);
    assert_eq!(names(&list("?search=THE%20OKTA")), ["Okta"]);
    assert_eq!(
        names(&list(&format!("?tenant_id={}", second.id))),
        ["Entra"]
    );
    let page = list("?per_page=3&page=2");
    assert_eq!(names(&page), ["Entra"]);
    assert_eq!(
        page.body["pagination"],
        json!({"page": 2, "per_page": 3, "total_items": 4, "total_pages": 2})
    );
    expect_field(
        &list("?provider_type=x"),
        &["query", "provider_type"],
        "enum",
    );
    list("?tenant_id=nobody").expect(200);

    let own = |query: &str| world.admin("GET", &format!("{}{query}", base(&first)), Value::Null);
    assert_eq!(names(&own("")), ["Entra ÄÖ", "Okta", "Directory"]);
    assert_eq!(names(&own("?enabled_only=true")), ["Entra ÄÖ", "Directory"]);
    assert_eq!(names(&own("?protocol=SAML")), ["Okta"]);
    assert_eq!(names(&own("?protocol=SAML&enabled_only=true")), [""; 0]);
    assert_eq!(names(&own("?per_page=2&page=2")), ["Directory"]);
    expect_field(&own("?protocol=KERBEROS"), &["query", "protocol"], "enum");
    expect_field(&own("?protocol="), &["query", "protocol"], "enum");
    expect_field(
        &own("?enabled_only"),
        &["query", "enabled_only"],
        "type_error",
    );
    expect_field(
        &own("?enabled_only=yes"),
        &["query", "enabled_only"],
        "type_error",
    );
    expect_field(&own("?per_page=0"), &["query", "per_page"], "value_error");
    world
        .admin(
            "GET",
            "/api/v1/tenants/nobody/identity-providers",
            Value::Null,
        )
        .expect(404);
}

#[test]
fn a_change_leaves_what_it_does_not_name() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = provider(&tenant, "OIDC");
    let path = format!("{}/{id}", base(&tenant));
    let before = world.admin("GET", &path, Value::Null).body["data"].clone();
    world.clock.advance_seconds(60);
    let change = json!({
        "display_name": "Sign in", "enabled": false, "allowed_domains": ["Example.com", "example.org"],
        "oidc_config": {"jwks_uri": "https://login.example.com/keys", "scopes": ["openid"], "client_secret": null},
        "attribute_mapping": {"groups": "roles"},
    });
    let answer = world.admin("PATCH", &path, change);
    let mut wanted = before.clone();
    wanted["display_name"] = "Sign in".into();
    wanted["enabled"] = false.into();
    wanted["allowed_domains"] = json!(["example.com", "example.org"]);
    wanted["oidc_config"]["jwks_uri"] = "https://login.example.com/keys".into();
    wanted["oidc_config"]["scopes"] = json!(["openid"]);
    wanted["attribute_mapping"]["groups"] = "roles".into();
    wanted["updated_at"] = "2026-01-02T03:05:05.000Z".into();
    assert_eq!(answer.expect(200).body["data"], wanted);
    assert_eq!(
        world.admin("GET", &path, Value::Null).body["data"],
        wanted,
        "it was shown, not stored"
    );
    // Null takes away what may be without a value.
    let change = json!({"display_name": null, "oidc_config": {"jwks_uri": null}});
    let answer = world.admin("PATCH", &format!("{BASE}/{id}"), change);
    wanted["display_name"] = Value::Null;
    wanted["oidc_config"]["jwks_uri"] = Value::Null;
    assert_eq!(
        answer.expect(200).body["data"]["oidc_config"],
        wanted["oidc_config"]
    );
    assert_eq!(answer.body["data"]["display_name"], Value::Null);
    // Nothing at all is a change of nothing.
    world.admin("PATCH", &path, json!({})).expect(200);
}

#[test]
fn a_change_reaches_into_a_directorys_mapping() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = provider(&tenant, "LDAP");
    let path = format!("{BASE}/{id}");
    let change = json!({"ldap_config": {
        "page_size": 100, "sync_interval_minutes": 30, "attribute_mapping": {"email": null, "active": "userAccountControl"},
    }});
    let answer = world.admin("PATCH", &path, change);
    let config = &answer.expect(200).body["data"]["ldap_config"];
    assert_eq!(config["page_size"], 100);
    assert_eq!(config["sync_interval_minutes"], 30);
    assert_eq!(config["attribute_mapping"]["email"], Value::Null);
    assert_eq!(config["attribute_mapping"]["active"], "userAccountControl");
    assert_eq!(config["attribute_mapping"]["user_name"], "uid");
    assert_eq!(config["has_bind_password"], true);
    let answer = world.admin(
        "PATCH",
        &path,
        json!({"ldap_config": {"sync_interval_minutes": null}}),
    );
    let config = &answer.expect(200).body["data"]["ldap_config"];
    assert_eq!(config["sync_interval_minutes"], Value::Null);
    assert_eq!(config["attribute_mapping"]["active"], "userAccountControl");
}

#[test]
fn a_deleted_provider_is_gone_and_its_name_is_free() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for view in [BASE.to_owned(), base(&tenant)] {
        let id = provider(&tenant, "LDAP");
        let path = format!("{view}/{id}");
        let deleted = world.admin("DELETE", &path, Value::Null);
        deleted.expect(204);
        assert_eq!(deleted.body, Value::Null);
        for path in [format!("{BASE}/{id}"), format!("{}/{id}", base(&tenant))] {
            world.admin("GET", &path, Value::Null).expect(404);
            world
                .admin("PATCH", &path, json!({"name": "x"}))
                .expect(404);
            world.admin("DELETE", &path, Value::Null).expect(404);
        }
        assert_eq!(names(&world.admin("GET", BASE, Value::Null)), [""; 0]);
        assert_eq!(
            names(&world.admin("GET", &base(&tenant), Value::Null)),
            [""; 0]
        );
    }
    assert_eq!(
        world
            .database
            .number("select count(*) from identity_providers where secret is not null"),
        0
    );
}

#[test]
fn names_are_unique_in_a_tenant_whatever_their_case() {
    let world = World::new();
    let (tenant, other) = (world.tenant("compat"), world.tenant("compat"));
    let named = |tenant, name: &str| with(admin_body(tenant, "OIDC"), "name", name.into());
    let first = id_of(
        world
            .admin("POST", BASE, named(&tenant, "Straße"))
            .expect(201),
    );
    let second = id_of(world.admin("POST", BASE, named(&tenant, "Weg")).expect(201));
    world
        .admin("POST", BASE, named(&other, "Straße"))
        .expect(201);
    let taken = world.admin("POST", BASE, named(&tenant, "STRASSE"));
    taken.expect(409);
    assert_eq!(
        taken.body,
        json!({"detail": "another identity provider of the tenant has this name"})
    );
    let path = |id: &str| format!("{BASE}/{id}");
    world
        .admin("PATCH", &path(&second), json!({"name": "strasse"}))
        .expect(409);
    world
        .admin("PATCH", &path(&first), json!({"name": "STRASSE"}))
        .expect(200);
}

#[test]
fn every_write_is_audited_by_the_names_of_what_changed() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = provider(&tenant, "OIDC");
    let path = format!("{BASE}/{id}");
    let change = json!({"name": "x", "oidc_config": {"client_secret": "another-secret", "scopes": ["openid"]}});
    world.admin("PATCH", &path, change).expect(200);
    world.admin("DELETE", &path, Value::Null).expect(204);
    let events = world.database.texts(&format!(
        "select actor || ' ' || action || ' ' || attributes from audit_events \
         where resource_type = 'IdentityProvider' and resource_id = '{id}' order by seq"
    ));
    assert_eq!(
        events,
        [
            r#"jwt:root create ["name","protocol","enabled","oidc_config","oidc_config.client_secret"]"#,
            r#"jwt:root patch ["name","oidc_config.client_secret","oidc_config.scopes"]"#,
            "jwt:root delete []",
        ]
    );
}

#[test]
fn a_provider_is_read_in_one_round_trip_and_changed_in_two() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let created = world.admin("POST", BASE, admin_body(&tenant, "LDAP"));
    assert_eq!(created.trips(), 1);
    let path = format!("{BASE}/{}", id_of(&created));
    assert_eq!(world.admin("GET", &path, Value::Null).trips(), 1);
    assert_eq!(world.admin("GET", BASE, Value::Null).trips(), 1);
    assert_eq!(world.admin("PATCH", &path, json!({"name": "x"})).trips(), 2);
    assert_eq!(world.admin("DELETE", &path, Value::Null).trips(), 2);
}

#[test]
fn a_change_in_between_is_not_lost() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = provider(&tenant, "OIDC");
    let path = format!("{BASE}/{id}");
    let meanwhile = |sql: &str| {
        let sql = format!("update identity_providers set {sql} where id = '{id}'");
        world.database.interference.replace(Some((1, vec![sql])));
    };
    // Between the reading and the writing of a change, somebody else changes something else.
    meanwhile("display_name = 'theirs', revision = revision + 1");
    let answer = world.admin(
        "PATCH",
        &path,
        json!({"oidc_config": {"client_id": "ours"}}),
    );
    let data = &answer.expect(200).body["data"];
    assert_eq!(data["display_name"], "theirs");
    assert_eq!(data["oidc_config"]["client_id"], "ours");
    assert_eq!(answer.trips(), 4);
    // Or deletes it.
    meanwhile("deleted_at = 1, revision = revision + 1");
    world
        .admin("PATCH", &path, json!({"name": "late"}))
        .expect(404);
    world
        .database
        .execute("update identity_providers set deleted_at = null");
    meanwhile("deleted_at = 1, revision = revision + 1");
    world.admin("DELETE", &path, Value::Null).expect(404);
}
