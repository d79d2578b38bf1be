//! Attributes and their characteristics (RFC 7643 §2.2, §7): the one description that validation, filters, PATCH,
//! projection, uniqueness and `/Schemas` all read.
//!
//! Invariants: attribute names are unique without regard to case within their level; every attribute of a resource
//! is found through [`ResourceType::resolve`] and nowhere else.

mod attribute;
mod common;
mod enterprise;
mod group;
mod resource_type;
mod user;

pub use attribute::{Attribute, Kind, Mutability, Returned, Schema, Uniqueness};
pub use common::COMMON;
pub use enterprise::ENTERPRISE;
pub use group::GROUP;
pub use resource_type::{AttributeRef, ResourceType};
pub use user::USER;

/// Users (RFC 7643 §4.1) with the enterprise extension (§4.3). Extensions are written in this order.
pub static USERS: ResourceType = ResourceType {
    name: "User",
    endpoint: "/Users",
    memberships: "groups",
    schema: &USER,
    extensions: &[&ENTERPRISE],
};

/// Groups (RFC 7643 §4.2).
pub static GROUPS: ResourceType = ResourceType {
    name: "Group",
    endpoint: "/Groups",
    memberships: "members",
    schema: &GROUP,
    extensions: &[],
};

/// Every resource type served, in the order in which discovery lists them.
pub static RESOURCE_TYPES: [&ResourceType; 2] = [&USERS, &GROUPS];
