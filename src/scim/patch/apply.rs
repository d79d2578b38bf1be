//! Applies operations to a resource in memory, one after the other.

use serde_json::{Map, Value, json};

use super::change::{Change, first, into_array};
use super::members::MemberChanges;
use super::parse::parse_names;
use super::{Op, Operation, in_operation};
use crate::scim::error::{Error, Result};
use crate::scim::profile::Profile;
use crate::scim::resource::{self, Resource};
use crate::scim::schema::{ResourceType, Schema};

/// Applies all operations in order, but for those on a group's members; each sees what those before it did. On an error the
/// resource is to be thrown away: PATCH is atomic.
pub fn apply(
    operations: &[Operation],
    resource_type: &'static ResourceType,
    resource: &mut Resource,
    profile: Profile,
) -> Result<()> {
    for operation in operations
        .iter()
        .filter(|operation| !operation.is_on_members())
    {
        apply_one(operation, resource, profile)
            .map_err(|error| in_operation(operation.index, error))?;
    }
    resource::finish(resource_type, resource, profile)
}

/// Adds what a body in `compat` has beside attributes: names that are paths (`name.givenName`, an extension's attribute without its URN).
/// What no schema has is dropped.
pub fn add_named(
    resource_type: &'static ResourceType,
    names: Map<String, Value>,
    resource: &mut Resource,
) -> Result<()> {
    let (on_members, others): (Vec<Operation>, Vec<Operation>) = parse_names(names, resource_type)?
        .into_iter()
        .partition(Operation::is_on_members);
    for operation in &others {
        apply_one(operation, resource, Profile::Compat)?;
    }
    if !on_members.is_empty() {
        let named = MemberChanges::of(&on_members, Profile::Compat)?.add;
        let members = resource.members.get_or_insert_default();
        members.extend(named.into_keys().map(|id| json!({"value": id})));
    }
    Ok(())
}

fn apply_one(operation: &Operation, resource: &mut Resource, profile: Profile) -> Result<()> {
    let Operation {
        op, path, value, ..
    } = operation;
    let found = path.found;
    let value = value.clone();
    if found.extension.is_none() && found.attribute.name == "password" {
        return set_password(resource, *op, value);
    }
    let change = Change {
        op: *op,
        path,
        profile,
    };
    let mut parent = take_parent(resource, found.extension);
    let current = parent.shift_remove(found.attribute.name);
    let changed = match (found.attribute.multi_valued, found.sub, &path.filter) {
        (false, None, None) => change.single(current, value)?,
        (true, None, None) => change.multi(current, value)?,
        (false, Some(_), None) => change.sub_of_single(current, value)?,
        (false, _, Some(_)) => change.elements(into_array(current), value)?.map(first),
        (true, _, _) => change.elements(into_array(current), value)?,
    };
    match changed {
        Some(changed) => {
            parent.insert(found.attribute.name.to_owned(), changed);
        }
        None if found.attribute.required => {
            let detail = format!("`{}` is required", path.text);
            return Err(match op {
                Op::Remove => Error::mutability(detail),
                Op::Add | Op::Replace => Error::value(detail),
            });
        }
        None => {}
    }
    put_parent(resource, found.extension, parent);
    Ok(())
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

/// The object that holds an attribute, taken out of the resource: the resource's own or an extension's.
fn take_parent(resource: &mut Resource, extension: Option<&'static Schema>) -> Map<String, Value> {
    match extension {
        None => std::mem::take(&mut resource.attributes),
        Some(extension) => match resource.attributes.shift_remove(extension.id) {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        },
    }
}

/// Puts back what [`take_parent`] took; an extension left empty is gone.
fn put_parent(
    resource: &mut Resource,
    extension: Option<&'static Schema>,
    object: Map<String, Value>,
) {
    match extension {
        None => resource.attributes = object,
        Some(extension) if !object.is_empty() => {
            let attributes = &mut resource.attributes;
            attributes.insert(extension.id.to_owned(), Value::Object(object));
        }
        Some(_) => {}
    }
}
