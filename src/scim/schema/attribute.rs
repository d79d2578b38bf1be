//! What attributes and schemas are made of.

use crate::scim::profile::Profile;

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

pub(super) fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes
        .iter()
        .find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
