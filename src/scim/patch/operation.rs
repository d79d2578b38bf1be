//! An operation of a PATCH: what it does, and where.

use serde_json::Value;

use super::path::Path;
use crate::scim::error::Error;

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
pub(super) fn in_operation(index: Option<usize>, error: Error) -> Error {
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
        self.path.found.is_core("members")
    }
}
