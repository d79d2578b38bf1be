//! `/Roles` and `/Entitlements`: what a tenant says that its users can have. There are such resources where it says so, and they are made of
//! its settings, which come along with the credential.

use http::header::IF_NONE_MATCH;
use serde_json::Value;

use super::list_query::{ListParams, ListQuery};
use crate::api::http::call::Call;
use crate::api::http::caller::Caller;
use crate::api::http::reply::Reply;
use crate::error::{Error, Result};
use crate::scim::error::Error as ScimError;
use crate::scim::filter::evaluate;
use crate::scim::fold::comparable;
use crate::scim::pieces::Pieces;
use crate::scim::projection::Projection;
use crate::scim::render::{self, Paging};
use crate::scim::schema::{AttributeRef, ResourceType, assignable_resource};
use crate::scim::version::{Condition, Version};

/// `GET /Roles`, `GET /Entitlements`.
pub async fn list(call: &Call<'_>, caller: &Caller, of: &'static ResourceType) -> Result<Reply> {
    let all = there(call, caller, of).await?;
    let params = ListParams::of_query(call, caller.profile());
    let ListQuery {
        types,
        projections,
        sorted,
        start_index,
        count,
        cursor,
        ..
    } = params.resolve(&[of.plain()], caller.profile())?;
    if cursor.is_some() {
        return Err(ScimError::value("this list is paged by startIndex alone").into());
    }
    let mut found = all;
    for asked in &types {
        if let Some(filter) = &asked.filter {
            found.retain(|one| evaluate::matches(filter, one));
        }
        if let Some(by) = &asked.sort_by {
            found.sort_by_cached_key(|one| key(by, one));
        }
    }
    if sorted.is_some_and(|descending| descending.0) {
        found.reverse();
    }
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let (before, most) = (whole(start_index - 1), whole(count));
    let page = found.into_iter().skip(before).take(most);
    let texts = page.filter_map(|one| Some(shown(of, projections.first()?, one)));
    let list = render::list(texts.collect(), total, &Paging::Index(start_index));
    Ok(caller.numbered(Reply::scim(200, list)))
}

/// `GET /Roles/{id}`, `GET /Entitlements/{id}`.
pub async fn read(call: &Call<'_>, caller: &Caller, of: &'static ResourceType) -> Result<Reply> {
    let all = there(call, caller, of).await?;
    let params = ListParams::of_query(call, caller.profile());
    let projection = params.projection(of.plain(), caller.profile())?;
    let id = call.param("id");
    // As `roles.value` of users is compared.
    let is_it = |one: &Value| {
        one["id"]
            .as_str()
            .is_some_and(|it| it.eq_ignore_ascii_case(id))
    };
    let found = all.into_iter().find(is_it);
    let found = found.ok_or_else(|| Error::not_found("the resource"))?;
    let version = Version(caller.own().revision);
    let is_known = |header: &String| Condition::parse(header).holds(version);
    let reply = match call.list_header(IF_NONE_MATCH).filter(is_known) {
        Some(_) => Reply::empty(304),
        None => Reply::scim(200, shown(of, &projection, found)),
    };
    Ok(caller.numbered(reply.etag(version)))
}

/// All of them, as resources, once the credential is known to hold.
async fn there(call: &Call<'_>, caller: &Caller, of: &ResourceType) -> Result<Vec<Value>> {
    caller.read(call, Vec::new()).await?;
    let all = caller.own().assignable.of(of);
    if all.is_empty() {
        return Err(Error::not_found("the resource type"));
    }
    let base = format!("{}{}", call.scim_base(), of.endpoint);
    let version = Version(caller.own().revision).etag();
    let resource = |one| assignable_resource(of, one, &base, &version);
    Ok(all.iter().map(resource).collect())
}

fn shown(of: &'static ResourceType, projection: &Projection, one: Value) -> Pieces {
    Pieces::from(projection.apply(of, one).to_string())
}

/// What one is sorted by: the text of an attribute, as it is compared.
fn key(by: &AttributeRef, one: &Value) -> String {
    let text = one[by.leaf().name()].as_str().unwrap_or_default();
    comparable(text, by.leaf()).into_owned()
}

fn whole(number: i64) -> usize {
    usize::try_from(number).unwrap_or_default()
}
