//! RFC 7644's endpoints.

#[cfg(feature = "requests")]
pub mod assignable;
#[cfg(feature = "jobs")]
pub mod async_requests;
pub mod author;
pub mod bulk;
#[cfg(feature = "requests")]
pub mod discovery;
pub mod groups;
pub mod list_query;
#[cfg(feature = "requests")]
pub mod lists;
pub mod resources;
pub mod users;
