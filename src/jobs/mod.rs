//! The jobs worker's work: what the messages of the queue ask for (see [`messages`](crate::messages)).

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use serde_json::json;

use crate::api::App;
use crate::error::{Error, Result};
use crate::messages::{Envelope, Message, VERSION};

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
            Message::RenewKeys => {
                self.renew_keys().await;
                Ok(())
            }
        }
    }

    fn give_up(&self, text: &str, reason: &str) -> Verdict {
        let line = json!({"message_bytes": text.len(), "error": format!("a message is passed over, because messages of version {VERSION} are known here: {reason}")});
        self.platform.log.line(&line.to_string());
        Verdict::Done
    }
}
