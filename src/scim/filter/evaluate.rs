//! A predicate evaluated on a resource in memory: what PATCH value filters run on, and the oracle for the SQL.

use serde_json::Value;

use super::{Operand, Operator, Predicate};
use crate::scim::date_time;
use crate::scim::fold::comparable;
use crate::scim::schema::{Attribute, AttributeRef, Kind};

/// Whether a resource, in canonical form and as a client would see it, meets the predicate.
pub fn matches(predicate: &Predicate, resource: &Value) -> bool {
    evaluate(predicate, &|found| {
        let parent = match found.extension {
            Some(extension) => resource.get(extension.id),
            None => Some(resource),
        };
        let attribute = parent.and_then(|parent| parent.get(found.attribute.name));
        let elements = elements(attribute);
        match found.sub {
            Some(sub) => elements
                .filter_map(|element| element.get(sub.name))
                .collect(),
            None => elements.collect(),
        }
    })
}

/// Whether one value of a complex attribute meets a predicate on its sub-attributes.
pub fn element_matches(predicate: &Predicate, element: &Value) -> bool {
    evaluate(predicate, &|found| {
        found
            .sub
            .and_then(|sub| element.get(sub.name))
            .into_iter()
            .collect()
    })
}

/// Whether texts meet a predicate on the parts of one value. `text` gives that of a sub-attribute by its name, in the form in which
/// it is compared, so that texts which are asked many times are folded once.
pub fn texts_match<'t>(predicate: &Predicate, text: &dyn Fn(&str) -> Option<&'t str>) -> bool {
    match predicate {
        Predicate::And(all) => all.iter().all(|one| texts_match(one, text)),
        Predicate::Or(any) => any.iter().any(|one| texts_match(one, text)),
        Predicate::Not(inner) => !texts_match(inner, text),
        Predicate::Element(_, inner) => texts_match(inner, text),
        Predicate::Never => false,
        Predicate::OfProvider(_) => true,
        Predicate::Present(found) => text(found.leaf().name).is_some_and(|text| !text.is_empty()),
        Predicate::Compare(found, operator, Operand::Text { key, .. }) => {
            text(found.leaf().name).is_some_and(|text| text_compares(text, *operator, key))
        }
        Predicate::Compare(..) => false,
    }
}

fn evaluate<'v>(predicate: &Predicate, values: &dyn Fn(&AttributeRef) -> Vec<&'v Value>) -> bool {
    match predicate {
        Predicate::And(all) => all.iter().all(|one| evaluate(one, values)),
        Predicate::Or(any) => any.iter().any(|one| evaluate(one, values)),
        Predicate::Not(inner) => !evaluate(inner, values),
        Predicate::Never => false,
        // A resource in memory is the client's own.
        Predicate::OfProvider(_) => true,
        Predicate::Present(found) => values(found).into_iter().any(is_present),
        Predicate::Compare(found, operator, operand) => values(found)
            .into_iter()
            .any(|value| compares(found.leaf(), value, *operator, operand)),
        Predicate::Element(found, inner) => values(found)
            .into_iter()
            .any(|element| element_matches(inner, element)),
    }
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

fn text_compares(value: &str, operator: Operator, wanted: &str) -> bool {
    match operator {
        Operator::Contains => value.contains(wanted),
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
