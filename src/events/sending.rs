//! Sending a signed text to a receiver, and what came of it.

use chrono::DateTime;

use super::secrets::Secrets;
use crate::connection::address;
use crate::platform::{Answered, HttpError, Platform};

/// How long a receiver may take, in milliseconds.
const TIMEOUT_MS: u32 = 15_000;
/// How much of a reply is kept, in bytes.
const REPLY_BYTES: usize = 1_024;

/// Sends a text, signed. An address that leads nowhere it may lead is not tried.
pub async fn send_signed(
    platform: &Platform,
    local: bool,
    url: &str,
    secrets: &Secrets,
    message_id: &str,
    body: String,
) -> Result<Answered, HttpError> {
    address::judge(url, local).map_err(HttpError::Unreachable)?;
    let headers = secrets.headers(message_id, &body, platform.clock.now());
    let http = &platform.http;
    http.post(url, &headers, body, REPLY_BYTES, TIMEOUT_MS)
        .await
}

/// What came of a delivery.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub status: Option<i64>,
    /// Why it failed; none where it did not.
    pub reason: Option<String>,
    pub reply: Option<String>,
    /// How many seconds the receiver asks to wait.
    pub retry_after: Option<i64>,
}

impl Outcome {
    /// `now` is when it was answered, in milliseconds since 1970.
    pub fn of(answered: &Result<Answered, HttpError>, now: i64) -> Self {
        match answered {
            Ok(answered) => {
                let is_good = (200..300).contains(&answered.status);
                let reply = String::from_utf8_lossy(&answered.body);
                let asked = answered.retry_after.as_deref();
                Outcome {
                    status: Some(i64::from(answered.status)),
                    reason: (!is_good).then(|| format!("the answer is {}", answered.status)),
                    reply: (!reply.is_empty()).then(|| reply.into_owned()),
                    retry_after: asked.and_then(|asked| wait_of(asked.trim(), now)),
                }
            }
            Err(error) => Outcome {
                status: match error {
                    HttpError::Redirect { status, .. } | HttpError::Status(status) => {
                        Some(i64::from(*status))
                    }
                    _ => None,
                },
                reason: Some(error.to_string()),
                ..Outcome::default()
            },
        }
    }
}

/// The seconds that a `Retry-After` asks to wait: a number of them, or a date (RFC 9110 §10.2.3).
fn wait_of(asked: &str, now: i64) -> Option<i64> {
    let until = |date: &str| DateTime::parse_from_rfc2822(date).ok();
    let seconds = |date: DateTime<_>| (date.timestamp() - now.div_euclid(1_000)).max(0);
    asked.parse().ok().or_else(|| until(asked).map(seconds))
}
