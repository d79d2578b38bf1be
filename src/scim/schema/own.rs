//! The schemas that a tenant has of its own, beside those that all tenants have: declared by an administrator, or learned from what its
//! identity provider sends. They are kept as documents (RFC 7643 §7), and were checked before they were kept.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use super::assignable::Assignable;
use super::attribute::{Attribute, Kind, Mutability, Returned, Schema};
use super::document::{list, text};
use super::resource_type::{ResourceType, Shape};
use super::resource_types::RESOURCE_TYPES;
use super::shared::{List, Shared, Texts};

/// A tenant's own schemas at one revision.
#[derive(Debug, Default)]
pub struct OwnSchemas {
    /// Grows with every change of them, and of what becomes of what is in none; 0 where nothing was ever set.
    pub revision: i64,
    /// Whether what is in no schema is dropped, where the profile would learn it.
    pub drops_unknown: bool,
    /// The documents that they are read from: an array of JSON, or empty.
    pub documents: String,
    by_type: [Vec<Arc<Schema>>; RESOURCE_TYPES.len()],
    /// The roles and entitlements that there are.
    pub assignable: Assignable,
    /// The schema of users, where it is another one by these.
    user: Option<Arc<Schema>>,
}

impl OwnSchemas {
    /// Reads the documents, an array of JSON: `id`, `resource_type`, `name`, `description` and `attributes` each; and one with `roles`
    /// and `entitlements`, where the tenant says which there are.
    pub fn read(revision: i64, drops_unknown: bool, documents: String) -> Self {
        let all: Vec<Value> = serde_json::from_str(&documents).unwrap_or_default();
        let by_type = RESOURCE_TYPES.map(|resource_type| {
            let of_type = all
                .iter()
                .filter(|one| text(one, "resource_type") == resource_type.name);
            of_type.map(schema).map(Arc::new).collect()
        });
        let assignable = all.iter().find(|one| one.get("id").is_none());
        let assignable = assignable.map(Assignable::read).unwrap_or_default();
        OwnSchemas {
            user: assignable.user(),
            assignable,
            revision,
            drops_unknown,
            documents,
            by_type,
        }
    }

    /// A resource type as the tenant has it.
    pub fn shape(&self, resource_type: &'static ResourceType) -> Shape<'_> {
        let mut by_type = RESOURCE_TYPES.iter().zip(&self.by_type);
        let own = by_type.find(|(of, _)| of.name == resource_type.name);
        let shape = resource_type.with(own.map_or(&[], |(_, own)| own));
        match self.user_of(resource_type) {
            Some(schema) => Shape { schema, ..shape },
            None => shape,
        }
    }

    /// The core schema of a resource type as the tenant has it.
    pub fn core(&self, resource_type: &'static ResourceType) -> Shared<Schema> {
        let own = self.user_of(resource_type).map(Shared::from);
        own.unwrap_or(Shared::Constant(resource_type.schema))
    }

    fn user_of(&self, resource_type: &ResourceType) -> Option<&Arc<Schema>> {
        let own = self.user.as_ref();
        own.filter(|own| own.id() == resource_type.schema.id())
    }
}

/// There is one of each revision.
impl PartialEq for OwnSchemas {
    fn eq(&self, other: &Self) -> bool {
        self.revision == other.revision
    }
}

impl Eq for OwnSchemas {}

/// Reads a document.
fn schema(document: &Value) -> Schema {
    let id: Cow<'static, str> = text(document, "id").to_owned().into();
    let is_learned = document.get("learned") == Some(&Value::Bool(true));
    Schema {
        key: id.clone(),
        id,
        former: &[],
        name: text(document, "name").to_owned().into(),
        description: text(document, "description").to_owned().into(),
        attributes: attributes(document, "attributes", is_learned),
        is_learned,
    }
}

fn attributes(document: &Value, name: &str, is_learned: bool) -> List<Attribute> {
    List::Own(
        list(document, name)
            .iter()
            .map(|one| attribute(one, is_learned))
            .map(Arc::new)
            .collect(),
    )
}

/// Reads an attribute (RFC 7643 §7). What is not said is as RFC 7643 §2.2 has it.
fn attribute(document: &Value, is_learned: bool) -> Attribute {
    let kind = Kind::from_name(text(document, "type")).unwrap_or(Kind::String);
    let is = |name: &str| document.get(name).and_then(Value::as_bool);
    let (name, description) = (text(document, "name"), text(document, "description"));
    let plain = Attribute::of(name.to_owned().into(), kind, description.to_owned().into());
    Attribute {
        multi_valued: is("multiValued").unwrap_or_default(),
        required: is("required").unwrap_or_default(),
        case_exact: is("caseExact").unwrap_or(plain.case_exact),
        mutability: Mutability::from_name(text(document, "mutability"))
            .unwrap_or(Mutability::ReadWrite),
        returned: Returned::from_name(text(document, "returned")).unwrap_or(Returned::Default),
        is_lookup: is("lookup").unwrap_or_default(),
        canonical_values: texts(document, "canonicalValues"),
        reference_types: texts(document, "referenceTypes"),
        sub_attributes: attributes(document, "subAttributes", is_learned),
        is_learned,
        ..plain
    }
}

fn texts(document: &Value, name: &str) -> Texts {
    let texts = list(document, name).iter().filter_map(Value::as_str);
    Texts::Own(texts.map(str::to_owned).collect())
}
