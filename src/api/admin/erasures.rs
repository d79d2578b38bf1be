//! `/api/v1/admin/erasures`: a person, or a group, and what is recorded of them goes; the audit trail keeps ids alone.

use serde::{Deserialize, Serialize};

use super::administrator::{Administrator, ResourceKind};
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::input::{Text, body};
use crate::api::http::query_parameters::tenant_in_body;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::change::erasure::{self, Forgotten, Subject};
use crate::change::{self, Intent, Wish};
use crate::error::{Error, Kind, Result};
use crate::ids::{self, TenantId};
use crate::messages;
use crate::store::{rows_at, tenants};

/// Looks at the journal of one request.
const LOOKS: usize = 10;

/// Who is to be forgotten.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ErasureRequest {
    /// An administrator of one tenant may leave it out.
    #[serde(default)]
    tenant_id: Option<TenantId>,
    /// `User` or `Group`.
    resource_type: ResourceKind,
    resource_id: Text<1, 100>,
}

/// What was removed.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ErasureResponse {
    resource_type: String,
    resource_id: String,
    /// Whether it was there, and was deleted.
    deleted: bool,
    removed: RemovedTraces,
    /// Whether that is all. If not, the rest goes within minutes, and the audit trail says how much.
    complete: bool,
}

/// How many rows were removed, or lost what was personal in them.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct RemovedTraces {
    /// Requests of the journal without their bodies and names.
    requests: i64,
    /// Of what it was before each change.
    revisions: i64,
    tombstones: i64,
    /// Lines of the logs of directory syncs without names.
    sync_entries: i64,
    /// Links to entries of directories.
    directory_entries: i64,
}

/// `POST …/erasures`.
pub async fn erase(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let given: ErasureRequest = body(call)?;
    let tenant = tenant_in_body(given.tenant_id, admin)?;
    let of = Subject {
        tenant: tenant.clone(),
        resource_type: given.resource_type.of(),
        id: ids::as_kept(given.resource_id.as_str()),
    };
    let batch = vec![
        tenants::select(&tenant),
        erasure::select_staged(&tenant),
        erasure::select_other(&of),
    ];
    let results = call.run(Some(&tenant), batch).await?;
    let row = rows_at(&results, 0)?.first();
    let settings = tenants::settings(row.ok_or_else(|| Error::not_found("the tenant"))?)?;
    call.note_tenant(&tenant);
    if rows_at(&results, 1)?.first().is_some() {
        let detail =
            "a directory sync is under way, and has read who is there; try again when it is over";
        return Err(Error::new(Kind::Conflict, detail));
    }
    if rows_at(&results, 2)?.first().is_some() {
        return Ok(envelope::single(
            call,
            200,
            show(of, false, &Forgotten::default()),
        ));
    }
    call.journal.note_resource(of.resource_type.name, &of.id);
    let author = Administrator::new(call, admin, tenant.clone(), settings);
    let intents = [Ok(Intent::change(
        of.resource_type,
        of.id.clone(),
        Ok(Wish::Delete),
    ))];
    let request = change::Request::of(&intents);
    let written = change::write(&author, &call.app.recent, &request).await?;
    let deleted = match written.outcomes.into_iter().next() {
        Some(Err(error)) if error.kind != Kind::NotFound => return Err(error),
        outcome => outcome.is_some_and(|outcome| outcome.is_ok()),
    };
    let run = async |batch| call.run(Some(&tenant), batch).await;
    let forgotten = erasure::forget_some(run, &of, String::new(), LOOKS).await?;
    if deleted || !forgotten.rows.is_empty() {
        let told = erasure::told(&of, &call.origin_of(admin.actor()), &forgotten);
        call.change(&tenant, told).await?;
    }
    if let Some(after) = &forgotten.next {
        messages::send(&call.app.platform, of.message(after.clone()), 0).await?;
    }
    let status = if forgotten.next.is_some() { 202 } else { 200 };
    Ok(envelope::single(
        call,
        status,
        show(of, deleted, &forgotten),
    ))
}

fn show(of: Subject, deleted: bool, forgotten: &Forgotten) -> ErasureResponse {
    ErasureResponse {
        resource_type: of.resource_type.name.to_owned(),
        resource_id: of.id,
        deleted,
        removed: RemovedTraces {
            requests: forgotten.of("requests"),
            revisions: forgotten.of("revisions"),
            tombstones: forgotten.of("tombstones"),
            sync_entries: forgotten.of("sync_entries"),
            directory_entries: forgotten.of("directory_entries"),
        },
        complete: forgotten.next.is_none(),
    }
}
