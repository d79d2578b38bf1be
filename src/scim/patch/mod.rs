//! PATCH (RFC 7644 §3.5.2): a body is parsed into [`Operation`]s, each on one attribute, and these are applied one after the
//! other to a resource in memory; the store writes the outcome or nothing.
//!
//! Invariant: `Group.members` is never in memory. Operations on it become [`MemberChanges`], which the store turns
//! into rows to insert and to delete, so that a PATCH costs what it changes and not what the group holds.

mod apply;
mod change;
mod member_index;
mod members;
mod operation;
mod parse;
mod path;

pub use apply::{add_named, apply};
pub use member_index::MemberIndex;
pub use members::{Adding, Matching, MemberChanges, with_ids};
pub use operation::{MAX_OPERATIONS, Op, Operation};
pub use parse::parse;
pub use path::Path;
