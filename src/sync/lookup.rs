//! What a reading of changes does not tell, and has to be known before anybody comes into a group or leaves it.
//!
//! Entries get other DNs without a change of their own when something above them is renamed or moved; so a name that is not known
//! proves no absence, and one that is known need not be the same entry's any more. Whoever would come or go is looked up: by the
//! unique id where that is known, which finds many at once wherever they are now, and by the name where it is not. What is found
//! belongs to the reading from then on. Where there is too much to look up, the whole directory is to be read instead.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use super::digest::{Digest, of_members};
use super::facts::Facts;
use super::failure::Failure;
use super::links::{self, Link};
use super::mapping::{Naming, UID};
use super::object::{Kind, Object};
use super::reading::{Pass, Reading};
use super::session::Session;
use super::source::Source;
use crate::ldap::{Connection, Error, Filter, Scope, Search, dn};

/// Unique ids in one search.
const IDS_AT_ONCE: usize = 100;
/// Most unique ids, and most names, that are looked up for one sync: beyond that reading everything is no slower.
const MAX_IDS: usize = 2_000;
const MAX_NAMES: usize = 200;
/// Most names that are looked up of a group whose known members are those it has: it may always have had them.
const FEW: usize = 20;
/// Most memberships that are compared for it.
const MAX_MEMBERS: usize = 50_000;
/// RFC 4511 appendix A.1: what a search answers for a base that is not there, is on another server, or is no DN.
const NOT_THERE: [i64; 3] = [32, 10, 34];

/// What has to be looked up.
#[derive(Default)]
struct Doubts {
    ids: BTreeMap<Box<str>, Kind>,
    names: BTreeSet<Digest>,
}

/// A group whose members are not what they were.
struct Changed {
    object: usize,
    before: HashSet<Uuid>,
}

/// Adds to a reading of changes what it takes to know who comes into its groups and who leaves them. None where only a reading of the
/// whole directory can tell.
pub async fn complete(
    session: &Session<'_>,
    source: &Source,
    reading: &mut Reading,
) -> Result<Option<Facts>, Failure> {
    let mut lookup = Lookup {
        session,
        source,
        facts: Facts::of(session, reading).await?,
        resources: HashMap::new(),
        asked: (0, 0),
        weight: 0,
    };
    let mut connection = None;
    let done = lookup.settle(reading, &mut connection).await;
    if let Some(connection) = connection {
        connection.close().await;
    }
    Ok(done?.then_some(lookup.facts))
}

struct Lookup<'l> {
    session: &'l Session<'l>,
    source: &'l Source,
    facts: Facts,
    /// Unique ids of the entries that resources are; none of resources that are none.
    resources: HashMap<Uuid, Option<Box<str>>>,
    /// Unique ids, and names, so far.
    asked: (usize, usize),
    /// Memberships that are compared.
    weight: usize,
}

impl Lookup<'_> {
    /// Adds the groups whose members may change by what is known now; false where those are too many.
    async fn add_changed(
        &mut self,
        changed: &mut Vec<Changed>,
        reading: &Reading,
    ) -> Result<bool, Failure> {
        let mut found = Vec::new();
        let known: HashSet<usize> = changed.iter().map(|group| group.object).collect();
        for (index, object) in reading.objects.iter().enumerate() {
            if object.kind != Kind::Group || known.contains(&index) {
                continue;
            }
            let link = self.facts.links.get(&object.unique_id);
            let unchanged = link.is_some_and(|link| {
                let (members, unknown) = self.members(object, reading);
                of_members(members) == link.members_digest && !(1..=FEW).contains(&unknown)
            });
            if !unchanged {
                self.weight += object.members.len();
                found.push((index, link.map(|link| link.resource_id)));
            }
        }
        if self.weight > MAX_MEMBERS {
            return Ok(false);
        }
        let known: Vec<Uuid> = found.iter().filter_map(|(_, group)| *group).collect();
        self.facts.ask_members(self.session, &known).await?;
        for (object, group) in found {
            let members = group.and_then(|group| self.facts.members.get(&group));
            let before = members.into_iter().flatten().copied().collect();
            changed.push(Changed { object, before });
        }
        Ok(true)
    }

    /// The members of a group by what is known so far, sorted, and how many of its names are not known.
    fn members(&self, object: &Object, reading: &Reading) -> (Vec<Uuid>, usize) {
        let names = object.members.iter();
        let mut members: Vec<Uuid> = names
            .filter_map(|key| self.member(*key, reading))
            .map(|(_, link)| link.resource_id)
            .collect();
        let unknown = object.members.len() - members.len();
        members.sort_unstable();
        members.dedup();
        (members, unknown)
    }

    /// Whom a group names so, by what is known so far.
    fn member<'m>(&'m self, key: Digest, reading: &'m Reading) -> Option<(&'m str, &'m Link)> {
        match reading.named(key) {
            Some(index) => {
                let object = reading.objects.get(index)?;
                let link = self.facts.links.get(&object.unique_id)?;
                Some((&object.unique_id, link))
            }
            None => self.facts.elsewhere(key, reading),
        }
    }

    /// Looks up until nothing is in doubt; false where that is too much.
    async fn settle(
        &mut self,
        reading: &mut Reading,
        connection: &mut Option<Connection>,
    ) -> Result<bool, Failure> {
        let mut changed = Vec::new();
        loop {
            if !self.add_changed(&mut changed, reading).await? {
                return Ok(false);
            }
            let doubts = self.doubts(&changed, reading).await?;
            if doubts.ids.is_empty() && doubts.names.is_empty() {
                return Ok(true);
            }
            // Whoever is found by his unique id has a name, which need not be looked up then.
            let by_id = !doubts.ids.is_empty();
            match by_id {
                true => self.asked.0 += doubts.ids.len(),
                false => self.asked.1 += doubts.names.len(),
            }
            if self.asked.0 > MAX_IDS || self.asked.1 > MAX_NAMES || reading.is_large() {
                return Ok(false);
            }
            let open = match connection.take() {
                Some(open) => open,
                None => Connection::open(self.session.platform, &self.source.settings).await?,
            };
            let open = connection.insert(open);
            let seen = reading.objects.len();
            if by_id {
                if !self.finds_by_id(reading, open).await? {
                    return Ok(false);
                }
                self.ask_ids(&doubts.ids, reading, open).await?;
            } else {
                self.ask_names(&doubts.names, reading, open).await?;
            }
            // A group that was found names members too.
            self.facts.ask_more(self.session, reading, seen).await?;
        }
    }

    /// Who would come or go, and was not read.
    async fn doubts(&mut self, changed: &[Changed], reading: &Reading) -> Result<Doubts, Failure> {
        let mut doubts = Doubts::default();
        let mut gone: BTreeSet<Uuid> = BTreeSet::new();
        for group in changed {
            let Some(object) = reading.objects.get(group.object) else {
                continue;
            };
            let mut now = HashSet::new();
            for key in &object.members {
                match self.member(*key, reading) {
                    Some((id, link)) => {
                        let stays = group.before.contains(&link.resource_id);
                        if !stays && !reading.settles(id) {
                            doubts.ids.insert(id.into(), link.kind);
                        }
                        now.insert(link.resource_id);
                    }
                    None if reading.named(*key).is_some() || reading.has_sought(*key) => {}
                    None => {
                        doubts.names.insert(*key);
                    }
                }
            }
            gone.extend(group.before.difference(&now));
        }
        self.ask_resources(&gone).await?;
        for resource in &gone {
            let id = self.resources.get(resource).and_then(Option::as_ref);
            if let Some(id) = id.filter(|id| !reading.settles(id))
                && let Some(link) = self.facts.links.get(id)
            {
                doubts.ids.insert(id.clone(), link.kind);
            }
        }
        Ok(doubts)
    }

    /// Finds out which entries resources are.
    async fn ask_resources(&mut self, wanted: &BTreeSet<Uuid>) -> Result<(), Failure> {
        if wanted.iter().all(|id| self.resources.contains_key(id)) {
            return Ok(());
        }
        for (unique_id, link) in &self.facts.links {
            let known = Some(unique_id.clone());
            self.resources.insert(link.resource_id, known);
        }
        let unknown = wanted.iter().filter(|id| !self.resources.contains_key(id));
        let unknown: Vec<Uuid> = unknown.copied().collect();
        for (unique_id, link) in links::of_resources(self.session, &unknown).await? {
            self.resources
                .insert(link.resource_id, Some(unique_id.clone()));
            self.facts.links.entry(unique_id).or_insert(link);
        }
        for id in unknown {
            self.resources.entry(id).or_default();
        }
        Ok(())
    }

    /// Whether the server finds entries by their unique ids, tried with a group that was read: not every attribute can be searched.
    async fn finds_by_id(
        &self,
        reading: &Reading,
        connection: &mut Connection,
    ) -> Result<bool, Failure> {
        let mut objects = reading.objects.iter();
        let Some(group) = objects.find(|object| object.kind == Kind::Group) else {
            return Ok(false);
        };
        let Some(place) = self.source.place(Kind::Group) else {
            return Ok(false);
        };
        let unique_id = &self.source.mapping.unique_id;
        let search = Search {
            base_dn: place.base_dn.clone(),
            scope: Scope::Subtree,
            filter: Filter::equal_to(unique_id, &group.unique_id),
            attributes: vec![unique_id.clone()],
        };
        let found = connection.search(&search).next().await?.unwrap_or_default();
        let mut ids = found.iter().filter_map(|entry| entry.unique_id(unique_id));
        Ok(ids.any(|id| *id == *group.unique_id))
    }

    async fn ask_ids(
        &self,
        ids: &BTreeMap<Box<str>, Kind>,
        reading: &mut Reading,
        connection: &mut Connection,
    ) -> Result<(), Failure> {
        let unique_id = &self.source.mapping.unique_id;
        let any_of = |ids: &[&str]| {
            let each = ids.iter().map(|id| Filter::equal_to(unique_id, id));
            format!("(|{})", each.collect::<String>())
        };
        for kind in [Kind::User, Kind::Group] {
            let of_kind = ids.iter().filter(|(_, found)| **found == kind);
            let of_kind: Vec<&str> = of_kind.map(|(id, _)| &**id).collect();
            let Some(place) = self.source.place(kind) else {
                continue;
            };
            for ids in of_kind.chunks(IDS_AT_ONCE) {
                let filter = Filter::bracketed(&place.filter);
                let filter = format!("(&{filter}{})", any_of(ids));
                let search = self.source.search(kind, place, filter);
                self.read(kind, &search, reading, connection).await?;
                let unfound = ids.iter().filter(|id| !reading.settles(id));
                let unfound: Vec<&str> = unfound.copied().collect();
                if kind == Kind::User && !unfound.is_empty() {
                    let (session, source) = (self.session, self.source);
                    reading
                        .read_left(connection, session, source, &any_of(&unfound))
                        .await?;
                }
            }
            for id in of_kind {
                reading.conclude(Digest::of(id.as_bytes()));
            }
        }
        Ok(())
    }

    async fn ask_names(
        &self,
        names: &BTreeSet<Digest>,
        reading: &mut Reading,
        connection: &mut Connection,
    ) -> Result<(), Failure> {
        let naming = self.source.mapping.naming();
        for key in names {
            let name = reading.strangers.get(key).cloned().unwrap_or_default();
            for kind in [Kind::User, Kind::Group] {
                let Some(place) = self.source.place(kind) else {
                    continue;
                };
                let filter = Filter::bracketed(&place.filter);
                let search = match (naming, kind) {
                    (Naming::Uid, Kind::Group) => continue,
                    (Naming::Uid, Kind::User) => {
                        let named = Filter::equal_to(UID, name.trim());
                        let filter = format!("(&{filter}{named})");
                        self.source.search(kind, place, filter)
                    }
                    (Naming::Dn | Naming::NameAndUid, _) => {
                        let dn = self.source.mapping.dn_of(&name);
                        if !dn::is_within(dn, &place.base_dn) {
                            continue;
                        }
                        Search {
                            base_dn: dn.to_owned(),
                            scope: Scope::Base,
                            ..self.source.search(kind, place, filter)
                        }
                    }
                };
                match self.read(kind, &search, reading, connection).await {
                    Err(Failure::Directory(Error::Refused { code, .. }))
                        if NOT_THERE.contains(&code) => {}
                    other => other?,
                }
                if reading.named(*key).is_some() {
                    break;
                }
            }
            reading.conclude(*key);
        }
        Ok(())
    }

    async fn read(
        &self,
        kind: Kind,
        search: &Search,
        reading: &mut Reading,
        connection: &mut Connection,
    ) -> Result<(), Failure> {
        let (session, source) = (self.session, self.source);
        reading
            .read(connection, session, source, (kind, Pass::Further), search)
            .await
    }
}
