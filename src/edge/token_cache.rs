//! The token cache on Workers KV: eventually consistent, so what it says is checked with every use.

use async_trait::async_trait;
use worker::kv::KvStore;

use crate::platform::TokenCache;

/// How long a location may serve a value without asking, in seconds: the smallest that KV allows everywhere.
const LOCAL_SECONDS: u64 = 60;

/// A KV namespace.
pub struct Kv(pub KvStore);

#[async_trait(?Send)]
impl TokenCache for Kv {
    async fn get(&self, key: &str) -> Option<String> {
        self.0
            .get(key)
            .cache_ttl(LOCAL_SECONDS)
            .text()
            .await
            .ok()
            .flatten()
    }

    async fn put(&self, key: &str, value: &str, seconds: u64) {
        if let Ok(put) = self.0.put(key, value) {
            let _ = put.expiration_ttl(seconds).execute().await;
        }
    }

    async fn delete(&self, key: &str) {
        let _ = self.0.delete(key).await;
    }
}
