//! Rows of `users`, and of `user_emails` beside them.

use serde_json::Value as Json;

use super::names;
use crate::ids::TenantId;
use crate::ordered::OrderedSet;
use crate::scim::fold::{fold, name_key};
use crate::scim::resource::Resource;
use crate::scim::schema::{Shape, USERS};
use crate::store::Statement;
use crate::store::set::Set;
use crate::store::unique::UniqueKey;

/// A user as it is to be, new or not.
#[derive(Debug, Clone)]
pub struct UserRow<'r> {
    pub id: &'r str,
    /// The provider whose `externalId` it is; empty for none. One that is there keeps its own.
    pub provider_id: &'r str,
    /// When it was created, in milliseconds since 1970.
    pub created: i64,
    /// By how much its version grows: a new one's is this.
    pub gain: i64,
    /// What it was; none of a new one.
    pub before: Option<&'r Resource>,
    pub resource: &'r Resource,
    /// An Argon2id hash, where the tenant keeps them and a password came along.
    pub password_hash: Option<&'r str>,
}

/// Writes users, new ones and changed ones. A name that is taken fails the batch. That those who were
/// there still are, and at the version that was read, is for a guard before it.
pub fn save(
    tenant: &TenantId,
    shape: Shape<'_>,
    users: &[UserRow<'_>],
    now: i64,
) -> Vec<Statement> {
    let rows = users.iter().map(|user| {
        vec![
            user.id.into(),
            user.provider_id.into(),
            user.gain.into(),
            user.created.into(),
            user.password_hash.into(),
            user.resource.to_stored(&USERS).into(),
            user.resource.to_keys(shape).into(),
        ]
    });
    let columns = &[
        "id", "provider", "gain", "created", "hash", "resource", "keys",
    ];
    let mut statements = Set::new(columns, rows).statements(&[tenant.into(), now.into()], |part| {
        format!(
            "{} insert into users (tenant_id, id, provider_id, version, created_at, modified_at, password_hash, resource, keys) \
             select ?1, e.id, e.provider, e.gain, e.created, ?2, e.hash, e.resource, e.keys from e where true \
             on conflict (tenant_id, id) do update set provider_id = iif(json_extract(excluded.resource, '$.externalId') is json_extract(resource, '$.externalId'), \
             provider_id, excluded.provider_id), version = version + excluded.version, modified_at = excluded.modified_at, \
             password_hash = coalesce(excluded.password_hash, password_hash), resource = excluded.resource, \
             keys = {}",
            part.table(),
            names::kept_keys(UniqueKey::UserName)
        )
    });
    statements.extend(insert_names(tenant, users));
    let moved = users
        .iter()
        .map(|user| (user, email_keys(user.resource)))
        // Rows from before keys were normalised may be others for the same address.
        .filter(|(user, emails)| {
            user.before.map(email_keys).unwrap_or_default() != *emails
                || !emails.iter().all(is_plain)
        })
        .collect::<Vec<_>>();
    let old: Vec<String> = moved
        .iter()
        .filter(|(user, _)| user.before.is_some())
        .map(|(user, _)| user.id.to_owned())
        .collect();
    statements.extend(delete_emails(tenant, &old));
    let moved = moved.iter().map(|(user, emails)| (user.id, emails));
    statements.extend(insert_emails(tenant, moved));
    statements
}

/// Writes the names under which new users are shown as members. A trigger keeps those of users who are there.
fn insert_names(tenant: &TenantId, users: &[UserRow<'_>]) -> Vec<Statement> {
    let text = |user: &UserRow<'_>, name| {
        let value = user.resource.attributes.get(name)?;
        value.as_str().map(str::to_owned)
    };
    let new = users.iter().filter(|user| user.before.is_none());
    let rows = new.map(|user| {
        let name = text(user, "displayName").or_else(|| text(user, "userName"));
        vec![user.id.into(), name.into()]
    });
    Set::new(&["id", "name"], rows).statements(&[tenant.into()], |part| {
        format!(
            "{} insert into user_names (tenant_id, id, name) select ?1, e.id, e.name from e where true \
             on conflict (tenant_id, id) do update set name = excluded.name",
            part.table()
        )
    })
}

/// Writes the rows beside users anew.
pub(super) fn rewrite_emails(tenant: &TenantId, users: &[(&str, &Resource)]) -> Vec<Statement> {
    let ids: Vec<String> = users.iter().map(|(id, _)| (*id).to_owned()).collect();
    let emails: Vec<_> = users
        .iter()
        .map(|(id, user)| (*id, email_keys(user)))
        .collect();
    let mut statements = delete_emails(tenant, &ids);
    let emails = emails.iter().map(|(id, emails)| (*id, emails));
    statements.extend(insert_emails(tenant, emails));
    statements
}

fn insert_emails<'e>(
    tenant: &TenantId,
    emails: impl Iterator<Item = (&'e str, &'e EmailKeys)>,
) -> Vec<Statement> {
    let rows = emails.flat_map(|(id, emails)| {
        let emails = emails.iter();
        emails.map(move |(value, label)| vec![id.into(), value.into(), label.into()])
    });
    Set::new(&["user_id", "value_key", "type_key"], rows).statements(&[tenant.into()], |part| {
        format!(
            "{} insert into user_emails (tenant_id, user_id, value_key, type_key) \
             select ?1, e.user_id, e.value_key, e.type_key from e",
            part.table()
        )
    })
}

/// Values and types of addresses as they are compared.
type EmailKeys = OrderedSet<(String, String)>;

fn is_plain((value, label): &(String, String)) -> bool {
    value.is_ascii() && label.is_ascii()
}

/// Deletes the rows beside users.
pub fn delete_emails(tenant: &TenantId, users: &[String]) -> Vec<Statement> {
    Set::of_ids(users).statements(&[tenant.into()], |part| {
        format!(
            "delete from user_emails indexed by user_emails_user_idx where tenant_id = ?1 and {}",
            part.has("user_id")
        )
    })
}

/// Values and types of a user's addresses as they are compared, each pair once.
fn email_keys(resource: &Resource) -> EmailKeys {
    let text = |email: &Json, name: &str| Some(email.get(name)?.as_str()?.to_owned());
    resource
        .attributes
        .get("emails")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
        .filter_map(|email| {
            Some((
                name_key(&text(email, "value")?),
                fold(&text(email, "type").unwrap_or_default()),
            ))
        })
        .collect()
}
