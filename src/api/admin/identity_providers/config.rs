//! A provider's configuration between its row and the API: which protocol's it is, what a change makes of it, how it is shown.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::certificates::PRIVATE_KEY;
use super::fields::WriteOnly;
use super::responses::{
    AdminIdPResponse, IdPResponse, LdapConfigResponse, OidcConfigResponse, SamlConfigResponse,
};
use super::types::{
    AdminIdPCreate, AdminIdPUpdate, AttributeMapping, LdapConfig, OidcConfig, SamlConfig,
};
use crate::api::http::call::Call;
use crate::api::http::input;
use crate::api::http::input::Time;
use crate::api::http::input::body_field;
use crate::error::{Error, FieldError, Kind, Result};
use crate::scim::date_time;
use crate::store::identity_providers::{IdentityProvider, Protocol};

/// The mapping that a provider has.
pub fn mapping_of(provider: &IdentityProvider) -> Result<AttributeMapping> {
    from_stored(&provider.attribute_mapping)
}

/// The configuration of one protocol.
pub enum Config {
    Oidc(OidcConfig),
    Saml(SamlConfig),
    Ldap(Box<LdapConfig>),
}

/// The field that has a protocol's configuration.
const fn field_of(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Oidc => "oidc_config",
        Protocol::Saml => "saml_config",
        Protocol::Ldap => "ldap_config",
    }
}

/// The field that has a protocol's configuration, and the one within it that has the secret; SAML has none.
pub const fn secret_of(protocol: Protocol) -> (&'static str, &'static str) {
    let secret = match protocol {
        Protocol::Oidc => "client_secret",
        Protocol::Saml => "",
        Protocol::Ldap => "bind_password",
    };
    (field_of(protocol), secret)
}

/// The configurations that are given for another protocol than the provider's.
fn foreign(protocol: Protocol, given: [bool; 3]) -> Vec<FieldError> {
    Protocol::ALL
        .into_iter()
        .zip(given)
        .filter(|(other, given)| *given && *other != protocol)
        .map(|(other, _)| {
            let msg = format!("this provider's protocol is {}", protocol.name());
            body_field(&[field_of(other)], &msg, "value_error")
        })
        .collect()
}

/// What a new provider speaks. An administrator names it as `protocol` or as `provider_type`.
pub fn protocol_of(given: &AdminIdPCreate) -> Result<Protocol> {
    match (given.protocol, given.provider_type) {
        (Some(protocol), None) | (None, Some(protocol)) => Ok(protocol),
        (Some(protocol), Some(same)) if protocol == same => Ok(protocol),
        (Some(_), Some(_)) => Err(Error::field(
            &["body", "provider_type"],
            "protocol says otherwise; they are one field, and one is enough",
            "value_error",
        )),
        (None, None) => Err(Error::fields(vec![missing_protocol()])),
    }
}

fn missing_protocol() -> FieldError {
    FieldError::new(
        &["body", "provider_type"],
        "it is required: OIDC, SAML or LDAP",
        "missing",
    )
}

/// What is wrong with the body of a new provider; that its protocol is missing, too, which [`protocol_of`] would tell only of a body in
/// which nothing else is wrong.
pub fn with_protocol(call: &Call<'_>, mut error: Error) -> Error {
    if let (Kind::Unprocessable(fields), Ok(Value::Object(body))) = (&mut error.kind, call.json())
        && ["protocol", "provider_type"]
            .iter()
            .all(|name| !body.contains_key(*name))
    {
        fields.push(missing_protocol());
    }
    error
}

impl Config {
    /// The configuration of the protocol, which has to be there, and no other with it.
    pub fn chosen(
        protocol: Protocol,
        oidc: Option<OidcConfig>,
        saml: Option<SamlConfig>,
        ldap: Option<LdapConfig>,
    ) -> Result<Self> {
        let mut fields = foreign(protocol, [oidc.is_some(), saml.is_some(), ldap.is_some()]);
        let chosen = match protocol {
            Protocol::Oidc => oidc.map(Config::Oidc),
            Protocol::Saml => saml.map(Config::Saml),
            Protocol::Ldap => ldap.map(|config| Config::Ldap(Box::new(config))),
        };
        let missing = field_of(protocol);
        if chosen.is_none() {
            let msg = format!("it is required: the protocol is {}", protocol.name());
            fields.push(body_field(&[missing], &msg, "missing"));
        }
        match chosen {
            Some(chosen) if fields.is_empty() => {
                chosen.check()?;
                Ok(chosen)
            }
            _ => Err(Error::fields(fields)),
        }
    }

    /// What single fields cannot tell.
    fn check(&self) -> Result<()> {
        match self {
            Config::Ldap(ldap) if ldap.start_tls && ldap.url.as_str().starts_with("ldaps:") => {
                Err(Error::field(
                    &["body", "ldap_config", "start_tls"],
                    "the URL is ldaps://, which is secured from the start; StartTLS is for ldap://",
                    "value_error",
                ))
            }
            Config::Oidc(oidc) => issuer_alone(oidc.issuer.as_str()).map_err(|msg| {
                Error::field(&["body", "oidc_config", "issuer"], msg, "value_error")
            }),
            Config::Saml(saml) if saml.certificate.had_private_key => Err(Error::field(
                &["body", "saml_config", "certificate"],
                PRIVATE_KEY,
                "value_error",
            )),
            _ => Ok(()),
        }
    }

    /// The stored configuration of a provider.
    pub fn of(provider: &IdentityProvider) -> Result<Self> {
        Ok(match provider.protocol {
            Protocol::Oidc => Config::Oidc(from_stored(&provider.config)?),
            Protocol::Saml => Config::Saml(from_stored(&provider.config)?),
            Protocol::Ldap => Config::Ldap(Box::new(from_stored(&provider.config)?)),
        })
    }

    const fn protocol(&self) -> Protocol {
        match self {
            Config::Oidc(_) => Protocol::Oidc,
            Config::Saml(_) => Protocol::Saml,
            Config::Ldap(_) => Protocol::Ldap,
        }
    }

    /// The field that has it.
    pub const fn field(&self) -> &'static str {
        field_of(self.protocol())
    }

    /// The field within it that has the secret; SAML has none.
    pub const fn secret_field(&self) -> &'static str {
        secret_of(self.protocol()).1
    }

    /// Takes the secret out, where one was given.
    pub fn take_secret(&mut self) -> Option<WriteOnly> {
        match self {
            Config::Oidc(oidc) => oidc.client_secret.take(),
            Config::Saml(_) => None,
            Config::Ldap(ldap) => ldap.bind_password.take(),
        }
    }

    /// As a row holds it: without a secret.
    pub fn to_stored(&self) -> Result<String> {
        match self {
            Config::Oidc(oidc) => to_stored(oidc),
            Config::Saml(saml) => to_stored(saml),
            Config::Ldap(ldap) => to_stored(ldap),
        }
    }
}

/// An issuer as it stands in tokens: not the address of its metadata, and not the template that a provider's documentation shows.
fn issuer_alone(text: &str) -> std::result::Result<(), String> {
    let trimmed = text.trim_end_matches('/');
    let metadata = [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
    ];
    if let Some(issuer) = metadata
        .into_iter()
        .find_map(|suffix| trimmed.strip_suffix(suffix))
    {
        return Err(format!(
            "it is the address of the provider's metadata; paste the issuer, which is most often {issuer} (`issuer` in that document)"
        ));
    }
    let is_template = text.contains(['{', '}', '<', '>'])
        || ["%7b", "%7d"]
            .iter()
            .any(|brace| text.to_ascii_lowercase().contains(brace));
    match is_template {
        true => Err(
            "it is a template: paste your own directory's id in the place of what stands in braces, as in \
             https://login.microsoftonline.com/01234567-89ab-cdef-0123-456789abcdef/v2.0"
                .to_owned(),
        ),
        false => Ok(()),
    }
}

pub fn to_stored(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::internal(error.to_string()))
}

/// Reads what [`to_stored`] wrote, by the same code that reads a body: it is compiled once.
fn from_stored<T: DeserializeOwned>(text: &str) -> Result<T> {
    let broken = |reason: String| Error::internal(format!("a stored identity provider: {reason}"));
    let value = serde_json::from_str(text).map_err(|error| broken(error.to_string()))?;
    input::read(value, &[]).map_err(|error| broken(error.to_string()))
}

/// What a change makes of a provider.
pub struct Changed {
    pub provider: IdentityProvider,
    /// A new secret, where one was given.
    pub secret: Option<WriteOnly>,
    /// Names of what was given.
    pub attributes: Vec<String>,
}

/// Applies a change; the error has every field that does not hold.
pub fn changed(before: &IdentityProvider, given: AdminIdPUpdate) -> Result<Changed> {
    let mut provider = before.clone();
    // What an older version stored of a certificate's surroundings goes with the first change.
    if before.protocol == Protocol::Saml {
        provider.config = Config::of(before)?.to_stored()?;
    }
    let stored = provider.config.clone();
    let mut attributes: Vec<String> = Vec::new();
    let mut note = |name: &str| attributes.push(name.to_owned());
    if let Some(name) = given.name {
        provider.name = name.into_string();
        note("name");
    }
    if let Some(display_name) = given.display_name {
        provider.display_name = display_name.map(|name| name.into_string());
        note("display_name");
    }
    let flags = [
        ("enabled", given.enabled, &mut provider.enabled),
        (
            "auto_create_users",
            given.auto_create_users,
            &mut provider.auto_create_users,
        ),
        (
            "update_user_on_login",
            given.update_user_on_login,
            &mut provider.update_user_on_login,
        ),
    ];
    for (name, given, flag) in flags {
        if let Some(given) = given {
            *flag = given;
            note(name);
        }
    }
    if let Some(domains) = given.allowed_domains {
        provider.allowed_domains = to_stored(&domains)?;
        note("allowed_domains");
    }
    let (oidc, saml, ldap) = (given.oidc_config, given.saml_config, given.ldap_config);
    let mut fields = foreign(
        before.protocol,
        [oidc.is_some(), saml.is_some(), ldap.is_some()],
    );
    let at = ["body", field_of(before.protocol)];
    let mut note_all = |field: &str, names: Vec<String>| {
        attributes.extend(names.into_iter().map(|name| format!("{field}.{name}")));
    };
    if let Some(mapping) = given.attribute_mapping {
        let names = mapping.names();
        match mapping.onto(&before.attribute_mapping, &["body", "attribute_mapping"]) {
            Ok(mapping) => provider.attribute_mapping = to_stored(&mapping)?,
            Err(error) => fields.extend(error.into_fields()?),
        }
        note_all("attribute_mapping", names);
    }
    let names = [
        oidc.as_ref().map(|config| config.names()),
        saml.as_ref().map(|config| config.names()),
        ldap.as_ref().map(|config| config.names()),
    ];
    let config = match (before.protocol, oidc, saml, ldap) {
        (Protocol::Oidc, Some(oidc), ..) => Some(oidc.onto(&stored, &at).map(Config::Oidc)),
        (Protocol::Saml, _, Some(saml), _) => Some(saml.onto(&stored, &at).map(Config::Saml)),
        (Protocol::Ldap, .., Some(ldap)) => Some(
            ldap.onto(&stored, &at)
                .map(|config| Config::Ldap(Box::new(config))),
        ),
        _ => None,
    };
    let mut secret = None;
    match config {
        None => {}
        Some(Ok(mut config)) => {
            if let Err(error) = config.check() {
                fields.extend(error.into_fields()?);
            }
            secret = config.take_secret();
            provider.config = config.to_stored()?;
            let unset = |name: &String| name != config.secret_field() || secret.is_some();
            let names = names.into_iter().flatten().flatten().filter(unset);
            note_all(config.field(), names.collect());
        }
        Some(Err(error)) => fields.extend(error.into_fields()?),
    }
    match fields.is_empty() {
        true => Ok(Changed {
            provider,
            secret,
            attributes,
        }),
        false => Err(Error::fields(fields)),
    }
}

/// A provider as an administrator sees it at that time, in milliseconds; a tenant sees a part of it.
pub fn admin_response(provider: &IdentityProvider, now: i64) -> Result<AdminIdPResponse> {
    let has_secret = provider.secret.is_some();
    let (mut oidc, mut saml, mut ldap) = (None, None, None);
    match Config::of(provider)? {
        Config::Oidc(config) => {
            oidc = Some(OidcConfigResponse {
                config,
                has_client_secret: has_secret,
            });
        }
        Config::Saml(mut config) => {
            let certificates = config.certificate.to_pem();
            config.certificate = config.certificate.used_first(now);
            saml = Some(SamlConfigResponse {
                config,
                certificates,
            });
        }
        Config::Ldap(mut config) => {
            config.user_filter = Some(config.user_filter());
            ldap = Some(LdapConfigResponse {
                config: *config,
                has_bind_password: has_secret,
            });
        }
    }
    Ok(AdminIdPResponse {
        idp: IdPResponse {
            id: provider.id.clone(),
            tenant_id: provider.tenant_id.clone(),
            name: provider.name.clone(),
            display_name: provider.display_name.clone(),
            protocol: provider.protocol,
            enabled: provider.enabled,
            auto_create_users: provider.auto_create_users,
            update_user_on_login: provider.update_user_on_login,
            oidc_config: oidc,
            saml_config: saml,
            attribute_mapping: from_stored(&provider.attribute_mapping)?,
            allowed_domains: from_stored(&provider.allowed_domains)?,
            created_at: Time(provider.created_at),
            updated_at: Time(provider.updated_at),
        },
        provider_type: provider.protocol,
        ldap_config: ldap,
        last_sync: provider.synced_at.map(date_time::format),
    })
}
