//! A provider's LDAP configuration as the client of directories takes it.

use url::Url;

use super::secrets;
use super::types::LdapConfig;
use crate::api::http::app::App;
use crate::error::{Error, Result};
use crate::ldap::{Security, Settings};
use crate::secret::Secret;
use crate::store::identity_providers::IdentityProvider;

/// For each wait, in milliseconds.
const TIMEOUT_MS: u32 = 15_000;

/// What it takes to reach a provider's directory. Fails where its password does not open.
pub fn settings(app: &App, provider: &IdentityProvider, config: &LdapConfig) -> Result<Settings> {
    let stored = |reason: String| Error::internal(format!("a stored LDAP URL: {reason}"));
    let url = Url::parse(config.url.as_str()).map_err(|error| stored(error.to_string()))?;
    let host = url
        .host_str()
        .ok_or_else(|| stored("it names no host".to_owned()))?;
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let (security, port) = match (url.scheme(), config.start_tls) {
        ("ldaps", _) => (Security::Tls, 636),
        (_, true) => (Security::StartTls, 389),
        (_, false) => (Security::Plain, 389),
    };
    let password = secrets::open(app, provider)?;
    Ok(Settings {
        host: bare.unwrap_or(host).to_owned(),
        port: url.port().unwrap_or(port),
        security,
        bind_dn: config.bind_dn.as_str().to_owned(),
        bind_password: password.unwrap_or_else(|| Secret::new(Vec::new())),
        page_size: u32::try_from(config.page_size.0).unwrap_or(1),
        timeout_ms: TIMEOUT_MS,
        local_development: app.config.local_development,
    })
}
