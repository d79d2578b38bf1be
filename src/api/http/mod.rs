//! What every request passes: the door with its table of routes, credentials, limits, input, replies and errors.

#[cfg(feature = "jobs")]
mod admin_door;
pub mod app;
pub(crate) mod authenticate;
pub(crate) mod call;
pub(crate) mod caller;
mod content_encoding;
mod credential_name;
mod door;
pub(crate) mod envelope;
#[cfg(feature = "jobs")]
pub(crate) mod everywhere;
pub(crate) mod idempotency;
pub(crate) mod input;
pub mod journal;
mod learning;
pub(crate) mod limits;
pub mod preference;
pub(crate) mod query_parameters;
mod reach;
pub(crate) mod record;
pub mod redaction;
pub mod reply;
pub mod request;
pub mod routes;
pub(crate) mod stretch;
pub(crate) mod token_facts;
mod transport;
pub mod typed_json;
