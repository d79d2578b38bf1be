//! `POST`, `PUT` and `PATCH` of `/Users` (RFC 7644 §3.3, §3.5).

use serde_json::Value;

use super::list_query::ListParams;
use super::password;
use super::resources::{
    MAX_ATTEMPTS, check_precondition, check_size, differing, first, guard_name, if_match,
    is_worth_retrying, located, lost_race, refuse_managed, show, taken, taken_by_inactive,
};
use crate::api::http::authenticate::{Caller, Subject, with_caller};
use crate::api::http::call::Call;
use crate::api::http::reply::Reply;
use crate::auth::scope::Scope;
use crate::error::{Error, Result};
use crate::scim::fold::{former, name_key};
use crate::scim::render::Stored;
use crate::scim::resource::Resource;
use crate::scim::schema::USERS;
use crate::scim::version::Version;
use crate::scim::{body, patch};
use crate::store;
use crate::store::audit::{self, Action, Detail, Event, Totals};
use crate::store::resources::{self as rows, Memberships};
use crate::store::unique::{self, UniqueKey};
use crate::store::users::{self, UserRow};
use crate::store::{Constraint, guards, rows_at};

/// `POST /Users`.
pub async fn create(call: &Call<'_>) -> Result<Reply> {
    let params = ListParams::of_query(call);
    with_caller(call, Scope::UsersWrite, async |caller| {
        let projection = params.projection(&USERS, caller.profile())?;
        let mut user = body::read(&USERS, call.json()?, caller.profile())?;
        check_size(&USERS, &user)?;
        let password_hash = password::hash(call, caller, user.password.take())?;
        let id = call.new_id()?;
        let row = UserRow {
            id: &id,
            provider_id: &caller.provider_id,
            created: call.now,
            gain: 1,
            before: None,
            resource: &user,
            password_hash: password_hash.as_deref(),
        };
        let mut batch = guard_name(caller, &USERS, &id, None, &user);
        batch.extend(users::save(
            &caller.tenant,
            std::slice::from_ref(&row),
            call.now,
        ));
        let attributes: Vec<String> = user.attributes.keys().cloned().collect();
        let event = Event {
            action: Action::Create,
            resource_type: USERS.name,
            resource_id: &id,
            detail: Detail::of(&attributes, &user),
            attributes,
        };
        let totals = Totals {
            users: 1,
            ..Totals::default()
        };
        batch.extend(audit::append(
            &caller.tenant,
            &caller.origin(call),
            totals,
            &[event],
        ));
        let stored = match caller.write(call, batch).await {
            Ok(_) => Stored {
                id,
                version: Version(1),
                created: call.now,
                modified: call.now,
                resource: user.to_stored(&USERS),
                ..Stored::bare(&USERS)
            },
            Err(store::Error::Conflict(constraint)) => {
                return Err(refusal(call, caller, &user, constraint).await?);
            }
            Err(error) => return Err(error.into()),
        };
        show(201, stored, call, caller, &projection).await
    })
    .await
}

/// Why a new user is none. A POST takes nobody over; where the one who has the name is inactive, it says how to switch them on.
async fn refusal(
    call: &Call<'_>,
    caller: &Caller,
    user: &Resource,
    constraint: Constraint,
) -> Result<Error> {
    match constraint {
        Constraint::UserName => {}
        other => return Err(Error::internal(format!("a new user ran into {other:?}"))),
    }
    let name = user.attributes.get("userName").and_then(Value::as_str);
    let key = name_key(name.unwrap_or_default());
    let keys = [Some(key.clone()), former(&key)];
    let keys = keys.iter().flatten();
    let batch = unique::select_holders(&caller.tenant, UniqueKey::UserName, keys);
    let results = caller.read(call, batch).await?;
    let Some(holder) = rows_at(&results, 0)?.first() else {
        return Ok(taken("userName"));
    };
    // Unassigned is not inactive, and whom a directory manages it alone switches on.
    let is_inactive = holder.optional_integer("active")? == Some(0)
        && holder.optional_text("managed_by")?.is_none();
    Ok(match is_inactive {
        true => taken_by_inactive(&call.scim_base(), &holder.text("id")?),
        false => taken("userName"),
    })
}

/// `PUT /Users/{id}`.
pub async fn replace(call: &Call<'_>, subject: Subject) -> Result<Reply> {
    change(call, subject, Action::Replace, |call, _, before, caller| {
        let body = call.json()?;
        Ok(body::read_over(
            &USERS,
            body,
            Some(before),
            caller.profile(),
        )?)
    })
    .await
}

/// `PATCH /Users/{id}`.
pub async fn patch(call: &Call<'_>, subject: Subject) -> Result<Reply> {
    change(call, subject, Action::Patch, |call, id, before, caller| {
        let operations = patch::parse(call.json()?, &USERS, id, caller.profile())?;
        let mut after = before.clone();
        patch::apply(&operations, &USERS, &mut after, caller.profile())?;
        Ok(after)
    })
    .await
}

/// Reads a user, makes the new one of it, and writes that over the version that was read; again from the start where
/// somebody else wrote in between.
async fn change(
    call: &Call<'_>,
    subject: Subject,
    action: Action,
    make: fn(&Call<'_>, &str, &Resource, &Caller) -> Result<Resource>,
) -> Result<Reply> {
    let params = ListParams::of_query(call);
    with_caller(call, Scope::UsersWrite, async |caller| {
        let id = caller.subject(call, subject, &USERS)?;
        let projection = params.projection(&USERS, caller.profile())?;
        let base = call.scim_base();
        let condition = if_match(call);
        let memberships = Memberships::of(&USERS, &projection);
        let mut attempt = 1;
        loop {
            let statement = rows::select_one(&caller.tenant, &base, &USERS, &id, memberships);
            let results = caller.read(call, vec![statement]).await?;
            let stored = first(&results, 0, &USERS)?;
            check_precondition(condition.as_ref(), &stored)?;
            let before = parsed(&stored)?;
            refuse_managed(&before)?;
            let mut after = make(call, &id, &before, caller)?;
            check_size(&USERS, &after)?;
            let password_hash = password::hash(call, caller, after.password.take())?;
            // No change, no new version: Okta renames a group to its own name with every membership.
            if after == before && password_hash.is_none() {
                let reply = show(200, stored, call, caller, &projection).await?;
                return Ok(located(reply, call, subject, &USERS, &id));
            }
            let row = UserRow {
                id: &id,
                provider_id: &caller.provider_id,
                created: stored.created,
                gain: 1,
                before: Some(&before),
                resource: &after,
                password_hash: password_hash.as_deref(),
            };
            let mut batch = guards::versions(&caller.tenant, &USERS, [(row.id, stored.version)]);
            batch.extend(guard_name(caller, &USERS, &id, Some(&before), &after));
            batch.extend(users::save(&caller.tenant, &[row], call.now));
            let attributes = differing(&before, &after);
            let event = Event {
                action,
                resource_type: USERS.name,
                resource_id: &id,
                detail: Detail::of(&attributes, &after),
                attributes,
            };
            let origin = caller.origin(call);
            batch.extend(audit::append(
                &caller.tenant,
                &origin,
                Totals::default(),
                &[event],
            ));
            match caller.write_on(call, batch).await {
                Ok(_) => {
                    let stored = rewritten(stored, call.now, &after);
                    let reply = show(200, stored, call, caller, &projection).await?;
                    return Ok(located(reply, call, subject, &USERS, &id));
                }
                Err(store::Error::Conflict(Constraint::UserName)) => return Err(taken("userName")),
                Err(error)
                    if attempt < MAX_ATTEMPTS && is_worth_retrying(&error, condition.as_ref()) =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(lost_race(error, condition.as_ref())),
            }
        }
    })
    .await
}

fn parsed(stored: &Stored) -> Result<Resource> {
    Resource::from_stored(&stored.resource)
        .map_err(|error| Error::internal(format!("stored user {}: {error}", stored.id)))
}

/// A user that was read, as one change later.
fn rewritten(stored: Stored, modified: i64, resource: &Resource) -> Stored {
    Stored {
        version: Version(stored.version.0 + 1),
        modified,
        resource: resource.to_stored(&USERS),
        ..stored
    }
}
