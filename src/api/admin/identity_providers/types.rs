//! What the routes of identity providers take.
//!
//! A protocol's configuration has one type for what comes in and what is stored: secrets come in only, and are left out where it is
//! written. An administrator of the platform makes providers for any tenant and of every protocol; the tenant's own view has
//! neither `tenant_id` nor LDAP.

use serde::{Deserialize, Serialize};

use super::certificates::Certificates;
use super::extensions::Extensions;
use super::fields::{
    AttributeName, BindName, Dn, Domains, Filter, Issuer, LdapUrl, Partial, WebUrl, WriteOnly,
};
use crate::api::http::input::{Text, Whole, present};
use crate::ids::TenantId;
use crate::store::identity_providers::Protocol;
use crate::sync::Place;

const fn yes() -> bool {
    true
}

/// `POST …/identity-providers` of a tenant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct IdPCreate {
    pub name: Text<1, 200>,
    #[serde(default)]
    pub display_name: Option<Text<1, 200>>,
    /// `OIDC` or `SAML`, in any case.
    #[cfg_attr(feature = "openapi", schemars(extend("enum" = ["OIDC", "SAML"])))]
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
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SamlConfig {
    /// A URI of at most 1,024 characters (SAML 2.0 core §8.3.6).
    pub entity_id: Text<1, 1024>,
    pub sso_url: WebUrl,
    pub certificate: Certificates,
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
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum MissingUserAction {
    #[default]
    Deactivate,
    Delete,
    Keep,
}

/// An LDAP directory.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct LdapConfig {
    pub url: LdapUrl,
    /// Whether a connection to `ldap://` is secured before anything else is said.
    #[serde(default)]
    pub start_tls: bool,
    /// A DN, or what else the directory takes for a name in a bind, as Active Directory takes `svc@corp.example.com` and `CORP\svc`.
    pub bind_dn: BindName,
    #[serde(default, skip_serializing)]
    pub bind_password: Option<WriteOnly>,
    pub base_dn: Dn,
    /// Without one, and in replies: `(&(objectCategory=person)(objectClass=user))` where `unique_id_attribute` is `objectGUID`, else
    /// `(objectClass=inetOrgPerson)`.
    #[serde(default)]
    pub user_filter: Option<Filter>,
    /// Where groups are looked for; `base_dn` where there is none.
    #[serde(default)]
    pub group_base_dn: Option<Dn>,
    /// Without one, groups are left alone.
    #[serde(default)]
    pub group_filter: Option<Filter>,
    /// The attribute that stays the same whatever else of an object changes.
    #[serde(default = "LdapConfig::default_unique_id")]
    pub unique_id_attribute: AttributeName,
    /// It has DNs, as `member` does, with a bit string behind them in `uniqueMember`; in `memberUid` it has the `uid`s of users.
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
    /// Most of the users and groups that the provider manages, in per cent, that one synchronisation may remove; and most of the members that
    /// it may take out of groups, where they are ten or more.
    #[serde(default = "LdapConfig::default_max_removal")]
    pub max_removal_percent: Whole<0, 100>,
    #[serde(default)]
    pub attribute_mapping: LdapAttributeMapping,
}

impl LdapConfig {
    /// The filter that is given, or the one that stands for none.
    pub fn user_filter(&self) -> Filter {
        let given = self.user_filter.clone();
        given.unwrap_or_else(|| Filter::of_users(&self.unique_id_attribute))
    }

    /// Where users are, and where groups are; none where these are left alone.
    pub fn places(&self) -> (Place, Option<Place>) {
        let place = |base_dn: &Dn, filter: &Filter| Place {
            base_dn: base_dn.as_str().to_owned(),
            filter: filter.as_str().to_owned(),
        };
        let group_base_dn = self.group_base_dn.as_ref().unwrap_or(&self.base_dn);
        let groups = self.group_filter.as_ref();
        (
            place(&self.base_dn, &self.user_filter()),
            groups.map(|filter| place(group_base_dn, filter)),
        )
    }

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
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
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
    pub extensions: Extensions<AttributeName>,
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
            extensions: Extensions::default(),
        }
    }
}

/// Which claim or SAML attribute becomes what of a user.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AttributeMapping {
    pub email: Text<1, 500>,
    pub first_name: Text<1, 500>,
    pub last_name: Text<1, 500>,
    pub display_name: Text<1, 500>,
    pub groups: Text<1, 500>,
    pub extensions: Extensions<Text<1, 500>>,
}

impl Default for AttributeMapping {
    fn default() -> Self {
        AttributeMapping {
            email: Text::constant("email"),
            first_name: Text::constant("given_name"),
            last_name: Text::constant("family_name"),
            display_name: Text::constant("name"),
            groups: Text::constant("groups"),
            extensions: Extensions::default(),
        }
    }
}

/// `POST …/group-mappings`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct GroupMappingCreate {
    pub external_group_id: Text<1, 1000>,
    #[serde(default)]
    pub external_group_name: Option<Text<1, 1000>>,
    pub internal_group_id: Text<1, 64>,
}
