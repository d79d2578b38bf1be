//! The audit trail: who changed which attributes of what, in the same batch as the change.

use serde_json::Value as Json;

use super::Statement;
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

/// Appends an event, numbers it, and keeps the tenant's counters.
pub fn append(
    tenant: &TenantId,
    origin: &Origin,
    totals: Totals,
    event: &Event<'_>,
) -> [Statement; 2] {
    let attributes: Json = event.attributes.iter().map(String::as_str).collect();
    [
        Statement::new(
            "update tenants set audit_seq = audit_seq + 1, user_total = user_total + ?2, \
             group_total = group_total + ?3 where id = ?1",
            vec![tenant.into(), totals.users.into(), totals.groups.into()],
        ),
        Statement::new(
            "insert into audit_events (tenant_id, seq, at, actor, action, resource_type, resource_id, attributes, request_id) \
             select id, audit_seq, ?2, ?3, ?4, ?5, ?6, ?7, ?8 from tenants where id = ?1",
            vec![
                tenant.into(),
                origin.at.into(),
                (&origin.actor).into(),
                event.action.name().into(),
                event.resource_type.into(),
                event.resource_id.into(),
                attributes.to_string().into(),
                (&origin.request_id).into(),
            ],
        ),
    ]
}
