//! Values as clients send them, brought into the canonical form of their attribute's type (RFC 7643 §2.3–2.5).
//!
//! Canonical: names in the schema's case and order, no null, no empty array or object, no read-only sub-attribute.
//! What is unassigned (RFC 7643 §2.5: null, an empty array) becomes `None`.

use crate::scim::forgiven::{Forgiven, note};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Map, Value};

use super::date_time;
use super::error::{Error, Result};
use super::filter::parse::shortened;
use super::name;
use super::profile::Profile;
use super::schema::{Attribute, Kind, Mutability, Returned};
use super::secrets::without_secrets;
use crate::ids;

/// Most values of a multi-valued attribute, a group's members excepted.
pub const MAX_VALUES: usize = 500;

/// The canonical form of an attribute's whole value. `at` names the attribute in error messages.
pub fn read(
    attribute: &Attribute,
    value: Value,
    at: &str,
    profile: Profile,
) -> Result<Option<Value>> {
    if !attribute.multi_valued {
        return read_one(attribute, unwrap_single(value, profile), at, profile);
    }
    let values = match value {
        Value::Null => return Ok(None),
        Value::Array(values) => values,
        // A client that has one value only, and forgets the brackets.
        Value::String(text) if text.is_empty() && !profile.is_strict() => {
            note(Forgiven::EmptyText);
            return Ok(None);
        }
        one if !profile.is_strict() => {
            note(Forgiven::OneForMany);
            vec![one]
        }
        one => return Err(mismatch(at, "an array", &one)),
    };
    // Members are a set by their ids, wherever they go; they alone are many.
    let is_set = attribute.is_members();
    if values.len() > MAX_VALUES && !is_set {
        return Err(Error::value(format!(
            "{at} has {} values; {MAX_VALUES} are allowed",
            values.len()
        )));
    }
    let mut read = Vec::with_capacity(values.len());
    for (index, value) in values.into_iter().enumerate() {
        let at = format!("{at}[{index}]");
        // Null is what an attribute without a value has (RFC 7643 §2.5); among values it is nothing.
        if value.is_null() && profile.is_strict() {
            return Err(Error::value(format!("{at} is null")));
        }
        if value.is_null() {
            note(Forgiven::NullAmongValues);
        }
        match read_one(attribute, value, &at, profile)? {
            // A list of members that names nobody is a mistake, and would empty the group.
            None if is_set => return Err(Error::value(format!("{at} names nobody"))),
            None => {}
            Some(member) if is_set => read.push(member),
            Some(element) => {
                add(&mut read, element);
            }
        }
    }
    one_primary(&mut read, at, profile)?;
    Ok((!read.is_empty()).then_some(Value::Array(read)))
}

/// Adds a value to others, and tells where it stands. The same value of the same type is there once (RFC 7643 §2.4): what comes
/// along with it the second time is added to the first.
pub fn add(values: &mut Vec<Value>, new: Value) -> usize {
    let same = values.iter().position(|value| is_same(value, &new));
    match (same.and_then(|at| values.get_mut(at)), new) {
        (Some(Value::Object(there)), Value::Object(new)) => there.extend(new),
        (Some(_), _) => {}
        (None, new) => values.push(new),
    }
    same.unwrap_or(values.len().saturating_sub(1))
}

/// Whether two values have the same `type` and `value`; those without a `value` are compared whole.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.get("value"), other.get("value")) {
        (Some(value), Some(wanted)) => value == wanted && one.get("type") == other.get("type"),
        _ => one == other,
    }
}

/// The canonical form of one value: of a single-valued attribute, or one of several of a multi-valued one.
pub fn read_one(
    attribute: &Attribute,
    value: Value,
    at: &str,
    profile: Profile,
) -> Result<Option<Value>> {
    let lenient = !profile.is_strict();
    let wrong = |what: &str, value: &Value| match attribute.returned {
        // What is never shown is not shown in an error either.
        Returned::Never => Error::value(format!("{at} takes {what}")),
        _ => mismatch(at, what, value),
    };
    let value = match attribute.is_learned && lenient {
        true => as_learned(attribute, value),
        false => value,
    };
    match (attribute.kind, value) {
        (_, Value::Null) => Ok(None),
        (Kind::Complex, Value::Object(object)) => {
            Ok(read_object(attribute, object, at, profile)?.into_value())
        }
        (Kind::Complex, Value::String(text)) if lenient && text.is_empty() => {
            note(Forgiven::EmptyText);
            Ok(None)
        }
        (Kind::Complex, Value::String(text)) if lenient && attribute.default_sub().is_some() => {
            note(Forgiven::TextForObject);
            let object = Map::from_iter([("value".to_owned(), Value::String(text))]);
            Ok(read_object(attribute, object, at, profile)?.into_value())
        }
        (Kind::Complex, other) => Err(wrong("an object", &other)),
        (_, Value::String(text)) if lenient && text.is_empty() => {
            note(Forgiven::EmptyText);
            Ok(None)
        }
        (Kind::Boolean, Value::Bool(value)) => Ok(Some(Value::Bool(value))),
        (Kind::Boolean, Value::String(text)) if lenient && text.eq_ignore_ascii_case("true") => {
            note(Forgiven::BooleanAsText);
            Ok(Some(Value::Bool(true)))
        }
        (Kind::Boolean, Value::String(text)) if lenient && text.eq_ignore_ascii_case("false") => {
            note(Forgiven::BooleanAsText);
            Ok(Some(Value::Bool(false)))
        }
        (Kind::Boolean, other) => Err(wrong("true or false", &other)),
        (Kind::Integer, Value::Number(number)) if number.is_i64() => {
            Ok(Some(Value::Number(number)))
        }
        (Kind::Integer, other) => Err(wrong("a whole number", &other)),
        (Kind::Decimal, Value::Number(number)) => Ok(Some(Value::Number(number))),
        (Kind::Decimal, other) => Err(wrong("a number", &other)),
        (Kind::DateTime, Value::String(text)) if date_time::parse(&text).is_some() => {
            Ok(Some(Value::String(text)))
        }
        (Kind::DateTime, other) => Err(wrong("a time (RFC 3339)", &other)),
        (Kind::Binary, Value::String(text)) if !lenient && !is_base64(&text) => {
            Err(wrong("base64", &Value::String(text)))
        }
        (Kind::String, Value::String(text)) if attribute.is_name => {
            let name = name::read(text, at, profile)?;
            Ok((!name.is_empty() || !lenient).then_some(Value::String(name)))
        }
        (Kind::String, Value::String(text)) if attribute.is_id => {
            Ok(Some(Value::String(ids::as_kept(&text))))
        }
        (Kind::String, Value::String(text)) if !lenient && attribute.is_closed_to(&text) => {
            Err(wrong("one of its canonical values", &Value::String(text)))
        }
        (Kind::String | Kind::Reference | Kind::Binary, Value::String(text)) => {
            Ok(Some(Value::String(text)))
        }
        (Kind::String, Value::Number(number)) if lenient => {
            note(Forgiven::NumberForText);
            Ok(Some(Value::String(number.to_string())))
        }
        (Kind::String | Kind::Reference | Kind::Binary, other) => Err(wrong("a string", &other)),
    }
}

/// A value of another type than the others that an attribute was learned from: its text, or an object of it.
fn as_learned(attribute: &Attribute, value: Value) -> Value {
    let value = without_secrets(value);
    let is_object = value.is_object();
    match (attribute.kind, value) {
        (_, Value::Null) => Value::Null,
        (Kind::String, value @ Value::String(_)) => value,
        (Kind::String, value) => {
            note(Forgiven::NumberForText);
            Value::String(value.to_string())
        }
        (Kind::Complex, value) if !is_object => {
            note(Forgiven::TextForObject);
            Value::Object(Map::from_iter([("value".to_owned(), value)]))
        }
        (_, value) => value,
    }
}

/// Says where a value of another type stands, what belongs there, and what it is: a text or a number by its beginning, anything larger by
/// its type alone.
pub fn mismatch(at: &str, what: &str, value: &Value) -> Error {
    let found = match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(values) => format!("an array of {}", values.len()),
        value => shortened(&value.to_string()),
    };
    Error::value(format!("{at} takes {what}, not {found}"))
}

/// RFC 7643 §2.3.6: padding may be left out.
fn is_base64(text: &str) -> bool {
    STANDARD_NO_PAD.decode(text.trim_end_matches('=')).is_ok()
}

/// A complex value as a client sent it, in canonical form.
pub struct Parts {
    pub given: Map<String, Value>,
    /// Names of the sub-attributes that were sent without a value.
    pub cleared: Vec<String>,
}

impl Parts {
    pub fn new(given: Map<String, Value>) -> Self {
        Parts {
            given,
            cleared: Vec::new(),
        }
    }

    /// One sub-attribute, with a value or without.
    pub fn of_one(sub: &Attribute, value: Option<Value>) -> Self {
        let name = sub.name();
        match value {
            Some(value) => Parts::new(Map::from_iter([(name.to_owned(), value)])),
            None => Parts {
                given: Map::new(),
                cleared: vec![name.to_owned()],
            },
        }
    }

    fn into_value(self) -> Option<Value> {
        (!self.given.is_empty()).then_some(Value::Object(self.given))
    }

    /// Changes a value to what was sent, and leaves alone what was not (RFC 7644 §3.5.2.3).
    pub fn merge_into(&self, value: &mut Map<String, Value>) {
        for name in &self.cleared {
            value.shift_remove(name);
        }
        value.extend(self.given.clone());
    }
}

/// The canonical form of a complex value's object, and which of its sub-attributes it clears.
pub fn read_object(
    attribute: &Attribute,
    object: Map<String, Value>,
    at: &str,
    profile: Profile,
) -> Result<Parts> {
    let object = match profile {
        Profile::Compat => unpack_role(attribute, object),
        Profile::Strict => object,
    };
    let mut given = Given::new(object, at)?;
    let mut parts = Parts {
        given: Map::new(),
        cleared: Vec::new(),
    };
    for sub in attribute.sub_attributes.iter() {
        let Some(value) = given.take(sub.name()) else {
            continue;
        };
        if sub.mutability == Mutability::ReadOnly {
            continue;
        }
        match read_one(sub, value, &format!("{at}.{}", sub.name()), profile)? {
            Some(value) => {
                parts.given.insert(sub.name().to_owned(), value);
            }
            None => parts.cleared.push(sub.name().to_owned()),
        }
    }
    // `members[].display` and the like: known to the RFC's examples, to clients, but not to the schema.
    given.refuse_rest(at, profile)?;
    Ok(parts)
}

/// An object whose names have no case (RFC 7643 §2.1). In a name that is a path, what a filter compares with keeps its own.
pub struct Given {
    by_name: Map<String, Value>,
}

impl Given {
    /// Refuses an object that has the same name twice in different case: which one counts would be a guess.
    pub fn new(object: Map<String, Value>, at: &str) -> Result<Self> {
        let mut by_name = Map::with_capacity(object.len());
        for (name, value) in object {
            let (head, filter) = name.split_at(name.find('[').unwrap_or(name.len()));
            let key = head.to_ascii_lowercase() + filter;
            if by_name.insert(key, value).is_some() {
                return Err(Error::syntax(format!(
                    "{} has `{}` twice (names have no case)",
                    shortened(at),
                    shortened(&name)
                )));
            }
        }
        Ok(Given { by_name })
    }

    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.by_name.shift_remove(&name.to_ascii_lowercase())
    }

    /// Takes `schemas` of a message (RFC 7644 §3.1), which in `strict` has to name the message's own; `compat` does without,
    /// because Entra does.
    pub fn take_message_schemas(&mut self, urn: &str, profile: Profile) -> Result<()> {
        let named = self.take("schemas").is_some_and(|schemas| {
            let urns = schemas.as_array().into_iter().flatten();
            urns.filter_map(Value::as_str)
                .any(|named| named.eq_ignore_ascii_case(urn))
        });
        match named {
            true => Ok(()),
            false if profile.is_strict() => {
                Err(Error::syntax(format!("schemas does not name {urn}")))
            }
            false => {
                note(Forgiven::SchemasMissing);
                Ok(())
            }
        }
    }

    /// In `strict`, what was not taken is an error; in `compat` it is dropped.
    pub fn refuse_rest(self, at: &str, profile: Profile) -> Result<()> {
        let rest = self.rest(at, profile)?;
        if !rest.is_empty() {
            note(Forgiven::UnknownDropped);
        }
        Ok(())
    }

    /// What was not taken; in `strict` an error.
    pub fn rest(self, at: &str, profile: Profile) -> Result<Map<String, Value>> {
        match self.by_name.keys().next() {
            Some(name) if profile.is_strict() => {
                let name = shortened(name);
                Err(Error::syntax(format!("{at} has no attribute `{name}`")))
            }
            _ => Ok(self.by_name),
        }
    }
}

/// Entra sends a single-valued complex attribute as an array of one.
pub fn unwrap_single(value: Value, profile: Profile) -> Value {
    match value {
        Value::Array(mut values) if !profile.is_strict() && values.len() == 1 => {
            note(Forgiven::ManyForOne);
            values.pop().unwrap_or_default()
        }
        Value::Array(values) if !profile.is_strict() && values.is_empty() => {
            note(Forgiven::ManyForOne);
            Value::Null
        }
        value => value,
    }
}

/// Entra's `AppRoleAssignmentsComplex` puts a whole JSON object, as a string, where a role's value belongs.
fn unpack_role(attribute: &Attribute, mut object: Map<String, Value>) -> Map<String, Value> {
    if attribute.name() != "roles" {
        return object;
    }
    let Some(Value::String(text)) = object.get("value") else {
        return object;
    };
    let Ok(Value::Object(mut packed)) = serde_json::from_str(text) else {
        return object;
    };
    if let Some(value) = packed.remove("value") {
        note(Forgiven::PackedRole);
        object.insert("value".to_owned(), value);
        if let Some(display) = packed.remove("displayName") {
            object.entry("display").or_insert(display);
        }
    }
    object
}

/// At most one value is primary (RFC 7643 §2.4); Ping sends two, and the first one counts in `compat`.
pub fn one_primary(values: &mut [Value], at: &str, profile: Profile) -> Result<()> {
    let primary = values
        .iter_mut()
        .filter(|value| value.get("primary") == Some(&Value::Bool(true)));
    for extra in primary.skip(1) {
        if profile.is_strict() {
            return Err(Error::value(format!(
                "{at} has more than one primary value"
            )));
        }
        note(Forgiven::SecondPrimary);
        if let Some(object) = extra.as_object_mut() {
            object.insert("primary".to_owned(), Value::Bool(false));
        }
    }
    Ok(())
}
