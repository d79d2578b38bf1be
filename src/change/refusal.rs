//! Why a change is not made, in the words that clients read.

use super::author::Mandate;
use crate::error::{Error, Kind, Result};
use crate::scim::budget::Budget;
use crate::scim::error::ScimType;
use crate::scim::resource::Resource;
use crate::scim::schema::{ResourceType, USERS};
use crate::scim::version::{Condition, Version};
use crate::store;
use crate::store::resources::MAX_ROW;

/// 412 where the client named another version than there is.
pub fn check_condition(condition: Option<&Condition>, version: Version) -> Result<()> {
    match condition {
        Some(condition) if !condition.holds(version) => Err(Error::new(
            Kind::PreconditionFailed,
            format!(
                "the resource is at version {}, which If-Match does not name",
                version.etag()
            ),
        )),
        _ => Ok(()),
    }
}

/// 409 where a directory manages the resource that is not the author: what was written would be undone, or fought over.
pub fn check_mandate(mandate: &Mandate, resource: &Resource) -> Result<()> {
    match &resource.managed_by {
        manager if mandate.covers(manager.as_deref()) => Ok(()),
        Some(provider) => Err(Error::managed(provider)),
        None => Err(Error::new(
            Kind::Conflict,
            "no directory manages this resource",
        )),
    }
}

/// 413 for a resource that is larger than can be stored. The budget is charged where that has to be looked at closely.
pub fn check_size(
    resource_type: &'static ResourceType,
    resource: &Resource,
    budget: &Budget,
) -> Result<()> {
    match resource.is_shorter(resource_type, MAX_ROW, budget)? {
        true => Ok(()),
        false => Err(store::Error::TooLarge("a row".to_owned()).into()),
    }
}

/// 409 `uniqueness`, naming the attribute.
pub fn taken(attribute: &str) -> Error {
    Error::scim(
        ScimType::Uniqueness,
        format!("another resource has this {attribute}"),
    )
}

/// 409 `uniqueness` for a new user whose name an inactive one has, with how to switch that one on again.
pub fn taken_by_inactive(base: &str, id: &str) -> Error {
    let Error { kind, detail, .. } = taken("userName");
    let location = format!("{base}{}/{id}", USERS.endpoint);
    Error::new(
        kind,
        format!(
            "{detail} and is inactive: PATCH or PUT `active` true at {location} switches it on again"
        ),
    )
}
