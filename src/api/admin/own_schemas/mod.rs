//! `/api/v1/admin/tenants/{tenant_id}/schemas`: schemas that a tenant has of its own, beside those that all have.
//!
//! A change makes the tenant's schemas another revision, and with it whatever a worker remembers of them is asked for anew.

mod check;
pub mod types;

use std::collections::BTreeSet;

use super::administrator;
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::input::{Page, Text, body, flag};
use crate::api::http::limits;
use crate::api::http::query_parameters::tenant_in_path;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::change::audit::Action;
use crate::change::rows::own_values;
use crate::error::{Error, FieldError, Kind, Result};
use crate::ids::TenantId;
use crate::store::own_schemas::{self, Kept};
use crate::store::{self, Constraint, Guard, Rows, Statement, rows_at, tenants};
use check::difference;
use types::{OwnAttribute, OwnSchema, OwnSchemaCreate, OwnSchemaUpdate, schema, show};

const WHAT: &str = "the schema";
/// Most schemas of a tenant.
const MAX_SCHEMAS: usize = 50;

fn audited(
    call: &Call<'_>,
    admin: &Admin,
    tenant: &TenantId,
    urn: &str,
    action: Action,
    attributes: &[&str],
) -> Vec<Statement> {
    let attributes = attributes.iter().copied();
    administrator::audited(call, admin, tenant, ("Schema", urn), action, attributes)
}

/// `GET …/schemas`.
pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = tenant_in_path(call, admin)?;
    let page = Page::of(call)?;
    let mut batch = Vec::from(own_schemas::select_page(
        &tenant,
        page.per_page,
        page.offset(),
    ));
    batch.push(tenants::require(&tenant));
    let results = call.run(Some(&tenant), batch).await.map_err(refused)?;
    envelope::list(call, page, &results, |row| show(own_schemas::kept(row)?))
}

/// The tenant's own schemas, all of them.
fn all_of(results: &[Rows]) -> Result<(i64, Vec<OwnSchema>)> {
    let row = rows_at(results, 0)?.first();
    let own = tenants::own_schemas(row.ok_or_else(|| Error::not_found("the tenant"))?)?;
    let documents: Vec<serde_json::Value> = match own.documents.as_str() {
        "" => Vec::new(),
        documents => serde_json::from_str(documents)
            .map_err(|error| Error::internal(format!("schemas: {error}")))?,
    };
    // The one of what may be assigned has none.
    let schemas = documents.into_iter().filter(|one| one.get("id").is_some());
    let all = schemas.map(schema).collect::<Result<_>>()?;
    Ok((own.revision, all))
}

/// 422 where a schema cannot be, beside the others that there are.
fn check(schema: &OwnSchema, all: &[OwnSchema]) -> Result<()> {
    let others = all.iter().filter(|one| !is_same(&one.id, &schema.id));
    let others: Vec<&OwnSchema> = others.collect();
    match check::faults(schema, &others) {
        faults if faults.is_empty() => Ok(()),
        faults => Err(Error::fields(faults)),
    }
}

/// URNs have no case.
fn is_same(urn: &str, other: &str) -> bool {
    urn.eq_ignore_ascii_case(other)
}

/// `POST …/schemas`.
pub async fn create(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = tenant_in_path(call, admin)?;
    let given: OwnSchemaCreate = body(call)?;
    let schema = OwnSchema {
        id: given.id.into_string(),
        resource_type: given.resource_type,
        name: given.name.into_string(),
        description: given.description.map(Text::into_string).unwrap_or_default(),
        attributes: given.attributes,
        learned: false,
    };
    let results = call
        .run(Some(&tenant), vec![tenants::select(&tenant)])
        .await?;
    let (revision, all) = all_of(&results)?;
    if all.iter().any(|one| is_same(&one.id, &schema.id)) {
        let detail = "the tenant has a schema with this id; PATCH changes it";
        return Err(Error::new(Kind::Conflict, detail));
    }
    check(&schema, &all)?;
    // Those that are learned have a limit of their own: nobody but the administrator takes room from the administrator.
    if all.iter().filter(|one| !one.learned).count() >= MAX_SCHEMAS {
        let detail =
            format!("the tenant has {MAX_SCHEMAS} schemas, which is as many as it may have");
        return Err(Error::new(Kind::Conflict, detail));
    }
    let kept = Kept {
        document: document(&schema)?,
        created_at: call.now,
        updated_at: call.now,
        revision,
    };
    let mut batch = Vec::from(own_schemas::advance(
        &tenant,
        revision,
        Guard::VersionConflict,
    ));
    batch.push(own_schemas::save(
        &tenant,
        &schema.id,
        kept.document.to_string().into(),
        call.now,
    ));
    let named = ["id", "resource_type", "name", "description", "attributes"];
    batch.extend(audited(
        call,
        admin,
        &tenant,
        &schema.id,
        Action::Create,
        &named,
    ));
    call.change(&tenant, batch).await.map_err(refused)?;
    Ok(envelope::single(call, 201, show(kept)?))
}

fn document(schema: &OwnSchema) -> Result<serde_json::Value> {
    serde_json::to_value(schema).map_err(|error| Error::internal(error.to_string()))
}

/// The schema that the path names.
async fn find(call: &Call<'_>, tenant: &TenantId) -> Result<Kept> {
    let select = own_schemas::select(tenant, call.param("urn"));
    let results = call.run(Some(tenant), vec![select]).await?;
    let row = rows_at(&results, 0)?.first();
    Ok(own_schemas::kept(
        row.ok_or_else(|| Error::not_found(WHAT))?,
    )?)
}

/// `GET …/schemas/{urn}`.
pub async fn read(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = tenant_in_path(call, admin)?;
    let kept = find(call, &tenant).await?;
    Ok(envelope::single(call, 200, show(kept)?))
}

/// `PATCH …/schemas/{urn}`.
pub async fn update(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = tenant_in_path(call, admin)?;
    let given: OwnSchemaUpdate = body(call)?;
    let discards = flag(call, "discard_values")?;
    let batch = vec![
        tenants::select(&tenant),
        own_schemas::select(&tenant, call.param("urn")),
    ];
    let results = call.run(Some(&tenant), batch).await?;
    let (_, all) = all_of(&results)?;
    let row = rows_at(&results, 1)?.first();
    let kept = own_schemas::kept(row.ok_or_else(|| Error::not_found(WHAT))?)?;
    let before = schema(kept.document)?;
    let is_given = [
        ("name", given.name.is_some()),
        ("description", given.description.is_some()),
        ("attributes", given.attributes.is_some()),
    ];
    let named = is_given.iter().filter(|(_, is_given)| *is_given);
    let named: Vec<&str> = named.map(|(name, _)| *name).collect();
    let after = OwnSchema {
        name: given
            .name
            .map_or_else(|| before.name.clone(), Text::into_string),
        description: given
            .description
            .map_or_else(|| before.description.clone(), Text::into_string),
        attributes: given
            .attributes
            .unwrap_or_else(|| before.attributes.clone()),
        id: before.id.clone(),
        resource_type: before.resource_type,
        learned: false,
    };
    if named.contains(&"attributes") {
        check(&after, &all)?;
    }
    let discarded = values_in_the_way(call, &tenant, &before, &after, discards).await?;
    let now = Kept {
        document: document(&after)?,
        updated_at: call.now,
        ..kept
    };
    let mut batch = Vec::from(own_schemas::advance(
        &tenant,
        now.revision,
        Guard::VersionConflict,
    ));
    batch.push(own_schemas::save(
        &tenant,
        &after.id,
        now.document.to_string().into(),
        call.now,
    ));
    if !discarded.is_empty() {
        let of = before.resource_type.resource_type();
        batch.extend(own_values::discard(
            &tenant, of, &before.id, &discarded, call.now,
        ));
    }
    batch.extend(lookups(&tenant, &before, &after));
    batch.extend(audited(
        call,
        admin,
        &tenant,
        &after.id,
        Action::Patch,
        &named,
    ));
    call.change(&tenant, batch).await.map_err(refused)?;
    Ok(envelope::single(call, 200, show(now)?))
}

/// What begins or ends resources' being looked up by some attributes.
fn lookups(tenant: &TenantId, before: &OwnSchema, after: &OwnSchema) -> Vec<Statement> {
    let of = |schema: &OwnSchema, name: &str| {
        let mut attributes = schema.attributes.iter();
        let same = |one: &&OwnAttribute| one.name.as_str().eq_ignore_ascii_case(name);
        attributes
            .find(same)
            .is_some_and(|one| one.lookup == Some(true))
    };
    let all = before.attributes.iter().chain(&after.attributes);
    let names: BTreeSet<String> = all
        .map(|one| one.name.as_str().to_ascii_lowercase())
        .collect();
    let resource_type = before.resource_type.resource_type();
    let changed = names.iter().filter_map(|name| {
        let is_lookup = of(after, name);
        (of(before, name) != is_lookup)
            .then(|| own_values::look_up(tenant, resource_type, &before.id, name, is_lookup))
    });
    changed.collect()
}

/// The attributes whose values are to be discarded for a change. 409 and 422 where values are in its way.
async fn values_in_the_way<'s>(
    call: &Call<'_>,
    tenant: &TenantId,
    before: &'s OwnSchema,
    after: &'s OwnSchema,
    discards: bool,
) -> Result<Vec<&'s str>> {
    let difference = difference(&before.attributes, &after.attributes);
    let changed = difference.changed.iter().map(|(path, _)| path);
    let asked: Vec<Vec<&str>> = difference.removed.iter().chain(changed).cloned().collect();
    let used = used(call, tenant, before, &asked).await?;
    let faults = difference.changed.into_iter();
    let faults = faults.filter(|(path, _)| used.contains(path));
    let faults: Vec<FieldError> = faults.map(|(_, fault)| fault).collect();
    if !faults.is_empty() {
        return Err(Error::fields(faults));
    }
    let is_in_the_way = |path: &&Vec<&str>| used.contains(path) && !(discards && path.len() == 1);
    match difference.removed.iter().find(is_in_the_way) {
        Some(path) => Err(has_values(&path.join("."))),
        None => Ok(used
            .iter()
            .filter_map(|path| path.first().copied())
            .collect()),
    }
}

fn has_values(what: &str) -> Error {
    Error::new(
        Kind::Conflict,
        format!(
            "resources have values of {what}; `discard_values=true` takes an attribute away with them"
        ),
    )
}

/// Which of some attributes and parts resources have.
async fn used<'a>(
    call: &Call<'_>,
    tenant: &TenantId,
    schema: &OwnSchema,
    asked: &[Vec<&'a str>],
) -> Result<Vec<Vec<&'a str>>> {
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    // All of the tenant's resources are looked at.
    limits::check_rows(call, tenant)?;
    let of = schema.resource_type.resource_type();
    let select = own_schemas::select_used(tenant, of, &schema.id, asked);
    let results = call.run(Some(tenant), vec![select]).await?;
    let mut used = Vec::new();
    for row in &rows_at(&results, 0)?.rows {
        let number = usize::try_from(row.integer("number")?).ok();
        used.extend(number.and_then(|number| asked.get(number)).cloned());
    }
    Ok(used)
}

/// `DELETE …/schemas/{urn}`.
pub async fn delete(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = tenant_in_path(call, admin)?;
    let discards = flag(call, "discard_values")?;
    let kept = find(call, &tenant).await?;
    let (revision, schema) = (kept.revision, schema(kept.document)?);
    let is_used = !used(call, &tenant, &schema, &[Vec::new()])
        .await?
        .is_empty();
    if is_used && !discards {
        return Err(has_values(&schema.id));
    }
    let mut batch = Vec::from(own_schemas::advance(
        &tenant,
        revision,
        Guard::VersionConflict,
    ));
    batch.push(own_schemas::delete(&tenant, &schema.id));
    let of = schema.resource_type.resource_type();
    let lookups = schema
        .attributes
        .iter()
        .filter(|one| one.lookup == Some(true));
    batch.extend(
        lookups.map(|one| own_values::look_up(&tenant, of, &schema.id, one.name.as_str(), false)),
    );
    if is_used {
        batch.extend(own_values::discard(&tenant, of, &schema.id, &[], call.now));
    }
    batch.extend(audited(
        call,
        admin,
        &tenant,
        &schema.id,
        Action::Delete,
        &[],
    ));
    call.change(&tenant, batch).await.map_err(refused)?;
    Ok(Reply::empty(204))
}

fn refused(error: store::Error) -> Error {
    match error {
        store::Error::Guard(Guard::NotFound) => Error::not_found("the tenant"),
        store::Error::Guard(Guard::VersionConflict) | store::Error::Conflict(Constraint::Other) => {
            Error::new(Kind::Raced, "others change the tenant's schemas; try again")
        }
        other => other.into(),
    }
}
