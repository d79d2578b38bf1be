//! The audit trail: who changed which attributes of what, in the same batch as the change.

use serde_json::Value as Json;

use super::set::Set;
use super::{Statement, Value};
use crate::ids::TenantId;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Create,
    Replace,
    Patch,
    Delete,
    Restore,
    Rotate,
    Revoke,
}

impl Action {
    pub const fn name(self) -> &'static str {
        match self {
            Action::Create => "create",
            Action::Replace => "replace",
            Action::Patch => "patch",
            Action::Delete => "delete",
            Action::Restore => "restore",
            Action::Rotate => "rotate",
            Action::Revoke => "revoke",
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
}

/// Appends events in their order, numbers them, and keeps the tenant's counters.
pub fn append(
    tenant: &TenantId,
    origin: &Origin,
    totals: Totals,
    events: &[Event<'_>],
) -> Vec<Statement> {
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let count_up = Statement::new(
        "update tenants set audit_seq = audit_seq + ?2, user_total = user_total + ?3, \
         group_total = group_total + ?4 where id = ?1",
        vec![
            tenant.into(),
            count.into(),
            totals.users.into(),
            totals.groups.into(),
        ],
    );
    let rows = (1 - count..).zip(events).map(|(place, event)| {
        let attributes: Json = event.attributes.iter().map(String::as_str).collect();
        vec![
            place.into(),
            event.action.name().into(),
            event.resource_type.into(),
            event.resource_id.into(),
            attributes.to_string().into(),
        ]
    });
    // The last event has the tenant's number.
    let set = Set::new(&["place", "action", "type", "id", "attributes"], rows);
    let fixed = [
        tenant.into(),
        origin.at.into(),
        (&origin.actor).into(),
        (&origin.request_id).into(),
    ];
    let append = set.statements(&fixed, |part| {
        format!(
            "{} insert into audit_events (tenant_id, seq, at, actor, action, resource_type, resource_id, attributes, request_id) \
             select ?1, t.audit_seq + e.place, ?2, ?3, e.action, e.type, e.id, e.attributes, ?4 \
             from e cross join tenants t on t.id = ?1",
            part.table()
        )
    });
    std::iter::once(count_up).chain(append).collect()
}

/// Appends one event for each of the groups that a query gives in its only column, `group_id`: their members change. The query's parameters
/// come first, the tenant's id before all.
pub fn append_member_changes(origin: &Origin, groups: &str, params: &[Value]) -> [Statement; 2] {
    let with_origin = |more: Vec<Value>| params.iter().cloned().chain(more).collect();
    let [at, actor, request_id] = [1, 2, 3].map(|place| params.len() + place);
    [
        Statement::new(
            format!(
                "update tenants set audit_seq = audit_seq + (select count(distinct group_id) from ({groups})) where id = ?1"
            ),
            params.to_vec(),
        ),
        Statement::new(
            format!(
                "insert into audit_events (tenant_id, seq, at, actor, action, resource_type, resource_id, attributes, request_id) \
                 select ?1, t.audit_seq + 1 - row_number() over (order by e.group_id desc), ?{at}, ?{actor}, '{}', 'Group', \
                 e.group_id, '[\"members\"]', ?{request_id} from (select distinct group_id from ({groups})) e cross join tenants t on t.id = ?1",
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
