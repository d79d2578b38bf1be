//! Rows of `setup_links`: the links by which a customer's administrator sets a tenant up.

use super::{Guard, Params, Result, Row, Statement, guards, page};
use crate::auth::setup_link::{Allowance, from_stored, to_stored};
use crate::ids::TenantId;

/// A link as an administrator sees it: everything but its secret.
#[derive(Debug, Clone)]
pub struct SetupLink {
    pub tenant_id: TenantId,
    pub id: String,
    pub allows: Vec<Allowance>,
    pub created_at: i64,
    pub created_by: String,
    pub expires_at: i64,
    pub last_used_at: Option<i64>,
}

const COLUMNS: &str =
    "s.tenant_id, s.id, s.allows, s.created_at, s.created_by, s.expires_at, s.last_used_at";
/// Links of tenants that are not deleted.
const FROM: &str =
    "from setup_links s join tenants t on t.id = s.tenant_id and t.deleted_at is null";

pub fn setup_link(row: &Row) -> Result<SetupLink> {
    Ok(SetupLink {
        tenant_id: super::scim_tokens::tenant_id(row)?,
        id: row.text("id")?,
        allows: from_stored(&row.text("allows")?),
        created_at: row.integer("created_at")?,
        created_by: row.text("created_by")?,
        expires_at: row.integer("expires_at")?,
        last_used_at: row.optional_integer("last_used_at")?,
    })
}

/// Inserts a link under its hash. The tenant's links that have expired go: nobody can do anything with them. Fails the batch with
/// [`Guard::Full`] where the tenant has as many as it may have.
pub fn insert(link: &SetupLink, hash: &str, most: i64) -> [Statement; 3] {
    [
        Statement::new(
            "delete from setup_links where tenant_id = ?1 and expires_at <= ?2",
            vec![(&link.tenant_id).into(), link.created_at.into()],
        ),
        guards::require(
            Guard::Full,
            "(select count(*) from setup_links where tenant_id = ?1) < ?2",
            vec![(&link.tenant_id).into(), most.into()],
        ),
        Statement::new(
            "insert into setup_links (tenant_id, id, hash, allows, created_at, created_by, expires_at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            vec![
                (&link.tenant_id).into(),
                (&link.id).into(),
                hash.into(),
                to_stored(&link.allows).into(),
                link.created_at.into(),
                (&link.created_by).into(),
                link.expires_at.into(),
            ],
        ),
    ]
}

/// The link of a tenant with a hash, where it has not expired.
pub fn select_by_hash(tenant: &TenantId, hash: &str, now: i64) -> Statement {
    Statement::new(
        format!(
            "select {COLUMNS} {FROM} where s.tenant_id = ?1 and s.hash = ?2 and s.expires_at > ?3"
        ),
        vec![tenant.into(), hash.into(), now.into()],
    )
}

/// A link of a tenant by its id.
pub fn select(tenant: &TenantId, id: &str) -> Statement {
    Statement::new(
        format!("select {COLUMNS} {FROM} where s.tenant_id = ?1 and s.id = ?2"),
        vec![tenant.into(), id.into()],
    )
}

/// A page of links that have not expired, and how many there are.
pub fn select_page(tenant: Option<&TenantId>, now: i64, limit: i64, offset: i64) -> [Statement; 2] {
    let mut params = Params::default();
    let mut source = format!("{FROM} where s.expires_at > {}", params.bind(now));
    if let Some(tenant) = tenant {
        source += &format!(" and s.tenant_id = {}", params.bind(tenant));
    }
    page(
        &source,
        params,
        COLUMNS,
        "s.tenant_id, s.id",
        (limit, offset),
    )
}

/// Notes that a link was used, once a minute at most.
pub fn touch(tenant: &TenantId, id: &str, now: i64) -> Statement {
    Statement::new(
        "update setup_links set last_used_at = ?3 where tenant_id = ?1 and id = ?2 and coalesce(last_used_at, 0) <= ?3 - 60000",
        vec![tenant.into(), id.into(), now.into()],
    )
}

/// Fails the batch with [`Guard::NotFound`] where there is no such link.
pub fn require(tenant: &TenantId, id: &str) -> Statement {
    guards::require(
        Guard::NotFound,
        "exists (select 1 from setup_links where tenant_id = ?1 and id = ?2)",
        vec![tenant.into(), id.into()],
    )
}

pub fn delete(tenant: &TenantId, id: &str) -> Statement {
    Statement::new(
        "delete from setup_links where tenant_id = ?1 and id = ?2",
        vec![tenant.into(), id.into()],
    )
}

pub fn delete_all(tenant: &TenantId) -> Statement {
    Statement::new(
        "delete from setup_links where tenant_id = ?1",
        vec![tenant.into()],
    )
}

/// How many users and groups a tenant has: `user_total`, `group_total`.
pub fn select_totals(tenant: &TenantId) -> Statement {
    Statement::new(
        "select user_total, group_total from tenants where id = ?1 and deleted_at is null",
        vec![tenant.into()],
    )
}

/// The tokens that are not revoked of whoever made them.
pub fn select_tokens(tenant: &TenantId, created_by: &str) -> Statement {
    Statement::new(
        "select * from scim_tokens where tenant_id = ?1 and created_by = ?2 and revoked_at is null order by id",
        vec![tenant.into(), created_by.into()],
    )
}

/// Fails the batch with [`Guard::Full`] where whoever made them has as many tokens that are not revoked as they may have.
pub fn require_room_for_token(tenant: &TenantId, created_by: &str, most: i64) -> Statement {
    guards::require(
        Guard::Full,
        "(select count(*) from scim_tokens where tenant_id = ?1 and created_by = ?2 and revoked_at is null) < ?3",
        vec![tenant.into(), created_by.into(), most.into()],
    )
}

/// How many of a tenant's last requests are looked through for those of a link's tokens, and most of them that are shown.
const REQUESTS_LOOKED_AT: i64 = 200;
const REQUESTS_SHOWN: i64 = 20;

/// The last SCIM requests with the tokens of whoever made them, and with credentials that do not hold.
pub fn select_requests(tenant: &TenantId, created_by: &str) -> Statement {
    Statement::new(
        format!(
            "select r.id, r.method, r.route, r.status, r.failed, r.detail, r.user_name from \
             (select * from requests where tenant_id = ?1 order by id desc limit {REQUESTS_LOOKED_AT}) r \
             where instr(r.route, '/scim/v2') > 0 and (r.actor = '' or r.actor in (select 'scim-token:' || k.id from scim_tokens k \
             where k.tenant_id = ?1 and k.created_by = ?2)) order by r.id desc limit {REQUESTS_SHOWN}"
        ),
        vec![tenant.into(), created_by.into()],
    )
}

/// The ten users who came last.
pub fn select_newest_users(tenant: &TenantId) -> Statement {
    Statement::new(
        "select id, json_extract(resource, '$.userName') as user_name, json_extract(resource, '$.displayName') as display_name, \
         coalesce(active, 1) as active, created_at from users where tenant_id = ?1 order by id desc limit 10",
        vec![tenant.into()],
    )
}
