//! `POST …/event-streams/{stream_id}/poll`: a receiver fetches its security event tokens (RFC 8936).
//!
//! What it does not acknowledge it gets again. The stream's number moves over everything that is acknowledged; what is acknowledged beyond
//! it, because something before it is not, is kept by its id, for so many changes and no more.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::event_streams::{find, kind_of};
use super::events::{Asked, FIRST_PAUSE, LAST_PAUSE, MAX_WAIT};
use crate::api::http::call::{Call, retrying};
use crate::api::http::input::{Whole, body};
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::error::{Error, Kind, Result};
use crate::events::{self, Event, StreamKind, Wanted, refused, token_maker};
use crate::store::deliveries::{self, Delivery};
use crate::store::event_polls;
use crate::store::event_streams::EventStream;

/// How many tokens there are at most where the receiver says nothing, and how many it may ask for.
pub const DEFAULT_TOKENS: i64 = 100;
pub const MAX_TOKENS: i64 = 1_000;
/// Most refusals of a request: each is a statement.
const MAX_REFUSED: usize = 100;
/// How many changes after the last one before which all are acknowledged are given.
const WINDOW: i64 = 1_000;
/// Most pages of a look.
const MAX_PAGES: usize = 20;

/// What a receiver has, and what it wants (RFC 8936 §2.2).
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PollRequest {
    /// `jti` of tokens that it has and keeps.
    #[serde(default)]
    ack: Vec<String>,
    /// `jti` of tokens that it does not take, and why: these count as acknowledged.
    #[serde(default)]
    set_errs: BTreeMap<String, TokenError>,
    /// With 0 it only acknowledges.
    #[serde(default = "default_tokens")]
    max_events: Option<Whole<0, MAX_TOKENS>>,
    /// Whether the reply comes at once where there is nothing. It waits for up to 25 seconds otherwise.
    #[serde(default)]
    return_immediately: bool,
}

fn default_tokens() -> Option<Whole<0, MAX_TOKENS>> {
    Some(Whole(DEFAULT_TOKENS))
}

/// Why a receiver does not take a token (RFC 8935 §2.3).
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TokenError {
    err: String,
    description: Option<String>,
}

/// Tokens that are not acknowledged yet (RFC 8936 §2.3).
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct PollReply {
    /// By their `jti`, the tokens.
    #[cfg_attr(feature = "openapi", schemars(with = "BTreeMap<String, String>"))]
    sets: Map<String, Value>,
    /// Whether there may be more.
    more_available: bool,
}

/// `POST …/event-streams/{stream_id}/poll`.
pub async fn poll(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let given: PollRequest = match call.has_body() {
        true => body(call)?,
        false => PollRequest {
            max_events: default_tokens(),
            ..PollRequest::default()
        },
    };
    if given.set_errs.len() > MAX_REFUSED {
        let detail =
            format!("it has more than {MAX_REFUSED}: send the others with the next request");
        return Err(Error::field(&["body", "setErrs"], detail, "value_error"));
    }
    retrying(async || answer(call, find(call, admin).await?, &given).await).await
}

async fn answer(call: &Call<'_>, mut stream: EventStream, given: &PollRequest) -> Result<Reply> {
    if kind_of(&stream)? != StreamKind::SetPoll {
        let detail = "this stream is sent to its receiver: one of the kind set_poll is polled";
        return Err(Error::new(Kind::Conflict, detail));
    }
    if !stream.is_active {
        return Err(Error::new(
            Kind::Conflict,
            "the stream is off (`is_active`)",
        ));
    }
    let platform = &call.app.platform;
    let most = given.max_events.map_or(DEFAULT_TOKENS, |most| most.0);
    let most = usize::try_from(most).unwrap_or_default();
    let is_short = given.return_immediately || most == 0;
    let until = call.now + if is_short { 0 } else { MAX_WAIT * 1_000 };
    let mut pause = FIRST_PAUSE;
    let mut place = Place::of(&stream);
    loop {
        let look = look(call, &stream, &place, given, most).await?;
        place = look.place.clone();
        let left = until - platform.clock.now();
        if !look.given.is_empty() || left <= 0 {
            // Noted last: a request that fails has acknowledged nothing.
            let sets = tokens(call, &stream, &look.given).await?;
            note(call, &mut stream, given, &look).await?;
            let reply = PollReply {
                sets,
                more_available: look.has_more,
            };
            return Ok(Reply::json(200, &reply));
        }
        // What is acknowledged is noted before anything is waited for.
        if look.has_acknowledged {
            note(call, &mut stream, given, &look).await?;
        }
        let wait = u32::try_from(left).unwrap_or(pause);
        platform.timer.sleep(pause.min(wait)).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

async fn tokens(
    call: &Call<'_>,
    stream: &EventStream,
    events: &[Event],
) -> Result<Map<String, Value>> {
    let mut sets = Map::new();
    if events.is_empty() {
        return Ok(sets);
    }
    let platform = &call.app.platform;
    let maker = token_maker(platform, &call.app.config.encryption_keys, stream).await?;
    for event in events {
        let token = maker.token(platform, event, call.now).await?;
        sets.insert(event.id.clone(), token.into());
    }
    Ok(sets)
}

/// How far a receiver is.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    /// Everything up to this number is acknowledged.
    after: i64,
    /// Of what comes after it these are, by their ids.
    acknowledged: BTreeSet<String>,
}

impl Place {
    fn of(stream: &EventStream) -> Self {
        let kept = stream.acknowledged.as_deref().map(serde_json::from_str);
        Place {
            after: stream.after,
            acknowledged: kept.and_then(|kept| kept.ok()).unwrap_or_default(),
        }
    }

    /// As it is stored.
    fn acknowledged(&self) -> Option<String> {
        let kept = &self.acknowledged;
        (!kept.is_empty()).then(|| json!(kept).to_string())
    }
}

/// What a look at the events has found.
struct Look {
    place: Place,
    /// Whether the request has acknowledged any of them.
    has_acknowledged: bool,
    /// Ids and numbers of those that it refuses.
    refused: Vec<(String, i64)>,
    /// Those to be given.
    given: Vec<Event>,
    has_more: bool,
}

/// The number of an event, by its id; none where that is none of the tenant's.
fn number_of(stream: &EventStream, id: &str) -> Option<i64> {
    let rest = id
        .strip_prefix(stream.tenant_id.as_str())?
        .strip_prefix('.')?;
    rest.split('.').next()?.parse().ok()
}

/// Goes over the events after the place of a receiver: moves it over what is acknowledged, and finds so many that are not.
async fn look(
    call: &Call<'_>,
    stream: &EventStream,
    place: &Place,
    asked: &PollRequest,
    most: usize,
) -> Result<Look> {
    let reads = Asked(call, &stream.tenant_id);
    let wanted = Wanted::of_stream(stream);
    let taken: HashSet<&str> = asked.ack.iter().map(String::as_str).collect();
    // As far as it has to look for what is acknowledged.
    let refused = asked.set_errs.keys();
    let named = asked.ack.iter().chain(refused).chain(&place.acknowledged);
    let last = named.filter_map(|id| number_of(stream, id)).max();
    let last = last.map_or(0, |last| last.min(place.after.saturating_add(WINDOW)));
    let mut found = Look {
        place: Place {
            after: place.after,
            acknowledged: BTreeSet::new(),
        },
        has_acknowledged: false,
        refused: Vec::new(),
        given: Vec::new(),
        has_more: false,
    };
    let (mut from, mut is_whole) = (place.after, true);
    for _ in 0..MAX_PAGES {
        let missing = i64::try_from(most - found.given.len()).unwrap_or(WINDOW);
        let limit = (missing + (last - from).max(0)).clamp(1, WINDOW);
        let page = events::page(&reads, &stream.tenant_id, from, limit, &wanted).await?;
        if let Some(reason) = page.lost(from) {
            return Err(Error::new(Kind::Gone, reason));
        }
        (from, found.has_more) = (page.through, page.has_more());
        let mut is_full = false;
        for event in page.events {
            if !is_whole && event.seq > found.place.after.saturating_add(WINDOW) {
                (is_full, found.has_more) = (true, true);
                break;
            }
            let was_known = place.acknowledged.contains(&event.id);
            let is_refused = asked.set_errs.contains_key(&event.id);
            if was_known || is_refused || taken.contains(event.id.as_str()) {
                found.has_acknowledged |= !was_known;
                if is_refused && !was_known {
                    found.refused.push((event.id.clone(), event.seq));
                }
                found.place.acknowledged.insert(event.id);
                continue;
            }
            if is_whole {
                is_whole = false;
                found.place.after = event.seq - 1;
            }
            match found.given.len() < most {
                true => found.given.push(event),
                false => found.has_more = true,
            }
        }
        if is_whole {
            found.place.after = from;
        }
        if is_full || from >= page.range.last || (found.given.len() >= most && from >= last) {
            break;
        }
    }
    let after = found.place.after;
    let is_beyond = |id: &String| number_of(stream, id).is_some_and(|number| number > after);
    found.place.acknowledged.retain(is_beyond);
    Ok(found)
}

/// Notes how far the receiver is, and what it refuses, in the stream's deliveries.
async fn note(
    call: &Call<'_>,
    stream: &mut EventStream,
    asked: &PollRequest,
    look: &Look,
) -> Result<()> {
    let acknowledged = look.place.acknowledged();
    if look.place.after == stream.after && acknowledged == stream.acknowledged {
        return Ok(());
    }
    let after = look.place.after;
    let noted = event_polls::acknowledge(stream, after, acknowledged.as_deref(), call.now);
    let mut batch = Vec::from(noted);
    for (id, seq) in &look.refused {
        let said = asked.set_errs.get(id);
        let said = said.map(|said| refused(&said.err, said.description.as_deref()));
        let delivery = Delivery {
            id: call.new_id()?,
            message_id: id.clone(),
            first: *seq,
            last: *seq,
            events: 1,
            attempt: 1,
            status: None,
            reason: said,
            ms: 0,
            reply: None,
            at: call.now,
        };
        batch.push(deliveries::insert(&stream.tenant_id, &stream.id, &delivery));
    }
    call.run(Some(&stream.tenant_id), batch).await?;
    (stream.after, stream.acknowledged) = (after, acknowledged);
    Ok(())
}
