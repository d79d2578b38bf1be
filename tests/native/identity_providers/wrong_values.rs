//! What each field of a provider may not be.

use serde_json::{Value, json};

use super::CERTIFICATE;

pub const TYPE: &str = "type_error";
pub const VALUE: &str = "value_error";

fn long(length: usize) -> Value {
    "x".repeat(length).into()
}

/// Values that a field may not have, each with the type of the error.
pub type Wrong = Vec<(Value, &'static str)>;

/// Protocols and fields of every provider, and of the three configurations, each with what it may not be.
pub fn cases() -> Vec<(&'static str, &'static str, Wrong)> {
    let text = |longest: usize| {
        vec![
            (json!(1), TYPE),
            (json!(["x"]), TYPE),
            (json!(""), VALUE),
            (json!("  "), VALUE),
            (json!("a\u{0}b"), VALUE),
            (long(longest + 1), VALUE),
        ]
    };
    let flag = || vec![(json!("true"), TYPE), (json!(1), TYPE), (json!({}), TYPE)];
    let url = || {
        vec![
            (json!(1), TYPE),
            (json!(""), VALUE),
            (json!("idp.example.com"), VALUE),
            (json!("/path"), VALUE),
            (json!("http://idp.example.com"), VALUE),
            (json!("ftp://idp.example.com"), VALUE),
            (json!("javascript:alert(1)"), VALUE),
            (json!("https://"), VALUE),
            (json!("https://a b.example"), VALUE),
            (json!("https://idp.example.com/\n"), VALUE),
            (json!("https://user:secret@idp.example.com"), VALUE),
            (json!("https://idp.example.com/#x"), VALUE),
            (json!("https://[::g]/"), VALUE),
            (json!("https://BÜCHER.example"), VALUE),
            (json!("https://B%C3%9CCHER.example/"), VALUE),
            (json!("https:B%C3%9CCHER.example"), VALUE),
            (json!("https://%31%32%37.0.0.1"), VALUE),
            (json!("https://idp.example.com:99999"), VALUE),
            (
                json!(format!("https://idp.example.com/{}", "x".repeat(2_048))),
                VALUE,
            ),
        ]
    };
    let required = |mut cases: Vec<(Value, &'static str)>| {
        cases.push((Value::Null, TYPE));
        cases
    };
    let dn = || {
        vec![
            (json!(1), TYPE),
            (json!(""), VALUE),
            (json!("people"), VALUE),
            (json!("ou=a,,dc=b"), VALUE),
            (json!("=x"), VALUE),
            (long(9_000), VALUE),
        ]
    };
    let filter = || {
        vec![
            (json!(1), TYPE),
            (json!(""), VALUE),
            (json!("objectClass=person"), VALUE),
            (json!("(objectClass=person"), VALUE),
            (json!("(&(a=b)"), VALUE),
            (json!("()"), VALUE),
            (json!("(a=b))"), VALUE),
        ]
    };
    let attribute = || {
        vec![
            (json!(1), TYPE),
            (json!(""), VALUE),
            (json!("a b"), VALUE),
            (json!("a=b"), VALUE),
            (json!("1a"), VALUE),
            (long(101), VALUE),
        ]
    };
    let whole = |low: i64, high: i64| {
        vec![
            (json!(low - 1), VALUE),
            (json!(high + 1), VALUE),
            (json!(-1), VALUE),
            (json!("10"), TYPE),
            (json!(10.5), TYPE),
            (json!([]), TYPE),
        ]
    };
    let certificate = vec![
        (json!(1), TYPE),
        (json!(""), VALUE),
        (json!("not base64!"), VALUE),
        (json!("aGVsbG8="), VALUE),
        (
            json!(CERTIFICATE.replace("-----END CERTIFICATE-----", "")),
            VALUE,
        ),
        (
            json!(CERTIFICATE.replace("CERTIFICATE", "PRIVATE KEY")),
            VALUE,
        ),
        (json!(CERTIFICATE.replacen('M', "N", 3)), VALUE),
        (long(70_000), VALUE),
        (Value::Null, TYPE),
    ];
    let mut issuer = required(url());
    issuer.push((json!("https://idp.example.com/?tenant=1"), VALUE));
    let ldap_url = required(vec![
        (json!(1), TYPE),
        (json!(""), VALUE),
        (json!("ldap.example.com"), VALUE),
        (json!("https://ldap.example.com"), VALUE),
        (json!("ldaps://"), VALUE),
        (json!("ldaps://ldap.example.com:0"), VALUE),
        (json!("ldaps://ldap.example.com:65536"), VALUE),
        (json!("ldaps://ldap.example.com:636/dc=example"), VALUE),
        (json!("ldaps://ldap.example.com:636?cn"), VALUE),
        (json!("ldap://cn=a:secret@ldap.example.com"), VALUE),
    ]);
    vec![
        ("OIDC", "name", required(text(200))),
        ("OIDC", "display_name", text(200)),
        ("OIDC", "enabled", flag()),
        ("OIDC", "auto_create_users", flag()),
        ("OIDC", "update_user_on_login", flag()),
        (
            "OIDC",
            "provider_type",
            vec![(json!("KERBEROS"), "enum"), (json!(1), TYPE)],
        ),
        (
            "OIDC",
            "oidc_config",
            vec![
                (json!("x"), TYPE),
                (json!([]), TYPE),
                // What it has, by position.
                (
                    json!([
                        "https://idp.example.com",
                        "client",
                        null,
                        null,
                        null,
                        null,
                        null,
                        ["openid"]
                    ]),
                    TYPE,
                ),
            ],
        ),
        ("OIDC", "oidc_config.issuer", issuer),
        ("OIDC", "oidc_config.client_id", required(text(500))),
        (
            "OIDC",
            "oidc_config.client_secret",
            vec![(json!(""), VALUE), (json!(1), TYPE), (long(4_097), VALUE)],
        ),
        ("OIDC", "oidc_config.authorization_endpoint", url()),
        ("OIDC", "oidc_config.token_endpoint", url()),
        ("OIDC", "oidc_config.userinfo_endpoint", url()),
        ("OIDC", "oidc_config.jwks_uri", url()),
        (
            "OIDC",
            "oidc_config.scopes",
            vec![
                (json!("openid"), TYPE),
                (json!({}), TYPE),
                (Value::Null, TYPE),
            ],
        ),
        (
            "OIDC",
            "oidc_config.colour",
            vec![(json!(1), "extra_forbidden")],
        ),
        ("OIDC", "attribute_mapping.email", required(text(500))),
        ("OIDC", "attribute_mapping.groups", required(text(500))),
        (
            "OIDC",
            "attribute_mapping.colour",
            vec![(json!("x"), "extra_forbidden")],
        ),
        (
            "OIDC",
            "allowed_domains",
            vec![
                (json!("example.com"), TYPE),
                (json!(["a.com", "b.com", "A.com"]), VALUE),
                (json!(vec!["a.com"; 101]), VALUE),
            ],
        ),
        ("OIDC", "colour", vec![(json!(1), "extra_forbidden")]),
        ("OIDC", "id", vec![(json!("x"), "extra_forbidden")]),
        ("SAML", "saml_config.entity_id", required(text(1_024))),
        ("SAML", "saml_config.sso_url", required(url())),
        ("SAML", "saml_config.slo_url", url()),
        ("SAML", "saml_config.certificate", certificate),
        ("SAML", "saml_config.sign_requests", flag()),
        ("SAML", "saml_config.want_assertions_signed", flag()),
        ("SAML", "saml_config.name_id_format", required(text(255))),
        ("LDAP", "ldap_config.url", ldap_url),
        (
            "LDAP",
            "ldap_config.start_tls",
            vec![(json!("no"), TYPE), (json!(true), VALUE)],
        ),
        (
            "LDAP",
            "ldap_config.bind_dn",
            required(vec![
                (json!(1), TYPE),
                (json!(""), VALUE),
                (json!("  "), VALUE),
                (json!("cn=a\n"), VALUE),
                (json!("svc@corp\u{0}"), VALUE),
                (json!("a\u{85}b"), VALUE),
                (long(8_193), VALUE),
            ]),
        ),
        (
            "LDAP",
            "ldap_config.bind_password",
            vec![(json!(""), VALUE), (json!([]), TYPE)],
        ),
        ("LDAP", "ldap_config.base_dn", required(dn())),
        ("LDAP", "ldap_config.user_filter", filter()),
        ("LDAP", "ldap_config.group_base_dn", dn()),
        ("LDAP", "ldap_config.group_filter", filter()),
        (
            "LDAP",
            "ldap_config.unique_id_attribute",
            required(attribute()),
        ),
        (
            "LDAP",
            "ldap_config.member_attribute",
            required(attribute()),
        ),
        ("LDAP", "ldap_config.page_size", required(whole(1, 1_000))),
        (
            "LDAP",
            "ldap_config.sync_interval_minutes",
            whole(5, 10_080),
        ),
        (
            "LDAP",
            "ldap_config.max_removal_percent",
            required(whole(0, 100)),
        ),
        (
            "LDAP",
            "ldap_config.missing_user_action",
            vec![(json!("archive"), "enum"), (json!(1), TYPE)],
        ),
        (
            "LDAP",
            "ldap_config.attribute_mapping",
            vec![(json!("x"), TYPE)],
        ),
    ]
}
