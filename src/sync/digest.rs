//! Hashes by which a sync knows what it has seen: half a SHA-256, in memory 16 bytes and in the database 22 characters. Nothing secret
//! depends on them; two that are equal by chance would be two in 2^64.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// A hash; the default one is that of nothing at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Digest([u8; 16]);

impl Digest {
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        let hash = Sha256::digest(bytes);
        let mut half = [0; 16];
        for (to, from) in half.iter_mut().zip(hash) {
            *to = from;
        }
        Digest(half)
    }

    /// Its first bits, for tables.
    pub fn start(self) -> u32 {
        let [a, b, c, d, ..] = self.0;
        u32::from_be_bytes([a, b, c, d])
    }

    /// As the database has it; empty for the default.
    pub fn to_text(self) -> String {
        match self == Digest::default() {
            true => String::new(),
            false => URL_SAFE_NO_PAD.encode(self.0),
        }
    }

    /// Reads back what [`to_text`](Self::to_text) wrote; what it did not write is the default, and so equal to no hash.
    pub fn from_text(text: &str) -> Self {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok();
        Digest(
            bytes
                .and_then(|bytes| bytes.try_into().ok())
                .unwrap_or_default(),
        )
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        Ok(Digest::from_text(&text))
    }
}

/// Hash of a group's members, whatever their order and how often each is there; that of none is not the default.
pub fn of_members(mut members: Vec<Uuid>) -> Digest {
    members.sort_unstable();
    members.dedup();
    let bytes: Vec<u8> = members.iter().flat_map(|id| *id.as_bytes()).collect();
    Digest::of(bytes)
}

/// Hashes one behind the other, as one text.
pub fn packed(digests: &[Digest]) -> String {
    let bytes: Vec<u8> = digests.iter().flat_map(|digest| digest.0).collect();
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads back what [`packed`] wrote.
pub fn unpacked(text: &str) -> Vec<Digest> {
    let bytes = URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    let (digests, _) = bytes.as_chunks();
    digests.iter().copied().map(Digest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let digest = Digest::of("uid=ada,dc=example,dc=com");
        assert_eq!(digest.to_text().len(), 22);
        assert_eq!(Digest::from_text(&digest.to_text()), digest);
        assert_eq!(Digest::from_text(""), Digest::default());
        assert_eq!(Digest::default().to_text(), "");
        assert_ne!(digest, Digest::of("uid=ada,dc=example,dc=org"));
    }
}
