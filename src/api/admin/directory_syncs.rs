//! `/api/v1/admin/identity-providers/{idp_id}/sync` and `…/sync-logs`: directory syncs asked for, and looked at. They are done by messages
//! ([`messages`](crate::messages)).

use serde::{Deserialize, Serialize};

use super::identity_providers::access::{Access, View};
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::input::{Page, body, flag};
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::messages::{self, Message};
use crate::platform::{self, Platform};
use crate::scim::date_time;
use crate::store::identity_providers::Protocol;
use crate::store::sync_counts::Counts;
use crate::store::sync_logs::{self, SyncEntry, SyncLog};
use crate::store::sync_runs::{self, Order};
use crate::store::{self, Guard, Rows, Statement, rows_at};

const LOG: &str = "the sync log";
/// How long a request waits for its sync to be over, in milliseconds; and between two looks at first, and at most.
const PATIENCE_MS: i64 = 25_000;
const FIRST_PAUSE_MS: u32 = 250;
const LONGEST_PAUSE_MS: u32 = 1_000;
/// Entries that a dry run shows at once.
const MAX_SHOWN: i64 = 1_000;

/// `POST …/sync`: all of it optional, in the body or in the query.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SyncRequest {
    /// Tells what a sync would do, and writes nothing of it.
    pub dry_run: bool,
    /// Reads the whole directory, though a sync of changes would do.
    pub full: bool,
    /// Carries the plan out whatever it removes.
    pub allow_removals: bool,
}

/// One run of a sync.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SyncLogResponse {
    pub id: String,
    pub idp_id: String,
    /// `manual` or `scheduled`.
    pub trigger: String,
    pub actor: String,
    /// `full`, or `changes` where only what changed since the last one was read.
    pub mode: String,
    pub dry_run: bool,
    /// `running`, `succeeded`, `stopped` by the guard on removals, `failed`; of a dry run `planned`.
    pub status: String,
    /// So far, while it runs.
    pub counts: Counts,
    /// Why it was stopped or failed; of a plan, why it would be stopped.
    pub error: Option<String>,
    pub started_at: String,
    pub finished_at: Option<String>,
    pub duration_ms: Option<i64>,
    /// Where it is seen, how far it has come, while it runs and when it is over: a path.
    pub location: String,
}

/// One run with what it did, object by object.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SyncLogDetail {
    #[serde(flatten)]
    pub log: SyncLogResponse,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<Vec<SyncEntryResponse>>,
}

/// One object that a run changed, or could not.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SyncEntryResponse {
    /// Number within the run, from 1.
    pub seq: i64,
    /// `User` or `Group`.
    pub resource_type: String,
    /// `created`, `updated`, `reactivated`, `deactivated`, `deleted`, `kept`, `members`, `unresolved`, `conflict` or `skipped`.
    pub action: String,
    pub unique_id: Option<String>,
    pub dn: Option<String>,
    /// `userName` or `displayName`.
    pub name: Option<String>,
    pub resource_id: Option<String>,
    pub reason: Option<String>,
}

impl SyncLogResponse {
    fn of(log: &SyncLog) -> Self {
        SyncLogResponse {
            id: log.id.clone(),
            idp_id: log.idp_id.clone(),
            trigger: log.started_by.clone(),
            actor: log.actor.clone(),
            mode: log.mode.clone(),
            dry_run: log.dry_run,
            status: log.status.clone(),
            // A log of an older version may have other numbers.
            counts: serde_json::from_str(&log.counts).unwrap_or_default(),
            error: log.reason.clone(),
            started_at: date_time::format(log.started_at),
            finished_at: log.finished_at.map(date_time::format),
            duration_ms: log.finished_at.map(|finished| finished - log.started_at),
            location: format!(
                "/api/v1/admin/identity-providers/{}/sync-logs/{}",
                log.idp_id, log.id
            ),
        }
    }
}

impl From<SyncEntry> for SyncEntryResponse {
    fn from(entry: SyncEntry) -> Self {
        SyncEntryResponse {
            seq: entry.seq,
            resource_type: entry.resource_type,
            action: entry.action,
            unique_id: entry.unique_id,
            dn: entry.dn,
            name: entry.name,
            resource_id: entry.resource_id,
            reason: entry.reason,
        }
    }
}

/// `POST …/sync`: opens a run, and waits a while for it to be over. What goes wrong with the sync is in its log, and the reply is 200.
pub async fn start(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let access = Access::of(call, admin, View::Admin)?;
    let given: SyncRequest = match call.has_body() {
        true => body(call)?,
        false => SyncRequest::default(),
    };
    let asked = |name: &str, given: bool| Ok::<_, Error>(flag(call, name)? || given);
    let provider = access.find(call).await?;
    if provider.protocol != Protocol::Ldap {
        return Err(Error::new(
            Kind::BadRequest,
            format!(
                "the provider speaks {}; only LDAP directories are synced",
                provider.protocol.name()
            ),
        ));
    }
    let order = Order {
        full: asked("full", given.full)?,
        allow_removals: asked("allow_removals", given.allow_removals)?,
        request_id: call.request_id.clone(),
    };
    let log = SyncLog {
        dry_run: asked("dry_run", given.dry_run)?,
        actor: access.actor(),
        ..opened(&call.app.platform, &provider.id, "manual")?
    };
    let tenant = &provider.tenant_id;
    match call
        .change(tenant, sync_runs::begin(tenant, &log, &order))
        .await
    {
        Ok(_) => {}
        Err(store::Error::Guard(Guard::SyncRunning)) => {
            look(call, (tenant, &provider.id), None).await?;
            let running = "a sync of this provider is under way";
            return Err(Error::new(Kind::Conflict, running));
        }
        Err(store::Error::Guard(Guard::ProviderMissing)) => {
            return Err(Error::not_found("the identity provider"));
        }
        Err(error) => return Err(error.into()),
    }
    let message = message(tenant, &provider.id, &log.id);
    if messages::send(&call.app.platform, message, 0)
        .await
        .is_err()
    {
        call.run(
            Some(tenant),
            Vec::from(sync_runs::abandon(tenant, &log, call.now)),
        )
        .await?;
    }
    let detail = wait(call, tenant, &log).await?;
    Ok(envelope::single(call, 200, detail))
}

/// The line in the log of a run that begins now.
pub fn opened(platform: &Platform, idp: &str, started_by: &str) -> Result<SyncLog> {
    let id = platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref());
    Ok(SyncLog {
        id: id.map_err(Error::internal)?,
        idp_id: idp.to_owned(),
        started_by: started_by.to_owned(),
        actor: "schedule".to_owned(),
        mode: "full".to_owned(),
        dry_run: false,
        status: "running".to_owned(),
        counts: "{}".to_owned(),
        reason: None,
        started_at: platform.clock.now(),
        finished_at: None,
    })
}

/// The message that goes on with a run.
pub fn message(tenant: &TenantId, idp: &str, log: &str) -> Message {
    Message::Sync {
        tenant: tenant.to_string(),
        idp: idp.to_owned(),
        log: log.to_owned(),
    }
}

/// Looks at a run until it is over, or for as long as a request may wait: the run goes on without it.
async fn wait(call: &Call<'_>, tenant: &TenantId, log: &SyncLog) -> Result<SyncLogDetail> {
    let platform = &call.app.platform;
    let until = call.now + PATIENCE_MS;
    let mut pause = FIRST_PAUSE_MS;
    loop {
        platform.timer.sleep(pause).await;
        pause = LONGEST_PAUSE_MS.min(pause * 2);
        let mut batch = vec![sync_logs::select(tenant, &log.idp_id, &log.id)];
        if log.dry_run {
            batch.extend(sync_logs::select_entries(tenant, &log.id, MAX_SHOWN, 0));
        }
        let is_late = platform.clock.now() >= until;
        let results = match call.run(Some(tenant), batch).await {
            Ok(results) => results,
            // The run does not depend on what this request can see of it.
            Err(store::Error::Overloaded(_)) if !is_late => continue,
            Err(error) => return Err(error.into()),
        };
        let row = rows_at(&results, 0)?.first();
        let log = sync_logs::sync_log(row.ok_or_else(|| Error::not_found(LOG))?)?;
        if log.status != "running" || is_late {
            let entries = results.get(2).map(entries_of).transpose()?;
            let log = SyncLogResponse::of(&log);
            return Ok(SyncLogDetail { log, entries });
        }
    }
}

/// Sends the message of a provider's run anew, where nothing was heard of that for long; the first results are those of `batch`.
async fn look(
    call: &Call<'_>,
    (tenant, idp): (&TenantId, &str),
    batch: impl IntoIterator<Item = Statement>,
) -> Result<Vec<Rows>> {
    let mut all = sync_runs::revive(tenant, idp, call.now);
    let revived = all.len();
    all.extend(batch);
    let mut results = call.run(Some(tenant), all).await?;
    let rest = results.split_off(revived.min(results.len()));
    if let Some(row) = results.last().and_then(Rows::first) {
        let message = message(tenant, idp, &row.text("log_id")?);
        messages::send(&call.app.platform, message, 0).await?;
    }
    Ok(rest)
}

/// `GET …/sync-logs`.
pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let access = Access::of(call, admin, View::Admin)?;
    let page = Page::of(call)?;
    let (tenant, idp) = provider_in_path(call, &access).await?;
    let batch = sync_logs::select_page(&tenant, &idp, page.per_page, page.offset());
    let results = look(call, (&tenant, &idp), batch).await?;
    envelope::list(call, page, &results, |row| {
        Ok(SyncLogResponse::of(&sync_logs::sync_log(row)?))
    })
}

/// `GET …/sync-logs/{log_id}`, with a page of its entries.
pub async fn read(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let access = Access::of(call, admin, View::Admin)?;
    let page = Page::of(call)?;
    let (tenant, idp) = provider_in_path(call, &access).await?;
    let id = call.id("log_id", LOG)?;
    let mut batch = vec![sync_logs::select(&tenant, &idp, &id)];
    batch.extend(sync_logs::select_entries(
        &tenant,
        &id,
        page.per_page,
        page.offset(),
    ));
    let results = look(call, (&tenant, &idp), batch).await?;
    let row = rows_at(&results, 0)?.first();
    let log = sync_logs::sync_log(row.ok_or_else(|| Error::not_found(LOG))?)?;
    let entries = entries_of(rows_at(&results, 2)?)?;
    let detail = SyncLogDetail {
        log: SyncLogResponse::of(&log),
        entries: Some(entries),
    };
    let total = rows_at(&results, 1)?.first();
    let total = total.map_or(Ok(0), |row| row.integer("total"))?;
    Ok(envelope::paged(call, page, total, detail))
}

async fn provider_in_path(call: &Call<'_>, access: &Access<'_>) -> Result<(TenantId, String)> {
    let provider = access.find(call).await?;
    Ok((provider.tenant_id, provider.id))
}

fn entries_of(rows: &Rows) -> Result<Vec<SyncEntryResponse>> {
    let entries = rows.rows.iter();
    entries
        .map(|row| Ok(sync_logs::sync_entry(row)?.into()))
        .collect()
}
