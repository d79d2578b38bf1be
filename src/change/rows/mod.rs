//! The statements that write users, groups and memberships.

pub mod deletion;
pub mod erasure;
pub mod groups;
pub mod keys;
pub mod members;
pub mod names;
pub mod own_values;
pub mod removals;
pub mod revisions;
pub mod upkeep;
pub mod users;
