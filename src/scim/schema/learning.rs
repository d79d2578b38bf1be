//! Schemas learned from what an identity provider sends under URNs that are in no schema, where a tenant lets them be learned.
//!
//! What is learned is a document as a declared schema's is, and from then on what is sent is read by it.

use serde_json::{Map, Value, json};

use super::document::{list, text};
use super::own::OwnSchemas;
use super::resource_type::ResourceType;
use super::urn::{fault_of_urn, is_attribute_name};
use crate::scim::lengths::Lengths;
use crate::scim::secrets::{is_credential, names_secret};

/// Most attributes that are learned for a tenant.
const MAX_LEARNED: usize = 100;
/// Most of them with their parts.
const MAX_PARTS: usize = 200;
/// Most schemas that are learned.
const MAX_SCHEMAS: usize = 50;
/// Longest value, in bytes of its JSON, that an attribute is learned from.
const MAX_VALUE: usize = 8_192;
/// Longest URN, and longest name of an attribute.
const MAX_URN: usize = 200;
const MAX_NAME: usize = 100;

/// What was learned.
#[derive(Debug)]
pub struct Learned {
    /// All of the tenant's own schemas with it, at the next revision.
    pub own: OwnSchemas,
    /// The documents that are new or another one, by their URNs.
    pub documents: Vec<(String, Value)>,
}

/// Learns from the bodies of requests on resources; none where there is nothing to be learned.
pub fn learn<'b>(
    own: &OwnSchemas,
    bodies: impl Iterator<Item = (&'static ResourceType, &'b Value)>,
) -> Option<Learned> {
    let mut learner = Learner {
        documents: None,
        own,
        changed: Vec::new(),
    };
    for (resource_type, body) in bodies {
        learner.body(resource_type, body);
    }
    let documents = learner.documents.filter(|_| !learner.changed.is_empty())?;
    let changed = learner.changed.iter();
    let changed = changed.filter_map(|index| {
        let document: &Value = documents.get(*index)?;
        let urn = document.get("id").and_then(Value::as_str)?;
        Some((urn.to_owned(), document.clone()))
    });
    Some(Learned {
        documents: changed.collect(),
        own: OwnSchemas::read(
            own.revision + 1,
            own.drops_unknown,
            Value::Array(documents).to_string(),
        ),
    })
}

struct Learner<'l> {
    own: &'l OwnSchemas,
    /// All documents, once one is needed.
    documents: Option<Vec<Value>>,
    /// Which of them are new, or another one.
    changed: Vec<usize>,
}

impl Learner<'_> {
    fn body(&mut self, resource_type: &'static ResourceType, body: &Value) {
        let Some(body) = body.as_object() else {
            return;
        };
        let is_operations = |name: &&String| name.eq_ignore_ascii_case("operations");
        let operations = body.keys().find(is_operations);
        let operations = operations.and_then(|name| body.get(name)?.as_array());
        let Some(operations) = operations else {
            return self.names(resource_type, body);
        };
        for operation in operations {
            let part = |wanted: &str| {
                let mut parts = operation.as_object().into_iter().flatten();
                let part = parts.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                part.map(|(_, value)| value)
            };
            match (part("path").and_then(Value::as_str), part("value")) {
                (Some(path), Some(value)) if !path.is_empty() => {
                    self.named(resource_type, path, value);
                }
                (_, Some(Value::Object(names))) => self.names(resource_type, names),
                _ => {}
            }
        }
    }

    fn names(&mut self, resource_type: &'static ResourceType, names: &Map<String, Value>) {
        for (name, value) in names {
            self.named(resource_type, name, value);
        }
    }

    /// A value under a name or a path. What has no colon is of the core schema.
    fn named(&mut self, resource_type: &'static ResourceType, path: &str, value: &Value) {
        if let Some((path, values)) = of_filtered(path, value) {
            return self.named(resource_type, path, &values);
        }
        if !path.contains(':') || path.contains('[') {
            return;
        }
        let Some((urn, name)) = self.split(resource_type, path, value.is_object()) else {
            return;
        };
        let (urn, name) = (urn.to_owned(), name.to_owned());
        match (name.split_once('.'), value) {
            (_, Value::Object(object)) if name.is_empty() => {
                for (name, value) in object {
                    self.attribute(resource_type, &urn, name, value);
                }
            }
            (Some((name, sub)), value) if is_simple(value) => {
                let whole = json!({sub: value});
                self.attribute(resource_type, &urn, name, &whole);
            }
            (None, value) => self.attribute(resource_type, &urn, &name, value),
            _ => {}
        }
    }

    /// The URN in a path and the name behind it, empty where the whole schema is meant; none where the path is of a schema that is known
    /// and not learned.
    fn split<'p>(
        &self,
        resource_type: &'static ResourceType,
        path: &'p str,
        is_object: bool,
    ) -> Option<(&'p str, &'p str)> {
        let below = |urn: &str| {
            let head = path.get(..urn.len())?;
            let rest = path.get(urn.len()..)?;
            let is_below = rest.is_empty() || rest.starts_with([':', '.']);
            (is_below && head.eq_ignore_ascii_case(urn))
                .then(|| (head, rest.trim_start_matches([':', '.'])))
        };
        if below(resource_type.schema.id()).is_some() {
            return None;
        }
        for extension in self.own.shape(resource_type).extensions() {
            if let Some(found) = below(extension.id()) {
                return extension.is_learned.then_some(found);
            }
        }
        let (head, last) = path.rsplit_once(':')?;
        let is_type = |name: &str| name.eq_ignore_ascii_case(resource_type.name);
        match last.split_once('.') {
            _ if is_type(last) => Some((path, "")),
            // A dot in the place of the last colon.
            Some((first, rest)) if is_type(first) => {
                Some((path.get(..head.len() + 1 + first.len())?, rest))
            }
            _ if is_object && !last.contains('.') && self.is_unheard(head) => Some((path, "")),
            _ => Some((head, last)),
        }
    }

    /// Whether nothing was learned under a URN in this request.
    fn is_unheard(&self, urn: &str) -> bool {
        self.position(urn).is_none()
    }

    fn position(&self, urn: &str) -> Option<usize> {
        let mut documents = self.documents.iter().flatten();
        documents.position(|one| text(one, "id").eq_ignore_ascii_case(urn))
    }

    fn attribute(&mut self, resource_type: &ResourceType, urn: &str, name: &str, value: &Value) {
        let folded = name.to_ascii_lowercase();
        if names_secret(name)
            || folded == "schemas"
            || !is_attribute_name(name)
            || name.len() > MAX_NAME
        {
            return;
        }
        let Some(seen) = attribute_of(name, value) else {
            return;
        };
        if self.documents.is_none() {
            let documents = serde_json::from_str(&self.own.documents);
            self.documents = Some(documents.unwrap_or_default());
        }
        let found = self.position(urn);
        let documents = self.documents.get_or_insert_default();
        let learned: Vec<&Value> = documents.iter().filter(|one| is_learned(one)).collect();
        let known = learned.iter().flat_map(|one| list(one, "attributes"));
        let (mut count, mut parts) = (0, 0);
        for attribute in known {
            count += 1;
            parts += 1 + list(attribute, "subAttributes").len();
        }
        let schemas = learned.len();
        let mut room = MAX_PARTS.saturating_sub(parts);
        let is_short = Lengths::of(value).json <= MAX_VALUE;
        let has_room = is_short && count < MAX_LEARNED && list(&seen, "subAttributes").len() < room;
        let at = match found {
            Some(at) => at,
            None => {
                let others = documents.iter().map(|one| text(one, "id"));
                // The document of what may be assigned has none.
                let others = others.filter(|urn| !urn.is_empty());
                let has_room = has_room && schemas < MAX_SCHEMAS;
                if !has_room || urn.len() > MAX_URN || fault_of_urn(urn, others).is_some() {
                    return;
                }
                documents.push(json!({
                    "id": urn, "resource_type": resource_type.name, "name": name_of(urn), "description": "",
                    "attributes": [], "learned": true,
                }));
                documents.len() - 1
            }
        };
        let Some(document) = documents.get_mut(at) else {
            return;
        };
        if !is_learned(document) || text(document, "resource_type") != resource_type.name {
            return;
        }
        let Some(known) = document.get_mut("attributes").and_then(Value::as_array_mut) else {
            return;
        };
        let is_changed = match known.iter_mut().find(|one| is_named(one, name)) {
            Some(known) => widen(known, &seen, &mut room),
            None if has_room => {
                known.push(seen);
                true
            }
            None => false,
        };
        if is_changed && !self.changed.contains(&at) {
            self.changed.push(at);
        }
    }
}

/// What `path[type eq "work"].value` makes where there is nothing yet: the path of the attribute, and its values.
fn of_filtered<'p>(path: &'p str, value: &Value) -> Option<(&'p str, Value)> {
    let (path, rest) = path.split_once('[')?;
    let (filter, sub) = rest.split_once("].")?;
    let mut words = filter.trim().splitn(3, ' ');
    let (name, operator, operand) = (words.next()?, words.next()?, words.next()?);
    let operand: Value = serde_json::from_str(operand.trim()).ok()?;
    let is_one = operator.eq_ignore_ascii_case("eq") && is_simple(value) && is_simple(&operand);
    is_one.then(|| (path, json!([{name: operand, sub: value}])))
}

fn is_learned(document: &Value) -> bool {
    document.get("learned") == Some(&Value::Bool(true))
}

fn is_named(attribute: &Value, name: &str) -> bool {
    text(attribute, "name").eq_ignore_ascii_case(name)
}

fn is_simple(value: &Value) -> bool {
    !value.is_object() && !value.is_array()
}

/// What a schema is called whose URN has its name before a version, as most have it.
fn name_of(urn: &str) -> &str {
    let parts: Vec<&str> = urn.split(':').collect();
    let is_version = |part: &&str| part.starts_with(|first: char| first.is_ascii_digit());
    let version = parts.iter().rposition(is_version);
    let name = version.and_then(|version| parts.get(version.checked_sub(1)?));
    name.copied().unwrap_or(urn)
}

/// The attribute that a value is one of; none where nothing can be seen from it.
fn attribute_of(name: &str, value: &Value) -> Option<Value> {
    let kind = match value {
        Value::Null => return None,
        // What has the form of a secret is one, whatever it is called.
        Value::String(text) if text.is_empty() || is_credential(text) => return None,
        Value::String(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_i64() => "integer",
        Value::Number(_) => "decimal",
        Value::Object(object) => {
            let subs = object.iter().filter(|(name, _)| {
                let is_name = is_attribute_name(name) && name.len() <= MAX_NAME;
                !names_secret(name) && (is_name || *name == "$ref")
            });
            // What has parts of its own is kept as a text.
            let subs = subs.filter_map(|(name, value)| match is_simple(value) {
                true => attribute_of(name, value),
                false => Some(json!({"name": name, "type": "string"})),
            });
            let mut distinct: Vec<Value> = Vec::new();
            for sub in subs {
                if distinct.len() >= MAX_LEARNED {
                    break;
                }
                let known = distinct.iter().any(|one| is_named(one, text(&sub, "name")));
                distinct.extend((!known).then_some(sub));
            }
            if distinct.is_empty() {
                return None;
            }
            return Some(json!({"name": name, "type": "complex", "subAttributes": distinct}));
        }
        Value::Array(values) => {
            let mut seen = values.iter().filter(|value| !value.is_array());
            let mut attribute = seen.find_map(|value| attribute_of(name, value))?;
            let mut room = MAX_LEARNED;
            for other in seen.filter_map(|value| attribute_of(name, value)) {
                widen(&mut attribute, &other, &mut room);
            }
            set(&mut attribute, "multiValued", true.into());
            return Some(attribute);
        }
    };
    Some(json!({"name": name, "type": kind}))
}

fn set(attribute: &mut Value, name: &str, value: Value) {
    if let Some(attribute) = attribute.as_object_mut() {
        attribute.insert(name.to_owned(), value);
    }
}

/// Makes an attribute take a value like another one too; whether it is another then. Two simple types are texts together; what is complex
/// stays so, with more parts, for which there may be room.
fn widen(known: &mut Value, seen: &Value, room: &mut usize) -> bool {
    let mut is_changed = false;
    let is_many = Value::Bool(true);
    if seen.get("multiValued") == Some(&is_many) && known.get("multiValued") != Some(&is_many) {
        set(known, "multiValued", is_many);
        is_changed = true;
    }
    match (text(known, "type"), text(seen, "type")) {
        ("complex", "complex") => {
            let subs = known.get_mut("subAttributes").and_then(Value::as_array_mut);
            let Some(subs) = subs else {
                return is_changed;
            };
            for sub in list(seen, "subAttributes") {
                let has_room = *room > 0 && subs.len() < MAX_LEARNED;
                is_changed |= match subs.iter_mut().find(|one| is_named(one, text(sub, "name"))) {
                    Some(known) => widen(known, sub, room),
                    None if has_room => {
                        *room -= 1;
                        subs.push(sub.clone());
                        true
                    }
                    None => false,
                };
            }
            is_changed
        }
        (before, other) if before == other || before == "string" => is_changed,
        // The one value of a complex one.
        ("complex", _) => {
            let mut seen = seen.clone();
            set(&mut seen, "name", "value".into());
            set(&mut seen, "multiValued", false.into());
            let whole = json!({"type": "complex", "subAttributes": [seen]});
            widen(known, &whole, room) || is_changed
        }
        ("decimal", "integer") => is_changed,
        ("integer", "decimal") => {
            set(known, "type", "decimal".into());
            true
        }
        _ => {
            set(known, "type", "string".into());
            if let Some(known) = known.as_object_mut() {
                known.shift_remove("subAttributes");
            }
            true
        }
    }
}
