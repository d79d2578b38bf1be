//! The tokens that the console gets for what Cloudflare Access said: JWTs (HS256) behind a prefix, which says whose key signs them, so that no other
//! token is ever tried as one or the other way round. The key is made from the one for cursors, which both workers have.

use hmac::{Hmac, Mac};
use sha2::Sha256;

#[cfg(feature = "jobs")]
use super::{Access, assertion::Visitor};
use crate::auth::bearer::refused;
use crate::auth::jwks;
use crate::auth::jwt::{AdminClaims, admitted, parsed};
use crate::config::Config;
use crate::error::{Error, Result};

const PREFIX: &str = "rca_";
/// What the key is for.
const LABEL: &[u8] = b"rollcall console token\0";
/// How long a token holds, in seconds; not longer than what Access said.
#[cfg(feature = "jobs")]
const LIFETIME_SECONDS: i64 = 900;

/// The JWT in a credential that means to be such a token.
pub fn is_one(credential: &str) -> Option<&str> {
    credential.strip_prefix(PREFIX)
}

/// The claims of a token, at a time in seconds since 1970. Where Access is not configured none holds.
pub fn verify(jwt: &str, config: &Config, now: i64) -> Result<AdminClaims> {
    let access = config.access.as_ref().ok_or_else(refused)?;
    let claims = jwks::verify_shared(&key(config)?, &parsed(jwt)?).ok_or_else(refused)?;
    // Other settings of Access are other people.
    admitted(claims, &access.issuer, &access.audience, now)
}

/// A token for somebody, and when it expires, in seconds since 1970.
#[cfg(feature = "jobs")]
pub fn mint(
    visitor: &Visitor,
    access: &Access,
    config: &Config,
    now: i64,
) -> Result<(String, i64)> {
    use jwt_compact::alg::{Hs256, Hs256Key};
    use jwt_compact::{AlgorithmExt, Claims, Header};
    use serde_json::json;

    let expires = visitor.until.min(now.saturating_add(LIFETIME_SECONDS));
    let mut claims = json!({
        "iss": access.issuer, "aud": access.audience, "sub": format!("access:{}", visitor.email),
        "scope": visitor.grant.scope, "iat": now, "exp": expires,
    });
    // Left out, and not null, for all tenants.
    if let (Some(tenant), Some(claims)) = (&visitor.grant.tenant, claims.as_object_mut()) {
        claims.insert("tenant_id".to_owned(), tenant.as_str().into());
    }
    let key = Hs256Key::new(key(config)?);
    let header: Header = Header::empty();
    let jwt = Hs256.token(&header, &Claims::new(claims), &key);
    let jwt = jwt.map_err(|error| Error::internal(error.to_string()))?;
    Ok((format!("{PREFIX}{jwt}"), expires))
}

fn key(config: &Config) -> Result<Vec<u8>> {
    let mac = Hmac::<Sha256>::new_from_slice(config.cursor_key.expose());
    let mut mac = mac.map_err(|error| Error::internal(error.to_string()))?;
    mac.update(LABEL);
    Ok(mac.finalize().into_bytes().to_vec())
}
