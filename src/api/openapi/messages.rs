//! Schemas of SCIM's messages (RFC 7644): lists, searches, PATCH and Bulk, which are read and written without types of
//! their own.

use serde_json::{Map, Value, json};

use super::resources::{sent, shown};
use crate::api::scim::bulk;
use crate::scim::filter::MAX_LENGTH;
use crate::scim::patch::MAX_OPERATIONS;
use crate::scim::schema::{GROUPS, RESOURCE_TYPES, USERS};
use crate::scim::{BULK_REQUEST, BULK_RESPONSE, LIST_RESPONSE, PATCH_OP, SEARCH_REQUEST};

pub fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

fn urn(urn: &str) -> Value {
    json!({"type": "array", "items": {"type": "string"}, "contains": {"const": urn}, "minItems": 1})
}

/// A ListResponse of what has that schema.
fn list(items: &Value) -> Value {
    json!({
        "type": "object",
        "description": "A page of a list (RFC 7644 §3.4.2, RFC 9865)",
        "properties": {
            "schemas": urn(LIST_RESPONSE),
            "totalResults": {"type": "integer", "minimum": 0, "description": "How many there are on all pages"},
            "itemsPerPage": {"type": "integer", "minimum": 0, "description": "How many are on this page"},
            "startIndex": {"type": "integer", "minimum": 1, "description": "Where this page begins, from 1; only where it was asked for by index"},
            "nextCursor": {"type": "string", "description": "The `cursor` of the next page, where there is one and pages are asked for by cursor"},
            "Resources": {"type": "array", "items": items},
        },
        "required": ["schemas", "totalResults", "itemsPerPage", "Resources"],
        "additionalProperties": false,
    })
}

/// Name of the list of what has a name.
pub fn list_of(name: &str) -> String {
    format!("{name}ListResponse")
}

/// All of them by their names.
pub fn schemas() -> Map<String, Value> {
    let mut schemas = Map::new();
    let mut add = |name: &str, schema: Value| schemas.insert(name.to_owned(), schema);
    for name in [
        "User",
        "Group",
        "Role",
        "Entitlement",
        "ResourceType",
        "Schema",
    ] {
        add(&list_of(name), list(&reference(name)));
    }
    let any: Vec<Value> = RESOURCE_TYPES
        .iter()
        .map(|resource_type| reference(&shown(resource_type)))
        .collect();
    add(&list_of("Resource"), list(&json!({"anyOf": any})));
    add("SearchRequest", search());
    add("PatchRequest", patch());
    add("BulkRequest", bulk_request());
    add("BulkResponse", bulk_response());
    add("BulkResponseOperation", bulk_response_operation());
    schemas
}

fn search() -> Value {
    let names = json!({"type": ["array", "null"], "items": {"type": "string"}});
    json!({
        "type": "object",
        "description": "A search (RFC 7644 §3.4.3): the parameters of a list, in a body",
        "properties": {
            "schemas": urn(SEARCH_REQUEST),
            "filter": {"type": ["string", "null"], "maxLength": MAX_LENGTH},
            "startIndex": {"type": ["integer", "null"]},
            "count": {"type": ["integer", "null"]},
            "cursor": {"type": ["string", "null"]},
            "sortBy": {"type": ["string", "null"]},
            "sortOrder": {"type": ["string", "null"], "enum": ["ascending", "descending", null]},
            "attributes": names,
            "excludedAttributes": names,
        },
        "required": ["schemas"],
        "additionalProperties": false,
    })
}

fn patch() -> Value {
    let op = |names: &[&str]| json!({"type": "string", "enum": names});
    let path = json!({"type": "string", "minLength": 1, "description": "An attribute, values of it by a filter, or one of their sub-attributes (RFC 7644 §3.5.2)"});
    let variant = |properties: Value, required: &[&str]| json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    json!({
        "type": "object",
        "description": "Changes to a resource (RFC 7644 §3.5.2)",
        "properties": {
            "schemas": urn(PATCH_OP),
            "Operations": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_OPERATIONS,
                "items": {"anyOf": [
                    variant(json!({"op": op(&["add", "replace"]), "path": path, "value": {}}), &["op", "path", "value"]),
                    variant(json!({"op": op(&["add", "replace"]), "path": {"type": "null"}, "value": {"type": "object", "description": "Attributes by their names", "additionalProperties": true}}), &["op", "value"]),
                    variant(json!({"op": op(&["remove"]), "path": path, "value": {}}), &["op", "path"]),
                ]},
            },
        },
        "required": ["schemas", "Operations"],
        "additionalProperties": false,
    })
}

fn bulk_request() -> Value {
    let data = [
        reference(&sent(&USERS)),
        reference(&sent(&GROUPS)),
        reference("PatchRequest"),
        json!({"type": "null"}),
    ];
    json!({
        "type": "object",
        "description": "Operations on many resources (RFC 7644 §3.7)",
        "properties": {
            "schemas": urn(BULK_REQUEST),
            "failOnErrors": {"type": ["integer", "null"], "minimum": 0, "description": "After how many errors the rest is left undone; 0 is the same as none"},
            "Operations": {
                "type": "array",
                "maxItems": bulk::MAX_OPERATIONS,
                "items": {
                    "type": "object",
                    "description": "What is wrong with one operation is told in its own answer",
                    "properties": {
                        "method": {"enum": ["POST", "PUT", "PATCH", "DELETE"]},
                        "bulkId": {"type": "string", "description": "A name for what a POST makes; `bulkId:` and the name stands for its id"},
                        "version": {"type": "string", "description": "Like `If-Match`"},
                        "path": {"type": "string", "description": "`/Users`, `/Groups`, or one of them with an id"},
                        "data": {"anyOf": data},
                    },
                },
            },
        },
        "required": ["schemas", "Operations"],
        "additionalProperties": false,
    })
}

fn bulk_response() -> Value {
    json!({
        "type": "object",
        "description": "What became of each operation (RFC 7644 §3.7.3)",
        "properties": {
            "schemas": urn(BULK_RESPONSE),
            "Operations": {
                "type": "array",
                "items": reference("BulkResponseOperation"),
            },
        },
        "required": ["schemas", "Operations"],
        "additionalProperties": false,
    })
}

fn bulk_response_operation() -> Value {
    json!({
        "type": "object",
        "description": "What became of an operation; of a request that was answered before it was carried out, too",
        "properties": {
            "method": {"type": "string"},
            "bulkId": {"type": "string"},
            "version": {"type": "string", "description": "The resource's new version"},
            "location": {"type": "string", "description": "The resource's address"},
            "status": {"type": "string", "description": "The operation's HTTP status", "pattern": "^[1-5][0-9]{2}$"},
            "response": reference("ScimErrorResponse"),
        },
        "required": ["method", "status"],
        "additionalProperties": false,
    })
}
