//! Which attributes a reply carries (RFC 7644 §3.4.2.5, §3.9; `returned` of RFC 7643 §2.2).

use std::sync::Arc;

use serde_json::{Map, Value};

use super::attribute_path::{self, Target};
use super::error::{Error, Result};
use super::profile::Profile;
use super::schema::{Attribute, AttributeRef, ResourceType, Returned, Schema, Shape};

/// A client's choice of attributes, for one resource type.
#[derive(Debug, Clone)]
pub struct Projection {
    choice: Choice,
    /// The tenant's own extensions of the type.
    own: Vec<Arc<Schema>>,
}

#[derive(Debug, Clone)]
enum Choice {
    Default,
    Only(Vec<Target>),
    Except(Vec<Target>),
}

impl Projection {
    /// What is returned by default.
    pub fn default_set(shape: Shape<'_>) -> Self {
        Projection {
            choice: Choice::Default,
            own: shape.own.to_vec(),
        }
    }

    /// From the `attributes` and `excludedAttributes` of a request. Names that this type does not have are passed
    /// over: they may be meant for another type. Both at once is an `invalidValue`, since RFC 7644 §3.9 makes them alternatives.
    pub fn new(
        shape: Shape<'_>,
        attributes: Option<&[String]>,
        excluded: Option<&[String]>,
        profile: Profile,
    ) -> Result<Self> {
        let resolve = |names: &[String]| {
            names
                .iter()
                .filter_map(|name| attribute_path::resolve(shape, name.trim(), profile).ok())
                .collect()
        };
        let choice = match (attributes, excluded) {
            (Some(_), Some(_)) => {
                return Err(Error::value(
                    "attributes and excludedAttributes exclude each other",
                ));
            }
            (Some(names), None) => Choice::Only(resolve(names)),
            (None, Some(names)) => Choice::Except(resolve(names)),
            (None, None) => Choice::Default,
        };
        Ok(Projection {
            choice,
            own: shape.own.to_vec(),
        })
    }

    /// Whether the reply is everything that is returned by default, so that stored text can go out as it is.
    pub fn is_default(&self) -> bool {
        let mut own = self.own.iter().flat_map(|own| own.attributes.iter());
        matches!(self.choice, Choice::Default) && !own.any(is_hidden)
    }

    /// Whether any part of a core attribute is returned: what need not be read need not be paid for.
    pub fn includes(&self, name: &str) -> bool {
        match &self.choice {
            Choice::Default => true,
            Choice::Only(targets) => targets.iter().any(|target| names(target, name)),
            Choice::Except(targets) => !targets.iter().any(|target| {
                matches!(target, Target::Attribute(AttributeRef { sub: None, .. }))
                    && names(target, name)
            }),
        }
    }

    /// Whether a core attribute is returned with all that it has.
    pub fn shows_whole(&self, name: &str) -> bool {
        let named = |targets: &[Target]| targets.iter().any(|target| names(target, name));
        match &self.choice {
            Choice::Default => true,
            Choice::Only(targets) => targets.iter().any(|target| {
                names(target, name)
                    && !matches!(target, Target::Attribute(AttributeRef { sub: Some(_), .. }))
            }),
            Choice::Except(targets) => !named(targets),
        }
    }

    /// Whether a part of a core attribute is returned: what need not be read need not be paid for.
    pub fn includes_part(&self, name: &str, sub: &str) -> bool {
        let meant = |target: &Target| {
            names(target, name)
                && match target {
                    Target::Attribute(found) => {
                        found.sub.as_ref().is_none_or(|found| found.name() == sub)
                    }
                    Target::Resource | Target::Extension(_) => true,
                }
        };
        match &self.choice {
            Choice::Default => true,
            Choice::Only(targets) => targets.iter().any(meant),
            Choice::Except(targets) => !targets.iter().any(meant),
        }
    }

    /// The resource, in canonical form, less what is not returned.
    pub fn apply(&self, resource_type: &'static ResourceType, resource: Value) -> Value {
        let shape = resource_type.with(&self.own);
        let Value::Object(resource) = resource else {
            return resource;
        };
        let kept = resource.into_iter().filter_map(|(name, value)| {
            let kept = match shape.extension(&name) {
                Some(extension) => self.extension(&extension, value),
                None => self.attribute(None, &*shape.core_attribute(&name)?, value),
            };
            Some((name, kept?))
        });
        Value::Object(kept.collect())
    }

    fn extension(&self, extension: &Schema, value: Value) -> Option<Value> {
        let Value::Object(object) = value else {
            return None;
        };
        let kept = object.into_iter().filter_map(|(name, value)| {
            let attribute = extension.attribute(&name)?;
            let value = self.attribute(Some(extension), &attribute, value)?;
            Some((name, value))
        });
        let kept: Map<String, Value> = kept.collect();
        (!kept.is_empty()).then_some(Value::Object(kept))
    }

    fn attribute(
        &self,
        extension: Option<&Schema>,
        attribute: &Attribute,
        value: Value,
    ) -> Option<Value> {
        let (is_only, named) = match &self.choice {
            Choice::Default => (false, Named::Not),
            Choice::Only(targets) => (true, named(targets, extension, attribute)),
            Choice::Except(targets) => (false, named(targets, extension, attribute)),
        };
        let shown = match (attribute.returned, &named) {
            (Returned::Never, _) => false,
            (Returned::Always, _) => true,
            (Returned::Request, named) => is_only && !matches!(named, Named::Not),
            (Returned::Default, Named::Whole) => is_only,
            (Returned::Default, Named::Parts(_)) => true,
            (Returned::Default, Named::Not) => !is_only,
        };
        let subs = &attribute.sub_attributes;
        match named {
            _ if !shown => None,
            // Whatever is named of it.
            _ if attribute.returned == Returned::Always && !subs.iter().any(is_hidden) => {
                Some(value)
            }
            Named::Parts(parts) => keep_parts(value, &|name| {
                let is_named = parts.iter().any(|part| part == name);
                match subs.find(|sub| sub.name() == name).map(|sub| sub.returned) {
                    Some(Returned::Never) => false,
                    Some(Returned::Always) => true,
                    Some(Returned::Request) => is_only && is_named,
                    _ => is_named == is_only,
                }
            }),
            _ if !subs.iter().any(is_hidden) => Some(value),
            _ => keep_parts(value, &|name| {
                !subs.iter().any(|sub| sub.name() == name && is_hidden(sub))
            }),
        }
    }
}

/// Whether an attribute, or a part of it, is not returned by default.
fn is_hidden(attribute: &Attribute) -> bool {
    matches!(attribute.returned, Returned::Never | Returned::Request)
        || attribute.sub_attributes.iter().any(is_hidden)
}

/// What of an attribute is named.
enum Named {
    Whole,
    Parts(Vec<String>),
    Not,
}

fn named(targets: &[Target], extension: Option<&Schema>, attribute: &Attribute) -> Named {
    let is_own = |found: Option<&Schema>| found.map(Schema::id) == extension.map(Schema::id);
    let mut parts = Vec::new();
    for target in targets {
        match target {
            Target::Resource if extension.is_none() => return Named::Whole,
            Target::Extension(found) if is_own(Some(found)) => return Named::Whole,
            Target::Attribute(found)
                if is_own(found.extension.as_deref())
                    && found.attribute.name() == attribute.name() =>
            {
                match &found.sub {
                    None => return Named::Whole,
                    Some(sub) => parts.push(sub.name().to_owned()),
                }
            }
            _ => {}
        }
    }
    match parts.is_empty() {
        true => Named::Not,
        false => Named::Parts(parts),
    }
}

fn names(target: &Target, name: &str) -> bool {
    match target {
        Target::Resource => true,
        Target::Extension(_) => false,
        Target::Attribute(found) => found.extension.is_none() && found.attribute.name() == name,
    }
}

fn keep_parts(value: Value, keep: &dyn Fn(&str) -> bool) -> Option<Value> {
    match value {
        Value::Object(object) => {
            let kept: Map<String, Value> =
                object.into_iter().filter(|(name, _)| keep(name)).collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        Value::Array(values) => {
            let kept: Vec<Value> = values
                .into_iter()
                .filter_map(|value| keep_parts(value, keep))
                .collect();
            (!kept.is_empty()).then_some(Value::Array(kept))
        }
        other => Some(other),
    }
}
