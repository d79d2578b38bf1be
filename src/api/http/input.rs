//! Bodies and queries of the admin routes: typed on arrival, and 422 with the field's path where one does not hold.

use std::ops::RangeInclusive;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::call::Call;
use super::typed_json::{self, Failure, Fault, Segment};
use crate::error::{Error, FieldError, Result};
use crate::scim::date_time;

/// Default and largest page of an admin list.
pub const DEFAULT_PER_PAGE: i64 = 20;
pub const MAX_PER_PAGE: i64 = 100;
/// Last page that can be asked for; a database offset beyond it is nobody's list.
pub const MAX_PAGE: i64 = 1_000_000;

/// Most fields that one reply complains of.
const MAX_FIELDS: usize = 20;

/// The body as a `T`.
pub fn body<T: DeserializeOwned>(call: &Call<'_>) -> Result<T> {
    let value = call.json()?;
    // A structure could be read from an array too, by position.
    if !value.is_object() {
        return Err(Error::field(
            &["body"],
            "it has to be a JSON object",
            "type_error",
        ));
    }
    read(value, &["body"])
}

/// A value as a `T`. The error has every field that can be told not to hold.
pub fn read<T: DeserializeOwned>(value: Value, at: &[&str]) -> Result<T> {
    typed_json::read::<T>(&value).map_err(|failure| {
        complaints(value, failure, at, &|value| {
            typed_json::read::<T>(value).err()
        })
    })
}

/// What does not hold is taken out and the rest read again. Compiled once for all types.
fn complaints(
    mut value: Value,
    failure: Failure,
    at: &[&str],
    read: &dyn Fn(&Value) -> Option<Failure>,
) -> Error {
    let mut fields: Vec<FieldError> = Vec::new();
    let mut next = Some(failure);
    while let Some(mut failure) = next {
        let field = field_of(at, &failure);
        let is_missing = failure.fault == Fault::Missing;
        if is_missing {
            // Nothing can be taken out in its place but what misses it.
            failure.path.pop();
        }
        // What was taken out may be missed now, and a list was taken out whole.
        let is_known = fields.iter().any(|known| known.loc.starts_with(&field.loc));
        if !is_known {
            fields.push(field.clone());
        }
        for name in &failure.missing_too {
            let mut other = field.clone();
            other.loc.pop();
            other.loc.push(Value::from(*name));
            if !fields.iter().any(|known| known.loc.starts_with(&other.loc)) {
                fields.push(other);
            }
        }
        if (is_known && !is_missing)
            || fields.len() >= MAX_FIELDS
            || !take_out(&mut value, &mut failure.path)
        {
            break;
        }
        next = read(&value);
    }
    Error::fields(fields)
}

fn field_of(at: &[&str], failure: &Failure) -> FieldError {
    let mut field = FieldError::new(at, failure.message.as_str(), failure.fault.word());
    field
        .loc
        .extend(failure.path.iter().map(|segment| match segment {
            Segment::Index(index) => Value::from(*index),
            Segment::Key(key) => Value::from(key.as_str()),
        }));
    field
}

/// Takes the field at the end of a path out of the object that has it; false where there is none. An array goes whole, so that
/// the places of its other elements stay true.
fn take_out(value: &mut Value, path: &mut Vec<Segment>) -> bool {
    while path
        .iter()
        .any(|segment| matches!(segment, Segment::Index(_)))
    {
        path.pop();
    }
    let Some(Segment::Key(key)) = path.pop() else {
        return false;
    };
    let object = path.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.get_mut(key),
        Segment::Index(_) => None,
    });
    object
        .and_then(Value::as_object_mut)
        .is_some_and(|object| object.shift_remove(&key).is_some())
}

/// A field error of a body, below `body`.
pub fn body_field(path: &[&str], msg: &str, kind: &'static str) -> FieldError {
    let mut loc = vec!["body"];
    loc.extend(path);
    FieldError::new(&loc, msg, kind)
}

/// A text of `MIN` to `MAX` characters, without control characters, trimmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// A text of our own that holds.
    pub fn constant(text: &'static str) -> Self {
        Text(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn into_string(self) -> String {
        self.0
    }
}

impl<'de, const MIN: usize, const MAX: usize> Deserialize<'de> for Text<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text_within(&text, MIN, MAX)
            .map(Text)
            .map_err(D::Error::custom)
    }
}

/// The trimmed text, where it holds; compiled once for all lengths.
fn text_within(text: &str, least: usize, most: usize) -> std::result::Result<String, String> {
    let text = text.trim();
    let length = text.chars().count();
    if length < least {
        return Err(match least {
            1 => "it is empty".to_owned(),
            _ => format!("it has {length} characters; {least} are needed"),
        });
    }
    if length > most {
        return Err(format!("it has {length} characters; {most} are allowed"));
    }
    if text.chars().any(char::is_control) {
        return Err("it has control characters".to_owned());
    }
    Ok(text.to_owned())
}

/// A point in time, RFC 3339 outside and milliseconds since 1970 inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub i64);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds of a year that parses"
        )]
        let milliseconds = date_time::parse(&text).map(|time| time as i64);
        milliseconds
            .map(Time)
            .ok_or_else(|| D::Error::custom("it is not a time as in 2026-01-31T12:00:00Z"))
    }
}

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Whole<const MIN: i64, const MAX: i64>(pub i64);

impl<'de, const MIN: i64, const MAX: i64> Deserialize<'de> for Whole<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        match i64::deserialize(deserializer)? {
            number if (MIN..=MAX).contains(&number) => Ok(Whole(number)),
            _ => Err(D::Error::custom(format_args!(
                "it has to be {MIN} to {MAX}"
            ))),
        }
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&date_time::format(self.0))
    }
}

/// For a field that may be left out, be null, or have a value, where the three differ.
pub fn present<'de, T, D>(deserializer: D) -> std::result::Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// A page of an admin list.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    /// From 1.
    pub page: i64,
    pub per_page: i64,
}

impl Page {
    pub fn of(call: &Call<'_>) -> Result<Self> {
        Ok(Page {
            page: number(call, "page", 1, 1..=MAX_PAGE)?,
            per_page: number(call, "per_page", DEFAULT_PER_PAGE, 1..=MAX_PER_PAGE)?,
        })
    }

    pub fn offset(self) -> i64 {
        (self.page - 1) * self.per_page
    }
}

/// A query parameter's text, where it is given.
pub fn parameter(call: &Call<'_>, name: &str) -> Option<String> {
    call.query()
        .into_iter()
        .find(|(given, _)| given == name)
        .map(|(_, value)| value)
}

/// A query parameter that is an id, as ids are kept.
pub fn id_parameter(call: &Call<'_>, name: &str) -> Option<String> {
    parameter(call, name).map(|id| crate::ids::as_kept(&id))
}

/// A query parameter that is a time, in milliseconds since 1970.
pub fn moment(call: &Call<'_>, name: &str) -> Result<Option<i64>> {
    let time = parameter(call, name).map(|text| read(text.into(), &["query", name]));
    Ok(time.transpose()?.map(|Time(time)| time))
}

/// A query parameter that is `true` or `false`; false where it is left out. One without a value is neither: `?dry_run` must not be a real run.
pub fn flag(call: &Call<'_>, name: &str) -> Result<bool> {
    match parameter(call, name).as_deref() {
        Some("true" | "1") => Ok(true),
        None | Some("false" | "0") => Ok(false),
        Some(_) => Err(Error::field(
            &["query", name],
            "it has to be true or false",
            "type_error",
        )),
    }
}

/// A query parameter that is a whole number within bounds.
pub fn number(
    call: &Call<'_>,
    name: &str,
    default: i64,
    bounds: RangeInclusive<i64>,
) -> Result<i64> {
    let Some(text) = parameter(call, name) else {
        return Ok(default);
    };
    match text.parse::<i64>() {
        Ok(number) if bounds.contains(&number) => Ok(number),
        Ok(_) => Err(Error::field(
            &["query", name],
            format!("it has to be {} to {}", bounds.start(), bounds.end()),
            "value_error",
        )),
        Err(_) => Err(Error::field(
            &["query", name],
            "it has to be a whole number",
            "type_error",
        )),
    }
}
