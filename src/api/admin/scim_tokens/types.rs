//! What is said of SCIM tokens over HTTP.

use serde::{Deserialize, Serialize};

use crate::api::http::input::{Text, Time, Whole, present};
use crate::auth::scope::Scopes;
use crate::ids::TenantId;
use crate::store::scim_tokens::ScimToken;

/// Longest time for which a rotated token lives on, in seconds: 30 days.
pub const MAX_OVERLAP_SECONDS: i64 = 30 * 86_400;

/// What a SCIM token is made of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ScimTokenCreate {
    /// The tenant that the token opens.
    pub tenant_id: TenantId,
    /// For people to read.
    pub name: Text<1, 200>,
    #[serde(default)]
    pub description: Option<Text<0, 1000>>,
    /// What the token may do; all of it where it is left out.
    #[serde(default)]
    pub scopes: Option<Scopes>,
    /// When the token dies, a time to come; never where it is left out.
    #[serde(default)]
    pub expires_at: Option<Time>,
    /// The identity provider that uses the token: each has `externalId`s of its own.
    #[serde(default)]
    pub idp_id: Option<Text<1, 64>>,
}

/// What is to change; what is left out stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ScimTokenUpdate {
    /// For people to read.
    #[serde(default)]
    pub name: Option<Text<1, 200>>,
    /// Null removes it.
    #[serde(default, deserialize_with = "present")]
    pub description: Option<Option<Text<0, 1000>>>,
    #[serde(default)]
    pub scopes: Option<Scopes>,
    /// When the token dies, a time to come; null for never.
    #[serde(default, deserialize_with = "present")]
    pub expires_at: Option<Option<Time>>,
    /// `false` pauses the token.
    #[serde(default)]
    pub is_active: Option<bool>,
}

/// How much more a token may remove than the tenant's `removal_fuse` allows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RemovalsAllow {
    /// Users and groups, and as many memberships.
    pub count: Whole<1, 1_000_000>,
    /// For so many minutes.
    pub minutes: Whole<1, 1_440>,
}

/// What a token may remove besides.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RemovalsAllowed {
    pub token_id: String,
    /// Users and groups, and as many memberships, beyond what `removal_fuse` allows.
    pub count: i64,
    /// Until then.
    pub until: Time,
}

/// How a token is replaced.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ScimTokenRotate {
    /// For how many seconds the old token lives on beside the new one, 0 to 2592000 (30 days).
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schemars(range(min = 0, max = MAX_OVERLAP_SECONDS)))]
    pub overlap_seconds: i64,
}

/// A SCIM token, all but the token itself.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ScimTokenResponse {
    pub id: String,
    /// The tenant that the token opens.
    pub tenant_id: TenantId,
    /// For people to read.
    pub name: String,
    pub description: Option<String>,
    /// The token's first characters, for telling tokens apart.
    pub token_hint: String,
    /// What the token may do.
    pub scopes: Scopes,
    /// Whether it works: `false` while it is paused, and for good once it is revoked.
    pub is_active: bool,
    /// The identity provider that uses it.
    pub idp_id: Option<String>,
    pub created_at: Time,
    /// Who made it: the `sub` of an administrator's JWT.
    pub created_by: String,
    pub updated_at: Time,
    /// When it dies; null for never.
    pub expires_at: Option<Time>,
    /// When it was last used, noted once in five minutes at most.
    pub last_used_at: Option<Time>,
    /// When it was revoked.
    pub revoked_at: Option<Time>,
}

/// A SCIM token with the token itself, which no other reply shows.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct NewScimTokenResponse {
    #[serde(flatten)]
    pub shown: ScimTokenResponse,
    /// The token: what an identity provider sends as `Authorization: Bearer …`.
    pub token: String,
}

/// A token as an administrator sees it.
pub fn show(token: ScimToken) -> ScimTokenResponse {
    ScimTokenResponse {
        id: token.id,
        tenant_id: token.tenant_id,
        name: token.name,
        description: token.description,
        token_hint: token.token_hint,
        scopes: token.scopes,
        is_active: token.is_active,
        idp_id: token.idp_id,
        created_at: Time(token.created_at),
        created_by: token.created_by,
        updated_at: Time(token.updated_at),
        expires_at: token.expires_at.map(Time),
        last_used_at: token.last_used_at.map(Time),
        revoked_at: token.revoked_at.map(Time),
    }
}
