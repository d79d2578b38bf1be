//! `POST`, `PUT` and `PATCH` of `/Users` (RFC 7644 §3.3, §3.5).

use serde_json::Value;

use super::author::change_shown;
use super::list_query::ListParams;
use super::resources::{if_match, located, show};
use crate::api::http::call::Call;
use crate::api::http::caller::{Caller, Subject};
use crate::api::http::reply::Reply;
use crate::change::{Intent, Wish};
use crate::error::Result;
use crate::scim::schema::USERS;
use crate::scim::{body, patch};
use crate::store::resources::Memberships;

/// `POST /Users`.
pub async fn create(call: &Call<'_>, caller: &Caller) -> Result<Reply> {
    let params = ListParams::of_query(call, caller.profile());
    let body = call.json()?;
    caller.learn(std::iter::once((&USERS, &body)));
    let projection = params.projection(caller.shape(&USERS), caller.profile())?;
    let user = body::read(caller.shape(&USERS), body, caller.profile(), &call.budget)?;
    let intent = Intent::create(&USERS, call.new_id()?, Ok(user));
    let memberships = Memberships::of(&USERS, &projection);
    let shown = change_shown(call, caller, intent, memberships).await?;
    show(201, shown.stored, call, caller, &projection).await
}

/// `PUT /Users/{id}`.
pub async fn replace(call: &Call<'_>, caller: &Caller, subject: Subject) -> Result<Reply> {
    change(call, caller, subject, |_, body| Ok(Wish::Replace(body))).await
}

/// `PATCH /Users/{id}`.
pub async fn patch(call: &Call<'_>, caller: &Caller, subject: Subject) -> Result<Reply> {
    change(call, caller, subject, |id, body| {
        let operations = patch::parse(body, caller.shape(&USERS), id, caller.profile())?;
        Wish::patch(operations, caller.profile())
    })
    .await
}

async fn change(
    call: &Call<'_>,
    caller: &Caller,
    subject: Subject,
    wish: impl Fn(&str, Value) -> Result<Wish>,
) -> Result<Reply> {
    let params = ListParams::of_query(call, caller.profile());
    let id = caller.subject(call, subject, &USERS)?;
    let body = call
        .json()
        .inspect(|body| caller.learn(std::iter::once((&USERS, body))));
    let projection = params.projection(caller.shape(&USERS), caller.profile())?;
    let intent = Intent {
        condition: if_match(call),
        ..Intent::change(&USERS, id.clone(), body.and_then(|body| wish(&id, body)))
    };
    let memberships = Memberships::of(&USERS, &projection);
    let shown = change_shown(call, caller, intent, memberships).await?;
    let reply = show(200, shown.stored, call, caller, &projection).await?;
    Ok(located(reply, call, subject, &USERS, &id))
}
