//! What the discovery documents are made of (RFC 7643 §5, §6, §7).

use serde::Serialize;

use crate::api::http::request::MAX_BODY_BYTES;
use crate::api::scim::bulk;
use crate::api::scim::list_query;
use crate::scim::schema::{Attribute, Kind, ResourceType, Schema};
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
pub struct ResourceTypeDocument {
    schemas: [&'static str; 1],
    id: &'static str,
    name: &'static str,
    description: &'static str,
    /// Path of the resources below the SCIM base.
    endpoint: &'static str,
    /// URN of the core schema.
    schema: &'static str,
    schema_extensions: Vec<SchemaExtension>,
    meta: DocumentMeta,
}

/// A schema that resources of the type may have besides.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SchemaExtension {
    schema: &'static str,
    required: bool,
}

impl ResourceTypeDocument {
    pub fn new(resource_type: &ResourceType, base: &str) -> Self {
        let extension = |extension: &&'static Schema| SchemaExtension {
            schema: extension.id,
            required: false,
        };
        ResourceTypeDocument {
            schemas: [RESOURCE_TYPE],
            id: resource_type.name,
            name: resource_type.name,
            description: resource_type.schema.description,
            endpoint: resource_type.endpoint,
            schema: resource_type.schema.id,
            schema_extensions: resource_type.extensions.iter().map(extension).collect(),
            meta: DocumentMeta {
                resource_type: "ResourceType",
                location: format!("{base}/ResourceTypes/{}", resource_type.name),
            },
        }
    }
}

/// A schema with its attributes (RFC 7643 §7).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "Schema"))]
pub struct SchemaDocument {
    schemas: [&'static str; 1],
    /// The schema's URN.
    id: &'static str,
    name: &'static str,
    description: &'static str,
    attributes: Vec<AttributeDocument>,
    meta: DocumentMeta,
}

/// An attribute with its characteristics (RFC 7643 §7).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "Attribute"))]
pub struct AttributeDocument {
    name: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    multi_valued: bool,
    description: &'static str,
    required: bool,
    mutability: &'static str,
    returned: &'static str,
    uniqueness: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    case_exact: Option<bool>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    canonical_values: &'static [&'static str],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reference_types: &'static [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_attributes: Option<Vec<AttributeDocument>>,
}

impl SchemaDocument {
    pub fn new(schema: &Schema, base: &str) -> Self {
        SchemaDocument {
            schemas: [SCHEMA],
            id: schema.id,
            name: schema.name,
            description: schema.description,
            attributes: schema.attributes.iter().map(attribute).collect(),
            meta: DocumentMeta {
                resource_type: "Schema",
                location: format!("{base}/Schemas/{}", schema.id),
            },
        }
    }
}

fn attribute(described: &Attribute) -> AttributeDocument {
    let is_complex = described.kind == Kind::Complex;
    let subs = || described.sub_attributes.iter().map(attribute).collect();
    AttributeDocument {
        name: described.name,
        kind: described.kind.name(),
        multi_valued: described.multi_valued,
        description: described.description,
        required: described.required,
        mutability: described.mutability.name(),
        returned: described.returned.name(),
        uniqueness: described.uniqueness.name(),
        case_exact: (!is_complex).then_some(described.case_exact),
        canonical_values: described.canonical_values,
        reference_types: described.reference_types,
        sub_attributes: is_complex.then(subs),
    }
}
