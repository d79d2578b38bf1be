//! Conditions inside a writing batch. A batch is the only transaction there is, and nothing can be decided between its
//! statements; so a batch that relies on something says so in a statement that raises an error where it does not
//! hold, and the whole batch is undone.
//!
//! What raises it is [`fail`]: a path of JSON that is none, which SQLite names in its error. A guard whose condition holds costs the rows
//! that its condition reads, and no more. (The view `guards`, whose trigger raises what is inserted into it, costs a row more; workers of
//! before use it.)

use super::set::Set;
use super::{Guard, Statement, Value, tables};
use crate::ids::TenantId;
use crate::scim::schema::ResourceType;
use crate::scim::version::{Condition, Version};

/// SQL that fails the batch when it is evaluated, with the text that an SQL expression gives. It stands inside an `iif` alone: elsewhere
/// SQLite may work it out before anything is asked.
pub fn fail(text: &str) -> String {
    format!("json_extract('{{}}', {text})")
}

/// SQL that fails the batch with a text unless the condition, a boolean SQL expression, holds.
pub fn unless(condition: &str, text: &str) -> String {
    format!("select iif({condition}, null, {})", fail(text))
}

/// The same with the guard's word.
pub fn holds(guard: Guard, condition: &str) -> String {
    unless(condition, &format!("'{}'", guard.word()))
}

/// Fails the batch with the guard's word unless the condition, a boolean SQL expression, holds.
pub fn require(guard: Guard, condition: &str, params: Vec<Value>) -> Statement {
    Statement::new(holds(guard, condition), params)
}

/// A step of long work may be made: its condition holds, and its tenant, `?1`, is there. A tenant that is deleted while work goes on gets
/// nothing more of it. Fails the batch with [`Guard::LeaseLost`].
pub fn may_step(condition: &str, params: Vec<Value>) -> Statement {
    let condition = format!(
        "{condition} and exists (select 1 from tenants where id = ?1 and deleted_at is null)"
    );
    require(Guard::LeaseLost, &condition, params)
}

/// Undoes the batch that it is the last statement of, and so tells that all before it holds.
pub fn dry_run() -> Statement {
    require(Guard::DryRun, "false", Vec::new())
}

/// The resources are there at exactly these versions: nobody wrote since they were read. Where it is told when one was created, it is the
/// one of that time: what was erased and brought in again begins with the first version anew, under its old id.
pub fn versions<'r>(
    tenant: &TenantId,
    resource_type: &ResourceType,
    versions: impl IntoIterator<Item = (&'r str, Version, Option<i64>)>,
) -> Vec<Statement> {
    let rows = versions
        .into_iter()
        .map(|(id, version, created)| vec![id.into(), version.0.into(), created.into()]);
    let set = Set::new(&["id", "version", "created"], rows);
    let table = format!("{} r", tables::table(resource_type));
    let same = " and r.version = e.version and r.created_at = coalesce(e.created, r.created_at)";
    all_there(Guard::VersionConflict, tenant, &table, &set, same)
}

/// All these ids are resources of the type.
pub fn existence<'i>(
    tenant: &TenantId,
    resource_type: &ResourceType,
    ids: impl IntoIterator<Item = &'i String>,
) -> Vec<Statement> {
    let set = Set::of_ids(ids);
    let rows = tables::ids(resource_type);
    all_there(Guard::MemberMissing, tenant, &rows, &set, "")
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
    let (columns, table, managed): (&[&str], _, _) = match provider {
        Some(_) => (
            &["id", "manager"],
            format!("{} r", tables::table(resource_type)),
            " and r.managed_by is e.manager",
        ),
        None => (&["id"], tables::ids(resource_type), ""),
    };
    let set = Set::new(columns, rows);
    all_there(Guard::VersionConflict, tenant, &table, &set, managed)
}

/// All these pairs, of a group and a member, are memberships, on these grounds where they are told.
pub fn memberships<'p>(
    tenant: &TenantId,
    pairs: impl IntoIterator<Item = (&'p str, &'p str, Option<i64>)>,
) -> Vec<Statement> {
    let rows = pairs
        .into_iter()
        .map(|(group, member, granted)| vec![group.into(), member.into(), granted.into()]);
    Set::new(&["group_id", "id", "granted"], rows).statements(&[tenant.into()], |part| {
        let all_there = "not exists (select 1 from e where not exists (select 1 from group_members m \
             where m.tenant_id = ?1 and m.group_id = e.group_id and m.member_id = e.id \
             and m.granted = coalesce(e.granted, m.granted)))";
        let holds = holds(Guard::MembershipMissing, all_there);
        format!("{} {holds}", part.table())
    })
}

/// Most groups of which each is a member of the next.
pub const MAX_NESTING: i64 = 32;
/// Most steps that one statement takes from group to group, upwards and downwards each: about as many as 1,000 chains of [`MAX_NESTING`]
/// have. Groups that lie in each other in so many ways that these do not do are refused, because what was not walked was not seen.
pub const MAX_STEPS: i64 = 32_000;

/// No chain of groups that goes through one of these memberships, of a group in a group, is longer than allowed. It stands behind the
/// statements that insert them, and counts the groups above and below each of them, by the shortest ways. A circle is counted once
/// round, because what is below a group is not above it again; and every walk ends, because it is no longer than a chain may be. (The two ids
/// are compared as one text: of two columns, either of which might be null, SQLite goes through all of `below` for each that is not in it.)
pub fn nesting<'p>(
    tenant: &TenantId,
    pairs: impl IntoIterator<Item = (&'p str, &'p str)>,
) -> Vec<Statement> {
    let rows = pairs
        .into_iter()
        .map(|(group, member)| vec![group.into(), member.into()]);
    Set::new(&["group_id", "id"], rows).statements(&[tenant.into()], |part| {
        format!(
            "{}, below (start, id, level) as (select group_id, id, 1 from e union \
             select below.start, m.member_id, below.level + 1 from below \
             cross join group_members m indexed by group_members_inner_idx \
             on m.tenant_id = ?1 and m.group_id = below.id and m.member_type = 'Group' \
             where below.level < {MAX_NESTING} and m.member_id <> below.start limit {MAX_STEPS}), \
             above (start, id, level) as (select group_id, group_id, 0 from e union \
             select above.start, m.group_id, above.level + 1 from above \
             cross join group_members m indexed by group_members_nested_idx \
             on m.tenant_id = ?1 and m.member_id = above.id and m.member_type = 'Group' \
             where above.level < {MAX_NESTING} and m.group_id <> above.start \
             and above.start || m.group_id not in (select start || id from below) limit {MAX_STEPS}), \
             ways (start, is_up, id, level, steps) as ( \
             select start, 1, id, min(level), count(*) from above group by start, id union all \
             select start, 0, id, min(level), count(*) from below group by start, id), \
             ends (start, is_up, level, steps) as (select start, is_up, max(level), sum(steps) from ways group by start, is_up) \
             {}",
            part.table(),
            holds(
                Guard::NestedTooDeep,
                &format!(
                    "not exists (select 1 from ends group by start having sum(level) >= {MAX_NESTING}) \
                     and not exists (select 1 from ends group by is_up having sum(steps) >= {MAX_STEPS})"
                )
            )
        )
    })
}

/// Each id of the set is that of a row `r` of the table, of which more may hold.
fn all_there(
    guard: Guard,
    tenant: &TenantId,
    table: &str,
    set: &Set,
    more: &str,
) -> Vec<Statement> {
    set.statements(&[tenant.into()], |part| {
        let all_there = format!(
            "not exists (select 1 from e where not exists (select 1 from {table} where r.tenant_id = ?1 and r.id = e.id{more}))"
        );
        format!("{} {}", part.table(), holds(guard, &all_there))
    })
}

/// Whether a client may not touch a row `r` of a `left join`: it is not there, or a directory manages it.
pub const UNTOUCHABLE: &str = "r.id is null or r.managed_by is not null";

/// SQL that fails the batch with the reason for which a row is [`UNTOUCHABLE`].
pub fn fail_as_untouchable() -> String {
    fail(&format!(
        "iif(r.id is null, '{}', '{}' || r.managed_by)",
        Guard::NotFound.word(),
        super::error::MANAGED
    ))
}

/// The resource is there, no directory manages it, and it is at a version that the client's `If-Match` allows.
pub fn precondition(
    tenant: &TenantId,
    resource_type: &ResourceType,
    id: &str,
    condition: Option<&Condition>,
) -> Vec<Statement> {
    let table = tables::table(resource_type);
    // Both in one look at the row.
    let ours = Statement::new(
        format!(
            "select iif({UNTOUCHABLE}, {}, null) from (select 1) left join {table} r on r.tenant_id = ?1 and r.id = ?2",
            fail_as_untouchable()
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
