//! SCIM requests that are answered before they are carried out (`Prefer: respond-async`, RFC 9967 §2.5.1): they are checked, kept, and carried
//! out by messages, by the code that carries out any other.
//!
//! A Bulk request goes in parts. A part's changes, what came of them, and that it is done are one batch: so a message that is lost, comes
//! twice or dies changes nothing but the time.

mod bulk_part;
mod carry;
mod head;
mod order;
mod parts;
mod results;

use std::cell::Cell;

use http::header::{CONTENT_TYPE, HeaderName, IF_MATCH, RETRY_AFTER};
use serde_json::json;

pub use self::carry::Went;
use self::head::{Head, is_bulk};
#[cfg(feature = "openapi")]
pub use self::parts::MAX_ASYNC_OPERATIONS;
#[cfg(feature = "openapi")]
pub use self::results::AsyncProgress;
use self::results::RETRY_SECONDS;
pub use self::results::{KEPT_DAYS, read};
use crate::api::http::call::Call;
use crate::api::http::caller::Caller;
use crate::api::http::preference::{PREFER, RespondAsync};
use crate::api::http::reply::Reply;
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::messages::{self, Message};
use crate::store::async_requests::{self, AsyncRequest, MAX_RUNNING};
use crate::store::{self, Guard};

/// The header that names the request in the event of its completion (RFC 9967 §3).
const SET_TXN: HeaderName = HeaderName::from_static("set-txn");
const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");
/// Between two looks of a request that waits, in milliseconds.
const PAUSE_MS: u32 = 250;
/// How much later than the wait of a request that carries itself out its message comes, in seconds: for one that is cut off.
const LATER_SECONDS: u32 = 5;
/// Parts that are written in one round trip, of two megabytes at most each.
const PARTS_AT_ONCE: usize = 4;

/// The message that goes on with a request.
pub fn message(tenant: &TenantId, id: &str) -> Message {
    Message::AsyncRequest {
        tenant: tenant.to_string(),
        id: id.to_owned(),
    }
}

/// Accepts a request that writes, in the place of its handler.
pub async fn accept(call: &Call<'_>, caller: &Caller) -> Result<Reply> {
    let wished = RespondAsync::of(call.headers()).unwrap_or(RespondAsync { wait: None });
    let tenant = &caller.tenant;
    keep(call, caller).await?;
    let delay = wished.wait.map_or(0, |wait| wait + LATER_SECONDS);
    send(call, tenant, delay).await;
    let done = match wished.wait {
        Some(wait) => within(call, tenant, i64::from(wait) * 1_000).await?,
        None => None,
    };
    let reply = done.unwrap_or_else(|| {
        let place = format!("{}{}", call.scim_base(), results::place(&call.request_id));
        Reply::empty(202)
            .header(SET_TXN, &call.request_id)
            .location(place)
            .header(RETRY_AFTER, RETRY_SECONDS.to_string())
    });
    Ok(reply.header(PREFERENCE_APPLIED, wished.applied()))
}

/// A message that is not sent is sent by the clock.
async fn send(call: &Call<'_>, tenant: &TenantId, delay_seconds: u32) {
    let platform = &call.app.platform;
    let message = message(tenant, &call.request_id);
    if let Err(error) = messages::send(platform, message, delay_seconds).await {
        let line = json!({"async_request": call.request_id, "error": error.internal});
        platform.log.line(&line.to_string());
    }
}

/// Keeps a request, its body sealed.
async fn keep(call: &Call<'_>, caller: &Caller) -> Result<()> {
    let tenant = &caller.tenant;
    let (_, route) = call.journal.route().unwrap_or_default();
    let parted = match is_bulk(route) {
        true => {
            let most = call.app.config.async_requests.operations;
            parts::parted(call, caller.profile(), most)?
        }
        false => parts::Parted {
            fail_on_errors: None,
            operations: 1,
            parts: vec![whole(call)?],
        },
    };
    let header = |name: HeaderName| Some((name.to_string(), call.list_header(name)?));
    let head = Head {
        uri: call.request().uri().to_string(),
        headers: [CONTENT_TYPE, IF_MATCH, PREFER]
            .into_iter()
            .filter_map(header)
            .collect(),
        held: caller.held(),
    };
    let seal =
        |place: &str, text: &str| head::seal(call.app, (tenant, &call.request_id), place, text);
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let request = AsyncRequest {
        id: call.request_id.clone(),
        actor: caller.origin(call).actor,
        method: call.method().to_string(),
        route: route.to_owned(),
        head: Some(seal(head::HEAD, &head.to_text()?)?),
        key_id: call.app.config.encryption_keys.current_id().to_owned(),
        status: "running".to_owned(),
        fail_on_errors: parted.fail_on_errors.map(number),
        operations: number(parted.operations),
        done: 0,
        failed: 0,
        parts: number(parted.parts.len()),
        part: 0,
    };
    let kept = write(call, caller, &request, &parted.parts).await;
    if kept.is_err() && parted.parts.len() >= PARTS_AT_ONCE {
        let forgotten = async_requests::forget(tenant, &request.id);
        // What is left then goes with what is old.
        let _ = call.run(Some(tenant), vec![forgotten]).await;
    }
    kept
}

/// Writes a request and its parts, some at once, each time where there is room.
async fn write(
    call: &Call<'_>,
    caller: &Caller,
    request: &AsyncRequest,
    parts: &[String],
) -> Result<()> {
    let tenant = &caller.tenant;
    let room = || async_requests::room(tenant, call.app.config.async_requests.waiting_bytes);
    let mut batch = vec![room()];
    for (place, text) in (0_i64..).zip(parts) {
        let sealed = head::seal(call.app, (tenant, &request.id), &place.to_string(), text)?;
        batch.push(async_requests::insert_part(
            tenant,
            &request.id,
            place,
            &sealed,
        ));
        if batch.len() > PARTS_AT_ONCE {
            let batch = std::mem::replace(&mut batch, vec![room()]);
            let kept = caller.keep(call, batch).await;
            kept.map_err(|error| refused(call, error))?;
        }
    }
    batch.push(async_requests::insert(tenant, request, call.now));
    let kept = caller.keep(call, batch).await;
    kept.map_err(|error| refused(call, error))
}

fn refused(call: &Call<'_>, error: store::Error) -> Error {
    match error {
        store::Error::Guard(Guard::Full) => Error::new(
            Kind::RateLimited {
                retry_after_seconds: LATER_SECONDS,
            },
            format!(
                "as much of this tenant waits to be carried out as may: {MAX_RUNNING} requests, or {} MiB; wait {LATER_SECONDS} seconds",
                call.app.config.async_requests.waiting_bytes / 1_048_576
            ),
        ),
        error => error.into(),
    }
}

/// The body of a request that is not in parts, as text. One that is no JSON is refused here.
fn whole(call: &Call<'_>) -> Result<String> {
    if *call.method() == http::Method::DELETE {
        return Ok(String::new());
    }
    Ok(call.json()?.to_string())
}

/// Carries a request out while its client waits, and what is too much for one invocation by messages. The usual reply, where it is done in
/// time.
async fn within(call: &Call<'_>, tenant: &TenantId, wait_ms: i64) -> Result<Option<Reply>> {
    let (app, id) = (call.app, &call.request_id);
    let clock = &app.platform.clock;
    let until = call.now + wait_ms;
    let statements = Cell::new(call.cost().statements);
    loop {
        let is_spent = statements.get() >= app.config.async_requests.statements;
        if is_spent || clock.now() >= until {
            send(call, tenant, 0).await;
            break;
        }
        match app.carry_on(tenant, id, &statements).await {
            Ok(Went::Over(Some(reply))) => return Ok(Some(reply)),
            Ok(Went::Over(None) | Went::Lost) => break,
            Ok(Went::More) => {}
            Err(_) => {
                // What stands in its way may be gone soon.
                send(call, tenant, 1).await;
                break;
            }
        }
    }
    loop {
        let (request, rows) = results::look(call, tenant).await?;
        if !request.is_running() {
            // Of another kind of request, the reply is not kept.
            return match is_bulk(&request.route) {
                true => results::whole(&request, &rows).map(Some),
                false => Ok(None),
            };
        }
        let left = u32::try_from(until - clock.now()).unwrap_or_default();
        if left == 0 {
            return Ok(None);
        }
        app.platform.timer.sleep(PAUSE_MS.min(left)).await;
    }
}
