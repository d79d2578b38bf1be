//! Applies operations to a resource in memory, one after the other.

use serde_json::{Map, Value, json};

use super::change::{Change, first, into_array};
use super::members::MemberChanges;
use super::operation::{Op, Operation, in_operation};
use super::parse::parse_names;
use crate::ordered::OrderedMap;
use crate::scim::budget::Budget;
use crate::scim::error::{Error, Result};
use crate::scim::filter::evaluate::Keys;
use crate::scim::profile::Profile;
use crate::scim::resource::{self, Resource};
use crate::scim::schema::{AttributeRef, Schema, Shape};

/// Applies all operations in order, but for those on a group's members; each sees what those before it did. On an error the
/// resource is to be thrown away: PATCH is atomic. The budget is the request's, and is charged for comparisons and copies.
pub fn apply(
    operations: &[Operation],
    shape: Shape<'_>,
    resource: &mut Resource,
    profile: Profile,
    budget: &Budget,
) -> Result<()> {
    let mut work = Work::new(resource, profile, budget);
    for operation in operations
        .iter()
        .filter(|operation| !operation.is_on_members())
    {
        work.apply(operation)
            .map_err(|error| in_operation(operation.index, error))?;
    }
    resource::finish(shape, resource, profile)
}

/// Adds what a body in `compat` has beside attributes: names that are paths (`name.givenName`, an extension's attribute without its URN).
/// What no schema has is dropped.
pub fn add_named(
    shape: Shape<'_>,
    names: Map<String, Value>,
    resource: &mut Resource,
    budget: &Budget,
) -> Result<()> {
    let (on_members, others): (Vec<Operation>, Vec<Operation>) = parse_names(names, shape)?
        .into_iter()
        .partition(Operation::is_on_members);
    let mut work = Work::new(resource, Profile::Compat, budget);
    for operation in &others {
        work.apply(operation)?;
    }
    if !on_members.is_empty() {
        let named = MemberChanges::of(&on_members, Profile::Compat)?.add;
        let members = resource.members.get_or_insert_default();
        members.extend(named.into_keys().map(|id| json!({"value": id})));
    }
    Ok(())
}

/// Operations at work on a resource.
struct Work<'w> {
    resource: &'w mut Resource,
    profile: Profile,
    budget: &'w Budget,
    /// The keys of values that filters have looked at, by their attributes, until an operation without a filter changes these.
    keys: OrderedMap<(Option<String>, String), Vec<Keys>>,
}

impl<'w> Work<'w> {
    fn new(resource: &'w mut Resource, profile: Profile, budget: &'w Budget) -> Self {
        Work {
            resource,
            profile,
            budget,
            keys: OrderedMap::new(),
        }
    }

    fn apply(&mut self, operation: &Operation) -> Result<()> {
        let Operation {
            op, path, value, ..
        } = operation;
        let AttributeRef {
            extension,
            attribute,
            sub,
        } = &path.found;
        let value = value.clone();
        if extension.is_none() && attribute.name() == "password" {
            return set_password(self.resource, *op, value);
        }
        let change = Change {
            op: *op,
            path,
            profile: self.profile,
            budget: self.budget,
        };
        let mut object = self.take_extension(extension.as_deref())?;
        let current = match extension {
            None => self
                .resource
                .attributes
                .take(attribute.name(), self.budget)?,
            Some(_) => object.shift_remove(attribute.name()),
        };
        let urn = extension
            .as_ref()
            .map(|extension| extension.id().to_owned());
        let of = (urn, attribute.name().to_owned());
        let mut keys = self.keys.remove(&of).unwrap_or_default();
        let by_value = attribute.multi_valued && (sub.is_some() || path.filter.is_some());
        let changed = match (attribute.multi_valued, sub, &path.filter) {
            (false, None, None) => change.single(current, value)?,
            (true, None, None) => change.multi(current, value)?,
            (false, Some(_), None) => change.sub_of_single(current, value)?,
            (false, _, Some(_)) => change
                .elements(into_array(current), value, &mut keys)?
                .map(first),
            (true, _, _) => change.elements(into_array(current), value, &mut keys)?,
        };
        if by_value {
            self.keys.insert(of, keys);
        }
        if changed.is_none() && attribute.required {
            let detail = format!("`{}` is required", path.text);
            return Err(match op {
                Op::Remove => Error::mutability(detail),
                Op::Add | Op::Replace => Error::value(detail),
            });
        }
        let attributes = &mut self.resource.attributes;
        match (extension, changed) {
            (None, Some(changed)) => attributes.insert(attribute.name().to_owned(), changed),
            (None, None) => {}
            (Some(extension), changed) => {
                object.extend(changed.map(|changed| (attribute.name().to_owned(), changed)));
                // An extension left empty is gone.
                if !object.is_empty() {
                    attributes.insert(extension.id().to_owned(), Value::Object(object));
                }
            }
        }
        Ok(())
    }

    /// The object of an extension, taken out of the resource.
    fn take_extension(&mut self, extension: Option<&Schema>) -> Result<Map<String, Value>> {
        let Some(extension) = extension else {
            return Ok(Map::new());
        };
        match self.resource.attributes.take(extension.id(), self.budget)? {
            Some(Value::Object(object)) => Ok(object),
            _ => Ok(Map::new()),
        }
    }
}

fn set_password(resource: &mut Resource, op: Op, value: Option<Value>) -> Result<()> {
    match (op, value) {
        (Op::Remove, _) | (_, None | Some(Value::Null)) => Ok(()),
        (_, Some(Value::String(password))) => {
            resource.password = Some(password);
            Ok(())
        }
        (_, Some(_)) => Err(Error::value("password takes a string")),
    }
}
