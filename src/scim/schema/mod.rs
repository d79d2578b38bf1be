//! Attributes and their characteristics (RFC 7643 §2.2, §7): the one description that validation, filters, PATCH,
//! projection, uniqueness and `/Schemas` all read.
//!
//! Invariants: attribute names are unique without regard to case within their level; every attribute of a resource
//! is found through [`ResourceType::resolve`] and nowhere else.

mod assignable;
mod attribute;
mod common;
mod document;
mod enterprise;
mod group;
mod learning;
mod own;
mod resource_type;
mod resource_types;
mod shared;
mod urn;
mod user;

pub use assignable::{ASSIGNABLE, ENTITLEMENTS, ROLES, resource as assignable_resource};
pub use attribute::{Attribute, Kind, Mutability, Returned, Schema, Uniqueness};
pub use common::COMMON;
pub use enterprise::ENTERPRISE;
pub use group::GROUP;
pub use learning::{Learned, learn};
pub use own::OwnSchemas;
pub use resource_type::{AttributeRef, ResourceType, Shape};
pub use resource_types::{GROUPS, RESOURCE_TYPES, USERS};
pub use shared::{List, Shared, Texts};
pub use urn::{fault_of_urn, is_attribute_name};
pub use user::USER;
