//! What a stream keeps to itself, sealed: the secrets that sign webhooks (Standard Webhooks 1.0: <https://www.standardwebhooks.com>), or how
//! it shows a receiver of tokens who it is.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::ids::TenantId;
use crate::platform::Entropy;
use crate::seal::KeyRing;
use crate::store::event_streams::Sealed;

/// Length of a secret in bytes; the specification asks for 24 to 64.
const SECRET_BYTES: usize = 32;
/// How a secret begins where it is shown.
const PREFIX: &str = "whsec_";

/// What is sealed of a stream.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub enum Secrets {
    Signing(SigningSecrets),
    /// The value of the header `Authorization` that deliveries have.
    Receiver {
        authorization: String,
    },
}

/// The secret that signs, and the one before it for as long as it signs too.
#[derive(Serialize, Deserialize)]
pub struct SigningSecrets {
    current: String,
    previous: Option<String>,
    /// Milliseconds since 1970.
    until: i64,
}

fn binding(tenant: &TenantId, id: &str) -> Vec<u8> {
    format!("event-stream-secrets\n{tenant}\n{id}").into_bytes()
}

impl SigningSecrets {
    /// A new one; the error is a reason for the log.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, String> {
        let mut bytes = [0; SECRET_BYTES];
        entropy.fill(&mut bytes)?;
        Ok(SigningSecrets {
            current: STANDARD.encode(bytes),
            previous: None,
            until: 0,
        })
    }

    /// A new one beside the current one, which signs until that time.
    pub fn rotated(self, entropy: &dyn Entropy, until: i64) -> Result<Self, String> {
        Ok(SigningSecrets {
            previous: Some(self.current),
            until,
            ..SigningSecrets::generate(entropy)?
        })
    }

    /// The one that signs, as receivers take it.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", self.current)
    }

    /// The headers of a delivery at that time, with a signature by each secret that is valid.
    pub fn headers(&self, message_id: &str, body: &str, now: i64) -> Vec<(&'static str, String)> {
        let seconds = now.div_euclid(1_000);
        let signed = format!("{message_id}.{seconds}.{body}");
        let previous = self.previous.as_ref().filter(|_| now < self.until);
        let secrets = std::iter::once(&self.current).chain(previous);
        let signatures: Vec<String> = secrets
            .filter_map(|secret| signature(secret, &signed))
            .collect();
        vec![
            ("content-type", "application/json".to_owned()),
            ("user-agent", "Rollcall".to_owned()),
            ("webhook-id", message_id.to_owned()),
            ("webhook-timestamp", seconds.to_string()),
            ("webhook-signature", signatures.join(" ")),
        ]
    }
}

impl Secrets {
    pub fn seal(
        &self,
        keys: &KeyRing,
        entropy: &dyn Entropy,
        tenant: &TenantId,
        id: &str,
    ) -> Result<Sealed, String> {
        let text = serde_json::to_vec(self).map_err(|error| error.to_string())?;
        let sealed = keys.seal(&binding(tenant, id), &text, entropy)?;
        Ok(Sealed {
            text: URL_SAFE_NO_PAD.encode(sealed),
            key_id: keys.current_id().to_owned(),
        })
    }

    /// None where they were sealed with a key that is not configured any more, or for another stream.
    pub fn open(sealed: &Sealed, keys: &KeyRing, tenant: &TenantId, id: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(&sealed.text).ok()?;
        let text = keys.open(&sealed.key_id, &binding(tenant, id), &bytes)?;
        serde_json::from_slice(&text).ok()
    }
}

fn signature(secret: &str, signed: &str) -> Option<String> {
    let key = STANDARD.decode(secret).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(signed.as_bytes());
    Some(format!(
        "v1,{}",
        STANDARD.encode(mac.finalize().into_bytes())
    ))
}
