//! Bodies and queries of the admin routes: typed on arrival, and 422 with the field's path where one does not hold.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_path_to_error::Segment;

use super::call::Call;
use crate::error::{Error, FieldError, Kind, Result};
use crate::scim::date_time;

/// Default and largest page of an admin list.
const DEFAULT_PER_PAGE: i64 = 20;
const MAX_PER_PAGE: i64 = 100;
/// Last page that can be asked for; a database offset beyond it is nobody's list.
const MAX_PAGE: i64 = 1_000_000;

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
    serde_path_to_error::deserialize(value).map_err(|error| {
        let mut loc = vec![Value::from("body")];
        loc.extend(error.path().iter().filter_map(|segment| match segment {
            Segment::Seq { index } => Some(Value::from(*index)),
            Segment::Map { key } => Some(Value::from(key.as_str())),
            Segment::Enum { .. } | Segment::Unknown => None,
        }));
        let message = error.inner().to_string();
        let kind = kind_of(&message);
        if kind == "missing"
            && let Some(name) = message.split('`').nth(1)
        {
            loc.push(name.into());
        }
        let field = FieldError {
            loc,
            msg: message,
            kind,
        };
        Error::new(Kind::Unprocessable(vec![field]), "a field does not hold")
    })
}

/// The kind of a deserialisation error, in words that clients can match on.
fn kind_of(message: &str) -> &'static str {
    let kinds = [
        ("missing field", "missing"),
        ("unknown field", "extra_forbidden"),
        ("unknown variant", "enum"),
        ("invalid type", "type_error"),
        ("invalid length", "type_error"),
    ];
    kinds
        .into_iter()
        .find(|(start, _)| message.starts_with(start))
        .map_or("value_error", |(_, kind)| kind)
}

/// A text of `MIN` to `MAX` characters, without control characters, trimmed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
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
        let text = text.trim();
        let length = text.chars().count();
        if length < MIN {
            return Err(D::Error::custom(match MIN {
                1 => "it is empty".to_owned(),
                _ => format!("it has {length} characters; {MIN} are needed"),
            }));
        }
        if length > MAX {
            return Err(D::Error::custom(format_args!(
                "it has {length} characters; {MAX} are allowed"
            )));
        }
        if text.chars().any(char::is_control) {
            return Err(D::Error::custom("it has control characters"));
        }
        Ok(Text(text.to_owned()))
    }
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
            page: number(call, "page", 1, MAX_PAGE)?,
            per_page: number(call, "per_page", DEFAULT_PER_PAGE, MAX_PER_PAGE)?,
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

fn number(call: &Call<'_>, name: &str, default: i64, max: i64) -> Result<i64> {
    let Some(text) = parameter(call, name) else {
        return Ok(default);
    };
    match text.parse::<i64>() {
        Ok(number) if (1..=max).contains(&number) => Ok(number),
        Ok(_) => Err(Error::field(
            &["query", name],
            format!("it has to be 1 to {max}"),
            "value_error",
        )),
        Err(_) => Err(Error::field(
            &["query", name],
            "it has to be a whole number",
            "type_error",
        )),
    }
}
