//! Scopes: what a credential may do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A scope of a SCIM token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum Scope {
    #[serde(rename = "users:read")]
    UsersRead,
    #[serde(rename = "users:write")]
    UsersWrite,
    #[serde(rename = "groups:read")]
    GroupsRead,
    #[serde(rename = "groups:write")]
    GroupsWrite,
    #[serde(rename = "bulk")]
    Bulk,
}

impl Scope {
    const ALL: [Scope; 5] = [
        Scope::UsersRead,
        Scope::UsersWrite,
        Scope::GroupsRead,
        Scope::GroupsWrite,
        Scope::Bulk,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Scope::UsersRead => "users:read",
            Scope::UsersWrite => "users:write",
            Scope::GroupsRead => "groups:read",
            Scope::GroupsWrite => "groups:write",
            Scope::Bulk => "bulk",
        }
    }
}

/// The scopes of a SCIM token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    pub fn all() -> Self {
        Scopes(Scope::ALL.into_iter().collect())
    }

    /// What the `scim:read` and `scim:write` of a JWT stand for.
    pub fn of_jwt(read: bool, write: bool) -> Self {
        let granted = |scope: &Scope| match scope {
            Scope::UsersRead | Scope::GroupsRead => read,
            Scope::UsersWrite | Scope::GroupsWrite | Scope::Bulk => write,
        };
        Scopes(Scope::ALL.into_iter().filter(granted).collect())
    }

    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }

    /// The scopes as one column holds them: names between spaces.
    pub fn to_stored(&self) -> String {
        let names: Vec<&str> = self.0.iter().map(|scope| scope.name()).collect();
        names.join(" ")
    }

    /// Reads [`to_stored`](Self::to_stored); a name that this version does not know grants nothing.
    pub fn from_stored(text: &str) -> Self {
        let known = |name: &str| Scope::ALL.into_iter().find(|scope| scope.name() == name);
        Scopes(text.split(' ').filter_map(known).collect())
    }
}
