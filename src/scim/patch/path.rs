//! The path of an operation (RFC 7644 §3.5.2, figure 7): `attribute[filter].sub`.

use serde_json::Value;

use crate::scim::attribute_path::{self, Target, Unknown};
use crate::scim::error::{Error, Result};
use crate::scim::filter::parse::shortened;
use crate::scim::filter::{self, Filter, Operand, Operator, Predicate};
use crate::scim::profile::Profile;
use crate::scim::schema::{Attribute, AttributeRef, Kind, Mutability, Shape, Shared};

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
    /// Something that no schema has, and what there is to say of it where that is an error.
    Unknown(Error),
}

/// Parses a path. An error is a text that can be no path; what no schema has is [`Named::Unknown`].
pub fn parse(text: &str, shape: Shape<'_>, profile: Profile) -> Result<Named> {
    let shown = shortened(text);
    let Written {
        attribute,
        filter,
        sub,
    } = split(text, profile)?;
    let found = match attribute_path::resolve(shape, attribute, profile) {
        Ok(Target::Attribute(found)) => found,
        Ok(schema) if filter.is_none() => return Ok(Named::Schema(schema)),
        Ok(_) => return Err(Error::path(format!("`{shown}` filters a whole schema"))),
        Err(unknown) => {
            let what = match unknown {
                Unknown::Attribute => "attribute",
                Unknown::Schema => "schema for",
            };
            let detail = format!("{} has no {what} `{shown}`", shape.name);
            return Ok(Named::Unknown(Error::path(detail)));
        }
    };
    let unknown = |error: Error| Ok(Named::Unknown(error));
    let Some(filter) = filter else {
        return Ok(Named::Attribute(Path {
            text: shown,
            found,
            filter: None,
        }));
    };
    // What has several values is there, and a client that is told nothing takes them for changed.
    if found.sub.is_none() && found.attribute.multi_valued && found.attribute.kind != Kind::Complex
    {
        let detail =
            format!("`{shown}` filters what has no sub-attributes; replace all its values");
        return Err(Error::path(detail));
    }
    if found.sub.is_some() || found.attribute.kind != Kind::Complex {
        return unknown(Error::path(format!(
            "`{shown}` filters what has no sub-attributes"
        )));
    }
    let predicate = match filter::resolve::resolve_within(&filter, &found, profile) {
        Ok(predicate) => predicate,
        Err(error) if filter.any_path(&|path| found.attribute.sub(&path.text).is_none()) => {
            return unknown(error);
        }
        Err(error) => return Err(error),
    };
    let sub = match sub.map(|name| (name, found.attribute.sub(name))) {
        None => None,
        Some((_, Some(sub))) => Some(sub),
        Some((name, None)) => {
            return unknown(Error::path(format!(
                "{} has no sub-attribute `{}`",
                found.attribute.name(),
                shortened(name)
            )));
        }
    };
    Ok(Named::Attribute(Path {
        text: shown,
        found: found.with_sub(sub),
        filter: Some(predicate),
    }))
}

/// A path's text, taken apart.
struct Written<'t> {
    attribute: &'t str,
    filter: Option<Filter>,
    sub: Option<&'t str>,
}

fn split(text: &str, profile: Profile) -> Result<Written<'_>> {
    let shown = shortened(text);
    let (attribute, rest) = match text.find('[') {
        Some(open) => text.split_at(open),
        None => (text, ""),
    };
    let attribute = attribute.trim();
    if !is_name(attribute) {
        return Err(Error::path(format!("`{shown}` is no path")));
    }
    if rest.is_empty() {
        return Ok(Written {
            attribute,
            filter: None,
            sub: None,
        });
    }
    let close = rest
        .rfind(']')
        .ok_or_else(|| Error::path(format!("`{shown}` has no closing bracket")))?;
    let filter = filter::parse::parse(rest.get(1..close).unwrap_or_default(), profile)?;
    let after = rest.get(close + 1..).unwrap_or_default().trim();
    let sub = match after.strip_prefix('.') {
        None if after.is_empty() => None,
        Some(name) if is_name(name) => Some(name),
        _ => return Err(Error::path(format!("`{shown}` goes on after its filter"))),
    };
    Ok(Written {
        attribute,
        filter: Some(filter),
        sub,
    })
}

/// Whether a text can be a name, with its URN or without: more than RFC 7643 §2.1 allows, because clients name their own attributes.
fn is_name(text: &str) -> bool {
    let part = |c: char| c.is_ascii_graphic() && !"[]{}\"\\`".contains(c);
    text.chars().all(part) && text.contains(|c: char| c.is_ascii_alphanumeric())
}

impl Path {
    /// Whether the attribute, or the part of it that is named, is not the client's to write.
    pub fn is_read_only(&self) -> bool {
        let read_only = |attribute: &Attribute| attribute.mutability == Mutability::ReadOnly;
        read_only(&self.found.attribute) || self.found.sub.as_deref().is_some_and(read_only)
    }

    /// The sub-attributes and values that an element must have to meet the filter, as far as plain equality says:
    /// what an element is made of when a client addresses one that is not there (`emails[type eq "work"].value`).
    pub fn implied(&self) -> Vec<(Shared<Attribute>, Value)> {
        let mut implied = Vec::new();
        if let Some(filter) = &self.filter {
            collect_implied(filter, &mut implied);
        }
        implied
    }
}

fn collect_implied(filter: &Predicate, implied: &mut Vec<(Shared<Attribute>, Value)>) {
    match filter {
        Predicate::And(all) => all.iter().for_each(|one| collect_implied(one, implied)),
        Predicate::Compare(found, Operator::Equal, operand) => {
            let value = match operand {
                Operand::Text { given, .. } => Value::String(given.clone()),
                Operand::Boolean(value) => Value::Bool(*value),
                Operand::Number(_) | Operand::Time(_) => return,
            };
            if found.leaf().mutability != Mutability::ReadOnly {
                let leaf = found.sub.as_ref().unwrap_or(&found.attribute);
                implied.push((leaf.clone(), value));
            }
        }
        _ => {}
    }
}
