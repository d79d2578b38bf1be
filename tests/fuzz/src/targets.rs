//! What reads bytes from outside, each with what has to hold whatever the bytes are. That nothing panics, overflows or hangs holds of all.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::Request;
use rollcall::api::Response;
use rollcall::auth::jwks::KeySet;
use rollcall::auth::scim_token::ScimToken;
use rollcall::connection::{Checks, certificate, oidc, pem, saml};
use rollcall::json;
use rollcall::ldap::{self, Connection, Scope, Search, Security, Settings};
use rollcall::scim::body;
use rollcall::scim::budget::Budget;
use rollcall::scim::cursor::{Binding, Cursor};
use rollcall::scim::filter::{evaluate, parse, resolve};
use rollcall::scim::patch::{self, MemberChanges};
use rollcall::scim::profile::Profile;
use rollcall::scim::resource::Resource;
use rollcall::scim::schema::{GROUPS, ResourceType, USERS};
use rollcall::secret::Secret;
use serde_json::{Value, json};

use super::outside::{Outside, TOKEN};

/// A target and its name, which is that of its seeds too.
pub type Target = (&'static str, fn(&[u8]));

pub const ALL: [Target; 15] = [
    ("filter", filter),
    ("path", path),
    ("patch", patch),
    ("resource", resource),
    ("bulk", bulk),
    ("request", request),
    ("cursor", cursor),
    ("jwt", jwt),
    ("scim_token", scim_token),
    ("ldap", ldap),
    ("ldap_text", ldap_text),
    ("certificate", certificate),
    ("saml_metadata", saml_metadata),
    ("oidc_discovery", oidc_discovery),
    ("identity_provider", identity_provider),
];

const PROFILES: [Profile; 2] = [Profile::Compat, Profile::Strict];
const USER: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada","active":true,"name":{"givenName":"Ada"},"emails":[{"value":"a@example.com","type":"work","primary":true},{"value":"b@example.com","type":"home"}],"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"7","manager":{"value":"0197b1a2-0000-7000-8000-000000000000"}}}"#;
const GROUP: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Team","externalId":"t"}"#;

fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}

/// Nothing outside lets anybody wait.
fn done<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it waits for nothing"),
    }
}

fn sample(resource_type: &'static ResourceType, profile: Profile) -> Resource {
    let text = match resource_type.name == GROUPS.name {
        true => GROUP,
        false => USER,
    };
    let body = json::parse(text.as_bytes()).expect("JSON");
    body::read(resource_type.plain(), body, profile, &Budget::default()).expect("a resource")
}

/// A resource comes back from what is stored as it was.
fn check_stored(resource_type: &'static ResourceType, resource: &Resource) {
    let stored = resource.to_stored(resource_type);
    let back = Resource::from_stored(&stored).expect("what was stored");
    assert_eq!(back.attributes, resource.attributes, "{stored}");
    let keys: Value = serde_json::from_str(&resource.to_keys(resource_type.plain())).expect("JSON");
    assert!(keys.is_object());
}

/// An answer is never a failure of ours: a database that is not there is 503.
fn answered(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Option<Response> {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("https://scim.example.com{target}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body.to_vec()).ok()?;
    let response = done(Outside::app(body).handle(request));
    assert_ne!(response.status(), 500, "{method} {target}");
    assert!(!response.status().is_success() || body.is_empty() || method != "POST");
    Some(response)
}

fn filter(data: &[u8]) {
    let Some(text) = text(data) else { return };
    for profile in PROFILES {
        let Ok(filter) = parse::parse(text, profile) else {
            continue;
        };
        for resource_type in [&USERS, &GROUPS] {
            if let Ok(predicate) = resolve::resolve(&filter, resource_type.plain(), &[], profile) {
                let keys = sample(resource_type, profile).to_keys(resource_type.plain());
                let keys = serde_json::from_str(&keys).expect("JSON");
                let _ = evaluate::matches(&predicate, &keys);
            }
        }
    }
    let authorization = format!("Bearer {}", TOKEN.trim());
    let filter: String = data.iter().map(|byte| format!("%{byte:02x}")).collect();
    let headers = [("authorization", authorization.as_str())];
    for path in ["", "/Users", "/Groups"] {
        answered(
            "GET",
            &format!("/scim/v2{path}?filter={filter}"),
            &headers,
            b"",
        );
    }
}

fn path(data: &[u8]) {
    let Some(text) = text(data) else { return };
    for op in ["add", "replace", "remove"] {
        for value in [
            Value::Null,
            json!("x"),
            json!([{"value": "x"}]),
            json!({"value": "x"}),
        ] {
            let body = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
                "Operations": [{"op": op, "path": text, "value": value}],
            });
            change(&body);
        }
    }
}

fn patch(data: &[u8]) {
    if let Ok(body) = json::parse(data) {
        change(&body);
    }
}

fn change(body: &Value) {
    for profile in PROFILES {
        for resource_type in [&USERS, &GROUPS] {
            let Ok(operations) = patch::parse(body.clone(), resource_type.plain(), "7", profile)
            else {
                continue;
            };
            let _ = MemberChanges::of(&operations, profile);
            let mut resource = sample(resource_type, profile);
            if patch::apply(
                &operations,
                resource_type.plain(),
                &mut resource,
                profile,
                &Budget::default(),
            )
            .is_ok()
            {
                check_stored(resource_type, &resource);
            }
        }
    }
}

fn resource(data: &[u8]) {
    let Ok(body) = json::parse(data) else { return };
    for profile in PROFILES {
        for resource_type in [&USERS, &GROUPS] {
            if let Ok(resource) = body::read(
                resource_type.plain(),
                body.clone(),
                profile,
                &Budget::default(),
            ) {
                check_stored(resource_type, &resource);
            }
        }
    }
}

fn posted(path: &str, data: &[u8]) {
    let authorization = format!("Bearer {}", TOKEN.trim());
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
    ];
    answered("POST", path, &headers, data);
}

fn bulk(data: &[u8]) {
    posted("/scim/v2/Bulk", data);
}

fn identity_provider(data: &[u8]) {
    posted("/api/v1/admin/identity-providers", data);
    posted("/api/v1/tenants/acme/identity-providers", data);
}

/// A method, a path, an `If-Match`, a content type, each a line; and then a body.
fn request(data: &[u8]) {
    let mut parts = data.splitn(5, |byte| *byte == b'\n');
    let mut line = || parts.next().and_then(text).unwrap_or_default();
    let (method, target, if_match, content_type) = (line(), line(), line(), line());
    let body = parts.next().unwrap_or_default();
    let authorization = format!("Bearer {}", TOKEN.trim());
    let headers = [
        ("authorization", authorization.as_str()),
        ("if-match", if_match),
        ("content-type", content_type),
    ];
    if let Some(response) = answered(method, target, &headers, body) {
        assert!(response.headers().contains_key("x-request-id"));
    }
}

fn cursor(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let key = Secret::new(*b"a key of thirty-two bytes, of it");
    let binding = Binding::new(&["acme", "Users"]);
    assert!(
        Cursor::from_text(text, &key, &binding, 0).is_err(),
        "a forged cursor"
    );
    let authorization = format!("Bearer {}", TOKEN.trim());
    let cursor: String = data.iter().map(|byte| format!("%{byte:02x}")).collect();
    answered(
        "GET",
        &format!("/scim/v2/Users?cursor={cursor}"),
        &[("authorization", &authorization)],
        b"",
    );
}

fn jwt(data: &[u8]) {
    let _ = KeySet::parse(data);
    let Some(text) = text(data) else { return };
    for (path, header) in [
        ("/api/v1/admin/tenants", format!("Bearer {text}")),
        ("/scim/v2/Users", text.to_owned()),
    ] {
        if let Some(response) = answered("GET", path, &[("authorization", &header)], b"") {
            // 503: a database was asked, for a token that holds or has the form of one.
            assert!([401, 503].contains(&response.status().as_u16()));
            let form = text.contains(TOKEN.trim()) || text.contains("rcs_");
            assert!(response.status() == 401 || form, "a forged token");
        }
    }
}

fn scim_token(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Some(token) = ScimToken::parse(text) {
        assert_eq!(token.reveal(), text);
        assert_eq!(token.hash().len(), 64);
        assert!(ScimToken::looks_like(text));
    }
}

/// What a directory says, in pieces.
fn ldap(data: &[u8]) {
    let settings = Settings {
        host: "ldap.example.com".to_owned(),
        port: 636,
        security: Security::Tls,
        bind_dn: "cn=reader".to_owned(),
        bind_password: Secret::new(*b"a secret of the directory's own "),
        page_size: 100,
        timeout_ms: 1_000,
        local_development: false,
    };
    let search = Search {
        base_dn: "dc=example,dc=com".to_owned(),
        scope: Scope::Subtree,
        filter: "(objectClass=*)".to_owned(),
        attributes: vec!["*".to_owned()],
    };
    done(async {
        let platform = Outside::platform(data);
        let Ok(mut connection) = Connection::open(&platform, &settings).await else {
            return;
        };
        let mut pages = connection.search(&search);
        while let Ok(Some(page)) = pages.next().await {
            for entry in page {
                let _ = (entry.unique_id("entryUUID"), entry.unique_id("objectGUID"));
                entry.names().for_each(|name| assert!(!name.is_empty()));
            }
        }
        connection.close().await;
    });
}

fn ldap_text(data: &[u8]) {
    for attribute in ["entryUUID", "objectGUID", "uid"] {
        let _ = ldap::values::unique_id(attribute, data);
    }
    let Some(text) = text(data) else { return };
    let _ = ldap::filter::Filter::parse(text);
    let _ = ldap::values::generalized_time(text);
    // A normal form is compared, and never read again.
    assert_eq!(
        ldap::dn::parse(text).is_ok(),
        ldap::dn::normalise(text).is_some()
    );
}

fn certificate(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let _ = pem::has_private_key(text);
    for parsed in certificate::parse(text).unwrap_or_default() {
        let _ = (parsed.common_name(), parsed.validity(0), parsed.strength());
    }
}

/// A document that a provider publishes.
fn saml_metadata(data: &[u8]) {
    let platform = Outside::platform(data);
    let mut checks = Checks::new(platform.clock.as_ref());
    let pem = include_str!("../../fixtures/certificates/rsa_2048.pem");
    let certificates = certificate::parse(pem).unwrap_or_default();
    let target = saml::Target {
        entity_id: "https://idp.acme.example/metadata",
        sso_url: "https://idp.acme.example/sso",
        certificates: &certificates,
        local: false,
    };
    let _ = done(saml::test(&mut checks, &platform, &target));
}

fn oidc_discovery(data: &[u8]) {
    let platform = Outside::platform(data);
    let mut checks = Checks::new(platform.clock.as_ref());
    let target = oidc::Target {
        issuer: "https://login.acme.example",
        endpoints: Vec::new(),
        local: false,
    };
    let _ = done(oidc::test(&mut checks, &platform, &target));
}
