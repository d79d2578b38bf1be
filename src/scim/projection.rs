//! Which attributes a reply carries (RFC 7644 §3.4.2.5, §3.9; `returned` of RFC 7643 §2.2).

use serde_json::{Map, Value};

use super::attribute_path::{self, Target};
use super::error::{Error, Result};
use super::profile::Profile;
use super::schema::{Attribute, AttributeRef, ResourceType, Returned, Schema};

/// A client's choice of attributes, for one resource type.
#[derive(Debug, Clone)]
pub struct Projection {
    choice: Choice,
}

#[derive(Debug, Clone)]
enum Choice {
    Default,
    Only(Vec<Target>),
    Except(Vec<Target>),
}

impl Projection {
    /// What is returned by default.
    pub fn default_set() -> Self {
        Projection {
            choice: Choice::Default,
        }
    }

    /// From the `attributes` and `excludedAttributes` of a request. Names that this type does not have are passed
    /// over: they may be meant for another type. Both at once is an `invalidValue`, since RFC 7644 §3.9 makes them alternatives.
    pub fn new(
        resource_type: &'static ResourceType,
        attributes: Option<&[String]>,
        excluded: Option<&[String]>,
        profile: Profile,
    ) -> Result<Self> {
        let resolve = |names: &[String]| {
            names
                .iter()
                .filter_map(|name| {
                    attribute_path::resolve(resource_type, name.trim(), profile).ok()
                })
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
        Ok(Projection { choice })
    }

    /// Whether the reply is everything that is returned by default, so that stored text can go out as it is.
    pub fn is_default(&self) -> bool {
        matches!(self.choice, Choice::Default)
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
                    Target::Attribute(found) => found.sub.is_none_or(|found| found.name == sub),
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
        let Value::Object(mut resource) = resource else {
            return resource;
        };
        let mut result = Map::new();
        for (name, value) in std::mem::take(&mut resource) {
            let kept = match resource_type.extension(&name) {
                Some(extension) => self.extension(extension, value),
                None => match resource_type.core_attribute(&name) {
                    Some(attribute) => self.attribute(None, attribute, value),
                    None => None,
                },
            };
            if let Some(value) = kept {
                result.insert(name, value);
            }
        }
        Value::Object(result)
    }

    fn extension(&self, extension: &'static Schema, value: Value) -> Option<Value> {
        let Value::Object(object) = value else {
            return None;
        };
        let kept: Map<String, Value> = object
            .into_iter()
            .filter_map(|(name, value)| {
                let attribute = extension
                    .attributes
                    .iter()
                    .find(|found| found.name == name)?;
                let value = self.attribute(Some(extension), attribute, value)?;
                Some((name, value))
            })
            .collect();
        (!kept.is_empty()).then_some(Value::Object(kept))
    }

    fn attribute(
        &self,
        extension: Option<&'static Schema>,
        attribute: &'static Attribute,
        value: Value,
    ) -> Option<Value> {
        match attribute.returned {
            Returned::Never => return None,
            Returned::Always => return Some(value),
            Returned::Default => {}
        }
        let same = |found: &AttributeRef| {
            found.extension.map(|found| found.id) == extension.map(|wanted| wanted.id)
                && found.attribute.name == attribute.name
        };
        let chosen = |targets: &[Target]| -> Chosen {
            let mut subs = Vec::new();
            for target in targets {
                match target {
                    Target::Resource if extension.is_none() => return Chosen::Whole,
                    Target::Extension(found) if extension.is_some_and(|own| own.id == found.id) => {
                        return Chosen::Whole;
                    }
                    Target::Attribute(found) if same(found) => match found.sub {
                        None => return Chosen::Whole,
                        Some(sub) => subs.push(sub.name),
                    },
                    _ => {}
                }
            }
            match subs.is_empty() {
                true => Chosen::Not,
                false => Chosen::Parts(subs),
            }
        };
        match &self.choice {
            Choice::Default => Some(value),
            Choice::Only(targets) => match chosen(targets) {
                Chosen::Whole => Some(value),
                Chosen::Parts(subs) => keep_parts(value, &|name| subs.contains(&name)),
                Chosen::Not => None,
            },
            Choice::Except(targets) => match chosen(targets) {
                Chosen::Whole => None,
                Chosen::Parts(subs) => keep_parts(value, &|name| !subs.contains(&name)),
                Chosen::Not => Some(value),
            },
        }
    }
}

enum Chosen {
    Whole,
    Parts(Vec<&'static str>),
    Not,
}

fn names(target: &Target, name: &str) -> bool {
    match target {
        Target::Resource => true,
        Target::Extension(_) => false,
        Target::Attribute(found) => found.extension.is_none() && found.attribute.name == name,
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
