//! The words of a test's messages about what a provider sends.

use serde_json::{Value, json};

use crate::support::World;
use crate::support::plain_words::{NO_JSON, expect_plain};

/// What a provider sends, and what is wrong with it.
#[test]
fn what_a_provider_sends_is_refused_in_plain_words() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let issuer = "https://login.acme.example";
    let entity = "https://idp.acme.example/metadata";
    let certificate =
        std::fs::read_to_string("tests/fixtures/certificates/rsa_2048.pem").expect("a fixture");
    let make = |name: &str, kind: &str, field: &str, config: Value| {
        let mut body = json!({"tenant_id": tenant.id, "name": name, "provider_type": kind});
        body[field] = config;
        let made = world.admin("POST", "/api/v1/admin/identity-providers", body);
        made.expect(201).body["data"]["id"]
            .as_str()
            .expect("an id")
            .to_owned()
    };
    let oidc = make(
        "o",
        "OIDC",
        "oidc_config",
        json!({"issuer": issuer, "client_id": "x"}),
    );
    let saml = make(
        "s",
        "SAML",
        "saml_config",
        json!({"entity_id": entity, "sso_url": "https://idp.acme.example/sso", "certificate": certificate}),
    );
    let test = |id: &str, url: &str, document: &[u8]| {
        world
            .web
            .documents
            .borrow_mut()
            .insert(url.to_owned(), document.to_vec());
        let answer = world.admin(
            "POST",
            &format!("/api/v1/admin/identity-providers/{id}/test"),
            Value::Null,
        );
        answer.expect(200);
        expect_plain(&answer, &String::from_utf8_lossy(document))
    };
    let discovery = format!("{issuer}/.well-known/openid-configuration");
    for (text, words) in NO_JSON {
        let said = test(&oidc, &discovery, text);
        // A key that is there twice is the issuer's own affair.
        let words = match words {
            repeated if repeated.contains("repeated") => "it lacks issuer",
            _ if text == b"<html>" => "a web page",
            words => words,
        };
        assert!(said.contains(words), "{said}");
    }
    let keys = format!("{issuer}/keys");
    let mut document = json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/a"), "token_endpoint": format!("{issuer}/t"), "jwks_uri": keys,
        "response_types_supported": ["code"], "subject_types_supported": ["public"], "id_token_signing_alg_values_supported": ["RS256"],
    });
    test(&oidc, &discovery, document.to_string().as_bytes());
    for (text, words) in NO_JSON {
        let said = test(&oidc, &keys, text);
        assert!(said.contains("it is not a JWKS: "), "{said}");
        assert!(words.contains("repeated") || said.contains(words), "{said}");
    }
    for text in [
        "{}",
        "[]",
        "1",
        "{\"keys\": {}}",
        "{\"keys\": null}",
        "{\"keys\": [1, null, {\"kty\": 1}]}",
    ] {
        let said = test(&oidc, &keys, text.as_bytes());
        assert!(said.contains("JWKS"), "{said}");
    }
    for (url, words) in [
        ("/auth", "it does not begin with https://"),
        ("", "it does not begin with https://"),
        ("https://", "it names no host"),
        (
            "https://acme.example:99999/",
            "its port is no number up to 65535",
        ),
        (
            "https://acme.example:x/",
            "its port is no number up to 65535",
        ),
        ("https://1.2.3.4.5/", "looks like an IP address"),
        ("https://256.1.1.1/", "looks like an IP address"),
        ("https://[::g]/", "looks like an IP address"),
        ("https://[::1/", "looks like an IP address"),
        ("https://a b.example/", "characters that no host has"),
        ("https://a<b.example/", "characters that no host has"),
        ("https://xn--/", "characters that no host has"),
        ("https://acme\u{e9}.example/", "not written in ASCII"),
    ] {
        document["authorization_endpoint"] = url.into();
        let said = test(&oidc, &discovery, document.to_string().as_bytes());
        assert!(said.contains(words), "{url}: {said}");
    }
    let xml = |inside: &str| {
        format!(
            "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\" entityID=\"{entity}\">\n\
             <md:IDPSSODescriptor>\n<md:KeyDescriptor><ds:X509Certificate>\n{inside}\n</ds:X509Certificate></md:KeyDescriptor></md:IDPSSODescriptor></md:EntityDescriptor>"
        )
    };
    for (document, words) in [
        (xml("</md:x>"), "its XML is broken in line 4"),
        (xml("</ds:X509Certificate>"), "its XML is broken in line 5"),
        (xml("<a b></a>"), "none of the 1"),
        (
            xml("<md:KeyDescriptor use></md:KeyDescriptor>"),
            "its XML is broken in line 4",
        ),
        (
            xml("<md:KeyDescriptor use=x></md:KeyDescriptor>"),
            "its XML is broken in line 4",
        ),
        (
            xml("<md:KeyDescriptor a='1' a='2' use='&x;'/>"),
            "its XML is broken in line 4",
        ),
        (xml("\n&nope;"), "its XML is broken in line 5"),
        (xml("&#xD800;"), "its XML is broken in line 4"),
        (xml("<!-- "), "its XML is broken in line 4"),
        (xml("<![CDATA[ "), "its XML is broken in line 4"),
        (xml("<? "), "its XML is broken in line 4"),
        (xml("<a"), "its XML is broken in line 5"),
        (xml("& ;"), "its XML is broken in line 4"),
        (
            xml("<a>").replace("\n</ds", "\n<ds"),
            "its XML is broken in line 5",
        ),
    ] {
        let said = test(&saml, entity, document.as_bytes());
        assert!(said.contains(words), "{document}\n{said}");
    }
}
