//! Identifiers, each its own type so that none is taken for another.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid, Variant, Version};

/// A tenant's id: a UUIDv7, or 1 to 63 lower-case letters, digits and hyphens chosen by the administrator. It has no
/// underscore: Okta refuses one in a base URL.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct TenantId(String);

impl TenantId {
    /// The id, where the text has the form of one.
    pub fn parse(text: &str) -> Option<Self> {
        let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let well_formed = !text.is_empty()
            && text.len() <= 63
            && text.starts_with(letter)
            && text.ends_with(letter)
            && text.chars().all(|c| letter(c) || c == '-');
        well_formed.then(|| TenantId(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TenantId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        TenantId::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(
                "a tenant id is 1 to 63 lower-case letters, digits and hyphens, and begins and ends with a letter or digit",
            )
        })
    }
}

/// The canonical text of a UUID, where the text is one: what is not is nobody's id.
pub fn canonical_uuid(text: &str) -> Option<String> {
    Uuid::try_parse(text).ok().map(|id| id.to_string())
}

/// An id as it is kept and compared: a UUID in its canonical text, and what is none as it stands.
pub fn as_kept(text: &str) -> String {
    canonical_uuid(text).unwrap_or_else(|| text.to_owned())
}

/// The least UUIDv7 of a time, in milliseconds since 1970: ids that were made before it are less.
pub fn first_at(milliseconds: i64) -> String {
    let milliseconds = u64::try_from(milliseconds).unwrap_or_default();
    let id = Builder::from_unix_timestamp_millis(milliseconds, &[0; 10]);
    id.into_uuid().to_string()
}

/// The id that a resource has in a tenant that it is brought into from another one: it follows from both, and from nothing else. The time
/// in it stays (RFC 9562 §5.7), so that resources keep their order; the rest is a hash. None for what is no UUIDv7, and so no id of ours.
pub fn carried_over(tenant: &TenantId, id: &str) -> Option<String> {
    let old = Uuid::try_parse(id)
        .ok()
        .filter(|id| id.get_version_num() == 7)?;
    let digest = Sha256::new()
        .chain_update("rollcall carried over\n")
        .chain_update(tenant.as_str())
        .chain_update(old.as_bytes())
        .finalize();
    let mut bytes = *old.as_bytes();
    for (byte, hashed) in bytes.iter_mut().skip(6).zip(digest) {
        *byte = hashed;
    }
    let id = Builder::from_bytes(bytes)
        .with_variant(Variant::RFC4122)
        .with_version(Version::SortRand);
    Some(id.into_uuid().to_string())
}
