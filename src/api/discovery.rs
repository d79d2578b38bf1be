//! What the service can do, for clients that ask first (RFC 7644 §4). No credential is needed, and the answer is the same
//! for a tenant that does not exist: discovery tells nobody which tenants there are.

use serde_json::{Value, json};

use super::MAX_BODY_BYTES;
use super::bulk;
use super::call::Call;
use super::query;
use super::reply::Reply;
use crate::error::{Error, Result};
use crate::scim::render;
use crate::scim::schema::{Attribute, Kind, RESOURCE_TYPES, ResourceType, Schema};

const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// A filter on these endpoints is 403 (RFC 7644 §4).
fn refuse_filter(call: &Call<'_>) -> Result<()> {
    match call.query().iter().any(|(name, _)| name == "filter") {
        true => Err(Error::forbidden("discovery documents cannot be filtered")),
        false => Ok(()),
    }
}

/// `GET /ServiceProviderConfig` (RFC 7643 §5). What it says is what is enforced.
pub fn service_provider_config(call: &Call<'_>) -> Result<Reply> {
    refuse_filter(call)?;
    let location = format!("{}/ServiceProviderConfig", call.scim_base());
    let body = json!({
        "schemas": [SERVICE_PROVIDER_CONFIG],
        "patch": {"supported": true},
        "bulk": {
            "supported": true,
            "maxOperations": bulk::MAX_OPERATIONS,
            "maxPayloadSize": MAX_BODY_BYTES,
        },
        "filter": {"supported": true, "maxResults": query::MAX_COUNT},
        "changePassword": {"supported": false},
        "sort": {"supported": true},
        "etag": {"supported": true},
        "pagination": {
            "cursor": true,
            "index": true,
            "defaultPaginationMethod": "index",
            "defaultPageSize": query::DEFAULT_COUNT,
            "maxPageSize": query::MAX_COUNT,
            "cursorTimeout": query::CURSOR_TIMEOUT_SECONDS,
        },
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A SCIM token that the service's administrator made, in the Authorization header",
            "specUri": "https://www.rfc-editor.org/info/rfc6750",
            "primary": true,
        }],
        "meta": {"resourceType": "ServiceProviderConfig", "location": location},
    });
    Ok(Reply::scim(200, body.to_string()))
}

/// `GET /ResourceTypes`.
pub fn resource_types(call: &Call<'_>) -> Result<Reply> {
    refuse_filter(call)?;
    let base = call.scim_base();
    let all: Vec<Value> = RESOURCE_TYPES
        .iter()
        .map(|resource_type| describe_type(resource_type, &base))
        .collect();
    Ok(Reply::scim(200, render::list_of(&all)))
}

/// `GET /ResourceTypes/{id}`.
pub fn resource_type(call: &Call<'_>) -> Result<Reply> {
    refuse_filter(call)?;
    let id = call.param("id");
    let found = RESOURCE_TYPES
        .iter()
        .find(|resource_type| resource_type.name == id)
        .ok_or_else(|| Error::not_found("the resource type"))?;
    Ok(Reply::scim(
        200,
        describe_type(found, &call.scim_base()).to_string(),
    ))
}

/// `GET /Schemas`.
pub fn schemas(call: &Call<'_>) -> Result<Reply> {
    refuse_filter(call)?;
    let base = call.scim_base();
    let all: Vec<Value> = known_schemas()
        .map(|schema| describe_schema(schema, &base))
        .collect();
    Ok(Reply::scim(200, render::list_of(&all)))
}

/// `GET /Schemas/{urn}`.
pub fn schema(call: &Call<'_>) -> Result<Reply> {
    refuse_filter(call)?;
    let urn = call.param("id");
    let found = known_schemas()
        .find(|schema| schema.id.eq_ignore_ascii_case(urn))
        .ok_or_else(|| Error::not_found("the schema"))?;
    Ok(Reply::scim(
        200,
        describe_schema(found, &call.scim_base()).to_string(),
    ))
}

fn known_schemas() -> impl Iterator<Item = &'static Schema> {
    RESOURCE_TYPES.iter().flat_map(|resource_type| {
        std::iter::once(resource_type.schema).chain(resource_type.extensions.iter().copied())
    })
}

fn describe_type(resource_type: &ResourceType, base: &str) -> Value {
    let extensions: Vec<Value> = resource_type
        .extensions
        .iter()
        .map(|extension| json!({"schema": extension.id, "required": false}))
        .collect();
    json!({
        "schemas": [RESOURCE_TYPE],
        "id": resource_type.name,
        "name": resource_type.name,
        "description": resource_type.description,
        "endpoint": resource_type.endpoint,
        "schema": resource_type.schema.id,
        "schemaExtensions": extensions,
        "meta": {
            "resourceType": "ResourceType",
            "location": format!("{base}/ResourceTypes/{}", resource_type.name),
        },
    })
}

fn describe_schema(schema: &Schema, base: &str) -> Value {
    let attributes: Vec<Value> = schema.attributes.iter().map(describe_attribute).collect();
    json!({
        "schemas": [SCHEMA],
        "id": schema.id,
        "name": schema.name,
        "description": schema.description,
        "attributes": attributes,
        "meta": {
            "resourceType": "Schema",
            "location": format!("{base}/Schemas/{}", schema.id),
        },
    })
}

fn describe_attribute(attribute: &Attribute) -> Value {
    let mut described = json!({
        "name": attribute.name,
        "type": attribute.kind.name(),
        "multiValued": attribute.multi_valued,
        "description": attribute.description,
        "required": attribute.required,
        "mutability": attribute.mutability.name(),
        "returned": attribute.returned.name(),
        "uniqueness": attribute.uniqueness.name(),
    });
    let mut set = |name: &str, value: Value| {
        if let Some(described) = described.as_object_mut() {
            described.insert(name.to_owned(), value);
        }
    };
    if attribute.kind != Kind::Complex {
        set("caseExact", attribute.case_exact.into());
    }
    if !attribute.canonical_values.is_empty() {
        set("canonicalValues", attribute.canonical_values.into());
    }
    if !attribute.reference_types.is_empty() {
        set("referenceTypes", attribute.reference_types.into());
    }
    if attribute.kind == Kind::Complex {
        let subs = attribute.sub_attributes.iter().map(describe_attribute);
        set("subAttributes", subs.collect());
    }
    described
}
