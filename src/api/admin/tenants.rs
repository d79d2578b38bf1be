//! `/api/v1/admin/tenants`.

use serde::{Deserialize, Serialize};

use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::idempotency;
use crate::api::http::input::{Page, Text, Time, body, parameter};
use crate::api::http::reply::Reply;
use crate::api::http::token_facts;
use crate::auth::admin::Admin;
use crate::change::audit::{self, Action, Detail, Event, Totals};
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::scim::profile::Profile;
use crate::store;
use crate::store::tenants::{self, Changes, Settings, Tenant};
use crate::store::{
    Constraint, Guard, Row, Statement, identity_providers, kept_replies, rows_at, scim_tokens,
};

const WHAT: &str = "the tenant";

/// What a tenant is made of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TenantCreate {
    /// For people to read.
    name: Text<1, 200>,
    /// A UUIDv7 where it is left out. It is part of the tenant's SCIM base URL and stays taken for good.
    #[serde(default)]
    id: Option<TenantId>,
    /// `compat` where it is left out.
    #[serde(default)]
    scim_profile: Option<Profile>,
    /// Whether Argon2id hashes of passwords that clients send are kept; `false` where it is left out.
    #[serde(default)]
    store_passwords: Option<bool>,
}

/// What is to change; what is left out or null stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TenantUpdate {
    /// For people to read.
    #[serde(default)]
    name: Option<Text<1, 200>>,
    #[serde(default)]
    scim_profile: Option<Profile>,
    /// Whether Argon2id hashes of passwords that clients send are kept.
    #[serde(default)]
    store_passwords: Option<bool>,
}

/// A tenant: one customer.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TenantResponse {
    /// Part of the tenant's SCIM base URL.
    id: String,
    /// For people to read.
    name: String,
    scim_profile: Profile,
    /// Whether Argon2id hashes of passwords that clients send are kept.
    store_passwords: bool,
    created_at: Time,
    updated_at: Time,
}

fn show(tenant: Tenant) -> TenantResponse {
    TenantResponse {
        id: tenant.id,
        name: tenant.name,
        scim_profile: tenant.settings.profile,
        store_passwords: tenant.settings.store_passwords,
        created_at: Time(tenant.created_at),
        updated_at: Time(tenant.updated_at),
    }
}

fn show_row(row: &Row) -> Result<TenantResponse> {
    Ok(show(tenants::tenant(row)?))
}

/// The tenant in the path; 404 for one that this administrator does not see.
fn tenant_in_path(call: &Call<'_>, admin: &Admin) -> Result<TenantId> {
    TenantId::parse(call.param("tenant_id"))
        .filter(|tenant| admin.sees(tenant))
        .ok_or_else(|| Error::not_found(WHAT))
}

fn audited(
    call: &Call<'_>,
    admin: &Admin,
    tenant: &TenantId,
    action: Action,
    attributes: Vec<String>,
) -> Vec<Statement> {
    let event = Event {
        action,
        resource_type: "Tenant",
        resource_id: tenant.as_str(),
        attributes,
        detail: Detail::default(),
    };
    audit::append(
        tenant,
        &call.origin_of(admin.actor()),
        Totals::default(),
        &[event],
    )
}

pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let page = Page::of(call)?;
    let search = parameter(call, "search").filter(|search| !search.is_empty());
    let statements = tenants::select_page(
        admin.tenant.as_ref(),
        search.as_deref(),
        page.per_page,
        page.offset(),
    );
    let results = call.run(None, statements.into()).await?;
    envelope::list(call, page, &results, show_row)
}

pub async fn create(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    if admin.tenant.is_some() {
        return Err(Error::forbidden(
            "an administrator of one tenant makes no others",
        ));
    }
    let given: TenantCreate = body(call)?;
    let id = match given.id {
        Some(id) => id,
        None => TenantId::parse(&call.new_id()?)
            .ok_or_else(|| Error::internal("a new id is no tenant id"))?,
    };
    let settings = Settings {
        profile: given.scim_profile.unwrap_or_default(),
        store_passwords: given.store_passwords.unwrap_or_default(),
    };
    let name = given.name.into_string();
    let mut batch = vec![tenants::insert(&id, &name, settings, call.now)];
    let attributes = ["name", "scim_profile", "store_passwords"].map(str::to_owned);
    batch.extend(audited(call, admin, &id, Action::Create, attributes.into()));
    let tenant = Tenant {
        id: id.to_string(),
        name,
        settings,
        created_at: call.now,
        updated_at: call.now,
    };
    let reply = envelope::single(call, 201, show(tenant));
    match idempotency::commit(call, &id, batch, &reply).await {
        Ok(_) => {}
        Err(store::Error::Conflict(Constraint::TenantId)) => {
            return Err(Error::new(Kind::Conflict, format!("the id {id} is taken")));
        }
        Err(error) => return Err(error.into()),
    }
    call.note_tenant(&id);
    Ok(reply)
}

pub async fn read(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let id = tenant_in_path(call, admin)?;
    let results = call.run(Some(&id), vec![tenants::select(&id)]).await?;
    let row = rows_at(&results, 0)?.first();
    let tenant = show_row(row.ok_or_else(|| Error::not_found(WHAT))?)?;
    Ok(envelope::single(call, 200, tenant))
}

pub async fn update(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let id = tenant_in_path(call, admin)?;
    let given: TenantUpdate = body(call)?;
    let changes = Changes {
        name: given.name.as_ref().map(Text::as_str),
        profile: given.scim_profile,
        store_passwords: given.store_passwords,
    };
    let named = [
        ("name", changes.name.is_some()),
        ("scim_profile", changes.profile.is_some()),
        ("store_passwords", changes.store_passwords.is_some()),
    ];
    let attributes = named
        .into_iter()
        .filter(|(_, given)| *given)
        .map(|(name, _)| name.to_owned())
        .collect();
    let mut batch = vec![
        tenants::require(&id),
        tenants::update(&id, &changes, call.now),
    ];
    batch.extend(audited(call, admin, &id, Action::Patch, attributes));
    batch.push(tenants::select(&id));
    let results = call.run(Some(&id), batch).await.map_err(not_found)?;
    let row = results.last().and_then(store::Rows::first);
    let tenant = show_row(row.ok_or_else(|| Error::not_found(WHAT))?)?;
    Ok(envelope::single(call, 200, tenant))
}

/// Most tokens of a deleted tenant that are taken out of the cache at once, by the platform's limit for one request. What the cache says of
/// others opens nothing, and is gone in a day.
const MAX_FORGOTTEN: i64 = 500;

/// `DELETE …/tenants/{tenant_id}`: hides the tenant, and wipes what its tokens and its identity providers' secrets are known by, kept replies
/// too.
pub async fn delete(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let id = tenant_in_path(call, admin)?;
    let mut batch = vec![
        tenants::require(&id),
        scim_tokens::select_hashes(&id, MAX_FORGOTTEN),
        identity_providers::wipe_secrets(&id, call.now),
        kept_replies::delete_all(&id),
    ];
    batch.extend(scim_tokens::wipe_all(&id, call.now));
    batch.push(tenants::delete(&id, call.now));
    batch.extend(audited(call, admin, &id, Action::Delete, Vec::new()));
    let results = call.run(Some(&id), batch).await.map_err(not_found)?;
    for row in &rows_at(&results, 1)?.rows {
        token_facts::forget(&call.app.platform, &row.text("token_hash")?);
    }
    Ok(Reply::empty(204))
}

fn not_found(error: store::Error) -> Error {
    match error {
        store::Error::Guard(Guard::NotFound) => Error::not_found(WHAT),
        other => other.into(),
    }
}
