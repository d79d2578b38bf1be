//! Bodies and replies of event streams.

use serde::{Deserialize, Serialize};

use super::events::MAX_SEQ;
use crate::api::http::input::{Text, Time, Whole, present};
use crate::events::{Payload, StreamKind};
use crate::store::deliveries::Delivery;
use crate::store::event_streams::EventStream;

type Name = Text<1, 200>;
/// Most events of one delivery.
type Batch = Whole<1, 100>;
/// Whom tokens are for.
type Audience = Text<1, 1_000>;
type Number = Whole<0, MAX_SEQ>;
/// How long an old secret signs beside the new one, in seconds: up to seven days.
type Overlap = Whole<0, 604_800>;

/// A new stream of events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EventStreamCreate {
    pub name: Name,
    #[serde(default = "webhook")]
    pub kind: StreamKind,
    /// Where events are sent: an `https` address that is nowhere private. Required, but for `set_poll`, which has none.
    pub url: Option<String>,
    /// Types of events, as in `user.created`, `group.*` or `*`; all of them where it is left out. Tokens are of `user.*` and `group.*` alone.
    #[serde(default = "all")]
    pub types: Vec<String>,
    /// Most events of one delivery: with 1 each is sent by itself. A token always is.
    #[serde(default = "one")]
    pub batch: Batch,
    #[serde(default = "yes")]
    pub is_active: bool,
    /// Begins with what comes after the event of this number; with what comes next where it is left out.
    pub after: Option<Number>,
    /// Of tokens: their `aud`; `url` where it is left out, or the stream's id.
    pub audience: Option<Audience>,
    /// Of tokens: whether they name the attributes that changed (`notice`, where it is left out) or have their values too.
    pub payload: Option<Payload>,
    /// Of `set_push`: the value of the header `Authorization` that deliveries have. It is never shown.
    pub authorization: Option<String>,
}

fn webhook() -> StreamKind {
    StreamKind::Webhook
}

fn all() -> Vec<String> {
    vec!["*".to_owned()]
}

fn one() -> Batch {
    Whole(1)
}

fn yes() -> bool {
    true
}

/// What is to be another; what is left out stays.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EventStreamUpdate {
    pub name: Option<Name>,
    pub url: Option<String>,
    pub types: Option<Vec<String>>,
    pub batch: Option<Batch>,
    pub is_active: Option<bool>,
    pub audience: Option<Audience>,
    pub payload: Option<Payload>,
    /// Null takes it away, and so does another `url` without a new one.
    #[serde(default, deserialize_with = "present")]
    pub authorization: Option<Option<String>>,
}

/// From where on events are sent again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EventStreamReplay {
    /// Everything after this number.
    pub after: Number,
}

/// For how long the old secret signs too.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EventStreamRotate {
    #[serde(default = "day")]
    pub overlap_seconds: Overlap,
}

fn day() -> Overlap {
    Whole(86_400)
}

impl Default for EventStreamRotate {
    fn default() -> Self {
        EventStreamRotate {
            overlap_seconds: day(),
        }
    }
}

/// What a stream is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum StreamState {
    /// What happens is delivered.
    Active,
    /// The last delivery failed: it is tried again at `next_try_at`.
    Waiting,
    /// It is not tried any more, for `paused_reason`; resume lets it go on.
    Paused,
    /// `is_active` is false.
    Off,
}

/// A stream of events, all but its secret.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EventStreamResponse {
    id: String,
    tenant_id: String,
    name: String,
    kind: String,
    url: Option<String>,
    types: Vec<String>,
    batch: i64,
    is_active: bool,
    state: StreamState,
    /// Everything up to this number is delivered.
    after: i64,
    /// How many changes of the tenant come after it.
    behind: i64,
    /// How often the delivery that is being tried has failed.
    failures: i64,
    failing_since: Option<Time>,
    next_try_at: Option<Time>,
    delivered_at: Option<Time>,
    paused_at: Option<Time>,
    paused_reason: Option<String>,
    /// Of tokens: their `aud`.
    audience: Option<String>,
    payload: Option<Payload>,
    /// Of tokens: their `iss`, the address through which the stream was made.
    issuer: Option<String>,
    /// Where the keys are that sign tokens.
    jwks_uri: Option<String>,
    /// Where tokens are fetched.
    poll_url: Option<String>,
    /// Whether deliveries have a header `Authorization`.
    has_authorization: bool,
    created_at: Time,
    created_by: String,
    updated_at: Time,
}

impl EventStreamResponse {
    pub fn of(stream: EventStream) -> Self {
        let kind = StreamKind::parse(&stream.kind);
        let has_tokens = kind.is_some_and(StreamKind::has_tokens);
        let issuer = stream.issuer.as_deref();
        EventStreamResponse {
            audience: has_tokens.then(|| stream.audience().to_owned()),
            payload: stream.payload.as_deref().and_then(Payload::parse),
            jwks_uri: issuer.map(|issuer| format!("{issuer}/.well-known/jwks.json")),
            poll_url: issuer
                .filter(|_| kind == Some(StreamKind::SetPoll))
                .map(|issuer| {
                    let (tenant, id) = (&stream.tenant_id, &stream.id);
                    format!("{issuer}/api/v1/tenants/{tenant}/event-streams/{id}/poll")
                }),
            has_authorization: has_tokens && stream.secrets.is_some(),
            issuer: stream.issuer,
            state: match (stream.is_active, stream.paused_at, stream.next_try_at) {
                (false, ..) => StreamState::Off,
                (_, Some(_), _) => StreamState::Paused,
                (_, _, Some(_)) => StreamState::Waiting,
                _ => StreamState::Active,
            },
            id: stream.id,
            tenant_id: stream.tenant_id.to_string(),
            name: stream.name,
            kind: stream.kind,
            url: stream.url,
            types: serde_json::from_str(&stream.types).unwrap_or_default(),
            batch: stream.batch,
            is_active: stream.is_active,
            after: stream.after,
            behind: (stream.last - stream.after).max(0),
            failures: stream.failures,
            failing_since: stream.failing_since.map(Time),
            next_try_at: stream.next_try_at.map(Time),
            delivered_at: stream.delivered_at.map(Time),
            paused_at: stream.paused_at.map(Time),
            paused_reason: stream.paused_reason,
            created_at: Time(stream.created_at),
            created_by: stream.created_by,
            updated_at: Time(stream.updated_at),
        }
    }
}

/// A stream with its secret, which is shown this once.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct NewEventStreamResponse {
    #[serde(flatten)]
    pub shown: EventStreamResponse,
    /// What webhooks are signed with: `whsec_` and a key in base64, as libraries for Standard Webhooks take it. Null where the stream's tokens
    /// are signed with the keys at `jwks_uri`.
    pub secret: Option<String>,
}

/// What came of a test.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TestResponse {
    pub ok: bool,
    /// The status of the reply; null where none came.
    pub status: Option<i64>,
    /// Why it failed; null where it did not.
    pub reason: Option<String>,
    /// How the reply begins.
    pub reply: Option<String>,
    pub duration_ms: i64,
}

/// One try to deliver events.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DeliveryResponse {
    id: String,
    /// `webhook-id` or `jti`, the same over all tries.
    message_id: String,
    /// The numbers of the first and the last of its events.
    first_seq: i64,
    last_seq: i64,
    events: i64,
    /// Which try it was, from 1.
    attempt: i64,
    /// The status of the reply; null where none came.
    status: Option<i64>,
    /// Why it failed; null where it did not.
    reason: Option<String>,
    duration_ms: i64,
    /// How the reply begins: up to 1 KB.
    reply: Option<String>,
    at: Time,
}

impl DeliveryResponse {
    pub fn of(delivery: Delivery) -> Self {
        DeliveryResponse {
            id: delivery.id,
            message_id: delivery.message_id,
            first_seq: delivery.first,
            last_seq: delivery.last,
            events: delivery.events,
            attempt: delivery.attempt,
            status: delivery.status,
            reason: delivery.reason,
            duration_ms: delivery.ms,
            reply: delivery.reply,
            at: Time(delivery.at),
        }
    }
}
