//! Whether the OpenAPI document knows a reply: every reply that a test sees is held against it.

use std::sync::OnceLock;

use http::Method;
use rollcall::api::http::routes;
use rollcall::api::openapi;
use serde_json::Value;

use super::Answer;

/// The document as the code makes it.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(openapi::document)
}

/// What a `$ref` leads to, or the value itself.
pub fn resolved(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(reference) => {
            let pointer = reference.strip_prefix('#').expect("a local reference");
            let target = document().pointer(pointer);
            target.unwrap_or_else(|| panic!("{reference} leads nowhere"))
        }
        None => value,
    }
}

/// The document's name for the path of a route. What stands below both SCIM bases is described once, with the tenant in the path.
pub fn path_of(pattern: &str) -> String {
    let pattern = match pattern.strip_prefix("/scim/v2") {
        Some(below) => format!("/api/v1/tenants/:tenant_id/scim/v2{below}"),
        None => pattern.to_owned(),
    };
    let part = |part: &str| match part.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => part.to_owned(),
    };
    pattern.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The operation of a route.
pub fn operation(method: &Method, pattern: &str) -> &'static Value {
    let method = method.as_str().to_ascii_lowercase();
    &document()["paths"][path_of(pattern)][method]
}

/// Fails where the document does not name the reply's status, its content type or one of its headers. What a path does not
/// take, and what is at no path, is in no document.
#[track_caller]
pub fn check(method: &Method, path: &str, answer: &Answer) {
    let found = routes::find(method, path);
    // A host that is not ours is in no document either.
    if found.route.is_err() || answer.status == 421 {
        return;
    }
    // That a request is accepted is told with the parameter that asks for it.
    if answer.status == 202 && answer.headers.contains_key("set-txn") {
        return;
    }
    let method = match *method {
        Method::HEAD => &Method::GET,
        _ => method,
    };
    let reply = &operation(method, found.pattern)["responses"][answer.status.to_string()];
    let at = format!("{method} {}: {}", found.pattern, answer.status);
    assert!(!reply.is_null(), "the document does not name {at}");
    let reply = resolved(reply);
    let content_type = answer.header("content-type");
    let media_type = content_type.split(';').next().unwrap_or_default();
    match media_type {
        "" => assert!(
            reply["content"].is_null(),
            "the document has a body for {at}"
        ),
        media_type => assert!(
            reply["content"][media_type].is_object(),
            "the document has no {media_type} for {at}"
        ),
    }
    let named = reply["headers"].as_object().expect("headers");
    for header in named.keys() {
        assert!(
            answer.headers.contains_key(header.to_ascii_lowercase()),
            "{at} has no {header}"
        );
    }
    for header in [
        "etag",
        "location",
        "allow",
        "retry-after",
        "www-authenticate",
    ] {
        let known = named.keys().any(|name| name.eq_ignore_ascii_case(header));
        assert!(
            known || !answer.headers.contains_key(header),
            "the document has no {header} for {at}"
        );
    }
}

/// The example of a request's body.
pub fn sent(operation: &'static Value) -> Value {
    let content = operation["requestBody"]["content"].as_object();
    let media = content.and_then(|content| content.values().next());
    media.map_or(Value::Null, |media| media["example"].clone())
}

/// The first status of success, with the example of its body.
pub fn succeeds(operation: &'static Value) -> (u16, &'static Value) {
    let replies = operation["responses"].as_object().unwrap();
    let (status, reply) = replies
        .iter()
        .find(|(status, _)| status.starts_with('2'))
        .unwrap();
    let content = reply["content"].as_object();
    let media = content.and_then(|content| content.values().next());
    let example = media.map_or(&Value::Null, |media| &media["example"]);
    (status.parse().unwrap(), example)
}
