//! What is known of the database, and what still has to be asked. A plan names what it needs; all needs of a round are read in one
//! round trip.

use std::rc::Rc;

use super::author::Author;
use super::fuse::{Fuse, Left};
use super::member_plan::{Known, kind_of};
use super::rows::removals;
use crate::error::{Error, Result};
use crate::ordered::{OrderedMap, OrderedSet};
use crate::scim::budget::Budget;
use crate::scim::filter::Predicate;
use crate::scim::patch::{Matching, MemberIndex};
use crate::scim::render::Stored;
use crate::scim::resource::Resource;
use crate::scim::schema::{RESOURCE_TYPES, ResourceType};
use crate::scim::version::Version;
use crate::store::members::Pair;
use crate::store::resources::Memberships;
use crate::store::unique::UniqueKey;
use crate::store::{Row, Rows, members, resources, unique};

/// A resource's type and id.
pub type Key = (&'static str, String);

/// A resource as it was read, or as it is remembered.
#[derive(Debug, Clone)]
pub struct Seen {
    pub stored: Stored,
    pub resource: Rc<Resource>,
    /// How many memberships it has, where that was told.
    pub held: Option<i64>,
    /// Whether it is only remembered.
    pub is_remembered: bool,
}

impl Seen {
    /// A resource that somebody else has read: what it was, and at which version.
    pub fn told(
        resource_type: &'static ResourceType,
        id: String,
        version: Version,
        created: i64,
        resource: Resource,
    ) -> Self {
        Seen {
            stored: Stored {
                id,
                version,
                created,
                ..Stored::bare(resource_type)
            },
            resource: Rc::new(resource),
            held: None,
            is_remembered: true,
        }
    }

    pub fn new(stored: Stored, is_remembered: bool) -> Result<Self> {
        let resource = Resource::from_stored(&stored.resource).map_err(|error| {
            let name = stored.resource_type.name;
            Error::internal(format!("stored {name} {}: {error}", stored.id))
        })?;
        Ok(Seen {
            stored,
            resource: Rc::new(resource),
            held: None,
            is_remembered,
        })
    }
}

/// Who has a name.
#[derive(Debug, Clone)]
pub struct Holder {
    pub id: String,
    /// Whether a client can switch them on again: they are inactive, and no directory manages them.
    pub can_be_activated: bool,
}

/// What is taken for true where nothing is known.
#[derive(Debug, Clone, Copy)]
pub struct Assumptions {
    /// Names are free.
    pub names: bool,
    /// Who is to come is no member yet, and is there; who is to go is one.
    pub members: bool,
    /// What is deleted, and whose members come and go by their ids, is there.
    pub presence: bool,
}

/// What is known. A key that is there and holds nothing is known not to exist.
#[derive(Debug)]
pub struct Facts {
    pub assumed: Assumptions,
    pub fuse: Fuse,
    resources: OrderedMap<Key, Option<Seen>>,
    pub holders: OrderedMap<(UniqueKey, String), Option<Holder>>,
    /// Whether the pair is a membership, and what the member is.
    pub pairs: OrderedMap<Pair, Known>,
    /// All members of a group.
    pub members: OrderedMap<String, OrderedMap<String, Known>>,
    /// The members of a group that meet one of an intent's filters, by the intent; an error where the budget does not allow to find them.
    pub matching: OrderedMap<usize, Result<Vec<Rc<str>>>>,
}

/// A group and the filters on its members, by the intent that has them.
type Filters = OrderedMap<usize, (String, Vec<Matching>)>;

/// Members of groups as filters see them, with their ids.
type Met = OrderedMap<String, MemberIndex>;

/// What is still to be read.
#[derive(Debug, Default)]
pub struct Needs {
    pub resources: OrderedSet<Key>,
    pub holders: OrderedSet<(UniqueKey, String)>,
    pub pairs: OrderedSet<Pair>,
    pub members: OrderedSet<String>,
    pub matching: Filters,
    /// What the credential may still remove.
    pub fuse: bool,
}

impl Needs {
    pub fn is_empty(&self) -> bool {
        !self.fuse
            && self.resources.is_empty()
            && self.holders.is_empty()
            && self.pairs.is_empty()
            && self.members.is_empty()
            && self.matching.is_empty()
    }
}

/// What a statement of a round was for.
enum Question {
    Resources(&'static ResourceType),
    Holders(UniqueKey),
    Pairs,
    Members(String),
    Matching,
    Fuse,
}

impl Facts {
    pub fn new(assumed: Assumptions) -> Self {
        Facts {
            assumed,
            fuse: Fuse::default(),
            resources: OrderedMap::new(),
            holders: OrderedMap::new(),
            pairs: OrderedMap::new(),
            members: OrderedMap::new(),
            matching: OrderedMap::new(),
        }
    }

    pub fn resource(&self, resource_type: &ResourceType, id: &str) -> Option<&Option<Seen>> {
        self.resources.get(&(resource_type.name, id.to_owned()))
    }

    /// Takes up what is remembered of a resource.
    pub fn remember(&mut self, seen: Seen) {
        let key = (seen.stored.resource_type.name, seen.stored.id.clone());
        self.resources.insert(key, Some(seen));
    }

    /// Forgets what is only remembered; whether there was such.
    pub fn forget_remembered(&mut self) -> bool {
        let before = self.resources.len();
        let is_read = |seen: &Option<Seen>| !seen.as_ref().is_some_and(|seen| seen.is_remembered);
        self.resources.retain(|_, seen| is_read(seen));
        self.resources.len() < before
    }

    /// Somebody changed a resource: nothing that was read of any is known any more.
    pub fn forget_resources(&mut self) {
        self.assumed.presence = false;
        self.resources.clear();
        self.forget_members();
    }

    /// Memberships are not what they were taken for: they are asked from now on.
    pub fn forget_members(&mut self) {
        self.assumed.members = false;
        self.pairs.clear();
        self.members.clear();
        self.matching.clear();
    }

    /// A name is not free: who has it is asked from now on.
    pub fn forget_holders(&mut self) {
        self.assumed.names = false;
        self.holders.clear();
    }

    /// Reads all that is needed, in one round trip; a resource that is going to be shown with what is shown of it.
    pub async fn learn(
        &mut self,
        author: &dyn Author,
        mut needs: Needs,
        shown: Option<(Key, Memberships)>,
    ) -> Result<()> {
        let terms = author.terms();
        let tenant = &terms.tenant;
        let mut questions = Vec::new();
        let mut batch = Vec::new();
        let shown = shown.as_ref();
        let shown = shown.filter(|(key, _)| needs.resources.contains(key));
        for resource_type in RESOURCE_TYPES {
            let is_shown = |key: &Key| shown.is_some_and(|(shown, _)| shown == key);
            let of_type = needs.resources.iter();
            let of_type = of_type.filter(|key| key.0 == resource_type.name && !is_shown(key));
            let ids = of_type.map(|(_, id)| id);
            for statement in resources::select_many(tenant, resource_type, ids) {
                questions.push(Question::Resources(resource_type));
                batch.push(statement);
            }
            if let Some(((name, id), memberships)) = shown
                && *name == resource_type.name
            {
                let base = &terms.base;
                let one = resources::select_one(tenant, base, resource_type, id, *memberships);
                questions.push(Question::Resources(resource_type));
                batch.push(one);
            }
        }
        for unique in UniqueKey::ALL {
            let of_kind = needs.holders.iter().filter(|(of, _)| *of == unique);
            let keys = of_kind.map(|(_, key)| key);
            for statement in unique::select_holders(tenant, unique, keys) {
                questions.push(Question::Holders(unique));
                batch.push(statement);
            }
        }
        let pairs: Vec<Pair> = needs.pairs.iter().cloned().collect();
        for statement in members::probe(tenant, &pairs) {
            questions.push(Question::Pairs);
            batch.push(statement);
        }
        for group in &needs.members {
            questions.push(Question::Members(group.clone()));
            batch.push(members::select_all(tenant, group));
        }
        let matching = std::mem::take(&mut needs.matching);
        let groups: OrderedSet<&String> = matching.values().map(|(group, _)| group).collect();
        let filters: Vec<&Predicate> = matching
            .values()
            .flat_map(|(_, filters)| filters.iter().map(|matching| &matching.filter))
            .collect();
        if !filters.is_empty() {
            let asked = members::select_for_filters(tenant, &terms.base, groups, &filters);
            for statement in asked {
                questions.push(Question::Matching);
                batch.push(statement);
            }
        }
        if needs.fuse {
            questions.push(Question::Fuse);
            batch.push(removals::select(tenant, &terms.origin.actor));
        }
        let results = author.read(batch).await?;
        self.assume_absent(needs);
        let mut met = Met::new();
        for (question, rows) in questions.into_iter().zip(&results) {
            match question {
                Question::Matching => {
                    for row in &rows.rows {
                        let (group, id, member) = members::for_filters(row, &terms.base)?;
                        met.or_default(group).push(&id, member, None);
                    }
                }
                Question::Fuse => {
                    let row = rows.first();
                    let left = row.map(|row| Left::of(row, terms.origin.at));
                    self.fuse = left.transpose()?.map_or(Fuse::Assumed, Fuse::Known);
                }
                question => self.take(question, rows)?,
            }
        }
        self.compare(matching, &met, author.budget());
        Ok(())
    }

    /// Finds out who of the members met meets which filter.
    fn compare(&mut self, filters: Filters, met: &Met, budget: &Budget) {
        for (intent, (group, filters)) in filters {
            let ids = met
                .get(&group)
                .map_or(Ok(Vec::new()), |members| members.meeting(&filters, budget));
            self.matching.insert(intent, ids.map_err(Into::into));
        }
    }

    /// What was asked for and not found is known to be missing.
    fn assume_absent(&mut self, needs: Needs) {
        let none = needs.resources.into_iter().map(|key| (key, None));
        self.resources.extend(none);
        self.holders
            .extend(needs.holders.into_iter().map(|key| (key, None)));
        let nothing = needs.pairs.into_iter().map(|pair| (pair, Known::default()));
        self.pairs.extend(nothing);
    }

    fn take(&mut self, question: Question, rows: &Rows) -> Result<()> {
        match question {
            Question::Resources(resource_type) => {
                for row in &rows.rows {
                    let seen = Seen {
                        held: resources::held(row)?,
                        ..Seen::new(resources::stored(resource_type, row)?, false)?
                    };
                    let key = (resource_type.name, seen.stored.id.clone());
                    self.resources.insert(key, Some(seen));
                }
            }
            Question::Holders(unique) => {
                for row in &rows.rows {
                    let holder = Holder {
                        id: row.text("id")?,
                        // Unassigned is not inactive.
                        can_be_activated: row.optional_integer("active")? == Some(0)
                            && row.optional_text("managed_by")?.is_none(),
                    };
                    self.holders
                        .insert((unique, row.text("key")?), Some(holder));
                }
            }
            Question::Pairs => {
                for row in &rows.rows {
                    let probed = members::probed(row)?;
                    let known = Known {
                        granted: probed.granted,
                        kind: kind_of(probed.kind.as_deref()),
                    };
                    self.pairs.insert((probed.group, probed.id), known);
                }
            }
            Question::Members(group) => {
                let member = |row: &Row| -> Result<(String, Known)> {
                    let known = Known {
                        granted: Some(row.integer("granted")?),
                        kind: kind_of(Some(&row.text("kind")?)),
                    };
                    Ok((row.text("id")?, known))
                };
                let members = rows.rows.iter().map(member).collect::<Result<_>>()?;
                self.members.insert(group, members);
            }
            Question::Matching | Question::Fuse => {}
        }
        Ok(())
    }
}
