//! The JWT that Cloudflare Access puts on each request, in the header `Cf-Access-Jwt-Assertion` (its documentation: "Application token" and
//! "Validate JWTs"): signed by RS256 with one of the keys that the team publishes, which change about every six weeks.

use http::HeaderName;
use serde::Deserialize;

use super::Access;
use super::people::Grant;
use crate::auth::bearer::refused;
use crate::auth::fetched_keys::fetched_keys;
use crate::auth::jwks;
use crate::auth::jwt::{OneOrMany, check_times, parsed};
use crate::auth::memory::Memory;
use crate::error::{Error, Result};
use crate::platform::{Platform, SignatureAlgorithm};

pub const HEADER: HeaderName = HeaderName::from_static("cf-access-jwt-assertion");

/// What `type` says of the token of an application; that of the team's own pages has another.
const OF_APPLICATION: &str = "app";

#[derive(Deserialize)]
struct AccessClaims {
    iss: String,
    aud: OneOrMany,
    #[serde(rename = "type")]
    kind: String,
    /// Not there where a service token came through.
    #[serde(default)]
    email: Option<String>,
    /// Claims of the identity provider that the administrator of Access passes on.
    #[serde(default)]
    custom: Custom,
}

#[derive(Default, Deserialize)]
struct Custom {
    #[serde(default)]
    groups: Option<OneOrMany>,
}

/// Somebody whom Access let through, and what the settings give them.
pub struct Visitor {
    /// In lower case.
    pub email: String,
    pub grant: Grant,
    /// When Access asks them again, in seconds since 1970.
    pub until: i64,
}

/// Verifies the JWT of a request: 401 where it does not hold, 403 for whom the settings give nothing.
pub async fn verify(
    text: &str,
    access: &Access,
    platform: &Platform,
    memory: &Memory,
) -> Result<Visitor> {
    let token = parsed(text)?;
    let kid = token.header().key_id.as_deref();
    let url = format!("{}/cdn-cgi/access/certs", access.issuer);
    let keys = fetched_keys(&url, kid, platform, memory).await?;
    let key = keys
        .find(kid)
        .filter(|key| key.algorithm == SignatureAlgorithm::Rs256)
        .ok_or_else(refused)?;
    let claims = jwks::verify::<AccessClaims>(key, &token, text, platform).await;
    let claims = claims.ok_or_else(refused)?;
    let until = check_times(&claims, platform.clock.now() / 1_000)?;
    let said = claims.custom;
    let is_ours = said.iss == access.issuer && said.aud.contains(&access.audience);
    if !is_ours || said.kind != OF_APPLICATION {
        return Err(refused());
    }
    let email = said.email.unwrap_or_default().to_ascii_lowercase();
    if email.is_empty() {
        let detail = "Cloudflare Access names no e-mail address: a service token signs nobody in";
        return Err(Error::forbidden(detail));
    }
    let groups = said.custom.groups.map(OneOrMany::into_all);
    let found = access.people.find(&email, &groups.unwrap_or_default());
    let grant = found.cloned().ok_or_else(|| {
        Error::forbidden(format!(
            "{email} is not in ACCESS_SCOPES, neither by address nor by a group or the domain"
        ))
    })?;
    Ok(Visitor {
        email,
        grant,
        until,
    })
}
