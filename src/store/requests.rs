//! Rows of `requests`, the journal, and of `request_counts`.

use super::{Params, Result, Row, Statement, Value, audit_events};
use crate::ids::TenantId;

/// Most refusals and look-ups of a tenant that are stored in a minute; more are counted.
pub const MAX_A_MINUTE: i64 = 600;

/// The largest group that the reply to a PATCH carries without being asked.
pub const MAX_MEMBERS_SHOWN: i64 = 500;

/// A request, as it is recorded.
#[derive(Debug, Clone)]
pub struct Entry {
    pub id: String,
    pub actor: String,
    pub method: String,
    pub route: String,
    pub path: String,
    pub status: u16,
    /// A group's PATCH is answered 204 where the group is large, which only the database knows: then the status is for a small one.
    pub is_by_size: bool,
    pub failed: bool,
    pub scim_type: Option<String>,
    pub detail: Option<String>,
    /// Codes, a JSON array.
    pub forgiven: String,
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
    /// The name in the request.
    pub user_name: Option<String>,
    /// The same folded.
    pub user_name_key: Option<String>,
    /// The name that the user had before, and the same folded; where it is none, the database is asked for it.
    pub former: Option<(String, String)>,
    /// Whether the request is to be found by the name, whatever became of it.
    pub is_named: bool,
    pub duration_ms: i64,
    pub d1_trips: i64,
    pub d1_rows_read: Option<i64>,
    pub d1_rows_written: Option<i64>,
    pub body_state: String,
    pub body: Option<String>,
}

/// How many audit events of the same batch the row's statement follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct After(pub i64);

/// Writes a row, in the batch of what it tells of.
pub fn insert(tenant: &TenantId, entry: &Entry, after: After) -> Statement {
    insert_where(tenant, entry, after, "", Vec::new())
}

/// Writes rows after the reply, while there are not too many in that minute, and counts them. A row that is there is corrected.
pub fn record(tenant: &TenantId, entry: &Entry, minute: i64) -> [Statement; 2] {
    [
        insert_where(
            tenant,
            entry,
            After(0),
            "and coalesce((select c.seen from request_counts c where c.tenant_id = ?1 and c.minute = ?minute), 0) < ?most",
            vec![minute.into(), MAX_A_MINUTE.into()],
        ),
        count(tenant, minute, 1),
    ]
}

/// Counts requests that are not stored.
pub fn count(tenant: &TenantId, minute: i64, more: i64) -> Statement {
    Statement::new(
        "insert into request_counts (tenant_id, minute, seen) select id, ?2, ?3 from tenants where id = ?1 and deleted_at is null \
         on conflict (tenant_id, minute) do update set seen = seen + excluded.seen",
        vec![tenant.into(), minute.into(), more.into()],
    )
}

/// The user whose id the request names is looked up on the way, where what they were is not known: it says whom a deletion is about, and
/// whether a name is given up.
fn insert_where(
    tenant: &TenantId,
    entry: &Entry,
    After(events): After,
    condition: &str,
    more: Vec<Value>,
) -> Statement {
    let mut params = Params::new(vec![tenant.into()]);
    let resource = params.bind(entry.resource_id.clone());
    let (name, key) = (&entry.user_name, &entry.user_name_key);
    let is_sought = entry.is_named || entry.failed;
    let is_asked = entry.former.is_none() && entry.resource_type.as_deref() == Some("User");
    let (join, name, key) = if is_asked {
        let (name, key) = (params.bind(name.clone()), params.bind(key.clone()));
        let key = match is_sought {
            true => format!("coalesce({key}, u.user_name_key)"),
            false => format!("iif(u.user_name_key <> {key}, u.user_name_key, null)"),
        };
        let join = format!("left join users u on u.tenant_id = t.id and u.id = {resource}");
        (
            join,
            format!("coalesce(json_extract(u.resource, '$.userName'), {name})"),
            key,
        )
    } else {
        let former = entry.former.as_ref();
        let former_key = former.map(|(_, key)| key);
        let key = match is_sought {
            true => key.as_ref().or(former_key),
            false => former_key.filter(|former| key.as_ref().is_some_and(|key| key != *former)),
        };
        let name = former.map(|(name, _)| name).or(name.as_ref());
        (
            String::new(),
            params.bind(name.cloned()),
            params.bind(key.cloned()),
        )
    };
    let status = params.bind(i64::from(entry.status));
    let status = match (entry.is_by_size, entry.failed) {
        (true, false) => format!(
            "iif((select g.member_count from groups g where g.tenant_id = t.id and g.id = {resource}) > {MAX_MEMBERS_SHOWN}, 204, {status})"
        ),
        _ => status,
    };
    let state = params.bind(&entry.body_state);
    let body = params.bind(entry.body.clone());
    let values = [
        params.bind(&entry.id),
        params.bind(&entry.actor),
        params.bind(&entry.method),
        params.bind(&entry.route),
        params.bind(&entry.path),
        status,
        params.bind(entry.failed),
        params.bind(entry.scim_type.clone()),
        params.bind(entry.detail.clone()),
        params.bind(&entry.forgiven),
        params.bind(entry.resource_type.clone()),
        resource,
        name,
        key,
        params.bind(entry.duration_ms),
        params.bind(entry.d1_trips),
        params.bind(entry.d1_rows_read),
        params.bind(entry.d1_rows_written),
        format!("t.audit_seq - {events}"),
        format!("iif(t.record_bodies, {state}, 'off')"),
        format!("iif(t.record_bodies, {body}, null)"),
    ]
    .join(", ");
    let mut condition = condition.to_owned();
    for (name, value) in ["?minute", "?most"].into_iter().zip(more) {
        condition = condition.replace(name, &params.bind(value));
    }
    let columns = format!("{SHOWN}, seq, body_state, body");
    Statement::new(
        format!(
            "insert into requests (tenant_id, {columns}) select t.id, {values} from tenants t {join} \
             where t.id = ?1 and t.deleted_at is null and t.requests_days > 0 {condition} \
             on conflict (tenant_id, id) do update set status = excluded.status, failed = excluded.failed, \
             scim_type = excluded.scim_type, detail = excluded.detail"
        ),
        params.into_values(),
    )
}

/// The columns that a list shows, in their order.
pub(super) const SHOWN: &str = "id, actor, method, route, path, status, failed, scim_type, detail, forgiven, resource_type, resource_id, \
     user_name, user_name_key, duration_ms, d1_trips, d1_rows_read, d1_rows_written";

/// A request, as it was recorded.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub id: String,
    pub actor: String,
    pub method: String,
    pub route: String,
    pub path: String,
    pub status: i64,
    pub failed: bool,
    pub scim_type: Option<String>,
    pub detail: Option<String>,
    pub forgiven: String,
    pub resource_type: Option<String>,
    pub resource_id: Option<String>,
    pub user_name: Option<String>,
    pub duration_ms: i64,
    pub d1_trips: i64,
    pub d1_rows_read: Option<i64>,
    pub d1_rows_written: Option<i64>,
    pub seq: i64,
}

pub fn recorded(row: &Row) -> Result<Recorded> {
    Ok(Recorded {
        id: row.text("id")?,
        actor: row.text("actor")?,
        method: row.text("method")?,
        route: row.text("route")?,
        path: row.text("path")?,
        status: row.integer("status")?,
        failed: row.boolean("failed")?,
        scim_type: row.optional_text("scim_type")?,
        detail: row.optional_text("detail")?,
        forgiven: row.text("forgiven")?,
        resource_type: row.optional_text("resource_type")?,
        resource_id: row.optional_text("resource_id")?,
        user_name: row.optional_text("user_name")?,
        duration_ms: row.integer("duration_ms")?,
        d1_trips: row.integer("d1_trips")?,
        d1_rows_read: row.optional_integer("d1_rows_read")?,
        d1_rows_written: row.optional_integer("d1_rows_written")?,
        seq: row.integer("seq")?,
    })
}

/// The request with that id, its body too; and what it changed, as the audit trail has it: at most [`MAX_CHANGES`].
pub fn select_one(tenant: &TenantId, id: &str) -> [Statement; 3] {
    let params = vec![tenant.into(), id.into()];
    [
        Statement::new(
            format!(
                "select {SHOWN}, seq, body_state, body from requests where tenant_id = ?1 and id = ?2 \
                 and exists (select 1 from tenants t where t.id = ?1 and t.deleted_at is null)"
            ),
            params.clone(),
        ),
        Statement::new(
            format!(
                "with r (seq) as materialized (select seq from requests where tenant_id = ?1 and id = ?2) \
                 select {} from audit_events e not indexed where e.tenant_id = ?1 and e.seq > (select seq from r) \
                 and e.seq < coalesce((select x.seq from audit_events x not indexed where x.tenant_id = ?1 \
                 and x.seq > (select seq from r) and x.request_id <> ?2 order by x.seq limit 1), 9007199254740991) \
                 order by e.seq limit {MAX_CHANGES}",
                audit_events::COLUMNS
            ),
            params.clone(),
        ),
        // What was after a change is what was before the next one of the resource, and what there is where none followed. Where the next
        // one was of memberships alone, that is not kept.
        Statement::new(
            format!(
                "select v.seq, v.resource as before, case (select n.seq from audit_events n indexed by audit_events_resource_idx \
                 where n.tenant_id = ?1 and n.resource_id = v.resource_id and n.seq > v.seq order by n.seq limit 1) is null \
                 when 1 then coalesce((select u.resource from users u where u.tenant_id = ?1 and u.id = v.resource_id), \
                 (select g.resource from groups g where g.tenant_id = ?1 and g.id = v.resource_id)) \
                 else (select w.resource from (select n.seq, n.request_id from audit_events n indexed by audit_events_resource_idx \
                 where n.tenant_id = ?1 and n.resource_id = v.resource_id and n.seq > v.seq order by n.seq limit 1) n \
                 join revisions w on w.tenant_id = ?1 and w.request_id = n.request_id and w.seq = n.seq and w.part = '' \
                 where w.resource_id = v.resource_id) end as after \
                 from revisions v where v.tenant_id = ?1 and v.request_id = ?2 and v.part = '' order by v.seq limit {MAX_CHANGES}"
            ),
            params,
        ),
    ]
}

/// Most changes of one request that are shown.
pub const MAX_CHANGES: i64 = 1_000;
