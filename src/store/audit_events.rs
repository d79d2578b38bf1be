//! Rows of `audit_events`, read: pages of the trail, the latest event first. They are written by [`change::audit`](crate::change::audit).
//!
//! A tenant's numbers have no gaps. So a page is a range of numbers in which those are picked that a filter asks for, and no page goes
//! through more than [`MAX_SCANNED`] events: one that found less than it may show says where to go on. What an index finds, all events of
//! a resource, of a person, of anything but users and groups, is on full pages.

use super::{Params, Result, Row, Statement};
use crate::ids::TenantId;

/// Most events that one page goes through.
pub const MAX_SCANNED: i64 = 1_000;

/// How long after its time an event is numbered at most, in milliseconds: what a request may take, with its tries, and then some.
pub(super) const MAX_LAG_MS: i64 = 120_000;

/// Which events are wanted: those of which all holds that is said.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
    pub actor: Option<String>,
    pub action: Option<String>,
    pub request_id: Option<String>,
    /// From this time on, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Before this time.
    pub until: Option<i64>,
}

/// A change, as it was recorded.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    pub seq: i64,
    pub at: i64,
    pub actor: String,
    pub action: String,
    pub resource_type: String,
    pub resource_id: String,
    /// JSON: an array of names.
    pub attributes: String,
    /// JSON; see [`Detail`](crate::change::audit::Detail).
    pub detail: Option<String>,
    pub request_id: String,
}

pub(super) const COLUMNS: &str =
    "seq, at, actor, action, resource_type, resource_id, attributes, detail, request_id";

pub fn audit_event(row: &Row) -> Result<AuditEvent> {
    Ok(AuditEvent {
        seq: row.integer("seq")?,
        at: row.integer("at")?,
        actor: row.text("actor")?,
        action: row.text("action")?,
        resource_type: row.text("resource_type")?,
        resource_id: row.text("resource_id")?,
        attributes: row.text("attributes")?,
        detail: row.optional_text("detail")?,
        request_id: row.text("request_id")?,
    })
}

/// How the events are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Resource,
    People,
    Nouns,
    /// In the order of their numbers, of which so many are gone through.
    Numbers,
}

impl Filter {
    fn way(&self) -> Way {
        let is_person = |actor: &String| actor.starts_with("jwt:");
        let is_rare = |name: &String| name != "User" && name != "Group";
        match self {
            _ if self.resource_id.is_some() => Way::Resource,
            _ if self.actor.as_ref().is_some_and(is_person) => Way::People,
            _ if self.resource_type.as_ref().is_some_and(is_rare) => Way::Nouns,
            _ => Way::Numbers,
        }
    }

    /// Whether every event in the range is wanted.
    fn is_whole(&self) -> bool {
        let wanted = [
            &self.resource_type,
            &self.actor,
            &self.action,
            &self.request_id,
        ];
        wanted.iter().all(|wanted| wanted.is_none())
    }

    /// The times in which the events lie, as far as the filter says: a request's id begins with the time at which it came.
    fn times(&self) -> (Option<i64>, Option<i64>) {
        let asked = self.request_id.as_deref().and_then(time_of_id);
        let later = |one: Option<i64>, other: Option<i64>| one.max(other);
        let sooner = |one: Option<i64>, other: Option<i64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let after = asked.map(|time| time - MAX_LAG_MS);
        let before = asked.map(|time| time + MAX_LAG_MS);
        (later(self.since, after), sooner(self.until, before))
    }
}

/// The time in a UUIDv7 (RFC 9562 §5.7), in milliseconds since 1970; none in what is no UUID.
pub fn time_of_id(id: &str) -> Option<i64> {
    let id = uuid::Uuid::try_parse(id).ok()?;
    i64::try_from(id.as_u128() >> 80).ok()
}

/// A page of at most so many events before the one numbered `after`, the latest first.
///
/// The first statement gives the range that was gone through, as `bottom` and `top`, both outside of it, and as `first` the number of the
/// last event before all of them: no row where the tenant does not exist.
pub fn select_page(
    tenant: &TenantId,
    filter: &Filter,
    after: Option<i64>,
    limit: i64,
) -> [Statement; 2] {
    let way = filter.way();
    let mut bounds = Params::new(vec![tenant.into()]);
    let range = range(&mut bounds, filter, after, way);
    let mut params = bounds.clone();
    let mut conditions = String::new();
    let mut require = |column: &str, wanted: &Option<String>| {
        if let Some(wanted) = wanted {
            let place = params.bind(wanted);
            conditions += &format!(" and e.{column} = {place}");
        }
    };
    require("resource_type", &filter.resource_type);
    require("resource_id", &filter.resource_id);
    require("actor", &filter.actor);
    require("action", &filter.action);
    require("request_id", &filter.request_id);
    if let Some(since) = filter.since {
        conditions += &format!(" and e.at >= {}", params.bind(since));
    }
    if let Some(until) = filter.until {
        conditions += &format!(" and e.at < {}", params.bind(until));
    }
    let index = match way {
        Way::Resource => "indexed by audit_events_resource_idx",
        Way::People => {
            conditions += " and substr(e.actor, 1, 4) = 'jwt:'";
            "indexed by audit_events_people_idx"
        }
        Way::Nouns => {
            conditions += " and e.resource_type not in ('User', 'Group')";
            "indexed by audit_events_nouns_idx"
        }
        Way::Numbers => "not indexed",
    };
    let limit = params.bind(limit);
    [
        Statement::new(
            format!("{range} select bottom, top, first from b"),
            bounds.into_values(),
        ),
        Statement::new(
            format!(
                "{range} select {COLUMNS} from audit_events e {index} where e.tenant_id = ?1 \
                 and e.seq < (select top from b) and e.seq > (select bottom from b){conditions} \
                 order by e.seq desc limit {limit}"
            ),
            params.into_values(),
        ),
    ]
}

/// The number of one event in 64 that is nearest to a time.
pub(super) fn sample(condition: &str, order: &str) -> String {
    format!(
        "(select s.seq from audit_events s indexed by audit_events_at_idx where s.tenant_id = ?1 and s.seq % 64 = 0 \
         and s.at {condition} order by s.at {order}, s.seq {order} limit 1)"
    )
}

/// The range of numbers that a page goes through, as a table of one row, `b`.
fn range(params: &mut Params, filter: &Filter, after: Option<i64>, way: Way) -> String {
    let (since, until) = filter.times();
    let mut top = "t.audit_seq + 1".to_owned();
    if let Some(after) = after {
        top = format!("min({top}, {})", params.bind(after));
    }
    if let Some(until) = until {
        let later = sample(&format!("> {}", params.bind(until + MAX_LAG_MS)), "asc");
        top = format!("min({top}, coalesce({later}, t.audit_seq + 1))");
    }
    let mut first =
        "coalesce((select f.seq - 1 from audit_events f where f.tenant_id = ?1 order by f.seq limit 1), 0)"
            .to_owned();
    if let Some(since) = since {
        let sooner = sample(&format!("< {}", params.bind(since - MAX_LAG_MS)), "desc");
        first = format!("max({first}, coalesce({sooner}, 0))");
    }
    let bottom = match way {
        Way::Numbers if !filter.is_whole() => {
            format!("max(first, top - {} - 1)", MAX_SCANNED)
        }
        _ => "first".to_owned(),
    };
    format!(
        "with r (top, first) as (select {top}, {first} from tenants t where t.id = ?1 and t.deleted_at is null), \
         b (bottom, top, first) as materialized (select {bottom}, top, first from r)"
    )
}
