//! The PATCH body (RFC 7644 §3.5.2), taken apart into operations on single attributes.

use serde_json::{Map, Value};

use super::path::{self, Named, Path};
use super::{MAX_OPERATIONS, Op, Operation};
use crate::scim::PATCH_OP;
use crate::scim::attribute_path::Target;
use crate::scim::error::{Error, Result};
use crate::scim::filter::parse::shortened;
use crate::scim::profile::Profile;
use crate::scim::resource::{check_own_schema, check_schemas};
use crate::scim::schema::{Attribute, AttributeRef, ResourceType, Schema};
use crate::scim::value::Given;

/// Parses a PATCH body. In `compat`, `schemas` may be missing and `op` may have capitals (Entra sends both).
pub fn parse(
    body: Value,
    resource_type: &'static ResourceType,
    profile: Profile,
) -> Result<Vec<Operation>> {
    let Value::Object(body) = body else {
        return Err(Error::syntax("the body is not a JSON object"));
    };
    let mut given = Given::new(body, "the body")?;
    given.take_message_schemas(PATCH_OP, profile)?;
    let Some(Value::Array(operations)) = given.take("Operations") else {
        return Err(Error::syntax(
            "Operations is required: an array of operations",
        ));
    };
    given.refuse_rest("the body", profile)?;
    if operations.is_empty() {
        return Err(Error::syntax("Operations is empty"));
    }
    if operations.len() > MAX_OPERATIONS {
        return Err(Error::syntax(format!(
            "Operations has {} entries; {MAX_OPERATIONS} are allowed",
            operations.len()
        )));
    }
    let mut parser = Parser {
        resource_type,
        profile,
        operations: Vec::with_capacity(operations.len()),
    };
    for (index, operation) in operations.into_iter().enumerate() {
        let at = format!("Operations[{index}]");
        let Value::Object(operation) = operation else {
            return Err(Error::syntax(format!("{at} is not an object")));
        };
        parser
            .operation(operation, &at)
            .map_err(|error| match error.detail.starts_with(&at) {
                true => error,
                false => Error {
                    detail: format!("{at}: {}", error.detail),
                    ..error
                },
            })?;
        // What has no path is as many operations as it has names.
        if parser.operations.len() > MAX_OPERATIONS {
            return Err(Error::syntax(format!(
                "{at}: the body comes to more than {MAX_OPERATIONS} operations"
            )));
        }
    }
    Ok(parser.operations)
}

struct Parser {
    resource_type: &'static ResourceType,
    profile: Profile,
    operations: Vec<Operation>,
}

impl Parser {
    fn operation(&mut self, operation: Map<String, Value>, at: &str) -> Result<()> {
        let mut given = Given::new(operation, at)?;
        let op = self.op(given.take("op"), at)?;
        let path = match given.take("path") {
            None | Some(Value::Null) => None,
            Some(Value::String(path)) if path.is_empty() && !self.profile.is_strict() => None,
            Some(Value::String(path)) => Some(path),
            Some(_) => return Err(Error::path(format!("{at}.path is not a string"))),
        };
        let value = given.take("value");
        given.refuse_rest(at, self.profile)?;
        if value.is_none() && op != Op::Remove {
            return Err(Error::syntax(format!("{at} has no value")));
        }
        let Some(path) = path else {
            return match (op, value) {
                (Op::Remove, _) => {
                    Err(Error::no_target(format!("{at} removes, and names no path")))
                }
                (_, Some(Value::Object(object))) => self.pathless(op, object),
                _ => Err(Error::value(format!(
                    "{at} has no path, so its value has to be an object of attributes"
                ))),
            };
        };
        // RFC 7644 §3.5.2.2 knows none; Entra names what to remove in it.
        if value.is_some() && op == Op::Remove && self.profile.is_strict() {
            return Err(Error::syntax(format!("{at} removes, and has a value")));
        }
        match path::parse(&path, self.resource_type, self.profile)? {
            Named::Attribute(path) if path.is_read_only() => Err(read_only(&path)),
            Named::Attribute(path) => self.attribute(op, path, value),
            Named::Schema(Target::Extension(extension)) => self.extension(op, extension, value),
            Named::Schema(_) => match value {
                Some(Value::Object(object)) if op != Op::Remove => self.pathless(op, object),
                _ => Err(Error::path(format!("{at}.path is the whole resource"))),
            },
        }
    }

    fn op(&self, op: Option<Value>, at: &str) -> Result<Op> {
        let Some(Value::String(name)) = op else {
            return Err(Error::syntax(format!(
                "{at}.op is required: add, replace or remove"
            )));
        };
        let wanted = match self.profile {
            Profile::Compat => name.to_ascii_lowercase(),
            Profile::Strict => name.clone(),
        };
        match wanted.as_str() {
            "add" => Ok(Op::Add),
            "replace" => Ok(Op::Replace),
            "remove" => Ok(Op::Remove),
            _ => Err(Error::syntax(format!(
                "{at}.op is `{}`; it is add, replace or remove",
                shortened(&name)
            ))),
        }
    }

    /// An operation without a path: each name in the value is one. In `compat` a name may be a whole path
    /// (`name.givenName`, `urn:…:User:department`), and what is unknown is passed over.
    fn pathless(&mut self, op: Op, object: Map<String, Value>) -> Result<()> {
        let strict = self.profile.is_strict();
        for (name, value) in object {
            let path = match path::parse(&name, self.resource_type, self.profile) {
                Ok(Named::Attribute(path)) => path,
                Ok(Named::Schema(Target::Extension(extension))) => {
                    self.extension(op, extension, Some(value))?;
                    continue;
                }
                Ok(Named::Schema(_)) => {
                    return Err(Error::path(format!(
                        "`{}` is the whole resource",
                        shortened(&name)
                    )));
                }
                Err(error) if strict => return Err(error),
                Err(_) => continue,
            };
            if let Some(path) = self.named(&name, path)? {
                self.attribute(op, path, Some(value))?;
            }
        }
        Ok(())
    }

    /// An operation on one attribute. None comes of `schemas`, which follows from what the resource has; in `strict` it may
    /// not say anything else (RFC 7643 §3: it names the schemas of the type, and always the core schema).
    fn attribute(&mut self, op: Op, path: Path, value: Option<Value>) -> Result<()> {
        if path.found.extension.is_some() || path.found.attribute.name != "schemas" {
            self.operations.push(Operation { op, path, value });
            return Ok(());
        }
        if !self.profile.is_strict() {
            return Ok(());
        }
        if op == Op::Remove || path.filter.is_some() {
            return Err(Error::mutability(format!(
                "`{}` follows from the attributes that the resource has",
                path.text
            )));
        }
        check_schemas(self.resource_type, value, op == Op::Replace)
    }

    /// The attribute that a name in a value without a path means; none where `compat` passes over it, because clients send back what they
    /// were given.
    fn named(&self, name: &str, path: Path) -> Result<Option<Path>> {
        if self.profile.is_strict() {
            if !name.eq_ignore_ascii_case(path.found.attribute.name) {
                return Err(Error::path(format!(
                    "`{}` is a path; in a value without one, names are attributes",
                    path.text
                )));
            }
            if path.is_read_only() {
                return Err(read_only(&path));
            }
        }
        Ok((!path.is_read_only()).then_some(path))
    }

    /// An operation on all that an extension holds.
    fn extension(
        &mut self,
        op: Op,
        extension: &'static Schema,
        value: Option<Value>,
    ) -> Result<()> {
        let path = |attribute: &'static Attribute| Path {
            text: format!("{}:{}", extension.id, attribute.name),
            found: AttributeRef {
                extension: Some(extension),
                attribute,
                sub: None,
            },
            filter: None,
        };
        match value {
            Some(Value::Object(object)) if op != Op::Remove => {
                for (name, value) in object {
                    if name.eq_ignore_ascii_case("schemas") {
                        check_own_schema(extension, Some(value), self.profile)?;
                        continue;
                    }
                    let at = format!("{}:{name}", extension.id);
                    match path::parse(&at, self.resource_type, self.profile) {
                        Ok(Named::Attribute(path)) => {
                            if let Some(path) = self.named(&name, path)? {
                                self.attribute(op, path, Some(value))?;
                            }
                        }
                        Ok(Named::Schema(_)) => {}
                        Err(error) if self.profile.is_strict() => return Err(error),
                        Err(_) => {}
                    }
                }
                Ok(())
            }
            None | Some(Value::Null) => {
                for path in extension.attributes.iter().map(path) {
                    match path.is_read_only() {
                        true if self.profile.is_strict() => return Err(read_only(&path)),
                        true => {}
                        false => self.operations.push(Operation {
                            op: Op::Remove,
                            path,
                            value: None,
                        }),
                    }
                }
                Ok(())
            }
            _ => Err(Error::value(format!("{} takes an object", extension.id))),
        }
    }
}

fn read_only(path: &Path) -> Error {
    Error::mutability(format!("`{}` is read-only", path.text))
}
