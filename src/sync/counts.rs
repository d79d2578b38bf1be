//! What a sync has done, in numbers.

use serde::{Deserialize, Serialize};

use super::object::{Action, Kind};

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

impl Counts {
    pub fn of(&mut self, kind: Kind) -> &mut Tally {
        match kind {
            Kind::User => &mut self.users,
            Kind::Group => &mut self.groups,
        }
    }

    /// Takes over from a plan what is not going to be done. What was done before this plan was made is unchanged for it.
    pub fn adopt(&mut self, plan: &Counts) {
        for kind in [Kind::User, Kind::Group] {
            let planned = match kind {
                Kind::User => plan.users,
                Kind::Group => plan.groups,
            };
            let tally = self.of(kind);
            let done = tally.created + tally.updated + tally.reactivated;
            tally.read = planned.read;
            tally.unchanged = planned.unchanged.saturating_sub(done);
            tally.kept = planned.kept;
            tally.conflicts = planned.conflicts;
            tally.skipped = planned.skipped;
        }
        self.memberships.unresolved = plan.memberships.unresolved;
        self.referrals = plan.referrals;
    }

    /// One more object that something was done with. What concerns members has numbers of its own.
    pub fn count(&mut self, kind: Kind, action: Action) {
        let tally = self.of(kind);
        let number = match action {
            Action::Created => &mut tally.created,
            Action::Updated => &mut tally.updated,
            Action::Reactivated => &mut tally.reactivated,
            Action::Deactivated => &mut tally.deactivated,
            Action::Deleted => &mut tally.deleted,
            Action::Kept => &mut tally.kept,
            Action::Conflict => &mut tally.conflicts,
            Action::Skipped => &mut tally.skipped,
            Action::Members | Action::Unresolved => return,
        };
        *number += 1;
    }
}
