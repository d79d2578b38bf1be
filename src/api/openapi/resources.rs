//! Schemas of SCIM resources, out of the one description of their attributes ([`crate::scim::schema`]).
//!
//! A request and a reply differ: a request may leave unassigned what is null (RFC 7643 §2.5) and what is read-only is passed
//! over; a reply has nothing that is never returned, and of what it could have only what was asked for.

use serde_json::{Map, Value, json};

use super::schemas::Way;
use crate::scim::schema::{
    ASSIGNABLE, Attribute, Kind, Mutability, RESOURCE_TYPES, ResourceType, Returned, Schema,
};
use crate::scim::value::MAX_VALUES;

/// Schemas of all resources by their names: `User` as it is shown, `UserRequest` as it is sent.
pub fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    for resource_type in RESOURCE_TYPES {
        schemas.insert(shown(resource_type), resource(resource_type, Way::Out));
        schemas.insert(sent(resource_type), resource(resource_type, Way::In));
    }
    for (resource_type, _) in ASSIGNABLE {
        schemas.insert(shown(resource_type), resource(resource_type, Way::Out));
    }
    schemas
}

/// Name of the schema of a resource in a reply.
pub fn shown(resource_type: &ResourceType) -> String {
    resource_type.name.to_owned()
}

/// Name of the schema of a resource in a request.
pub fn sent(resource_type: &ResourceType) -> String {
    format!("{}Request", resource_type.name)
}

fn resource(resource_type: &'static ResourceType, way: Way) -> Value {
    let mut schema = object(resource_type.plain().core(), way);
    let extensions = resource_type.extensions.iter().map(|extension| {
        let mut described = object(extension.attributes.iter(), way);
        put(
            &mut described,
            "description",
            extension.description.as_ref().into(),
        );
        if way == Way::In {
            put(&mut described, "type", json!(["object", "null"]));
        }
        (extension.id().to_owned(), described)
    });
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        properties.insert("schemas".to_owned(), urns(resource_type));
        properties.extend(extensions);
    }
    let description = resource_type.schema.description.as_ref();
    put(&mut schema, "description", description.into());
    schema
}

/// `schemas`: the core schema, and extensions.
fn urns(resource_type: &ResourceType) -> Value {
    let core = resource_type.schema.id();
    let extensions = resource_type.extensions.iter().copied();
    let all: Vec<&str> = std::iter::once(core)
        .chain(extensions.map(|extension: &Schema| extension.id()))
        .collect();
    json!({
        "type": "array",
        "description": "URNs of the schemas that the resource uses",
        "items": {"type": "string", "enum": all},
        "contains": {"const": core},
    })
}

fn object<'a>(attributes: impl Iterator<Item = &'a Attribute>, way: Way) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for attribute in attributes {
        if way == Way::Out && attribute.returned == Returned::Never {
            continue;
        }
        let wanted = match way {
            Way::In => attribute.required,
            Way::Out => attribute.returned == Returned::Always,
        };
        if wanted {
            required.push(attribute.name());
        }
        properties.insert(attribute.name().to_owned(), value(attribute, way));
    }
    let mut schema =
        json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        put(&mut schema, "required", required.into());
    }
    schema
}

fn value(attribute: &Attribute, way: Way) -> Value {
    if way == Way::In && attribute.mutability == Mutability::ReadOnly {
        // Not `readOnly`, which would forbid it: a client may send back what it was shown (RFC 7644 §3.3, §3.5.1).
        return json!({
            "description": format!("{} (ignored in a request)", attribute.description),
        });
    }
    let mut schema = one(attribute, way);
    if attribute.multi_valued {
        schema = json!({"type": "array", "items": schema});
        // A group's members alone are as many as there are.
        if way == Way::In && attribute.name() != "members" {
            put(&mut schema, "maxItems", MAX_VALUES.into());
        }
    }
    if way == Way::In && !attribute.required {
        let kind = schema.get("type").cloned().unwrap_or_default();
        put(&mut schema, "type", json!([kind, "null"]));
    }
    put(
        &mut schema,
        "description",
        attribute.description.as_ref().into(),
    );
    match attribute.mutability {
        Mutability::ReadOnly => put(&mut schema, "readOnly", true.into()),
        Mutability::WriteOnly => put(&mut schema, "writeOnly", true.into()),
        Mutability::ReadWrite | Mutability::Immutable => {}
    }
    schema
}

fn one(attribute: &Attribute, way: Way) -> Value {
    let mut schema = match attribute.kind {
        Kind::Complex => object(attribute.sub_attributes.iter(), way),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Integer => json!({"type": "integer"}),
        Kind::Decimal => json!({"type": "number"}),
        Kind::DateTime => json!({"type": "string", "format": "date-time"}),
        Kind::Binary => json!({"type": "string", "contentEncoding": "base64"}),
        Kind::String | Kind::Reference => json!({"type": "string"}),
    };
    if way == Way::In && attribute.required && attribute.kind == Kind::String {
        put(&mut schema, "pattern", r"\S".into());
    }
    // Suggestions, which RFC 7643 §2.2 lets a client go beyond.
    let values: Vec<&str> = attribute.canonical_values.iter().collect();
    if !values.is_empty() {
        put(&mut schema, "examples", values.into());
    }
    schema
}

fn put(schema: &mut Value, name: &str, value: Value) {
    if let Some(schema) = schema.as_object_mut() {
        schema.insert(name.to_owned(), value);
    }
}
