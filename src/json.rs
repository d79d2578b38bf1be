//! JSON as clients send it, read strictly: depth is capped, a repeated key is an error and not a silent choice, numbers
//! that cannot be kept are refused. (RFC 8259 §4 leaves a repeated key to the reader; an attacker picks readers that
//! disagree.)

use std::cell::Cell;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use crate::scim::filter::parse::shortened;

/// Deepest nesting of arrays and objects. SCIM needs five.
pub const MAX_DEPTH: usize = 32;

/// 2^53: a double is exact up to it.
pub const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// What some editors and runtimes put before UTF-8: no part of the text (RFC 8259 §8.1 lets a reader pass over it).
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Parses a whole document. The error is a sentence for the client, with line and column.
pub fn parse(text: &[u8]) -> Result<Value, String> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if text.iter().all(u8::is_ascii_whitespace) {
        return Err("the body is empty; JSON was expected".to_owned());
    }
    read(text).map_err(|error| format!("the body is not valid JSON: {}", fault(text, &error)))
}

/// Parses one line of a text that has a document in each. The error is a sentence for the client with the column alone: the line's number is
/// the caller's to say.
pub fn parse_line(line: &[u8]) -> Result<Value, String> {
    let line = line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line);
    read(line).map_err(|error| {
        let place = format!("column {}", error.column());
        format!("it is not valid JSON: {}", fault_at(line, &error, &place))
    })
}

/// The fields of a document that is an object, not taken apart: what is very large is read piece by piece. The error is a sentence for the
/// client, with line and column.
pub fn fields(text: &[u8]) -> Result<Vec<(String, &RawValue)>, String> {
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let read: Result<Fields<'_>, _> = serde_json::from_slice(text);
    let fields =
        read.map_err(|error| format!("the body is not valid JSON: {}", fault(text, &error)))?;
    Ok(fields.0)
}

/// An object's fields in their order.
struct Fields<'t>(Vec<(String, &'t RawValue)>);

impl<'de: 't, 't> Deserialize<'de> for Fields<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Fields<'de>, A::Error> {
                let mut fields: Vec<(String, &RawValue)> = Vec::new();
                while let Some((key, value)) = access.next_entry::<String, &RawValue>()? {
                    if fields.iter().any(|(known, _)| *known == key) {
                        return Err(A::Error::custom(format_args!(
                            "the key `{}` is repeated",
                            shortened(&key)
                        )));
                    }
                    fields.push((key, value));
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Object)
    }
}

fn read(text: &[u8]) -> Result<Value, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let depth = Cell::new(0);
    let value = Strict { depth: &depth }.deserialize(&mut deserializer)?;
    deserializer.end().map(|()| value)
}

/// A text as a JSON string. A string has nothing in it that could not be written.
pub fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

/// What is wrong with a text that is no JSON, and where: a sentence without a parser's words. Columns are counted in bytes, from 1.
pub fn fault(text: &[u8], error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    // After a line break the parser stands before the first column.
    let place = match column {
        0 => format!("line {line}"),
        _ => format!("line {line}, column {column}"),
    };
    fault_at(text, error, &place)
}

fn fault_at(text: &[u8], error: &serde_json::Error, place: &str) -> String {
    if let Err(error) = std::str::from_utf8(text) {
        return format!("it is no UTF-8 from byte {} on", error.valid_up_to() + 1);
    }
    let (line, column) = (error.line(), error.column());
    match error.classify() {
        Category::Eof => format!("it breaks off in {place}"),
        // These words are our own; the parser puts a place behind them.
        Category::Data => {
            let words = error.to_string();
            let (words, _) = words.rsplit_once(" at line ").unwrap_or((&words, ""));
            format!("{words} ({place})")
        }
        _ if column == 0 => format!(
            "the line break behind line {} does not belong there",
            line.saturating_sub(1)
        ),
        Category::Syntax | Category::Io => match character_at(text, line, column) {
            Some(c) if c.is_ascii_digit() => {
                format!("the number in {place} is not written as JSON has it, or is too large")
            }
            Some(c) if c.is_control() => {
                format!("U+{:04X} in {place} does not belong there", u32::from(c))
            }
            Some(c) => format!("`{c}` in {place} does not belong there"),
            None => format!("what stands in {place} does not belong there"),
        },
    }
}

fn character_at(text: &[u8], line: usize, column: usize) -> Option<char> {
    let line = text
        .split(|byte| *byte == b'\n')
        .nth(line.checked_sub(1)?)?;
    let rest = line.get(column.checked_sub(1)?..)?;
    std::str::from_utf8(rest).ok()?.chars().next()
}

/// Reads one value and counts how deep it is.
#[derive(Clone, Copy)]
struct Strict<'d> {
    depth: &'d Cell<usize>,
}

impl Strict<'_> {
    fn descend<E: serde::de::Error>(self) -> Result<(), E> {
        self.depth.set(self.depth.get() + 1);
        match self.depth.get() > MAX_DEPTH {
            true => Err(E::custom(format_args!("nested more than {MAX_DEPTH} deep"))),
            false => Ok(()),
        }
    }

    fn ascend(self) {
        self.depth.set(self.depth.get() - 1);
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    /// A whole number is one however it is written: JSON knows no other kind (RFC 8259 §6), and many writers end it in `.0`.
    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        if value.fract() == 0.0 && value.abs() <= MAX_EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "whole, and below 2^53")]
            return Ok(Value::from(value as i64));
        }
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.descend()?;
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(self)? {
            values.push(value);
        }
        self.ascend();
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        self.descend()?;
        let mut object = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(self)?;
            if object.contains_key(&key) {
                return Err(A::Error::custom(format_args!(
                    "the key `{}` is repeated",
                    shortened(&key)
                )));
            }
            object.insert(key, value);
        }
        self.ascend();
        Ok(Value::Object(object))
    }
}
