//! `/api/v1/admin/tenants/{tenant_id}/move`: a tenant's move to another database, for administrators of the platform.

use serde::{Deserialize, Serialize};

use super::administrator;
use super::databases;
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::input::{Text, Time, body};
use crate::api::http::query_parameters::tenant_in_path;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::change::audit::Action;
use crate::databases::place::MAIN;
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::messages::{self, Message};
use crate::store::moves::{self, Begun, Move};
use crate::store::{self, Guard, Rows, Statement, rows_at, tenants};

const WHAT: &str = "the move";

/// Where a tenant is to go.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MoveCreate {
    /// The name of a database.
    database: Text<1, 20>,
}

/// What is done of a move.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
enum MoveStatus {
    /// The tenant was never moved.
    None,
    Copying,
    CatchingUp,
    Checking,
    Switching,
    /// It lives in the other database; its old rows are deleted.
    Purging,
    Done,
    Cancelling,
    Cancelled,
    Failed,
}

/// A tenant's last move, and how far it is.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MoveResponse {
    /// Null where it was never moved, as all that tells of a move.
    id: Option<String>,
    tenant_id: String,
    /// The database that it leaves, or lives in where it was never moved.
    from: String,
    /// The one that it goes to.
    to: Option<String>,
    status: MoveStatus,
    rows_copied: i64,
    /// About how many there are, counted when it began.
    rows_total: i64,
    /// Rows that were written meanwhile, and were brought over again.
    rows_caught_up: i64,
    /// For how long nobody could write; null while it is not over.
    pause_ms: Option<i64>,
    /// What both databases were compared by in the pause.
    digest: Option<String>,
    /// Why it failed.
    reason: Option<String>,
    started_at: Option<Time>,
    updated_at: Option<Time>,
    finished_at: Option<Time>,
}

fn show(tenant: &TenantId, rows: Option<&Rows>) -> Result<MoveResponse> {
    let row = rows.and_then(Rows::first);
    let moving: Move = moves::read(row.ok_or_else(|| Error::not_found(WHAT))?)?;
    let status = serde_json::from_value(moving.status.into())
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(MoveResponse {
        id: Some(moving.id),
        tenant_id: tenant.to_string(),
        from: moving.source,
        to: Some(moving.target),
        status,
        rows_copied: moving.state.rows_copied,
        rows_total: moving.state.rows_total,
        rows_caught_up: moving.state.rows_caught_up,
        pause_ms: moving.state.pause_ms,
        digest: moving.state.digest,
        reason: moving.reason,
        started_at: Some(Time(moving.started_at)),
        updated_at: Some(Time(moving.updated_at)),
        finished_at: moving.finished_at.map(Time),
    })
}

/// The database that a tenant lives in; 404 where there is no such tenant.
async fn home<'c>(call: &'c Call<'_>, tenant: &TenantId) -> Result<&'c str> {
    let batch = vec![tenants::select(tenant)];
    let results = call.run(Some(tenant), batch).await?;
    if rows_at(&results, 0)?.first().is_none() {
        return Err(Error::not_found("the tenant"));
    }
    Ok(call.app.platform.homes.of(tenant).unwrap_or(MAIN))
}

/// The tenant in the path, for administrators of all tenants alone.
fn tenant_of(call: &Call<'_>, admin: &Admin) -> Result<TenantId> {
    let tenant = tenant_in_path(call, admin)?;
    match admin.tenant {
        Some(_) => Err(Error::forbidden(
            "an administrator of one tenant does not say where it lives",
        )),
        None => Ok(tenant),
    }
}

/// Writes a move's statements, whose last gives its row, and then the row of the audit trail. That of a database that takes nothing more has to do
/// without: to move out of it is the way out.
async fn write(
    call: &Call<'_>,
    admin: &Admin,
    tenant: &TenantId,
    statements: Vec<Statement>,
) -> store::Result<Vec<Rows>> {
    let results = call.run_in(MAIN, statements).await?;
    let what = ("Tenant", tenant.as_str());
    let audited = administrator::audited(call, admin, tenant, what, Action::Patch, ["database"]);
    match call.change(tenant, audited).await {
        Ok(_) | Err(store::Error::Full(_)) => Ok(results),
        Err(error) => Err(error),
    }
}

/// `POST …/move`.
pub async fn begin(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = tenant_of(call, admin)?;
    let given: MoveCreate = body(call)?;
    let target = given.database.as_str();
    let source = home(call, &tenant).await?.to_owned();
    if source == target {
        return Err(Error::field(
            &["body", "database"],
            "the tenant lives there already",
            "value_error",
        ));
    }
    // It has to take a tenant more.
    databases::choose(call, Some(target), None).await?;
    let id = call.new_id()?;
    let actor = admin.actor();
    let begun = Begun {
        id: &id,
        source: &source,
        target,
        actor: &actor,
        now: call.now,
    };
    let statements = moves::begin(&tenant, &begun)?.into();
    let results = match write(call, admin, &tenant, statements).await {
        Err(store::Error::Guard(Guard::VersionConflict)) => {
            let detail = "the tenant is being moved already";
            return Err(Error::new(Kind::Conflict, detail));
        }
        Err(error) => {
            // Nobody is told that it goes on.
            let cancel = moves::cancel(&tenant, call.now).into();
            let _ = call.run_in(MAIN, cancel).await;
            return Err(error.into());
        }
        Ok(results) => results,
    };
    let shown = show(&tenant, results.last())?;
    send(call, &tenant, &shown).await;
    Ok(envelope::single(call, 202, shown))
}

/// `GET …/move`.
pub async fn read(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = tenant_of(call, admin)?;
    let results = call.run_in(MAIN, vec![moves::select(&tenant)]).await?;
    let shown = match results.last().and_then(Rows::first) {
        Some(_) => show(&tenant, results.last())?,
        None => MoveResponse {
            id: None,
            from: home(call, &tenant).await?.to_owned(),
            tenant_id: tenant.to_string(),
            to: None,
            status: MoveStatus::None,
            rows_copied: 0,
            rows_total: 0,
            rows_caught_up: 0,
            pause_ms: None,
            digest: None,
            reason: None,
            started_at: None,
            updated_at: None,
            finished_at: None,
        },
    };
    Ok(envelope::single(call, 200, shown))
}

/// `DELETE …/move`: takes it back, until writes pause.
pub async fn cancel(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = tenant_of(call, admin)?;
    let results = call.run_in(MAIN, vec![moves::select(&tenant)]).await?;
    show(&tenant, results.last())?;
    let statements = moves::cancel(&tenant, call.now).into();
    let results = match write(call, admin, &tenant, statements).await {
        Err(store::Error::Guard(Guard::VersionConflict)) => {
            let detail = "it cannot be taken back any more: it is over, or about to be";
            return Err(Error::new(Kind::Conflict, detail));
        }
        results => results?,
    };
    let shown = show(&tenant, results.last())?;
    send(call, &tenant, &shown).await;
    Ok(envelope::single(call, 202, shown))
}

/// Has it gone on with. What is not sent is found by the clock.
async fn send(call: &Call<'_>, tenant: &TenantId, shown: &MoveResponse) {
    let message = Message::Move {
        tenant: tenant.to_string(),
        id: shown.id.clone().unwrap_or_default(),
        mark: None,
    };
    let _ = messages::send(&call.app.platform, message, 0).await;
}
