//! The body of a Bulk request (RFC 7644 §3.7), taken apart. What is wrong with one operation is that operation's failure;
//! what is wrong with the whole is the request's.

use std::cell::RefCell;

use serde_json::{Map, Value};

use crate::error::{Error, Kind, Result};
use crate::ordered::OrderedSet;
use crate::scim::BULK_REQUEST;
use crate::scim::error::Error as ScimError;
use crate::scim::filter::parse::shortened;
use crate::scim::forgiven::{Forgiven, note};
use crate::scim::profile::Profile;
use crate::scim::schema::{RESOURCE_TYPES, ResourceType};
use crate::scim::value::{Given, mismatch};
use crate::scim::version::Condition;

/// Most operations in one request: what ServiceProviderConfig announces.
pub const MAX_OPERATIONS: usize = 1_000;
/// What a reference to another operation's resource begins with.
pub const REFERENCE: &str = "bulkId:";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    Post,
    Put,
    Patch,
    Delete,
}

/// One operation that can be tried.
#[derive(Debug, Clone)]
pub struct Operation {
    pub method: Method,
    pub resource_type: &'static ResourceType,
    /// The id in the path, or a reference; none for POST.
    pub target: Option<String>,
    pub condition: Option<Condition>,
    pub data: Value,
    /// The `bulkId`s that the path and the data refer to.
    pub references: OrderedSet<String>,
}

/// An operation with what its answer repeats.
#[derive(Debug, Clone)]
pub struct Entry {
    pub method: String,
    pub bulk_id: Option<String>,
    /// What its path names, where that is a resource: its id, or a reference.
    pub target: Option<(&'static ResourceType, String)>,
    pub operation: std::result::Result<Operation, Error>,
    /// Whether its `bulkId` is an earlier one's.
    pub is_repeated: bool,
}

/// A whole request.
#[derive(Debug)]
pub struct Request {
    pub fail_on_errors: Option<usize>,
    pub entries: Vec<Entry>,
}

/// Reads a request.
pub fn read(body: Value, profile: Profile) -> Result<Request> {
    let (fail_on_errors, operations) = open(body, profile)?;
    check_count(operations.len(), MAX_OPERATIONS)?;
    let mut names = Names::default();
    let numbered = operations.into_iter().enumerate();
    let entries =
        numbered.map(|(number, operation)| names.entry(operation, number, false, profile));
    Ok(Request {
        fail_on_errors,
        entries: entries.collect(),
    })
}

/// What the whole says: after how many errors to stop, and the operations.
pub fn open(body: Value, profile: Profile) -> Result<(Option<usize>, Vec<Value>)> {
    let Value::Object(body) = body else {
        return Err(ScimError::syntax("the body is not a JSON object").into());
    };
    let mut given = Given::new(body, "the body")?;
    given.take_message_schemas(BULK_REQUEST, profile)?;
    let fail_on_errors = match given.take("failOnErrors") {
        None | Some(Value::Null) => None,
        Some(value) => {
            let number = value
                .as_u64()
                .and_then(|number| usize::try_from(number).ok());
            let number =
                number.ok_or_else(|| mismatch("failOnErrors", "a whole number", &value))?;
            // After how many errors to stop: 0 asks for no stop.
            Some(number).filter(|number| *number > 0)
        }
    };
    let Some(Value::Array(operations)) = given.take("Operations") else {
        return Err(ScimError::syntax("Operations is required: an array of operations").into());
    };
    given.refuse_rest("the body", profile)?;
    Ok((fail_on_errors, operations))
}

/// 413 for more operations than there may be.
pub fn check_count(count: usize, most: usize) -> Result<()> {
    match count > most {
        true => Err(Error::new(
            Kind::PayloadTooLarge,
            format!("Operations has {count} entries; {most} are allowed"),
        )),
        false => Ok(()),
    }
}

/// The `bulkId`s so far: each is one operation's.
#[derive(Default)]
pub struct Names(OrderedSet<String>);

impl Names {
    /// Reads an operation with its number in the request. `is_repeated` says that its `bulkId` is known to be an earlier one's.
    pub fn entry(
        &mut self,
        operation: Value,
        number: usize,
        is_repeated: bool,
        profile: Profile,
    ) -> Entry {
        let mut entry = entry(operation, number, profile);
        if let Some(bulk_id) = &entry.bulk_id
            && (!self.0.insert(bulk_id.clone()) || is_repeated)
        {
            let detail = format!("the bulkId `{}` is repeated", shortened(bulk_id));
            entry.operation = Err(ScimError::value(detail).into());
            entry.is_repeated = true;
        }
        entry
    }
}

fn entry(operation: Value, index: usize, profile: Profile) -> Entry {
    let at = format!("Operations[{index}]");
    let text = |name: &str| {
        let object = operation.as_object()?;
        let (_, value) = object
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))?;
        value.as_str().map(str::to_owned)
    };
    let method = text("method").unwrap_or_default().to_ascii_uppercase();
    let bulk_id = text("bulkId").filter(|bulk_id| !bulk_id.is_empty());
    let target = text("path").and_then(|path| {
        let (resource_type, id) = split(&path)?;
        Some((resource_type, id?))
    });
    let operation = match operation {
        Value::Object(object) => parse(object, &at, &method, bulk_id.as_deref(), profile),
        _ => Err(ScimError::syntax(format!("{at} is not an object")).into()),
    };
    Entry {
        method,
        bulk_id,
        target,
        operation,
        is_repeated: false,
    }
}

fn parse(
    object: Map<String, Value>,
    at: &str,
    method: &str,
    bulk_id: Option<&str>,
    profile: Profile,
) -> Result<Operation> {
    let mut given = Given::new(object, at)?;
    given.take("method");
    if !matches!(
        given.take("bulkId"),
        None | Some(Value::Null | Value::String(_))
    ) {
        return Err(ScimError::syntax(format!("{at}.bulkId takes a string")).into());
    }
    let method = match method {
        "POST" => Method::Post,
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "DELETE" => Method::Delete,
        _ => {
            let detail = format!("{at}.method is POST, PUT, PATCH or DELETE");
            return Err(ScimError::syntax(detail).into());
        }
    };
    let Some(Value::String(path)) = given.take("path") else {
        return Err(ScimError::syntax(format!("{at}.path is required")).into());
    };
    let (resource_type, target) = split(&path).ok_or_else(|| {
        ScimError::path(format!(
            "{at}.path `{}` is nothing here; {}",
            shortened(&path),
            meant(&path)
        ))
    })?;
    match (method, &target) {
        (Method::Post, Some(_)) => {
            return Err(ScimError::path(format!("{at}.path of a POST names no id")).into());
        }
        (Method::Put | Method::Patch | Method::Delete, None) => {
            return Err(ScimError::path(format!("{at}.path names no id")).into());
        }
        (Method::Post, None) if bulk_id.is_none() && profile.is_strict() => {
            return Err(ScimError::syntax(format!("{at}.bulkId is required for a POST")).into());
        }
        (Method::Post, None) if bulk_id.is_none() => note(Forgiven::BulkIdMissing),
        _ => {}
    }
    let condition = match given.take("version") {
        None | Some(Value::Null) => None,
        Some(Value::String(version)) => Some(Condition::parse(&version)),
        Some(_) => return Err(ScimError::value(format!("{at}.version takes a string")).into()),
    };
    let data = match (given.take("data").unwrap_or_default(), method) {
        // A DELETE has none, and what it has all the same says nothing.
        (_, Method::Delete) => Value::Null,
        (Value::Null, _) => {
            return Err(ScimError::syntax(format!("{at}.data is required")).into());
        }
        (data @ Value::Object(_), _) => data,
        _ => return Err(ScimError::syntax(format!("{at}.data is not an object")).into()),
    };
    given.refuse_rest(at, profile)?;
    let mut references = OrderedSet::new();
    collect(&data, &mut references);
    if let Some(reference) = target
        .as_deref()
        .and_then(|target| target.strip_prefix(REFERENCE))
    {
        references.insert(reference.to_owned());
    }
    Ok(Operation {
        method,
        resource_type,
        target,
        condition,
        data,
        references,
    })
}

/// How a path that is nothing is written right: by the type that it names in other words, else by all of them.
fn meant(path: &str) -> String {
    let names = |resource_type: &ResourceType| {
        path.split('/').any(|part| {
            let endpoint = resource_type.endpoint.trim_start_matches('/');
            part.eq_ignore_ascii_case(endpoint) || part.eq_ignore_ascii_case(resource_type.name)
        })
    };
    let known = RESOURCE_TYPES.iter().find(|known| names(known));
    match known.map(|known| known.endpoint) {
        Some(endpoint) => format!("{endpoint} and {endpoint}/{{id}} are written like this"),
        None => "it begins with /Users or /Groups".to_owned(),
    }
}

/// The resource type and the id in a path such as `/Users/2819c223`.
fn split(path: &str) -> Option<(&'static ResourceType, Option<String>)> {
    RESOURCE_TYPES.iter().find_map(|resource_type| {
        let rest = path.strip_prefix(resource_type.endpoint)?;
        let id = rest.strip_prefix('/').map(|id| id.trim_end_matches('/'));
        match id {
            None if rest.is_empty() => Some((*resource_type, None)),
            Some("") => Some((*resource_type, None)),
            Some(id) if !id.contains('/') => Some((*resource_type, Some(id.to_owned()))),
            _ => None,
        }
    })
}

/// The `bulkId`s that a value refers to: those that [`substitute`] would ask for.
fn collect(value: &Value, references: &mut OrderedSet<String>) {
    let found = RefCell::new(std::mem::take(references));
    substitute(value, &|reference| {
        found.borrow_mut().insert(reference.to_owned());
        None
    });
    *references = found.into_inner();
}

/// Puts ids in the place of references to them.
pub fn substitute(value: &Value, id_of: &dyn Fn(&str) -> Option<String>) -> Value {
    match value {
        Value::String(text) => Value::String(substitute_text(text, id_of)),
        Value::Array(values) => values
            .iter()
            .map(|value| substitute(value, id_of))
            .collect(),
        Value::Object(object) => Value::Object(
            object
                .iter()
                .map(|(name, value)| (name.clone(), substitute(value, id_of)))
                .collect(),
        ),
        other => other.clone(),
    }
}

/// Puts ids in the place of references in a text: one that is the whole text, or stands in quotes, as in the filter of a path.
pub fn substitute_text(text: &str, id_of: &dyn Fn(&str) -> Option<String>) -> String {
    if let Some(reference) = text.strip_prefix(REFERENCE)
        && let Some(id) = id_of(reference)
    {
        return id;
    }
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(&format!("\"{REFERENCE}")) {
        let end = after.find('"').unwrap_or(after.len());
        let (reference, tail) = after.split_at_checked(end).unwrap_or((after, ""));
        result.push_str(before);
        result.push('"');
        match id_of(reference) {
            Some(id) => result.push_str(&id),
            None => result.push_str(&format!("{REFERENCE}{reference}")),
        }
        rest = tail;
    }
    result + rest
}
