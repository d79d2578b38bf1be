//! The settings that name the databases, and keys that are renewed in all of them.

use proptest::prelude::*;
use rollcall::config::Config;
use rollcall::databases::homes::{Homes, MAX_BYTES};
use rollcall::databases::place::{Place, parse};
use serde_json::{Value, json};

use super::{NAMES, THREE, tenant_in, twin};
use crate::support::{SECRET, World};

const LOCATIONS: [&str; 6] = ["wnam", "enam", "weur", "eeur", "apac", "oc"];
const JURISDICTIONS: [&str; 3] = ["eu", "us", "fedramp"];

#[test]
fn the_newest_migration_is_the_last_file() {
    let files = std::fs::read_dir("migrations").expect("migrations");
    let names = files.map(|file| file.expect("a file").file_name().into_string());
    let last = names.map(|name| name.expect("a name")).max();
    assert_eq!(
        last.as_deref(),
        Some(rollcall::databases::migrations::NEWEST)
    );
}

fn read(variables: &[(&str, &str)]) -> Result<Config, String> {
    Config::read(|name| {
        let base = [
            ("JWT_ISSUER", "https://issuer.example.com"),
            ("JWT_AUDIENCE", "rollcall"),
            ("JWT_LOCAL_SECRET", SECRET),
            ("CURSOR_KEY", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
            (
                "ENCRYPTION_KEY",
                "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=",
            ),
        ];
        let mut all = variables.iter().chain(&base);
        let found = all.find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

#[test]
fn databases_are_named_with_where_they_are_kept() {
    let place = |name: &str, location: Option<&str>, jurisdiction: Option<&str>| Place {
        name: name.to_owned(),
        location: location.map(str::to_owned),
        jurisdiction: jurisdiction.map(str::to_owned),
    };
    let main = || place("main", None, None);
    for (text, wanted) in [
        ("", vec![main()]),
        ("   ", vec![main()]),
        ("eu", vec![main(), place("eu", None, None)]),
        (
            "b:location=oc\n\ta:jurisdiction=fedramp",
            vec![
                main(),
                place("b", Some("oc"), None),
                place("a", None, Some("fedramp")),
            ],
        ),
        (
            "main:location=weur",
            vec![place("main", Some("weur"), None)],
        ),
        (
            "a main:jurisdiction=eu",
            vec![place("main", None, Some("eu")), place("a", None, None)],
        ),
        (
            "a2345678901234567890",
            vec![main(), place("a2345678901234567890", None, None)],
        ),
    ] {
        assert_eq!(parse(text), Ok(wanted), "{text}");
    }
    for (text, named) in [
        ("EU", "EU"),
        ("1a", "1a"),
        ("a-b", "a-b"),
        ("a_b", "a_b"),
        ("ä", "ä"),
        (":location=oc", "``"),
        ("a23456789012345678901", "a23456789012345678901"),
        ("a:", "a:location="),
        ("a:location", "a:location="),
        ("a:location=", "weur"),
        ("a:location=eu", "weur"),
        ("a:jurisdiction=weur", "fedramp"),
        ("a:location=OC", "weur"),
        ("a:location=oc:jurisdiction=eu", "a:location="),
        ("a:place=oc", "jurisdiction="),
        ("a,b", "a,b"),
        ("a a", "twice"),
        ("main main:location=oc", "twice"),
        ("a:location=oc b a:jurisdiction=eu", "twice"),
        ("main:location=oc main:location=oc", "twice"),
    ] {
        let refused = read(&[("DATABASES", text)]).err().unwrap_or_default();
        assert!(
            refused.starts_with("DATABASES: ") && refused.contains(named),
            "{text}: {refused}"
        );
    }
}

#[test]
fn how_large_one_may_become_is_a_number_above_0() {
    assert_eq!(read(&[]).unwrap().database_max_bytes, MAX_BYTES);
    let given = read(&[("DATABASE_MAX_BYTES", "500000000")]).unwrap();
    assert_eq!(given.database_max_bytes, 500_000_000);
    for text in [
        "0",
        "-1",
        "1e9",
        "1.5",
        "10 GB",
        " 5",
        "99999999999999999999",
    ] {
        let refused = read(&[("DATABASE_MAX_BYTES", text)]).err();
        assert!(
            refused.unwrap_or_default().contains("DATABASE_MAX_BYTES"),
            "{text}"
        );
    }
}

/// Text that is near to what is meant.
fn near() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-z][a-z0-9]{0,21}",
        "[A-Za-z0-9_:=-]{0,8}",
        Just("main".to_owned()),
        (
            "[a-c]",
            "(location|jurisdiction|x)",
            "(wnam|weur|eu|us|oc|)"
        )
            .prop_map(|(name, what, value)| format!("{name}:{what}={value}")),
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.join(" "))
}

proptest! {
    /// What is taken is what there can be: written again it is the same; the first one is first, and nobody is there twice.
    #[test]
    fn what_is_taken_is_what_there_can_be(text in prop_oneof![near(), ".*"]) {
        let Ok(places) = parse(&text) else { return Ok(()) };
        prop_assert_eq!(&places[0].name, "main");
        let mut names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        prop_assert_eq!(names.len(), all);
        let mut written = Vec::new();
        for place in &places {
            let letters = place.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
            prop_assert!(letters && (1..=20).contains(&place.name.len()), "{}", place.name);
            prop_assert!(place.name.as_bytes()[0].is_ascii_lowercase());
            written.push(match (&place.location, &place.jurisdiction) {
                (None, None) => place.name.clone(),
                (Some(location), None) if LOCATIONS.contains(&location.as_str()) => {
                    format!("{}:location={location}", place.name)
                }
                (None, Some(under)) if JURISDICTIONS.contains(&under.as_str()) => {
                    format!("{}:jurisdiction={under}", place.name)
                }
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            });
        }
        prop_assert_eq!(parse(&written.join("  ")), Ok(places));
    }

    /// Whatever numbers there are, none overflows, and what is full takes no new tenants.
    #[test]
    fn what_is_full_takes_no_new_tenants(bytes in any::<i64>(), max in 1..i64::MAX) {
        let homes = Homes::new(vec![Place::main()], max);
        prop_assert!(!homes.is_full(bytes) || !homes.takes_new_tenants(bytes));
        let percent = i128::from(bytes) * 100 / i128::from(max);
        prop_assert_eq!(homes.takes_new_tenants(bytes), percent < 80);
        prop_assert_eq!(homes.is_full(bytes), percent >= 99);
    }
}

#[test]
fn keys_are_renewed_in_all_databases() {
    let old = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let new = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let (secret, databases) = (("JWT_LOCAL_SECRET", SECRET), ("DATABASES", THREE));
    let world = World::configured(&[secret, databases, ("ENCRYPTION_KEY", old)]);
    let mut sealed = 0;
    for (number, name) in NAMES.iter().enumerate() {
        for _ in 0..=number {
            let tenant = tenant_in(&world, name);
            let provider = json!({
                "tenant_id": tenant.id, "name": "Login", "protocol": "OIDC",
                "oidc_config": {"issuer": "https://idp.example.com", "client_id": "x", "client_secret": "y"},
            });
            world
                .admin("POST", "/api/v1/admin/identity-providers", provider)
                .expect(201);
            let streams = format!("/api/v1/tenants/{}/event-streams", tenant.id);
            let stream = json!({"name": "x", "url": "https://x.example.com/", "is_active": false});
            world.admin("POST", &streams, stream).expect(201);
            sealed += 2;
        }
    }
    let variables = [
        secret,
        databases,
        ("ENCRYPTION_KEY", new),
        ("ENCRYPTION_KEY_PREVIOUS", old),
    ];
    let mut other = World::configured(&variables);
    other.app.platform = world.app.platform.clone();
    let path = "/api/v1/admin/identity-providers/reencrypt";
    // What cannot be read in one database is named, and keeps none of the others.
    let done = other.admin("POST", path, Value::Null);
    let data = &done.expect(200).body["data"];
    assert_eq!(
        *data,
        json!({"reencrypted": sealed, "remaining": 0, "unreadable": []})
    );
    let again = other.admin("POST", path, Value::Null);
    assert_eq!(again.expect(200).body["data"]["reencrypted"], 0);
    // Each database has the trail of its own tenants.
    for name in NAMES {
        let twin = twin(&world, name);
        let strangers =
            "select count(*) from audit_events where tenant_id not in (select id from tenants)";
        assert_eq!(twin.number(strangers), 0, "{name}");
    }
}
