//! Roles and entitlements that a tenant says there are: resources of their own, which are read only, and what users' `roles` and
//! `entitlements` take (draft-ietf-scim-roles-entitlements).
//!
//! Okta finds them by the schema of their resource type, whose URN is its own; its resources have `displayName` where those of the
//! draft have `display`: these have both.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::attribute::{Attribute, Kind, Schema};
use super::document::{list, text};
use super::resource_type::ResourceType;
use super::shared::{List, Texts};
use super::user::USER;

const fn described(name: &'static str, description: &'static str) -> Attribute {
    Attribute::string(name, description).read_only()
}

const ATTRIBUTES: &[Attribute] = &[
    described("displayName", "Name for people to read"),
    described("value", "What a user has who has it"),
    described("display", "Name for people to read"),
    described("type", "What it is used for"),
    described("description", "What it allows"),
    Attribute::new(
        "supported",
        Kind::Boolean,
        "Whether it can be given to users",
    )
    .read_only(),
];

const fn schema(id: &'static str, name: &'static str, description: &'static str) -> Schema {
    Schema::constant(id, name, description, ATTRIBUTES)
}

static ROLE: Schema = schema(
    "urn:okta:scim:schemas:core:1.0:Role",
    "Role",
    "A role that users can have",
);
static ENTITLEMENT: Schema = schema(
    "urn:okta:scim:schemas:core:1.0:Entitlement",
    "Entitlement",
    "An entitlement that users can have",
);

const fn of(name: &'static str, endpoint: &'static str, schema: &'static Schema) -> ResourceType {
    ResourceType {
        name,
        endpoint,
        memberships: "",
        schema,
        extensions: &[],
    }
}

pub static ROLES: ResourceType = of("Role", "/Roles", &ROLE);
pub static ENTITLEMENTS: ResourceType = of("Entitlement", "/Entitlements", &ENTITLEMENT);

/// The two, each with the attribute of users that takes it.
pub static ASSIGNABLE: [(&ResourceType, &str); 2] =
    [(&ROLES, "roles"), (&ENTITLEMENTS, "entitlements")];

/// What a tenant says there is: as many of each as there may be (see [`ASSIGNABLE`]).
#[derive(Debug, Default)]
pub struct Assignable([Vec<Value>; 2]);

impl Assignable {
    /// Reads the document that has it: `roles` and `entitlements`, each a list of `value`, `display`, `type`, `description` and
    /// `supported`.
    pub fn read(document: &Value) -> Self {
        Assignable(ASSIGNABLE.map(|(_, attribute)| list(document, attribute).to_vec()))
    }

    /// As it is stored; none where there are none.
    pub fn to_stored(&self) -> Option<String> {
        let Assignable([roles, entitlements]) = self;
        let is_empty = roles.is_empty() && entitlements.is_empty();
        (!is_empty).then(|| json!({"roles": roles, "entitlements": entitlements}).to_string())
    }

    /// Those of a resource type.
    pub fn of(&self, resource_type: &ResourceType) -> &[Value] {
        let mut all = ASSIGNABLE.iter().zip(&self.0);
        let found = all.find(|((of, _), _)| of.name == resource_type.name);
        found.map_or(&[], |(_, all)| all)
    }

    /// The schema of users, whose `roles` and `entitlements` take these and no others; none where there are none.
    pub fn user(&self) -> Option<Arc<Schema>> {
        if self.0.iter().all(Vec::is_empty) {
            return None;
        }
        let attributes = USER.attributes.iter().map(|attribute| {
            let mut all = ASSIGNABLE.iter().zip(&self.0);
            let values = all.find(|((_, name), all)| *name == attribute.name() && !all.is_empty());
            Arc::new(match values {
                Some((_, values)) => closed(attribute, values),
                None => attribute.clone(),
            })
        });
        Some(Arc::new(Schema {
            attributes: List::Own(attributes.collect()),
            ..USER.clone()
        }))
    }
}

/// The attribute, whose `value` is one of those.
fn closed(attribute: &Attribute, values: &[Value]) -> Attribute {
    let values = values.iter().map(|one| text(one, "value").to_owned());
    let values = values.collect::<Vec<_>>();
    let parts = attribute.sub_attributes.iter().map(|part| {
        let mut part = part.clone();
        if part.name() == "value" {
            part.canonical_values = Texts::Own(values.clone());
        }
        Arc::new(part)
    });
    Attribute {
        sub_attributes: List::Own(parts.collect()),
        ..attribute.clone()
    }
}

/// One as its resource, at an address below the base of all of them. Its id is its value, by which it is known; its version is that of all
/// that the tenant has of its own.
pub fn resource(resource_type: &ResourceType, one: &Value, base: &str, version: &str) -> Value {
    let value = text(one, "value");
    let display = match text(one, "display") {
        "" => value,
        display => display,
    };
    let mut resource = json!({
        "schemas": [resource_type.schema.id()],
        "id": value,
        "displayName": display,
    });
    if let (Some(resource), Some(one)) = (resource.as_object_mut(), one.as_object()) {
        resource.extend(one.clone());
        resource.insert("display".to_owned(), display.into());
        let location = format!("{base}/{}", utf8_percent_encode(value, NON_ALPHANUMERIC));
        let meta =
            json!({"resourceType": resource_type.name, "location": location, "version": version});
        resource.insert("meta".to_owned(), meta);
    }
    resource
}
