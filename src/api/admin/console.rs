//! `/console`, the administrator's page. It signs in with the issuer whose tokens open the administrators' routes, and calls those routes.

use serde::Serialize;

use super::files::{guarded, serve, serve_named};
use crate::api::http::call::Call;
use crate::api::http::reply::Reply;
use crate::config::Config;
use crate::error::Result;

/// What the console needs to know before anybody has signed in.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ConsoleSettings<'a> {
    /// The `iss` of administrators' tokens: where they sign in.
    issuer: &'a str,
    /// The console's client there; null where nobody signs in by the console.
    client_id: Option<&'a str>,
    /// The scopes to ask for, with spaces between them.
    scope: &'a str,
    /// The `aud` that a token has to have.
    audience: &'a str,
    /// Whether Cloudflare Access signs people in: `POST /console/session` gives a token then.
    access: bool,
    /// Whether this is somebody's own machine, where the issuer may be reached without TLS.
    local_development: bool,
}

/// `GET /console`.
pub async fn page(call: &Call<'_>) -> Result<Reply> {
    let asks = asked_for_tokens(&call.app.config);
    Ok(guarded(serve(call, "console/index.html").await?, &asks))
}

/// `GET /setup`: the page that a set-up link opens.
pub async fn setup_page(call: &Call<'_>) -> Result<Reply> {
    Ok(guarded(serve(call, "console/setup.html").await?, ""))
}

/// `GET /console/{file}`: the page's own files.
pub async fn file(call: &Call<'_>) -> Result<Reply> {
    let asks = asked_for_tokens(&call.app.config);
    Ok(guarded(serve_named(call, "console").await?, &asks))
}

/// `GET /setup/{file}`: the files of that page. They stand here too, so that whatever guards the console keeps no customer from them.
pub async fn setup_file(call: &Call<'_>) -> Result<Reply> {
    Ok(guarded(serve_named(call, "console").await?, ""))
}

/// `GET /console/settings.json`.
pub async fn settings(call: &Call<'_>) -> Result<Reply> {
    let config = &call.app.config;
    let settings = ConsoleSettings {
        issuer: &config.issuer,
        client_id: config.console.client_id.as_deref(),
        scope: &config.console.scope,
        audience: &config.audience,
        access: config.access.is_some(),
        local_development: config.local_development,
    };
    Ok(guarded(Reply::json(200, &settings), ""))
}

/// The issuer's origin, as a source of a content security policy; empty where the console signs nobody in.
fn asked_for_tokens(config: &Config) -> String {
    let issuer: Option<http::Uri> = config.issuer.parse().ok();
    let origin = issuer
        .filter(|_| config.console.client_id.is_some())
        .and_then(|issuer| {
            Some(format!(
                "{}://{}",
                issuer.scheme_str()?,
                issuer.authority()?
            ))
        });
    // A policy's own marks in it would end the directive.
    origin
        .filter(|origin| !origin.contains([';', ',', '\'', ' ', '@']))
        .unwrap_or_default()
}
