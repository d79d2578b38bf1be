//! Filters (RFC 7644 §3.4.2.2) in three steps: text is parsed into a [`Filter`], which knows grammar only;
//! [`resolve`](resolve::resolve) finds its attributes in the schema and checks operators and values against their
//! types, which gives a [`Predicate`]; a predicate is evaluated on a resource ([`matches`](evaluate::matches)) or
//! compiled to SQL by the store.
//!
//! Invariant: evaluation and SQL select the same resources.

pub mod evaluate;
mod lexer;
pub mod parse;
pub mod resolve;

use super::schema::AttributeRef;

/// Longest filter in bytes; a URL ends at 16 kB anyway.
pub const MAX_LENGTH: usize = 8_192;
/// Deepest nesting of parentheses, `not` and value paths. D1 stops at an expression 100 deep.
pub const MAX_DEPTH: usize = 16;
/// Most comparisons in one filter. D1 binds 100 parameters to a statement, and a comparison may take two.
pub const MAX_TERMS: usize = 40;

/// Comparison operator. `ne` is `not (… eq …)` and `pr` is a term of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Equal,
    NotEqual,
    Contains,
    StartsWith,
    EndsWith,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

impl Operator {
    /// The operator by its RFC name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "eq" => Operator::Equal,
            "ne" => Operator::NotEqual,
            "co" => Operator::Contains,
            "sw" => Operator::StartsWith,
            "ew" => Operator::EndsWith,
            "gt" => Operator::Greater,
            "ge" => Operator::GreaterOrEqual,
            "lt" => Operator::Less,
            "le" => Operator::LessOrEqual,
            _ => return None,
        })
    }

    pub const fn name(self) -> &'static str {
        match self {
            Operator::Equal => "eq",
            Operator::NotEqual => "ne",
            Operator::Contains => "co",
            Operator::StartsWith => "sw",
            Operator::EndsWith => "ew",
            Operator::Greater => "gt",
            Operator::GreaterOrEqual => "ge",
            Operator::Less => "lt",
            Operator::LessOrEqual => "le",
        }
    }

    pub const fn is_ordering(self) -> bool {
        matches!(
            self,
            Operator::Greater | Operator::GreaterOrEqual | Operator::Less | Operator::LessOrEqual
        )
    }
}

/// A comparison value as written.
#[derive(Debug, Clone, PartialEq)]
pub enum Literal {
    Null,
    Boolean(bool),
    /// As written: a client that forgot the quotes means every digit.
    Number(String),
    Text(String),
}

/// A path as written, with its place in the filter (in bytes) for error messages.
#[derive(Debug, Clone, PartialEq)]
pub struct Path {
    pub text: String,
    pub at: usize,
}

/// A filter as the grammar has it, before any attribute is looked up.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Compare(Path, Operator, Literal),
    Present(Path),
    /// `emails[type eq "work"]`: some value of the attribute meets the whole filter.
    Element(Path, Box<Filter>),
}

impl Filter {
    /// Whether a path in it, outside of further value paths, is such a one.
    pub fn any_path(&self, test: &dyn Fn(&Path) -> bool) -> bool {
        match self {
            Filter::And(all) | Filter::Or(all) => all.iter().any(|one| one.any_path(test)),
            Filter::Not(inner) => inner.any_path(test),
            Filter::Compare(path, ..) | Filter::Present(path) | Filter::Element(path, _) => {
                test(path)
            }
        }
    }
}

/// A comparison value in the form in which the attribute's values are compared.
#[derive(Debug, Clone, PartialEq)]
pub enum Operand {
    Boolean(bool),
    Number(f64),
    Text {
        /// As the client wrote it.
        given: String,
        /// As values are compared: folded unless the attribute is case-exact.
        key: String,
    },
    /// Milliseconds since 1970.
    Time(f64),
}

/// A filter whose attributes are known and whose values have their attributes' types.
#[derive(Debug, Clone)]
pub enum Predicate {
    And(Vec<Predicate>),
    Or(Vec<Predicate>),
    Not(Box<Predicate>),
    /// Some value of the attribute compares so. The operator is never `NotEqual`.
    Compare(AttributeRef, Operator, Operand),
    /// The attribute has a value that is not empty.
    Present(AttributeRef),
    /// Some value of the complex attribute meets the predicate, in which the attribute's sub-attributes are named.
    Element(AttributeRef, Box<Predicate>),
    /// The resource's `externalId` is one of that identity provider's.
    OfProvider(String),
    /// Matches nothing: a search over several resource types names an attribute that this one does not have.
    Never,
}

impl Predicate {
    /// The same for a client of that identity provider, for whom there are no other providers' `externalId`s.
    pub fn of_provider(self, provider_id: &str) -> Self {
        let each = |all: Vec<Predicate>| {
            all.into_iter()
                .map(|one| one.of_provider(provider_id))
                .collect()
        };
        match self {
            Predicate::And(all) => Predicate::And(each(all)),
            Predicate::Or(any) => Predicate::Or(each(any)),
            Predicate::Not(inner) => Predicate::Not(Box::new(inner.of_provider(provider_id))),
            Predicate::Compare(ref found, ..) | Predicate::Present(ref found)
                if found.is_core("externalId") =>
            {
                Predicate::And(vec![Predicate::OfProvider(provider_id.to_owned()), self])
            }
            other => other,
        }
    }

    /// How many comparisons there are.
    pub fn comparisons(&self) -> usize {
        match self {
            Predicate::And(all) => all.iter().map(Predicate::comparisons).sum(),
            Predicate::Or(any) => any.iter().map(Predicate::comparisons).sum(),
            Predicate::Not(inner) | Predicate::Element(_, inner) => inner.comparisons(),
            Predicate::Compare(..) | Predicate::Present(_) => 1,
            Predicate::Never | Predicate::OfProvider(_) => 0,
        }
    }

    /// Whether a sub-attribute of that name is looked at.
    pub fn names(&self, sub: &str) -> bool {
        match self {
            Predicate::And(all) => all.iter().any(|one| one.names(sub)),
            Predicate::Or(any) => any.iter().any(|one| one.names(sub)),
            Predicate::Not(inner) | Predicate::Element(_, inner) => inner.names(sub),
            Predicate::Compare(found, ..) | Predicate::Present(found) => found.leaf().name() == sub,
            Predicate::Never | Predicate::OfProvider(_) => false,
        }
    }
}
