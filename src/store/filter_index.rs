//! Which index answers a filter.

use super::resources;
use crate::scim::filter::{Operand, Operator, Predicate};
use crate::scim::schema::{AttributeRef, GROUPS, ResourceType};

/// The generated column that holds an attribute, and that an index leads to.
pub fn column(resource_type: &ResourceType, found: AttributeRef) -> Option<&'static str> {
    let sub = found.sub.map(|sub| sub.name);
    let is_user = resource_type.name != GROUPS.name;
    match (found.extension.is_some(), found.attribute.name, sub) {
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

/// The index that answers a filter: of a term that holds for every match, the one that leaves the fewest rows.
///
/// It is named because SQLite would not choose it: without statistics it takes a key of two columns for as good as the first
/// column of the primary key, and reads the whole tenant. A term on `id` needs none, and neither does one on the rows of
/// another table, which give ids.
pub fn index(resource_type: &ResourceType, predicate: &Predicate) -> Option<String> {
    best(resource_type, predicate)?.1
}

/// Whether the index of a column leaves one resource or few: then what else is asked is asked of each, and nothing of other
/// tables is collected first, such as everybody in a group.
pub fn finds_few(resource_type: &ResourceType, predicate: &Predicate) -> bool {
    best(resource_type, predicate).is_some_and(|(rank, _)| rank <= FEW && rank != EMAILS)
}

/// Whether the index of another table gives the ids of all that a filter can match.
pub fn gives_ids(resource_type: &ResourceType, predicate: &Predicate) -> bool {
    best(resource_type, predicate).is_some_and(|(rank, _)| [EMAILS, MEMBERSHIPS].contains(&rank))
}

/// Whether a filter names what it looks for by a value that few resources have, so that a page mostly holds them all: then
/// the total is the page's length, and need not be counted.
pub fn is_lookup(resource_type: &ResourceType, predicate: &Predicate) -> bool {
    best(resource_type, predicate).is_some_and(|(rank, _)| rank <= MEMBERSHIPS)
}

/// Whether a list is in the order of an index, and of which: none where the attribute can be missing, `Some(None)` where the
/// rows themselves lie in that order.
pub fn order_index(resource_type: &ResourceType, by: AttributeRef) -> Option<Option<&'static str>> {
    let is_user = resource_type.name != GROUPS.name;
    let index = match (column(resource_type, by)?, is_user) {
        ("id", _) => return Some(None),
        ("user_name_key", true) => "users_user_name_unique",
        ("modified_at", true) => "users_modified_idx",
        ("modified_at", false) => "groups_modified_idx",
        ("display_name_key", false) => "groups_display_name_idx",
        _ => return None,
    };
    Some(Some(index))
}

/// The last rank whose index leaves few rows.
const FEW: u8 = 3;
/// The rank of addresses, which are rows of another table: ids are what their index gives.
const EMAILS: u8 = 1;
/// The rank of memberships, which are rows of another table too.
const MEMBERSHIPS: u8 = 5;

fn best(resource_type: &ResourceType, predicate: &Predicate) -> Option<(u8, Option<String>)> {
    let mut terms = Vec::new();
    conjuncts(predicate, &mut terms);
    let table = resources::table(resource_type);
    let ranked = terms.iter().filter_map(|term| match term {
        Predicate::Element(found, inner) => {
            Some((rank_of_rows(*found).filter(|_| by_value(inner))?, None))
        }
        Predicate::Compare(found, operator, operand) => {
            let Some(column) = column(resource_type, *found) else {
                let by_value = *operator == Operator::Equal && found.leaf().name == "value";
                return Some((rank_of_rows(*found).filter(|_| by_value)?, None));
            };
            let (rank, name) = usable(column, *operator, operand)?;
            Some((rank, name.map(|name| format!("{table}_{name}"))))
        }
        _ => None,
    });
    ranked.min_by_key(|(rank, _)| *rank)
}

/// How good the index of a column is for a comparison, less being better, and its name after that of the table.
fn usable(
    column: &str,
    operator: Operator,
    operand: &Operand,
) -> Option<(u8, Option<&'static str>)> {
    use Operator::{Equal, Greater, GreaterOrEqual, StartsWith};
    let prefix = matches!(operand, Operand::Text { key, .. } if !key.is_empty());
    Some(match (column, operator) {
        ("id", Equal) => (0, None),
        ("user_name_key", Equal) => (0, Some("user_name_unique")),
        ("external_id", Equal) => (0, Some("external_id_unique")),
        ("employee_number_key", Equal) => (2, Some("employee_number_idx")),
        ("display_name_key", Equal) => (3, Some("display_name_idx")),
        ("manager_id", Equal) => (4, Some("manager_idx")),
        ("user_name_key", StartsWith) if prefix => (6, Some("user_name_unique")),
        ("display_name_key", StartsWith) if prefix => (7, Some("display_name_idx")),
        ("modified_at", Greater | GreaterOrEqual) => (8, Some("modified_idx")),
        _ => return None,
    })
}

/// How good the index on `value` is where the values of an attribute are rows of another table. Few share an address; a group
/// may be everybody's.
fn rank_of_rows(found: AttributeRef) -> Option<u8> {
    match (found.extension, found.attribute.name) {
        (None, "emails") => Some(EMAILS),
        (None, "members" | "groups") => Some(MEMBERSHIPS),
        _ => None,
    }
}

/// Whether a value path asks for one `value`.
fn by_value(inner: &Predicate) -> bool {
    let mut terms = Vec::new();
    conjuncts(inner, &mut terms);
    terms
        .iter()
        .any(|term| matches!(equality(term), Some(("value", _))))
}

/// The terms of a conjunction, however nested; the predicate itself where it is none.
pub fn conjuncts<'f>(predicate: &'f Predicate, found: &mut Vec<&'f Predicate>) {
    match predicate {
        Predicate::And(all) => all.iter().for_each(|one| conjuncts(one, found)),
        other => found.push(other),
    }
}

/// Name and folded text of a term `name eq "…"`.
pub fn equality(term: &Predicate) -> Option<(&str, &str)> {
    match term {
        Predicate::Compare(attribute, Operator::Equal, Operand::Text { key, .. }) => {
            Some((attribute.leaf().name, key))
        }
        _ => None,
    }
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
