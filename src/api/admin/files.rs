//! Files that are uploaded beside the worker, so that they take no room in it: they go out with the headers that every reply has.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderName, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};

use crate::api::http::call::Call;
use crate::api::http::reply::Reply;
use crate::error::{Error, Result};

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// The file of that path below `build-assets`; 404 where there is none, 304 where the caller has it.
pub async fn serve(call: &Call<'_>, path: &str) -> Result<Reply> {
    let content_type = content_type(path).ok_or_else(|| Error::not_found("the file"))?;
    let found = call.app.platform.assets.get(path).await;
    let asset = found
        .map_err(Error::internal)?
        .ok_or_else(|| Error::not_found("the file"))?;
    let known = call
        .header(IF_NONE_MATCH)
        .is_some_and(|header| names(header, &asset.etag));
    let reply = match known {
        true => Reply::empty(304),
        false => Reply::file(content_type, asset.text),
    };
    // A browser keeps the file and asks each time whether it is still the one.
    Ok(reply
        .header(CACHE_CONTROL, "no-cache")
        .header(ETAG, asset.etag))
}

/// The file of a folder that the path's parameter `file` names: one that lies in it, and none beside it.
pub async fn serve_named(call: &Call<'_>, folder: &str) -> Result<Reply> {
    let name = call.param("file");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.starts_with('.') || !name.chars().all(plain) {
        return Err(Error::not_found("the file"));
    }
    serve(call, &format!("{folder}/{name}")).await
}

/// The reply with the headers of whatever a browser may take for a page: nothing is loaded but what comes from here, and it is shown in no
/// frame. `asks` are the origins besides this one that its scripts may ask.
pub fn guarded(reply: Reply, asks: &str) -> Reply {
    let space = if asks.is_empty() { "" } else { " " };
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'{space}{asks}; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    reply
        .header(CONTENT_SECURITY_POLICY, policy)
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(REFERRER_POLICY, "no-referrer")
        .header(OPENER_POLICY, "same-origin")
}

fn content_type(path: &str) -> Option<&'static str> {
    let (_, extension) = path.rsplit_once('.')?;
    match extension {
        "css" => Some("text/css; charset=utf-8"),
        "html" => Some("text/html; charset=utf-8"),
        "js" => Some("text/javascript; charset=utf-8"),
        "json" => Some("application/json"),
        "txt" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

/// Whether an `If-None-Match` names the entity tag, by the weak comparison (RFC 9110 §13.1.2).
fn names(header: &str, etag: &str) -> bool {
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    header
        .split(',')
        .any(|tag| tag.trim() == "*" || opaque(tag) == opaque(etag))
}
