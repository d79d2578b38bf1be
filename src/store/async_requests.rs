//! Rows of `async_requests`, `async_parts` and `async_results`: SCIM requests that are answered before they are carried out.

use super::set::Set;
use super::{Guard, Result, Row, Statement, guards};
use crate::ids::TenantId;

/// After how long without a word its message is sent anew, in milliseconds: 5 minutes.
const SILENT_MS: i64 = 300_000;
/// How often that is done, one after the other, before it is given up.
pub const MAX_RESENT: i64 = 5;
/// Most requests of a tenant that wait or are at work.
pub const MAX_RUNNING: i64 = 1_000;

/// A request.
#[derive(Debug, Clone)]
pub struct AsyncRequest {
    pub id: String,
    pub actor: String,
    pub method: String,
    pub route: String,
    /// Sealed; none once it is over.
    pub head: Option<String>,
    pub key_id: String,
    /// `running`, `done`, or `failed` where it was given up.
    pub status: String,
    pub fail_on_errors: Option<i64>,
    pub operations: i64,
    pub done: i64,
    pub failed: i64,
    pub parts: i64,
    /// The next one.
    pub part: i64,
}

impl AsyncRequest {
    pub fn is_running(&self) -> bool {
        self.status == "running"
    }
}

pub fn async_request(row: &Row) -> Result<AsyncRequest> {
    Ok(AsyncRequest {
        id: row.text("id")?,
        actor: row.text("actor")?,
        method: row.text("method")?,
        route: row.text("route")?,
        head: row.optional_text("head")?,
        key_id: row.text("key_id")?,
        status: row.text("status")?,
        fail_on_errors: row.optional_integer("fail_on_errors")?,
        operations: row.integer("operations")?,
        done: row.integer("done")?,
        failed: row.integer("failed")?,
        parts: row.integer("parts")?,
        part: row.integer("part")?,
    })
}

/// Keeps a part, which belongs to nothing before the request has its row.
pub fn insert_part(tenant: &TenantId, id: &str, number: i64, body: &str) -> Statement {
    Statement::new(
        "insert into async_parts (tenant_id, request_id, number, body) values (?1, ?2, ?3, ?4)",
        vec![tenant.into(), id.into(), number.into(), body.into()],
    )
}

/// Fails the batch with [`Guard::Full`] where as much of the tenant waits as may: so many requests, or so many bytes of them, as they are kept.
pub fn room(tenant: &TenantId, max_bytes: i64) -> Statement {
    guards::require(
        Guard::Full,
        &format!(
            "(select count(*) < {MAX_RUNNING} and coalesce(sum(w.bytes), 0) < ?2 from (select (select sum(octet_length(p.body)) \
             from async_parts p where p.tenant_id = r.tenant_id and p.request_id = r.id) as bytes \
             from async_requests r indexed by async_requests_running_idx \
             where r.tenant_id = ?1 and r.status = 'running' limit {MAX_RUNNING}) w)"
        ),
        vec![tenant.into(), max_bytes.into()],
    )
}

/// Removes the parts of a request that was not accepted.
pub fn forget(tenant: &TenantId, id: &str) -> Statement {
    Statement::new(
        "delete from async_parts where tenant_id = ?1 and request_id = ?2 \
         and not exists (select 1 from async_requests where tenant_id = ?1 and id = ?2)",
        vec![tenant.into(), id.into()],
    )
}

/// Accepts a request.
pub fn insert(tenant: &TenantId, request: &AsyncRequest, now: i64) -> Statement {
    Statement::new(
        "insert into async_requests (tenant_id, id, actor, method, route, head, key_id, status, fail_on_errors, operations, done, \
             failed, parts, part, accepted_at, updated_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?15)",
        vec![
            tenant.into(),
            (&request.id).into(),
            (&request.actor).into(),
            (&request.method).into(),
            (&request.route).into(),
            request.head.as_ref().into(),
            (&request.key_id).into(),
            (&request.status).into(),
            request.fail_on_errors.into(),
            request.operations.into(),
            request.done.into(),
            request.failed.into(),
            request.parts.into(),
            request.part.into(),
            now.into(),
        ],
    )
}

/// A request.
pub fn select(tenant: &TenantId, id: &str) -> Statement {
    Statement::new(
        "select * from async_requests where tenant_id = ?1 and id = ?2",
        vec![tenant.into(), id.into()],
    )
}

/// The `body` of a request's next part; none where it is over.
pub fn select_next(tenant: &TenantId, id: &str) -> Statement {
    Statement::new(
        "select p.body from async_requests r join async_parts p on p.tenant_id = r.tenant_id and p.request_id = r.id \
         and p.number = r.part where r.tenant_id = ?1 and r.id = ?2 and r.status = 'running'",
        vec![tenant.into(), id.into()],
    )
}

/// The first failure so far, as a `result`.
pub fn select_first_failure(tenant: &TenantId, id: &str) -> Statement {
    Statement::new(
        "select result from async_results where tenant_id = ?1 and request_id = ?2 \
         and json_extract(result, '$.response') is not null order by number limit 1",
        vec![tenant.into(), id.into()],
    )
}

/// What came of operations so far, in the order of their `number`, each with its `result`.
pub fn select_results(tenant: &TenantId, id: &str) -> Statement {
    Statement::new(
        "select number, result from async_results where tenant_id = ?1 and request_id = ?2 order by number",
        vec![tenant.into(), id.into()],
    )
}

/// Which of these operations have done what they were to, by their `number`.
pub fn select_succeeded(
    tenant: &TenantId,
    id: &str,
    numbers: impl IntoIterator<Item = i64>,
) -> Vec<Statement> {
    let rows = numbers.into_iter().map(|number| vec![number.into()]);
    Set::new(&["number"], rows).statements(&[tenant.into(), id.into()], |part| {
        format!(
            "{} select r.number from e cross join async_results r on r.tenant_id = ?1 and r.request_id = ?2 and r.number = e.number \
             where json_extract(r.result, '$.response') is null",
            part.table()
        )
    })
}

/// What a part comes to.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// How many operations it carries out, and how many of them fail.
    pub done: i64,
    pub failed: i64,
    /// Whether nothing follows.
    pub is_over: bool,
}

/// Makes a step in the batch of a part's changes. Fails the batch with [`Guard::LeaseLost`] where another message has made it.
pub fn advance(tenant: &TenantId, request: &AsyncRequest, step: Step, now: i64) -> [Statement; 3] {
    let key = || vec![tenant.into(), (&request.id).into(), request.part.into()];
    let mut update = key();
    update.extend([
        step.done.into(),
        step.failed.into(),
        step.is_over.into(),
        now.into(),
    ]);
    let mut parts = key();
    parts.push(step.is_over.into());
    [
        guards::may_step(
            "exists (select 1 from async_requests where tenant_id = ?1 and id = ?2 and part = ?3 and status = 'running')",
            key(),
        ),
        Statement::new(
            "update async_requests set part = part + 1, done = done + ?4, failed = failed + ?5, updated_at = ?7, resent = 0, \
             status = iif(?6, 'done', status), finished_at = iif(?6, ?7, null), head = iif(?6, null, head) \
             where tenant_id = ?1 and id = ?2 and part = ?3",
            update,
        ),
        Statement::new(
            "delete from async_parts where tenant_id = ?1 and request_id = ?2 and (number = ?3 or ?4)",
            parts,
        ),
    ]
}

/// What came of an operation.
pub struct Outcome {
    pub number: i64,
    /// JSON, without a version.
    pub result: String,
    /// The type and id of the resource, where it is there.
    pub resource: Option<(&'static str, String)>,
    /// By how many later operations of the same part the resource is changed again.
    pub behind: i64,
}

/// Writes down what came of operations, behind the statements that carry them out: with the versions that these left.
pub fn insert_results(tenant: &TenantId, id: &str, outcomes: &[Outcome]) -> Vec<Statement> {
    let rows = outcomes.iter().map(|outcome| {
        let (kind, resource) = match &outcome.resource {
            Some((kind, resource)) => (Some(*kind), Some(resource)),
            None => (None, None),
        };
        vec![
            outcome.number.into(),
            (&outcome.result).into(),
            kind.map(str::to_owned).as_ref().into(),
            resource.into(),
            outcome.behind.into(),
        ]
    });
    let set = Set::new(&["number", "result", "kind", "resource", "behind"], rows);
    set.statements(&[tenant.into(), id.into()], |part| {
        format!(
            "{} insert into async_results (tenant_id, request_id, number, result) \
             select ?1, ?2, v.number, iif(v.version is null, v.result, json_set(v.result, '$.version', 'W/\"' || cast(v.version - v.behind as integer) || '\"')) \
             from (select e.number, e.result, e.behind, case e.kind \
             when 'User' then (select u.version from users u where u.tenant_id = ?1 and u.id = e.resource) \
             when 'Group' then (select g.version from groups g where g.tenant_id = ?1 and g.id = e.resource) end as version from e) v",
            part.table()
        )
    })
}

/// Gives a request up that nothing comes of any more: what is left of it is not carried out.
pub fn give_up(tenant: &TenantId, id: &str, now: i64) -> [Statement; 3] {
    let key = || vec![tenant.into(), id.into()];
    let mut update = key();
    update.push(now.into());
    [
        guards::require(
            Guard::LeaseLost,
            "exists (select 1 from async_requests where tenant_id = ?1 and id = ?2 and status = 'running')",
            key(),
        ),
        Statement::new(
            "update async_requests set status = 'failed', finished_at = ?3, updated_at = ?3, head = null where tenant_id = ?1 and id = ?2",
            update,
        ),
        Statement::new(
            "delete from async_parts where tenant_id = ?1 and request_id = ?2",
            key(),
        ),
    ]
}

/// Requests of which nothing was heard for long, with `tenant_id`, `id`, `actor`, and how often they were `resent`: they are taken to be heard
/// of now.
pub fn revive(now: i64, limit: i64) -> Statement {
    Statement::new(
        "update async_requests set resent = resent + 1, updated_at = ?1 where (tenant_id, id) in (select s.tenant_id, s.id \
         from async_requests s indexed by async_requests_running_idx where s.status = 'running' and s.updated_at < ?2 \
         and exists (select 1 from tenants where id = s.tenant_id) limit ?3) \
         returning *",
        vec![now.into(), (now - SILENT_MS).into(), limit.into()],
    )
}
