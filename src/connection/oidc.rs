//! The stages of an OpenID provider's test (OpenID Connect Discovery 1.0): its address is allowed, it answers, its document is one,
//! is its own, leads nowhere private, and its keys can verify what it signs.

use serde_json::{Map, Value};

use super::{Checks, Failed, address, fetch};
use crate::auth::jwks::KeySet;
use crate::json;
use crate::platform::Platform;

/// What to test, out of a provider's configuration.
pub struct Target<'t> {
    pub issuer: &'t str,
    /// Endpoints that the configuration names itself, with the names of their fields; these count instead of the document's.
    pub endpoints: Vec<(&'static str, &'t str)>,
    /// Whether a provider on this machine may be reached.
    pub local: bool,
}

/// Metadata that a provider has to publish (§3), besides its endpoints.
const REQUIRED_LISTS: [&str; 3] = [
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
];
/// Endpoints that a provider has to publish for a login with a code, and those that it may.
const REQUIRED_ENDPOINTS: [&str; 3] = ["authorization_endpoint", "token_endpoint", "jwks_uri"];
const OPTIONAL_ENDPOINTS: [&str; 2] = ["userinfo_endpoint", "end_session_endpoint"];

pub async fn test(
    checks: &mut Checks<'_>,
    platform: &Platform,
    target: &Target<'_>,
) -> Result<(), Failed> {
    let allowed = address::judge(target.issuer, target.local)
        .map(|_| ((), format!("{} may be reached", target.issuer)));
    checks.note("URL", allowed)?;
    // §4: a slash at the issuer's end is taken away first.
    let base = target.issuer.strip_suffix('/').unwrap_or(target.issuer);
    let url = format!("{base}/.well-known/openid-configuration");
    let body = checks
        .stage("reachable", async {
            let body = fetch(platform, &url).await?;
            let message = format!("{url} answers with {} bytes", body.len());
            Ok((body, message))
        })
        .await?;
    let document = checks.note("discovery document", read(&body, target))?;
    checks.note("issuer", same_issuer(&document, target.issuer))?;
    let jwks_uri = checks.note("endpoints", endpoints(&document, target))?;
    checks
        .stage("JWKS", async {
            let body = fetch(platform, &jwks_uri).await?;
            let keys = KeySet::parse(&body).map_err(|reason| format!("{jwks_uri}: {reason}"))?;
            let message = match keys.count() {
                1 => "1 key can verify the provider's tokens".to_owned(),
                count => format!("{count} keys can verify the provider's tokens"),
            };
            Ok(((), message))
        })
        .await
}

/// The provider's metadata, with everything in it that has to be.
fn read(body: &[u8], target: &Target<'_>) -> Result<(Map<String, Value>, String), String> {
    let document: Value =
        serde_json::from_slice(body).map_err(|error| match body.trim_ascii_start().first() {
            Some(b'<') => "it is not JSON but a web page; is the issuer right?".to_owned(),
            _ => format!("it is not JSON: {}", json::fault(body, &error)),
        })?;
    let Value::Object(document) = document else {
        return Err("it is JSON, but not an object".to_owned());
    };
    let is_text = |name: &str| document.get(name).is_some_and(Value::is_string);
    let is_list = |name: &str| document.get(name).is_some_and(Value::is_array);
    let is_configured = |name: &str| target.endpoints.iter().any(|(field, _)| *field == name);
    let missing: Vec<&str> = std::iter::once("issuer")
        .filter(|name| !is_text(name))
        .chain(
            REQUIRED_ENDPOINTS
                .into_iter()
                .filter(|name| !is_text(name) && !is_configured(name)),
        )
        .chain(REQUIRED_LISTS.into_iter().filter(|name| !is_list(name)))
        .collect();
    match missing.is_empty() {
        true => Ok((
            document,
            "it has all that a provider has to publish".to_owned(),
        )),
        false => Err(format!(
            "it lacks {}, or has it in another form",
            missing.join(", ")
        )),
    }
}

fn text<'d>(document: &'d Map<String, Value>, name: &str) -> &'d str {
    document
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// §4.3: the two have to be the same, letter by letter, or anybody's document could stand for the provider's.
fn same_issuer(document: &Map<String, Value>, issuer: &str) -> Result<((), String), String> {
    let theirs = text(document, "issuer");
    match theirs == issuer {
        true => Ok(((), format!("the provider calls itself {issuer} too"))),
        false => Err(format!(
            "the provider calls itself {theirs}, the configuration says {issuer}; they have to be the same, letter by letter"
        )),
    }
}

/// All addresses that a login leads to; gives that of the keys.
fn endpoints(
    document: &Map<String, Value>,
    target: &Target<'_>,
) -> Result<(String, String), String> {
    let configured = |name: &str| {
        let found = target.endpoints.iter().find(|(field, _)| *field == name);
        found.map(|(_, url)| *url)
    };
    let mut wrong = Vec::new();
    let mut count = 0;
    for name in REQUIRED_ENDPOINTS.into_iter().chain(OPTIONAL_ENDPOINTS) {
        let url = match (configured(name), document.get(name)) {
            (Some(url), _) => url,
            (None, Some(Value::String(url))) => url,
            (None, Some(other)) if !other.is_null() => {
                wrong.push(format!("{name} is no URL"));
                continue;
            }
            (None, _) => continue,
        };
        count += 1;
        if let Err(reason) = address::judge(url, target.local) {
            wrong.push(format!("{name}: {reason}"));
        }
    }
    let jwks_uri = configured("jwks_uri").unwrap_or_else(|| text(document, "jwks_uri"));
    match wrong.is_empty() {
        true => Ok((
            jwks_uri.to_owned(),
            format!("{count} endpoints, all allowed"),
        )),
        false => Err(wrong.join("; ")),
    }
}
