//! Filters as text, at random, made of what a population holds. They shrink to simpler attributes, operators and values.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use rollcall::scim::schema::{
    Attribute, AttributeRef, COMMON, Kind, ResourceType, Returned, Schema, Shape, Shared,
};
use serde_json::Value;

use super::filter_operands::{cased, operation};
use super::population::Population;

/// What a filter can name, and the values that a population has there.
pub struct Vocabulary {
    targets: Vec<Target>,
    /// Whether clients of the profile may leave out URNs and quotes.
    lenient: bool,
}

#[derive(Clone)]
struct Target {
    found: AttributeRef,
    core: &'static Schema,
    values: Vec<Value>,
}

/// Attributes that clients ask for most, and that the store treats apart.
const FREQUENT: [&str; 22] = [
    "id",
    "externalId",
    "userName",
    "displayName",
    "active",
    "emails",
    "emails.value",
    "emails.type",
    "members",
    "members.value",
    "members.display",
    "members.type",
    "members.$ref",
    "groups",
    "groups.value",
    "groups.display",
    "groups.type",
    "groups.$ref",
    "meta.created",
    "meta.lastModified",
    "meta.location",
    "manager.value",
];

/// All attributes of a type that can be read, each with each of its sub-attributes.
pub fn readable(shape: Shape<'_>) -> Vec<AttributeRef> {
    let core = [COMMON.shared(), shape.schema.attributes.shared()];
    let core = core.into_iter().flatten().map(|found| (None, found));
    let extended = shape.extensions().flat_map(|extension| {
        let attributes = extension.attributes.shared();
        let of = move |found| (Some(extension.clone()), found);
        attributes.into_iter().map(of)
    });
    let mut all = Vec::new();
    for (extension, attribute) in core.chain(extended) {
        let whole = AttributeRef {
            extension,
            attribute,
            sub: None,
        };
        let parts = whole.attribute.sub_attributes.shared().into_iter();
        let parts: Vec<_> = parts.map(|sub| whole.with_sub(Some(sub))).collect();
        all.push(whole);
        all.extend(parts);
    }
    let is_read = |one: &Attribute| matches!(one.returned, Returned::Always | Returned::Default);
    all.retain(|found| is_read(&found.attribute) && is_read(found.leaf()));
    all
}

/// The elements of an attribute of a resource: the one value of a single-valued one, none where there is none.
pub fn elements(resource: &Value, found: &AttributeRef) -> Vec<Value> {
    let parent = match &found.extension {
        Some(extension) => &resource[extension.id()],
        None => resource,
    };
    match &parent[found.attribute.name()] {
        Value::Null => Vec::new(),
        Value::Array(values) => values.clone(),
        one => vec![one.clone()],
    }
}

/// A path without URN: `name.givenName`.
fn bare(found: &AttributeRef) -> String {
    match &found.sub {
        Some(sub) => format!("{}.{}", found.attribute.name(), sub.name()),
        None => found.attribute.name().to_owned(),
    }
}

/// The random part of one comparison.
#[derive(Debug, Clone)]
pub struct Choice {
    pub style: usize,
    pub operator: usize,
    pub value: usize,
    pub twist: usize,
    pub cut: usize,
}

fn choice() -> impl Strategy<Value = Choice> {
    (0..8usize, 0..12usize, any::<u16>(), 0..12usize, 0..6usize).prop_map(
        |(style, operator, value, twist, cut)| Choice {
            style,
            operator,
            value: value.into(),
            twist,
            cut,
        },
    )
}

impl Vocabulary {
    pub fn new(
        types: &[&'static ResourceType],
        population: &Population,
        profile: &str,
    ) -> Arc<Self> {
        let all: Vec<Target> = types
            .iter()
            .flat_map(|of_type| {
                let resources = population.of(of_type);
                readable(population.shape(of_type))
                    .into_iter()
                    .map(move |found| Target {
                        core: of_type.schema,
                        values: resources
                            .iter()
                            .flat_map(|resource| elements(resource, &found))
                            .collect(),
                        found,
                    })
            })
            .collect();
        let frequent: Vec<Target> = all
            .iter()
            .filter(|target| {
                FREQUENT.contains(&bare(&target.found).as_str())
                    || target
                        .found
                        .extension
                        .as_ref()
                        .is_some_and(|one| one.id().contains("drawn"))
            })
            .cloned()
            .collect();
        Arc::new(Vocabulary {
            targets: [&frequent, &frequent, &frequent, &all]
                .into_iter()
                .flatten()
                .cloned()
                .collect(),
            lenient: profile == "compat",
        })
    }

    /// The same for filters that are mostly about memberships.
    pub fn of_memberships(&self) -> Arc<Self> {
        let (mut targets, others): (Vec<Target>, Vec<Target>) = self
            .targets
            .iter()
            .cloned()
            .partition(|target| ["groups", "members"].contains(&target.found.attribute.name()));
        let few = ["id", "userName", "displayName", "externalId", "active"];
        let few = others
            .into_iter()
            .filter(|target| few.contains(&bare(&target.found).as_str()));
        targets.extend(few);
        Arc::new(Vocabulary {
            targets,
            lenient: self.lenient,
        })
    }

    /// The same for value paths on the members of groups alone.
    pub fn of_members(&self) -> Arc<Self> {
        let targets = self.targets.iter();
        let targets = targets.filter(|target| bare(&target.found) == "members");
        Arc::new(Vocabulary {
            targets: targets.cloned().collect(),
            lenient: self.lenient,
        })
    }

    /// Filters of many terms.
    pub fn long_filters(self: &Arc<Self>) -> impl Strategy<Value = String> + use<> {
        let part = self.filters().prop_map(|filter| format!("({filter})"));
        (vec(part, 1..5), any::<bool>()).prop_map(|(parts, all)| {
            let word = if all { " and " } else { " or " };
            parts.join(word)
        })
    }

    /// Any filter.
    pub fn filters(self: &Arc<Self>) -> impl Strategy<Value = String> + use<> {
        let comparison = {
            let vocabulary = self.clone();
            (0..self.targets.len(), choice()).prop_map(move |(target, choice)| {
                vocabulary.targets[target].comparison(&choice, vocabulary.lenient)
            })
        };
        let (element, known) = (self.elements(), self.known_elements());
        let term = prop_oneof![4 => comparison, 1 => element, 1 => known];
        term.prop_recursive(4, 12, 3, |inner| {
            let joined = (vec(inner.clone(), 2..4), 0..4usize)
                .prop_map(|(parts, word)| parts.join([" and ", " or ", " AND ", "  Or\t"][word]));
            prop_oneof![
                3 => joined,
                1 => inner.clone().prop_map(|inner| format!("({inner})")),
                2 => inner.prop_map(|inner| format!("not ({inner})")),
            ]
        })
    }

    /// Value paths with terms at random.
    pub fn elements(self: &Arc<Self>) -> impl Strategy<Value = String> + use<> {
        let vocabulary = self.clone();
        let complex: Vec<usize> = self.complex();
        let inner = vec((any::<u16>(), choice(), 0..6usize), 1..4);
        (0..complex.len(), 0..8usize, inner).prop_map(move |(target, style, inner)| {
            vocabulary.targets[complex[target]].element(style, &inner, vocabulary.lenient)
        })
    }

    /// Value paths that some value meets, or nearly.
    fn known_elements(self: &Arc<Self>) -> impl Strategy<Value = String> + use<> {
        let vocabulary = self.clone();
        let complex: Vec<usize> = self.complex();
        (
            0..complex.len(),
            any::<u16>(),
            0..4usize,
            any::<u16>(),
            choice(),
        )
            .prop_map(move |(target, element, first, second, choice)| {
                let target = &vocabulary.targets[complex[target]];
                target.known_element(
                    element.into(),
                    first,
                    second.into(),
                    &choice,
                    vocabulary.lenient,
                )
            })
    }

    fn complex(&self) -> Vec<usize> {
        (0..self.targets.len())
            .filter(|index| self.targets[*index].found.leaf().kind == Kind::Complex)
            .collect()
    }
}

impl Target {
    fn path(&self, style: usize, lenient: bool) -> String {
        let bare = bare(&self.found);
        let urn = match &self.found.extension {
            Some(extension) if lenient && style.is_multiple_of(2) => {
                return match style {
                    0 => bare,
                    _ => format!("{}.{bare}", extension.id()),
                };
            }
            Some(extension) => Some(extension.id()),
            None if style == 5 => Some(self.core.id()),
            None => None,
        };
        let path = match urn {
            Some(urn) => format!("{urn}:{bare}"),
            None => bare,
        };
        cased(path, style)
    }

    fn comparison(&self, choice: &Choice, lenient: bool) -> String {
        let path = self.path(choice.style, lenient);
        let values: Vec<Value> = match &self.found.sub {
            Some(sub) => self
                .values
                .iter()
                .filter_map(|value| value.get(sub.name()))
                .cloned()
                .collect(),
            None => self.values.clone(),
        };
        let leaf = self.found.leaf();
        let significant = match leaf.kind {
            Kind::Complex => leaf.default_sub(),
            _ => None,
        };
        let leaf = significant.as_deref().unwrap_or(leaf);
        // A complex attribute's values are objects, of which `value` is compared.
        let values: Vec<Value> = values
            .into_iter()
            .map(|value| match value.get("value") {
                Some(inner) => inner.clone(),
                None => value,
            })
            .collect();
        operation(&path, leaf, &values, choice, lenient)
    }

    /// `attribute[…]` with terms on sub-attributes, joined and negated at random.
    fn element(&self, style: usize, inner: &[(u16, Choice, usize)], lenient: bool) -> String {
        let mut text = String::new();
        for (index, (sub, choice, joint)) in inner.iter().enumerate() {
            let sub = self.sub(usize::from(*sub));
            let values: Vec<Value> = self
                .values
                .iter()
                .filter_map(|value| value.get(sub.name()))
                .cloned()
                .collect();
            let term = operation(
                &cased(sub.name().to_owned(), choice.style),
                &sub,
                &values,
                choice,
                lenient,
            );
            if index > 0 {
                text.push_str([" and ", " or "][joint % 2]);
            }
            match joint / 2 {
                0 => text.push_str(&term),
                1 => text.push_str(&format!("not ({term})")),
                _ => text.push_str(&format!("({term})")),
            }
        }
        format!("{}[{text}]", self.path(style, lenient))
    }

    /// `emails[type eq "…" and value eq "…"]` as one element has them, or two.
    fn known_element(
        &self,
        element: usize,
        first: usize,
        second: usize,
        choice: &Choice,
        lenient: bool,
    ) -> String {
        let equal = |sub: &Attribute, element: Option<&Value>, twist: usize| {
            // What the element does not have is asked for as an empty string, which is another thing.
            let value = element.and_then(|element| element.get(sub.name())).cloned();
            let value = [value.unwrap_or_else(|| Value::from(""))];
            let choice = Choice {
                operator: 0,
                twist,
                ..choice.clone()
            };
            operation(sub.name(), sub, &value, &choice, lenient)
        };
        let element = match self.values.len() {
            0 => None,
            many => self.values.get(element % many),
        };
        let named = ["value", "type", "display", "$ref"][first];
        let first = self
            .found
            .attribute
            .sub(named)
            .unwrap_or_else(|| self.sub(second + 1));
        let (left, right) = (
            equal(&first, element, 0),
            equal(&self.sub(second), element, choice.twist % 3),
        );
        let path = self.path(choice.style, lenient);
        match choice.cut {
            0 if lenient && right.starts_with(|letter: char| letter != '$') => {
                format!("{path}[{left}].{right}")
            }
            1 => format!("{path}[{left}]"),
            2 => format!("{path}[({right}) and {left}]"),
            _ => format!("{path}[{left} and {right}]"),
        }
    }

    fn sub(&self, index: usize) -> Shared<Attribute> {
        let subs = self.found.attribute.sub_attributes.shared();
        subs[index % subs.len()].clone()
    }
}
