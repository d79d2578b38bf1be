//! How the deliveries of a stream are written and sent, and what came of one.

use chrono::DateTime;
use serde_json::{Value, json};

use super::kind::{Payload, StreamKind};
use super::parcel::Parcel;
use super::secrets::{Secrets, SigningSecrets};
use super::signing_keys;
use super::tokens::TokenMaker;
use crate::connection::address;
use crate::error::{Error, Result};
use crate::platform::{Answered, HttpError, Platform};
use crate::scim::filter::parse::shortened;
use crate::seal::KeyRing;
use crate::store::event_streams::EventStream;

/// How long a receiver may take, in milliseconds.
const TIMEOUT_MS: u32 = 15_000;
/// How much of a reply is read, and how much of that is kept, in bytes.
const REPLY_BYTES: usize = 16 * 1_024;
const KEPT_BYTES: usize = 1_024;

/// Why nothing can be sent where what a stream keeps sealed does not open.
pub const SEALED_OTHERWISE: &str = "its secret was sealed with a key that is not configured any more: rotate it, or give another authorization";

/// In which form a stream hands events over.
pub enum Format {
    /// A JSON text, of several events where the stream takes several.
    Webhook {
        secrets: SigningSecrets,
        takes_several: bool,
    },
    /// A security event token (RFC 8935 §2).
    Token {
        maker: TokenMaker,
        authorization: Option<String>,
    },
}

/// What is sent.
pub struct Letter {
    headers: Vec<(&'static str, String)>,
    body: String,
}

/// Who makes a stream's tokens.
pub async fn token_maker(
    platform: &Platform,
    keys: &KeyRing,
    stream: &EventStream,
) -> Result<TokenMaker> {
    let payload = stream.payload.as_deref().and_then(Payload::parse);
    Ok(TokenMaker {
        key: signing_keys::current(platform, keys).await?,
        issuer: stream.issuer.clone().unwrap_or_default(),
        audience: stream.audience().to_owned(),
        payload: payload.unwrap_or(Payload::Notice),
    })
}

impl Format {
    /// That of a stream; none where what it keeps sealed does not open any more.
    pub async fn of(
        platform: &Platform,
        keys: &KeyRing,
        stream: &EventStream,
    ) -> Result<Option<Format>> {
        let sealed = stream.secrets.as_ref();
        let opened = sealed.map(|it| Secrets::open(it, keys, &stream.tenant_id, &stream.id));
        let authorization = match (StreamKind::parse(&stream.kind), opened) {
            (Some(StreamKind::Webhook), Some(Some(Secrets::Signing(secrets)))) => {
                return Ok(Some(Format::Webhook {
                    secrets,
                    takes_several: stream.batch > 1,
                }));
            }
            (Some(StreamKind::SetPush | StreamKind::SetPoll), None) => None,
            (Some(StreamKind::SetPush), Some(Some(Secrets::Receiver { authorization }))) => {
                Some(authorization)
            }
            _ => return Ok(None),
        };
        let maker = token_maker(platform, keys, stream).await?;
        Ok(Some(Format::Token {
            maker,
            authorization,
        }))
    }

    fn takes_several(&self) -> bool {
        matches!(self, Format::Webhook { takes_several, .. } if *takes_several)
    }

    /// The id of a parcel: `webhook-id` or `jti`.
    pub fn message_id(&self, parcel: &Parcel) -> String {
        parcel.id(self.takes_several())
    }

    /// A parcel as it is sent.
    pub async fn letter(&self, platform: &Platform, parcel: &Parcel) -> Result<Letter> {
        let id = self.message_id(parcel);
        match (self, parcel.events.first()) {
            (Format::Webhook { takes_several, .. }, _) => {
                Ok(self.written(platform, &id, parcel.to_body(*takes_several)))
            }
            (Format::Token { maker, .. }, Some(event)) => {
                let token = maker.token(platform, event, platform.clock.now()).await?;
                Ok(self.written(platform, &id, token))
            }
            (Format::Token { .. }, None) => Err(Error::internal("a parcel without an event")),
        }
    }

    /// What tries whether the receiver takes it: no event.
    pub async fn test_letter(
        &self,
        platform: &Platform,
        stream: &EventStream,
        id: &str,
    ) -> Result<Letter> {
        let body = match self {
            Format::Webhook { .. } => {
                json!({"type": "test", "id": id, "tenant_id": stream.tenant_id.as_str()})
                    .to_string()
            }
            Format::Token { maker, .. } => maker.test(platform, &stream.id, id).await?,
        };
        Ok(self.written(platform, id, body))
    }

    fn written(&self, platform: &Platform, id: &str, body: String) -> Letter {
        let headers = match self {
            Format::Webhook { secrets, .. } => secrets.headers(id, &body, platform.clock.now()),
            Format::Token { authorization, .. } => {
                let mut headers = vec![
                    ("content-type", "application/secevent+jwt".to_owned()),
                    ("accept", "application/json".to_owned()),
                    ("user-agent", "Rollcall".to_owned()),
                ];
                let shown = authorization.iter().cloned();
                headers.extend(shown.map(|value| ("authorization", value)));
                headers
            }
        };
        Letter { headers, body }
    }

    /// Sends a letter, and tells what came of it. An address that leads nowhere it may lead is not tried.
    pub async fn send(
        &self,
        platform: &Platform,
        local: bool,
        url: &str,
        letter: Letter,
    ) -> Outcome {
        let answered = match address::judge(url, local) {
            Err(reason) => Err(HttpError::Unreachable(reason)),
            Ok(_) => {
                let Letter { headers, body } = letter;
                let http = &platform.http;
                http.post(url, &headers, body, REPLY_BYTES, TIMEOUT_MS)
                    .await
            }
        };
        let now = platform.clock.now();
        match self {
            Format::Webhook { .. } => Outcome::of(&answered, now),
            Format::Token { .. } => Outcome::of_token(&answered, now),
        }
    }
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
    fn of(answered: &std::result::Result<Answered, HttpError>, now: i64) -> Self {
        match answered {
            Ok(answered) => {
                let is_good = (200..300).contains(&answered.status);
                let kept = answered.body.get(..KEPT_BYTES).unwrap_or(&answered.body);
                let reply = String::from_utf8_lossy(kept);
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

    /// A token is taken by 202 alone (RFC 8935 §2.2), and 400 says why it is not (§2.3).
    fn of_token(answered: &std::result::Result<Answered, HttpError>, now: i64) -> Self {
        let mut outcome = Outcome::of(answered, now);
        match (outcome.status, &outcome.reason) {
            (Some(202), _) => {}
            (Some(400), _) => {
                let said = answered.as_ref().ok().and_then(|it| refusal(&it.body));
                outcome.reason = said.or(outcome.reason);
            }
            (Some(status), None) => {
                outcome.reason = Some(format!("the answer is {status}, and not 202"));
            }
            _ => {}
        }
        outcome
    }
}

fn refusal(reply: &[u8]) -> Option<String> {
    let said: Value = serde_json::from_str(&String::from_utf8_lossy(reply)).ok()?;
    let code = said.get("err")?.as_str()?;
    let why = said.get("description").and_then(Value::as_str);
    Some(refused(code, why))
}

/// Why a receiver does not take a token, by the code of its error and what it says besides.
pub fn refused(code: &str, why: Option<&str>) -> String {
    let (code, why) = (
        shortened(code),
        why.map(|why| format!(": {}", shortened(why))),
    );
    format!("the receiver refuses it, {code}{}", why.unwrap_or_default())
}

/// The seconds that a `Retry-After` asks to wait: a number of them, or a date (RFC 9110 §10.2.3).
fn wait_of(asked: &str, now: i64) -> Option<i64> {
    let until = |date: &str| DateTime::parse_from_rfc2822(date).ok();
    let seconds = |date: DateTime<_>| (date.timestamp() - now.div_euclid(1_000)).max(0);
    asked.parse().ok().or_else(|| until(asked).map(seconds))
}
