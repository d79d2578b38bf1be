//! What resource types are made of, and how their attributes are found.

use super::attribute::{Attribute, Schema, find};
use super::common::COMMON;

/// A kind of resource: its core schema and its extensions (RFC 7643 §6).
#[derive(Debug)]
pub struct ResourceType {
    pub name: &'static str,
    pub endpoint: &'static str,
    /// The attribute that says who is in it, or what it is in.
    pub memberships: &'static str,
    pub schema: &'static Schema,
    pub extensions: &'static [&'static Schema],
}

/// An attribute found in a resource type's schemas.
#[derive(Debug, Clone, Copy)]
pub struct AttributeRef {
    /// The extension it belongs to; none for the core schema and the common attributes.
    pub extension: Option<&'static Schema>,
    pub attribute: &'static Attribute,
    pub sub: Option<&'static Attribute>,
}

impl AttributeRef {
    /// The innermost attribute named: the sub-attribute where there is one.
    pub fn leaf(&self) -> &'static Attribute {
        self.sub.unwrap_or(self.attribute)
    }

    /// Where the attribute is one of those every resource has (RFC 7643 §3.1): `id`, `meta` or `schemas`.
    pub fn is_common(&self) -> bool {
        self.extension.is_none() && matches!(self.attribute.name, "id" | "meta" | "schemas")
    }
}

impl std::fmt::Display for AttributeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(extension) = self.extension {
            write!(f, "{}:", extension.id)?;
        }
        f.write_str(self.attribute.name)?;
        match self.sub {
            Some(sub) => write!(f, ".{}", sub.name),
            None => Ok(()),
        }
    }
}

impl ResourceType {
    /// The attribute of the core schema, or one common to all resources, with that name in any case.
    pub fn core_attribute(&self, name: &str) -> Option<&'static Attribute> {
        find(self.schema.attributes, name).or_else(|| find(COMMON, name))
    }

    /// The extension with that URN, in any case.
    pub fn extension(&self, urn: &str) -> Option<&'static Schema> {
        self.extensions
            .iter()
            .copied()
            .find(|extension| extension.id.eq_ignore_ascii_case(urn))
    }

    /// All attributes a resource of this type can have, each with its extension.
    pub fn attributes(
        &self,
    ) -> impl Iterator<Item = (Option<&'static Schema>, &'static Attribute)> {
        let core = COMMON.iter().chain(self.schema.attributes);
        let extended = self.extensions.iter().flat_map(|extension| {
            extension
                .attributes
                .iter()
                .map(move |attribute| (Some(*extension), attribute))
        });
        core.map(|attribute| (None, attribute)).chain(extended)
    }
}
