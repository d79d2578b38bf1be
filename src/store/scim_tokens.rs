//! Rows of `scim_tokens`.

use super::directory::{self, Kind};
use super::tenants::{self, Settings};
use super::{Guard, Params, Result, Row, Statement, guards, page};
use crate::auth::scope::Scopes;
use crate::ids::TenantId;

/// A token as an administrator sees it: everything but the token.
#[derive(Debug, Clone)]
pub struct ScimToken {
    pub id: String,
    pub tenant_id: TenantId,
    pub name: String,
    pub description: Option<String>,
    /// The token's first characters, for telling tokens apart.
    pub token_hint: String,
    pub scopes: Scopes,
    pub is_active: bool,
    pub idp_id: Option<String>,
    pub created_at: i64,
    pub created_by: String,
    pub updated_at: i64,
    pub expires_at: Option<i64>,
    pub last_used_at: Option<i64>,
    pub revoked_at: Option<i64>,
    /// Grows with every change.
    pub revision: i64,
}

const COLUMNS: &str = "k.id, k.tenant_id, k.name, k.description, k.token_hint, k.scopes, k.is_active, k.idp_id, \
     k.created_at, k.created_by, k.updated_at, k.expires_at, k.last_used_at, k.revoked_at, k.token_hash, k.revision";

/// Tokens of tenants that are not deleted.
const FROM: &str =
    "from scim_tokens k join tenants t on t.id = k.tenant_id and t.deleted_at is null";

/// The tenant that a row belongs to.
pub fn tenant_id(row: &Row) -> Result<TenantId> {
    let text = row.text("tenant_id")?;
    TenantId::parse(&text).ok_or_else(|| super::Error::Backend(format!("tenant id `{text}`")))
}

pub fn scim_token(row: &Row) -> Result<ScimToken> {
    Ok(ScimToken {
        id: row.text("id")?,
        tenant_id: tenant_id(row)?,
        name: row.text("name")?,
        description: row.optional_text("description")?,
        token_hint: row.text("token_hint")?,
        scopes: Scopes::from_stored(&row.text("scopes")?),
        is_active: row.boolean("is_active")?,
        idp_id: row.optional_text("idp_id")?,
        created_at: row.integer("created_at")?,
        created_by: row.text("created_by")?,
        updated_at: row.integer("updated_at")?,
        expires_at: row.optional_integer("expires_at")?,
        last_used_at: row.optional_integer("last_used_at")?,
        revoked_at: row.optional_integer("revoked_at")?,
        revision: row.integer("revision")?,
    })
}

/// Inserts a token under its hash, with its directory entries.
pub fn insert(token: &ScimToken, hash: &str) -> [Statement; 3] {
    [
        Statement::new(
            "insert into scim_tokens (tenant_id, id, token_hash, token_hint, name, description, scopes, is_active, idp_id, \
             created_at, created_by, updated_at, expires_at, revision) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 1)",
            vec![
                (&token.tenant_id).into(),
                (&token.id).into(),
                hash.into(),
                (&token.token_hint).into(),
                (&token.name).into(),
                token.description.as_ref().into(),
                token.scopes.to_stored().into(),
                token.is_active.into(),
                token.idp_id.as_ref().into(),
                token.created_at.into(),
                (&token.created_by).into(),
                token.updated_at.into(),
                token.expires_at.into(),
            ],
        ),
        directory::insert(Kind::ScimTokenHash, hash, &token.tenant_id, &token.id),
        directory::insert(Kind::ScimToken, &token.id, &token.tenant_id, &token.id),
    ]
}

/// A token by its id alone, revoked ones too; `only` hides other tenants' tokens.
pub fn select(id: &str, only: Option<&TenantId>) -> Statement {
    Statement::new(
        format!(
            "select {COLUMNS} from directory d join scim_tokens k on k.tenant_id = d.tenant_id and k.id = d.resource_id \
             join tenants t on t.id = k.tenant_id and t.deleted_at is null \
             where d.kind = 'scim_token' and d.key = ?1 and (?2 is null or d.tenant_id = ?2)"
        ),
        vec![id.into(), only.into()],
    )
}

/// A page of tokens that are not revoked, and how many there are.
pub fn select_page(tenant: Option<&TenantId>, limit: i64, offset: i64) -> [Statement; 2] {
    let mut params = Params::default();
    let mut source = format!("{FROM} where k.revoked_at is null");
    if let Some(tenant) = tenant {
        source += &format!(" and k.tenant_id = {}", params.bind(tenant));
    }
    let order = "k.tenant_id, k.id";
    page(&source, params, COLUMNS, order, (limit, offset))
}

/// What is written of a token after its making; all of it, because the handler has read it all. Fails the batch with
/// [`Guard::VersionConflict`] where somebody else changed it since.
pub fn update(token: &ScimToken) -> [Statement; 2] {
    [
        guards::require(
            Guard::VersionConflict,
            "exists (select 1 from scim_tokens where tenant_id = ?1 and id = ?2 and revision = ?3)",
            vec![
                (&token.tenant_id).into(),
                (&token.id).into(),
                token.revision.into(),
            ],
        ),
        Statement::new(
            "update scim_tokens set name = ?3, description = ?4, scopes = ?5, is_active = ?6, expires_at = ?7, \
             revoked_at = ?8, updated_at = ?9, revision = revision + 1 where tenant_id = ?1 and id = ?2",
            vec![
                (&token.tenant_id).into(),
                (&token.id).into(),
                (&token.name).into(),
                token.description.as_ref().into(),
                token.scopes.to_stored().into(),
                token.is_active.into(),
                token.expires_at.into(),
                token.revoked_at.into(),
                token.updated_at.into(),
            ],
        ),
    ]
}

/// The hashes of a tenant's tokens, as `token_hash`: of those that are not wiped, no more than `limit`.
pub fn select_hashes(tenant: &TenantId, limit: i64) -> Statement {
    Statement::new(
        "select token_hash from scim_tokens where tenant_id = ?1 and token_hash <> '' limit ?2",
        vec![tenant.into(), limit.into()],
    )
}

/// Revokes all tokens of a tenant and forgets their hashes: nothing makes one of them work again.
pub fn wipe_all(tenant: &TenantId, now: i64) -> [Statement; 2] {
    [
        directory::forget(tenant, Some(Kind::ScimTokenHash)),
        Statement::new(
            "update scim_tokens set is_active = 0, revoked_at = coalesce(revoked_at, ?2), updated_at = ?2, token_hash = '', \
             revision = revision + 1 where tenant_id = ?1",
            vec![tenant.into(), now.into()],
        ),
    ]
}

/// Notes that a token was used, unless that was noted less than `interval` milliseconds ago.
pub fn touch(tenant: &TenantId, id: &str, now: i64, interval: i64) -> Statement {
    Statement::new(
        "update scim_tokens set last_used_at = ?3 where tenant_id = ?1 and id = ?2 \
         and (last_used_at is null or last_used_at <= ?4)",
        vec![
            tenant.into(),
            id.into(),
            now.into(),
            now.saturating_sub(interval).into(),
        ],
    )
}

/// What a presented token is good for, as far as is known without asking whether it is still so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub tenant_id: TenantId,
    pub token_id: String,
    pub scopes: Scopes,
    pub expires_at: Option<i64>,
    /// The provider that the token was made for; its `externalId`s are apart from other providers'.
    pub idp_id: Option<String>,
    pub revision: i64,
    pub settings: Settings,
}

/// The facts of a token that may be used now, by the hash of it.
pub fn select_facts(hash: &str, now: i64) -> Statement {
    let own = tenants::OWN_SCHEMAS;
    Statement::new(
        format!(
            "select k.tenant_id, k.id, k.scopes, k.expires_at, k.idp_id, k.revision, t.scim_profile, t.store_passwords, t.push_streams, \
         t.schemas_revision, t.unknown_extensions, {own} from directory d join scim_tokens k on k.tenant_id = d.tenant_id and k.id = d.resource_id \
         join tenants t on t.id = k.tenant_id \
         where d.kind = 'scim_token_hash' and d.key = ?1 and k.is_active = 1 and k.revoked_at is null \
         and (k.expires_at is null or k.expires_at > ?2) and t.deleted_at is null"
        ),
        vec![hash.into(), now.into()],
    )
}

pub fn facts(row: &Row) -> Result<Facts> {
    Ok(Facts {
        tenant_id: tenant_id(row)?,
        token_id: row.text("id")?,
        scopes: Scopes::from_stored(&row.text("scopes")?),
        expires_at: row.optional_integer("expires_at")?,
        idp_id: row.optional_text("idp_id")?,
        revision: row.integer("revision")?,
        settings: tenants::settings(row)?,
    })
}

/// Tokens that end before a time, which nobody has been told of: `id`, `name` and `expires_at`, no more than `limit`.
pub fn select_ending(tenant: &TenantId, now: i64, before: i64, limit: i64) -> Statement {
    Statement::new(
        "select id, name, expires_at from scim_tokens where tenant_id = ?1 and is_active = 1 and revoked_at is null and expires_at > ?2 \
         and expires_at <= ?3 and told_of_end is not expires_at order by id limit ?4",
        vec![tenant.into(), now.into(), before.into(), limit.into()],
    )
}

/// Notes that the end of a token was told. Fails the batch with [`Guard::VersionConflict`] where it was told meanwhile, or is another.
pub fn note_end_told(tenant: &TenantId, id: &str, expires_at: i64) -> [Statement; 2] {
    let params = || vec![tenant.into(), id.into(), expires_at.into()];
    [
        guards::require(
            Guard::VersionConflict,
            "exists (select 1 from scim_tokens where tenant_id = ?1 and id = ?2 and expires_at = ?3 and told_of_end is not ?3)",
            params(),
        ),
        Statement::new(
            "update scim_tokens set told_of_end = ?3 where tenant_id = ?1 and id = ?2",
            params(),
        ),
    ]
}
