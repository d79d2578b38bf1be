//! The client of a SCIM request, as it is assumed to be.
//!
//! A SCIM request is answered in one round trip, its credential included: what a cache (or nothing at all) says of the
//! credential is taken for true, and every batch that does the work checks it. Where it was not true, the batch gives nothing
//! or undoes itself. So a revoked, paused or expired token is dead at once everywhere, whatever any cache says.
//!
//! The rule: a [`Caller`] is an assumption. Whatever it says (the tenant, its profile, the provider) may go into a batch, and into working
//! out what the batch is to be. It may not be told. What came of the work is an [`Answer`]: it can be read where a batch has confirmed the
//! caller; where none has, it is [`Assumed`], which cannot be opened but by another look at the credential, in the database. A refusal is
//! the usual case: what was assumed of the tenant may be the very reason for it.

use std::cell::{Cell, OnceCell};
use std::rc::Rc;

use http::Method;
use http::header::HeaderName;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::call::Call;
use super::learning::Learning;
use super::reply::Reply;
use crate::announcing;
use crate::auth::admin::{Admin, AdminScope};
use crate::auth::scope::{Scope, Scopes};
use crate::change::audit::Origin;
use crate::error::{Error, Kind, Result};
use crate::ids::{self, TenantId};
use crate::scim::profile::Profile;
use crate::scim::schema::{OwnSchemas, ResourceType, Shape};
use crate::store::requests::After;
use crate::store::scim_tokens::{self, Facts};
use crate::store::statement::Role;
use crate::store::tenants::Settings;
use crate::store::{self, Guard, Rows, Statement, Value, guards, rows_at};

/// Header of what is read: the number of the tenant's last event then.
const EVENT_SEQ: HeaderName = HeaderName::from_static("x-event-seq");

/// How often the use of a token is noted at most, in milliseconds.
const TOUCH_INTERVAL_MS: i64 = 300_000;

/// What came of the work for a caller.
pub enum Answer {
    /// A batch has confirmed the caller: it may be told.
    Confirmed(Result<Reply>),
    Assumed(Assumed),
}

/// What came of work that no batch has confirmed the caller of.
pub struct Assumed(Result<Reply>);

fn is_stale(result: &Result<Reply>) -> bool {
    matches!(result, Err(error) if error.kind == Kind::CredentialStale)
}

impl Assumed {
    /// Opens it where the caller, looked up in the database, is as was assumed. None where not, or where a batch said so before: then the
    /// work is to be done again, for the caller that was found.
    pub fn confirmed(self, assumed: &Caller, found: &Caller) -> Option<Result<Reply>> {
        (!is_stale(&self.0) && found.is_as(assumed)).then_some(self.0)
    }
}

impl Answer {
    /// Whether a batch said that what was known of the caller and of the tenant is so no more.
    pub fn is_stale(&self) -> bool {
        let (Answer::Confirmed(result) | Answer::Assumed(Assumed(result))) = self;
        is_stale(result)
    }

    /// The answer for a caller who was looked up in the database for it. 503 where they changed again meanwhile.
    pub fn of_found(self) -> Result<Reply> {
        let (Answer::Confirmed(result) | Answer::Assumed(Assumed(result))) = self;
        result.map_err(|error| match error.kind {
            Kind::CredentialStale => Error {
                kind: Kind::Unavailable {
                    retry_after_seconds: 1,
                },
                ..error
            },
            _ => error,
        })
    }
}

/// The client of a SCIM request: a tenant and what may be done there.
#[derive(Debug)]
pub struct Caller {
    pub tenant: TenantId,
    pub settings: Settings,
    /// The identity provider whose `externalId`s this client uses; empty for none.
    pub provider_id: String,
    scopes: Scopes,
    proof: Proof,
    /// Whether a batch has confirmed what was assumed.
    confirmed: Cell<bool>,
    /// What was learned from the request, of which nothing is kept yet.
    learned: OnceCell<Learning>,
    /// The number of the tenant's last event when the first batch read.
    seq: Cell<Option<i64>>,
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
#[derive(Debug)]
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

/// By what the client of a request that was accepted is found again when it is carried out.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// The hash of a SCIM token, which has to hold then, too.
    Token(String),
    /// The subject of a JWT, which was checked, and what it may do.
    Jwt { subject: String, scopes: Scopes },
}

impl Caller {
    /// The holder of a SCIM token, by its hash.
    pub fn of_token(facts: Facts, hash: String) -> Self {
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
            learned: OnceCell::new(),
            seq: Cell::default(),
        }
    }

    /// The subject of a JWT, in a tenant, with the SCIM scopes that the JWT has.
    pub fn of_admin(admin: Admin, tenant: TenantId, settings: Settings) -> Self {
        let scopes = Scopes::of_jwt(
            admin.has(AdminScope::ScimRead),
            admin.has(AdminScope::ScimWrite),
        );
        Caller::with_scopes(admin, tenant, settings, scopes)
    }

    /// The subject of a JWT, in a tenant, for what a route of administrators does by SCIM.
    pub fn with_scopes(admin: Admin, tenant: TenantId, settings: Settings, scopes: Scopes) -> Self {
        Caller::of_subject(admin.subject, tenant, settings, scopes)
    }

    /// The subject of a JWT that was checked, in a tenant.
    pub fn of_subject(
        subject: String,
        tenant: TenantId,
        settings: Settings,
        scopes: Scopes,
    ) -> Self {
        Caller {
            tenant,
            settings,
            provider_id: String::new(),
            scopes,
            proof: Proof::Jwt { subject },
            confirmed: Cell::new(false),
            learned: OnceCell::new(),
            seq: Cell::default(),
        }
    }

    /// What finds this client again.
    #[cfg(feature = "jobs")]
    pub fn held(&self) -> Held {
        match &self.proof {
            Proof::Token { hash, .. } => Held::Token(hash.clone()),
            Proof::Jwt { subject } => Held::Jwt {
                subject: subject.clone(),
                scopes: self.scopes.clone(),
            },
        }
    }

    /// A resource type as the tenant has it.
    pub fn shape(&self, resource_type: &'static ResourceType) -> Shape<'_> {
        self.own().shape(resource_type)
    }

    /// The tenant's own schemas, with what was learned from the request.
    pub fn own(&self) -> &Rc<OwnSchemas> {
        let learned = self.learned.get().map(|learned| &learned.own);
        learned.unwrap_or(&self.settings.own)
    }

    /// Learns from the bodies of a request, once.
    pub fn learn<'b>(&self, bodies: impl Iterator<Item = (&'static ResourceType, &'b Json)>) {
        if let Some(learned) = Learning::of(&self.settings, bodies) {
            let _ = self.learned.set(learned);
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

    /// Says of what was read that it has all changes up to a number, in the same transaction: whoever lists and then follows the events from
    /// there misses none.
    pub fn numbered(&self, reply: Reply) -> Reply {
        match self.seq.get() {
            Some(seq) => reply.header(EVENT_SEQ, seq.to_string()),
            None => reply,
        }
    }

    /// Whose credential it is: the token's id, or the subject of a JWT.
    pub fn credential(&self) -> &str {
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
        let kept = self.learned.get().filter(|learned| learned.is_kept.get());
        let own = kept.map_or(&self.settings.own, |learned| &learned.own);
        let mut params = vec![
            (&self.tenant).into(),
            self.settings.profile.name().into(),
            self.settings.store_passwords.into(),
            self.settings.is_followed.into(),
            own.revision.into(),
        ];
        match &self.proof {
            Proof::Token { id, hash, revision } => {
                params.extend([id.into(), (*revision).into(), hash.into()]);
                params.extend([self.scopes.to_stored().into(), call.now.into()]);
                params.push((&self.provider_id).into());
                (
                    "select t.audit_seq as seq from scim_tokens k cross join tenants t \
                     where k.tenant_id = ?1 and k.id = ?6 and k.revision = ?7 and k.token_hash = ?8 and k.scopes = ?9 \
                     and k.is_active = 1 and k.revoked_at is null and (k.expires_at is null or k.expires_at > ?10) \
                     and coalesce(k.idp_id, '') = ?11 and t.id = ?1 and t.scim_profile = ?2 and t.store_passwords = ?3 \
                     and (t.push_streams > 0) = ?4 and t.schemas_revision = ?5 and t.deleted_at is null",
                    params,
                )
            }
            Proof::Jwt { .. } => (
                "select t.audit_seq as seq from tenants t where t.id = ?1 \
                 and t.scim_profile = ?2 and t.store_passwords = ?3 and (t.push_streams > 0) = ?4 \
                 and t.schemas_revision = ?5 and t.deleted_at is null",
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
            Some(row) => {
                self.confirmed.set(true);
                self.touch(call);
                let seen = self.seq.get();
                self.seq.set(Some(seen.unwrap_or(row.integer("seq")?)));
                Ok(results.into_iter().skip(1).collect())
            }
            None => Err(store::Error::Guard(Guard::CredentialStale).into()),
        }
    }

    /// Runs a batch that keeps something and changes nothing that anybody is told of, which is undone unless the credential holds.
    #[cfg(feature = "jobs")]
    pub async fn keep(&self, call: &Call<'_>, batch: Vec<Statement>) -> store::Result<()> {
        let (sql, params) = self.assumption(call);
        let guard = guards::require(Guard::CredentialStale, &format!("exists ({sql})"), params);
        let kept = self.prefixed(call, guard, batch).await;
        let is_stale = matches!(kept, Err(store::Error::Guard(Guard::CredentialStale)));
        self.confirmed
            .set(kept.is_ok() || (matches!(kept, Err(store::Error::Guard(_))) && !is_stale));
        kept?;
        self.touch(call);
        Ok(())
    }

    /// Runs a batch that writes, which is undone unless the credential holds. After a batch that read, only the credential and the
    /// tenant can have died since, and they are a row each. Errors are the store's.
    pub async fn write(&self, call: &Call<'_>, batch: Vec<Statement>) -> store::Result<Vec<Rows>> {
        // What is left of a full database is for deletions, which write too.
        let full = call.app.platform.homes.full(&self.tenant);
        if let Some(full) = full.filter(|_| call.method() != Method::DELETE) {
            return Err(store::Error::Full(full.to_owned()));
        }
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
        let row = call.row(&self.tenant, After(0));
        let learned = self.learned.get();
        let kept = learned.map(|learned| learned.keep(&self.tenant, &self.settings, call.now));
        let kept = kept.unwrap_or_default();
        let own = 2 + kept.len();
        let batch = std::iter::once(row).chain(kept).chain(batch).collect();
        let results = self.prefixed(call, guard, batch).await;
        if results.is_err() {
            call.forget_row();
        }
        // The guard comes first: what failed after it, failed for somebody whose credential holds.
        let confirmed = match &results {
            Ok(_) | Err(store::Error::Conflict(_) | store::Error::Managed(_)) => true,
            Err(store::Error::Guard(guard)) => *guard != Guard::CredentialStale,
            Err(_) => false,
        };
        self.confirmed.set(confirmed);
        if results.is_ok() {
            learned.inspect(|learned| learned.is_kept.set(true));
            self.touch(call);
            if self.settings.is_followed {
                announcing::announce(&call.app.platform, &self.tenant);
            }
        }
        Ok(results?.into_iter().skip(own).collect())
    }

    async fn prefixed(
        &self,
        call: &Call<'_>,
        first: Statement,
        batch: Vec<Statement>,
    ) -> store::Result<Vec<Rows>> {
        // It finds the tenant's own row, or the credential is looked up again.
        let first = first.with_role(Role::Locates);
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

    /// What came of the work for this caller.
    pub fn answer(&self, result: Result<Reply>) -> Answer {
        match self.confirmed.get() {
            true => Answer::Confirmed(result),
            false => Answer::Assumed(Assumed(result)),
        }
    }

    /// Notes whose the token is; and, after the reply and now and then, that it was used.
    fn touch(&self, call: &Call<'_>) {
        let Proof::Token { id, hash, .. } = &self.proof else {
            return;
        };
        call.app.memory.note_holder(hash, &self.tenant, id);
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
