//! What an undo is asked for, and what comes of it.

use crate::ordered::OrderedSet;
use crate::scim::schema::ResourceType;

/// A change of a user or a group that is to be taken back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Chosen {
    /// Number of its event in the audit trail.
    pub seq: i64,
    pub request_id: String,
    /// `User` or `Group`.
    pub resource_type: String,
    pub id: String,
}

/// A resource with its changes that are to be taken back.
#[derive(Debug, Clone)]
pub(crate) struct Resourceful {
    pub resource_type: &'static ResourceType,
    pub id: String,
    pub first: i64,
    pub last: i64,
    pub requests: OrderedSet<String>,
    pub changes: Vec<(String, i64)>,
}

impl Resourceful {
    /// Its changes, each by itself.
    pub fn chosen(&self) -> impl Iterator<Item = Chosen> {
        self.changes.iter().map(|(request_id, seq)| Chosen {
            seq: *seq,
            request_id: request_id.clone(),
            resource_type: self.resource_type.name.to_owned(),
            id: self.id.clone(),
        })
    }
}

/// What is done with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It was made, and is deleted.
    Delete,
    /// It was deleted, and comes back.
    Restore,
    /// It was changed, and becomes what it was.
    Revert,
}

/// A resource that becomes what it was.
#[derive(Debug, Clone)]
pub struct Undone {
    pub resource_type: &'static str,
    pub id: String,
    pub step: Step,
    /// Names of the attributes that become others.
    pub attributes: Vec<String>,
    /// How many members come, and how many go.
    pub members: (usize, usize),
}

/// Why something is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Somebody else changed it since.
    ChangedSince,
    /// What was before is not kept.
    NotKept,
    /// Somebody has its name now.
    NameTaken,
    /// A group is not there any more, so that nobody can come back into it.
    GroupGone,
    /// A member is not there any more.
    MemberGone,
    /// The change was refused.
    Refused,
}

/// Something that is left as it is.
#[derive(Debug, Clone)]
pub struct Conflict {
    pub resource_type: &'static str,
    pub id: String,
    pub reason: Reason,
    pub detail: String,
}

/// What came of an undo.
#[derive(Debug, Clone, Default)]
pub struct Undo {
    pub undone: Vec<Undone>,
    pub conflicts: Vec<Conflict>,
    /// How many resources are what they were already.
    pub unchanged: usize,
}

impl Undo {
    pub(super) fn conflict(
        &mut self,
        resource_type: &'static ResourceType,
        id: &str,
        reason: Reason,
        detail: impl Into<String>,
    ) {
        self.conflicts.push(Conflict {
            resource_type: resource_type.name,
            id: id.to_owned(),
            reason,
            detail: detail.into(),
        });
    }
}
