//! Who is asking, and what may they do.
//!
//! Two kinds of credential: SCIM tokens (opaque, of one tenant; [`scim_token`]) for identity providers, and JWTs
//! ([`jwt`]) for administrators, which may also carry SCIM scopes. A secret is compared in constant time, or only
//! ever looked up by its hash; no error, log line or URL carries one.

pub mod admin;
pub mod bearer;
pub mod jwks;
pub mod jwt;
pub mod memory;
pub mod scim_token;
pub mod scope;
