//! From an entry of a directory to a SCIM resource. Pure.
//!
//! What comes of an entry is an ordinary user or group in canonical form, checked by the schema as a client's would be, with the
//! unique id as its `externalId` and the provider as its manager. What does not hold is a reason, and never an error of the sync.

use std::rc::Rc;

use serde_json::{Map, Value, json};

use super::digest::Digest;
use super::extensions::{self, Filled, within};
use super::object::{Kind, Object};
use crate::ldap::{Entry, dn};
use crate::scim::body;
use crate::scim::budget::Budget;
use crate::scim::fold::fold_case;
use crate::scim::profile::Profile;
use crate::scim::schema::OwnSchemas;

/// The server's own time of an entry's last change (RFC 4512 §3.4.4).
pub const MODIFY_TIMESTAMP: &str = "modifyTimestamp";
/// Longest unique id, in bytes.
const MAX_UNIQUE_ID: usize = 200;
/// Longest DN that is kept for the log, in characters.
const MAX_DN: usize = 300;
/// Largest resource, in bytes.
const MAX_RESOURCE: usize = 64 * 1024;
/// The bit of `userAccountControl` that says that an account is disabled ([MS-ADTS] §2.2.16).
const ACCOUNT_DISABLED: i64 = 2;

/// Which attributes of the directory become what.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub unique_id: String,
    pub member: String,
    pub user_name: String,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub display_name: Option<String>,
    pub active: Option<String>,
    pub group_name: String,
    /// What goes into attributes of extensions of users.
    pub extensions: Vec<Filled>,
    /// The tenant's schemas.
    pub own: Rc<OwnSchemas>,
}

/// What the values of a group's member attribute are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// DNs.
    Dn,
    /// DNs with a bit string behind them, it may be (RFC 4517 §3.3.21).
    NameAndUid,
    /// The `uid`s of users (RFC 2307 §3, `memberUid`).
    Uid,
}

/// The attribute that has what [`Naming::Uid`] names a user by.
pub const UID: &str = "uid";

/// An entry that cannot become a resource.
#[derive(Debug)]
pub struct Unusable {
    pub unique_id: Option<String>,
    pub reason: String,
}

/// A result that says why not.
type Result<T> = std::result::Result<T, String>;

impl Mapping {
    /// The attributes to ask for.
    pub fn attributes(&self, kind: Kind) -> Vec<String> {
        let mut wanted = vec![self.unique_id.clone(), MODIFY_TIMESTAMP.to_owned()];
        match kind {
            Kind::Group => wanted.extend([self.group_name.clone(), self.member.clone()]),
            Kind::User => {
                wanted.push(self.user_name.clone());
                if self.naming() == Naming::Uid {
                    wanted.push(UID.to_owned());
                }
                let optional = [
                    &self.email,
                    &self.first_name,
                    &self.last_name,
                    &self.display_name,
                    &self.active,
                ];
                wanted.extend(optional.into_iter().flatten().cloned());
                wanted.extend(self.extensions.iter().map(|filled| filled.from.clone()));
            }
        }
        wanted.sort();
        wanted.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
        wanted
    }

    /// What the groups' member attribute has.
    pub fn naming(&self) -> Naming {
        match self.member.to_ascii_lowercase().as_str() {
            "uniquemember" | "2.5.4.50" => Naming::NameAndUid,
            "memberuid" | "1.3.6.1.1.1.1.12" => Naming::Uid,
            _ => Naming::Dn,
        }
    }

    /// Hash of what groups name an entry by: its DN in normal form, or a user's first `uid`.
    fn key_of(&self, kind: Kind, entry: &Entry) -> Digest {
        let uid = match (kind, self.naming()) {
            (Kind::User, Naming::Uid) => entry.text(UID),
            _ => None,
        };
        uid.map_or_else(|| dn_key(&entry.dn), uid_key)
    }

    /// Hashes of what groups may name it by besides.
    pub fn further_keys(&self, kind: Kind, entry: &Entry) -> Vec<Digest> {
        match (kind, self.naming()) {
            (Kind::User, Naming::Uid) => entry.texts(UID).skip(1).map(uid_key).collect(),
            _ => Vec::new(),
        }
    }

    /// Hash of the value by which a group names a member.
    fn member_key(&self, value: &str) -> Digest {
        match self.naming() {
            Naming::Dn | Naming::NameAndUid => dn_key(self.dn_of(value)),
            Naming::Uid => uid_key(value),
        }
    }

    /// The DN in a value by which a group names a member.
    pub fn dn_of<'v>(&self, value: &'v str) -> &'v str {
        match self.naming() {
            Naming::NameAndUid => dn::without_uid(value),
            Naming::Dn | Naming::Uid => value,
        }
    }

    /// The user or group that an entry is, managed by that provider. A group's members are told one by one, as they are written and by
    /// their hashes.
    pub fn object(
        &self,
        kind: Kind,
        entry: &Entry,
        provider: &str,
        member: &mut dyn FnMut(Digest, &str),
    ) -> std::result::Result<Object, Unusable> {
        let unique_id = self.unique_id_of(entry).map_err(|reason| Unusable {
            unique_id: None,
            reason,
        })?;
        let mapped = match kind {
            Kind::User => self.user(entry, &unique_id, provider),
            Kind::Group => self.group(entry, &unique_id, provider),
        };
        let (name, text) = mapped.map_err(|reason| Unusable {
            unique_id: Some(unique_id.clone()),
            reason,
        })?;
        let mut members = Vec::new();
        if kind == Kind::Group {
            for value in entry.values(&self.member) {
                let text = String::from_utf8_lossy(value);
                let key = self.member_key(&text);
                member(key, &text);
                members.push(key);
            }
            members.sort_unstable();
            members.dedup();
        }
        Ok(Object {
            kind,
            unique_id: unique_id.into(),
            member_key: self.key_of(kind, entry),
            dn: shortened_dn(&entry.dn),
            name: name.into(),
            digest: Digest::of(&text),
            text: text.into(),
            members: members.into(),
        })
    }

    fn unique_id_of(&self, entry: &Entry) -> Result<String> {
        let attribute = &self.unique_id;
        let id = match entry.values(attribute).len() {
            0 => {
                return Err(format!(
                    "it has no {attribute}, by which it could be known again"
                ));
            }
            1 => entry.unique_id(attribute),
            many => {
                return Err(format!(
                    "{attribute} has {many} values; it would be known by one"
                ));
            }
        };
        match id {
            Some(id) if id.len() <= MAX_UNIQUE_ID => Ok(id),
            Some(_) => Err(format!("{attribute} has more than {MAX_UNIQUE_ID} bytes")),
            None => Err(format!("{attribute} is empty")),
        }
    }

    fn user(&self, entry: &Entry, unique_id: &str, provider: &str) -> Result<(String, String)> {
        let user_name = required(entry, &self.user_name)?;
        let mut name = Map::new();
        let parts = [
            ("givenName", &self.first_name),
            ("familyName", &self.last_name),
        ];
        for (part, attribute) in parts {
            if let Some(value) = optional(entry, attribute)? {
                name.insert(part.to_owned(), value.into());
            }
        }
        let mut body = json!({
            "userName": user_name,
            "name": name,
            "displayName": optional(entry, &self.display_name)?,
            "emails": self.emails(entry)?,
            "active": self.is_active(entry)?,
        });
        if let Some(body) = body.as_object_mut() {
            extensions::fill(&self.extensions, entry, body)?;
        }
        let text = self.stored(Kind::User, body, unique_id, provider)?;
        Ok((user_name, text))
    }

    fn group(&self, entry: &Entry, unique_id: &str, provider: &str) -> Result<(String, String)> {
        let name = required(entry, &self.group_name)?;
        let body = json!({"displayName": name});
        let text = self.stored(Kind::Group, body, unique_id, provider)?;
        Ok((name, text))
    }

    /// All addresses, the first one primary.
    fn emails(&self, entry: &Entry) -> Result<Vec<Value>> {
        let Some(attribute) = &self.email else {
            return Ok(Vec::new());
        };
        let mut emails: Vec<Value> = Vec::new();
        let mut known: Vec<&str> = Vec::new();
        for address in entry.texts(attribute).map(str::trim) {
            if address.is_empty() || known.contains(&address) {
                continue;
            }
            within(attribute, address)?;
            known.push(address);
            emails.push(match emails.is_empty() {
                true => json!({"value": address, "type": "work", "primary": true}),
                false => json!({"value": address, "type": "work"}),
            });
        }
        Ok(emails)
    }

    /// Whoever the directory says nothing of may use his account.
    fn is_active(&self, entry: &Entry) -> Result<bool> {
        let Some(attribute) = &self.active else {
            return Ok(true);
        };
        let Some(value) = entry.text(attribute).map(str::trim) else {
            return Ok(true);
        };
        if attribute.eq_ignore_ascii_case("userAccountControl") {
            return value
                .parse::<i64>()
                .map(|flags| flags & ACCOUNT_DISABLED == 0)
                .map_err(|_| format!("{attribute} is no number"));
        }
        let inverted = attribute.eq_ignore_ascii_case("nsAccountLock");
        match value.to_ascii_lowercase().as_str() {
            "true" => Ok(!inverted),
            "false" => Ok(inverted),
            _ => Err(format!("{attribute} is neither TRUE nor FALSE")),
        }
    }

    /// The resource as it is stored, once the schema has taken it.
    fn stored(
        &self,
        kind: Kind,
        mut body: Value,
        unique_id: &str,
        provider: &str,
    ) -> Result<String> {
        if let Some(body) = body.as_object_mut() {
            body.insert("externalId".to_owned(), unique_id.into());
        }
        let resource_type = kind.resource_type();
        let mut resource = body::read(
            self.own.shape(resource_type),
            body,
            Profile::Compat,
            &Budget::default(),
        )
        .map_err(|error| error.detail.to_string())?;
        resource.managed_by = Some(provider.to_owned());
        let text = resource.to_stored(resource_type);
        match text.len() {
            length if length > MAX_RESOURCE => Err(format!(
                "it has {length} bytes; a resource of a directory may have {MAX_RESOURCE}"
            )),
            _ => Ok(text),
        }
    }
}

/// Hash of a DN in its normal form; of the text as it is, where that is no DN.
pub fn dn_key(text: &str) -> Digest {
    match dn::normalise(text) {
        Some(normal) => Digest::of(normal),
        None => Digest::of(text),
    }
}

/// Hash of a `uid`, compared without case (RFC 4519 §2.39); apart from all DNs.
fn uid_key(uid: &str) -> Digest {
    Digest::of(format!("uid\n{}", fold_case(uid.trim())))
}

/// A DN as the log shows it.
pub fn shortened_dn(text: &str) -> Box<str> {
    match text.char_indices().nth(MAX_DN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

fn required(entry: &Entry, attribute: &str) -> Result<String> {
    match optional(entry, &Some(attribute.to_owned()))? {
        Some(value) => Ok(value),
        None if entry.values(attribute).is_empty() => Err(format!("it has no {attribute}")),
        None => Err(format!("{attribute} is no text")),
    }
}

fn optional(entry: &Entry, attribute: &Option<String>) -> Result<Option<String>> {
    let Some(attribute) = attribute else {
        return Ok(None);
    };
    let value = entry.texts(attribute).map(str::trim);
    let Some(value) = value.into_iter().find(|value| !value.is_empty()) else {
        return Ok(None);
    };
    within(attribute, value)?;
    Ok(Some(value.to_owned()))
}
