//! `/healthz`.

use serde::Serialize;

use crate::api::http::call::Call;
use crate::api::http::reply::Reply;
use crate::error::Result;

/// That the service answers.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Health {
    /// `ok`.
    status: &'static str,
    /// The service's version.
    version: &'static str,
}

/// `GET /healthz`. It asks nobody: a database that is away is no reason to take the worker out of service.
pub async fn answer(_call: &Call<'_>) -> Result<Reply> {
    Ok(Reply::json(
        200,
        &Health {
            status: "ok",
            version: env!("CARGO_PKG_VERSION"),
        },
    ))
}
