//! A predicate as SQL, term by term.

use super::expression::{
    comparison, expression, is_membership, is_present, of_element, of_keys, some_element,
};
use super::index::{Key, Lead, conjuncts, equality, value_of};
use super::scope::Scope;
use crate::scim::filter::{Operand, Operator, Predicate};
use crate::scim::fold::former;
use crate::scim::schema::{AttributeRef, Kind, ResourceType};
use crate::store::Params;
use crate::store::own_schemas::looked_up;
use crate::store::tables::table;

/// ` indexed by …`, where an index is to be named.
pub fn indexed_by(index: Option<&str>) -> String {
    index.map_or_else(String::new, |index| format!(" indexed by {index}"))
}

/// How the terms on memberships are answered, and those that are bits so far.
#[derive(Debug, Default)]
pub struct Plan {
    /// Whether there are several, which are bits.
    pub several: bool,
    /// Whether the ids of all that can match are at hand, as rows of `found`: few, because an index finds them.
    pub found: bool,
    pub bits: Vec<Bit>,
}

/// A term as a bit of the mask.
#[derive(Debug)]
pub struct Bit {
    /// A condition on a group, row `o`, or on a member, row `e`.
    pub condition: String,
    /// Whether a group that meets it stands for the groups in it as well.
    pub spreads: bool,
}

/// Compiles predicates on one resource type, collecting parameters as it goes.
pub struct Sql<'p, 'f> {
    pub resource_type: &'static ResourceType,
    pub params: &'p mut Params,
    /// The term that an index answers.
    pub lead: Option<Lead<'f>>,
    pub memberships: Plan,
}

impl Sql<'_, '_> {
    /// A boolean expression, in parentheses.
    pub fn condition(&mut self, predicate: &Predicate, scope: Scope) -> String {
        match predicate {
            Predicate::Never => "(false)".to_owned(),
            Predicate::OfProvider(id) => format!("(r.provider_id = {})", self.params.bind(id)),
            Predicate::And(all) => self.junction(all, " and ", scope),
            Predicate::Or(any) => self.junction(any, " or ", scope),
            Predicate::Not(inner) => {
                format!("(not coalesce({}, false))", self.condition(inner, scope))
            }
            Predicate::Present(found) => self.present(found, scope),
            Predicate::Compare(found, operator, operand) => {
                self.compare(found, *operator, operand, scope)
            }
            Predicate::Element(found, inner) if is_membership(found) => {
                self.membership(predicate, inner)
            }
            Predicate::Element(found, inner) => self.element(found, inner),
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

    fn present(&mut self, found: &AttributeRef, scope: Scope) -> String {
        let several = found.attribute.multi_valued && scope == Scope::Resource;
        // Of simple values, one that is empty is none.
        if several && (found.sub.is_some() || found.leaf().kind != Kind::Complex) {
            let inner = is_present(&of_element(found), found.leaf());
            return some_element(found, &inner);
        }
        let expression = match found.leaf().kind {
            Kind::Complex if found.attribute.name() == "meta" => "1".to_owned(),
            _ if several => of_keys(found),
            _ => expression(self.resource_type, found, scope),
        };
        is_present(&expression, found.leaf())
    }

    fn compare(
        &mut self,
        found: &AttributeRef,
        operator: Operator,
        operand: &Operand,
        scope: Scope,
    ) -> String {
        if let (Operator::Equal, Operand::Text { key, .. }) = (operator, operand)
            && let Some(extension) = found.extension.as_ref().filter(|_| found.is_lookup())
        {
            let name = self.params.bind(looked_up(extension, &found.attribute));
            let value = self.params.bind(key);
            return format!(
                "(r.id in (select m.resource_id from own_values m where m.tenant_id = ?1 and m.attribute = {name} and m.value = {value}))"
            );
        }
        if scope == Scope::Resource && found.attribute.multi_valued {
            if let (Operator::Equal, Operand::Text { key, .. }) = (operator, operand)
                && found.is_core("emails")
                && found.leaf().name() == "value"
            {
                return self.email_rows(&[("value", key)]);
            }
            let inner = self.compare(found, operator, operand, Scope::Element);
            return some_element(found, &inner);
        }
        let expression = expression(self.resource_type, found, scope);
        let indexed = expression.starts_with("r.") || expression == "o.display_name_key";
        // A plus sign takes a term out of SQLite's choice of an index, where other rows give ids.
        let by_rows = |lead: Lead<'_>| matches!(lead.access.key, Key::Rows(_) | Key::Own);
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

    fn element(&mut self, found: &AttributeRef, inner: &Predicate) -> String {
        if !found.attribute.multi_valued {
            // RFC 7644's grammar allows a value path on a single value, which is its only element, where there is one.
            let present = self.present(found, Scope::Resource);
            let inner = self.condition(inner, Scope::Resource);
            return format!("({present} and {inner})");
        }
        match value_of(inner).filter(|_| found.is_core("emails")) {
            Some(value) => self.email(found, value, inner),
            None => {
                let inner = self.condition(inner, Scope::Element);
                some_element(found, &inner)
            }
        }
    }

    /// `emails[value eq "…" and …]`, which the value's index answers. A type is beside it in the same row; whatever else is
    /// asked of the element is asked of those users alone.
    fn email(&mut self, found: &AttributeRef, value: &str, inner: &Predicate) -> String {
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
    pub fn found_by_lead(&mut self) -> Option<String> {
        let Lead { access, term } = self.lead?;
        let table = table(self.resource_type);
        let index = indexed_by(access.index);
        let condition = self.condition(term, Scope::Resource);
        Some(format!(
            "select r.id from {table} r{index} where r.tenant_id = ?1 and {condition}"
        ))
    }
}
