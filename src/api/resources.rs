//! What users and groups have in common: reading one, deleting one, and how their replies look.

use http::header::{IF_MATCH, IF_NONE_MATCH};

use super::authenticate::{Caller, Subject, with_caller};
use super::call::Call;
use super::query::ListParams;
use super::reply::Reply;
use crate::auth::scope::Scope;
use crate::error::{Error, Kind, Result};
use crate::scim::error::ScimType;
use crate::scim::projection::Projection;
use crate::scim::render::{self, Stored};
use crate::scim::resource::Resource;
use crate::scim::schema::{GROUPS, ResourceType};
use crate::scim::version::Condition;
use crate::store::audit::{self, Action, Event, Totals};
use crate::store::resources::{self, Memberships};
use crate::store::{self, Guard, Rows, guards, members, rows_at};

/// How often a request is tried again when others changed what it had read.
pub const MAX_ATTEMPTS: usize = 8;

/// The scope that reading a resource type takes.
pub fn read_scope(resource_type: &ResourceType) -> Scope {
    match resource_type.name == GROUPS.name {
        true => Scope::GroupsRead,
        false => Scope::UsersRead,
    }
}

/// The scope that changing a resource type takes.
pub fn write_scope(resource_type: &ResourceType) -> Scope {
    match resource_type.name == GROUPS.name {
        true => Scope::GroupsWrite,
        false => Scope::UsersWrite,
    }
}

/// `GET /{type}/{id}` (RFC 7644 §3.4.1).
pub async fn read(
    call: &Call<'_>,
    resource_type: &'static ResourceType,
    subject: Subject,
) -> Result<Reply> {
    let params = ListParams::of_query(call);
    with_caller(call, read_scope(resource_type), async |caller| {
        let id = caller.subject(call, subject, resource_type)?;
        let projection = params.projection(resource_type, caller.profile())?;
        let base = call.scim_base();
        let memberships = Memberships::of(resource_type, &projection);
        let statement =
            resources::select_one(&caller.tenant, &base, resource_type, &id, memberships);
        let results = caller.read(call, vec![statement]).await?;
        let mut stored = first(&results, 0, resource_type)?;
        let unchanged = call
            .header(IF_NONE_MATCH)
            .is_some_and(|header| Condition::parse(header).holds(stored.version));
        match unchanged {
            true => Ok(Reply::empty(304).etag(stored.version)),
            false => {
                complete(
                    call,
                    caller,
                    std::iter::once(&mut stored),
                    memberships.names,
                )
                .await?;
                Ok(show(200, &stored, &base, &projection))
            }
        }
    })
    .await
}

/// `DELETE /{type}/{id}` (RFC 7644 §3.6): the resource, its memberships in one batch; a tombstone stays.
pub async fn delete(
    call: &Call<'_>,
    resource_type: &'static ResourceType,
    subject: Subject,
) -> Result<Reply> {
    with_caller(call, write_scope(resource_type), async |caller| {
        let id = caller.subject(call, subject, resource_type)?;
        let tenant = &caller.tenant;
        let condition = if_match(call);
        let mut batch = guards::precondition(tenant, resource_type, &id, condition.as_ref());
        batch.extend(resources::delete(
            tenant,
            resource_type,
            std::slice::from_ref(&id),
            call.now,
        ));
        let totals = match resource_type.name == GROUPS.name {
            true => Totals {
                groups: -1,
                ..Totals::default()
            },
            false => Totals {
                users: -1,
                ..Totals::default()
            },
        };
        let event = Event {
            action: Action::Delete,
            resource_type: resource_type.name,
            resource_id: &id,
            attributes: Vec::new(),
        };
        batch.extend(audit::append(
            tenant,
            &caller.origin(call),
            totals,
            &[event],
        ));
        match caller.write(call, batch).await {
            Ok(_) => Ok(Reply::empty(204)),
            Err(store::Error::Guard(Guard::NotFound)) => Err(Error::not_found(resource_type.name)),
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// Reads the members of groups that have too many to come along with the group, in one round trip more.
pub async fn complete<'s>(
    call: &Call<'_>,
    caller: &Caller,
    stored: impl Iterator<Item = &'s mut Stored>,
    names: bool,
) -> Result<()> {
    let mut oversized: Vec<&mut Stored> = stored.filter(|stored| stored.oversized).collect();
    if oversized.is_empty() {
        return Ok(());
    }
    let base = call.scim_base();
    let batch = oversized
        .iter()
        .map(|stored| members::select_parts(&caller.tenant, &stored.id, names))
        .collect();
    let results = caller.read(call, batch).await?;
    for (stored, rows) in oversized.iter_mut().zip(&results) {
        let parts = rows
            .rows
            .iter()
            .map(|row| Ok((row.text("type")?, row.text("part")?)))
            .collect::<store::Result<Vec<_>>>()?;
        let members = render::members_json(&base, parts.into_iter())
            .map_err(|error| Error::internal(format!("members of {}: {error}", stored.id)))?;
        stored.memberships = Some(members);
        stored.oversized = false;
    }
    Ok(())
}

/// The `If-Match` of a request.
pub fn if_match(call: &Call<'_>) -> Option<Condition> {
    call.header(IF_MATCH).map(Condition::parse)
}

/// 412 where the client named another version than there is.
pub fn check_precondition(condition: Option<&Condition>, stored: &Stored) -> Result<()> {
    match condition {
        Some(condition) if !condition.holds(stored.version) => Err(Error::new(
            Kind::PreconditionFailed,
            format!(
                "the resource is at version {}, which If-Match does not name",
                stored.version.etag()
            ),
        )),
        _ => Ok(()),
    }
}

/// The resource that a statement gave; 404 where it gave none.
pub fn first(
    results: &[Rows],
    index: usize,
    resource_type: &'static ResourceType,
) -> Result<Stored> {
    let row = rows_at(results, index)?
        .first()
        .ok_or_else(|| Error::not_found(resource_type.name))?;
    Ok(resources::stored(resource_type, row)?)
}

/// A reply that carries a resource.
pub fn show(status: u16, stored: &Stored, base: &str, projection: &Projection) -> Reply {
    let reply = Reply::scim(status, stored.to_json(base, projection)).etag(stored.version);
    match status {
        201 => reply.location(stored.location(base)),
        _ => reply,
    }
}

/// 413 for a resource that is larger than can be stored.
pub fn check_size(resource_type: &'static ResourceType, resource: &Resource) -> Result<()> {
    match resources::fits(resource_type, resource) {
        true => Ok(()),
        false => Err(store::Error::TooLarge("a row".to_owned()).into()),
    }
}

/// Names of the attributes in which two resources differ, for the audit trail.
pub fn differing(before: &Resource, after: &Resource) -> Vec<String> {
    let changed = |name: &&String| before.attributes.get(*name) != after.attributes.get(*name);
    let mut names: Vec<String> = after.attributes.keys().filter(changed).cloned().collect();
    let gone = before
        .attributes
        .keys()
        .filter(|name| !after.attributes.contains_key(*name));
    names.extend(gone.cloned());
    names
}

/// Whether a failed write is worth another try from the read: somebody else was faster, and the client named no version.
pub fn is_worth_retrying(error: &store::Error, condition: Option<&Condition>) -> bool {
    let raced = matches!(
        error,
        store::Error::Guard(Guard::VersionConflict | Guard::MemberMissing)
    );
    raced && !matches!(condition, Some(Condition::OneOf(_)))
}

/// What a lost race means for the client: with `If-Match`, that its version is gone.
pub fn lost_race(error: store::Error, condition: Option<&Condition>) -> Error {
    match (error, condition) {
        (store::Error::Guard(Guard::VersionConflict), Some(Condition::OneOf(_))) => {
            store::Error::Guard(Guard::PreconditionFailed).into()
        }
        (error, _) => error.into(),
    }
}

/// 409 `uniqueness`, naming the attribute.
pub fn taken(attribute: &str) -> Error {
    Error::scim(
        ScimType::Uniqueness,
        format!("another resource has this {attribute}"),
    )
}
