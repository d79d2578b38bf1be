//! Resources as they are so far, and what an intent comes to.

use std::rc::Rc;

use super::audit::{Action, Detail};
use super::facts::Seen;
use super::member_plan::MemberPlan;
use super::rows::removals::Removals;
use crate::scim::resource::Resource;
use crate::scim::schema::ResourceType;
use crate::scim::version::Version;

/// What the database has of a resource.
#[derive(Debug, Clone)]
pub enum Base {
    /// Nothing.
    New,
    /// The resource as it is known.
    Known(Seen),
    /// The resource, whatever it is; that it is there is for a guard.
    Unseen,
}

/// A resource as it is after some intents.
#[derive(Debug, Clone)]
pub struct State {
    pub resource: Rc<Resource>,
    /// Counted from the version in the database, and from 0 where that is not known.
    pub version: Version,
    pub base: Base,
    pub created: i64,
    pub alive: bool,
    /// Whether the resource itself is another one.
    pub is_rewritten: bool,
    /// Whether what is to be written rests on the version in the database. Members who come and go by their ids do not.
    pub rests_on_version: bool,
    pub password: Option<String>,
    /// The identity provider whose `externalId` it is; none for the author's.
    pub provider_id: Option<String>,
    /// Members to add and to take away, against what the database has.
    pub members: MemberPlan,
}

impl State {
    pub fn new(resource: Resource, created: i64) -> Self {
        State {
            resource: Rc::new(resource),
            version: Version(1),
            base: Base::New,
            created,
            alive: true,
            is_rewritten: true,
            rests_on_version: false,
            password: None,
            provider_id: None,
            members: MemberPlan::default(),
        }
    }

    pub fn of(seen: &Seen) -> Self {
        State {
            resource: Rc::clone(&seen.resource),
            version: seen.stored.version,
            base: Base::Known(seen.clone()),
            created: seen.stored.created,
            is_rewritten: false,
            ..State::new(Resource::default(), 0)
        }
    }

    pub fn unseen() -> Self {
        State {
            version: Version(0),
            base: Base::Unseen,
            is_rewritten: false,
            ..State::new(Resource::default(), 0)
        }
    }

    /// What the database has of it, as far as that is known.
    pub fn before(&self) -> Option<&Rc<Resource>> {
        match &self.base {
            Base::Known(seen) => Some(&seen.resource),
            Base::New | Base::Unseen => None,
        }
    }

    /// The version in the database; 0 of a new resource, and where it is not known.
    pub fn base_version(&self) -> Version {
        match &self.base {
            Base::Known(seen) => seen.stored.version,
            Base::New | Base::Unseen => Version(0),
        }
    }

    pub fn is_new(&self) -> bool {
        matches!(self.base, Base::New)
    }

    /// Whether it comes back from a deletion, under its old id and beyond its old version.
    pub fn is_revived(&self) -> bool {
        self.is_new() && self.alive && self.provider_id.is_some()
    }

    /// By how much its version grows.
    pub fn gain(&self) -> i64 {
        self.version.0 - self.base_version().0
    }
}

/// One line of the audit trail.
#[derive(Debug)]
pub struct Event {
    pub action: Action,
    pub resource_type: &'static ResourceType,
    pub id: String,
    pub attributes: Vec<String>,
    pub detail: Detail,
}

/// How an intent ended.
#[derive(Debug, Clone)]
pub struct Done {
    /// As HTTP has it: 201, 200, 204.
    pub status: u16,
    pub resource_type: &'static ResourceType,
    pub id: String,
    /// None of what is deleted.
    pub version: Option<Version>,
    /// Whether anything changed.
    pub is_changed: bool,
}

/// What an intent comes to.
pub struct Effect {
    pub status: u16,
    pub resource_type: &'static ResourceType,
    pub id: String,
    /// What the resource was; none of a new one, and of one that is not seen.
    pub before: Option<Rc<Resource>>,
    pub state: State,
    /// What the audit trail says; nothing where nothing changed.
    pub event: Option<(Action, Vec<String>, Detail)>,
}

impl Effect {
    /// What it takes away, beyond what was taken away from the same resource before. Nobody is switched off who comes so.
    pub fn removals(&self, before: Option<&State>) -> Removals {
        let Some((action, _, detail)) = &self.event else {
            return Removals::NONE;
        };
        let is_removal = match action {
            Action::Delete => true,
            Action::Create => false,
            _ => detail.switches_off(),
        };
        let gone = |state: &State| i64::try_from(state.members.remove.len()).unwrap_or(i64::MAX);
        let members = match self.state.alive {
            true => gone(&self.state) - before.map_or(0, gone),
            false => 0,
        };
        Removals {
            resources: i64::from(is_removal),
            members: members.max(0),
        }
    }
}
