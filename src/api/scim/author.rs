//! A SCIM client as the author of changes.

use std::cell::Cell;
use std::rc::Rc;

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, SaltString};
use async_trait::async_trait;
use serde_json::Value as Json;

use crate::api::http::call::Call;
use crate::api::http::caller::Caller;
use crate::change::audit::{self, Action, Detail, Event, Totals};
use crate::change::rows::removals;
use crate::change::{self, Along, Author, Intent, Mandate, Shown, Terms, Written};
use crate::error::{Error, Result};
use crate::scim::budget::Budget;
use crate::scim::resource::Resource;
use crate::store::resources::Memberships;
use crate::store::{self, Rows, Statement};

/// The client of a request.
struct Client<'c> {
    call: &'c Call<'c>,
    caller: &'c Caller,
    terms: Terms,
    /// Whether the tenant's fuse has refused something.
    is_blown: Cell<bool>,
}

impl<'c> Client<'c> {
    fn new(call: &'c Call<'c>, caller: &'c Caller) -> Self {
        let terms = Terms {
            tenant: caller.tenant.clone(),
            profile: caller.profile(),
            own: Rc::clone(caller.own()),
            provider_id: caller.provider_id.clone(),
            mandate: Mandate::Client,
            store_passwords: caller.settings.store_passwords,
            base: call.scim_base_for(&caller.tenant),
            origin: caller.origin(call),
        };
        Client {
            call,
            caller,
            terms,
            is_blown: Cell::default(),
        }
    }

    fn random<const LENGTH: usize>(&self) -> Result<[u8; LENGTH]> {
        let mut bytes = [0; LENGTH];
        let entropy = &self.call.app.platform.entropy;
        entropy.fill(&mut bytes).map_err(Error::internal)?;
        Ok(bytes)
    }
}

#[async_trait(?Send)]
impl Author for Client<'_> {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn budget(&self) -> &Budget {
        &self.call.budget
    }

    async fn read(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        self.caller.read(self.call, batch).await
    }

    async fn write(&self, batch: Vec<Statement>) -> store::Result<Vec<Rows>> {
        self.caller.write(self.call, batch).await
    }

    fn told(&self, failed: &[(usize, &Error)], of: usize) {
        self.call.journal.note_failures(failed, of);
    }

    fn found(&self, before: &Resource) {
        let name = before.attributes.get("userName").and_then(Json::as_str);
        self.call.journal.note_former_name(name);
    }

    /// The Argon2id hash (RFC 9106; 19 MiB, two passes) as a PHC string.
    fn hash(&self, password: &str) -> Result<String> {
        let failed = |error: argon2::password_hash::Error| Error::internal(error.to_string());
        let salt = SaltString::encode_b64(&self.random::<16>()?).map_err(failed)?;
        let hash = Argon2::default()
            .hash_password(password.as_bytes(), &salt)
            .map_err(failed)?;
        Ok(hash.to_string())
    }

    fn now(&self) -> i64 {
        self.call.app.platform.clock.now()
    }

    async fn pause(&self, ms: u32) {
        self.call.pause(ms).await;
    }

    /// Noted after the reply, once in the while that the fuse counts.
    fn fuse_blew(&self) {
        if self.is_blown.replace(true) {
            return;
        }
        let (tenant, origin) = (&self.terms.tenant, &self.terms.origin);
        let event = Event {
            action: Action::Trip,
            resource_type: "Tenant",
            resource_id: tenant.as_str(),
            attributes: vec!["removal_fuse".to_owned()],
            detail: Detail::default(),
        };
        let mut batch = Vec::from(removals::trip(tenant, &origin.actor, origin.at));
        batch.extend(audit::append(tenant, origin, Totals::default(), &[event]));
        let platform = &self.call.app.platform;
        let database = platform.database_of(Some(tenant));
        // Undone where it is noted already; where it cannot be noted, the log has the refusal.
        let noted = async move { drop(database.run(batch).await) };
        platform.background.defer(Box::pin(noted));
    }
}

/// Carries out what a client wants of one resource. Gives it as it is then, where it is there and is shown.
pub async fn change_one(
    call: &Call<'_>,
    caller: &Caller,
    intent: Intent,
    show: Option<Memberships>,
) -> Result<Option<Shown>> {
    call.journal
        .note_resource(intent.resource_type.name, &intent.id);
    let intents = [Ok(intent)];
    let request = change::Request {
        show,
        is_dry: call.is_dry(),
        along: call.along,
        ..change::Request::of(&intents)
    };
    let client = Client::new(call, caller);
    let written = change::write(&client, &call.app.recent, &request).await?;
    match written.outcomes.into_iter().next() {
        Some(Ok(_)) => Ok(written.shown),
        Some(Err(error)) => Err(error),
        None => Err(Error::internal("an intent without an outcome")),
    }
}

/// Carries out what a client wants of one resource, and gives it as it is then.
pub async fn change_shown(
    call: &Call<'_>,
    caller: &Caller,
    intent: Intent,
    show: Memberships,
) -> Result<Shown> {
    let shown = change_one(call, caller, intent, Some(show)).await?;
    shown.ok_or_else(|| Error::internal("the resource was not read back"))
}

/// Carries out a request of a client's as it is.
pub async fn change_as(
    call: &Call<'_>,
    caller: &Caller,
    request: &change::Request<'_>,
) -> Result<Written> {
    let client = Client::new(call, caller);
    change::write(&client, &call.app.recent, request).await
}

/// Carries out what a client wants of many.
pub async fn change_many(
    call: &Call<'_>,
    caller: &Caller,
    intents: &[Result<Intent>],
    fail_on_errors: Option<usize>,
    along: Option<Along<'_>>,
) -> Result<Written> {
    let request = change::Request {
        fail_on_errors,
        // Where there is one, its version.
        show: Some(Memberships::NONE),
        is_dry: call.is_dry(),
        along,
        ..change::Request::of(intents)
    };
    let written = change_as(call, caller, &request).await?;
    let failed = change::failed(&written.outcomes);
    call.journal.note_failures(&failed, written.outcomes.len());
    Ok(written)
}
