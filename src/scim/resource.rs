//! A resource in canonical form: what a client may set, checked against the schema.
//!
//! `id`, `meta` and the memberships (`User.groups`, `Group.members`) are not part of it: the store keeps them in columns
//! and rows of their own.

use std::borrow::Cow;

use serde::Serializer;
use serde_json::{Map, Value, json};

use super::attributes::Attributes;
use super::budget::Budget;
use super::date_time;
use super::error::{Error, Result};
use super::fold::comparable;
use super::forgiven::{Forgiven, note};
use super::lengths::Lengths;
use super::profile::Profile;
use super::schema::{Attribute, ENTERPRISE, Kind, ResourceType, Schema, Shape};

/// A resource as it is stored, and what came with it that is stored elsewhere or not at all.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resource {
    /// Attributes by their canonical names, those of extensions below the extension's URN.
    pub attributes: Attributes,
    /// The members sent with a group, in canonical form; none where the request did not name them.
    pub members: Option<Vec<Value>>,
    /// A password that came along; never part of `attributes`.
    pub password: Option<String>,
    /// The identity provider whose directory manages the resource; none where SCIM clients do.
    pub managed_by: Option<String>,
}

/// The name under which stored text has the provider that manages a resource, last of all. No schema has it: it is stored, and
/// never part of a reply.
pub const STORED_MANAGED: &str = "urn:rollcall:scim:schemas:extension:2.0:Managed";
const MANAGED_BY: &str = "managedBy";

/// Stored text less the provider that manages the resource: what a reply may show. Inside a client's text the quotes are escaped, so
/// these are the names themselves.
pub fn without_managed(stored: &str) -> Cow<'_, str> {
    let own = format!(",\"{STORED_MANAGED}\"");
    match stored.rfind(&own) {
        None => Cow::Borrowed(stored),
        Some(at) => {
            let kept = stored.get(..at).unwrap_or_default();
            Cow::Owned(kept.replacen(&own, "", 1) + "}")
        }
    }
}

/// Checks what holds for every stored resource and completes it: required attributes, what follows from others.
///
/// In `compat`, a user whose `active` was emptied is inactive: a client that takes the right away says so in many ways. `strict` leaves
/// it unassigned (RFC 7644 §3.5.2.2); nobody is let in again by that either.
pub fn finish(shape: Shape<'_>, resource: &mut Resource, profile: Profile) -> Result<()> {
    for attribute in shape.schema.attributes.iter() {
        if attribute.required && !has_text(resource.attributes.get(attribute.name())) {
            return Err(Error::value(format!("{} is required", attribute.name())));
        }
    }
    let attributes = &mut resource.attributes;
    let has_active = shape.core_attribute("active").is_some();
    if !profile.is_strict() && has_active && !attributes.contains_key("active") {
        note(Forgiven::ActiveEmptied);
        attributes.insert("active".to_owned(), Value::Bool(false));
    }
    refer_to_manager(resource);
    shape
        .own
        .iter()
        .try_for_each(|extension| check_required(extension, resource))
}

/// What a tenant's own extension requires is there, where anything of it is (RFC 7643 §3.3).
fn check_required(extension: &Schema, resource: &Resource) -> Result<()> {
    let Some(object) = resource.attributes.get(extension.id()) else {
        return Ok(());
    };
    let refuse =
        |at: &str, name: &str| Error::value(format!("{}:{at}{name} is required", extension.id()));
    for attribute in extension.attributes.iter() {
        let value = object.get(attribute.name());
        if attribute.required && value.is_none() {
            return Err(refuse("", attribute.name()));
        }
        let values = match value {
            Some(Value::Array(values)) => values.as_slice(),
            other => other.map(std::slice::from_ref).unwrap_or_default(),
        };
        let mut required = attribute.sub_attributes.iter().filter(|sub| sub.required);
        let lacks = |sub: &&Attribute| values.iter().any(|value| value.get(sub.name()).is_none());
        if let Some(sub) = required.find(lacks) {
            return Err(refuse(&format!("{}.", attribute.name()), sub.name()));
        }
    }
    Ok(())
}

/// How the reference to a manager begins where it is stored: the same resource is read under more than one base, and a reply
/// puts its own there.
pub const STORED_REFERENCE: &str = "../Users/";

/// A manager's `$ref` follows from its `value`, whatever the client put there; without one, or with an empty one, nothing is left of
/// the manager.
fn refer_to_manager(resource: &mut Resource) {
    let Some(Value::Object(enterprise)) = resource.attributes.get(ENTERPRISE.id()) else {
        return;
    };
    let Some(Value::Object(manager)) = enterprise.get("manager") else {
        return;
    };
    if refers(manager) {
        return;
    }
    let (mut enterprise, mut manager) = (enterprise.clone(), manager.clone());
    manager.shift_remove("$ref");
    if !has_text(manager.get("value")) {
        manager.shift_remove("value");
    }
    if let Some(id) = manager.get("value").and_then(Value::as_str) {
        let reference = format!("{STORED_REFERENCE}{id}");
        manager.insert("$ref".to_owned(), Value::String(reference));
    }
    match manager.is_empty() {
        true => enterprise.shift_remove("manager"),
        false => enterprise.insert("manager".to_owned(), Value::Object(manager)),
    };
    match enterprise.is_empty() {
        true => resource.attributes.remove(ENTERPRISE.id()),
        false => {
            let attributes = &mut resource.attributes;
            attributes.insert(ENTERPRISE.id().to_owned(), Value::Object(enterprise));
        }
    }
}

/// Whether a manager's reference is what follows from its value already.
fn refers(manager: &Map<String, Value>) -> bool {
    let id = manager.get("value").filter(|id| has_text(Some(id)));
    let id = id.and_then(Value::as_str);
    match manager.iter().next_back() {
        Some((name, Value::String(reference))) if name == "$ref" => {
            id.is_some() && reference.strip_prefix(STORED_REFERENCE) == id
        }
        _ => false,
    }
}

/// Some clients model an extension as they model a resource, and let its object name its schema. There it says nothing new, so
/// long as it says nothing else.
pub fn check_own_schema(
    extension: &Schema,
    schemas: Option<Value>,
    profile: Profile,
) -> Result<()> {
    let is_own = |urn: &Value| {
        urn.as_str()
            .is_some_and(|urn| urn.eq_ignore_ascii_case(extension.id()))
    };
    match schemas {
        Some(Value::Array(urns)) if urns.iter().all(is_own) => Ok(()),
        Some(_) if profile.is_strict() => Err(Error::syntax(format!(
            "schemas of {} names another schema",
            extension.id()
        ))),
        _ => Ok(()),
    }
}

fn has_text(value: Option<&Value>) -> bool {
    value
        .and_then(Value::as_str)
        .is_some_and(|text| !text.trim().is_empty())
}

/// `schemas` names schemas of the type, each once; where it is the `whole`, the core schema is among them. In `compat` nobody asks: it
/// may be missing or name others, old URNs (OneLogin), Microsoft's own, misspelt ones. What is stored says what is there.
pub fn check_schemas(shape: Shape<'_>, schemas: Option<Value>, whole: bool) -> Result<()> {
    let Some(Value::Array(schemas)) = schemas else {
        return Err(Error::syntax("schemas is required: an array of URNs"));
    };
    let known =
        |urn: &str| urn.eq_ignore_ascii_case(shape.schema.id()) || shape.extension(urn).is_some();
    let mut core = false;
    for (index, urn) in schemas.iter().enumerate() {
        if schemas.iter().take(index).any(|before| before == urn) {
            return Err(Error::syntax(format!("schemas[{index}] is there twice")));
        }
        let Some(urn) = urn.as_str().filter(|urn| known(urn)) else {
            return Err(Error::syntax(format!(
                "schemas[{index}] is not a schema of {}: {urn}",
                shape.name
            )));
        };
        core |= urn.eq_ignore_ascii_case(shape.schema.id());
    }
    match core || !whole {
        true => Ok(()),
        false => Err(Error::syntax(format!(
            "schemas does not name {}",
            shape.schema.id()
        ))),
    }
}

impl Resource {
    /// The URNs of the schemas that the resource uses, as they are stored.
    fn schemas(&self, resource_type: &'static ResourceType) -> Value {
        let used = self.extensions().map(Value::from);
        let managed = self.managed_by.as_ref().map(|_| STORED_MANAGED.into());
        std::iter::once(Value::from(resource_type.schema.id()))
            .chain(used)
            .chain(managed)
            .collect()
    }

    /// The URNs of the extensions that the resource uses: no other name has a colon.
    fn extensions(&self) -> impl Iterator<Item = &str> {
        let names = self.attributes.keys().map(String::as_str);
        names.filter(|name| name.contains(':'))
    }

    /// The JSON text that is stored and that replies are made of, `schemas` first.
    pub fn to_stored(&self, resource_type: &'static ResourceType) -> String {
        let schemas = self.schemas(resource_type);
        let managed = self
            .managed_by
            .as_ref()
            .map(|provider| json!({ MANAGED_BY: provider }));
        // In the schema's order, whatever order the client wrote them in.
        let names = resource_type
            .plain()
            .core()
            .map(Attribute::name)
            .chain(self.extensions());
        let attributes = names.filter_map(|name| Some((name, self.attributes.get(name)?)));
        let all = std::iter::once(("schemas", &schemas))
            .chain(attributes)
            .chain(managed.as_ref().map(|managed| (STORED_MANAGED, managed)));
        let mut text = Vec::new();
        let written = serde_json::Serializer::new(&mut text).collect_map(all);
        // Neither a buffer nor names that are strings can fail.
        match written {
            Ok(()) => String::from_utf8(text).unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// How long [`to_stored`](Self::to_stored) is, without its being made.
    pub fn lengths(&self, resource_type: &'static ResourceType) -> Lengths {
        let schemas = self.schemas(resource_type);
        let managed = self
            .managed_by
            .as_ref()
            .map(|provider| json!({ MANAGED_BY: provider }));
        let own = [
            ("schemas", Some(&schemas)),
            (STORED_MANAGED, managed.as_ref()),
        ];
        let own = own.into_iter();
        let own = own.filter_map(|(name, value)| Some((name, Lengths::of(value?))));
        // The brackets, less a comma that the last one does not have.
        let mut lengths = Lengths {
            json: 1,
            ..Lengths::default()
        };
        for (name, value) in own.chain(self.attributes.lengths()) {
            // Quotes, a colon, a comma.
            lengths.json += name.len() + 4 + value.json;
            lengths.beyond_ascii += value.beyond_ascii;
        }
        lengths
    }

    /// Whether what is stored of the resource and its keys have fewer bytes together. The keys are made only where they may matter, and
    /// the budget charged for that.
    pub fn is_shorter(&self, shape: Shape<'_>, most: usize, budget: &Budget) -> Result<bool> {
        let lengths = self.lengths(shape.resource_type);
        if lengths.json + lengths.folded_at_most() + KEYS_OWN < most {
            return Ok(true);
        }
        if lengths.json >= most {
            return Ok(false);
        }
        budget.fold_all(lengths)?;
        Ok(lengths.json + self.to_keys(shape).len() < most)
    }

    /// Reads back what [`to_stored`](Self::to_stored) wrote.
    pub fn from_stored(text: &str) -> serde_json::Result<Self> {
        let mut object: Map<String, Value> = serde_json::from_str(text)?;
        object.shift_remove("schemas");
        let managed = object.shift_remove(STORED_MANAGED);
        let provider = managed.as_ref().and_then(|managed| managed.get(MANAGED_BY));
        Ok(Resource {
            managed_by: provider.and_then(Value::as_str).map(str::to_owned),
            attributes: object.into(),
            ..Resource::default()
        })
    }

    /// The JSON text that filters and sorting look at: names in lower case, strings as their attributes compare them.
    /// SQL folds ASCII letters only, so what it compares is folded here.
    pub fn to_keys(&self, shape: Shape<'_>) -> String {
        let mut keys = Map::new();
        keys.insert("schemas".to_owned(), self.schemas(shape.resource_type));
        add_keys(&mut keys, shape.core(), &|name| self.attributes.get(name));
        for extension in shape.extensions() {
            if let Some(object) = self.attributes.get(extension.id()) {
                let mut below = Map::new();
                add_keys(&mut below, extension.attributes.iter(), &|name| {
                    object.get(name)
                });
                if !below.is_empty() {
                    keys.insert(extension.key.to_string(), Value::Object(below));
                }
            }
        }
        if let Some(provider) = &self.managed_by {
            let managed = json!({ MANAGED_BY.to_ascii_lowercase(): provider });
            keys.insert("managed".to_owned(), managed);
        }
        let mut keys = Value::Object(keys);
        let text = keys.to_string();
        match keys.as_object_mut() {
            Some(keys) if !is_plain(&text) => keys.insert("form".to_owned(), KEYS_FORM.into()),
            _ => return text,
        };
        keys.to_string()
    }
}

/// The keys of attributes at one level.
fn add_keys<'a, 'v>(
    keys: &mut Map<String, Value>,
    attributes: impl Iterator<Item = &'a Attribute>,
    value_of: &dyn Fn(&str) -> Option<&'v Value>,
) {
    for attribute in attributes {
        if let Some(value) = value_of(attribute.name()) {
            keys.insert(key_name(attribute), key_value(attribute, value));
        }
    }
}

/// Which form the keys have, where it is not the same in all: by it rows are found whose keys are from before they were normalised.
const KEYS_FORM: i64 = 1;

/// By how much keys are longer at most than what is stored, folding left out: they say their form.
const KEYS_OWN: usize = 16;

/// Whether keys are the same in every form: plain ASCII, without a space at the beginning or the end of a text.
fn is_plain(keys: &str) -> bool {
    let is_printable = |byte: u8| (b' '..=b'~').contains(&byte);
    keys.bytes().all(is_printable) && !keys.contains("\" ") && !keys.contains(" \"")
}

/// Names of the attributes in which two resources differ, for the audit trail.
pub fn differing(before: &Resource, after: &Resource) -> Vec<String> {
    let changed = |name: &&String| !before.attributes.is_same(name, &after.attributes);
    let mut names: Vec<String> = after.attributes.keys().filter(changed).cloned().collect();
    let gone = before
        .attributes
        .keys()
        .filter(|name| !after.attributes.contains_key(name));
    names.extend(gone.cloned());
    names
}

/// Name of an attribute in the filter keys.
pub fn key_name(attribute: &Attribute) -> String {
    attribute.name().to_ascii_lowercase()
}

fn key_value(attribute: &Attribute, value: &Value) -> Value {
    match value {
        Value::Array(values) => values
            .iter()
            .map(|value| key_value(attribute, value))
            .collect(),
        Value::Object(object) => {
            let subs = attribute.sub_attributes.iter().filter_map(|sub| {
                let value = object.get(sub.name())?;
                Some((key_name(sub), key_value(sub, value)))
            });
            Value::Object(subs.collect())
        }
        Value::String(text)
            if matches!(
                attribute.kind,
                Kind::String | Kind::Reference | Kind::Binary
            ) =>
        {
            Value::String(comparable(text, attribute).into_owned())
        }
        // Times are compared as such, whatever they are written like.
        Value::String(text) if attribute.kind == Kind::DateTime => {
            date_time::parse(text).map_or(Value::Null, Value::from)
        }
        other => other.clone(),
    }
}
