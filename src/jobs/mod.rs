//! The jobs worker's work: what the messages of the queue ask for (see [`messages`](crate::messages)).

mod async_requests;
mod deliver;
mod erasure;
pub mod moves;
mod sync;
mod undo;
mod upkeep;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use serde_json::json;

use crate::api::App;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::messages::{self, Envelope, Message, VERSION};
use crate::platform::{self, Database};
use crate::store::dead_messages::{self, DeadMessage};

/// The queue of the messages that were given up, by its name in `wrangler.jobs.toml`.
pub const DEAD_LETTERS: &str = "rollcall-jobs-dead";

/// What becomes of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is done, or never will be: it is not delivered again.
    Done,
    /// It is delivered again, after so many seconds at the earliest.
    Again { seconds: u32 },
}

/// How long a message waits that could not be performed, in seconds. The queue gives it up after its number of tries
/// (`wrangler.jobs.toml`), and keeps it apart from then on.
const WAIT_SECONDS: u32 = 5;

impl App {
    /// A tick of the clock sends messages and does nothing itself: what it may take is little. It goes through the first database; a message
    /// goes through each other one, so that they take nothing of each other's statements, and one that is out of reach keeps none.
    pub async fn tick(&self) {
        let sweeps = self.platform.homes.places().iter().skip(1);
        let sweeps = sweeps.map(|place| Message::Sweep {
            database: place.name.clone(),
        });
        let own = [Message::RenewKeys, Message::ForgetReplies];
        for message in own.into_iter().chain(sweeps) {
            let sent = messages::send(&self.platform, message, 0).await;
            self.tell_scheduled("messages", sent);
        }
        self.send_what_is_due(self.platform.database.as_ref()).await;
        self.send_silent_moves().await;
        self.replace_signing_keys().await;
    }

    /// Tells in the log what of the clock's work failed: the rest of it goes on.
    fn tell_scheduled(&self, what: &str, done: Result<()>) {
        if let Err(error) = done {
            let line = json!({"scheduled": what, "error": error.internal});
            self.platform.log.line(&line.to_string());
        }
    }

    /// Sends the messages that are due by what a database has.
    async fn send_what_is_due(&self, database: &dyn Database) {
        self.send_upkeep(database).await;
        self.send_due_syncs(database).await;
        self.send_silent_undos(database).await;
        self.send_silent_requests(database).await;
        self.send_late_deliveries(database).await;
    }

    /// What a tick does, for one of the other databases.
    async fn sweep(&self, name: &str) -> Result<()> {
        let database = self.platform.database_named(name)?;
        self.send_what_is_due(database.as_ref()).await;
        self.forget_replies(database.as_ref()).await?;
        self.renew_keys(database.as_ref()).await
    }

    /// Takes a message from a queue: that of messages that were given up, or the one that they are sent to.
    pub async fn receive(&self, queue: &str, text: &str) -> Verdict {
        match queue == DEAD_LETTERS {
            true => self.bury(text).await,
            false => self.perform(text).await,
        }
    }

    /// Writes a message down that failed as often as it was tried, for people to see.
    async fn bury(&self, text: &str) -> Verdict {
        let platform = &self.platform;
        let said: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
        let say = |name: &str| said.get(name).and_then(|value| value.as_str());
        let (kind, tenant) = (say("kind").unwrap_or("unknown"), say("tenant"));
        let written = async {
            let id = platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref())
                .map_err(Error::internal)?;
            let batch = dead_messages::insert(DeadMessage {
                id: &id,
                tenant_id: tenant.unwrap_or_default().to_owned(),
                kind: kind.to_owned(),
                body: text,
                at: platform.clock.now(),
            });
            // Beside the tenant that it was for, whom it is shown with.
            let tenant = tenant.and_then(TenantId::parse);
            platform.database_of(tenant.as_ref()).run(batch).await?;
            Ok::<_, Error>(())
        };
        let error = written.await.err();
        let line = json!({
            "dead_message": kind,
            "tenant": tenant,
            "error": error.as_ref().map(|error| error.internal.as_ref().unwrap_or(&error.detail)),
        });
        platform.log.line(&line.to_string());
        match error {
            None => Verdict::Done,
            Some(_) => Verdict::Again {
                seconds: WAIT_SECONDS,
            },
        }
    }

    /// Performs a message. What cannot be read is told in the log and done with: delivered again it would be no better.
    pub async fn perform(&self, text: &str) -> Verdict {
        let started = self.platform.clock.now();
        let envelope: Envelope = match serde_json::from_str(text) {
            Ok(envelope) => envelope,
            // What somebody wrote there does not come into the log.
            Err(error) => {
                return self.give_up(text, &format!("broken at column {}", error.column()));
            }
        };
        if envelope.v != VERSION {
            return self.give_up(text, &format!("it is of version {}", envelope.v));
        }
        let result = AssertUnwindSafe(self.perform_message(&envelope.message))
            .catch_unwind()
            .await
            .unwrap_or_else(|_| Err(Error::internal("a panic")));
        let (verdict, error) = match result {
            Ok(()) => (Verdict::Done, None),
            Err(error) => (
                Verdict::Again {
                    seconds: WAIT_SECONDS,
                },
                Some(error.internal.unwrap_or(error.detail)),
            ),
        };
        let line = json!({
            "message": envelope.message,
            "duration_ms": self.platform.clock.now() - started,
            "error": error,
        });
        self.platform.log.line(&line.to_string());
        verdict
    }

    async fn perform_message(&self, message: &Message) -> Result<()> {
        match message {
            Message::RenewKeys => self.renew_keys(self.platform.database.as_ref()).await,
            Message::ForgetReplies => self.forget_replies(self.platform.database.as_ref()).await,
            Message::Sweep { database } => self.sweep(database).await,
            Message::Upkeep { tenant } => self.keep_up(tenant).await,
            Message::Erase {
                tenant,
                resource_type,
                resource_id,
                after,
            } => {
                self.erase_on(tenant, resource_type, resource_id, after)
                    .await
            }
            Message::Deliver {
                tenant,
                stream,
                run,
            } => self.deliver(tenant, stream.as_deref(), run).await,
            Message::Move { tenant, id, mark } => self.move_on(tenant, id, *mark).await,
            Message::AsyncRequest { tenant, id } => self.async_request_on(tenant, id).await,
            Message::Undo { tenant, id } => self.undo_on(tenant, id).await,
            Message::Sync { tenant, idp, log } => self.sync(tenant, idp, log).await,
        }
    }

    fn give_up(&self, text: &str, reason: &str) -> Verdict {
        let line = json!({"message_bytes": text.len(), "error": format!("a message is passed over, because messages of version {VERSION} are known here: {reason}")});
        self.platform.log.line(&line.to_string());
        Verdict::Done
    }
}
