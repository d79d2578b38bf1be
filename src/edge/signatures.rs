//! Signatures checked and made by the runtime's WebCrypto: native code, constant in time, and a tenth of the worker that need not be shipped.

use async_trait::async_trait;
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::{Array, Function, JSON, Promise, Reflect, Uint8Array, global};
use worker::wasm_bindgen_futures::JsFuture;

#[cfg(feature = "jobs")]
use crate::platform::Signer;
use crate::platform::{PublicKey, SignatureAlgorithm, Signatures};

const ES256: &str = r#"{"name":"ECDSA","namedCurve":"P-256","hash":"SHA-256"}"#;

/// `crypto.subtle`.
pub struct WebCrypto;

#[async_trait(?Send)]
impl Signatures for WebCrypto {
    async fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        verify(key, message, signature)
            .await
            .is_ok_and(|verified| verified == JsValue::TRUE)
    }
}

async fn verify(key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<JsValue, JsValue> {
    let algorithm = JSON::parse(match key.algorithm {
        SignatureAlgorithm::Ed25519 => r#"{"name":"Ed25519"}"#,
        SignatureAlgorithm::Es256 => ES256,
        SignatureAlgorithm::Rs256 => r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#,
    })?;
    let jwk = JSON::parse(&key.jwk)?;
    let usages: JsValue = Array::of1(&"verify".into()).into();
    let imported = subtle(
        "importKey",
        [&"jwk".into(), &jwk, &algorithm, &JsValue::FALSE, &usages],
    )
    .await?;
    // Copies: the worker's own memory may move while the runtime is at work.
    let [signature, message] =
        [signature, message].map(|bytes| JsValue::from(Uint8Array::from(bytes)));
    subtle("verify", [&algorithm, &imported, &signature, &message]).await
}

#[cfg(feature = "jobs")]
#[async_trait(?Send)]
impl Signer for WebCrypto {
    async fn generate(&self) -> Result<String, String> {
        generate().await.map_err(|error| format!("{error:?}"))
    }

    async fn sign(&self, private: &str, message: &[u8]) -> Result<Vec<u8>, String> {
        let signed = sign(private, message).await;
        signed.map_err(|error| format!("{error:?}"))
    }
}

#[cfg(feature = "jobs")]
async fn generate() -> Result<String, JsValue> {
    let algorithm = JSON::parse(ES256)?;
    let usages: JsValue = Array::of2(&"sign".into(), &"verify".into()).into();
    let pair = subtle("generateKey", [&algorithm, &JsValue::TRUE, &usages]).await?;
    let private = Reflect::get(&pair, &"privateKey".into())?;
    let jwk = subtle("exportKey", [&"jwk".into(), &private]).await?;
    Ok(JSON::stringify(&jwk)?.into())
}

#[cfg(feature = "jobs")]
async fn sign(private: &str, message: &[u8]) -> Result<Vec<u8>, JsValue> {
    let (algorithm, jwk) = (JSON::parse(ES256)?, JSON::parse(private)?);
    let usages: JsValue = Array::of1(&"sign".into()).into();
    let key = [&"jwk".into(), &jwk, &algorithm, &JsValue::FALSE, &usages];
    let key = subtle("importKey", key).await?;
    let message = JsValue::from(Uint8Array::from(message));
    let signature = subtle("sign", [&algorithm, &key, &message]).await?;
    Ok(Uint8Array::new(&signature).to_vec())
}

/// Calls a function of `crypto.subtle` and waits for its result.
async fn subtle<const N: usize>(name: &str, arguments: [&JsValue; N]) -> Result<JsValue, JsValue> {
    let crypto = Reflect::get(&global(), &"crypto".into())?;
    let subtle = Reflect::get(&crypto, &"subtle".into())?;
    let function: Function = Reflect::get(&subtle, &name.into())?.dyn_into()?;
    let promise: Promise = function
        .apply(&subtle, &arguments.into_iter().collect())?
        .dyn_into()?;
    JsFuture::from(promise).await
}
