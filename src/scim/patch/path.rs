//! The path of an operation (RFC 7644 §3.5.2, figure 7): `attribute[filter].sub`.

use serde_json::Value;

use crate::scim::attribute_path::{self, Target};
use crate::scim::error::{Error, Result};
use crate::scim::filter::{self, Operand, Operator, Predicate};
use crate::scim::profile::Profile;
use crate::scim::schema::{Attribute, AttributeRef, Kind, Mutability, ResourceType};

/// Where an operation acts.
#[derive(Debug, Clone)]
pub struct Path {
    /// As the client wrote it, for error messages.
    pub text: String,
    /// The attribute; with the sub-attribute where one is named, before or behind a filter.
    pub found: AttributeRef,
    pub filter: Option<Predicate>,
}

/// What a path's text names.
pub enum Named {
    Attribute(Path),
    /// A whole schema: an extension, or the resource itself.
    Schema(Target),
}

/// Parses a path.
pub fn parse(text: &str, resource_type: &'static ResourceType, profile: Profile) -> Result<Named> {
    let shown = filter::parse::shortened(text);
    let (attribute, rest) = match text.find('[') {
        Some(open) => text.split_at(open),
        None => (text, ""),
    };
    let target = attribute_path::resolve(resource_type, attribute.trim(), profile)
        .ok_or_else(|| Error::path(format!("{} has no attribute `{shown}`", resource_type.name)))?;
    let found = match target {
        Target::Attribute(found) => found,
        schema if rest.is_empty() => return Ok(Named::Schema(schema)),
        _ => return Err(Error::path(format!("`{shown}` filters a whole schema"))),
    };
    if rest.is_empty() {
        return Ok(Named::Attribute(Path {
            text: shown,
            found,
            filter: None,
        }));
    }
    if found.sub.is_some() || found.attribute.kind != Kind::Complex {
        return Err(Error::path(format!(
            "`{shown}` filters what has no sub-attributes"
        )));
    }
    let close = rest
        .rfind(']')
        .ok_or_else(|| Error::path(format!("`{shown}` has no closing bracket")))?;
    let parsed = filter::parse::parse(rest.get(1..close).unwrap_or_default(), profile)?;
    let predicate = filter::resolve::resolve_within(&parsed, found, profile)?;
    let after = rest.get(close + 1..).unwrap_or_default().trim();
    let sub = match after.strip_prefix('.') {
        None if after.is_empty() => None,
        None => return Err(Error::path(format!("`{shown}` goes on after its filter"))),
        Some(name) => Some(found.attribute.sub(name).ok_or_else(|| {
            Error::path(format!(
                "{} has no sub-attribute `{name}`",
                found.attribute.name
            ))
        })?),
    };
    Ok(Named::Attribute(Path {
        text: shown,
        found: AttributeRef { sub, ..found },
        filter: Some(predicate),
    }))
}

impl Path {
    /// Whether the attribute, or the part of it that is named, is not the client's to write.
    pub fn is_read_only(&self) -> bool {
        let read_only = |attribute: &Attribute| attribute.mutability == Mutability::ReadOnly;
        read_only(self.found.attribute) || self.found.sub.is_some_and(read_only)
    }

    /// The sub-attributes and values that an element must have to meet the filter, as far as plain equality says:
    /// what an element is made of when a client addresses one that is not there (`emails[type eq "work"].value`).
    pub fn implied(&self) -> Vec<(&'static Attribute, Value)> {
        let mut implied = Vec::new();
        if let Some(filter) = &self.filter {
            collect_implied(filter, &mut implied);
        }
        implied
    }
}

fn collect_implied(filter: &Predicate, implied: &mut Vec<(&'static Attribute, Value)>) {
    match filter {
        Predicate::And(all) => all.iter().for_each(|one| collect_implied(one, implied)),
        Predicate::Compare(found, Operator::Equal, operand) => {
            let value = match operand {
                Operand::Text { given, .. } => Value::String(given.clone()),
                Operand::Boolean(value) => Value::Bool(*value),
                Operand::Number(_) | Operand::Time(_) => return,
            };
            implied.push((found.leaf(), value));
        }
        _ => {}
    }
}
