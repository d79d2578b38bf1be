//! What a run stages in the database between reading and doing: objects of the directory, hundreds in a text, and the pieces of work that
//! name them.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::digest::{Digest, packed, unpacked};
use super::object::{Action, Kind, Note, Object};
use super::survey::Fate;
use crate::store::directory_entries::{DirectoryEntry, State};

/// An object of the directory that is to be done something with.
#[derive(Debug, Serialize, Deserialize)]
pub struct Staged {
    pub kind: Kind,
    pub unique_id: Box<str>,
    pub dn: Box<str>,
    pub name: Box<str>,
    /// The resource as it is to be stored; empty where it stays as it is.
    pub text: Box<str>,
    pub member_key: Digest,
    pub digest: Digest,
    #[serde(serialize_with = "write_id", deserialize_with = "read_id")]
    pub resource: Uuid,
    /// As the directory alone says it: who has its name is not known yet.
    pub fate: Fate,
    /// What was known of it; none of a new one.
    pub state: Option<State>,
    /// Hash of the members that it had.
    pub members_digest: Digest,
    /// What it names its members by, of a group whose members may be others than they were.
    pub members: Option<Members>,
}

/// What a group names its members by.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Members {
    packed: String,
    /// How those are written that were not known when the group was read.
    strangers: Vec<(Digest, Box<str>)>,
}

impl Members {
    /// Names of strangers that are kept for a group.
    pub const MAX_STRANGERS: usize = 1_000;

    pub fn of(keys: &[Digest], strangers: impl IntoIterator<Item = (Digest, Box<str>)>) -> Self {
        Members {
            packed: packed(keys),
            strangers: strangers.into_iter().take(Self::MAX_STRANGERS).collect(),
        }
    }

    pub fn keys(&self) -> Vec<Digest> {
        unpacked(&self.packed)
    }

    /// How a member is written that was not known.
    pub fn stranger(&self, key: Digest) -> &str {
        let mut strangers = self.strangers.iter();
        strangers
            .find(|(known, _)| *known == key)
            .map_or("", |(_, name)| name)
    }

    fn size(&self) -> usize {
        let strangers = self.strangers.iter();
        self.packed.len() + strangers.map(|(_, name)| name.len() + 40).sum::<usize>()
    }
}

impl Staged {
    pub fn of(object: Object, resource: Uuid, fate: Fate, members: Option<Members>) -> Self {
        Staged {
            kind: object.kind,
            unique_id: object.unique_id,
            dn: object.dn,
            name: object.name,
            text: match fate {
                Fate::Update | Fate::Create => object.text,
                _ => Box::default(),
            },
            member_key: object.member_key,
            digest: object.digest,
            resource,
            fate,
            state: None,
            members_digest: Digest::default(),
            members,
        }
    }

    /// The same, but for what a group names its members by.
    pub fn without_members(&self) -> Self {
        Staged {
            unique_id: self.unique_id.clone(),
            dn: self.dn.clone(),
            name: self.name.clone(),
            text: self.text.clone(),
            members: None,
            ..*self
        }
    }

    /// Bytes that it takes as text, about.
    pub fn size(&self) -> usize {
        let members = self.members.as_ref().map_or(0, Members::size);
        // The names of the fields, three hashes and an id; and quotes in the text.
        350 + self.unique_id.len()
            + self.dn.len()
            + self.name.len()
            + self.text.len() * 5 / 4
            + members
    }

    pub fn note(&self, action: Action, reason: Option<String>) -> Note {
        Note {
            kind: self.kind,
            action,
            unique_id: Some(self.unique_id.clone()),
            dn: Some(self.dn.clone()),
            name: Some(self.name.clone()),
            resource_id: None,
            reason,
        }
    }
}

/// An entry that is not in the directory any more, and what follows from that.
#[derive(Debug, Serialize, Deserialize)]
pub struct Gone {
    pub kind: Kind,
    pub action: Action,
    pub unique_id: Box<str>,
    #[serde(serialize_with = "write_id", deserialize_with = "read_id")]
    pub resource: Uuid,
    pub member_key: Digest,
    pub digest: Digest,
    pub members_digest: Digest,
}

/// A part of what changes about a group's members.
#[derive(Debug, Serialize, Deserialize)]
pub struct MembersPart {
    pub unique_id: Box<str>,
    pub name: Box<str>,
    #[serde(serialize_with = "write_id", deserialize_with = "read_id")]
    pub group: Uuid,
    pub add: Vec<(Member, Kind)>,
    pub remove: Vec<Member>,
    /// With the last part: hash of the members as they are then, and how many come and go in all parts.
    pub end: Option<(Digest, usize, usize)>,
}

/// A member's id.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Member(#[serde(serialize_with = "write_id", deserialize_with = "read_id")] pub Uuid);

impl Gone {
    pub fn of(entry: DirectoryEntry, action: Action) -> Self {
        Gone {
            kind: Kind::from_name(&entry.resource_type),
            action,
            resource: Uuid::try_parse(&entry.resource_id).unwrap_or_default(),
            member_key: Digest::from_text(&entry.dn_key),
            digest: Digest::from_text(&entry.digest),
            members_digest: Digest::from_text(&entry.members_digest),
            unique_id: entry.unique_id.into(),
        }
    }
}

impl MembersPart {
    pub fn weight(&self) -> usize {
        self.add.len() + self.remove.len()
    }
}

/// Numbers of objects from one on, and before another.
pub type Range = (u32, u32);

/// A piece of work: it names what is staged, and copies nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub what: What,
    /// What it weighs in a batch, of which D1 gives each 30 seconds: some pieces are one batch together.
    pub weight: usize,
}

/// What a resource weighs, where a membership or an entry of the log weighs 1.
pub const RESOURCE: usize = 10;

/// What a piece is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum What {
    /// A text of entries that are gone.
    Gone(i64),
    /// Objects by their numbers.
    Objects(Vec<Range>),
    /// A text of members.
    Members(i64),
    /// A text of what is only told.
    Notes(i64),
}

fn write_id<S: Serializer>(id: &Uuid, serializer: S) -> Result<S::Ok, S::Error> {
    let mut buffer = Uuid::encode_buffer();
    serializer.serialize_str(id.simple().encode_lower(&mut buffer))
}

fn read_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Uuid, D::Error> {
    let text = Cow::<'de, str>::deserialize(deserializer)?;
    Ok(Uuid::try_parse(&text).unwrap_or_default())
}
