//! Identity providers: where a tenant's users sign in and come from.

pub mod access;
pub mod certificates;
pub mod check_extensions;
pub mod config;
pub mod directory;
pub mod extensions;
pub mod fields;
pub mod group_mappings;
pub mod providers;
pub mod reencryption;
pub mod responses;
pub mod saml_metadata;
pub mod secrets;
pub mod test_connection;
pub mod types;
