//! How a sync counts what it does.

use super::object::{Action, Kind};
use crate::store::sync_counts::{Counts, Tally};

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
