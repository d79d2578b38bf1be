//! What kinds of streams there are.

use serde::{Deserialize, Serialize};

/// How events are handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum StreamKind {
    /// Sent to an address, signed as Standard Webhooks 1.0 says.
    Webhook,
    /// Sent to an address as security event tokens, one at a time (RFC 8935).
    SetPush,
    /// Fetched as security event tokens (RFC 8936).
    SetPoll,
}

impl StreamKind {
    pub const ALL: [StreamKind; 3] = [
        StreamKind::Webhook,
        StreamKind::SetPush,
        StreamKind::SetPoll,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            StreamKind::Webhook => "webhook",
            StreamKind::SetPush => "set_push",
            StreamKind::SetPoll => "set_poll",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether what it hands over are security event tokens.
    pub const fn has_tokens(self) -> bool {
        matches!(self, StreamKind::SetPush | StreamKind::SetPoll)
    }
}

/// What a token says of a change (RFC 9967 §2.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum Payload {
    /// The names of the attributes that changed: the receiver reads the resource.
    Notice,
    /// Their values.
    Full,
}

impl Payload {
    pub const fn name(self) -> &'static str {
        match self {
            Payload::Notice => "notice",
            Payload::Full => "full",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        let mut all = [Payload::Notice, Payload::Full].into_iter();
        all.find(|payload| payload.name() == name)
    }
}
