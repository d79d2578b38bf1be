//! The terms of a filter that are about memberships, made few and simple before they become SQL.

use serde_json::json;

use super::expression::is_membership;
use super::index::equality;
use crate::scim::filter::Predicate;
use crate::scim::filter::evaluate::element_matches;
use crate::scim::schema::AttributeRef;

/// The same filter with a value path, `groups[…]` or `members[…]`, for each term on memberships, and with one for those that can be
/// asked for at once: some value meets the one or the other where some value meets either, and none does where none meets either.
pub fn merged(predicate: &Predicate) -> Predicate {
    match predicate {
        Predicate::And(all) => {
            let mut terms = Vec::new();
            flatten(all, &mut terms, &|one| match one {
                Predicate::And(all) => Some(all),
                _ => None,
            });
            let (absent, rest) = split(terms, |term| match term {
                Predicate::Not(inner) => {
                    element(*inner).map_err(|inner| Predicate::Not(Box::new(inner)))
                }
                other => Err(other),
            });
            let absent = together(absent).into_iter();
            let absent = absent.map(|term| Predicate::Not(Box::new(term)));
            Predicate::And(rest.into_iter().chain(absent).collect())
        }
        Predicate::Or(any) => {
            let mut terms = Vec::new();
            flatten(any, &mut terms, &|one| match one {
                Predicate::Or(any) => Some(any),
                _ => None,
            });
            let (present, rest) = split(terms, element);
            Predicate::Or(rest.into_iter().chain(together(present)).collect())
        }
        Predicate::Not(inner) => Predicate::Not(Box::new(merged(inner))),
        Predicate::Compare(found, ..) | Predicate::Present(found) if is_membership(found) => {
            let inner = match (predicate, &found.sub) {
                (Predicate::Present(_), None) => always(),
                _ => predicate.clone(),
            };
            let whole = found.with_sub(None);
            Predicate::Element(whole, Box::new(inner))
        }
        other => other.clone(),
    }
}

/// The terms of a junction and of those of its kind in it, each merged.
fn flatten<'f>(
    predicates: &'f [Predicate],
    found: &mut Vec<Predicate>,
    inside: &dyn Fn(&'f Predicate) -> Option<&'f Vec<Predicate>>,
) {
    for predicate in predicates {
        match inside(predicate) {
            Some(more) => flatten(more, found, inside),
            None => found.push(merged(predicate)),
        }
    }
}

type Element = (AttributeRef, Predicate);

/// A value path on memberships.
fn element(predicate: Predicate) -> Result<Element, Predicate> {
    match predicate {
        Predicate::Element(found, inner) if is_membership(&found) => Ok((found, *inner)),
        other => Err(other),
    }
}

fn split(
    terms: Vec<Predicate>,
    take: impl Fn(Predicate) -> Result<Element, Predicate>,
) -> (Vec<Element>, Vec<Predicate>) {
    let (mut taken, mut rest) = (Vec::new(), Vec::new());
    for term in terms {
        match take(term) {
            Ok(element) => taken.push(element),
            Err(other) => rest.push(other),
        }
    }
    (taken, rest)
}

/// One value path for several on one attribute; those that ask for the type apart, because they cost more.
fn together(elements: Vec<Element>) -> Vec<Predicate> {
    let (typed, plain): (Vec<Element>, Vec<Element>) = elements
        .into_iter()
        .partition(|(_, inner)| inner.names("type"));
    let merge = |mut elements: Vec<Element>| {
        let (found, first) = elements.pop()?;
        let inner = match elements.is_empty() {
            true => first,
            false => {
                let others = elements.into_iter().map(|(_, inner)| inner);
                Predicate::Or(others.chain([first]).collect())
            }
        };
        Some(Predicate::Element(found, Box::new(inner)))
    };
    [plain, typed].into_iter().filter_map(merge).collect()
}

/// How many value paths on memberships there are, but for one.
pub fn count(predicate: &Predicate, but: Option<&Predicate>) -> usize {
    if but.is_some_and(|but| std::ptr::eq(but, predicate)) {
        return 0;
    }
    match predicate {
        Predicate::And(all) | Predicate::Or(all) => all.iter().map(|one| count(one, but)).sum(),
        Predicate::Not(inner) => count(inner, but),
        Predicate::Element(found, _) if is_membership(found) => 1,
        _ => 0,
    }
}

/// What a predicate on one membership comes to for those of that type.
pub fn of_type(predicate: &Predicate, name: &str) -> Predicate {
    let each = |all: &[Predicate]| all.iter().map(|one| of_type(one, name)).collect::<Vec<_>>();
    match predicate {
        Predicate::And(all) => {
            let all = each(all);
            match all.iter().any(|one| matches!(one, Predicate::Never)) {
                true => Predicate::Never,
                false => without(all, is_always).map_or_else(always, Predicate::And),
            }
        }
        Predicate::Or(any) => {
            let any = each(any);
            match any.iter().any(is_always) {
                true => always(),
                false => without(any, |one| matches!(one, Predicate::Never))
                    .map_or(Predicate::Never, Predicate::Or),
            }
        }
        Predicate::Not(inner) => match of_type(inner, name) {
            Predicate::Not(inner) => *inner,
            other => Predicate::Not(Box::new(other)),
        },
        Predicate::Compare(found, ..) | Predicate::Present(found)
            if found.leaf().name() == "type" =>
        {
            match element_matches(predicate, &json!({"type": name})) {
                true => always(),
                false => Predicate::Never,
            }
        }
        other => other.clone(),
    }
}

fn without(all: Vec<Predicate>, is_idle: impl Fn(&Predicate) -> bool) -> Option<Vec<Predicate>> {
    let rest: Vec<Predicate> = all.into_iter().filter(|one| !is_idle(one)).collect();
    (!rest.is_empty()).then_some(rest)
}

fn always() -> Predicate {
    Predicate::Not(Box::new(Predicate::Never))
}

/// Whether a predicate holds whatever it is asked of.
pub fn is_always(predicate: &Predicate) -> bool {
    matches!(predicate, Predicate::Not(inner) if matches!(**inner, Predicate::Never))
}

/// The ids, where a predicate on one membership asks for nothing but that it is with one of these.
pub fn only_ids(inner: &Predicate) -> Option<Vec<&str>> {
    match inner {
        Predicate::Or(any) => {
            let ids: Option<Vec<_>> = any.iter().map(only_ids).collect();
            ids.map(|ids| ids.into_iter().flatten().collect())
        }
        Predicate::And(all) => match all.as_slice() {
            [one] => only_ids(one),
            _ => None,
        },
        one => equality(one)
            .filter(|(name, _)| *name == "value")
            .map(|(_, id)| vec![id]),
    }
}
