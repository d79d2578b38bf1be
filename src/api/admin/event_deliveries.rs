//! What came of an event stream's deliveries, and a delivery that is only a test.

use super::event_stream_types::{DeliveryResponse, TestResponse};
use super::event_streams::{WHAT, find, kind_of};
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::query_parameters::tenant_in_path;
use crate::api::http::reply::Reply;
use crate::api::http::stretch::{self, Stretch};
use crate::auth::admin::Admin;
use crate::error::{Error, Kind, Result};
use crate::events::{Format, SEALED_OTHERWISE, StreamKind};
use crate::store::{deliveries, event_streams, rows_at};

/// `POST …/event-streams/{stream_id}/test`: sends the receiver something signed that is no event, and tells what came of it.
pub async fn test(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let stream = find(call, admin).await?;
    if kind_of(&stream)? == StreamKind::SetPoll {
        let detail = "nothing is sent to a receiver that fetches: poll the stream instead";
        return Err(Error::new(Kind::Conflict, detail));
    }
    let (config, platform) = (&call.app.config, &call.app.platform);
    let format = Format::of(platform, &config.encryption_keys, &stream).await?;
    let format = format.ok_or_else(|| Error::new(Kind::Conflict, SEALED_OTHERWISE))?;
    // No event, and of no number.
    let id = format!("{}.test.{}", stream.tenant_id, call.request_id);
    let letter = format.test_letter(platform, &stream, &id).await?;
    let url = stream.url.unwrap_or_default();
    let started = platform.clock.now();
    let sent = format.send(platform, config.local_development, &url, letter);
    let outcome = sent.await;
    let told = TestResponse {
        ok: outcome.reason.is_none(),
        status: outcome.status,
        reason: outcome.reason,
        reply: outcome.reply,
        duration_ms: platform.clock.now() - started,
    };
    Ok(envelope::single(call, 200, told))
}

/// `GET …/event-streams/{stream_id}/deliveries`.
pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
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
