//! Looks a filter's attributes up in the schema and checks operators and values against their types.

use super::{Filter, Literal, Operand, Operator, Path, Predicate};
use crate::scim::attribute_path::{self, Target};
use crate::scim::date_time;
use crate::scim::error::{Error, Result};
use crate::scim::fold::{comparable, fold};
use crate::scim::forgiven::{Forgiven, note};
use crate::scim::profile::Profile;
use crate::scim::schema::{Attribute, AttributeRef, Kind, Shape};

/// Resolves a filter on resources of one type. `invalidFilter` names the attribute that does not exist, that cannot
/// be compared so, or whose value has another type.
///
/// In a search over several types, an attribute that only one of `others` has matches nothing here.
pub fn resolve(
    filter: &Filter,
    shape: Shape<'_>,
    others: &[Shape<'_>],
    profile: Profile,
) -> Result<Predicate> {
    let find_in = |shape, path: &Path| match attribute_path::resolve(shape, &path.text, profile) {
        Ok(Target::Attribute(found)) => Some(found),
        _ => None,
    };
    let find = |path: &Path| match find_in(shape, path) {
        Some(found) => Ok(Some(found)),
        None if others.iter().any(|other| find_in(*other, path).is_some()) => Ok(None),
        None => Err(unknown(path, shape.name)),
    };
    walk(filter, &find, profile, false)
}

/// Resolves the filter inside `attribute[…]`, whose paths are the attribute's sub-attributes.
pub fn resolve_within(
    filter: &Filter,
    parent: &AttributeRef,
    profile: Profile,
) -> Result<Predicate> {
    let find = |path: &Path| match parent.attribute.sub(&path.text) {
        Some(sub) => Ok(Some(parent.with_sub(Some(sub)))),
        None => Err(unknown(path, parent.attribute.name())),
    };
    walk(filter, &find, profile, true)
}

/// Finds an attribute; `None` where it is known, but not to this type.
type Find<'f> = dyn Fn(&Path) -> Result<Option<AttributeRef>> + 'f;

/// `within`: whether the filter is on the parts of one value.
fn walk(filter: &Filter, find: &Find<'_>, profile: Profile, within: bool) -> Result<Predicate> {
    let inner = |filter: &Filter| walk(filter, find, profile, within);
    let all =
        |filters: &[Filter]| -> Result<Vec<Predicate>> { filters.iter().map(inner).collect() };
    match filter {
        Filter::And(filters) => Ok(Predicate::And(all(filters)?)),
        Filter::Or(filters) => Ok(Predicate::Or(all(filters)?)),
        Filter::Not(filter) => Ok(Predicate::Not(Box::new(inner(filter)?))),
        Filter::Present(path) => match find(path)? {
            Some(found) => readable(found, path).map(Predicate::Present),
            None => Ok(Predicate::Never),
        },
        Filter::Compare(path, operator, literal) => match find(path)? {
            Some(found) => {
                let found = readable(found, path)?;
                compare(found, path, *operator, literal, profile, within)
            }
            // What a resource cannot have is not equal to anything, and is equal to nothing.
            None => Ok(match (operator, literal == &Literal::Null) {
                (Operator::NotEqual, false) | (Operator::Equal, true) => {
                    Predicate::Not(Box::new(Predicate::Never))
                }
                _ => Predicate::Never,
            }),
        },
        Filter::Element(path, filter) => {
            let Some(parent) = find(path)? else {
                return Ok(Predicate::Never);
            };
            if parent.sub.is_some() || parent.attribute.kind != Kind::Complex {
                return Err(Error::filter(format!(
                    "`{}` at position {} has no sub-attributes to filter by",
                    path.text,
                    path.at + 1
                )));
            }
            let filter = resolve_within(filter, &parent, profile)?;
            Ok(Predicate::Element(parent, Box::new(filter)))
        }
    }
}

fn compare(
    found: AttributeRef,
    path: &Path,
    operator: Operator,
    literal: &Literal,
    profile: Profile,
    within: bool,
) -> Result<Predicate> {
    if *literal == Literal::Null {
        return match operator {
            Operator::Equal => Ok(Predicate::Not(Box::new(Predicate::Present(found)))),
            Operator::NotEqual => Ok(Predicate::Present(found)),
            _ => Err(wrong(path, operator, "null is compared by eq and ne only")),
        };
    }
    let found = significant(found, path)?;
    let operand = operand(found.leaf(), path, operator, literal, profile)?;
    Ok(match operator {
        Operator::Equal => equal(found, operand, within),
        Operator::NotEqual => Predicate::Not(Box::new(equal(found, operand, within))),
        _ => Predicate::Compare(found, operator, operand),
    })
}

/// A value that does not say whether it is primary is not (RFC 7643 §2.4). Inside `attribute[…]` that is said of one value, and
/// outside of any.
fn equal(found: AttributeRef, operand: Operand, within: bool) -> Predicate {
    if found.leaf().name() != "primary" || operand != Operand::Boolean(false) {
        return Predicate::Compare(found, Operator::Equal, operand);
    }
    let values = found.with_sub(None);
    let primary = Predicate::Compare(found, Operator::Equal, Operand::Boolean(true));
    let not_primary = Predicate::Not(Box::new(primary));
    match within {
        true => not_primary,
        false => Predicate::Element(values, Box::new(not_primary)),
    }
}

/// The attribute itself, or `value` of a complex one (RFC 7644 §3.4.2.2: `emails co "example.com"`).
fn significant(found: AttributeRef, path: &Path) -> Result<AttributeRef> {
    if found.leaf().kind != Kind::Complex {
        return Ok(found);
    }
    match found.attribute.default_sub() {
        Some(sub) => Ok(found.with_sub(Some(sub))),
        None => Err(Error::filter(format!(
            "`{}` at position {} is complex: name one of its sub-attributes",
            path.text,
            path.at + 1
        ))),
    }
}

fn operand(
    attribute: &Attribute,
    path: &Path,
    operator: Operator,
    literal: &Literal,
    profile: Profile,
) -> Result<Operand> {
    let substring =
        !operator.is_ordering() && !matches!(operator, Operator::Equal | Operator::NotEqual);
    match attribute.kind {
        // RFC 7644 §3.4.2.2: ordering a boolean or a binary value is an invalidFilter.
        Kind::Boolean | Kind::Binary if operator.is_ordering() || substring => Err(wrong(
            path,
            operator,
            "such values are compared by eq, ne and pr only",
        )),
        Kind::Boolean => match literal {
            Literal::Boolean(value) => Ok(Operand::Boolean(*value)),
            Literal::Text(text) if !profile.is_strict() => match text.to_ascii_lowercase().as_str()
            {
                truth @ ("true" | "false") => {
                    note(Forgiven::BooleanAsText);
                    Ok(Operand::Boolean(truth == "true"))
                }
                _ => Err(wrong(path, operator, "it takes true or false")),
            },
            _ => Err(wrong(path, operator, "it takes true or false")),
        },
        Kind::Integer | Kind::Decimal if substring => {
            Err(wrong(path, operator, "numbers have no substrings"))
        }
        Kind::Integer | Kind::Decimal => match literal {
            Literal::Number(text) => match serde_json::from_str(text) {
                Ok(number) => Ok(Operand::Number(number)),
                Err(_) => Err(wrong(path, operator, "it takes a number")),
            },
            _ => Err(wrong(path, operator, "it takes a number")),
        },
        Kind::DateTime if substring => Err(wrong(path, operator, "times have no substrings")),
        Kind::DateTime => match literal {
            Literal::Text(text) => time(text, profile).map(Operand::Time).ok_or_else(|| {
                wrong(
                    path,
                    operator,
                    "it takes a time as in \"2011-05-13T04:42:34Z\"",
                )
            }),
            _ => Err(wrong(path, operator, "it takes a time in quotes")),
        },
        Kind::String | Kind::Reference | Kind::Binary | Kind::Complex => {
            let given = match literal {
                Literal::Text(text) => text.clone(),
                // Numbers and booleans that a client forgot to quote.
                Literal::Number(text) if !profile.is_strict() => {
                    note(Forgiven::NumberForText);
                    text.clone()
                }
                Literal::Boolean(value) if !profile.is_strict() => {
                    note(Forgiven::NumberForText);
                    value.to_string()
                }
                _ => return Err(wrong(path, operator, "it takes a string in quotes")),
            };
            // A part of a name may begin or end with a space.
            let key = match substring && !attribute.case_exact {
                true => fold(&given),
                false => comparable(&given, attribute).into_owned(),
            };
            Ok(Operand::Text { given, key })
        }
    }
}

/// A time. A plus sign that a client put into an address as it stands has come as a space: `compat` reads it back.
fn time(text: &str, profile: Profile) -> Option<f64> {
    date_time::parse(text).or_else(|| match text.rsplit_once(' ') {
        Some((local, offset)) if !profile.is_strict() => {
            note(Forgiven::SpaceForPlus);
            date_time::parse(&format!("{local}+{offset}"))
        }
        _ => None,
    })
}

/// A filter on an attribute that is never returned would return it bit by bit.
fn readable(found: AttributeRef, path: &Path) -> Result<AttributeRef> {
    match found.is_readable() {
        false => Err(Error::filter(format!(
            "`{}` at position {} is never returned and cannot be filtered by",
            path.text,
            path.at + 1
        ))),
        true => Ok(found),
    }
}

fn unknown(path: &Path, owner: &str) -> Error {
    Error::filter(format!(
        "{owner} has no attribute `{}` (position {})",
        super::parse::shortened(&path.text),
        path.at + 1
    ))
}

fn wrong(path: &Path, operator: Operator, why: &str) -> Error {
    Error::filter(format!(
        "`{} {}` at position {}: {why}",
        path.text,
        operator.name(),
        path.at + 1
    ))
}
