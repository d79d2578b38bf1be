//! Rows of `kept_replies`: what administrators' requests with an `Idempotency-Key` were answered.

use super::identity_providers::Sealed;
use super::{Result, Row, Statement};
use crate::ids::TenantId;

/// How long a reply is kept, in milliseconds: a day.
const KEPT_MS: i64 = 86_400_000;

/// Where the reply to a request is kept, whether one is there or not.
#[derive(Debug, Clone)]
pub struct Slot {
    /// The tenant that the administrator is limited to; empty for one of the platform.
    pub tenant: String,
    /// A hash of who asks and of their key.
    pub key_hash: String,
    /// A hash of what they ask for.
    pub request_hash: String,
}

/// A reply that is kept.
#[derive(Debug)]
pub struct KeptReply {
    /// The hash of the request that it was the reply to.
    pub request_hash: String,
    /// The tenant that something was made for.
    pub made_for: String,
    pub sealed: Sealed,
}

pub fn kept_reply(row: &Row) -> Result<KeptReply> {
    Ok(KeptReply {
        request_hash: row.text("request_hash")?,
        made_for: row.text("made_for")?,
        sealed: Sealed {
            text: row.text("reply")?,
            key_id: row.text("reply_key_id")?,
        },
    })
}

/// What is kept there, where that is not over.
pub fn select(slot: &Slot, now: i64) -> Statement {
    Statement::new(
        "select request_hash, made_for, reply, reply_key_id from kept_replies \
         where tenant_id = ?1 and key_hash = ?2 and expires_at > ?3",
        vec![(&slot.tenant).into(), (&slot.key_hash).into(), now.into()],
    )
}

/// Keeps a reply, in the place of one whose time is over. Another that is kept there undoes the batch.
pub fn insert(slot: &Slot, made_for: &TenantId, sealed: &Sealed, now: i64) -> [Statement; 2] {
    [
        Statement::new(
            "delete from kept_replies where tenant_id = ?1 and key_hash = ?2 and expires_at <= ?3",
            vec![(&slot.tenant).into(), (&slot.key_hash).into(), now.into()],
        ),
        Statement::new(
            "insert into kept_replies (tenant_id, key_hash, request_hash, made_for, reply, reply_key_id, expires_at) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            vec![
                (&slot.tenant).into(),
                (&slot.key_hash).into(),
                (&slot.request_hash).into(),
                made_for.into(),
                (&sealed.text).into(),
                (&sealed.key_id).into(),
                (now + KEPT_MS).into(),
            ],
        ),
    ]
}

/// Forgets all replies about a tenant: its own administrators have them, and those of the platform.
pub fn delete_all(tenant: &TenantId) -> Statement {
    Statement::new(
        "delete from kept_replies where tenant_id in ('', ?1) and made_for = ?1",
        vec![tenant.into()],
    )
}

/// Forgets replies whose time is over, no more than `limit`. It looks at the index alone, which has no more than a day's.
pub fn delete_expired(now: i64, limit: i64) -> Statement {
    Statement::new(
        "delete from kept_replies where (tenant_id, key_hash) in \
         (select tenant_id, key_hash from kept_replies indexed by kept_replies_made_for_idx where expires_at <= ?1 \
         and (tenant_id = '' or exists (select 1 from tenants where id = tenant_id)) limit ?2)",
        vec![now.into(), limit.into()],
    )
}
