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
    let header = header.to_str().map_err(|_| refused())?.trim();
    match header.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(Credential(token.trim()))
        }
        None if bare && !header.is_empty() => Ok(Credential(header)),
        _ => Err(refused()),
    }
}

/// 401 for a request without a credential.
fn missing() -> Error {
    Error::new(
        Kind::Unauthorized { token_sent: false },
        "send a credential: Authorization: Bearer <token>",
    )
}

/// 401 for a credential that does not hold. Why is not said: that would help only a guesser.
pub fn refused() -> Error {
    Error::new(
        Kind::Unauthorized { token_sent: true },
        "the credential is not valid, or not valid any more",
    )
}
