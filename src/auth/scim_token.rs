//! SCIM tokens: `rcs_`, 43 base62 characters of a 256-bit random secret, and 6 base62 characters of the CRC-32 of all that
//! precedes. The checksum refuses typing errors and guesses without any I/O; it is no secret. Only the SHA-256 of a
//! token is kept: a 256-bit random secret needs no slow hash.

use sha2::{Digest, Sha256};

use super::bearer;
use crate::platform::Entropy;

const PREFIX: &str = "rcs_";
const SECRET_LENGTH: usize = 43;
const CHECKSUM_LENGTH: usize = 6;
/// Characters of a hint.
const HINT_LENGTH: usize = PREFIX.len() + 4;
const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A token in the clear. It exists while a reply is made or a request is checked; it has no `Debug` and no `Serialize`.
pub struct ScimToken(String);

impl ScimToken {
    /// Makes a new token.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, String> {
        let mut secret = [0; 32];
        entropy.fill(&mut secret)?;
        let text = format!("{PREFIX}{}", base62(&secret, SECRET_LENGTH));
        let checksum = checksum(&text);
        Ok(ScimToken(text + &checksum))
    }

    /// Takes a credential for a token where its form and its checksum are right.
    pub fn parse(text: &str) -> Option<Self> {
        let total = PREFIX.len() + SECRET_LENGTH + CHECKSUM_LENGTH;
        if text.len() != total || !text.starts_with(PREFIX) || !text.is_ascii() {
            return None;
        }
        let (body, sum) = text.split_at(total - CHECKSUM_LENGTH);
        (checksum(body) == sum).then(|| ScimToken(text.to_owned()))
    }

    /// Why [`parse`](Self::parse) takes a credential for no whole token.
    pub fn fault(text: &str) -> &'static str {
        let total = PREFIX.len() + SECRET_LENGTH + CHECKSUM_LENGTH;
        let shown = text.trim_end_matches(['.', '…', '*']);
        match text.len() {
            _ if shown.len() < text.len() || shown.len() == HINT_LENGTH => bearer::HINT,
            length if length < total => "a part of the SCIM token is missing; it has 53 characters",
            length if length > total => "there is more than a SCIM token, which has 53 characters",
            _ => "a character of the SCIM token is wrong, its checksum says",
        }
    }

    /// Whether a credential means to be a SCIM token, so that it is not tried as anything else.
    pub fn looks_like(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// The token's text, for the one reply that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the token is stored and found by: its SHA-256 in hexadecimal.
    pub fn hash(&self) -> String {
        format!("{:x}", Sha256::digest(self.0.as_bytes()))
    }

    /// The first characters, for telling tokens apart in a list: 24 bits of the secret, far from enough to guess it.
    pub fn hint(&self) -> String {
        Self::hint_of(&self.0).unwrap_or_default()
    }

    /// The hint of what means to be a token; none where it cannot be one.
    pub fn hint_of(text: &str) -> Option<String> {
        let shown = text.get(..HINT_LENGTH)?;
        let secret = shown.strip_prefix(PREFIX)?;
        let is_base62 = secret.bytes().all(|byte| ALPHABET.contains(&byte));
        is_base62.then(|| format!("{shown}…"))
    }
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
