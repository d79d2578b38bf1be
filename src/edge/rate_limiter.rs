//! Counting requests with the platform's rate-limit bindings: per location, approximate, and without a round trip of ours.

use async_trait::async_trait;
use worker::Env;

use crate::platform::{Limit, RateLimiter};

/// The bindings of `wrangler.toml`. Where one is missing, nothing is counted against that limit.
pub struct Bindings(pub Env);

#[async_trait(?Send)]
impl RateLimiter for Bindings {
    async fn allows(&self, limit: Limit, key: &str) -> bool {
        let Ok(binding) = self.0.rate_limiter(name(limit)) else {
            return true;
        };
        match binding.limit(key.to_owned()).await {
            Ok(outcome) => outcome.success,
            Err(_) => true,
        }
    }
}

const fn name(limit: Limit) -> &'static str {
    match limit {
        Limit::Tenant => "TENANT_LIMIT",
        Limit::Credential => "CREDENTIAL_LIMIT",
        Limit::Failures => "FAILURES_LIMIT",
        Limit::Address => "ADDRESS_LIMIT",
    }
}
