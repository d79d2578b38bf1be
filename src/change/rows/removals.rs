//! What each credential has removed of a tenant in a while: `tenants.removals`, a JSON object by the names that the audit trail has for
//! credentials. See [`fuse`](crate::change::fuse) for what it is for.
//!
//! An entry: `since` when it began to count, `resources` and `members` what it has removed since, `of` and `of_members` how much there was
//! then (the latter null until it matters, because it is a sum over all groups), `extra` what an administrator allows besides, `until` when,
//! `tripped` when the fuse last stopped it. It is found by a path and not by going through all, because D1 counts what `json_each` gives.

use sha2::{Digest, Sha256};

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

/// Longest text of a tenant's entries, in characters: beyond it, those that are over are dropped.
const MAX_TEXT: usize = 8_000;

/// The name of a credential's entry: that of the audit trail, or its hash where that has characters which a path cannot have.
fn key(actor: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ":@._-".contains(c);
    match actor.chars().all(is_plain) && actor.len() <= 80 {
        true => actor.to_owned(),
        false => format!("{:x}", Sha256::digest(actor)),
    }
}

/// The path of a credential's entry.
pub fn path(actor: &str) -> String {
    format!("$.\"{}\"", key(actor))
}

/// The SQL that gives `tenants.removals` as it is when so much more is removed; parameters `?5` to `?8` are the path of the entry, the time,
/// and what is removed. It says `blown` where that is more than is allowed: a trigger undoes the batch then.
pub fn counted() -> String {
    let fuse = |name: &str| format!("json_extract(removal_fuse, '$.{name}')");
    let entry = |name: &str| format!("json_extract(removals, ?5 || '.{name}')");
    let is_on = format!(
        "coalesce({} > ?6 - {} * 60000, 0)",
        entry("since"),
        fuse("minutes")
    );
    let so_far = |name: &str, first: &str| format!("iif({is_on}, {}, {first})", entry(name));
    let is_within = |gone: &str, of: &str| {
        format!(
            "n.{gone} <= max({}, {} * coalesce(n.{of}, 0) / 100) + iif(n.until > ?6, n.extra, 0)",
            fuse("at_least"),
            fuse("percent")
        )
    };
    let pruned = format!(
        "(select json_group_object(key, json(value)) from json_each(tenants.removals) \
         where max(coalesce(json_extract(value, '$.since'), 0) + {} * 60000, coalesce(json_extract(value, '$.until'), 0)) > ?6)",
        fuse("minutes")
    );
    let members = format!("cast({} + ?8 as integer)", so_far("members", "0"));
    format!(
        "iif(removal_fuse is null, removals, (select json_set(iif(length(removals) > {MAX_TEXT}, {pruned}, coalesce(removals, '{{}}')), ?5, \
         json_object('since', n.since, 'resources', n.resources, 'members', n.members, 'of', n.of, 'of_members', n.of_members, \
         'extra', n.extra, 'until', n.until, 'tripped', n.tripped, 'blown', iif({resources_hold} and {members_hold}, 0, 1))) \
         from (select cast({since} as integer) as since, cast({resources} + ?7 as integer) as resources, {members} as members, {of} as of, \
         coalesce({of_members}, iif({members} > {at_least}, \
         cast({members} + (select coalesce(sum(member_count), 0) from groups where tenant_id = ?1) as integer), null)) as of_members, \
         coalesce({extra}, 0) as extra, coalesce({until}, 0) as until, {tripped} as tripped) n))",
        resources_hold = is_within("resources", "of"),
        members_hold = is_within("members", "of_members"),
        since = so_far("since", "?6"),
        resources = so_far("resources", "0"),
        of = so_far("of", "user_total + group_total"),
        of_members = so_far("of_members", "null"),
        at_least = fuse("at_least"),
        extra = entry("extra"),
        until = entry("until"),
        tripped = entry("tripped"),
    )
}

/// What a credential has removed, and of how much: for [`fuse`](crate::change::fuse).
pub fn select(tenant: &TenantId, actor: &str) -> Statement {
    Statement::new(
        "select removal_fuse, user_total + group_total as resources, json_extract(removals, ?2) as entry, \
         (select coalesce(sum(member_count), 0) from groups where tenant_id = ?1) as members \
         from tenants where id = ?1",
        vec![tenant.into(), path(actor).into()],
    )
}

/// Lets a credential remove so many more, until then.
pub fn allow(tenant: &TenantId, actor: &str, count: i64, until: i64) -> Statement {
    Statement::new(
        "update tenants set removals = json_patch(coalesce(removals, '{}'), json_object(?2, \
         json_object('extra', cast(?3 as integer), 'until', cast(?4 as integer)))) where id = ?1",
        vec![tenant.into(), key(actor).into(), count.into(), until.into()],
    )
}

/// Notes that the fuse has stopped a credential; the batch is undone where that is noted already, of the same while.
pub fn trip(tenant: &TenantId, actor: &str, now: i64) -> [Statement; 2] {
    let once = guards::require(
        Guard::FuseBlown,
        "not exists (select 1 from tenants where id = ?1 \
         and json_extract(removals, ?2 || '.tripped') > ?3 - json_extract(removal_fuse, '$.minutes') * 60000)",
        vec![tenant.into(), path(actor).into(), now.into()],
    );
    let note = Statement::new(
        "update tenants set removals = json_patch(coalesce(removals, '{}'), \
         json_object(?2, json_object('tripped', cast(?3 as integer)))) where id = ?1",
        vec![tenant.into(), key(actor).into(), now.into()],
    );
    [once, note]
}
