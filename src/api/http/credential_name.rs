//! What the log calls a credential: never the credential, nor a person.

use sha2::{Digest, Sha256};

use super::call::Call;
use crate::auth::bearer::Credential;
use crate::auth::scim_token::ScimToken;

/// Characters of a pseudonym: 48 bits.
const PSEUDONYM_LENGTH: usize = 12;

/// Notes the first characters of a SCIM token, which lists show too, until more is known of it.
pub fn note_hint(call: &Call<'_>, credential: &Credential<'_>) {
    if let Some(hint) = ScimToken::hint_of(credential.expose()) {
        call.note_credential(hint);
    }
}

/// Notes a SCIM token by its id.
pub fn note_token(call: &Call<'_>, id: &str) {
    call.note_credential(format!("scim-token:{id}"));
}

/// Notes the subject of a JWT, which may be a person's own name, by a pseudonym: the same one for all requests, and only who has the
/// cursor key can tell whose it is.
pub fn note_subject(call: &Call<'_>, subject: &str) {
    let mut hash = Sha256::new();
    hash.update(call.app.config.cursor_key.expose());
    hash.update(subject.as_bytes());
    let hash = format!("{:x}", hash.finalize());
    let name: String = hash.chars().take(PSEUDONYM_LENGTH).collect();
    call.note_credential(format!("jwt:{name}"));
}
