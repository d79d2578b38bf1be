//! Lists and searches (RFC 7644 §3.4.2, §3.4.3): of users, of groups, or of both at once; by index or by cursor (RFC 9865).

use std::rc::Rc;

use http::Method;
use http::header::LINK;

use super::list_query::{ListParams, ListQuery};
use super::resources::{complete, parts_of};
use crate::api::http::call::{Call, retrying};
use crate::api::http::caller::Caller;
use crate::api::http::limits;
use crate::api::http::reply::Reply;
use crate::error::{Error, Result};
use crate::ordered::OrderedMap;
use crate::scim::cursor::{Binding, Cursor};
use crate::scim::error::ScimType;
use crate::scim::pieces::{Frame, Pieces};
use crate::scim::render::{self, Paging, Stored};
use crate::scim::schema::ResourceType;
use crate::store::resources::{self, Page, Start, TypeQuery};
use crate::store::{self, Guard, Row, Rows, Value, members, rows_at};

/// Most resources of a page whose memberships are too many to come along with it.
const MAX_LARGE: usize = 50;
/// Most memberships of each of these on a page; a resource with more is the only one of its page.
const MAX_MEMBERSHIPS_OF_ONE: i64 = 5_000;

/// The `startIndex` above which a page counts as going through the tenant: what lies before it is read.
const FAR: i64 = 100_000;

/// `GET /{type}`, `GET /`.
pub async fn list(
    call: &Call<'_>,
    caller: &Caller,
    types: &[&'static ResourceType],
) -> Result<Reply> {
    answer(call, caller, types, |call, caller| {
        Ok(ListParams::of_query(call, caller.profile()))
    })
    .await
}

/// `POST /{type}/.search`, `POST /.search`.
pub async fn search(
    call: &Call<'_>,
    caller: &Caller,
    types: &[&'static ResourceType],
) -> Result<Reply> {
    answer(call, caller, types, |call, caller| {
        ListParams::of_body(call.json()?, caller.profile())
    })
    .await
}

async fn answer(
    call: &Call<'_>,
    caller: &Caller,
    types: &[&'static ResourceType],
    params: fn(&Call<'_>, &Caller) -> Result<ListParams>,
) -> Result<Reply> {
    let shapes: Vec<_> = types.iter().map(|of| caller.shape(of)).collect();
    let mut query = params(call, caller)?.resolve(&shapes, caller.profile())?;
    if query.start_index > FAR || query.types.iter().any(TypeQuery::scans) {
        limits::check_rows(call, &caller.tenant)?;
    }
    if !caller.provider_id.is_empty() {
        for query in &mut query.types {
            let filter = query.filter.take();
            query.filter = filter.map(|filter| filter.of_provider(&caller.provider_id));
        }
    }
    let listed = retrying(async || match &query.cursor {
        None => by_index(call, caller, &query).await,
        Some(cursor) => by_cursor(call, caller, &query, cursor).await,
    });
    Ok(caller.numbered(listed.await?))
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
    if total == 0 {
        call.journal.note_nobody();
    }
    let page = read_page(call, caller, rows, query).await?;
    let shown = page.into_iter().map(Shown::into_pieces).collect();
    let paging = Paging::Index(query.start_index);
    let reply = Reply::scim(200, render::list(shown, total, &paging));
    // A search has its parameters in its body, which no link names.
    Ok(
        match query.start_index > FAR && call.method() == Method::GET {
            true => reply.header(LINK, by_cursor_instead(call)),
            false => reply,
        },
    )
}

/// The same list from its beginning by cursor, whose pages cost the same wherever they lie: a substitute for this one, `alternate` in the registry of
/// RFC 8288.
fn by_cursor_instead(call: &Call<'_>) -> String {
    let mut parameters = form_urlencoded::Serializer::new(String::new());
    let kept = call.query().into_iter();
    parameters.extend_pairs(kept.filter(|(name, _)| name != "startIndex"));
    let query = parameters.append_pair("cursor", "").finish();
    format!("<?{query}>; rel=\"alternate\"")
}

async fn by_cursor(
    call: &Call<'_>,
    caller: &Caller,
    query: &ListQuery,
    text: &str,
) -> Result<Reply> {
    let base = call.scim_base();
    let mut parts = vec![caller.tenant.as_str(), &caller.provider_id];
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
    let (page, _) = rows.split_at_checked(length).unwrap_or((rows, &[]));
    let shown = read_page(call, caller, page, query).await?;
    let (page, more) = rows.split_at_checked(shown.len()).unwrap_or((rows, &[]));
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
    let shown = shown.into_iter().map(Shown::into_pieces).collect();
    Ok(Reply::scim(
        200,
        render::list(shown, total, &Paging::Cursor(next)),
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

/// A resource of a page, and what its text depends on.
struct Shown {
    stored: Stored,
    frame: Rc<Frame>,
    /// Whether its memberships are shown with their names.
    names: bool,
    /// How many these are, where that is known.
    held: Option<i64>,
}

impl Shown {
    /// Whether its text was too long to come along with the page.
    fn lacks_text(&self) -> bool {
        self.stored.resource.is_empty()
    }

    fn into_pieces(self) -> Pieces {
        self.stored.into_pieces(&self.frame)
    }
}

/// The resources of a page with their memberships. Where these, or the texts, are more than one reply may carry the page ends
/// early, as RFC 7644 §3.4.2.4 allows; but never before its first resource.
async fn read_page(
    call: &Call<'_>,
    caller: &Caller,
    rows: &[Row],
    query: &ListQuery,
) -> Result<Vec<Shown>> {
    let base: Rc<str> = call.scim_base().into();
    let mut types = Vec::new();
    for (of_type, projection) in query.types.iter().zip(&query.projections) {
        let frame = Frame {
            resource_type: of_type.resource_type,
            base: Rc::clone(&base),
            projection: projection.clone(),
        };
        let names = of_type.memberships.names;
        types.push((Rc::new(frame), names));
    }
    let (rows, _) = rows.split_at(resources::fitting(rows)?);
    let mut page = rows
        .iter()
        .map(|row| {
            let (frame, names) = match types.as_slice() {
                [only] => only,
                types => {
                    let name = row.text("resource_type")?;
                    let mut types = types.iter();
                    types
                        .find(|(frame, _)| frame.resource_type.name == name)
                        .ok_or_else(|| Error::internal(format!("a row of type {name}")))?
                }
            };
            Ok(Shown {
                stored: resources::stored(frame.resource_type, row)?,
                frame: Rc::clone(frame),
                names: *names,
                held: resources::held(row)?,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    read_texts(call, caller, &mut page).await?;
    let seen = page.iter().map(|shown| &shown.stored);
    call.app.recent.remember_page(&caller.tenant, seen);
    let fitting = complete_page(call, caller, &mut page).await?;
    page.truncate(fitting.max(1));
    if let (0, Some(first)) = (fitting, page.first_mut()) {
        complete(call, caller, &mut first.stored, first.names).await?;
    }
    Ok(page)
}

/// Reads the texts that were too long to come along with a page, in one round trip.
async fn read_texts(call: &Call<'_>, caller: &Caller, page: &mut [Shown]) -> Result<()> {
    let mut ids: OrderedMap<&str, (&'static ResourceType, Vec<String>)> = OrderedMap::new();
    for Shown { stored, .. } in page.iter().filter(|shown| shown.lacks_text()) {
        let of_type = (stored.resource_type, Vec::new());
        let (_, ids) = ids.or_insert(stored.resource_type.name, of_type);
        ids.push(stored.id.clone());
    }
    if ids.is_empty() {
        return Ok(());
    }
    let select = |(resource_type, ids): &(&'static ResourceType, Vec<String>)| {
        resources::select_many(&caller.tenant, resource_type, ids)
    };
    let results = caller
        .read(call, ids.values().flat_map(select).collect())
        .await?;
    let rows = results.iter().flat_map(|rows| &rows.rows);
    let rows = rows
        .map(|row| Ok((row.text("id")?, row)))
        .collect::<Result<OrderedMap<_, _>>>()?;
    for Shown { stored, .. } in page.iter_mut().filter(|shown| shown.lacks_text()) {
        // Gone since the page was read: the page is to be read again.
        let row = rows
            .get(&stored.id)
            .ok_or(store::Error::Guard(Guard::VersionConflict))?;
        *stored = Stored {
            memberships: stored.memberships.take(),
            oversized: stored.oversized,
            ..resources::stored(stored.resource_type, row)?
        };
    }
    Ok(())
}

/// Reads the memberships of those on a page that have too many to come along, in one round trip, and tells how many resources
/// from the first on are complete then.
async fn complete_page(call: &Call<'_>, caller: &Caller, page: &mut [Shown]) -> Result<usize> {
    let too_many = |shown: &Shown| {
        let held = shown.held.unwrap_or_default();
        shown.stored.oversized && (held > MAX_MEMBERSHIPS_OF_ONE || page.len() == 1)
    };
    let end = page.iter().position(too_many).unwrap_or(page.len());
    let page = page.split_at_mut(end).0;
    let mut batch = Vec::new();
    let large = page.iter().filter(|shown| shown.stored.oversized);
    for shown in large.take(MAX_LARGE) {
        let (stored, most) = (&shown.stored, MAX_MEMBERSHIPS_OF_ONE);
        batch.push(members::select_parts(
            &caller.tenant,
            stored.resource_type,
            &stored.id,
            shown.names,
            Some(most + 1),
        ));
    }
    if batch.is_empty() {
        return Ok(page.len());
    }
    let results = caller.read(call, batch).await?;
    let mut results = results.iter();
    for (index, shown) in page.iter_mut().enumerate() {
        if !shown.stored.oversized {
            continue;
        }
        let Some(rows) = results.next() else {
            return Ok(index);
        };
        let (parts, held) = parts_of(rows)?;
        if held > MAX_MEMBERSHIPS_OF_ONE {
            return Ok(index);
        }
        shown.stored.parts = parts;
    }
    Ok(page.len())
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
