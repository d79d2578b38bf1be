//! What somebody wants of one resource.

use serde_json::Value;

use super::audit::Action;
use crate::error::Result;
use crate::ordered::OrderedMap;
use crate::scim::patch::{MemberChanges, Operation};
use crate::scim::profile::Profile;
use crate::scim::resource::Resource;
use crate::scim::schema::{GROUPS, ResourceType};
use crate::scim::version::{Condition, Version};

/// A change to one resource. Its id is known before: a new resource's is given here.
#[derive(Debug, Clone)]
pub struct Intent {
    pub resource_type: &'static ResourceType,
    pub id: String,
    /// Whether it makes the resource.
    pub is_creation: bool,
    /// What is wanted; or what is wrong with that, which is told only where the resource is there.
    pub wish: Result<Wish>,
    /// Of which versions the client says that it changes them.
    pub condition: Option<Condition>,
    /// The intents of the same request whose new resources it refers to, by their numbers, each with the name that it uses.
    pub references: OrderedMap<usize, String>,
    /// The intent that makes the resource, where it is one of the same request.
    pub made_by: Option<usize>,
}

/// What is wanted.
#[derive(Debug, Clone)]
pub enum Wish {
    Create(Resource),
    /// The body of a PUT: what it says depends on what is there.
    Replace(Value),
    /// The operations of a PATCH, and what they come to of a group's members.
    Patch(Vec<Operation>, MemberChanges),
    /// The whole resource as it is to be, but for a group's members, and what the audit trail calls the change.
    Become(Resource, Action),
    /// Members of a group.
    Members(MemberChanges),
    /// What a resource was, or some of its memberships.
    Revert(Reverted),
    Delete,
}

/// What is to be as it was.
#[derive(Debug, Clone)]
pub struct Reverted {
    /// The resource without its memberships; none for as it is.
    pub resource: Option<Resource>,
    /// The provider whose `externalId` it was, empty for none; none for as it is.
    pub provider_id: Option<String>,
    /// Of a resource that is not there: its last version.
    pub version: Version,
    /// Of such, when it was created, in milliseconds since 1970.
    pub created: i64,
    pub members: MemberChanges,
    /// On what grounds somebody is to be a member, where that is not a client's word.
    pub grounds: OrderedMap<String, i64>,
}

impl Wish {
    /// What the operations of a PATCH want.
    pub fn patch(operations: Vec<Operation>, profile: Profile) -> Result<Self> {
        let members = MemberChanges::of(&operations, profile)?;
        Ok(Wish::Patch(operations, members))
    }
}

impl Intent {
    /// Wants a new resource.
    pub fn create(
        resource_type: &'static ResourceType,
        id: String,
        resource: Result<Resource>,
    ) -> Self {
        Intent {
            is_creation: true,
            ..Intent::change(resource_type, id, resource.map(Wish::Create))
        }
    }

    /// Wants something of a resource that is there.
    pub fn change(resource_type: &'static ResourceType, id: String, wish: Result<Wish>) -> Self {
        Intent {
            resource_type,
            id,
            is_creation: false,
            wish,
            condition: None,
            references: OrderedMap::new(),
            made_by: None,
        }
    }

    /// Whether it can be planned without the resource, which is then only guarded: a deletion, and members of a group by their ids.
    pub fn goes_unseen(&self) -> bool {
        match &self.wish {
            Ok(Wish::Delete) => true,
            Ok(Wish::Members(changes)) => changes.is_by_id(),
            Ok(Wish::Patch(operations, changes)) if self.resource_type.name == GROUPS.name => {
                operations.iter().all(Operation::is_on_members) && changes.is_by_id()
            }
            _ => false,
        }
    }
}
