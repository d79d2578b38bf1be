//! `/api/v1/tenants/{tenant_id}/event-streams`: who is sent a tenant's events, and what came of it.

use serde_json::json;

use super::event_stream_types::{
    DeliveryResponse, EventStreamCreate, EventStreamReplay, EventStreamResponse, EventStreamRotate,
    EventStreamUpdate, NewEventStreamResponse, TestResponse,
};
use super::events::check;
use crate::api::http::call::{Call, retrying};
use crate::api::http::envelope;
use crate::api::http::idempotency;
use crate::api::http::input::{Page, body};
use crate::api::http::query_parameters::tenant_in_path;
use crate::api::http::reply::Reply;
use crate::api::http::stretch::{self, Stretch};
use crate::auth::admin::Admin;
use crate::change::audit::{self, Action, Detail, Event, Totals};
use crate::connection::address;
use crate::error::{Error, Kind, Result};
use crate::events::{Outcome, Secrets, Wanted, send_signed};
use crate::ids::TenantId;
use crate::messages;
use crate::store::event_streams::{self, EventStream, Sealed};
use crate::store::events::Range;
use crate::store::{self, Guard, Row, Statement, deliveries, events, rows_at, tenants};

const WHAT: &str = "the event stream";
/// Most streams of a tenant.
const MAX_STREAMS: i64 = 100;

fn audited(
    call: &Call<'_>,
    admin: &Admin,
    stream: &EventStream,
    action: Action,
    attributes: &[&str],
) -> Vec<Statement> {
    call.journal.note_resource("EventStream", &stream.id);
    let event = Event {
        action,
        resource_type: "EventStream",
        resource_id: &stream.id,
        attributes: attributes.iter().map(|&name| name.to_owned()).collect(),
        detail: Detail::default(),
    };
    let origin = call.origin_of(admin.actor());
    audit::append(&stream.tenant_id, &origin, Totals::default(), &[event])
}

fn show_row(row: &Row) -> Result<EventStreamResponse> {
    Ok(EventStreamResponse::of(event_streams::event_stream(row)?))
}

fn check_url(call: &Call<'_>, url: &str) -> Result<()> {
    let judged = address::judge(url, call.app.config.local_development);
    match judged {
        Ok(_) if url.len() <= 2_048 => Ok(()),
        Ok(_) => Err(Error::field(
            &["body", "url"],
            "it is longer than 2048 characters",
            "value_error",
        )),
        Err(reason) => Err(Error::field(&["body", "url"], reason, "value_error")),
    }
}

fn types(given: &[String]) -> Result<String> {
    let wanted = Wanted::parse(given)
        .map_err(|reason| Error::field(&["body", "types"], reason, "value_error"))?;
    if wanted.names().is_empty() || wanted.names().len() > 50 {
        let detail = "it has to name 1 to 50 types";
        return Err(Error::field(&["body", "types"], detail, "value_error"));
    }
    Ok(json!(wanted.names()).to_string())
}

fn sealed(call: &Call<'_>, tenant: &TenantId, id: &str, secrets: &Secrets) -> Result<Sealed> {
    let keys = &call.app.config.encryption_keys;
    let entropy = call.app.platform.entropy.as_ref();
    secrets
        .seal(keys, entropy, tenant, id)
        .map_err(Error::internal)
}

/// The stream in the path; 404 where the tenant has none of that id.
async fn find(call: &Call<'_>, admin: &Admin) -> Result<EventStream> {
    let tenant = tenant_in_path(call, admin)?;
    let id = call.id("stream_id", WHAT)?;
    let select = vec![event_streams::select(&tenant, &id)];
    let results = call.run(Some(&tenant), select).await?;
    let row = rows_at(&results, 0)?.first();
    Ok(event_streams::event_stream(
        row.ok_or_else(|| Error::not_found(WHAT))?,
    )?)
}

/// Wakes whoever delivers; where that fails, the clock does it.
async fn wake(call: &Call<'_>, stream: &EventStream) {
    let (tenant, id) = (stream.tenant_id.to_string(), stream.id.clone());
    let _ = messages::deliver(&call.app.platform, tenant, id, 0).await;
}

/// `GET …/event-streams`.
pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = tenant_in_path(call, admin)?;
    let page = Page::of(call)?;
    let mut batch: Vec<_> =
        event_streams::select_page(&tenant, page.per_page, page.offset()).into();
    batch.push(tenants::select(&tenant));
    let results = call.run(Some(&tenant), batch).await?;
    match rows_at(&results, 2)?.first() {
        Some(_) => envelope::list(call, page, &results, show_row),
        None => Err(Error::not_found("the tenant")),
    }
}

/// `POST …/event-streams`.
pub async fn create(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = tenant_in_path(call, admin)?;
    let given: EventStreamCreate = body(call)?;
    check_url(call, &given.url)?;
    let secrets = Secrets::generate(call.app.platform.entropy.as_ref()).map_err(Error::internal)?;
    let id = call.new_id()?;
    let range = range_of(call, &tenant).await?;
    if let Some(after) = given.after {
        check(after.0, range, "body")?;
    }
    let stream = EventStream {
        name: given.name.into_string(),
        kind: given.kind.name().to_owned(),
        url: Some(given.url),
        types: types(&given.types)?,
        batch: given.batch.0,
        is_active: given.is_active,
        secrets: Some(sealed(call, &tenant, &id, &secrets)?),
        after: given.after.map_or(range.last, |after| after.0),
        pending: None,
        failures: 0,
        failing_since: None,
        next_try_at: None,
        delivered_at: None,
        paused_at: None,
        paused_reason: None,
        created_at: call.now,
        created_by: admin.subject.clone(),
        updated_at: call.now,
        revision: 1,
        last: range.last,
        tenant_id: tenant.clone(),
        id,
    };
    let mut batch = vec![
        tenants::require(&tenant),
        event_streams::require_room(&tenant, MAX_STREAMS),
    ];
    batch.extend(event_streams::insert(&stream));
    batch.extend(audited(
        call,
        admin,
        &stream,
        Action::Create,
        &["name", "url", "types", "batch", "is_active"],
    ));
    let made = NewEventStreamResponse {
        secret: secrets.reveal(),
        shown: EventStreamResponse::of(stream.clone()),
    };
    let reply = envelope::single(call, 201, &made);
    let done = idempotency::commit(call, &tenant, batch, &reply).await;
    done.map_err(|error| match error {
        store::Error::Guard(Guard::NotFound) => Error::not_found("the tenant"),
        store::Error::Guard(Guard::Full) => Error::new(
            Kind::Conflict,
            format!("the tenant has {MAX_STREAMS} event streams, which is as many as it may have"),
        ),
        other => other.into(),
    })?;
    if stream.after < range.last {
        wake(call, &stream).await;
    }
    Ok(reply)
}

/// Which numbers the tenant's changes have; 404 where it does not exist.
async fn range_of(call: &Call<'_>, tenant: &TenantId) -> Result<Range> {
    let select = vec![events::select_range(tenant)];
    let results = call.run(Some(tenant), select).await?;
    let row = rows_at(&results, 0)?.first();
    Ok(events::range(
        row.ok_or_else(|| Error::not_found("the tenant"))?,
    )?)
}

/// `GET …/event-streams/{stream_id}`.
pub async fn read(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let stream = find(call, admin).await?;
    Ok(envelope::single(call, 200, EventStreamResponse::of(stream)))
}

async fn write(
    call: &Call<'_>,
    stream: &EventStream,
    mut batch: Vec<Statement>,
    more: Vec<Statement>,
) -> Result<EventStream> {
    batch.extend(more);
    batch.push(event_streams::select(&stream.tenant_id, &stream.id));
    let results = call.change(&stream.tenant_id, batch).await?;
    let row = results.last().and_then(|rows| rows.first());
    Ok(event_streams::event_stream(
        row.ok_or_else(|| Error::not_found(WHAT))?,
    )?)
}

/// `PATCH …/event-streams/{stream_id}`.
pub async fn update(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let given: EventStreamUpdate = body(call)?;
    if let Some(url) = &given.url {
        check_url(call, url)?;
    }
    let types = given.types.as_deref().map(types).transpose()?;
    retrying(async || {
        let stream = find(call, admin).await?;
        let mut after = stream.clone();
        let mut attributes = Vec::new();
        if let Some(name) = &given.name {
            after.name = name.as_str().to_owned();
            attributes.push("name");
        }
        if let Some(url) = &given.url {
            after.url = Some(url.clone());
            attributes.push("url");
        }
        if let Some(types) = &types {
            after.types = types.clone();
            attributes.push("types");
        }
        if let Some(batch) = given.batch {
            after.batch = batch.0;
            attributes.push("batch");
        }
        if let Some(is_active) = given.is_active {
            after.is_active = is_active;
            attributes.push("is_active");
        }
        after.updated_at = call.now;
        let audit = audited(call, admin, &stream, Action::Patch, &attributes);
        let written = write(call, &after, event_streams::update(&after).into(), audit).await?;
        if written.is_active {
            wake(call, &written).await;
        }
        Ok(envelope::single(
            call,
            200,
            EventStreamResponse::of(written),
        ))
    })
    .await
}

/// `DELETE …/event-streams/{stream_id}`.
pub async fn delete(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let stream = find(call, admin).await?;
    let mut batch: Vec<_> = event_streams::delete(&stream.tenant_id, &stream.id).into();
    batch.extend(audited(call, admin, &stream, Action::Delete, &[]));
    call.change(&stream.tenant_id, batch).await?;
    Ok(Reply::empty(204))
}

/// `POST …/event-streams/{stream_id}/rotate-secret`: a new secret; the old one signs too until the overlap is over.
pub async fn rotate_secret(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let given: EventStreamRotate = match call.has_body() {
        true => body(call)?,
        false => EventStreamRotate::default(),
    };
    retrying(async || {
        let stream = find(call, admin).await?;
        let (keys, entropy) = (
            &call.app.config.encryption_keys,
            call.app.platform.entropy.as_ref(),
        );
        let opened = stream.secrets.as_ref();
        let opened =
            opened.and_then(|sealed| Secrets::open(sealed, keys, &stream.tenant_id, &stream.id));
        let until = call.now + given.overlap_seconds.0 * 1_000;
        let secrets = match opened {
            Some(secrets) => secrets.rotated(entropy, until),
            // What does not open signs nothing any more.
            None => Secrets::generate(entropy),
        };
        let secrets = secrets.map_err(Error::internal)?;
        let after = EventStream {
            secrets: Some(sealed(call, &stream.tenant_id, &stream.id, &secrets)?),
            updated_at: call.now,
            ..stream
        };
        let mut batch: Vec<Statement> = event_streams::update(&after).into();
        batch.extend(audited(call, admin, &after, Action::Rotate, &["secret"]));
        let made = NewEventStreamResponse {
            secret: secrets.reveal(),
            shown: EventStreamResponse::of(EventStream {
                revision: after.revision + 1,
                ..after.clone()
            }),
        };
        let reply = envelope::single(call, 200, &made);
        idempotency::commit(call, &after.tenant_id, batch, &reply).await?;
        Ok(reply)
    })
    .await
}

/// `POST …/event-streams/{stream_id}/replay`: everything after a number is sent again.
pub async fn replay(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let given: EventStreamReplay = body(call)?;
    let stream = find(call, admin).await?;
    let range = range_of(call, &stream.tenant_id).await?;
    check(given.after.0, range, "body")?;
    go_on(call, admin, stream, Some(given.after.0), &["after"]).await
}

/// `POST …/event-streams/{stream_id}/resume`: a paused stream, or one that waits, goes on at once.
pub async fn resume(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let stream = find(call, admin).await?;
    go_on(call, admin, stream, None, &["paused_at"]).await
}

async fn go_on(
    call: &Call<'_>,
    admin: &Admin,
    stream: EventStream,
    after: Option<i64>,
    attributes: &[&str],
) -> Result<Reply> {
    let batch = event_streams::go_on(&stream.tenant_id, &stream.id, after, call.now);
    let audit = audited(call, admin, &stream, Action::Patch, attributes);
    let written = write(call, &stream, batch.into(), audit).await?;
    wake(call, &written).await;
    Ok(envelope::single(
        call,
        200,
        EventStreamResponse::of(written),
    ))
}

/// `POST …/event-streams/{stream_id}/test`: sends the receiver a signed text of the type `test`, and tells what came of it.
pub async fn test(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let stream = find(call, admin).await?;
    let (keys, platform) = (&call.app.config.encryption_keys, &call.app.platform);
    let secrets = stream.secrets.as_ref();
    let secrets =
        secrets.and_then(|sealed| Secrets::open(sealed, keys, &stream.tenant_id, &stream.id));
    let secrets = secrets.ok_or_else(|| {
        let detail =
            "the stream's secret was sealed with a key that is not configured any more: rotate it";
        Error::new(Kind::Conflict, detail)
    })?;
    let id = format!("{}.test.{}", stream.tenant_id, call.request_id);
    // No event, and of no number.
    let text =
        json!({"type": "test", "id": id, "tenant_id": stream.tenant_id.as_str()}).to_string();
    let url = stream.url.unwrap_or_default();
    let started = platform.clock.now();
    let local = call.app.config.local_development;
    let answered = send_signed(platform, local, &url, &secrets, &id, text).await;
    let now = platform.clock.now();
    let outcome = Outcome::of(&answered, now);
    let told = TestResponse {
        ok: outcome.reason.is_none(),
        status: outcome.status,
        reason: outcome.reason,
        reply: outcome.reply,
        duration_ms: now - started,
    };
    Ok(envelope::single(call, 200, told))
}

/// `GET …/event-streams/{stream_id}/deliveries`.
pub async fn list_deliveries(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = tenant_in_path(call, admin)?;
    let id = call.id("stream_id", WHAT)?;
    let stretch = Stretch::of(call)?;
    let before = stretch.after(crate::ids::canonical_uuid)?;
    let page = deliveries::select_page(&tenant, &id, before.as_deref(), stretch.limit + 1);
    let batch = vec![event_streams::select(&tenant, &id), page];
    let results = call.run(Some(&tenant), batch).await?;
    if rows_at(&results, 0)?.first().is_none() {
        return Err(Error::not_found(WHAT));
    }
    let rows = rows_at(&results, 1)?.rows.iter();
    let mut all = rows
        .map(|row| Ok(deliveries::delivery(row)?))
        .collect::<Result<Vec<_>>>()?;
    let next = match stretch.cut(&mut all) {
        true => all.last().map(|last| last.id.clone()),
        false => None,
    };
    let all: Vec<_> = all.into_iter().map(DeliveryResponse::of).collect();
    Ok(stretch::list(call, stretch, all, next))
}
