//! The application, whole, over SQLite with D1's limits: driven through its own entry, as over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that meets the unexpected has failed"
)]

mod admin_jwt;
mod idp;
mod rfc;
mod search;
mod support;
mod tidy;
