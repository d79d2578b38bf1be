//! An object of the directory as a sync keeps it: few bytes, because there are tens of thousands at once.

use serde::{Deserialize, Serialize};

use crate::scim::schema::{GROUPS, ResourceType, USERS};

use super::digest::Digest;
use crate::store::sync_logs::SyncEntry;

/// What an object becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    User,
    Group,
}

impl Kind {
    pub fn resource_type(self) -> &'static ResourceType {
        match self {
            Kind::User => &USERS,
            Kind::Group => &GROUPS,
        }
    }

    pub fn name(self) -> &'static str {
        self.resource_type().name
    }

    /// The kind of that resource type.
    pub fn from_name(name: &str) -> Self {
        match name == GROUPS.name {
            true => Kind::Group,
            false => Kind::User,
        }
    }

    /// The attribute that names it, and that no two may have the same.
    pub const fn name_attribute(self) -> &'static str {
        match self {
            Kind::User => "userName",
            Kind::Group => "displayName",
        }
    }
}

/// An object that was mapped.
#[derive(Debug)]
pub struct Object {
    pub kind: Kind,
    /// The one thing by which it is known again.
    pub unique_id: Box<str>,
    pub dn: Box<str>,
    /// Hash of what groups name it by: the DN in its normal form, or a user's `uid`.
    pub member_key: Digest,
    /// `userName` or `displayName`.
    pub name: Box<str>,
    /// The resource as it is stored; empty once it is known not to be needed.
    pub text: Box<str>,
    /// Hash of the resource.
    pub digest: Digest,
    /// What a group names its members by, as hashes, sorted.
    pub members: Box<[Digest]>,
}

impl Object {
    /// Bytes that it holds, about.
    pub fn size(&self) -> usize {
        size_of::<Self>()
            + self.unique_id.len()
            + self.dn.len()
            + self.name.len()
            + self.text.len()
            + size_of_val(&*self.members)
    }
}

/// What an entry of a sync's log says was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    Created,
    Updated,
    Reactivated,
    Deactivated,
    Deleted,
    /// It is gone from the directory, and the configuration says to leave it.
    Kept,
    /// A group has other members than before.
    Members,
    /// A group names members that are no user or group of this sync.
    Unresolved,
    /// Somebody else has its name.
    Conflict,
    /// It cannot become a resource.
    Skipped,
}

impl Action {
    pub const fn name(self) -> &'static str {
        match self {
            Action::Created => "created",
            Action::Updated => "updated",
            Action::Reactivated => "reactivated",
            Action::Deactivated => "deactivated",
            Action::Deleted => "deleted",
            Action::Kept => "kept",
            Action::Members => "members",
            Action::Unresolved => "unresolved",
            Action::Conflict => "conflict",
            Action::Skipped => "skipped",
        }
    }
}

/// An entry of a sync's log in the making.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Note {
    pub kind: Kind,
    pub action: Action,
    pub unique_id: Option<Box<str>>,
    pub dn: Option<Box<str>>,
    pub name: Option<Box<str>>,
    pub resource_id: Option<String>,
    pub reason: Option<String>,
}

impl Note {
    /// The entry with that number in the log.
    pub fn entry(&self, seq: i64) -> SyncEntry {
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        SyncEntry {
            seq,
            resource_type: self.kind.name().to_owned(),
            action: self.action.name().to_owned(),
            unique_id: text(&self.unique_id),
            dn: text(&self.dn),
            name: text(&self.name),
            resource_id: self.resource_id.clone(),
            reason: self.reason.clone(),
        }
    }
}
