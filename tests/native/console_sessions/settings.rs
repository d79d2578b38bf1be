//! The settings of Access: what is wrong with one is said with its name.

use rollcall::config::Config;
use serde_json::{Value, json};

use crate::support::access::{SETTINGS, TEAM, with_scopes};
use crate::support::{ENCRYPTION_KEY, World};

fn read(changes: &[(&str, &str)]) -> Result<Config, String> {
    Config::read(|name| {
        let of = |all: &[(&str, &str)]| {
            let found = all.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        match name {
            "CURSOR_KEY" | "ENCRYPTION_KEY" => Some(ENCRYPTION_KEY.to_owned()),
            _ => of(changes).or_else(|| of(&SETTINGS)),
        }
    })
}

#[test]
fn what_does_not_hold_is_named() {
    assert!(read(&[]).is_ok_and(|config| config.access.is_some()));
    let none = SETTINGS.map(|(name, _)| (name, ""));
    assert!(read(&none).is_ok_and(|config| config.access.is_none()));
    let table = [
        ("ACCESS_ISSUER", "", "not set"),
        ("ACCESS_AUDIENCE", "", "not set"),
        ("ACCESS_SCOPES", "", "not set"),
        ("ACCESS_ISSUER", "acme", "https://"),
        (
            "ACCESS_ISSUER",
            "http://acme.cloudflareaccess.com",
            "https://",
        ),
        (
            "ACCESS_ISSUER",
            "https://acme.cloudflareaccess.com/x",
            "https://",
        ),
        (
            "ACCESS_ISSUER",
            "https://acme.cloudflareaccess.com?x",
            "https://",
        ),
        (
            "ACCESS_ISSUER",
            "https://a@b.cloudflareaccess.com",
            "https://",
        ),
        ("ACCESS_SCOPES", "admin", "JSON object"),
        ("ACCESS_SCOPES", "[]", "JSON object"),
        ("ACCESS_SCOPES", "{", "JSON object"),
        ("ACCESS_SCOPES", r#"{"ada": "admin"}"#, "`ada`"),
        ("ACCESS_SCOPES", r#"{"@": "admin"}"#, "`@`"),
        ("ACCESS_SCOPES", r#"{"ada@": "admin"}"#, "`ada@`"),
        ("ACCESS_SCOPES", r#"{"group:": "admin"}"#, "`group:`"),
        (
            "ACCESS_SCOPES",
            r#"{"a@b.c": "everything"}"#,
            "`everything`",
        ),
        (
            "ACCESS_SCOPES",
            r#"{"a@b.c": "admin tenants:reed"}"#,
            "`tenants:reed`",
        ),
        ("ACCESS_SCOPES", r#"{"a@b.c": ""}"#, "no scopes"),
        ("ACCESS_SCOPES", r#"{"a@b.c": 1}"#, "no scopes"),
        (
            "ACCESS_SCOPES",
            r#"{"a@b.c": {"tenant_id": "acme"}}"#,
            "no scopes",
        ),
        (
            "ACCESS_SCOPES",
            r#"{"a@b.c": {"scope": "admin", "tenant_id": "A b"}}"#,
            "tenant_id",
        ),
        (
            "ACCESS_SCOPES",
            r#"{"a@b.c": {"scope": "admin", "tenant_id": null}}"#,
            "tenant_id",
        ),
        (
            "ACCESS_SCOPES",
            r#"{"a@b.c": {"scope": "admin", "tenant": "acme"}}"#,
            "`tenant`",
        ),
        (
            "ACCESS_SCOPES",
            r#"{"a@b.c": "tenants:read"}"#,
            "reaches no tenant",
        ),
    ];
    for (name, value, said) in table {
        let Err(reason) = read(&[(name, value)]) else {
            panic!("{name}={value} was taken");
        };
        assert!(
            reason.contains(name) && reason.contains(said),
            "{value}: {reason}"
        );
    }
}

#[test]
fn an_address_may_end_with_a_slash_and_nobody_may_be_given_anything() {
    let slash = format!("{TEAM}/");
    let config = read(&[("ACCESS_ISSUER", &slash), ("ACCESS_SCOPES", "{}")]).unwrap();
    assert_eq!(config.access.unwrap().issuer, TEAM);
    let local = [("ACCESS_ISSUER", "http://127.0.0.1:9000")];
    assert!(read(&local).is_ok());
}

#[test]
fn the_console_is_told() {
    let told = |world: &World| {
        let settings = world.admin("GET", "/console/settings.json", Value::Null);
        settings.expect(200).body["access"].clone()
    };
    assert_eq!(told(&World::new()), json!(false));
    assert_eq!(told(&with_scopes("{}").0), json!(true));
}
