//! Fields of identity providers, each checked on arrival: addresses, names of a directory, secrets.

use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use url::Url;

use crate::api::http::input;
use crate::connection::address;
use crate::error::Result;
use crate::ldap::{dn, filter};
use crate::secret::Secret;
use crate::store::identity_providers::Protocol;

/// Longest URL in characters.
pub const MAX_URL: usize = 2_048;
/// Longest secret in bytes.
pub const MAX_SECRET: usize = 4_096;
/// Most domains of a provider.
pub const MAX_DOMAINS: usize = 100;

impl Serialize for Protocol {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Protocol {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Protocol::from_name(&name)
            .ok_or_else(|| D::Error::unknown_variant(&name, &["OIDC", "SAML", "LDAP"]))
    }
}

/// A text that a check has passed, kept as it was given.
macro_rules! checked_text {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                $check(&text).map_err(D::Error::custom)?;
                Ok($name(text))
            }
        }
    };
}

checked_text! {
    /// An absolute `https` URL of at most 2,048 characters. `http` is taken for a loopback address alone, which nothing but local
    /// development reaches.
    WebUrl, web_url
}
checked_text! {
    /// The `issuer` of an OpenID provider: a [`WebUrl`] without query and fragment (OpenID Connect Discovery 1.0 §3).
    Issuer, issuer
}
checked_text! {
    /// Where an LDAP server is: `ldaps://host` or `ldap://host`, with a port unless it is 636 or 389.
    LdapUrl, ldap_url
}
checked_text! {
    /// A distinguished name (RFC 4514).
    Dn, distinguished_name
}
checked_text! {
    /// As whom a directory is read: a DN, or what else it takes for a name in a bind, as Active Directory takes `svc@corp.example.com`
    /// and `CORP\svc` ([MS-ADTS] §5.1.1.1.1). At most 8,192 bytes without control characters; whether it holds, the server says.
    BindName, bind_name
}
checked_text! {
    /// A search filter (RFC 4515).
    Filter, search_filter
}
checked_text! {
    /// The name of an LDAP attribute: letters, digits and hyphens, or an object identifier (RFC 4512 §2.5).
    AttributeName, attribute_name
}
impl AttributeName {
    /// A name of our own that holds.
    pub fn constant(text: &'static str) -> Self {
        AttributeName(text.to_owned())
    }
}

impl Filter {
    /// The users of a directory whose entries are known by that attribute: of Active Directory, or of any other.
    pub fn of_users(unique_id: &AttributeName) -> Self {
        let text = match unique_id.as_str().eq_ignore_ascii_case("objectGUID") {
            true => "(&(objectCategory=person)(objectClass=user))",
            false => "(objectClass=inetOrgPerson)",
        };
        Filter(text.to_owned())
    }
}

fn web_url(text: &str) -> std::result::Result<(), String> {
    let url = absolute_url(text)?;
    let is_loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => return Err("it names no host".to_owned()),
    };
    match url.scheme() {
        "https" => {}
        "http" if is_loopback => {}
        _ => return Err("it has to begin with https://".to_owned()),
    }
    if url.fragment().is_some() {
        return Err("it has a fragment (#…)".to_owned());
    }
    Ok(())
}

fn issuer(text: &str) -> std::result::Result<(), String> {
    web_url(text)?;
    match text.contains('?') {
        true => Err("an issuer has no query (?…)".to_owned()),
        false => Ok(()),
    }
}

fn ldap_url(text: &str) -> std::result::Result<(), String> {
    let url = absolute_url(text)?;
    if !matches!(url.scheme(), "ldap" | "ldaps") {
        return Err("it has to begin with ldaps:// or ldap://".to_owned());
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it names no host".to_owned());
    }
    if url.port() == Some(0) {
        return Err("a port is 1 to 65535".to_owned());
    }
    let is_bare =
        matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    match is_bare {
        true => Ok(()),
        false => {
            Err("it ends after host and port; what to search is base_dn and the filters".to_owned())
        }
    }
}

/// A URL with a host and without a user. The parser would pass over spaces and line breaks, others do not.
fn absolute_url(text: &str) -> std::result::Result<Url, String> {
    if text.is_empty() {
        return Err("it is empty".to_owned());
    }
    let length = text.chars().count();
    if length > MAX_URL {
        return Err(format!("it has {length} characters; {MAX_URL} are allowed"));
    }
    if text
        .chars()
        .any(|c| c.is_whitespace() || c.is_control() || c == '\\')
    {
        return Err("it has a space, a backslash or a control character".to_owned());
    }
    let url = address::parse(text)?;
    match url.username().is_empty() && url.password().is_none() {
        true => Ok(url),
        false => Err("it has a user name or a password in it".to_owned()),
    }
}

fn distinguished_name(text: &str) -> std::result::Result<(), String> {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    dn::parse(text).map(drop).map_err(|error| {
        format!("it is no distinguished name, as in ou=people,dc=example,dc=com: {error}")
    })
}

fn bind_name(text: &str) -> std::result::Result<(), String> {
    match text.len() {
        _ if text.trim().is_empty() => Err("it is empty".to_owned()),
        _ if text.chars().any(char::is_control) => Err("it has a control character".to_owned()),
        length if length > dn::MAX_LENGTH => Err(format!(
            "it has {length} bytes; {} are allowed",
            dn::MAX_LENGTH
        )),
        _ => Ok(()),
    }
}

fn search_filter(text: &str) -> std::result::Result<(), String> {
    if text.trim().is_empty() {
        return Err("it is empty".to_owned());
    }
    filter::Filter::parse(text)
        .map(drop)
        .map_err(|error| format!("it is no LDAP filter, as in (objectClass=person): {error}"))
}

fn attribute_name(text: &str) -> std::result::Result<(), String> {
    match text.len() {
        0 => Err("it is empty".to_owned()),
        1..=100 if filter::is_attribute(text) => Ok(()),
        1..=100 => {
            Err("it is no attribute's name: letters, digits and hyphens, after a letter".to_owned())
        }
        length => Err(format!("it has {length} characters; 100 are allowed")),
    }
}

/// A secret on its way in. There is no way out: it is neither serialised nor printed.
#[derive(Clone)]
pub struct WriteOnly(Secret);

impl WriteOnly {
    pub fn secret(&self) -> &Secret {
        &self.0
    }
}

impl<'de> Deserialize<'de> for WriteOnly {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        // Not through `String`: its error would repeat what it was given.
        match Value::deserialize(deserializer)? {
            Value::String(text) if text.is_empty() => Err(D::Error::custom(
                "it is empty; leave it out to keep the one that is set",
            )),
            Value::String(text) if text.len() > MAX_SECRET => Err(D::Error::custom(format_args!(
                "it has {} bytes; {MAX_SECRET} are allowed",
                text.len()
            ))),
            Value::String(text) => Ok(WriteOnly(Secret::new(text.into_bytes()))),
            _ => Err(D::Error::invalid_type(
                Unexpected::Other("anything else"),
                &"a string",
            )),
        }
    }
}

/// Domains in lower case, none twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Domains(Vec<Domain>);

impl<'de> Deserialize<'de> for Domains {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let domains = Vec::<Domain>::deserialize(deserializer)?;
        if domains.len() > MAX_DOMAINS {
            return Err(D::Error::custom(format_args!(
                "it has {} domains; {MAX_DOMAINS} are allowed",
                domains.len()
            )));
        }
        let twice = domains
            .iter()
            .enumerate()
            .find(|(index, domain)| domains.iter().take(*index).any(|before| before == *domain));
        match twice {
            Some((_, domain)) => Err(D::Error::custom(format_args!(
                "{} is there twice",
                domain.0
            ))),
            None => Ok(Domains(domains)),
        }
    }
}

/// The name of a domain, as it stands in e-mail addresses (RFC 1035 §2.3.1): ASCII, two labels or more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Domain(String);

impl<'de> Deserialize<'de> for Domain {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?
            .trim()
            .to_ascii_lowercase();
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let ends_in_name = text
            .rsplit('.')
            .next()
            .is_some_and(|last| last.chars().any(|c| c.is_ascii_alphabetic()));
        let is_domain = text.len() <= 253
            && text.split('.').count() > 1
            && text.split('.').all(is_label)
            && ends_in_name;
        match is_domain {
            true => Ok(Domain(text)),
            false if !text.is_ascii() => Err(D::Error::custom(
                "it is not ASCII; write it in its xn-- form",
            )),
            false => Err(D::Error::custom("it is no domain, as in example.com")),
        }
    }
}

/// Some of a `T`'s fields: a change to it.
#[derive(Debug, Clone)]
pub struct Partial<T> {
    fields: Map<String, Value>,
    whole: PhantomData<T>,
}

impl<'de, T> Deserialize<'de> for Partial<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        Ok(Partial {
            fields: Map::deserialize(deserializer)?,
            whole: PhantomData,
        })
    }
}

impl<T: DeserializeOwned> Partial<T> {
    /// Names of the fields given.
    pub fn names(&self) -> Vec<String> {
        self.fields.keys().cloned().collect()
    }

    /// What `before`, a stored `T`, becomes with these fields. It is checked as a whole.
    pub fn onto(self, before: &str, at: &[&str]) -> Result<T> {
        let mut fields: Map<String, Value> = serde_json::from_str(before).map_err(|error| {
            crate::error::Error::internal(format!("a stored configuration: {error}"))
        })?;
        merge(&mut fields, self.fields);
        input::read(Value::Object(fields), at)
    }
}

fn merge(fields: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (name, change) in changes {
        match (fields.get_mut(&name), change) {
            (Some(Value::Object(before)), Value::Object(change)) => merge(before, change),
            (_, change) => {
                fields.insert(name, change);
            }
        }
    }
}
