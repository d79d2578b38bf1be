//! The tables and every statement on them.
//!
//! SQL is text beside the function that uses it; one file per family of tables. Nothing here knows D1: statements
//! go into a batch, a batch goes to a [`Database`](crate::platform::Database).
//!
//! Invariants: the tenant's id leads every key, and every statement names it. What is read, decided and written is
//! held together by a [`guard`](guards) in the writing batch.

pub mod activity;
pub mod async_requests;
pub mod attention;
pub mod audit_events;
mod cost;
pub mod dead_messages;
pub mod deliveries;
pub mod directory;
pub mod directory_entries;
pub mod directory_syncs;
mod error;
pub mod event_polls;
pub mod event_streams;
pub mod events;
pub mod export;
pub mod filter;
pub mod group_mappings;
pub mod guards;
pub mod identity_providers;
pub mod kept_replies;
pub mod mapping_grants;
pub mod members;
mod memberships;
#[cfg(feature = "jobs")]
pub mod moves;
pub mod own_schemas;
pub mod placements;
pub mod request_lists;
pub mod requests;
pub mod resources;
pub mod revisions;
pub mod scim_tokens;
pub(crate) mod set;
pub mod setup_links;
pub mod signing_keys;
pub mod statement;
pub mod sync_chunks;
pub mod sync_counts;
pub mod sync_logs;
pub mod sync_runs;
pub mod tables;
pub mod tenants;
pub mod undos;
pub mod unique;

pub use cost::{Cost, Meter};
pub use error::{Constraint, Error, Guard, Result};
pub use statement::{Params, Row, Rows, Statement, Value, page, rows_at};
