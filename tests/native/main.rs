//! The application, whole, over SQLite with D1's limits: driven through its own entry, as over HTTP.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::unreachable,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that meets the unexpected has failed"
)]

mod admin_jwt;
mod async_requests;
mod audit;
mod audit_events;
mod bad_input;
mod bounded_work;
mod budget;
mod bulk;
mod carrying;
mod connection;
mod console_served;
mod console_sessions;
mod databases;
mod doors;
mod dry_run;
mod erasures;
mod events;
mod faults;
mod filter_equivalence;
mod filter_grammar;
mod filter_limits;
mod filter_plans;
mod filters;
mod former_keys;
mod fuzz;
mod groups;
mod guides;
mod history;
mod idempotency_keys;
mod identity_providers;
mod idp;
mod imports;
mod isolation;
mod jobs;
mod journal;
mod ldap;
mod ldap_sync;
mod limits;
mod limits_at_once;
mod log;
mod looked_up;
mod meanwhile;
mod moves;
mod names;
mod normal_forms;
mod openapi;
mod openapi_served;
mod own_schemas;
mod pages;
mod query_parameters;
mod removal_fuse;
mod required_fields;
mod rfc;
mod scim_tokens;
mod search;
mod setup_links;
mod support;
mod tenant_settings;
mod tenants;
mod tidy;
mod transport;
mod two_workers;
mod undo;
mod upkeep;
mod users;
