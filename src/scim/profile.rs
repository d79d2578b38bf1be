//! How closely a tenant's clients are held to the RFCs.

use serde::{Deserialize, Serialize};

/// One switch for all tolerances: there is never one for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum Profile {
    /// Understands what identity providers really send.
    #[default]
    Compat,
    /// RFC 7643 and RFC 7644 to the letter.
    Strict,
}

impl Profile {
    pub const fn name(self) -> &'static str {
        match self {
            Profile::Compat => "compat",
            Profile::Strict => "strict",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "compat" => Some(Profile::Compat),
            "strict" => Some(Profile::Strict),
            _ => None,
        }
    }

    pub fn is_strict(self) -> bool {
        self == Profile::Strict
    }
}
