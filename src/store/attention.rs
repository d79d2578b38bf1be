//! What needs a person, as the tables tell: read for one tenant, in one batch.

use super::{Row, Statement};
use crate::ids::TenantId;

/// A token that ends this soon is told of, in milliseconds: 30 days.
const ENDS_SOON_MS: i64 = 30 * DAY_MS;
/// A token that was not used for this long is told of: 7 days.
const UNUSED_MS: i64 = 7 * DAY_MS;
const DAY_MS: i64 = 86_400_000;
/// Most refused requests of a day that are gone through.
const MAX_REFUSED: i64 = 5_000;
/// Most lines of one kind.
const MAX_LINES: i64 = 100;

/// The statements, each of which gives lines with `code`, `since` (milliseconds since 1970), `kind`, `id`, `name` and `count`, the first of
/// them a row where the tenant exists.
pub fn select(tenant: &TenantId, now: i64) -> [Statement; 8] {
    [
        Statement::new(
            "select 1 as there from tenants where id = ?1 and deleted_at is null",
            vec![tenant.into()],
        ),
        Statement::new(
            format!(
                "select iif(expires_at <= ?2, 'token_expired', iif(expires_at <= ?3, 'token_expires', 'token_unused')) as code, \
                 iif(expires_at <= ?3, expires_at, coalesce(last_used_at, created_at)) as since, \
                 'ScimToken' as kind, id, name, 1 as count from scim_tokens where tenant_id = ?1 and revoked_at is null and is_active = 1 \
                 and (expires_at <= ?3 or coalesce(last_used_at, created_at) <= ?4) order by id limit {MAX_LINES}"
            ),
            vec![
                tenant.into(),
                now.into(),
                (now + ENDS_SOON_MS).into(),
                (now - UNUSED_MS).into(),
            ],
        ),
        Statement::new(
            format!(
                "select 'requests_refused' as code, min(id) as first, 'Actor' as kind, actor as id, null as name, count(*) as count \
                 from (select id, actor from requests indexed by requests_failed_idx where tenant_id = ?1 and failed = 1 and id >= ?2 \
                 order by id desc limit {MAX_REFUSED}) group by actor order by count(*) desc limit {MAX_LINES}"
            ),
            vec![
                tenant.into(),
                super::request_lists::first_id(now - DAY_MS).into(),
            ],
        ),
        Statement::new(
            "select 'refusals_not_kept' as code, min(minute) * 60000 as since, 'Tenant' as kind, ?1 as id, null as name, \
             sum(seen - ?3) as count from request_counts where tenant_id = ?1 and minute >= ?2 and seen > ?3 having count(*) > 0",
            vec![
                tenant.into(),
                (now - DAY_MS).div_euclid(60_000).into(),
                super::requests::MAX_A_MINUTE.into(),
            ],
        ),
        Statement::new(
            format!(
                "select iif(l.status = 'stopped', 'sync_blocked', 'sync_failing') as code, l.started_at as since, \
                 'IdentityProvider' as kind, p.id, p.name, 1 as count from identity_providers p \
                 join sync_logs l on l.tenant_id = p.tenant_id and l.idp_id = p.id and l.id = (select m.id from sync_logs m \
                 where m.tenant_id = p.tenant_id and m.idp_id = p.id and m.status <> 'running' order by m.id desc limit 1) \
                 where p.tenant_id = ?1 and p.deleted_at is null and l.status in ('stopped', 'failed') order by p.id limit {MAX_LINES}"
            ),
            vec![tenant.into()],
        ),
        Statement::new(
            format!(
                "select 'fuse_tripped' as code, max(at) as since, 'Actor' as kind, actor as id, null as name, count(*) as count \
                 from audit_events indexed by audit_events_nouns_idx where tenant_id = ?1 and resource_type = 'Tenant' \
                 and resource_type not in ('User', 'Group') and action = 'trip' and at >= ?2 group by actor limit {MAX_LINES}"
            ),
            vec![tenant.into(), (now - DAY_MS).into()],
        ),
        Statement::new(
            format!(
                "select iif(paused_at is null, 'stream_failing', 'stream_paused') as code, coalesce(paused_at, failing_since) as since, \
                 'EventStream' as kind, id, name, max(failures, 1) as count from event_streams where tenant_id = ?1 and is_active = 1 \
                 and (paused_at is not null or failing_since is not null) order by id limit {MAX_LINES}"
            ),
            vec![tenant.into()],
        ),
        Statement::new(
            format!(
                "select 'message_dead' as code, max(at) as since, 'Message' as kind, max(id) as id, kind as name, count(*) as count \
                 from dead_messages where tenant_id = ?1 group by kind limit {MAX_LINES}"
            ),
            vec![tenant.into()],
        ),
    ]
}

/// A line, as a statement gave it.
#[derive(Debug, Clone)]
pub struct Line {
    pub code: String,
    /// Milliseconds since 1970.
    pub since: i64,
    pub kind: String,
    pub id: String,
    pub name: Option<String>,
    pub count: i64,
}

pub fn line(row: &Row) -> super::Result<Line> {
    let since = match row.value("since") {
        Ok(_) => row.integer("since")?,
        Err(_) => super::audit_events::time_of_id(&row.text("first")?).unwrap_or_default(),
    };
    Ok(Line {
        code: row.text("code")?,
        since,
        kind: row.text("kind")?,
        id: row.text("id")?,
        name: row.optional_text("name")?,
        count: row.integer("count")?,
    })
}
