//! `/openapi.json` and `/docs`: files that are uploaded beside the worker, so that they take no room in it.

use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, ETAG, HeaderName, IF_NONE_MATCH, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};

use crate::api::http::call::Call;
use crate::api::http::reply::Reply;
use crate::error::{Error, Result};

/// Nothing but what comes from here: the viewer draws its icons from `data:` addresses, and asks this service alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// `GET /openapi.json`.
pub async fn openapi(call: &Call<'_>) -> Result<Reply> {
    serve(call, "openapi.json").await
}

/// `GET /docs`.
pub async fn page(call: &Call<'_>) -> Result<Reply> {
    Ok(guarded(serve(call, "docs/index.html").await?))
}

/// `GET /docs/{file}`: the viewer's own files.
pub async fn file(call: &Call<'_>) -> Result<Reply> {
    let name = call.param("file");
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.starts_with('.') || !name.chars().all(plain) {
        return Err(Error::not_found("the file"));
    }
    Ok(guarded(serve(call, &format!("docs/{name}")).await?))
}

async fn serve(call: &Call<'_>, path: &str) -> Result<Reply> {
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

/// The headers of whatever a browser may take for a page.
fn guarded(reply: Reply) -> Reply {
    reply
        .header(CONTENT_SECURITY_POLICY, POLICY)
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
