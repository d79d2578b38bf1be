//! What can be wrong with a SCIM request, in the words of RFC 7644 §3.12 (table 9) and RFC 9865 §2.

use std::fmt;

use serde::Serialize;

use crate::at::At;

/// Detail error keyword of a SCIM error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum ScimType {
    InvalidFilter,
    TooMany,
    Uniqueness,
    Mutability,
    InvalidSyntax,
    InvalidPath,
    NoTarget,
    InvalidValue,
    InvalidVers,
    Sensitive,
    /// RFC 9865 §2.1: the cursor is not one of ours, or was changed.
    InvalidCursor,
    /// RFC 9865 §2.1: the cursor is too old.
    ExpiredCursor,
    /// RFC 9865 §2.1: `count` does not go with the cursor.
    InvalidCount,
}

impl ScimType {
    const ALL: [ScimType; 13] = [
        ScimType::InvalidFilter,
        ScimType::TooMany,
        ScimType::Uniqueness,
        ScimType::Mutability,
        ScimType::InvalidSyntax,
        ScimType::InvalidPath,
        ScimType::NoTarget,
        ScimType::InvalidValue,
        ScimType::InvalidVers,
        ScimType::Sensitive,
        ScimType::InvalidCursor,
        ScimType::ExpiredCursor,
        ScimType::InvalidCount,
    ];

    /// Reads a keyword.
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = ScimType::ALL.into_iter();
        all.find(|scim_type| scim_type.name() == name)
    }

    /// The keyword as it stands in the body.
    pub const fn name(self) -> &'static str {
        match self {
            ScimType::InvalidFilter => "invalidFilter",
            ScimType::TooMany => "tooMany",
            ScimType::Uniqueness => "uniqueness",
            ScimType::Mutability => "mutability",
            ScimType::InvalidSyntax => "invalidSyntax",
            ScimType::InvalidPath => "invalidPath",
            ScimType::NoTarget => "noTarget",
            ScimType::InvalidValue => "invalidValue",
            ScimType::InvalidVers => "invalidVers",
            ScimType::Sensitive => "sensitive",
            ScimType::InvalidCursor => "invalidCursor",
            ScimType::ExpiredCursor => "expiredCursor",
            ScimType::InvalidCount => "invalidCount",
        }
    }

    /// The HTTP status that goes with it: 400 but for two (RFC 7644 §3.12).
    pub const fn status(self) -> u16 {
        match self {
            ScimType::Uniqueness => 409,
            ScimType::Sensitive => 403,
            _ => 400,
        }
    }
}

/// A request that SCIM refuses: the keyword and a sentence that names the offending part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    pub scim_type: ScimType,
    pub detail: String,
    pub at: At,
}

impl Error {
    #[track_caller]
    pub fn new(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Error {
            scim_type,
            detail: detail.into(),
            at: At::here(),
        }
    }

    #[track_caller]
    pub fn syntax(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidSyntax, detail)
    }

    #[track_caller]
    pub fn value(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidValue, detail)
    }

    #[track_caller]
    pub fn path(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidPath, detail)
    }

    #[track_caller]
    pub fn filter(detail: impl Into<String>) -> Self {
        Self::new(ScimType::InvalidFilter, detail)
    }

    #[track_caller]
    pub fn mutability(detail: impl Into<String>) -> Self {
        Self::new(ScimType::Mutability, detail)
    }

    #[track_caller]
    pub fn no_target(detail: impl Into<String>) -> Self {
        Self::new(ScimType::NoTarget, detail)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.scim_type.name(), self.detail)
    }
}

impl std::error::Error for Error {}

/// Result of anything SCIM can refuse.
pub type Result<T> = std::result::Result<T, Error>;
