//! The core Group schema (RFC 7643 §4.2).

use std::borrow::Cow;

use super::attribute::{Attribute, Mutability, Schema};
use super::shared::List;

const MEMBERS: &[Attribute] = &[
    Attribute::string("value", "Id of the member")
        .as_id()
        .required()
        .mutability(Mutability::Immutable),
    Attribute::reference("$ref", &["User", "Group"], "Address of the member")
        .mutability(Mutability::Immutable),
    Attribute::string("display", "Name of the member").read_only(),
    Attribute::string("type", "Whether the member is a user or a group")
        .canonical(&["User", "Group"])
        .mutability(Mutability::Immutable),
];

/// Group: a named set of users and groups.
pub static GROUP: Schema = Schema {
    id: Cow::Borrowed("urn:ietf:params:scim:schemas:core:2.0:Group"),
    former: &[],
    name: Cow::Borrowed("Group"),
    description: Cow::Borrowed("Group"),
    key: Cow::Borrowed(""),
    attributes: List::Constant(&[
        Attribute::string("displayName", "Name of the group for people to read")
            .required()
            .as_name(),
        Attribute::complex("members", MEMBERS, "The group's direct members").multi_valued(),
    ]),
    is_learned: false,
};
