//! A predicate evaluated in memory: on values whose texts are folded once, which is what PATCH filters run on, and on a whole resource, which
//! is the oracle for the SQL.

use std::convert::Infallible;

use serde_json::Value;

use super::{Operand, Operator, Predicate};
use crate::scim::budget::{Budget, SHORT};
use crate::scim::date_time;
use crate::scim::error::Result;
use crate::scim::fold::comparable;
use crate::scim::schema::{Attribute, AttributeRef, Kind};

/// Whether a resource, in canonical form and as a client would see it, meets the predicate.
pub fn matches(predicate: &Predicate, resource: &Value) -> bool {
    evaluate(predicate, &|found| {
        let parent = match &found.extension {
            Some(extension) => resource.get(extension.id()),
            None => Some(resource),
        };
        let attribute = parent.and_then(|parent| parent.get(found.attribute.name()));
        let elements = elements(attribute);
        match &found.sub {
            Some(sub) => elements
                .filter_map(|element| element.get(sub.name()))
                .collect(),
            None => elements.collect(),
        }
    })
}

/// Whether one value of a complex attribute meets a predicate on its sub-attributes. Each comparison folds anew; see [`Keys`].
pub fn element_matches(predicate: &Predicate, element: &Value) -> bool {
    let part = |found: &AttributeRef| element.get(found.sub.as_ref()?.name());
    let Ok(meets) = walk(predicate, &mut |leaf| -> Infallibly {
        Ok(match leaf {
            Predicate::Present(found) => part(found).is_some_and(is_present),
            Predicate::Compare(found, operator, operand) => {
                part(found).is_some_and(|value| compares(found.leaf(), value, *operator, operand))
            }
            _ => false,
        })
    });
    meets
}

/// Whether texts meet a predicate on the parts of one value. `text` gives that of a sub-attribute by its name, in the form in which
/// it is compared, so that texts which are asked many times are folded once.
pub fn texts_match<'t>(
    predicate: &Predicate,
    text: &dyn Fn(&str) -> Option<&'t str>,
    budget: &Budget,
) -> Result<bool> {
    walk(predicate, &mut |leaf| {
        // To find the text that is meant.
        budget.steps(8)?;
        match leaf {
            Predicate::Element(_, inner) => texts_match(inner, text, budget),
            Predicate::Present(found) => {
                Ok(text(found.leaf().name()).is_some_and(|text| !text.is_empty()))
            }
            Predicate::Compare(found, operator, Operand::Text { key, .. }) => {
                match text(found.leaf().name()) {
                    Some(text) => charged(text, *operator, key, budget),
                    None => Ok(false),
                }
            }
            _ => Ok(false),
        }
    })
}

/// The texts of one value in the form in which they are compared, each folded when a filter first asks for it. They are those of the
/// value as long as it does not change.
#[derive(Debug, Clone, Default)]
pub struct Keys {
    /// By the names of sub-attributes; none where the value has no text there.
    known: Vec<(String, Option<String>)>,
}

impl Keys {
    /// Whether the value, whose keys these are, meets a predicate on its sub-attributes.
    pub fn meet(&mut self, predicate: &Predicate, value: &Value, budget: &Budget) -> Result<bool> {
        walk(predicate, &mut |leaf| {
            // To find the part of the value that is meant.
            budget.steps(4)?;
            match leaf {
                Predicate::Compare(found, operator, Operand::Text { key: wanted, .. }) => {
                    match self.of(found.leaf(), value, budget)? {
                        Some(key) => charged(key, *operator, wanted, budget),
                        None => Ok(false),
                    }
                }
                _ => Ok(element_matches(leaf, value)),
            }
        })
    }

    fn of(&mut self, sub: &Attribute, value: &Value, budget: &Budget) -> Result<Option<&str>> {
        let at = match self.known.iter().position(|(name, _)| name == sub.name()) {
            Some(at) => at,
            None => {
                let text = value.get(sub.name()).and_then(Value::as_str);
                budget.fold(text.unwrap_or_default())?;
                let key = text.map(|text| comparable(text, sub).into_owned());
                self.known.push((sub.name().to_owned(), key));
                self.known.len() - 1
            }
        };
        Ok(self.known.get(at).and_then(|(_, key)| key.as_deref()))
    }
}

/// What holds for what cannot fail.
type Infallibly = std::result::Result<bool, Infallible>;

/// Goes through a predicate; `holds` tells it of a comparison, of a test for presence and of a value path.
fn walk<E>(
    predicate: &Predicate,
    holds: &mut dyn FnMut(&Predicate) -> std::result::Result<bool, E>,
) -> std::result::Result<bool, E> {
    match predicate {
        Predicate::And(all) => {
            for one in all {
                if !walk(one, holds)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        Predicate::Or(any) => {
            for one in any {
                if walk(one, holds)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
        Predicate::Not(inner) => Ok(!walk(inner, holds)?),
        Predicate::Never => Ok(false),
        // A resource in memory is the client's own.
        Predicate::OfProvider(_) => Ok(true),
        Predicate::Compare(..) | Predicate::Present(_) | Predicate::Element(..) => holds(predicate),
    }
}

fn evaluate<'v>(predicate: &Predicate, values: &dyn Fn(&AttributeRef) -> Vec<&'v Value>) -> bool {
    let Ok(meets) = walk(predicate, &mut |leaf| -> std::result::Result<
        bool,
        Infallible,
    > {
        Ok(match leaf {
            Predicate::Present(found) => values(found).into_iter().any(is_present),
            Predicate::Compare(found, operator, operand) => values(found)
                .into_iter()
                .any(|value| compares(found.leaf(), value, *operator, operand)),
            Predicate::Element(found, inner) => values(found)
                .into_iter()
                .any(|element| element_matches(inner, element)),
            _ => false,
        })
    });
    meets
}

fn elements(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    let (one, many) = match value {
        Some(Value::Array(many)) => (None, many.as_slice()),
        other => (other, [].as_slice()),
    };
    one.into_iter().chain(many)
}

fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn compares(attribute: &Attribute, value: &Value, operator: Operator, operand: &Operand) -> bool {
    match (value, operand) {
        (Value::Bool(value), Operand::Boolean(wanted)) => value == wanted,
        (Value::Number(value), Operand::Number(wanted)) => value
            .as_f64()
            .is_some_and(|value| ordered(operator, value.partial_cmp(wanted))),
        (Value::String(value), Operand::Time(wanted)) if attribute.kind == Kind::DateTime => {
            date_time::parse(value)
                .is_some_and(|value| ordered(operator, value.partial_cmp(wanted)))
        }
        (Value::String(value), Operand::Text { key: wanted, .. }) => {
            text_compares(&comparable(value, attribute), operator, wanted)
        }
        _ => false,
    }
}

/// Compares two keys, once the budget has been charged for it.
fn charged(key: &str, operator: Operator, wanted: &str, budget: &Budget) -> Result<bool> {
    match operator {
        Operator::Contains => budget.search(key, wanted)?,
        _ => budget.compare(key.len().min(wanted.len()))?,
    }
    Ok(text_compares(key, operator, wanted))
}

/// Whether a text has another in it. Of a short one each place is tried: the library's search prepares itself first, which takes longer.
fn contains(text: &str, wanted: &str) -> bool {
    match (wanted.as_bytes().first(), text.len()) {
        (Some(first), ..=SHORT) => {
            let (text, wanted) = (text.as_bytes(), wanted.as_bytes());
            let mut places = text.windows(wanted.len());
            places.any(|place| place.first() == Some(first) && place == wanted)
        }
        _ => text.contains(wanted),
    }
}

fn text_compares(value: &str, operator: Operator, wanted: &str) -> bool {
    match operator {
        Operator::Contains => contains(value, wanted),
        Operator::StartsWith => value.starts_with(wanted),
        Operator::EndsWith => value.ends_with(wanted),
        _ => ordered(operator, Some(value.cmp(wanted))),
    }
}

fn ordered(operator: Operator, ordering: Option<std::cmp::Ordering>) -> bool {
    ordering.is_some_and(|ordering| match operator {
        Operator::Equal => ordering.is_eq(),
        Operator::Greater => ordering.is_gt(),
        Operator::GreaterOrEqual => ordering.is_ge(),
        Operator::Less => ordering.is_lt(),
        Operator::LessOrEqual => ordering.is_le(),
        Operator::NotEqual | Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
            false
        }
    })
}
