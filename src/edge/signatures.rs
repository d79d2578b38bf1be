//! Signatures checked by the runtime's WebCrypto: native code, constant in time, and a tenth of the worker that need not be shipped.

use async_trait::async_trait;
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::{Array, Function, JSON, Promise, Reflect, Uint8Array, global};
use worker::wasm_bindgen_futures::JsFuture;

use crate::platform::{PublicKey, SignatureAlgorithm, Signatures};

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
        SignatureAlgorithm::Es256 => r#"{"name":"ECDSA","namedCurve":"P-256","hash":"SHA-256"}"#,
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
