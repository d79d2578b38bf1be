//! Cursors (RFC 9865): where a page ended, as a key and not an offset, so that a page costs the same wherever it lies.
//!
//! A cursor is opaque, URL-safe and sealed. It is bound to the tenant, the resource types, the filter, the order and the
//! page size that it was made for: with any other query, or when a byte of it is changed, it is `invalidCursor`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::error::{Error, Result, ScimType};
use crate::platform::Entropy;
use crate::seal;
use crate::secret::Secret;

/// How long a cursor may be used, in seconds: what `cursorTimeout` announces.
pub const TIMEOUT_SECONDS: i64 = 3_600;

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cursor {
    /// The last resource's value of what the list is sorted by: null where it has none, or where nothing is sorted by.
    #[serde(rename = "k")]
    pub sort_key: Value,
    /// The last resource's id.
    #[serde(rename = "i")]
    pub id: String,
    /// `totalResults` of the first page: a filtered total is counted once.
    #[serde(rename = "t")]
    pub total: i64,
    /// The page size.
    #[serde(rename = "c")]
    pub count: i64,
    /// When it was made, in milliseconds since 1970.
    #[serde(rename = "m")]
    made: i64,
}

impl Cursor {
    pub fn new(sort_key: Value, id: String, total: i64, count: i64, now: i64) -> Self {
        Cursor {
            sort_key,
            id,
            total,
            count,
            made: now,
        }
    }

    /// The cursor as a client gets it.
    pub fn to_text(
        &self,
        key: &Secret,
        binding: &Binding,
        entropy: &dyn Entropy,
    ) -> std::result::Result<String, String> {
        let value = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        let sealed = seal::seal(key, &binding.0, &value, entropy)?;
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }

    /// The cursor that a client sent.
    pub fn from_text(text: &str, key: &Secret, binding: &Binding, now: i64) -> Result<Self> {
        let cursor = URL_SAFE_NO_PAD
            .decode(text)
            .ok()
            .and_then(|sealed| seal::open(key, &binding.0, &sealed))
            .and_then(|value| serde_json::from_slice::<Cursor>(&value).ok())
            .ok_or_else(|| {
                Error::new(
                    ScimType::InvalidCursor,
                    "the cursor is not one of this query's; begin again with an empty one",
                )
            })?;
        if now - cursor.made > TIMEOUT_SECONDS * 1_000 {
            return Err(Error::new(
                ScimType::ExpiredCursor,
                format!("the cursor is older than {TIMEOUT_SECONDS} seconds; begin again"),
            ));
        }
        Ok(cursor)
    }
}

/// What a cursor belongs to.
pub struct Binding(Vec<u8>);

impl Binding {
    /// Binds to parts of a query, each told apart from the next.
    pub fn new(parts: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.len().to_be_bytes());
            hash.update(part.as_bytes());
        }
        Binding(hash.finalize().to_vec())
    }
}
