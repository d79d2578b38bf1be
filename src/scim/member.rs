//! A member of a group as filters see it.

use super::filter::Predicate;
use super::filter::evaluate::texts_match;
use super::fold::fold;

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

    /// Whether it meets a filter on the parts of a member.
    pub fn meets(&self, filter: &Predicate) -> bool {
        texts_match(filter, &|name| match name {
            "value" => Some(&self.value),
            "$ref" => Some(&self.reference),
            "type" => Some(&self.kind),
            "display" => self.display.as_deref(),
            _ => None,
        })
    }
}
