//! One reading of what has changed in a directory: its users, then its groups, mapped and held until it is known who they are. There may not
//! be many: beyond that the whole directory is read, of which little is held.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::digest::Digest;
use super::failure::Failure;
use super::mapping::{MODIFY_TIMESTAMP, Mapping, shortened_dn};
use super::object::{Action, Kind, Note, Object};
use super::session::Session;
use super::source::Source;
use crate::ldap::values::generalized_time;
use crate::ldap::{Connection, Entry, Filter, Scope, Search};
use crate::store::sync_counts::Counts;

/// Most entries that a reading may hold, and most bytes: an isolate has 128 MB for everything.
const MAX_ENTRIES: usize = 20_000;
const MAX_BYTES: usize = 30 * 1024 * 1024;

/// Whether entries are read for the first time, or some of them may have been read before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    First,
    Further,
}

/// What was read.
#[derive(Default)]
pub struct Reading {
    pub objects: Vec<Object>,
    /// Entries that cannot become resources, and why.
    pub unusable: Vec<Note>,
    pub counts: Counts,
    /// How groups name members that were not known then, by the hashes: for looking them up, and for telling who could not be found.
    pub strangers: BTreeMap<Digest, Box<str>>,
    /// Unique ids of entries that are there and are no user any more, by the filter of users.
    pub left: BTreeSet<Box<str>>,
    /// The largest modifyTimestamp seen, in milliseconds since 1970.
    pub newest: Option<i64>,
    /// Whether some entry came without one.
    pub untimed: bool,
    named: HashMap<Digest, usize>,
    ids: HashSet<Digest>,
    /// What was looked for and is not there: names of members, and unique ids, by their hashes.
    absent: HashSet<Digest>,
    bytes: usize,
}

impl Reading {
    /// Reads what changed since `watermark`, a generalizedTime; none where that is too much to be held.
    pub async fn of(
        session: &Session<'_>,
        source: &Source,
        watermark: &str,
    ) -> Result<Option<Self>, Failure> {
        let mut connection = Connection::open(session.platform, &source.settings).await?;
        let mut reading = Reading::default();
        let result = reading
            .read_all(&mut connection, session, source, watermark)
            .await;
        connection.close().await;
        result.map(|()| Some(reading).filter(|reading| !reading.is_large()))
    }

    async fn read_all(
        &mut self,
        connection: &mut Connection,
        session: &Session<'_>,
        source: &Source,
        watermark: &str,
    ) -> Result<(), Failure> {
        let groups = source.groups.as_ref().map(|groups| (Kind::Group, groups));
        for (kind, place) in std::iter::once((Kind::User, &source.users)).chain(groups) {
            let filter = changed_since(&place.filter, watermark);
            let search = source.search(kind, place, filter);
            self.read(connection, session, source, (kind, Pass::First), &search)
                .await?;
        }
        let changed = format!("({MODIFY_TIMESTAMP}>={watermark})");
        self.read_left(connection, session, source, &changed).await
    }

    /// Takes all that a search finds.
    pub async fn read(
        &mut self,
        connection: &mut Connection,
        session: &Session<'_>,
        source: &Source,
        (kind, pass): (Kind, Pass),
        search: &Search,
    ) -> Result<(), Failure> {
        let mut pages = connection.search(search);
        while let Some(entries) = pages.next().await? {
            for entry in &entries {
                if pass == Pass::Further && self.has(entry, &source.mapping) {
                    continue;
                }
                self.take(kind, entry, &source.mapping, &session.idp);
            }
            if self.is_large() {
                return Ok(());
            }
            session.keep_alive(&session.counts()).await?;
        }
        self.counts.referrals += u64::try_from(pages.referrals()).unwrap_or_default();
        Ok(())
    }

    /// Notes who is there and is no user, among those whom another filter finds.
    pub async fn read_left(
        &mut self,
        connection: &mut Connection,
        session: &Session<'_>,
        source: &Source,
        among: &str,
    ) -> Result<(), Failure> {
        let unique_id = &source.mapping.unique_id;
        let search = Search {
            base_dn: source.users.base_dn.clone(),
            scope: Scope::Subtree,
            filter: format!("(&(!{}){among})", Filter::bracketed(&source.users.filter)),
            attributes: vec![unique_id.clone()],
        };
        let mut pages = connection.search(&search);
        while let Some(entries) = pages.next().await? {
            for id in entries
                .iter()
                .filter_map(|entry| entry.unique_id(unique_id))
            {
                self.bytes += id.len() + size_of::<Box<str>>();
                self.left.insert(id.into());
            }
            if self.is_large() {
                return Ok(());
            }
            session.keep_alive(&session.counts()).await?;
        }
        Ok(())
    }

    /// Whether it is more than may be held; it is not read to its end then.
    pub fn is_large(&self) -> bool {
        let entries = self.objects.len() + self.unusable.len() + self.left.len();
        entries > MAX_ENTRIES || self.bytes > MAX_BYTES
    }

    /// All names that groups use, by the objects that they name.
    pub fn names(&self) -> HashMap<usize, Vec<Digest>> {
        let mut names: HashMap<usize, Vec<Digest>> = HashMap::new();
        for (key, index) in &self.named {
            names.entry(*index).or_default().push(*key);
        }
        names
    }

    fn has(&self, entry: &Entry, mapping: &Mapping) -> bool {
        entry.unique_id(&mapping.unique_id).is_some_and(|id| {
            let mut refused = self.unusable.iter();
            self.ids.contains(&Digest::of(&id))
                || refused.any(|note| note.unique_id.as_deref() == Some(&id))
        })
    }

    /// Maps an entry and keeps it.
    pub fn take(&mut self, kind: Kind, entry: &Entry, mapping: &Mapping, provider: &str) {
        self.counts.of(kind).read += 1;
        match entry.text(MODIFY_TIMESTAMP).and_then(generalized_time) {
            Some(time) => self.newest = self.newest.max(Some(time)),
            None => self.untimed = true,
        }
        let (named, strangers) = (&self.named, &mut self.strangers);
        let mut bytes = 0;
        let mut member = |key: Digest, name: &str| {
            if !named.contains_key(&key) {
                bytes += name.len();
                strangers.entry(key).or_insert_with(|| name.into());
            }
        };
        let object = match mapping.object(kind, entry, provider, &mut member) {
            Ok(object) => object,
            Err(unusable) => {
                return self.refuse(kind, &entry.dn, unusable.unique_id, unusable.reason);
            }
        };
        self.bytes += bytes;
        if !self.ids.insert(Digest::of(object.unique_id.as_bytes())) {
            let reason = format!(
                "another entry has the same {}; only the first one counts",
                mapping.unique_id
            );
            // Its id is the other's, which is not gone.
            return self.refuse(kind, &entry.dn, None, reason);
        }
        self.bytes += object.size();
        for key in mapping.further_keys(kind, entry) {
            self.bytes += size_of::<(Digest, usize)>();
            self.name(key);
        }
        self.name(object.member_key);
        self.objects.push(object);
    }

    /// The next object is what groups name so. Of two the first one counts.
    fn name(&mut self, key: Digest) {
        self.named.entry(key).or_insert(self.objects.len());
        self.strangers.remove(&key);
    }

    fn refuse(&mut self, kind: Kind, dn: &str, unique_id: Option<String>, reason: String) {
        let note = Note {
            kind,
            action: Action::Skipped,
            unique_id: unique_id.map(Into::into),
            dn: Some(shortened_dn(dn)),
            name: None,
            resource_id: None,
            reason: Some(reason),
        };
        self.bytes += size_of::<Note>() + dn.len();
        self.unusable.push(note);
    }

    /// The object that groups name so.
    pub fn named(&self, key: Digest) -> Option<usize> {
        self.named.get(&key).copied()
    }

    /// Whether the entry with that unique id is among the objects, or is known not to be where they are.
    pub fn settles(&self, unique_id: &str) -> bool {
        let id = Digest::of(unique_id);
        self.ids.contains(&id) || self.absent.contains(&id)
    }

    /// Notes that nothing has that unique id, or is named so, but for what is among the objects.
    pub fn conclude(&mut self, sought: Digest) {
        self.absent.insert(sought);
    }

    /// Whether it was looked for.
    pub fn has_sought(&self, key: Digest) -> bool {
        self.absent.contains(&key)
    }
}

/// A filter for what it finds and was changed at that time or later: what happened within the same second is read twice sooner than not
/// at all.
fn changed_since(filter: &str, watermark: &str) -> String {
    let filter = Filter::bracketed(filter);
    format!("(&{filter}({MODIFY_TIMESTAMP}>={watermark}))")
}
