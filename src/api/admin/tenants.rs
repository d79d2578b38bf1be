//! `/api/v1/admin/tenants`.

use serde::{Deserialize, Serialize};

use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::idempotency;
use crate::api::http::input::{Page, Text, Time, Whole, body, parameter, present};
use crate::api::http::query_parameters::tenant_in_path;
use crate::api::http::reply::Reply;
use crate::api::http::token_facts;
use crate::auth::admin::Admin;
use crate::change::audit::{self, Action, Detail, Event, Totals};
use crate::change::rows::upkeep;
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::scim::profile::Profile;
use crate::store;
use crate::store::requests::After;
use crate::store::tenants::{self, Changes, Keeping, RemovalFuse, Settings, Tenant};
use crate::store::{
    Constraint, Guard, Row, Statement, event_streams, identity_providers, kept_replies, rows_at,
    scim_tokens,
};

const WHAT: &str = "the tenant";

/// For how long something is kept.
type Days = Whole<0, 3_650>;

/// How much of its tenant one credential may remove: users and groups that it deletes or switches off, of all that there are, and members
/// whom it takes out of groups, of all memberships. What goes beyond is answered 503.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Fuse {
    /// In per cent of what there was when the time began.
    percent: Whole<1, 100>,
    /// So many in any case.
    at_least: Whole<0, 1_000_000>,
    /// Within so many minutes, from the first removal on.
    minutes: Whole<1, 1_440>,
}

impl From<Fuse> for RemovalFuse {
    fn from(fuse: Fuse) -> Self {
        RemovalFuse {
            percent: fuse.percent.0,
            at_least: fuse.at_least.0,
            minutes: fuse.minutes.0,
        }
    }
}

impl From<RemovalFuse> for Fuse {
    fn from(fuse: RemovalFuse) -> Self {
        Fuse {
            percent: Whole(fuse.percent),
            at_least: Whole(fuse.at_least),
            minutes: Whole(fuse.minutes),
        }
    }
}

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
    /// How many days the audit trail is kept; 0 keeps nothing. 365 where it is left out.
    #[serde(default)]
    audit_days: Option<Days>,
    /// How many days it is kept what resources were before each change, for their history and for taking changes back; 0 switches that
    /// off. 30 where it is left out.
    #[serde(default)]
    history_days: Option<Days>,
    /// How many days the journal of requests is kept; 0 keeps nothing. 30 where it is left out.
    #[serde(default)]
    requests_days: Option<Days>,
    /// Whether the journal of requests has bodies. `true` where it is left out.
    #[serde(default)]
    record_bodies: Option<bool>,
    /// How much of the tenant one credential may remove; null for as much as it likes. 20 percent, 50 at least, in 60 minutes where it is left out.
    #[serde(default, deserialize_with = "present")]
    removal_fuse: Option<Option<Fuse>>,
}

/// What is to change; what is left out or null stays as it is, but `removal_fuse`, which null switches off.
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
    /// How many days the audit trail is kept; 0 keeps nothing.
    #[serde(default)]
    audit_days: Option<Days>,
    /// How many days it is kept what resources were before each change, for their history and for taking changes back; 0 switches that
    /// off.
    #[serde(default)]
    history_days: Option<Days>,
    /// How many days the journal of requests is kept; 0 keeps nothing.
    #[serde(default)]
    requests_days: Option<Days>,
    /// Whether the journal of requests has bodies.
    #[serde(default)]
    record_bodies: Option<bool>,
    /// How much of the tenant one credential may remove; null for as much as it likes. What is left out stays.
    #[serde(default, deserialize_with = "present")]
    removal_fuse: Option<Option<Fuse>>,
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
    /// How many days the audit trail is kept.
    audit_days: i64,
    /// How many days it is kept what resources were before each change.
    history_days: i64,
    /// How many days the journal of requests is kept.
    requests_days: i64,
    /// Whether the journal of requests has bodies.
    record_bodies: bool,
    /// How much of the tenant one credential may remove; null for as much as it likes.
    removal_fuse: Option<Fuse>,
    created_at: Time,
    updated_at: Time,
}

/// What an administrator sets.
const FIELDS: [&str; 8] = [
    "name",
    "scim_profile",
    "store_passwords",
    "audit_days",
    "history_days",
    "requests_days",
    "record_bodies",
    "removal_fuse",
];

/// Those that are set, for the audit trail.
fn named(is_set: [bool; 8]) -> Vec<String> {
    let fields = FIELDS.into_iter().zip(is_set);
    let set = fields.filter(|(_, is_set)| *is_set);
    set.map(|(name, _)| name.to_owned()).collect()
}

fn show(tenant: Tenant) -> TenantResponse {
    TenantResponse {
        id: tenant.id,
        name: tenant.name,
        scim_profile: tenant.settings.profile,
        store_passwords: tenant.settings.store_passwords,
        audit_days: tenant.keeping.audit_days,
        history_days: tenant.keeping.history_days,
        requests_days: tenant.keeping.requests_days,
        record_bodies: tenant.keeping.record_bodies,
        removal_fuse: tenant.keeping.removal_fuse.map(Fuse::from),
        created_at: Time(tenant.created_at),
        updated_at: Time(tenant.updated_at),
    }
}

fn show_row(row: &Row) -> Result<TenantResponse> {
    Ok(show(tenants::tenant(row)?))
}

fn audited(
    call: &Call<'_>,
    admin: &Admin,
    tenant: &TenantId,
    action: Action,
    attributes: Vec<String>,
) -> Vec<Statement> {
    call.journal.note_resource("Tenant", tenant.as_str());
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
        is_followed: false,
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
    ];
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
    let mut batch = vec![tenants::insert(&id, &name, settings, &keeping, call.now)];
    batch.extend(audited(call, admin, &id, Action::Create, named(is_given)));
    // The journal is the tenant's own, and begins with it.
    batch.push(call.row(&id, After(1)));
    let tenant = Tenant {
        id: id.to_string(),
        name,
        settings,
        keeping,
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
        audit_days: given.audit_days.map(|days| days.0),
        history_days: given.history_days.map(|days| days.0),
        requests_days: given.requests_days.map(|days| days.0),
        record_bodies: given.record_bodies,
        removal_fuse: given.removal_fuse.map(|fuse| fuse.map(RemovalFuse::from)),
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
    ];
    let mut batch = vec![
        tenants::require(&id),
        tenants::update(&id, &changes, call.now),
    ];
    batch.extend(audited(call, admin, &id, Action::Patch, named(is_given)));
    batch.push(tenants::select(&id));
    let results = call.change(&id, batch).await.map_err(not_found)?;
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
        upkeep::forget_passwords(&id),
    ];
    batch.extend(scim_tokens::wipe_all(&id, call.now));
    batch.extend(event_streams::delete_all(&id));
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
    let tenant = show_row(row.ok_or_else(|| Error::not_found(WHAT))?)?;
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
