//! Rows of `users`, and of `user_emails` beside them.

use serde_json::Value as Json;

use super::{Params, Statement, guards};
use crate::ids::TenantId;
use crate::scim::fold::fold;
use crate::scim::resource::Resource;
use crate::scim::schema::USERS;
use crate::scim::version::Version;

/// Addresses inserted at once: D1 binds 100 parameters. Unlike the rows of `json_each`, those of `values` are not counted as
/// read.
const EMAILS_IN_A_STATEMENT: usize = 40;

/// A user to be written.
#[derive(Debug, Clone)]
pub struct UserRow<'r> {
    pub id: &'r str,
    /// The provider whose `externalId` it is; empty for none.
    pub provider_id: &'r str,
    pub resource: &'r Resource,
    /// An Argon2id hash, where the tenant keeps them and a password came along.
    pub password_hash: Option<&'r str>,
}

/// Inserts a user. A name or an `externalId` that is taken fails the batch.
pub fn insert(tenant: &TenantId, user: &UserRow<'_>, now: i64) -> Vec<Statement> {
    let row = Statement::new(
        "insert into users (tenant_id, id, provider_id, version, created_at, modified_at, password_hash, resource, keys) \
         values (?1, ?2, ?3, 1, ?4, ?4, ?5, ?6, ?7)",
        vec![
            tenant.into(),
            user.id.into(),
            user.provider_id.into(),
            now.into(),
            user.password_hash.into(),
            user.resource.to_stored(&USERS).into(),
            user.resource.to_keys(&USERS).into(),
        ],
    );
    let emails = insert_emails(tenant, user.id, user.resource);
    std::iter::once(row).chain(emails).collect()
}

/// Writes a user over the version that was read; anything else fails the batch.
pub fn update(
    tenant: &TenantId,
    user: &UserRow<'_>,
    before: &Resource,
    version: Version,
    now: i64,
) -> Vec<Statement> {
    let mut statements = vec![
        guards::version(tenant, &USERS, user.id, version),
        Statement::new(
            "update users set version = version + 1, modified_at = ?3, resource = ?4, keys = ?5, \
             password_hash = coalesce(?6, password_hash) where tenant_id = ?1 and id = ?2",
            vec![
                tenant.into(),
                user.id.into(),
                now.into(),
                user.resource.to_stored(&USERS).into(),
                user.resource.to_keys(&USERS).into(),
                user.password_hash.into(),
            ],
        ),
    ];
    if email_keys(before) != email_keys(user.resource) {
        statements.push(delete_emails(tenant, user.id));
        statements.extend(insert_emails(tenant, user.id, user.resource));
    }
    statements
}

/// Deletes the rows beside a user that the same batch deletes.
pub fn delete_emails(tenant: &TenantId, id: &str) -> Statement {
    Statement::new(
        "delete from user_emails indexed by user_emails_user_idx where tenant_id = ?1 and user_id = ?2",
        vec![tenant.into(), id.into()],
    )
}

fn insert_emails(tenant: &TenantId, id: &str, resource: &Resource) -> Vec<Statement> {
    let emails: Vec<(String, String)> = email_keys(resource).into_iter().collect();
    emails
        .chunks(EMAILS_IN_A_STATEMENT)
        .map(|emails| {
            let mut params = Params::new(vec![tenant.into(), id.into()]);
            let rows: Vec<String> = emails
                .iter()
                .map(|(value, label)| {
                    let value = params.bind(value);
                    format!("(?1, {value}, ?2, {})", params.bind(label))
                })
                .collect();
            Statement::new(
                format!(
                    "insert into user_emails (tenant_id, value_key, user_id, type_key) values {}",
                    rows.join(", ")
                ),
                params.into_values(),
            )
        })
        .collect()
}

/// Values and types of a user's addresses as they are compared, each pair once.
pub fn email_keys(resource: &Resource) -> std::collections::BTreeSet<(String, String)> {
    let text = |email: &Json, name: &str| email.get(name).and_then(Json::as_str).map(fold);
    resource
        .attributes
        .get("emails")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(|email| {
            Some((
                text(email, "value")?,
                text(email, "type").unwrap_or_default(),
            ))
        })
        .collect()
}

/// The user that stands in the way of a new one: the same name, or the same `externalId` of the same provider. Columns of a
/// stored resource, without memberships, and `active`.
pub fn select_rival(
    tenant: &TenantId,
    base: &str,
    provider_id: &str,
    resource: &Resource,
) -> Statement {
    let text = |name: &str| resource.attributes.get(name).and_then(Json::as_str);
    Statement::new(
        "select r.id, r.version, r.created_at, r.modified_at, r.resource, null as memberships, 0 as oversized, r.active, ?2 as base \
         from users r where r.tenant_id = ?1 and r.id in ( \
         select n.id from users n indexed by users_user_name_unique where n.tenant_id = ?1 and n.user_name_key = ?3 \
         union all \
         select e.id from users e indexed by users_external_id_unique \
         where e.tenant_id = ?1 and e.external_id = ?4 and e.provider_id = ?5)",
        vec![
            tenant.into(),
            base.into(),
            text("userName").map(fold).into(),
            text("externalId").into(),
            provider_id.into(),
        ],
    )
}
