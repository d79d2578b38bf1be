//! Who makes this request, for both kinds of route.
//!
//! A SCIM request is answered in one round trip, its credential included: what a cache (or nothing at all) says of the
//! credential is taken for true, and the batch that does the work checks it. Where it was not true, the batch gives nothing
//! or undoes itself, the database is asked, and the work is tried once more. So a revoked, paused or expired token is dead
//! at once everywhere, whatever any cache says.

use std::rc::Rc;

use serde_json::json;

use super::call::Call;
use crate::auth::admin::{Admin, AdminScope};
use crate::auth::bearer::{self, refused};
use crate::auth::jwt;
use crate::auth::scim_token::ScimToken;
use crate::auth::scope::{Scope, Scopes};
use crate::error::{Error, Kind, Result};
use crate::ids::{self, TenantId};
use crate::platform::{Platform, TokenCache};
use crate::scim::profile::Profile;
use crate::scim::schema::ResourceType;
use crate::store::audit::Origin;
use crate::store::scim_tokens::{self, Facts};
use crate::store::tenants::{self, Settings};
use crate::store::{Guard, Rows, Statement, guards, rows_at};

/// How long the cache keeps what it knows of a token, in seconds. It is checked with every use.
const CACHE_SECONDS: u64 = 86_400;
/// How often the use of a token is noted at most, in milliseconds.
const TOUCH_INTERVAL_MS: i64 = 300_000;

/// The administrator of a request, with the scope that the route asks for.
pub async fn admin(call: &Call<'_>, scope: AdminScope) -> Result<Admin> {
    let credential = bearer::credential(call.headers(), false)?;
    if ScimToken::looks_like(credential.expose()) {
        return Err(refused());
    }
    let app = call.app;
    let claims = jwt::verify(&credential, &app.config, &app.platform, &app.memory).await?;
    let admin = Admin::from_claims(&claims)?;
    admin.require(scope)?;
    if let Some(tenant) = &admin.tenant {
        call.note_tenant(tenant);
    }
    Ok(admin)
}

/// The client of a SCIM request: a tenant and what may be done there.
#[derive(Debug, Clone)]
pub struct Caller {
    pub tenant: TenantId,
    pub settings: Settings,
    /// The identity provider whose `externalId`s this client uses; empty for none.
    pub provider_id: String,
    scopes: Scopes,
    proof: Proof,
}

/// Whom a request is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The resource whose id is in the path.
    Path,
    /// The one who asks.
    Me,
}

/// What was assumed of the credential, and is to be checked.
#[derive(Debug, Clone)]
enum Proof {
    Token { id: String, revision: i64 },
    Jwt { subject: String },
}

impl Caller {
    fn of_token(facts: Facts) -> Self {
        Caller {
            tenant: facts.tenant_id,
            settings: facts.settings,
            provider_id: facts.idp_id.unwrap_or_default(),
            scopes: facts.scopes,
            proof: Proof::Token {
                id: facts.token_id,
                revision: facts.revision,
            },
        }
    }

    pub fn profile(&self) -> Profile {
        self.settings.profile
    }

    /// The id of the resource that a request is about. `/Me` (RFC 7644 §3.11) is the user whose id is the `sub` of a JWT; a
    /// SCIM token is nobody's own, and gets 501.
    pub fn subject(
        &self,
        call: &Call<'_>,
        subject: Subject,
        resource_type: &ResourceType,
    ) -> Result<String> {
        match (subject, &self.proof) {
            (Subject::Path, _) => call.id("id", resource_type.name),
            (Subject::Me, Proof::Jwt { subject }) => {
                ids::canonical_uuid(subject).ok_or_else(|| Error::not_found(resource_type.name))
            }
            (Subject::Me, Proof::Token { .. }) => Err(Error::new(
                Kind::NotImplemented,
                "/Me is for a user's own token; a SCIM token stands for no user",
            )),
        }
    }

    /// 403 without the scope.
    pub fn require(&self, scope: Scope) -> Result<()> {
        match self.scopes.contains(scope) {
            true => Ok(()),
            false => Err(Error::forbidden(format!(
                "this needs the scope {}",
                scope.name()
            ))),
        }
    }

    /// How the audit trail names this client's request.
    pub fn origin(&self, call: &Call<'_>) -> Origin {
        call.origin_of(match &self.proof {
            Proof::Token { id, .. } => format!("scim-token:{id}"),
            Proof::Jwt { subject } => format!("jwt:{subject}"),
        })
    }

    /// A query that gives a row while all that was assumed is so. It reads two rows at most.
    fn assumption(&self) -> (&'static str, Vec<crate::store::Value>) {
        let mut params = vec![
            (&self.tenant).into(),
            self.settings.profile.name().into(),
            self.settings.store_passwords.into(),
        ];
        match &self.proof {
            Proof::Token { id, revision } => {
                params.extend([id.into(), (*revision).into()]);
                (
                    "select 1 as ok from scim_tokens k cross join tenants t \
                     where k.tenant_id = ?1 and k.id = ?4 and k.revision = ?5 and t.id = ?1 \
                     and t.scim_profile = ?2 and t.store_passwords = ?3 and t.deleted_at is null",
                    params,
                )
            }
            Proof::Jwt { .. } => (
                "select 1 as ok from tenants t where t.id = ?1 \
                 and t.scim_profile = ?2 and t.store_passwords = ?3 and t.deleted_at is null",
                params,
            ),
        }
    }

    /// Runs a batch that reads, after checking the credential in the same round trip.
    pub async fn read(&self, call: &Call<'_>, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let (sql, params) = self.assumption();
        let results = self
            .prefixed(call, Statement::new(sql, params), batch)
            .await?;
        match rows_at(&results, 0)?.first() {
            Some(_) => Ok(results.into_iter().skip(1).collect()),
            None => Err(crate::store::Error::Guard(Guard::CredentialStale).into()),
        }
    }

    /// Runs a batch that writes, which is undone unless the credential holds. Errors are the store's, for the handler to
    /// name.
    pub async fn write(
        &self,
        call: &Call<'_>,
        batch: Vec<Statement>,
    ) -> crate::store::Result<Vec<Rows>> {
        let (sql, params) = self.assumption();
        let guard = guards::require(Guard::CredentialStale, &format!("exists ({sql})"), params);
        let results = self.prefixed(call, guard, batch).await?;
        Ok(results.into_iter().skip(1).collect())
    }

    async fn prefixed(
        &self,
        call: &Call<'_>,
        first: Statement,
        batch: Vec<Statement>,
    ) -> crate::store::Result<Vec<Rows>> {
        let batch = std::iter::once(first).chain(batch).collect();
        let results = call.run(Some(&self.tenant), batch).await?;
        self.touch(call);
        Ok(results)
    }

    /// Notes that the token was used, after the reply and now and then.
    fn touch(&self, call: &Call<'_>) {
        let Proof::Token { id, .. } = &self.proof else {
            return;
        };
        if !call.app.memory.is_due(id, call.now, TOUCH_INTERVAL_MS) {
            return;
        }
        let database = call.app.platform.database_of(Some(&self.tenant));
        let statement = scim_tokens::touch(&self.tenant, id, call.now, TOUCH_INTERVAL_MS);
        call.app.platform.background.defer(Box::pin(async move {
            // The use of a token is a hint for people; the next one notes it again.
            let _ = database.run(vec![statement]).await;
        }));
    }
}

/// Answers a SCIM request for whoever sent it. `work` may run twice, and writes once at most.
pub async fn with_caller<T, F>(call: &Call<'_>, scope: Scope, work: F) -> Result<T>
where
    F: AsyncFn(&Caller) -> Result<T>,
{
    let caller = identify(call, false).await?;
    let stale = match attempt(call, &caller, scope, &work).await {
        Err(error) if error.kind == Kind::CredentialStale => error,
        done => return done,
    };
    let caller = identify(call, true).await?;
    match attempt(call, &caller, scope, &work).await {
        Err(error) if error.kind == Kind::CredentialStale => Err(Error {
            kind: Kind::Unavailable {
                retry_after_seconds: 1,
            },
            ..stale
        }),
        done => done,
    }
}

async fn attempt<T, F>(call: &Call<'_>, caller: &Caller, scope: Scope, work: &F) -> Result<T>
where
    F: AsyncFn(&Caller) -> Result<T>,
{
    call.note_tenant(&caller.tenant);
    caller.require(scope)?;
    work(caller).await
}

/// Finds out who is asking: from what is at hand, or (`afresh`) from the database.
async fn identify(call: &Call<'_>, afresh: bool) -> Result<Caller> {
    let credential = bearer::credential(call.headers(), true)?;
    let text = credential.expose();
    let in_path = tenant_in_path(call)?;
    let caller = if ScimToken::looks_like(text) {
        let token = ScimToken::parse(text).ok_or_else(refused)?;
        Caller::of_token(token_facts(call, &token.hash(), afresh).await?)
    } else {
        let app = call.app;
        let claims = jwt::verify(&credential, &app.config, &app.platform, &app.memory).await?;
        let admin = Admin::from_claims(&claims)?;
        jwt_caller(call, admin, in_path.as_ref(), afresh).await?
    };
    match in_path {
        Some(tenant) if tenant != caller.tenant => Err(Error::not_found("the tenant")),
        _ => Ok(caller),
    }
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

async fn token_facts(call: &Call<'_>, hash: &str, afresh: bool) -> Result<Facts> {
    let platform = &call.app.platform;
    let key = cache_key(hash);
    if !afresh
        && let Some(facts) = platform
            .token_cache
            .get(&key)
            .await
            .and_then(|text| from_cache(&text))
        && facts.expires_at.is_none_or(|expires| expires > call.now)
    {
        return Ok(facts);
    }
    let results = call
        .run(None, vec![scim_tokens::select_facts(hash, call.now)])
        .await?;
    let Some(row) = rows_at(&results, 0)?.first() else {
        if afresh {
            forget(platform, hash);
        }
        return Err(refused());
    };
    let facts = scim_tokens::facts(row)?;
    remember(platform, hash, &facts);
    Ok(facts)
}

async fn jwt_caller(
    call: &Call<'_>,
    admin: Admin,
    in_path: Option<&TenantId>,
    afresh: bool,
) -> Result<Caller> {
    let tenant = match (&admin.tenant, in_path) {
        (Some(own), _) => own.clone(),
        (None, Some(tenant)) => tenant.clone(),
        (None, None) => {
            return Err(Error::forbidden(
                "this token names no tenant; use the base with the tenant in its path",
            ));
        }
    };
    let settings = match afresh {
        // Most tenants have these; the batch tells where one does not.
        false => Settings::default(),
        true => {
            let results = call
                .run(Some(&tenant), vec![tenants::select(&tenant)])
                .await?;
            let row = rows_at(&results, 0)?
                .first()
                .ok_or_else(|| Error::not_found("the tenant"))?;
            tenants::settings(row)?
        }
    };
    Ok(Caller {
        tenant,
        settings,
        provider_id: String::new(),
        scopes: Scopes::of_jwt(
            admin.has(AdminScope::ScimRead),
            admin.has(AdminScope::ScimWrite),
        ),
        proof: Proof::Jwt {
            subject: admin.subject,
        },
    })
}

fn cache_key(hash: &str) -> String {
    format!("scim-token:{hash}")
}

/// Puts what is known of a token into the cache, after the reply.
pub fn remember(platform: &Platform, hash: &str, facts: &Facts) {
    let value = json!({
        "tenant": facts.tenant_id.as_str(),
        "token": facts.token_id,
        "scopes": facts.scopes.to_stored(),
        "expires_at": facts.expires_at,
        "idp": facts.idp_id,
        "revision": facts.revision,
        "profile": facts.settings.profile.name(),
        "store_passwords": facts.settings.store_passwords,
    });
    let key = cache_key(hash);
    in_background(platform, async move |cache| {
        cache.put(&key, &value.to_string(), CACHE_SECONDS).await;
    });
}

/// Takes a token out of the cache, after the reply.
pub fn forget(platform: &Platform, hash: &str) {
    let key = cache_key(hash);
    in_background(platform, async move |cache| cache.delete(&key).await);
}

fn in_background<F>(platform: &Platform, work: F)
where
    F: AsyncFnOnce(Rc<dyn TokenCache>) + 'static,
{
    let cache = Rc::clone(&platform.token_cache);
    platform.background.defer(Box::pin(work(cache)));
}

fn from_cache(text: &str) -> Option<Facts> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
    Some(Facts {
        tenant_id: TenantId::parse(&text("tenant")?)?,
        token_id: text("token")?,
        scopes: Scopes::from_stored(&text("scopes")?),
        expires_at: value.get("expires_at")?.as_i64(),
        idp_id: text("idp"),
        revision: value.get("revision")?.as_i64()?,
        settings: Settings {
            profile: Profile::from_name(&text("profile")?)?,
            store_passwords: value.get("store_passwords")?.as_bool()?,
        },
    })
}
