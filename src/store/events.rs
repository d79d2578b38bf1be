//! Changes in the order of their numbers, each with what it was about before and after it: what events are made of.
//!
//! What a resource was before a change is in `revisions`, under that change. So what it was after a change stands with the next one that
//! is kept, or in the resource's own row where nothing came since.

use super::audit_events::{AuditEvent, audit_event};
use super::tenants::OWN_SCHEMAS;
use super::{Result, Row, Statement};
use crate::ids::TenantId;

/// Most text of resources that comes along with a page, in bytes.
const TEXT_ON_PAGE: i64 = 8_000_000;
/// How many changes of a resource that follow a page are looked at for what it was after it.
const LOOKED_AT: i64 = 20;

/// Which numbers a tenant's changes have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The number of the last event before all that are there.
    pub first: i64,
    pub last: i64,
}

pub fn range(row: &Row) -> Result<Range> {
    Ok(Range {
        first: row.integer("first")?,
        last: row.integer("last")?,
    })
}

/// A tenant's [`Range`]; no row where the tenant does not exist.
pub fn select_range(tenant: &TenantId) -> Statement {
    Statement::new(
        format!(
            "select t.audit_seq as last, coalesce((select e.seq - 1 from audit_events e where e.tenant_id = t.id order by e.seq limit 1), \
             t.audit_seq) as first, t.schemas_revision, t.unknown_extensions, {OWN_SCHEMAS} from tenants t where t.id = ?1 \
             and t.deleted_at is null"
        ),
        vec![tenant.into()],
    )
}

/// A page of at most so many changes after the one numbered `after`, in their order. A tenant's numbers have no gaps, so that it ends with
/// `after + limit`.
///
/// Where a text is longer than its share of the page, `fits` is 0 and it is left out: a page of fewer changes has it.
pub fn select_page(tenant: &TenantId, after: i64, limit: i64) -> Statement {
    let share = TEXT_ON_PAGE / limit.max(1);
    let is_short = |text: &str| format!("coalesce(octet_length({text}), 0) <= {share}");
    let short = |text: &str| format!("iif({}, {text}, null)", is_short(text));
    // What follows a change of the same resource: on the page the caller sees it.
    let next = "select a.{} from audit_events a indexed by audit_events_resource_idx where a.tenant_id = ?1 \
         and a.resource_id = e.resource_id and a.seq > e.seq order by a.seq limit 1";
    let (next_seq, next_request) = (next.replace("{}", "seq"), next.replace("{}", "request_id"));
    // A deleted resource is nothing after it, and a new one was nothing before.
    let of_type = |name: &str| {
        format!(
            "e.action <> 'delete' and e.resource_type = '{name}' and coalesce(n.seq, ?3 + 1) > ?3"
        )
    };
    Statement::new(
        format!(
            "select e.seq, e.at, e.actor, e.action, e.resource_type, e.resource_id, e.attributes, e.detail, e.request_id, \
             v.seq is not null as is_kept, v.version as was_version, v.resource is not null as is_rewritten, {} as was, \
             coalesce(u.version, g.version) as now_version, {} as now, x.version as later_version, {} as later, \
             iif(n.seq > ?3, ({next_request}), null) as later_request, {} and {} and {} as fits \
             from audit_events e not indexed \
             left join revisions v on e.action <> 'create' and v.tenant_id = ?1 and v.request_id = e.request_id and v.seq = e.seq \
             and v.part = '' \
             left join audit_events n indexed by audit_events_resource_idx on n.tenant_id = ?1 and n.resource_id = e.resource_id \
             and n.seq = ({next_seq}) \
             left join users u on {} and u.tenant_id = ?1 and u.id = e.resource_id \
             left join groups g on {} and g.tenant_id = ?1 and g.id = e.resource_id \
             left join audit_events k on n.seq > ?3 and e.action <> 'delete' and k.tenant_id = ?1 and k.seq = ( \
             select c.seq from (select a.seq, a.request_id from audit_events a indexed by audit_events_resource_idx \
             where a.tenant_id = ?1 and a.resource_id = e.resource_id and a.seq > e.seq order by a.seq limit {LOOKED_AT}) c \
             cross join revisions r on r.tenant_id = ?1 and r.request_id = c.request_id and r.seq = c.seq and r.part = '' \
             where c.request_id <> e.request_id and r.resource is not null order by c.seq limit 1) \
             left join revisions x on x.tenant_id = ?1 and x.request_id = k.request_id and x.seq = k.seq and x.part = '' \
             where e.tenant_id = ?1 and e.seq > ?2 and e.seq <= ?3 order by e.seq",
            short("v.resource"),
            short("coalesce(u.resource, g.resource)"),
            short("x.resource"),
            is_short("v.resource"),
            is_short("coalesce(u.resource, g.resource)"),
            is_short("x.resource"),
            of_type("User"),
            of_type("Group"),
        ),
        vec![
            tenant.into(),
            after.into(),
            after.saturating_add(limit).into(),
        ],
    )
}

/// What a resource was at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub version: i64,
    /// As it is stored.
    pub resource: String,
}

/// A change, and what is known of the resource around it.
#[derive(Debug, Clone)]
pub struct Change {
    pub event: AuditEvent,
    /// Whether the resource was not there before it, as far as that is kept.
    pub was_absent: bool,
    /// What was before it.
    pub was: Option<Text>,
    /// The version before it, where it changed memberships alone.
    pub same_version: Option<i64>,
    /// What the resource is now; of the resource's last change on a page alone.
    pub now: Option<Text>,
    /// What it was before another request changed it, after the page; of its last change on a page alone.
    pub later: Option<Text>,
    /// The request of its next change after the page; none where there is none, or another one on the page.
    pub later_request: Option<String>,
    /// Whether its texts had room on the page.
    pub fits: bool,
}

pub fn change(row: &Row) -> Result<Change> {
    let text = |version: &str, resource: &str| -> Result<Option<Text>> {
        let version = row.optional_integer(version)?;
        let resource = row.optional_text(resource)?;
        let both = version.zip(resource);
        Ok(both.map(|(version, resource)| Text { version, resource }))
    };
    let (is_kept, fits) = (row.boolean("is_kept")?, row.boolean("fits")?);
    let was = text("was_version", "was")?;
    let was_version = row.optional_integer("was_version")?;
    Ok(Change {
        event: audit_event(row)?,
        was_absent: is_kept && was_version.is_none(),
        same_version: match row.boolean("is_rewritten")? {
            true => None,
            false => was_version,
        },
        was,
        now: text("now_version", "now")?,
        later: text("later_version", "later")?,
        later_request: row.optional_text("later_request")?,
        fits,
    })
}
