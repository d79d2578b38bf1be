//! The envelopes of admin replies.

use serde::Serialize;
use serde_json::{Value, json};

use super::call::Call;
use super::reply::Reply;
use super::validate::Page;
use crate::error::Result;
use crate::scim::date_time;
use crate::store::{Row, Rows, rows_at};

fn meta(call: &Call<'_>) -> Value {
    json!({
        "request_id": call.request_id,
        "timestamp": date_time::format(call.now),
    })
}

/// One thing.
pub fn single(call: &Call<'_>, status: u16, data: &impl Serialize) -> Reply {
    Reply::json(status, &json!({"data": data, "meta": meta(call)}))
}

/// A page of things, out of the results of a count and of a page.
pub fn list<T: Serialize>(
    call: &Call<'_>,
    page: Page,
    results: &[Rows],
    show: impl Fn(&Row) -> Result<T>,
) -> Result<Reply> {
    let total = match rows_at(results, 0)?.first() {
        Some(row) => row.integer("total")?,
        None => 0,
    };
    let data: Vec<T> = rows_at(results, 1)?
        .rows
        .iter()
        .map(show)
        .collect::<Result<_>>()?;
    let total_pages = (total + page.per_page - 1) / page.per_page;
    Ok(Reply::json(
        200,
        &json!({
            "data": data,
            "pagination": {
                "page": page.page,
                "per_page": page.per_page,
                "total_items": total,
                "total_pages": total_pages,
            },
            "meta": meta(call),
        }),
    ))
}
