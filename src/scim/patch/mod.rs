//! PATCH (RFC 7644 §3.5.2): a body is parsed into [`Operation`]s, each on one attribute, and these are applied one after the
//! other to a resource in memory; the store writes the outcome or nothing.
//!
//! Invariant: `Group.members` is never in memory. Operations on it become [`MemberChanges`], which the store turns
//! into rows to insert and to delete, so that a PATCH costs what it changes and not what the group holds.

mod apply;
mod change;
mod members;
mod parse;
mod path;

use serde_json::Value;

use crate::scim::error::Error;

pub use apply::{add_named, apply};
pub use members::{Adding, Matching, MemberChanges, with_ids};
pub use parse::parse;
pub use path::Path;

/// Most operations in one body.
pub const MAX_OPERATIONS: usize = 1_000;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Add,
    Replace,
    Remove,
}

impl Op {
    pub const fn name(self) -> &'static str {
        match self {
            Op::Add => "add",
            Op::Replace => "replace",
            Op::Remove => "remove",
        }
    }
}

/// One operation on one attribute. What a body says without a path, or of a whole schema, is several of these.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Which of the body's operations it comes of; none where it comes of a whole resource.
    pub index: Option<usize>,
    pub op: Op,
    pub path: Path,
    pub value: Option<Value>,
}

/// An error with the operation that it is about.
fn in_operation(index: Option<usize>, error: Error) -> Error {
    let at = index.map(|index| format!("Operations[{index}]"));
    match at {
        Some(at) if !error.detail.starts_with(&at) => Error {
            detail: format!("{at}: {}", error.detail),
            ..error
        },
        _ => error,
    }
}

impl Operation {
    /// Whether it changes a group's members, and so is the store's to plan.
    pub fn is_on_members(&self) -> bool {
        self.path.found.extension.is_none() && self.path.found.attribute.name == "members"
    }
}
