//! The certificates of a SAML provider: taken in whatever text they are pasted, kept and shown as certificates and nothing else.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::connection::certificate::{self, Parsed};
use crate::connection::pem;

/// Longest text in bytes, and most bytes of the encoded certificates in it: one with RSA of 4096 bits has about 1,700. As they are kept they
/// are shorter than the text may be.
pub const MAX_CERTIFICATE: usize = 65_536;
const MAX_DER: usize = 24_576;
/// Most certificates of a provider: the one in use, its successor, and some more.
pub const MAX_CERTIFICATES: usize = 8;

/// One certificate or, while a provider changes from one to the next, several; in the order in which they were given. Written as PEM, one
/// after the other.
#[derive(Clone)]
pub struct Certificates {
    all: Vec<Parsed>,
    /// Whether the text had a private key in it too. It is not kept; who sends one is told, and what an older version stored is cleaned.
    pub had_private_key: bool,
}

impl Certificates {
    pub fn all(&self) -> &[Parsed] {
        &self.all
    }

    /// The one that is used first at that time, in milliseconds: the first that is in force, else the first.
    pub fn used_first(&self, now: i64) -> Self {
        let in_force = |parsed: &&Parsed| parsed.validity(now).is_ok();
        let first = self.all.iter().find(in_force).or(self.all.first());
        Certificates {
            all: first.cloned().into_iter().collect(),
            had_private_key: false,
        }
    }

    /// All of them, each in PEM.
    pub fn to_pem(&self) -> Vec<String> {
        let pem = |parsed: &Parsed| pem::of_certificate(&parsed.der);
        self.all.iter().map(pem).collect()
    }
}

impl Serialize for Certificates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_pem().concat())
    }
}

impl<'de> Deserialize<'de> for Certificates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        read(&text).map_err(D::Error::custom)
    }
}

fn read(text: &str) -> Result<Certificates, String> {
    match text.len() {
        0 => return Err("it is empty".to_owned()),
        1..=MAX_CERTIFICATE => {}
        length => {
            return Err(format!(
                "it has {length} bytes; {MAX_CERTIFICATE} are allowed"
            ));
        }
    }
    let had_private_key = pem::has_private_key(text);
    let all = match certificate::parse(text) {
        Ok(all) => all,
        Err(_) if had_private_key => return Err(PRIVATE_KEY.to_owned()),
        Err(reason) => return Err(reason),
    };
    let bytes: usize = all.iter().map(|parsed| parsed.der.len()).sum();
    if bytes > MAX_DER {
        return Err(format!(
            "its certificates have {bytes} bytes; {MAX_DER} are allowed"
        ));
    }
    match all.len() {
        0..=MAX_CERTIFICATES => Ok(Certificates {
            all,
            had_private_key,
        }),
        count => Err(format!(
            "it has {count} certificates; {MAX_CERTIFICATES} are allowed"
        )),
    }
}

/// What is said of a private key.
pub const PRIVATE_KEY: &str = "it has a private key in it, which is not for us and was not kept: give the certificate alone. The key is known to others \
     now: have the provider replace it, with its certificate";
