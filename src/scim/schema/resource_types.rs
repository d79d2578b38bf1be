//! The resource types that all tenants have.

use super::enterprise::ENTERPRISE;
use super::group::GROUP;
use super::resource_type::ResourceType;
use super::user::USER;

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
