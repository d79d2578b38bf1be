//! What is offered over HTTP.
//!
//! [`http`] is what every request passes, with the table of routes; [`scim`] has RFC 7644's endpoints and [`admin`] the administrator's, one
//! file per noun; `openapi` describes them all.

pub(crate) mod admin;
pub mod http;
#[cfg(feature = "openapi")]
pub mod openapi;
pub(crate) mod scim;

pub use self::http::app::App;
pub use self::http::preference::max_body_bytes;
pub use self::http::reply::Response;
pub use self::http::request::{MAX_ASYNC_BODY_BYTES, MAX_BODY_BYTES, Request};
