//! Paths: the SCIM bases, and what a path says by itself.

use percent_encoding::percent_decode_str;

use crate::api::http::reply::Dialect;

/// What is below a tenant, with its id.
pub(super) const TENANTS: &str = "/api/v1/tenants/";
/// The SCIM base with the tenant in the path.
pub(super) const TENANT_BASE: &str = "/api/v1/tenants/:tenant_id/scim/v2";
/// The SCIM base with the tenant taken from the credential.
pub const TOKEN_BASE: &str = "/scim/v2";

/// Whether a path is one of those that the pattern stands for.
pub(super) fn is_of(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    let mut same = pattern.split('/').map(|known| match parts.next() {
        Some(given) => known.starts_with(':') || known == given,
        None => false,
    });
    same.all(|is_same| is_same) && parts.next().is_none()
}

/// The parameters of a path of that pattern, percent-decoded; none where one is no text.
pub(super) fn parameters(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
    let parts = pattern.split('/').zip(path.split('/'));
    let params = parts.filter_map(|(known, given)| Some((known.strip_prefix(':')?, given)));
    let decoded = params.map(|(name, value)| {
        let value = percent_decode_str(value).decode_utf8().ok()?;
        Some((name.to_owned(), value.into_owned()))
    });
    decoded.collect()
}

/// A path without what stands between two slashes that follow each other, and without its trailing slash: clients put a base that ends
/// in a slash before a path that begins with one.
pub(super) fn without_empty_parts(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty());
    let path: String = parts.flat_map(|part| ["/", part]).collect();
    match path.is_empty() {
        true => "/".to_owned(),
        false => path,
    }
}

pub(super) fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Which dialect a path is answered in, even where nothing is found there.
pub fn dialect(path: &str) -> Dialect {
    let path = without_empty_parts(path);
    let is_without_tenant = path
        .strip_prefix(TENANTS)
        .is_some_and(|rest| is_below(rest, "scim/v2"));
    match scim_base_length(&path) {
        None if !is_without_tenant => Dialect::Admin,
        _ => Dialect::Scim,
    }
}

/// The part of a path that is the SCIM base, where it lies below one.
pub(super) fn scim_base(path: &str) -> &str {
    scim_base_length(path)
        .and_then(|length| path.get(..length))
        .unwrap_or_default()
}

fn scim_base_length(path: &str) -> Option<usize> {
    if is_below(path, TOKEN_BASE) {
        return Some(TOKEN_BASE.len());
    }
    let (_, rest) = path.strip_prefix(TENANTS)?.split_once('/')?;
    is_below(rest, "scim/v2").then_some(path.len() - rest.len() + "scim/v2".len())
}
