//! The secrets of set-up links, which begin with `rsl_`, and what such a link opens.

use serde::{Deserialize, Serialize};

use super::secret;
use crate::platform::Entropy;
use crate::store::identity_providers::Protocol;

const PREFIX: &str = "rsl_";

/// A link's secret in the clear. It has no `Debug` and no `Serialize`.
pub struct SetupSecret(String);

impl SetupSecret {
    pub fn generate(entropy: &dyn Entropy) -> Result<Self, String> {
        secret::generate(PREFIX, entropy).map(SetupSecret)
    }

    /// Takes a credential for a link's secret where its form and its checksum are right.
    pub fn parse(text: &str) -> Option<Self> {
        secret::is_whole(PREFIX, text).then(|| SetupSecret(text.to_owned()))
    }

    /// The text, for the one reply that shows it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the link is found by.
    pub fn hash(&self) -> String {
        secret::hash(&self.0)
    }
}

/// What a link opens of its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum Allowance {
    /// SCIM tokens.
    Scim,
    /// Identity providers that people log in by: OIDC and SAML.
    Sso,
    /// LDAP directories.
    Directory,
}

impl Allowance {
    pub const ALL: [Allowance; 3] = [Allowance::Scim, Allowance::Sso, Allowance::Directory];

    pub const fn name(self) -> &'static str {
        match self {
            Allowance::Scim => "scim",
            Allowance::Sso => "sso",
            Allowance::Directory => "directory",
        }
    }

    /// What it takes to set up an identity provider.
    pub const fn of_protocol(protocol: Protocol) -> Self {
        match protocol {
            Protocol::Oidc | Protocol::Saml => Allowance::Sso,
            Protocol::Ldap => Allowance::Directory,
        }
    }
}

/// What a link opens, as one column holds it: names between spaces.
pub fn to_stored(allows: &[Allowance]) -> String {
    let names: Vec<&str> = allows.iter().map(|allowed| allowed.name()).collect();
    names.join(" ")
}

/// Reads [`to_stored`]; a name that this version does not know opens nothing.
pub fn from_stored(text: &str) -> Vec<Allowance> {
    let known = |name: &str| {
        Allowance::ALL
            .into_iter()
            .find(|known| known.name() == name)
    };
    text.split(' ').filter_map(known).collect()
}
