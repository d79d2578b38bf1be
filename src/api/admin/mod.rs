//! The administrator's nouns, what everybody may read, and what the clock has done for them.

#[cfg(feature = "jobs")]
pub mod activity;
#[cfg(feature = "jobs")]
mod administrator;
#[cfg(feature = "jobs")]
pub mod audit_events;
#[cfg(feature = "requests")]
pub mod console;
#[cfg(feature = "jobs")]
pub mod console_session;
#[cfg(feature = "jobs")]
pub mod directory_syncs;
#[cfg(feature = "requests")]
pub mod docs;
#[cfg(feature = "jobs")]
pub mod endpoint_info;
#[cfg(feature = "jobs")]
pub mod erasures;
#[cfg(feature = "jobs")]
pub mod event_deliveries;
#[cfg(feature = "jobs")]
pub mod event_polls;
#[cfg(feature = "jobs")]
mod event_stream_settings;
#[cfg(feature = "jobs")]
pub mod event_stream_types;
#[cfg(feature = "jobs")]
pub mod event_streams;
#[cfg(feature = "jobs")]
pub mod events;
#[cfg(feature = "jobs")]
pub mod export;
#[cfg(feature = "requests")]
mod files;
#[cfg(feature = "requests")]
pub mod health;
#[cfg(feature = "jobs")]
pub mod identity_providers;
#[cfg(feature = "jobs")]
pub mod import;
#[cfg(feature = "jobs")]
mod key_renewal;
#[cfg(feature = "jobs")]
pub mod own_schemas;
#[cfg(feature = "requests")]
pub mod published_keys;
#[cfg(feature = "jobs")]
pub mod replay;
#[cfg(feature = "jobs")]
pub mod requests;
#[cfg(feature = "jobs")]
pub mod resources_history;
#[cfg(feature = "jobs")]
pub mod scim_tokens;
#[cfg(feature = "jobs")]
pub mod setup;
#[cfg(feature = "jobs")]
pub mod setup_links;
#[cfg(feature = "jobs")]
pub mod status;
#[cfg(feature = "jobs")]
pub mod tenant_types;
#[cfg(feature = "jobs")]
pub mod tenants;
#[cfg(feature = "jobs")]
pub mod undo;
