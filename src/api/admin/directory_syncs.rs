//! `/api/v1/admin/identity-providers/{idp_id}/sync` and `…/sync-logs`: directory syncs asked for, and looked at; and those that are due.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::identity_providers::access::{Access, View, WHAT};
use super::identity_providers::config::Config;
use super::identity_providers::directory;
use super::identity_providers::fields::AttributeName;
use super::identity_providers::types::MissingUserAction;
use crate::api::http::app::App;
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::input::{Page, body, flag};
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::platform;
use crate::scim::date_time;
use crate::store::identity_providers::{self as rows, IdentityProvider, Protocol};
use crate::store::sync_logs::{self, SyncEntry, SyncLog};
use crate::store::{Rows, directory_syncs, rows_at};
use crate::sync::counts::Counts;
use crate::sync::digest::Digest;
use crate::sync::mapping::Mapping;
use crate::sync::object::Note;
use crate::sync::{Job, Missing, Source, run};

const LOG: &str = "the sync log";
/// Syncs that one tick of the clock starts, one after the other.
const DUE_AT_ONCE: i64 = 4;

/// `POST …/sync`: all of it optional, in the body or in the query.
#[derive(Default, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct SyncRequest {
    /// Tells what a sync would do, and writes nothing.
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
}

/// One run with what it did, object by object. A run that was carried out has its entries in its log.
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
            dry_run: log.status == "planned",
            status: log.status.clone(),
            // A log of an older version may have other numbers.
            counts: serde_json::from_str(&log.counts).unwrap_or_default(),
            error: log.reason.clone(),
            started_at: date_time::format(log.started_at),
            finished_at: log.finished_at.map(date_time::format),
            duration_ms: log.finished_at.map(|finished| finished - log.started_at),
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

impl SyncEntryResponse {
    fn planned((index, note): (usize, &Note)) -> Self {
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        SyncEntryResponse {
            seq: i64::try_from(index + 1).unwrap_or(i64::MAX),
            resource_type: note.kind.name().to_owned(),
            action: note.action.name().to_owned(),
            unique_id: text(&note.unique_id),
            dn: text(&note.dn),
            name: text(&note.name),
            // What is not there yet has no id that would stay.
            resource_id: match note.action {
                crate::sync::object::Action::Created => None,
                _ => note.resource_id.clone(),
            },
            reason: note.reason.clone(),
        }
    }
}

/// `POST …/sync`. What goes wrong with the sync is in its log, and the reply is 200.
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
    let dry_run = asked("dry_run", given.dry_run)?;
    let job = Job {
        tenant: provider.tenant_id.clone(),
        idp: provider.id.clone(),
        source: source(call.app, &provider),
        dry_run,
        full: asked("full", given.full)?,
        allow_removals: asked("allow_removals", given.allow_removals)?,
        started_by: "manual",
        actor: access.actor(),
        request_id: call.request_id.clone(),
    };
    let report = run(&call.app.platform, &job).await?;
    call.add_cost(report.cost);
    let mut log = SyncLogResponse::of(&report.log);
    log.dry_run = dry_run;
    let shown = report.notes.iter().enumerate();
    let detail = SyncLogDetail {
        log,
        entries: dry_run.then(|| shown.map(SyncEntryResponse::planned).collect()),
    };
    Ok(envelope::single(call, 200, detail))
}

/// `GET …/sync-logs`.
pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let access = Access::of(call, admin, View::Admin)?;
    let page = Page::of(call)?;
    let (tenant, idp) = provider_in_path(call, &access).await?;
    let mut batch = Vec::from(sync_logs::expire(&tenant, &idp, call.now));
    batch.extend(sync_logs::select_page(
        &tenant,
        &idp,
        page.per_page,
        page.offset(),
    ));
    let results = call.run(Some(&tenant), batch).await?;
    let results = results.get(2..).unwrap_or_default();
    envelope::list(call, page, results, |row| {
        Ok(SyncLogResponse::of(&sync_logs::sync_log(row)?))
    })
}

/// `GET …/sync-logs/{log_id}`, with a page of its entries.
pub async fn read(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let access = Access::of(call, admin, View::Admin)?;
    let page = Page::of(call)?;
    let (tenant, idp) = provider_in_path(call, &access).await?;
    let id = call.id("log_id", LOG)?;
    let mut batch = Vec::from(sync_logs::expire(&tenant, &idp, call.now));
    batch.push(sync_logs::select(&tenant, &idp, &id));
    batch.extend(sync_logs::select_entries(
        &tenant,
        &id,
        page.per_page,
        page.offset(),
    ));
    let results = call.run(Some(&tenant), batch).await?;
    let row = rows_at(&results, 2)?.first();
    let log = sync_logs::sync_log(row.ok_or_else(|| Error::not_found(LOG))?)?;
    let entries = rows_at(&results, 4)?
        .rows
        .iter()
        .map(|row| Ok(sync_logs::sync_entry(row)?.into()))
        .collect::<Result<Vec<SyncEntryResponse>>>()?;
    let detail = SyncLogDetail {
        log: SyncLogResponse::of(&log),
        entries: Some(entries),
    };
    let total = rows_at(&results, 3)?.first();
    let total = total.map_or(Ok(0), |row| row.integer("total"))?;
    Ok(envelope::paged(call, page, total, detail))
}

async fn provider_in_path(call: &Call<'_>, access: &Access<'_>) -> Result<(TenantId, String)> {
    let provider = access.find(call).await?;
    Ok((provider.tenant_id, provider.id))
}

impl App {
    /// Runs the syncs that are due, a few of them; each fails alone.
    pub async fn run_due_syncs(&self) {
        let database = self.platform.database_of(None);
        let due = directory_syncs::select_due(self.platform.clock.now(), DUE_AT_ONCE);
        let due = match database.run(vec![due]).await {
            Ok(results) => results.into_iter().next().unwrap_or_default(),
            Err(error) => {
                let line = json!({"scheduled": "syncs", "error": error.to_string()});
                return self.platform.log.line(&line.to_string());
            }
        };
        for (tenant, idp) in due_of(&due) {
            let started = self.platform.clock.now();
            let result = AssertUnwindSafe(self.run_due(&tenant, &idp))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err(Error::internal("a panic")));
            let (report, error) = match result {
                Ok(report) => (Some(report), None),
                Err(error) => (None, Some(error.internal.unwrap_or(error.detail))),
            };
            let cost = report.as_ref().map(|report| report.cost);
            let line = json!({
                "scheduled": "sync",
                "tenant": tenant.as_str(),
                "idp": idp,
                "status": report.map(|report| report.log.status),
                "d1_trips": cost.map(|cost| cost.trips),
                "d1_statements": cost.map(|cost| cost.statements),
                "d1_rows_read": cost.map(|cost| cost.read),
                "d1_rows_written": cost.map(|cost| cost.written),
                "duration_ms": self.platform.clock.now() - started,
                "error": error,
            });
            self.platform.log.line(&line.to_string());
        }
    }

    async fn run_due(&self, tenant: &TenantId, idp: &str) -> Result<crate::sync::Report> {
        let database = self.platform.database_of(Some(tenant));
        let results = database.run(vec![rows::select(idp, Some(tenant))]).await?;
        let row = rows_at(&results, 0)?.first();
        let provider = rows::identity_provider(row.ok_or_else(|| Error::not_found(WHAT))?)?;
        let platform = &self.platform;
        let job = Job {
            tenant: tenant.clone(),
            idp: idp.to_owned(),
            source: source(self, &provider),
            dry_run: false,
            full: false,
            allow_removals: false,
            started_by: "scheduled",
            actor: "schedule".to_owned(),
            request_id: platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref())
                .map_err(Error::internal)?,
        };
        run(platform, &job).await
    }
}

fn due_of(due: &Rows) -> Vec<(TenantId, String)> {
    let read = due.rows.iter().filter_map(|row| {
        let tenant = TenantId::parse(&row.text("tenant_id").ok()?)?;
        Some((tenant, row.text("id").ok()?))
    });
    read.collect()
}

/// The directory of a provider. The error is a sentence for the sync's log.
fn source(app: &App, provider: &IdentityProvider) -> std::result::Result<Source, String> {
    let Ok(Config::Ldap(config)) = Config::of(provider) else {
        return Err("the stored configuration cannot be read; write it again".to_owned());
    };
    let settings = directory::settings(app, provider, &config).map_err(|_| {
        "the stored bind password does not open: the key that sealed it is gone, or it was set for another address; set it again"
            .to_owned()
    })?;
    let name = |name: &AttributeName| name.as_str().to_owned();
    let mapped = &config.attribute_mapping;
    let optional = |mapped: &Option<AttributeName>| mapped.as_ref().map(name);
    let (users, groups) = config.places();
    Ok(Source {
        settings,
        users,
        groups,
        mapping: Mapping {
            unique_id: name(&config.unique_id_attribute),
            member: name(&config.member_attribute),
            user_name: name(&mapped.user_name),
            email: optional(&mapped.email),
            first_name: optional(&mapped.first_name),
            last_name: optional(&mapped.last_name),
            display_name: optional(&mapped.display_name),
            active: optional(&mapped.active),
            group_name: name(&mapped.group_name),
        },
        missing: match config.missing_user_action {
            MissingUserAction::Deactivate => Missing::Deactivate,
            MissingUserAction::Delete => Missing::Delete,
            MissingUserAction::Keep => Missing::Keep,
        },
        max_removal_percent: usize::try_from(config.max_removal_percent.0).unwrap_or_default(),
        digest: Digest::of(&provider.config),
    })
}
