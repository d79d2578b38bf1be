//! Signing people in to the console by Cloudflare Access, which stands before `/console` and says of each request who makes it, in a JWT of its
//! own ([`assertion`]). Identity providers ask this endpoint without it, so that it cannot stand before the routes that the console calls: the page
//! hands the JWT in and gets a token of this endpoint's own for it ([`token`]), with the scopes that a setting gives that person ([`people`]).

#[cfg(feature = "jobs")]
pub mod assertion;
#[cfg(feature = "jobs")]
mod people;
pub mod token;

#[cfg(feature = "jobs")]
use self::people::People;

/// The settings of Cloudflare Access.
#[derive(Debug, Clone)]
pub struct Access {
    /// The team's address, `https://<team>.cloudflareaccess.com`: the `iss` of its JWTs.
    pub issuer: String,
    /// The application's AUD tag: what `aud` has to name.
    pub audience: String,
    /// Who may do what. The first worker only looks at tokens that have it written in them.
    #[cfg(feature = "jobs")]
    people: People,
}

const ISSUER: &str = "ACCESS_ISSUER";
const AUDIENCE: &str = "ACCESS_AUDIENCE";
const SCOPES: &str = "ACCESS_SCOPES";

impl Access {
    /// Reads `ACCESS_ISSUER`, `ACCESS_AUDIENCE` and `ACCESS_SCOPES`: all of them, or none where Access signs nobody in. The error names the variable
    /// that does not hold.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let all = [ISSUER, AUDIENCE, SCOPES];
        if all.iter().all(|name| variable(name).is_none()) {
            return Ok(None);
        }
        let required = |name: &str| variable(name).ok_or_else(|| format!("{name} is not set"));
        Ok(Some(Access {
            issuer: origin(&required(ISSUER)?)?,
            audience: required(AUDIENCE)?,
            #[cfg(feature = "jobs")]
            people: People::parse(&required(SCOPES)?)
                .map_err(|reason| format!("{SCOPES}: {reason}"))?,
        }))
    }
}

/// The team's address, without a slash at its end: keys are fetched from it, so that nobody on the way may change them.
fn origin(text: &str) -> Result<String, String> {
    let text = text.strip_suffix('/').unwrap_or(text);
    let uri: Option<http::Uri> = text.parse().ok();
    let is_origin = uri.is_some_and(|uri| {
        let host = uri.host().unwrap_or_default();
        let is_here = matches!(host, "127.0.0.1" | "localhost");
        let is_safe = uri.scheme_str() == Some("https") || is_here;
        is_safe && !host.is_empty() && uri.path() == "/" && uri.query().is_none()
    });
    match is_origin && !text.contains(['@', '#', ' ']) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "{ISSUER}: it has to be the team's address, https://<team>.cloudflareaccess.com"
        )),
    }
}
