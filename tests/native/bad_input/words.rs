//! The words of errors: this project's, and no parser's.

use serde_json::{Value, json};

use super::send_raw;
use crate::support::plain_words::{NO_JSON, expect_plain};
use crate::support::{Answer, ORIGIN, World};

/// What is wrong is told in words of JSON and of this project, without the value.
#[test]
fn what_is_wrong_with_a_field_is_said_in_plain_words() {
    let world = World::new();
    let cases = [
        (
            json!({"name": 1}),
            "name",
            "it takes a string, not a whole number",
        ),
        (json!({"name": null}), "name", "it takes a string, not null"),
        (
            json!({"name": ["x"]}),
            "name",
            "it takes a string, not an array",
        ),
        (
            json!({"name": {"x": 1}}),
            "name",
            "it takes a string, not an object",
        ),
        (json!({}), "name", "it is required"),
        (
            json!({"name": "x", "nme": "x"}),
            "nme",
            "there is no such field",
        ),
        (
            json!({"name": "x", "scim_profile": "loose"}),
            "scim_profile",
            "it is one of compat, strict",
        ),
        (
            json!({"name": "x", "store_passwords": "yes"}),
            "store_passwords",
            "it takes true or false, not a string",
        ),
    ];
    for (body, field, message) in cases {
        let answer = world.admin("POST", "/api/v1/admin/tenants/", body.clone());
        answer.expect(422);
        let told = &answer.body["detail"][0];
        assert_eq!(told["loc"], json!(["body", field]), "{body}");
        assert_eq!(told["msg"], message, "{body}");
    }
}

/// A list is taken out whole to look further, and is not missed for that.
#[test]
fn a_wrong_element_of_a_list_is_one_fault() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let links = "/api/v1/admin/setup-links".to_owned();
    let streams = format!("/api/v1/tenants/{}/event-streams", tenant.id);
    let stream = json!({"name": "x", "url": "https://x.example.com/"});
    let provider = json!({"tenant_id": tenant.id, "name": "x", "protocol": "LDAP"});
    let providers = "/api/v1/admin/identity-providers/".to_owned();
    let ldap = json!({"url": "ldaps://x.example.com", "bind_dn": [], "base_dn": "dc=x"});
    let word = "it is one of scim, sso, directory";
    for (path, base, field, value, faults) in [
        (
            &links,
            json!({"tenant_id": tenant.id}),
            "allows",
            json!(["admin"]),
            json!([[["allows", 0], word, "enum"]]),
        ),
        (
            &links,
            json!({"tenant_id": tenant.id}),
            "allows",
            json!(["scim", "admin", "x"]),
            json!([[["allows", 1], word, "enum"]]),
        ),
        (
            &links,
            json!({"tenant_id": tenant.id}),
            "allows",
            json!([null]),
            json!([[["allows", 0], "it takes a string, not null", "type_error"]]),
        ),
        (
            &links,
            json!({"tenant_id": tenant.id}),
            "allows",
            json!([1]),
            json!([[
                ["allows", 0],
                "it takes a string, not a whole number",
                "type_error"
            ]]),
        ),
        (
            &links,
            json!({"tenant_id": tenant.id}),
            "allows",
            json!([[]]),
            json!([[
                ["allows", 0],
                "it takes a string, not an array",
                "type_error"
            ]]),
        ),
        (
            &links,
            json!({"tenant_id": tenant.id}),
            "allows",
            json!([{}]),
            json!([[
                ["allows", 0],
                "it takes a string, not an object",
                "type_error"
            ]]),
        ),
        (
            &links,
            json!({"tenant_id": tenant.id}),
            "allows",
            json!("scim"),
            json!([[["allows"], "it takes an array, not a string", "type_error"]]),
        ),
        (
            &links,
            json!({"tenant_id": tenant.id}),
            "more",
            json!(1),
            json!([
                [["more"], "there is no such field", "extra_forbidden"],
                [["allows"], "it is required", "missing"]
            ]),
        ),
        (
            &links,
            json!({"tenant_id": tenant.id, "more": 1}),
            "allows",
            json!([true]),
            json!([
                [["more"], "there is no such field", "extra_forbidden"],
                [
                    ["allows", 0],
                    "it takes a string, not a boolean",
                    "type_error"
                ]
            ]),
        ),
        (
            &streams,
            stream,
            "types",
            json!([1]),
            json!([[
                ["types", 0],
                "it takes a string, not a whole number",
                "type_error"
            ]]),
        ),
        (
            &providers,
            provider,
            "ldap_config",
            ldap,
            json!([[
                ["ldap_config", "bind_dn"],
                "it takes a string, not an array",
                "type_error"
            ]]),
        ),
    ] {
        let mut body = base;
        body[field] = value;
        let answer = world.admin("POST", path, body.clone());
        let told: Vec<Value> = answer.expect(422).body["detail"]
            .as_array()
            .unwrap()
            .iter()
            .map(|fault| {
                let place = &fault["loc"].as_array().unwrap()[1..];
                json!([place, fault["msg"], fault["type"]])
            })
            .collect();
        assert_eq!(json!(told), faults, "{body}");
    }
}

#[test]
fn what_is_no_json_is_told_in_plain_words_with_its_place() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let deep = "[".repeat(33) + &"]".repeat(33);
    let deep = (
        deep.as_bytes(),
        "nested more than 32 deep (line 1, column 34)",
    );
    for (text, words) in NO_JSON.into_iter().chain([deep]) {
        let given = String::from_utf8_lossy(text);
        let scim = send_raw(&tenant, "POST", "/Users", Some("application/json"), text);
        let admin = admin_raw(&world, "POST", "/api/v1/admin/tenants", text);
        scim.expect(400);
        admin.expect(422);
        for (answer, detail) in [
            (&scim, &scim.body["detail"]),
            (&admin, &admin.body["detail"][0]["msg"]),
        ] {
            expect_plain(answer, &given);
            let detail = detail.as_str().expect("a detail");
            assert!(detail.contains("not valid JSON"), "{given}: {detail}");
            assert!(detail.contains(words), "{given}: {detail}");
        }
    }
}

fn admin_raw(world: &World, method: &str, path: &str, body: &[u8]) -> Answer {
    let request = http::Request::builder()
        .method(method)
        .uri(format!("{ORIGIN}{path}"))
        .header(
            "authorization",
            format!("Bearer {}", world.jwt(&world.claims())),
        )
        .header("content-type", "application/json");
    world.send(request.body(body.to_vec()).expect("a request"))
}

const WRONG: [&str; 14] = [
    "null",
    "true",
    "1",
    "-1",
    "1.5",
    "1e300",
    "\"\"",
    "\"x\"",
    "\"\\u0000\"",
    "[]",
    "[1]",
    "{}",
    "{\"x\": 1}",
    "\"https://[::g]/\"",
];

/// Each field of each admin body, with each kind of value.
#[test]
fn no_field_of_an_admin_body_is_refused_in_a_parsers_words() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let base = json!({"tenant_id": tenant.id, "name": "x"});
    let with = |mut body: Value, pointer: &[&str], value: Value| {
        let mut at = &mut body;
        for name in pointer {
            at = &mut at[*name];
        }
        *at = value;
        body
    };
    let provider = |kind: &str| with(base.clone(), &["provider_type"], kind.into());
    let oidc = with(
        provider("OIDC"),
        &["oidc_config"],
        json!({"issuer": "https://login.example.com", "client_id": "x"}),
    );
    let saml = with(
        provider("SAML"),
        &["saml_config"],
        json!({"entity_id": "urn:x", "sso_url": "https://login.example.com", "certificate": "x"}),
    );
    let ldap = with(
        provider("LDAP"),
        &["ldap_config"],
        json!({"url": "ldaps://ldap.example.com", "base_dn": "dc=x", "bind_dn": "cn=x", "bind_password": "x"}),
    );
    let cases: [(&str, &Value, &[&str]); 6] = [
        (
            "/api/v1/admin/tenants",
            &json!({"name": "x"}),
            &["id", "name", "scim_profile", "store_passwords", "unknown"],
        ),
        (
            "/api/v1/admin/scim-tokens",
            &base,
            &[
                "tenant_id",
                "name",
                "scopes",
                "expires_at",
                "idp_id",
                "description",
            ],
        ),
        (
            "/api/v1/admin/identity-providers",
            &base,
            &[
                "provider_type",
                "is_enabled",
                "oidc_config",
                "saml_config",
                "ldap_config",
            ],
        ),
        (
            "/api/v1/admin/identity-providers",
            &oidc,
            &[
                "issuer",
                "client_id",
                "client_secret",
                "scopes",
                "token_endpoint",
                "jwks_uri",
                "email_domains",
            ],
        ),
        (
            "/api/v1/admin/identity-providers",
            &saml,
            &[
                "entity_id",
                "sso_url",
                "certificate",
                "certificates",
                "name_id_format",
            ],
        ),
        (
            "/api/v1/admin/identity-providers",
            &ldap,
            &[
                "url",
                "bind_dn",
                "bind_password",
                "base_dn",
                "user_filter",
                "group_filter",
                "group_base_dn",
                "start_tls",
                "page_size",
                "timeout_ms",
                "attribute_map",
                "unique_id_attribute",
                "member_attribute",
                "max_removal_percent",
            ],
        ),
    ];
    let mut refused = 0;
    for (path, body, fields) in cases {
        let config = ["oidc_config", "saml_config", "ldap_config"]
            .into_iter()
            .find(|name| body.get(name).is_some());
        for field in fields {
            for wrong in WRONG {
                let value: Value = serde_json::from_str(wrong).expect("JSON");
                let pointer: Vec<&str> = config.into_iter().chain([*field]).collect();
                let sent = with(body.clone(), &pointer, value).to_string();
                let answer = admin_raw(&world, "POST", path, sent.as_bytes());
                assert!(answer.status < 500, "{sent}: {}", answer.body);
                refused += usize::from(answer.status >= 400);
                expect_plain(&answer, &sent);
            }
        }
    }
    assert!(refused > 300, "{refused}");
}
