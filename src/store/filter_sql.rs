//! Predicates compiled to SQL, in full: no filter ever loads rows to test them in the worker.
//!
//! Conditions are on a row named `r` of `users` or `groups`; `?1` is the tenant and `?2` the base URL. What an index
//! serves is compared by its column; everything else by `keys`, the folded copy of the resource, with a scan of the one
//! tenant. `like` is not used: D1 limits its patterns to 50 bytes.
//!
//! A comparison with a missing value is null in SQL and false in SCIM. Inside `and` and `or` the two behave alike, so only
//! `not` turns null into false.

use super::{Params, Value};
use crate::scim::filter::{Operand, Operator, Predicate};
use crate::scim::resource::key_name;
use crate::scim::schema::{Attribute, AttributeRef, GROUPS, Kind, ResourceType, USERS};

/// Whose attributes a predicate names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The resource, row `r`.
    Resource,
    /// One value of a multi-valued attribute, a row `e` of `json_each`.
    Element,
    /// One membership: a row `e` with columns `value`, `type`, `ref` and `display`.
    Membership,
}

/// Compiles predicates on one resource type, collecting parameters as it goes.
pub struct Sql<'p> {
    resource_type: &'static ResourceType,
    params: &'p mut Params,
    /// Whether the resource's id is given beside this term: then the row is found already, and is tested by itself.
    by_id: bool,
}

impl<'p> Sql<'p> {
    pub fn new(resource_type: &'static ResourceType, params: &'p mut Params) -> Self {
        Sql {
            resource_type,
            params,
            by_id: false,
        }
    }

    /// A boolean expression, in parentheses.
    pub fn condition(&mut self, predicate: &Predicate, scope: Scope) -> String {
        match predicate {
            Predicate::Never => "(false)".to_owned(),
            Predicate::And(all) => {
                let outer = self.by_id;
                self.by_id |= scope == Scope::Resource && all.iter().any(names_id);
                let junction = self.junction(all, " and ", scope);
                self.by_id = outer;
                junction
            }
            Predicate::Or(any) => self.junction(any, " or ", scope),
            Predicate::Not(inner) => {
                format!("(not coalesce({}, false))", self.condition(inner, scope))
            }
            Predicate::Present(found) => self.present(*found, scope),
            Predicate::Compare(found, operator, operand) => {
                self.compare(*found, *operator, operand, scope)
            }
            Predicate::Element(found, inner) => self.element(*found, inner),
        }
    }

    fn junction(&mut self, predicates: &[Predicate], word: &str, scope: Scope) -> String {
        let conditions: Vec<String> = predicates
            .iter()
            .map(|predicate| self.condition(predicate, scope))
            .collect();
        format!("({})", conditions.join(word))
    }

    fn present(&mut self, found: AttributeRef, scope: Scope) -> String {
        if scope == Scope::Resource {
            if is_membership(found) {
                return format!(
                    "(exists (select 1 from {} e))",
                    memberships(self.resource_type)
                );
            }
            if found.attribute.multi_valued && found.sub.is_some() {
                let inner = present_expression(&element_expression(found), found.leaf());
                return exists_element(found, &inner);
            }
        }
        let expression = match found.leaf().kind {
            Kind::Complex if found.attribute.name == "meta" => "1".to_owned(),
            Kind::Complex => self.expression(found, scope),
            _ if found.attribute.multi_valued && scope == Scope::Resource => key_expression(found),
            _ => self.expression(found, scope),
        };
        present_expression(&expression, found.leaf())
    }

    fn compare(
        &mut self,
        found: AttributeRef,
        operator: Operator,
        operand: &Operand,
        scope: Scope,
    ) -> String {
        if scope == Scope::Resource {
            if let Some(condition) = self.indexed_side_table(found, operator, operand) {
                return condition;
            }
            if is_membership(found) {
                let inner = self.compare(found, operator, operand, Scope::Membership);
                return format!(
                    "(exists (select 1 from {} e where {inner}))",
                    memberships(self.resource_type)
                );
            }
            if found.attribute.multi_valued {
                let inner = self.compare(found, operator, operand, Scope::Element);
                return exists_element(found, &inner);
            }
        }
        let expression = self.expression(found, scope);
        let indexed = expression.starts_with("r.");
        self.operation(&expression, operator, operand, indexed)
    }

    fn operation(
        &mut self,
        expression: &str,
        operator: Operator,
        operand: &Operand,
        indexed: bool,
    ) -> String {
        let symbol = match operator {
            Operator::Equal => "=",
            Operator::NotEqual => "<>",
            Operator::Greater => ">",
            Operator::GreaterOrEqual => ">=",
            Operator::Less => "<",
            Operator::LessOrEqual => "<=",
            Operator::Contains | Operator::StartsWith | Operator::EndsWith => {
                return self.substring(expression, operator, operand, indexed);
            }
        };
        let value = self.bind(operand);
        format!("({expression} {symbol} {value})")
    }

    fn substring(
        &mut self,
        expression: &str,
        operator: Operator,
        operand: &Operand,
        indexed: bool,
    ) -> String {
        let Operand::Text { key, .. } = operand else {
            return "(false)".to_owned();
        };
        if key.is_empty() {
            // Every string contains the empty one.
            return format!("({expression} is not null)");
        }
        let value = self.params.bind(key);
        match operator {
            Operator::StartsWith if indexed => match successor(key) {
                // A range is what an index can search.
                Some(end) => {
                    let end = self.params.bind(end);
                    format!("({expression} >= {value} and {expression} < {end})")
                }
                None => format!("({expression} >= {value})"),
            },
            Operator::StartsWith => {
                format!("(substr({expression}, 1, length({value})) = {value})")
            }
            Operator::EndsWith => format!("(substr({expression}, -length({value})) = {value})"),
            _ => format!("(instr({expression}, {value}) > 0)"),
        }
    }

    fn element(&mut self, found: AttributeRef, inner: &Predicate) -> String {
        if is_membership(found) {
            let inner = self.condition(inner, Scope::Membership);
            return format!(
                "(exists (select 1 from {} e where {inner}))",
                memberships(self.resource_type)
            );
        }
        if !found.attribute.multi_valued {
            // RFC 7644's grammar allows a value path on a single value, which is its only element.
            return self.condition(inner, Scope::Resource);
        }
        if found.attribute.name == "emails"
            && let Some(condition) = self.email_rows(inner)
        {
            return condition;
        }
        let inner = self.condition(inner, Scope::Element);
        exists_element(found, &inner)
    }

    /// Conditions that a table of its own answers by index.
    fn indexed_side_table(
        &mut self,
        found: AttributeRef,
        operator: Operator,
        operand: &Operand,
    ) -> Option<String> {
        let Operand::Text { key, .. } = operand else {
            return None;
        };
        let value = found.leaf().name == "value" && found.extension.is_none();
        if operator != Operator::Equal || !value || self.by_id {
            return None;
        }
        match found.attribute.name {
            "emails" => {
                let value = self.params.bind(key);
                Some(format!(
                    "(r.id in (select m.user_id from user_emails m where m.tenant_id = ?1 and m.value_key = {value}))"
                ))
            }
            "members" => {
                let value = self.params.bind(key);
                Some(format!(
                    "(r.id in (select m.group_id from group_members m indexed by group_members_member_idx \
                     where m.tenant_id = ?1 and m.member_id = {value}))"
                ))
            }
            "groups" => {
                let value = self.params.bind(key);
                Some(format!(
                    "(r.id in ({}))",
                    super::members::users_below(&value)
                ))
            }
            _ => None,
        }
    }

    /// `emails[type eq "…" and value eq "…"]`: both are columns of one row.
    fn email_rows(&mut self, inner: &Predicate) -> Option<String> {
        let Predicate::And(all) = inner else {
            return None;
        };
        let mut wanted: Vec<(&str, &str)> = Vec::new();
        flatten_equalities(all, &mut wanted)?;
        if !wanted.iter().any(|(name, _)| *name == "value") {
            return None;
        }
        let conditions: Vec<String> = wanted
            .iter()
            .map(|(name, key)| format!("m.{name}_key = {}", self.params.bind(*key)))
            .collect();
        Some(format!(
            "(r.id in (select m.user_id from user_emails m where m.tenant_id = ?1 and {}))",
            conditions.join(" and ")
        ))
    }

    fn expression(&mut self, found: AttributeRef, scope: Scope) -> String {
        match scope {
            Scope::Element => element_expression(found),
            Scope::Membership => match found.leaf().name {
                "value" => "e.value".to_owned(),
                "$ref" => "e.ref".to_owned(),
                "display" => "e.display".to_owned(),
                "type" => "lower(e.type)".to_owned(),
                _ => "null".to_owned(),
            },
            Scope::Resource => column(self.resource_type, found)
                .map(|column| format!("r.{column}"))
                .or_else(|| meta_expression(self.resource_type, found))
                .or_else(|| manager_reference(found))
                .unwrap_or_else(|| key_expression(found)),
        }
    }

    /// What a list is sorted by: a column where there is one, else the value in `keys`; of several values the primary one,
    /// else the first (RFC 7644 §3.4.2.3).
    pub fn sort_key(&mut self, by: AttributeRef) -> String {
        if is_membership(by) {
            let leaf = self.expression(by, Scope::Membership);
            return format!(
                "(select min({leaf}) from {} e)",
                memberships(self.resource_type)
            );
        }
        if by.attribute.multi_valued {
            let leaf = element_expression(by);
            let path = json_path(
                by.extension.map(|extension| extension.key),
                by.attribute,
                None,
            );
            return format!(
                "(select {leaf} from json_each(r.keys, '{path}') e \
                 order by json_extract(iif(e.type = 'object', e.value, '{{}}'), '$.primary') desc nulls last, e.key limit 1)"
            );
        }
        self.expression(by, Scope::Resource)
    }

    fn bind(&mut self, operand: &Operand) -> String {
        self.params.bind(match operand {
            Operand::Boolean(value) => Value::from(*value),
            Operand::Number(number) | Operand::Time(number) => Value::Real(*number),
            Operand::Text { key, .. } => Value::from(key.as_str()),
        })
    }
}

/// The generated column that holds an attribute, and that an index leads to.
fn column(resource_type: &ResourceType, found: AttributeRef) -> Option<&'static str> {
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

/// The parts of `meta` that are not columns as they are.
fn meta_expression(resource_type: &ResourceType, found: AttributeRef) -> Option<String> {
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
fn manager_reference(found: AttributeRef) -> Option<String> {
    let is_reference = found.attribute.name == "manager" && found.leaf().name == "$ref";
    (found.extension.is_some() && is_reference)
        .then(|| format!("(?2 || '{}/' || r.manager_id)", USERS.endpoint))
}

/// Whether an attribute is derived from the rows of `group_members`.
fn is_membership(found: AttributeRef) -> bool {
    found.extension.is_none() && matches!(found.attribute.name, "groups" | "members")
}

fn memberships(resource_type: &ResourceType) -> String {
    match resource_type.name {
        "Group" => super::members::of_group_rows().to_owned(),
        _ => super::members::groups_of_user_rows().to_owned(),
    }
}

fn json_path(extension: Option<&str>, attribute: &Attribute, sub: Option<&Attribute>) -> String {
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

fn key_expression(found: AttributeRef) -> String {
    let extension = found.extension.map(|extension| extension.key);
    let path = json_path(extension, found.attribute, found.sub);
    format!("json_extract(r.keys, '{path}')")
}

fn element_expression(found: AttributeRef) -> String {
    match found.sub {
        Some(sub) => format!("json_extract(e.value, '$.\"{}\"')", key_name(sub)),
        None => "e.value".to_owned(),
    }
}

fn exists_element(found: AttributeRef, inner: &str) -> String {
    let extension = found.extension.map(|extension| extension.key);
    let path = json_path(extension, found.attribute, None);
    format!("(exists (select 1 from json_each(r.keys, '{path}') e where {inner}))")
}

fn present_expression(expression: &str, leaf: &Attribute) -> String {
    match leaf.kind {
        Kind::String | Kind::Reference | Kind::Binary => format!("({expression} <> '')"),
        _ => format!("({expression} is not null)"),
    }
}

fn names_id(predicate: &Predicate) -> bool {
    matches!(predicate, Predicate::Compare(found, Operator::Equal, _)
        if found.extension.is_none() && found.attribute.name == "id")
}

/// The `name eq "…"` terms of a conjunction, however nested; none where there is any other term.
fn flatten_equalities<'f>(
    predicates: &'f [Predicate],
    found: &mut Vec<(&'f str, &'f str)>,
) -> Option<()> {
    for predicate in predicates {
        match predicate {
            Predicate::And(all) => flatten_equalities(all, found)?,
            Predicate::Compare(attribute, Operator::Equal, Operand::Text { key, .. }) => {
                match attribute.leaf().name {
                    name @ ("value" | "type") => found.push((name, key)),
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
    Some(())
}

/// The smallest string greater than all that begin with the prefix; none where there is none.
fn successor(prefix: &str) -> Option<String> {
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
