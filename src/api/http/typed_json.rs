//! A JSON value as a typed structure, with the path of what does not hold.
//!
//! The structures are many, and whatever reads them is compiled anew for each: so there is one reader, it is small, and a path is
//! put together only where an error comes back along it.

use std::fmt::Display;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, Expected, MapAccess, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use serde_json::{Map, Value};

/// One step into a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A member of an object.
    Key(String),
    /// An element of an array, from 0.
    Index(usize),
}

/// In which way a value does not hold: words for clients to match on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Missing,
    Unknown,
    /// None of the words that there are.
    Word,
    Type,
    Value,
}

impl Fault {
    pub const fn word(self) -> &'static str {
        match self {
            Fault::Missing => "missing",
            Fault::Unknown => "extra_forbidden",
            Fault::Word => "enum",
            Fault::Type => "type_error",
            Fault::Value => "value_error",
        }
    }
}

/// What does not hold, and where.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// From the outside in.
    pub path: Vec<Segment>,
    pub fault: Fault,
    /// A sentence without the value: that may be a secret in the wrong place.
    pub message: String,
    /// Of a field that is missing: what else the same object has to have and has not.
    pub missing_too: Vec<&'static str>,
}

/// The structures that need more than one field. A reader comes to the first one that is missing and ends there; this says what would be
/// missed next. A test holds it against the OpenAPI document.
pub const REQUIRED: [(&str, &[&str]); 12] = [
    ("AdminIdPCreate", &["tenant_id", "name"]),
    ("ErasureRequest", &["resource_type", "resource_id"]),
    ("Fuse", &["percent", "at_least", "minutes"]),
    (
        "GroupMappingCreate",
        &["external_group_id", "internal_group_id"],
    ),
    ("IdPCreate", &["name", "protocol"]),
    ("LdapConfig", &["url", "bind_dn", "base_dn"]),
    ("OidcConfig", &["issuer", "client_id"]),
    (
        "OwnSchemaCreate",
        &["id", "resource_type", "name", "attributes"],
    ),
    ("RemovalsAllow", &["count", "minutes"]),
    ("ResourceName", &["type", "id"]),
    ("SamlConfig", &["entity_id", "sso_url", "certificate"]),
    ("ScimTokenCreate", &["tenant_id", "name"]),
];

/// Reads a value as a `T`.
pub fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Failure> {
    T::deserialize(At(value)).map_err(|mut failure| {
        failure.path.reverse();
        failure
    })
}

impl Failure {
    fn new(fault: Fault, message: String) -> Self {
        Failure {
            path: Vec::new(),
            fault,
            message,
            missing_too: Vec::new(),
        }
    }

    /// The failure of a structure that is read from `value`, with all that is missing where something is.
    fn of_structure(mut self, structure: &str, value: &Value) -> Self {
        // A path of one step: what is missing is the structure's own.
        if let (Fault::Missing, [Segment::Key(first)]) = (self.fault, self.path.as_slice()) {
            let required = REQUIRED.iter().filter(|(name, _)| *name == structure);
            let required = required.flat_map(|(_, fields)| fields.iter().copied());
            self.missing_too = required
                .filter(|field| field != first && value.get(field).is_none())
                .collect();
        }
        self
    }

    /// The failure as it is seen one step further out.
    fn within(mut self, segment: Segment) -> Self {
        self.path.push(segment);
        self
    }
}

impl Error for Failure {
    fn custom<T: Display>(message: T) -> Self {
        Failure::new(Fault::Value, message.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let (expected, found) = (expected.to_string(), found(unexpected));
        let wanted = in_json(&expected);
        Failure::new(Fault::Type, format!("it takes {wanted}, not {found}"))
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let expected = expected.to_string();
        let wanted = in_json(&expected);
        Failure::new(
            Fault::Value,
            format!("it takes {wanted}, within its limits"),
        )
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        let message = format!("it is one of {}", expected.join(", "));
        Failure::new(Fault::Word, message)
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Failure::new(Fault::Unknown, "there is no such field".to_owned())
    }

    fn missing_field(field: &'static str) -> Self {
        let missing = Failure::new(Fault::Missing, "it is required".to_owned());
        missing.within(Segment::Key(field.to_owned()))
    }
}

/// What a structure expects, in JSON's words.
fn in_json(expected: &str) -> &str {
    match expected {
        "a boolean" => "true or false",
        "a sequence" => "an array",
        "a map" => "an object",
        "i8" | "i16" | "i32" | "i64" | "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number",
        "f32" | "f64" => "a number",
        structure if structure.starts_with("struct ") => "an object",
        words
            if ["string or ", "variant ", "enum "]
                .iter()
                .any(|kind| words.starts_with(kind)) =>
        {
            "a string"
        }
        words => words,
    }
}

/// The type of what is there, in JSON's words.
fn found(unexpected: Unexpected<'_>) -> &str {
    match unexpected {
        Unexpected::Bool(_) => "a boolean",
        Unexpected::Unsigned(_) | Unexpected::Signed(_) => "a whole number",
        Unexpected::Float(_) => "a number",
        Unexpected::Str(_) | Unexpected::Char(_) => "a string",
        Unexpected::Unit | Unexpected::Option => "null",
        Unexpected::Seq => "an array",
        Unexpected::Other(words) => words,
        _ => "an object",
    }
}

/// The value that is read.
struct At<'de>(&'de Value);

impl<'de> Deserializer<'de> for At<'de> {
    type Error = Failure;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), _, _) => visitor.visit_u64(number),
                (None, Some(number), _) => visitor.visit_i64(number),
                (None, None, number) => visitor.visit_f64(number.unwrap_or_default()),
            },
            Value::String(text) => visitor.visit_borrowed_str(text),
            Value::Array(elements) => visitor.visit_seq(Elements::of(elements)),
            Value::Object(object) => visitor.visit_map(Members::of(object)),
        }
    }

    // Of what can be asked for by its kind only that is compiled: the most are structures, and one is an object and never an array.

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::String(text) => visitor.visit_borrowed_str(text),
            other => Err(wrong_type(other, &visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Array(elements) => visitor.visit_seq(Elements::of(elements)),
            other => Err(wrong_type(other, &visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Object(object) => visitor.visit_map(Members::of(object)),
            other => Err(wrong_type(other, &visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        let value = self.0;
        self.deserialize_map(visitor)
            .map_err(|failure| failure.of_structure(name, value))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Failure> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Failure> {
        visitor.visit_newtype_struct(self)
    }

    /// Variants have names and nothing else.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Failure> {
        match self.0 {
            Value::String(name) => visitor.visit_enum(StrDeserializer::new(name)),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

/// The failure of a value that is of another kind than was asked for.
fn wrong_type(value: &Value, expected: &dyn Expected) -> Failure {
    let unexpected = match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(number), _) => Unexpected::Unsigned(number),
            (None, Some(number)) => Unexpected::Signed(number),
            (None, None) => Unexpected::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    };
    Failure::invalid_type(unexpected, expected)
}

struct Elements<'de> {
    left: std::slice::Iter<'de, Value>,
    index: usize,
}

impl<'de> Elements<'de> {
    fn of(elements: &'de [Value]) -> Self {
        Elements {
            left: elements.iter(),
            index: 0,
        }
    }
}

impl<'de> SeqAccess<'de> for Elements<'de> {
    type Error = Failure;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Failure> {
        let Some(element) = self.left.next() else {
            return Ok(None);
        };
        let index = self.index;
        self.index += 1;
        seed.deserialize(At(element))
            .map(Some)
            .map_err(|failure| failure.within(Segment::Index(index)))
    }
}

struct Members<'de> {
    left: serde_json::map::Iter<'de>,
    value: Option<(&'de str, &'de Value)>,
}

impl<'de> Members<'de> {
    fn of(object: &'de Map<String, Value>) -> Self {
        Members {
            left: object.iter(),
            value: None,
        }
    }
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Failure;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Failure> {
        let Some((key, value)) = self.left.next() else {
            return Ok(None);
        };
        self.value = Some((key, value));
        seed.deserialize(StrDeserializer::new(key))
            .map(Some)
            .map_err(|failure: Failure| failure.within(Segment::Key(key.clone())))
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Failure> {
        let (key, value) = self.value.take().unwrap_or(("", &Value::Null));
        seed.deserialize(At(value))
            .map_err(|failure| failure.within(Segment::Key(key.to_owned())))
    }
}
