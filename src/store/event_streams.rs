//! Rows of `event_streams`: who is told of a tenant's changes, and how far each is.

use super::statement::page;
use super::{Guard, Params, Result, Row, Rows, Statement, guards};
use crate::ids::TenantId;

/// A stream of events.
#[derive(Debug, Clone)]
pub struct EventStream {
    pub tenant_id: TenantId,
    pub id: String,
    pub name: String,
    pub kind: String,
    pub url: Option<String>,
    /// JSON: names of types, and patterns.
    pub types: String,
    /// Most events of one delivery.
    pub batch: i64,
    pub is_active: bool,
    pub secrets: Option<Sealed>,
    /// Of a stream of tokens: their `aud`, where it is not what it usually is.
    pub audience: Option<String>,
    /// Of a stream of tokens: their `iss`.
    pub issuer: Option<String>,
    /// Of a stream of tokens: `notice` or `full`.
    pub payload: Option<String>,
    /// JSON: ids of events beyond `after` that are acknowledged, in a stream that is polled; none where there are none.
    pub acknowledged: Option<String>,
    /// Everything up to this number is delivered.
    pub after: i64,
    /// The last number of what is being tried.
    pub pending: Option<i64>,
    pub failures: i64,
    pub failing_since: Option<i64>,
    pub next_try_at: Option<i64>,
    pub delivered_at: Option<i64>,
    pub paused_at: Option<i64>,
    pub paused_reason: Option<String>,
    pub created_at: i64,
    pub created_by: String,
    pub updated_at: i64,
    pub revision: i64,
    /// The number of the tenant's last event.
    pub last: i64,
}

impl EventStream {
    /// Whom its tokens are for: where nothing else is set, the address that they are sent to, or the stream.
    pub fn audience(&self) -> &str {
        let set = self.audience.as_deref().or(self.url.as_deref());
        set.unwrap_or(&self.id)
    }
}

/// What signs, sealed, and the id of the key that it is sealed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub text: String,
    pub key_id: String,
}

const COLUMNS: &str = "s.tenant_id, s.id, s.name, s.kind, s.url, s.types, s.batch, s.is_active, s.secrets, s.key_id, s.after_seq, \
     s.pending_seq, s.failures, s.failing_since, s.next_try_at, s.delivered_at, s.paused_at, s.paused_reason, s.created_at, s.created_by, \
     s.updated_at, s.revision, s.audience, s.issuer, s.payload, s.acknowledged, t.audit_seq as last";
const FROM: &str =
    "from event_streams s join tenants t on t.id = s.tenant_id and t.deleted_at is null";
/// Whether a row is one that events are sent to.
const IS_SENT: &str = "is_active = 1 and paused_at is null and kind <> 'set_poll'";

pub fn event_stream(row: &Row) -> Result<EventStream> {
    let (text, key_id) = (row.optional_text("secrets")?, row.optional_text("key_id")?);
    Ok(EventStream {
        tenant_id: super::scim_tokens::tenant_id(row)?,
        id: row.text("id")?,
        name: row.text("name")?,
        kind: row.text("kind")?,
        url: row.optional_text("url")?,
        types: row.text("types")?,
        batch: row.integer("batch")?,
        is_active: row.boolean("is_active")?,
        secrets: text
            .zip(key_id)
            .map(|(text, key_id)| Sealed { text, key_id }),
        audience: row.optional_text("audience")?,
        issuer: row.optional_text("issuer")?,
        payload: row.optional_text("payload")?,
        acknowledged: row.optional_text("acknowledged")?,
        after: row.integer("after_seq")?,
        pending: row.optional_integer("pending_seq")?,
        failures: row.integer("failures")?,
        failing_since: row.optional_integer("failing_since")?,
        next_try_at: row.optional_integer("next_try_at")?,
        delivered_at: row.optional_integer("delivered_at")?,
        paused_at: row.optional_integer("paused_at")?,
        paused_reason: row.optional_text("paused_reason")?,
        created_at: row.integer("created_at")?,
        created_by: row.text("created_by")?,
        updated_at: row.integer("updated_at")?,
        revision: row.integer("revision")?,
        last: row.integer("last")?,
    })
}

/// One stream; no row where the tenant has none of that id.
pub fn select(tenant: &TenantId, id: &str) -> Statement {
    Statement::new(
        format!("select {COLUMNS} {FROM} where s.tenant_id = ?1 and s.id = ?2"),
        vec![tenant.into(), id.into()],
    )
}

/// A page of a tenant's streams, and how many there are.
pub fn select_page(tenant: &TenantId, limit: i64, offset: i64) -> [Statement; 2] {
    let params = Params::new(vec![tenant.into()]);
    let source = format!("{FROM} where s.tenant_id = ?1");
    page(&source, params, COLUMNS, "s.id", (limit, offset))
}

/// Takes, for one run, the streams of a tenant that have not been sent what there is, though nobody is at it and nothing is waited for; as `id`.
/// Whoever is at one finds what is new before letting it go. The same run may come again.
pub fn take_behind(tenant: &TenantId, run: &str, now: i64, until: i64) -> Statement {
    Statement::new(
        format!(
            "update event_streams set run = ?2, lease_until = ?4 where tenant_id = ?1 and {IS_SENT} \
             and after_seq < (select audit_seq from tenants where id = ?1 and deleted_at is null) \
             and coalesce(next_try_at, 0) <= ?3 and (coalesce(lease_until, 0) <= ?3 or run = ?2) returning id"
        ),
        vec![tenant.into(), run.into(), now.into(), until.into()],
    )
}

/// Streams that have not been sent what there is, though nobody is at it and nothing is waited for: `tenant_id` and `id`.
pub fn select_behind(now: i64, limit: i64) -> Statement {
    Statement::new(
        format!(
            "select s.tenant_id, s.id from event_streams s join tenants t on t.id = s.tenant_id and t.deleted_at is null \
             where {IS_SENT} and s.after_seq < t.audit_seq and coalesce(s.next_try_at, 0) <= ?1 and coalesce(s.lease_until, 0) <= ?1 \
             limit ?2"
        ),
        vec![now.into(), limit.into()],
    )
}

/// How many streams of the tenant are sent events: whoever writes is told by it.
fn count(tenant: &TenantId) -> Statement {
    Statement::new(
        format!(
            "update tenants set push_streams = (select count(*) from event_streams where tenant_id = ?1 and {IS_SENT}) where id = ?1"
        ),
        vec![tenant.into()],
    )
}

/// Fails the batch with [`Guard::Full`] where the tenant has as many streams as it may have.
pub fn require_room(tenant: &TenantId, most: i64) -> Statement {
    guards::require(
        Guard::Full,
        "(select count(*) from event_streams where tenant_id = ?1) < ?2",
        vec![tenant.into(), most.into()],
    )
}

/// A new stream.
pub fn insert(stream: &EventStream) -> [Statement; 2] {
    let sealed = stream.secrets.as_ref();
    [
        Statement::new(
            "insert into event_streams (tenant_id, id, name, kind, url, types, batch, is_active, secrets, key_id, after_seq, created_at, \
             created_by, updated_at, revision, audience, issuer, payload) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?12, 1, ?14, ?15, ?16)",
            vec![
                (&stream.tenant_id).into(),
                (&stream.id).into(),
                (&stream.name).into(),
                (&stream.kind).into(),
                stream.url.as_ref().into(),
                (&stream.types).into(),
                stream.batch.into(),
                stream.is_active.into(),
                sealed.map(|sealed| &sealed.text).into(),
                sealed.map(|sealed| &sealed.key_id).into(),
                stream.after.into(),
                stream.created_at.into(),
                (&stream.created_by).into(),
                stream.audience.as_ref().into(),
                stream.issuer.as_ref().into(),
                stream.payload.as_ref().into(),
            ],
        ),
        count(&stream.tenant_id),
    ]
}

/// What an administrator may change, all of it, because the handler has read it all; also where it is, and whether it waits. Whoever delivers
/// notices. Fails the batch with [`Guard::VersionConflict`] where it was changed since.
pub fn update(stream: &EventStream) -> [Statement; 3] {
    let sealed = stream.secrets.as_ref();
    [
        guards::require(
            Guard::VersionConflict,
            "exists (select 1 from event_streams where tenant_id = ?1 and id = ?2 and revision = ?3)",
            vec![
                (&stream.tenant_id).into(),
                (&stream.id).into(),
                stream.revision.into(),
            ],
        ),
        Statement::new(
            "update event_streams set name = ?3, url = ?4, types = ?5, batch = ?6, is_active = ?7, secrets = ?8, key_id = ?9, updated_at = ?10, \
             audience = ?11, payload = ?12, revision = revision + 1 where tenant_id = ?1 and id = ?2",
            vec![
                (&stream.tenant_id).into(),
                (&stream.id).into(),
                (&stream.name).into(),
                stream.url.as_ref().into(),
                (&stream.types).into(),
                stream.batch.into(),
                stream.is_active.into(),
                sealed.map(|sealed| &sealed.text).into(),
                sealed.map(|sealed| &sealed.key_id).into(),
                stream.updated_at.into(),
                stream.audience.as_ref().into(),
                stream.payload.as_ref().into(),
            ],
        ),
        count(&stream.tenant_id),
    ]
}

/// Has a stream go on at once, from a number where one is given: nothing is waited for any more, and who is delivering gives up.
pub fn go_on(tenant: &TenantId, id: &str, after: Option<i64>, now: i64) -> [Statement; 2] {
    [
        Statement::new(
            "update event_streams set after_seq = coalesce(?3, after_seq), pending_seq = iif(?3 is null, pending_seq, null), \
             acknowledged = iif(?3 is null, acknowledged, null), failures = 0, \
             failing_since = null, next_try_at = null, paused_at = null, paused_reason = null, run = null, lease = null, lease_until = null, \
             updated_at = ?4, revision = revision + 1 where tenant_id = ?1 and id = ?2",
            vec![tenant.into(), id.into(), after.into(), now.into()],
        ),
        count(tenant),
    ]
}

pub fn delete(tenant: &TenantId, id: &str) -> [Statement; 2] {
    [
        Statement::new(
            "delete from event_streams where tenant_id = ?1 and id = ?2",
            vec![tenant.into(), id.into()],
        ),
        count(tenant),
    ]
}

/// Ends all streams of a tenant.
pub fn delete_all(tenant: &TenantId) -> [Statement; 2] {
    [
        Statement::new(
            "delete from event_streams where tenant_id = ?1",
            vec![tenant.into()],
        ),
        count(tenant),
    ]
}

/// Who delivers: a message, and the mark of one delivery of it.
#[derive(Debug, Clone, Copy)]
pub struct Holder<'h> {
    pub tenant: &'h TenantId,
    pub id: &'h str,
    pub lease: &'h str,
}

/// Takes a stream that is to be sent events, and that nobody else is at: for the message that was at it and comes again, whatever it had left.
/// Gives the stream; no row where there is nothing to do.
pub fn take(holder: Holder<'_>, run: &str, now: i64, until: i64) -> [Statement; 2] {
    let Holder { tenant, id, lease } = holder;
    [
        Statement::new(
            format!(
                "update event_streams set run = ?3, lease = ?4, lease_until = ?6 where tenant_id = ?1 and id = ?2 and {IS_SENT} \
                 and coalesce(next_try_at, 0) <= ?5 and (coalesce(lease_until, 0) <= ?5 or run = ?3)"
            ),
            vec![
                tenant.into(),
                id.into(),
                run.into(),
                lease.into(),
                now.into(),
                until.into(),
            ],
        ),
        Statement::new(
            format!(
                "select {COLUMNS} {FROM} where s.tenant_id = ?1 and s.id = ?2 and s.lease = ?3"
            ),
            vec![tenant.into(), id.into(), lease.into()],
        ),
    ]
}

/// Notes that all up to a number is delivered. As all that follows it gives a row where the holder is still the one.
pub fn advance(holder: Holder<'_>, through: i64, now: i64, until: i64) -> Statement {
    let Holder { tenant, id, lease } = holder;
    Statement::new(
        "update event_streams set after_seq = ?4, pending_seq = null, failures = 0, failing_since = null, next_try_at = null, \
         delivered_at = ?5, lease_until = ?6 where tenant_id = ?1 and id = ?2 and lease = ?3 returning id",
        vec![
            tenant.into(),
            id.into(),
            lease.into(),
            through.into(),
            now.into(),
            until.into(),
        ],
    )
}

/// What becomes of a stream whose delivery failed.
#[derive(Debug, Clone)]
pub struct Failure<'f> {
    pub failures: i64,
    pub since: i64,
    /// The last number of what was tried.
    pub pending: i64,
    pub next_try_at: i64,
    /// Why it is tried no more; none where it is.
    pub paused: Option<&'f str>,
}

/// Notes that a delivery failed, and lets the stream go.
pub fn fail(holder: Holder<'_>, failure: &Failure<'_>, now: i64) -> [Statement; 2] {
    let Holder { tenant, id, lease } = holder;
    [
        Statement::new(
            "update event_streams set failures = ?4, failing_since = ?5, pending_seq = ?6, next_try_at = ?7, paused_at = iif(?8 is null, null, ?9), \
             paused_reason = ?8, run = null, lease = null, lease_until = null where tenant_id = ?1 and id = ?2 and lease = ?3 returning id",
            vec![
                tenant.into(),
                id.into(),
                lease.into(),
                failure.failures.into(),
                failure.since.into(),
                failure.pending.into(),
                failure.next_try_at.into(),
                failure.paused.into(),
                now.into(),
            ],
        ),
        count(tenant),
    ]
}

/// Pauses a stream that can not be sent anything.
pub fn pause(holder: Holder<'_>, reason: &str, now: i64) -> [Statement; 2] {
    let Holder { tenant, id, lease } = holder;
    [
        Statement::new(
            "update event_streams set paused_at = ?5, paused_reason = ?4, run = null, lease = null, lease_until = null \
             where tenant_id = ?1 and id = ?2 and lease = ?3 returning id",
            vec![
                tenant.into(),
                id.into(),
                lease.into(),
                reason.into(),
                now.into(),
            ],
        ),
        count(tenant),
    ]
}

/// Lets a stream go; where `if_done`, only if nothing came meanwhile.
pub fn release(holder: Holder<'_>, if_done: bool) -> Statement {
    let Holder { tenant, id, lease } = holder;
    Statement::new(
        "update event_streams set run = null, lease = null, lease_until = null where tenant_id = ?1 and id = ?2 and lease = ?3 \
         and (?4 = 0 or after_seq >= (select audit_seq from tenants where id = ?1)) returning id",
        vec![tenant.into(), id.into(), lease.into(), if_done.into()],
    )
}

/// A row where the holder is still the one.
pub fn select_lease(holder: Holder<'_>) -> Statement {
    let Holder { tenant, id, lease } = holder;
    Statement::new(
        "select id from event_streams where tenant_id = ?1 and id = ?2 and lease = ?3",
        vec![tenant.into(), id.into(), lease.into()],
    )
}

/// Whether the holder was still the one, by what its statement gave.
pub fn is_held(rows: Option<&Rows>) -> bool {
    rows.is_some_and(|rows| rows.first().is_some())
}

/// Streams whose secrets are sealed with another key than that one, after one of them.
pub fn select_sealed_otherwise(key_id: &str, after: (&str, &str), limit: i64) -> Statement {
    Statement::new(
        "select tenant_id, id, secrets, key_id from event_streams where secrets is not null and key_id <> ?1 \
         and exists (select 1 from tenants t where t.id = tenant_id) and (tenant_id, id) > (?2, ?3) order by tenant_id, id limit ?4",
        vec![key_id.into(), after.0.into(), after.1.into(), limit.into()],
    )
}

/// How many these are, as `total`.
pub fn count_sealed_otherwise(key_id: &str) -> Statement {
    Statement::new(
        "select count(*) as total from event_streams where secrets is not null and key_id <> ?1 \
         and exists (select 1 from tenants t where t.id = tenant_id)",
        vec![key_id.into()],
    )
}

/// Puts secrets in that are sealed anew, unless others came meanwhile.
pub fn reseal(tenant: &TenantId, id: &str, before: &Sealed, after: &Sealed) -> Statement {
    Statement::new(
        "update event_streams set secrets = ?4, key_id = ?5 where tenant_id = ?1 and id = ?2 and secrets = ?3",
        vec![
            tenant.into(),
            id.into(),
            (&before.text).into(),
            (&after.text).into(),
            (&after.key_id).into(),
        ],
    )
}
