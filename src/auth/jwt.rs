//! Administrators' JWTs (RFC 7519): signature first, then who it is for, then when. Every failure is the same 401.

use std::rc::Rc;

use serde::Deserialize;

use super::bearer::{Credential, refused};
use super::jwks::{self, KeySet, Untrusted};
use super::memory::{Fetched, Memory, is_within};
use crate::at::At;
use crate::config::{Config, KeySource};
use crate::error::{Error, Result};
use crate::platform::Platform;

/// Tolerance for clocks that disagree, in seconds.
const LEEWAY_SECONDS: i64 = 60;
/// How long a fetched key set is used before it is fetched again, in milliseconds.
const KEYS_FRESH_MS: i64 = 600_000;
/// How soon an unknown key may make us fetch again, in milliseconds: otherwise anybody could make us fetch at will.
const REFETCH_MS: i64 = 30_000;
/// How soon keys that were never fetched are asked for again, in milliseconds.
const RETRY_MS: i64 = 1_000;
const MAX_JWKS_BYTES: usize = 256 * 1024;
const JWKS_TIMEOUT_MS: u32 = 5_000;
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
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl OneOrMany {
    fn contains(&self, wanted: &str) -> bool {
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

/// Verifies a token and gives its claims.
pub async fn verify(
    credential: &Credential<'_>,
    config: &Config,
    platform: &Platform,
    memory: &Memory,
) -> Result<AdminClaims> {
    let text = credential.expose();
    if text.len() > MAX_TOKEN_BYTES {
        return Err(refused());
    }
    let token = Untrusted::try_from(text).map_err(|_| refused())?;
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
    let claims: jwt_compact::Claims<AdminClaims> = claims.ok_or_else(refused)?;
    let now = platform.clock.now() / 1_000;
    let expires = claims.expiration.ok_or_else(refused)?.timestamp();
    let begins = claims.not_before.map(|time| time.timestamp());
    let issued = claims.issued_at.map(|time| time.timestamp());
    let early =
        |time: Option<i64>| time.is_some_and(|time| time > now.saturating_add(LEEWAY_SECONDS));
    if expires.saturating_add(LEEWAY_SECONDS) <= now || early(begins) || early(issued) {
        return Err(refused());
    }
    let custom = claims.custom;
    if custom.iss != config.issuer
        || !custom.aud.contains(&config.audience)
        || custom.sub.is_empty()
    {
        return Err(refused());
    }
    Ok(custom)
}

/// The key set at the configured address: from memory while it is fresh, fetched again once where it lacks the key.
async fn fetched_keys(
    url: &str,
    kid: Option<&str>,
    platform: &Platform,
    memory: &Memory,
) -> Result<Rc<KeySet>> {
    let now = platform.clock.now();
    let known = memory.fetched();
    if let Some(known) = &known {
        let is_fresh = is_within(now, known.at, KEYS_FRESH_MS) && known.keys.find(kid).is_some();
        if is_fresh || is_within(now, known.tried_at, REFETCH_MS) {
            return Ok(Rc::clone(&known.keys));
        }
    }
    if memory
        .failed_at()
        .is_some_and(|failed| is_within(now, failed, RETRY_MS))
    {
        return Err(unavailable("JWKS: the last try failed".to_owned()));
    }
    let document = platform
        .http
        .get(url, MAX_JWKS_BYTES, JWKS_TIMEOUT_MS)
        .await;
    let keys = document
        .map_err(|error| error.to_string())
        .and_then(|document| KeySet::parse(&document));
    match keys {
        Ok(keys) => {
            let keys = Rc::new(keys);
            memory.remember(Fetched {
                keys: Rc::clone(&keys),
                at: now,
                tried_at: now,
            });
            Ok(keys)
        }
        // Old keys are better than none while the issuer cannot be reached.
        Err(reason) => match known {
            Some(known) => {
                memory.remember(Fetched {
                    keys: Rc::clone(&known.keys),
                    tried_at: now,
                    ..known
                });
                Ok(known.keys)
            }
            None => {
                memory.note_failure(now);
                Err(unavailable(format!("JWKS: {reason}")))
            }
        },
    }
}

fn unavailable(internal: String) -> Error {
    Error {
        kind: crate::error::Kind::Unavailable {
            retry_after_seconds: 1,
        },
        detail: "the keys that verify tokens cannot be fetched now".to_owned(),
        internal: Some(internal),
        at: At::here(),
    }
}
