//! Why a change is not made, in the words that clients read.

use serde_json::Value;

use super::author::Mandate;
use crate::error::{Error, Kind, Result};
use crate::scim::budget::Budget;
use crate::scim::error::ScimType;
use crate::scim::lengths::Lengths;
use crate::scim::resource::Resource;
use crate::scim::schema::{Attribute, Mutability, Shape, USERS};
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

/// 400 `mutability` where what a client may write once, of a tenant's own schemas, is to be another (RFC 7643 §2.2).
pub fn check_immutable(shape: Shape<'_>, before: &Resource, after: &Resource) -> Result<()> {
    for extension in shape.own {
        let of = |resource: &Resource| resource.attributes.get(extension.id()).cloned();
        let (before, after) = (
            of(before).unwrap_or_default(),
            of(after).unwrap_or_default(),
        );
        let is_changed = |one: &Attribute, before: &Value, after: &Value| {
            let was = before.get(one.name());
            one.mutability == Mutability::Immutable && was.is_some() && was != after.get(one.name())
        };
        for attribute in extension.attributes.iter() {
            let part = |object: &Value| object.get(attribute.name()).cloned().unwrap_or_default();
            let (was, is) = (part(&before), part(&after));
            let mut subs = attribute.sub_attributes.iter();
            if is_changed(attribute, &before, &after)
                || (!attribute.multi_valued && subs.any(|sub| is_changed(sub, &was, &is)))
            {
                let detail = format!("{}:{} is immutable", extension.id(), attribute.name());
                return Err(Error::scim(ScimType::Mutability, detail));
            }
        }
    }
    Ok(())
}

/// Most bytes of JSON that a resource has of schemas that were learned.
const MAX_LEARNED: usize = 65_536;

/// 413 for a resource that is larger than can be stored. The budget is charged where that has to be looked at closely.
pub fn check_size(shape: Shape<'_>, resource: &Resource, budget: &Budget) -> Result<()> {
    let learned = shape.own.iter().filter(|extension| extension.is_learned);
    let learned = learned.filter_map(|extension| resource.attributes.get(extension.id()));
    let learned: usize = learned.map(|value| Lengths::of(value).json).sum();
    if learned > MAX_LEARNED {
        return Err(store::Error::TooLarge("what is in no declared schema".to_owned()).into());
    }
    match resource.is_shorter(shape, MAX_ROW, budget)? {
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
