//! What a directory sync has done, in numbers.

use serde::{Deserialize, Serialize};

/// Of users, or of groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "SyncTally"))]
#[serde(default)]
pub struct Tally {
    /// Entries that the directory gave.
    pub read: u64,
    pub created: u64,
    pub updated: u64,
    pub reactivated: u64,
    pub unchanged: u64,
    pub deactivated: u64,
    pub deleted: u64,
    /// Gone from the directory, and left as they are.
    pub kept: u64,
    /// Somebody else has their name.
    pub conflicts: u64,
    /// They cannot become resources.
    pub skipped: u64,
}

/// Members of the directory's groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "SyncMemberships"))]
#[serde(default)]
pub struct Memberships {
    pub added: u64,
    pub removed: u64,
    /// Members that are no user or group of this sync.
    pub unresolved: u64,
}

/// Memberships by group mappings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "SyncGrants"))]
#[serde(default)]
pub struct Grants {
    pub given: u64,
    pub taken_back: u64,
}

/// All of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "SyncCounts"))]
#[serde(default)]
pub struct Counts {
    pub users: Tally,
    pub groups: Tally,
    pub memberships: Memberships,
    pub mapped: Grants,
    /// Parts of the directory that other servers have. They are not followed.
    pub referrals: u64,
}
