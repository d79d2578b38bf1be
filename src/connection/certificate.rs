//! X.509 certificates (RFC 5280) as SAML providers sign with: read, and judged.
//!
//! A SAML provider's certificate is pinned: it is trusted because it was configured, whoever issued it. So what counts is that it is in
//! force and that its key cannot be forged. The hash in its own signature protects nothing here: MD5 is refused for what it says of
//! its maker, SHA-1 is told.

use super::pem;
use x509_cert::Certificate;
use x509_cert::der::asn1::{ObjectIdentifier, UintRef};
use x509_cert::der::{Decode, Reader, SliceReader};

const DAY_MS: i64 = 86_400_000;
/// Days before its end from which on a certificate is told to be replaced.
const SOON_DAYS: i64 = 30;
/// Fewest bits of an RSA key.
const MIN_RSA_BITS: usize = 2_048;

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// Curves by their object identifiers.
const CURVES: [(ObjectIdentifier, &str); 3] = [
    (ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"), "P-256"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.34"), "P-384"),
    (ObjectIdentifier::new_unwrap("1.3.132.0.35"), "P-521"),
];
/// Signature algorithms with MD2, MD4 and MD5, and with SHA-1.
const MD: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.2"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.3"),
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.4"),
];
const SHA1: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5"),
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.1"),
    ObjectIdentifier::new_unwrap("1.3.14.3.2.29"),
];

/// A certificate that could be read.
#[derive(Clone)]
pub struct Parsed {
    certificate: Certificate,
    /// The encoded certificate: two are the same where this is.
    pub der: Vec<u8>,
}

/// Reads the certificates of a text: those in PEM, whatever stands around them, or the base64 of the DER of one. At least one, and none
/// twice. The error says what is wrong.
pub fn parse(text: &str) -> Result<Vec<Parsed>, String> {
    let parsed = |der: Vec<u8>| {
        let certificate = Certificate::from_der(&der)
            .map_err(|_| "it is base64, but no X.509 certificate".to_owned())?;
        Ok(Parsed { certificate, der })
    };
    pem::certificates(text)?.into_iter().map(parsed).collect()
}

impl Parsed {
    /// The common name of whom it is for; none where it has none. (To print the whole name, the library brings a table of every object
    /// identifier there is.)
    pub fn common_name(&self) -> Option<String> {
        let subject = &self.certificate.tbs_certificate.subject;
        let parts = subject.0.iter().flat_map(|part| part.0.iter());
        let name = parts.into_iter().find(|part| part.oid == COMMON_NAME)?;
        Some(String::from_utf8_lossy(name.value.value()).into_owned())
    }

    /// Its common name as a sentence names it.
    pub fn called(&self) -> String {
        self.common_name().unwrap_or_else(|| "no name".to_owned())
    }

    /// Whether it is in force, and for how many days more.
    pub fn validity(&self, now: i64) -> Result<String, String> {
        let validity = &self.certificate.tbs_certificate.validity;
        let milliseconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(i64::MAX)
        };
        let (begins, ends) = (
            milliseconds(validity.not_before),
            milliseconds(validity.not_after),
        );
        let date = |time: x509_cert::time::Time| time.to_date_time().to_string();
        if now < begins {
            return Err(format!(
                "the certificate is not valid before {}",
                date(validity.not_before)
            ));
        }
        if now > ends {
            return Err(format!(
                "the certificate expired on {}, {} days ago; ask the provider for the new one",
                date(validity.not_after),
                (now - ends) / DAY_MS
            ));
        }
        let days = (ends - now) / DAY_MS;
        let advice = match days < SOON_DAYS {
            true => "; replace it soon",
            false => "",
        };
        Ok(format!(
            "it is valid for {days} days more, until {}{advice}",
            date(validity.not_after)
        ))
    }

    /// Whether its key is strong enough, and what its signature was made with.
    pub fn strength(&self) -> Result<String, String> {
        let key = self.key()?;
        let algorithm = self.certificate.signature_algorithm.oid;
        if MD.contains(&algorithm) {
            return Err(format!(
                "{key}, but the certificate is signed with MD5 or older; ask the provider for a new one"
            ));
        }
        let remark = match SHA1.contains(&algorithm) {
            true => {
                "; the certificate is signed with SHA-1, which is out of date: have it replaced"
            }
            false => "",
        };
        Ok(format!("{key}{remark}"))
    }

    fn key(&self) -> Result<String, String> {
        let info = &self.certificate.tbs_certificate.subject_public_key_info;
        let algorithm = info.algorithm.oid;
        if algorithm == ED25519 {
            return Ok("Ed25519".to_owned());
        }
        if algorithm == EC {
            let curve = info
                .algorithm
                .parameters
                .as_ref()
                .and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok());
            let name = CURVES.iter().find(|(oid, _)| Some(*oid) == curve);
            return match name {
                Some((_, name)) => Ok(format!("EC {name}")),
                None => Err("its key is on a curve that is not P-256, P-384 or P-521".to_owned()),
            };
        }
        if algorithm != RSA && algorithm != RSA_PSS {
            return Err(format!(
                "its key is of the kind {algorithm}; RSA, EC or Ed25519 was expected"
            ));
        }
        let bits = rsa_bits(info.subject_public_key.raw_bytes())
            .ok_or_else(|| "its RSA key cannot be read".to_owned())?;
        match bits < MIN_RSA_BITS {
            true => Err(format!(
                "its RSA key has {bits} bits; {MIN_RSA_BITS} are needed, fewer can be forged"
            )),
            false => Ok(format!("RSA of {bits} bits")),
        }
    }
}

/// Length of the modulus of an `RSAPublicKey` (RFC 8017 §A.1.1).
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(key).ok()?;
    let modulus_bits = reader
        .sequence(|reader| {
            let modulus = UintRef::decode(reader)?;
            UintRef::decode(reader)?;
            let bytes = modulus.as_bytes();
            let unused = bytes.first().map_or(0, |byte| byte.leading_zeros());
            Ok((bytes.len() * 8).saturating_sub(usize::try_from(unused).unwrap_or(0)))
        })
        .ok()?;
    Some(modulus_bits)
}
