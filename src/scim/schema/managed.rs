//! Rollcall's own extension: who manages a resource that no SCIM client does.

use super::{Attribute, Schema};

/// Managed: on users and groups that a directory sync put here, and on no others. Replies have it, and clients cannot write it.
pub static MANAGED: Schema = Schema {
    id: "urn:rollcall:scim:schemas:extension:2.0:Managed",
    former: &[],
    name: "Managed",
    description: "Who manages a resource that SCIM clients cannot change",
    key: "managed",
    attributes: &[Attribute::string(
        "managedBy",
        "Id of the identity provider whose directory manages the resource",
    )
    .case_exact()
    .read_only()],
};
