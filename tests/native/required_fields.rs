//! Which fields the bodies of administrators need.

use std::collections::{BTreeMap, BTreeSet};

use rollcall::api::http::typed_json::REQUIRED;
use serde_json::Value;

use crate::support::described::document;

/// A 422 names all that is missing, which the reader of bodies knows from a table.
#[test]
fn what_bodies_need_is_what_the_document_requires() {
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    let paths = document()["paths"].as_object().unwrap();
    let bodies: BTreeSet<String> = paths
        .iter()
        .filter(|(path, _)| !path.contains("/scim/v2"))
        .flat_map(|(_, methods)| methods.as_object().unwrap().values())
        .flat_map(|operation| mentioned(&operation["requestBody"], schemas))
        .collect();
    let needed: BTreeMap<&str, Vec<&str>> = bodies
        .iter()
        .filter_map(|name| {
            let required = schemas[name]["required"].as_array()?;
            let required: Vec<&str> = required.iter().filter_map(Value::as_str).collect();
            (required.len() > 1).then_some((name.as_str(), required))
        })
        .collect();
    let known: BTreeMap<&str, Vec<&str>> = REQUIRED
        .into_iter()
        .map(|(name, fields)| (name, fields.to_vec()))
        .collect();
    assert_eq!(needed, known);
}

/// The schemas that a part of the document refers to, with those that they refer to.
fn mentioned(part: &Value, schemas: &serde_json::Map<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut left = vec![part];
    while let Some(value) = left.pop() {
        match value {
            Value::Array(values) => left.extend(values),
            Value::Object(object) => {
                let name = object.get("$ref").and_then(Value::as_str);
                let name = name.and_then(|name| name.rsplit('/').next());
                if let Some(name) = name.filter(|name| found.insert((*name).to_owned())) {
                    left.push(&schemas[name]);
                }
                left.extend(object.values());
            }
            _ => {}
        }
    }
    found
}
