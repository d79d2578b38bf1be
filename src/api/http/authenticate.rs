//! Who makes this request, for both kinds of route.

use super::call::Call;
use super::caller::Caller;
#[cfg(feature = "jobs")]
use super::caller::Held;
use super::credential_name;
use super::token_facts::{self, Look};
#[cfg(feature = "jobs")]
use super::transport;
#[cfg(feature = "jobs")]
use crate::auth::access::assertion::{self, Visitor};
use crate::auth::admin::Admin;
use crate::auth::bearer::{self, malformed};
use crate::auth::memory::Holder;
use crate::auth::scim_token::ScimToken;
use crate::auth::setup_link::SetupSecret;
use crate::auth::verify::verify;
#[cfg(feature = "jobs")]
use crate::error::Kind;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::store::tenants::{self, Settings};
use crate::store::{rows_at, setup_links};

/// The administrator of a request.
pub async fn admin(call: &Call<'_>) -> Result<Admin> {
    let credential = bearer::credential(call.headers(), false)?;
    credential_name::note_hint(call, &credential);
    if ScimToken::looks_like(credential.expose()) {
        return Err(malformed(
            "this is a SCIM token, which opens SCIM routes alone; send an administrator's JWT",
        ));
    }
    let app = call.app;
    let claims = verify(&credential, &app.config, &app.platform, &app.memory).await?;
    let admin = Admin::from_claims(&claims)?;
    if let Some(tenant) = &admin.tenant {
        call.note_tenant(tenant);
        call.journal.note_tenant(tenant);
    }
    call.journal.note_actor(admin.actor());
    credential_name::note_subject(call, &admin.subject);
    Ok(admin)
}

/// Whoever sets a tenant up by a link.
pub async fn setup_link(call: &Call<'_>) -> Result<Admin> {
    let credential = bearer::credential(call.headers(), false)?;
    let secret = SetupSecret::parse(credential.expose()).ok_or_else(bearer::refused)?;
    let tenant = tenant_in_path(call)?.ok_or_else(bearer::refused)?;
    let found = setup_links::select_by_hash(&tenant, &secret.hash(), call.now);
    let results = call.run(Some(&tenant), vec![found]).await?;
    let row = rows_at(&results, 0)?.first();
    let link = setup_links::setup_link(row.ok_or_else(bearer::refused)?)?;
    call.note_tenant(&tenant);
    let admin = Admin::of_setup_link(&link.id, tenant.clone(), link.allows);
    note_holder(call, &tenant, admin.actor());
    call.note_credential(admin.actor());
    Ok(admin)
}

/// Whoever has come through Cloudflare Access, which adds its header to whatever a browser sends here with its cookie: so the request has to be of a
/// page of our own. 404 where Access is not configured.
#[cfg(feature = "jobs")]
pub async fn visitor(call: &Call<'_>) -> Result<Visitor> {
    let app = call.app;
    let access = app.config.access.as_ref();
    let access = access.ok_or_else(|| Error::not_found("a sign-in by Cloudflare Access"))?;
    if !transport::is_of_own_page(call.request()) {
        return Err(Error::forbidden(
            "this is for the console's own page, and the request is not from there",
        ));
    }
    let mut given = call.headers().get_all(assertion::HEADER).iter();
    let (given, another) = (given.next(), given.next());
    let text = given.and_then(|given| given.to_str().ok()).ok_or_else(|| {
        Error::new(
            Kind::Unauthorized { token_sent: false },
            "Cloudflare Access does not stand before this address: it would add the header Cf-Access-Jwt-Assertion",
        )
    })?;
    if another.is_some() {
        return Err(bearer::refused());
    }
    let visitor = assertion::verify(text, access, &app.platform, &app.memory).await?;
    credential_name::note_subject(call, &visitor.email);
    Ok(visitor)
}

/// Whose token a SCIM request came with, where this instance has seen it before.
pub fn holder(call: &Call<'_>) -> Option<Holder> {
    let credential = bearer::credential(call.headers(), true).ok()?;
    let token = ScimToken::parse(credential.expose())?;
    call.app.memory.holder(&token.hash())
}

/// The client of a SCIM request.
pub async fn caller(call: &Call<'_>, look: Look) -> Result<Caller> {
    let credential = bearer::credential(call.headers(), true)?;
    credential_name::note_hint(call, &credential);
    let text = credential.expose();
    let in_path = tenant_in_path(call)?;
    let caller = if ScimToken::looks_like(text) {
        let token = ScimToken::parse(text).ok_or_else(|| malformed(ScimToken::fault(text)))?;
        let hash = token.hash();
        call.journal.note_token_hash(&hash);
        if let Some(holder) = call.app.memory.holder(&hash) {
            note_holder(
                call,
                &holder.tenant,
                format!("scim-token:{}", holder.token_id),
            );
        }
        let facts = token_facts::find(call, &hash, look).await?;
        note_holder(
            call,
            &facts.tenant_id,
            format!("scim-token:{}", facts.token_id),
        );
        credential_name::note_token(call, &facts.token_id);
        Caller::of_token(facts, hash)
    } else {
        let app = call.app;
        let claims = verify(&credential, &app.config, &app.platform, &app.memory).await?;
        let admin = Admin::from_claims(&claims)?;
        credential_name::note_subject(call, &admin.subject);
        let tenant = tenant_of(&admin, in_path.as_ref())?;
        note_holder(call, &tenant, admin.actor());
        let settings = settings_of(call, &tenant, look).await?;
        Caller::of_admin(admin, tenant, settings)
    };
    match in_path {
        Some(tenant) if tenant != caller.tenant => match look {
            // The cache may be wrong about whose the token is.
            Look::Cached => Box::pin(self::caller(call, Look::Afresh)).await,
            Look::Afresh => Err(Error::not_found("the tenant")),
        },
        _ => {
            call.note_tenant(&caller.tenant);
            Ok(caller)
        }
    }
}

/// The client of a request that was accepted, as it is now: 401 where a SCIM token does not hold any more. A JWT was checked, and cannot be
/// revoked.
#[cfg(feature = "jobs")]
pub async fn accepted(
    call: &Call<'_>,
    tenant: &TenantId,
    held: Held,
    actor: &str,
) -> Result<Caller> {
    call.note_tenant(tenant);
    note_holder(call, tenant, actor.to_owned());
    match held {
        Held::Token(hash) => {
            let facts = token_facts::find(call, &hash, Look::Afresh).await?;
            credential_name::note_token(call, &facts.token_id);
            Ok(Caller::of_token(facts, hash))
        }
        Held::Jwt { subject, scopes } => {
            let settings = settings_of(call, tenant, Look::Afresh).await?;
            Ok(Caller::of_subject(
                subject,
                tenant.clone(),
                settings,
                scopes,
            ))
        }
    }
}

/// Notes for the journal whose request it is.
fn note_holder(call: &Call<'_>, tenant: &TenantId, actor: String) {
    call.journal.note_tenant(tenant);
    call.journal.note_actor(actor);
}

/// The tenant that the path names, where it names one.
fn tenant_in_path(call: &Call<'_>) -> Result<Option<TenantId>> {
    match call.param("tenant_id") {
        "" => Ok(None),
        text => TenantId::parse(text)
            .map(Some)
            .ok_or_else(|| Error::not_found("the tenant")),
    }
}

/// The tenant that a JWT is used in: its own, or the one in the path.
fn tenant_of(admin: &Admin, in_path: Option<&TenantId>) -> Result<TenantId> {
    admin.check_reach()?;
    match (&admin.tenant, in_path) {
        (Some(tenant), _) | (None, Some(tenant)) => Ok(tenant.clone()),
        (None, None) => Err(Error::forbidden(
            "this token names no tenant; use the base with the tenant in its path",
        )),
    }
}

/// The settings of a JWT's tenant.
async fn settings_of(call: &Call<'_>, tenant: &TenantId, look: Look) -> Result<Settings> {
    match look {
        // Most tenants have these; the batch tells where one does not.
        Look::Cached => Ok(Settings::default()),
        Look::Afresh => {
            let batch = vec![tenants::select(tenant)];
            let results = call.run(Some(tenant), batch).await?;
            let row = rows_at(&results, 0)?
                .first()
                .ok_or_else(|| Error::not_found("the tenant"))?;
            Ok(tenants::settings(row)?)
        }
    }
}
