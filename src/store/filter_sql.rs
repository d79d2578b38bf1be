//! Predicates compiled to SQL, in full: no filter ever loads rows to test them in the worker.
//!
//! Conditions are on a row named `r` of `users` or `groups`; `?1` is the tenant and `?2` the base URL. What an index
//! serves is compared by its column; everything else by `keys`, the folded copy of the resource, with a scan of the one
//! tenant. `like` is not used: D1 limits its patterns to 50 bytes.
//!
//! A comparison with a missing value is null in SQL and false in SCIM. Inside `and` and `or` the two behave alike, so only
//! `not` turns null into false.

use super::filter_index::{column, conjuncts, equality, finds_few, gives_ids, successor};
use super::{Params, Value};
use crate::scim::filter::{Operand, Operator, Predicate};
use crate::scim::resource::key_name;
use crate::scim::schema::{Attribute, AttributeRef, Kind, ResourceType, USERS};

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
    /// Whether an index finds one resource or few by another term: then each is tested by itself.
    found_already: bool,
    /// Whether ids come from the rows of another table: then no range of resources is looked at instead.
    ids_given: bool,
}

impl<'p> Sql<'p> {
    pub fn new(resource_type: &'static ResourceType, params: &'p mut Params) -> Self {
        Sql {
            resource_type,
            params,
            found_already: false,
            ids_given: false,
        }
    }

    /// A boolean expression, in parentheses.
    pub fn condition(&mut self, predicate: &Predicate, scope: Scope) -> String {
        match predicate {
            Predicate::Never => "(false)".to_owned(),
            Predicate::OfProvider(id) => format!("(r.provider_id = {})", self.params.bind(id)),
            Predicate::And(all) => {
                let outer = (self.found_already, self.ids_given);
                self.found_already |=
                    scope == Scope::Resource && finds_few(self.resource_type, predicate);
                self.ids_given |=
                    scope == Scope::Resource && gives_ids(self.resource_type, predicate);
                let junction = self.junction(all, " and ", scope);
                (self.found_already, self.ids_given) = outer;
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
                let rows = memberships(self.resource_type);
                return match found.sub {
                    Some(_) => {
                        let inner = self.present(found, Scope::Membership);
                        format!("(exists (select 1 from {rows} e where {inner}))")
                    }
                    None => format!("(exists (select 1 from {rows} e))"),
                };
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
        // A plus sign takes a term out of SQLite's choice of an index.
        let expression = match self.ids_given && indexed && operator != Operator::Equal {
            true => format!("+{expression}"),
            false => expression,
        };
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
        let length = key.len();
        match operator {
            Operator::StartsWith if indexed => match successor(key) {
                // A range is what an index can search.
                Some(end) => {
                    let end = self.params.bind(end);
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

    fn element(&mut self, found: AttributeRef, inner: &Predicate) -> String {
        if is_membership(found) {
            return self.membership(inner);
        }
        if !found.attribute.multi_valued {
            // RFC 7644's grammar allows a value path on a single value, which is its only element, where there is one.
            let present = self.present(found, Scope::Resource);
            let inner = self.condition(inner, Scope::Resource);
            return format!("({present} and {inner})");
        }
        if found.attribute.name == "emails"
            && !self.found_already
            && let Some(condition) = self.email_rows(found, inner)
        {
            return condition;
        }
        let inner = self.condition(inner, Scope::Element);
        exists_element(found, &inner)
    }

    /// `members[value eq "…" and …]`: by index who has that member, then what else is asked of the membership.
    fn membership(&mut self, inner: &Predicate) -> String {
        let mut terms = Vec::new();
        conjuncts(inner, &mut terms);
        let by_index = terms.iter().find_map(|term| match term {
            Predicate::Compare(found, operator, operand) => {
                self.indexed_side_table(*found, *operator, operand)
            }
            _ => None,
        });
        match by_index {
            Some(ids) if terms.len() == 1 => ids,
            by_index => {
                let inner = self.condition(inner, Scope::Membership);
                let rows = memberships(self.resource_type);
                let exists = format!("(exists (select 1 from {rows} e where {inner}))");
                match by_index {
                    Some(ids) => format!("({ids} and {exists})"),
                    None => exists,
                }
            }
        }
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
        if operator != Operator::Equal || !value || self.found_already {
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

    /// `emails[value eq "…" and …]`, which the value's index answers. A type is beside it in the same row; whatever else is
    /// asked of the element is asked of those users alone.
    fn email_rows(&mut self, found: AttributeRef, inner: &Predicate) -> Option<String> {
        let mut terms = Vec::new();
        conjuncts(inner, &mut terms);
        let equalities: Vec<(&str, &str)> =
            terms.iter().filter_map(|term| equality(term)).collect();
        let (_, value) = equalities.iter().find(|(name, _)| *name == "value")?;
        // The row of an address without a type has an empty one, which `type eq ""` does not ask for.
        let by_columns = |(name, key): &(&str, &str)| match *name {
            "value" => true,
            "type" => !key.is_empty(),
            _ => false,
        };
        let all = equalities.len() == terms.len() && equalities.iter().all(by_columns);
        let wanted = match all {
            true => equalities.as_slice(),
            false => &[("value", *value)],
        };
        let conditions: Vec<String> = wanted
            .iter()
            .map(|(name, key)| format!("m.{name}_key = {}", self.params.bind(*key)))
            .collect();
        let rows = format!(
            "(r.id in (select m.user_id from user_emails m where m.tenant_id = ?1 and {}))",
            conditions.join(" and ")
        );
        if all {
            return Some(rows);
        }
        let inner = self.condition(inner, Scope::Element);
        Some(format!("({rows} and {})", exists_element(found, &inner)))
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
                 order by coalesce(json_extract(iif(e.type = 'object', e.value, '{{}}'), '$.primary'), false) desc, e.key limit 1)"
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
        "Group" => super::members::of_group_rows("r.id"),
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
