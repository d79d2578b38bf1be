//! Rows of `signing_keys`: the deployment's own keys, which belong to no tenant.

use super::event_streams::Sealed;
use super::{Result, Row, Statement};

/// A key on P-256.
#[derive(Debug, Clone)]
pub struct SigningKey {
    /// The `kid` of what it signs.
    pub id: String,
    /// A member of a JWKS.
    pub published: String,
    pub private: Sealed,
    pub created_at: i64,
    /// From when on it signs, until the next one does.
    pub signs_from: i64,
}

pub fn signing_key(row: &Row) -> Result<SigningKey> {
    Ok(SigningKey {
        id: row.text("id")?,
        published: row.text("published")?,
        private: Sealed {
            text: row.text("private")?,
            key_id: row.text("key_id")?,
        },
        created_at: row.integer("created_at")?,
        signs_from: row.integer("signs_from")?,
    })
}

/// All keys, a handful, in the order in which they sign.
pub fn select_all() -> Statement {
    Statement::new("select * from signing_keys order by signs_from, id", vec![])
}

/// What everybody may know of them, as `published`.
pub fn select_published() -> Statement {
    Statement::new(
        "select published from signing_keys order by signs_from, id",
        vec![],
    )
}

/// A new key, unless another came meanwhile: after the last one that was known, by its id.
pub fn insert(key: &SigningKey, last: Option<&str>) -> Statement {
    Statement::new(
        "insert into signing_keys (id, published, private, key_id, created_at, signs_from) select ?1, ?2, ?3, ?4, ?5, ?6 \
         where (select id from signing_keys order by signs_from desc, id desc limit 1) is ?7",
        vec![
            (&key.id).into(),
            (&key.published).into(),
            (&key.private.text).into(),
            (&key.private.key_id).into(),
            key.created_at.into(),
            key.signs_from.into(),
            last.into(),
        ],
    )
}

/// Deletes the keys in whose place another one has signed since that time.
pub fn delete_replaced_before(border: i64) -> Statement {
    Statement::new(
        "delete from signing_keys where signs_from < (select max(signs_from) from signing_keys where signs_from <= ?1)",
        vec![border.into()],
    )
}

/// Puts a private key in that is sealed anew, unless that was done meanwhile.
pub fn reseal(id: &str, before: &Sealed, after: &Sealed) -> Statement {
    Statement::new(
        "update signing_keys set private = ?3, key_id = ?4 where id = ?1 and private = ?2",
        vec![
            id.into(),
            (&before.text).into(),
            (&after.text).into(),
            (&after.key_id).into(),
        ],
    )
}

/// How many are sealed with another encryption key than that one, as `total`.
pub fn count_sealed_otherwise(key_id: &str) -> Statement {
    Statement::new(
        "select count(*) as total from signing_keys where key_id <> ?1",
        vec![key_id.into()],
    )
}
