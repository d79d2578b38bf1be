//! Public keys (RFC 7517) and what each verifies. A key has one algorithm, by its type; what a token's header claims
//! must agree with it and decides nothing.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, UntrustedToken};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::platform::{Platform, PublicKey, SignatureAlgorithm};

/// Header fields beyond those that every token has.
#[derive(Debug, Clone, Deserialize)]
pub struct Extra {
    /// Extensions that the reader must understand (RFC 7515 §4.1.11); we understand none. Whatever stands there counts, a
    /// null too.
    #[serde(default, deserialize_with = "whatever_is_there")]
    pub crit: Option<Value>,
}

fn whatever_is_there<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A token whose signature has not been checked.
pub type Untrusted<'t> = UntrustedToken<'t, Extra>;

/// Bytes of an Ed25519 key, and of each coordinate on P-256.
const CURVE_BYTES: usize = 32;
/// Lengths of an RSA modulus that verify anything, in bits: below, others can sign too; above, checking costs too much.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;
/// Longest RSA exponent in bytes.
const RSA_EXPONENT_BYTES: usize = 4;

/// The claims of a token that this key signed; none where the algorithm or the signature is another. `text` is the token's own.
pub async fn verify<T: DeserializeOwned>(
    key: &PublicKey,
    token: &Untrusted<'_>,
    text: &str,
    platform: &Platform,
) -> Option<Claims<T>> {
    if !is_understood(token) || token.algorithm() != name(key.algorithm) {
        return None;
    }
    let (message, _) = text.rsplit_once('.')?;
    let signature = token.signature_bytes();
    match platform
        .signatures
        .verify(key, message.as_bytes(), signature)
        .await
    {
        true => token.deserialize_claims_unchecked().ok(),
        false => None,
    }
}

/// The claims of a token that was signed with a shared secret, for local use only.
pub fn verify_shared<T: DeserializeOwned>(
    secret: &[u8],
    token: &Untrusted<'_>,
) -> Option<Claims<T>> {
    if !is_understood(token) {
        return None;
    }
    let key = Hs256Key::new(secret);
    let verified = Hs256.validator(&key).validate(token);
    verified.ok().map(|token| token.into_parts().1)
}

fn is_understood(token: &Untrusted<'_>) -> bool {
    token.header().other_fields.crit.is_none()
}

/// What `alg` of a token or a key calls the algorithm.
fn name(algorithm: SignatureAlgorithm) -> &'static str {
    match algorithm {
        SignatureAlgorithm::Ed25519 => "EdDSA",
        SignatureAlgorithm::Es256 => "ES256",
        SignatureAlgorithm::Rs256 => "RS256",
    }
}

struct Entry {
    kid: Option<String>,
    key: PublicKey,
}

/// The usable keys of a JWKS.
#[derive(Default)]
pub struct KeySet {
    entries: Vec<Entry>,
}

impl KeySet {
    /// Reads a JWKS. Keys for other uses or of other kinds are passed over (RFC 7517 §5); a document without a usable key is
    /// an error, and so is a shared secret in it: a public document holds none.
    pub fn parse(document: &[u8]) -> Result<Self, String> {
        let not_one = |why: &str| format!("it is not a JWKS: {why}");
        let mut document: Value = serde_json::from_slice(document)
            .map_err(|error| not_one(&crate::json::fault(document, &error)))?;
        let Some(Value::Array(keys)) = document.get_mut("keys").map(Value::take) else {
            return Err(not_one("it has no array `keys`"));
        };
        let entries: Vec<Entry> = keys.into_iter().filter_map(entry).collect();
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
    pub fn find(&self, kid: Option<&str>) -> Option<&PublicKey> {
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

/// A key of a JWKS; none where it is for something else, of another kind, or not what it says.
fn entry(value: Value) -> Option<Entry> {
    let key = public_key(&value)?;
    // A label that is there but no text is none that can be matched.
    let label = |name: &str| match value.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(label) => label.as_str().map(Some),
    };
    let is_for_this = label("use")?.is_none_or(|usage| usage == "sig")
        && label("alg")?.is_none_or(|alg| alg == name(key.algorithm));
    let kid = label("kid")?.map(str::to_owned);
    is_for_this.then_some(Entry { kid, key })
}

fn public_key(jwk: &Value) -> Option<PublicKey> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
    let is_coordinate = |name: &str| bytes(name).is_some_and(|bytes| bytes.len() == CURVE_BYTES);
    let kind = (text("kty")?, text("crv"));
    let (algorithm, jwk) = match kind {
        ("OKP", Some("Ed25519")) if is_coordinate("x") => (
            SignatureAlgorithm::Ed25519,
            json!({"kty": "OKP", "crv": "Ed25519", "x": text("x")}),
        ),
        ("EC", Some("P-256")) if is_coordinate("x") && is_coordinate("y") => (
            SignatureAlgorithm::Es256,
            json!({"kty": "EC", "crv": "P-256", "x": text("x"), "y": text("y")}),
        ),
        ("RSA", _) if is_strong(&bytes("n")?, &bytes("e")?) => (
            SignatureAlgorithm::Rs256,
            json!({"kty": "RSA", "n": text("n"), "e": text("e")}),
        ),
        _ => return None,
    };
    Some(PublicKey {
        algorithm,
        jwk: jwk.to_string(),
    })
}

/// Whether an RSA key is one that only its owner signs for (RFC 7518 §3.3): its modulus long enough, its exponent odd and not 1.
fn is_strong(modulus: &[u8], exponent: &[u8]) -> bool {
    let significant = |number: &[u8]| number.iter().skip_while(|byte| **byte == 0).count();
    let leading = modulus.iter().find(|byte| **byte != 0);
    let unused = leading.map_or(0, |byte| byte.leading_zeros() as usize);
    let bits = (significant(modulus) * 8).saturating_sub(unused);
    let is_odd = exponent.last().is_some_and(|byte| byte % 2 == 1);
    let is_one = significant(exponent) == 1 && exponent.last() == Some(&1);
    RSA_BITS.contains(&bits) && is_odd && !is_one && significant(exponent) <= RSA_EXPONENT_BYTES
}
