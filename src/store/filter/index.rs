//! Which index answers a filter: tables of what each index answers, those that leave the fewest rows first.

use crate::scim::filter::{Operand, Operator, Predicate};
use crate::scim::schema::{Attribute, AttributeRef, GROUPS, ResourceType};

/// What an index finds resources by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A column of the resource's own row.
    Column(&'static str),
    /// The `value` of an attribute whose values are rows of another table: these give the ids of resources.
    Rows(&'static str),
    /// An attribute of a tenant's own by which resources are looked up: rows of `own_values`.
    Own,
}

/// How many resources an index leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaves {
    /// Those with one value, which are mostly so few that a page holds them all.
    Few,
    /// A range, which may be most of the tenant.
    Range,
}

/// A way to resources that is shorter than through the whole tenant.
#[derive(Debug)]
pub struct Access {
    pub key: Key,
    operators: &'static [Operator],
    /// The index, where a statement has to name it. Without statistics SQLite takes a key of two columns for as good as the first
    /// column of the primary key, and reads the whole tenant. A search by `id` needs no name, and neither does one by ids that
    /// the rows of another table give.
    pub index: Option<&'static str>,
    pub leaves: Leaves,
}

const EQUAL: &[Operator] = &[Operator::Equal];
const PREFIX: &[Operator] = &[Operator::StartsWith];
const SINCE: &[Operator] = &[Operator::Greater, Operator::GreaterOrEqual];

/// A search for one value.
const fn one(column: &'static str, index: Option<&'static str>) -> Access {
    Access {
        key: Key::Column(column),
        operators: EQUAL,
        index,
        leaves: Leaves::Few,
    }
}

const fn range(
    column: &'static str,
    operators: &'static [Operator],
    index: &'static str,
) -> Access {
    Access {
        key: Key::Column(column),
        operators,
        index: Some(index),
        leaves: Leaves::Range,
    }
}

const fn rows(attribute: &'static str) -> Access {
    Access {
        key: Key::Rows(attribute),
        operators: EQUAL,
        index: None,
        leaves: Leaves::Few,
    }
}

const OWN: Access = Access {
    key: Key::Own,
    operators: EQUAL,
    index: None,
    leaves: Leaves::Few,
};

/// Few share an address; a group may be everybody's.
const TO_USERS: &[Access] = &[
    one("id", None),
    one("user_name_key", Some("users_user_name_unique")),
    one("external_id", Some("users_external_id_idx")),
    rows("emails"),
    one("employee_number_key", Some("users_employee_number_idx")),
    one("display_name_key", Some("users_display_name_idx")),
    OWN,
    one("manager_id", Some("users_manager_idx")),
    rows("groups"),
    range("user_name_key", PREFIX, "users_user_name_unique"),
    range("display_name_key", PREFIX, "users_display_name_idx"),
    range("modified_at", SINCE, "users_modified_idx"),
];

const TO_GROUPS: &[Access] = &[
    one("id", None),
    one("external_id", Some("groups_external_id_idx")),
    one("display_name_key", Some("groups_display_name_idx")),
    OWN,
    rows("members"),
    range("display_name_key", PREFIX, "groups_display_name_idx"),
    range("modified_at", SINCE, "groups_modified_idx"),
];

/// The orders that an index has, of columns that no resource lacks: none named where the rows themselves lie so.
const ORDERS_OF_USERS: &[(&str, Option<&str>)] = &[
    ("id", None),
    ("user_name_key", Some("users_user_name_unique")),
    ("modified_at", Some("users_modified_idx")),
];
const ORDERS_OF_GROUPS: &[(&str, Option<&str>)] = &[
    ("id", None),
    ("modified_at", Some("groups_modified_idx")),
    ("display_name_key", Some("groups_display_name_idx")),
];

/// The term of a filter that an index answers, and the index. What else is asked is asked of those whom it finds.
#[derive(Debug, Clone, Copy)]
pub struct Lead<'f> {
    pub access: &'static Access,
    pub term: &'f Predicate,
}

/// The best index for a filter: of a term that holds for every match.
pub fn lead<'f>(resource_type: &ResourceType, predicate: &'f Predicate) -> Option<Lead<'f>> {
    let terms = conjuncts(predicate);
    let mut all = by_type(resource_type, TO_USERS, TO_GROUPS).iter();
    all.find_map(|access| {
        let mut terms = terms.iter();
        let term = terms.find(|term| answers(resource_type, access, term))?;
        Some(Lead { access, term })
    })
}

fn answers(resource_type: &ResourceType, access: &Access, term: &Predicate) -> bool {
    match (term, access.key) {
        (Predicate::Compare(found, operator, operand), Key::Column(name)) => {
            let is_empty = matches!(operand, Operand::Text { key, .. } if key.is_empty());
            column(resource_type, found) == Some(name)
                && access.operators.contains(operator)
                && !(is_empty && *operator == Operator::StartsWith)
        }
        (Predicate::Compare(found, ..), Key::Rows(name)) => {
            found.is_core(name) && equality(term).is_some_and(|(leaf, _)| leaf == "value")
        }
        (Predicate::Compare(found, operator, Operand::Text { .. }), Key::Own) => {
            found.is_lookup() && *operator == Operator::Equal
        }
        (Predicate::Element(found, inner), Key::Rows(name)) => {
            found.is_core(name) && value_of(inner).is_some()
        }
        _ => false,
    }
}

/// The index in whose order a list is: none where the attribute can be missing, `Some(None)` where the rows themselves lie in
/// that order.
pub fn order(resource_type: &ResourceType, by: &AttributeRef) -> Option<Option<&'static str>> {
    let column = column(resource_type, by)?;
    let orders = by_type(resource_type, ORDERS_OF_USERS, ORDERS_OF_GROUPS);
    let known = orders.iter().find(|(of, _)| *of == column);
    known.map(|(_, index)| *index)
}

fn by_type<T>(resource_type: &ResourceType, users: T, groups: T) -> T {
    match resource_type.name == GROUPS.name {
        true => groups,
        false => users,
    }
}

/// The generated column that holds an attribute.
pub fn column(resource_type: &ResourceType, found: &AttributeRef) -> Option<&'static str> {
    let sub = found.sub.as_deref().map(Attribute::name);
    let is_user = resource_type.name != GROUPS.name;
    let is_enterprise = found.is_enterprise();
    if found.extension.is_some() && !is_enterprise {
        return None;
    }
    match (is_enterprise, found.attribute.name(), sub) {
        (false, "id", None) => Some("id"),
        (false, "meta", Some("created")) => Some("created_at"),
        (false, "meta", Some("lastModified")) => Some("modified_at"),
        (false, "externalId", None) => Some("external_id"),
        (false, "displayName", None) => Some("display_name_key"),
        (false, "userName", None) if is_user => Some("user_name_key"),
        (false, "active", None) if is_user => Some("active"),
        (true, "employeeNumber", None) => Some("employee_number_key"),
        (true, "manager", Some("value")) => Some("manager_id"),
        _ => None,
    }
}

/// The terms of a conjunction, however nested; the predicate itself where it is none.
pub fn conjuncts(predicate: &Predicate) -> Vec<&Predicate> {
    match predicate {
        Predicate::And(all) => all.iter().flat_map(conjuncts).collect(),
        other => vec![other],
    }
}

/// Name and folded text of a term `name eq "…"`.
pub fn equality(term: &Predicate) -> Option<(&str, &str)> {
    match term {
        Predicate::Compare(found, Operator::Equal, Operand::Text { key, .. }) => {
            Some((found.leaf().name(), key))
        }
        _ => None,
    }
}

/// The one `value` that a predicate on one value of an attribute asks for.
pub fn value_of(inner: &Predicate) -> Option<&str> {
    let terms = conjuncts(inner);
    let mut equalities = terms.into_iter().filter_map(equality);
    equalities.find_map(|(name, key)| (name == "value").then_some(key))
}

/// The smallest string greater than all that begin with the prefix; none where there is none.
pub fn successor(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            _ => u32::from(last).checked_add(1).and_then(char::from_u32),
        };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}
