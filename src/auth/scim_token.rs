//! SCIM tokens: secrets ([`secret`]) that begin with `rcs_`.

use super::bearer;
use super::secret;
use crate::platform::Entropy;

const PREFIX: &str = "rcs_";
/// Characters of a hint.
const HINT_LENGTH: usize = PREFIX.len() + 4;

/// A token in the clear. It exists while a reply is made or a request is checked; it has no `Debug` and no `Serialize`.
pub struct ScimToken(String);

impl ScimToken {
    /// Makes a new token.
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, String> {
        secret::generate(PREFIX, entropy).map(ScimToken)
    }

    /// Takes a credential for a token where its form and its checksum are right.
    pub fn parse(text: &str) -> Option<Self> {
        secret::is_whole(PREFIX, text).then(|| ScimToken(text.to_owned()))
    }

    /// Why [`parse`](Self::parse) takes a credential for no whole token.
    pub fn fault(text: &str) -> &'static str {
        let total = secret::length(PREFIX);
        let shown = text.trim_end_matches(['.', '…', '*']);
        match text.len() {
            _ if shown.len() < text.len() || shown.len() == HINT_LENGTH => bearer::HINT,
            length if length < total => "a part of the SCIM token is missing; it has 53 characters",
            length if length > total => "there is more than a SCIM token, which has 53 characters",
            _ => "a character of the SCIM token is wrong, its checksum says",
        }
    }

    /// Whether a credential means to be a SCIM token, so that it is not tried as anything else.
    pub fn looks_like(text: &str) -> bool {
        text.starts_with(PREFIX)
    }

    /// The token's text, for the one reply that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the token is stored and found by: its SHA-256 in hexadecimal.
    pub fn hash(&self) -> String {
        secret::hash(&self.0)
    }

    /// The first characters, for telling tokens apart in a list: 24 bits of the secret, far from enough to guess it.
    pub fn hint(&self) -> String {
        Self::hint_of(&self.0).unwrap_or_default()
    }

    /// The hint of what means to be a token; none where it cannot be one.
    pub fn hint_of(text: &str) -> Option<String> {
        let shown = text.get(..HINT_LENGTH)?;
        let begin = shown.strip_prefix(PREFIX)?;
        secret::is_base62(begin).then(|| format!("{shown}…"))
    }
}
