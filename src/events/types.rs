//! The types of events, and which of them somebody wants.

use serde::{Serialize, Serializer};

use super::kind::StreamKind;
use crate::store::event_streams::EventStream;
use crate::store::events::Change;

/// What happened, in the product's terms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventType {
    UserCreated,
    UserUpdated,
    UserDeactivated,
    UserReactivated,
    UserDeleted,
    GroupCreated,
    GroupUpdated,
    GroupDeleted,
    MemberAdded,
    MemberRemoved,
    TokenExpiring,
    TokenRevoked,
    SyncFinished,
    FuseTripped,
    RequestFinished,
}

use EventType::*;

impl EventType {
    pub const ALL: [EventType; 15] = [
        UserCreated,
        UserUpdated,
        UserDeactivated,
        UserReactivated,
        UserDeleted,
        GroupCreated,
        GroupUpdated,
        GroupDeleted,
        MemberAdded,
        MemberRemoved,
        TokenExpiring,
        TokenRevoked,
        SyncFinished,
        FuseTripped,
        RequestFinished,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            UserCreated => "user.created",
            UserUpdated => "user.updated",
            UserDeactivated => "user.deactivated",
            UserReactivated => "user.reactivated",
            UserDeleted => "user.deleted",
            GroupCreated => "group.created",
            GroupUpdated => "group.updated",
            GroupDeleted => "group.deleted",
            MemberAdded => "group.member_added",
            MemberRemoved => "group.member_removed",
            TokenExpiring => "token.expiring",
            TokenRevoked => "token.revoked",
            SyncFinished => "sync.finished",
            FuseTripped => "fuse.tripped",
            RequestFinished => "request.finished",
        }
    }

    /// Whether a security event token can tell of it: what RFC 9967 has is about users and groups, and requests for them.
    pub fn has_token(self) -> bool {
        let name = self.name();
        ["user.", "group.", "request."]
            .iter()
            .any(|about| name.starts_with(about))
    }

    /// What a change is besides members who came and went; none where it is nothing else, or nothing that a product is told.
    pub fn of(change: &Change, attributes: &[String], active: Option<bool>) -> Option<Self> {
        let event = &change.event;
        let is_about_members = attributes.iter().all(|name| name == "members");
        Some(
            match (event.resource_type.as_str(), event.action.as_str()) {
                ("User", "create") => UserCreated,
                ("User", "delete") => UserDeleted,
                ("User", "restore") if change.was_absent => UserCreated,
                ("User", "replace" | "patch" | "restore") => match active {
                    Some(false) => UserDeactivated,
                    Some(true) => UserReactivated,
                    None => UserUpdated,
                },
                ("Group", "create") => GroupCreated,
                ("Group", "delete") => GroupDeleted,
                ("Group", "restore") if change.was_absent => GroupCreated,
                ("Group", "replace" | "patch" | "restore") if !is_about_members => GroupUpdated,
                ("ScimToken", "expire") => TokenExpiring,
                ("ScimToken", "revoke") => TokenRevoked,
                ("IdentityProvider", "sync") => SyncFinished,
                ("ScimToken" | "Tenant", "trip") => FuseTripped,
                ("Request", "finish") => RequestFinished,
                _ => return None,
            },
        )
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// Which types of events are wanted: by their names, or by all that begin alike (`group.*`, `*`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    patterns: Vec<String>,
    as_tokens: bool,
}

impl Wanted {
    pub fn all() -> Self {
        Wanted {
            patterns: vec!["*".to_owned()],
            as_tokens: false,
        }
    }

    /// The error names what is no type.
    pub fn parse<T: AsRef<str>>(patterns: impl IntoIterator<Item = T>) -> Result<Self, String> {
        let mut wanted = Vec::new();
        for pattern in patterns {
            let pattern = pattern.as_ref().trim();
            if !EventType::ALL
                .iter()
                .any(|known| matches(pattern, known.name()))
            {
                let names: Vec<&str> = EventType::ALL.iter().map(|known| known.name()).collect();
                return Err(format!(
                    "there are no events of the type {}; there are {}, and `user.*`, `group.*` and `*`",
                    crate::scim::filter::parse::shortened(pattern),
                    names.join(", ")
                ));
            }
            wanted.push(pattern.to_owned());
        }
        Ok(Wanted {
            patterns: wanted,
            as_tokens: false,
        })
    }

    /// Those that a stream has.
    pub fn of_stream(stream: &EventStream) -> Self {
        let types: Vec<String> = serde_json::from_str(&stream.types).unwrap_or_default();
        let wanted = Wanted::parse(types).unwrap_or_else(|_| Wanted::all());
        let kind = StreamKind::parse(&stream.kind);
        match kind.is_some_and(StreamKind::has_tokens) {
            true => wanted.as_tokens(),
            false => wanted,
        }
    }

    /// Of them those that security event tokens can tell of.
    pub fn as_tokens(self) -> Self {
        Wanted {
            as_tokens: true,
            ..self
        }
    }

    /// Whether events of that type are.
    pub fn has(&self, event_type: EventType) -> bool {
        let named = |pattern: &String| matches(pattern, event_type.name());
        self.patterns.iter().any(named) && (event_type.has_token() || !self.as_tokens)
    }

    /// Whether there is a type of events that is.
    pub fn has_any(&self) -> bool {
        EventType::ALL.into_iter().any(|known| self.has(known))
    }

    pub fn names(&self) -> &[String] {
        &self.patterns
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(group) => group.ends_with('.') && name.starts_with(group),
        None => pattern == name,
    }
}
