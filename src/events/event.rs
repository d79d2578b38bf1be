//! An event, as the feed has it and streams carry it.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::known::After;
use super::types::EventType;
use crate::change::audit::Action;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::scim::date_time;
use crate::scim::resource::without_managed;
use crate::scim::schema::{GROUPS, USERS};
use crate::scim::version::Version;
use crate::store::events::Change;
use crate::store::revisions::Memberships;

/// Most members that one event names: more make further events of the same number.
pub const MAX_MEMBERS: usize = 1_000;

/// One thing that happened in a tenant.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Event {
    /// The number of the change in the tenant's audit trail. What one change did may be several events with one number.
    pub seq: i64,
    /// The same wherever and however often the event is told, and no other event's.
    pub id: String,
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schemars(with = "String"))]
    pub event_type: EventType,
    pub tenant_id: String,
    /// When the request came that changed it.
    #[cfg_attr(feature = "openapi", schemars(extend("format" = "date-time")))]
    pub at: String,
    /// `scim-token:` and the token's id, `jwt:` and the subject, or which job it was.
    pub actor: String,
    pub request_id: String,
    pub resource: EventSubject,
    /// The user or group as SCIM has it, without `meta` and memberships. Where members came or went, the group's names, and those `members`.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "object_or_null"))]
    pub data: Option<Map<String, Value>>,
    pub data_state: DataState,
    /// What the attributes that changed were before, null for those that had no value; of what was deleted all. Null where that is not kept.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "object_or_null"))]
    pub previous: Option<Map<String, Value>>,
    /// Names of the attributes that changed.
    pub attributes: Vec<String>,
    /// Whether what changed it said all that it is to be, as a PUT does.
    #[serde(skip)]
    pub is_whole: bool,
}

/// What an event is about.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EventSubject {
    /// `User`, `Group`, `ScimToken`, `IdentityProvider` or `Tenant`.
    #[serde(rename = "type")]
    pub resource_type: String,
    pub id: String,
    /// The version that `data` is of; null where that has none.
    pub version: Option<String>,
}

/// How `data` belongs to the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum DataState {
    /// It is what the change left.
    Version,
    /// What the change left is not kept: it is what came of that later.
    Now,
    /// There is none: the resource is deleted.
    Gone,
}

#[cfg(feature = "openapi")]
fn object_or_null(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": ["object", "null"], "additionalProperties": true})
}

/// Stored text as an object with its id, as SCIM has it.
fn shown(id: &str, stored: &str) -> Result<Map<String, Value>> {
    let text = without_managed(stored);
    let object: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|error| Error::internal(format!("a resource: {error}")))?;
    let mut shown = Map::new();
    for (name, value) in object {
        let is_first = name == "schemas";
        shown.insert(name, value);
        if is_first {
            shown.insert("id".to_owned(), id.into());
        }
    }
    Ok(shown)
}

/// The members that a change's detail names, and how many there are, of those who came and of those who went.
pub struct Named {
    pub came: Vec<String>,
    pub came_total: usize,
    pub went: Vec<String>,
    pub went_total: usize,
}

impl Named {
    pub fn of(detail: &Value) -> Self {
        let members = detail.get("members");
        let ids = |name: &str| -> Vec<String> {
            let ids = members.and_then(|members| members.get(name));
            let ids = ids.and_then(Value::as_array).into_iter().flatten();
            ids.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let total = |name: &str| {
            let total = members.and_then(|members| members.get(name));
            let total = total.and_then(Value::as_u64).unwrap_or_default();
            usize::try_from(total).unwrap_or(usize::MAX)
        };
        Named {
            came: ids("added"),
            came_total: total("added_total"),
            went: ids("removed"),
            went_total: total("removed_total"),
        }
    }

    /// Whether more came and went than are named.
    pub fn is_cut(&self) -> bool {
        self.came_total > self.came.len() || self.went_total > self.went.len()
    }

    /// Names all, where these are kept: the memberships that were given up include such as go on on other grounds, of which there are none
    /// where as many went as are kept.
    pub fn complete(&mut self, kept: &[&Memberships]) {
        let came: Vec<String> = kept
            .iter()
            .flat_map(|kept| kept.came.iter().cloned())
            .collect();
        let was: Vec<String> = kept
            .iter()
            .flat_map(|kept| kept.was.iter().map(|(id, _)| id.clone()))
            .collect();
        if came.len() == self.came_total {
            self.came = came;
        }
        if was.len() == self.went_total {
            self.went = was;
        }
    }
}

/// What a change's detail says.
pub fn detail_of(change: &Change) -> Value {
    let detail = change.event.detail.as_deref();
    let detail = detail.map(|text| serde_json::from_str(text).unwrap_or_default());
    detail.unwrap_or_default()
}

/// The events of one change, in the order in which they are told.
pub fn events_of(
    tenant: &TenantId,
    change: &Change,
    after: &After,
    detail: &Value,
    named: Named,
) -> Result<Vec<Event>> {
    let attributes: Vec<String> =
        serde_json::from_str(&change.event.attributes).unwrap_or_default();
    let active = detail.get("active").and_then(Value::as_bool);
    let event_type = EventType::of(change, &attributes, active);
    let maker = Maker {
        tenant,
        change,
        after,
    };
    let mut events = Vec::new();
    if let Some(event_type) = event_type {
        events.push(maker.main(event_type, attributes, detail)?);
    }
    for (event_type, members) in [
        (EventType::MemberRemoved, named.went),
        (EventType::MemberAdded, named.came),
    ] {
        for (number, members) in members.chunks(MAX_MEMBERS).enumerate() {
            events.push(maker.members(event_type, number, members)?);
        }
    }
    Ok(events)
}

struct Maker<'m> {
    tenant: &'m TenantId,
    change: &'m Change,
    after: &'m After,
}

impl Maker<'_> {
    fn is_resource(&self) -> bool {
        let name = self.change.event.resource_type.as_str();
        name == USERS.name || name == GROUPS.name
    }

    fn event(&self, event_type: EventType, number: usize) -> Event {
        let event = &self.change.event;
        let more = match number {
            0 => String::new(),
            number => format!(".{}", number + 1),
        };
        Event {
            seq: event.seq,
            id: format!("{}.{}.{}{more}", self.tenant, event.seq, event_type.name()),
            event_type,
            tenant_id: self.tenant.to_string(),
            at: date_time::format(event.at),
            actor: event.actor.clone(),
            request_id: event.request_id.clone(),
            resource: EventSubject {
                resource_type: event.resource_type.clone(),
                id: event.resource_id.clone(),
                version: None,
            },
            data: None,
            data_state: DataState::Gone,
            previous: None,
            attributes: Vec::new(),
            is_whole: event.action != Action::Patch.name(),
        }
    }

    /// The resource as the change left it.
    fn with_data(&self, mut event: Event) -> Result<Event> {
        if let Some(text) = &self.after.text {
            event.data = Some(shown(&event.resource.id, &text.resource)?);
            event.resource.version = Some(Version(text.version).etag());
            event.data_state = match self.after.is_exact {
                true => DataState::Version,
                false => DataState::Now,
            };
        }
        Ok(event)
    }

    fn main(
        &self,
        event_type: EventType,
        attributes: Vec<String>,
        detail: &Value,
    ) -> Result<Event> {
        let mut event = self.event(event_type, 0);
        event.attributes = attributes;
        event.attributes.retain(|name| name != "members");
        if !self.is_resource() {
            event.data = detail.as_object().cloned();
            event.data_state = DataState::Version;
            return Ok(event);
        }
        let was = self.change.was.as_ref();
        let was = was
            .map(|was| shown(&event.resource.id, &was.resource))
            .transpose()?;
        if matches!(event_type, EventType::UserDeleted | EventType::GroupDeleted) {
            event.previous = was;
            return Ok(event);
        }
        event.previous = was.map(|was| {
            let value = |name: &String| was.get(name).cloned().unwrap_or_default();
            let changed = event.attributes.iter();
            changed.map(|name| (name.clone(), value(name))).collect()
        });
        self.with_data(event)
    }

    fn members(&self, event_type: EventType, number: usize, members: &[String]) -> Result<Event> {
        let mut event = self.with_data(self.event(event_type, number))?;
        let mut data = event.data.take().unwrap_or_default();
        data.retain(|name, _| ["schemas", "id", "displayName", "externalId"].contains(&&**name));
        let members = members.iter().map(|id| json!({"value": id}));
        data.insert("members".to_owned(), members.collect());
        event.data = Some(data);
        event.attributes = vec!["members".to_owned()];
        Ok(event)
    }
}
