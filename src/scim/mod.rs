//! SCIM 2.0 as RFC 7643 and RFC 7644 define it, and nothing else.
//!
//! Pure functions over JSON: no storage, no HTTP, no clock. The schema stands in one place ([`schema`]), and
//! everything that has to know an attribute (parsing a body, a filter, a PATCH path, a projection) asks it there.

pub mod attribute_path;
pub mod attributes;
pub mod body;
pub mod budget;
mod characters;
pub mod cursor;
pub mod date_time;
pub mod error;
pub mod filter;
pub mod fold;
pub mod forgiven;
pub mod lengths;
pub mod member;
pub mod name;
pub mod normal_form;
pub mod patch;
pub mod pieces;
pub mod profile;
pub mod projection;
pub mod render;
pub mod resource;
pub mod schema;
pub mod secrets;
pub mod security_events;
pub mod value;
pub mod version;

/// Schema URN of a list reply (RFC 7644 §3.4.2).
pub const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// Schema URN of a search body (RFC 7644 §3.4.3).
pub const SEARCH_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
/// Schema URN of a PATCH body (RFC 7644 §3.5.2).
pub const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// Schema URN of a Bulk body (RFC 7644 §3.7).
pub const BULK_REQUEST: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
/// Schema URN of the answer to it.
pub const BULK_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:BulkResponse";
/// Schema URN of an error body (RFC 7644 §3.12).
pub const ERROR: &str = "urn:ietf:params:scim:api:messages:2.0:Error";
