//! What a sync is going to do: the difference between a reading of the directory and what the database has.
//!
//! What it finds is worked out to the end, so that a dry run tells what a real one would do, and the execution only writes.

use serde_json::Value as Json;
use uuid::Uuid;

use super::digest::Digest;
use super::links::Link;
use super::object::{Action, Kind, Note, Object};
use super::reading::Reading;
use crate::store::sync_counts::Counts;

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

/// What changes about a group's members.
pub struct MemberStep {
    pub unique_id: Box<str>,
    pub name: Box<str>,
    pub group: Uuid,
    pub add: Vec<(Uuid, Kind)>,
    pub remove: Vec<Uuid>,
    /// Hash of the members as they are then.
    pub digest: Digest,
}

impl MemberStep {
    pub fn changes_anything(&self) -> bool {
        !(self.add.is_empty() && self.remove.is_empty())
    }

    /// The entry in the log.
    pub fn note(&self) -> Note {
        Note {
            kind: Kind::Group,
            action: Action::Members,
            unique_id: Some(self.unique_id.clone()),
            dn: None,
            name: Some(self.name.clone()),
            resource_id: Some(self.group.to_string()),
            reason: Some(format!(
                "{} added, {} removed",
                self.add.len(),
                self.remove.len()
            )),
        }
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
