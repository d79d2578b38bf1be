//! What the administrators' operations have in common: replies in envelopes, pages, the tenant in the query.

use schemars::JsonSchema;
use serde_json::{Value, json};

use super::examples;
use super::operation::{Operation, query};
use super::schemas::Schemas;
use crate::api::http::envelope::{List, Single};
use crate::api::http::input::{DEFAULT_PER_PAGE, MAX_PAGE, MAX_PER_PAGE};

/// `page` and `per_page`.
pub fn paging() -> [Value; 2] {
    [
        query(
            "page",
            "From 1",
            &json!({"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 1}),
        ),
        query(
            "per_page",
            "How many a page has",
            &json!({"type": "integer", "minimum": 1, "maximum": MAX_PER_PAGE, "default": DEFAULT_PER_PAGE}),
        ),
    ]
}

pub fn tenant_id(required: bool, description: &str) -> Value {
    let mut parameter = query(
        "tenant_id",
        description,
        &json!({"$ref": "#/components/schemas/TenantId"}),
    );
    if let Some(parameter) = parameter.as_object_mut() {
        parameter.insert("required".to_owned(), required.into());
    }
    parameter
}

/// A reply of one `T`.
pub fn shows<T: JsonSchema>(
    operation: Operation,
    status: u16,
    description: &str,
    schemas: &mut Schemas,
    example: &Value,
) -> Operation {
    let schema = schemas.reply::<Single<T>>();
    operation.answers(status, description, &schema, &examples::single(example))
}

/// A reply of a page of `T`s.
pub fn lists<T: JsonSchema>(
    operation: Operation,
    schemas: &mut Schemas,
    example: &Value,
) -> Operation {
    let schema = schemas.reply::<List<T>>();
    operation
        .parameters(paging())
        .answers(200, "A page", &schema, &examples::page(example))
        .fails(422)
}
