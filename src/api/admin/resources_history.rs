//! `/api/v1/admin/resources/{type}/{id}/history`: a resource's versions, who made them, and what differed.

use serde::Serialize;
use serde_json::Value;

use crate::api::http::call::Call;
use crate::api::http::input::Time;
use crate::api::http::query_parameters::required_tenant;
use crate::api::http::reply::Reply;
use crate::api::http::stretch::{self, Stretch};
use crate::auth::admin::Admin;
use crate::error::{Error, Result};
use crate::events::Named;
use crate::scim::resource::{Resource, differing};
use crate::scim::schema::{RESOURCE_TYPES, ResourceType};
use crate::store::revisions::{self, Before, Revision};
use crate::store::{self, rows_at};

/// What is told of a resource.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ResourceHistory {
    resource_type: String,
    resource_id: String,
    /// Where it is now.
    state: Presence,
    /// The latest first.
    versions: Vec<ResourceVersion>,
}

/// Where a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum Presence {
    /// It is there.
    Active,
    /// It was deleted.
    Deleted,
}

/// One change of a resource.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ResourceVersion {
    /// The number of its event in the audit trail.
    seq: i64,
    /// When the request came that changed it.
    at: Time,
    /// `scim-token:` and the token's id, `jwt:` and the subject, or which job it was.
    actor: String,
    action: String,
    request_id: String,
    /// The version that was changed; null where the change made the resource, or where that was not kept.
    version_before: Option<i64>,
    /// What differed; null where it is not known, because what was before was not kept. Of several changes by one request the last has what
    /// all of them did.
    differences: Option<Vec<Difference>>,
    /// By their ids who came into a group and who went, the first 1,000 of each; null where nobody did.
    members: Option<MemberDifference>,
}

/// An attribute that became another one.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Difference {
    attribute: String,
    /// Null where it had no value.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "anything"))]
    before: Value,
    /// Null where it has none.
    #[cfg_attr(feature = "openapi", schemars(schema_with = "anything"))]
    after: Value,
}

/// Who came into a group and who went.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct MemberDifference {
    came: Vec<String>,
    came_total: i64,
    gone: Vec<String>,
    gone_total: i64,
}

#[cfg(feature = "openapi")]
fn anything(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({})
}

/// The resource that the path names; 404 for a type that there is not.
fn resource_in_path(call: &Call<'_>) -> Result<(&'static ResourceType, String)> {
    let named = call.param("type");
    let of_name = |resource_type: &&&'static ResourceType| {
        resource_type.name == named || resource_type.endpoint.strip_prefix('/') == Some(named)
    };
    let resource_type = RESOURCE_TYPES.iter().find(of_name);
    let resource_type = resource_type.ok_or_else(|| Error::not_found("the resource type"))?;
    Ok((resource_type, call.id("id", resource_type.name)?))
}

/// `GET …/resources/{type}/{id}/history`.
pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = required_tenant(call, admin)?;
    let (resource_type, id) = resource_in_path(call)?;
    let stretch = Stretch::of(call)?;
    let before = stretch.after(|position| position.parse::<i64>().ok())?;
    let mut batch = vec![
        revisions::select_now(&tenant, resource_type, &id),
        revisions::select_page(&tenant, resource_type, &id, before, stretch.limit + 1),
    ];
    batch.extend(before.map(|before| revisions::select_later(&tenant, &id, before)));
    let results = call.run(Some(&tenant), batch).await?;
    let Some(now) = rows_at(&results, 0)?.first() else {
        return Err(Error::not_found("the tenant"));
    };
    call.note_tenant(&tenant);
    let text = now.optional_text("resource")?;
    let rows = rows_at(&results, 1)?.rows.iter();
    let mut kept = rows
        .map(revisions::revision)
        .collect::<store::Result<Vec<_>>>()?;
    let is_deleted = text.is_none();
    if is_deleted && !now.boolean("is_deleted")? && kept.is_empty() {
        return Err(Error::not_found(resource_type.name));
    }
    let next = match stretch.cut(&mut kept) {
        true => kept.last().map(|last| last.seq.to_string()),
        false => None,
    };
    let later = results.get(2).and_then(|rows| rows.first());
    let later = later.map(|row| row.text("resource")).transpose()?;
    // What it is after the latest change of the page.
    let state = match later.or(text) {
        Some(text) => State::Known(Some(read(&text)?)),
        None => State::Known(None),
    };
    let history = ResourceHistory {
        resource_type: resource_type.name.to_owned(),
        resource_id: id,
        state: match is_deleted {
            true => Presence::Deleted,
            false => Presence::Active,
        },
        versions: versions(kept, state)?,
    };
    Ok(stretch::list_of_one(call, stretch, history, next))
}

fn read(text: &str) -> Result<Resource> {
    Resource::from_stored(text).map_err(|error| Error::internal(format!("a revision: {error}")))
}

/// What a resource is between two changes.
enum State {
    Unknown,
    /// None where it is not there.
    Known(Option<Resource>),
}

/// Goes back from what the resource is after the first of the changes.
fn versions(kept: Vec<Revision>, mut after: State) -> Result<Vec<ResourceVersion>> {
    let mut versions = Vec::with_capacity(kept.len());
    let mut last_request: Option<String> = None;
    for revision in kept {
        let (version_before, before) = match &revision.before {
            Before::Unknown => (None, None),
            Before::Absent => (None, Some(None)),
            Before::Same(version) => (Some(*version), None),
            Before::Was(version, text) => (Some(*version), Some(Some(read(text)?))),
        };
        let differences = match (&revision.before, &before, &after) {
            (Before::Same(_), _, _) => Some(Vec::new()),
            (_, Some(before), State::Known(after)) => {
                Some(differences(before.as_ref(), after.as_ref()))
            }
            _ => None,
        };
        // Changes by one request before its last are part of what that one tells.
        let is_told = last_request.as_ref() == Some(&revision.request_id);
        after = match (before, &revision.before) {
            (Some(before), _) => State::Known(before),
            (None, Before::Unknown) if !is_told => State::Unknown,
            (None, _) => after,
        };
        versions.push(ResourceVersion {
            seq: revision.seq,
            at: Time(revision.at),
            actor: revision.actor,
            action: revision.action,
            request_id: revision.request_id.clone(),
            version_before,
            differences,
            members: revision.detail.as_deref().and_then(members),
        });
        last_request = Some(revision.request_id);
    }
    Ok(versions)
}

fn differences(before: Option<&Resource>, after: Option<&Resource>) -> Vec<Difference> {
    let nothing = Resource::default();
    let (before, after) = (before.unwrap_or(&nothing), after.unwrap_or(&nothing));
    let value = |resource: &Resource, name: &str| {
        let value = resource.attributes.get(name);
        value.cloned().unwrap_or_default()
    };
    differing(before, after)
        .into_iter()
        .map(|name| Difference {
            before: value(before, &name),
            after: value(after, &name),
            attribute: name,
        })
        .collect()
}

/// What an event's detail says of members.
fn members(detail: &str) -> Option<MemberDifference> {
    let detail: Value = serde_json::from_str(detail).ok()?;
    detail.get("members")?;
    let named = Named::of(&detail);
    let total = |total: usize| i64::try_from(total).unwrap_or(i64::MAX);
    Some(MemberDifference {
        came: named.came,
        came_total: total(named.came_total),
        gone: named.went,
        gone_total: total(named.went_total),
    })
}
