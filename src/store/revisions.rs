//! Rows of `revisions`, read: what resources were before they were changed. They are written by [`change`](crate::change), with the change.

use serde::Deserialize;

use super::set::Set;
use super::tables::table;
use super::{Error, Params, Result, Row, Statement};
use crate::ids::TenantId;
use crate::scim::schema::ResourceType;

/// Most text of resources that comes along with a page, in bytes: what the rows of a full page share.
const TEXT_ON_PAGE: i64 = 8_000_000;

/// What a resource is now: columns `resource`, null where it is not there, and `is_deleted`, whether it has been. One row, none where the
/// tenant does not exist.
pub fn select_now(tenant: &TenantId, resource_type: &ResourceType, id: &str) -> Statement {
    let table = table(resource_type);
    Statement::new(
        format!(
            "select r.resource, d.id is not null as is_deleted from tenants t \
             left join {table} r on r.tenant_id = t.id and r.id = ?2 \
             left join tombstones d on d.tenant_id = t.id and d.resource_type = ?3 and d.id = ?2 \
             where t.id = ?1 and t.deleted_at is null"
        ),
        vec![tenant.into(), id.into(), resource_type.name.into()],
    )
}

/// What a resource was after the events before that number: the first text that was kept since, as `resource`; no row where none was.
pub fn select_later(tenant: &TenantId, id: &str, seq: i64) -> Statement {
    Statement::new(
        "select v.resource from audit_events e indexed by audit_events_resource_idx cross join revisions v \
         on v.tenant_id = ?1 and v.request_id = e.request_id and v.seq = e.seq and v.part = '' and v.resource is not null \
         where e.tenant_id = ?1 and e.resource_id = ?2 and e.seq >= ?3 order by e.seq limit 1",
        vec![tenant.into(), id.into(), seq.into()],
    )
}

/// A page of a resource's events before the one with that number, the latest first, each with what was before it.
pub fn select_page(
    tenant: &TenantId,
    resource_type: &ResourceType,
    id: &str,
    before: Option<i64>,
    limit: i64,
) -> Statement {
    let mut params = Params::new(vec![tenant.into(), id.into(), resource_type.name.into()]);
    let bound = before.map_or(String::new(), |before| {
        format!(" and seq < {}", params.bind(before))
    });
    let share = TEXT_ON_PAGE / limit.max(1);
    let limit = params.bind(limit);
    Statement::new(
        format!(
            "select e.seq, e.at, e.actor, e.action, e.attributes, e.detail, e.request_id, v.seq is not null as is_kept, v.version, \
             v.resource is null as is_same, iif(octet_length(v.resource) <= {share}, v.resource, null) as resource from ( \
             select * from audit_events indexed by audit_events_resource_idx where tenant_id = ?1 and resource_id = ?2 \
             and resource_type = ?3{bound} order by seq desc limit {limit}) e left join revisions v \
             on v.tenant_id = ?1 and v.request_id = e.request_id and v.seq = e.seq and v.part = '' order by e.seq desc"
        ),
        params.into_values(),
    )
}

/// An event of a resource, and what the resource was before it.
#[derive(Debug, Clone)]
pub struct Revision {
    pub seq: i64,
    /// Milliseconds since 1970.
    pub at: i64,
    pub actor: String,
    pub action: String,
    /// JSON: an array of names.
    pub attributes: String,
    /// JSON; see [`Detail`](crate::change::audit::Detail).
    pub detail: Option<String>,
    pub request_id: String,
    pub before: Before,
}

/// What a resource was before an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Before {
    /// That was not kept, or is too long to come along with a page.
    Unknown,
    /// It was not there.
    Absent,
    /// What it is after it, but for memberships; its version then.
    Same(i64),
    /// That text, in that version.
    Was(i64, String),
}

/// Reads a row of [`select_page`].
pub fn revision(row: &Row) -> Result<Revision> {
    let is_same = row.boolean("is_same")?;
    let before = match (
        row.optional_integer("version")?,
        row.optional_text("resource")?,
    ) {
        _ if !row.boolean("is_kept")? => Before::Unknown,
        (None, _) => Before::Absent,
        (Some(version), Some(text)) => Before::Was(version, text),
        (Some(version), None) if is_same => Before::Same(version),
        (Some(_), None) => Before::Unknown,
    };
    Ok(Revision {
        seq: row.integer("seq")?,
        at: row.integer("at")?,
        actor: row.text("actor")?,
        action: row.text("action")?,
        attributes: row.text("attributes")?,
        detail: row.optional_text("detail")?,
        request_id: row.text("request_id")?,
        before,
    })
}

/// Which changes requests made of users and groups: columns `request_id`, `seq`, `resource_type` and `resource_id`, up to so many.
pub fn select_of_requests(tenant: &TenantId, requests: &[String], limit: i64) -> Vec<Statement> {
    Set::of_ids(requests).statements(&[tenant.into(), limit.into()], |part| {
        format!(
            "{} select v.request_id, v.seq, v.resource_type, v.resource_id from e cross join revisions v \
             on v.tenant_id = ?1 and v.request_id = e.id group by v.request_id, v.seq limit ?2",
            part.table()
        )
    })
}

/// The same as far as the journal and the audit trail tell of it: of changes before which nothing was kept.
pub fn select_of_journal(
    tenant: &TenantId,
    requests: impl IntoIterator<Item = String>,
    limit: i64,
) -> Vec<Statement> {
    let requests: Vec<String> = requests.into_iter().collect();
    Set::of_ids(&requests).statements(&[tenant.into(), limit.into()], |part| {
        format!(
            "{} select a.request_id, a.seq, a.resource_type, a.resource_id from e cross join requests r on r.tenant_id = ?1 and r.id = e.id \
             cross join audit_events a not indexed on a.tenant_id = ?1 and a.seq > r.seq and a.seq < coalesce((select x.seq \
             from audit_events x not indexed where x.tenant_id = ?1 and x.seq > r.seq and x.request_id <> e.id order by x.seq limit 1), \
             9007199254740991) where a.resource_type in ('User', 'Group') and a.action <> 'collide' limit ?2",
            part.table()
        )
    })
}

/// What was kept under these requests and numbers, each part a row.
pub fn select_kept<'k>(
    tenant: &TenantId,
    keys: impl IntoIterator<Item = (&'k str, i64)>,
) -> Vec<Statement> {
    let rows = keys
        .into_iter()
        .map(|(request_id, seq)| vec![request_id.into(), seq.into()]);
    Set::new(&["request_id", "seq"], rows).statements(&[tenant.into()], |part| {
        format!(
            "{} select v.* from e cross join revisions v on v.tenant_id = ?1 and v.request_id = e.request_id and v.seq = e.seq",
            part.table()
        )
    })
}

/// Which requests changed resources after the event of each with that number: columns `id`, `request_id` and `actor`.
pub fn select_since<'k>(
    tenant: &TenantId,
    resources: impl IntoIterator<Item = (&'k str, i64)>,
) -> Vec<Statement> {
    let rows = resources
        .into_iter()
        .map(|(id, seq)| vec![id.into(), seq.into()]);
    Set::new(&["id", "seq"], rows).statements(&[tenant.into()], |part| {
        format!(
            "{} select distinct e.id, a.request_id, a.actor from e cross join audit_events a indexed by audit_events_resource_idx \
             on a.tenant_id = ?1 and a.resource_id = e.id and a.seq > e.seq where a.action <> 'collide'",
            part.table()
        )
    })
}

/// A row of [`select_kept`].
#[derive(Debug, Clone)]
pub struct Kept {
    pub seq: i64,
    pub request_id: String,
    pub resource_type: String,
    pub id: String,
    /// What the row was; none where there was none.
    pub version: Option<i64>,
    pub created: i64,
    pub provider_id: String,
    /// None where only memberships changed.
    pub resource: Option<String>,
    pub memberships: Memberships,
}

/// Memberships that changed, or went with what was deleted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Memberships {
    /// Those who were no members before.
    #[serde(default)]
    pub came: Vec<String>,
    /// Those who were, and on what grounds.
    #[serde(default)]
    pub was: Vec<(String, i64)>,
    /// The groups that a deleted resource was in.
    #[serde(default, rename = "in")]
    pub within: Vec<String>,
}

pub fn kept(row: &Row) -> Result<Kept> {
    let memberships = row.optional_text("memberships")?;
    let memberships = memberships
        .map(|text| serde_json::from_str(&text))
        .transpose();
    Ok(Kept {
        seq: row.integer("seq")?,
        request_id: row.text("request_id")?,
        resource_type: row.text("resource_type")?,
        id: row.text("resource_id")?,
        version: row.optional_integer("version")?,
        created: row.optional_integer("created_at")?.unwrap_or_default(),
        provider_id: row.optional_text("provider_id")?.unwrap_or_default(),
        resource: row.optional_text("resource")?,
        memberships: memberships
            .map_err(|error| Error::Backend(format!("memberships: {error}")))?
            .unwrap_or_default(),
    })
}
