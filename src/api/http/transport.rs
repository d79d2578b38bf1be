//! By which way a request may come: by TLS, and for a host that is ours.
//!
//! The platform answers plain HTTP too, unless the zone's settings say otherwise: a credential sent like that has been read by others, so it
//! is refused before anybody looks at it. The host decides what `Location` and `$ref` say; where the settings name the hosts, there is no
//! other.

#[cfg(feature = "jobs")]
use http::header::{HeaderValue, ORIGIN};
use http::{HeaderName, Uri};

use super::request::Request;
use crate::config::Config;
use crate::error::{Error, Kind, Result};

/// The scheme that the client used, where something stands between.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What stands between a request's page and where it goes, as the browser sees it.
#[cfg(feature = "jobs")]
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A year, for this host alone: others of the domain may not be ours.
pub const STRICT_TRANSPORT_SECURITY: &str = "max-age=31536000";

/// 403 for plain HTTP, 421 for a host that is not ours.
pub fn check(config: &Config, request: &Request) -> Result<()> {
    if !config.local_development && is_plain(request) && !is_loopback(request.uri()) {
        return Err(Error::forbidden(
            "this endpoint takes https alone; a credential that was sent over plain http has to be replaced",
        ));
    }
    let host = request.uri().authority().map_or("", |host| host.as_str());
    let is_ours = |known: &String| known.eq_ignore_ascii_case(host);
    match config.public_hosts.is_empty() || config.public_hosts.iter().any(is_ours) {
        true => Ok(()),
        false => Err(Error::new(
            Kind::Misdirected,
            "this endpoint does not answer for that host",
        )),
    }
}

/// Whether a reply tells browsers to use TLS from now on (RFC 6797 §7.2: over TLS alone).
pub fn is_strict(config: &Config, request: &Request) -> bool {
    !config.local_development && !is_plain(request) && !is_loopback(request.uri())
}

/// Whether a browser sent the request for a page of this very origin. It says so itself (Fetch Metadata), and scripts can set neither header; an
/// older one tells the origin of the page alone.
#[cfg(feature = "jobs")]
pub fn is_of_own_page(request: &Request) -> bool {
    let of = |name: &HeaderName| request.headers().get(name).map(HeaderValue::as_bytes);
    let uri = request.uri();
    let own = uri.scheme_str().zip(uri.authority());
    let own = own.map(|(scheme, authority)| format!("{scheme}://{authority}").into_bytes());
    match (of(&SEC_FETCH_SITE), of(&ORIGIN)) {
        (Some(site), _) => site == b"same-origin",
        (None, Some(origin)) => Some(origin) == own.as_deref(),
        (None, None) => false,
    }
}

fn is_plain(request: &Request) -> bool {
    let forwarded = request.headers().get(FORWARDED_PROTO);
    let is_http = |scheme: &[u8]| scheme.eq_ignore_ascii_case(b"http");
    request.uri().scheme_str() == Some("http")
        || forwarded.is_some_and(|scheme| is_http(scheme.as_bytes()))
}

/// Whether the request came from this very machine: no deployed worker has such a host.
fn is_loopback(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}
