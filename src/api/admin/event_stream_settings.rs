//! What an event stream may say of itself, by its kind.

use http::HeaderValue;
use serde_json::json;

use super::event_stream_types::{EventStreamCreate, EventStreamUpdate};
use crate::api::http::call::Call;
use crate::api::http::input::body_field;
use crate::connection::address;
use crate::error::{Error, FieldError, Result};
use crate::events::{Secrets, SigningSecrets, StreamKind, Wanted};
use crate::ids::TenantId;
use crate::store::event_streams::Sealed;

/// Longest address, and longest value of a header, in characters.
const MAX_URL: usize = 2_048;
const MAX_AUTHORIZATION: usize = 4_096;

/// What is given, of a new stream or of one that is to be another.
pub struct Given<'g> {
    url: Option<&'g str>,
    types: Option<&'g [String]>,
    batch: Option<i64>,
    has_audience: bool,
    has_payload: bool,
    authorization: Option<&'g str>,
}

impl<'g> From<&'g EventStreamCreate> for Given<'g> {
    fn from(given: &'g EventStreamCreate) -> Self {
        Given {
            url: given.url.as_deref(),
            types: Some(&given.types),
            batch: Some(given.batch.0),
            has_audience: given.audience.is_some(),
            has_payload: given.payload.is_some(),
            authorization: given.authorization.as_deref(),
        }
    }
}

impl<'g> From<&'g EventStreamUpdate> for Given<'g> {
    fn from(given: &'g EventStreamUpdate) -> Self {
        Given {
            url: given.url.as_deref(),
            types: given.types.as_deref(),
            batch: given.batch.map(|batch| batch.0),
            has_audience: given.audience.is_some(),
            has_payload: given.payload.is_some(),
            authorization: given.authorization.as_ref().and_then(Option::as_deref),
        }
    }
}

/// 422 with all that a stream of that kind cannot have.
pub fn check(call: &Call<'_>, kind: StreamKind, given: &Given<'_>) -> Result<()> {
    let mut fields: Vec<FieldError> = Vec::new();
    let mut refuse = |name: &str, msg: String| {
        fields.push(body_field(&[name], &msg, "value_error"));
    };
    let is_local = call.app.config.local_development;
    match given.url {
        Some(_) if kind == StreamKind::SetPoll => {
            refuse(
                "url",
                "a receiver that fetches has none: leave it out".to_owned(),
            );
        }
        Some(url) if url.len() > MAX_URL => {
            refuse("url", format!("it is longer than {MAX_URL} characters"));
        }
        Some(url) => {
            if let Err(reason) = address::judge(url, is_local) {
                refuse("url", reason);
            }
        }
        None => {}
    }
    let wanted = given.types.map(Wanted::parse);
    match wanted {
        Some(Err(reason)) => refuse("types", reason),
        Some(Ok(wanted)) if !(1..=50).contains(&wanted.names().len()) => {
            refuse("types", "it has to name 1 to 50 types".to_owned());
        }
        Some(Ok(wanted)) if kind.has_tokens() && !wanted.clone().as_tokens().has_any() => {
            refuse(
                "types",
                "tokens tell of `user.*` and `group.*` alone".to_owned(),
            );
        }
        _ => {}
    }
    if kind.has_tokens() && given.batch.is_some_and(|batch| batch != 1) {
        refuse(
            "batch",
            "a token tells of one event: it has to be 1".to_owned(),
        );
    }
    let of_tokens = [
        ("audience", given.has_audience),
        ("payload", given.has_payload),
    ];
    for (name, _) in of_tokens.into_iter().filter(|(_, is_given)| *is_given) {
        if !kind.has_tokens() {
            refuse(name, "it belongs to set_push and set_poll".to_owned());
        }
    }
    if let Some(authorization) = given.authorization {
        let is_header = HeaderValue::from_str(authorization).is_ok() && authorization.is_ascii();
        if kind != StreamKind::SetPush {
            refuse("authorization", "it belongs to set_push".to_owned());
        } else if authorization.trim().is_empty()
            || authorization.len() > MAX_AUTHORIZATION
            || !is_header
        {
            refuse(
                "authorization",
                format!("it has to be 1 to {MAX_AUTHORIZATION} characters of ASCII on one line"),
            );
        }
    }
    match fields.is_empty() {
        true => Ok(()),
        false => Err(Error::fields(fields)),
    }
}

/// 422 where a new stream has no address and needs one.
pub fn require_url(kind: StreamKind, url: Option<&str>) -> Result<()> {
    match (kind, url) {
        (StreamKind::SetPoll, _) | (_, Some(_)) => Ok(()),
        (_, None) => Err(Error::field(&["body", "url"], "it is required", "missing")),
    }
}

/// Types as they are stored.
pub fn types(given: &[String]) -> String {
    let trimmed: Vec<&str> = given.iter().map(|name| name.trim()).collect();
    json!(trimmed).to_string()
}

/// What a new stream of that kind keeps sealed.
pub fn secrets(
    call: &Call<'_>,
    kind: StreamKind,
    authorization: Option<String>,
) -> Result<Option<Secrets>> {
    if kind == StreamKind::Webhook {
        let entropy = call.app.platform.entropy.as_ref();
        let secrets = SigningSecrets::generate(entropy).map_err(Error::internal)?;
        return Ok(Some(Secrets::Signing(secrets)));
    }
    Ok(authorization.map(|authorization| Secrets::Receiver { authorization }))
}

pub fn sealed(call: &Call<'_>, tenant: &TenantId, id: &str, secrets: &Secrets) -> Result<Sealed> {
    let keys = &call.app.config.encryption_keys;
    let entropy = call.app.platform.entropy.as_ref();
    secrets
        .seal(keys, entropy, tenant, id)
        .map_err(Error::internal)
}
