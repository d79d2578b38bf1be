//! `/api/v1/admin/identity-providers` and `/api/v1/tenants/{tenant_id}/identity-providers`: two views of one resource, over one
//! implementation.
//!
//! The views differ in what they show and take (`types`), and in how a provider is named: an administrator names it by its id alone. To
//! an administrator of one tenant no other tenant's provider exists, in either view.

use super::access::{Access, View, unknown_tenant};
use super::check_extensions::check_extensions;
use super::config::{self, Changed, Config};
use super::responses::IdPListItem;
use super::secrets;
use super::types::{AdminIdPCreate, AdminIdPUpdate, IdPCreate, IdPUpdate};
use crate::api::http::call::{Call, retrying};
use crate::api::http::envelope;
use crate::api::http::everywhere;
use crate::api::http::idempotency;
use crate::api::http::input::{Page, Text, Time, body, body_field, flag, parameter};
use crate::api::http::query_parameters::tenant_in_query;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::auth::setup_link::Allowance;
use crate::change::audit::Action;
use crate::change::provider as provider_rows;
use crate::error::{Error, FieldError, Kind, Result};
use crate::store::identity_providers::{self as rows, IdentityProvider, Protocol, Wanted};
use crate::store::{
    self, Constraint, Guard, Row, Statement, group_mappings as mappings, rows_at, tenants,
};

fn name_taken() -> Error {
    Error::new(
        Kind::Conflict,
        "another identity provider of the tenant has this name",
    )
}

/// A reply that carries a provider, and what else is to be told of it.
fn show(
    call: &Call<'_>,
    view: View,
    status: u16,
    provider: &IdentityProvider,
    notices: Vec<FieldError>,
) -> Result<Reply> {
    let shown = config::admin_response(provider, call.now)?;
    Ok(match view {
        View::Admin => envelope::noticed(call, status, &shown, notices),
        View::Tenant => envelope::noticed(call, status, &shown.idp, notices),
    })
}

pub fn list_item(row: &Row) -> Result<IdPListItem> {
    let provider = rows::identity_provider(row)?;
    Ok(IdPListItem {
        id: provider.id,
        name: provider.name,
        display_name: provider.display_name,
        protocol: provider.protocol,
        enabled: provider.enabled,
        created_at: Time(provider.created_at),
    })
}

/// The protocol that a query asks for.
fn protocol_in_query(call: &Call<'_>, name: &str) -> Result<Option<Protocol>> {
    match parameter(call, name) {
        None => Ok(None),
        Some(text) => Protocol::from_name(&text).map(Some).ok_or_else(|| {
            Error::field(&["query", name], "it has to be OIDC, SAML or LDAP", "enum")
        }),
    }
}

pub async fn list(call: &Call<'_>, admin: &Admin, view: View) -> Result<Reply> {
    let access = Access::of(call, admin, view)?;
    let page = Page::of(call)?;
    match view {
        View::Admin => {
            let tenant = tenant_in_query(call, access.admin)?;
            let search = parameter(call, "search").filter(|search| !search.is_empty());
            let wanted = Wanted {
                tenant: tenant.as_ref(),
                protocol: protocol_in_query(call, "provider_type")?,
                enabled_only: false,
                search: search.as_deref(),
            };
            let results = everywhere::list(call, tenant.as_ref(), page, |limit, offset| {
                rows::select_page(&wanted, limit, offset)
            });
            let results = results.await?;
            envelope::list(call, page, &results, |row| {
                config::admin_response(&rows::identity_provider(row)?, call.now)
            })
        }
        View::Tenant => {
            let tenant = access.tenant.as_ref().ok_or_else(unknown_tenant)?;
            let wanted = Wanted {
                tenant: Some(tenant),
                protocol: protocol_in_query(call, "protocol")?,
                enabled_only: flag(call, "enabled_only")?,
                search: None,
            };
            let mut batch: Vec<Statement> =
                rows::select_page(&wanted, page.per_page, page.offset()).into();
            batch.push(tenants::select(tenant));
            let results = call.run(Some(tenant), batch).await?;
            if rows_at(&results, 2)?.first().is_none() {
                return Err(unknown_tenant());
            }
            envelope::list(call, page, &results, list_item)
        }
    }
}

pub async fn create(call: &Call<'_>, admin: &Admin, view: View) -> Result<Reply> {
    let access = Access::of(call, admin, view)?;
    let no_tenant = match view {
        View::Admin => || {
            Error::field(
                &["body", "tenant_id"],
                "there is no such tenant",
                "value_error",
            )
        },
        View::Tenant => unknown_tenant,
    };
    let given: AdminIdPCreate = match (view, &access.tenant) {
        (View::Tenant, Some(tenant)) => {
            let given: IdPCreate = body(call).map_err(without_ldap)?;
            if given.protocol == Protocol::Ldap {
                let msg = format!("it has to be OIDC or SAML; {LDAP_ELSEWHERE}");
                return Err(Error::field(&["body", "protocol"], msg, "enum"));
            }
            given.of_tenant(tenant.clone())
        }
        _ => body(call).map_err(|error| config::with_protocol(call, error))?,
    };
    if !access.admin.sees(&given.tenant_id) {
        return Err(no_tenant());
    }
    let protocol = config::protocol_of(&given)?;
    admin.require_allowance(Allowance::of_protocol(protocol))?;
    let mut chosen = Config::chosen(
        protocol,
        given.oidc_config,
        given.saml_config,
        given.ldap_config,
    )?;
    let id = call.new_id()?;
    let secret = chosen.take_secret();
    let mut provider = IdentityProvider {
        id,
        tenant_id: given.tenant_id,
        name: given.name.into_string(),
        display_name: given.display_name.map(Text::into_string),
        protocol,
        enabled: given.enabled,
        auto_create_users: given.auto_create_users,
        update_user_on_login: given.update_user_on_login,
        config: chosen.to_stored()?,
        attribute_mapping: config::to_stored(&given.attribute_mapping.unwrap_or_default())?,
        allowed_domains: config::to_stored(&given.allowed_domains.unwrap_or_default())?,
        secret: None,
        created_at: call.now,
        updated_at: call.now,
        revision: 1,
        synced_at: None,
    };
    if let Some(secret) = &secret {
        provider.secret = Some(secrets::seal(call.app, &provider, secret.secret())?);
    }
    check_extensions(call, &provider).await?;
    let tenant = &provider.tenant_id;
    let mut attributes: Vec<String> = ["name", "protocol", "enabled", chosen.field()]
        .map(str::to_owned)
        .into();
    if secret.is_some() {
        attributes.push(format!("{}.{}", chosen.field(), chosen.secret_field()));
    }
    let mut batch = vec![tenants::require(tenant)];
    batch.extend(rows::insert(&provider));
    let subject = ("IdentityProvider", provider.id.as_str());
    batch.extend(access.audited(call, tenant, Action::Create, subject, attributes));
    let reply = show(call, view, 201, &provider, Vec::new())?;
    idempotency::commit(call, tenant, batch, &reply)
        .await
        .map_err(|error| match error {
            store::Error::Guard(Guard::NotFound) => no_tenant(),
            store::Error::Conflict(Constraint::IdentityProviderName) => name_taken(),
            other => other.into(),
        })?;
    call.note_tenant(tenant);
    Ok(reply)
}

pub async fn read(call: &Call<'_>, admin: &Admin, view: View) -> Result<Reply> {
    let access = Access::of(call, admin, view)?;
    let provider = access.find(call).await?;
    show(call, view, 200, &provider, Vec::new())
}

pub async fn update(call: &Call<'_>, admin: &Admin, view: View) -> Result<Reply> {
    retrying(async || try_update(call, admin, view).await).await
}

async fn try_update(call: &Call<'_>, admin: &Admin, view: View) -> Result<Reply> {
    let access = Access::of(call, admin, view)?;
    let given: AdminIdPUpdate = match view {
        View::Admin => body(call)?,
        View::Tenant => body::<IdPUpdate>(call).map_err(without_ldap)?.into(),
    };
    let before = access.find(call).await?;
    let Changed {
        mut provider,
        secret,
        mut attributes,
    } = config::changed(&before, given)?;
    provider.secret = match secret {
        Some(secret) => Some(secrets::seal(call.app, &provider, secret.secret())?),
        None => secrets::renew(call.app, &before, &provider)?,
    };
    let mut notices = Vec::new();
    if before.secret.is_some() && provider.secret.is_none() {
        let (field, secret) = config::secret_of(provider.protocol);
        attributes.push(format!("{field}.{secret}"));
        notices.push(body_field(
            &[field, secret],
            "it was for where the configuration pointed before, and is cleared: give it with the new configuration",
            "secret_cleared",
        ));
    }
    provider.updated_at = call.now;
    let is_mapped = |name: &String| name.contains("attribute_mapping");
    if attributes.iter().any(is_mapped) {
        check_extensions(call, &provider).await?;
    }
    let tenant = &provider.tenant_id;
    let mut batch: Vec<Statement> = rows::update(&provider).into();
    let subject = ("IdentityProvider", provider.id.as_str());
    batch.extend(access.audited(call, tenant, Action::Patch, subject, attributes));
    call.change(tenant, batch)
        .await
        .map_err(|error| match error {
            store::Error::Conflict(Constraint::IdentityProviderName) => name_taken(),
            other => other.into(),
        })?;
    show(call, view, 200, &provider, notices)
}

pub async fn delete(call: &Call<'_>, admin: &Admin, view: View) -> Result<Reply> {
    retrying(async || try_delete(call, admin, view).await).await
}

/// Hides the provider. Its secret is forgotten, its group mappings go, and its SCIM tokens are revoked: all that could act in its name.
/// What its directory put here stays as it is, and is SCIM clients' from now on.
async fn try_delete(call: &Call<'_>, admin: &Admin, view: View) -> Result<Reply> {
    let access = Access::of(call, admin, view)?;
    let provider = access.find(call).await?;
    let tenant = &provider.tenant_id;
    let origin = call.origin_of(access.admin.actor());
    let mut batch: Vec<Statement> = rows::delete(&provider, call.now).into();
    batch.extend(provider_rows::release_grants(tenant, &provider.id));
    batch.push(mappings::delete_all(tenant, &provider.id));
    batch.extend(provider_rows::release_directory(
        tenant,
        &provider.id,
        call.now,
    ));
    let subject = ("IdentityProvider", provider.id.as_str());
    batch.extend(access.audited(call, tenant, Action::Delete, subject, Vec::new()));
    batch.extend(provider_rows::revoke_tokens(tenant, &provider.id, &origin));
    call.change(tenant, batch).await?;
    Ok(Reply::empty(204))
}

const LDAP_ELSEWHERE: &str =
    "LDAP providers are made and changed at /api/v1/admin/identity-providers/";

/// What is wrong with a body of the tenant's view, which has no LDAP: where there is one, the place where it is taken.
fn without_ldap(mut error: Error) -> Error {
    if let Kind::Unprocessable(fields) = &mut error.kind {
        for field in fields {
            if field.loc.last().is_some_and(|name| name == "ldap_config") {
                field.msg = format!("there is no such field here; {LDAP_ELSEWHERE}");
            }
        }
    }
    error
}
