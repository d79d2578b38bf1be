//! How an LDAP provider's directory is reached: what its configuration and its secret mean to the client.

use url::Url;

use super::types::LdapConfig;
use crate::config::Secret;
use crate::error::{Error, Result};
use crate::ldap::{Security, Settings};

/// For each wait, in milliseconds.
const TIMEOUT_MS: u32 = 10_000;

/// The client's settings. A URL without a port means the protocol's own (RFC 4516 §2).
pub fn settings(
    config: &LdapConfig,
    bind_password: Secret,
    local_development: bool,
) -> Result<Settings> {
    let url =
        Url::parse(config.url.as_str()).map_err(|error| Error::internal(error.to_string()))?;
    let (security, port) = match (url.scheme(), config.start_tls) {
        ("ldaps", _) => (Security::Tls, 636),
        (_, true) => (Security::StartTls, 389),
        (_, false) => (Security::Plain, 389),
    };
    Ok(Settings {
        host: url
            .host_str()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_owned(),
        port: url.port().unwrap_or(port),
        security,
        bind_dn: config.bind_dn.as_str().to_owned(),
        bind_password,
        page_size: u32::try_from(config.page_size.0).unwrap_or(1),
        timeout_ms: TIMEOUT_MS,
        local_development,
    })
}
