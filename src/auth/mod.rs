//! Who is asking, and what may they do.
//!
//! Three kinds of credential: SCIM tokens (opaque, of one tenant; [`scim_token`]) for identity providers, JWTs
//! ([`jwt`]) for administrators, which may also carry SCIM scopes and which the console gets from here where Cloudflare Access signs people in
//! ([`access`]), and the secrets of set-up links ([`setup_link`]) for a customer's
//! administrator, who has no account. A secret is compared in constant time, or only
//! ever looked up by its hash; no error, log line or URL carries one.

pub mod access;
pub mod admin;
mod admin_scope;
pub mod bearer;
mod fetched_keys;
pub mod jwks;
pub mod jwt;
pub mod memory;
pub mod scim_token;
pub mod scope;
mod secret;
pub mod setup_link;
pub mod verify;
