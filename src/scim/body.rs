//! The body of a POST or PUT (RFC 7644 §3.3, §3.5.1), read into a resource.

use serde_json::{Map, Value};

use super::budget::Budget;
use super::error::{Error, Result};
use super::forgiven::{Forgiven, note};
use super::patch;
use super::profile::Profile;
use super::resource::{Resource, check_own_schema, check_schemas, finish};
use super::schema::{Attribute, COMMON, Mutability, Schema, Shape};
use super::value::{self, Given, mismatch};

/// Reads a new resource. The budget is the request's. Read-only attributes are ignored, as RFC 7644 §3.3 asks. `compat` takes names that are paths, as in a PATCH
/// without one, and drops what is unknown.
pub fn read(shape: Shape<'_>, body: Value, profile: Profile, budget: &Budget) -> Result<Resource> {
    read_over(shape, body, None, profile, budget)
}

/// Reads what is to be in the place of a resource. What the body does not name is unassigned afterwards, but for `active`: nobody is
/// let in, or locked out, by a client that does not speak of it.
pub fn read_over(
    shape: Shape<'_>,
    body: Value,
    before: Option<&Resource>,
    profile: Profile,
    budget: &Budget,
) -> Result<Resource> {
    let Value::Object(body) = body else {
        return Err(Error::syntax("the body is not a JSON object"));
    };
    let mut given = Given::new(body, "the resource")?;
    let schemas = given.take("schemas");
    if let Err(error) = check_schemas(shape, schemas, true) {
        match profile {
            Profile::Strict => return Err(error),
            Profile::Compat => note(Forgiven::SchemasMissing),
        }
    }
    let mut resource = Resource::default();
    for attribute in shape.schema.attributes.iter().chain(COMMON.iter()) {
        match given.take(attribute.name()) {
            Some(value) => place(&mut resource, attribute, value, profile)?,
            None => assign_default(&mut resource, attribute, before),
        }
    }
    let mut other = Map::new();
    for extension in shape.extensions() {
        let object = extension.names(profile).find_map(|urn| given.take(urn));
        let (mut object, rest) = match object {
            Some(object) => read_extension(&extension, object, profile)?,
            None => Default::default(),
        };
        other.extend(rest);
        let before = before.and_then(|before| before.attributes.get(extension.id()));
        if let Some(Value::Object(before)) = before {
            keep_unwritable(&extension, &mut object, before);
        }
        if !object.is_empty() {
            let object = Value::Object(object);
            resource
                .attributes
                .insert(extension.id().to_owned(), object);
        }
    }
    other.extend(given.rest("the resource", profile)?);
    patch::add_named(shape, other, &mut resource, budget)?;
    finish(shape, &mut resource, profile)?;
    Ok(resource)
}

/// An attribute that the body does not name: `active` of a new user is true, and otherwise what it was. Null is how a client says that
/// it wants no default (RFC 7644 §3.3, §3.5.1).
fn assign_default(resource: &mut Resource, attribute: &Attribute, before: Option<&Resource>) {
    if attribute.name() != "active" {
        return;
    }
    let active = match before {
        None => Some(Value::Bool(true)),
        Some(before) => before.attributes.get(attribute.name()).cloned(),
    };
    if let Some(active) = active {
        resource
            .attributes
            .insert(attribute.name().to_owned(), active);
    }
}

/// What a client may not write, or not again, stays where a PUT does not name it (RFC 7644 §3.5.1).
fn keep_unwritable(
    extension: &Schema,
    object: &mut Map<String, Value>,
    before: &Map<String, Value>,
) {
    for attribute in extension.attributes.iter() {
        let stays = match attribute.mutability {
            Mutability::ReadOnly => true,
            Mutability::Immutable => !object.contains_key(attribute.name()),
            Mutability::ReadWrite | Mutability::WriteOnly => false,
        };
        if let Some(value) = before.get(attribute.name()).filter(|_| stays) {
            object.insert(attribute.name().to_owned(), value.clone());
        }
    }
}

/// The object of an extension, and what it has that the extension does not, by paths.
fn read_extension(
    extension: &Schema,
    object: Value,
    profile: Profile,
) -> Result<(Map<String, Value>, Map<String, Value>)> {
    let object = match object {
        Value::Null => return Ok(Default::default()),
        Value::Object(object) => object,
        other => return Err(mismatch(extension.id(), "an object", &other)),
    };
    let mut given = Given::new(object, extension.id())?;
    check_own_schema(extension, given.take("schemas"), profile)?;
    let mut read = Map::new();
    for attribute in extension.attributes.iter() {
        let Some(value) = given.take(attribute.name()) else {
            continue;
        };
        if attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        let at = format!("{}:{}", extension.id(), attribute.name());
        if let Some(value) = value::read(attribute, value, &at, profile)? {
            read.insert(attribute.name().to_owned(), value);
        }
    }
    let rest = given.rest(extension.id(), profile)?;
    let below = |(name, value)| (format!("{}:{name}", extension.id()), value);
    Ok((read, rest.into_iter().map(below).collect()))
}

fn place(
    resource: &mut Resource,
    attribute: &Attribute,
    value: Value,
    profile: Profile,
) -> Result<()> {
    if attribute.mutability == Mutability::ReadOnly {
        return Ok(());
    }
    let read = value::read(attribute, value, attribute.name(), profile)?;
    match (attribute.name(), read) {
        ("members", Some(Value::Array(members))) => {
            resource.members = Some(patch::with_ids(members)?);
        }
        ("members", _) => resource.members = Some(Vec::new()),
        ("password", Some(Value::String(password))) => resource.password = Some(password),
        ("password", _) => {}
        (name, Some(value)) => {
            resource.attributes.insert(name.to_owned(), value);
        }
        (_, None) => {}
    }
    Ok(())
}
