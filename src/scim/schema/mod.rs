//! Attributes and their characteristics (RFC 7643 §2.2, §7): the one description that validation, filters, PATCH,
//! projection, uniqueness and `/Schemas` all read.
//!
//! Invariants: attribute names are unique without regard to case within their level; every attribute of a resource
//! is found through [`ResourceType::resolve`] and nowhere else.

mod common;
mod enterprise;
mod group;
mod user;

pub use common::COMMON;
pub use enterprise::ENTERPRISE;
pub use group::GROUP;
pub use user::USER;

use super::profile::Profile;

/// Data type of an attribute (RFC 7643 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    String,
    Boolean,
    Decimal,
    Integer,
    DateTime,
    Binary,
    Reference,
    Complex,
}

impl Kind {
    /// The name that `/Schemas` shows.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::Boolean => "boolean",
            Kind::Decimal => "decimal",
            Kind::Integer => "integer",
            Kind::DateTime => "dateTime",
            Kind::Binary => "binary",
            Kind::Reference => "reference",
            Kind::Complex => "complex",
        }
    }
}

/// Who may write an attribute, and when (RFC 7643 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    ReadOnly,
    ReadWrite,
    Immutable,
    WriteOnly,
}

impl Mutability {
    pub const fn name(self) -> &'static str {
        match self {
            Mutability::ReadOnly => "readOnly",
            Mutability::ReadWrite => "readWrite",
            Mutability::Immutable => "immutable",
            Mutability::WriteOnly => "writeOnly",
        }
    }
}

/// When an attribute is part of a reply (RFC 7643 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    Always,
    Never,
    Default,
}

impl Returned {
    pub const fn name(self) -> &'static str {
        match self {
            Returned::Always => "always",
            Returned::Never => "never",
            Returned::Default => "default",
        }
    }
}

/// Whether the server keeps two resources from sharing a value (RFC 7643 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    None,
    Server,
}

impl Uniqueness {
    pub const fn name(self) -> &'static str {
        match self {
            Uniqueness::None => "none",
            Uniqueness::Server => "server",
        }
    }
}

/// One attribute or sub-attribute with its characteristics (RFC 7643 §7).
#[derive(Debug)]
pub struct Attribute {
    pub name: &'static str,
    pub kind: Kind,
    pub description: &'static str,
    pub multi_valued: bool,
    pub required: bool,
    pub case_exact: bool,
    /// Whether it is a name by which somebody is known and found: see [`name`](super::name) and [`fold`](super::fold).
    pub is_name: bool,
    /// Whether it is the id of a user or group here, which is the same in upper and in lower case, as in a path: see
    /// [`as_kept`](crate::ids::as_kept).
    pub is_id: bool,
    pub mutability: Mutability,
    pub returned: Returned,
    pub uniqueness: Uniqueness,
    pub canonical_values: &'static [&'static str],
    pub reference_types: &'static [&'static str],
    pub sub_attributes: &'static [Attribute],
}

impl Attribute {
    /// An attribute with the defaults of RFC 7643 §2.2: optional, single-valued, read-write, returned by default.
    pub const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Attribute {
            name,
            kind,
            description,
            multi_valued: false,
            required: false,
            // RFC 7643 §2.3.6 and §2.3.7: binary values and references are case-exact by nature.
            case_exact: matches!(kind, Kind::Binary | Kind::Reference),
            is_name: false,
            is_id: false,
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            canonical_values: &[],
            reference_types: &[],
            sub_attributes: &[],
        }
    }

    pub const fn string(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::String, description)
    }

    pub const fn boolean(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::Boolean, description)
    }

    pub const fn reference(
        name: &'static str,
        types: &'static [&'static str],
        description: &'static str,
    ) -> Self {
        let mut attribute = Self::new(name, Kind::Reference, description);
        attribute.reference_types = types;
        attribute
    }

    pub const fn complex(
        name: &'static str,
        sub_attributes: &'static [Attribute],
        description: &'static str,
    ) -> Self {
        let mut attribute = Self::new(name, Kind::Complex, description);
        attribute.sub_attributes = sub_attributes;
        attribute
    }

    pub const fn multi_valued(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub const fn case_exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    pub const fn as_name(mut self) -> Self {
        self.is_name = true;
        self
    }

    pub const fn as_id(mut self) -> Self {
        self.is_id = true;
        self.case_exact()
    }

    pub const fn unique(mut self) -> Self {
        self.uniqueness = Uniqueness::Server;
        self
    }

    pub const fn canonical(mut self, values: &'static [&'static str]) -> Self {
        self.canonical_values = values;
        self
    }

    pub const fn mutability(mut self, mutability: Mutability) -> Self {
        self.mutability = mutability;
        self
    }

    pub const fn returned(mut self, returned: Returned) -> Self {
        self.returned = returned;
        self
    }

    pub const fn read_only(self) -> Self {
        self.mutability(Mutability::ReadOnly)
    }

    /// The sub-attribute of that name, in any case (RFC 7643 §2.1).
    pub fn sub(&'static self, name: &str) -> Option<&'static Attribute> {
        find(self.sub_attributes, name)
    }

    /// The sub-attribute that stands for a complex attribute where a filter or a PATCH names the attribute alone
    /// (RFC 7643 §2.4: the significant value is `value`).
    pub fn default_sub(&'static self) -> Option<&'static Attribute> {
        self.sub("value")
    }
}

/// A schema: a URN with the attributes it defines.
#[derive(Debug)]
pub struct Schema {
    pub id: &'static str,
    /// URNs that older clients have for it.
    pub former: &'static [&'static str],
    pub name: &'static str,
    /// As RFC 7643 §8.7.1 has it.
    pub description: &'static str,
    /// Name of the schema's object in the stored filter keys, where it is an extension; short, because every row has it.
    pub key: &'static str,
    pub attributes: &'static [Attribute],
}

impl Schema {
    /// The URNs that name it; in `compat` also those that it had.
    pub fn names(&self, profile: Profile) -> impl Iterator<Item = &'static str> {
        let former = match profile {
            Profile::Compat => self.former,
            Profile::Strict => &[],
        };
        std::iter::once(self.id).chain(former.iter().copied())
    }
}

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

fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
