//! Reading documents of schemas and attributes, which were checked before they were kept.

use serde_json::Value;

/// A text of a document; empty where there is none.
pub fn text<'d>(document: &'d Value, name: &str) -> &'d str {
    let text = document.get(name).and_then(Value::as_str);
    text.unwrap_or_default()
}

/// What a document lists under a name; nothing where there is no list.
pub fn list<'d>(document: &'d Value, name: &str) -> &'d [Value] {
    let list = document.get(name).and_then(Value::as_array);
    list.map(Vec::as_slice).unwrap_or_default()
}
