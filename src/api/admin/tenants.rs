//! `/api/v1/admin/tenants`.

use std::rc::Rc;

use serde_json::json;

use super::administrator;
use super::databases;
use super::tenant_types::{
    Color, TenantCreate, TenantResponse, TenantUpdate, UnknownExtensions, show,
};
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::everywhere;
use crate::api::http::idempotency;
use crate::api::http::input::{Page, Text, body, parameter};
use crate::api::http::query_parameters::tenant_in_path;
use crate::api::http::reply::Reply;
use crate::api::http::token_facts;
use crate::auth::admin::Admin;
use crate::change::audit::Action;
use crate::change::rows::upkeep;
use crate::databases::place::MAIN;
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::scim::schema::OwnSchemas;
use crate::store;
use crate::store::requests::After;
use crate::store::tenants::{self, Changes, Keeping, Product, RemovalFuse, Settings, Tenant};
use crate::store::{
    Constraint, Guard, Row, Statement, event_streams, identity_providers, kept_replies, rows_at,
    scim_tokens, setup_links,
};

const WHAT: &str = "the tenant";

/// What an administrator sets.
const FIELDS: [&str; 13] = [
    "name",
    "scim_profile",
    "store_passwords",
    "audit_days",
    "history_days",
    "requests_days",
    "record_bodies",
    "removal_fuse",
    "product_name",
    "product_color",
    "unknown_extensions",
    "roles",
    "entitlements",
];

/// Those that are set, for the audit trail.
fn named(is_set: [bool; 13]) -> Vec<String> {
    let fields = FIELDS.into_iter().zip(is_set);
    let set = fields.filter(|(_, is_set)| *is_set);
    set.map(|(name, _)| name.to_owned()).collect()
}

fn show_row(row: &Row, database: &str) -> Result<TenantResponse> {
    Ok(show(tenants::tenant(row)?, database))
}

/// The same of a tenant whose row was just read in its database.
fn show_read(call: &Call<'_>, id: &TenantId, row: &Row) -> Result<TenantResponse> {
    let homes = &call.app.platform.homes;
    show_row(row, homes.of(id).unwrap_or(MAIN))
}

fn audited(
    call: &Call<'_>,
    admin: &Admin,
    tenant: &TenantId,
    action: Action,
    attributes: Vec<String>,
) -> Vec<Statement> {
    let what = ("Tenant", tenant.as_str());
    administrator::audited(call, admin, tenant, what, action, attributes)
}

pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let page = Page::of(call)?;
    let search = parameter(call, "search").filter(|search| !search.is_empty());
    let only = admin.tenant.as_ref();
    let select = |limit, offset| tenants::select_page(only, search.as_deref(), limit, offset);
    if let Some(only) = only {
        let batch = select(page.per_page, page.offset());
        let results = call.run(Some(only), batch.into()).await?;
        return envelope::list(call, page, &results, |row| show_read(call, only, row));
    }
    let found = everywhere::of_all(call, page, &select, false).await?;
    let parts = found.parts.iter();
    let rows = parts.flat_map(|(database, rows)| rows.iter().map(move |row| (*database, row)));
    let data = rows.map(|(database, row)| show_row(row, database));
    let data = data.collect::<Result<Vec<_>>>()?;
    Ok(envelope::listed(call, page, found.total, data))
}

pub async fn create(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    if admin.tenant.is_some() {
        return Err(Error::forbidden(
            "an administrator of one tenant makes no others",
        ));
    }
    let given: TenantCreate = body(call)?;
    let database = given.database.as_ref().map(Text::as_str);
    let location = given.location.as_ref().map(Text::as_str);
    let is_asked_for = database.is_some() || location.is_some();
    let database = databases::choose(call, database, location).await?;
    let id = match given.id {
        Some(id) => id,
        None => TenantId::parse(&call.new_id()?)
            .ok_or_else(|| Error::internal("a new id is no tenant id"))?,
    };
    let drops_unknown = given
        .unknown_extensions
        .is_some_and(UnknownExtensions::drops);
    let assignable = match (&given.roles, &given.entitlements) {
        (None, None) => None,
        (roles, entitlements) => Some(json!({"roles": roles, "entitlements": entitlements})),
    };
    let documents = assignable.map_or_else(String::new, |one| json!([one]).to_string());
    let settings = Settings {
        profile: given.scim_profile.unwrap_or_default(),
        store_passwords: given.store_passwords.unwrap_or_default(),
        // The first revision is what a worker takes for granted of a tenant that it does not know.
        own: Rc::new(OwnSchemas::read(
            i64::from(drops_unknown || !documents.is_empty()),
            drops_unknown,
            documents,
        )),
        ..Settings::default()
    };
    let is_given = [
        true,
        true,
        true,
        given.audit_days.is_some(),
        given.history_days.is_some(),
        given.requests_days.is_some(),
        given.record_bodies.is_some(),
        given.removal_fuse.is_some(),
        given.product_name.is_some(),
        given.product_color.is_some(),
        given.unknown_extensions.is_some(),
        given.roles.is_some(),
        given.entitlements.is_some(),
    ];
    let product = Product {
        name: given.product_name.map(Text::into_string),
        color: given.product_color.map(|Color(color)| color),
    };
    let usual = Keeping::default();
    let keeping = Keeping {
        audit_days: given.audit_days.map_or(usual.audit_days, |days| days.0),
        history_days: given.history_days.map_or(usual.history_days, |days| days.0),
        requests_days: given
            .requests_days
            .map_or(usual.requests_days, |days| days.0),
        record_bodies: given.record_bodies.unwrap_or(usual.record_bodies),
        removal_fuse: match given.removal_fuse {
            Some(fuse) => fuse.map(RemovalFuse::from),
            None => usual.removal_fuse,
        },
    };
    let name = given.name.into_string();
    let inserted = tenants::insert(&id, &name, &product, &settings, &keeping, call.now);
    let mut batch = vec![inserted];
    batch.extend(audited(call, admin, &id, Action::Create, named(is_given)));
    // The journal is the tenant's own, and begins with it.
    batch.push(call.row(&id, After(1)));
    let tenant = Tenant {
        id: id.to_string(),
        name,
        product,
        settings,
        keeping,
        created_at: call.now,
        updated_at: call.now,
    };
    let database = databases::place(call, &id, database, is_asked_for).await?;
    let reply = envelope::single(call, 201, show(tenant, database));
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
    let tenant = show_read(call, &id, row.ok_or_else(|| Error::not_found(WHAT))?)?;
    Ok(envelope::single(call, 200, tenant))
}

pub async fn update(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let id = tenant_in_path(call, admin)?;
    let given: TenantUpdate = body(call)?;
    let changes = Changes {
        name: given.name.as_ref().map(Text::as_str),
        profile: given.scim_profile,
        store_passwords: given.store_passwords,
        audit_days: given.audit_days.map(|days| days.0),
        history_days: given.history_days.map(|days| days.0),
        requests_days: given.requests_days.map(|days| days.0),
        record_bodies: given.record_bodies,
        removal_fuse: given.removal_fuse.map(|fuse| fuse.map(RemovalFuse::from)),
        product_name: given.product_name.map(|name| name.map(Text::into_string)),
        product_color: given
            .product_color
            .map(|color| color.map(|Color(color)| color)),
        drops_unknown: given.unknown_extensions.map(UnknownExtensions::drops),
        roles: given.roles.map(|roles| roles.to_stored()),
        entitlements: given.entitlements.map(|all| all.to_stored()),
    };
    let is_given = [
        changes.name.is_some(),
        changes.profile.is_some(),
        changes.store_passwords.is_some(),
        changes.audit_days.is_some(),
        changes.history_days.is_some(),
        changes.requests_days.is_some(),
        changes.record_bodies.is_some(),
        changes.removal_fuse.is_some(),
        changes.product_name.is_some(),
        changes.product_color.is_some(),
        changes.drops_unknown.is_some(),
        changes.roles.is_some(),
        changes.entitlements.is_some(),
    ];
    let mut batch = vec![
        tenants::require(&id),
        tenants::update(&id, &changes, call.now),
    ];
    batch.extend(audited(call, admin, &id, Action::Patch, named(is_given)));
    batch.push(tenants::select(&id));
    let results = call.change(&id, batch).await.map_err(not_found)?;
    let row = results.last().and_then(store::Rows::first);
    let tenant = show_read(call, &id, row.ok_or_else(|| Error::not_found(WHAT))?)?;
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
        upkeep::forget_passwords(&id),
    ];
    batch.extend(scim_tokens::wipe_all(&id, call.now));
    batch.extend(event_streams::delete_all(&id));
    batch.push(setup_links::delete_all(&id));
    batch.push(tenants::delete(&id, call.now));
    batch.extend(audited(call, admin, &id, Action::Delete, Vec::new()));
    let results = call.change(&id, batch).await.map_err(not_found)?;
    for row in &rows_at(&results, 1)?.rows {
        token_facts::forget(&call.app.platform, &row.text("token_hash")?);
    }
    Ok(Reply::empty(204))
}

/// `POST …/tenants/{tenant_id}/restore`: brings a deleted tenant back, as long as its rows are there. Its tokens and secrets are gone for good.
pub async fn restore(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let id = tenant_in_path(call, admin)?;
    let mut batch = Vec::from(tenants::restore(&id, call.now));
    batch.extend(audited(call, admin, &id, Action::Restore, Vec::new()));
    // Its journal is hidden with it.
    batch.push(call.row(&id, After(1)));
    batch.push(tenants::select(&id));
    let results = call.run(Some(&id), batch).await;
    if results.is_err() {
        call.forget_row();
    }
    let results = match results {
        Err(store::Error::Guard(Guard::NotFound)) => return Err(not_restored(call, &id).await?),
        results => results?,
    };
    let row = results.last().and_then(store::Rows::first);
    let tenant = show_read(call, &id, row.ok_or_else(|| Error::not_found(WHAT))?)?;
    call.note_tenant(&id);
    Ok(envelope::single(call, 200, tenant))
}

/// Why a tenant was not brought back.
async fn not_restored(call: &Call<'_>, id: &TenantId) -> Result<Error> {
    let results = call.run(Some(id), vec![tenants::select_upkeep(id)]).await?;
    let row = rows_at(&results, 0)?.first();
    let deleted_at = row.map(|row| row.optional_integer("deleted_at"));
    Ok(match deleted_at.transpose()? {
        None => Error::not_found(WHAT),
        Some(None) => Error::new(Kind::Conflict, "the tenant is not deleted"),
        Some(Some(_)) => Error::new(
            Kind::NotFound,
            "the tenant was deleted more than 30 days ago, and its rows are gone",
        ),
    })
}

fn not_found(error: store::Error) -> Error {
    match error {
        store::Error::Guard(Guard::NotFound) => Error::not_found(WHAT),
        other => other.into(),
    }
}
