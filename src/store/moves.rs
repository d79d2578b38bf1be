//! Rows of `moves`, `move_fences` and `moved_rows`: tenants on their way from one database to another.
//!
//! A message that works on a move takes the next mark, and raises the fences of both databases to it. Whatever it writes there is held by its
//! mark, so that a message that comes late, or at the same time, writes nothing more once another one is at it. Fences stay for good: marks
//! only grow, also from one move of a tenant to its next.

use serde::{Deserialize, Serialize};

use super::{Error, Guard, Result, Row, Statement, Value, guards};
use crate::ids::TenantId;

/// After how long without a word its message is sent anew, in milliseconds.
const SILENT_MS: i64 = 300_000;
/// The same while nobody reaches the tenant.
const SILENT_AT_SWITCH_MS: i64 = 20_000;
/// How often that is done, one after the other, before it is taken back.
const MAX_RESENT: i64 = 5;

/// What is done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Clears what an earlier move has left in the target.
    #[default]
    Clear,
    /// Makes the triggers in the source.
    Watch,
    Copy,
    CatchUp,
    Check,
    /// Pauses writes, and leaves the source.
    Switch,
    /// Has left it.
    Arrive,
    /// Drops the triggers in the source, and deletes what is there.
    Unwatch,
    Purge,
    /// Takes it back: drops the triggers in the source.
    BackUnwatch,
    /// Clears the target.
    BackClear,
}

/// How far a move is.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    pub step: Step,
    /// The table that the step is at, and the last key that it has done.
    pub table: Option<String>,
    pub after: Option<Vec<serde_json::Value>>,
    /// The last number of `moved_rows` that is in the target.
    pub done: i64,
    /// Whether both sides were compared.
    pub checked: bool,
    /// Pauses so far that were too short.
    pub tries: u32,
    /// Errors since the last progress.
    pub errors: u32,
    pub rows_copied: i64,
    pub rows_total: i64,
    pub rows_caught_up: i64,
    pub paused_at: Option<i64>,
    pub pause_ms: Option<i64>,
    pub digest: Option<String>,
    /// Whether what ends is a failure.
    pub failed: bool,
}

/// A move.
#[derive(Debug, Clone)]
pub struct Move {
    pub id: String,
    pub source: String,
    pub target: String,
    pub status: String,
    pub mark: i64,
    pub state: State,
    pub tenant_row: Option<String>,
    pub reason: Option<String>,
    /// Milliseconds since 1970.
    pub started_at: i64,
    pub updated_at: i64,
    pub finished_at: Option<i64>,
}

pub fn read(row: &Row) -> Result<Move> {
    let state = serde_json::from_str(&row.text("state")?)
        .map_err(|error| Error::Backend(format!("the state of a move: {error}")))?;
    Ok(Move {
        id: row.text("id")?,
        source: row.text("source")?,
        target: row.text("target")?,
        status: row.text("status")?,
        mark: row.integer("mark")?,
        state,
        tenant_row: row.optional_text("tenant_row")?,
        reason: row.optional_text("reason")?,
        started_at: row.integer("started_at")?,
        updated_at: row.integer("updated_at")?,
        finished_at: row.optional_integer("finished_at")?,
    })
}

/// Those that are over.
const OVER: &str = "('done', 'cancelled', 'failed')";

impl Move {
    pub fn is_over(&self) -> bool {
        ["done", "cancelled", "failed"].contains(&self.status.as_str())
    }
}

fn written(state: &State) -> Result<String> {
    serde_json::to_string(state).map_err(|error| Error::Backend(error.to_string()))
}

/// A move that is to begin.
pub struct Begun<'m> {
    pub id: &'m str,
    pub source: &'m str,
    pub target: &'m str,
    pub actor: &'m str,
    pub now: i64,
}

/// Begins a move, in the place of one that is over; the last statement gives its row. Fails the batch with [`Guard::VersionConflict`] where another
/// one is under way.
pub fn begin(tenant: &TenantId, begun: &Begun<'_>) -> Result<[Statement; 2]> {
    Ok([
        guards::require(
            Guard::VersionConflict,
            &format!(
                "not exists (select 1 from moves where tenant_id = ?1 and status not in {OVER})"
            ),
            vec![tenant.into()],
        ),
        Statement::new(
            "insert into moves (tenant_id, id, source, target, status, state, actor, started_at, updated_at) \
             values (?1, ?2, ?3, ?4, 'copying', ?5, ?6, ?7, ?7) \
             on conflict (tenant_id) do update set id = excluded.id, source = excluded.source, target = excluded.target, \
             status = excluded.status, mark = mark + 1, state = excluded.state, tenant_row = null, actor = excluded.actor, reason = null, \
             started_at = excluded.started_at, updated_at = excluded.updated_at, finished_at = null, resent = 0 returning *",
            vec![
                tenant.into(),
                begun.id.into(),
                begun.source.into(),
                begun.target.into(),
                written(&State::default())?.into(),
                begun.actor.into(),
                begun.now.into(),
            ],
        ),
    ])
}

/// A tenant's last move.
pub fn select(tenant: &TenantId) -> Statement {
    Statement::new(
        "select * from moves where tenant_id = ?1",
        vec![tenant.into()],
    )
}

/// Takes a move over, and gives its row with the new mark: none where it is over, or is at another mark than the one that is told.
pub fn take(tenant: &TenantId, id: &str, mark: Option<i64>, now: i64) -> Statement {
    Statement::new(
        format!(
            "update moves set mark = mark + 1, updated_at = ?4 where tenant_id = ?1 and id = ?2 and mark = coalesce(?3, mark) \
             and status not in {OVER} returning *"
        ),
        vec![tenant.into(), id.into(), mark.into(), now.into()],
    )
}

/// Fails the batch with [`Guard::LeaseLost`] where another message has taken the move over.
pub fn holds(tenant: &TenantId, moving: &Move) -> Statement {
    guards::require(
        Guard::LeaseLost,
        "exists (select 1 from moves where tenant_id = ?1 and id = ?2 and mark = ?3)",
        vec![tenant.into(), (&moving.id).into(), moving.mark.into()],
    )
}

/// Notes how far it is.
pub fn save(tenant: &TenantId, moving: &Move, now: i64) -> Result<[Statement; 2]> {
    let is_over = moving.is_over();
    Ok([
        holds(tenant, moving),
        Statement::new(
            "update moves set status = ?2, state = ?3, tenant_row = ?4, reason = ?5, updated_at = ?6, \
             finished_at = iif(?7, ?6, null), resent = 0 where tenant_id = ?1",
            vec![
                tenant.into(),
                (&moving.status).into(),
                written(&moving.state)?.into(),
                moving.tenant_row.as_ref().into(),
                moving.reason.as_ref().into(),
                now.into(),
                is_over.into(),
            ],
        ),
    ])
}

/// What a state becomes where its move is taken back: its counts stay.
const BACK: &str = r#"{"step":"back_unwatch","table":null,"after":null,"errors":0}"#;

/// Has a move taken back that has not come to its pause; the last statement gives its row. Whoever is at work on it writes nothing more. Fails the
/// batch with [`Guard::VersionConflict`] where there is none such.
pub fn cancel(tenant: &TenantId, now: i64) -> [Statement; 2] {
    let can_be = "tenant_id = ?1 and status in ('copying', 'catching_up', 'checking')";
    [
        guards::require(
            Guard::VersionConflict,
            &format!("exists (select 1 from moves where {can_be})"),
            vec![tenant.into()],
        ),
        Statement::new(
            format!(
                "update moves set mark = mark + 1, status = 'cancelling', state = json_patch(state, ?2), updated_at = ?3 \
                 where {can_be} returning *"
            ),
            vec![tenant.into(), BACK.into(), now.into()],
        ),
    ]
}

/// Moves of which nothing was heard for long, as `tenant_id` and `id`: they are taken up again, and taken back where that was done often and has
/// not come to anything.
pub fn revive(now: i64, limit: i64) -> [Statement; 2] {
    let silent = format!(
        "tenant_id in (select tenant_id from moves indexed by moves_running_idx where status not in {OVER} \
         and updated_at < iif(status = 'switching', ?2, ?3) limit ?4)"
    );
    let params = |more: Option<Value>| {
        let all = vec![
            now.into(),
            (now - SILENT_AT_SWITCH_MS).into(),
            (now - SILENT_MS).into(),
            limit.into(),
        ];
        all.into_iter().chain(more).collect()
    };
    [
        Statement::new(
            format!(
                "update moves set status = 'cancelling', reason = 'nothing was heard of it for long', updated_at = ?1 - 1000000, \
                 mark = mark + 1, state = json_patch(json_patch(state, ?5), '{{\"failed\":true}}') \
                 where resent >= {MAX_RESENT} and status in ('copying', 'catching_up', 'checking') and {silent}"
            ),
            params(Some(BACK.into())),
        ),
        Statement::new(
            format!(
                "update moves set resent = resent + 1, updated_at = ?1 where {silent} returning tenant_id, id"
            ),
            params(None),
        ),
    ]
}

/// Raises the fence of a database to a mark: never down.
pub fn raise_fence(tenant: &TenantId, mark: i64) -> Statement {
    Statement::new(
        "insert into move_fences (tenant_id, mark) values (?1, ?2) \
         on conflict (tenant_id) do update set mark = max(mark, excluded.mark)",
        vec![tenant.into(), mark.into()],
    )
}

/// Most bytes of keys that are read at once.
const MAX_KEYS: i64 = 400_000;

/// What was written behind that number, in its order: `number`, `table_name` and `key`; and the number of the `last` row that was.
pub fn select_written(tenant: &TenantId, done: i64, limit: usize) -> Statement {
    Statement::new(
        "select number, table_name, key, (select max(number) from moved_rows where tenant_id = ?1) as last \
         from (select number, table_name, key, sum(octet_length(key)) over (order by number) as total, \
         row_number() over (order by number) as place from (select number, table_name, key from moved_rows \
         where tenant_id = ?1 and number > ?2 order by number limit ?3)) where total <= ?4 or place = 1 order by number",
        vec![
            tenant.into(),
            done.into(),
            i64::try_from(limit).unwrap_or(i64::MAX).into(),
            MAX_KEYS.into(),
        ],
    )
}

/// The keys of a table that were written behind that number.
pub fn select_written_of(tenant: &TenantId, table: &str, done: i64) -> Statement {
    Statement::new(
        "select distinct key from moved_rows where tenant_id = ?1 and number > ?3 and table_name = ?2",
        vec![tenant.into(), table.into(), done.into()],
    )
}

/// Forgets what was written before that number; its own row stays, so that numbers only grow.
pub fn forget_written(tenant: &TenantId, done: i64) -> Statement {
    Statement::new(
        "delete from moved_rows where tenant_id = ?1 and number > 0 and number < ?2",
        vec![tenant.into(), done.into()],
    )
}

/// Forgets all of it, no more than so many rows at once; says whether there are `more`.
pub fn forget_all(tenant: &TenantId, limit: usize) -> [Statement; 2] {
    [
        Statement::new(
            format!(
                "delete from moved_rows where (tenant_id, number) in \
                 (select tenant_id, number from moved_rows where tenant_id = ?1 order by number limit {limit})"
            ),
            vec![tenant.into()],
        ),
        Statement::new(
            "select exists (select 1 from moved_rows where tenant_id = ?1) as more",
            vec![tenant.into()],
        ),
    ]
}

/// Fails the batch with [`Guard::PreconditionFailed`] where something was written behind that number.
pub fn nothing_written_since(tenant: &TenantId, done: i64) -> Statement {
    guards::require(
        Guard::PreconditionFailed,
        "not exists (select 1 from moved_rows where tenant_id = ?1 and number > ?2)",
        vec![tenant.into(), done.into()],
    )
}

/// Begins a pause of so many milliseconds by the database's own clock, or ends it, in the row of that number.
pub fn pause(tenant: &TenantId, number: i64, ms: i64) -> Statement {
    Statement::new(
        "insert into moved_rows (tenant_id, number, table_name, key) \
         values (?1, ?2, '', cast(cast(unixepoch('subsec') * 1000 as integer) + ?3 as text)) \
         on conflict (tenant_id, number) do update set key = excluded.key",
        vec![tenant.into(), number.into(), ms.into()],
    )
}

pub fn resume(tenant: &TenantId, number: i64) -> Statement {
    Statement::new(
        "delete from moved_rows where tenant_id = ?1 and number = ?2",
        vec![tenant.into(), number.into()],
    )
}
