//! `/api/v1/tenants/{tenant_id}/setup`: what a set-up link opens, for the page that a customer's administrator works on.

use serde::{Deserialize, Serialize};

use super::endpoint_info::{self, EndpointInfo};
use super::identity_providers::providers::list_item;
use super::identity_providers::responses::IdPListItem;
use super::scim_tokens::types::{ScimTokenCreate, ScimTokenResponse, show};
use super::scim_tokens::{self};
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::input::{Text, Time, body};
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::auth::setup_link::Allowance;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::store::audit_events::time_of_id;
use crate::store::identity_providers::{self as providers, Wanted};
use crate::store::{Row, rows_at, setup_links, tenants};

/// Most identity providers that are shown.
const MAX_PROVIDERS: i64 = 20;

/// What a SCIM token is made of here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SetupScimTokenCreate {
    /// For people to read.
    name: Text<1, 200>,
}

/// A request of an identity provider.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SetupRequest {
    id: String,
    at: Time,
    method: String,
    /// The route, with `:name` for what the path has in its place.
    route: String,
    status: i64,
    /// Whether it was refused, or an operation of a Bulk request was.
    failed: bool,
    /// Why, in a sentence.
    detail: Option<String>,
    /// Whom it was about, where that is a user.
    user_name: Option<String>,
}

/// A user who has come.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SetupUser {
    id: String,
    user_name: Option<String>,
    display_name: Option<String>,
    active: bool,
    created_at: Time,
}

/// How far a tenant's set-up is.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct SetupResponse {
    tenant_id: TenantId,
    tenant_name: String,
    /// What the product is called.
    product_name: Option<String>,
    /// The product's colour: `#` and six hexadecimal digits.
    product_color: Option<String>,
    /// What may be set up by the link.
    allows: Vec<Allowance>,
    expires_at: Time,
    /// Where the tenant's SCIM endpoint is, and what each provider's form wants to know of it.
    endpoint: EndpointInfo,
    /// Tokens that were made by the link and are not revoked.
    scim_tokens: Vec<ScimTokenResponse>,
    /// Where the link allows `scim`: the last requests with these tokens, and those with a credential that does not hold, the latest first: changes, what was refused, and look-ups that found nobody.
    requests: Vec<SetupRequest>,
    /// How many users the tenant has; null where the link does not allow `scim`.
    users_total: Option<i64>,
    /// Those who came last, where the link allows `scim`.
    newest_users: Vec<SetupUser>,
    /// How many groups the tenant has; null where the link does not allow `scim`.
    groups_total: Option<i64>,
    /// Identity providers of the kinds that may be set up by the link.
    identity_providers: Vec<IdPListItem>,
}

fn request(row: &Row) -> Result<SetupRequest> {
    let id = row.text("id")?;
    Ok(SetupRequest {
        at: Time(time_of_id(&id).unwrap_or_default()),
        id,
        method: row.text("method")?,
        route: row.text("route")?,
        status: row.integer("status")?,
        failed: row.boolean("failed")?,
        detail: row.optional_text("detail")?,
        user_name: row.optional_text("user_name")?,
    })
}

fn user(row: &Row) -> Result<SetupUser> {
    Ok(SetupUser {
        id: row.text("id")?,
        user_name: row.optional_text("user_name")?,
        display_name: row.optional_text("display_name")?,
        active: row.boolean("active")?,
        created_at: Time(row.integer("created_at")?),
    })
}

fn all<T>(rows: &[Row], read: impl Fn(&Row) -> Result<T>) -> Result<Vec<T>> {
    rows.iter().map(read).collect()
}

/// The tenant and the id of the link that a request came by.
fn link_of(admin: &Admin) -> Result<(&TenantId, &str)> {
    let link = admin.tenant.as_ref().zip(admin.setup_link());
    link.ok_or_else(|| Error::internal("no set-up link"))
}

/// `GET /api/v1/tenants/{tenant_id}/setup`.
pub async fn read(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let (tenant, id) = link_of(admin)?;
    let wanted = Wanted {
        tenant: Some(tenant),
        protocol: None,
        enabled_only: false,
        search: None,
    };
    let [_, listed] = providers::select_page(&wanted, MAX_PROVIDERS, 0);
    let batch = vec![
        setup_links::select(tenant, id),
        tenants::select(tenant),
        setup_links::select_totals(tenant),
        setup_links::select_tokens(tenant, &admin.subject),
        setup_links::select_requests(tenant, &admin.subject),
        setup_links::select_newest_users(tenant),
        listed,
        setup_links::touch(tenant, id, call.now),
    ];
    let results = call.run(Some(tenant), batch).await?;
    let rows = |index: usize| Ok::<_, Error>(rows_at(&results, index)?.rows.as_slice());
    let first = |index: usize| {
        let row = rows(index)?.first();
        row.ok_or_else(|| Error::not_found("the set-up link"))
    };
    let link = setup_links::setup_link(first(0)?)?;
    let own = tenants::tenant(first(1)?)?;
    let identity_providers = rows(6)?
        .iter()
        .map(|row| {
            let provider = providers::identity_provider(row)?;
            let is_allowed = admin.allows(Allowance::of_protocol(provider.protocol));
            is_allowed.then(|| list_item(row)).transpose()
        })
        .filter_map(Result::transpose);
    // Who is here is nothing to a link that sets up no provisioning.
    let is_of_people = admin.allows(Allowance::Scim);
    let people = |index: usize| match is_of_people {
        true => rows(index),
        false => Ok(&[][..]),
    };
    let totals = is_of_people.then(|| first(2)).transpose()?;
    let total = |name: &str| totals.map(|row| row.integer(name)).transpose();
    let shown = SetupResponse {
        tenant_id: tenant.clone(),
        tenant_name: own.name,
        product_name: own.product.name,
        product_color: own.product.color,
        allows: link.allows,
        expires_at: Time(link.expires_at),
        endpoint: endpoint_info::describe(&call.origin(), tenant),
        scim_tokens: all(rows(3)?, |row| {
            Ok(show(crate::store::scim_tokens::scim_token(row)?))
        })?,
        requests: all(people(4)?, request)?,
        users_total: total("user_total")?,
        newest_users: all(people(5)?, user)?,
        groups_total: total("group_total")?,
        identity_providers: identity_providers.collect::<Result<_>>()?,
    };
    Ok(envelope::single(call, 200, shown))
}

/// `POST /api/v1/tenants/{tenant_id}/setup/scim-tokens`: a token of all scopes, shown once.
pub async fn create_scim_token(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let (tenant, _) = link_of(admin)?;
    let given: SetupScimTokenCreate = body(call)?;
    let wanted = ScimTokenCreate {
        tenant_id: tenant.clone(),
        name: given.name,
        description: None,
        scopes: None,
        expires_at: None,
        idp_id: None,
    };
    scim_tokens::make(call, admin, wanted).await
}
