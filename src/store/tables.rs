//! Which table holds what.

use crate::scim::schema::ResourceType;

/// Name of a resource type's table.
pub fn table(resource_type: &ResourceType) -> &'static str {
    match resource_type.name {
        "Group" => "groups",
        _ => "users",
    }
}
