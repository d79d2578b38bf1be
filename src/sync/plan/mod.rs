//! What a sync is going to do: the difference between a reading of the directory and what the database has.
//!
//! Planning reads and writes nothing. What it finds is worked out to the end, so that a dry run tells what a real one would do, and
//! the execution only writes.

mod grants;
mod members;
mod names;
mod rows;

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;
use uuid::Uuid;

use super::counts::Counts;
use super::digest::Digest;
use super::facts::Facts;
use super::grants::Wanted;
use super::guard::MANY;
use super::links::Link;
use super::object::{Action, Kind, Note, Object};
use super::reading::Reading;
use super::session::Session;
use super::{Failure, Missing};
use crate::store::Rows;
use crate::store::directory_entries::{self, State};

pub use members::MemberStep;

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

/// What is to be done with one resource, or only with what is known of its entry. There may be one for each entry, so it names what the
/// reading has and copies nothing.
pub struct Step {
    pub kind: Kind,
    /// None where only the link changes.
    pub action: Option<Action>,
    pub subject: Subject,
    pub resource_id: Uuid,
    /// The version that is there; 0 for a new resource.
    pub version: i64,
    pub created: i64,
    /// Names of the attributes that change; none of a new resource, which has them all.
    pub attributes: Vec<String>,
    /// The e-mail addresses that it had, where it gets others.
    pub addresses: Option<Json>,
    /// Whether it gives up a name that it had.
    pub renamed: bool,
    /// What is known from now on; none where nothing is.
    pub link: Option<Link>,
}

/// Whose step it is, and whether a resource is to be written.
pub enum Subject {
    /// An object of the reading, by its index.
    Object { index: usize, write: bool },
    /// An entry that is gone, and the resource as it is to be stored.
    Gone {
        unique_id: Box<str>,
        text: Option<Box<str>>,
    },
}

impl Step {
    /// The object of the reading; none where the entry is gone.
    fn object<'r>(&self, reading: &'r Reading) -> Option<&'r Object> {
        match self.subject {
            Subject::Object { index, .. } => reading.objects.get(index),
            Subject::Gone { .. } => None,
        }
    }

    pub fn unique_id<'s>(&'s self, reading: &'s Reading) -> &'s str {
        match &self.subject {
            Subject::Object { .. } => self.object(reading).map_or("", |found| &found.unique_id),
            Subject::Gone { unique_id, .. } => unique_id,
        }
    }

    /// Whether a resource is to be written.
    pub fn writes(&self) -> bool {
        match &self.subject {
            Subject::Object { write, .. } => *write,
            Subject::Gone { text, .. } => text.is_some(),
        }
    }

    /// The resource as it is to be stored; none where none is.
    pub fn text<'s>(&'s self, reading: &'s Reading) -> Option<&'s str> {
        match &self.subject {
            Subject::Object { write, .. } => {
                let object = self.object(reading).filter(|_| *write);
                object.map(|object| &*object.text)
            }
            Subject::Gone { text, .. } => text.as_deref(),
        }
    }

    /// The entry in the log; none where only the link changes.
    pub fn note(&self, reading: &Reading) -> Option<Note> {
        let action = self.action?;
        let object = self.object(reading);
        let inactive = action == Action::Deactivated && !self.writes();
        Some(Note {
            kind: self.kind,
            action,
            unique_id: Some(self.unique_id(reading).into()),
            dn: object.map(|object| object.dn.clone()),
            name: object.map(|object| object.name.clone()),
            resource_id: Some(self.resource_id.to_string()),
            reason: inactive.then(|| "the user was inactive already".to_owned()),
        })
    }
}

/// The plan.
#[derive(Default)]
pub struct Plan {
    /// Entries that the directory gave.
    pub read: Held,
    pub deletions: Vec<Step>,
    /// Users, then groups; those first that give up names.
    pub steps: Vec<Step>,
    pub members: Vec<MemberStep>,
    /// What is not going to be done, and why.
    pub notes: Vec<Note>,
    /// What the run comes to.
    pub counts: Counts,
    /// Whether the reading was of the whole directory.
    pub full: bool,
    /// How much the provider manages, and how much of that the plan removes; the first is known where something is removed, and of a
    /// reading of the whole directory.
    pub managed: Held,
    pub removed: usize,
    /// The same of the members of groups; known where many are removed.
    pub members_managed: usize,
    pub members_removed: usize,
}

impl Plan {
    /// All that is going to be done, and what is not.
    pub fn all_notes(&self, reading: &Reading) -> impl Iterator<Item = Note> {
        let steps = self.deletions.iter().chain(&self.steps);
        let members = self.members.iter().filter(|step| step.changes_anything());
        steps
            .filter_map(|step| step.note(reading))
            .chain(members.map(MemberStep::note))
            .chain(self.notes.iter().cloned())
    }
}

/// How many users and groups.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held {
    pub users: usize,
    pub groups: usize,
}

impl Held {
    pub fn all(self) -> usize {
        self.users + self.groups
    }
}

/// What becomes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unchanged,
    /// The same resource, at another DN or back again.
    Relinked,
    Update,
    Create,
    /// It is not carried out; a note says why.
    Out,
}

/// The plan in the making.
struct Planner<'p> {
    session: &'p Session<'p>,
    terms: &'p Terms<'p>,
    reading: &'p Reading,
    facts: Facts,
    fates: Vec<Fate>,
    /// Resources of new objects, nil for others.
    new_ids: Vec<Uuid>,
    /// Hashes of the folded names.
    names: Vec<Digest>,
    /// Objects that give up a name.
    renamed: HashSet<usize>,
    /// Entries that are gone, and what follows from that.
    vanished: Vec<(Box<str>, Action)>,
    plan: Plan,
}

/// Makes the plan.
pub async fn plan(
    session: &Session<'_>,
    terms: &Terms<'_>,
    reading: &mut Reading,
    facts: Facts,
) -> Result<Plan, Failure> {
    let mut planner = Planner {
        session,
        terms,
        reading,
        facts,
        fates: Vec::new(),
        new_ids: Vec::new(),
        names: Vec::new(),
        renamed: HashSet::new(),
        vanished: Vec::new(),
        plan: Plan::default(),
    };
    planner.match_objects()?;
    planner.miss();
    planner.settle_names().await?;
    planner.draw_up_steps().await?;
    planner.draw_up_members().await?;
    planner.measure().await?;
    if let Some(mappings) = terms.foreseen {
        planner.foresee_grants(mappings).await?;
    }
    let (mut plan, fates) = (planner.plan, planner.fates);
    plan.counts.referrals = reading.counts.referrals;
    // What is as it was is not needed any more, and there is much of it; what is left out for now may be let in by another plan.
    for (object, fate) in reading.objects.iter_mut().zip(fates) {
        if matches!(fate, Fate::Unchanged | Fate::Relinked) {
            object.text = Box::default();
        }
    }
    Ok(plan)
}

impl<'p> Planner<'p> {
    /// Finds the resources of the objects.
    fn match_objects(&mut self) -> Result<(), Failure> {
        self.plan.counts = self.reading.counts;
        let held = |read: u64| usize::try_from(read).unwrap_or(usize::MAX);
        self.plan.read = Held {
            users: held(self.reading.counts.users.read),
            groups: held(self.reading.counts.groups.read),
        };
        for note in &self.reading.unusable {
            // It is there, whatever is wrong with it: it has not vanished.
            if let Some(link) = note
                .unique_id
                .as_ref()
                .and_then(|id| self.facts.links.get_mut(id))
            {
                link.seen = true;
            }
            self.plan.counts.count(note.kind, note.action);
            self.plan.notes.push(note.clone());
        }
        for (index, object) in self.reading.objects.iter().enumerate() {
            let (fate, other_kind) = match self.facts.links.get_mut(&object.unique_id) {
                None => (Fate::Create, None),
                Some(link) => {
                    link.seen = true;
                    let same = link.digest == object.digest && link.state != State::Deactivated;
                    let still =
                        link.member_key == object.member_key && link.state == State::Present;
                    match (link.kind == object.kind, same, still) {
                        (false, ..) => (Fate::Out, Some(link.kind)),
                        (true, true, true) => (Fate::Unchanged, None),
                        (true, true, false) => (Fate::Relinked, None),
                        (true, false, _) => (Fate::Update, None),
                    }
                }
            };
            self.fates.push(fate);
            self.names.push(names::key(object));
            self.new_ids.push(match fate {
                Fate::Create => self.new_id()?,
                _ => Uuid::nil(),
            });
            if let Some(kind) = other_kind {
                let reason = format!("it is a {} here; one entry is one resource", kind.name());
                self.leave_out(index, Action::Skipped, reason);
            }
        }
        Ok(())
    }

    /// How much it removes of how much, for the guard. What is not known of the reading is counted only where something is removed.
    async fn measure(&mut self) -> Result<(), Failure> {
        let (tenant, idp) = (&self.session.tenant, &self.session.idp);
        let removed = self.plan.counts.memberships.removed;
        self.plan.full = self.terms.full;
        self.plan.members_removed = usize::try_from(removed).unwrap_or(usize::MAX);
        let deletions = self.plan.deletions.iter();
        let doomed: Vec<String> = deletions
            .filter(|step| step.kind == Kind::Group)
            .map(|step| step.resource_id.to_string())
            .collect();
        let mut batch = Vec::new();
        if !self.terms.full && self.plan.removed > 0 {
            batch.push(directory_entries::count(tenant, idp));
        }
        let counted = batch.len();
        if self.plan.members_removed >= MANY || !doomed.is_empty() {
            batch.push(directory_entries::count_members(tenant, idp));
            batch.extend(directory_entries::count_members_of(tenant, &doomed));
        }
        let number = |rows: &Rows, column: &str| -> Result<usize, Failure> {
            let number = rows.first().map_or(Ok(0), |row| row.integer(column))?;
            Ok(usize::try_from(number).unwrap_or_default())
        };
        for (index, rows) in self.session.read(batch).await?.iter().enumerate() {
            if index < counted {
                self.plan.managed.users = number(rows, "users")?;
                self.plan.managed.groups = number(rows, "groups")?;
            } else if index == counted {
                self.plan.members_managed = number(rows, "members")?;
            } else {
                self.plan.members_removed += number(rows, "members")?;
            }
        }
        Ok(())
    }

    fn new_id(&self) -> Result<Uuid, Failure> {
        Ok(Uuid::try_parse(&self.session.new_id()?).unwrap_or_default())
    }

    fn leave_out(&mut self, index: usize, action: Action, reason: String) {
        if let (Some(fate), Some(object)) =
            (self.fates.get_mut(index), self.reading.objects.get(index))
        {
            *fate = Fate::Out;
            self.plan.counts.count(object.kind, action);
            self.plan.notes.push(Note::on(object, action, Some(reason)));
        }
    }

    /// Finds what the directory does not have any more. Only a reading of all of it can tell, but for users whom it has, and not as users.
    fn miss(&mut self) {
        for (unique_id, link) in &self.facts.links {
            let left = link.kind == Kind::User && self.reading.left.contains(unique_id);
            if self.terms.full {
                match link.kind {
                    Kind::User => self.plan.managed.users += 1,
                    Kind::Group => self.plan.managed.groups += 1,
                }
            }
            if link.seen || !(self.terms.full || left) {
                continue;
            }
            let action = match (self.terms.missing, link.kind) {
                (Missing::Keep, _) => Action::Kept,
                (Missing::Deactivate, Kind::User) => Action::Deactivated,
                (Missing::Delete, _) | (Missing::Deactivate, Kind::Group) => Action::Deleted,
            };
            let known = match action {
                Action::Kept => link.state != State::Present,
                Action::Deactivated => link.state == State::Deactivated,
                _ => false,
            };
            if action != Action::Kept && !known {
                self.plan.removed += 1;
            }
            if action == Action::Kept {
                self.plan.counts.count(link.kind, action);
            }
            if !known {
                self.vanished.push((unique_id.clone(), action));
            }
        }
        // In the same order whenever it is done.
        self.vanished
            .sort_unstable_by(|one, other| one.0.cmp(&other.0));
    }

    /// The resource of an object, where it has one or is going to have one.
    fn resource_of(&self, index: usize) -> Option<(Uuid, Kind)> {
        let object = self.reading.objects.get(index)?;
        if self.fates.get(index) == Some(&Fate::Create) {
            return Some((*self.new_ids.get(index)?, object.kind));
        }
        let link = self.facts.links.get(&object.unique_id)?;
        (link.kind == object.kind).then_some((link.resource_id, link.kind))
    }

    fn with_fate(&self, fate: Fate) -> impl Iterator<Item = usize> {
        self.fates
            .iter()
            .enumerate()
            .filter(move |(_, found)| **found == fate)
            .map(|(index, _)| index)
    }

    /// The objects that are updated, by their resources.
    fn updated(&self) -> HashMap<Uuid, usize> {
        self.with_fate(Fate::Update)
            .filter_map(|index| Some((self.resource_of(index)?.0, index)))
            .collect()
    }
}
