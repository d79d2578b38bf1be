//! The only writer of users, groups and memberships.
//!
//! Whoever wants to change them, a SCIM request or an operation of a Bulk request, says so by an [`Intent`]. Intents are worked out in
//! memory by a pure [plan](plan) on [`Facts`](facts::Facts). What no fact is known of is assumed in the intent's favour: the name is free,
//! the new member is there, the resource still is as this instance saw it last. What the plan comes to is written in one
//! [batch], which holds a guard for everything that was assumed or read. Where a guard fails, the facts that it names are read, and the
//! plan is made again, until it holds or the time for it is over.
//!
//! So the usual change is one round trip, and changes that commute, members who come and go by their ids, never refuse each other: they
//! rest on nothing but the membership itself.
//!
//! A plan also holds what the audit trail says, and by how much the tenant's counters change.

mod account;
pub mod audit;
mod author;
mod batch;
#[cfg(feature = "jobs")]
pub mod erasure;
mod facts;
mod fuse;
mod intent;
mod member_plan;
mod members;
mod naming;
mod order;
mod plan;
pub mod provider;
mod recent;
mod refusal;
mod request;
mod reviving;
pub(crate) mod rows;
mod sending;
mod state;
mod tried;
pub mod undo;
mod versions;
mod writer;

pub use author::{Author, Mandate, Terms};
pub use facts::Seen;
pub use fuse::Allowance;
pub use intent::{Intent, Reverted, Wish};
pub use member_plan::{Known, kind_of};
pub use plan::broken_reference;
pub use recent::Recent;
pub use request::{Along, Request, Shown, Written};
#[cfg(feature = "jobs")]
pub use rows::moving;
pub use rows::upkeep as rows_of_tenants;
pub use sending::failed;
pub use state::Done;
pub use writer::write;
