//! One reading of a directory: its users, then its groups, mapped and held until the sync is planned.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::counts::Counts;
use super::digest::Digest;
use super::mapping::{MODIFY_TIMESTAMP, Mapping, shortened_dn};
use super::object::{Action, Kind, Note, Object};
use super::session::Session;
use super::{Failure, Source};
use crate::ldap::values::generalized_time;
use crate::ldap::{Connection, Entry, Scope, Search};

/// Most bytes that a reading may hold: an isolate has 128 MB for everything.
const MAX_BYTES: usize = 40 * 1024 * 1024;

/// What was read.
#[derive(Default)]
pub struct Reading {
    pub objects: Vec<Object>,
    /// Entries that cannot become resources, and why.
    pub unusable: Vec<Note>,
    pub counts: Counts,
    /// The DNs of members that were not known when they were named, by their hashes: for telling who could not be found.
    pub strangers: BTreeMap<Digest, Box<str>>,
    /// The largest modifyTimestamp seen, in milliseconds since 1970.
    pub newest: Option<i64>,
    /// Whether some entry came without one.
    pub untimed: bool,
    by_dn: HashMap<Digest, usize>,
    ids: HashSet<Digest>,
    bytes: usize,
}

impl Reading {
    /// Reads what the source says; only what changed since `watermark`, a generalizedTime, where there is one.
    pub async fn of(
        session: &Session<'_>,
        source: &Source,
        watermark: Option<&str>,
    ) -> Result<Self, Failure> {
        let mut connection = Connection::open(session.platform, &source.settings).await?;
        let mut reading = Reading::default();
        let result = reading
            .read_all(&mut connection, session, source, watermark)
            .await;
        connection.close().await;
        result.map(|()| reading)
    }

    async fn read_all(
        &mut self,
        connection: &mut Connection,
        session: &Session<'_>,
        source: &Source,
        watermark: Option<&str>,
    ) -> Result<(), Failure> {
        let groups = source.groups.as_ref().map(|groups| (Kind::Group, groups));
        for (kind, place) in std::iter::once((Kind::User, &source.users)).chain(groups) {
            let search = Search {
                base_dn: place.base_dn.clone(),
                scope: Scope::Subtree,
                filter: changed_since(&place.filter, watermark),
                attributes: source.mapping.attributes(kind),
            };
            let mut pages = connection.search(&search);
            while let Some(entries) = pages.next().await? {
                for entry in &entries {
                    self.take(kind, entry, &source.mapping, &session.idp);
                }
                if self.bytes > MAX_BYTES {
                    return Err(Failure::Refused(format!(
                        "the directory has more than one sync can hold ({} MiB); narrow the base DNs or the filters",
                        MAX_BYTES / 1024 / 1024
                    )));
                }
                session.keep_alive(&self.counts).await?;
            }
            self.counts.referrals += u64::try_from(pages.referrals()).unwrap_or_default();
        }
        Ok(())
    }

    /// Maps an entry and keeps it.
    pub fn take(&mut self, kind: Kind, entry: &Entry, mapping: &Mapping, provider: &str) {
        self.counts.of(kind).read += 1;
        match entry.text(MODIFY_TIMESTAMP).and_then(generalized_time) {
            Some(time) => self.newest = self.newest.max(Some(time)),
            None => self.untimed = true,
        }
        let (by_dn, strangers) = (&self.by_dn, &mut self.strangers);
        let mut named = 0;
        let mut member = |key: Digest, dn: &str| {
            if !by_dn.contains_key(&key) {
                named += dn.len();
                strangers.entry(key).or_insert_with(|| shortened_dn(dn));
            }
        };
        let object = match mapping.object(kind, entry, provider, &mut member) {
            Ok(object) => object,
            Err(unusable) => {
                return self.refuse(kind, &entry.dn, unusable.unique_id, unusable.reason);
            }
        };
        self.bytes += named;
        if !self.ids.insert(Digest::of(object.unique_id.as_bytes())) {
            let reason = format!(
                "another entry has the same {}; only the first one counts",
                mapping.unique_id
            );
            // Its id is the other's, which is not gone.
            return self.refuse(kind, &entry.dn, None, reason);
        }
        self.bytes += object.size();
        self.by_dn.insert(object.dn_key, self.objects.len());
        self.strangers.remove(&object.dn_key);
        self.objects.push(object);
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

    /// The object with that DN.
    pub fn by_dn(&self, key: Digest) -> Option<usize> {
        self.by_dn.get(&key).copied()
    }
}

/// A filter for what it finds and was changed at that time or later: what happened within the same second is read twice sooner than not
/// at all.
fn changed_since(filter: &str, watermark: Option<&str>) -> String {
    let filter = match filter.trim() {
        filter if filter.starts_with('(') => filter.to_owned(),
        filter => format!("({filter})"),
    };
    match watermark {
        Some(since) => format!("(&{filter}({MODIFY_TIMESTAMP}>={since}))"),
        None => filter,
    }
}
