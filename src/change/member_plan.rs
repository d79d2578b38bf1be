//! What becomes of a group's members: rows to insert, to delete and to change.

use super::audit::Detail;
use super::author::Mandate;
use crate::ordered::OrderedMap;
use crate::scim::schema::RESOURCE_TYPES;
use crate::store::members::{BOTH, DIRECT, GIVEN};

/// What an id is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known {
    /// On what grounds it is a member; none where it is none.
    pub granted: Option<i64>,
    /// `User` or `Group`; none where it is nobody's.
    pub kind: Option<&'static str>,
}

/// Rows of one group to insert, to delete and to change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MemberPlan {
    /// Ids, with their types.
    pub add: OrderedMap<String, &'static str>,
    /// Ids, with the grounds on which they are members so far, where these are known: the batch holds them.
    pub remove: OrderedMap<String, Option<i64>>,
    /// Members who stay, on other grounds: what `granted` is from now on.
    pub regrade: OrderedMap<String, i64>,
}

/// What a change does to one membership.
pub(super) enum Step {
    Nothing,
    Insert,
    Delete,
    Regrade(i64),
}

/// What somebody's coming does to a membership that is there on those grounds, or is not.
pub(super) fn coming(mandate: &Mandate, granted: Option<i64>) -> Step {
    match (mandate, granted) {
        (_, None) => Step::Insert,
        (Mandate::Mappings, Some(DIRECT)) => Step::Regrade(BOTH),
        (Mandate::Client | Mandate::Directory(_), Some(GIVEN)) => Step::Regrade(BOTH),
        _ => Step::Nothing,
    }
}

/// What somebody's going does to it. Whoever a client takes out is out; the directory and mappings take only what they gave.
pub(super) fn going(mandate: &Mandate, granted: Option<i64>) -> Step {
    match (mandate, granted) {
        (_, None) => Step::Nothing,
        (Mandate::Client | Mandate::Administrator, Some(_)) => Step::Delete,
        (Mandate::Directory(_), Some(DIRECT)) => Step::Delete,
        (Mandate::Directory(_), Some(BOTH)) => Step::Regrade(GIVEN),
        (Mandate::Mappings, Some(GIVEN)) => Step::Delete,
        (Mandate::Mappings, Some(BOTH)) => Step::Regrade(DIRECT),
        _ => Step::Nothing,
    }
}

/// The grounds of what it adds, which are also those that somebody who is to go is taken to be a member on.
pub fn grounds(mandate: &Mandate) -> i64 {
    match mandate {
        Mandate::Client | Mandate::Directory(_) | Mandate::Administrator => DIRECT,
        Mandate::Mappings => GIVEN,
    }
}

impl MemberPlan {
    /// Takes up what becomes of one membership.
    pub(super) fn take(&mut self, id: &str, known: Known, step: Step) {
        match (step, known.kind) {
            (Step::Insert, Some(kind)) => {
                self.add.insert(id.to_owned(), kind);
            }
            (Step::Delete, _) => {
                self.remove.insert(id.to_owned(), known.granted);
            }
            (Step::Regrade(granted), _) => {
                self.regrade.insert(id.to_owned(), granted);
            }
            (Step::Insert, None) | (Step::Nothing, _) => {}
        }
    }

    /// Goes on with another plan, made for what this one leaves.
    pub fn then(&mut self, next: MemberPlan) {
        self.regrade.extend(next.regrade);
        for (id, granted) in next.remove {
            // What the next plan knows of the grounds is what this one makes of them.
            let was_regraded = self.regrade.remove(&id).is_some();
            if self.add.remove(&id).is_none() {
                self.remove.insert(id, granted.filter(|_| !was_regraded));
            }
        }
        for (id, kind) in next.add {
            if self.remove.remove(&id).is_none() {
                self.add.insert(id, kind);
            }
        }
    }

    /// Whether the group is another one for it: who is in it, or, but for mappings, on whose word.
    pub fn is_seen(&self, mandate: &Mandate) -> bool {
        let regraded = !self.regrade.is_empty() && *mandate != Mandate::Mappings;
        !(self.add.is_empty() && self.remove.is_empty()) || regraded
    }

    /// Who comes and who goes, for the audit trail.
    pub fn detail(&self) -> Detail {
        let mut detail = Detail::default();
        detail.add(self.add.keys());
        detail.remove(self.remove.keys());
        detail
    }

    /// By how much the number of members changes.
    pub fn difference(&self) -> i64 {
        let count = |length: usize| i64::try_from(length).unwrap_or(i64::MAX);
        count(self.add.len()) - count(self.remove.len())
    }
}

/// The type of that name, as it is kept with a member.
pub fn kind_of(name: Option<&str>) -> Option<&'static str> {
    let known = RESOURCE_TYPES
        .iter()
        .find(|resource_type| Some(resource_type.name) == name);
    known.map(|resource_type| resource_type.name)
}
