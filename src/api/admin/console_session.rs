//! `POST /console/session`: a token for the console, for whoever has come through Cloudflare Access.

use serde::{Deserialize, Serialize};

use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::input::{Time, body};
use crate::api::http::reply::Reply;
use crate::auth::access::assertion::Visitor;
use crate::auth::access::token;
use crate::error::{Error, Result};

/// Nothing: a body of JSON is what the form of another site cannot send.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ConsoleSessionCreate {}

/// A token for the console.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ConsoleSession {
    /// An administrator's token behind `rca_`: a JWT that nobody but this endpoint verifies.
    token: String,
    expires_at: Time,
}

pub async fn create(call: &Call<'_>, visitor: &Visitor) -> Result<Reply> {
    let ConsoleSessionCreate {} = body(call)?;
    let config = &call.app.config;
    let access = config.access.as_ref();
    let access = access.ok_or_else(|| Error::internal("a visitor without Access"))?;
    let (token, expires) = token::mint(visitor, access, config, call.now / 1_000)?;
    let session = ConsoleSession {
        token,
        expires_at: Time(expires.saturating_mul(1_000)),
    };
    Ok(envelope::single(call, 201, session))
}
