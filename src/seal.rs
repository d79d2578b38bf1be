//! Sealed values: encrypted and authenticated with AES-256-GCM, bound to what they belong to, under a key from the
//! configuration.
//!
//! A sealed value is a 96-bit random nonce and the ciphertext with its tag. What it is bound to is not in it: opening it takes the
//! same binding again, so that a value cannot be carried elsewhere.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use sha2::{Digest, Sha256};

use crate::platform::Entropy;
use crate::secret::Secret;

/// Length of a key in bytes.
pub const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;
/// Length of the part of a key's hash that names the key.
const ID_BYTES: usize = 8;

/// The keys of what is stored sealed: one that seals, and the one before it, which still opens. A key's id is made from the key, so
/// that it cannot be given to another key by mistake.
#[derive(Clone)]
pub struct KeyRing {
    current: Key,
    previous: Option<Key>,
}

#[derive(Clone)]
struct Key {
    id: String,
    secret: Secret,
}

impl Key {
    /// A key with its id, which tells nothing of the key: it has 256 bits that nobody can guess.
    fn new(secret: Secret) -> Self {
        let hash = Sha256::new()
            .chain_update(b"rollcall key id\0")
            .chain_update(secret.expose())
            .finalize();
        let id = hash.iter().take(ID_BYTES).map(|byte| format!("{byte:02x}"));
        Key {
            id: id.collect(),
            secret,
        }
    }
}

impl KeyRing {
    pub fn new(current: Secret, previous: Option<Secret>) -> Self {
        KeyRing {
            current: Key::new(current),
            previous: previous.map(Key::new),
        }
    }

    /// Id of the key that seals.
    pub fn current_id(&self) -> &str {
        &self.current.id
    }

    /// Seals a value with the current key.
    pub fn seal(
        &self,
        binding: &[u8],
        value: &[u8],
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, String> {
        seal(&self.current.secret, binding, value, entropy)
    }

    /// Opens what the key of that id sealed; none where there is no such key any more, or the value does not hold.
    pub fn open(&self, key_id: &str, binding: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let key = std::iter::once(&self.current)
            .chain(&self.previous)
            .find(|key| key.id == key_id)?;
        open(&key.secret, binding, sealed)
    }
}

/// Seals a value.
pub fn seal(
    key: &Secret,
    binding: &[u8],
    value: &[u8],
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, String> {
    let mut nonce = [0; NONCE_BYTES];
    entropy.fill(&mut nonce)?;
    let payload = Payload {
        msg: value,
        aad: binding,
    };
    let sealed = cipher(key)?
        .encrypt(&Nonce::from(nonce), payload)
        .map_err(|_| "the value cannot be sealed".to_owned())?;
    Ok([nonce.as_slice(), &sealed].concat())
}

/// Opens a sealed value; none where it was changed, bound to something else, or sealed with another key.
pub fn open(key: &Secret, binding: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
    let payload = Payload {
        msg: sealed,
        aad: binding,
    };
    cipher(key)
        .ok()?
        .decrypt(&Nonce::from(*nonce), payload)
        .ok()
}

fn cipher(key: &Secret) -> Result<Aes256Gcm, String> {
    Aes256Gcm::new_from_slice(key.expose()).map_err(|_| format!("a key has {KEY_BYTES} bytes"))
}
