//! Predicates compiled to SQL, in full: no list ever loads rows to test them in the worker.
//!
//! Conditions are on a row named `r` of `users` or `groups`; `?1` is the tenant and `?2` the base URL. What an index
//! serves is compared by its column ([`index`]); memberships by sets ([`memberships`]); everything else by `keys`, the folded
//! copy of the resource, with a scan of the one tenant. `like` is not used: D1 limits its patterns to 50 bytes.
//!
//! A comparison with a missing value is null in SQL and false in SCIM. Inside `and` and `or` the two behave alike, so only
//! `not` turns null into false.

mod expression;
mod index;
mod memberships;
mod terms;

pub use expression::sort_key;
pub use index::order;

use super::{Params, resources};
use crate::scim::filter::{MAX_TERMS, Operand, Operator, Predicate};
use crate::scim::fold::former;
use crate::scim::schema::{AttributeRef, GROUPS, Kind, RESOURCE_TYPES, ResourceType};
use expression::{
    comparison, expression, is_membership, is_present, of_element, of_keys, some_element,
};
use index::{Key, Lead, Leaves, conjuncts, equality, is_core, value_of};

/// What a statement selects the resources that meet a filter by.
#[derive(Debug)]
pub struct Selection {
    /// What stands before `select`.
    pub with: String,
    /// A boolean expression, in parentheses.
    pub condition: String,
    /// What stands behind `users r` or `groups r`: the index, and what is joined.
    pub source: String,
    /// Whether an index answers it.
    pub is_indexed: bool,
}

/// Compiles a filter on resources of one type.
pub fn select(
    resource_type: &'static ResourceType,
    predicate: &Predicate,
    params: &mut Params,
) -> Selection {
    let predicate = terms::merged(predicate);
    let lead = index::lead(resource_type, &predicate);
    let mut sql = Sql {
        resource_type,
        params,
        lead,
        memberships: memberships::Plan::default(),
    };
    sql.plan_memberships(&predicate);
    let condition = sql.condition(&predicate, Scope::Resource);
    let index = lead.and_then(|lead| lead.access.index);
    Selection {
        with: sql.with_found(),
        condition,
        source: indexed_by(index) + &sql.joined_memberships(),
        is_indexed: index.is_some(),
    }
}

/// Compiles filters on the members of a group: a condition on a row `e` of [`of_groups_rows`](super::members::of_groups_rows),
/// which holds for all who meet one of them. Where they are too many for a statement, it holds for others too.
pub fn on_members(filters: &[&Predicate], params: &mut Params) -> String {
    let mut sql = Sql {
        resource_type: &GROUPS,
        params,
        lead: None,
        memberships: memberships::Plan::default(),
    };
    let all = Predicate::Or(filters.iter().map(|filter| (*filter).clone()).collect());
    let mut by_type = Vec::new();
    for of_type in RESOURCE_TYPES {
        let name = of_type.name;
        let condition = match terms::of_type(&all, name) {
            Predicate::Never => continue,
            any if terms::is_always(&any) || any.comparisons() > MAX_TERMS => String::new(),
            any => format!(" and {}", sql.condition(&any, Scope::Membership)),
        };
        by_type.push(format!("(e.type = '{name}'{condition})"));
    }
    match by_type.is_empty() {
        true => "(false)".to_owned(),
        false => format!("({})", by_type.join(" or ")),
    }
}

/// Whether a filter names what it looks for by a value that few resources have, so that a page mostly holds them all: then
/// the total is the page's length, and need not be counted.
pub fn is_lookup(resource_type: &ResourceType, predicate: &Predicate) -> bool {
    index::lead(resource_type, predicate).is_some_and(|lead| lead.access.leaves == Leaves::Few)
}

/// ` indexed by …`, where an index is to be named.
pub fn indexed_by(index: Option<&str>) -> String {
    index.map_or_else(String::new, |index| format!(" indexed by {index}"))
}

/// Whose attributes a predicate names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    /// The resource, row `r`.
    Resource,
    /// One value of a multi-valued attribute, a row `e` of `json_each`.
    Element,
    /// One member of a group: a row `e` with columns `value`, `type`, `ref` and `display`.
    Membership,
    /// One group of a user: a row `o` of `groups`.
    Group,
}

/// Compiles predicates on one resource type, collecting parameters as it goes.
struct Sql<'p, 'f> {
    resource_type: &'static ResourceType,
    params: &'p mut Params,
    /// The term that an index answers.
    lead: Option<Lead<'f>>,
    memberships: memberships::Plan,
}

impl Sql<'_, '_> {
    /// A boolean expression, in parentheses.
    fn condition(&mut self, predicate: &Predicate, scope: Scope) -> String {
        match predicate {
            Predicate::Never => "(false)".to_owned(),
            Predicate::OfProvider(id) => format!("(r.provider_id = {})", self.params.bind(id)),
            Predicate::And(all) => self.junction(all, " and ", scope),
            Predicate::Or(any) => self.junction(any, " or ", scope),
            Predicate::Not(inner) => {
                format!("(not coalesce({}, false))", self.condition(inner, scope))
            }
            Predicate::Present(found) => self.present(*found, scope),
            Predicate::Compare(found, operator, operand) => {
                self.compare(*found, *operator, operand, scope)
            }
            Predicate::Element(found, inner) if is_membership(*found) => {
                self.membership(predicate, inner)
            }
            Predicate::Element(found, inner) => self.element(*found, inner),
        }
    }

    fn junction(&mut self, predicates: &[Predicate], word: &str, scope: Scope) -> String {
        let mut conditions: Vec<String> = Vec::new();
        for predicate in predicates {
            let condition = self.condition(predicate, scope);
            if !conditions.contains(&condition) {
                conditions.push(condition);
            }
        }
        match conditions.is_empty() {
            true => format!("({})", word == " and "),
            false => format!("({})", conditions.join(word)),
        }
    }

    fn present(&mut self, found: AttributeRef, scope: Scope) -> String {
        let several = found.attribute.multi_valued && scope == Scope::Resource;
        if several && found.sub.is_some() {
            let inner = is_present(&of_element(found), found.leaf());
            return some_element(found, &inner);
        }
        let expression = match found.leaf().kind {
            Kind::Complex if found.attribute.name == "meta" => "1".to_owned(),
            _ if several => of_keys(found),
            _ => expression(self.resource_type, found, scope),
        };
        is_present(&expression, found.leaf())
    }

    fn compare(
        &mut self,
        found: AttributeRef,
        operator: Operator,
        operand: &Operand,
        scope: Scope,
    ) -> String {
        if scope == Scope::Resource && found.attribute.multi_valued {
            if let (Operator::Equal, Operand::Text { key, .. }) = (operator, operand)
                && is_core(found, "emails")
                && found.leaf().name == "value"
            {
                return self.email_rows(&[("value", key)]);
            }
            let inner = self.compare(found, operator, operand, Scope::Element);
            return some_element(found, &inner);
        }
        let expression = expression(self.resource_type, found, scope);
        let indexed = expression.starts_with("r.") || expression == "o.display_name_key";
        // A plus sign takes a term out of SQLite's choice of an index, where other rows give ids.
        let by_rows = |lead: Lead<'_>| matches!(lead.access.key, Key::Rows(_));
        let expression = match indexed
            && scope == Scope::Resource
            && operator != Operator::Equal
            && self.lead.is_some_and(by_rows)
        {
            true => format!("+{expression}"),
            false => expression,
        };
        if let (Operator::Equal, Operand::Text { key, .. }) = (operator, operand)
            && indexed
            && !found.leaf().case_exact
        {
            return format!("({expression} {})", self.same_key(key));
        }
        comparison(&expression, operator, operand, indexed, self.params)
    }

    fn element(&mut self, found: AttributeRef, inner: &Predicate) -> String {
        if !found.attribute.multi_valued {
            // RFC 7644's grammar allows a value path on a single value, which is its only element, where there is one.
            let present = self.present(found, Scope::Resource);
            let inner = self.condition(inner, Scope::Resource);
            return format!("({present} and {inner})");
        }
        match value_of(inner).filter(|_| is_core(found, "emails")) {
            Some(value) => self.email(found, value, inner),
            None => {
                let inner = self.condition(inner, Scope::Element);
                some_element(found, &inner)
            }
        }
    }

    /// `emails[value eq "…" and …]`, which the value's index answers. A type is beside it in the same row; whatever else is
    /// asked of the element is asked of those users alone.
    fn email(&mut self, found: AttributeRef, value: &str, inner: &Predicate) -> String {
        let terms = conjuncts(inner);
        // The row of an address without a type has an empty one, which `type eq ""` does not ask for.
        let wanted: Vec<(&str, &str)> = terms
            .iter()
            .filter_map(|term| equality(term))
            .filter(|(name, key)| *name == "value" || (*name == "type" && !key.is_empty()))
            .collect();
        if wanted.len() == terms.len() {
            return self.email_rows(&wanted);
        }
        let rows = self.email_rows(&[("value", value)]);
        let inner = self.condition(inner, Scope::Element);
        format!("({rows} and {})", some_element(found, &inner))
    }

    /// That a key is this one, or what it was before keys were normalised.
    fn same_key(&mut self, key: &str) -> String {
        let same = self.params.bind(key);
        match former(key) {
            Some(former) => format!("in ({same}, {})", self.params.bind(former)),
            None => format!("= {same}"),
        }
    }

    /// Whose addresses have these keys.
    fn email_rows(&mut self, wanted: &[(&str, &str)]) -> String {
        let conditions: Vec<String> = wanted
            .iter()
            .map(|(name, key)| format!("m.{name}_key {}", self.same_key(key)))
            .collect();
        format!(
            "(r.id in (select m.user_id from user_emails m where m.tenant_id = ?1 and {}))",
            conditions.join(" and ")
        )
    }

    /// The ids of those whom the lead finds.
    fn found_by_lead(&mut self) -> Option<String> {
        let Lead { access, term } = self.lead?;
        let table = resources::table(self.resource_type);
        let index = indexed_by(access.index);
        let condition = self.condition(term, Scope::Resource);
        Some(format!(
            "select r.id from {table} r{index} where r.tenant_id = ?1 and {condition}"
        ))
    }
}
