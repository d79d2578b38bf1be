//! The audit trail: who changed which attributes of what, in the same batch as the change.

use serde_json::{Map, Value as Json, json};

use super::rows::removals::{self, Removals};
use crate::ids::TenantId;
use crate::scim::resource::Resource;
use crate::store::set::Set;
use crate::store::{Statement, Value};

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Create,
    Replace,
    Patch,
    Delete,
    Restore,
    /// A name that another resource has too, from before names were normalised; it is left as it is.
    Collide,
    Rotate,
    Revoke,
    /// More removals than usual are let through for a while.
    Allow,
    /// The fuse on removals has stopped one.
    Trip,
    /// What was kept for long enough is gone.
    Purge,
    /// What was recorded of a person, or a group, is gone.
    Erase,
    /// A token ends soon.
    Expire,
    /// A run of a directory sync is over.
    Sync,
    /// An operation of a request is carried out that was answered before.
    Finish,
}

impl Action {
    pub const fn name(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Replace => "replace",
            Action::Patch => "patch",
            Action::Delete => "delete",
            Action::Restore => "restore",
            Action::Collide => "collide",
            Action::Rotate => "rotate",
            Action::Revoke => "revoke",
            Action::Allow => "allow",
            Action::Trip => "trip",
            Action::Purge => "purge",
            Action::Erase => "erase",
            Action::Expire => "expire",
            Action::Sync => "sync",
            Action::Finish => "finish",
        }
    }
}

/// One change.
#[derive(Debug)]
pub struct Event<'e> {
    pub action: Action,
    pub resource_type: &'static str,
    pub resource_id: &'e str,
    /// Names of the attributes that changed, never their values.
    pub attributes: Vec<String>,
    pub detail: Detail,
}

/// Most ids that an event names of those who came, and as many of those who went; it counts all of them.
pub const MAX_NAMED: usize = 1_000;

/// What names of attributes leave open, and is nothing personal: which way `active` went, and whose memberships of a group came and went.
///
/// Stored as JSON, null where there is nothing to say: `{"active": false}`; of a group
/// `{"members": {"added": […], "added_total": 2, "removed": […], "removed_total": 0}}`, with the first [`MAX_NAMED`] ids of each;
/// of the end of a token, of a sync or of an operation what a product is told of it; of a purge or an erasure `{"purged": {"audit_events": 20000}}`, rows by their tables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Detail {
    /// What `active` is now, null where it is unassigned; nothing where it did not change.
    active: Option<Json>,
    added: Named,
    removed: Named,
    /// How many rows of which tables were purged.
    purged: Vec<(&'static str, i64)>,
    /// What else there is to say: names, each with its value.
    about: Map<String, Json>,
}

/// Ids, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Named {
    ids: Vec<String>,
    total: usize,
}

impl Named {
    fn extend<I: AsRef<str>>(&mut self, ids: impl IntoIterator<Item = I>) {
        for id in ids {
            self.total += 1;
            if self.ids.len() < MAX_NAMED {
                self.ids.push(id.as_ref().to_owned());
            }
        }
    }
}

impl Detail {
    /// Of a change to these attributes that left the resource so.
    pub fn of(attributes: &[String], after: &Resource) -> Self {
        let has_changed = attributes.iter().any(|name| name == "active");
        let active = || after.attributes.get("active").cloned();
        Detail {
            active: has_changed.then(|| active().unwrap_or_default()),
            ..Detail::default()
        }
    }

    /// Of rows that are gone.
    pub fn purged(rows: &[(&'static str, i64)]) -> Self {
        Detail {
            purged: rows.to_vec(),
            ..Detail::default()
        }
    }

    /// Of what is neither a user nor a group: what is told of it, by names.
    pub fn about(about: Map<String, Json>) -> Self {
        Detail {
            about,
            ..Detail::default()
        }
    }

    /// Whether a user was switched off.
    pub fn switches_off(&self) -> bool {
        self.active == Some(Json::Bool(false))
    }

    /// Names members who came, by their ids.
    pub fn add<I: AsRef<str>>(&mut self, members: impl IntoIterator<Item = I>) {
        self.added.extend(members);
    }

    /// Names members who went, by their ids.
    pub fn remove<I: AsRef<str>>(&mut self, members: impl IntoIterator<Item = I>) {
        self.removed.extend(members);
    }

    fn to_stored(&self) -> Option<String> {
        let mut stored = self.about.clone();
        if let Some(active) = &self.active {
            stored.insert("active".to_owned(), active.clone());
        }
        let (added, removed) = (&self.added, &self.removed);
        if added.total + removed.total > 0 {
            let members = json!({
                "added": added.ids, "added_total": added.total,
                "removed": removed.ids, "removed_total": removed.total,
            });
            stored.insert("members".to_owned(), members);
        }
        if !self.purged.is_empty() {
            let purged = self.purged.iter();
            let purged = purged.map(|(table, rows)| ((*table).to_owned(), (*rows).into()));
            stored.insert("purged".to_owned(), Json::Object(purged.collect()));
        }
        (!stored.is_empty()).then(|| Json::Object(stored).to_string())
    }
}

/// Who asked, and in which request.
#[derive(Debug, Clone)]
pub struct Origin {
    /// `scim-token:<id>` or `jwt:<sub>`.
    pub actor: String,
    pub request_id: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// What a change does to the tenant's counters.
#[derive(Debug, Clone, Copy, Default)]
pub struct Totals {
    pub users: i64,
    pub groups: i64,
    /// What is taken away by somebody whose removals are counted.
    pub removals: Removals,
}

/// Has the batch say whether somebody is to be sent the events (see [`announcing`](crate::announcing)).
const TELL: &str = " returning iif(push_streams > 0, id, null) as announced";

/// What is stored of an event `e` as its detail.
const STORED: &str = "e.detail";
/// The same with the version of the result of its operation, which a request that is no Bulk request has one of.
const WITH_VERSION: &str = "coalesce((select json_set(e.detail, '$.version', json_extract(r.result, '$.version')) from async_results r \
     where r.tenant_id = ?1 and r.request_id = ?4 and r.number = coalesce(json_extract(e.detail, '$.operation'), 0) \
     and json_extract(r.result, '$.version') is not null), e.detail)";

/// Appends events in their order, numbers them, and keeps the tenant's counters.
pub fn append(
    tenant: &TenantId,
    origin: &Origin,
    totals: Totals,
    events: &[Event<'_>],
) -> Vec<Statement> {
    appended(tenant, origin, totals, events, (STORED, TELL))
}

/// The same of operations of an accepted request, of which a `detail` says what came of it, with the version that the same batch wrote down
/// (see [`insert_results`](crate::store::async_requests::insert_results)).
pub fn append_results(
    tenant: &TenantId,
    origin: &Origin,
    totals: Totals,
    events: &[Event<'_>],
) -> Vec<Statement> {
    appended(tenant, origin, totals, events, (WITH_VERSION, TELL))
}

/// The same in a batch of a client, whose credential says already whether somebody is to be sent the events.
pub fn append_of_client(
    tenant: &TenantId,
    origin: &Origin,
    totals: Totals,
    events: &[Event<'_>],
) -> Vec<Statement> {
    appended(tenant, origin, totals, events, (STORED, ""))
}

fn appended(
    tenant: &TenantId,
    origin: &Origin,
    totals: Totals,
    events: &[Event<'_>],
    (detail, tell): (&str, &str),
) -> Vec<Statement> {
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let mut params = vec![
        tenant.into(),
        count.into(),
        totals.users.into(),
        totals.groups.into(),
    ];
    let mut more = String::new();
    if !totals.removals.is_none() {
        params.extend([removals::path(&origin.actor).into(), origin.at.into()]);
        params.extend([
            totals.removals.resources.into(),
            totals.removals.members.into(),
        ]);
        more = format!(", removals = {}", removals::counted());
    }
    let count_up = Statement::new(
        format!(
            "update tenants set audit_seq = audit_seq + ?2, user_total = user_total + ?3, \
             group_total = group_total + ?4{more} where id = ?1{tell}"
        ),
        params,
    );
    let rows = (1 - count..).zip(events).map(|(place, event)| {
        let attributes: Json = event.attributes.iter().map(String::as_str).collect();
        vec![
            place.into(),
            event.action.name().into(),
            event.resource_type.into(),
            event.resource_id.into(),
            attributes.to_string().into(),
            event.detail.to_stored().into(),
        ]
    });
    // The last event has the tenant's number.
    let set = Set::new(
        &["place", "action", "type", "id", "attributes", "detail"],
        rows,
    );
    let fixed = [
        tenant.into(),
        origin.at.into(),
        (&origin.actor).into(),
        (&origin.request_id).into(),
    ];
    let append = set.statements(&fixed, |part| {
        format!(
            "{} insert into audit_events (tenant_id, seq, at, actor, action, resource_type, resource_id, attributes, detail, request_id) \
             select ?1, t.audit_seq + e.place, ?2, ?3, e.action, e.type, e.id, e.attributes, {detail}, ?4 \
             from e cross join tenants t on t.id = ?1",
            part.table()
        )
    });
    std::iter::once(count_up).chain(append).collect()
}

/// Most events of a resource that may have followed one that is looked for.
const MAX_SINCE: usize = 200;

/// Whether a request has written of a resource just now: one row, or none.
pub fn select_own(tenant: &TenantId, resource_id: &str, request_id: &str) -> Statement {
    Statement::new(
        format!(
            "select 1 as written from (select request_id from audit_events indexed by audit_events_resource_idx \
             where tenant_id = ?1 and resource_id = ?2 order by seq desc limit {MAX_SINCE}) where request_id = ?3 limit 1"
        ),
        vec![tenant.into(), resource_id.into(), request_id.into()],
    )
}

/// Which token a rotation put in the place of another one, as `successor`: no row where that was never rotated. A rotation writes of the
/// old token, and right after that of the new one.
pub fn select_successor(id: &str, only: Option<&TenantId>) -> Statement {
    Statement::new(
        "select made.resource_id as successor from directory d \
         join audit_events ended indexed by audit_events_resource_idx \
         on ended.tenant_id = d.tenant_id and ended.resource_id = d.resource_id and ended.action = ?3 \
         join audit_events made on made.tenant_id = ended.tenant_id and made.seq = ended.seq + 1 \
         where d.kind = 'scim_token' and d.key = ?1 and (?2 is null or d.tenant_id = ?2) order by ended.seq desc limit 1",
        vec![id.into(), only.into(), Action::Rotate.name().into()],
    )
}

/// Appends one event for each group that loses members, given by a query with the columns `group_id` and `member_id`. The query's
/// parameters come first, the tenant's id before all.
pub fn append_member_losses(origin: &Origin, lost: &str, params: &[Value]) -> [Statement; 2] {
    let with_origin = |more: Vec<Value>| params.iter().cloned().chain(more).collect();
    let [at, actor, request_id] = [1, 2, 3].map(|place| params.len() + place);
    [
        Statement::new(
            format!(
                "update tenants set audit_seq = audit_seq + (select count(distinct group_id) from ({lost})) where id = ?1{TELL}"
            ),
            params.to_vec(),
        ),
        // The detail is written as `Detail` writes it.
        Statement::new(
            format!(
                "insert into audit_events (tenant_id, seq, at, actor, action, resource_type, resource_id, attributes, detail, request_id) \
                 select ?1, t.audit_seq + 1 - row_number() over (order by e.group_id desc), ?{at}, ?{actor}, '{}', 'Group', \
                 e.group_id, '[\"members\"]', json_object('members', json_object('added', json('[]'), 'added_total', 0, \
                 'removed', json(e.removed), 'removed_total', e.total)), ?{request_id} from ( \
                 select group_id, count(*) as total, json_group_array(member_id) filter (where place <= {MAX_NAMED}) as removed \
                 from (select group_id, member_id, row_number() over (partition by group_id order by member_id) as place from ({lost})) \
                 group by group_id) e cross join tenants t on t.id = ?1",
                Action::Patch.name()
            ),
            with_origin(vec![
                origin.at.into(),
                (&origin.actor).into(),
                (&origin.request_id).into(),
            ]),
        ),
    ]
}
