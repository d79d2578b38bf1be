//! By which way a request may come: by TLS, and for a host that is ours.
//!
//! The platform answers plain HTTP too, unless the zone's settings say otherwise: a credential sent like that has been read by others, so it
//! is refused before anybody looks at it. The host decides what `Location` and `$ref` say; where the settings name the hosts, there is no
//! other.

use http::{HeaderName, Uri};

use super::request::Request;
use crate::config::Config;
use crate::error::{Error, Kind, Result};

/// The scheme that the client used, where something stands between.
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

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
