//! What the terms of a filter are compared by: columns, paths into `keys`, rows of side tables; and which index answers which.

use crate::scim::filter::{Operand, Operator, Predicate};
use crate::scim::resource::key_name;
use crate::scim::schema::{Attribute, AttributeRef, GROUPS, Kind, ResourceType, USERS};

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
    let mut terms = Vec::new();
    conjuncts(predicate, &mut terms);
    let table = super::resources::table(resource_type);
    let ranked = terms.iter().filter_map(|term| match term {
        Predicate::Element(found, inner) => gives_ids(*found, inner).then_some((1, None)),
        Predicate::Compare(found, operator, operand) => {
            let Some(column) = column(resource_type, *found) else {
                let by_value = *operator == Operator::Equal && has_rows(*found) && is_value(*found);
                return by_value.then_some((1, None));
            };
            let (rank, name) = usable(column, *operator, operand)?;
            Some((rank, name.map(|name| format!("{table}_{name}"))))
        }
        _ => None,
    });
    let (_, best) = ranked.min_by_key(|(rank, _)| *rank)?;
    best
}

/// How good the index of a column is for a comparison, less being better, and its name after that of the table.
pub fn usable(
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
        ("user_name_key", StartsWith) if prefix => (5, Some("user_name_unique")),
        ("display_name_key", StartsWith) if prefix => (6, Some("display_name_idx")),
        ("modified_at", Greater | GreaterOrEqual) => (7, Some("modified_idx")),
        _ => return None,
    })
}

/// Whether the values of an attribute are rows of another table, where an index finds them.
pub fn has_rows(found: AttributeRef) -> bool {
    found.extension.is_none() && matches!(found.attribute.name, "emails" | "members" | "groups")
}

pub fn is_value(found: AttributeRef) -> bool {
    found.leaf().name == "value"
}

/// Whether a value path is answered by the index on `value`.
pub fn gives_ids(found: AttributeRef, inner: &Predicate) -> bool {
    let mut terms = Vec::new();
    conjuncts(inner, &mut terms);
    let by_value = |term: &&Predicate| matches!(equality(term), Some(("value", _)));
    has_rows(found) && terms.iter().any(by_value)
}

/// The parts of `meta` that are not columns as they are.
pub fn meta_expression(resource_type: &ResourceType, found: AttributeRef) -> Option<String> {
    if found.extension.is_some() || found.attribute.name != "meta" {
        return None;
    }
    match found.sub.map(|sub| sub.name) {
        Some("resourceType") => Some(format!("'{}'", resource_type.name)),
        Some("location") => Some(format!("(?2 || '{}/' || r.id)", resource_type.endpoint)),
        Some("version") => Some("('W/\"' || r.version || '\"')".to_owned()),
        _ => None,
    }
}

/// The reference to a manager, as replies show it.
pub fn manager_reference(found: AttributeRef) -> Option<String> {
    let is_reference = found.attribute.name == "manager" && found.leaf().name == "$ref";
    (found.extension.is_some() && is_reference)
        .then(|| format!("(?2 || '{}/' || r.manager_id)", USERS.endpoint))
}

/// Whether an attribute is derived from the rows of `group_members`.
pub fn is_membership(found: AttributeRef) -> bool {
    found.extension.is_none() && matches!(found.attribute.name, "groups" | "members")
}

pub fn memberships(resource_type: &ResourceType) -> String {
    match resource_type.name {
        "Group" => super::members::of_group_rows("r.id"),
        _ => super::members::groups_of_user_rows().to_owned(),
    }
}

pub fn json_path(
    extension: Option<&str>,
    attribute: &Attribute,
    sub: Option<&Attribute>,
) -> String {
    let mut path = "$".to_owned();
    if let Some(extension) = extension {
        path.push('.');
        path.push_str(extension);
    }
    for attribute in std::iter::once(attribute).chain(sub) {
        path.push_str(&format!(".\"{}\"", key_name(attribute)));
    }
    path
}

pub fn key_expression(found: AttributeRef) -> String {
    let extension = found.extension.map(|extension| extension.key);
    let path = json_path(extension, found.attribute, found.sub);
    format!("json_extract(r.keys, '{path}')")
}

pub fn element_expression(found: AttributeRef) -> String {
    match found.sub {
        Some(sub) => format!("json_extract(e.value, '$.\"{}\"')", key_name(sub)),
        None => "e.value".to_owned(),
    }
}

pub fn exists_element(found: AttributeRef, inner: &str) -> String {
    let extension = found.extension.map(|extension| extension.key);
    let path = json_path(extension, found.attribute, None);
    format!("(exists (select 1 from json_each(r.keys, '{path}') e where {inner}))")
}

pub fn present_expression(expression: &str, leaf: &Attribute) -> String {
    match leaf.kind {
        Kind::String | Kind::Reference | Kind::Binary => format!("({expression} <> '')"),
        _ => format!("({expression} is not null)"),
    }
}

pub fn names_id(predicate: &Predicate) -> bool {
    matches!(predicate, Predicate::Compare(found, Operator::Equal, _)
        if found.extension.is_none() && found.attribute.name == "id")
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

/// Whether a filter names what it looks for by a value that few resources have, so that a page holds them all: then the total
/// is the page's length, and need not be counted.
pub fn is_lookup(predicate: &Predicate) -> bool {
    let mut terms = Vec::new();
    conjuncts(predicate, &mut terms);
    terms.into_iter().any(|term| match term {
        Predicate::Compare(found, Operator::Equal, Operand::Text { .. }) => {
            let sub = found.sub.map(|sub| sub.name);
            matches!(
                (found.attribute.name, sub),
                (
                    "id" | "userName" | "externalId" | "displayName" | "employeeNumber",
                    None
                ) | ("manager" | "emails" | "members" | "groups", Some("value"))
            )
        }
        Predicate::Element(found, inner) => {
            let mut inner_terms = Vec::new();
            conjuncts(inner, &mut inner_terms);
            matches!(found.attribute.name, "emails" | "members" | "groups")
                && inner_terms
                    .into_iter()
                    .any(|term| matches!(equality(term), Some(("value", _))))
        }
        _ => false,
    })
}
