//! What the service can do, for clients that ask first (RFC 7644 §4). No credential is needed, and without one the answer is the same
//! for a tenant that does not exist: discovery tells nobody which tenants there are. Whoever asks with one is shown the tenant's own schemas
//! too.

pub mod documents;

use std::rc::Rc;

use http::header::AUTHORIZATION;
use serde::Serialize;

use crate::api::http::authenticate;
use crate::api::http::call::Call;
use crate::api::http::reply::Reply;
use crate::api::http::token_facts::Look;
use crate::error::{Error, Kind, Result};
use crate::scim::render;
use crate::scim::schema::{ASSIGNABLE, OwnSchemas, RESOURCE_TYPES, ResourceType, Schema, Shared};
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
    let (base, own) = (call.scim_base(), own_schemas(call).await?);
    let types = resource_types_of(&own);
    list(types.map(|of| ResourceTypeDocument::new(own.shape(of), &base)))
}

/// `GET /ResourceTypes/{id}`.
pub async fn resource_type(call: &Call<'_>) -> Result<Reply> {
    refuse_filter(call)?;
    let own = own_schemas(call).await?;
    let id = call.param("id");
    let found = resource_types_of(&own)
        .find(|resource_type| resource_type.name == id)
        .ok_or_else(|| Error::not_found("the resource type"))?;
    one(&ResourceTypeDocument::new(
        own.shape(found),
        &call.scim_base(),
    ))
}

/// `GET /Schemas`.
pub async fn schemas(call: &Call<'_>) -> Result<Reply> {
    refuse_filter(call)?;
    let (base, own) = (call.scim_base(), own_schemas(call).await?);
    let known = known_schemas(&own);
    list(
        known
            .iter()
            .map(|schema| SchemaDocument::new(schema, &base)),
    )
}

/// `GET /Schemas/{urn}`.
pub async fn schema(call: &Call<'_>) -> Result<Reply> {
    refuse_filter(call)?;
    let own = own_schemas(call).await?;
    let urn = call.param("id");
    let known = known_schemas(&own);
    let found = known
        .iter()
        .find(|schema| schema.id().eq_ignore_ascii_case(urn))
        .ok_or_else(|| Error::not_found("the schema"))?;
    one(&SchemaDocument::new(found, &call.scim_base()))
}

/// Those that all tenants have, and those of what the tenant says there is.
fn resource_types_of(own: &OwnSchemas) -> impl Iterator<Item = &'static ResourceType> {
    let assignable = ASSIGNABLE.iter().map(|(of, _)| *of);
    let there = assignable.filter(|of| !own.assignable.of(of).is_empty());
    RESOURCE_TYPES.into_iter().chain(there)
}

/// Each schema once: resource types share extensions.
fn known_schemas(own: &OwnSchemas) -> Vec<Shared<Schema>> {
    let mut known: Vec<Shared<Schema>> = Vec::new();
    for resource_type in resource_types_of(own) {
        let core = own.core(resource_type);
        for schema in std::iter::once(core).chain(own.shape(resource_type).extensions()) {
            if !known.iter().any(|found| found.id() == schema.id()) {
                known.push(schema);
            }
        }
    }
    known
}

/// The schemas that the tenant of whoever asks has of its own; none where nobody says who asks, or nobody who may.
async fn own_schemas(call: &Call<'_>) -> Result<Rc<OwnSchemas>> {
    if call.header(AUTHORIZATION).is_none() {
        return Ok(Rc::default());
    }
    for look in [Look::Cached, Look::Afresh] {
        let confirmed = match authenticate::caller(call, look).await {
            Ok(caller) => caller.read(call, Vec::new()).await.map(|_| caller),
            Err(error) => Err(error),
        };
        match confirmed {
            Ok(caller) => return Ok(caller.settings.own),
            Err(error) if error.kind == Kind::CredentialStale => {}
            Err(error) if error.status() >= 500 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(Rc::default())
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
