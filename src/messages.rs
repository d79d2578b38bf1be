//! What is sent to the jobs worker: messages of a queue, which are delivered at least once and in no promised order.
//!
//! A message says what is to be done and for whom, and never what was read: whoever performs it reads what is there then. So one that
//! comes twice, late, or after what it is about is gone does no harm. What takes long is a chain of messages: each does a bounded part and
//! sends the next one.
//!
//! Messages carry a version, because during a deploy the worker that sends and the one that performs may be of different ones.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::platform::{self, Platform, Queue, QueueName};

/// The version of the messages that are sent, and the only one that is performed.
pub const VERSION: u32 = 1;

/// A message on its way.
#[derive(Serialize, Deserialize)]
pub struct Envelope {
    pub v: u32,
    #[serde(flatten)]
    pub message: Message,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Message {
    /// Writes rows with keys from before anew, a few hundred of them.
    RenewKeys,
    /// Forgets replies that were kept for as long as they are.
    ForgetReplies,
    /// Sends what is due by the rows of that database, as the clock does for the first one.
    Sweep { database: String },
    /// Deletes what a tenant keeps no longer, and what is left of one that was deleted.
    Upkeep { tenant: String },
    /// Goes on with forgetting what is recorded of a resource that was erased.
    Erase {
        tenant: String,
        /// `User` or `Group`.
        resource_type: String,
        resource_id: String,
        /// The last row of the journal that was looked at.
        after: String,
    },
    /// Goes on with an undo.
    Undo { tenant: String, id: String },
    /// Goes on with a tenant's move to another database.
    Move {
        tenant: String,
        id: String,
        /// Only where nobody else has taken it up since it was at this mark.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mark: Option<i64>,
    },
    /// Goes on with a SCIM request that was accepted.
    AsyncRequest { tenant: String, id: String },
    /// Sends the events of a tenant to whoever is to be sent them.
    Deliver {
        tenant: String,
        /// To this one alone.
        stream: Option<String>,
        /// A mark of the message: delivered again, it goes on where it was cut off.
        run: String,
    },
    /// Goes on with a run of a directory sync.
    Sync {
        tenant: String,
        idp: String,
        /// The run's id, which is that of its log.
        log: String,
    },
}

/// Sends a message, to be delivered after so many seconds at the earliest. It may have been sent though an error is told.
pub async fn send(platform: &Platform, message: Message, delay_seconds: u32) -> Result<()> {
    put(platform.queue.as_ref(), message, delay_seconds).await
}

/// Puts a message into its queue: deliveries have one of their own, so that nothing that takes long is before them.
pub async fn put(queue: &dyn Queue, message: Message, delay_seconds: u32) -> Result<()> {
    let name = match message {
        Message::Deliver { .. } => QueueName::Deliveries,
        _ => QueueName::Jobs,
    };
    let envelope = Envelope {
        v: VERSION,
        message,
    };
    let text =
        serde_json::to_string(&envelope).map_err(|error| Error::internal(error.to_string()))?;
    let sent = queue.send(name, &text, delay_seconds).await;
    sent.map_err(|reason| Error::internal(format!("the queue: {reason}")))
}

/// Sends a message that goes on with a stream of events, after so many seconds.
pub async fn deliver(
    platform: &Platform,
    tenant: String,
    stream: String,
    delay_seconds: u32,
) -> Result<()> {
    let run = platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref());
    let message = Message::Deliver {
        tenant,
        stream: Some(stream),
        run: run.map_err(Error::internal)?,
    };
    send(platform, message, delay_seconds).await
}
