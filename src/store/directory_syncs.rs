//! Rows of `directory_syncs`: what is known of a provider's syncs, and the lease of the one under way.

use serde::{Deserialize, Serialize};

use super::sync_logs::SyncLog;
use super::{Guard, Result, Row, Statement, guards};
use crate::ids::TenantId;

/// What the last sync left for the next one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SyncState {
    /// The directory's own modifyTimestamp from which on changes are to be read.
    pub watermark: Option<String>,
    /// The latest modifyTimestamp that a reading has seen.
    pub newest: Option<String>,
    /// When the whole directory was read last, in milliseconds since 1970.
    pub full_at: Option<i64>,
    /// Hash of the configuration that it was read by.
    pub config_digest: Option<String>,
}

/// The state.
pub fn select(tenant: &TenantId, idp: &str) -> Statement {
    Statement::new(
        "select watermark, newest, full_at, config_digest from directory_syncs where tenant_id = ?1 and idp_id = ?2",
        vec![tenant.into(), idp.into()],
    )
}

pub fn state(row: &Row) -> Result<SyncState> {
    Ok(SyncState {
        watermark: row.optional_text("watermark")?,
        newest: row.optional_text("newest")?,
        full_at: row.optional_integer("full_at")?,
        config_digest: row.optional_text("config_digest")?,
    })
}

/// Takes the lease for a run, and fails the batch with [`Guard::SyncRunning`] where another holds it. A dry run is none that the next one
/// by the clock is counted from.
pub fn begin(tenant: &TenantId, log: &SyncLog, until: i64) -> [Statement; 2] {
    let started_at = if log.dry_run { 0 } else { log.started_at };
    [
        guards::require(
            Guard::SyncRunning,
            "not exists (select 1 from directory_syncs where tenant_id = ?1 and idp_id = ?2 and log_id is not null)",
            vec![tenant.into(), (&log.idp_id).into()],
        ),
        Statement::new(
            "insert into directory_syncs (tenant_id, idp_id, log_id, expires_at, started_at) values (?1, ?2, ?3, ?5, ?4) \
             on conflict (tenant_id, idp_id) do update set log_id = excluded.log_id, expires_at = excluded.expires_at, \
             started_at = max(started_at, excluded.started_at)",
            vec![
                tenant.into(),
                (&log.idp_id).into(),
                (&log.id).into(),
                started_at.into(),
                until.into(),
            ],
        ),
    ]
}

/// Gives the lease back. After a success what the next sync has to know is kept; `None` leaves that as it was.
pub fn end(tenant: &TenantId, idp: &str, state: Option<&SyncState>, now: i64) -> Statement {
    let known = "update directory_syncs set log_id = null, expires_at = null";
    match state {
        None => Statement::new(
            format!("{known} where tenant_id = ?1 and idp_id = ?2"),
            vec![tenant.into(), idp.into()],
        ),
        Some(state) => Statement::new(
            format!(
                "{known}, watermark = ?3, full_at = ?4, config_digest = ?5, synced_at = ?6, newest = ?7 where tenant_id = ?1 and idp_id = ?2"
            ),
            vec![
                tenant.into(),
                idp.into(),
                state.watermark.as_ref().into(),
                state.full_at.into(),
                state.config_digest.as_ref().into(),
                now.into(),
                state.newest.as_ref().into(),
            ],
        ),
    }
}

/// The providers whose next sync is due, the longest overdue first: columns `tenant_id` and `id`. Those that are enabled, of tenants
/// that are not deleted, and not being synced. It looks at every provider of every tenant, as the clock is everybody's.
pub fn select_due(now: i64, limit: i64) -> Statement {
    Statement::new(
        "select p.tenant_id, p.id from identity_providers p \
         join tenants t on t.id = p.tenant_id and t.deleted_at is null \
         left join directory_syncs s on s.tenant_id = p.tenant_id and s.idp_id = p.id \
         where p.protocol = 'LDAP' and p.enabled = 1 and p.deleted_at is null \
         and json_extract(p.config, '$.sync_interval_minutes') > 0 \
         and coalesce(s.started_at, 0) + json_extract(p.config, '$.sync_interval_minutes') * 60000 <= ?1 \
         and s.log_id is null \
         order by coalesce(s.started_at, 0) + json_extract(p.config, '$.sync_interval_minutes') * 60000 limit ?2",
        vec![now.into(), limit.into()],
    )
}

/// Providers with a run of which nothing was heard until now, the one that was silent for longest first: columns `tenant_id` and `id`.
pub fn select_silent(now: i64, limit: i64) -> Statement {
    Statement::new(
        "select tenant_id, idp_id as id from directory_syncs where log_id is not null and expires_at <= ?1 \
         order by expires_at limit ?2",
        vec![now.into(), limit.into()],
    )
}
