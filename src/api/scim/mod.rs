//! RFC 7644's endpoints.

pub mod author;
pub mod bulk;
pub mod discovery;
pub mod groups;
pub mod list_query;
pub mod lists;
pub mod resources;
pub mod users;
