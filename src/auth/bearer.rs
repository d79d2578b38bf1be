//! The `Authorization` header (RFC 6750 §2.1).

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::error::{Error, Kind};

/// A credential as it was sent. It cannot be logged or serialised.
pub struct Credential<'h>(&'h str);

impl<'h> Credential<'h> {
    /// The credential's text, for checking it and for nothing else.
    pub fn expose(&self) -> &'h str {
        self.0
    }
}

/// The bearer credential of a request. A SCIM client may leave out the word `Bearer`, as Okta's header mode does;
/// then `bare` is set.
pub fn credential(headers: &HeaderMap, bare: bool) -> Result<Credential<'_>, Error> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let header = given.next().ok_or_else(missing)?;
    if given.next().is_some() {
        return Err(refused());
    }
    let Ok(text) = header.to_str() else {
        let text = std::str::from_utf8(header.as_bytes()).unwrap_or_default();
        return Err(match () {
            () if text.contains(QUOTES) => malformed(QUOTED),
            () if text.contains("rcs_") && text.trim_end().ends_with('…') => malformed(HINT),
            () => refused(),
        });
    };
    let text = text.trim();
    if text.starts_with(QUOTES) {
        return Err(malformed(QUOTED));
    }
    let is_bearer = |scheme: &str| scheme.eq_ignore_ascii_case("bearer");
    let token = match text.split_once(' ') {
        Some((scheme, token)) if is_bearer(scheme) => token.trim(),
        None if is_bearer(text) => return Err(malformed(NOTHING)),
        None if bare && !text.is_empty() => text,
        Some(_) => return Err(malformed("its scheme is another one than Bearer")),
        None => return Err(refused()),
    };
    match token.split(' ').next() {
        Some(first) if is_bearer(first) => Err(malformed("the word Bearer stands there twice")),
        _ if token.starts_with(QUOTES) || token.ends_with(QUOTES) => Err(malformed(QUOTED)),
        _ if token.starts_with('<') || token.ends_with('>') => Err(malformed(PLACEHOLDER)),
        _ if token.starts_with('$') => Err(malformed(VARIABLE)),
        _ => Ok(Credential(token)),
    }
}

/// Straight ones, and those that a text editor makes of them.
const QUOTES: [char; 7] = ['"', '\'', '`', '“', '”', '‘', '’'];
const NOTHING: &str = "no token follows the word Bearer; the variable or the field that should hold it is empty, perhaps";
const PLACEHOLDER: &str = "<token> is a placeholder; send the token itself, without angle brackets";
const VARIABLE: &str = "this is the name of a variable and not what it holds; a shell puts that in where the header stands in double quotes";
const QUOTED: &str = "it stands in quotes; send the token without them";

/// What is wrong with a token of which only the first characters are there.
pub const HINT: &str = "this is the hint that lists show of a SCIM token; the token itself was shown once, when it was made, and can only be \
     replaced (rotate)";

/// 401 for what is no whole credential, and says so by its form alone: that tells a guesser nothing.
#[track_caller]
pub fn malformed(why: &str) -> Error {
    Error::new(
        Kind::Unauthorized { token_sent: true },
        format!("the credential is not valid: {why}"),
    )
}

/// 401 for a request without a credential.
#[track_caller]
fn missing() -> Error {
    Error::new(
        Kind::Unauthorized { token_sent: false },
        "send a credential: Authorization: Bearer <token>",
    )
}

/// 401 for a whole credential that does not hold. Why is not said: that would help only a guesser.
#[track_caller]
pub fn refused() -> Error {
    Error::new(
        Kind::Unauthorized { token_sent: true },
        "the credential is not valid, or not valid any more",
    )
}
