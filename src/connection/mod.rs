//! Whether an identity provider can be reached and is what its configuration says: a test in stages, each of which tells an
//! administrator what holds or what to do about it.
//!
//! A test stops at the first stage that fails: what comes after would only fail for the same reason. Nothing that a provider answers
//! is trusted: documents are capped in size and time, and addresses in them are judged like those in the configuration (`address`).

pub mod address;
pub mod certificate;
pub mod ldap;
pub mod oidc;
pub mod pem;
pub mod saml;
mod saml_metadata;

use std::future::Future;

use serde::Serialize;

use crate::platform::{Clock, HttpError, Platform};

/// Longest document in bytes.
const MAX_DOCUMENT: usize = 1024 * 1024;
/// Longest message in characters.
const MAX_MESSAGE: usize = 1_000;
/// For each document, in milliseconds.
const TIMEOUT_MS: u32 = 5_000;

/// How one stage of a test ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    /// What was found, or what is wrong and can be done.
    pub message: String,
    /// What the stage took, in milliseconds; only waiting counts.
    pub duration_ms: i64,
}

/// The stages of a test so far.
pub struct Checks<'c> {
    clock: &'c dyn Clock,
    checks: Vec<Check>,
}

/// A stage failed, and the test is over: [`Checks`] has why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

impl<'c> Checks<'c> {
    pub fn new(clock: &'c dyn Clock) -> Self {
        Checks {
            clock,
            checks: Vec::new(),
        }
    }

    /// Runs a stage, which gives something to go on with and what to say of it, or the reason why it failed.
    pub async fn stage<T>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = Result<(T, String), String>>,
    ) -> Result<T, Failed> {
        let started = self.clock.now();
        let result = work.await;
        self.push(name, result, self.clock.now() - started)
    }

    /// A stage that waits for nothing.
    pub fn note<T>(
        &mut self,
        name: &'static str,
        result: Result<(T, String), String>,
    ) -> Result<T, Failed> {
        self.push(name, result, 0)
    }

    fn push<T>(
        &mut self,
        name: &'static str,
        result: Result<(T, String), String>,
        duration_ms: i64,
    ) -> Result<T, Failed> {
        let (ok, mut message, value) = match result {
            Ok((value, message)) => (true, message, Ok(value)),
            Err(message) => (false, message, Err(Failed)),
        };
        // It may repeat what the provider says.
        if let Some((end, _)) = message.char_indices().nth(MAX_MESSAGE) {
            message.truncate(end);
            message.push('…');
        }
        self.checks.push(Check {
            name,
            ok,
            message,
            duration_ms,
        });
        value
    }

    pub fn into_vec(self) -> Vec<Check> {
        self.checks
    }
}

/// Fetches a document; the error says what to do.
async fn fetch(platform: &Platform, url: &str) -> Result<Vec<u8>, String> {
    let result = platform.http.get(url, MAX_DOCUMENT, TIMEOUT_MS).await;
    result.map_err(|error| format!("{url}: {error}{}", advice(&error)))
}

/// What an error of fetching may mean. Cloudflare answers 52x and 530 itself where it cannot reach a server.
fn advice(error: &HttpError) -> &'static str {
    match error {
        HttpError::Unreachable(_) => {
            " (is the name right, does the server listen there, is its certificate valid and from a public authority?)"
        }
        HttpError::Timeout(_) => " (is the server up, and open to the internet?)",
        HttpError::Status(404) => " (is the address right?)",
        HttpError::Status(401 | 403) => {
            " (the document has to be public; is something in front of the server?)"
        }
        HttpError::Status(521 | 523) => " (nothing accepts connections there)",
        HttpError::Status(522 | 524) => " (the server does not answer in time)",
        HttpError::Status(525 | 526) => {
            " (TLS failed: is its certificate valid, for this name, and from a public authority?)"
        }
        HttpError::Status(530) => " (the name cannot be resolved)",
        HttpError::Status(500..) => " (the server failed; its own log says why)",
        HttpError::Redirect { .. } => {
            "; redirects are not followed: configure the address where the document is"
        }
        HttpError::Status(_) | HttpError::TooLong(_) | HttpError::BrokeOff(_) => "",
    }
}
