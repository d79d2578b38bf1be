//! What the routes of identity providers take and give.
//!
//! A protocol's configuration has one type for what comes in and what is stored: secrets come in only, and are left out where it is
//! written. An administrator of the platform makes providers for any tenant and of every protocol; the tenant's own view has
//! neither `tenant_id` nor LDAP.

use serde::{Deserialize, Serialize};

use super::super::validate::{Text, Whole, present};
use super::fields::{
    AttributeName, Certificate, Dn, Domains, Filter, Issuer, LdapUrl, Partial, WebUrl, WriteOnly,
};
use crate::connection::Check;
use crate::ids::TenantId;
use crate::store::identity_providers::Protocol;

const fn yes() -> bool {
    true
}

/// `POST …/identity-providers` of a tenant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdPCreate {
    pub name: Text<1, 200>,
    #[serde(default)]
    pub display_name: Option<Text<1, 200>>,
    /// `OIDC` or `SAML`.
    pub protocol: Protocol,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default = "yes")]
    pub auto_create_users: bool,
    #[serde(default = "yes")]
    pub update_user_on_login: bool,
    #[serde(default)]
    pub oidc_config: Option<OidcConfig>,
    #[serde(default)]
    pub saml_config: Option<SamlConfig>,
    #[serde(default)]
    pub attribute_mapping: Option<AttributeMapping>,
    #[serde(default)]
    pub allowed_domains: Option<Domains>,
}

/// `POST /admin/identity-providers`: `protocol` and `provider_type` are the same field, and one of them is required.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminIdPCreate {
    pub tenant_id: TenantId,
    pub name: Text<1, 200>,
    #[serde(default)]
    pub display_name: Option<Text<1, 200>>,
    #[serde(default)]
    pub provider_type: Option<Protocol>,
    #[serde(default)]
    pub protocol: Option<Protocol>,
    #[serde(default = "yes")]
    pub enabled: bool,
    #[serde(default = "yes")]
    pub auto_create_users: bool,
    #[serde(default = "yes")]
    pub update_user_on_login: bool,
    #[serde(default)]
    pub oidc_config: Option<OidcConfig>,
    #[serde(default)]
    pub saml_config: Option<SamlConfig>,
    #[serde(default)]
    pub ldap_config: Option<LdapConfig>,
    #[serde(default)]
    pub attribute_mapping: Option<AttributeMapping>,
    #[serde(default)]
    pub allowed_domains: Option<Domains>,
}

impl IdPCreate {
    /// The same, for the tenant that the path names.
    pub fn of_tenant(self, tenant_id: TenantId) -> AdminIdPCreate {
        AdminIdPCreate {
            tenant_id,
            name: self.name,
            display_name: self.display_name,
            provider_type: None,
            protocol: Some(self.protocol),
            enabled: self.enabled,
            auto_create_users: self.auto_create_users,
            update_user_on_login: self.update_user_on_login,
            oidc_config: self.oidc_config,
            saml_config: self.saml_config,
            ldap_config: None,
            attribute_mapping: self.attribute_mapping,
            allowed_domains: self.allowed_domains,
        }
    }
}

/// `PATCH …/identity-providers/{id}` of a tenant. What is left out stays. Configurations and the mapping are merged field by field: a
/// client sends what changes. A secret that is left out or null stays too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IdPUpdate {
    #[serde(default)]
    pub name: Option<Text<1, 200>>,
    #[serde(default, deserialize_with = "present")]
    pub display_name: Option<Option<Text<1, 200>>>,
    #[serde(default)]
    pub enabled: Option<bool>,
    #[serde(default)]
    pub auto_create_users: Option<bool>,
    #[serde(default)]
    pub update_user_on_login: Option<bool>,
    #[serde(default)]
    pub oidc_config: Option<Partial<OidcConfig>>,
    #[serde(default)]
    pub saml_config: Option<Partial<SamlConfig>>,
    #[serde(default)]
    pub attribute_mapping: Option<Partial<AttributeMapping>>,
    #[serde(default)]
    pub allowed_domains: Option<Domains>,
}

/// `PATCH /admin/identity-providers/{id}`: an [`IdPUpdate`] with LDAP.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminIdPUpdate {
    #[serde(default)]
    pub name: Option<Text<1, 200>>,
    #[serde(default, deserialize_with = "present")]
    pub display_name: Option<Option<Text<1, 200>>>,
    #[serde(default)]
    pub enabled: Option<bool>,
    #[serde(default)]
    pub auto_create_users: Option<bool>,
    #[serde(default)]
    pub update_user_on_login: Option<bool>,
    #[serde(default)]
    pub oidc_config: Option<Partial<OidcConfig>>,
    #[serde(default)]
    pub saml_config: Option<Partial<SamlConfig>>,
    #[serde(default)]
    pub ldap_config: Option<Partial<LdapConfig>>,
    #[serde(default)]
    pub attribute_mapping: Option<Partial<AttributeMapping>>,
    #[serde(default)]
    pub allowed_domains: Option<Domains>,
}

impl From<IdPUpdate> for AdminIdPUpdate {
    fn from(update: IdPUpdate) -> Self {
        AdminIdPUpdate {
            name: update.name,
            display_name: update.display_name,
            enabled: update.enabled,
            auto_create_users: update.auto_create_users,
            update_user_on_login: update.update_user_on_login,
            oidc_config: update.oidc_config,
            saml_config: update.saml_config,
            ldap_config: None,
            attribute_mapping: update.attribute_mapping,
            allowed_domains: update.allowed_domains,
        }
    }
}

/// An OpenID provider.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OidcConfig {
    pub issuer: Issuer,
    pub client_id: Text<1, 500>,
    #[serde(default, skip_serializing)]
    pub client_secret: Option<WriteOnly>,
    #[serde(default)]
    pub authorization_endpoint: Option<WebUrl>,
    #[serde(default)]
    pub token_endpoint: Option<WebUrl>,
    #[serde(default)]
    pub userinfo_endpoint: Option<WebUrl>,
    #[serde(default)]
    pub jwks_uri: Option<WebUrl>,
    #[serde(default = "OidcConfig::default_scopes")]
    pub scopes: Vec<Text<1, 200>>,
}

impl OidcConfig {
    fn default_scopes() -> Vec<Text<1, 200>> {
        ["openid", "profile", "email"].map(Text::constant).into()
    }
}

/// A SAML identity provider.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SamlConfig {
    /// A URI of at most 1,024 characters (SAML 2.0 core §8.3.6).
    pub entity_id: Text<1, 1024>,
    pub sso_url: WebUrl,
    pub certificate: Certificate,
    #[serde(default)]
    pub slo_url: Option<WebUrl>,
    #[serde(default = "yes")]
    pub sign_requests: bool,
    #[serde(default = "yes")]
    pub want_assertions_signed: bool,
    #[serde(default = "SamlConfig::default_name_id_format")]
    pub name_id_format: Text<1, 255>,
}

impl SamlConfig {
    fn default_name_id_format() -> Text<1, 255> {
        Text::constant("urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")
    }
}

/// What becomes of a managed user whose object is gone from the directory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MissingUserAction {
    #[default]
    Deactivate,
    Delete,
    Keep,
}

/// An LDAP directory.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapConfig {
    pub url: LdapUrl,
    /// Whether a connection to `ldap://` is secured before anything else is said.
    #[serde(default)]
    pub start_tls: bool,
    pub bind_dn: Dn,
    #[serde(default, skip_serializing)]
    pub bind_password: Option<WriteOnly>,
    pub base_dn: Dn,
    pub user_filter: Filter,
    /// Where groups are looked for; `base_dn` where there is none.
    #[serde(default)]
    pub group_base_dn: Option<Dn>,
    /// Without one, groups are left alone.
    #[serde(default)]
    pub group_filter: Option<Filter>,
    /// The attribute that stays the same whatever else of an object changes.
    #[serde(default = "LdapConfig::default_unique_id")]
    pub unique_id_attribute: AttributeName,
    #[serde(default = "LdapConfig::default_member")]
    pub member_attribute: AttributeName,
    /// Entries that the server gives at once.
    #[serde(default = "LdapConfig::default_page_size")]
    pub page_size: Whole<1, 1000>,
    /// Minutes from one synchronisation to the next; never by itself without it.
    #[serde(default)]
    pub sync_interval_minutes: Option<Whole<5, 10080>>,
    #[serde(default)]
    pub missing_user_action: MissingUserAction,
    /// Most of what the provider manages, in per cent, that one synchronisation may remove.
    #[serde(default = "LdapConfig::default_max_removal")]
    pub max_removal_percent: Whole<0, 100>,
    #[serde(default)]
    pub attribute_mapping: LdapAttributeMapping,
}

impl LdapConfig {
    fn default_unique_id() -> AttributeName {
        AttributeName::constant("entryUUID")
    }

    fn default_member() -> AttributeName {
        AttributeName::constant("member")
    }

    const fn default_page_size() -> Whole<1, 1000> {
        Whole(500)
    }

    const fn default_max_removal() -> Whole<0, 100> {
        Whole(20)
    }
}

/// Which attribute of a directory's object becomes what of a user or group.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LdapAttributeMapping {
    pub user_name: AttributeName,
    pub email: Option<AttributeName>,
    pub first_name: Option<AttributeName>,
    pub last_name: Option<AttributeName>,
    pub display_name: Option<AttributeName>,
    /// `userAccountControl` is read by its bit 2, `nsAccountLock` inverted, anything else as TRUE or FALSE. Without one, everybody
    /// found is active.
    pub active: Option<AttributeName>,
    pub group_name: AttributeName,
}

impl Default for LdapAttributeMapping {
    fn default() -> Self {
        let name = AttributeName::constant;
        LdapAttributeMapping {
            user_name: name("uid"),
            email: Some(name("mail")),
            first_name: Some(name("givenName")),
            last_name: Some(name("sn")),
            display_name: Some(name("cn")),
            active: None,
            group_name: name("cn"),
        }
    }
}

/// Which claim or SAML attribute becomes what of a user.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AttributeMapping {
    pub email: Text<1, 500>,
    pub first_name: Text<1, 500>,
    pub last_name: Text<1, 500>,
    pub display_name: Text<1, 500>,
    pub groups: Text<1, 500>,
}

impl Default for AttributeMapping {
    fn default() -> Self {
        AttributeMapping {
            email: Text::constant("email"),
            first_name: Text::constant("given_name"),
            last_name: Text::constant("family_name"),
            display_name: Text::constant("name"),
            groups: Text::constant("groups"),
        }
    }
}

/// A provider in a tenant's list.
#[derive(Serialize)]
pub struct IdPListItem {
    pub id: String,
    pub name: String,
    pub display_name: Option<String>,
    pub protocol: Protocol,
    pub enabled: bool,
    pub created_at: String,
}

/// A provider as its tenant sees it.
#[derive(Serialize)]
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
    pub saml_config: Option<SamlConfig>,
    pub attribute_mapping: AttributeMapping,
    pub allowed_domains: Vec<String>,
    pub created_at: String,
    pub updated_at: String,
}

/// A provider as an administrator of the platform sees it.
#[derive(Serialize)]
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
pub struct OidcConfigResponse {
    #[serde(flatten)]
    pub config: OidcConfig,
    pub has_client_secret: bool,
}

/// An [`LdapConfig`] without its secret.
#[derive(Serialize)]
pub struct LdapConfigResponse {
    #[serde(flatten)]
    pub config: LdapConfig,
    pub has_bind_password: bool,
}

/// How a provider's test ended. A test that failed is 200 all the same.
#[derive(Serialize)]
pub struct TestConnectionResponse {
    pub success: bool,
    /// The first check that failed, with what it found.
    pub message: String,
    pub details: TestConnectionDetails,
}

#[derive(Serialize)]
pub struct TestConnectionDetails {
    pub protocol: Protocol,
    /// In order, up to the first that failed.
    pub checks: Vec<Check>,
}

/// How far the secrets are sealed under the current key.
#[derive(Default, Serialize)]
pub struct ReencryptionResponse {
    /// Secrets that this request sealed anew.
    pub reencrypted: i64,
    /// Secrets under another key, after it. Where there are some besides the unreadable ones, send the request again.
    pub remaining: i64,
    /// Providers whose secret was sealed with a key that is not configured any more: give that key back, or set their secret anew.
    pub unreadable: Vec<String>,
}

/// `POST …/group-mappings`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupMappingCreate {
    pub external_group_id: Text<1, 1000>,
    #[serde(default)]
    pub external_group_name: Option<Text<1, 1000>>,
    pub internal_group_id: Text<1, 64>,
}

/// A group of the provider that stands for a group of the tenant.
#[derive(Serialize)]
pub struct GroupMappingResponse {
    pub id: String,
    pub idp_id: String,
    pub external_group_id: String,
    pub external_group_name: Option<String>,
    pub internal_group_id: String,
    /// Null where the group has no name.
    pub internal_group_name: Option<String>,
    pub created_at: String,
}
