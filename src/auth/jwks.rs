//! Public keys (RFC 7517) and what each verifies. A key has one algorithm, by its type; what a token's header claims
//! must agree with it and decides nothing.

use jwt_compact::alg::{Ed25519, Es256, Hs256, Hs256Key, Rsa, StrongKey};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmExt, Claims, UntrustedToken};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// Header fields beyond those that every token has.
#[derive(Debug, Clone, Deserialize)]
pub struct Extra {
    /// Extensions that the reader must understand (RFC 7515 §4.1.11); we understand none. Whatever stands there counts, a
    /// null too.
    #[serde(default, deserialize_with = "whatever_is_there")]
    pub crit: Option<serde_json::Value>,
}

fn whatever_is_there<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<serde_json::Value>, D::Error> {
    serde_json::Value::deserialize(deserializer).map(Some)
}

/// A token whose signature has not been checked.
pub type Untrusted<'t> = UntrustedToken<'t, Extra>;

type Ed25519Key = <Ed25519 as Algorithm>::VerifyingKey;
type Es256Key = <Es256 as Algorithm>::VerifyingKey;
type RsaKey = <Rsa as Algorithm>::VerifyingKey;

/// A key, with the one algorithm it is for.
pub enum VerifyingKey {
    Ed25519(Box<Ed25519Key>),
    Es256(Box<Es256Key>),
    Rs256(Box<RsaKey>),
    /// A shared secret, for local use only.
    Hs256(Hs256Key),
}

impl VerifyingKey {
    /// The claims of a token that this key signed; none where the algorithm or the signature is another.
    pub fn verify<T: DeserializeOwned>(&self, token: &Untrusted<'_>) -> Option<Claims<T>> {
        if token.header().other_fields.crit.is_some() {
            return None;
        }
        let verified = match self {
            VerifyingKey::Ed25519(key) => Ed25519.validator(key).validate(token),
            VerifyingKey::Es256(key) => Es256.validator(key).validate(token),
            VerifyingKey::Rs256(key) => Rsa::rs256().validator(key).validate(token),
            VerifyingKey::Hs256(key) => Hs256.validator(key).validate(token),
        };
        verified.ok().map(|token| token.into_parts().1)
    }

    fn algorithm(&self) -> &'static str {
        match self {
            VerifyingKey::Ed25519(_) => "EdDSA",
            VerifyingKey::Es256(_) => "ES256",
            VerifyingKey::Rs256(_) => "RS256",
            VerifyingKey::Hs256(_) => "HS256",
        }
    }
}

struct Entry {
    kid: Option<String>,
    key: VerifyingKey,
}

/// The usable keys of a JWKS.
#[derive(Default)]
pub struct KeySet {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Labels {
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
}

impl KeySet {
    /// Reads a JWKS. Keys for other uses or of other kinds are passed over (RFC 7517 §5); a document without a usable key is
    /// an error, and so is a shared secret in it: a public document holds none.
    pub fn parse(document: &[u8]) -> Result<Self, String> {
        let document: Document =
            serde_json::from_slice(document).map_err(|error| format!("not a JWKS: {error}"))?;
        let entries: Vec<Entry> = document.keys.into_iter().filter_map(entry).collect();
        match entries.is_empty() {
            true => Err(
                "the JWKS has no usable key (Ed25519, P-256, or RSA of 2048 bits or more)"
                    .to_owned(),
            ),
            false => Ok(KeySet { entries }),
        }
    }

    /// How many keys there are, one at least.
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// The key that a token names; without a name, the only key there is.
    pub fn find(&self, kid: Option<&str>) -> Option<&VerifyingKey> {
        match (kid, self.entries.as_slice()) {
            (Some(kid), entries) => entries
                .iter()
                .find(|entry| entry.kid.as_deref() == Some(kid))
                .map(|entry| &entry.key),
            (None, [only]) => Some(&only.key),
            (None, _) => None,
        }
    }
}

fn entry(value: serde_json::Value) -> Option<Entry> {
    let labels: Labels = serde_json::from_value(value.clone()).ok()?;
    if labels.usage.is_some_and(|usage| usage != "sig") {
        return None;
    }
    let jwk: JsonWebKey<'_> = serde_json::from_value(value).ok()?;
    let jwk = jwk.to_verifying_key();
    let key = match &jwk {
        JsonWebKey::KeyPair { .. } => VerifyingKey::Ed25519(Box::new((&jwk).try_into().ok()?)),
        JsonWebKey::EllipticCurve { .. } => VerifyingKey::Es256(Box::new((&jwk).try_into().ok()?)),
        JsonWebKey::Rsa { .. } => {
            let key: RsaKey = (&jwk).try_into().ok()?;
            // Refuses moduli below 2048 bits.
            let key = StrongKey::try_from(key).ok()?;
            VerifyingKey::Rs256(Box::new(key.into_inner()))
        }
        _ => return None,
    };
    if labels.alg.is_some_and(|alg| alg != key.algorithm()) {
        return None;
    }
    Some(Entry {
        kid: labels.kid,
        key,
    })
}
