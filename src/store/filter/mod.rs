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
mod scope;
mod sql;
mod terms;

pub use expression::sort_key;
pub use index::order;
pub use sql::indexed_by;

use super::Params;
use crate::scim::filter::{MAX_TERMS, Predicate};
use crate::scim::schema::{GROUPS, RESOURCE_TYPES, ResourceType};
use index::Leaves;
use scope::Scope;
use sql::{Plan, Sql};

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
        memberships: Plan::default(),
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

/// Compiles filters on the members of a group: a condition on a row `e` of [`of_groups_rows`](super::memberships::of_groups_rows),
/// which holds for all who meet one of them. Where they are too many for a statement, it holds for others too.
pub fn on_members(filters: &[&Predicate], params: &mut Params) -> String {
    let mut sql = Sql {
        resource_type: &GROUPS,
        params,
        lead: None,
        memberships: Plan::default(),
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
