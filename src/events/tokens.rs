//! Events as security event tokens (RFC 8417), with the claims that RFC 9967 has for SCIM.

use serde_json::{Map, Value, json};

use super::event::{DataState, Event};
use super::kind::Payload;
use super::signing_keys::SigningKey;
use super::types::EventType;
use crate::error::Result;
use crate::platform::Platform;
use crate::scim::date_time;
use crate::scim::schema::RESOURCE_TYPES;

const PREFIX: &str = "urn:ietf:params:scim:event:prov:";
const RESPONSE: &str = "urn:ietf:params:scim:event:misc:asyncresp";
const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
/// What a test is (OpenID Shared Signals Framework 1.0 §8.1.4): it is about the stream itself.
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

/// Who makes the tokens of a stream.
pub struct TokenMaker {
    pub key: SigningKey,
    pub issuer: String,
    pub audience: String,
    pub payload: Payload,
}

impl TokenMaker {
    /// The token of an event, made at that time: its claims are the same whenever it is made, but for `iat`.
    pub async fn token(&self, platform: &Platform, event: &Event, now: i64) -> Result<String> {
        let at = seconds(&event.at);
        // Nothing is told of before it happened.
        let now = now.div_euclid(1_000).max(at.unwrap_or_default());
        let mut claims = self.claims(now, &event.id, &subject(event));
        if let Some(at) = at {
            claims.insert("toe".to_owned(), at.into());
        }
        claims.insert("txn".to_owned(), transaction(event).into());
        let payload = payload(event, self.payload);
        claims.insert("events".to_owned(), payload.into());
        self.key.token(platform, &claims.into()).await
    }

    /// A token of no event.
    pub async fn test(&self, platform: &Platform, stream: &str, id: &str) -> Result<String> {
        let subject = json!({"format": "opaque", "id": stream});
        let now = platform.clock.now().div_euclid(1_000);
        let mut claims = self.claims(now, id, &subject);
        claims.insert("events".to_owned(), json!({VERIFICATION: {"state": id}}));
        self.key.token(platform, &claims.into()).await
    }

    fn claims(&self, now: i64, id: &str, subject: &Value) -> Map<String, Value> {
        let claims = [
            ("iss", json!(self.issuer)),
            ("aud", json!(self.audience)),
            ("iat", now.into()),
            ("jti", json!(id)),
            ("sub_id", subject.clone()),
        ];
        let claims = claims.map(|(name, value)| (name.to_owned(), value));
        claims.into_iter().collect()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a time of our own")]
fn seconds(at: &str) -> Option<i64> {
    date_time::parse(at).map(|at| (at / 1_000.0).floor() as i64)
}

/// The request that an event is of, and of a Bulk request that was answered before it was carried out which operation (RFC 9967 §2.5.1.2).
fn transaction(event: &Event) -> String {
    let number = event.data.as_ref().and_then(|data| data.get("operation"));
    match (event.event_type, number) {
        (EventType::RequestFinished, Some(number)) => format!("{}:{number}", event.request_id),
        _ => event.request_id.clone(),
    }
}

/// What is said of an operation that is carried out (RFC 9967 §2.5.1.3): as a Bulk response tells it.
fn response(event: &Event) -> Value {
    let mut told = event.data.clone().unwrap_or_default();
    told.remove("operation");
    told.remove("location");
    told.into()
}

/// Whom an event is about (RFC 9967 §2.1). What was not made has no address: the request stands for it.
fn subject(event: &Event) -> Value {
    let about = &event.resource;
    if event.event_type == EventType::RequestFinished {
        let data = event.data.as_ref();
        let location = data.and_then(|data| data.get("location")?.as_str());
        let uri = location.and_then(|location| Some(location.split_once("/scim/v2")?.1));
        let uri = uri.map_or_else(|| format!("/AsyncRequests/{}", about.id), str::to_owned);
        return json!({"format": "scim", "uri": uri});
    }
    let of_type = RESOURCE_TYPES.iter();
    let endpoint = of_type
        .filter(|of_type| of_type.name == about.resource_type)
        .map(|of_type| of_type.endpoint)
        .next();
    let uri = format!("{}/{}", endpoint.unwrap_or_default(), about.id);
    let mut subject = json!({"format": "scim", "uri": uri});
    let known = [&event.data, &event.previous].into_iter().flatten();
    let external = known
        .filter_map(|known| known.get("externalId"))
        .find(|id| id.is_string());
    if let (Some(external), Some(subject)) = (external, subject.as_object_mut()) {
        subject.insert("externalId".to_owned(), external.clone());
    }
    subject
}

/// The claim `events` (RFC 9967 §2.4): what happened, each with what is said of it. Whoever was switched on or off was changed besides.
fn payload(event: &Event, payload: Payload) -> Map<String, Value> {
    let mut events = Map::new();
    if event.event_type == EventType::RequestFinished {
        events.insert(RESPONSE.to_owned(), response(event));
        return events;
    }
    let mut say = |name: &str, what: Value| events.insert(format!("{PREFIX}{name}"), what);
    match event.event_type {
        EventType::UserDeleted | EventType::GroupDeleted => {
            say("delete", json!({}));
        }
        EventType::UserCreated | EventType::GroupCreated => {
            let data = event.data.clone().map(Value::from);
            let (mode, what) = change(event, payload, data);
            say(&format!("create:{mode}"), what);
        }
        event_type => {
            match event_type {
                EventType::UserDeactivated => say("deactivate", json!({})),
                EventType::UserReactivated => say("activate", json!({})),
                _ => None,
            };
            // What replaces a group's members would be all of them: a group is told of by what was patched.
            let is_put = event.is_whole && event.resource.resource_type == "User";
            let (command, data) = match is_put {
                true => ("put", event.data.clone().map(Value::from)),
                false => ("patch", event.data.as_ref().map(|data| patch(event, data))),
            };
            let (mode, what) = change(event, payload, data);
            say(&format!("{command}:{mode}"), what);
        }
    }
    events
}

/// What is said of a change, and whether that is its data. Where these are not known any more, the attributes are named.
fn change(event: &Event, wanted: Payload, data: Option<Value>) -> (&'static str, Value) {
    let (mode, name, value) = match (wanted, data) {
        (Payload::Full, Some(data)) => (Payload::Full, "data", data),
        _ => (Payload::Notice, "attributes", json!(event.attributes)),
    };
    let mut what = Map::new();
    // Of data the version that they are of, else that which the change left.
    let is_known = mode == Payload::Full || event.data_state == DataState::Version;
    if let Some(version) = event.resource.version.as_deref().filter(|_| is_known) {
        what.insert("version".to_owned(), version.into());
    }
    what.insert(name.to_owned(), value);
    (mode.name(), what.into())
}

/// A change as a PATCH that makes it (RFC 7644 §3.5.2).
fn patch(event: &Event, data: &Map<String, Value>) -> Value {
    let operations: Vec<Value> = match event.event_type {
        EventType::MemberAdded => {
            vec![json!({"op": "add", "path": "members", "value": data.get("members")})]
        }
        EventType::MemberRemoved => {
            let members = data.get("members").and_then(Value::as_array);
            let ids = members.into_iter().flatten();
            let ids = ids.filter_map(|member| member.get("value")?.as_str());
            ids.map(|id| json!({"op": "remove", "path": format!("members[value eq \"{id}\"]")}))
                .collect()
        }
        _ => {
            let changed = event.attributes.iter();
            changed
                .flat_map(|name| operations(name, data.get(name)))
                .collect()
        }
    };
    json!({"schemas": [PATCH_OP], "Operations": operations})
}

/// What makes an attribute what it is now. Of a complex one a replacement leaves what it does not name (RFC 7644 §3.5.2.3): it is taken away first.
fn operations(name: &str, value: Option<&Value>) -> Vec<Value> {
    let remove = json!({"op": "remove", "path": name});
    match value {
        // An extension is a part of the resource, and no attribute that a value goes to.
        Some(value) if name.contains(':') => {
            vec![remove, json!({"op": "add", "value": {name: value}})]
        }
        Some(value) if value.is_object() => {
            vec![remove, json!({"op": "add", "path": name, "value": value})]
        }
        Some(value) => vec![json!({"op": "replace", "path": name, "value": value})],
        None => vec![remove],
    }
}
