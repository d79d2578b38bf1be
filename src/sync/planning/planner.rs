//! The planner: a plan in the making, and what is asked of it again and again.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use crate::sync::digest::Digest;
use crate::sync::facts::Facts;
use crate::sync::failure::Failure;
use crate::sync::group_mapping::Wanted;
use crate::sync::object::{Action, Kind, Note};
use crate::sync::plan::Plan;
use crate::sync::reading::Reading;
use crate::sync::session::Session;
use crate::sync::source::Missing;

/// How the plan is made.
pub struct Terms<'t> {
    /// Whether the reading is of the whole directory: only then is missing what it does not have.
    pub full: bool,
    pub missing: Missing,
    /// Whether group names are unique in the tenant.
    pub unique_group_names: bool,
    /// The group mappings, where the plan tells what they would do.
    pub foreseen: Option<&'t [Wanted]>,
}

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Unchanged,
    /// The same resource, at another DN or back again.
    Relinked,
    Update,
    Create,
    /// It is not carried out; a note says why.
    Out,
}

/// The plan in the making.
pub(super) struct Planner<'p> {
    pub session: &'p Session<'p>,
    pub terms: &'p Terms<'p>,
    pub reading: &'p Reading,
    pub facts: Facts,
    pub fates: Vec<Fate>,
    /// Resources of new objects, nil for others.
    pub new_ids: Vec<Uuid>,
    /// Hashes of the folded names.
    pub names: Vec<Digest>,
    /// Objects that give up a name.
    pub renamed: HashSet<usize>,
    /// Entries that are gone, and what follows from that.
    pub vanished: Vec<(Box<str>, Action)>,
    pub plan: Plan,
}

impl Planner<'_> {
    pub fn new_id(&self) -> Result<Uuid, Failure> {
        Ok(Uuid::try_parse(&self.session.new_id()?).unwrap_or_default())
    }

    pub fn leave_out(&mut self, index: usize, action: Action, reason: String) {
        if let (Some(fate), Some(object)) =
            (self.fates.get_mut(index), self.reading.objects.get(index))
        {
            *fate = Fate::Out;
            self.plan.counts.count(object.kind, action);
            self.plan.notes.push(Note::on(object, action, Some(reason)));
        }
    }

    /// The resource of an object, where it has one or is going to have one.
    pub fn resource_of(&self, index: usize) -> Option<(Uuid, Kind)> {
        let object = self.reading.objects.get(index)?;
        if self.fates.get(index) == Some(&Fate::Create) {
            return Some((*self.new_ids.get(index)?, object.kind));
        }
        let link = self.facts.links.get(&object.unique_id)?;
        (link.kind == object.kind).then_some((link.resource_id, link.kind))
    }

    pub fn with_fate(&self, fate: Fate) -> impl Iterator<Item = usize> {
        self.fates
            .iter()
            .enumerate()
            .filter(move |(_, found)| **found == fate)
            .map(|(index, _)| index)
    }

    /// The objects that are updated, by their resources.
    pub fn updated(&self) -> HashMap<Uuid, usize> {
        self.with_fate(Fate::Update)
            .filter_map(|index| Some((self.resource_of(index)?.0, index)))
            .collect()
    }
}
