//! What is kept of a request beside its body, and how both are sealed: there may be a password in them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::api::App;
use crate::api::http::caller::Held;
use crate::error::{Error, Result};
use crate::ids::TenantId;

/// The place of a head, where a part has its number.
pub const HEAD: &str = "head";

/// Whether it is a Bulk request, by the pattern of its path.
pub fn is_bulk(route: &str) -> bool {
    route.ends_with("/Bulk")
}

/// What a request is besides its body.
#[derive(Serialize, Deserialize)]
pub struct Head {
    pub uri: String,
    pub headers: Vec<(String, String)>,
    /// By what its client is found.
    pub held: Held,
}

impl Head {
    pub fn to_text(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| Error::internal(error.to_string()))
    }

    /// Reads [`to_text`](Self::to_text).
    pub fn of(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// Seals a text for its place in a request.
pub fn seal(app: &App, request: (&TenantId, &str), place: &str, text: &str) -> Result<String> {
    let (keys, entropy) = (&app.config.encryption_keys, app.platform.entropy.as_ref());
    let sealed = keys.seal(&binding(request, place), text.as_bytes(), entropy);
    Ok(URL_SAFE_NO_PAD.encode(sealed.map_err(Error::internal)?))
}

/// Opens a text; none where its key is gone.
pub fn open(
    app: &App,
    request: (&TenantId, &str),
    place: &str,
    key_id: &str,
    sealed: &str,
) -> Option<String> {
    let sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
    let keys = &app.config.encryption_keys;
    let text = keys.open(key_id, &binding(request, place), &sealed)?;
    String::from_utf8(text).ok()
}

fn binding((tenant, id): (&TenantId, &str), place: &str) -> Vec<u8> {
    format!("async-request\n{tenant}\n{id}\n{place}").into_bytes()
}
