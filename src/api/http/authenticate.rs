//! Who makes this request, for both kinds of route.
//!
//! A SCIM request is answered in one round trip, its credential included: what a cache (or nothing at all) says of the
//! credential is taken for true, and every batch that does the work checks it. Where it was not true, the batch gives nothing
//! or undoes itself, the database is asked, and the work is tried once more. So a revoked, paused or expired token is dead
//! at once everywhere, whatever any cache says. A request that is refused before it has come to the database is refused only
//! once the database has been asked too: what was assumed of the tenant may be the very reason.

use std::cell::Cell;

use async_trait::async_trait;

use super::call::Call;
use super::credential_name;
use super::input::parameter;
use super::limits;
use super::query_parameters;
use super::reply::Reply;
use super::token_facts;
use crate::auth::admin::{Admin, AdminScope};
use crate::auth::bearer::{self, malformed};
use crate::auth::jwt;
use crate::auth::scim_token::ScimToken;
use crate::auth::scope::{Scope, Scopes};
use crate::change::audit::Origin;
use crate::error::{Error, Kind, Result};
use crate::ids::{self, TenantId};
use crate::scim::profile::Profile;
use crate::scim::schema::ResourceType;
use crate::store::scim_tokens::{self, Facts};
use crate::store::tenants::{self, Settings};
use crate::store::{self, Guard, Rows, Statement, Value, guards, rows_at};

/// How often the use of a token is noted at most, in milliseconds.
const TOUCH_INTERVAL_MS: i64 = 300_000;

/// The administrator of a request, with the scope that the route asks for. 422 for parameters that the route does not take.
pub async fn admin(call: &Call<'_>, scope: AdminScope) -> Result<Admin> {
    let admin = limits::counted(call, verified_admin(call).await).await?;
    if let Some(tenant) = &admin.tenant {
        call.note_tenant(tenant);
    }
    credential_name::note_subject(call, &admin.subject);
    limits::check(call, admin.tenant.as_ref(), &admin.subject).await?;
    admin.require(scope)?;
    if let Some(endpoint) = call.endpoint {
        query_parameters::check(call, endpoint)?;
    }
    Ok(admin)
}

async fn verified_admin(call: &Call<'_>) -> Result<Admin> {
    let credential = bearer::credential(call.headers(), false)?;
    credential_name::note_hint(call, &credential);
    if ScimToken::looks_like(credential.expose()) {
        return Err(malformed(
            "this is a SCIM token, which opens SCIM routes alone; send an administrator's JWT",
        ));
    }
    let app = call.app;
    let claims = jwt::verify(&credential, &app.config, &app.platform, &app.memory).await?;
    Admin::from_claims(&claims)
}

/// The tenant that a query names, where it names one; for an administrator of one tenant, that one.
pub fn tenant_in_query(call: &Call<'_>, admin: &Admin) -> Result<Option<TenantId>> {
    let Some(text) = parameter(call, "tenant_id") else {
        return Ok(admin.tenant.clone());
    };
    match TenantId::parse(&text) {
        Some(tenant) if admin.sees(&tenant) => Ok(Some(tenant)),
        Some(_) => Err(Error::not_found("the tenant")),
        None => Err(Error::field(
            &["query", "tenant_id"],
            "it is not a tenant id",
            "value_error",
        )),
    }
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
    /// Whether the database has confirmed what was assumed.
    confirmed: Cell<bool>,
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
    Token {
        id: String,
        hash: String,
        revision: i64,
    },
    Jwt {
        subject: String,
    },
}

impl Caller {
    fn of_token(facts: Facts, hash: String) -> Self {
        Caller {
            tenant: facts.tenant_id,
            settings: facts.settings,
            provider_id: facts.idp_id.unwrap_or_default(),
            scopes: facts.scopes,
            proof: Proof::Token {
                id: facts.token_id,
                hash,
                revision: facts.revision,
            },
            confirmed: Cell::new(false),
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

    /// Whose credential it is: the token's id, or the subject of a JWT.
    fn credential(&self) -> &str {
        match &self.proof {
            Proof::Token { id, .. } => id,
            Proof::Jwt { subject } => subject,
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
    fn assumption(&self, call: &Call<'_>) -> (&'static str, Vec<Value>) {
        let mut params = vec![
            (&self.tenant).into(),
            self.settings.profile.name().into(),
            self.settings.store_passwords.into(),
        ];
        match &self.proof {
            Proof::Token { id, hash, revision } => {
                params.extend([id.into(), (*revision).into(), hash.into()]);
                params.extend([self.scopes.to_stored().into(), call.now.into()]);
                params.push((&self.provider_id).into());
                (
                    "select 1 as ok from scim_tokens k cross join tenants t \
                     where k.tenant_id = ?1 and k.id = ?4 and k.revision = ?5 and k.token_hash = ?6 and k.scopes = ?7 \
                     and k.is_active = 1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > ?8) \
                     and coalesce(k.idp_id, '') = ?9 and t.id = ?1 and t.scim_profile = ?2 and t.store_passwords = ?3 and t.deleted_at is null",
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
        let (sql, params) = self.assumption(call);
        let results = self
            .prefixed(call, Statement::new(sql, params), batch)
            .await?;
        match rows_at(&results, 0)?.first() {
            Some(_) => {
                self.confirmed.set(true);
                self.touch(call);
                Ok(results.into_iter().skip(1).collect())
            }
            None => Err(store::Error::Guard(Guard::CredentialStale).into()),
        }
    }

    /// Runs a batch that writes, which is undone unless the credential holds. After a batch that read, only the credential and the
    /// tenant can have died since, and they are a row each. Errors are the store's.
    pub async fn write(&self, call: &Call<'_>, batch: Vec<Statement>) -> store::Result<Vec<Rows>> {
        if !self.confirmed.get() {
            let (sql, params) = self.assumption(call);
            let condition = format!("exists ({sql})");
            return self.guarded(call, &condition, params, batch).await;
        }
        let (alive, params) = match &self.proof {
            Proof::Jwt { .. } => (
                "exists (select 1 from tenants where id = ?1 and deleted_at is null)",
                vec![(&self.tenant).into()],
            ),
            Proof::Token { id, revision, .. } => (
                "exists (select 1 from scim_tokens k cross join tenants t where k.tenant_id = ?1 and k.id = ?2 \
                 and k.revision = ?3 and t.id = ?1 and t.deleted_at is null)",
                vec![(&self.tenant).into(), id.into(), (*revision).into()],
            ),
        };
        self.guarded(call, alive, params, batch).await
    }

    async fn guarded(
        &self,
        call: &Call<'_>,
        condition: &str,
        params: Vec<Value>,
        batch: Vec<Statement>,
    ) -> store::Result<Vec<Rows>> {
        let guard = guards::require(Guard::CredentialStale, condition, params);
        let results = self.prefixed(call, guard, batch).await;
        // The guard comes first: what failed after it, failed for somebody whose credential holds.
        let confirmed = match &results {
            Ok(_) | Err(store::Error::Conflict(_) | store::Error::Managed(_)) => true,
            Err(store::Error::Guard(guard)) => *guard != Guard::CredentialStale,
            Err(_) => false,
        };
        self.confirmed.set(confirmed);
        if results.is_ok() {
            self.touch(call);
        }
        Ok(results?.into_iter().skip(1).collect())
    }

    async fn prefixed(
        &self,
        call: &Call<'_>,
        first: Statement,
        batch: Vec<Statement>,
    ) -> store::Result<Vec<Rows>> {
        let batch = std::iter::once(first).chain(batch).collect();
        call.run(Some(&self.tenant), batch).await
    }

    /// Whether another look at the credential found the same.
    fn is_as(&self, other: &Caller) -> bool {
        self.tenant == other.tenant
            && self.settings == other.settings
            && self.scopes == other.scopes
            && self.provider_id == other.provider_id
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

/// What a handler does for its caller. Behind a trait object, because all that surrounds it would otherwise be compiled anew
/// for each handler.
#[async_trait(?Send)]
trait Work {
    async fn run(&self, caller: &Caller) -> Result<Reply>;
}

#[async_trait(?Send)]
impl<F: AsyncFn(&Caller) -> Result<Reply>> Work for F {
    async fn run(&self, caller: &Caller) -> Result<Reply> {
        self(caller).await
    }
}

/// Answers a SCIM request for whoever sent it. `work` may run twice, and writes once at most.
pub async fn with_caller<F>(call: &Call<'_>, scope: Scope, work: F) -> Result<Reply>
where
    F: AsyncFn(&Caller) -> Result<Reply>,
{
    limits::counted(call, answer(call, scope, &work).await).await
}

async fn answer(call: &Call<'_>, scope: Scope, work: &dyn Work) -> Result<Reply> {
    let assumed = identify(call, false).await?;
    call.note_tenant(&assumed.tenant);
    limits::check(call, Some(&assumed.tenant), assumed.credential()).await?;
    let refusal = match attempt(call, &assumed, scope, work).await {
        Err(error) if !assumed.confirmed.get() => error,
        // Work that came to no batch has asked nobody whether it may be done.
        Ok(done) if !assumed.confirmed.get() => match assumed.read(call, Vec::new()).await {
            Ok(_) => return Ok(done),
            Err(error) => error,
        },
        done => return done,
    };
    let known = identify(call, true).await?;
    if refusal.kind != Kind::CredentialStale && known.is_as(&assumed) {
        return Err(refusal);
    }
    match attempt(call, &known, scope, work).await {
        Err(error) if error.kind == Kind::CredentialStale => Err(Error {
            kind: Kind::Unavailable {
                retry_after_seconds: 1,
            },
            ..error
        }),
        done => done,
    }
}

async fn attempt(call: &Call<'_>, caller: &Caller, scope: Scope, work: &dyn Work) -> Result<Reply> {
    call.note_tenant(&caller.tenant);
    caller.require(scope)?;
    work.run(caller).await
}

/// Finds out who is asking: from what is at hand, or (`afresh`) from the database.
async fn identify(call: &Call<'_>, afresh: bool) -> Result<Caller> {
    let credential = bearer::credential(call.headers(), true)?;
    credential_name::note_hint(call, &credential);
    let text = credential.expose();
    let in_path = tenant_in_path(call)?;
    let caller = if ScimToken::looks_like(text) {
        let token = ScimToken::parse(text).ok_or_else(|| malformed(ScimToken::fault(text)))?;
        let hash = token.hash();
        Caller::of_token(token_facts::find(call, &hash, afresh).await?, hash)
    } else {
        let app = call.app;
        let claims = jwt::verify(&credential, &app.config, &app.platform, &app.memory).await?;
        let admin = Admin::from_claims(&claims)?;
        jwt_caller(call, admin, in_path.as_ref(), afresh).await?
    };
    match &caller.proof {
        Proof::Token { id, .. } => credential_name::note_token(call, id),
        Proof::Jwt { subject } => credential_name::note_subject(call, subject),
    }
    match in_path {
        Some(tenant) if tenant == caller.tenant => Ok(caller),
        None => Ok(caller),
        // The cache may be wrong about whose the token is.
        Some(_) if !afresh => Box::pin(identify(call, true)).await,
        Some(_) => Err(Error::not_found("the tenant")),
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

async fn jwt_caller(
    call: &Call<'_>,
    admin: Admin,
    in_path: Option<&TenantId>,
    afresh: bool,
) -> Result<Caller> {
    admin.check_reach()?;
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
        confirmed: Cell::new(false),
    })
}
