//! Passwords that identity providers send. Rollcall signs nobody in: they are dropped, unless the tenant keeps hashes for a
//! product that takes them over.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, SaltString};

use crate::api::http::authenticate::Caller;
use crate::api::http::call::Call;
use crate::error::{Error, Result};
use crate::scim::error::ScimType;

/// Longest password in bytes that is hashed; a longer one is refused, for hashing it costs.
const MAX_BYTES: usize = 1_024;

/// The Argon2id hash (RFC 9106; 19 MiB, two passes) as a PHC string, where one is to be kept.
pub fn hash(call: &Call<'_>, caller: &Caller, password: Option<String>) -> Result<Option<String>> {
    let Some(password) = password.filter(|password| !password.is_empty()) else {
        return Ok(None);
    };
    if !caller.settings.store_passwords {
        return Ok(None);
    }
    check(&password)?;
    let mut salt = [0; 16];
    call.app
        .platform
        .entropy
        .fill(&mut salt)
        .map_err(Error::internal)?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| Error::internal(error.to_string()))?;
    let hash = Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(Some(hash.to_string()))
}

/// 400 for a password that is too long to be hashed.
pub fn check(password: &str) -> Result<()> {
    if password.len() > MAX_BYTES {
        return Err(Error::scim(
            ScimType::InvalidValue,
            format!("password is longer than {MAX_BYTES} bytes"),
        ));
    }
    Ok(())
}
