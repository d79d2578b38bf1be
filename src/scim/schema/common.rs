//! The attributes that every resource has (RFC 7643 §3.1), and `schemas` (§3).

use super::attribute::{Attribute, Kind, Returned};
use super::shared::List;

const META: &[Attribute] = &[
    Attribute::string("resourceType", "Name of the resource's type")
        .case_exact()
        .read_only(),
    Attribute::new(
        "created",
        Kind::DateTime,
        "When the resource was added here",
    )
    .read_only(),
    Attribute::new(
        "lastModified",
        Kind::DateTime,
        "When the resource last changed here",
    )
    .read_only(),
    Attribute::reference("location", &["uri"], "Address of the resource").read_only(),
    Attribute::string(
        "version",
        "Version of the resource, the same as its entity tag",
    )
    .case_exact()
    .read_only(),
];

/// Attributes outside any schema, found in each resource.
pub static COMMON: List<Attribute> = List::Constant(&[
    Attribute::reference(
        "schemas",
        &["uri"],
        "URNs of the schemas that the resource uses",
    )
    .multi_valued()
    .required()
    .returned(Returned::Always),
    Attribute::string("id", "Identifier given by this service, never reused")
        .as_id()
        .read_only()
        .unique()
        .returned(Returned::Always),
    Attribute::string(
        "externalId",
        "Identifier that the provisioning client gave the resource",
    )
    .case_exact(),
    Attribute::complex("meta", META, "What this service knows about the resource").read_only(),
]);
