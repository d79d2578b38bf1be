//! The metadata that a SAML provider publishes, fetched for a form.

use rollcall::platform::HttpError;
use serde_json::{Value, json};

use crate::support::{Answer, World};

const URL: &str = "https://idp.acme.example/metadata";
const NAMESPACE: &str = "urn:oasis:names:tc:SAML:2.0:metadata";

fn serve(world: &World, document: &[u8]) {
    let mut documents = world.web.documents.borrow_mut();
    documents.insert(URL.to_owned(), document.to_vec());
}

fn read(world: &World, url: &str) -> Answer {
    let path = "/api/v1/admin/identity-providers/saml-metadata";
    world.admin("POST", path, json!({"url": url}))
}

#[track_caller]
fn expect_refused(answer: &Answer, words: &str) {
    answer.expect(422);
    let detail = &answer.body["detail"][0];
    assert_eq!(detail["loc"], json!(["body", "url"]));
    let said = detail["msg"].as_str().unwrap();
    assert!(said.contains(words), "`{said}` lacks `{words}`");
}

#[test]
fn a_document_comes_as_it_stands() {
    let world = World::new();
    for document in [
        format!("<EntityDescriptor xmlns=\"{NAMESPACE}\" entityID=\"a\"></EntityDescriptor>"),
        format!(
            "\u{feff}<?xml version=\"1.0\"?>\n<!-- ours -->\n<md:EntityDescriptor xmlns:md=\"{NAMESPACE}\">é</md:EntityDescriptor>"
        ),
        format!(
            "<m:EntitiesDescriptor xmlns:m='{NAMESPACE}'><m:EntityDescriptor/></m:EntitiesDescriptor>"
        ),
    ] {
        serve(&world, document.as_bytes());
        let answer = read(&world, URL);
        assert_eq!(
            answer.expect(200).body["data"],
            json!({"metadata": document})
        );
        assert_eq!(answer.cost("trips"), 0);
    }
}

#[test]
fn what_is_no_metadata_is_told() {
    let world = World::new();
    let dtd = format!(
        "<!DOCTYPE EntityDescriptor SYSTEM \"x\"><EntityDescriptor xmlns=\"{NAMESPACE}\"/>"
    );
    let binary = [&[0xff, 0xfe][..], NAMESPACE.as_bytes()].concat();
    let secret = b"root:x:0:0";
    for document in [
        b"" as &[u8],
        b"<html><body>Sign in</body></html>",
        b"{\"EntityDescriptor\": 1}",
        b"<EntityDescriptor xmlns=\"urn:other\"></EntityDescriptor>",
        b"<EntityDescriptor></EntityDescriptor>",
        b"<EntityDescriptor",
        dtd.as_bytes(),
        &binary,
        secret,
    ] {
        serve(&world, document);
        let answer = read(&world, URL);
        expect_refused(&answer, "serves something else than SAML metadata");
        assert!(!answer.body.to_string().contains("root:x"));
    }
}

#[test]
fn nothing_private_is_asked_and_what_fails_is_told() {
    let world = World::new();
    for (url, words) in [
        ("http://idp.acme.example/metadata", "https"),
        ("https://127.0.0.1/metadata", "loopback"),
        ("https://169.254.169.254/latest/meta-data", "link-local"),
        ("https://10.1.2.3/", "private"),
        ("https://[::1]/", "loopback"),
        ("https://localhost/metadata", "localhost"),
        ("file:///etc/passwd", ""),
        ("metadata", "absolute URL"),
        ("", ""),
        ("https://idp.acme.example/é", "ASCII"),
    ] {
        expect_refused(&read(&world, url), words);
    }
    let long = format!("{URL}?{}", "x".repeat(2_048));
    expect_refused(&read(&world, &long), "longer than 2048");
    assert_eq!(world.web.fetches.get(), 0);
    expect_refused(&read(&world, URL), "cannot be read");
    serve(&world, &vec![b' '; 2 * 1024 * 1024]);
    expect_refused(&read(&world, URL), "cannot be read");
    let mut errors = world.web.errors.borrow_mut();
    errors.insert(URL.to_owned(), HttpError::Status(302));
    drop(errors);
    expect_refused(&read(&world, URL), "302");
}

#[test]
fn who_may_ask() {
    let world = World::new();
    let tenant = world.tenant("compat");
    world.web.publish_metadata(URL);
    let mut claims = world.claims();
    claims.insert(
        "scope".to_owned(),
        "identity-providers:read platform".into(),
    );
    let reader = world.jwt(&claims);
    let path = "/api/v1/admin/identity-providers/saml-metadata";
    let body = json!({"url": URL});
    world
        .admin_as(&reader, "POST", path, body.clone())
        .expect(403);
    let missing = world.admin("POST", path, json!({}));
    assert_eq!(missing.expect(422).body["detail"][0]["type"], "missing");
    for (allows, status) in [("sso", 200), ("directory", 403), ("scim", 403)] {
        let link = json!({"tenant_id": tenant.id, "allows": [allows]});
        let made = world.admin("POST", "/api/v1/admin/setup-links", link);
        let url = made.expect(201).body["data"]["url"].clone();
        let secret = url
            .as_str()
            .and_then(|url| url.rsplit('/').next())
            .unwrap()
            .to_owned();
        let path = format!("/api/v1/tenants/{}/setup/saml-metadata", tenant.id);
        let answer = world.admin_as(&secret, "POST", &path, body.clone());
        answer.expect(status);
    }
    let nobody: Value = json!({"url": URL, "tenant_id": tenant.id});
    world.admin("POST", path, nobody).expect(422);
}
