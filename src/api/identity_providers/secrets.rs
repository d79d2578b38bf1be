//! A provider's secret between the API and its row: sealed, and bound to the tenant and the provider that it belongs to, so that what
//! was copied into another row does not open.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::App;
use crate::config::Secret;
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::store::identity_providers::{IdentityProvider, Sealed};

fn binding(tenant: &TenantId, id: &str) -> Vec<u8> {
    format!("identity-provider-secret\n{tenant}\n{id}").into_bytes()
}

/// Seals a secret under the current key.
pub fn seal(app: &App, tenant: &TenantId, id: &str, secret: &Secret) -> Result<Sealed> {
    let keys = &app.config.encryption_keys;
    let sealed = keys
        .seal(
            &binding(tenant, id),
            secret.expose(),
            app.platform.entropy.as_ref(),
        )
        .map_err(Error::internal)?;
    Ok(Sealed {
        text: URL_SAFE_NO_PAD.encode(sealed),
        key_id: keys.current_id().to_owned(),
    })
}

/// The secret of a provider, none where it has none. Fails where it was sealed with a key that is not configured any more.
pub fn open(app: &App, provider: &IdentityProvider) -> Result<Option<Secret>> {
    let Some(sealed) = &provider.secret else {
        return Ok(None);
    };
    let binding = binding(&provider.tenant_id, &provider.id);
    let opened = URL_SAFE_NO_PAD.decode(&sealed.text).ok().and_then(|bytes| {
        let keys = &app.config.encryption_keys;
        keys.open(&sealed.key_id, &binding, &bytes)
    });
    match opened {
        Some(secret) => Ok(Some(Secret::new(secret))),
        None => Err(Error {
            internal: Some(format!("a secret sealed with the key {}", sealed.key_id)),
            ..Error::new(
                Kind::Conflict,
                "the provider's secret was sealed with a key that is not configured any more: set the secret anew, \
                 or give that key back as ENCRYPTION_KEY_PREVIOUS",
            )
        }),
    }
}

/// The secret as it is to be stored from now on: under the current key, where it was under the one before. What does not open is left
/// as it is: its key may come back.
pub fn renew(app: &App, provider: &IdentityProvider) -> Result<Option<Sealed>> {
    let is_current = |sealed: &Sealed| sealed.key_id == app.config.encryption_keys.current_id();
    if provider.secret.as_ref().is_none_or(is_current) {
        return Ok(provider.secret.clone());
    }
    match open(app, provider) {
        Ok(Some(secret)) => seal(app, &provider.tenant_id, &provider.id, &secret).map(Some),
        Ok(None) | Err(_) => Ok(provider.secret.clone()),
    }
}
