//! Secrets in the clear that are made here and shown once: a prefix, 43 base62 characters of a 256-bit random secret, and 6 base62 characters
//! of the CRC-32 of all that precedes. The checksum refuses typing errors and guesses without any I/O; it is no secret. Only the SHA-256 of
//! one is kept: a 256-bit random secret needs no slow hash.

use sha2::{Digest, Sha256};

use crate::platform::Entropy;

const SECRET_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How long a secret with a prefix is.
pub const fn length(prefix: &str) -> usize {
    prefix.len() + SECRET_LENGTH + CHECKSUM_LENGTH
}

/// Makes a new one.
pub fn generate(prefix: &str, entropy: &dyn Entropy) -> Result<String, String> {
    let mut secret = [0; 32];
    entropy.fill(&mut secret)?;
    let text = format!("{prefix}{}", base62(&secret, SECRET_LENGTH));
    let checksum = checksum(&text);
    Ok(text + &checksum)
}

/// Whether a text has the form and the checksum of one.
pub fn is_whole(prefix: &str, text: &str) -> bool {
    if text.len() != length(prefix) || !text.starts_with(prefix) || !text.is_ascii() {
        return false;
    }
    let (body, sum) = text.split_at(text.len() - CHECKSUM_LENGTH);
    checksum(body) == sum
}

/// What one is stored and found by: its SHA-256 in hexadecimal.
pub fn hash(text: &str) -> String {
    format!("{:x}", Sha256::digest(text.as_bytes()))
}

/// Whether a text is made of the characters of a secret.
pub fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| ALPHABET.contains(&byte))
}

fn checksum(text: &str) -> String {
    base62(&crc32(text.as_bytes()).to_be_bytes(), CHECKSUM_LENGTH)
}

/// CRC-32 as zip has it. Bit by bit, for a few dozen bytes: the tables of a fast one would be a thirtieth of the whole worker.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
    !bytes
        .iter()
        .fold(!0, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

/// A big-endian number in base 62, padded with zeros to a length that holds it.
fn base62(bytes: &[u8], length: usize) -> String {
    let mut number = bytes.to_vec();
    let mut digits = Vec::with_capacity(length);
    for _ in 0..length {
        let mut remainder: u16 = 0;
        for byte in &mut number {
            let current = remainder * 256 + u16::from(*byte);
            *byte = u8::try_from(current / 62).unwrap_or(u8::MAX);
            remainder = current % 62;
        }
        let digit = ALPHABET
            .get(usize::from(remainder))
            .copied()
            .unwrap_or(b'0');
        digits.push(char::from(digit));
    }
    digits.iter().rev().collect()
}
