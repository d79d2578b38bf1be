//! Conditions inside a writing batch. A batch is the only transaction there is, and nothing can be decided between its
//! statements; so a batch that relies on something says so in a statement that raises an error where it does not
//! hold, and the whole batch is undone.
//!
//! `guards` is a view without rows; inserting a word into it raises that word (see the migration). A guard whose
//! condition holds inserts nothing, and costs the rows that its condition reads.

use super::set::Set;
use super::{Guard, Statement, Value};
use crate::ids::TenantId;
use crate::scim::schema::ResourceType;
use crate::scim::version::{Condition, Version};

/// Fails the batch with the guard's word unless the condition, a boolean SQL expression, holds.
pub fn require(guard: Guard, condition: &str, params: Vec<Value>) -> Statement {
    Statement::new(
        format!(
            "insert into guards (reason) select '{}' where not ({condition})",
            guard.word()
        ),
        params,
    )
}

/// The resources are there at exactly these versions: nobody wrote since they were read.
pub fn versions<'r>(
    tenant: &TenantId,
    resource_type: &ResourceType,
    versions: impl IntoIterator<Item = (&'r str, Version)>,
) -> Vec<Statement> {
    let rows = versions
        .into_iter()
        .map(|(id, version)| vec![id.into(), version.0.into()]);
    all_there(
        Guard::VersionConflict,
        tenant,
        resource_type,
        &Set::new(&["id", "version"], rows),
        "r.id = e.id and r.version = e.version",
    )
}

/// All these ids are resources of the type.
pub fn existence<'i>(
    tenant: &TenantId,
    resource_type: &ResourceType,
    ids: impl IntoIterator<Item = &'i String>,
) -> Vec<Statement> {
    let set = Set::of_ids(ids);
    all_there(
        Guard::MemberMissing,
        tenant,
        resource_type,
        &set,
        "r.id = e.id",
    )
}

/// Who manages a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manager<'m> {
    Anybody,
    Nobody,
    Provider(&'m str),
}

/// All these ids are resources of the type, so managed.
pub fn presence<'i>(
    tenant: &TenantId,
    resource_type: &ResourceType,
    manager: Manager<'_>,
    ids: impl IntoIterator<Item = &'i String>,
) -> Vec<Statement> {
    let provider = match manager {
        Manager::Anybody => None,
        Manager::Nobody => Some(Value::Null),
        Manager::Provider(id) => Some(id.into()),
    };
    let rows = ids.into_iter().map(|id| {
        let id = std::iter::once(id.into());
        id.chain(provider.clone()).collect()
    });
    let (columns, same): (&[&str], _) = match provider {
        Some(_) => (
            &["id", "manager"],
            "r.id = e.id and r.managed_by is e.manager",
        ),
        None => (&["id"], "r.id = e.id"),
    };
    all_there(
        Guard::VersionConflict,
        tenant,
        resource_type,
        &Set::new(columns, rows),
        same,
    )
}

/// All these pairs, of a group and a member, are memberships, on these grounds where they are told.
pub fn memberships<'p>(
    tenant: &TenantId,
    granted: Option<i64>,
    pairs: impl IntoIterator<Item = (&'p str, &'p str)>,
) -> Vec<Statement> {
    let rows = pairs
        .into_iter()
        .map(|(group, member)| vec![group.into(), member.into()]);
    let grounds = granted.map_or(String::new(), |granted| {
        format!(" and m.granted = {granted}")
    });
    Set::new(&["group_id", "id"], rows).statements(&[tenant.into()], |part| {
        format!(
            "{} insert into guards (reason) select '{}' where exists (select 1 from e where not exists \
             (select 1 from group_members m where m.tenant_id = ?1 and m.group_id = e.group_id and m.member_id = e.id{grounds}))",
            part.table(),
            Guard::MembershipMissing.word()
        )
    })
}

fn all_there(
    guard: Guard,
    tenant: &TenantId,
    resource_type: &ResourceType,
    set: &Set,
    same: &str,
) -> Vec<Statement> {
    let table = super::tables::table(resource_type);
    set.statements(&[tenant.into()], |part| {
        format!(
            "{} insert into guards (reason) select '{}' where exists (select 1 from e where not exists \
             (select 1 from {table} r where r.tenant_id = ?1 and {same}))",
            part.table(),
            guard.word()
        )
    })
}

/// The resource is there, no directory manages it, and it is at a version that the client's `If-Match` allows.
pub fn precondition(
    tenant: &TenantId,
    resource_type: &ResourceType,
    id: &str,
    condition: Option<&Condition>,
) -> Vec<Statement> {
    let table = super::tables::table(resource_type);
    // Both in one look at the row.
    let ours = Statement::new(
        format!(
            "insert into guards (reason) select iif(r.id is null, '{}', '{}' || r.managed_by) \
             from (select 1) left join {table} r on r.tenant_id = ?1 and r.id = ?2 \
             where r.id is null or r.managed_by is not null",
            Guard::NotFound.word(),
            super::error::MANAGED
        ),
        vec![tenant.into(), id.into()],
    );
    let matches = match condition {
        None | Some(Condition::Any) => None,
        Some(Condition::OneOf(versions)) => {
            let versions: serde_json::Value = versions.iter().map(|version| version.0).collect();
            Some(require(
                Guard::PreconditionFailed,
                &format!(
                    "exists (select 1 from {table} where tenant_id = ?1 and id = ?2 \
                     and version in (select value from json_each(?3)))"
                ),
                vec![tenant.into(), id.into(), versions.to_string().into()],
            ))
        }
    };
    std::iter::once(ours).chain(matches).collect()
}
