//! The planner: a plan in the making.

use std::collections::HashMap;

use uuid::Uuid;

use crate::store::sync_counts::Counts;
use crate::sync::group_mapping::Wanted;
use crate::sync::guard::Sums;
use crate::sync::intake::{Holder, Intake};
use crate::sync::object::{Action, Kind};
use crate::sync::source::Missing;
use crate::sync::staged::Piece;

/// How the plan is made.
pub struct Terms<'t> {
    /// Whether the reading is of the whole directory: only then is missing what it does not have.
    pub full: bool,
    pub missing: Missing,
    /// The group mappings, where the plan tells what they would do.
    pub foreseen: Option<&'t [Wanted]>,
}

/// The plan.
pub struct Plan {
    /// In the order in which they are done.
    pub pieces: Vec<Piece>,
    /// What is known of the run's numbers before anything is done.
    pub counts: Counts,
    pub sums: Sums,
}

/// The plan in the making.
pub struct Planner<'p, 'i> {
    pub intake: &'p mut Intake<'i>,
    pub terms: &'p Terms<'p>,
    /// Entries that are gone, by the hashes of their unique ids, and what follows from that.
    pub vanished: Vec<(u32, Action)>,
    /// Objects that are left out, and why.
    pub left_out: Vec<(u32, Why)>,
    /// Members of groups as the plan leaves them, where what mappings give is foreseen.
    pub to_be: HashMap<Uuid, Vec<(Uuid, Kind)>>,
    pub plan: Plan,
}

/// Why an object is left out.
#[derive(Debug, Clone, Copy)]
pub enum Why {
    /// It is a resource of that other kind.
    OtherKind(Kind),
    /// Another entry has its name, or wants it and comes first: that with this record.
    Another(u32),
    /// That resource has its name.
    Holder(Holder),
}

impl Why {
    pub fn action(self) -> Action {
        match self {
            Why::OtherKind(_) => Action::Skipped,
            Why::Another(_) | Why::Holder(_) => Action::Conflict,
        }
    }
}

impl Planner<'_, '_> {
    /// The resources that are deleted.
    pub fn doomed(&self) -> impl Iterator<Item = (Uuid, Kind)> {
        let deleted = self.vanished.iter();
        let deleted = deleted.filter(|(_, action)| *action == Action::Deleted);
        deleted.filter_map(|(number, _)| self.intake.survey.records.get(*number)?.resource())
    }
}
