//! The application, whole, over SQLite with D1's limits: driven through its own entry, as over HTTP.

mod idp;
mod support;
