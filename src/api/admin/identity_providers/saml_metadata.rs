//! `POST …/saml-metadata`: what a SAML provider publishes of itself, fetched so that a form can be filled in from it.

use serde::{Deserialize, Serialize};

use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::input::body;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::auth::setup_link::Allowance;
use crate::connection::saml;
use crate::error::{Error, Result};

/// Longest address in characters.
const MAX_URL: usize = 2_048;

/// Where a provider publishes its metadata.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SamlMetadataRequest {
    /// `https`, and nowhere private; redirects are not followed.
    #[cfg_attr(feature = "openapi", schemars(length(max = 2048)))]
    url: String,
}

/// What stands there.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SamlMetadataResponse {
    /// The document, XML of at most 1 MiB.
    metadata: String,
}

pub async fn read(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let SamlMetadataRequest { url } = body(call)?;
    admin.require_allowance(Allowance::Sso)?;
    let refuse = |reason: String| Error::field(&["body", "url"], &reason, "value_error");
    if url.len() > MAX_URL {
        return Err(refuse(format!("it is longer than {MAX_URL} characters")));
    }
    let app = call.app;
    let found = saml::published(&app.platform, &url, app.config.local_development).await;
    let metadata = found.map_err(refuse)?;
    Ok(envelope::single(
        call,
        200,
        SamlMetadataResponse { metadata },
    ))
}
