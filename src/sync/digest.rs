//! Hashes by which a sync knows what it has seen: half a SHA-256, in memory 16 bytes and in the database 22 characters. Nothing secret
//! depends on them; two that are equal by chance would be two in 2^64.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

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
