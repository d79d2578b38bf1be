//! Keys of issuers, and tokens in any shape: the header and the claims are written as they are, whoever signs them.

use std::cell::Cell;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::Algorithm;
use jwt_compact::AlgorithmSignature;
use jwt_compact::alg::{Ed25519, Es256, Hs256, Hs256Key, Rsa, SigningKey, VerifyingKey};
use jwt_compact::jwk::JsonWebKey;
use rollcall::platform::{PublicKey, SignatureAlgorithm, Signatures};
use serde_json::{Map, Value, json};

type Secret<A> = <A as Algorithm>::SigningKey;

/// Whoever signs a token.
pub enum Signer {
    Ed25519(Secret<Ed25519>),
    Es256(Secret<Es256>),
    Rs256(Box<Secret<Rsa>>),
    Hs256(Vec<u8>),
}

impl Signer {
    /// An Ed25519 key; another one for each number.
    pub fn ed25519(number: u8) -> Self {
        Signer::Ed25519(SigningKey::<Ed25519>::from_slice(&[number; 32]).expect("a key"))
    }

    /// A P-256 key; another one for each number.
    pub fn es256(number: u8) -> Self {
        Signer::Es256(SigningKey::<Es256>::from_slice(&[number; 32]).expect("a key"))
    }

    /// The RSA key of `tests/fixtures/keys` with that many bits.
    pub fn rsa(bits: u32) -> Self {
        let path = format!("tests/fixtures/keys/rsa_{bits}.json");
        let text = std::fs::read_to_string(path).expect("a fixture");
        let jwk: JsonWebKey<'_> = serde_json::from_str(&text).expect("a JWK");
        Signer::Rs256(Box::new((&jwk).try_into().expect("an RSA key")))
    }

    pub fn hs256(secret: impl Into<Vec<u8>>) -> Self {
        Signer::Hs256(secret.into())
    }

    pub fn algorithm(&self) -> &'static str {
        match self {
            Signer::Ed25519(_) => "EdDSA",
            Signer::Es256(_) => "ES256",
            Signer::Rs256(_) => "RS256",
            Signer::Hs256(_) => "HS256",
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Signer::Ed25519(key) => Ed25519.sign(key, message).as_bytes().into_owned(),
            Signer::Es256(key) => Es256.sign(key, message).as_bytes().into_owned(),
            Signer::Rs256(key) => Rsa::rs256().sign(key, message).as_bytes().into_owned(),
            Signer::Hs256(secret) => {
                let key = Hs256Key::new(secret);
                Hs256.sign(&key, message).as_bytes().into_owned()
            }
        }
    }

    /// The public key as a member of a JWKS.
    pub fn jwk(&self, kid: &str) -> Value {
        let mut jwk = match self {
            Signer::Ed25519(key) => {
                let public = SigningKey::<Ed25519>::to_verifying_key(key);
                json!(JsonWebKey::from(&public))
            }
            Signer::Es256(key) => {
                let public = SigningKey::<Es256>::to_verifying_key(key);
                json!(JsonWebKey::from(&public))
            }
            Signer::Rs256(key) => json!(JsonWebKey::from(&key.to_public_key())),
            Signer::Hs256(secret) => json!({"kty": "oct", "k": URL_SAFE_NO_PAD.encode(secret)}),
        };
        jwk["kid"] = kid.into();
        jwk
    }

    /// The bytes of an Ed25519 public key: what an attacker would sign with as a shared secret.
    pub fn public_bytes(&self) -> Vec<u8> {
        match self {
            Signer::Ed25519(key) => {
                let public = SigningKey::<Ed25519>::to_verifying_key(key);
                VerifyingKey::<Ed25519>::as_bytes(&public).into_owned()
            }
            Signer::Es256(key) => {
                let public = SigningKey::<Es256>::to_verifying_key(key);
                VerifyingKey::<Es256>::as_bytes(&public).into_owned()
            }
            Signer::Rs256(_) => {
                let modulus = self.jwk("")["n"].as_str().expect("a modulus").to_owned();
                URL_SAFE_NO_PAD.decode(modulus).expect("base64")
            }
            Signer::Hs256(secret) => secret.clone(),
        }
    }

    /// A token with this key's own algorithm and that `kid` in its header.
    pub fn token(&self, kid: &str, claims: &Map<String, Value>) -> String {
        let header = json!({"alg": self.algorithm(), "typ": "JWT", "kid": kid});
        self.token_with(&header, &json!(claims))
    }

    /// A token with exactly this header, signed with this key whatever the header says.
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.token_of_text(&header.to_string(), &claims.to_string())
    }

    /// A token whose header and claims are any text.
    pub fn token_of_text(&self, header: &str, claims: &str) -> String {
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let signature = URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

/// Signatures checked natively, as WebCrypto checks them in the worker.
pub struct Native;

#[async_trait(?Send)]
impl Signatures for Native {
    async fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        let jwk: JsonWebKey<'_> = serde_json::from_str(&key.jwk).expect("a JWK");
        match key.algorithm {
            SignatureAlgorithm::Ed25519 => is_signed(&Ed25519, &jwk, message, signature),
            SignatureAlgorithm::Es256 => is_signed(&Es256, &jwk, message, signature),
            SignatureAlgorithm::Rs256 => is_signed(&Rsa::rs256(), &jwk, message, signature),
        }
    }
}

/// Keys of the deployment's own: the first, the second and so on.
#[derive(Default)]
pub struct OwnKeys(Cell<u8>);

#[async_trait(?Send)]
impl rollcall::platform::Signer for OwnKeys {
    async fn generate(&self) -> Result<String, String> {
        self.0.set(self.0.get() + 1);
        let key = SigningKey::<Es256>::from_slice(&[self.0.get(); 32]).expect("a key");
        Ok(json!(JsonWebKey::from(&key)).to_string())
    }

    async fn sign(&self, private: &str, message: &[u8]) -> Result<Vec<u8>, String> {
        let jwk: JsonWebKey<'_> = serde_json::from_str(private).expect("a JWK");
        let key: Secret<Es256> = (&jwk).try_into().expect("a private key");
        Ok(Signer::Es256(key).sign(message))
    }
}

fn is_signed<'k, A: Algorithm>(
    algorithm: &A,
    jwk: &'k JsonWebKey<'k>,
    message: &[u8],
    signature: &[u8],
) -> bool
where
    A::VerifyingKey: TryFrom<&'k JsonWebKey<'k>>,
{
    let key = A::VerifyingKey::try_from(jwk);
    let signature = A::Signature::try_from_slice(signature);
    match (key, signature) {
        (Ok(key), Ok(signature)) => algorithm.verify_signature(&signature, &key, message),
        _ => false,
    }
}

/// A JWKS of these public keys.
pub fn jwks(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}
