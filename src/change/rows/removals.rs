//! What each credential has removed of a tenant in a while: `tenants.removals`, a JSON object by the names that the audit trail has for
//! credentials. See [`fuse`](crate::change::fuse) for what it is for.
//!
//! An entry: `since` when it began to count, `resources` and `members` what it has removed since, `of` and `of_members` how much there was
//! then (the latter null until it matters, because it is a sum over all groups), `extra` what an administrator allows besides, `until` when,
//! `tripped` when the fuse last stopped it.

use crate::ids::TenantId;
use crate::store::{Guard, Statement, guards};

/// What is taken away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removals {
    /// Users and groups that are deleted, and users who are switched off.
    pub resources: i64,
    /// Members who are taken out of groups.
    pub members: i64,
}

impl Removals {
    pub const NONE: Removals = Removals {
        resources: 0,
        members: 0,
    };

    pub fn is_none(self) -> bool {
        self == Removals::NONE
    }

    pub fn and(self, more: Removals) -> Removals {
        Removals {
            resources: self.resources + more.resources,
            members: self.members + more.members,
        }
    }
}

/// Whether a credential's time is not over, in SQL.
const IS_ON: &str = "coalesce(json_extract(o.value, '$.since') > ?6 - json_extract(removal_fuse, '$.minutes') * 60000, 0)";

/// The SQL that gives `tenants.removals` as it is when so much more is removed; parameters `?5` to `?8` are the actor, the time, and what
/// is removed. Entries of others that are over are dropped.
pub fn counted() -> String {
    let fresh =
        |yes: &str, no: &str| format!("iif({IS_ON}, json_extract(o.value, '$.{yes}'), {no})");
    format!(
        "iif(removal_fuse is null, removals, (select json_group_object(key, json(value)) from ( \
         select key, value from json_each(coalesce(tenants.removals, '{{}}')) where key <> ?5 and \
         max(coalesce(json_extract(value, '$.since'), 0) + json_extract(tenants.removal_fuse, '$.minutes') * 60000, \
         coalesce(json_extract(value, '$.until'), 0)) > ?6 \
         union all select ?5, json_object('since', {since}, 'resources', cast({resources} + ?7 as integer), 'members', cast({members} + ?8 as integer), \
         'of', {of}, 'of_members', coalesce({of_members}, \
         iif({members} + ?8 > json_extract(tenants.removal_fuse, '$.at_least'), \
         cast(?8 + (select coalesce(sum(member_count), 0) from groups where tenant_id = ?1) as integer), null)), \
         'extra', coalesce(json_extract(o.value, '$.extra'), 0), 'until', coalesce(json_extract(o.value, '$.until'), 0), \
         'tripped', json_extract(o.value, '$.tripped')) \
         from (select 1) left join json_each(coalesce(tenants.removals, '{{}}')) o on o.key = ?5)))",
        since = fresh("since", "cast(?6 as integer)"),
        resources = fresh("resources", "0"),
        members = fresh("members", "0"),
        of = fresh("of", "tenants.user_total + tenants.group_total"),
        of_members = fresh("of_members", "null"),
    )
}

/// Fails the batch where the credential has removed more than the tenant allows; it stands behind the statement that counts.
pub fn guard(tenant: &TenantId, actor: &str, now: i64) -> Statement {
    let most = |of: &str| {
        format!(
            "max(json_extract(t.removal_fuse, '$.at_least'), \
             json_extract(t.removal_fuse, '$.percent') * coalesce(json_extract(o.value, '$.{of}'), 0) / 100) \
             + iif(json_extract(o.value, '$.until') > ?3, json_extract(o.value, '$.extra'), 0)"
        )
    };
    Statement::new(
        format!(
            "insert into guards (reason) select '{}' from tenants t cross join json_each(coalesce(t.removals, '{{}}')) o \
             where t.id = ?1 and t.removal_fuse is not null and o.key = ?2 and \
             (json_extract(o.value, '$.resources') > {} or json_extract(o.value, '$.members') > {})",
            Guard::FuseBlown.word(),
            most("of"),
            most("of_members"),
        ),
        vec![tenant.into(), actor.into(), now.into()],
    )
}

/// What a credential has removed, and of how much: for [`fuse`](crate::change::fuse).
pub fn select(tenant: &TenantId, actor: &str) -> Statement {
    Statement::new(
        "select t.removal_fuse, t.user_total + t.group_total as resources, \
         (select value from json_each(coalesce(t.removals, '{}')) where key = ?2) as entry, \
         (select coalesce(sum(member_count), 0) from groups where tenant_id = ?1) as members \
         from tenants t where t.id = ?1",
        vec![tenant.into(), actor.into()],
    )
}

/// Lets a credential remove so many more, until then.
pub fn allow(tenant: &TenantId, actor: &str, count: i64, until: i64) -> Statement {
    Statement::new(
        "update tenants set removals = json_patch(coalesce(removals, '{}'), json_object(?2, \
         json_object('extra', cast(?3 as integer), 'until', cast(?4 as integer)))) where id = ?1",
        vec![tenant.into(), actor.into(), count.into(), until.into()],
    )
}

/// Notes that the fuse has stopped a credential; the batch is undone where that is noted already, of the same while.
pub fn trip(tenant: &TenantId, actor: &str, now: i64) -> [Statement; 2] {
    let params = || vec![tenant.into(), actor.into(), now.into()];
    let once = guards::require(
        Guard::FuseBlown,
        "not exists (select 1 from tenants t cross join json_each(coalesce(t.removals, '{}')) o where t.id = ?1 and o.key = ?2 \
         and json_extract(o.value, '$.tripped') > ?3 - json_extract(t.removal_fuse, '$.minutes') * 60000)",
        params(),
    );
    let note = Statement::new(
        "update tenants set removals = json_patch(coalesce(removals, '{}'), \
         json_object(?2, json_object('tripped', cast(?3 as integer)))) where id = ?1",
        params(),
    );
    [once, note]
}
