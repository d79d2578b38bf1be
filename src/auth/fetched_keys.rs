//! Key sets that are fetched from where their owner publishes them: how often, and what holds while that is away.

use std::rc::Rc;

use super::jwks::KeySet;
use super::memory::{Fetched, Memory, is_within};
use crate::at::At;
use crate::error::{Error, Kind, Result};
use crate::platform::Platform;

/// How long a fetched key set is used before it is fetched again, in milliseconds.
const KEYS_FRESH_MS: i64 = 600_000;
/// How soon an unknown key may make us fetch again, in milliseconds: otherwise anybody could make us fetch at will.
const REFETCH_MS: i64 = 30_000;
/// How soon keys that were never fetched are asked for again, in milliseconds.
const RETRY_MS: i64 = 1_000;
const MAX_JWKS_BYTES: usize = 256 * 1024;
const JWKS_TIMEOUT_MS: u32 = 5_000;

/// The key set at a configured address: from memory while it is fresh, fetched again once where it lacks the key.
pub(super) async fn fetched_keys(
    url: &str,
    kid: Option<&str>,
    platform: &Platform,
    memory: &Memory,
) -> Result<Rc<KeySet>> {
    let now = platform.clock.now();
    let known = memory.fetched(url);
    if let Some(known) = &known {
        let is_fresh = is_within(now, known.at, KEYS_FRESH_MS) && known.keys.find(kid).is_some();
        if is_fresh || is_within(now, known.tried_at, REFETCH_MS) {
            return Ok(Rc::clone(&known.keys));
        }
    }
    if memory
        .failed_at(url)
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
            memory.remember(
                url,
                Fetched {
                    keys: Rc::clone(&keys),
                    at: now,
                    tried_at: now,
                },
            );
            Ok(keys)
        }
        // Old keys are better than none while the issuer cannot be reached.
        Err(reason) => match known {
            Some(known) => {
                memory.remember(
                    url,
                    Fetched {
                        keys: Rc::clone(&known.keys),
                        tried_at: now,
                        ..known
                    },
                );
                Ok(known.keys)
            }
            None => {
                memory.note_failure(url, now);
                Err(unavailable(format!("JWKS: {reason}")))
            }
        },
    }
}

fn unavailable(internal: String) -> Error {
    Error {
        kind: Kind::Unavailable {
            retry_after_seconds: 1,
        },
        detail: "the keys that verify tokens cannot be fetched now".to_owned(),
        internal: Some(internal),
        at: At::here(),
    }
}
