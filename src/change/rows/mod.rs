//! The statements that write users, groups and memberships.

pub mod deletion;
pub mod erasure;
pub mod groups;
pub mod keys;
pub mod members;
#[cfg(feature = "jobs")]
pub mod moving;
pub mod names;
pub mod own_values;
pub mod removals;
pub mod revisions;
mod tables;
pub mod upkeep;
pub mod users;
