//! `/api/v1/admin/undo`: takes back what requests did.

mod large;
mod outcome;

use serde::Deserialize;

use super::administrator::{Administrator, ResourceKind};
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::input::{Text, Time, body};
use crate::api::http::query_parameters::tenant_in_body;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::change::undo::{self, Chosen};
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::ordered::OrderedSet;
use crate::store::audit_events::{self, Filter};
use crate::store::{Rows, revisions, rows_at, tenants};

pub use large::{changes, read};
pub use outcome::{Outcome, UndoResponse};

/// Most changes that one undo takes back.
const MAX_CHANGES: usize = 100_000;
/// Most requests that it names.
const MAX_REQUESTS: usize = 100;
/// Events of a page of the audit trail, and most pages that are gone through.
const EVENTS_ON_PAGE: i64 = 1_000;
const MAX_PAGES: usize = 400;
/// What is to be taken back: the changes that these requests made; or those of which all holds that is said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct UndoRequest {
    /// An administrator of one tenant may leave it out.
    #[serde(default)]
    tenant_id: Option<TenantId>,
    /// Up to 100 requests, as `X-Request-Id` and the audit trail name them; alone.
    #[serde(default)]
    request_ids: Option<Vec<Text<1, 100>>>,
    /// What this one did: `scim-token:` and a token's id, `jwt:` and a subject.
    #[serde(default)]
    actor: Option<Text<1, 300>>,
    /// From this time on.
    #[serde(default)]
    since: Option<Time>,
    /// Before this time.
    #[serde(default)]
    until: Option<Time>,
    /// What was done to this one; where nothing else is said, by the latest request that changed it.
    #[serde(default)]
    resource: Option<ResourceName>,
    /// Whether it is only told what would be done; `false` where it is left out.
    #[serde(default)]
    dry_run: Option<bool>,
}

/// A resource.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ResourceName {
    /// `User` or `Group`.
    #[serde(rename = "type")]
    resource_type: ResourceKind,
    id: Text<1, 100>,
}

/// `POST …/undo`.
pub async fn undo(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let given: UndoRequest = body(call)?;
    check(&given)?;
    let tenant = tenant_in_body(given.tenant_id.clone(), admin)?;
    let results = call
        .run(Some(&tenant), vec![tenants::select(&tenant)])
        .await?;
    let row = rows_at(&results, 0)?.first();
    let row = row.ok_or_else(|| Error::not_found("the tenant"))?;
    let settings = tenants::settings(row)?;
    call.note_tenant(&tenant);
    let chosen = match &given.request_ids {
        Some(ids) => of_requests(call, &tenant, ids).await?,
        None => of_filter(call, &tenant, &given).await?,
    };
    if chosen.len() > MAX_CHANGES {
        return Err(too_many());
    }
    let is_dry = given.dry_run.unwrap_or_default();
    let limits = call.app.config.undo;
    if chosen.len() > limits.changes {
        return large::begin(call, admin, &tenant, chosen, is_dry).await;
    }
    let author = Administrator::new(call, admin, tenant, settings);
    let mut outcome = Outcome::default();
    for part in undo::in_parts(chosen, limits.resources) {
        let part = undo::take_back(&author, &call.app.recent, part, is_dry, None).await?;
        outcome = outcome.with(&part);
    }
    let response = UndoResponse::new(is_dry, outcome, None);
    Ok(envelope::single(call, 200, response))
}

fn too_many() -> Error {
    Error::new(
        Kind::PayloadTooLarge,
        format!(
            "one undo takes back {MAX_CHANGES} changes: name fewer requests, or a shorter time"
        ),
    )
}

/// 422 where nothing is said, or too much.
fn check(given: &UndoRequest) -> Result<()> {
    let is_filtered = given.actor.is_some()
        || given.since.is_some()
        || given.until.is_some()
        || given.resource.is_some();
    let wrong = match &given.request_ids {
        Some(_) if is_filtered => {
            "requests are named alone, without actor, since, until or resource"
        }
        Some(ids) if ids.is_empty() || ids.len() > MAX_REQUESTS => {
            "it has to name 1 to 100 requests"
        }
        None if given.actor.is_none() && given.since.is_none() && given.resource.is_none() => {
            "request_ids, actor, since or resource has to say what is to be taken back"
        }
        _ => return Ok(()),
    };
    Err(Error::field(&["body", "request_ids"], wrong, "value_error"))
}

/// The changes that requests made.
async fn of_requests(
    call: &Call<'_>,
    tenant: &TenantId,
    ids: &[Text<1, 100>],
) -> Result<Vec<Chosen>> {
    let ids: OrderedSet<String> = ids
        .iter()
        .map(|id| id.as_str().to_ascii_lowercase())
        .collect();
    let ids: Vec<String> = ids.into_iter().collect();
    let most = i64::try_from(MAX_CHANGES).unwrap_or(i64::MAX) + 1;
    let batch = revisions::select_of_requests(tenant, &ids, most);
    let mut chosen = chosen_in(&call.run(Some(tenant), batch).await?)?;
    let kept: OrderedSet<&String> = chosen.iter().map(|one| &one.request_id).collect();
    let others: Vec<String> = ids
        .iter()
        .filter(|id| !kept.contains(id))
        .cloned()
        .collect();
    if !others.is_empty() {
        // Requests that changed nothing, and those before which nothing was kept: these are told.
        let batch = revisions::select_of_journal(tenant, others, most);
        chosen.extend(chosen_in(&call.run(Some(tenant), batch).await?)?);
    }
    Ok(chosen)
}

fn chosen_in(results: &[Rows]) -> Result<Vec<Chosen>> {
    let rows = results.iter().flat_map(|rows| &rows.rows);
    let chosen = rows.map(|row| {
        Ok(Chosen {
            seq: row.integer("seq")?,
            request_id: row.text("request_id")?,
            resource_type: row.text("resource_type")?,
            id: row.text("resource_id")?,
        })
    });
    chosen.collect()
}

/// The changes of users and groups of which the audit trail says what is wanted.
async fn of_filter(call: &Call<'_>, tenant: &TenantId, given: &UndoRequest) -> Result<Vec<Chosen>> {
    let resource = given.resource.as_ref();
    let filter = Filter {
        resource_type: resource.map(|resource| resource.resource_type.of().name.to_owned()),
        resource_id: resource.map(|resource| resource.id.as_str().to_ascii_lowercase()),
        actor: given.actor.as_ref().map(|actor| actor.as_str().to_owned()),
        since: given.since.map(|time| time.0),
        until: given.until.map(|time| time.0),
        ..Filter::default()
    };
    let is_latest = given.actor.is_none() && given.since.is_none() && given.until.is_none();
    let mut chosen: Vec<Chosen> = Vec::new();
    let mut after = None;
    for _ in 0..MAX_PAGES {
        let page = audit_events::select_page(tenant, &filter, after, EVENTS_ON_PAGE);
        let results = call.run(Some(tenant), page.into()).await?;
        let Some(range) = rows_at(&results, 0)?.first() else {
            return Err(Error::not_found("the tenant"));
        };
        let (bottom, first) = (range.integer("bottom")?, range.integer("first")?);
        let rows = &rows_at(&results, 1)?.rows;
        let mut last = None;
        for row in rows {
            let event = audit_events::audit_event(row)?;
            last = Some(event.seq);
            let is_ours = ["User", "Group"].contains(&event.resource_type.as_str());
            if !is_ours || event.action == "collide" {
                continue;
            }
            if is_latest
                && chosen
                    .first()
                    .is_some_and(|one| one.request_id != event.request_id)
            {
                return Ok(chosen);
            }
            chosen.push(Chosen {
                seq: event.seq,
                request_id: event.request_id,
                resource_type: event.resource_type,
                id: event.resource_id,
            });
        }
        let is_full = i64::try_from(rows.len()).is_ok_and(|count| count >= EVENTS_ON_PAGE);
        after = match (is_full, last) {
            (true, Some(last)) => Some(last),
            _ if bottom > first => Some(bottom + 1),
            _ => return Ok(chosen),
        };
        if chosen.len() > MAX_CHANGES {
            break;
        }
    }
    Err(too_many())
}
