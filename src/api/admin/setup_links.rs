//! `/api/v1/admin/setup-links`: links by which a customer's administrator, who has no account here, sets a tenant up.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::administrator;
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::everywhere;
use crate::api::http::idempotency;
use crate::api::http::input::{Page, Time, body};
use crate::api::http::query_parameters::{required_tenant, tenant_in_body, tenant_in_query};
use crate::api::http::reply::Reply;
use crate::auth::admin::{Admin, AdminScope};
use crate::auth::setup_link::{Allowance, SetupSecret};
use crate::change::audit::Action;
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::store::setup_links::{self, SetupLink};
use crate::store::tenants::DAY_MS;
use crate::store::{self, Guard, Row, Statement, rows_at, tenants};

const WHAT: &str = "the set-up link";
/// Most links of a tenant at a time.
const MAX_LINKS: i64 = 100;
/// For how long a link holds where nothing is said, and at most, in milliseconds.
const USUAL_MS: i64 = 7 * DAY_MS;
const MAX_MS: i64 = 30 * DAY_MS;

/// What a link is made of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SetupLinkCreate {
    /// The tenant that the link opens; of an administrator of one tenant, that one where it is left out.
    #[serde(default)]
    tenant_id: Option<TenantId>,
    /// What may be set up by it.
    #[cfg_attr(feature = "openapi", schemars(length(min = 1)))]
    allows: BTreeSet<Allowance>,
    /// When the link ends: within 30 days, in 7 days where it is left out.
    #[serde(default)]
    expires_at: Option<Time>,
}

/// A link, all but its address.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SetupLinkResponse {
    id: String,
    /// The tenant that it opens.
    tenant_id: TenantId,
    /// What may be set up by it.
    allows: Vec<Allowance>,
    created_at: Time,
    /// Who made it: the `sub` of an administrator's JWT.
    created_by: String,
    expires_at: Time,
    /// When it was last used, noted once a minute at most.
    last_used_at: Option<Time>,
}

/// A link with its address, which no other reply shows.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct NewSetupLinkResponse {
    #[serde(flatten)]
    shown: SetupLinkResponse,
    /// For the customer's administrator to open. What opens it stands behind `#`, which a browser sends to no server.
    url: String,
}

fn show(link: SetupLink) -> SetupLinkResponse {
    SetupLinkResponse {
        id: link.id,
        tenant_id: link.tenant_id,
        allows: link.allows,
        created_at: Time(link.created_at),
        created_by: link.created_by,
        expires_at: Time(link.expires_at),
        last_used_at: link.last_used_at.map(Time),
    }
}

fn show_row(row: &Row) -> Result<SetupLinkResponse> {
    Ok(show(setup_links::setup_link(row)?))
}

fn audited(
    call: &Call<'_>,
    admin: &Admin,
    link: &SetupLink,
    action: Action,
    attributes: &[&str],
) -> Vec<Statement> {
    let what = ("SetupLink", link.id.as_str());
    administrator::audited(
        call,
        admin,
        &link.tenant_id,
        what,
        action,
        attributes.iter().copied(),
    )
}

/// When a link ends.
fn end(call: &Call<'_>, given: Option<Time>) -> Result<i64> {
    let end = given.map_or(call.now + USUAL_MS, |Time(time)| time);
    let fault = |msg: &str| Err(Error::field(&["body", "expires_at"], msg, "value_error"));
    match end {
        end if end <= call.now => fault("it is not in the future"),
        end if end > call.now + MAX_MS => fault("it is more than 30 days away"),
        end => Ok(end),
    }
}

/// `GET …/setup-links`.
pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let page = Page::of(call)?;
    let tenant = tenant_in_query(call, admin)?;
    let results = everywhere::list(call, tenant.as_ref(), page, |limit, offset| {
        setup_links::select_page(tenant.as_ref(), call.now, limit, offset)
    });
    let results = results.await?;
    envelope::list(call, page, &results, show_row)
}

/// `POST …/setup-links`.
pub async fn create(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let given: SetupLinkCreate = body(call)?;
    let tenant = tenant_in_body(given.tenant_id, admin)?;
    if given.allows.is_empty() {
        return Err(Error::field(
            &["body", "allows"],
            "it has to name at least one of scim, sso and directory",
            "value_error",
        ));
    }
    // Nobody gives more than they have.
    for allowed in &given.allows {
        admin.require(AdminScope::to_allow(*allowed))?;
    }
    let secret =
        SetupSecret::generate(call.app.platform.entropy.as_ref()).map_err(Error::internal)?;
    let link = SetupLink {
        tenant_id: tenant.clone(),
        id: call.new_id()?,
        allows: given.allows.into_iter().collect(),
        created_at: call.now,
        created_by: admin.subject.clone(),
        expires_at: end(call, given.expires_at)?,
        last_used_at: None,
    };
    let mut batch = vec![tenants::require(&tenant)];
    batch.extend(setup_links::insert(&link, &secret.hash(), MAX_LINKS));
    let attributes = ["allows", "expires_at"];
    batch.extend(audited(call, admin, &link, Action::Create, &attributes));
    let made = NewSetupLinkResponse {
        shown: show(link),
        url: format!("{}/setup/#{tenant}/{}", call.origin(), secret.reveal()),
    };
    let reply = envelope::single(call, 201, &made);
    let done = idempotency::commit(call, &tenant, batch, &reply).await;
    done.map_err(|error| match error {
        store::Error::Guard(Guard::NotFound) => Error::not_found("the tenant"),
        store::Error::Guard(Guard::Full) => Error::new(
            Kind::Conflict,
            format!("the tenant has {MAX_LINKS} set-up links, which is as many as it may have"),
        ),
        other => other.into(),
    })?;
    call.note_tenant(&tenant);
    Ok(reply)
}

/// `DELETE …/setup-links/{link_id}`: it opens nothing any more.
pub async fn delete(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = required_tenant(call, admin)?;
    let id = call.id("link_id", WHAT)?;
    call.note_tenant(&tenant);
    let select = vec![setup_links::select(&tenant, &id)];
    let results = call.run(Some(&tenant), select).await?;
    let row = rows_at(&results, 0)?.first();
    let link = setup_links::setup_link(row.ok_or_else(|| Error::not_found(WHAT))?)?;
    let mut batch = vec![
        setup_links::require(&tenant, &link.id),
        setup_links::delete(&tenant, &link.id),
    ];
    batch.extend(audited(call, admin, &link, Action::Delete, &[]));
    call.change(&tenant, batch)
        .await
        .map_err(|error| match error {
            store::Error::Guard(Guard::NotFound) => Error::not_found(WHAT),
            other => other.into(),
        })?;
    Ok(Reply::empty(204))
}
