//! Sealed values: encrypted and authenticated with AES-256-GCM, bound to what they belong to, under a key from the
//! configuration.
//!
//! A sealed value is a 96-bit random nonce and the ciphertext with its tag. What it is bound to is not in it: opening it takes the
//! same binding again, so that a value cannot be carried elsewhere.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};

use crate::config::Secret;
use crate::platform::Entropy;

/// Length of a key in bytes.
pub const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 12;

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
