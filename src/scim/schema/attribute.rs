//! What attributes and schemas are made of.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::shared::{List, Shared, Texts};
use crate::scim::profile::Profile;

/// Data type of an attribute (RFC 7643 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
    pub const ALL: [Kind; 8] = [
        Kind::String,
        Kind::Boolean,
        Kind::Decimal,
        Kind::Integer,
        Kind::DateTime,
        Kind::Binary,
        Kind::Reference,
        Kind::Complex,
    ];

    /// The one that has that name in `/Schemas`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum Mutability {
    ReadOnly,
    ReadWrite,
    Immutable,
    WriteOnly,
}

impl Mutability {
    pub const ALL: [Mutability; 4] = [
        Mutability::ReadOnly,
        Mutability::ReadWrite,
        Mutability::Immutable,
        Mutability::WriteOnly,
    ];

    /// The one that has that name in `/Schemas`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum Returned {
    Always,
    Never,
    Default,
    /// Where a client names it.
    Request,
}

impl Returned {
    pub const ALL: [Returned; 4] = [
        Returned::Always,
        Returned::Never,
        Returned::Default,
        Returned::Request,
    ];

    /// The one that has that name in `/Schemas`.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Returned::Always => "always",
            Returned::Never => "never",
            Returned::Default => "default",
            Returned::Request => "request",
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
#[derive(Debug, Clone)]
pub struct Attribute {
    pub(super) name: Cow<'static, str>,
    pub kind: Kind,
    pub description: Cow<'static, str>,
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
    /// Whether resources are found by it without a look at all of them: of a tenant's own attributes, which have no columns.
    pub is_lookup: bool,
    /// Whether it was learned from what an identity provider sends: then no value is refused for its type.
    pub is_learned: bool,
    pub canonical_values: Texts,
    pub reference_types: Texts,
    pub sub_attributes: List<Attribute>,
}

impl Attribute {
    /// An attribute with the defaults of RFC 7643 §2.2: optional, single-valued, read-write, returned by default.
    pub const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self::of(Cow::Borrowed(name), kind, Cow::Borrowed(description))
    }

    /// The same, of texts of whatever origin.
    pub const fn of(name: Cow<'static, str>, kind: Kind, description: Cow<'static, str>) -> Self {
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
            is_lookup: false,
            is_learned: false,
            canonical_values: Texts::Constant(&[]),
            reference_types: Texts::Constant(&[]),
            sub_attributes: List::Constant(&[]),
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
        put(&mut attribute.reference_types, Texts::Constant(types));
        attribute
    }

    pub const fn complex(
        name: &'static str,
        sub_attributes: &'static [Attribute],
        description: &'static str,
    ) -> Self {
        let mut attribute = Self::new(name, Kind::Complex, description);
        put(
            &mut attribute.sub_attributes,
            List::Constant(sub_attributes),
        );
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
        put(&mut self.canonical_values, Texts::Constant(values));
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

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a text is none of its canonical values, where a tenant has set them: those of the core schemas are suggestions
    /// (RFC 7643 §7).
    pub fn is_closed_to(&self, text: &str) -> bool {
        match &self.canonical_values {
            Texts::Own(values) if !values.is_empty() => {
                let mut values = values.iter();
                !values.any(|value| match self.case_exact {
                    true => value == text,
                    false => value.eq_ignore_ascii_case(text),
                })
            }
            _ => false,
        }
    }

    /// Whether it is a group's members, which are a set by their ids.
    pub fn is_members(&self) -> bool {
        self.name == "members" && self.sub("value").is_some_and(|value| value.is_id)
    }

    /// The sub-attribute of that name, in any case (RFC 7643 §2.1).
    pub fn sub(&self, name: &str) -> Option<Shared<Attribute>> {
        find(&self.sub_attributes, name)
    }

    /// The sub-attribute that stands for a complex attribute where a filter or a PATCH names the attribute alone
    /// (RFC 7643 §2.4: the significant value is `value`).
    pub fn default_sub(&self) -> Option<Shared<Attribute>> {
        self.sub("value")
    }
}

/// Puts a constant in the place of another, which need not be dropped.
const fn put<T>(place: &mut T, constant: T) {
    std::mem::forget(std::mem::replace(place, constant));
}

/// A schema: a URN with the attributes it defines.
#[derive(Debug, Clone)]
pub struct Schema {
    pub(super) id: Cow<'static, str>,
    /// URNs that older clients have for it.
    pub former: &'static [&'static str],
    pub name: Cow<'static, str>,
    /// As RFC 7643 §8.7.1 has it.
    pub description: Cow<'static, str>,
    /// Name of the schema's object in the stored filter keys, where it is an extension; short where every row has it.
    pub key: Cow<'static, str>,
    pub attributes: List<Attribute>,
    /// Whether it was learned from what an identity provider sends, and nobody has declared it.
    pub is_learned: bool,
}

impl Schema {
    /// One that all tenants have.
    pub const fn constant(
        id: &'static str,
        name: &'static str,
        description: &'static str,
        attributes: &'static [Attribute],
    ) -> Self {
        Schema {
            id: Cow::Borrowed(id),
            former: &[],
            name: Cow::Borrowed(name),
            description: Cow::Borrowed(description),
            key: Cow::Borrowed(id),
            attributes: List::Constant(attributes),
            is_learned: false,
        }
    }

    /// The URN.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The attribute of that name, in any case.
    pub fn attribute(&self, name: &str) -> Option<Shared<Attribute>> {
        find(&self.attributes, name)
    }

    /// The URNs that name it; in `compat` also those that it had.
    pub fn names(&self, profile: Profile) -> impl Iterator<Item = &str> {
        let former = match profile {
            Profile::Compat => self.former,
            Profile::Strict => &[],
        };
        std::iter::once(self.id()).chain(former.iter().copied())
    }
}

pub(super) fn find(attributes: &List<Attribute>, name: &str) -> Option<Shared<Attribute>> {
    attributes.find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}
