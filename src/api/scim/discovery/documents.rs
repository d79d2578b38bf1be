//! What the discovery documents are made of (RFC 7643 §5, §6, §7).

use serde::Serialize;

use crate::api::http::request::MAX_BODY_BYTES;
use crate::api::scim::bulk;
use crate::api::scim::list_query;
use crate::scim::schema::{Attribute, Kind, Schema, Shape};
use crate::scim::security_events::EVENT_URIS;

const SERVICE_PROVIDER_CONFIG: &str = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig";
const RESOURCE_TYPE: &str = "urn:ietf:params:scim:schemas:core:2.0:ResourceType";
const SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:Schema";

/// What the service can do (RFC 7643 §5).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ServiceProviderConfig {
    schemas: [&'static str; 1],
    patch: Supported,
    bulk: BulkSupport,
    filter: FilterSupport,
    change_password: Supported,
    sort: Supported,
    etag: Supported,
    pagination: PaginationSupport,
    security_events: SecurityEvents,
    authentication_schemes: [AuthenticationScheme; 1],
    meta: DocumentMeta,
}

/// Whether something can be done.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Supported {
    supported: bool,
}

/// Bulk requests and their limits.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct BulkSupport {
    supported: bool,
    max_operations: usize,
    /// In bytes.
    max_payload_size: usize,
}

/// Filters, and how many resources a page has at most.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct FilterSupport {
    supported: bool,
    max_results: i64,
}

/// How lists are paged (RFC 9865 §4).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PaginationSupport {
    cursor: bool,
    index: bool,
    default_pagination_method: &'static str,
    default_page_size: i64,
    max_page_size: i64,
    /// In seconds.
    cursor_timeout: i64,
}

/// What is told of by security event tokens (RFC 9967 §4).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SecurityEvents {
    /// `request`: one is answered before it is done where its client asks for that.
    async_request: &'static str,
    event_uris: &'static [&'static str],
}

/// How clients say who they are.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AuthenticationScheme {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    description: &'static str,
    spec_uri: &'static str,
    primary: bool,
}

/// Which document it is, and where.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DocumentMeta {
    resource_type: &'static str,
    location: String,
}

impl ServiceProviderConfig {
    /// What it says is what is enforced.
    pub fn new(base: &str) -> Self {
        let yes = || Supported { supported: true };
        ServiceProviderConfig {
            schemas: [SERVICE_PROVIDER_CONFIG],
            patch: yes(),
            bulk: BulkSupport {
                supported: true,
                max_operations: bulk::MAX_OPERATIONS,
                max_payload_size: MAX_BODY_BYTES,
            },
            filter: FilterSupport {
                supported: true,
                max_results: list_query::MAX_COUNT,
            },
            change_password: Supported { supported: false },
            sort: yes(),
            etag: yes(),
            pagination: PaginationSupport {
                cursor: true,
                index: true,
                default_pagination_method: "index",
                default_page_size: list_query::DEFAULT_COUNT,
                max_page_size: list_query::MAX_COUNT,
                cursor_timeout: list_query::CURSOR_TIMEOUT_SECONDS,
            },
            security_events: SecurityEvents {
                async_request: "request",
                event_uris: &EVENT_URIS,
            },
            authentication_schemes: [AuthenticationScheme {
                kind: "oauthbearertoken",
                name: "Bearer token",
                description: "A SCIM token that the service's administrator made, in the Authorization header",
                spec_uri: "https://www.rfc-editor.org/info/rfc6750",
                primary: true,
            }],
            meta: DocumentMeta {
                resource_type: "ServiceProviderConfig",
                location: format!("{base}/ServiceProviderConfig"),
            },
        }
    }
}

/// A kind of resource (RFC 7643 §6).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "ResourceType"))]
pub struct ResourceTypeDocument<'s> {
    schemas: [&'static str; 1],
    id: &'s str,
    name: &'s str,
    description: &'s str,
    /// Path of the resources below the SCIM base.
    endpoint: &'s str,
    /// URN of the core schema.
    schema: &'s str,
    schema_extensions: Vec<SchemaExtension<'s>>,
    meta: DocumentMeta,
}

/// A schema that resources of the type may have besides.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SchemaExtension<'s> {
    schema: &'s str,
    required: bool,
}

impl<'s> ResourceTypeDocument<'s> {
    pub fn new(shape: Shape<'s>, base: &str) -> Self {
        let extension = |schema| SchemaExtension {
            schema,
            required: false,
        };
        ResourceTypeDocument {
            schemas: [RESOURCE_TYPE],
            id: shape.name,
            name: shape.name,
            description: &shape.schema.description,
            endpoint: shape.endpoint,
            schema: shape.schema.id(),
            schema_extensions: shape.extension_ids().map(extension).collect(),
            meta: DocumentMeta {
                resource_type: "ResourceType",
                location: format!("{base}/ResourceTypes/{}", shape.name),
            },
        }
    }
}

/// A schema with its attributes (RFC 7643 §7).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "Schema"))]
pub struct SchemaDocument<'s> {
    schemas: [&'static str; 1],
    /// The schema's URN.
    id: &'s str,
    name: &'s str,
    description: &'s str,
    attributes: Vec<AttributeDocument<'s>>,
    meta: DocumentMeta,
}

/// An attribute with its characteristics (RFC 7643 §7).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "Attribute"))]
pub struct AttributeDocument<'s> {
    name: &'s str,
    #[serde(rename = "type")]
    kind: &'s str,
    multi_valued: bool,
    description: &'s str,
    required: bool,
    mutability: &'s str,
    returned: &'s str,
    uniqueness: &'s str,
    #[serde(skip_serializing_if = "Option::is_none")]
    case_exact: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    canonical_values: Vec<&'s str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reference_types: Vec<&'s str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_attributes: Option<Vec<AttributeDocument<'s>>>,
}

impl<'s> SchemaDocument<'s> {
    pub fn new(schema: &'s Schema, base: &str) -> Self {
        SchemaDocument {
            schemas: [SCHEMA],
            id: schema.id(),
            name: &schema.name,
            description: &schema.description,
            attributes: schema.attributes.iter().map(attribute).collect(),
            meta: DocumentMeta {
                resource_type: "Schema",
                location: format!("{base}/Schemas/{}", schema.id()),
            },
        }
    }
}

fn attribute(described: &Attribute) -> AttributeDocument<'_> {
    let is_complex = described.kind == Kind::Complex;
    let subs = || described.sub_attributes.iter().map(attribute).collect();
    AttributeDocument {
        name: described.name(),
        kind: described.kind.name(),
        multi_valued: described.multi_valued,
        description: &described.description,
        required: described.required,
        mutability: described.mutability.name(),
        returned: described.returned.name(),
        uniqueness: described.uniqueness.name(),
        case_exact: (!is_complex).then_some(described.case_exact),
        canonical_values: described.canonical_values.iter().collect(),
        reference_types: described.reference_types.iter().collect(),
        sub_attributes: is_complex.then(subs),
    }
}
