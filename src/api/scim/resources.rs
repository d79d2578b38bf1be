//! What users and groups have in common: reading one, deleting one, and how their replies look.

use std::rc::Rc;

use http::header::{IF_MATCH, IF_NONE_MATCH};

use super::list_query::ListParams;
use crate::api::http::authenticate::{Caller, Subject, with_caller};
use crate::api::http::call::Call;
use crate::api::http::reply::Reply;
use crate::auth::scope::Scope;
use crate::error::{Error, Kind, Result};
use crate::scim::error::ScimType;
use crate::scim::fold::name_key;
use crate::scim::pieces::{Frame, Part};
use crate::scim::projection::Projection;
use crate::scim::render::Stored;
use crate::scim::resource::Resource;
pub use crate::scim::resource::differing;
use crate::scim::schema::{GROUPS, ResourceType, USERS};
use crate::scim::version::Condition;
use crate::store::audit::{self, Action, Detail, Event, Totals};
use crate::store::resources::{self, Memberships};
use crate::store::unique::UniqueKey;
use crate::store::{self, Guard, Rows, Statement, guards, keys, members, rows_at};

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
        let stored = first(&results, 0, resource_type)?;
        let unchanged = call
            .list_header(IF_NONE_MATCH)
            .is_some_and(|header| Condition::parse(&header).holds(stored.version));
        match unchanged {
            true => {
                let reply = Reply::empty(304).etag(stored.version);
                Ok(located(reply, call, subject, resource_type, &id))
            }
            false => {
                let reply = show(200, stored, call, caller, &projection).await?;
                Ok(located(reply, call, subject, resource_type, &id))
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
            detail: Detail::default(),
        };
        batch.extend(audit::append(
            tenant,
            &caller.origin(call),
            totals,
            &[event],
        ));
        match caller.write(call, batch).await {
            Ok(_) => Ok(located(
                Reply::empty(204),
                call,
                subject,
                resource_type,
                &id,
            )),
            Err(store::Error::Guard(Guard::NotFound)) => Err(Error::not_found(resource_type.name)),
            Err(error) => Err(error.into()),
        }
    })
    .await
}

/// A reply that under `/Me` says whose it is (RFC 7644 §3.11).
pub fn located(
    reply: Reply,
    call: &Call<'_>,
    subject: Subject,
    resource_type: &ResourceType,
    id: &str,
) -> Reply {
    match subject {
        Subject::Path => reply,
        Subject::Me => {
            let base = call.scim_base();
            reply.location(format!("{base}{}/{id}", resource_type.endpoint))
        }
    }
}

/// Reads the memberships of a resource that has too many to come along with it, in one round trip more.
pub async fn complete(
    call: &Call<'_>,
    caller: &Caller,
    stored: &mut Stored,
    names: bool,
) -> Result<()> {
    if stored.oversized {
        let (tenant, resource_type) = (&caller.tenant, stored.resource_type);
        let parts = members::select_parts(tenant, resource_type, &stored.id, names, None);
        let results = caller.read(call, vec![parts]).await?;
        stored.parts = parts_of(rows_at(&results, 0)?)?.0;
    }
    Ok(())
}

/// Reads the rows of [`members::select_parts`], and how many memberships they hold.
pub fn parts_of(rows: &Rows) -> Result<(Vec<Part>, i64)> {
    let mut held = 0;
    let mut parts = Vec::with_capacity(rows.rows.len());
    for row in &rows.rows {
        held += row.integer("held")?;
        parts.push(Part {
            kind: row.text("type")?,
            ids: row.text("part")?,
        });
    }
    Ok((parts, held))
}

/// The `If-Match` of a request.
pub fn if_match(call: &Call<'_>) -> Option<Condition> {
    call.list_header(IF_MATCH)
        .map(|header| Condition::parse(&header))
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

/// 409 where a directory manages the resource: what a client wrote would be undone, or fought over.
pub fn refuse_managed(resource: &Resource) -> Result<()> {
    match &resource.managed_by {
        Some(provider) => Err(Error::managed(provider)),
        None => Ok(()),
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

/// A reply that carries a resource, with all its memberships where they are asked for.
pub async fn show(
    status: u16,
    mut stored: Stored,
    call: &Call<'_>,
    caller: &Caller,
    projection: &Projection,
) -> Result<Reply> {
    let names = Memberships::of(stored.resource_type, projection).names;
    complete(call, caller, &mut stored, names).await?;
    let base = call.scim_base();
    let (version, location) = (stored.version, stored.location(&base));
    let frame = Rc::new(Frame {
        resource_type: stored.resource_type,
        base: base.into(),
        projection: projection.clone(),
    });
    let reply = Reply::scim(status, stored.into_pieces(&frame)).etag(version);
    Ok(match status {
        201 => reply.location(location),
        _ => reply,
    })
}

/// 413 for a resource that is larger than can be stored.
pub fn check_size(resource_type: &'static ResourceType, resource: &Resource) -> Result<()> {
    match resources::fits(resource_type, resource) {
        true => Ok(()),
        false => Err(store::Error::TooLarge("a row".to_owned()).into()),
    }
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

/// The guard that a name which a resource is given is not that of a row from before names were normalised.
pub fn guard_name(
    caller: &Caller,
    resource_type: &ResourceType,
    id: &str,
    before: Option<&Resource>,
    after: &Resource,
) -> Vec<Statement> {
    let (name, unique) = match resource_type.name == GROUPS.name {
        true if caller.profile().is_strict() => return Vec::new(),
        true => ("displayName", UniqueKey::GroupName),
        false => ("userName", UniqueKey::UserName),
    };
    let key = |resource: &Resource| {
        let name = resource.attributes.get(name)?.as_str()?;
        Some(name_key(name))
    };
    match key(after) {
        Some(new) if before.and_then(key).as_ref() != Some(&new) => {
            keys::guard_former(&caller.tenant, unique, [(id, new.as_str())])
        }
        _ => Vec::new(),
    }
}

/// 409 `uniqueness` for a new user whose name an inactive one has, with how to switch that one on again.
pub fn taken_by_inactive(base: &str, id: &str) -> Error {
    let Error { kind, detail, .. } = taken("userName");
    let location = format!("{base}{}/{id}", USERS.endpoint);
    Error::new(
        kind,
        format!(
            "{detail} and is inactive: PATCH or PUT `active` true at {location} switches it on again"
        ),
    )
}

/// 409 `uniqueness`, naming the attribute.
pub fn taken(attribute: &str) -> Error {
    Error::scim(
        ScimType::Uniqueness,
        format!("another resource has this {attribute}"),
    )
}
