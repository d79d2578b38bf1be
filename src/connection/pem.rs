//! Texts that have certificates in them, as people paste them: PEM (RFC 7468) with whatever stands around its blocks, or the base64 of one
//! alone. Private keys are never read, only told to be there.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use x509_cert::der::{Decode, Reader, SliceReader, Tag};

/// Labels of blocks that have a certificate; the second is of old OpenSSL.
const LABELS: [&str; 2] = ["CERTIFICATE", "X509 CERTIFICATE"];
/// Characters of base64 in a line.
const LINE: usize = 64;

/// The encoded certificates of a text, in order, none twice. It is not known yet whether they are certificates.
pub fn certificates(text: &str) -> Result<Vec<Vec<u8>>, String> {
    // Line breaks as programs write them into one line.
    let text = text.replace("\\r", "\n").replace("\\n", "\n");
    let mut found: Vec<Vec<u8>> = Vec::new();
    if !text.contains("-----BEGIN") {
        found.push(decoded(&text).ok_or("it is neither PEM nor base64")?);
        return Ok(found);
    }
    for label in LABELS {
        let (begin, end) = (
            format!("-----BEGIN {label}-----"),
            format!("-----END {label}-----"),
        );
        for part in text.split(begin.as_str()).skip(1) {
            let (inside, _) = part
                .split_once(end.as_str())
                .ok_or_else(|| format!("a certificate begins with {begin} and has no {end}"))?;
            let der = decoded(inside)
                .ok_or("what stands between the lines of a certificate is no base64")?;
            if !found.contains(&der) {
                found.push(der);
            }
        }
    }
    match found.is_empty() {
        true => {
            Err("it is PEM, but no certificate: -----BEGIN CERTIFICATE----- is missing".to_owned())
        }
        false => Ok(found),
    }
}

/// Whether a private key is in the text, in whatever form, or a key store (PKCS #12), which is there to have one.
pub fn has_private_key(text: &str) -> bool {
    let spaced = text.replace("\\r", " ").replace("\\n", " ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    if words.join(" ").contains("PRIVATE KEY") {
        return true;
    }
    let bodies = spaced
        .split("-----")
        .filter(|body| !body.starts_with("BEGIN ") && !body.starts_with("END "));
    bodies
        .filter_map(decoded)
        .any(|der| is_private_key(&der).unwrap_or(false))
}

/// By the first elements: those of `PrivateKeyInfo` (RFC 5958), `RSAPrivateKey` (RFC 8017 §A.1.2), `ECPrivateKey` (RFC 5915) and `PFX`
/// (RFC 7292 §4) are a version from 0 to 3; `EncryptedPrivateKeyInfo` has an algorithm and an octet string.
fn is_private_key(der: &[u8]) -> Option<bool> {
    let mut reader = SliceReader::new(der).ok()?;
    let header = x509_cert::der::Header::decode(&mut reader).ok()?;
    if header.tag != Tag::Sequence {
        return Some(false);
    }
    let first = reader.tlv_bytes().ok()?;
    match first {
        [0x02, 1, 0..=3] => Some(true),
        [0x30, ..] => Some(reader.peek_tag().ok()? == Tag::OctetString),
        _ => Some(false),
    }
}

/// A certificate in PEM.
pub fn of_certificate(der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
    for (index, c) in base64.chars().enumerate() {
        if index > 0 && index % LINE == 0 {
            pem.push('\n');
        }
        pem.push(c);
    }
    pem + "\n-----END CERTIFICATE-----\n"
}

/// Base64, whatever white space is in it.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let base64: String = text.split_whitespace().collect();
    match base64.is_empty() {
        true => None,
        false => STANDARD.decode(base64).ok(),
    }
}
