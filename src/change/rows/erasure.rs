//! What is left of a resource that is to be forgotten: what is recorded of it goes, and the audit trail keeps its id alone.
//!
//! Requests that were about it are found by indexes, all others that name it by looking through the journal, some [`SCANNED`] rows at a
//! time. Its names are known by what goes last.

use crate::ids::TenantId;
use crate::messages::Message;
use crate::scim::schema::ResourceType;
use crate::store::{Params, Statement};

/// Rows of the journal that one statement looks through.
pub const SCANNED: i64 = 2_000;
/// Most names that are looked for.
pub const MAX_NAMES: usize = 20;

/// What is to be forgotten.
#[derive(Debug, Clone)]
pub struct Subject {
    pub tenant: TenantId,
    pub resource_type: &'static ResourceType,
    pub id: String,
}

impl Subject {
    /// Asks to go on after that row of the journal.
    pub fn message(&self, after: String) -> Message {
        Message::Erase {
            tenant: self.tenant.to_string(),
            resource_type: self.resource_type.name.to_owned(),
            resource_id: self.id.clone(),
            after,
        }
    }
}

/// A name that it had.
#[derive(Debug, Clone)]
pub struct Name {
    /// Folded, as the journal has it.
    pub key: String,
    /// As JSON has it, with ASCII letters in lower case.
    pub quoted: String,
}

/// The requests that changed a resource, or were refused, as `id`; `?1` and `?2` are the tenant's id and its.
const REQUESTS: &str = "select request_id as id from audit_events indexed by audit_events_resource_idx \
     where tenant_id = ?1 and resource_id = ?2 union select id from requests indexed by requests_failed_resource_idx \
     where tenant_id = ?1 and resource_id = ?2 and failed = 1 and resource_id is not null";

/// The user names that it had, as `name`, as far as something tells of them.
pub fn select_names(of: &Subject) -> Statement {
    Statement::new(
        format!(
            "select distinct name from (select r.user_name as name from ({REQUESTS}) q cross join requests r \
             on r.tenant_id = ?1 and r.id = q.id and r.resource_id = ?2 union all \
             select json_extract(v.resource, '$.userName') from audit_events a indexed by audit_events_resource_idx \
             cross join revisions v on v.tenant_id = ?1 and v.request_id = a.request_id and v.seq = a.seq and v.part = '' \
             and v.resource_id = ?2 where a.tenant_id = ?1 and a.resource_id = ?2) where name is not null limit {MAX_NAMES}"
        ),
        vec![(&of.tenant).into(), (&of.id).into()],
    )
}

/// Whether a directory's sync is under way, as a row: what it has read is staged.
pub fn select_staged(tenant: &TenantId) -> Statement {
    Statement::new(
        "select 1 as staged from sync_chunks where tenant_id = ?1 limit 1",
        vec![tenant.into()],
    )
}

/// Whether the id is that of something else, as a row: then nothing is recorded of it under this type.
pub fn select_other(of: &Subject) -> Statement {
    Statement::new(
        "select 1 as other from audit_events indexed by audit_events_resource_idx \
         where tenant_id = ?1 and resource_id = ?2 and resource_type <> ?3 limit 1",
        vec![
            (&of.tenant).into(),
            (&of.id).into(),
            of.resource_type.name.into(),
        ],
    )
}

/// The condition that a request that is about nothing is about one of the names.
fn is_named(names: &[Name], params: &mut Params) -> String {
    let keys: Vec<String> = names.iter().map(|name| params.bind(&name.key)).collect();
    format!(
        "(resource_id is null and user_name_key in ({}))",
        keys.join(", ")
    )
}

/// What becomes of a row of the journal. Whose name it says is left out where `is_its` holds.
fn forgotten(is_its: &str) -> String {
    format!(
        "body_state = iif(body is null, body_state, 'erased'), body = null, detail = null, \
         user_name = iif({is_its}, null, user_name), user_name_key = iif({is_its}, null, user_name_key), \
         path = iif({is_its}, substr(path, 1, instr(path || '?', '?') - 1), path)"
    )
}

/// Looks through the next rows of the journal after that id, for those that name it and are about something else. The first statement gives
/// how many these are, as `count`, and the `last`; the second a row for each that is forgotten.
pub fn scan(of: &Subject, names: &[Name], after: &str) -> [Statement; 2] {
    let next = |place: &str| {
        format!(
            "select w.id from requests w not indexed where w.tenant_id = ?1 and w.id > {place} order by w.id limit {SCANNED}"
        )
    };
    let mut update = Params::new(vec![(&of.tenant).into(), (&of.id).into(), after.into()]);
    let is_named = is_named(names, &mut update);
    let quoted: String = names
        .iter()
        .map(|name| format!(" or instr(lower(body), {}) > 0", update.bind(&name.quoted)))
        .collect();
    [
        Statement::new(
            format!(
                "select count(*) as count, max(id) as last from ({})",
                next("?2")
            ),
            vec![(&of.tenant).into(), after.into()],
        ),
        Statement::new(
            format!(
                "update requests set {} where tenant_id = ?1 and id in ({}) and resource_id is not ?2 \
                 and (instr(body, ?2) > 0 or {is_named}{quoted}) returning id",
                forgotten(&is_named),
                next("?3")
            ),
            update.into_values(),
        ),
    ]
}

/// The tables of which [`finish`] gives rows, in its order.
pub const FINISHED: [&str; 5] = [
    "requests",
    "revisions",
    "tombstones",
    "sync_entries",
    "directory_entries",
];

/// Forgets the rest, by which its names were known. Each statement gives a row for each that is changed or gone.
pub fn finish(of: &Subject, names: &[Name]) -> [Statement; 5] {
    let params = Params::new(vec![(&of.tenant).into(), (&of.id).into()]);
    let mut update = params.clone();
    let is_its = format!("(resource_id is ?2 or {})", is_named(names, &mut update));
    let mut tombstone = params.clone();
    let kind = tombstone.bind(of.resource_type.name);
    let fixed = || params.clone().into_values();
    [
        Statement::new(
            format!(
                "update requests set {} where tenant_id = ?1 and id in (select id from ({REQUESTS})) \
                 and (body is not null or detail is not null or ({is_its} and (user_name is not null or user_name_key is not null))) \
                 returning id",
                forgotten(&is_its)
            ),
            update.into_values(),
        ),
        Statement::new(
            "delete from revisions where tenant_id = ?1 and resource_id = ?2 and request_id in \
             (select request_id from audit_events indexed by audit_events_resource_idx where tenant_id = ?1 and resource_id = ?2) \
             returning part",
            fixed(),
        ),
        Statement::new(
            format!(
                "delete from tombstones where tenant_id = ?1 and resource_type = {kind} and id = ?2 returning id"
            ),
            tombstone.into_values(),
        ),
        Statement::new(
            "update sync_entries set unique_id = null, dn = null, name = null, reason = null where tenant_id = ?1 and resource_id = ?2 \
             and coalesce(unique_id, dn, name, reason) is not null returning seq",
            fixed(),
        ),
        Statement::new(
            "delete from directory_entries where tenant_id = ?1 and resource_id = ?2 returning resource_id",
            fixed(),
        ),
    ]
}
