//! What users and groups have in common: reading one, deleting one, and how their replies look.

use std::rc::Rc;

use http::header::{IF_MATCH, IF_NONE_MATCH};

use super::author::change_one;
use super::list_query::ListParams;
use crate::api::http::call::Call;
use crate::api::http::caller::{Caller, Subject};
use crate::api::http::reply::Reply;
use crate::auth::scope::Scope;
use crate::change::{Intent, Wish};
use crate::error::{Error, Result};
use crate::scim::pieces::{Frame, Part};
use crate::scim::projection::Projection;
use crate::scim::render::Stored;
use crate::scim::schema::{GROUPS, ResourceType};
use crate::scim::version::Condition;
use crate::store::resources::{self, Memberships};
use crate::store::{Rows, members, rows_at};

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
    caller: &Caller,
    resource_type: &'static ResourceType,
    subject: Subject,
) -> Result<Reply> {
    let params = ListParams::of_query(call, caller.profile());
    let id = caller.subject(call, subject, resource_type)?;
    let projection = params.projection(caller.shape(resource_type), caller.profile())?;
    let base = call.scim_base();
    let memberships = Memberships::of(resource_type, &projection);
    let statement = resources::select_one(&caller.tenant, &base, resource_type, &id, memberships);
    let results = caller.read(call, vec![statement]).await?;
    let stored = first(&results, 0, resource_type)?;
    call.app.recent.remember(&caller.tenant, &stored);
    let unchanged = call
        .list_header(IF_NONE_MATCH)
        .is_some_and(|header| Condition::parse(&header).holds(stored.version));
    let reply = match unchanged {
        true => Reply::empty(304).etag(stored.version),
        false => show(200, stored, call, caller, &projection).await?,
    };
    Ok(caller.numbered(located(reply, call, subject, resource_type, &id)))
}

/// `DELETE /{type}/{id}` (RFC 7644 §3.6): the resource, its memberships in one batch; a tombstone stays.
pub async fn delete(
    call: &Call<'_>,
    caller: &Caller,
    resource_type: &'static ResourceType,
    subject: Subject,
) -> Result<Reply> {
    let id = caller.subject(call, subject, resource_type)?;
    let intent = Intent {
        condition: if_match(call),
        ..Intent::change(resource_type, id.clone(), Ok(Wish::Delete))
    };
    change_one(call, caller, intent, None).await?;
    Ok(located(
        Reply::empty(204),
        call,
        subject,
        resource_type,
        &id,
    ))
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
