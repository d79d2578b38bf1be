//! Requests that are wrong: each is told so with the right status and keyword, and which part of it is meant.

mod bodies;
mod bulk;
mod bulk_operations;
mod filters;
mod headers;
mod nulls;
mod numbers;
mod patched_members;
mod patches;
mod paths;
mod random;
mod strict_patches;
mod values;
mod words;

use http::Request;
use serde_json::{Value, json};

use crate::support::{Answer, Tenant};

/// A user whom nothing is wrong with.
fn user_body() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "b",
    })
}

/// A request with any bytes and any content type.
fn send_raw(
    tenant: &Tenant<'_>,
    method: &str,
    path: &str,
    kind: Option<&str>,
    body: &[u8],
) -> Answer {
    let mut request: http::request::Builder = tenant.request(method, path);
    if let Some(kind) = kind {
        request = request.header("content-type", kind);
    }
    let request: Request<Vec<u8>> = request.body(body.to_vec()).expect("a request");
    tenant.world.send(request)
}

fn send_text(tenant: &Tenant<'_>, method: &str, path: &str, body: &str) -> Answer {
    send_raw(
        tenant,
        method,
        path,
        Some("application/scim+json"),
        body.as_bytes(),
    )
}

/// A search for users.
fn search(tenant: &Tenant<'_>, filter: &str) -> Answer {
    let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    tenant.get(&format!("/Users?filter={query}"))
}
