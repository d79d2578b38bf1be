//! `POST /Bulk` (RFC 7644 §3.7).
//!
//! The operations are worked out in memory ([`simulation`]) on what is known of the database ([`facts`]); what is missing is
//! read, in one round trip for all operations, and the work is done again; so it is where a guess about a later operation
//! was wrong ([`resolve`]). Then all that succeeded is written in one batch.
//! So the round trips do not grow with the operations: one to read and one to write for a thousand new users.
//!
//! Ids of new resources are ours to give, and are given before anything is written: references may lead backwards, forwards
//! and in circles.

mod facts;
mod member_plan;
mod request;
mod resolve;
mod simulation;
mod states;
mod write;

use serde_json::{Map, Value, json};

use crate::api::http::authenticate::{Caller, with_caller};
use crate::api::http::call::Call;
use crate::api::http::reply::{Dialect, Reply, error_body};
use crate::auth::scope::Scope;
use crate::error::{Error, Result};
use crate::scim::BULK_RESPONSE;
use crate::store::{self, Guard};
use facts::Facts;
use request::{Entry, Method};
use resolve::Guess;
use simulation::Simulation;
use states::Done;

pub use request::MAX_OPERATIONS;

/// Round trips that one request may take to learn what it needs: names, then those who hold them, then their members.
const MAX_ROUNDS: usize = 8;
/// How often the whole is tried again when others changed what it had read.
const MAX_ATTEMPTS: usize = 3;

/// `POST /Bulk`.
pub async fn answer(call: &Call<'_>) -> Result<Reply> {
    with_caller(call, Scope::Bulk, async |caller| {
        let request = request::read(call.json()?, caller.profile())?;
        let new_ids = request
            .entries
            .iter()
            .map(|_| call.new_id())
            .collect::<Result<Vec<String>>>()?;
        let mut attempt = 1;
        loop {
            let work = Work {
                call,
                caller,
                entries: &request.entries,
                fail_on_errors: request.fail_on_errors,
                new_ids: &new_ids,
            };
            match work.attempt().await? {
                Ok(reply) => return Ok(reply),
                Err(error) if attempt < MAX_ATTEMPTS && is_race(&error) => attempt += 1,
                Err(store::Error::Conflict(_)) => {
                    return Err(store::Error::Guard(Guard::VersionConflict).into());
                }
                Err(error) => return Err(error.into()),
            }
        }
    })
    .await
}

fn is_race(error: &store::Error) -> bool {
    matches!(
        error,
        store::Error::Conflict(_)
            | store::Error::Guard(Guard::VersionConflict | Guard::MemberMissing)
    )
}

struct Work<'w> {
    call: &'w Call<'w>,
    caller: &'w Caller,
    entries: &'w [Entry],
    fail_on_errors: Option<usize>,
    new_ids: &'w [String],
}

impl Work<'_> {
    /// Works the operations out, and writes them. The outer error is final, the inner one is the writing batch's.
    async fn attempt(&self) -> Result<store::Result<Reply>> {
        let base = self.call.scim_base();
        let mut facts = Facts::default();
        let mut guess = Guess::default();
        let mut rounds = 0;
        loop {
            let made = guess.made(self.entries, self.new_ids);
            let mut simulation = Simulation::new(
                self.caller,
                &base,
                &facts,
                self.call.now,
                &made,
                self.new_ids,
                &guess,
            );
            simulation.run(self.entries, self.fail_on_errors);
            let needs = std::mem::take(&mut simulation.needs);
            if !needs.is_empty() {
                rounds += 1;
                if rounds > MAX_ROUNDS {
                    return Err(store::Error::Guard(Guard::VersionConflict).into());
                }
                drop(simulation);
                facts.learn(self.call, self.caller, needs).await?;
                // What failed for want of a fact may not fail with it.
                guess = Guess::default();
                continue;
            }
            match guess.next(self.entries, &simulation) {
                Some(next) => guess = next,
                None => return self.finish(&simulation).await,
            }
        }
    }

    async fn finish(&self, simulation: &Simulation<'_>) -> Result<store::Result<Reply>> {
        let batch = write::statements(self.call, self.caller, simulation)?;
        if !batch.is_empty()
            && let Err(error) = self.caller.write(self.call, batch).await
        {
            return Ok(Err(error));
        }
        let base = self.call.scim_base();
        let operations: Vec<Value> = self
            .entries
            .iter()
            .zip(&simulation.outcomes)
            .map(|(entry, outcome)| show(entry, outcome, &base, simulation))
            .collect();
        let body = json!({"schemas": [BULK_RESPONSE], "Operations": operations});
        Ok(Ok(Reply::scim(200, body.to_string())))
    }
}

fn show(
    entry: &Entry,
    outcome: &std::result::Result<Done, Error>,
    base: &str,
    simulation: &Simulation<'_>,
) -> Value {
    let mut shown = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown.insert(name.to_owned(), value);
        }
    };
    set("method", Some(entry.method.as_str().into()));
    set("bulkId", entry.bulk_id.as_deref().map(Value::from));
    match outcome {
        Ok(done) => {
            let location = format!("{base}{}/{}", done.resource_type.endpoint, done.id);
            set("version", done.version.map(|version| version.etag().into()));
            set("location", Some(location.into()));
            set("status", Some(done.status.to_string().into()));
        }
        Err(error) => {
            // RFC 7644 §3.7.3: where it failed, the operation's location is given too, unless it is a POST.
            let target = entry.target.as_ref().filter(|_| entry.method != "POST");
            let target = target.and_then(|(resource_type, id)| {
                let id = simulation.permanent(id)?;
                Some(format!("{base}{}/{id}", resource_type.endpoint))
            });
            set("location", target.map(Value::from));
            let (status, body) = error_body(error, Dialect::Scim);
            set("status", Some(status.to_string().into()));
            set("response", Some(body));
        }
    }
    Value::Object(shown)
}
