//! What a run keeps in memory of every entry: a record of fixed size, 76 bytes, and its place in indexes of four to eight bytes each. All
//! else of an entry is staged in the database, or forgotten.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::digest::Digest;
use super::links::Link;
use super::object::Kind;
use crate::store::directory_entries::State;

/// What becomes of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fate {
    /// It is known, and was not read.
    Unread,
    /// It is there, and cannot become a resource.
    Unusable,
    Unchanged,
    /// The same resource, at another DN or back again.
    Relinked,
    Update,
    Create,
    /// It was a resource of the other kind.
    OtherKind,
    /// Somebody else has its name.
    Out,
}

/// What is kept of an entry.
#[derive(Debug, Clone, Copy)]
pub struct Record {
    /// Hash of its unique id.
    pub unique_id: Digest,
    /// Hash of what groups name it by.
    pub member_key: Digest,
    /// Hash of the resource as it was when it was last read; once it is read, hash of its name as names are compared.
    pub name: Digest,
    pub resource: Uuid,
    /// Its number among the staged objects.
    pub staged: Option<std::num::NonZeroU32>,
    pub kind: Kind,
    pub fate: Fate,
    /// What is known of it; none of a new one.
    pub state: Option<State>,
    /// Whether it gives up a name that it had.
    pub renamed: bool,
}

impl Record {
    /// The resource that it is or is going to be, where it is one.
    pub fn resource(&self) -> Option<(Uuid, Kind)> {
        let is_one = match self.fate {
            Fate::OtherKind => false,
            Fate::Out => self.state.is_some(),
            _ => true,
        };
        is_one.then_some((self.resource, self.kind))
    }

    /// Whether it is written with a name.
    pub fn wants_name(&self) -> bool {
        matches!(self.fate, Fate::Update | Fate::Create)
    }
}

/// Records in one block: a list that grows as a whole is in memory twice.
const BLOCK: usize = 4_096;

/// Records by their numbers.
#[derive(Default)]
pub struct Records {
    blocks: Vec<Vec<Record>>,
    len: u32,
}

fn place(number: u32) -> (usize, usize) {
    let number = usize::try_from(number).unwrap_or(usize::MAX);
    (number / BLOCK, number % BLOCK)
}

impl Records {
    fn push(&mut self, record: Record) -> u32 {
        let number = self.len;
        self.len += 1;
        match self.blocks.last_mut().filter(|block| block.len() < BLOCK) {
            Some(block) => block.push(record),
            None => {
                let mut block = Vec::with_capacity(BLOCK);
                block.push(record);
                self.blocks.push(block);
            }
        }
        number
    }

    pub fn get(&self, number: u32) -> Option<&Record> {
        let (block, index) = place(number);
        self.blocks.get(block)?.get(index)
    }

    pub fn get_mut(&mut self, number: u32) -> Option<&mut Record> {
        let (block, index) = place(number);
        self.blocks.get_mut(block)?.get_mut(index)
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &Record)> {
        (0..).zip(self.blocks.iter().flatten())
    }

    pub fn len(&self) -> usize {
        usize::try_from(self.len).unwrap_or(usize::MAX)
    }
}

/// Numbers of records by one of their hashes, which stays in the record: a table with open addresses.
#[derive(Default)]
pub struct Index {
    /// A number plus one; 0 where nobody is.
    slots: Vec<u32>,
    len: usize,
}

impl Index {
    /// The slot of a hash: where it is, or where it would be.
    fn slot(&self, key: Digest, of: &dyn Fn(u32) -> Digest) -> Option<usize> {
        let mask = self.slots.len().checked_sub(1)?;
        let mut slot = usize::try_from(key.start()).unwrap_or_default() & mask;
        loop {
            match self
                .slots
                .get(slot)
                .copied()
                .unwrap_or_default()
                .checked_sub(1)
            {
                Some(number) if of(number) != key => slot = (slot + 1) & mask,
                _ => return Some(slot),
            }
        }
    }

    pub fn get(&self, key: Digest, of: &dyn Fn(u32) -> Digest) -> Option<u32> {
        let slot = self.slot(key, of)?;
        self.slots.get(slot)?.checked_sub(1)
    }

    /// Enters a number, unless its hash is another one's, which is given then.
    pub fn enter(&mut self, number: u32, of: &dyn Fn(u32) -> Digest) -> Option<u32> {
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            let larger = vec![0; (self.slots.len() * 2).max(64)];
            let before = std::mem::replace(&mut self.slots, larger);
            for one in before {
                if let Some(known) = one.checked_sub(1) {
                    self.put(known, of);
                }
            }
        }
        let first = self.get(of(number), of);
        if first.is_none() {
            self.put(number, of);
            self.len += 1;
        }
        first
    }

    fn put(&mut self, number: u32, of: &dyn Fn(u32) -> Digest) {
        if let Some(slot) = self.slot(of(number), of)
            && let Some(free) = self.slots.get_mut(slot)
        {
            *free = number + 1;
        }
    }
}

/// All records, and who is named how.
#[derive(Default)]
pub struct Survey {
    pub records: Records,
    by_unique_id: Index,
    by_key: Index,
    /// Further hashes of what groups name entries by.
    aliases: HashMap<Digest, u32>,
    /// Resources of entries that were not read, and that groups name so.
    outside: HashMap<Digest, (Uuid, Kind)>,
    /// Hashes of the members that known groups have.
    members: HashMap<Uuid, Digest>,
}

impl Survey {
    /// Takes in what is known of an entry.
    pub fn know(&mut self, unique_id: &str, link: &Link) {
        let unique_id = Digest::of(unique_id);
        if self.find(unique_id).is_some() {
            return;
        }
        if link.kind == Kind::Group {
            self.members.insert(link.resource_id, link.members_digest);
        }
        self.add(Record {
            unique_id,
            member_key: link.member_key,
            name: link.digest,
            resource: link.resource_id,
            staged: None,
            kind: link.kind,
            fate: Fate::Unread,
            state: Some(link.state),
            renamed: false,
        });
    }

    /// Adds a record of an entry that has none.
    pub fn add(&mut self, record: Record) -> u32 {
        let number = self.records.push(record);
        let records = &self.records;
        let of = |number| of(records, number, |record| record.unique_id);
        self.by_unique_id.enter(number, &of);
        number
    }

    /// The record of the entry with that unique id, by its hash.
    pub fn find(&self, unique_id: Digest) -> Option<u32> {
        let of = |number| of(&self.records, number, |record| record.unique_id);
        self.by_unique_id.get(unique_id, &of)
    }

    /// From now on groups name a record by its key. Of two that have the same the first one counts.
    pub fn name(&mut self, number: u32) {
        let records = &self.records;
        let of = |number| of(records, number, |record| record.member_key);
        if !self.aliases.contains_key(&of(number)) {
            self.by_key.enter(number, &of);
        }
    }

    /// Groups may name a record so, too.
    pub fn alias(&mut self, key: Digest, number: u32) {
        if self.named(key).is_none() {
            self.aliases.insert(key, number);
        }
    }

    /// Groups name a resource so whose entry was not read.
    pub fn name_outside(&mut self, key: Digest, resource: (Uuid, Kind)) {
        self.outside.insert(key, resource);
    }

    /// The record that groups name so.
    pub fn named(&self, key: Digest) -> Option<u32> {
        let of = |number| of(&self.records, number, |record| record.member_key);
        let named = self.by_key.get(key, &of);
        named.or_else(|| self.aliases.get(&key).copied())
    }

    /// The resource of whom a group names so.
    pub fn member(&self, key: Digest) -> Option<(Uuid, Kind)> {
        match self.named(key) {
            Some(number) => self.records.get(number)?.resource(),
            None => self.outside.get(&key).copied(),
        }
    }

    /// Hash of the members that a known group has.
    pub fn members_of(&self, group: Uuid) -> Digest {
        self.members.get(&group).copied().unwrap_or_default()
    }
}

fn of(records: &Records, number: u32, hash: fn(&Record) -> Digest) -> Digest {
    records.get(number).map(hash).unwrap_or_default()
}
