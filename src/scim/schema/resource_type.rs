//! What resource types are made of, and how their attributes are found.

use std::ops::Deref;
use std::sync::Arc;

use super::attribute::{Attribute, Returned, Schema, find};
use super::common::COMMON;
use super::enterprise::ENTERPRISE;
use super::shared::Shared;

/// A kind of resource: its core schema and the extensions that all tenants have (RFC 7643 §6).
#[derive(Debug)]
pub struct ResourceType {
    pub name: &'static str,
    pub endpoint: &'static str,
    /// The attribute that says who is in it, or what it is in.
    pub memberships: &'static str,
    pub schema: &'static Schema,
    pub extensions: &'static [&'static Schema],
}

impl ResourceType {
    /// The resource type as it is for who has no schemas of their own.
    pub fn plain(&'static self) -> Shape<'static> {
        self.with(&[])
    }

    /// The resource type with a tenant's own extensions.
    pub fn with<'s>(&'static self, own: &'s [Arc<Schema>]) -> Shape<'s> {
        Shape {
            resource_type: self,
            schema: self.schema,
            own,
        }
    }
}

/// A resource type as a tenant has it: with the tenant's own extensions behind those that all have.
#[derive(Debug, Clone, Copy)]
pub struct Shape<'s> {
    pub resource_type: &'static ResourceType,
    /// The core schema, which for a tenant may have other values that attributes take.
    pub schema: &'s Schema,
    pub own: &'s [Arc<Schema>],
}

impl Deref for Shape<'_> {
    type Target = ResourceType;

    fn deref(&self) -> &ResourceType {
        self.resource_type
    }
}

impl<'s> Shape<'s> {
    /// The attributes common to all resources, and those of the core schema.
    pub fn core(self) -> impl Iterator<Item = &'s Attribute> {
        COMMON.iter().chain(self.schema.attributes.iter())
    }

    /// The attribute of the core schema, or one common to all resources, with that name in any case.
    pub fn core_attribute(self, name: &str) -> Option<Shared<Attribute>> {
        let found = self.schema.attribute(name);
        found.or_else(|| find(&COMMON, name))
    }

    /// All extensions, in the order in which they are written.
    pub fn extensions(self) -> impl Iterator<Item = Shared<Schema>> + use<'s> {
        let constant = self.resource_type.extensions.iter();
        let own = self.own.iter().map(Shared::from);
        constant.map(|schema| Shared::Constant(*schema)).chain(own)
    }

    /// Whether resources are looked up by something of the tenant's own.
    pub fn has_lookups(self) -> bool {
        let mut own = self.own.iter().flat_map(|own| own.attributes.iter());
        own.any(|attribute| attribute.is_lookup)
    }

    /// The URNs of all extensions.
    pub fn extension_ids(self) -> impl Iterator<Item = &'s str> {
        let constant = self.resource_type.extensions.iter().map(|one| one.id());
        constant.chain(self.own.iter().map(|one| one.id()))
    }

    /// The extension with that URN, in any case.
    pub fn extension(self, urn: &str) -> Option<Shared<Schema>> {
        self.extensions()
            .find(|extension| extension.id().eq_ignore_ascii_case(urn))
    }
}

/// An attribute found in a resource type's schemas.
#[derive(Debug, Clone)]
pub struct AttributeRef {
    /// The extension it belongs to; none for the core schema and the common attributes.
    pub extension: Option<Shared<Schema>>,
    pub attribute: Shared<Attribute>,
    pub sub: Option<Shared<Attribute>>,
}

impl AttributeRef {
    /// The innermost attribute named: the sub-attribute where there is one.
    pub fn leaf(&self) -> &Attribute {
        self.sub.as_ref().unwrap_or(&self.attribute)
    }

    /// The same attribute with another sub-attribute, or none.
    pub fn with_sub(&self, sub: Option<Shared<Attribute>>) -> Self {
        AttributeRef {
            sub,
            ..self.clone()
        }
    }

    /// Whether it may be compared and sorted by: of what is never returned, that would tell it bit by bit.
    pub fn is_readable(&self) -> bool {
        let is_readable = |one: &Attribute| one.returned != Returned::Never;
        is_readable(&self.attribute) && is_readable(self.leaf())
    }

    /// Whether resources are looked up by it, as a tenant's own schema says.
    pub fn is_lookup(&self) -> bool {
        self.sub.is_none() && self.attribute.is_lookup
    }

    /// Whether it is that attribute of the core schema, or a part of it.
    pub fn is_core(&self, name: &str) -> bool {
        self.extension.is_none() && self.attribute.name() == name
    }

    /// Whether it is of the enterprise extension (RFC 7643 §4.3).
    pub fn is_enterprise(&self) -> bool {
        matches!(&self.extension, Some(extension) if extension.id() == ENTERPRISE.id())
    }

    /// Where the attribute is one of those every resource has (RFC 7643 §3.1): `id`, `meta` or `schemas`.
    pub fn is_common(&self) -> bool {
        self.extension.is_none() && matches!(self.attribute.name(), "id" | "meta" | "schemas")
    }
}

impl std::fmt::Display for AttributeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(extension) = &self.extension {
            write!(f, "{}:", extension.id())?;
        }
        f.write_str(self.attribute.name())?;
        match &self.sub {
            Some(sub) => write!(f, ".{}", sub.name()),
            None => Ok(()),
        }
    }
}
