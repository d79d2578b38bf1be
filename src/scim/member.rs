//! A member of a group as filters see it.

use super::budget::Budget;
use super::error::Result;
use super::filter::Predicate;
use super::filter::evaluate::texts_match;
use super::fold::fold;

/// The sub-attributes by which filters find members.
pub const PARTS: [&str; 4] = ["value", "$ref", "type", "display"];

/// The parts of a member, each in the form in which it is compared: ids and addresses are case-exact.
#[derive(Debug, Clone)]
pub struct Member {
    value: String,
    reference: String,
    kind: String,
    display: Option<String>,
}

impl Member {
    /// The member with that id and type. `base` is that of its `$ref`, and `display` its name, folded; none where it has none or
    /// where no filter asks for it.
    pub fn new(id: &str, kind: &str, base: &str, display: Option<String>) -> Self {
        Member {
            value: id.to_owned(),
            reference: format!("{base}/{kind}s/{id}"),
            kind: fold(kind),
            display,
        }
    }

    /// One of its [`PARTS`]; none where it has none.
    pub fn text(&self, part: &str) -> Option<&str> {
        match part {
            "value" => Some(self.value.as_str()),
            "$ref" => Some(self.reference.as_str()),
            "type" => Some(self.kind.as_str()),
            "display" => self.display.as_deref(),
            _ => None,
        }
    }

    /// Whether it meets a filter on the parts of a member.
    pub fn meets(&self, filter: &Predicate, budget: &Budget) -> Result<bool> {
        texts_match(filter, &|part| self.text(part), budget)
    }
}
