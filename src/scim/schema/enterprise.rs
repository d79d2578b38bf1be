//! The enterprise extension of User (RFC 7643 §4.3).

use std::borrow::Cow;

use super::attribute::{Attribute, Schema};
use super::shared::List;

const MANAGER: &[Attribute] = &[
    Attribute::string("value", "Id of the manager's own user resource").case_exact(),
    Attribute::reference("$ref", &["User"], "Address of the manager's user resource"),
    Attribute::string("displayName", "The manager's display name").read_only(),
];

/// EnterpriseUser: what an employer records about a user.
pub static ENTERPRISE: Schema = Schema {
    id: Cow::Borrowed("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"),
    former: &[
        "urn:scim:schemas:extension:enterprise:2.0",
        "urn:scim:schemas:extension:enterprise:1.0",
    ],
    name: Cow::Borrowed("EnterpriseUser"),
    description: Cow::Borrowed("Enterprise User"),
    key: Cow::Borrowed("enterprise"),
    attributes: List::Constant(&[
        Attribute::string(
            "employeeNumber",
            "Number or code that the organisation gave the person",
        ),
        Attribute::string("costCenter", "Name of a cost centre"),
        Attribute::string("organization", "Name of an organisation"),
        Attribute::string("division", "Name of a division"),
        Attribute::string("department", "Name of a department"),
        Attribute::complex("manager", MANAGER, "The user's manager"),
    ]),
    is_learned: false,
};
