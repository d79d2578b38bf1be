//! What users and groups have in common: reading one, reading many, leaving a tombstone.

use super::filter;
pub use super::memberships::Memberships;
use super::memberships::{groups_of_user_json, of_group_json};
use super::set::Set;
use super::tables::{ids, table};
use super::{Params, Result, Row, Statement, Value};
use crate::ids::TenantId;
use crate::scim::filter::Predicate;
use crate::scim::render::Stored;
use crate::scim::schema::{AttributeRef, GROUPS, ResourceType};
use crate::scim::version::Version;

/// Most text of resources that comes along with a page, in bytes: what the rows of a full page share.
const TEXT_ON_PAGE: i64 = 8_000_000;

/// Columns of [`stored`], for a row named `r`. `?1` is the tenant and `?2` the base URL of the request.
pub(super) fn columns(resource_type: &ResourceType, memberships: Memberships) -> String {
    columns_with("r.resource", resource_type, memberships)
}

/// The same, of a row of a page of that many: a text longer than its share of the page is null.
fn columns_on_page(resource_type: &ResourceType, memberships: Memberships, count: i64) -> String {
    let share = TEXT_ON_PAGE / count.max(1);
    let text = format!(
        "octet_length(r.resource) as length, iif(octet_length(r.resource) <= {share}, r.resource, null)"
    );
    columns_with(&text, resource_type, memberships.on_page(count))
}

fn columns_with(text: &str, resource_type: &ResourceType, memberships: Memberships) -> String {
    let is_group = resource_type.name == GROUPS.name;
    let json = match (memberships.wanted, is_group) {
        (true, true) => of_group_json(memberships),
        (true, false) => groups_of_user_json(memberships),
        // Whether the columns need the base or not, the statement takes it.
        (false, _) => "iif(?2 is null, '', null)".to_owned(),
    };
    let held = match is_group {
        true => ", r.member_count as held",
        false => "",
    };
    format!(
        "r.id, r.version, r.created_at, r.modified_at, {text} as resource, {json} as memberships{held}"
    )
}

/// How many resources of [`select_page`] one reply carries, from the first on: as many as their texts leave room for, and one
/// at least.
pub fn fitting(rows: &[Row]) -> Result<usize> {
    let mut room = TEXT_ON_PAGE;
    for (index, row) in rows.iter().enumerate() {
        room -= row.integer("length")?;
        if room < 0 && index > 0 {
            return Ok(index);
        }
    }
    Ok(rows.len())
}

/// How many memberships the resource of a row has, where that is known without counting: of groups.
pub fn held(row: &Row) -> Result<Option<i64>> {
    match row.has("held") {
        true => row.optional_integer("held"),
        false => Ok(None),
    }
}

/// Reads a row of [`select_one`] or [`select_page`]; its text is empty where it did not come along with a page.
pub fn stored(resource_type: &'static ResourceType, row: &Row) -> Result<Stored> {
    let memberships = row.optional_text("memberships")?;
    let oversized = memberships.as_deref() == Some("");
    Ok(Stored {
        resource_type,
        id: row.text("id")?,
        version: Version(row.integer("version")?),
        created: row.integer("created_at")?,
        modified: row.integer("modified_at")?,
        resource: row.optional_text("resource")?.unwrap_or_default(),
        oversized,
        memberships: memberships.filter(|_| !oversized),
        parts: Vec::new(),
    })
}

/// One resource by its id.
pub fn select_one(
    tenant: &TenantId,
    base: &str,
    resource_type: &ResourceType,
    id: &str,
    memberships: Memberships,
) -> Statement {
    let columns = columns(resource_type, memberships);
    let table = table(resource_type);
    Statement::new(
        format!("select {columns} from {table} r where r.tenant_id = ?1 and r.id = ?3"),
        vec![tenant.into(), base.into(), id.into()],
    )
}

/// The part of a list that is of one resource type.
#[derive(Debug)]
pub struct TypeQuery {
    pub resource_type: &'static ResourceType,
    pub filter: Option<Predicate>,
    /// What the list is sorted by; none where it is sorted by nothing, or where this type has no such attribute.
    pub sort_by: Option<AttributeRef>,
    pub memberships: Memberships,
}

impl TypeQuery {
    /// Whether the filter is by a value that few resources have.
    pub fn is_lookup(&self) -> bool {
        let resource_type = self.resource_type;
        let filter = self.filter.as_ref();
        filter.is_some_and(|filter| filter::is_lookup(resource_type, filter))
    }

    /// Whether the whole tenant may have to be gone through: for a filter that is no look-up, or an order that no index has.
    pub fn scans(&self) -> bool {
        let order = |by| filter::order(self.resource_type, by);
        !self.is_lookup()
            && (self.filter.is_some()
                || self.sort_by.as_ref().is_some_and(|by| order(by).is_none()))
    }
}

/// Where a page begins.
#[derive(Debug, Clone)]
pub enum Start {
    /// After that many resources.
    Offset(i64),
    /// After the resource with that sort key and id.
    After(Value, String),
}

/// One page of a list.
#[derive(Debug, Clone)]
pub struct Page {
    pub start: Start,
    pub limit: i64,
    /// Whether the order is that of a sort key at all, and whether it is descending. Equal keys follow their ids, so that pages
    /// do not overlap.
    pub sorted: Option<Descending>,
}

/// Whether an order is descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descending(pub bool);

impl Page {
    /// How many resources before the page are left out by their number.
    fn skipped(&self) -> i64 {
        match self.start {
            Start::Offset(offset) => offset,
            Start::After(..) => 0,
        }
    }

    /// The part of the rows that the page is.
    fn bounds(&self, params: &mut Params) -> String {
        let (limit, offset) = (params.bind(self.limit), params.bind(self.skipped()));
        format!("limit {limit} offset {offset}")
    }

    /// `order by` of rows with columns `sort_key` and `id`. Missing keys come last ascending and first descending (RFC 7644
    /// §3.4.2.3). Where none can be missing it is not said, because no index has that order.
    fn order(&self, always_present: bool) -> &'static str {
        match (self.sorted, always_present) {
            (None, _) => "id asc",
            (Some(Descending(false)), false) => "sort_key asc nulls last, id asc",
            (Some(Descending(true)), false) => "sort_key desc nulls first, id asc",
            (Some(Descending(false)), true) => "sort_key asc, id asc",
            (Some(Descending(true)), true) => "sort_key desc, id asc",
        }
    }

    /// What holds for rows after the start.
    fn after(&self, key: &str, always_present: bool, params: &mut Params) -> Option<String> {
        let Start::After(last, id) = &self.start else {
            return None;
        };
        let id = params.bind(id.as_str());
        let Some(Descending(descending)) = self.sorted else {
            return Some(format!("r.id > {id}"));
        };
        if *last == Value::Null {
            return Some(match descending {
                false => format!("({key} is null and r.id > {id})"),
                true => format!("({key} is not null or r.id > {id})"),
            });
        }
        let last = params.bind(last.clone());
        Some(match (descending, always_present) {
            // A range, which an index can enter where it begins.
            (false, true) => format!("{key} >= {last} and ({key} > {last} or r.id > {id})"),
            (true, true) => format!("{key} <= {last} and ({key} < {last} or r.id > {id})"),
            (false, false) => {
                format!("({key} > {last} or {key} is null or ({key} = {last} and r.id > {id}))")
            }
            (true, false) => format!("({key} < {last} or ({key} = {last} and r.id > {id}))"),
        })
    }
}

/// A page of resources of one type, or of several, told apart by the column `resource_type`. What is the same in all rows is no
/// column: each column costs some time in each row.
pub fn select_page(tenant: &TenantId, base: &str, types: &[TypeQuery], page: &Page) -> Statement {
    let mut params = Params::new(vec![tenant.into(), base.into()]);
    let mut arms: Vec<String> = types
        .iter()
        .map(|query| select_arm(query, page, types.len() == 1, &mut params))
        .collect();
    let sql = match (arms.pop(), arms.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            let arms: Vec<String> = arms
                .into_iter()
                .chain(last)
                .map(|arm| format!("select * from ({arm})"))
                .collect();
            format!(
                "select * from ({}) order by {} {}",
                arms.join(" union all "),
                page.order(false),
                page.bounds(&mut params)
            )
        }
    };
    Statement::new(sql, params.into_values())
}

/// The resources of one type that the page could take, in the page's order; where it is the only type, the page itself.
fn select_arm(query: &TypeQuery, page: &Page, alone: bool, params: &mut Params) -> String {
    let table = table(query.resource_type);
    let mut conditions = vec!["r.tenant_id = ?1".to_owned()];
    let order_index = query
        .sort_by
        .as_ref()
        .and_then(|by| filter::order(query.resource_type, by));
    let mut with = String::new();
    let mut source = filter::indexed_by(order_index.flatten());
    if let Some(filter) = &query.filter {
        let selected = filter::select(query.resource_type, filter, params);
        conditions.push(selected.condition);
        with = selected.with;
        source = match selected.is_indexed {
            true => selected.source,
            false => source + &selected.source,
        };
    }
    let sort_key = match &query.sort_by {
        Some(by) => filter::sort_key(query.resource_type, by),
        None => "null".to_owned(),
    };
    let always_present = order_index.is_some();
    conditions.extend(page.after(&sort_key, always_present, params));
    let name = query.resource_type.name;
    let mut columns = columns_on_page(query.resource_type, query.memberships, page.limit);
    if !alone {
        if name != GROUPS.name {
            columns += ", null as held";
        }
        columns += &format!(", '{name}' as resource_type");
    }
    if page.sorted.is_some() {
        columns += &format!(", {sort_key} as sort_key");
    }
    let order = page.order(always_present);
    let plain = query.filter.is_none() && page.sorted.is_none();
    let bounds = match page.skipped() {
        skipped if !alone => {
            let reach = params.bind(page.limit.saturating_add(skipped));
            format!("limit {reach}")
        }
        skipped @ 1.. if plain => {
            // What is skipped is skipped on an index of ids alone, not on whole rows.
            let last = params.bind(skipped - 1);
            conditions.push(format!(
                "r.id > (select p.id from {table} p indexed by {table}_id_idx where p.tenant_id = ?1 \
                 order by p.id limit 1 offset {last})"
            ));
            format!("limit {}", params.bind(page.limit))
        }
        _ => page.bounds(params),
    };
    let conditions = conditions.join(" and ");
    format!(
        "{with}select {columns} from {table} r{source} where {conditions} order by {order} {bounds}"
    )
}

/// What a row of [`select_page`] is sorted by; null where that is nothing.
pub fn sort_key(row: &Row) -> Result<Value> {
    match row.has("sort_key") {
        true => row.value("sort_key").cloned(),
        false => Ok(Value::Null),
    }
}

/// How many resources a filter selects; without one, the tenant's own counter.
pub fn select_total(
    tenant: &TenantId,
    base: &str,
    resource_type: &'static ResourceType,
    filter: Option<&Predicate>,
) -> Statement {
    let Some(filter) = filter else {
        let counter = match resource_type.name == GROUPS.name {
            true => "select group_total as total from tenants where id = ?1",
            false => "select user_total as total from tenants where id = ?1",
        };
        return Statement::new(counter, vec![tenant.into()]);
    };
    let mut params = Params::new(vec![tenant.into(), base.into()]);
    let selected = filter::select(resource_type, filter, &mut params);
    let filter::Selection {
        with,
        source,
        condition,
        ..
    } = selected;
    let table = table(resource_type);
    Statement::new(
        // Whether the filter needs the base or not, the statement takes it.
        format!(
            "{with}select count(*) as total, ?2 as base from {table} r{source} where r.tenant_id = ?1 and {condition}"
        ),
        params.into_values(),
    )
}

/// Which of these ids are resources of the type: column `id`.
pub fn select_present<'i>(
    tenant: &TenantId,
    resource_type: &ResourceType,
    those: impl IntoIterator<Item = &'i String>,
) -> Vec<Statement> {
    let table = ids(resource_type);
    Set::of_ids(those).statements(&[tenant.into()], |part| {
        format!(
            "{} select e.id from e where exists (select 1 from {table} where r.tenant_id = ?1 and r.id = e.id)",
            part.table()
        )
    })
}

/// Longest row in bytes, some room left for its other columns and for its indexes' entries: D1 takes two million.
pub const MAX_ROW: usize = 1_900_000;

/// Resources by their ids: columns of [`stored`] without memberships.
pub fn select_many<'i>(
    tenant: &TenantId,
    resource_type: &ResourceType,
    ids: impl IntoIterator<Item = &'i String>,
) -> Vec<Statement> {
    let table = table(resource_type);
    Set::of_ids(ids).statements(&[tenant.into()], |part| {
        format!(
            "{} select r.id, r.version, r.created_at, r.modified_at, r.resource, null as memberships \
             from e cross join {table} r on r.tenant_id = ?1 and r.id = e.id",
            part.table()
        )
    })
}
