//! Rows of `deliveries`: what came of each try to send events.

use super::{Params, Result, Row, Statement};
use crate::ids::TenantId;

/// One try.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: String,
    /// The `webhook-id`.
    pub message_id: String,
    pub first: i64,
    pub last: i64,
    pub events: i64,
    /// From 1.
    pub attempt: i64,
    pub status: Option<i64>,
    /// Why it failed; none where it did not.
    pub reason: Option<String>,
    pub ms: i64,
    pub reply: Option<String>,
    pub at: i64,
}

pub fn insert(tenant: &TenantId, stream: &str, delivery: &Delivery) -> Statement {
    Statement::new(
        "insert into deliveries (tenant_id, id, stream_id, message_id, first_seq, last_seq, events, attempt, status, reason, ms, reply, at) \
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        vec![
            tenant.into(),
            (&delivery.id).into(),
            stream.into(),
            (&delivery.message_id).into(),
            delivery.first.into(),
            delivery.last.into(),
            delivery.events.into(),
            delivery.attempt.into(),
            delivery.status.into(),
            delivery.reason.as_ref().into(),
            delivery.ms.into(),
            delivery.reply.as_ref().into(),
            delivery.at.into(),
        ],
    )
}

/// A page of a stream's deliveries before the one with that id, the latest first.
pub fn select_page(tenant: &TenantId, stream: &str, before: Option<&str>, limit: i64) -> Statement {
    let mut params = Params::new(vec![tenant.into(), stream.into()]);
    let bound = before.map_or(String::new(), |before| {
        format!(" and id < {}", params.bind(before))
    });
    let limit = params.bind(limit);
    Statement::new(
        format!(
            "select * from deliveries indexed by deliveries_stream_idx where tenant_id = ?1 and stream_id = ?2{bound} \
             order by id desc limit {limit}"
        ),
        params.into_values(),
    )
}

pub fn delivery(row: &Row) -> Result<Delivery> {
    Ok(Delivery {
        id: row.text("id")?,
        message_id: row.text("message_id")?,
        first: row.integer("first_seq")?,
        last: row.integer("last_seq")?,
        events: row.integer("events")?,
        attempt: row.integer("attempt")?,
        status: row.optional_integer("status")?,
        reason: row.optional_text("reason")?,
        ms: row.integer("ms")?,
        reply: row.optional_text("reply")?,
        at: row.integer("at")?,
    })
}
