//! The envelopes of admin replies.

use serde::Serialize;

use super::call::Call;
use super::input::{Page, Time};
use super::reply::Reply;
use crate::error::{FieldError, Result};
use crate::store::{Row, Rows, rows_at};

/// What is said about the reply itself.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Meta {
    /// The request's id, the same as in `X-Request-Id`; of a reply that was kept for an `Idempotency-Key`, the id of the first request.
    request_id: String,
    /// When the request came.
    timestamp: Time,
    /// What the request brought about that it did not ask for, in the form of what is wrong with a field: a secret that was cleared
    /// (`secret_cleared`). Not there where there is nothing to tell.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notices: Vec<FieldError>,
}

/// One thing.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "{T}Envelope"))]
pub struct Single<T> {
    data: T,
    meta: Meta,
}

/// A page of things.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "{T}List"))]
pub struct List<T> {
    data: Vec<T>,
    pagination: Pagination,
    meta: Meta,
}

/// Where a page lies in its list.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Pagination {
    /// From 1.
    page: i64,
    per_page: i64,
    total_items: i64,
    /// `total_items` by `per_page`, rounded up.
    total_pages: i64,
}

pub fn meta(call: &Call<'_>) -> Meta {
    Meta {
        request_id: call.request_id.clone(),
        timestamp: Time(call.now),
        notices: Vec::new(),
    }
}

/// A reply of one thing.
pub fn single<T: Serialize>(call: &Call<'_>, status: u16, data: T) -> Reply {
    let meta = meta(call);
    Reply::json(status, &Single { data, meta })
}

/// A reply of one thing, with what else is to be told.
pub fn noticed<T: Serialize>(
    call: &Call<'_>,
    status: u16,
    data: T,
    notices: Vec<FieldError>,
) -> Reply {
    let meta = Meta {
        notices,
        ..meta(call)
    };
    Reply::json(status, &Single { data, meta })
}

/// A page of things, out of the results of a count and of a page.
pub fn list<T: Serialize>(
    call: &Call<'_>,
    page: Page,
    results: &[Rows],
    show: impl Fn(&Row) -> Result<T>,
) -> Result<Reply> {
    let total_items = match rows_at(results, 0)?.first() {
        Some(row) => row.integer("total")?,
        None => 0,
    };
    let data: Vec<T> = rows_at(results, 1)?
        .rows
        .iter()
        .map(show)
        .collect::<Result<_>>()?;
    Ok(listed(call, page, total_items, data))
}

/// A page of things, of so many.
pub fn listed<T: Serialize>(call: &Call<'_>, page: Page, total_items: i64, data: Vec<T>) -> Reply {
    Reply::json(
        200,
        &List {
            data,
            pagination: page.of_items(total_items),
            meta: meta(call),
        },
    )
}

/// One thing that has items, of which a page is shown.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "{T}Page"))]
pub struct Paged<T> {
    data: T,
    pagination: Pagination,
    meta: Meta,
}

/// A reply of one thing with a page of its items.
pub fn paged<T: Serialize>(call: &Call<'_>, page: Page, total_items: i64, data: T) -> Reply {
    Reply::json(
        200,
        &Paged {
            data,
            pagination: page.of_items(total_items),
            meta: meta(call),
        },
    )
}

impl Page {
    /// Where the page lies among so many.
    pub fn of_items(self, total_items: i64) -> Pagination {
        Pagination {
            page: self.page,
            per_page: self.per_page,
            total_items,
            total_pages: (total_items + self.per_page - 1) / self.per_page,
        }
    }
}
