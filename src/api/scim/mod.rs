//! RFC 7644's endpoints.

pub mod bulk;
pub mod discovery;
pub mod group_members;
pub mod groups;
pub mod list_query;
pub mod lists;
pub mod password;
pub mod resources;
pub mod users;
