//! `/api/v1/tenants/{tenant_id}/event-streams`: who is sent a tenant's events, and what came of it.

use super::administrator;
use super::event_stream_settings::{self as settings, Given, require_url, sealed};
use super::event_stream_types::{
    EventStreamCreate, EventStreamReplay, EventStreamResponse, EventStreamRotate,
    EventStreamUpdate, NewEventStreamResponse,
};
use super::events::check;
use crate::api::http::call::{Call, retrying};
use crate::api::http::envelope;
use crate::api::http::idempotency;
use crate::api::http::input::{Page, Text, body, body_field};
use crate::api::http::query_parameters::tenant_in_path;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::change::audit::Action;
use crate::error::{Error, Kind, Result};
use crate::events::{Payload, Secrets, SigningSecrets, StreamKind, signing_keys};
use crate::ids::TenantId;
use crate::messages;
use crate::store::event_streams::{self, EventStream};
use crate::store::events::Range;
use crate::store::{self, Guard, Row, Statement, events, rows_at, tenants};

pub(super) const WHAT: &str = "the event stream";
/// Most streams of a tenant.
const MAX_STREAMS: i64 = 100;

fn audited(
    call: &Call<'_>,
    admin: &Admin,
    stream: &EventStream,
    action: Action,
    attributes: &[&str],
) -> Vec<Statement> {
    let what = ("EventStream", stream.id.as_str());
    administrator::audited(
        call,
        admin,
        &stream.tenant_id,
        what,
        action,
        attributes.iter().copied(),
    )
}

fn show_row(row: &Row) -> Result<EventStreamResponse> {
    Ok(EventStreamResponse::of(event_streams::event_stream(row)?))
}

/// The stream in the path; 404 where the tenant has none of that id.
pub(super) async fn find(call: &Call<'_>, admin: &Admin) -> Result<EventStream> {
    let tenant = tenant_in_path(call, admin)?;
    let id = call.id("stream_id", WHAT)?;
    let select = vec![event_streams::select(&tenant, &id)];
    let results = call.run(Some(&tenant), select).await?;
    let row = rows_at(&results, 0)?.first();
    Ok(event_streams::event_stream(
        row.ok_or_else(|| Error::not_found(WHAT))?,
    )?)
}

/// The kind of a stream.
pub(super) fn kind_of(stream: &EventStream) -> Result<StreamKind> {
    let kind = StreamKind::parse(&stream.kind);
    kind.ok_or_else(|| Error::internal(format!("a stream of the kind {}", stream.kind)))
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
    let kind = given.kind;
    require_url(kind, given.url.as_deref())?;
    settings::check(call, kind, &Given::from(&given))?;
    let secrets = settings::secrets(call, kind, given.authorization)?;
    let id = call.new_id()?;
    let range = range_of(call, &tenant).await?;
    if let Some(after) = given.after {
        check(after.0, range, "body")?;
    }
    if kind.has_tokens() {
        // The first one has a key made and published.
        let platform = &call.app.platform;
        signing_keys::current(platform, &call.app.config.encryption_keys).await?;
    }
    let payload = given.payload.unwrap_or(Payload::Notice);
    let seal = |secrets| sealed(call, &tenant, &id, secrets);
    let stream = EventStream {
        name: given.name.into_string(),
        kind: kind.name().to_owned(),
        url: given.url,
        types: settings::types(&given.types),
        batch: given.batch.0,
        is_active: given.is_active,
        secrets: secrets.as_ref().map(seal).transpose()?,
        audience: given.audience.map(Text::into_string),
        issuer: kind.has_tokens().then(|| call.origin()),
        payload: kind.has_tokens().then(|| payload.name().to_owned()),
        acknowledged: None,
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
        secret: match &secrets {
            Some(Secrets::Signing(secrets)) => Some(secrets.reveal()),
            _ => None,
        },
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
    retrying(async || {
        let stream = find(call, admin).await?;
        let kind = kind_of(&stream)?;
        settings::check(call, kind, &Given::from(&given))?;
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
        if let Some(types) = &given.types {
            after.types = settings::types(types);
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
        if let Some(audience) = &given.audience {
            after.audience = Some(audience.as_str().to_owned());
            attributes.push("audience");
        }
        if let Some(payload) = given.payload {
            after.payload = Some(payload.name().to_owned());
            attributes.push("payload");
        }
        // What opens one receiver is not shown to another.
        let is_orphaned = stream.secrets.is_some() && after.url != stream.url;
        let authorization = given.authorization.clone();
        let authorization = authorization.or_else(|| is_orphaned.then_some(None));
        let mut notices = Vec::new();
        if let (Some(authorization), true) = (authorization, kind.has_tokens()) {
            let secrets = settings::secrets(call, kind, authorization)?;
            let seal = |secrets| sealed(call, &stream.tenant_id, &stream.id, secrets);
            after.secrets = secrets.as_ref().map(seal).transpose()?;
            attributes.push("authorization");
            if given.authorization.is_none() {
                notices.push(body_field(
                    &["authorization"],
                    "it was for the address before, and is cleared: give it with the new url",
                    "secret_cleared",
                ));
            }
        }
        after.updated_at = call.now;
        let audit = audited(call, admin, &stream, Action::Patch, &attributes);
        let written = write(call, &after, event_streams::update(&after).into(), audit).await?;
        if written.is_active {
            wake(call, &written).await;
        }
        let shown = EventStreamResponse::of(written);
        Ok(envelope::noticed(call, 200, shown, notices))
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
        if kind_of(&stream)?.has_tokens() {
            let detail = "its tokens are signed with the keys of /.well-known/jwks.json, which follow each other by themselves";
            return Err(Error::new(Kind::Conflict, detail));
        }
        let (keys, entropy) = (
            &call.app.config.encryption_keys,
            call.app.platform.entropy.as_ref(),
        );
        let opened = stream.secrets.as_ref();
        let opened =
            opened.and_then(|sealed| Secrets::open(sealed, keys, &stream.tenant_id, &stream.id));
        let until = call.now + given.overlap_seconds.0 * 1_000;
        let secrets = match opened {
            Some(Secrets::Signing(secrets)) => secrets.rotated(entropy, until),
            // What does not open signs nothing any more.
            _ => SigningSecrets::generate(entropy),
        };
        let secrets = secrets.map_err(Error::internal)?;
        let secret = secrets.reveal();
        let secrets = Secrets::Signing(secrets);
        let after = EventStream {
            secrets: Some(sealed(call, &stream.tenant_id, &stream.id, &secrets)?),
            updated_at: call.now,
            ..stream
        };
        let mut batch: Vec<Statement> = event_streams::update(&after).into();
        batch.extend(audited(call, admin, &after, Action::Rotate, &["secret"]));
        let made = NewEventStreamResponse {
            secret: Some(secret),
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
