//! A page of a list is the slice of the list that it says, whatever is asked for besides. Numbers that a statement gets for one thing
//! may be those that it gets for another: pages are of few resources, so that these meet often.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestCaseError;
use serde_json::{Value, json};

use crate::filter_equivalence::{encoded, runner};
use crate::support::{Tenant, World};

/// What the tenant holds, so that a list of it can be made in memory.
struct Item {
    id: String,
    is_user: bool,
    display_name: String,
    external_id: Option<String>,
}

const USERS: usize = 11;
const GROUPS: usize = 6;
const ENDPOINTS: [&str; 3] = ["/Users", "/Groups", "/"];

/// A filter, and what it selects.
type Filter = (&'static str, fn(&Item) -> bool);
const FILTERS: [Filter; 6] = [
    ("", |_| true),
    ("externalId pr", |item| item.external_id.is_some()),
    ("externalId eq \"e1\"", |item| {
        item.external_id.as_deref() == Some("e1")
    }),
    ("displayName sw \"n1\"", |item| {
        item.display_name.starts_with("n1")
    }),
    ("meta.resourceType eq \"User\"", |item| item.is_user),
    ("not (displayName co \"2\") and externalId pr", |item| {
        !item.display_name.contains('2') && item.external_id.is_some()
    }),
];

/// An order, and the key that it goes by.
type Order = (&'static str, fn(&Item) -> Option<String>);
const ORDERS: [Order; 4] = [
    ("", |_| Some(String::new())),
    ("displayName", |item| Some(item.display_name.clone())),
    ("externalId", |item| item.external_id.clone()),
    ("id", |item| Some(item.id.clone())),
];

fn fill(tenant: &Tenant<'_>) -> Vec<Item> {
    let items = (0..USERS + GROUPS).map(|number| {
        tenant.world.clock.advance_seconds(1);
        let is_user = number % 3 != 2;
        let display_name = format!("n{}", number * 7 % 10);
        let external_id = (number % 4 != 0).then(|| format!("e{}", number % 5));
        let mut body = json!({"displayName": display_name});
        if is_user {
            body["userName"] = format!("u{number}").into();
        }
        if let Some(external_id) = &external_id {
            body["externalId"] = external_id.as_str().into();
        }
        let schema = if is_user { "User" } else { "Group" };
        body["schemas"] = json!([format!("urn:ietf:params:scim:schemas:core:2.0:{schema}")]);
        let id = tenant
            .send("POST", &format!("/{schema}s"), body)
            .expect(201)
            .id();
        Item {
            id,
            is_user,
            display_name,
            external_id,
        }
    });
    items.collect()
}

/// The ids of a list in memory: missing keys come last, first when descending; equal ones follow their ids.
fn listed(
    items: &[Item],
    endpoint: &str,
    (_, selects): Filter,
    (_, key): Order,
    descending: bool,
) -> Vec<String> {
    let mut found: Vec<&Item> = items
        .iter()
        .filter(|item| match endpoint {
            "/Users" => item.is_user,
            "/Groups" => !item.is_user,
            _ => true,
        })
        .filter(|item| selects(item))
        .collect();
    found.sort_by(|left, right| {
        let place = |item| (key(item).is_none(), key(item));
        let ordering = place(left).cmp(&place(right));
        let ordering = if descending {
            ordering.reverse()
        } else {
            ordering
        };
        ordering.then_with(|| left.id.cmp(&right.id))
    });
    found.iter().map(|item| item.id.clone()).collect()
}

fn query(filter: Filter, order: Order, descending: bool) -> String {
    let mut query = "attributes=id".to_owned();
    if !filter.0.is_empty() {
        query += &format!("&filter={}", encoded(filter.0));
    }
    if !order.0.is_empty() {
        let direction = if descending {
            "descending"
        } else {
            "ascending"
        };
        query += &format!("&sortBy={}&sortOrder={direction}", order.0);
    }
    query
}

/// The ids on a page, its total, and the cursor of the next.
fn page(tenant: &Tenant<'_>, path: &str) -> Result<(Vec<String>, usize, Value), TestCaseError> {
    let answer = tenant.get(path);
    prop_assert_eq!(
        answer.status,
        200,
        "{}: {} {}",
        path,
        answer.body,
        answer.log
    );
    let resources = answer.body["Resources"].as_array().expect("Resources");
    let ids = resources
        .iter()
        .map(|found| found["id"].as_str().expect("an id").to_owned());
    let total = answer.body["totalResults"].as_u64().expect("a total");
    Ok((
        ids.collect(),
        usize::try_from(total).expect("a count"),
        answer.body["nextCursor"].clone(),
    ))
}

fn slice(list: &[String], start: usize, count: usize) -> &[String] {
    let start = start.saturating_sub(1).min(list.len());
    &list[start..(start + count).min(list.len())]
}

fn check_page(
    tenant: &Tenant<'_>,
    list: &[String],
    path: &str,
    (start, count): (usize, usize),
) -> Result<(), TestCaseError> {
    let path = format!("{path}&startIndex={start}&count={count}");
    let (ids, total, _) = page(tenant, &path)?;
    prop_assert_eq!(total, list.len(), "{}", path);
    prop_assert_eq!(&ids, slice(list, start, count), "{}", path);
    Ok(())
}

/// All pages by cursor.
fn check_cursor(
    tenant: &Tenant<'_>,
    list: &[String],
    path: &str,
    count: usize,
) -> Result<(), TestCaseError> {
    let (mut cursor, mut start) = (String::new(), 1);
    loop {
        let path = format!("{path}&cursor={cursor}&count={count}");
        let (ids, total, next) = page(tenant, &path)?;
        prop_assert_eq!(total, list.len(), "{}", path);
        prop_assert_eq!(&ids, slice(list, start, count), "{}", path);
        start += count;
        match next.as_str() {
            Some(next) => cursor = encoded(next),
            None => break,
        }
    }
    prop_assert!(start > list.len(), "{}: the pages end early", path);
    Ok(())
}

#[test]
fn every_start_and_count_gives_its_slice_of_a_plain_list() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let items = fill(&tenant);
    for endpoint in ENDPOINTS {
        let list = listed(&items, endpoint, FILTERS[0], ORDERS[0], false);
        let path = format!("{endpoint}?attributes=id");
        for start in 1..=list.len() + 2 {
            for count in 0..=list.len() + 2 {
                check_page(&tenant, &list, &path, (start, count)).expect("a page");
            }
        }
        for (start, count) in [
            (3, 1),
            (12, 10),
            (102, 100),
            (100, 102),
            (1002, 1000),
            (1001, 999),
        ] {
            check_page(&tenant, &list, &path, (start, count)).expect("a page");
        }
    }
}

/// Where a page begins.
#[derive(Debug, Clone)]
enum Start {
    At(usize),
    /// That far above the page's size.
    AfterCount(usize),
}

#[test]
fn a_page_is_its_slice_of_any_list() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let items = fill(&tenant);
        let count = 0..=USERS + GROUPS + 2;
        // Half of the pages begin where start and count are near each other.
        let start = prop_oneof![
            (1..=USERS + GROUPS + 3).prop_map(Start::At),
            (1..=4usize).prop_map(Start::AfterCount)
        ];
        let asked = (
            select(&ENDPOINTS[..]),
            select(&FILTERS[..]),
            select(&ORDERS[..]),
            any::<bool>(),
            start,
            count,
            any::<bool>(),
        );
        let checked = runner(700).run(
            &asked,
            |(endpoint, filter, order, descending, start, count, by_cursor)| {
                let list = listed(&items, endpoint, filter, order, descending);
                let path = format!("{endpoint}?{}", query(filter, order, descending));
                if by_cursor && count > 0 {
                    return check_cursor(&tenant, &list, &path, count);
                }
                let start = match start {
                    Start::At(start) => start,
                    Start::AfterCount(more) => count + more,
                };
                check_page(&tenant, &list, &path, (start, count))
            },
        );
        checked.expect("pages");
    }
}
