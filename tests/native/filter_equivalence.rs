//! A filter selects the same resources in SQL as in memory.
//!
//! A tenant is filled once, then searched with random filters made of its own values. What a list gives is compared
//! with what `evaluate` says of each resource as a client reads it. `ROLLCALL_FILTERS` sets how many filters are tried on
//! each type, `ROLLCALL_FILTER_SEED` where chance begins; a failure names both the seed and the smallest filter that
//! still fails.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};
use rollcall::scim::filter::{evaluate, parse, resolve};
use rollcall::scim::fold::comparable;
use rollcall::scim::profile::Profile;
use rollcall::scim::schema::{AttributeRef, GROUPS, Kind, ResourceType, USERS};
use serde_json::Value;

use crate::support::filter_text::{Vocabulary, elements, readable};
use crate::support::population::Population;
use crate::support::{Tenant, World};

/// Filters tried on each resource type of each profile.
const FILTERS: u32 = 300;
const SEED: u64 = 7_644;

#[test]
fn a_filter_selects_the_same_resources_in_sql_as_in_memory_in_compat() {
    compare("compat");
}

#[test]
fn a_filter_selects_the_same_resources_in_sql_as_in_memory_in_strict() {
    compare("strict");
}

#[test]
fn a_filter_selects_the_same_resources_whatever_schemas_a_tenant_has_of_its_own() {
    for (number, profile) in ["compat", "strict", "compat", "strict"].iter().enumerate() {
        let world = World::new();
        let tenant = world.tenant(profile);
        let seed = seed() + number as u64;
        let population = Population::with_own(&world, &tenant, profile, seed);
        check(&tenant, profile, &population, |vocabulary| {
            vocabulary.filters().boxed()
        });
    }
}

#[test]
fn a_filter_on_memberships_selects_the_same_however_groups_lie_in_groups() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let population = Population::nested(&world, &tenant, seed());
    check(&tenant, "compat", &population, |vocabulary| {
        vocabulary.of_memberships().long_filters().boxed()
    });
}

#[test]
fn a_list_is_in_the_order_of_the_attribute_it_is_sorted_by_whatever_the_pages() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let population = Population::create(&world, &tenant, profile, seed());
        for resource_type in [&USERS, &GROUPS] {
            for (index, by) in readable(population.shape(resource_type)).iter().enumerate() {
                let leaf = by.leaf();
                if leaf.kind == Kind::Complex && leaf.default_sub().is_none() {
                    continue;
                }
                for descending in [false, true] {
                    let order = if descending {
                        "descending"
                    } else {
                        "ascending"
                    };
                    let query = format!("sortBy={by}&sortOrder={order}");
                    let wanted = sorted(population.of(resource_type), by, descending);
                    let endpoint = resource_type.endpoint;
                    let list = List::of(&tenant, endpoint, &query).expect("a list");
                    assert_eq!(list.ids, wanted, "{profile} {endpoint} {query}");
                    if index % 4 == 0 {
                        let pages = in_pages(&tenant, endpoint, &query).expect("pages");
                        assert_eq!(pages, wanted, "{profile} {endpoint} {query}, by pages");
                    }
                    if index % 2 == 0 {
                        let pages = by_cursor(&tenant, endpoint, &query).expect("pages");
                        assert_eq!(pages, wanted, "{profile} {endpoint} {query}, by cursor");
                    }
                }
            }
        }
    }
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

fn seed() -> u64 {
    variable("ROLLCALL_FILTER_SEED").unwrap_or(SEED)
}

fn compare(profile: &str) {
    let world = World::new();
    let tenant = world.tenant(profile);
    let population = Population::create(&world, &tenant, profile, seed());
    let refused = check(&tenant, profile, &population, |vocabulary| {
        vocabulary.filters().boxed()
    });
    assert!(refused > 0, "no filter was refused");
}

/// Compares random filters of each type and of both, and gives how many were refused of that of which the fewest were.
fn check(
    tenant: &Tenant<'_>,
    profile: &str,
    population: &Population,
    strategy: fn(&Arc<Vocabulary>) -> BoxedStrategy<String>,
) -> usize {
    let mut refused = usize::MAX;
    let filters =
        variable("ROLLCALL_FILTERS").map_or(FILTERS, |count| count.try_into().expect("a count"));
    for types in [&[&USERS][..], &[&GROUPS], &[&USERS, &GROUPS]] {
        let trial = Trial {
            tenant,
            types,
            population,
            profile: Profile::from_name(profile).expect("a profile"),
            tried: Cell::new(0),
            telling: Cell::new(0),
            refused: Cell::new(0),
        };
        let vocabulary = Vocabulary::new(types, population, profile);
        let mut runner = runner(filters);
        let outcome = runner.run(&strategy(&vocabulary), |filter| trial.run(&filter));
        match outcome {
            Ok(()) => refused = refused.min(trial.check_worth()),
            Err(TestError::Fail(reason, filter)) => panic!(
                "{profile} {} with ROLLCALL_FILTER_SEED={}\n  filter {filter}\n  {reason}",
                trial.endpoint(),
                seed()
            ),
            Err(error) => panic!("{error}"),
        }
    }
    refused
}

/// A runner that makes the same choices for the same seed.
pub fn runner(cases: u32) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed().to_le_bytes());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4_000,
        ..Config::default()
    };
    TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// One resource type of one tenant, or all of them at once, and what was learnt from filtering.
struct Trial<'t> {
    tenant: &'t Tenant<'t>,
    types: &'t [&'static ResourceType],
    population: &'t Population,
    profile: Profile,
    tried: Cell<usize>,
    /// Filters that select some resources and not others.
    telling: Cell<usize>,
    refused: Cell<usize>,
}

impl Trial<'_> {
    /// Where lists of these types are.
    fn endpoint(&self) -> &'static str {
        match self.types {
            [one] => one.endpoint,
            _ => "/",
        }
    }

    fn run(&self, filter: &str) -> Result<(), TestCaseError> {
        let query = format!("filter={}", encoded(filter));
        self.tried.set(self.tried.get() + 1);
        let wanted = match self.selected(filter) {
            Ok(wanted) => wanted,
            Err(refusal) => {
                self.refused.set(self.refused.get() + 1);
                let answer = self.tenant.get(&format!("{}?{query}", self.endpoint()));
                prop_assert_eq!(answer.status, 400, "{}", refusal);
                prop_assert_eq!(&answer.body["scimType"], "invalidFilter");
                return Ok(());
            }
        };
        let list = List::of(self.tenant, self.endpoint(), &query)?;
        prop_assert_eq!(
            list.total,
            list.ids.len(),
            "the total is not what the list has"
        );
        let found: BTreeSet<&str> = list.ids.iter().map(String::as_str).collect();
        prop_assert_eq!(
            found.len(),
            list.ids.len(),
            "a resource is in the list twice"
        );
        let mut resources = 0;
        for resource in self
            .types
            .iter()
            .flat_map(|of_type| self.population.of(of_type))
        {
            resources += 1;
            let id = id(resource);
            prop_assert!(
                wanted.contains(id) == found.contains(id),
                "in memory {}, in SQL {}: {resource}",
                wanted.contains(id),
                found.contains(id)
            );
        }
        if !wanted.is_empty() && wanted.len() < resources {
            self.telling.set(self.telling.get() + 1);
        }
        if self.tried.get().is_multiple_of(8) {
            let pages = in_pages(self.tenant, self.endpoint(), &query)?;
            prop_assert_eq!(&pages, &list.ids, "pages are not the list");
            let pages = by_cursor(self.tenant, self.endpoint(), &query)?;
            prop_assert_eq!(&pages, &list.ids, "pages by cursor are not the list");
        }
        Ok(())
    }

    /// The ids of what a filter selects in memory.
    fn selected(&self, filter: &str) -> rollcall::scim::error::Result<BTreeSet<&str>> {
        let parsed = parse::parse(filter, self.profile)?;
        let mut selected = BTreeSet::new();
        for of_type in self.types {
            let others: Vec<_> = self
                .types
                .iter()
                .filter(|other| other.name != of_type.name)
                .map(|other| self.population.shape(other))
                .collect();
            let shape = self.population.shape(of_type);
            let predicate = resolve::resolve(&parsed, shape, &others, self.profile)?;
            let matching = self
                .population
                .of(of_type)
                .iter()
                .filter(|resource| evaluate::matches(&predicate, resource));
            selected.extend(matching.map(id));
        }
        Ok(selected)
    }

    /// Filters that match all or nothing, and filters that are refused, prove little.
    fn check_worth(&self) -> usize {
        let name = self.endpoint();
        let (tried, telling, refused) = (self.tried.get(), self.telling.get(), self.refused.get());
        assert!(
            telling * 3 > tried,
            "{name}: of {tried} filters, {telling} tell resources apart"
        );
        assert!(
            refused * 8 < tried,
            "{name}: of {tried} filters, {refused} are refused"
        );
        refused
    }
}

/// What a list gave: ids in order, and the total.
struct List {
    ids: Vec<String>,
    total: usize,
    next_cursor: Option<String>,
}

impl List {
    fn of(tenant: &Tenant<'_>, endpoint: &str, query: &str) -> Result<Self, TestCaseError> {
        let path = format!("{endpoint}?{query}&count=1000&attributes=id");
        List::page(tenant, &path)
    }

    fn page(tenant: &Tenant<'_>, path: &str) -> Result<Self, TestCaseError> {
        let answer = tenant.get(path);
        prop_assert_eq!(
            answer.status,
            200,
            "{} {:?}",
            answer.body,
            tenant.world.log.0.borrow().last()
        );
        let ids = answer.body["Resources"].as_array().expect("Resources");
        Ok(List {
            ids: ids.iter().map(|resource| id(resource).to_owned()).collect(),
            next_cursor: answer.body["nextCursor"].as_str().map(str::to_owned),
            total: usize::try_from(answer.body["totalResults"].as_u64().expect("a total"))
                .expect("a count"),
        })
    }
}

/// The ids of a list read seven at a time.
fn in_pages(
    tenant: &Tenant<'_>,
    endpoint: &str,
    query: &str,
) -> Result<Vec<String>, TestCaseError> {
    let mut ids = Vec::new();
    loop {
        let page = List::page(
            tenant,
            &format!(
                "{endpoint}?{query}&startIndex={}&count=7&attributes=id",
                ids.len() + 1
            ),
        )?;
        let ended = page.ids.len() < 7;
        ids.extend(page.ids);
        if ended {
            return Ok(ids);
        }
    }
}

/// The ids of a list read seven at a time, each page after the one before.
fn by_cursor(
    tenant: &Tenant<'_>,
    endpoint: &str,
    query: &str,
) -> Result<Vec<String>, TestCaseError> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = format!("{endpoint}?{query}&cursor={cursor}&count=7&attributes=id");
        let page = List::page(tenant, &path)?;
        ids.extend(page.ids);
        match page.next_cursor {
            Some(next) => cursor = encoded(&next),
            None => return Ok(ids),
        }
    }
}

fn id(resource: &Value) -> &str {
    resource["id"].as_str().expect("an id")
}

/// The ids in the order of one attribute, by RFC 7644 §3.4.2.3: of several values the primary one counts, else the first;
/// those without a value come last, first when descending. Equal ones follow their ids. A membership has no order and no
/// primary one: the least counts.
fn sorted(resources: &[Value], by: &AttributeRef, descending: bool) -> Vec<String> {
    let sub = by.sub.clone().or_else(|| by.attribute.default_sub());
    let leaf = sub.as_ref().unwrap_or(&by.attribute);
    let text = |value: &Value| match value {
        Value::String(text) => Some(comparable(text, leaf).into_owned()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    let key = |resource: &Value| -> Option<String> {
        let elements = elements(resource, by);
        let leaves = |element: &Value| match &sub {
            Some(sub) => text(&element[sub.name()]),
            None => text(element),
        };
        if matches!(by.attribute.name(), "groups" | "members") {
            return elements.iter().filter_map(leaves).min();
        }
        let primary = elements.iter().find(|element| element["primary"] == true);
        primary.or(elements.first()).and_then(leaves)
    };
    let mut keyed: Vec<(Option<String>, String)> = resources
        .iter()
        .map(|resource| (key(resource), id(resource).to_owned()))
        .collect();
    keyed.sort_by(|(left, left_id), (right, right_id)| {
        // A missing value is greater than any.
        let ordering = (left.is_none(), left).cmp(&(right.is_none(), right));
        let ordering = if descending {
            ordering.reverse()
        } else {
            ordering
        };
        ordering.then_with(|| left_id.cmp(right_id))
    });
    keyed.into_iter().map(|(_, id)| id).collect()
}

/// Percent-encoded for a query.
pub fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
