//! A provider's secret between the API and its row: sealed, and bound to the tenant and the provider that it belongs to and to where it is
//! sent, so that what was copied into another row does not open, nor what stands beside another address than the one that it was given for.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use url::Url;

use super::config::Config;
use crate::api::http::app::App;
use crate::error::{Error, Kind, Result};
use crate::secret::Secret;
use crate::store::identity_providers::{BOUND, IdentityProvider, Sealed};

/// Where a provider's secret is sent, and as whose: two that are equal are the same to the secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// Addresses and names, each in a line.
    to: String,
    /// Whether `ldap://` is secured before the secret is said; true where there is nothing to secure.
    secured: bool,
}

impl Destination {
    pub fn of(config: &Config) -> Self {
        match config {
            Config::Oidc(oidc) => {
                let token = oidc.token_endpoint.as_ref().map(|url| url.as_str());
                let issuer = normal(oidc.issuer.as_str());
                Destination {
                    to: format!("{issuer}\n{}", token.map(normal).unwrap_or_default()),
                    secured: true,
                }
            }
            Config::Saml(_) => Destination {
                to: String::new(),
                secured: true,
            },
            Config::Ldap(ldap) => {
                let url = normal(ldap.url.as_str());
                Destination {
                    secured: ldap.start_tls || url.starts_with("ldaps:"),
                    to: format!("{url}\n{}", ldap.bind_dn.as_str()),
                }
            }
        }
    }

    /// Whether a secret that was given for this one may be sent to that one: nowhere else, and not less protected.
    pub fn may_become(&self, after: &Destination) -> bool {
        self.to == after.to && (after.secured || !self.secured)
    }
}

/// A URL in one of the ways that it can be written: the host in small letters, the port where it is not the scheme's own.
fn normal(text: &str) -> String {
    let Ok(url) = Url::parse(text) else {
        return text.to_owned();
    };
    // Of LDAP the standard of URLs knows nothing: it leaves hosts and ports as they are.
    let own_port = match url.scheme() {
        "ldap" => Some(389),
        "ldaps" => Some(636),
        _ => return url.into(),
    };
    let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
    let port = url.port().or(own_port).unwrap_or_default();
    format!("{}://{host}:{port}", url.scheme())
}

/// What a secret was bound to before its destination was: only what was sealed so opens so.
fn binding_without_destination(provider: &IdentityProvider) -> Vec<u8> {
    let (tenant, id) = (&provider.tenant_id, &provider.id);
    format!("identity-provider-secret\n{tenant}\n{id}").into_bytes()
}

fn binding(provider: &IdentityProvider, destination: &Destination) -> Vec<u8> {
    let (tenant, id) = (&provider.tenant_id, &provider.id);
    let Destination { to, secured } = destination;
    format!("identity-provider-secret and its destination\n{tenant}\n{id}\n{secured}\n{to}")
        .into_bytes()
}

/// Seals a secret under the current key, for the provider as it is configured.
pub fn seal(app: &App, provider: &IdentityProvider, secret: &Secret) -> Result<Sealed> {
    let destination = Destination::of(&Config::of(provider)?);
    let keys = &app.config.encryption_keys;
    let sealed = keys
        .seal(
            &binding(provider, &destination),
            secret.expose(),
            app.platform.entropy.as_ref(),
        )
        .map_err(Error::internal)?;
    Ok(Sealed {
        text: format!("{BOUND}{}", URL_SAFE_NO_PAD.encode(sealed)),
        key_id: keys.current_id().to_owned(),
    })
}

/// The secret of a provider, none where it has none. Fails where it was sealed with a key that is not configured any more, or for another
/// destination.
pub fn open(app: &App, provider: &IdentityProvider) -> Result<Option<Secret>> {
    let Some(sealed) = &provider.secret else {
        return Ok(None);
    };
    let (text, binding) = match sealed.text.strip_prefix(BOUND) {
        Some(text) => (text, {
            let destination = Destination::of(&Config::of(provider)?);
            binding(provider, &destination)
        }),
        None => (sealed.text.as_str(), binding_without_destination(provider)),
    };
    let opened = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| {
        let keys = &app.config.encryption_keys;
        keys.open(&sealed.key_id, &binding, &bytes)
    });
    match opened {
        Some(secret) => Ok(Some(Secret::new(secret))),
        None => Err(Error {
            internal: Some(format!("a secret sealed with the key {}", sealed.key_id)),
            ..Error::new(
                Kind::Conflict,
                "the provider's secret was sealed with a key that is not configured any more, or for another address than the one \
                 configured: set the secret anew, or give that key back as ENCRYPTION_KEY_PREVIOUS",
            )
        }),
    }
}

/// The secret as it is to be stored from now on, of a provider that was `before` and is changed to `after`: none where it may not go where
/// `after` would send it, else under the current key and bound to its destination. What does not open is left as it is: its key may come
/// back.
pub fn renew(
    app: &App,
    before: &IdentityProvider,
    after: &IdentityProvider,
) -> Result<Option<Sealed>> {
    let Some(sealed) = &before.secret else {
        return Ok(None);
    };
    let (from, to) = match before.config == after.config {
        true => (None, None),
        false => (
            Some(Destination::of(&Config::of(before)?)),
            Some(Destination::of(&Config::of(after)?)),
        ),
    };
    if let (Some(from), Some(to)) = (&from, &to)
        && !from.may_become(to)
    {
        return Ok(None);
    }
    let moves = from != to;
    let is_current =
        sealed.key_id == app.config.encryption_keys.current_id() && sealed.text.starts_with(BOUND);
    if is_current && !moves {
        return Ok(before.secret.clone());
    }
    match open(app, before) {
        Ok(Some(secret)) => seal(app, after, &secret).map(Some),
        // It could never open again beside another destination.
        Ok(None) | Err(_) => Ok(before.secret.clone().filter(|_| !moves)),
    }
}
