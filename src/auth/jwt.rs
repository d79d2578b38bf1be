//! Administrators' JWTs (RFC 7519): signature first, then who it is for, then when. Every failure is the same 401.

use std::rc::Rc;

use jwt_compact::Claims;
use serde::Deserialize;

use super::bearer::{Credential, refused};
use super::fetched_keys::fetched_keys;
use super::jwks::{self, Untrusted};
use super::memory::Memory;
use crate::config::{Config, KeySource};
use crate::error::Result;
use crate::platform::Platform;

/// Tolerance for clocks that disagree, in seconds.
const LEEWAY_SECONDS: i64 = 60;
/// Longest token in bytes; a header of more is nobody's.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The claims that are read besides the registered times.
#[derive(Debug, Clone, Deserialize)]
pub struct AdminClaims {
    pub iss: String,
    pub sub: String,
    aud: OneOrMany,
    #[serde(default)]
    scope: Option<OneOrMany>,
    /// Left out: an administrator of the platform, where the scopes say so too. Null is not left out: an issuer that has no value to give must not give
    /// all of them.
    #[serde(default, deserialize_with = "present")]
    tenant_id: Option<Option<String>>,
}

/// A claim that is a string or an array of strings (RFC 7519 §4.1.3).
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    #[cfg(feature = "jobs")]
    pub(super) fn into_all(self) -> Vec<String> {
        match self {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        }
    }

    pub(super) fn contains(&self, wanted: &str) -> bool {
        match self {
            OneOrMany::One(one) => one == wanted,
            OneOrMany::Many(many) => many.iter().any(|one| one == wanted),
        }
    }
}

fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<Option<String>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl AdminClaims {
    /// The tenant that the token is for: none for the platform, an error for a null.
    pub fn tenant_id(&self) -> Result<Option<&str>> {
        match &self.tenant_id {
            None => Ok(None),
            Some(None) => Err(refused()),
            Some(Some(tenant)) => Ok(Some(tenant)),
        }
    }

    /// The scopes: a string with spaces between them (RFC 8693 §4.2), or an array.
    pub fn scopes(&self) -> Vec<String> {
        let split = |text: &String| -> Vec<String> {
            text.split_ascii_whitespace().map(str::to_owned).collect()
        };
        match &self.scope {
            None => Vec::new(),
            Some(OneOrMany::One(text)) => split(text),
            Some(OneOrMany::Many(texts)) => texts.iter().flat_map(split).collect(),
        }
    }
}

/// Verifies a token of the issuer's, and gives its claims.
pub async fn verify(
    credential: &Credential<'_>,
    config: &Config,
    platform: &Platform,
    memory: &Memory,
) -> Result<AdminClaims> {
    let text = credential.expose();
    let now = platform.clock.now() / 1_000;
    let token = parsed(text)?;
    let kid = token.header().key_id.as_deref();
    let keys = match &config.keys {
        KeySource::None | KeySource::Local(_) => None,
        KeySource::Static(keys) => Some(Rc::clone(keys)),
        KeySource::Fetched(url) => Some(fetched_keys(url, kid, platform, memory).await?),
    };
    let key = keys.as_ref().and_then(|keys| keys.find(kid));
    let claims = match (&config.keys, key) {
        (KeySource::Local(secret), _) => jwks::verify_shared(secret.expose(), &token),
        (_, Some(key)) => jwks::verify(key, &token, text, platform).await,
        (_, None) => None,
    };
    let claims = claims.ok_or_else(refused)?;
    admitted(claims, &config.issuer, &config.audience, now)
}

/// A token in its parts, none of which was checked.
pub(super) fn parsed(text: &str) -> Result<Untrusted<'_>> {
    match text.len() {
        0..=MAX_TOKEN_BYTES => Untrusted::try_from(text).map_err(|_| refused()),
        _ => Err(refused()),
    }
}

/// The claims of a token whose signature holds, where it was made by that issuer for that audience, and `now` is its time.
pub(super) fn admitted(
    claims: Claims<AdminClaims>,
    issuer: &str,
    audience: &str,
    now: i64,
) -> Result<AdminClaims> {
    check_times(&claims, now)?;
    let custom = claims.custom;
    match custom.iss == issuer && custom.aud.contains(audience) && !custom.sub.is_empty() {
        true => Ok(custom),
        false => Err(refused()),
    }
}

/// Refuses a token that has expired or never does, or whose time has not come; gives when it expires. All in seconds since 1970.
pub(super) fn check_times<T>(claims: &Claims<T>, now: i64) -> Result<i64> {
    let expires = claims.expiration.ok_or_else(refused)?.timestamp();
    let begins = claims.not_before.map(|time| time.timestamp());
    let issued = claims.issued_at.map(|time| time.timestamp());
    let early =
        |time: Option<i64>| time.is_some_and(|time| time > now.saturating_add(LEEWAY_SECONDS));
    match expires.saturating_add(LEEWAY_SECONDS) <= now || early(begins) || early(issued) {
        true => Err(refused()),
        false => Ok(expires),
    }
}
