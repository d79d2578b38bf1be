//! Administrators' tokens of either kind.

use super::access;
use super::bearer::Credential;
use super::jwt::{self, AdminClaims};
use super::memory::Memory;
use crate::config::Config;
use crate::error::Result;
use crate::platform::Platform;

/// Verifies a token and gives its claims: one of the issuer's, or one that the console got for what Cloudflare Access said.
pub async fn verify(
    credential: &Credential<'_>,
    config: &Config,
    platform: &Platform,
    memory: &Memory,
) -> Result<AdminClaims> {
    match access::token::is_one(credential.expose()) {
        Some(text) => access::token::verify(text, config, platform.clock.now() / 1_000),
        None => jwt::verify(credential, config, platform, memory).await,
    }
}
