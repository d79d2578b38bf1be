//! What the database knows of a reading: which resources its entries are, and those that its groups name.

use std::collections::{BTreeSet, HashMap};

use uuid::Uuid;

use super::digest::Digest;
use super::links::{self, Link, Links};
use super::object::Kind;
use super::reading::Reading;
use super::session::Session;
use crate::store::{Result, directory_entries};

/// What is known.
#[derive(Default)]
pub struct Facts {
    pub links: Links,
    /// Unique ids of entries that groups name so and that the reading does not have, by the hashes of the names. None where several had the
    /// name when they were last read: only one of them can have it now.
    names: HashMap<Digest, Option<Box<str>>>,
    /// Who is in groups by the directory's word, of those that were asked for.
    pub members: HashMap<Uuid, Vec<Uuid>>,
}

impl Facts {
    /// What concerns a reading of changes.
    pub async fn of(session: &Session<'_>, reading: &Reading) -> Result<Self> {
        let objects = reading.objects.iter().map(|object| &*object.unique_id);
        let unusable = reading.unusable.iter();
        let unusable = unusable.filter_map(|note| note.unique_id.as_deref());
        let left = reading.left.iter().map(|id| &**id);
        let links = links::of(session, objects.chain(unusable).chain(left)).await?;
        let mut facts = Facts {
            links,
            ..Facts::default()
        };
        let named = reading.strangers.keys().copied().collect();
        facts.ask_names(session, named).await?;
        Ok(facts)
    }

    /// What concerns the objects of the reading from that one on.
    pub async fn ask_more(
        &mut self,
        session: &Session<'_>,
        reading: &Reading,
        from: usize,
    ) -> Result<()> {
        let objects = reading.objects.get(from..).unwrap_or_default();
        let new = objects.iter().map(|object| &*object.unique_id);
        let new = new.filter(|id| !self.links.contains_key(*id));
        let new: Vec<&str> = new.collect();
        self.links.extend(links::of(session, new).await?);
        let named = objects.iter().flat_map(|object| object.members.iter());
        let named = named.filter(|key| reading.named(**key).is_none());
        let named = named.filter(|key| !self.names.contains_key(*key));
        let named = named.copied().collect();
        self.ask_names(session, named).await
    }

    async fn ask_names(&mut self, session: &Session<'_>, names: BTreeSet<Digest>) -> Result<()> {
        for (unique_id, link) in links::named(session, names).await? {
            let known = self.names.entry(link.member_key);
            known
                .and_modify(|id| *id = id.take().filter(|id| *id == unique_id))
                .or_insert_with(|| Some(unique_id.clone()));
            self.links.entry(unique_id).or_insert(link);
        }
        Ok(())
    }

    /// The entry that had that name when it was last read, unless it is known by now to be elsewhere or nowhere.
    pub fn elsewhere(&self, key: Digest, reading: &Reading) -> Option<(&str, &Link)> {
        let unique_id = self.names.get(&key)?.as_ref()?;
        let link = self.links.get(unique_id)?;
        let left = link.kind == Kind::User && reading.left.contains(unique_id);
        (!left && !reading.settles(unique_id)).then_some((unique_id, link))
    }

    /// The resources of entries that groups name so and that the reading does not have.
    pub fn outside(&self, reading: &Reading) -> impl Iterator<Item = (Digest, (Uuid, Kind))> {
        let names = self.names.keys();
        let names = names.filter(|key| reading.named(**key).is_none());
        names.filter_map(|key| {
            let (_, link) = self.elsewhere(*key, reading)?;
            Some((*key, (link.resource_id, link.kind)))
        })
    }

    /// Asks who is in these groups.
    pub async fn ask_members(&mut self, session: &Session<'_>, groups: &[Uuid]) -> Result<()> {
        let ids: Vec<String> = groups
            .iter()
            .filter(|group| !self.members.contains_key(group))
            .map(Uuid::to_string)
            .collect();
        let batch = directory_entries::select_members(&session.tenant, &ids);
        let found = directory_entries::members(&session.read(batch).await?)?;
        self.members.extend(found);
        Ok(())
    }
}
