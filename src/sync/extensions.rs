//! What of an entry goes into attributes of extensions: a tenant's own, and the enterprise one.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::ldap::Entry;
use crate::ldap::values::generalized_time;
use crate::scim::date_time;
use crate::scim::schema::{Attribute, AttributeRef, Kind};

/// Longest value that is taken, in characters: names and addresses, not pictures.
const MAX_VALUE: usize = 1_000;

/// An attribute of an extension, and that of the directory which it is filled from.
#[derive(Debug, Clone)]
pub struct Filled {
    pub attribute: AttributeRef,
    pub from: String,
}

impl Filled {
    /// The URN, the attribute and what it takes, for a digest: where one of these is another, all entries are read anew.
    pub fn described(&self) -> String {
        let (attribute, leaf) = (&self.attribute.attribute, self.attribute.leaf());
        let is_list = attribute.multi_valued;
        format!(
            "{} {} {is_list} {}",
            self.attribute,
            leaf.kind.name(),
            self.from
        )
    }

    /// What an entry has for it; none where it has nothing. The error names what does not hold.
    fn value(&self, entry: &Entry) -> Result<Option<Value>, String> {
        let attribute = &self.attribute.attribute;
        let leaf = self.attribute.leaf();
        let mut values = read(leaf, entry, &self.from)?;
        if let Some(sub) = &self.attribute.sub {
            let named = |value| Value::Object(Map::from_iter([(sub.name().to_owned(), value)]));
            values = values.into_iter().map(named).collect();
        }
        Ok(match attribute.multi_valued {
            true => Some(Value::Array(values)).filter(|list| *list != Value::Array(Vec::new())),
            false => values.into_iter().next(),
        })
    }
}

/// Puts what an entry has into the body of a user.
pub fn fill(all: &[Filled], entry: &Entry, body: &mut Map<String, Value>) -> Result<(), String> {
    for filled in all {
        let Some(extension) = &filled.attribute.extension else {
            continue;
        };
        let Some(value) = filled.value(entry)? else {
            continue;
        };
        let object = body
            .entry(extension.id())
            .or_insert_with(|| Map::new().into());
        let name = filled.attribute.attribute.name();
        match (object.get_mut(name), value) {
            // Two parts of one.
            (Some(Value::Object(before)), Value::Object(more)) => before.extend(more),
            (_, value) => {
                if let Some(object) = object.as_object_mut() {
                    object.insert(name.to_owned(), value);
                }
            }
        }
    }
    Ok(())
}

/// The values of a directory's attribute, each once, as another attribute takes them. What is none for it stays a text, which the schema
/// refuses by name.
fn read(leaf: &Attribute, entry: &Entry, from: &str) -> Result<Vec<Value>, String> {
    let mut values: Vec<Value> = Vec::new();
    if leaf.kind == Kind::Binary {
        let all = entry.values(from).iter();
        values.extend(all.map(|bytes| Value::String(STANDARD.encode(bytes))));
    } else {
        let texts = entry.texts(from).map(str::trim);
        values.extend(
            texts
                .filter(|text| !text.is_empty())
                .map(|text| typed(leaf.kind, text)),
        );
    }
    for text in values.iter().filter_map(Value::as_str) {
        within(from, text)?;
    }
    let mut known: Vec<Value> = Vec::new();
    values.retain(|value| {
        let is_new = !known.contains(value);
        known.push(value.clone());
        is_new
    });
    Ok(values)
}

/// RFC 4517: §3.3.3 Boolean, §3.3.13 Generalized Time, §3.3.16 Integer.
fn typed(kind: Kind, text: &str) -> Value {
    let read = match kind {
        Kind::Boolean => match text.to_ascii_uppercase().as_str() {
            "TRUE" => Some(true.into()),
            "FALSE" => Some(false.into()),
            _ => None,
        },
        Kind::Integer => text.parse::<i64>().ok().map(Value::from),
        Kind::Decimal => text.parse::<f64>().ok().map(Value::from),
        Kind::DateTime => {
            let time = generalized_time(text).map(date_time::format);
            time.map(Value::from)
        }
        _ => None,
    };
    read.unwrap_or_else(|| text.into())
}

/// A value that is too long is a reason.
pub(super) fn within(attribute: &str, value: &str) -> Result<(), String> {
    match value.chars().count() {
        length if length > MAX_VALUE => Err(format!(
            "{attribute} has {length} characters; {MAX_VALUE} are taken"
        )),
        _ => Ok(()),
    }
}
