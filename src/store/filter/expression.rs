//! Attributes as SQL expressions, and comparisons of these.

use super::index::{column, successor};
use super::scope::Scope;
use crate::scim::filter::{Operand, Operator};
use crate::scim::resource::key_name;
use crate::scim::schema::{Attribute, AttributeRef, GROUPS, Kind, ResourceType, USERS};
use crate::store::memberships::{groups_of_user_rows, of_groups_rows};
use crate::store::{Params, Value};

/// The value of an attribute, of whatever the scope is.
pub fn expression(resource_type: &ResourceType, found: &AttributeRef, scope: Scope) -> String {
    let leaf = found.leaf().name();
    match (scope, leaf) {
        (Scope::Element, _) => of_element(found),
        (Scope::Membership, "value") => "e.value".to_owned(),
        (Scope::Membership, "$ref") => "e.ref".to_owned(),
        (Scope::Membership, "display") => "e.display".to_owned(),
        (Scope::Membership, "type") => "lower(e.type)".to_owned(),
        (Scope::Group, "value") => "o.id".to_owned(),
        (Scope::Group, "$ref") => format!("(?2 || '{}/' || o.id)", GROUPS.endpoint),
        (Scope::Group, "display") => "o.display_name_key".to_owned(),
        (Scope::Membership | Scope::Group, _) => "null".to_owned(),
        (Scope::Resource, _) => column(resource_type, found)
            .map(|column| format!("r.{column}"))
            .or_else(|| of_meta(resource_type, found))
            .or_else(|| manager_reference(found))
            .unwrap_or_else(|| of_keys(found)),
    }
}

/// What a list is sorted by: a column where there is one, else the value in `keys`; of several values the primary one, else the
/// first (RFC 7644 §3.4.2.3).
pub fn sort_key(resource_type: &ResourceType, by: &AttributeRef) -> String {
    if is_membership(by) {
        let leaf = expression(resource_type, by, Scope::Membership);
        let rows = match resource_type.name == GROUPS.name {
            true => of_groups_rows("m.group_id = r.id"),
            false => groups_of_user_rows(),
        };
        return format!("(select min({leaf}) from ({rows}) e)");
    }
    if by.attribute.multi_valued {
        let leaf = of_element(by);
        let path = path_of(by, None);
        return format!(
            "(select {leaf} from json_each(r.keys, '{path}') e \
             order by coalesce(json_extract(iif(e.type = 'object', e.value, '{{}}'), '$.primary'), false) desc, e.key limit 1)"
        );
    }
    expression(resource_type, by, Scope::Resource)
}

/// Whether an attribute is derived from the rows of `group_members`.
pub fn is_membership(found: &AttributeRef) -> bool {
    found.is_core("groups") || found.is_core("members")
}

/// The parts of `meta` that are not columns as they are.
fn of_meta(resource_type: &ResourceType, found: &AttributeRef) -> Option<String> {
    if !found.is_core("meta") {
        return None;
    }
    match found.sub.as_deref().map(Attribute::name) {
        Some("resourceType") => Some(format!("'{}'", resource_type.name)),
        Some("location") => Some(format!("(?2 || '{}/' || r.id)", resource_type.endpoint)),
        Some("version") => Some("('W/\"' || r.version || '\"')".to_owned()),
        _ => None,
    }
}

/// The reference to a manager, as replies show it.
fn manager_reference(found: &AttributeRef) -> Option<String> {
    let is_reference = found.attribute.name() == "manager" && found.leaf().name() == "$ref";
    (found.is_enterprise() && is_reference)
        .then(|| format!("(?2 || '{}/' || r.manager_id)", USERS.endpoint))
}

/// The path in `keys` of an attribute, or of a part of it.
fn path_of(found: &AttributeRef, sub: Option<&Attribute>) -> String {
    let mut path = "$".to_owned();
    if let Some(extension) = &found.extension {
        path.push_str(&format!(".\"{}\"", extension.key));
    }
    for attribute in std::iter::once(&*found.attribute).chain(sub) {
        path.push_str(&format!(".\"{}\"", key_name(attribute)));
    }
    path
}

/// The value in `keys`; of an attribute with several values, their list.
pub fn of_keys(found: &AttributeRef) -> String {
    format!(
        "json_extract(r.keys, '{}')",
        path_of(found, found.sub.as_deref())
    )
}

pub fn of_element(found: &AttributeRef) -> String {
    match &found.sub {
        Some(sub) => format!("json_extract(e.value, '$.\"{}\"')", key_name(sub)),
        None => "e.value".to_owned(),
    }
}

/// Whether some value of an attribute meets a condition on a row `e`.
pub fn some_element(found: &AttributeRef, inner: &str) -> String {
    let path = path_of(found, None);
    format!("(exists (select 1 from json_each(r.keys, '{path}') e where {inner}))")
}

pub fn is_present(expression: &str, leaf: &Attribute) -> String {
    match leaf.kind {
        Kind::String | Kind::Reference | Kind::Binary => format!("({expression} <> '')"),
        _ => format!("({expression} is not null)"),
    }
}

/// A comparison. A prefix is compared as a range where an index can search it.
pub fn comparison(
    expression: &str,
    operator: Operator,
    operand: &Operand,
    indexed: bool,
    params: &mut Params,
) -> String {
    let symbol = match operator {
        Operator::Equal => "=",
        Operator::NotEqual => "<>",
        Operator::Greater => ">",
        Operator::GreaterOrEqual => ">=",
        Operator::Less => "<",
        Operator::LessOrEqual => "<=",
        Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
            return substring(expression, operator, operand, indexed, params);
        }
    };
    let value = params.bind(match operand {
        Operand::Boolean(value) => Value::from(*value),
        Operand::Number(number) | Operand::Time(number) => Value::Real(*number),
        Operand::Text { key, .. } => Value::from(key.as_str()),
    });
    format!("({expression} {symbol} {value})")
}

fn substring(
    expression: &str,
    operator: Operator,
    operand: &Operand,
    indexed: bool,
    params: &mut Params,
) -> String {
    let Operand::Text { key, .. } = operand else {
        return "(false)".to_owned();
    };
    if key.is_empty() {
        // Every string contains the empty one.
        return format!("({expression} is not null)");
    }
    let value = params.bind(key);
    let length = key.len();
    match operator {
        Operator::StartsWith if indexed => match successor(key) {
            Some(end) => {
                let end = params.bind(end);
                format!("({expression} >= {value} and {expression} < {end})")
            }
            None => format!("({expression} >= {value})"),
        },
        // Of bytes: of text, `substr` sees nothing behind a zero character.
        Operator::StartsWith => {
            format!("(substr(cast({expression} as blob), 1, {length}) = cast({value} as blob))")
        }
        Operator::EndsWith => {
            format!("(substr(cast({expression} as blob), -{length}) = cast({value} as blob))")
        }
        _ => format!("(instr({expression}, {value}) > 0)"),
    }
}
