//! What a tenant's own schema may be: what the engine can find its attributes in, beside all others, whatever a client writes.

use std::collections::BTreeSet;

use super::types::{OwnAttribute, OwnSchema};
use crate::error::FieldError;
use crate::scim::schema::{
    Kind, Mutability, ResourceType, Returned, fault_of_urn, is_attribute_name,
};

/// Most attributes of a schema, with all that they are made of.
const MAX_ATTRIBUTES: usize = 200;
/// Most attributes by which a tenant's resources are looked up.
const MAX_LOOKUPS: usize = 3;
/// Most of one level.
const MAX_OF_LEVEL: usize = 100;
/// Most faults that one reply tells.
const MAX_FAULTS: usize = 20;
/// What does not hold of a schema beside the others that the tenant has.
pub fn faults(schema: &OwnSchema, others: &[&OwnSchema]) -> Vec<FieldError> {
    let mut faults = Faults::default();
    if let Some(msg) = fault_of_urn(&schema.id, others.iter().map(|one| one.id.as_str())) {
        faults.add(&[], "id", msg);
    }
    let all = schema.attributes.iter();
    let count: usize = all.map(|one| 1 + one.subs().len()).sum();
    if count > MAX_ATTRIBUTES {
        let msg =
            format!("it has {count} attributes, with their parts; {MAX_ATTRIBUTES} are allowed");
        faults.add(&[], "attributes", msg);
        return faults.0;
    }
    let lookups = |schema: &OwnSchema| {
        let attributes = schema.attributes.iter();
        attributes.filter(|one| one.lookup == Some(true)).count()
    };
    let count = others
        .iter()
        .copied()
        .chain([schema])
        .map(lookups)
        .sum::<usize>();
    if lookups(schema) > 0 && count > MAX_LOOKUPS {
        let msg =
            format!("the tenant would look up by {count} attributes; {MAX_LOOKUPS} are allowed");
        faults.add(&[], "attributes", msg);
    }
    faults.level(
        &schema.attributes,
        &[],
        "attributes",
        Some(schema.resource_type.resource_type()),
    );
    faults.0
}

#[derive(Default)]
struct Faults(Vec<FieldError>);

impl Faults {
    fn add(&mut self, at: &[Step<'_>], field: &str, msg: impl Into<String>) {
        if self.0.len() >= MAX_FAULTS {
            return;
        }
        let mut fault = FieldError::new(&["body"], msg, "value_error");
        for (list, index) in at {
            fault.loc.extend([(*list).into(), (*index).into()]);
        }
        fault.loc.push(field.into());
        self.0.push(fault);
    }

    /// The attributes of a schema, or the parts of an attribute.
    fn level(
        &mut self,
        attributes: &[OwnAttribute],
        at: &[Step<'_>],
        list: &'static str,
        resource_type: Option<&'static ResourceType>,
    ) {
        if attributes.is_empty() {
            self.add(at, list, "it is empty");
        }
        if attributes.len() > MAX_OF_LEVEL {
            let count = attributes.len();
            self.add(
                at,
                list,
                format!("it has {count}; {MAX_OF_LEVEL} are allowed"),
            );
            return;
        }
        let mut seen = BTreeSet::new();
        for (index, attribute) in attributes.iter().enumerate() {
            let at = &[at, &[(list, index)]].concat();
            let name = attribute.name.as_str();
            if !seen.insert(name.to_ascii_lowercase()) {
                self.add(at, "name", "another has it (names have no case)");
            }
            let is_reference = name == "$ref" && resource_type.is_none();
            if !is_attribute_name(name) && !is_reference {
                let msg = "it has to be a letter, with letters, digits, `-` and `_` behind it";
                self.add(at, "name", msg);
            }
            let is_core = |of: &'static ResourceType| of.plain().core_attribute(name).is_some();
            if resource_type.is_some_and(is_core) {
                self.add(at, "name", "an attribute of the core schema has it");
            }
            self.attribute(attribute, at, resource_type.is_none());
        }
    }

    fn attribute(&mut self, attribute: &OwnAttribute, at: &[Step<'_>], is_part: bool) {
        let kind = attribute.kind();
        let is_complex = kind == Kind::Complex;
        if is_part && is_complex {
            self.add(
                at,
                "type",
                "a part of an attribute is not complex (RFC 7643 §2.3.8)",
            );
            return;
        }
        if is_part && attribute.multi_valued == Some(true) {
            self.add(at, "multiValued", "a part of an attribute has one value");
        }
        match (is_complex, &attribute.sub_attributes) {
            (true, None) => self.add(at, "subAttributes", "a complex attribute has some"),
            (true, Some(subs)) => self.level(subs, at, "subAttributes", None),
            (false, Some(_)) => self.add(at, "subAttributes", "a complex attribute alone has them"),
            (false, None) => {}
        }
        if attribute.canonical_values.is_some() && kind != Kind::String {
            self.add(at, "canonicalValues", "texts alone have them");
        }
        if attribute.reference_types.is_some() != (kind == Kind::Reference) {
            self.add(
                at,
                "referenceTypes",
                "a reference has them, and nothing else",
            );
        }
        if attribute.lookup == Some(true)
            && (is_part || !matches!(kind, Kind::String | Kind::Reference))
        {
            self.add(
                at,
                "lookup",
                "texts and references alone are looked up by, no parts of attributes",
            );
        }
        let mutability = attribute.mutability.unwrap_or(Mutability::ReadWrite);
        if attribute.required == Some(true) && mutability == Mutability::ReadOnly {
            self.add(at, "required", "nobody could write it");
        }
        if mutability == Mutability::WriteOnly && attribute.returned != Some(Returned::Never) {
            self.add(at, "returned", "what is writeOnly is never returned");
        }
    }
}

/// An element of a list of attributes.
type Step<'s> = (&'s str, usize);

/// What a change does to what resources may have values of.
#[derive(Debug, Default)]
pub struct Difference<'d> {
    /// Attributes and parts that are gone, by their names.
    pub removed: Vec<Vec<&'d str>>,
    /// Those whose values mean something else, with where that is said.
    pub changed: Vec<(Vec<&'d str>, FieldError)>,
}

/// The difference between the attributes that there are and those that are to be.
pub fn difference<'d>(before: &'d [OwnAttribute], after: &'d [OwnAttribute]) -> Difference<'d> {
    let mut found = Difference::default();
    compare(before, after, &[], &[], &mut found);
    found
}

fn compare<'d>(
    before: &'d [OwnAttribute],
    after: &'d [OwnAttribute],
    path: &[&'d str],
    at: &[Step<'_>],
    found: &mut Difference<'d>,
) {
    let list = if path.is_empty() {
        "attributes"
    } else {
        "subAttributes"
    };
    for was in before {
        let path = [path, &[was.name.as_str()]].concat();
        let same = |one: &OwnAttribute| one.name.as_str().eq_ignore_ascii_case(was.name.as_str());
        let Some(index) = after.iter().position(same) else {
            found.removed.push(path);
            continue;
        };
        let Some(is) = after.get(index) else {
            continue;
        };
        let at = &[at, &[(list, index)]].concat();
        if let Some((field, msg)) = fault_of_change(was, is) {
            let mut faults = Faults::default();
            faults.add(at, field, msg);
            found
                .changed
                .extend(faults.0.into_iter().map(|fault| (path.clone(), fault)));
            continue;
        }
        compare(was.subs(), is.subs(), &path, at, found);
    }
}

/// Why an attribute that there are values of cannot become another; none where it can: what was one value of a simple type may become a
/// text.
fn fault_of_change(was: &OwnAttribute, is: &OwnAttribute) -> Option<(&'static str, String)> {
    let (before, after) = (was.kind(), is.kind());
    let widens = after == Kind::String && before != Kind::Complex;
    let of = |flag: Option<bool>| flag.unwrap_or_default();
    if was.name != is.name {
        return Some((
            "name",
            format!("resources have values under {}", was.name.as_str()),
        ));
    }
    if before != after && !widens {
        return Some((
            "type",
            format!("resources have values of type {}", before.name()),
        ));
    }
    if of(was.multi_valued) != of(is.multi_valued) {
        return Some(("multiValued", "resources have values".to_owned()));
    }
    (of(was.case_exact) != of(is.case_exact))
        .then(|| ("caseExact", "resources have values".to_owned()))
}
