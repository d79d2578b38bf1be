//! Certificates of SAML providers as people paste them: what is kept and shown is the certificate, and never a private key.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{BASE, CERTIFICATE, admin_body, id_of};
use crate::support::{Answer, Tenant, World};

/// Ten bytes that a reply or a log would have if it had the key.
const KEY_MARK: &str = "S2V5TWFya0";

fn fixture(name: &str) -> String {
    std::fs::read_to_string(format!("tests/fixtures/certificates/{name}.pem")).expect("a fixture")
}

fn bare(pem: &str) -> String {
    pem.lines()
        .filter(|line| !line.starts_with("---"))
        .collect()
}

fn key(label: &str) -> String {
    format!("-----BEGIN {label}-----\nMIIEvQ{KEY_MARK}==\n-----END {label}-----\n")
}

/// The base64 of a DER sequence of these elements.
fn sequence(elements: &[u8]) -> String {
    let length = u8::try_from(elements.len()).expect("short");
    let mut der = vec![0x30, length];
    der.extend_from_slice(elements);
    STANDARD.encode(der)
}

fn send(tenant: &Tenant<'_>, certificate: &str) -> Answer {
    let mut body = admin_body(tenant, "SAML");
    body["saml_config"]["certificate"] = certificate.into();
    let count = tenant
        .world
        .database
        .number("select count(*) from identity_providers");
    body["name"] = format!("Provider {count}").into();
    tenant.world.admin("POST", BASE, body)
}

#[test]
fn a_certificate_is_shown_as_pem_whatever_stood_around_it() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let one_line = CERTIFICATE.trim().replace('\n', " ");
    for text in [
        CERTIFICATE.to_owned(),
        bare(CERTIFICATE),
        format!("  {}\n\n", bare(CERTIFICATE)),
        CERTIFICATE.replace('\n', "\r\n"),
        CERTIFICATE.replace('\n', "\\n"),
        CERTIFICATE.replace('\n', ""),
        one_line,
        format!(
            "Bag Attributes\n    friendlyName: idp\nsubject=/CN=idp\nissuer=/CN=ca\n{CERTIFICATE}bye\n"
        ),
        CERTIFICATE.replace("CERTIFICATE", "X509 CERTIFICATE"),
        format!("{CERTIFICATE}{CERTIFICATE}"),
        format!("-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----\n{CERTIFICATE}"),
    ] {
        let answer = send(&tenant, &text);
        let shown = &answer.expect(201).body["data"]["saml_config"];
        assert_eq!(shown["certificate"], CERTIFICATE, "{text}");
        assert_eq!(shown["certificates"], json!([CERTIFICATE]), "{text}");
    }
    let stored = world
        .database
        .texts("select distinct json_extract(config, '$.certificate') from identity_providers");
    assert_eq!(stored, [CERTIFICATE]);
}

#[test]
fn a_private_key_is_refused_and_told_nowhere() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let pkcs8 = [0x02, 1, 0, 0x30, 2, 0x06, 0, 0x04, 1, 7];
    let encrypted = [0x30, 2, 0x06, 0, 0x04, 2, 7, 7];
    let rsa = [0x02, 1, 0, 0x02, 2, 1, 1];
    let ec = [0x02, 1, 1, 0x04, 1, 7];
    let pkcs12 = [0x02, 1, 3, 0x30, 0];
    let mut texts: Vec<String> = [
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "DSA PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
    ]
    .into_iter()
    .flat_map(|label| {
        let key = key(label);
        [
            format!("{key}{CERTIFICATE}"),
            format!("{CERTIFICATE}{key}"),
            format!("{CERTIFICATE}{key}").replace('\n', "\\n"),
            format!("{CERTIFICATE}{key}").replace('\n', " "),
            key,
        ]
    })
    .collect();
    texts.extend([&pkcs8[..], &encrypted[..], &rsa[..], &ec[..], &pkcs12[..]].map(sequence));
    // A key whose lines say that it is a certificate.
    texts.push(format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n{CERTIFICATE}",
        sequence(&pkcs8)
    ));
    let id = id_of(send(&tenant, CERTIFICATE).expect(201));
    for text in texts {
        let change = json!({"saml_config": {"certificate": text}});
        let patched = world.admin("PATCH", &format!("{BASE}/{id}"), change);
        for answer in [send(&tenant, &text), patched] {
            answer.expect(422);
            let field = &answer.body["detail"][0];
            assert_eq!(field["loc"], json!(["body", "saml_config", "certificate"]));
            let msg = field["msg"].as_str().expect("a message");
            assert!(
                msg.contains("private key") && msg.contains("replace it"),
                "{text}: {msg}"
            );
            assert!(!answer.body.to_string().contains(KEY_MARK));
        }
    }
    assert!(!world.log.0.borrow().join("\n").contains(KEY_MARK));
    assert!(!world.database.dump_text().contains(KEY_MARK));
}

#[test]
fn certificates_of_a_rollover_are_kept_and_the_one_in_force_is_used_first() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let [old, now, next] = ["expired", "ec_p256", "future"].map(fixture);
    for (given, first) in [
        (vec![&old, &now], &now),
        (vec![&now, &next], &now),
        (vec![&next, &now, &old], &now),
        (vec![&old, &next], &old),
        (vec![&next, &old, &next], &next),
    ] {
        let text: String = given.iter().map(|pem| pem.as_str()).collect();
        let answer = send(&tenant, &text);
        let shown = answer.expect(201).body["data"]["saml_config"].clone();
        assert_eq!(shown["certificate"], **first);
        let mut all = given.clone();
        if given.len() == 3 && given[0] == given[2] {
            all.pop();
        }
        assert_eq!(shown["certificates"], json!(all));
        // It depends on the time that it is asked at, and on nothing that is stored.
        let path = format!("{BASE}/{}", id_of(&answer));
        let before = world.clock.0.replace(2_240_000_000_000);
        let later = world.admin("GET", &path, Value::Null);
        world.clock.0.set(before);
        let later = &later.expect(200).body["data"]["saml_config"];
        assert_eq!(later["certificates"], shown["certificates"]);
        // A change of something else keeps them all.
        let change = json!({"saml_config": {"sso_url": "https://idp.example.com/other"}});
        let answer = world.admin("PATCH", &path, change);
        assert_eq!(
            answer.expect(200).body["data"]["saml_config"]["certificates"],
            shown["certificates"]
        );
    }
    let all: String = std::fs::read_dir("tests/fixtures/certificates")
        .expect("fixtures")
        .filter_map(|entry| {
            let name = entry.expect("a file").file_name();
            Some(fixture(name.to_str()?.strip_suffix(".pem")?))
        })
        .collect();
    let answer = send(&tenant, &all);
    answer.expect(422);
    let msg = answer.body["detail"][0]["msg"].as_str().expect("a message");
    assert!(msg.contains("8 are allowed"), "{msg}");
}

#[test]
fn a_private_key_that_an_older_version_stored_is_not_shown_and_goes_with_the_next_change() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = id_of(send(&tenant, CERTIFICATE).expect(201));
    let old = format!(
        "Bag Attributes\n{}{CERTIFICATE}trailing",
        key("RSA PRIVATE KEY")
    );
    world.database.execute(&format!(
        "update identity_providers set config = json_set(config, '$.certificate', '{old}')"
    ));
    let path = format!("{BASE}/{id}");
    for (method, path, body) in [
        ("GET", path.as_str(), Value::Null),
        ("GET", BASE, Value::Null),
        ("POST", &format!("{path}/test"), Value::Null),
    ] {
        let answer = world.admin(method, path, body);
        answer.expect(200);
        assert!(!answer.body.to_string().contains(KEY_MARK));
    }
    assert!(
        world.database.dump_text().contains(KEY_MARK),
        "a read wrote"
    );
    let answer = world.admin("PATCH", &path, json!({"name": "Other"}));
    let shown = &answer.expect(200).body["data"]["saml_config"];
    assert_eq!(shown["certificate"], CERTIFICATE);
    assert!(!world.database.dump_text().contains(KEY_MARK));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever surrounds a certificate, what is found is that certificate; whatever a text is, it is read or refused, and no panic.
    #[test]
    fn any_text_is_read_or_refused(before in "[ -,.-~\n]{0,60}", after in "[ -,.-~\n]{0,60}", noise in "\\PC{0,200}") {
        use rollcall::connection::{certificate, pem};
        let text = format!("{before}\n{CERTIFICATE}{after}");
        let found = certificate::parse(&text).expect("a certificate");
        prop_assert_eq!(found.len(), 1);
        prop_assert_eq!(pem::of_certificate(&found[0].der), CERTIFICATE);
        prop_assert!(certificate::parse(&noise).is_err());
        let _ = pem::has_private_key(&noise);
    }
}
