//! Rows of `sync_chunks`: what a run has read and is going to do, hundreds of objects in a text. There are few rows, and they are large.

use super::set::Set;
use super::{Result, Rows, Statement};
use crate::ids::TenantId;

/// Longest text of one row in bytes: D1 takes rows of two million.
const MAX_PART: usize = 1_900_000;

/// Stages a text, in as many rows as it takes.
pub fn insert(
    tenant: &TenantId,
    log_id: &str,
    kind: &str,
    number: i64,
    body: &str,
) -> Vec<Statement> {
    let numbered = parts(body).into_iter().zip(0_i64..);
    let insert = |(part, index): (&str, i64)| {
        Statement::new(
            "insert into sync_chunks (tenant_id, log_id, kind, number, part, body) values (?1, ?2, ?3, ?4, ?5, ?6) \
             on conflict (tenant_id, log_id, kind, number, part) do update set body = excluded.body",
            vec![
                tenant.into(),
                log_id.into(),
                kind.into(),
                number.into(),
                index.into(),
                part.into(),
            ],
        )
    };
    numbered.map(insert).collect()
}

/// Cuts a text where its letters end.
fn parts(body: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = body;
    while rest.len() > MAX_PART {
        let mut ends = (0..=MAX_PART).rev();
        let end = ends.find(|end| rest.is_char_boundary(*end));
        let (part, more) = rest.split_at(end.unwrap_or_default());
        parts.push(part);
        rest = more;
    }
    parts.push(rest);
    parts
}

/// A staged text: its rows, as [`body`] reads them.
pub fn select(tenant: &TenantId, log_id: &str, kind: &str, number: i64) -> Statement {
    Statement::new(
        "select body from sync_chunks where tenant_id = ?1 and log_id = ?2 and kind = ?3 and number = ?4 order by part",
        vec![tenant.into(), log_id.into(), kind.into(), number.into()],
    )
}

/// The text; none where there is none.
pub fn body(rows: &Rows) -> Result<Option<String>> {
    if rows.rows.is_empty() {
        return Ok(None);
    }
    let parts = rows.rows.iter().map(|row| row.text("body"));
    parts.collect::<Result<String>>().map(Some)
}

/// Removes all that a run has staged.
pub fn delete(tenant: &TenantId, log_id: &str) -> Statement {
    Statement::new(
        "delete from sync_chunks where tenant_id = ?1 and log_id = ?2",
        vec![tenant.into(), log_id.into()],
    )
}

/// Stages short texts, numbered from 0 on, each in a row.
pub fn insert_many(
    tenant: &TenantId,
    log_id: &str,
    kind: &str,
    bodies: &[String],
) -> Vec<Statement> {
    let rows = bodies.iter().zip(0_i64..);
    let rows = rows.map(|(body, number)| vec![number.into(), body.into()]);
    let fixed = [tenant.into(), log_id.into(), kind.into()];
    Set::new(&["number", "body"], rows).statements(&fixed, |part| {
        format!(
            "{} insert into sync_chunks (tenant_id, log_id, kind, number, part, body) \
             select ?1, ?2, ?3, e.number, 0, e.body from e",
            part.table()
        )
    })
}

/// Texts of one row each from a number on, a few: column `body`.
pub fn select_from(
    tenant: &TenantId,
    log_id: &str,
    kind: &str,
    from: i64,
    limit: i64,
) -> Statement {
    Statement::new(
        "select body from sync_chunks where tenant_id = ?1 and log_id = ?2 and kind = ?3 and number >= ?4 \
         order by number limit ?5",
        vec![
            tenant.into(),
            log_id.into(),
            kind.into(),
            from.into(),
            limit.into(),
        ],
    )
}

/// The text with the greatest number up to that one: its rows, as [`body`] reads them, with column `number`.
pub fn select_before(tenant: &TenantId, log_id: &str, kind: &str, number: i64) -> Statement {
    Statement::new(
        "select number, body from sync_chunks where tenant_id = ?1 and log_id = ?2 and kind = ?3 and number = \
         (select max(number) from sync_chunks where tenant_id = ?1 and log_id = ?2 and kind = ?3 and number <= ?4) order by part",
        vec![tenant.into(), log_id.into(), kind.into(), number.into()],
    )
}
