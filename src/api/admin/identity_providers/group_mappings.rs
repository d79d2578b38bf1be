//! `/api/v1/tenants/{tenant_id}/identity-providers/{idp_id}/group-mappings`.

use super::access::{Access, View, WHAT};
use super::config::Config;
use super::responses::GroupMappingResponse;
use super::types::GroupMappingCreate;
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::idempotency;
use crate::api::http::input::{Page, Text, Time, body};
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::change::audit::Action;
use crate::change::provider;
use crate::error::{Error, Kind, Result};
use crate::ids::{self, TenantId};
use crate::store::group_mappings::{self, GroupMapping};
use crate::store::{self, Constraint, Guard, Row, Rows, identity_providers, rows_at};
use crate::sync::{Place, unmatchable};

const MAPPING: &str = "the group mapping";

fn show(mapping: GroupMapping, directory: Option<&Directory>) -> GroupMappingResponse {
    let warning = directory.and_then(|directory| directory.objection(&mapping));
    GroupMappingResponse {
        id: mapping.id,
        idp_id: mapping.idp_id,
        external_group_id: mapping.external_group_id,
        external_group_name: mapping.external_group_name,
        internal_group_id: mapping.internal_group_id,
        internal_group_name: mapping.internal_group_name,
        created_at: Time(mapping.created_at),
        warning,
    }
}

/// What it takes to tell whether an external group may be one of a directory's.
struct Directory {
    unique_id: String,
    groups: Option<Place>,
}

impl Directory {
    /// None where the provider is no directory: then any text may name a group.
    fn of(provider: &Row) -> Result<Option<Self>> {
        let provider = identity_providers::identity_provider(provider)?;
        Ok(match Config::of(&provider)? {
            Config::Ldap(config) => Some(Directory {
                unique_id: config.unique_id_attribute.as_str().to_owned(),
                groups: config.places().1,
            }),
            Config::Oidc(_) | Config::Saml(_) => None,
        })
    }

    fn objection(&self, mapping: &GroupMapping) -> Option<String> {
        unmatchable(
            &mapping.external_group_id,
            &self.unique_id,
            self.groups.as_ref(),
        )
    }
}

/// The tenant and the provider's id in the path.
fn provider_in_path<'a>(call: &Call<'_>, access: &'a Access<'_>) -> Result<(&'a TenantId, String)> {
    let tenant = access
        .tenant
        .as_ref()
        .ok_or_else(|| Error::not_found("the tenant"))?;
    Ok((tenant, call.id("idp_id", WHAT)?))
}

pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let access = Access::of(call, admin, View::Tenant)?;
    let page = Page::of(call)?;
    let (tenant, idp) = provider_in_path(call, &access)?;
    let mut batch: Vec<_> =
        group_mappings::select_page(tenant, &idp, page.per_page, page.offset()).into();
    batch.push(identity_providers::select(&idp, Some(tenant)));
    let results = call.run(Some(tenant), batch).await?;
    match rows_at(&results, 2)?.first() {
        Some(provider) => {
            let directory = Directory::of(provider)?;
            envelope::list(call, page, &results, |row| {
                let mapping = group_mappings::group_mapping(row)?;
                Ok(show(mapping, directory.as_ref()))
            })
        }
        None => Err(Error::not_found(WHAT)),
    }
}

/// Nothing but a sync of a directory gives memberships by mappings.
fn no_directory() -> Error {
    Error::new(
        Kind::Conflict,
        "the provider is no LDAP directory: group mappings are for the groups that a sync reads there. Groups of other providers come \
         here over SCIM, as groups",
    )
}

pub async fn create(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let access = Access::of(call, admin, View::Tenant)?;
    let (tenant, idp) = provider_in_path(call, &access)?;
    let given: GroupMappingCreate = body(call)?;
    let unknown_group = || {
        Error::field(
            &["body", "internal_group_id"],
            "the tenant has no such group",
            "value_error",
        )
    };
    let mapping = GroupMapping {
        id: call.new_id()?,
        idp_id: idp,
        external_group_id: given.external_group_id.into_string(),
        external_group_name: given.external_group_name.map(Text::into_string),
        internal_group_id: ids::canonical_uuid(given.internal_group_id.as_str())
            .ok_or_else(unknown_group)?,
        internal_group_name: None,
        created_at: call.now,
    };
    let mut batch = vec![
        identity_providers::require(tenant, &mapping.idp_id),
        identity_providers::require_directory(tenant, &mapping.idp_id),
        group_mappings::require_group(tenant, &mapping.internal_group_id),
        group_mappings::insert(tenant, &mapping),
    ];
    let attributes = [
        "external_group_id",
        "external_group_name",
        "internal_group_id",
    ];
    batch.extend(access.audited(
        call,
        tenant,
        Action::Create,
        ("GroupMapping", &mapping.id),
        attributes.map(str::to_owned).into(),
    ));
    let reads = vec![
        group_mappings::select_name(tenant, &mapping.internal_group_id),
        identity_providers::select(&mapping.idp_id, Some(tenant)),
    ];
    let reply = |results: &[Rows]| {
        let group = rows_at(results, 0)?.first();
        let name = group.map(|row| row.optional_text("name")).transpose()?;
        let provider = rows_at(results, 1)?.first();
        let directory = Directory::of(provider.ok_or_else(|| Error::not_found(WHAT))?)?;
        let mapping = GroupMapping {
            internal_group_name: name.flatten(),
            ..mapping.clone()
        };
        let shown = show(mapping, directory.as_ref());
        Ok(envelope::single(call, 201, &shown))
    };
    let refused = |error| match error {
        store::Error::Guard(Guard::GroupMissing) => unknown_group(),
        store::Error::Guard(Guard::NoDirectory) => no_directory(),
        store::Error::Conflict(Constraint::GroupMapping) => Error::new(
            Kind::Conflict,
            "these two groups are mapped to each other already",
        ),
        other => other.into(),
    };
    idempotency::commit_and_read(call, tenant, batch, reads, reply, refused).await
}

pub async fn delete(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let access = Access::of(call, admin, View::Tenant)?;
    let (tenant, idp) = provider_in_path(call, &access)?;
    let id = call.id("mapping_id", MAPPING)?;
    let mut batch = vec![
        identity_providers::require(tenant, &idp),
        group_mappings::require(tenant, &idp, &id),
        group_mappings::delete(tenant, &idp, &id),
    ];
    let origin = call.origin_of(access.actor());
    batch.extend(provider::revoke_mapping(tenant, &idp, &id, &origin));
    let subject = ("GroupMapping", id.as_str());
    batch.extend(access.audited(call, tenant, Action::Delete, subject, Vec::new()));
    match call.change(tenant, batch).await {
        Ok(_) => Ok(Reply::empty(204)),
        Err(store::Error::Guard(Guard::NotFound)) => Err(Error::not_found(MAPPING)),
        Err(error) => Err(error.into()),
    }
}
