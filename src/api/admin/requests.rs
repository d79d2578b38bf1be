//! `/api/v1/admin/requests`: the journal, for those who ask why a client was refused, or who did what.

use serde::Serialize;
use serde_json::Value;

use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::input::{Time, id_parameter, moment, parameter};
use crate::api::http::query_parameters::required_tenant;
use crate::api::http::reply::Reply;
use crate::api::http::stretch::{self, Stretch};
use crate::auth::admin::Admin;
use crate::error::{Error, Result};
use crate::scim::fold::name_key;
use crate::scim::forgiven::{self, Tolerance};
use crate::store::audit_events::{self, AuditEvent, time_of_id};
use crate::store::request_lists::{self, Filter, Position, Status};
use crate::store::requests::{self, Recorded};
use crate::store::{Row, Rows, rows_at};

/// A resource, by its type and id.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ResourceName {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

impl ResourceName {
    pub(super) fn new(kind: String, id: String) -> Self {
        ResourceName { kind, id }
    }
}

/// What a request cost at the database.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RequestCost {
    /// Round trips.
    trips: i64,
    /// Null for a change, which is recorded in the batch that is counted, and on administrators' routes.
    rows_read: Option<i64>,
    rows_written: Option<i64>,
}

/// A request that changed something or was refused.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RequestResponse {
    /// Its `X-Request-Id`.
    id: String,
    /// When it came.
    at: Time,
    /// `scim-token:` and the token's id, or `jwt:` and the subject.
    actor: String,
    method: String,
    /// The route, with `:name` for what the path has in its place.
    route: String,
    /// Path and query as they were sent, without secrets.
    path: String,
    /// What it was about, where it names one resource.
    resource: Option<ResourceName>,
    status: i64,
    /// Whether it was refused, or an operation of a Bulk request was.
    failed: bool,
    /// SCIM's keyword for the error.
    scim_type: Option<String>,
    /// The error in a sentence.
    detail: Option<String>,
    /// Whom it was about, where that is a user.
    user_name: Option<String>,
    /// Codes of what the `compat` profile forgave.
    forgiven: Vec<String>,
    duration_ms: i64,
    cost: RequestCost,
}

/// A change that a request made.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ChangeResponse {
    /// The number of its event in the audit trail.
    seq: i64,
    action: String,
    resource: ResourceName,
    /// Names of the attributes that changed.
    attributes: Vec<String>,
    /// The resource before it, without its memberships: null where there was none, where only memberships changed, or where the tenant keeps
    /// no history of it any more.
    #[cfg_attr(
        feature = "openapi",
        schemars(with = "Option<std::collections::BTreeMap<String, Value>>")
    )]
    before: Value,
    /// The resource after it: null where it was deleted, where only memberships changed, or where it is not kept.
    #[cfg_attr(
        feature = "openapi",
        schemars(with = "Option<std::collections::BTreeMap<String, Value>>")
    )]
    after: Value,
    /// Which way `active` went, and who came into a group and who went: null where there is nothing to say.
    #[cfg_attr(
        feature = "openapi",
        schemars(with = "Option<std::collections::BTreeMap<String, Value>>")
    )]
    detail: Value,
}

/// One request with all that is kept of it.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RequestDetail {
    #[serde(flatten)]
    request: RequestResponse,
    /// What the `compat` profile forgave: each with the section of the RFC that says otherwise.
    tolerances: Vec<Tolerance>,
    /// `whole`; `redacted`, without secrets; `cut` at 16 KB; `none`; `unreadable`, no JSON and not kept; `off`, where the tenant keeps none.
    body_state: String,
    body: Option<String>,
    /// What it changed: the first thousand.
    changes: Vec<ChangeResponse>,
}

fn codes(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_default()
}

fn show(request: Recorded) -> RequestResponse {
    let resource = request.resource_type.zip(request.resource_id);
    RequestResponse {
        at: Time(time_of_id(&request.id).unwrap_or_default()),
        id: request.id,
        actor: request.actor,
        method: request.method,
        route: request.route,
        path: request.path,
        resource: resource.map(|(kind, id)| ResourceName { kind, id }),
        status: request.status,
        failed: request.failed,
        scim_type: request.scim_type,
        detail: request.detail,
        user_name: request.user_name,
        forgiven: codes(&request.forgiven),
        duration_ms: request.duration_ms,
        cost: RequestCost {
            trips: request.d1_trips,
            rows_read: request.d1_rows_read,
            rows_written: request.d1_rows_written,
        },
    }
}

fn show_change(event: AuditEvent, revisions: &Rows) -> Result<ChangeResponse> {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    let mut rows = revisions.rows.iter();
    let row = rows.find(|row| row.integer("seq").is_ok_and(|seq| seq == event.seq));
    let part = |name: &str| -> Result<Value> {
        let text = match row {
            Some(row) => row.optional_text(name)?,
            None => None,
        };
        Ok(text.as_deref().map(json).unwrap_or_default())
    };
    // Of a change of members alone, the resource is what it was.
    let is_of_members = event.attributes == r#"["members"]"#;
    let (before, after) = match is_of_members {
        true => (Value::Null, Value::Null),
        false => (part("before")?, part("after")?),
    };
    Ok(ChangeResponse {
        before,
        after,
        seq: event.seq,
        action: event.action,
        resource: ResourceName {
            kind: event.resource_type,
            id: event.resource_id,
        },
        attributes: codes(&event.attributes),
        detail: event.detail.as_deref().map(json).unwrap_or_default(),
    })
}

fn status(text: &str) -> Result<Status> {
    let wrong = || {
        Error::field(
            &["query", "status"],
            "it has to be a status as in 409, a class as in 4xx, or failed",
            "value_error",
        )
    };
    let class = text
        .strip_suffix("xx")
        .and_then(|class| class.parse::<i64>().ok());
    match (text, class, text.parse::<i64>()) {
        ("failed", ..) => Ok(Status::Failed),
        // Numbers are read that are not written as statuses are: `+409`, `0409`.
        _ if text.len() != 3 => Err(wrong()),
        (_, Some(class @ 2..=5), _) => Ok(Status::Class(class)),
        (_, None, Ok(status @ 200..=599)) => Ok(Status::Exactly(status)),
        _ => Err(wrong()),
    }
}

fn position(text: &str) -> Option<Position> {
    let (seq, id) = text.split_once(' ')?;
    Some(Position {
        seq: seq.parse().ok()?,
        id: id.to_owned(),
    })
}

/// `GET /api/v1/admin/requests/`.
pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = required_tenant(call, admin)?;
    let stretch = Stretch::of(call)?;
    let after = stretch.after(position)?.unwrap_or_else(Position::begin);
    let filter = Filter {
        status: parameter(call, "status")
            .as_deref()
            .map(status)
            .transpose()?,
        actor: parameter(call, "actor"),
        method: parameter(call, "method").map(|method| method.to_ascii_uppercase()),
        resource_id: id_parameter(call, "resource_id"),
        request_id: id_parameter(call, "request_id"),
        user_name_key: parameter(call, "user_name").as_deref().map(name_key),
        since: moment(call, "since")?,
        until: moment(call, "until")?,
    };
    let asked = request_lists::select_page(&tenant, &filter, &after, stretch.limit + 1);
    let mut batch = vec![asked.tenant, asked.requests];
    let has_bottom = asked.bottom.is_some();
    batch.extend(asked.bottom);
    batch.extend(asked.events);
    let results = call.run(Some(&tenant), batch).await?;
    if rows_at(&results, 0)?.first().is_none() {
        return Err(Error::not_found("the tenant"));
    }
    call.note_tenant(&tenant);
    let found = rows_at(&results, 1)?;
    let (bottom, events) = match has_bottom {
        true => (results.get(2).and_then(Rows::first), None),
        false => (None, results.get(2)),
    };
    let limit = usize::try_from(stretch.limit).unwrap_or_default();
    let mut page = merged(found, events, after, limit)?;
    if let (None, Some(bottom)) = (&page.next, bottom) {
        page.next = Some(Position {
            id: bottom.text("bottom")?,
            seq: 0,
        });
    }
    let next = page.next.map(|next| format!("{} {}", next.seq, next.id));
    let shown = page.requests.into_iter().map(show).collect();
    Ok(stretch::list(call, stretch, shown, next))
}

struct Page {
    requests: Vec<Recorded>,
    next: Option<Position>,
}

/// Puts requests and those that events name together, the latest first. One more of each than the page has was asked for, where there is one.
fn merged(found: &Rows, events: Option<&Rows>, after: Position, limit: usize) -> Result<Page> {
    let mut page = Page {
        requests: Vec::new(),
        next: None,
    };
    let mut at = after;
    let mut found_rows = found.rows.iter().peekable();
    let mut event_rows = events.map_or(&[][..], |rows| &rows.rows).iter().peekable();
    let is_cut = |rows: Option<&Rows>| rows.is_some_and(|rows| rows.rows.len() > limit);
    loop {
        let (request, event) = (found_rows.peek().copied(), event_rows.peek().copied());
        let is_over = request.is_none() && event.is_none();
        let is_at_cut =
            (request.is_none() && is_cut(Some(found))) || (event.is_none() && is_cut(events));
        if is_at_cut || (!is_over && page.requests.len() == limit) {
            page.next = Some(at);
            return Ok(page);
        }
        let id_of = |row: Option<&Row>, name: &str| row.map(|row| row.text(name)).transpose();
        let (by_id, by_event) = (id_of(request, "id")?, id_of(event, "event_request")?);
        match (request, event) {
            (_, Some(event)) if by_event >= by_id => {
                event_rows.next();
                let seq = event.integer("event_seq")?;
                if seq > at.seq {
                    // Of a request that is on the page already.
                    continue;
                }
                at.seq = seq - 1;
                if event.boolean("wanted")? {
                    let request = requests::recorded(event)?;
                    at.seq = at.seq.min(request.seq);
                    page.requests.push(request);
                }
            }
            (Some(request), _) => {
                found_rows.next();
                let request = requests::recorded(request)?;
                at.id = request.id.clone();
                page.requests.push(request);
            }
            (None, _) => return Ok(page),
        }
    }
}

/// `GET /api/v1/admin/requests/{request_id}`.
pub async fn read(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = required_tenant(call, admin)?;
    let id = call.id("request_id", "the request")?;
    let batch = requests::select_one(&tenant, &id);
    let results = call.run(Some(&tenant), batch.into()).await?;
    let row = rows_at(&results, 0)?.first();
    let row = row.ok_or_else(|| Error::not_found("the request"))?;
    call.note_tenant(&tenant);
    let request = show(requests::recorded(row)?);
    let changes = rows_at(&results, 1)?.rows.iter();
    let detail = RequestDetail {
        tolerances: request
            .forgiven
            .iter()
            .filter_map(|code| forgiven::of_code(code).copied())
            .collect(),
        request,
        body_state: row.text("body_state")?,
        body: row.optional_text("body")?,
        changes: changes
            .map(|row| show_change(audit_events::audit_event(row)?, rows_at(&results, 2)?))
            .collect::<Result<_>>()?,
    };
    Ok(envelope::single(call, 200, detail))
}
