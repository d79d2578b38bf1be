//! `/api/v1/admin/audit-events`: the audit trail, for those who ask who changed what.

use serde::Serialize;
use serde_json::Value;

use crate::api::http::call::Call;
use crate::api::http::input::{Time, id_parameter, moment, parameter};
use crate::api::http::query_parameters::required_tenant;
use crate::api::http::reply::Reply;
use crate::api::http::stretch::{self, Stretch};
use crate::auth::admin::Admin;
use crate::error::{Error, Result};
use crate::store::audit_events::{self, AuditEvent, Filter};
use crate::store::{Row, rows_at};

/// A change: who did what to which resource. Names of attributes, never their values.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AuditEventResponse {
    /// The event's number: those of a tenant are numbered from 1 without gaps.
    seq: i64,
    /// When the request came that changed it.
    at: Time,
    /// `scim-token:` and the token's id, `jwt:` and the subject, or which job it was.
    actor: String,
    /// `create`, `replace`, `patch`, `delete` and others.
    action: String,
    resource_type: String,
    resource_id: String,
    /// Names of the attributes that changed.
    attributes: Vec<String>,
    /// Which way `active` went, and by their ids who came into a group and who went (the first 1,000 of each): null where there is nothing
    /// to say.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "any_object_or_null"))]
    detail: Value,
    /// The request that did it: see `/api/v1/admin/requests/`.
    request_id: String,
}

#[cfg(feature = "openapi")]
fn any_object_or_null(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({"type": ["object", "null"], "additionalProperties": true})
}

fn show(event: AuditEvent) -> AuditEventResponse {
    let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_default();
    AuditEventResponse {
        seq: event.seq,
        at: Time(event.at),
        actor: event.actor,
        action: event.action,
        resource_type: event.resource_type,
        resource_id: event.resource_id,
        attributes: serde_json::from_str(&event.attributes).unwrap_or_default(),
        detail: event.detail.as_deref().map(json).unwrap_or_default(),
        request_id: event.request_id,
    }
}

fn show_row(row: &Row) -> Result<AuditEventResponse> {
    Ok(show(audit_events::audit_event(row)?))
}

/// `GET /api/v1/admin/audit-events/`.
pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = required_tenant(call, admin)?;
    let stretch = Stretch::of(call)?;
    let after = stretch.after(|position| position.parse::<i64>().ok())?;
    let filter = Filter {
        resource_type: parameter(call, "resource_type"),
        resource_id: id_parameter(call, "resource_id"),
        actor: parameter(call, "actor"),
        action: parameter(call, "action"),
        request_id: id_parameter(call, "request_id"),
        since: moment(call, "since")?,
        until: moment(call, "until")?,
    };
    let statements = audit_events::select_page(&tenant, &filter, after, stretch.limit + 1);
    let results = call.run(Some(&tenant), statements.into()).await?;
    let Some(range) = rows_at(&results, 0)?.first() else {
        return Err(Error::not_found("the tenant"));
    };
    call.note_tenant(&tenant);
    let (bottom, first) = (range.integer("bottom")?, range.integer("first")?);
    let mut events = rows_at(&results, 1)?
        .rows
        .iter()
        .map(show_row)
        .collect::<Result<Vec<_>>>()?;
    let is_more = stretch.cut(&mut events);
    let next = match events.last() {
        Some(last) if is_more => Some(last.seq.to_string()),
        // Nothing more in the range that was gone through, and there is more below it.
        _ => (bottom > first).then(|| (bottom + 1).to_string()),
    };
    Ok(stretch::list(call, stretch, events, next))
}
