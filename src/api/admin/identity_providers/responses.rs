//! What the routes of identity providers give.

use serde::Serialize;

use super::types::{AttributeMapping, LdapConfig, OidcConfig, SamlConfig};
use crate::api::http::input::Time;
use crate::connection::Check;
use crate::ids::TenantId;
use crate::store::identity_providers::Protocol;

/// A provider in a tenant's list.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct IdPListItem {
    pub id: String,
    pub name: String,
    pub display_name: Option<String>,
    pub protocol: Protocol,
    pub enabled: bool,
    pub created_at: Time,
}

/// A provider as its tenant sees it.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct IdPResponse {
    pub id: String,
    pub tenant_id: TenantId,
    pub name: String,
    pub display_name: Option<String>,
    pub protocol: Protocol,
    pub enabled: bool,
    pub auto_create_users: bool,
    pub update_user_on_login: bool,
    pub oidc_config: Option<OidcConfigResponse>,
    pub saml_config: Option<SamlConfigResponse>,
    pub attribute_mapping: AttributeMapping,
    pub allowed_domains: Vec<String>,
    pub created_at: Time,
    pub updated_at: Time,
}

/// A provider as an administrator of the platform sees it.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AdminIdPResponse {
    #[serde(flatten)]
    pub idp: IdPResponse,
    /// The same as `protocol`.
    pub provider_type: Protocol,
    pub ldap_config: Option<LdapConfigResponse>,
    /// When the directory was last synchronised.
    pub last_sync: Option<String>,
}

/// An [`OidcConfig`] without its secret.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct OidcConfigResponse {
    #[serde(flatten)]
    pub config: OidcConfig,
    pub has_client_secret: bool,
}

/// A [`SamlConfig`]: its `certificate` is the one that is used first, which is the first that is in force, else the first.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SamlConfigResponse {
    #[serde(flatten)]
    pub config: SamlConfig,
    /// All of them, in the order in which they were given, each in PEM.
    pub certificates: Vec<String>,
}

/// An [`LdapConfig`] without its secret.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LdapConfigResponse {
    #[serde(flatten)]
    pub config: LdapConfig,
    pub has_bind_password: bool,
}

/// How a provider's test ended. A test that failed is 200 all the same.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TestConnectionResponse {
    pub success: bool,
    /// The first check that failed, with what it found.
    pub message: String,
    pub details: TestConnectionDetails,
}

/// What was tried.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TestConnectionDetails {
    pub protocol: Protocol,
    /// In order, up to the first that failed.
    pub checks: Vec<Check>,
}

/// How far the secrets are sealed under the current key, and bound to where they are sent.
#[derive(Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ReencryptionResponse {
    /// Secrets that this request sealed anew.
    pub reencrypted: i64,
    /// Secrets that are not, after it. Where there are some besides the unreadable ones, send the request again.
    pub remaining: i64,
    /// Providers whose secret does not open, because its key is not configured any more or their address was changed in the database: give
    /// the key back, or set their secret anew.
    pub unreadable: Vec<String>,
}

/// A group of the provider that stands for a group of the tenant.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct GroupMappingResponse {
    pub id: String,
    pub idp_id: String,
    pub external_group_id: String,
    pub external_group_name: Option<String>,
    pub internal_group_id: String,
    /// Null where the group has no name.
    pub internal_group_name: Option<String>,
    pub created_at: Time,
    /// Why the external group can be none of the provider's directory; not there where it may be one. Such a mapping gives nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warning: Option<String>,
}
