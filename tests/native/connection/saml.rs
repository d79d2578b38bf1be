//! The test of a SAML provider: its certificate, and its metadata where it publishes any.

use rollcall::platform::HttpError;
use serde_json::{Value, json};

use super::{check_names, run, test_provider};
use crate::support::World;

const ENTITY: &str = "https://idp.acme.example/metadata";
const SSO: &str = "https://idp.acme.example/sso";

fn certificate(name: &str) -> String {
    std::fs::read_to_string(format!("tests/fixtures/certificates/{name}.pem")).expect("a fixture")
}

/// The base64 between the lines of a PEM.
fn bare(pem: &str) -> String {
    pem.lines()
        .filter(|line| !line.starts_with("---"))
        .collect()
}

fn metadata(entity: &str, sso: &str, signing: &str) -> String {
    format!(
        r#"<?xml version="1.0"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{entity}">
 <md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
  <md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>
   {signing}
  </ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
  <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso}"/>
 </md:IDPSSODescriptor>
</md:EntityDescriptor>"#
    )
}

fn config(certificate: &str) -> Value {
    json!({"saml_config": {"entity_id": ENTITY, "sso_url": SSO, "certificate": certificate}})
}

fn serve(world: &World, document: &str) {
    let mut documents = world.web.documents.borrow_mut();
    documents.insert(ENTITY.to_owned(), document.as_bytes().to_vec());
}

/// Runs the test of a provider with this configuration; the last check, and whether all passed.
fn last(world: &World, config: Value) -> (bool, String, String) {
    let tenant = world.tenant("compat");
    let data = run(world, &test_provider(&tenant, "SAML", config));
    let checks = data["details"]["checks"].as_array().expect("checks");
    let check = checks.last().expect("a check");
    let text = |name: &str| check[name].as_str().expect("a text").to_owned();
    assert_eq!(data["success"], check["ok"], "{data}");
    (check["ok"] == true, text("name"), text("message"))
}

#[track_caller]
fn expect_last(world: &World, config: Value, ok: bool, name: &str, words: &[&str]) {
    let (found_ok, found, message) = last(world, config);
    assert_eq!((found_ok, found.as_str()), (ok, name), "{message}");
    for word in words {
        assert!(message.contains(word), "`{message}` lacks `{word}`");
    }
}

#[test]
fn a_provider_as_it_should_be_passes_every_stage() {
    let world = World::new();
    let pem = certificate("rsa_2048");
    serve(&world, &metadata(ENTITY, SSO, &bare(&pem)));
    let tenant = world.tenant("compat");
    let data = run(&world, &test_provider(&tenant, "SAML", config(&pem)));
    assert_eq!(data["success"], true, "{data}");
    assert_eq!(
        check_names(&data),
        ["certificate", "validity", "key", "SSO URL", "metadata"]
    );
    let messages: Vec<&str> = data["details"]["checks"]
        .as_array()
        .expect("checks")
        .iter()
        .map(|check| check["message"].as_str().expect("a message"))
        .collect();
    assert_eq!(
        messages[0],
        "it is the certificate of rsa_2048.idp.example.com"
    );
    assert_eq!(
        messages[1],
        "it is valid for 6938 days more, until 2045-01-01T00:00:00Z"
    );
    assert_eq!(messages[2], "RSA of 2048 bits");
    assert_eq!(
        messages[4],
        "the metadata name the same certificate and address"
    );
    // Bare base64 is the same certificate.
    expect_last(&world, config(&bare(&pem)), true, "metadata", &["the same"]);
}

#[test]
fn certificates_are_judged_by_their_dates_and_keys() {
    let world = World::new();
    for (name, stage, words) in [
        (
            "expired",
            "validity",
            vec!["expired on 2025-12-01", "32 days ago"],
        ),
        ("future", "validity", vec!["not valid before 2040-01-01"]),
        ("rsa_1024", "key", vec!["1024 bits", "2048 are needed"]),
        ("rsa_2048_md5", "key", vec!["MD5"]),
        ("ec_p224", "key", vec!["curve"]),
    ] {
        expect_last(&world, config(&certificate(name)), false, stage, &words);
    }
    for (name, check, message) in [
        (
            "ending",
            1,
            "it is valid for 9 days more, until 2026-01-12T00:00:00Z; replace it soon",
        ),
        ("ec_p256", 2, "EC P-256"),
        ("ed25519", 2, "Ed25519"),
        (
            "rsa_2048_sha1",
            2,
            "RSA of 2048 bits; the certificate is signed with SHA-1, which is out of date: have it replaced",
        ),
    ] {
        let tenant = world.tenant("compat");
        let data = run(
            &world,
            &test_provider(&tenant, "SAML", config(&certificate(name))),
        );
        assert_eq!(data["success"], true, "{data}");
        assert_eq!(data["details"]["checks"][check]["message"], message);
    }
}

#[test]
fn an_entity_that_serves_no_metadata_is_no_failure() {
    let world = World::new();
    let pem = certificate("rsa_2048");
    let named = |entity: &str| json!({"saml_config": {"entity_id": entity, "sso_url": SSO, "certificate": pem}});
    expect_last(
        &world,
        named(ENTITY),
        true,
        "metadata",
        &["404", "nothing to compare"],
    );
    let errors = [
        HttpError::Timeout(5_000),
        HttpError::Unreachable("no".to_owned()),
    ];
    for error in errors {
        world
            .web
            .errors
            .borrow_mut()
            .insert(ENTITY.to_owned(), error);
        expect_last(
            &world,
            named(ENTITY),
            true,
            "metadata",
            &["nothing to compare"],
        );
    }
    world.web.errors.borrow_mut().clear();
    for document in [
        "<!DOCTYPE html><html><p>",
        "hello",
        "",
        "{}",
        "<a/>",
        "\u{1}\u{2}<",
    ] {
        serve(&world, document);
        expect_last(
            &world,
            named(ENTITY),
            true,
            "metadata",
            &["nothing to compare"],
        );
    }
    let before = world.web.fetches.get();
    for entity in [
        "urn:acme:idp",
        "http://idp.acme.example",
        "https://127.0.0.1/metadata",
    ] {
        expect_last(&world, named(entity), true, "metadata", &["no address"]);
    }
    assert_eq!(world.web.fetches.get(), before);
}

#[test]
fn metadata_that_say_otherwise_fail() {
    let world = World::new();
    let pem = certificate("rsa_2048");
    let (same, other) = (bare(&pem), bare(&certificate("ec_p256")));
    let good = metadata(ENTITY, SSO, &same);
    for (document, words) in [
        (
            metadata("https://else.example", SSO, &same),
            vec!["https://else.example", ENTITY],
        ),
        (
            metadata(ENTITY, "https://else.example/sso", &same),
            vec!["https://else.example/sso"],
        ),
        (metadata(ENTITY, SSO, &other), vec!["none of the 1"]),
        (
            good.replace("use=\"signing\"", "use=\"encryption\""),
            vec!["no certificate that signs"],
        ),
        (
            good.replace("IDPSSODescriptor", "SPSSODescriptor"),
            vec!["certificate"],
        ),
        (good.replace("</md:IDPSSODescriptor>", ""), vec!["broken"]),
        (good[..good.len() - 30].to_owned(), vec!["br"]),
        (
            good.replace(
                "?>",
                "?><!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>",
            ),
            vec!["DOCTYPE"],
        ),
        (
            good.replace("<md:IDPSSO", &format!("{}<md:IDPSSO", "<a>".repeat(100))),
            vec!["nested"],
        ),
    ] {
        serve(&world, &document);
        expect_last(&world, config(&pem), false, "metadata", &words);
    }
}

#[test]
fn one_of_many_entities_and_of_many_certificates_will_do() {
    let world = World::new();
    let pem = certificate("rsa_2048");
    let own = metadata(ENTITY, SSO, &bare(&pem)).replace("<?xml version=\"1.0\"?>", "");
    let rolled = own.replace(
        "<md:KeyDescriptor use=\"signing\">",
        &format!(
            "<md:KeyDescriptor><ds:KeyInfo><ds:X509Data><ds:X509Certificate>{}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:KeyDescriptor use=\"signing\">",
            bare(&certificate("ec_p256"))
        ),
    );
    let other = metadata("https://else.example", "https://else.example/sso", "AAAA")
        .replace("<?xml version=\"1.0\"?>", "");
    let all = format!(
        "\u{feff}<?xml version=\"1.0\"?><EntitiesDescriptor xmlns=\"urn:oasis:names:tc:SAML:2.0:metadata\">{other}{rolled}{other}</EntitiesDescriptor>"
    );
    serve(&world, &all);
    expect_last(&world, config(&pem), true, "metadata", &["the same"]);
}

#[test]
fn certificates_are_read_as_xml_has_them() {
    let world = World::new();
    let pem = certificate("rsa_2048");
    let same = bare(&pem);
    let (first, rest) = same.split_at(1);
    let code = first.as_bytes()[0];
    for signing in [
        format!("<![CDATA[{same}]]>"),
        format!("{first}<![CDATA[{rest}]]>"),
        format!("&#{code};{rest}"),
        format!("&#x{code:x};<!-- a remark -->{rest}&#10;&#xA;"),
    ] {
        serve(&world, &metadata(ENTITY, SSO, &signing));
        expect_last(&world, config(&pem), true, "metadata", &["the same"]);
    }
    for (signing, words) in [
        (format!("&nbsp;{same}"), "broken"),
        (format!("&#0;{same}"), "broken"),
        (format!("&lt;{same}"), "none of the 1"),
    ] {
        serve(&world, &metadata(ENTITY, SSO, &signing));
        expect_last(&world, config(&pem), false, "metadata", &[words]);
    }
}

#[test]
fn one_certificate_in_force_is_enough_and_the_others_are_told() {
    let world = World::new();
    let [old, now, next, weak] = ["expired", "rsa_2048", "future", "rsa_1024"].map(certificate);
    serve(&world, &metadata(ENTITY, SSO, &bare(&now)));
    let tenant = world.tenant("compat");
    let all = format!("{old}{now}{next}");
    let data = run(&world, &test_provider(&tenant, "SAML", config(&all)));
    assert_eq!(data["success"], true, "{data}");
    let validity = data["details"]["checks"][1]["message"].as_str();
    let validity = validity.expect("a message");
    for words in [
        "expired on 2025-12-01",
        "valid for",
        "not valid before 2040",
    ] {
        assert!(validity.contains(words), "{validity}");
    }
    let none = format!("{old}{next}");
    expect_last(
        &world,
        config(&none),
        false,
        "validity",
        &["expired", "not valid before"],
    );
    let weakened = format!("{now}{weak}");
    expect_last(&world, config(&weakened), false, "key", &["1024 bits"]);
}
