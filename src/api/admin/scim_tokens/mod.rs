//! `/api/v1/admin/scim-tokens`.

pub mod types;

use super::endpoint_info;
use crate::api::admin::administrator;
use crate::api::http::call::{Call, retrying};
use crate::api::http::envelope;
use crate::api::http::everywhere;
use crate::api::http::idempotency;
use crate::api::http::input::{Page, Text, Time, body};
use crate::api::http::query_parameters::{required_tenant, tenant_in_query};
use crate::api::http::reply::Reply;
use crate::api::http::token_facts::{forget, remember};
use crate::auth::admin::Admin;
use crate::auth::scim_token::ScimToken as Secret;
use crate::auth::scope::Scopes;
use crate::change::audit::{self, Action};
use crate::change::rows::removals;
use crate::error::{Error, Kind, Result};
use crate::ids;
use crate::store::scim_tokens::{self, Facts, ScimToken};
use crate::store::{
    self, Guard, Row, Rows, Statement, directory, identity_providers, rows_at, setup_links, tenants,
};
use types::{
    MAX_OVERLAP_SECONDS, NewScimTokenResponse, RemovalsAllow, RemovalsAllowed, ScimTokenCreate,
    ScimTokenRotate, ScimTokenUpdate, show,
};

const WHAT: &str = "the SCIM token";
/// Most tokens that a set-up link makes and that are not revoked.
const MAX_OF_LINK: i64 = 10;

fn check_expiry(call: &Call<'_>, expires_at: Option<Time>) -> Result<()> {
    match expires_at {
        Some(Time(time)) if time <= call.now => Err(Error::field(
            &["body", "expires_at"],
            "it is not in the future",
            "value_error",
        )),
        _ => Ok(()),
    }
}

fn check_scopes(scopes: Option<&Scopes>) -> Result<()> {
    match scopes {
        Some(scopes) if scopes.is_empty() => Err(Error::field(
            &["body", "scopes"],
            "a token without scopes may do nothing; name at least one",
            "value_error",
        )),
        _ => Ok(()),
    }
}

fn audited(
    call: &Call<'_>,
    admin: &Admin,
    token: &ScimToken,
    action: Action,
    attributes: &[&str],
) -> Vec<Statement> {
    let what = ("ScimToken", token.id.as_str());
    administrator::audited(
        call,
        admin,
        &token.tenant_id,
        what,
        action,
        attributes.iter().copied(),
    )
}

fn not_found(error: store::Error) -> Error {
    match error {
        store::Error::Guard(Guard::NotFound) => Error::not_found(WHAT),
        other => other.into(),
    }
}

pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let page = Page::of(call)?;
    let tenant = tenant_in_query(call, admin)?;
    let results = everywhere::list(call, tenant.as_ref(), page, |limit, offset| {
        scim_tokens::select_page(tenant.as_ref(), limit, offset)
    });
    let results = results.await?;
    envelope::list(call, page, &results, |row| {
        Ok(show(scim_tokens::scim_token(row)?))
    })
}

pub async fn create(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    make(call, admin, body(call)?).await
}

/// Makes the token that somebody wants.
pub async fn make(call: &Call<'_>, admin: &Admin, given: ScimTokenCreate) -> Result<Reply> {
    check_scopes(given.scopes.as_ref())?;
    check_expiry(call, given.expires_at)?;
    let unknown_tenant = || {
        Error::field(
            &["body", "tenant_id"],
            "there is no such tenant",
            "value_error",
        )
    };
    if !admin.sees(&given.tenant_id) {
        return Err(unknown_tenant());
    }
    let unknown_provider = || {
        Error::field(
            &["body", "idp_id"],
            "the tenant has no such identity provider",
            "value_error",
        )
    };
    let idp_id = match given.idp_id {
        None => None,
        Some(text) => Some(ids::canonical_uuid(text.as_str()).ok_or_else(unknown_provider)?),
    };
    let token = ScimToken {
        id: call.new_id()?,
        tenant_id: given.tenant_id,
        name: given.name.into_string(),
        description: given.description.map(Text::into_string),
        token_hint: String::new(),
        scopes: given.scopes.unwrap_or_else(Scopes::all),
        is_active: true,
        idp_id,
        created_at: call.now,
        created_by: admin.subject.clone(),
        updated_at: call.now,
        expires_at: given.expires_at.map(|Time(time)| time),
        last_used_at: None,
        revoked_at: None,
        revision: 1,
    };
    let room = admin.setup_link().map(|_| {
        setup_links::require_room_for_token(&token.tenant_id, &admin.subject, MAX_OF_LINK)
    });
    let attributes = ["name", "scopes", "expires_at"];
    let audit = audited(call, admin, &token, Action::Create, &attributes);
    issue(call, token, room.into_iter().chain(audit))
        .await
        .map_err(|error| match error {
            store::Error::Guard(Guard::NotFound) => unknown_tenant(),
            store::Error::Guard(Guard::ProviderMissing) => unknown_provider(),
            store::Error::Guard(Guard::Full) => Error::new(
                Kind::Conflict,
                format!(
                    "{MAX_OF_LINK} tokens were made by this link, which is as many as it may make"
                ),
            ),
            other => other.into(),
        })
}

/// Makes the secret of a token, stores its hash after what else belongs to the batch, and shows it.
async fn issue(
    call: &Call<'_>,
    mut token: ScimToken,
    more: impl IntoIterator<Item = Statement>,
) -> store::Result<Reply> {
    let secret =
        Secret::generate(call.app.platform.entropy.as_ref()).map_err(store::Error::Backend)?;
    token.token_hint = secret.hint();
    let hash = secret.hash();
    let mut batch = vec![tenants::require(&token.tenant_id)];
    if let Some(idp_id) = &token.idp_id {
        batch.push(identity_providers::require(&token.tenant_id, idp_id));
    }
    batch.extend(more);
    batch.extend(scim_tokens::insert(&token, &hash));
    batch.push(scim_tokens::select_facts(&hash, call.now));
    let tenant = token.tenant_id.clone();
    let new = NewScimTokenResponse {
        shown: show(token),
        token: secret.reveal().to_owned(),
    };
    let reply = envelope::single(call, 201, new);
    let results = idempotency::commit(call, &tenant, batch, &reply).await?;
    call.note_tenant(&tenant);
    if let Some(row) = results.last().and_then(store::Rows::first) {
        let facts: Facts = scim_tokens::facts(row)?;
        remember(&call.app.platform, &hash, &facts);
    }
    Ok(reply)
}

/// The token in the path with its hash; 404 for one that this administrator does not see, or that is revoked where that
/// matters.
async fn find(call: &Call<'_>, admin: &Admin, revoked_too: bool) -> Result<(ScimToken, Row)> {
    let (id, only) = (id(call)?, admin.tenant.as_ref());
    let tenant = call.led_to(only, directory::Kind::ScimToken, &id).await?;
    let statement = scim_tokens::select(&id, only);
    let results = call.run(tenant.as_ref(), vec![statement]).await?;
    found(call, &results, revoked_too)
}

fn id(call: &Call<'_>) -> Result<String> {
    ids::canonical_uuid(call.param("token_id")).ok_or_else(|| Error::not_found(WHAT))
}

fn found(call: &Call<'_>, results: &[Rows], revoked_too: bool) -> Result<(ScimToken, Row)> {
    let row = rows_at(results, 0)?
        .first()
        .ok_or_else(|| Error::not_found(WHAT))?;
    let token = scim_tokens::scim_token(row)?;
    if token.revoked_at.is_some() && !revoked_too {
        return Err(Error::not_found(WHAT));
    }
    call.note_tenant(&token.tenant_id);
    Ok((token, row.clone()))
}

pub async fn read(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let (token, _) = find(call, admin, true).await?;
    Ok(envelope::single(call, 200, show(token)))
}

pub async fn update(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    retrying(async || try_update(call, admin).await).await
}

async fn try_update(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let given: ScimTokenUpdate = body(call)?;
    check_scopes(given.scopes.as_ref())?;
    check_expiry(call, given.expires_at.flatten())?;
    let (mut token, row) = find(call, admin, false).await?;
    let mut attributes = Vec::new();
    if let Some(name) = given.name {
        token.name = name.into_string();
        attributes.push("name");
    }
    if let Some(description) = given.description {
        token.description = description.map(Text::into_string);
        attributes.push("description");
    }
    if let Some(scopes) = given.scopes {
        token.scopes = scopes;
        attributes.push("scopes");
    }
    if let Some(expires_at) = given.expires_at {
        token.expires_at = expires_at.map(|Time(time)| time);
        attributes.push("expires_at");
    }
    if let Some(is_active) = given.is_active {
        token.is_active = is_active;
        attributes.push("is_active");
    }
    token.updated_at = call.now;
    write(call, admin, &token, &row, Action::Patch, &attributes).await?;
    Ok(envelope::single(call, 200, show(token)))
}

/// Writes a token that was read, and takes it out of the cache.
async fn write(
    call: &Call<'_>,
    admin: &Admin,
    token: &ScimToken,
    row: &Row,
    action: Action,
    attributes: &[&str],
) -> Result<()> {
    let mut batch: Vec<Statement> = scim_tokens::update(token).into();
    batch.extend(audited(call, admin, token, action, attributes));
    call.change(&token.tenant_id, batch)
        .await
        .map_err(not_found)?;
    forget(&call.app.platform, &row.text("token_hash")?);
    Ok(())
}

pub async fn delete(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    retrying(async || try_delete(call, admin).await).await
}

async fn try_delete(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let (mut token, row) = find(call, admin, false).await?;
    token.is_active = false;
    token.revoked_at = Some(call.now);
    token.updated_at = call.now;
    write(call, admin, &token, &row, Action::Revoke, &["revoked_at"]).await?;
    Ok(Reply::empty(204))
}

/// `POST …/scim-tokens/{token_id}/allow-removals`: lets the token go on where the fuse has stopped it. What was allowed before is replaced.
pub async fn allow_removals(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let given: RemovalsAllow = body(call)?;
    let (token, _) = find(call, admin, false).await?;
    let until = call.now + given.minutes.0 * 60_000;
    let actor = format!("scim-token:{}", token.id);
    let tenant = &token.tenant_id;
    let mut batch = vec![
        tenants::require(tenant),
        removals::allow(tenant, &actor, given.count.0, until),
    ];
    batch.extend(audited(call, admin, &token, Action::Allow, &["removals"]));
    call.change(tenant, batch).await.map_err(not_found)?;
    let allowed = RemovalsAllowed {
        token_id: token.id,
        count: given.count.0,
        until: Time(until),
    };
    Ok(envelope::single(call, 200, allowed))
}

/// `POST …/rotate`: a new token with the old one's settings, live where the old one is paused too; the old one dies after the overlap, at once without one.
pub async fn rotate(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    retrying(async || try_rotate(call, admin).await).await
}

async fn try_rotate(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let given: ScimTokenRotate = match call.has_body() {
        true => body(call)?,
        false => ScimTokenRotate::default(),
    };
    if !(0..=MAX_OVERLAP_SECONDS).contains(&given.overlap_seconds) {
        return Err(Error::field(
            &["body", "overlap_seconds"],
            format!("it has to be 0 to {MAX_OVERLAP_SECONDS}"),
            "value_error",
        ));
    }
    let (old, row) = replaceable(call, admin).await?;
    let dies = call.now + given.overlap_seconds * 1_000;
    let mut ending = ScimToken {
        expires_at: Some(old.expires_at.map_or(dies, |expires| expires.min(dies))),
        updated_at: call.now,
        ..old.clone()
    };
    if given.overlap_seconds == 0 {
        ending.is_active = false;
        ending.revoked_at = Some(call.now);
    }
    let new = ScimToken {
        id: call.new_id()?,
        created_at: call.now,
        created_by: admin.subject.clone(),
        updated_at: call.now,
        last_used_at: None,
        // Whoever asks for a new token wants to use it, also where the old one was paused for a suspicion.
        is_active: true,
        ..old
    };
    let mut batch: Vec<Statement> = scim_tokens::update(&ending).into();
    batch.extend(audited(
        call,
        admin,
        &ending,
        Action::Rotate,
        &["expires_at"],
    ));
    batch.extend(audited(
        call,
        admin,
        &new,
        Action::Create,
        &["name", "scopes", "expires_at"],
    ));
    let reply = issue(call, new, batch).await.map_err(not_found)?;
    forget(&call.app.platform, &row.text("token_hash")?);
    Ok(reply)
}

/// The token in the path with its hash; 409 for one that has expired, and for one that was replaced already and lives through its
/// overlap: what it passes on would end with it.
async fn replaceable(call: &Call<'_>, admin: &Admin) -> Result<(ScimToken, Row)> {
    let (id, only) = (id(call)?, admin.tenant.as_ref());
    let batch = vec![
        scim_tokens::select(&id, only),
        audit::select_successor(&id, only),
    ];
    let tenant = call.led_to(only, directory::Kind::ScimToken, &id).await?;
    let results = call.run(tenant.as_ref(), batch).await?;
    let (token, row) = found(call, &results, false)?;
    let conflict = |detail: String| Err(Error::new(Kind::Conflict, detail));
    if token.expires_at.is_some_and(|expires| expires <= call.now) {
        return conflict("the token has expired; create a new one".to_owned());
    }
    match rows_at(&results, 1)?.first() {
        Some(rotated) => conflict(format!(
            "the token was replaced already, by {}; rotate that one, or create a new one",
            rotated.text("successor")?
        )),
        None => Ok((token, row)),
    }
}

/// `GET …/endpoint-info`: what an administrator pastes into an identity provider.
pub async fn endpoint_info(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = required_tenant(call, admin)?;
    let results = call
        .run(Some(&tenant), vec![tenants::select(&tenant)])
        .await?;
    match rows_at(&results, 0)?.first() {
        Some(_) => {
            call.note_tenant(&tenant);
            let info = endpoint_info::describe(&call.origin(), &tenant);
            Ok(envelope::single(call, 200, info))
        }
        None => Err(Error::not_found("the tenant")),
    }
}
