//! Takes entries in as they are read: finds out which resource each is and what becomes of it, keeps a record, stages what something is to be
//! done with, and forgets the rest.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::digest::{Digest, of_members};
use super::failure::Failure;
use super::links::Link;
use super::mapping::{MODIFY_TIMESTAMP, shortened_dn};
use super::object::{Action, Kind, Note, Object};
use super::session::Session;
use super::source::Source;
use super::stage::{Stage, Store, count};
use super::staged::{Members, Staged};
use super::survey::{Fate, Record, Survey};
use crate::ldap::values::generalized_time;
use crate::ldap::{Connection, Entry, Filter};
use crate::scim::fold;
use crate::store::directory_entries::{self, PAGE, State};
use crate::store::sync_counts::Counts;
use crate::store::unique::{self, UniqueKey};
use crate::store::{Result as Stored, Rows, rows_at};

/// Most entries that a sync takes: their records are in memory together.
const MAX_ENTRIES: usize = 1_000_000;

/// Who has a name.
#[derive(Debug, Clone, Copy)]
pub struct Holder {
    pub id: Uuid,
    /// Who manages it, by his number among the intake's managers.
    pub managed_by: Option<u16>,
}

/// Entries on their way in.
pub struct Intake<'i> {
    pub session: &'i Session<'i>,
    pub survey: Survey,
    pub stage: Stage<'i>,
    pub store: Store<'i>,
    pub counts: Counts,
    /// Objects that are not staged yet.
    objects: Vec<Staged>,
    size: usize,
    /// Number of the next object.
    next: u32,
    /// Who has a name that somebody else wants, by the name's hash.
    pub holders: HashMap<Digest, Holder>,
    pub managers: Vec<String>,
    /// Whether group names are unique in the tenant.
    pub unique_group_names: bool,
    /// The largest modifyTimestamp seen, in milliseconds since 1970.
    pub newest: Option<i64>,
    /// Whether some entry came without one.
    pub untimed: bool,
    /// Hashes of unique ids of entries that are there and are no user any more.
    pub left: HashSet<Digest>,
    /// Who is in groups by the directory's word, of those that were asked for.
    pub members: HashMap<Uuid, Vec<Uuid>>,
}

impl<'i> Intake<'i> {
    pub fn new(session: &'i Session<'i>) -> Self {
        Intake {
            session,
            survey: Survey::default(),
            stage: Stage::new(session),
            store: Store::new(session),
            counts: Counts::default(),
            objects: Vec::new(),
            size: 0,
            // Numbers are told from none.
            next: 1,
            holders: HashMap::new(),
            managers: Vec::new(),
            unique_group_names: !session.known.settings.profile.is_strict(),
            newest: None,
            untimed: false,
            left: HashSet::new(),
            members: HashMap::new(),
        }
    }

    /// Takes in what is known of all of the provider's entries.
    pub async fn know_all(&mut self) -> Result<(), Failure> {
        let (tenant, idp) = (&self.session.tenant, &self.session.idp);
        let mut after = String::new();
        loop {
            let batch = vec![directory_entries::select_after(tenant, idp, &after)];
            let results = self.session.read(batch).await?;
            let links = directory_entries::entries(rows_at(&results, 0)?)?;
            for link in &links {
                self.survey.know(&link.unique_id, &Link::of(link));
            }
            match links.last() {
                Some(last) if links.len() == PAGE => after.clone_from(&last.unique_id),
                _ => return Ok(()),
            }
        }
    }

    /// Reads the whole directory, on one connection.
    pub async fn read_all(&mut self, source: &Source) -> Result<(), Failure> {
        let mut connection = Connection::open(self.session.platform, &source.settings).await?;
        let result = self.read_places(&mut connection, source).await;
        connection.close().await;
        result
    }

    async fn read_places(
        &mut self,
        connection: &mut Connection,
        source: &Source,
    ) -> Result<(), Failure> {
        for kind in [Kind::User, Kind::Group] {
            let Some(place) = source.place(kind) else {
                continue;
            };
            let search = source.search(kind, place, Filter::bracketed(&place.filter));
            let mut pages = connection.search(&search);
            while let Some(entries) = pages.next().await? {
                for entry in &entries {
                    self.read(kind, entry, source).await?;
                }
                self.session.keep_alive(&self.so_far()).await?;
            }
            self.counts.referrals += u64::try_from(pages.referrals()).unwrap_or_default();
        }
        Ok(())
    }

    /// What the run has come to, as the log shows it while it reads.
    fn so_far(&self) -> Counts {
        let mut counts = self.session.counts();
        counts.users.read = self.counts.users.read;
        counts.groups.read = self.counts.groups.read;
        counts
    }

    /// Maps an entry and takes it in.
    async fn read(&mut self, kind: Kind, entry: &Entry, source: &Source) -> Result<(), Failure> {
        self.counts.of(kind).read += 1;
        if self.survey.records.len() >= MAX_ENTRIES {
            return Err(Failure::Refused(format!(
                "the directory has more than one sync can take ({MAX_ENTRIES} entries); narrow the base DNs or the filters"
            )));
        }
        match entry.text(MODIFY_TIMESTAMP).and_then(generalized_time) {
            Some(time) => self.newest = self.newest.max(Some(time)),
            None => self.untimed = true,
        }
        let (mapping, survey) = (&source.mapping, &self.survey);
        let mut strangers = Vec::new();
        let mut member = |key: Digest, name: &str| {
            if survey.named(key).is_none() && strangers.len() < Members::MAX_STRANGERS {
                strangers.push((key, name.into()));
            }
        };
        let mapped = mapping.object(kind, entry, &self.session.idp, &mut member);
        let object = match mapped {
            Ok(object) => object,
            Err(unusable) => {
                let unique_id = unusable.unique_id.map(Into::into);
                return self
                    .refuse(kind, &entry.dn, unique_id, unusable.reason)
                    .await;
            }
        };
        let known = self.survey.find(Digest::of(object.unique_id.as_bytes()));
        let known = known.and_then(|number| self.survey.records.get(number));
        if known.is_some_and(|record| !matches!(record.fate, Fate::Unread | Fate::Unusable)) {
            let reason = format!(
                "another entry has the same {}; only the first one counts",
                mapping.unique_id
            );
            // Its id is the other's, which is not gone.
            return self.refuse(kind, &entry.dn, None, reason).await;
        }
        let further = mapping.further_keys(kind, entry);
        let number = self.take(object, strangers).await?;
        for key in further {
            self.survey.alias(key, number);
        }
        Ok(())
    }

    async fn refuse(
        &mut self,
        kind: Kind,
        dn: &str,
        unique_id: Option<Box<str>>,
        reason: String,
    ) -> Result<(), Failure> {
        self.note_unusable(Note {
            kind,
            action: Action::Skipped,
            unique_id,
            dn: Some(shortened_dn(dn)),
            name: None,
            resource_id: None,
            reason: Some(reason),
        })
        .await
    }

    /// Takes up an entry that cannot become a resource. It is there, whatever is wrong with it: it has not vanished.
    pub async fn note_unusable(&mut self, note: Note) -> Result<(), Failure> {
        let number = note.unique_id.as_ref();
        let number = number.and_then(|id| self.survey.find(Digest::of(id.as_bytes())));
        let record = number.and_then(|number| self.survey.records.get_mut(number));
        if let Some(record) = record.filter(|record| record.fate == Fate::Unread) {
            record.fate = Fate::Unusable;
        }
        self.counts.count(note.kind, note.action);
        Ok(self.stage.note(note).await?)
    }

    /// Takes an object in; gives the number of its record.
    pub async fn take(
        &mut self,
        object: Object,
        strangers: Vec<(Digest, Box<str>)>,
    ) -> Result<u32, Failure> {
        let unique_id = Digest::of(object.unique_id.as_bytes());
        let number = match self.survey.find(unique_id) {
            Some(number) => number,
            None => self.survey.add(Record {
                unique_id,
                member_key: Digest::default(),
                name: Digest::default(),
                resource: Uuid::try_parse(&self.session.new_id()?).unwrap_or_default(),
                staged: None,
                kind: object.kind,
                fate: Fate::Create,
                state: None,
                renamed: false,
            }),
        };
        let name = name_key(object.kind, &fold::name_key(&object.name));
        let Some(record) = self.survey.records.get_mut(number) else {
            return Ok(number);
        };
        record.fate = fate(record, &object);
        record.member_key = object.member_key;
        record.name = name;
        let (fate, resource, state) = (record.fate, record.resource, record.state);
        self.survey.name(number);
        let has_members = object.kind == Kind::Group && fate != Fate::OtherKind;
        let before = match fate {
            Fate::Create => Digest::default(),
            _ => self.survey.members_of(resource),
        };
        let members = match has_members && !self.has_still(&object, before) {
            true => Some(Members::of(&object.members, strangers)),
            false => None,
        };
        if fate == Fate::Unchanged && members.is_none() {
            return Ok(number);
        }
        let mut staged = Staged::of(object, resource, fate, members);
        (staged.state, staged.members_digest) = (state, before);
        if let Some(record) = self.survey.records.get_mut(number) {
            record.staged = std::num::NonZeroU32::new(self.next);
        }
        self.next += 1;
        self.size += staged.size();
        self.objects.push(staged);
        if self.size > self.session.limits.text {
            self.put_objects().await?;
        }
        Ok(number)
    }

    /// Whether a group has the members that it had, all of whom are known. What is read later makes none of them another.
    fn has_still(&self, group: &Object, before: Digest) -> bool {
        let members = group.members.iter().map(|key| self.survey.member(*key));
        let members: Option<Vec<Uuid>> = members.map(|member| Some(member?.0)).collect();
        members.is_some_and(|members| of_members(members) == before)
    }

    /// Stages the objects that were taken in, and asks who has the names that they want.
    pub async fn put_objects(&mut self) -> Result<(), Failure> {
        if self.objects.is_empty() {
            return Ok(());
        }
        self.size = 0;
        let objects = std::mem::take(&mut self.objects);
        let first = self.next - count(objects.len());
        let mut along = Vec::new();
        let mut kinds = Vec::new();
        for (kind, unique) in [
            (Kind::User, UniqueKey::UserName),
            (Kind::Group, UniqueKey::GroupName),
        ] {
            let wanting = objects.iter().filter(|object| {
                object.kind == kind && matches!(object.fate, Fate::Update | Fate::Create)
            });
            let wanting = wanting.filter(|_| kind == Kind::User || self.unique_group_names);
            // Who has a name by its key from before keys were normalised has it too.
            let keys = wanting.flat_map(|object| {
                let key = fold::name_key(&object.name);
                [fold::former(&key), Some(key)]
            });
            let keys: Vec<String> = keys.flatten().collect();
            for statement in unique::select_holders(&self.session.tenant, unique, &keys) {
                kinds.push(kind);
                along.push(statement);
            }
        }
        self.session.note(&self.so_far());
        let results = self.stage.put_objects(first, &objects, along).await?;
        let mut holders = HashMap::new();
        for (kind, rows) in kinds.into_iter().zip(&results) {
            self.hold(&mut holders, kind, rows)?;
        }
        for object in &objects {
            let Some(number) = self.survey.find(Digest::of(object.unique_id.as_bytes())) else {
                continue;
            };
            if let Some(record) = self.survey.records.get_mut(number)
                && record.wants_name()
            {
                let holder = holders.get(&record.name).copied();
                let own = holder.is_some_and(|holder: Holder| holder.id == record.resource);
                record.renamed = record.fate == Fate::Update && !own;
                if let Some(holder) = holder.filter(|_| !own) {
                    self.holders.insert(record.name, holder);
                }
            }
        }
        self.store.keep(first, objects);
        Ok(())
    }

    fn hold(
        &mut self,
        holders: &mut HashMap<Digest, Holder>,
        kind: Kind,
        rows: &Rows,
    ) -> Stored<()> {
        for row in &rows.rows {
            let manager = row.optional_text("managed_by")?;
            let managed_by = manager.map(|manager| {
                let known = self.managers.iter().position(|known| *known == manager);
                known.unwrap_or_else(|| {
                    self.managers.push(manager);
                    self.managers.len() - 1
                })
            });
            let holder = Holder {
                id: Uuid::try_parse(&row.text("id")?).unwrap_or_default(),
                managed_by: managed_by.and_then(|number| u16::try_from(number).ok()),
            };
            let key = row.text("key")?;
            let now = fold::fold(&key);
            let name = name_key(kind, &now);
            match key == now {
                true => drop(holders.insert(name, holder)),
                false => drop(holders.entry(name).or_insert(holder)),
            }
        }
        Ok(())
    }
}

/// What becomes of an object, as far as its record tells.
fn fate(record: &Record, object: &Object) -> Fate {
    let Some(state) = record.state else {
        return Fate::Create;
    };
    let same = record.name == object.digest && state != State::Deactivated;
    let still = record.member_key == object.member_key && state == State::Present;
    match (record.kind == object.kind, same, still) {
        (false, ..) => Fate::OtherKind,
        (true, true, true) => Fate::Unchanged,
        (true, true, false) => Fate::Relinked,
        (true, false, _) => Fate::Update,
    }
}

/// Hash of a name as names are compared, apart for users and groups.
fn name_key(kind: Kind, folded: &str) -> Digest {
    Digest::of(format!("{}\n{folded}", kind.name()))
}
