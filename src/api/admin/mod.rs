//! The administrator's nouns, what everybody may read, and what the clock has done for them.

pub mod audit_events;
pub mod directory_syncs;
pub mod docs;
pub mod endpoint_info;
pub mod health;
pub mod identity_providers;
mod key_renewal;
pub mod scim_tokens;
pub mod tenants;
