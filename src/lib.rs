//! Rollcall: a SCIM 2.0 provisioning endpoint on Cloudflare Workers and D1.
//!
//! Invariants:
//! - Nothing outside [`edge`] names the platform; everything else is plain Rust that reaches the outside through the
//!   traits of [`platform`].
//! - The database is reached by batches alone, and a batch is the only transaction there is.
//! - Nothing outside tests panics.

pub mod api;
pub mod at;
pub mod auth;
pub mod change;
pub mod config;
pub mod connection;
pub mod error;
pub mod ids;
pub mod jobs;
pub mod json;
pub mod ldap;
pub mod messages;
pub mod platform;
pub mod scim;
pub mod seal;
pub mod secret;
pub mod store;
pub mod sync;

mod edge;
