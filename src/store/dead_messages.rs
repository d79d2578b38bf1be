//! Rows of `dead_messages`: messages of the queue that failed as often as they were tried.

use super::Statement;

/// How long they are kept, in milliseconds: 30 days.
const KEPT_MS: i64 = 30 * 24 * 60 * 60 * 1_000;
/// How much of a message is kept, in characters.
const KEPT_CHARACTERS: usize = 4_096;

/// A message that was given up.
pub struct DeadMessage<'m> {
    /// A UUIDv7.
    pub id: &'m str,
    /// Whose it is; empty where it does not say.
    pub tenant_id: String,
    /// What it asks for; `unknown` where it does not say.
    pub kind: String,
    pub body: &'m str,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// Writes it down, and drops those that are old: the table is small enough to be gone through.
pub fn insert(message: DeadMessage<'_>) -> Vec<Statement> {
    let body: String = message.body.chars().take(KEPT_CHARACTERS).collect();
    vec![
        Statement::new(
            "insert into dead_messages (tenant_id, id, kind, body, at) values (?1, ?2, ?3, ?4, ?5)",
            vec![
                message.tenant_id.into(),
                message.id.into(),
                message.kind.into(),
                body.into(),
                message.at.into(),
            ],
        ),
        Statement::new(
            "delete from dead_messages where at < ?1 and (tenant_id = '' or exists (select 1 from tenants where id = tenant_id))",
            vec![(message.at - KEPT_MS).into()],
        ),
    ]
}
