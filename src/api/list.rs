//! Lists and searches (RFC 7644 §3.4.2, §3.4.3): of users, of groups, or of both at once; by index or by cursor (RFC 9865).

use super::authenticate::{Caller, with_caller};
use super::call::Call;
use super::query::{ListParams, ListQuery};
use super::reply::Reply;
use super::resources::{complete, read_scope};
use crate::error::{Error, Result};
use crate::scim::cursor::{Binding, Cursor};
use crate::scim::error::ScimType;
use crate::scim::render::{self, Paging};
use crate::scim::schema::ResourceType;
use crate::store::resources::{self, Page, Start, TypeQuery};
use crate::store::{Row, Rows, Value, rows_at};

/// `GET /{type}`, `GET /`.
pub async fn list(call: &Call<'_>, types: &[&'static ResourceType]) -> Result<Reply> {
    answer(call, types, |call, _| Ok(ListParams::of_query(call))).await
}

/// `POST /{type}/.search`, `POST /.search`.
pub async fn search(call: &Call<'_>, types: &[&'static ResourceType]) -> Result<Reply> {
    answer(call, types, |call, caller| {
        ListParams::of_body(call.json()?, caller.profile())
    })
    .await
}

async fn answer(
    call: &Call<'_>,
    types: &[&'static ResourceType],
    params: fn(&Call<'_>, &Caller) -> Result<ListParams>,
) -> Result<Reply> {
    let [first, rest @ ..] = types else {
        return Err(Error::not_found("the resource type"));
    };
    with_caller(call, read_scope(first), async |caller| {
        for other in rest {
            caller.require(read_scope(other))?;
        }
        let query = params(call, caller)?.resolve(types, caller.profile())?;
        match query.cursor.clone() {
            None => by_index(call, caller, &query).await,
            Some(cursor) => by_cursor(call, caller, &query, &cursor).await,
        }
    })
    .await
}

async fn by_index(call: &Call<'_>, caller: &Caller, query: &ListQuery) -> Result<Reply> {
    let base = call.scim_base();
    let skipped = query.start_index - 1;
    let page = (query.count > 0).then(|| {
        let page = Page {
            start: Start::Offset(skipped),
            limit: query.count,
            sorted: query.sorted,
        };
        resources::select_page(&caller.tenant, &base, &query.types, &page)
    });
    // What a look-up finds is on its page: it is counted only where the page is full.
    let looked_up = page.is_some() && query.types.iter().all(TypeQuery::is_lookup);
    let mut batch = match looked_up {
        true => Vec::new(),
        false => totals(caller, &base, query),
    };
    let counts = batch.len();
    batch.extend(page);
    let results = caller.read(call, batch).await?;
    let rows = results
        .get(counts)
        .map_or(&[][..], |rows| rows.rows.as_slice());
    let found = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    let total = match looked_up {
        false => sum(&results, counts)?,
        true if found < query.count && (found > 0 || skipped == 0) => skipped + found,
        true => {
            let counted = caller.read(call, totals(caller, &base, query)).await?;
            sum(&counted, counted.len())?
        }
    };
    let shown = show(call, caller, rows, query).await?;
    Ok(Reply::scim(
        200,
        render::list(&shown, total, &Paging::Index(query.start_index)),
    ))
}

async fn by_cursor(
    call: &Call<'_>,
    caller: &Caller,
    query: &ListQuery,
    text: &str,
) -> Result<Reply> {
    let base = call.scim_base();
    let mut parts = vec![caller.tenant.as_str()];
    parts.extend(query.binding.iter().map(String::as_str));
    let binding = Binding::new(&parts);
    let key = &call.app.config.cursor_key;
    let cursor = match text {
        "" => None,
        text => Some(Cursor::from_text(text, key, &binding, call.now)?),
    };
    let count = match &cursor {
        Some(cursor) if query.counted && query.count != cursor.count => {
            return Err(Error::scim(
                ScimType::InvalidCount,
                format!("count was {} on the first page and stays so", cursor.count),
            ));
        }
        Some(cursor) => cursor.count,
        None => query.count,
    };
    let filtered = query.types.iter().any(|query| query.filter.is_some());
    // A filtered total is counted on the first page; a plain one is at hand on every page.
    let known = cursor
        .as_ref()
        .filter(|_| filtered)
        .map(|cursor| cursor.total);
    let mut batch = match known {
        Some(_) => Vec::new(),
        None => totals(caller, &base, query),
    };
    let counts = batch.len();
    if count > 0 {
        let page = Page {
            start: match &cursor {
                Some(cursor) => Start::After(from_json(&cursor.sort_key), cursor.id.clone()),
                None => Start::Offset(0),
            },
            // One more, to know whether there is a next page.
            limit: count + 1,
            sorted: query.sorted,
        };
        batch.push(resources::select_page(
            &caller.tenant,
            &base,
            &query.types,
            &page,
        ));
    }
    let results = caller.read(call, batch).await?;
    let total = match known {
        Some(total) => total,
        None => sum(&results, counts)?,
    };
    let rows = results
        .get(counts)
        .map_or(&[][..], |rows| rows.rows.as_slice());
    let length = usize::try_from(count).unwrap_or_default();
    let (page, more) = rows.split_at_checked(length).unwrap_or((rows, &[]));
    let next = match page.last().filter(|_| !more.is_empty()) {
        Some(last) => {
            let sort_key = to_json(&resources::sort_key(last)?);
            let cursor = Cursor::new(sort_key, last.text("id")?, total, count, call.now);
            let entropy = call.app.platform.entropy.as_ref();
            Some(
                cursor
                    .to_text(key, &binding, entropy)
                    .map_err(Error::internal)?,
            )
        }
        None => None,
    };
    let shown = show(call, caller, page, query).await?;
    Ok(Reply::scim(
        200,
        render::list(&shown, total, &Paging::Cursor(next)),
    ))
}

fn totals(caller: &Caller, base: &str, query: &ListQuery) -> Vec<crate::store::Statement> {
    query
        .types
        .iter()
        .map(|query| {
            let filter = query.filter.as_ref();
            resources::select_total(&caller.tenant, base, query.resource_type, filter)
        })
        .collect()
}

fn sum(results: &[Rows], counts: usize) -> Result<i64> {
    let mut total = 0;
    for index in 0..counts {
        if let Some(row) = rows_at(results, index)?.first() {
            total += row.integer("total")?;
        }
    }
    Ok(total)
}

async fn show(
    call: &Call<'_>,
    caller: &Caller,
    rows: &[Row],
    query: &ListQuery,
) -> Result<Vec<String>> {
    let mut resources = rows
        .iter()
        .map(|row| {
            let name = row.text("resource_type")?;
            let of_type = query
                .types
                .iter()
                .position(|query| query.resource_type.name == name)
                .and_then(|index| query.types.get(index).zip(query.projections.get(index)));
            let (of_type, projection) =
                of_type.ok_or_else(|| Error::internal(format!("a row of type {name}")))?;
            Ok((resources::stored(of_type.resource_type, row)?, projection))
        })
        .collect::<Result<Vec<_>>>()?;
    let names = query.types.iter().any(|query| query.memberships.names);
    let stored = resources.iter_mut().map(|(stored, _)| stored);
    complete(call, caller, stored, names).await?;
    let base = call.scim_base();
    Ok(resources
        .iter()
        .map(|(stored, projection)| stored.to_json(&base, projection))
        .collect())
}

fn to_json(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Integer(number) => (*number).into(),
        Value::Real(number) => (*number).into(),
        Value::Text(text) => text.as_str().into(),
    }
}

fn from_json(value: &serde_json::Value) -> Value {
    match value {
        serde_json::Value::String(text) => Value::Text(text.clone()),
        serde_json::Value::Number(number) => Value::Real(number.as_f64().unwrap_or_default()),
        _ => Value::Null,
    }
}
