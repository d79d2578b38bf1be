//! What the service can do, for clients that ask first (RFC 7644 §4). No credential is needed, and the answer is the same
//! for a tenant that does not exist: discovery tells nobody which tenants there are.

pub mod documents;

use serde::Serialize;

use crate::api::http::call::Call;
use crate::api::http::reply::Reply;
use crate::error::{Error, Result};
use crate::scim::render;
use crate::scim::schema::{RESOURCE_TYPES, Schema};
use documents::{ResourceTypeDocument, SchemaDocument, ServiceProviderConfig};

/// A filter on these endpoints is 403 (RFC 7644 §4).
fn refuse_filter(call: &Call<'_>) -> Result<()> {
    match call.query().iter().any(|(name, _)| name == "filter") {
        true => Err(Error::forbidden("discovery documents cannot be filtered")),
        false => Ok(()),
    }
}

/// `GET /ServiceProviderConfig` (RFC 7643 §5).
pub async fn service_provider_config(call: &Call<'_>) -> Result<Reply> {
    refuse_filter(call)?;
    one(&ServiceProviderConfig::new(&call.scim_base()))
}

/// `GET /ResourceTypes`.
pub async fn resource_types(call: &Call<'_>) -> Result<Reply> {
    refuse_filter(call)?;
    let base = call.scim_base();
    list(
        RESOURCE_TYPES
            .iter()
            .map(|resource_type| ResourceTypeDocument::new(resource_type, &base)),
    )
}

/// `GET /ResourceTypes/{id}`.
pub async fn resource_type(call: &Call<'_>) -> Result<Reply> {
    refuse_filter(call)?;
    let id = call.param("id");
    let found = RESOURCE_TYPES
        .iter()
        .find(|resource_type| resource_type.name == id)
        .ok_or_else(|| Error::not_found("the resource type"))?;
    one(&ResourceTypeDocument::new(found, &call.scim_base()))
}

/// `GET /Schemas`.
pub async fn schemas(call: &Call<'_>) -> Result<Reply> {
    refuse_filter(call)?;
    let base = call.scim_base();
    list(known_schemas().map(|schema| SchemaDocument::new(schema, &base)))
}

/// `GET /Schemas/{urn}`.
pub async fn schema(call: &Call<'_>) -> Result<Reply> {
    refuse_filter(call)?;
    let urn = call.param("id");
    let found = known_schemas()
        .find(|schema| schema.id.eq_ignore_ascii_case(urn))
        .ok_or_else(|| Error::not_found("the schema"))?;
    one(&SchemaDocument::new(found, &call.scim_base()))
}

/// Each schema once: resource types share extensions.
fn known_schemas() -> impl Iterator<Item = &'static Schema> {
    let by_type = RESOURCE_TYPES.iter().flat_map(|resource_type| {
        std::iter::once(resource_type.schema).chain(resource_type.extensions.iter().copied())
    });
    let mut known: Vec<&'static Schema> = Vec::new();
    for schema in by_type {
        if !known.iter().any(|found| found.id == schema.id) {
            known.push(schema);
        }
    }
    known.into_iter()
}

fn one(document: &impl Serialize) -> Result<Reply> {
    Ok(Reply::scim(200, text(document)?))
}

fn list(documents: impl Iterator<Item = impl Serialize>) -> Result<Reply> {
    let texts = documents
        .map(|document| text(&document))
        .collect::<Result<Vec<_>>>()?;
    Ok(Reply::scim(200, render::list_of(texts)))
}

fn text(document: &impl Serialize) -> Result<String> {
    serde_json::to_string(document).map_err(|error| Error::internal(error.to_string()))
}
