//! Examples of identity providers and their group mappings.

use serde_json::{Map, Value, json};

use super::{GROUP, TENANT, TIME};

const PROVIDER: &str = "01a1fa81-2e11-7a90-b3c4-5d6e7f809a1b";
const MAPPING: &str = "01a1fa81-2f3a-7d21-8e9f-0a1b2c3d4e5f";

fn with(base: Value, more: Value) -> Value {
    let mut merged: Map<String, Value> = base.as_object().cloned().unwrap_or_default();
    merged.extend(more.as_object().cloned().unwrap_or_default());
    Value::Object(merged)
}

fn mapping() -> Value {
    json!({
        "email": "email", "first_name": "given_name", "last_name": "family_name", "display_name": "name",
        "groups": "groups", "extensions": {},
    })
}

fn ldap() -> Value {
    json!({
        "url": "ldaps://ldap.example.com", "bind_dn": "cn=rollcall,dc=example,dc=com", "base_dn": "ou=people,dc=example,dc=com",
        "user_filter": "(objectClass=inetOrgPerson)", "group_base_dn": "ou=groups,dc=example,dc=com",
        "group_filter": "(objectClass=groupOfNames)",
    })
}

pub fn create() -> Value {
    json!({
        "name": "Example Login", "protocol": "OIDC",
        "oidc_config": {"issuer": "https://login.example.com", "client_id": "rollcall", "client_secret": "a secret of the provider"},
        "allowed_domains": ["example.com"],
    })
}

pub fn admin_create() -> Value {
    json!({
        "tenant_id": TENANT, "name": "Example Directory", "provider_type": "LDAP",
        "ldap_config": with(ldap(), json!({"bind_password": "a secret of the directory", "sync_interval_minutes": 60})),
    })
}

pub fn update() -> Value {
    json!({"enabled": false, "attribute_mapping": {"groups": "roles"}})
}

pub fn list_item() -> Value {
    json!({
        "id": PROVIDER, "name": "Example Login", "display_name": null, "protocol": "OIDC", "enabled": true, "created_at": TIME,
    })
}

pub fn provider() -> Value {
    json!({
        "id": PROVIDER, "tenant_id": TENANT, "name": "Example Login", "display_name": null, "protocol": "OIDC", "enabled": true,
        "auto_create_users": true, "update_user_on_login": true,
        "oidc_config": {
            "issuer": "https://login.example.com", "client_id": "rollcall", "authorization_endpoint": null, "token_endpoint": null,
            "userinfo_endpoint": null, "jwks_uri": null, "scopes": ["openid", "profile", "email"], "has_client_secret": true,
        },
        "saml_config": null, "attribute_mapping": mapping(), "allowed_domains": ["example.com"], "created_at": TIME,
        "updated_at": TIME,
    })
}

pub fn admin_provider() -> Value {
    let shown = with(
        ldap(),
        json!({
            "start_tls": false, "unique_id_attribute": "entryUUID", "member_attribute": "member", "page_size": 500,
            "sync_interval_minutes": 60, "missing_user_action": "deactivate", "max_removal_percent": 20,
            "attribute_mapping": {
                "user_name": "uid", "email": "mail", "first_name": "givenName", "last_name": "sn", "display_name": "cn",
                "active": null, "group_name": "cn", "extensions": {},
            },
            "has_bind_password": true,
        }),
    );
    let directory = json!({
        "name": "Example Directory", "protocol": "LDAP", "oidc_config": null, "allowed_domains": [],
        "provider_type": "LDAP", "ldap_config": shown, "last_sync": null,
    });
    with(provider(), directory)
}

pub fn group_mapping_create() -> Value {
    json!({"external_group_id": "cn=engineering,ou=groups,dc=example,dc=com", "external_group_name": "Engineering", "internal_group_id": GROUP})
}

pub fn group_mapping() -> Value {
    with(
        group_mapping_create(),
        json!({"id": MAPPING, "idp_id": PROVIDER, "internal_group_name": "Engineering", "created_at": TIME}),
    )
}

pub fn test_connection() -> Value {
    let message = "https://login.example.com/.well-known/openid-configuration answers 404";
    json!({
        "success": false, "message": format!("reachable: {message}"),
        "details": {"protocol": "OIDC", "checks": [
            {"name": "URL", "ok": true, "message": "https://login.example.com may be asked", "duration_ms": 0},
            {"name": "reachable", "ok": false, "message": message, "duration_ms": 120},
        ]},
    })
}

pub fn reencryption() -> Value {
    json!({"reencrypted": 12, "unreadable": [], "remaining": 0})
}
