//! What is said of a tenant's own schemas over HTTP.

use serde::{Deserialize, Serialize};

use crate::api::http::input::{Text, Time};
use crate::error::{Error, Result};
use crate::scim::schema::{GROUPS, Kind, Mutability, ResourceType, Returned, USERS};
use crate::store::own_schemas::Kept;

/// What resources an extension is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum Extended {
    User,
    Group,
}

impl Extended {
    pub fn resource_type(self) -> &'static ResourceType {
        match self {
            Extended::User => &USERS,
            Extended::Group => &GROUPS,
        }
    }
}

/// Whether the service keeps resources from sharing a value: of no attribute of a tenant's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum NoUniqueness {
    None,
}

/// An attribute, as RFC 7643 §7 describes it; what is left out is as §2.2 has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct OwnAttribute {
    /// A letter, and letters, digits, `-` and `_` behind it. It has no case.
    pub name: Text<1, 100>,
    /// `string` where it is left out.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multi_valued: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<0, 1_000>>,
    /// Whether it is there wherever something of its schema is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required: Option<bool>,
    /// Of texts: in `strict` there are no others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(length(max = 100)))]
    pub canonical_values: Option<Vec<Text<1, 200>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case_exact: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mutability: Option<Mutability>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub returned: Option<Returned>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uniqueness: Option<NoUniqueness>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(length(max = 20)))]
    pub reference_types: Option<Vec<Text<1, 200>>>,
    /// Whether resources are found by it without a look at all of them: of three attributes of a tenant at most, texts or references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookup: Option<bool>,
    /// Of a `complex` one, and of no other: at least one, none of them complex or multi-valued.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "openapi", schemars(length(min = 1)))]
    pub sub_attributes: Option<Vec<OwnAttribute>>,
}

impl OwnAttribute {
    pub fn kind(&self) -> Kind {
        self.kind.unwrap_or(Kind::String)
    }

    pub fn subs(&self) -> &[OwnAttribute] {
        self.sub_attributes.as_deref().unwrap_or_default()
    }
}

/// A schema to be declared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct OwnSchemaCreate {
    /// Its URN, which clients name it by, such as `urn:ietf:params:scim:schemas:extension:Acme:2.0:User`.
    pub id: Text<1, 200>,
    pub resource_type: Extended,
    /// For people to read.
    pub name: Text<1, 200>,
    #[serde(default)]
    pub description: Option<Text<0, 1_000>>,
    #[cfg_attr(feature = "openapi", schemars(length(min = 1, max = 100)))]
    pub attributes: Vec<OwnAttribute>,
}

/// What is to change; what is left out or null stays as it is. A schema that was learned is declared by it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct OwnSchemaUpdate {
    /// For people to read.
    #[serde(default)]
    pub name: Option<Text<1, 200>>,
    #[serde(default)]
    pub description: Option<Text<0, 1_000>>,
    /// All that there are to be. Of one that resources have values of, the type stays or becomes `string`.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(length(min = 1, max = 100)))]
    pub attributes: Option<Vec<OwnAttribute>>,
}

/// A schema of a tenant's own, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct OwnSchema {
    /// Its URN.
    pub id: String,
    pub resource_type: Extended,
    /// For people to read.
    pub name: String,
    pub description: String,
    pub attributes: Vec<OwnAttribute>,
    /// Whether it was learned from what an identity provider sends, and nobody has declared it.
    pub learned: bool,
}

/// A schema of a tenant's own.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct OwnSchemaResponse {
    #[serde(flatten)]
    pub schema: OwnSchema,
    pub created_at: Time,
    pub updated_at: Time,
}

/// A schema as replies show it.
pub fn show(kept: Kept) -> Result<OwnSchemaResponse> {
    Ok(OwnSchemaResponse {
        schema: schema(kept.document)?,
        created_at: Time(kept.created_at),
        updated_at: Time(kept.updated_at),
    })
}

/// Reads a document as it is kept.
pub fn schema(document: serde_json::Value) -> Result<OwnSchema> {
    serde_json::from_value(document).map_err(|error| Error::internal(format!("a schema: {error}")))
}
