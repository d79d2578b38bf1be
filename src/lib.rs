//! Rollcall: a SCIM 2.0 provisioning endpoint on Cloudflare Workers and D1.
//!
//! Invariants:
//! - Nothing outside [`edge`] names the platform; everything else is plain Rust that reaches the outside through the
//!   traits of [`platform`].
//! - The database is reached by batches alone, and a batch is the only transaction there is.
//! - Nothing outside tests panics.
//!
//! Two workers are built from it, each with a feature of its own: `requests` and `jobs`. What one of them is without stands here, in
//! [`api`] and in the table of routes.
// Half of the crate is built for each worker, and what both share has parts that one of them does not use.
#![cfg_attr(not(all(feature = "requests", feature = "jobs")), allow(dead_code))]

pub mod announcing;
pub mod api;
pub mod at;
pub mod auth;
pub mod change;
pub mod config;
#[cfg(feature = "jobs")]
pub mod connection;
pub mod databases;
pub mod error;
#[cfg(feature = "jobs")]
pub mod events;
pub mod ids;
#[cfg(feature = "jobs")]
pub mod jobs;
pub mod json;
#[cfg(feature = "jobs")]
pub mod ldap;
pub mod messages;
pub mod ordered;
pub mod platform;
pub mod scim;
pub mod seal;
pub mod secret;
pub mod store;
#[cfg(feature = "jobs")]
pub mod sync;

mod edge;
