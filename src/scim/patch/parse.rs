//! The PATCH body (RFC 7644 §3.5.2), taken apart into operations on single attributes.

use serde_json::{Map, Value};

use super::operation::{MAX_OPERATIONS, Op, Operation, in_operation};
use super::path::{self, Named, Path};
use crate::scim::PATCH_OP;
use crate::scim::attribute_path::Target;
use crate::scim::error::{Error, Result};
use crate::scim::filter::parse::shortened;
use crate::scim::forgiven::{Forgiven, note};
use crate::scim::profile::Profile;
use crate::scim::resource::{check_own_schema, check_schemas};
use crate::scim::schema::{Attribute, AttributeRef, Mutability, Schema, Shape, Shared};
use crate::scim::value::{Given, mismatch};

/// Parses the body of a PATCH of the resource with that id. `op` has no case (RFC 7644 names none, and Entra sends capitals).
///
/// In `compat`, `schemas` may be missing, a body may have no operations, and what no schema has or is read-only is passed over, as in a
/// POST and a PUT: the rest of the body is done.
pub fn parse(body: Value, shape: Shape<'_>, id: &str, profile: Profile) -> Result<Vec<Operation>> {
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
    if operations.is_empty() && profile.is_strict() {
        return Err(Error::syntax("Operations is empty"));
    }
    if operations.is_empty() {
        note(Forgiven::NoOperations);
    }
    if operations.len() > MAX_OPERATIONS {
        return Err(Error::syntax(format!(
            "Operations has {} entries; {MAX_OPERATIONS} are allowed",
            operations.len()
        )));
    }
    let mut parser = Parser {
        shape,
        id,
        profile,
        index: None,
        operations: Vec::with_capacity(operations.len()),
    };
    for (index, operation) in operations.into_iter().enumerate() {
        parser.index = Some(index);
        let at = format!("Operations[{index}]");
        let Value::Object(operation) = operation else {
            return Err(Error::syntax(format!("{at} is not an object")));
        };
        parser
            .operation(operation, &at)
            .map_err(|error| in_operation(parser.index, error))?;
    }
    Ok(parser.operations)
}

/// What the names in an object come to that no attribute of a resource has, as a path-less `add` of them in `compat`.
pub fn parse_names(names: Map<String, Value>, shape: Shape<'_>) -> Result<Vec<Operation>> {
    let mut parser = Parser {
        shape,
        id: "",
        profile: Profile::Compat,
        index: None,
        operations: Vec::new(),
    };
    parser.pathless(Op::Add, names)?;
    Ok(parser.operations)
}

struct Parser<'p> {
    shape: Shape<'p>,
    /// The resource's.
    id: &'p str,
    profile: Profile,
    /// Which of the body's operations is at work.
    index: Option<usize>,
    operations: Vec<Operation>,
}

impl Parser<'_> {
    fn operation(&mut self, operation: Map<String, Value>, at: &str) -> Result<()> {
        let mut given = Given::new(operation, at)?;
        let op = Self::op(given.take("op"), at)?;
        let path = match given.take("path") {
            None | Some(Value::Null) => None,
            Some(Value::String(path)) if path.is_empty() && !self.profile.is_strict() => {
                note(Forgiven::EmptyPath);
                None
            }
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
        if value.is_some() && op == Op::Remove {
            note(Forgiven::RemoveWithValue);
        }
        match path::parse(&path, self.shape, self.profile)? {
            Named::Attribute(path) => self.attribute(op, path, value),
            Named::Unknown(error) => self.pass_over(error, Forgiven::UnknownDropped),
            Named::Schema(Target::Extension(extension)) => self.extension(op, &extension, value),
            Named::Schema(_) => match value {
                Some(Value::Object(object)) if op != Op::Remove => self.pathless(op, object),
                _ => Err(Error::path(format!("{at}.path is the whole resource"))),
            },
        }
    }

    fn op(op: Option<Value>, at: &str) -> Result<Op> {
        let Some(Value::String(name)) = op else {
            return Err(Error::syntax(format!(
                "{at}.op is required: add, replace or remove"
            )));
        };
        let written = name.to_ascii_lowercase();
        if written != name {
            note(Forgiven::OpInCapitals);
        }
        match written.as_str() {
            "add" => Ok(Op::Add),
            "replace" => Ok(Op::Replace),
            "remove" => Ok(Op::Remove),
            _ => Err(Error::syntax(format!(
                "{at}.op is `{}`; it is add, replace or remove",
                shortened(&name)
            ))),
        }
    }

    /// What the resource does not have, or a client may not write: `strict` refuses it, and in `compat` nothing comes of it.
    fn pass_over(&self, error: Error, forgiven: Forgiven) -> Result<()> {
        match self.profile {
            Profile::Strict => Err(error),
            Profile::Compat => {
                note(forgiven);
                Ok(())
            }
        }
    }

    /// An operation without a path: each name in the value is one. In `compat` a name may be a whole path
    /// (`name.givenName`, `urn:…:User:department`), and one that can be no path is unknown too.
    fn pathless(&mut self, op: Op, object: Map<String, Value>) -> Result<()> {
        for (name, value) in object {
            match path::parse(&name, self.shape, self.profile) {
                Ok(Named::Schema(Target::Extension(extension))) => {
                    self.extension(op, &extension, Some(value))?;
                }
                Ok(Named::Schema(_)) => match value {
                    Value::Object(object) if !self.profile.is_strict() => {
                        self.pathless(op, object)?;
                    }
                    _ => {
                        let name = shortened(&name);
                        let error = Error::path(format!("`{name}` is the whole resource"));
                        self.pass_over(error, Forgiven::UnknownDropped)?;
                    }
                },
                named => self.named(op, &name, named, value)?,
            }
        }
        Ok(())
    }

    /// An operation on what a name in a value without a path means. In `strict` such a name is an attribute's, and no path.
    fn named(&mut self, op: Op, name: &str, named: Result<Named>, value: Value) -> Result<()> {
        match named {
            Ok(Named::Attribute(path))
                if self.profile.is_strict()
                    && !name.eq_ignore_ascii_case(path.found.attribute.name()) =>
            {
                Err(Error::path(format!(
                    "`{}` is a path; in a value without one, names are attributes",
                    path.text
                )))
            }
            Ok(Named::Attribute(path)) => {
                if !name.eq_ignore_ascii_case(path.found.attribute.name()) {
                    note(Forgiven::PathAsName);
                }
                self.attribute(op, path, Some(value))
            }
            Ok(Named::Schema(_)) => Ok(()),
            Ok(Named::Unknown(error)) | Err(error) => {
                self.pass_over(error, Forgiven::UnknownDropped)
            }
        }
    }

    /// An operation on one attribute. None comes of `schemas`, which follows from what the resource has; in `strict` it may
    /// not say anything else (RFC 7643 §3: it names the schemas of the type, and always the core schema).
    fn attribute(&mut self, op: Op, path: Path, value: Option<Value>) -> Result<()> {
        if path.is_read_only() {
            // Okta sends the id along with a new name, and it is the one that there is.
            let is_own_id = path.found.is_common() && path.found.attribute.name() == "id";
            let same = value.as_ref().and_then(Value::as_str) == Some(self.id);
            return match is_own_id && same && op != Op::Remove {
                true => Ok(()),
                false => self.pass_over(read_only(&path), Forgiven::ReadOnlyDropped),
            };
        }
        if path.found.extension.is_some() || path.found.attribute.name() != "schemas" {
            return self.push(op, path, value);
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
        check_schemas(self.shape, value, op == Op::Replace)
    }

    fn push(&mut self, op: Op, path: Path, value: Option<Value>) -> Result<()> {
        // What has no path is as many operations as it has names.
        if self.operations.len() == MAX_OPERATIONS {
            return Err(Error::syntax(format!(
                "the body comes to more than {MAX_OPERATIONS} operations"
            )));
        }
        self.operations.push(Operation {
            index: self.index,
            op,
            path,
            value,
        });
        Ok(())
    }

    /// An operation on all that an extension holds.
    fn extension(
        &mut self,
        op: Op,
        extension: &Shared<Schema>,
        value: Option<Value>,
    ) -> Result<()> {
        let path = |attribute: Shared<Attribute>| Path {
            text: format!("{}:{}", extension.id(), attribute.name()),
            found: AttributeRef {
                extension: Some(extension.clone()),
                attribute,
                sub: None,
            },
            filter: None,
        };
        match value {
            Some(Value::Object(object)) => {
                for (name, value) in object {
                    if name.eq_ignore_ascii_case("schemas") {
                        check_own_schema(extension, Some(value), self.profile)?;
                        continue;
                    }
                    let at = format!("{}:{name}", extension.id());
                    let named = path::parse(&at, self.shape, self.profile);
                    self.named(op, &name, named, value)?;
                }
                Ok(())
            }
            None | Some(Value::Null) => {
                let all = extension.attributes.shared().into_iter();
                for attribute in all.filter(|one| one.mutability != Mutability::ReadOnly) {
                    self.attribute(Op::Remove, path(attribute), None)?;
                }
                Ok(())
            }
            Some(other) => Err(mismatch(extension.id(), "an object", &other)),
        }
    }
}

fn read_only(path: &Path) -> Error {
    Error::mutability(format!("`{}` is read-only", path.text))
}
