//! Rows of `users`, and of `user_emails` beside them.

use serde_json::{Value as Json, json};

use super::{Statement, Value, guards};
use crate::ids::TenantId;
use crate::scim::fold::fold;
use crate::scim::resource::Resource;
use crate::scim::schema::USERS;
use crate::scim::version::Version;

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

fn insert_emails(tenant: &TenantId, id: &str, resource: &Resource) -> Option<Statement> {
    let emails = email_keys(resource);
    if emails.is_empty() {
        return None;
    }
    let emails: Json = emails
        .iter()
        .map(|(value, label)| json!([value, label]))
        .collect();
    Some(Statement::new(
        "insert into user_emails (tenant_id, value_key, user_id, type_key) \
         select ?1, json_extract(value, '$[0]'), ?2, json_extract(value, '$[1]') from json_each(?3)",
        vec![tenant.into(), id.into(), Value::Text(emails.to_string())],
    ))
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
        "select r.id, r.version, r.created_at, r.modified_at, r.resource, null as memberships, r.active, ?2 as base \
         from users r where r.tenant_id = ?1 \
         and (r.user_name_key = ?3 or (r.external_id = ?4 and r.provider_id = ?5)) \
         order by r.external_id = ?4 desc limit 2",
        vec![
            tenant.into(),
            base.into(),
            text("userName").map(fold).into(),
            text("externalId").into(),
            provider_id.into(),
        ],
    )
}
